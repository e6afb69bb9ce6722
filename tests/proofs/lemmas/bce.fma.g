# s |x| + L: s rounded once (1 - t), L with the errors of all floats, the sum once. That error of L is known in ULP and as a relative one. W = S |x| and L, of their sum in [1, 2], L in
# the binade 2^j, j = -4 standing for all below. L above 1/2 (scaled: |x| below 0.433) has a sum below 0.94: bce.near.g.
#! class fma
#! for j in range(-4, 1)
#! let wrong = log1p_ulp * F(2)**(j - 23)
#! let L_low = F(2)**j if j > -4 else F(0)
#! unit F(2)**-23
#! gives bce
value = W_ + log;
loss = rn(value);
{ W_ -/ W in [-@{u},@{u}] /\ W in [1b-400,@{2 - L_low}] /\ log - L in [-@{wrong},@{wrong}] /\ log -/ L in [-@{log1p},@{log1p}] /\ L in [@{max(L_low, F(2)**-400)},@{F(2)**(j+1)}] /\ W + L in [1,2] -> loss - (W + L) in ? }
loss - (W + L) -> (loss - value) + (W_ - W) + (log - L);
value -> (W + L) + (W_ - W) + (log - L);
loss - (W + L) $ L in 8;
