# Terms that may cancel, in f64: u w ((1 - t) sigmoid(x) - p t sigmoid(-x)) rounded once. sigmoid(-|x|) counts in absolute terms, times the sum
# of both factors, at most u w max(1, p); what else is rounded is below 2^-50 of these. Of the larger of |X| and 2^-10 of that, f, in [1, 2]: in
# the lowest binade, where all else counts most, and among the denormals. Without options f is 1.
#! for with_, k in (("", -10), ("_with", -10), ("_with", -127))
#! let most = F(2)**(k + 1)
#! let of = (2 if with_ else 1) * F(2)**(k + 10)
#! let wrong = of * (soft_absolute * F(1, 2**33) + F(1, 2**50))
#! unit F(2)**(max(k, -126) - 23)
#! gives bce_grad_wide@{with_}
entry = rn(value);
{ value - X in [-@{wrong},@{wrong}] /\ X in [-@{most},@{most}] -> entry - X in ? }
entry - X -> (entry - value) + (value - X);
value -> (value - X) + X;
