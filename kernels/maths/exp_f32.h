/* SPDX-License-Identifier: MIT
 *
 * The exponential, in the two forms that the kernels need.
 *
 *   exp(x) = 2^k * 2^(j/8) * exp(r),  n = rint(8 x log2 e) / 8 = k + j/8,  r = x - n ln 2,  |r| <= ln2 / 16
 *
 * Adding the magic number 1.5 * 2^20 rounds to multiples of 1/8 and leaves j in the low three bits of the sum
 * and k above them: one shift by 20 moves k into the exponent field, and the table entry's bits take back
 * what j adds there.
 *
 * r comes out exact up to its second part: with FMA, n * LN2_HI cancels against x in one rounding that does
 * not round (LN2_HI has 21 bits); without, LN2_HI has 9 bits so that the product of up to 15 more is exact.
 *
 * exp(r) - 1 = r + r^2 (1/2 + r (q3 + r q4)): error 0.0029 x 2^-24 on the interval (coefficients/exp.sollya).
 */
#ifndef SL_MATHS_EXP_F32_H
#define SL_MATHS_EXP_F32_H

#include "element/arithmetic_f32.h"

#define LOG2E 0x1.715476p+0f
#if SL_FMA
#define LN2_HI 0x1.62e43p-1f
#define LN2_LO -0x1.05c61p-29f
#else
#define LN2_HI 0x1.63p-1f
#define LN2_LO -0x1.bd0106p-13f
#endif
#define EXP_MAGIC 0x1.8p20f

/* (exp(r) - 1 - r) / r^2 for |r| <= ln2 / 16; and exp(r) - 1. */
SL_INLINE vf exp_curve(vf r)
{
    return v_fma(v_fma(v_set1(0x1.555662p-5f), r, v_set1(0x1.555c6ep-3f)), r, v_set1(0x1p-1f));
}
SL_INLINE vf expm1_small(vf r) { return v_fma(exp_curve(r), v_mul(r, r), r); }

/* Puts k into the exponent of the table entry; `table` holds bits(entry j) - (j << 20). */
SL_INLINE vf exp_table(vt table, vf t) { return v_float(t_pick_scaled(table, v_bits(t))); }

/* ---- in a frame: C * 2^(60 - R) * exp(x - c), for softmax and whatever else only needs ratios ----
 *
 * A frame says what the exponentials of a row are referred to. R is a multiple of 64 binades and depends on
 * the row's maximum m alone: R = 64 rint(m log2 e / 64). It is 0 whenever |m| < 22, so a row can be read on
 * the guess that its frame is the last one's, and the guess checked against m at the end: right or redone,
 * the bits are the same. Where |m| is so large that k would not fit, c = m and R = 0 instead; x - c is exact
 * for every x within 2^-150 of m. So it is for m = inf: inf - c is NaN, and so is the row.
 *
 * With FMA C = 0x1.16747bf7c5b81p+0 makes all eight C * 2^(j/8) fall next to floats: relative error of the table
 * 0.046 x 2^-24, so no low part is needed. Total: 0.587 ULP; as a relative error, of all floats, 1.0593 x 2^-24, at x =
 * 0x1.14d248p+5. Not rounded: 0.1134 x 2^-24.
 *
 * Without FMA a table costs more than it saves: no instruction picks from it. Then C = 1, n = rint(x log2 e) = k, |r| <= ln2
 * / 2, and exp(r) = 1 + (r + r^2 (1/2 + r (q3 + ...))), of degree 6. Roundings: the last one, and r and the sum behind
 * the 1, each up to a quarter of 2^-24, next to 1 / sqrt 2. As a relative error, of all floats that a frame may hold,
 * 1.3688 x 2^-24, at x = -0x1.555862p+8, and the results are in order (tests/exponential.c). Not rounded: 0.1372 x 2^-24.
 *
 * Range: results lie between 2^-126 and 2^92, sums of 2^24 of them below 2^116, and where the largest is at
 * least 2^28 a term below 2^-126 is less than 2^-150 of the sum: `cut` drops those, and no denormal ever
 * appears. Without FMA it does so half a binade later, where the power of two becomes 0: between them are denormals.
 *
 * Finite elements raise no exception but INEXACT and UNDERFLOW. What is dropped takes no part in any operation that
 * could (v_where; without FMA it counts as `cut`): it may be as large as -FLT_MAX, or -inf. In a frame that is only tried
 * what is above `high` counts as high: such a row is done again anyway. x - c could overflow where m is positive and x
 * negative: such an x counts as 0, and is dropped all the same.
 */
