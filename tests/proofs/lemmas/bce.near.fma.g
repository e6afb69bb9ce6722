# L > 1/2: the sum is in [1/2, 15/16].
#! class fma
#! let wrong = log1p_near_ulp * u
#! unit F(2)**-24
#! gives bce
value = W_ + log;
loss = rn(value);
{ W_ -/ W in [-@{u},@{u}] /\ W in [1b-400,0.4375] /\ log - L in [-@{wrong},@{wrong}] /\ L in [0.5,0.75] /\ W + L in [0.5,0.9375] -> loss - (W + L) in ? }
loss - (W + L) -> (loss - value) + (W_ - W) + (log - L);
value -> (W + L) + (W_ - W) + (log - L);
