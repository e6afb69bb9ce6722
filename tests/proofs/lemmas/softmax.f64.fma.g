# y = e f rounded, f = high + low the reciprocal of the sum: Y = E F without errors, in the binade 2^k; as softmax.fma.g.
#! class fma
#! for rows in ("rows", "apply")
#! for k in range(-1023, -1014)
#! let de = exp_rounded * w
#! let df = factors[rows]
#! let low = F(2)**(k if k > -1023 else -1300)
#! let high = F(2)**(k + 1)
#! unit F(2)**(max(k, -1022) - 52)
#! gives softmax_@{rows}
@ops product_f64
f = high + low;
Y = E * R;
{ e -/ E in [-@{de},@{de}] /\ f -/ R in [-@{df},@{df}] /\ E in [1,2] /\ R in [@{low/2},@{high}] /\ Y in [@{low},@{high}] /\ |low| <= @{high * F(2)**-27} -> y - Y in ? }
e*high + p -> (p - e*low) + (e*f - Y) + Y;
y - Y -> (y - (e*high + p)) + (p - e*low) + (e*f - Y);
