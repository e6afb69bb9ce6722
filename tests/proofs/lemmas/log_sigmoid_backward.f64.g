# dy sigmoid(-x), in the binade 2^k, as log_sigmoid_backward.g: of the sigmoid both parts are added first, without FMA the sum and the
# quotient rounded; 1 - q in [1/2, 1] is no worse.
#! for k in (-1023, -1022, 0)
#! let low = F(2)**(k if k > -1023 else -1300)
#! let high = F(2)**(k + 1) * (1 if k > -1023 else 1 + F(1, 2**40))
#! let scale = F(2)**(200 if k == -1023 else 0)
#! unit F(2)**(max(k, -1022) - 52)
#! gives log_sigmoid_backward
X = g * S;
product = rw(g * a * @{scale});
dx = rw(product * @{1/scale});
{ a -/ S in [-@{sigmoid_relative},@{sigmoid_relative}] /\ S in [1b-1300,1] /\ g in [1b-1023,1b1023] /\ X in [@{low},@{high}] -> dx - X in ? }
dx - X -> (dx - product * @{1/scale}) + (product - g * a * @{scale}) * @{1/scale} + (g * a - X);
