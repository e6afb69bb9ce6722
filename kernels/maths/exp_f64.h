/* SPDX-License-Identifier: MIT
 *
 * The exponential in f64 (exp_absolute_f64.h), in the forms of exp_f32.h.
 */
#ifndef SL_MATHS_EXP_F64_H
#define SL_MATHS_EXP_F64_H

#include "element/arithmetic_f64.h"
#include "maths/exp_absolute_f64.h"

/* ---- in a frame: 2^(400 - R) * exp(x - c); see exp_f32.h ----
 *
 * R is a multiple of 512 binades, so it is 0 whenever |m| < 177. Results lie between 2^-1000 and 2^656; where
 * the largest is at least 2^144, a term below that is less than 2^-1144 of the sum. Relative error below 1.41 x 2^-53 (no FMA:
 * 1.46): it is the largest where r is next to -ln2 / 2 and e^r to 0.707, 0.71 of the result's own rounding, 0.35 of p, 0.25 of r,
 * 0.04 each of r^2 and Q (proven: tests/proofs). Of 2 x 10^8 samples there 1.392, at 0x1.04f89bd51fc83p+8 (no FMA: 1.350, at 0x1.a40e181ffcde9p+6).
 */
#define W_FRAME_BIAS 400
#define W_FRAME_MAX 8192.0

typedef int c_exp_table;
SL_INLINE c_exp_table c_exp_table_load(void) { return 0; }

typedef struct {
    double reference, shift;
} c_frame;

typedef struct {
    vw magic, cut, high, low, shift;
} c_vframe;

SL_INLINE c_frame c_frame_of(double max)
{
    double rounder = 0x1.8p52;
    double of = max < -W_FRAME_MAX ? -W_FRAME_MAX : max;
    of = of > W_FRAME_MAX ? W_FRAME_MAX : of;
    if (of == max)
        return (c_frame){((SL_ROUNDED(of * (W_LOG2E / 512)) + rounder) - rounder) * 512, 0};
    return (c_frame){0, max > -(double)INFINITY ? max : 0};
}

SL_INLINE c_vframe c_frame_set1(c_frame f)
{
    return (c_vframe){w_set1(W_EXP_MAGIC + (W_FRAME_BIAS - f.reference)),
                      w_set1((f.reference - (W_FRAME_BIAS + 1000)) * W_LN2_HI),
                      w_set1(f.shift == 0 ? (f.reference + 520) * W_LN2_HI : f.shift),
                      w_set1(f.shift > 0 ? 0 : -(double)INFINITY), w_set1(f.shift)};
}

SL_INLINE c_vframe c_vframe_of(vw max)
{
    vw rounder = w_set1(0x1.8p52), zero = w_set1(0);
    vw of = w_max(w_set1(-W_FRAME_MAX), w_min(w_set1(W_FRAME_MAX), max));
    wm near = w_eq(of, max);
    wm far = wm_andnot(w_lt(w_set1(-(double)INFINITY), max), near);
    vw ln2 = w_set1(W_LN2_HI), shift = w_keep(far, max);
    vw reference = w_mul(w_sub(w_add(w_mul(of, w_set1(W_LOG2E / 512)), rounder), rounder), w_set1(512));
    reference = w_keep(near, reference);
    return (c_vframe){w_add(w_set1(W_EXP_MAGIC), w_sub(w_set1(W_FRAME_BIAS), reference)),
                      w_mul(w_sub(reference, w_set1(W_FRAME_BIAS + 1000)), ln2),
                      w_select(far, max, w_mul(w_add(reference, w_set1(520)), ln2)),
                      w_select(w_lt(zero, shift), zero, w_set1(-(double)INFINITY)), shift};
}

/* No frame of f64 is raised. */
SL_INLINE c_frame c_frame_raised(c_frame f, double raise) { return (void)raise, f; }
SL_INLINE c_vframe c_vframe_raised_of(vw max, vw raise) { return (void)raise, c_vframe_of(max); }

SL_INLINE vw c_less_shift(vw x, c_vframe f) { return w_sub(w_max(f.low, x), f.shift); }

SL_INLINE vw w_exp_counted(wm counts, vw x, c_vframe f)
{
    x = w_where(counts, x);
    vw m = w_fma_where(counts, x, w_set1(W_LOG2E), f.magic);
    vw n = w_sub(m, f.magic);
    vw r = w_fnma(n, w_set1(W_LN2_LO), w_fnma_where(counts, n, w_set1(W_LN2_HI), x));
    vw p = w_fma(exp_q(r), w_mul(r, r), r);
    vw t = exp_power(m);
    return w_keep(counts, w_fma(t, p, t));
}
SL_INLINE vw c_exp_in_frame(vw x, c_vframe f, c_exp_table table)
{
    (void)table;
    return w_exp_counted(w_nle(x, f.cut), x, f);
}

SL_INLINE vw c_exp_predicted(vw x, int shifted, c_vframe f, c_exp_table table)
{
    vw low = w_at_most(f.high, x);
    if (shifted)
        return c_exp_in_frame(c_less_shift(low, f), f, table);
    return w_exp_counted(w_nle(x, f.cut), low, f);
}
SL_INLINE void c_exps_predicted(vw *x, size_t n, int shifted, c_vframe f, c_exp_table table)
{
    SL_UNROLL
    for (size_t i = 0; i < n; i++)
        x[i] = c_exp_predicted(x[i], shifted, f, table);
}

/* In a frame, not rounded; 0 where it does not count. */
SL_INLINE w_acc c_exp_where(wm counts, vw x, c_vframe f, c_exp_table table)
{
    (void)table;
    w_acc e = w_exp_sum(w_exp_absolute(w_keep(counts, x), f.magic));
    return (w_acc){w_keep(counts, e.sum), w_keep(counts, e.lost)};
}
SL_INLINE w_acc c_exp_in_frame_wide(vw x, c_vframe f, c_exp_table table)
{
    return c_exp_where(w_nle(x, f.cut), x, f, table);
}

/* exp(y) * s, by halves of y, so that neither factor ends the range that their product has. */
SL_INLINE int c_times_exp_is_far(const vw *y, size_t registers)
{
    (void)y;
    (void)registers;
    return 1;
}
SL_INLINE vw c_times_exp(vw s, vw y, int far, int tables)
{
    (void)far;
    (void)tables;
    vw half = w_max(w_set1(-1000), w_min(w_set1(709), w_mul(y, w_set1(0.5))));
    wm small = w_lt(half, w_set1(-500));
    vw unit = w_select(small, w_set1(0x1p-512), w_set1(1));
    w_exp_parts e = w_exp_absolute(half, w_select(small, w_set1(W_EXP_MAGIC + 512), w_set1(W_EXP_MAGIC)));
    vw root = w_keep(w_nle(y, w_set1(-(double)INFINITY)), w_fma(e.t, e.p, e.t));
    return w_mul(w_mul(w_mul(w_mul(s, unit), root), root), unit);
}

#endif
