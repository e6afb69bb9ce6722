# Losses up to 2^-126, in units of the smallest number.
#! class fma
#! let wrong = log1p_abs * F(1, 2**149) + F(2)**-126 * u
#! unit F(2)**-149
#! gives bce
loss = rn(value);
{ value - Y in [-@{wrong},@{wrong}] /\ Y in [0,1b-126] -> loss - Y in ? }
loss - Y -> (loss - value) + (value - Y);
