# y = value + more = 1 / (1 + E), both parts of the sum good to the error of E, rounded once; denormal results, too, in their own place.
# In the binade 2^k, k = -1023 standing for all denormal ones; k = 0 here is y = 1 - (value + more), in [1/2, 1].
#! class fma
#! for k in (-1023, -1022, -1, 0)
#! let d = exp_wide * w + F(2)**-90
#! let low = F(2)**k if k > -1023 else F(2)**-1300
#! let high = F(2)**(k + 1) if k < 0 else F(1,2)
#! let y = "rw(1 - value + tiny)" if k == 0 else "rw(value)"
#! let least = F(2)**-1300 if k == 0 else low
#! let exact = "(1 - Y)" if k == 0 else "Y"
#! unit F(2)**(max(min(k, -1), -1022) - 52)
#! gives sigmoid
y = @{y};
{ value -/ Y in [-@{d},@{d}] /\ Y in [@{least},@{high}] /\ tiny in [-1b-90,1b-90] -> y - @{exact} in ? }
y - Y -> (y - value) + (value - Y);
y - (1 - Y) -> (y - (1 - value + tiny)) - (value - Y) + tiny;
