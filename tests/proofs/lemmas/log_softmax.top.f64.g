# The result at the maximum, -log_sum rounded, and losses there: by pieces of L. The first stands for all normal ones below; quotients
# of rest and top that are denormal are rounded there, and their logarithm is the quotient.
#! for low, high in log_intervals + (("denormal", F(2)**-1022),)
#! let k = binade(low) if low != "denormal" else -1023
#! let d = log_error(low, high) if low != "denormal" else high * (log_quotient + w) + F(2)**-1075
#! let least = low if low != "denormal" else F(2)**-1300
#! unit F(2)**(max(k, -1022) - 52)
#! gives log_softmax
l = rw(log_sum);
{ log_sum - L in [-@{d},@{d}] /\ L in [@{least},@{high}] -> l - L in ? }
l - L -> (l - log_sum) + (log_sum - L);