#define FRAME_BIAS 60
#if SL_FMA
#define FRAME_MAX 8192.0f /* 2^13 log2 e * 8 = 17 bits of n; n * LN2_HI in one rounding */
#define FRAME_CUT 185.5f
#define FRAME_MAGIC EXP_MAGIC
#else
#define FRAME_MAX 256.0f /* (256 + 151) log2 e = 10 bits of n, times 12 bits of FRAME_LN2_HI: exact */
#define FRAME_CUT 187.0f
#define FRAME_MAGIC (0x1.8p23f + 127)
#define FRAME_LN2_HI 0x1.62ep-1f
#define FRAME_LN2_LO 0x1.0bfbe8p-15f
#endif
/* (exp(r) - 1 - r) / r^2 = 1/2 + r (q3 + r (q4 + r (q5 + r q6))) for |r| <= ln2 / 2 */
#define FRAME_Q3 0x1.5554a4p-3f
#define FRAME_Q4 0x1.55568ep-5f
#define FRAME_Q5 0x1.122f22p-7f
#define FRAME_Q6 0x1.6b6778p-10f

typedef struct {
    float reference; /* R */
    float shift;     /* c */
} c_frame;

typedef struct {
    vf magic; /* FRAME_MAGIC + 60 - R */
    vf cut;   /* (R - FRAME_CUT) ln 2: no x up to here counts */
    vf high;  /* no x of this frame is above, in any rounding direction: (R + 65) ln 2, or c */
    vf low;   /* before c is subtracted: 0 if c > 0, else -inf */
    vf shift; /* c */
} c_vframe;

/* The frame of a row by its maximum. All -inf keeps the frame 0. */
SL_INLINE c_frame c_frame_of(float max)
{
    float rounder = 0x1.8p23f;
    float of = max < -FRAME_MAX ? -FRAME_MAX : max;
    of = of > FRAME_MAX ? FRAME_MAX : of;
    if (of == max)
        return (c_frame){((SL_ROUNDED(of * (LOG2E / 64)) + rounder) - rounder) * 64, 0};
    return (c_frame){0, max > -INFINITY ? max : 0};
}

SL_INLINE c_vframe c_frame_set1(c_frame f)
{
    return (c_vframe){v_set1(FRAME_MAGIC + (FRAME_BIAS - f.reference)),
                      v_set1((f.reference - FRAME_CUT) * 0x1.62e43p-1f),
                      v_set1(f.shift == 0 ? (f.reference + 65) * 0x1.62e43p-1f : f.shift),
                      v_set1(f.shift > 0 ? 0 : -INFINITY), v_set1(f.shift)};
}

/* The same for exponentials that are 2^raise times as large (raise.h): only what is left out differs. */
SL_INLINE c_frame c_frame_raised(c_frame f, float raise) { return (c_frame){f.reference - raise, f.shift}; }

/* The frames of SL_W rows by their maxima, as c_frame_of, raised. */
SL_INLINE c_vframe c_vframe_raised_of(vf max, vf raise)
{
    vf rounder = v_set1(0x1.8p23f), zero = v_set1(0);
    vf of = v_max(v_set1(-FRAME_MAX), v_min(v_set1(FRAME_MAX), max));
    vm near = v_eq(of, max);
    vm far = m_andnot(v_lt(v_set1(-INFINITY), max), near);
    vf ln2 = v_set1(0x1.62e43p-1f), shift = v_select(far, max, zero);
    vf reference = v_mul(v_sub(v_add(v_mul(of, v_set1(LOG2E / 64)), rounder), rounder), v_set1(64));
    reference = v_sub(v_keep(near, reference), raise);
    return (c_vframe){v_add(v_set1(FRAME_MAGIC), v_sub(v_set1(FRAME_BIAS), reference)),
                      v_mul(v_sub(reference, v_set1(FRAME_CUT)), ln2),
                      v_select(far, max, v_mul(v_add(reference, v_set1(65)), ln2)),
                      v_select(v_lt(zero, shift), zero, v_set1(-INFINITY)), shift};
}
SL_INLINE c_vframe c_vframe_of(vf max) { return c_vframe_raised_of(max, v_set1(0)); }

/* x - c, in the right frame or up to `high`. */
SL_INLINE vf c_less_shift(vf x, c_vframe f) { return v_sub(v_max(f.low, x), f.shift); }

