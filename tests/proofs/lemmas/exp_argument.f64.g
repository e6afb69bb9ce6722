# |r|, whose interval the polynomial is good on.
#! gives exp_r_most
@{constants}
@ops exp_n
@ops exp_r
{ x in [-@{x_most},@{x_most}] /\ @FIX(x,-54) /\ magic in [@{magic_low},@{magic_high}] /\ @FIX(magic,0) -> r in ? }
n - x * log2e -> (m - (@{x_log2e} + magic)) + (@{x_log2e} - x * log2e) + (n - (m - magic));
x - n * ln2_hi -> (x * log2e - n) / log2e + n * (1 / log2e - ln2_hi);
n -> (n - x * log2e) + x * log2e;
