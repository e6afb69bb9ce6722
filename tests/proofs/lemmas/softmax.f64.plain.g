# y = e f rounded, f = high + low, of which high has 26 bits, as upper has of e: their products are exact. Scaled back last, by a power
# of two; for results below 2^-1022, k = -1023, that is another rounding, and those next to it. Gradients have another power of two.
#! class plain
#! for rows in ("rows", "apply", "gradient")
#! for k in (-1023, 0)
#! let de = exp_rounded * w
#! let df = factors[rows]
#! let low = F(2)**(k if k > -1023 else -1300)
#! let high = F(2)**(k + 1) * (1 if k > -1023 else 1 + F(1, 2**40))
#! let scale = F(2)**60
#! let last = "y" if k == -1023 else "a * unit"
#! unit F(2)**(max(k, -1022) - 52)
#! gives softmax_@{rows}
@half = float<26, -1074, zr>;
e = rw(e_);
upper = half(e);
high = half(high_);
unit = 1b-60;
@ops product_f64
f = high + low;
Y = E * R;
{ e -/ E in [-@{de},@{de}] /\ f * unit -/ R in [-@{df},@{df}] /\ E in [1,2] /\ R in [@{low/2},@{high}] /\ Y in [@{low},@{high}] /\ |low| <= @{high * scale * F(2)**-25} -> @{last} - Y in ? }
a * unit -> ((a - (first + rest)) + (rest - (second + p)) + (first - upper * high) + (second - lower * high) + (lower - (e - upper)) * high + (p - e * low)) * unit + (e * (f * unit) - Y) + Y;
y - Y -> (y - a * unit) + ((a - (first + rest)) + (rest - (second + p)) + (first - upper * high) + (second - lower * high) + (lower - (e - upper)) * high + (p - e * low)) * unit + (e * (f * unit) - Y);
