# log(2^k (1 + F)) = high + rest, F = f + lost, k ln2_hi + f = high + carry: the absolute error of rest, by pieces of the logarithm, L.
# log(1 + f) = f - H + Z A but for the polynomial's error; lost makes lost / (1 + f) of it, but for 2^-105.
#! for piece in log_pieces
#! for low, high, far in piece[1]
#! gives log_lost@{piece[0]}
@{constants}
f = rw(F);
lost = F - f;
H = f * f * 0.5;
B = 2 + f;
G = 1 + f;
Z = f / B;
ZZ = Z * Z;
X5 = p6 * ZZ + p5;
X4 = X5 * ZZ + p4;
X3 = X4 * ZZ + p3;
X2 = X3 * ZZ + p2;
X1 = X2 * ZZ + p1;
X0 = X1 * ZZ + p0;
A = X0 * ZZ + H;
@ops log_rest
@ops log_join
R = Z * A - H + k * ln2_lo + carry + lost / G;
{ F in [@{low},@{high}] /\ @{"k in [1,1100] /\\ @FIX(k,0) /\\ carry in [-1b-42,1b-42]" if far else "k in [0,0] /\\ carry in [0,0]"} -> rest - R in ? }
z - Z -> (z - f / b) - Z * ((b - B) / b) { b <> 0, B <> 0 };
rest - R -> (rest - (kept + less)) + (kept - (carry + lost)) + (less - (za - h)) + (za - (@{z_a} + kl)) + (@{z_a} - Z * A) + (kl - k * ln2_lo) - (h - H) + lost * (f / G) { G <> 0 };
$ F in 16;
