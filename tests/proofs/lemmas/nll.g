# Products of f32 numbers in f64, which are exact, or of one rounding more: rounded to f32 once, in the binade 2^k.
#! for k in (-127, -126, 0)
#! let low = F(2)**k if k > -127 else F(0)
#! unit F(2)**(max(k, -126) - 23)
#! gives one_rounding
entry = rn(value);
{ value - Y in [-@{F(2)**(k+1-51)},@{F(2)**(k+1-51)}] /\ Y in [@{low},@{F(2)**(k+1)}] -> entry - Y in ? }
entry - Y -> (entry - value) + (value - Y);
