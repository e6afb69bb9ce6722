# As log_softmax.g; the error of log_sum by pieces of it.
#! for k in range(-1, 8)
#! for part in range(2)
#! let d = log_error(F(0), min(F(2)**(k + 1 - part), 20))
#! let least = max(F(2)**k - 20, 0) if part == 0 else F(2)**k
#! let largest = F(2)**(k + part)
#! let most = min(F(2)**(k + 1 - part), 20)
#! let split = "y + (D + L) $ D in (" + text(max(least, F(2)**(k-11)) + F(2)**(k-11)) + ");" if part == 0 and k < 5 else ""
#! unit F(2)**(k - 52)
#! gives log_softmax
@ops log_entry_f64
{ x - m + D in [0,0] /\ log_sum - L in [-@{d},@{d}] /\ L in [0,@{most}] /\ log_sum <= @{most + (d if k >= 0 or part else 0)} /\ D in [@{least},@{largest}] /\ D + L in [@{F(2)**k},@{F(2)**(k+1)}] -> y + (D + L) in ? }
L -> (D + L) - D;
d - (x - m) -> d + D - (x - m + D);
x - m -> (x - m + D) - D;
y + (D + L) -> (y - (d - l)) + (d - (x - m)) + (x - m + D) - (l - log_sum) - (log_sum - L);
@{split}
