# The loss D + L, D = m - x of the target (or, smoothed, a sum of such differences with weights, in f64): no term is negative, so the
# relative error is at most that of log_sum and of the additions in lanes; one rounding to f32, in the binade 2^k.
#! for k in (-127, -126, 0)
#! let d = log_sum
#! let f64 = sums['lanes'] + F(1, 2**49)
#! let low = F(2)**(k if k > -127 else -400)
#! unit F(2)**(max(k, -126) - 23)
#! gives cross_entropy
Y = D + L;
loss = rn(cost);
{ log_sum - L in [-@{d*F(2)**(k+1)},@{d*F(2)**(k+1)}] /\ cost -/ (D + log_sum) in [-@{f64},@{f64}] /\ D in [0,@{F(2)**(k+1)}] /\ L in [0,@{F(2)**(k+1)}] /\ D + L in [@{low},@{F(2)**(k+1)}] -> loss - Y in ? }
D + log_sum -> Y + (log_sum - L);
loss - Y -> (loss - cost) + (cost - (D + log_sum)) + (log_sum - L);
