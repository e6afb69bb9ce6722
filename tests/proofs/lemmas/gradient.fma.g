# e k / S, k an f64 (the upstream gradient times the sum of q): a factor in two parts, high + low, of a size that a power of two, unit,
# takes out; the product scaled back last. In the binade 2^k of the result Y; k = -127 has results up to 2^-126, which are rounded
# twice. A class whose exponential is next to the end of its range loses 2^-150 of the factor beside that: it is in the absolute error
# of softlane.h, range.
#! class fma
#! for rows in ("long", "known", "shard")
#! for k in (-127, -126, 0)
#! let de = exp_rounded
#! let df = gradient_factors[rows]
#! let low = F(2)**(k if k > -127 else -400)
#! let high = F(2)**(k + 1) * (1 if k > -127 else 1 + F(1, 2**20))
#! let scale = F(2)**200
#! let last = "rn" if k == -127 else ""
#! unit F(2)**(max(k, -126) - 23)
#! gives gradient_@{rows}
Y = E * R;
f = factor_high + factor_low;
p = rn(e * factor_low * @{scale});
product = rn(e * factor_high * @{scale} + p);
a = @{last}(product * @{1/scale});
{ e -/ E in [-@{de},@{de}] /\ f -/ R in [-@{df},@{df}] /\ E in [1,2] /\ R in [@{low/2},@{high}] /\ Y in [@{low},@{high}] /\ |factor_low| <= @{high*u} -> a - Y in ? }
a - Y -> (a - product * @{1/scale}) + (product - (e * factor_high * @{scale} + p)) * @{1/scale} + (p - e * factor_low * @{scale}) * @{1/scale} + (e * f - Y);