#if SL_FMA
static const uint32_t scaled_table[8] = {
    0x3f8b3a3e - (0u << 20), 0x3f97d424 - (1u << 20), 0x3fa59202 - (2u << 20), 0x3fb48e45 - (3u << 20),
    0x3fc4e5be - (4u << 20), 0x3fd6b7da - (5u << 20), 0x3fea26de - (6u << 20), 0x3fff5829 - (7u << 20),
};

typedef vt c_exp_table;
SL_INLINE c_exp_table c_exp_table_load(void) { return t_load(scaled_table); }

/* As t (1 + p), where x counts. x is already less the frame's shift. NaN gives NaN. */
SL_INLINE vf exp_parts_in_frame(vm counts, vf x, c_vframe f, c_exp_table table, vf *p)
{
    x = v_where(counts, x);
    vf m = v_fma_where(counts, x, v_set1(LOG2E), f.magic);
    vf n = v_sub(m, f.magic);
    *p = expm1_small(v_fnma(n, v_set1(LN2_LO), v_fnma_where(counts, n, v_set1(LN2_HI), x)));
    return exp_table(table, m);
}

/* Rounded to f32. -inf gives +0. */
SL_INLINE vf v_exp_counted(vm counts, vf x, c_vframe f, c_exp_table table)
{
    vf p, t = exp_parts_in_frame(counts, x, f, table, &p);
    return v_keep(counts, v_fma(t, p, t));
}
SL_INLINE vf c_exp_in_frame(vf x, c_vframe f, c_exp_table table)
{
    return v_exp_counted(v_nle(x, f.cut), x, f, table);
}

/* Not rounded to f32; 0 where it does not count. */
SL_INLINE vw c_exp_where(vm counts, vf x, c_vframe f, c_exp_table table)
{
    vf p, t = exp_parts_in_frame(counts, x, f, table, &p);
    vw w = v_widen(v_keep(counts, t));
    return w_fma(w, v_widen(v_keep(counts, p)), w);
}

/* The same in a frame that is tried: of any x, shift not yet subtracted, if there is one. What counts does not depend on the
 * minimum, so that the one need not wait for the other. */
SL_INLINE vf c_exp_predicted(vf x, int shifted, c_vframe f, c_exp_table table)
{
    vf low = v_at_most(f.high, x);
    if (shifted)
        return c_exp_in_frame(c_less_shift(low, f), f, table);
    return v_exp_counted(v_nle(x, f.cut), low, f, table);
}
SL_INLINE void c_exps_predicted(vf *x, size_t n, int shifted, c_vframe f, c_exp_table table)
{
    SL_UNROLL
    for (size_t i = 0; i < n; i++)
        x[i] = c_exp_predicted(x[i], shifted, f, table);
}

/* The same by way of memory. */
enum { EXP_PARTS = 2 };
SL_INLINE void exp_parts_put(float part[EXP_PARTS][SL_W], vm counts, vf x, c_vframe f, c_exp_table table)
{
    vf p, t = exp_parts_in_frame(counts, x, f, table, &p);
    v_store(part[0], v_keep(counts, t));
    v_store(part[1], v_keep(counts, p));
}
SL_INLINE vw exp_of_parts(float part[EXP_PARTS][SL_W])
{
    vw t = v_load_wide(part[0]);
    return w_fma(t, v_load_wide(part[1]), t);
}
#else
typedef int c_exp_table;
SL_INLINE c_exp_table c_exp_table_load(void) { return 0; }

/* Of exp(x) = 2^k exp(r): what holds k in its low bits; r = high - rest, high exact; (exp(r) - 1 - r) / r^2 - 1/2. */
typedef struct {
    vf holder, high, rest, r, tail;
} exp_parts;

enum { DEGREE_6, DEGREE_7 };

/* Of n <= 4 registers step by step: so many chains of operations overlap. |x| < 1000. magic = FRAME_MAGIC + bias. Of degree 7
 * the error is 0.0021 x 2^-24. */
