# A result of 16 bits: an f32 with an error of up to 8 ULP, rounded to bf16 or f16, in the binade 2^k; 0 stands for all normal ones.
# Results of bf16 may be denormal (k = -127), and so may those of f16 (k = -15), of f32 that is not. Where the exact value is just below a
# power of two the f32 is next to it, and becomes it.
#! for digits, least in ((8, -126), (11, -14))
#! for k in (least - 1, least, 0)
#! let low = F(2)**k if k >= least else F(2)**(least - 40)
#! let wrong = 8 * F(2)**(max(k, -126) - 23)
#! unit F(2)**(max(k, least) - digits + 1)
#! gives narrowed
@half = float<@{str(digits)}, @{str(least - digits + 1)}, ne>;
y = half(value);
{ value - Y in [-@{wrong},@{wrong}] /\ Y in [@{low},@{F(2)**(k+1)}] -> y - Y in ? }
y - Y -> (y - value) + (value - Y);
