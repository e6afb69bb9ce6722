# Of probabilities: logarithms of all floats, in f64, with factors of one sign, rounded once. Its gradient: a quotient, in f64, good to
# 2^-44 (by analysis, log.h).
#! for k in (-127, -126, 0)
#! let d = max(log_of_p, log_of_1_p) + F(1, 2**43)
#! let low = F(2)**k if k > -127 else F(2)**-400
#! unit F(2)**(max(k, -126) - 23)
#! gives bce_of_prob
loss = rn(value);
{ value -/ Y in [-@{d},@{d}] /\ Y in [@{low},@{F(2)**(k+1)}] -> loss - Y in ? }
loss - Y -> (loss - value) + (value - Y);