SL_INLINE void exps_in_parts(const vf *x, size_t n, vf magic, int degree, exp_parts *e)
{
    const int is_6 = degree == DEGREE_6;
    const vf q3 = v_set1(is_6 ? FRAME_Q3 : 0x1.555552p-3f), q4 = v_set1(is_6 ? FRAME_Q4 : 0x1.5554e8p-5f);
    const vf q5 = v_set1(is_6 ? FRAME_Q5 : 0x1.1115dp-7f), q6 = v_set1(is_6 ? FRAME_Q6 : 0x1.6d4cbcp-10f);
    SL_EACH(i, n) e[i].holder = v_fma(x[i], v_set1(LOG2E), magic);
    SL_EACH(i, n) e[i].r = v_sub(e[i].holder, magic);
    SL_EACH(i, n) e[i].high = v_fnma(e[i].r, v_set1(FRAME_LN2_HI), x[i]);
    SL_EACH(i, n) e[i].rest = v_mul(e[i].r, v_set1(FRAME_LN2_LO));
    SL_EACH(i, n) e[i].r = v_sub(e[i].high, e[i].rest);
    SL_EACH(i, n) e[i].tail = is_6 ? q6 : v_fma(e[i].r, v_set1(0x1.9a58bap-13f), q6);
    SL_EACH(i, n) e[i].tail = v_fma(e[i].tail, e[i].r, q5);
    SL_EACH(i, n) e[i].tail = v_fma(e[i].tail, e[i].r, q4);
    SL_EACH(i, n) e[i].tail = v_fma(e[i].tail, e[i].r, q3);
    SL_EACH(i, n) e[i].tail = v_mul(e[i].tail, e[i].r);
}

SL_INLINE vf exp_curve_of(exp_parts e) { return v_add(e.tail, v_set1(0x1p-1f)); }
/* exp(r) - 1 */
SL_INLINE vf expm1_of(exp_parts e) { return v_fma(exp_curve_of(e), v_mul(e.r, e.r), e.r); }
/* 2^(k + bias) */
SL_INLINE vf exp_power_of(exp_parts e) { return v_float(u_shl(v_bits(e.holder), 23)); }

/* n <= 4 registers, rounded to f32; -inf gives +0. */
SL_INLINE void exps_in_frame(vf *x, size_t n, c_vframe f)
{
    exp_parts e[4];
    SL_EACH(i, n) x[i] = v_max(f.cut, x[i]);
    exps_in_parts(x, n, f.magic, DEGREE_6, e);
    SL_EACH(i, n) x[i] = expm1_of(e[i]);
    SL_EACH(i, n) x[i] = v_mul(v_add(x[i], v_set1(1)), exp_power_of(e[i]));
}

SL_INLINE vf c_exp_in_frame(vf x, c_vframe f, c_exp_table table)
{
    (void)table;
    exps_in_frame(&x, 1, f);
    return x;
}

SL_INLINE exp_parts exp_parts_in_frame(vf x, c_vframe f)
{
    exp_parts e;
    x = v_max(f.cut, x);
    exps_in_parts(&x, 1, f.magic, DEGREE_6, &e);
    return e;
}

SL_INLINE vw exp_of(vw power, vw high, vw rest, vw curve)
{
    vw r = w_sub(high, rest), p = w_fma(w_mul(r, r), curve, r);
    return w_mul(w_add(p, w_set1(1)), power);
}

/* Not rounded to f32; 0 where it does not count. */
SL_INLINE vw c_exp_where(vm counts, vf x, c_vframe f, c_exp_table table)
{
    (void)table;
    exp_parts e = exp_parts_in_frame(x, f);
    vf power = v_keep(counts, exp_power_of(e));
    return exp_of(v_widen(power), v_widen(e.high), v_widen(e.rest), v_widen(exp_curve_of(e)));
}

/* The same by way of memory. */
enum { EXP_PARTS = 4 };
SL_INLINE void exp_parts_put(float part[EXP_PARTS][SL_W], vm counts, vf x, c_vframe f, c_exp_table table)
{
    (void)table;
    exp_parts e = exp_parts_in_frame(x, f);
    v_store(part[0], v_keep(counts, exp_power_of(e)));
    v_store(part[1], e.high);
    v_store(part[2], e.rest);
    v_store(part[3], exp_curve_of(e));
}
SL_INLINE vw exp_of_parts(float part[EXP_PARTS][SL_W])
{
    return exp_of(v_load_wide(part[0]), v_load_wide(part[1]), v_load_wide(part[2]), v_load_wide(part[3]));
}

/* The same in a frame that is tried: of any x, shift not yet subtracted, if there is one. */
SL_INLINE void c_exps_predicted(vf *x, size_t n, int shifted, c_vframe f, c_exp_table table)
{
    (void)table;
    SL_UNROLL
    for (size_t i = 0; i < n; i++) {
        x[i] = v_min(f.high, x[i]);
        if (shifted)
            x[i] = c_less_shift(x[i], f);
    }
    exps_in_frame(x, n, f);
}
SL_INLINE vf c_exp_predicted(vf x, int shifted, c_vframe f, c_exp_table table)
{
    c_exps_predicted(&x, 1, shifted, f, table);
    return x;
}
#endif

