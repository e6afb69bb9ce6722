# A - B with A = e k / S and B = u q: a is the first, rounded to f32; b formed of f32 numbers, own being u rounded to f32, and t the
# probability. Of the larger of A and B, in [1, 2]. A weight is 1, and nothing is shared (softlane.h counts smoothing and weights).
# Either may be carried above 2 by its error, where roundings are twice as large: hence the cases. B by sixteenths.
#! for carried in ((0, 0), (1, 0), (0, 1), (1, 1))
#! for part in range(16 if carried[1] == 0 else 1)
#! let d = 2 * (together(exp_rounded, gradient_factors["long"]))
#! let A_low = 2 - d if carried[0] else F(0)
#! let B_low = 2 - 2*u if carried[1] else F(part, 8)
#! let B_high = F(2) if carried[1] else F(part + 1, 8)
#! let most_b = 2 + 2*u if carried[1] else F(2)
#! unit F(2)**-23
#! gives soft_gradient
a = rn(value);
b = rn(product);
entry = rn(a - b);
{ value -/ A in [-@{d/2},@{d/2}] /\ A in [@{max(A_low, F(2)**-200)},2] /\ value in [@{F(2) if carried[0] else 0},@{2 + d if carried[0] else F(2)}]
  /\ product -/ B in [-@{u},@{u}] /\ B in [@{max(B_low, F(2)**-200)},@{B_high}] /\ product in [@{F(2) if carried[1] else 0},@{most_b}] -> entry - (A - B) in ? }
entry - (A - B) -> (entry - (a - b)) + (a - value) + (value - A) - (b - B);
b - B -> (b - product) + (product - B);
entry - (A - B) $ A in 4;
