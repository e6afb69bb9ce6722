# Between 0 and 1, one factor w of all: A - Q with Q = sigmoid(-|x|), which q + more is in absolute terms, and A = a + a_low exactly, t or 1 - t.
# Knuth's sum of two, d + lost, is exact. Of the larger of |A - Q| and 2^-10, times w, in [1, 2]: in the lowest binade, where all else counts
# most; there are no denormals for |w| >= 2^-60.
#! class fma
#! let wrong = share_absolute * F(1, 2**33)
#! unit F(2)**-33
#! gives bce_grad_soft
@ops long_difference
@ops times_long
D = d + low;
W = w_high + w_low;
i = rn(w_high * low + rn(w_low * d));
{ q + more - Q in [-@{wrong},@{wrong}] /\ a + a_low - A in [0,0] /\ d + lost - (a - q) in [0,0] /\ |a_low| <= 1b-25 /\ |lost| <= 1b-34 /\ |more| <= 1b-22
  /\ |d| <= 0x1.02p-9 /\ W -/ w in [-1b-47,1b-47] /\ w in [1,2] /\ |w_high| <= 2.01 /\ |w_low| <= 1b-23 /\ w * (A - Q) in [-1b-9,1b-9] -> entry - w * (A - Q) in ? }
D - (A - Q) -> (low - (rn(lost + a_low) - more)) + (rn(lost + a_low) - (lost + a_low)) + (a + a_low - A) + (d + lost - (a - q)) - (q + more - Q);
entry - w * (A - Q) -> (entry - (w_high * d + i)) + (i - (w_high * low + rn(w_low * d))) + (rn(w_low * d) - w_low * d) - w_low * low + w * (D - (A - Q)) + (W - w) * D;
w_high * d + i -> w * (A - Q) + (i - (w_high * low + rn(w_low * d))) + (rn(w_low * d) - w_low * d) - w_low * low + w * (D - (A - Q)) + (W - w) * D;
