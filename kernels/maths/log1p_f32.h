/* SPDX-License-Identifier: MIT
 *
 * log1p(exp(-a)) in f32.
 */
#ifndef SL_MATHS_LOG1P_F32_H
#define SL_MATHS_LOG1P_F32_H

#include "maths/exp_f32.h"

/* log1p(exp(-a)) for a >= 0: what log-sigmoid and binary cross-entropy share. NaN gives NaN.
 *
 *   u = exp(-a), formed 2^64 too large so that only its last rounding meets the denormals
 *   log1p(u) = u - u^2 Q(u) on [0, 1]
 *
 * Q = 1/2 + u q of degree 9: error 0.092 x 2^-24 (coefficients/log1p.sollya). Horner, although it is slow to the last step:
 * the coefficients alternate, and the usual halves of even and odd powers would cancel (2.8 ULP instead of 1.8). No division,
 * no branch, and the difference loses less than a bit.
 *
 * Without FMA the extra roundings would break the bound of those who use it. There the result stays in two parts: u, and what
 * u lost in its own rounding less u^2 Q. Q is a polynomial of u - 1/2, of degree 8: error 0.126 x 2^-24; its terms shrink to a
 * third each, and halves of even and odd powers lose nothing.
 */
typedef struct {
    vf high, low;
} c_log1p_parts;

#if SL_FMA
/* exp(-a) as value + lost, to 2^-32 of it where it is above 2^-116. */
typedef struct {
    vf value, lost;
} long_exp;

SL_INLINE c_log1p_parts log1p_and_exp(vf a, short_tables tables, long_exp *of)
{
    long_p longer;
    vf p, scale = v_set1(0x1p-64f), minus = v_sub(v_set1(-0.0f), v_min(v_set1(105), a));
    vf t = exp_absolute_long(minus, v_set1(EXP_MAGIC + 64), tables, &p, &longer);
    vf exp = v_fma(t, p, t), u = v_mul(exp, scale), square = v_mul(u, u), half = v_set1(0.5f);
    of->value = u;
    of->lost = v_mul(v_fma(t, longer.low, v_fma(t, longer.high, v_sub(t, exp))), scale);
    vf q = v_set1(-0x1.88c46p-9f);
    q = v_fma(q, u, v_set1(0x1.2828dap-6f));
    q = v_fma(q, u, v_set1(-0x1.a1ed8p-5f));
    q = v_fma(q, u, v_set1(0x1.7d99d4p-4f));
    q = v_fma(q, u, v_set1(-0x1.0d21acp-3f));
    q = v_fma(q, u, v_set1(0x1.4ff538p-3f));
    q = v_fma(q, u, v_set1(-0x1.98e11cp-3f));
    q = v_fma(q, u, v_set1(0x1.fff39cp-3f));
    q = v_fma(q, u, v_set1(-0x1.55553p-2f));
    return (c_log1p_parts){v_fnma(square, v_fma(q, u, half), u), v_set1(0)};
}

SL_INLINE c_log1p_parts c_log1p_exp_minus(vf a, short_tables tables)
{
    long_exp of;
    return log1p_and_exp(a, tables, &of);
}
#else
/* Of n <= 4 registers, from the parts of exp(-a), and 2^(k + 64). */
SL_INLINE void c_log1ps_of_exps(const exp_parts *e, const vf *large, size_t n, c_log1p_parts *log)
{
    vf one = v_set1(1), p[4], power[4], u[4], v[4], square[4], even[4], odd[4];
    SL_EACH(i, n) p[i] = expm1_of(e[i]);
    SL_EACH(i, n) power[i] = v_mul(large[i], v_set1(0x1p-64f));
    SL_EACH(i, n) u[i] = v_mul(v_add(one, p[i]), power[i]);
    SL_EACH(i, n) v[i] = v_sub(u[i], v_set1(0.5f));
    SL_EACH(i, n) square[i] = v_mul(v[i], v[i]);
    SL_EACH(i, n) even[i] = v_fma(v_set1(0x1.abd5f2p-9f), square[i], v_set1(0x1.4e5b8ap-7f));
    SL_EACH(i, n) odd[i] = v_fma(v_set1(-0x1.c59b88p-8f), square[i], v_set1(-0x1.10f5f8p-6f));
    SL_EACH(i, n) even[i] = v_fma(even[i], square[i], v_set1(0x1.d982e4p-6f));
    SL_EACH(i, n) odd[i] = v_fma(odd[i], square[i], v_set1(-0x1.a284dep-5f));
    SL_EACH(i, n) even[i] = v_fma(even[i], square[i], v_set1(0x1.7de0f2p-4f));
    SL_EACH(i, n) odd[i] = v_fma(odd[i], square[i], v_set1(-0x1.6f0d76p-3f));
    SL_EACH(i, n) even[i] = v_fma(even[i], square[i], v_set1(0x1.833704p-2f));
    SL_EACH(i, n) even[i] = v_fma(odd[i], v[i], even[i]);
    SL_EACH(i, n) odd[i] = v_mul(v_sub(p[i], v_sub(v_add(one, p[i]), one)), power[i]);
    SL_EACH(i, n) log[i] = (c_log1p_parts){u[i], v_fnma(v_mul(u[i], u[i]), even[i], odd[i])};
}

