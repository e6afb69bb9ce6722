# e = 1 + p rounded, p = high + rest, relative to exp(s), s = high + low, which r is rounded from: exp(s - r) = 1 + (s - r) + tiny.
#! for low, high in ((-exp_r_most, -F(1,4)), (-F(1,4), F(0)), (F(0), F(1,4)), (F(1,4), exp_r_most))
#! let d = exp_polynomial * (1 + F(2)**-40) + exp_lost + F(2)**-75
#! unit w
#! gives exp_fast
@{constants}
r = rw(s);
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
E = M * (1 + (s - r) + tiny);
@ops exp_q
square = rw(r * r);
rest = rw(@{q_square} + low);
high = s - low;
p = rw(high + rest);
e = rw(1 + p);
{ tiny in [-@{d},@{d}] /\ low in [-@{low_most},@{low_most}] /\ r in [@{low},@{high}] -> (e - E) / M in ? }
e - E -> (e - (1 + p)) + (p - (high + rest)) + (rest - (@{q_square} + low)) + (@{q_square} - Q0 * (r * r)) - (s - r) * (Q0 * (r * r) + r) - M * tiny;
$ r in 32;
