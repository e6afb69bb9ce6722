# Results -(D + L) just below 1, where log_sum is above 1 by its error: in three parts, since one of two roundings goes the other way; with
# an error below u only the first is there.
#! for part in range(3 if log_quotient * one_less_exp[0] + log_f64 * 20 > u else 1)
#! let d = log_quotient * one_less_exp[0] + log_f64 * 20
#! let low = [F(1), F(1), 1 + u][part]
#! let high = [1 + u, 1 + u, 1 + d][part]
#! let D_low = [F(0), u, F(0)][part]
#! let D_high = [u, d, d - u][part]
#! unit F(2)**-24
#! gives log_softmax
@ops log_entry
{ x - m + D in [0,0] /\ log_sum - L in [-@{d},@{d}] /\ log_sum in [@{low},@{high}] /\ D in [@{D_low},@{D_high}] /\ L in [@{low-d},1] /\ D + L in [@{D_low + low - d},1] -> y + (D + L) in ? }
x - m -> (x - m + D) - D;
