# For t = 0 and t = 1: sigmoid in f64, with the error of all floats, or 1 less it, times u; rounded once.
#! class plain
#! for k in (-127, -126, 0)
#! let d = sigmoid_soft + F(1, 2**49)
#! let low = F(2)**k if k > -127 else F(2)**-400
#! unit F(2)**(max(k, -126) - 23)
#! gives bce_gradient
entry = rn(value);
{ value -/ Y in [-@{d},@{d}] /\ Y in [@{low},@{F(2)**(k+1)}] -> entry - Y in ? }
entry - Y -> (entry - value) + (value - Y);
