# Beside softmax: an error q of sum / top makes as much of its logarithm, in absolute terms. Of the largest of 1, |m| and the result, in
# the binade 2^k of that; k = 5 stands for all above.
#! for k in range(0, 6)
#! let d = sum_quotient * (1 + u) + log_f64 * 20
#! unit F(2)**(k - 23)
#! gives log_sum_exp_beside
@ops log_sum_exp
{ log_sum - L in [-@{d},@{d}] /\ L in [0,20] /\ m in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] /\ m + L in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] -> lse - (m + L) in ? }
lse - (m + L) -> (lse - (log_sum + m)) + (log_sum - L);
log_sum + m -> (log_sum - L) + (m + L);
