# dy y (1 - y), in the binade 2^k.
#! for k in (-1023, -1022, 0)
#! let low = F(2)**(k if k > -1023 else -1300)
#! unit F(2)**(max(k, -1022) - 52)
#! gives sigmoid_backward
dx = rw(dy * slope);
X = dy * S;
{ slope -/ S in [-@{slope*w},@{slope*w}] /\ S in [1b-1074,0.25] /\ dy in [1b-1023,1b1023] /\ X in [@{low},@{F(2)**(k+1)}] -> dx - X in ? }
dx - X -> (dx - dy * slope) + (dy * slope - X);
