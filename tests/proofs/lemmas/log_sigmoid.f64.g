# -(a + L), a = max(-x, 0): L, from an exponential in two parts, is rounded, and the sum. Where a is not 0, a + L is in the binade 2^k,
# and L at most log(1 + exp(-a)): below log 2. 0 and L alone by pieces of L; the first piece stands for all below (beyond a = 64 L is
# the exponential), and what is denormal is rounded once more.
#! for low, high, k in log_sigmoid_cases
#! let from_ = F(0) if k != "" else low
#! let to = high if k == "" else {-1: F(7,10), 0: F(0.46), 1: F(0.15)}[k]
#! let d = log_error_of_exp(F(7,16) if k == -1 else F(1,8) if k == 0 else from_, to)
#! let at = k if k != "" else binade(low)
#! let sum = "rw(a + l)" if k != "" else "l"
#! let most_a = F(2)**(k+1) if k != "" else F(0)
#! unit F(2)**(at - 52)
#! gives log_sigmoid
l = rw(log);
{ log - L in [-@{d},@{d}] /\ L in [@{from_},@{to}] /\ a in [0,@{most_a}] /\ a + L in [@{low if k == "" else F(2)**at},@{high if k == "" else F(2)**(at+1)}] -> @{sum} - (a + L) in ? }
rw(a + l) - (a + L) -> (rw(a + l) - (a + l)) + (l - log) + (log - L);
l - (a + L) -> (l - log) + (log - L) - a;
a + l -> (l - log) + (log - L) + (a + L);
