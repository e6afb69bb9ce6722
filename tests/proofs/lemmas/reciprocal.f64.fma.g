# 1 / (sum + lost) in two parts: |(high + low) (sum + lost) - 1|.
#! class fma
#! gives reciprocal
@ops reciprocal_f64
{ sum in [1,2] /\ |lost| <= @{sum_lost} -> (high + low) * (sum + lost) - 1 in ? }
high * sum - 1 -> (high - 1 / sum) * sum { sum <> 0 };
1 - high * sum -> -(high * sum - 1);
(high + low) * (sum + lost) - 1 -> -(high*(sum+lost) - 1)*(high*(sum+lost) - 1) + (1 + (high*(sum+lost) - 1)) * ((rest - (1 - high*sum)) + (more - (rest - high*lost))) + (sum+lost)*(low - high*more);
high * (sum + lost) - 1 -> (high * sum - 1) + high * lost;
