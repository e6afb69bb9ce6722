# The sum is rounded, and its quotient; denormal results once more. In the binade 2^k, k = -1023 standing for all denormal ones and
# those next to them; k = 0 here is y = 1 - q, in [1/2, 1].
#! class plain
#! for k in (-1023, -1, 0)
#! let d = exp_wide * w + F(2)**-90
#! let low = F(2)**k if k == -1 else F(2)**-1300
#! let high = F(1,2) if k == 0 else F(2)**(k + 1) * (1 + F(1, 2**40))
#! let scale = F(2)**(200 if k == -1023 else 1)
#! let y = "rw(1 - r + tiny)" if k == 0 else "rw(r)"
#! let exact = "(1 - Y)" if k == 0 else "Y"
#! unit F(2)**(max(min(k, -1), -1022) - 52)
#! gives sigmoid
sum = rw(wide);
q = rw(1 / sum * @{scale});
r = q * @{1/scale};
y = @{y};
Y = 1 / E;
{ wide -/ E in [-@{d},@{d}] /\ E in [1,1b1400] /\ Y in [@{low},@{high}] /\ tiny in [-1b-90,1b-90] -> y - @{exact} in ? }
y - (1 - Y) -> (y - (1 - r + tiny)) - (r - Y) + tiny { E <> 0 };
y - Y -> (y - r) + (r - Y) { E <> 0 };
r - Y -> (q - 1 / sum * @{scale}) * @{1/scale} + (1 / sum - Y) { sum <> 0, E <> 0 };
1 / sum - Y -> -Y * ((sum - E) / E) / (1 + (sum - E) / E) { sum <> 0, E <> 0 };
(sum - E) / E -> (wide - E) / E + (sum - wide) / wide * (1 + (wide - E) / E) { wide <> 0, E <> 0 };
