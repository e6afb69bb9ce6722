# e = 1 + p rounded, of which the exponential is a power of two times as much: relative to E = exp(r + d), M = 1 + r + r^2 Q(r) without
# errors being exp(r) but for that of the polynomial, and d what r was rounded by.
#! for low, high, half_ulp, parts in ((-exp_r_most, -F(1,4), -55, 64), (-F(1,4), -F(1,8), -56, 8), (-F(1,8), F(1,8), -57, 8), (F(1,8), F(1,4), -56, 8), (F(1,4), exp_r_most, -55, 8))
#! let d = together(exp_polynomial, (F(2)**half_ulp + exp_lost) * (1 + F(2)**-50))
#! let split = str(parts)
#! unit w
#! gives exp_rounded
@{constants}
r = rw(r_);
Q9 = c10 * r + c9;
Q8 = Q9 * r + c8;
Q7 = Q8 * r + c7;
Q6 = Q7 * r + c6;
Q5 = Q6 * r + c5;
Q4 = Q5 * r + c4;
Q3 = Q4 * r + c3;
Q2 = Q3 * r + c2;
Q1 = Q2 * r + c1;
Q0 = Q1 * r + c0;
M = 1 + (Q0 * (r * r) + r);
@ops exp_q
@ops exp_rounded
{ M -/ E in [-@{d},@{d}] /\ E in [0.5,2] /\ r in [@{low},@{high}] -> (e - E) / E in ? }
e - M -> (e - (1 + p)) + (p - (Q0 * (r * r) + r));
(e - E) / E -> (e - M) / M + (M - E) / E + ((e - M) / M) * ((M - E) / E) { M <> 0, E <> 0 };
$ r in @{split};
