# A loss 2 (log_sum / 2) that is denormal: half of it is rounded, too. log_sum is the quotient, which was rounded among the denormals.
# Others have the operations of log-softmax, by halves, exactly.
#! let d = F(2)**-1022 * (log_quotient + w) + F(2)**-1075
#! unit F(2)**-1074
#! gives cross_entropy
l = rw(log_sum);
half = rw(l * 0.5);
{ @FIX(log_sum,-1074) /\ log_sum - L in [-@{d},@{d}] /\ L in [1b-1300,1b-1022] -> half * 2 - L in ? }
half * 2 - L -> (half - l * 0.5) * 2 + (l - log_sum) + (log_sum - L);
