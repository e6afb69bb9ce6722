# e k / S: a factor in two parts, of a size that a power of two takes out; the product scaled back last, as gradient.fma.g. In the
# binade 2^k of the result Y; k = -1023 has results up to 2^-1022, which are rounded twice.
#! class fma
#! for k in (-1023, 0)
#! let de = exp_rounded * w
#! let df = factors["gradient"]
#! let low = F(2)**(k if k > -1023 else -1300)
#! let high = F(2)**(k + 1) * (1 if k > -1023 else 1 + F(1, 2**40))
#! let scale = F(2)**200
#! let result = "rw(product * " + text(1 / scale) + ")" if k == -1023 else "product * " + text(1 / scale)
#! unit F(2)**(max(k, -1022) - 52)
#! gives gradient
Y = E * R;
f = factor_high + factor_low;
p = rw(e * factor_low * @{scale});
product = rw(e * factor_high * @{scale} + p);
{ e -/ E in [-@{de},@{de}] /\ f -/ R in [-@{df},@{df}] /\ E in [1,2] /\ R in [@{low/2},@{high}] /\ Y in [@{low},@{high}] /\ |factor_low| <= @{high * F(2)**-27} -> @{result} - Y in ? }
product * @{1/scale} - Y -> (product - (e * factor_high * @{scale} + p)) * @{1/scale} + (p - e * factor_low * @{scale}) * @{1/scale} + (e * f - Y);
rw(product * @{1/scale}) - Y -> (rw(product * @{1/scale}) - product * @{1/scale}) + (product * @{1/scale} - Y);
e * factor_high * @{scale} + p -> (p - e * factor_low * @{scale}) + (e * f - Y) * @{scale} + Y * @{scale};
