/* SPDX-License-Identifier: MIT
 *
 * Exponentials times a factor of their row, rounded once. So one column of softmax is exactly 1, and a constant row
 * round(1 / n). The factor is high + low; in f32 without FMA an f64: its rounding and the product's are 2^-52 together, and
 * 1 / n, n <= 2^24, is 2^-49 or more away from where a float would be rounded the other way.
 *
 *   reciprocal_of(S)   1 / S                     for softmax:   times(e, f)
 *   factor_of(K, S)    any K / S                 for gradients: times_unit(e, f)
 *
 * high + low times `unit`, a power of two: an upstream gradient may be so small that K has no room for a low
 * part. With FMA the unit of a reciprocal is 1 and not looked at.
 *
 * Without FMA, in f64, the product with the high part must be exact by itself, so both sides are split in halves. A
 * reciprocal is then too large by 2^60, so that no small product meets the denormals before the last rounding.
 */
#ifndef SL_MATHS_FACTOR_H
#define SL_MATHS_FACTOR_H

#include "maths/accumulator.h"

#if SL_F64
typedef struct {
    vw high, low, unit;
} c_factor;

#if SL_FMA
SL_INLINE vw c_times(vw e, c_factor f) { return w_fma(e, f.high, w_mul(e, f.low)); }

SL_INLINE c_factor c_reciprocal_of(c_acc sum)
{
    vw one = w_set1(1), high = w_div(one, sum.sum);
    return (c_factor){high, w_mul(high, w_fnma(high, sum.lost, w_fnma(high, sum.sum, one))), one};
}

SL_INLINE vw w_high_part(vw a) { return a; }
#else
SL_INLINE vw c_times(vw e, c_factor f)
{
    vw upper = w_upper_half(e), lower = w_sub(e, upper);
    return w_mul(w_add(w_mul(upper, f.high), w_add(w_mul(lower, f.high), w_mul(e, f.low))), f.unit);
}

SL_INLINE vw w_high_part(vw a) { return w_upper_half(a); }

SL_INLINE c_factor c_reciprocal_of(c_acc sum)
{
    c_acc exact = w_acc_over(w_acc_of(w_set1(0x1p60)), sum);
    vw high = w_high_part(exact.sum);
    return (c_factor){high, w_acc_rest(exact, high), w_set1(0x1p-60)};
}
#endif

SL_INLINE c_factor c_row_reciprocal(c_row_acc sum) { return c_reciprocal_of(sum); }

/* K / S: a number in [1, 2) 2^300 / S and its unit, so that e times it meets the denormals only in the last rounding. */
SL_INLINE c_factor c_factor_of(c_acc k, c_acc sum)
{
    vw unit = w_float(wu_and(w_bits(k.sum), wu_set1(0x7ff0000000000000)));
    unit = w_mul(w_max(w_set1(0x1p-722), w_min(w_set1(0x1p1022), unit)), w_set1(0x1p-300));
    c_acc scaled = w_acc_over((c_acc){w_div(k.sum, unit), w_div(k.lost, unit)}, sum);
    vw high = w_high_part(scaled.sum);
    return (c_factor){high, w_acc_rest(scaled, high), unit};
}

SL_INLINE vw c_times_unit(vw e, c_factor f) { return SL_FMA ? w_mul(c_times(e, f), f.unit) : c_times(e, f); }
#else
#if SL_FMA
typedef struct {
    vf high, low, unit;
} c_factor;

SL_INLINE vf c_times(vf e, c_factor f) { return v_fma(e, f.high, v_mul(e, f.low)); }

