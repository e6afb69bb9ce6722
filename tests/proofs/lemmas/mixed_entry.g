# The target's entry where other classes have shares: A - B = u (p (W - q) - (1 - p) q) in f64, p with the error of its exponential and of the sum,
# 1 - p as in target_entry.g; rounded once. Of the larger of A and B, in the binade 2^k.
#! for k in (-127, -126, 0)
#! let few = F(8, 2**53)
#! let of_A = together(exp_wide, sum_long, few) / (1 - sum_long)
#! let of_B = together(others['long'], few)
#! let most = F(2)**(k + 1)
#! unit F(2)**(max(k, -126) - 23)
#! gives mixed_entry
value = A_ - B_;
entry = rn(value);
{ A_ -/ A in [-@{of_A},@{of_A}] /\ B_ -/ B in [-@{of_B},@{of_B}] /\ A in [1b-400,@{most}] /\ B in [1b-400,@{most}] -> entry - (A - B) in ? }
entry - (A - B) -> (entry - value) + (A_ - A) - (B_ - B);
