# The result at the maximum: -log_sum rounded, in the binade 2^k of L; 0 stands for every normal one.
#! for k in (-127, -126, 0)
#! let d = log_sum
#! let low = F(2)**(k if k > -127 else -400)
#! unit F(2)**(max(k, -126) - 23)
#! gives log_softmax
l = rn(log_sum);
{ log_sum -/ L in [-@{d},@{d}] /\ L in [@{low},@{F(2)**(k+1)}] -> l - L in ? }
l - L -> (l - log_sum) + (log_sum - L);