/* high = 1 / S rounded; low from the exact remainder. */
SL_INLINE c_factor c_reciprocal_of(c_acc sum)
{
    vf s = v_narrow(sum), s_low = v_narrow(w_sub(sum, v_widen(s))), one = v_set1(1);
    vf high = v_div(one, s);
    return (c_factor){high, v_mul(high, v_fnma(high, s_low, v_fnma(high, s, one))), one};
}
/* Of one row, in every lane. */
SL_INLINE c_factor c_row_reciprocal(c_row_acc sum)
{
    float s = (float)sum, s_low = (float)(sum - (double)s), high = 1 / s;
    float rest = __builtin_fmaf(-high, s_low, __builtin_fmaf(-high, s, 1));
    return (c_factor){v_set1(high), v_set1(high * rest), v_set1(1)};
}

/* K / S: a number in [1, 2) and its unit, as far as the range allows. */
SL_INLINE c_factor c_factor_of(c_acc k, c_acc sum)
{
    vw ratio = w_div(k, sum), unit = w_float(wu_and(w_bits(ratio), wu_set1(0x7ff0000000000000)));
    unit = w_max(w_set1(0x1p-126), w_min(w_set1(0x1p126), unit));
    vw scaled = w_div(ratio, unit);
    vf high = v_narrow(scaled);
    return (c_factor){high, v_narrow(w_sub(scaled, v_widen(high))), v_narrow(unit)};
}

SL_INLINE vf c_times_unit(vf e, c_factor f) { return v_mul(c_times(e, f), f.unit); }
#else
typedef vw c_factor;

SL_INLINE vf c_times(vf e, c_factor f) { return v_narrow(w_mul(v_widen(e), f)); }
enum { TIMES_FROM_MEMORY = 1 }; /* halves are widened as they are loaded */
SL_INLINE vf c_times_at(const float *e, c_factor f) { return v_narrow(w_mul(v_load_wide(e), f)); }
SL_INLINE c_factor c_reciprocal_of(c_acc sum) { return w_div(w_set1(1), sum); }
SL_INLINE c_factor c_row_reciprocal(c_row_acc sum) { return w_set1(1 / sum); }
SL_INLINE c_factor c_factor_of(c_acc k, c_acc sum) { return w_div(k, sum); }
SL_INLINE vf c_times_unit(vf e, c_factor f) { return c_times(e, f); }
#endif
#endif

#if SL_F64 || SL_FMA
/* Of exponentials in memory. */
enum { TIMES_FROM_MEMORY = 0 };
SL_INLINE reg c_times_at(const num *e, c_factor f) { return c_times(c_load(e), f); }
#endif

/* ---- the factors of SL_W rows, one by one ---- */

#if SL_F64 || SL_FMA
typedef struct {
    num high, low, unit;
} row_factor;

typedef struct {
    num high[SL_W], low[SL_W], unit[SL_W];
} factor_lanes;

SL_INLINE factor_lanes factors_of(c_factor k)
{
    factor_lanes f;
    c_store(f.high, k.high);
    c_store(f.low, k.low);
    c_store(f.unit, k.unit);
    return f;
}

SL_INLINE row_factor factor_at(const factor_lanes *f, size_t l)
{
    return (row_factor){f->high[l], f->low[l], f->unit[l]};
}

SL_INLINE c_factor c_factor_set1(row_factor k)
{
    return (c_factor){c_set1(k.high), c_set1(k.low), c_set1(k.unit)};
}

SL_INLINE int c_factor_is_finite(c_factor k)
{
    return c_all(c_lt(c_add(c_abs(k.high), k.unit), c_set1((num)INFINITY)));
}
#else
typedef double row_factor;

typedef struct {
    double k[SL_W];
} factor_lanes;

SL_INLINE factor_lanes factors_of(c_factor k)
{
    factor_lanes f;
    w_store(f.k, k);
    return f;
}
SL_INLINE row_factor factor_at(const factor_lanes *f, size_t l) { return f->k[l]; }
SL_INLINE c_factor c_factor_set1(row_factor k) { return w_set1(k); }
SL_INLINE int c_factor_is_finite(c_factor k) { return wm_all(w_lt(w_abs(k), w_set1(INFINITY))); }
#endif

#endif
