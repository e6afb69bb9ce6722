# dx = 2 y c, c of (dy - dot) / 2 in three roundings, of which the two of the difference are 2^-24 of it each. dot, in two parts, has
# errors of 2^-47 and of the additions in lanes, of A = sum |y dy|; halves that are denormal make up to 5 2^-150 together, for y <= 1. Of T, the larger of |X| and y A, in the
# binade 2^k; k = -122 stands for all above. (Below 2^-122: by analysis.)
#! for k in (-122,)
#! let most = F(2)**(k + 1)
#! let wrong = most * (2*u + u*u + F(1, 2**46) + sums['dot']) + 5 * F(1, 2**150)
#! unit F(2)**(k - 23)
#! gives softmax_backward
dx = rn(value);
{ value - X in [-@{wrong},@{wrong}] /\ X in [-@{most},@{most}] -> dx - X in ? }
dx - X -> (dx - value) + (value - X);
