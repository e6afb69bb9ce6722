# Of probabilities: u (p - t) / max(p (1 - p), 10^-12) in f64, a quotient good to 2^-44 (log.h) and five more operations, rounded once. In the binade 2^k.
#! for k in (-127, -126, 0)
#! let low = F(2)**(k if k > -127 else -400)
#! let over = F(1, 2**44) + F(1, 2**49)
#! unit F(2)**(max(k, -126) - 23)
#! gives bce_prob_grad
entry = rn(value);
{ value -/ Y in [-@{over},@{over}] /\ Y in [@{low},@{F(2)**(k+1)}] -> entry - Y in ? }
entry - Y -> (entry - value) + (value - Y);
