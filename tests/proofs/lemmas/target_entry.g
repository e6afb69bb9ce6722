# -k (1 - p) of the target: of the others' share, r (docs/accuracy.md), one rounding to f32, in the binade 2^k.
#! for rows in ("long", "known", "shard")
#! for k in (-127, -126, 0)
#! let d = others[rows]
#! let low = F(2)**(k if k > -127 else -400)
#! unit F(2)**(max(k, -126) - 23)
#! gives target_entry_@{rows}
entry = rn(value);
{ value -/ Y in [-@{d},@{d}] /\ Y in [@{low},@{F(2)**(k+1)}] -> entry - Y in ? }
entry - Y -> (entry - value) + (value - Y);
