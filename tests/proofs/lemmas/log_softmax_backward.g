# dx = dy - E s: exp(y) with its error, the sum of dy with one of `sum` of A = sum |dy|. Of T, the larger of |X| and E A, in the binade
# 2^k: 0 stands for all normal ones.
#! for k in (-127, -126, 0)
#! let most = F(2)**(k + 1)
#! unit F(2)**(max(k, -126) - 23)
#! gives log_softmax_backward
#! nonzero E
@ops log_softmax_grad
P = E * s;
X = dy - P;
{ e -/ E in [-@{times_exp},@{times_exp}] /\ E in [1b-400,1] /\ P in [-@{most},@{most}] /\ E * (sum - s) in [-@{most*sums['lanes']},@{most*sums['lanes']}] /\ X in [-@{most},@{most}] -> dx - X in ? }
e * sum - P -> P * ((e - E) / E) + (E * (sum - s)) * (1 + (e - E) / E);
dx - X -> (dx - (dy - p)) - (p - e * sum) - (e * sum - P);
dy - p -> X - (p - e * sum) - (e * sum - P);
p -> (p - e * sum) + (e * sum - P) + P;
e * sum -> (e * sum - P) + P;
