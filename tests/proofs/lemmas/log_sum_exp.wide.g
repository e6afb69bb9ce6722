# The same of statistics, whose log-sum-exp is an f64.
#! let d = log_sum
#! unit F(2)**-23
#! gives log_sum_exp_wide
wide = rw(log_sum + m);
{ log_sum -/ L in [-@{d},@{d}] /\ L in [1b-400,4] /\ m in [-2,2] /\ m + L in [-2,2] -> wide - (m + L) in ? }
wide - (m + L) -> (wide - (log_sum + m)) + (log_sum - L);
log_sum + m -> (log_sum - L) + (m + L);
