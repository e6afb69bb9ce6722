# dy sigmoid(-x), in the binade 2^k. A sigmoid below the smallest number is scaled, and the product scaled back last: that is exact for
# normal results, and in k = -127, results up to 2^-126 or next to it, another rounding.
#! for k in (-127, -126, 0)
#! let low = F(2)**(k if k > -127 else -400)
#! let high = F(2)**(k + 1) * (1 if k > -127 else 1 + F(1, 2**20))
#! let scale = F(2)**(200 if k == -127 else 0)
#! unit F(2)**(max(k, -126) - 23)
#! gives log_sigmoid_backward
X = g * S;
product = rn(g * a * @{scale});
dx = rn(product * @{1/scale});
{ a -/ S in [-@{sigmoid},@{sigmoid}] /\ S in [1b-400,1] /\ g in [1b-200,1b200] /\ X in [@{low},@{high}] -> dx - X in ? }
dx - X -> (dx - product * @{1/scale}) + (product - g * a * @{scale}) * @{1/scale} + (g * a - X);
