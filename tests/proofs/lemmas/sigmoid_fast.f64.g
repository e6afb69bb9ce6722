# e, 1 + e and the quotient are rounded, y in the binade 2^k; results are never denormal.
#! for k in (-1, -2)
#! let d = exp_fast * w
#! unit F(2)**(k - 52)
#! gives sigmoid_fast
sum = rw(1 + e);
y = rw(1 / sum);
Y = 1 / (1 + E);
{ e -/ E in [-@{d},@{d}] /\ E in [1b-1022,1b1022] /\ Y in [@{F(2)**k},@{F(2)**(k+1)}] -> y - Y in ? }
y - Y -> (y - 1 / sum) + (1 / sum - Y) { sum <> 0, 1 + E <> 0 };
1 / sum - Y -> -Y * (((1 + e) - (1 + E)) / (1 + E) + (sum - (1 + e)) / (1 + e) * (1 + ((1 + e) - (1 + E)) / (1 + E))) / (1 + ((1 + e) - (1 + E)) / (1 + E) + (sum - (1 + e)) / (1 + e) * (1 + ((1 + e) - (1 + E)) / (1 + E))) { sum <> 0, 1 + E <> 0, 1 + e <> 0 };
((1 + e) - (1 + E)) / (1 + E) -> (e - E) / E * (1 - Y) { E <> 0, 1 + E <> 0 };
1 / sum -> (1 / sum - Y) + Y { sum <> 0, 1 + E <> 0 };
