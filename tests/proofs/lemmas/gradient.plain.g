# e k / S, k an f64: one rounding, in the binade 2^k of the result Y.
#! class plain
#! for rows in ("long", "known", "shard")
#! for k in (-127, -126, 0)
#! let de = exp_rounded
#! let df = gradient_factors[rows]
#! let low = F(2)**(k if k > -127 else -400)
#! let high = F(2)**(k + 1)
#! unit F(2)**(max(k, -126) - 23)
#! gives gradient_@{rows}
Y = E * R;
@ops times_unit
{ e -/ E in [-@{de},@{de}] /\ factor -/ R in [-@{df},@{df}] /\ E in [1,2] /\ R in [@{low/2},@{high}] /\ Y in [@{low},@{high}] -> a - Y in ? }
a - Y -> (a - e * factor) + (e * factor - Y);
