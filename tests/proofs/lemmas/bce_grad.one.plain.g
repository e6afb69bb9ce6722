# Class 0 or 1 without FMA, where nothing cancels: u sigmoid(x) or -u sigmoid(-x) in f64, as good as the smaller sigmoid is, rounded once. In the
# binade 2^k.
#! class plain
#! for k in (-127, -126, 0)
#! let d = sigmoid_soft + F(1, 2**50)
#! let low = F(2)**(k if k > -127 else -400)
#! unit F(2)**(max(k, -126) - 23)
#! gives bce_grad_one
entry = rn(value);
{ value -/ Y in [-@{d},@{d}] /\ Y in [@{low},@{F(2)**(k+1)}] -> entry - Y in ? }
entry - Y -> (entry - value) + (value - Y);
