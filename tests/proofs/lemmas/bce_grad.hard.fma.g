# Class 0 or 1: u sigmoid(x), or -u sigmoid(-x), in the binade 2^k; the factor is exact or, as a mean, with weights or with u of each element, a
# number of f64 rounded to f32. A sigmoid below the smallest number is scaled, and the product scaled back last: as in
# log_sigmoid_backward.g.
#! class fma
#! for of in ("", "_with")
#! for k in (-127, -126, 0)
#! let low = F(2)**(k if k > -127 else -400)
#! let high = F(2)**(k + 1) * (1 if k > -127 else 1 + F(1, 2**20))
#! let scale = F(2)**(200 if k == -127 else 0)
#! let factor = u * (1 + F(1, 2**20)) if of else F(0)
#! unit F(2)**(max(k, -126) - 23)
#! gives bce_grad_hard@{of}
X = g * S;
product = rn(g_ * a * @{scale});
dx = rn(product * @{1/scale});
{ a -/ S in [-@{sigmoid},@{sigmoid}] /\ g_ -/ g in [-@{factor},@{factor}] /\ S in [1b-400,1] /\ g in [1b-200,1b200] /\ X in [@{low},@{high}] -> dx - X in ? }
dx - X -> (dx - product * @{1/scale}) + (product - g_ * a * @{scale}) * @{1/scale} + (g_ * a - X);
