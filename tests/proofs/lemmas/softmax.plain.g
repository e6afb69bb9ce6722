# y = e f rounded, f = 1 / sum in f64: Y = E F without errors, in the binade 2^k; nothing is rounded among the denormals but the result.
#! class plain
#! for rows in ("long", "short", "apply", "longest")
#! for k in (-127, -126, 0)
#! let de = exp_rounded
#! let df = factors[rows]
#! let low = F(2)**(k if k > -127 else -400)
#! let high = F(2)**(k + 1)
#! unit F(2)**(max(k, -126) - 23)
#! gives softmax_@{rows}
@ops product
Y = E * R;
{ e -/ E in [-@{de},@{de}] /\ factor -/ R in [-@{df},@{df}] /\ E in [1,2] /\ R in [@{low/2},@{high}] /\ Y in [@{low},@{high}] -> y - Y in ? }
y - Y -> (y - e*factor) + (e*factor - Y);
