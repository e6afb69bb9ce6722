# y = e f rounded, f = high + low the reciprocal of the sum: Y = E F without errors. In the binade of Y = 2^k; what low adds is rounded
# by itself, and among the denormals for results below 2^-123. The case k = -119 stands for all above: there this counts less.
# k = -127 stands for what is below 2^-126, in units of the smallest number.
#! class fma
#! for rows in ("long", "short", "apply", "longest")
#! for k in range(-127, -118)
#! let de = exp_rounded
#! let df = factors[rows]
#! let low = F(2)**(k if k > -127 else -400)
#! let high = F(2)**(k + 1)
#! unit F(2)**(max(k, -126) - 23)
#! gives softmax_@{rows}
@ops product
f = high + low;
Y = E * R;
{ e -/ E in [-@{de},@{de}] /\ f -/ R in [-@{df},@{df}] /\ E in [1,2] /\ R in [@{low/2},@{high}] /\ Y in [@{low},@{high}] /\ |low| <= @{high*u} -> y - Y in ? }
y - Y -> (y - (e*high + p)) + (p - e*low) + (e*f - Y);
