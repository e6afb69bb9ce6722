/* SPDX-License-Identifier: MIT
 *
 * sigmoid in f32: see sigmoid.h.
 */
#ifndef SL_MATHS_SIGMOID_F32_H
#define SL_MATHS_SIGMOID_F32_H

#include "maths/exp_absolute_f64.h"
#include "maths/log1p.h"

typedef struct {
    vf value, root; /* of the result: value * root * root */
} c_scaled;

#define SL_HAS_GRAD_OF_EXP SL_FMA

typedef short_tables c_tables;
SL_INLINE c_tables c_tables_load(void) { return short_tables_load(); }

#if SL_FMA
#define SIGMOID_NEAR 15
#else
#define SIGMOID_NEAR 87
#endif

/* Whether any of these needs the wide form; where the other one will do, both give the same bits. */
SL_INLINE int c_sigmoid_is_wide(const vf *x, size_t registers)
{
    vm wide = v_nlt(v_abs(x[0]), v_set1(SIGMOID_NEAR));
    SL_UNROLL
    for (size_t k = 1; k < registers; k++)
        wide = m_or(wide, v_nlt(v_abs(x[k]), v_set1(SIGMOID_NEAR)));
    return m_any(wide);
}

#if SL_FMA
SL_INLINE c_scaled c_sigmoid_of(vf x, int wide, c_tables tables)
{
    vf one = v_set1(1), a = v_abs(x), magic = v_set1(EXP_MAGIC), first = one, root = one;
    if (wide) {
        a = v_min(v_set1(207), a);
        vm huge = v_lt(v_set1(64), a);
        magic = v_select(huge, v_set1(EXP_MAGIC - 176), magic);
        first = v_select(huge, v_set1(0), one);
        root = v_select(huge, v_set1(0x1p-88f), one);
    }
    vf p;
    vf t = exp_absolute(a, magic, tables, &p);
    vf low = v_mul(t, p), high = v_add(first, t);
    if (wide)
        low = v_add(low, v_sub(first, v_sub(high, t)));
    vf q = v_div(one, v_add(high, low));
    q = v_fma(q, v_fnma(q, low, v_fnma(q, high, one)), q);
    if (wide) /* the limit, not the largest clamped */
        q = v_keep(v_nle(v_set1(INFINITY), v_abs(x)), q);
    vm below = v_lt(x, v_set1(0));
    vf small = wide ? v_mul(v_mul(q, root), root) : q;
    return (c_scaled){v_select(below, q, v_sub(one, small)), wide ? v_select(below, root, one) : one};
}
#else
/* 1 / (first + exp(x)) of n <= 4 registers, |x| < 87, or a bias of magic to fit: with exp(x) = t (1 + p) as (first + t) + t p. */
SL_INLINE void c_inverses_of_exp(vf *x, size_t n, vf magic, vf first)
{
    exp_parts e[4];
    exps_in_parts(x, n, magic, DEGREE_6, e);
    SL_EACH(i, n) x[i] = expm1_of(e[i]);
    SL_EACH(i, n) x[i] = v_mul(exp_power_of(e[i]), x[i]);
    SL_EACH(i, n) x[i] = v_add(v_add(first, exp_power_of(e[i])), x[i]);
    SL_EACH(i, n) x[i] = v_div(v_set1(1), x[i]);
}

/* sigmoid(x), |x| < SIGMOID_NEAR. */
SL_INLINE void c_sigmoids_near(vf *x, size_t n)
{
    SL_EACH(i, n) x[i] = v_sub(v_set1(-0.0f), x[i]);
    c_inverses_of_exp(x, n, v_set1(FRAME_MAGIC), v_set1(1));
}

SL_INLINE c_scaled c_sigmoid_of(vf x, int wide, c_tables tables)
{
    (void)tables;
    vf one = v_set1(1), magic = v_set1(FRAME_MAGIC), minus = v_sub(v_set1(-0.0f), x);
    if (!wide) {
        c_sigmoids_near(&x, 1);
        return (c_scaled){x, one};
    }
    vf q = v_max(v_set1(-80), v_min(v_set1(207), minus));
    vm huge = v_lt(v_set1(SIGMOID_NEAR), q);
    magic = v_select(huge, v_set1(FRAME_MAGIC - 176), magic);
    c_inverses_of_exp(&q, 1, magic, v_select(huge, v_set1(0), one));
    q = v_keep(v_nle(v_set1(INFINITY), minus), q); /* the limit, not the largest clamped */
    return (c_scaled){q, v_select(huge, v_set1(0x1p-88f), one)};
}
#endif

/* The result itself, and its product with any g: a large g takes one root before the value. */
SL_INLINE vf c_unscaled(c_scaled s) { return v_mul(v_mul(s.value, s.root), s.root); }
SL_INLINE vf c_times_scaled(vf g, c_scaled s)
{
    vf one = v_set1(1), first = v_select(v_lt(v_abs(g), one), one, s.root);
    vf last = v_select(v_lt(v_abs(g), one), s.root, one);
    return v_mul(v_mul(v_mul(v_mul(g, first), s.value), s.root), last);
}

#if SL_FMA
/* a exp(130 - |x|), where |x| > 130. */
SL_RARE vw times_deeper_exp(vw a, vf x)
{
    vw deeper = w_sub(w_set1(130), w_max(w_set1(130), w_min(w_set1(800), v_widen(v_abs(x)))));
    return w_mul(a, w_exp_sum(w_exp_absolute(deeper, w_set1(W_EXP_MAGIC))).sum);
}

