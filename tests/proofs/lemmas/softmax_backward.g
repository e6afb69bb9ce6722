# dx = 2 y (dy / 2 - S / 2): the dot product with an error of `sums` of A = sum |y dy|, taken off in two parts. Of T, the larger of |X| and
# y A, in the binade 2^k, y in [2^j, 2^(j+1)] and at most 1. Results above 2^-126 scale with y, and so j = -1 stands for all of them, and
# k = -122 for all above: there what is lost of halves counts less. So it does of results up to 2^-126 where y is small: j = -4, and j = -40,
# where nothing is lost of halves.
#
# A half is off by 2^-150 at most, and exact of 2^-125 or more. The rest of a dot product below 2^-125 is 0, of one up to 2^-124 at most 2^-149,
# half of which is 0: then c is b. Up to 2^-123 it is at most 2^-148: then c is b, or half of it is exact.
#! for k, j, way in [(-127, -1, "any"), (-126, -1, "below"), (-126, -1, "c_is_b"), (-125, -1, "below"), (-125, -1, "c_is_b"), (-125, -1, "exact")] + [(k, -1, "any") for k in (-124, -123, -122)] + [(-127, j, "any") for j in (-2, -3, -4, -40)]
#! let most = F(2)**(k + 1)
#! let wrong = most * sums['dot']
#! let size = F(2)**(-125 if way == "below" else k + 1 - j) * (1 + sums['dot'])
#! let of_high = F(2)**-150 if way in ("any", "below") else F(0)
#! let of_low = F(2)**-150 if way in ("any", "c_is_b") else F(0)
#! let of_c = "/\\ c - (b - half_low) in [0,0]" if way in ("below", "c_is_b") else ""
#! let parts = 5 if k == -124 or way == "exact" else 0 if k == -127 and j != -2 else 2 if j == -2 or k == -125 else 4
#! let split = "dx - y * G $ y in " + str(parts) + ";" if parts else ""
#! unit F(2)**(max(k, -126) - 23)
#! gives softmax_backward
#! nonzero y
y = rn(y_);
dy = rn(dy_);
@ops half_dot
@ops softmax_grad
G = dy - S;
{ y in [@{F(2)**j},@{F(2)**(j+1)}] /\ y * G in [-@{most},@{most}] /\ y * S in [-@{most},@{most}] /\ y * (dot - S) in [-@{wrong},@{wrong}] /\ dot in [-@{size},@{size}]
  /\ a - dy * 0.5 in [-1b-150,1b-150] /\ half_high - high * 0.5 in [-@{of_high},@{of_high}] /\ half_low - rest * 0.5 in [-@{of_low},@{of_low}] @{of_c} -> dx - y * G in ? }
y + y -> 2 * y;
G -> (y * G) / y;
S -> (y * S) / y;
dot - S -> (y * (dot - S)) / y;
dot -> (dot - S) + S;
dy -> G + S;
a - half_high -> G * 0.5 + (a - dy * 0.5) - (half_high - high * 0.5) - (high - dot) * 0.5 - (dot - S) * 0.5;
b - half_low -> (c - G * 0.5) - (c - (b - half_low)) + G * 0.5;
c - G * 0.5 -> (c - (b - half_low)) + (b - (a - half_high)) + (a - dy * 0.5) - (half_high - high * 0.5) - (half_low - rest * 0.5) - (rest - (dot - high)) * 0.5 - (dot - S) * 0.5;
dx - y * G -> (dx - rn(y + y) * c) + 2 * (y * (c - G * 0.5)) + (rn(y + y) - (y + y)) * c;
@{split}