/* From a = 105 on 0. */
SL_INLINE void c_log1ps_exp_minus(const vf *a, size_t n, c_log1p_parts *log)
{
    exp_parts e[4];
    vf x[4];
    SL_EACH(i, n) x[i] = v_sub(v_set1(-0.0f), v_min(v_set1(105), a[i]));
    exps_in_parts(x, n, v_set1(FRAME_MAGIC + 64), DEGREE_7, e);
    SL_EACH(i, n) x[i] = exp_power_of(e[i]);
    c_log1ps_of_exps(e, x, n, log);
}

SL_INLINE c_log1p_parts c_log1p_exp_minus(vf a, short_tables tables)
{
    (void)tables;
    c_log1p_parts log;
    c_log1ps_exp_minus(&a, 1, &log);
    return log;
}
#endif

/* b + log1p. */
SL_INLINE vf c_add_log1p(vf b, c_log1p_parts l) { return v_add(SL_FMA ? b : v_add(b, l.low), l.high); }

/* log(sigmoid(x)) = -(max(-x, 0) + log1p(exp(-|x|))), where a step of x moves the result by more than the
 * errors of its neighbours differ. Near 0 the steps are smaller, and what is monotone is
 *
 *   log(sigmoid(x)) = x / 2 - log cosh(x / 2) - log 2
 *
 * since each rounding is, of a sum whose first term moves most: log cosh(x / 2) = x^2 P(x^2), error 2^-28 up to 1
 * (coefficients/log1p.sollya).
 *
 * For x > 0 the result is log1p itself: exp is good to 0.55 x 2^-24 and the product that is subtracted to 0.5 x
 * 2^-24 of it, an ULP at most, and the last rounding: 1.6. For x < 0 less of that counts beside -x. Bound 2.0; of
 * all floats the worst is 1.5100, at x = 0x1.0512d2p+1 (no FMA: 1.2384 at 0x1.45e1d2p+0), and all are in order.
 */
#define LOG_SIGMOID_NEAR 1.0f

SL_INLINE vf c_log_sigmoid(vf x, short_tables tables)
{
    vf zero = v_set1(0), a = v_abs(x), small = v_min(v_set1(LOG_SIGMOID_NEAR), a),
       square = v_mul(small, small);
    c_log1p_parts l = c_log1p_exp_minus(a, tables);
    vf far = v_sub(v_set1(-0.0f), v_add(v_max(v_sub(zero, x), zero), v_add(l.high, l.low)));
    vf log_cosh = v_fma(v_set1(-0x1.6d986cp-16), square, v_set1(0x1.6841bap-12));
    log_cosh = v_fma(v_fma(log_cosh, square, v_set1(-0x1.55418cp-8)), square, v_set1(0x1.ffffep-4));
    vf half = v_fma(x, v_set1(0.5f), v_set1(0x1.05c61p-29f));
    vf near = v_sub(v_fnma(square, log_cosh, half), v_set1(0x1.62e43p-1f));
    return v_select(v_lt(a, v_set1(LOG_SIGMOID_NEAR)), near, far);
}

#endif
