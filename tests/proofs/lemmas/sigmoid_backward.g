# dy y (1 - y): the inner product has the error of all floats y in [0, 1]; that with dy, in the binade 2^k.
#! for k in (-127, -126, 0)
#! let low = F(2)**(k if k > -127 else -400)
#! unit F(2)**(max(k, -126) - 23)
#! gives sigmoid_backward
@ops one_product
X = g * S;
{ a -/ S in [-@{sigmoid_slope},@{sigmoid_slope}] /\ S in [1b-200,1] /\ g in [1b-200,1b200] /\ X in [@{low},@{F(2)**(k+1)}] -> dx - X in ? }
dx - X -> (dx - g * a) + (g * a - X);
