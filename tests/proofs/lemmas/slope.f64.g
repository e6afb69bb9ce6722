# y (1 - y), relative: y up to 1/64 in all binades, and above by itself. 1 - y is exact from 1/2 on (Sterbenz); where y is denormal 1 -
# y is 1. From 1/2 - 2^-20 to 1/2 the product is below 1/4 + 2^-55, which rounds to 1/4 at most: 1.5.
#! for low, high, parts in ((F(2)**-960, F(1,64), 0), (F(1,64), F(1,32), 64), (F(1,32), F(1,16), 64), (F(1,16), F(1,8), 64), (F(1,8), F(1,4), 64), (F(1,4), F(1,2) - F(1,2**20), 64), (F(1,2), 1 - F(1,2**53), 0))
#! let split = "$ y in " + str(parts) + ";" if parts else ""
#! let product = "(slope - y * other) / (y * other)"
#! let error = "(slope - S) / S" if parts else product if low == F(1,2) else product + " * (other / (1 - y)) + (other - (1 - y)) / (1 - y)"
#! unit w
#! gives slope
y = rw(y_);
@ops slope_f64
S = y * (1 - y);
{ y in [@{low},@{high}] /\ other in [1b-53,1] -> @{error} in ? }
slope - S -> (slope - y * other) + y * (other - (1 - y));
y * other -> S + y * (other - (1 - y));
S -> 0.25 - (y - 0.5) * (y - 0.5);
@{split}
