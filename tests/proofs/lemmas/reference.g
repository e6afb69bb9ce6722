# The reference's exponential (reference.c): Taylor's series by Horner's rule, every step rounded, and r itself: by 2^-54, since n ln 2's
# second part is. In 2^-24 relative; parts.c adds 2^-24 of 2^-24 for that and for what is formed of it, and the series' rest is below 2^-60.
#! unit u
#! gives reference
@rd = float<ieee_64, ne>;
s0 = rd(1 / 87178291200);
e0 = 1 / 87178291200;
s1 = rd(rd(s0 * r) + rd(1 / 6227020800));
e1 = e0 * x + 1 / 6227020800;
s2 = rd(rd(s1 * r) + rd(1 / 479001600));
e2 = e1 * x + 1 / 479001600;
s3 = rd(rd(s2 * r) + rd(1 / 39916800));
e3 = e2 * x + 1 / 39916800;
s4 = rd(rd(s3 * r) + rd(1 / 3628800));
e4 = e3 * x + 1 / 3628800;
s5 = rd(rd(s4 * r) + rd(1 / 362880));
e5 = e4 * x + 1 / 362880;
s6 = rd(rd(s5 * r) + rd(1 / 40320));
e6 = e5 * x + 1 / 40320;
s7 = rd(rd(s6 * r) + rd(1 / 5040));
e7 = e6 * x + 1 / 5040;
s8 = rd(rd(s7 * r) + rd(1 / 720));
e8 = e7 * x + 1 / 720;
s9 = rd(rd(s8 * r) + rd(1 / 120));
e9 = e8 * x + 1 / 120;
s10 = rd(rd(s9 * r) + rd(1 / 24));
e10 = e9 * x + 1 / 24;
s11 = rd(rd(s10 * r) + rd(1 / 6));
e11 = e10 * x + 1 / 6;
s12 = rd(rd(s11 * r) + 0.5);
e12 = e11 * x + 0.5;
s13 = rd(rd(s12 * r) + 1);
e13 = e12 * x + 1;
s14 = rd(rd(s13 * r) + 1);
e14 = e13 * x + 1;
{ r - x in [-1b-53,1b-53] /\ x in [-0.35,0.35] /\ e14 in [0.7,1.42] -> s14 - e14 in ? }
