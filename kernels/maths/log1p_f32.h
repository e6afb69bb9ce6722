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
 *   log1p(u) = u - u^2 Q(u) on [0, 1],  Q = 1/2 + u q of degree 9: error 0.092 x 2^-24
 *   (coefficients/log1p.sollya)
 *
 * Horner, although it is slow to the last step: the coefficients alternate, and the usual halves of even and
 * odd powers would cancel (2.8 ULP instead of 1.8). No division, no branch, and the difference loses less
 * than a bit. Without FMA the extra roundings would break the bound of those who use it; there the result
 * stays in two parts: u - u^2 / 2, and the rest of Q with what u lost in its own rounding, times the
 * derivative 1 / (1 + u) ~ 1 - u / 2.
 */
typedef struct {
    vf high, low; /* low is +0 in the FMA class */
} c_log1p_parts;

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
#if SL_FMA
    return (c_log1p_parts){v_fnma(square, v_fma(q, u, half), u), v_set1(0)};
#else
    vf lost = v_mul(v_add(v_sub(t, exp), v_mul(t, p)), scale);
    vf carried = v_mul(lost, v_sub(v_set1(1), v_mul(half, u)));
    return (c_log1p_parts){v_sub(u, v_mul(square, half)), v_sub(carried, v_mul(square, v_mul(q, u)))};
#endif
}

SL_INLINE c_log1p_parts c_log1p_exp_minus(vf a, short_tables tables)
{
    long_exp of;
    return log1p_and_exp(a, tables, &of);
}

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
 * all floats the worst is 1.5100, at x = 0x1.0512d2p+1 (no FMA: 1.2444 at 0x1.573644p+0), and all are in order.
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