/* no sigmoid(x) - yes sigmoid(-x), where the terms may cancel, in f64. With q = sigmoid(-|x|) that is
 *
 *   x < 0:  (no + yes) q - yes        else:  no - (no + yes) q
 *
 * so that q may be off by a little of itself, and neither term suffers more. In f32 kernels q is of 2^-36: exp_f32.h's
 * reduction and its two tables, the rest in f64, exp(r) - 1 by its series up to r^5. E is 2^64 too small, to fit. */
SL_INLINE vw c_soft_grad(vf x, vw no, vw yes, c_tables tables)
{
    vm deep = v_lt(v_set1(130), v_abs(x));
    vf a = v_min(v_set1(130), v_abs(x)), magic = v_set1(EXP_MAGIC - 64), m = v_fma(a, v_set1(LOG2E), magic);
    vw n = v_widen(v_sub(m, magic));
    vw r = w_fnma(n, w_set1(0x1.62e42fefa39efp-1), v_widen(a)), unit = w_set1(0x1p-64);
    r = w_add(r, v_widen(v_float(t_pick(tables.rest, v_bits(m)))));
    vw q = w_fma(w_fma(w_set1(1.0 / 120), r, w_set1(1.0 / 24)), r, w_set1(1.0 / 6));
    vw p = w_fma(w_fma(q, r, w_set1(0.5)), w_mul(r, r), r), t = v_widen(exp_table(tables.entry, m));
    vw part = w_mul(w_mul(v_inverse(w_add(unit, w_fma(t, p, t))), unit), w_add(no, yes));
    if (m_any(deep))
        part = times_deeper_exp(part, x);
    return w_select(w_lt(v_widen(x), w_set1(0)), w_sub(part, yes), w_sub(no, part));
}

/* The same in f32 pairs, from the exponential that the loss has formed, too, for |x| < 80 and t in [0, 1], without
 * weights but for one factor w = high + low of all, 2^-60 <= |w| <= 2^60:
 *
 *   w (sigmoid(x) - t) = x < 0 ?  -w (t - q)  :  w ((1 - t) - q),    q = u / (1 + u),  u = exp(-|x|)
 *
 * For t = 0 and t = 1 nothing cancels where q is small. Each of q, 1 - t and their difference is a sum of two f32,
 * good to 2^-32 of q: only the last step rounds. */
typedef struct {
    vf high, low;
} c_long_factor;

SL_INLINE vf c_grad_of_exp(vf x, vf t, long_exp u, c_long_factor w)
{
    vf one = v_set1(1), sum = v_add(one, u.value);
    vf rest = v_add(v_sub(u.value, v_sub(sum, one)), u.lost), r = v_div(one, sum), q = v_mul(u.value, r);
    vf more = v_mul(v_add(v_fnma(q, rest, v_fnma(q, sum, u.value)), u.lost), r);
    vm below = v_lt(x, v_set1(0));
    vf negative = v_sub(one, t), a = v_select(below, t, negative);
    vf a_low = v_select(below, v_set1(0), v_sub(v_sub(one, negative), t));
    vf d = v_sub(a, q), back = v_sub(d, a), lost = v_sub(v_sub(a, v_sub(d, back)), v_add(q, back));
    vf low = v_sub(v_add(lost, a_low), more), minus = v_set1(-0.0f);
    vf high_factor = v_select(below, v_sub(minus, w.high), w.high);
    vf low_factor = v_select(below, v_sub(minus, w.low), w.low);
    return v_fma(high_factor, d, v_fma(high_factor, low, v_mul(low_factor, d)));
}
#else
/* The parts of exp(-a), a >= 0, whose holder has k + 1023: 2^k goes further down than in f32. */
SL_INLINE void exps_of_sigmoids(const vf *a, size_t n, exp_parts *e)
{
    vf x[4];
    SL_EACH(i, n) x[i] = v_sub(v_set1(-0.0f), v_min(v_set1(700), a[i]));
    exps_in_parts(x, n, v_set1(FRAME_MAGIC + (1023 - 127)), DEGREE_7, e);
}

/* log1p(exp(-a)) from them: the same bits as c_log1ps_exp_minus. */
SL_INLINE void c_log1ps_of_sigmoids(const exp_parts *e, const vf *a, size_t n, c_log1p_parts *log)
{
    vf large[4];
    vu less = u_set1((1023u - 127 - 64) << 23);
    SL_EACH(i, n) large[i] = v_float(u_sub(v_bits(exp_power_of(e[i])), less));
    SL_EACH(i, n) large[i] = v_keep(v_nlt(v_set1(105), a[i]), large[i]);
    c_log1ps_of_exps(e, large, n, log);
}

/* sigmoid(-|x|) in f64, negative for x >= 0, from the parts of exp(-|x|): good to 2^-29 of itself. */
SL_INLINE vw c_signed_sigmoid(vf x, exp_parts e)
{
    vw r = w_sub(v_widen(e.high), v_widen(e.rest)), curve = w_add(v_widen(e.tail), w_set1(0.5)),
       one = w_set1(1);
    vw power = w_float(wu_shl(w_bits(v_widen(e.holder)), 23));
    vw u = w_mul(w_add(w_fma(w_mul(r, r), curve, r), one), power);
    vu sign = u_andnot(u_set1(0x80000000), v_bits(v_add(x, v_set1(0)))); /* -0 counts as 0 */
    return w_mul(w_div(u, w_add(u, one)), v_widen(v_float(u_or(sign, v_bits(v_set1(1))))));
}
#endif

#endif
