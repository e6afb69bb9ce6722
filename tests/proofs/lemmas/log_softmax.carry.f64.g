# Results -(D + L) just below 1, where log_sum is above 1 by its error: in three parts, since one of two roundings goes the other way.
#! for part in range(3)
#! let d = log_error(F(31,32), F(1) + F(1,2**20))
#! let low = [F(1), F(1), 1 + w][part]
#! let high = [1 + w, 1 + w, 1 + d][part]
#! let D_low = [F(0), w, F(0)][part]
#! let D_high = [w, d, d - w][part]
#! unit F(2)**-53
#! gives log_softmax
@ops log_entry_f64
{ x - m + D in [0,0] /\ log_sum - L in [-@{d},@{d}] /\ log_sum in [@{low},@{high}] /\ D in [@{D_low},@{D_high}] /\ L in [@{low-d},1] /\ D + L in [@{D_low + low - d},1] -> y + (D + L) in ? }
x - m -> (x - m + D) - D;
