# Beside softmax, as log_sum_exp.beside.g.
#! for k in range(0, 6)
#! let d = log_quotient * (1 + w) + log_own_most
#! unit F(2)**(k - 52)
#! gives log_sum_exp_beside
lse = rw(value);
{ value - (log_sum + m) in [-1b-100,1b-100] /\ log_sum - L in [-@{d},@{d}] /\ L in [0,20] /\ m in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] /\ m + L in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] -> lse - (m + L) in ? }
lse - (m + L) -> (lse - value) + (value - (log_sum + m)) + (log_sum - L);
value -> (value - (log_sum + m)) + (log_sum - L) + (m + L);
