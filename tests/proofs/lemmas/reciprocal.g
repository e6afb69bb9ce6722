# 1 / sum in two parts: |(high + low) sum - 1|. Scaled by a power of two, which is exact for all of this but low, whose last rounding
# may be among the denormals: sums are below 2^122, high above 2^-123, and so 2^-150 of low is 2^-27 of high. That comes on top
# (factor.g).
#! class fma
#! gives reciprocal
#! nonzero s
@ops reciprocal
{ sum in [1,2] -> (high + low) * sum - 1 in ? }
high * sum - 1 -> (high - 1/s)*s + high*(sum - s);
1 - high * s -> -(high - 1/s)*s;
rest - high*s_low -> (rest - (1 - high*s)) - (high*sum - 1) + high*(sum - (s + s_low));
sum - (s + s_low) -> (sum - s) - s_low;
(high + low) * sum - 1 -> -(high*sum - 1)*(high*sum - 1) + (1 + (high*sum - 1)) * (high*(sum - (s + s_low)) + (rest - (1 - high*s)) + (more - (rest - high*s_low))) + sum*(low - high*more);
