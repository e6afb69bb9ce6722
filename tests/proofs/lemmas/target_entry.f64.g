# -k (1 - p) of the target, of the others' share, r (docs/accuracy.md): r is rounded, and its product with k, in the binade 2^k. An r
# that is denormal has its absolute error in softlane.h, range.
#! for k in (-1023, -1022, 0)
#! let d = together(max(log_quotient, quotient(exp_wide * w, exp_rounded * w)), 2 * F(2)**-74, w)
#! let low = F(2)**(k if k > -1023 else -1300)
#! unit F(2)**(max(k, -1022) - 52)
#! gives target_entry
entry = rw(value);
{ value -/ Y in [-@{d},@{d}] /\ Y in [@{low},@{F(2)**(k+1)}] -> entry - Y in ? }
entry - Y -> (entry - value) + (value - Y);
