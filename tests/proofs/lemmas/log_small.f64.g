# The same of small F, k 0, relative to F, in the binade 2^j. Below 2^-10 all that is rounded but F is in lower binades by two for each
# of F's.
#! for j in range(-10, -3)
#! unit F(2)**j * w
#! gives log_small
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
{ F in [@{F(2)**j},@{min(F(2)**(j+1), log_pieces_from)}] /\ k in [0,0] /\ carry in [0,0] -> rest - R in ? }
z - Z -> (z - f / b) - Z * ((b - B) / b) { b <> 0, B <> 0 };
rest - R -> (rest - (kept + less)) + (kept - (carry + lost)) + (less - (za - h)) + (za - (@{z_a} + kl)) + (@{z_a} - Z * A) + (kl - k * ln2_lo) - (h - H) + lost * (f / G) { G <> 0 };
$ F in 8;
