# Losses up to 2^-124 of an L up to 2^-126, whose error is absolute. There 1 - t is exact, or |x| (1 - t) larger. The second part of L is at most
# the smallest number and, of an L of 8 of these (near), 0.
#! class plain
#! for k in (-127, -126, -125)
#! for near in (0, 1)
#! let wrong = log1p_abs * F(1, 2**149)
#! let last = F(2)**(k + 1) - F(1, 2**146)
#! let W_low = last if near else F(0)
#! let W_high = F(2)**(k + 1) if near else last
#! let second = F(0) if near else F(1, 2**149)
#! unit F(2)**(max(k, -126) - 23)
#! gives bce
s = rn(s_);
high = rn(high_);
log_low = rn(low_);
@ops bce
{ high + log_low - L in [-@{wrong},@{wrong}] /\ L in [0,1b-126] /\ high in [0,1b-125] /\ log_low in [-@{second},@{second}] /\ low - log_low in [0,0] /\ s * x - W in [0,0] /\ W in [@{W_low},@{W_high}] /\ W + L in [0,@{F(2)**(k+1)}] -> loss - (W + L) in ? }
s * x -> W + (s * x - W);
rn(s * x) + low -> (rn(s * x) + log_low) + (low - log_low);
low -> log_low + (low - log_low);
loss - (W + L) -> (loss - (rn(rn(s * x) + low) + high)) + (rn(rn(s * x) + low) - (rn(s * x) + low)) + (rn(s * x) - s * x) + (low - log_low) + (high + log_low - L) + (s * x - W);
