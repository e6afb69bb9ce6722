# s |x| + L: s is t, or 1 - t rounded and `lost` what that lost; L in two parts, the first exp(L) - 1 rounded, the second -M L^2 and what the
# first lost. `lost` is 0 but for t < 1/2 and x > 0 (long), where W = S |x| is |x| / 2 or more; else low is log_low. L above 1/8 as it is, above
# 1/2 in two cases, |x| up to 0.2499 and 0.4335; smaller ones as parts of their sum (scaled), of which M L^2 is small, too. Of Y = W + L in the
# binade 2^k; of its last floats, which may be carried, apart. Where s |x| is above 2 and W below (scaled, long), it becomes 2, and the result is not
# less: each of the other two roundings adds up to 1.
#! class plain
#! for L_low, L_high, W_most, ks, of in ((F(5758, 10000), F(6932, 10000), F(2499, 10000), [-1], "near"), (F(4999, 10000), F(5763, 10000), F(867, 2000), [-1], "near"), (F(1, 4), F(1, 2), F(126, 100), range(-2, 1), "far"), (F(1, 8), F(1, 4), F(202, 100), range(-3, 2), "far"), (F(1, 2), F(2), F(2), [0], "scaled"), (F(1, 8), F(1, 2), F(2), [0], "scaled"), (F(1, 2**20), F(1, 8), F(2), [0], "scaled"), (F(1, 2**100), F(1, 2**20), F(2), [0], "scaled"))
#! for long in ([0, 1] if of != "scaled" or L_high < F(1, 4) else [0])
#! for W_low in [{"1/2": F(2166, 10000), "1/4": F(629, 1000)}.get(str(L_high), F(0)) if long and of == "far" else F(0)]
#! for k, Y_low, Y_high, carry in [(k, max(low, W_low + L_low), min(high, W_most + L_high), carry) for k in ks for low, high, carry in ((F(2)**k, F(2)**(k+1) - F(2)**(k-21), 0), (F(2)**(k+1) - F(2)**(k-21), F(2)**(k+1), 1)) if max(low, W_low + L_low) < min(high, W_most + L_high, F(94, 100) if of == "near" else high)]
#! let wrong = log1p_near_ulp * u if of == "near" else log1p * L_high
#! let relative = F(3) * u if of == "near" else log1p
#! let square = "L * L" if of != "scaled" else "L"
#! let M_low = F(1, 2) if of != "scaled" else F(0)
#! let M_high = F(64, 100) if of != "scaled" else F(67, 1000)
#! let low_wrong = log1p_low * L_high * F(3, 2)
#! let lost_most = W_most * u if long else F(0)
#! let low_is = "" if long else "/\\ low - log_low in [0,0]"
#! let s_is = "/\\ s * x <= 2" if of == "scaled" else ""
#! let parts = "loss - (W + L) $ L in " + str(8 if L_high == 2 else 4) + ";" if carry or of == "near" or L_high == 2 else ""
#! unit F(2)**(k - 23)
#! gives bce
@ops bce
{ high + log_low - L in [-@{wrong},@{wrong}] /\ high + log_low -/ L in [-@{relative},@{relative}] /\ log_low + M * (@{square}) in [-@{low_wrong},@{low_wrong}] /\ M in [@{M_low},@{M_high}]
  /\ L in [@{L_low},@{L_high}] /\ W in [@{max(W_low,F(2)**-400)},@{W_most}] /\ W + L in [@{Y_low},@{Y_high}] /\ s * x + lost * x - W in [0,0] /\ lost * x in [-@{lost_most},@{lost_most}] @{low_is} @{s_is} -> loss - (W + L) in ? }
W -> (W + L) - L;
log_low -> (log_low + M * (@{square})) - M * (@{square});
low -> log_low + (low - log_low);
s * x -> W + (s * x + lost * x - W) - lost * x;
rn(s * x) + low -> W - M * (@{square}) + (log_low + M * (@{square})) + (rn(s * x) - s * x) + (low - log_low - lost * x) + (s * x + lost * x - W);
low - log_low - lost * x -> (low - (log_low + rn(lost * x))) + (rn(lost * x) - lost * x);
rn(rn(s * x) + low) + high -> (W + L) + (high + log_low - L) + (rn(rn(s * x) + low) - (rn(s * x) + low)) + (rn(s * x) - s * x) + (low - log_low - lost * x) + (s * x + lost * x - W);
loss - (W + L) -> (loss - (rn(rn(s * x) + low) + high)) + (rn(rn(s * x) + low) - (rn(s * x) + low)) + (rn(s * x) - s * x) + (low - log_low - lost * x) + (high + log_low - L) + (s * x + lost * x - W);
@{parts}
