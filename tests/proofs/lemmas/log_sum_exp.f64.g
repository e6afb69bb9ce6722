# m + log_sum, rounded once, of the larger of |m| and the result: that is at least L / 2. By pieces of L, in the lowest binade that a
# piece allows: in higher ones the error of log_sum counts less. The first piece stands for all below, the last one for all above.
#! for low, high in log_intervals
#! let d = log_error(low, high)
#! let k = binade(low) - 1
#! unit F(2)**(k - 52)
#! gives log_sum_exp
lse = rw(value);
{ value - (log_sum + m) in [-1b-100,1b-100] /\ log_sum - L in [-@{d},@{d}] /\ L in [@{low},@{high}] /\ m in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] /\ m + L in [-@{F(2)**(k+1)},@{F(2)**(k+1)}] -> lse - (m + L) in ? }
lse - (m + L) -> (lse - value) + (value - (log_sum + m)) + (log_sum - L);
value -> (value - (log_sum + m)) + (log_sum - L) + (m + L);
