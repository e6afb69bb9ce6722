# One factor w of all, in two parts, times D = d + low, that of a class 0 or 1: one share, or 1 less it, good to `share`. In the binade 2^k of
# w S; k = -122 stands for all above. What low adds is rounded by itself, and among the denormals for results below 2^-123.
#! class fma
#! for k in range(-127, -121)
#! let wrong = share + F(1, 2**44)
#! let low_part = (share_low + 2) * u
#! let below = F(2)**(k if k > -127 else -400)
#! let high = F(2)**(k + 1)
#! unit F(2)**(max(k, -126) - 23)
#! gives bce_grad_share
@ops times_long
X = w * S;
W = w_high + w_low;
D = d + low;
i = rn(w_high * low + rn(w_low * d));
{ D -/ S in [-@{wrong},@{wrong}] /\ W -/ w in [-1b-47,1b-47] /\ S in [1,2] /\ d in [0.5,2.5] /\ w in [@{below/2},@{high}] /\ w_high in [@{below/4},@{2*high}] /\ X in [@{below},@{high}]
  /\ |low| <= @{low_part*2} /\ |w_low| <= @{2*high*u} -> entry - X in ? }
entry - X -> (entry - (w_high * d + i)) + (i - (w_high * low + rn(w_low * d))) + (rn(w_low * d) - w_low * d) + (W * D - X) - w_low * low;
w_high * d + i -> X + (i - (w_high * low + rn(w_low * d))) + (rn(w_low * d) - w_low * d) + (W * D - X) - w_low * low;
