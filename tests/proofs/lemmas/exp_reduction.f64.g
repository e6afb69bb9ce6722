# x less n times the first part of ln 2 is exact: |x| is at least 0.34, so that x is a multiple of 2^-54, or n is 0. In every frame:
# magic is any integer that a frame has.
#! gives exp_high_lost
@{constants}
@ops exp_n
@ops exp_r
{ x in [-@{x_most},@{x_most}] /\ @FIX(x,-54) /\ magic in [@{magic_low},@{magic_high}] /\ @FIX(magic,0) -> high - (x - n * ln2_hi) in ? }
n - x * log2e -> (m - (@{x_log2e} + magic)) + (@{x_log2e} - x * log2e) + (n - (m - magic));
x - n * ln2_hi -> (x * log2e - n) / log2e + n * (1 / log2e - ln2_hi);
n -> (n - x * log2e) + x * log2e;
