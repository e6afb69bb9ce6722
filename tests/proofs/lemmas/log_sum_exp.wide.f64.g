# Of statistics: the logarithm of 1 + rest is rounded, and its sum with m.
#! for low, high in log_intervals
#! let d = log_error_of_rest(low, high)
#! let k = binade(low) - 1
#! unit F(2)**(k - 52)
#! gives log_sum_exp_wide
l = rw(log_sum);
lse = rw(l + m);
{ log_sum - L in [-@{d},@{d}] /\ L in [@{low},@{high}] /\ m in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] /\ m + L in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] -> lse - (m + L) in ? }
lse - (m + L) -> (lse - (l + m)) + (l - log_sum) + (log_sum - L);
l + m -> (l - log_sum) + (log_sum - L) + (m + L);
