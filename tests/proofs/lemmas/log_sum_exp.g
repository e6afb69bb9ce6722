# m + log_sum, rounded, of the larger of |m| and the result, which is in [1, 2] after scaling: log_sum is at most twice as large.
#! let d = log_sum
#! unit F(2)**-23
#! gives log_sum_exp
@ops log_sum_exp
{ log_sum -/ L in [-@{d},@{d}] /\ L in [1b-400,4] /\ m in [-2,2] /\ m + L in [-2,2] -> lse - (m + L) in ? }
lse - (m + L) -> (lse - (log_sum + m)) + (log_sum - L);
log_sum + m -> (log_sum - L) + (m + L);