SL_INLINE vw c_exp_in_frame_wide(vf x, c_vframe f, c_exp_table table)
{
    return c_exp_where(v_nle(x, f.cut), x, f, table);
}

/* ---- absolute: exp(x) * 2^bias = t * (1 + p), for sigmoid and log1p(exp(-|x|)) ----
 *
 * t is an entry of 23 bits (a multiple of 2^-22 in [1, 2)) times a power of two, so that 1 + t is exact below
 * 2^22; what the entry lost is in a second table and joins r.
 */
static const uint32_t short_table[8] = {
    0x3f800000 - (0u << 20), 0x3f8b95c2 - (1u << 20), 0x3f9837f0 - (2u << 20), 0x3fa5fed6 - (3u << 20),
    0x3fb504f4 - (4u << 20), 0x3fc5672a - (5u << 20), 0x3fd744fc - (6u << 20), 0x3feac0c6 - (7u << 20),
};
/* 2^(j/8) / entry j - 1, as bits of f32. */
static const uint32_t short_table_rest[8] = {
    0x00000000, 0xb24e0611, 0x33092801, 0x3382d9d6, 0xb3904447, 0x31b3d0e5, 0x33713781, 0x337cd96d,
};

typedef struct {
    vt entry, rest;
} short_tables;

SL_INLINE short_tables short_tables_load(void)
{
    return (short_tables){t_load(short_table), t_load(short_table_rest)};
}

/* |x| <= 105. magic = EXP_MAGIC + bias. For who needs more digits than p has: high + low, to 2^-32. */
typedef struct {
    vf high, low;
} long_p;

SL_INLINE vf exp_absolute_long(vf x, vf magic, short_tables tables, vf *p, long_p *longer)
{
    vf m = v_fma(x, v_set1(LOG2E), magic);
    vf n = v_sub(m, magic);
    vf exact = v_fnma(n, v_set1(LN2_HI), x), rest = v_float(t_pick(tables.rest, v_bits(m)));
    vf r = v_fnma(n, v_set1(LN2_LO), v_add(exact, rest)), square = v_mul(r, r), curve = exp_curve(r);
    *p = v_fma(curve, square, r);
    *longer = (long_p){exact, v_fma(curve, square, v_fnma(n, v_set1(LN2_LO), rest))};
    return exp_table(tables.entry, m);
}

SL_INLINE vf exp_absolute(vf x, vf magic, short_tables tables, vf *p)
{
    long_p longer;
    return exp_absolute_long(x, magic, tables, p, &longer);
}

/* exp(y) * s in f64, y as accurate as f32 exponentials and not cut short however large s is. Whether any of these y is
 * far: the others get the same bits either way. */
SL_INLINE int c_times_exp_is_far(const vf *y, size_t registers)
{
    vm far = m_or(v_nle(v_set1(-80), y[0]), v_nle(y[0], v_set1(44)));
    SL_UNROLL
    for (size_t k = 1; k < registers; k++)
        far = m_or(far, m_or(v_nle(v_set1(-80), y[k]), v_nle(y[k], v_set1(44))));
    return m_any(far);
}
SL_INLINE vw c_times_exp(vw s, vf y, int far, short_tables tables)
{
    if (!far) {
        vf p, t = exp_absolute(y, v_set1(EXP_MAGIC), tables, &p);
        return w_mul(v_widen(v_fma(t, p, t)), s);
    }
    vm some = v_nle(y, v_set1(-INFINITY));
    y = v_max(v_set1(-207), v_min(v_set1(105), y));
    vm small = v_lt(y, v_set1(-80)), large = v_lt(v_set1(44), y);
    vf magic = v_select(small, v_set1(EXP_MAGIC + 176), v_set1(EXP_MAGIC)), p;
    vf t = exp_absolute(y, v_select(large, v_set1(EXP_MAGIC - 64), magic), tables, &p);
    vf root = v_select(small, v_set1(0x1p-88f), v_select(large, v_set1(0x1p32f), v_set1(1)));
    vw unit = w_mul(v_widen(root), v_widen(root));
    return w_mul(w_mul(v_widen(v_keep(some, v_fma(t, p, t))), unit), s);
}

#endif
