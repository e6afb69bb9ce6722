# 1 / b of an f32 division and one step in f64: |b inverse - 1|, for b in the range of f32, scaled.
#! gives inverse
#! nonzero b
@ops inverse
s = rn(b);
{ b in [1,2] -> inverse * b - 1 in ? }
inverse * b - 1 -> (inverse - (rest * r0 + r0)) * b + (rest - (1 - r0 * b)) * r0 * b - (r0 * b - 1) * (r0 * b - 1);
r0 * b - 1 -> (r0 - 1 / s) * b + (b - s) / s { s <> 0 };
