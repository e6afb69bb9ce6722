/* SPDX-License-Identifier: MIT
 *
 * The exponential in f64, of SL_W numbers: in the words of any unit.
 *
 *   exp(x) = 2^n * exp(r),  n = rint(x log2 e),  r = x - n ln 2,  |r| <= ln2 / 2
 *
 * W_LN2_HI (pair_f64.h) has 36 bits, so that n * W_LN2_HI is exact for n of 17 bits, with and without FMA, and so is its
 * difference from x. exp(r) - 1 = r + r^2 Q(r), Q of degree 10: error 2^-62 (coefficients/exp.sollya).
 */
#ifndef SL_MATHS_EXP_ABSOLUTE_F64_H
#define SL_MATHS_EXP_ABSOLUTE_F64_H

#include "maths/pair_f64.h"

#define W_LOG2E 0x1.71547652b82fep+0
#define W_EXP_MAGIC 0x1.8p52

/* Q(r) */
SL_INLINE vw exp_q(vw r)
{
    static const double q[] = {0x1.5555555555557p-3,  0x1.5555555555557p-5,  0x1.1111111110052p-7,
                               0x1.6c16c16c156a5p-10, 0x1.a01a01ac1d20bp-13, 0x1.a01a01ab98777p-16,
                               0x1.71de01afd80fep-19, 0x1.27e4cfaf4c4d4p-22, 0x1.af4ec43225c2bp-26};
    vw sum = w_set1(0x1.1f86f00ad3918p-29);
    SL_UNROLL_ALL
    for (size_t i = sizeof q / sizeof *q; i-- > 0;)
        sum = w_fma(sum, r, w_set1(q[i]));
    return w_fma(sum, r, w_set1(0x1p-1));
}

/* 2^n as magic left it in the low bits of m. */
SL_INLINE vw exp_power(vw m) { return w_float(wu_shl(wu_add(w_bits(m), wu_set1(1023)), 52)); }

/* ---- absolute: exp(x) * 2^bias = t * (1 + p + p_low), |x| <= 1500, magic = W_EXP_MAGIC + bias ---- */

typedef struct {
    vw t, p, p_low; /* t a power of two */
} w_exp_parts;

SL_INLINE w_exp_parts w_exp_absolute(vw x, vw magic)
{
    vw m = w_fma(x, w_set1(W_LOG2E), magic);
    vw n = w_sub(m, magic);
    vw high = w_fnma(n, w_set1(W_LN2_HI), x), low = w_mul(n, w_set1(-W_LN2_LO));
    vw r = w_add(high, low);
    vw rest = w_fma(exp_q(r), w_mul(r, r), low);
    vw p = w_add(high, rest);
    return (w_exp_parts){exp_power(m), p, w_sub(rest, w_sub(p, high))};
}

/* t (1 + p + p_low) in two parts: error 2^-59. */
SL_INLINE w_acc w_exp_sum(w_exp_parts e)
{
    vw one = w_set1(1), sum = w_add(one, e.p), lost = w_add(w_sub(e.p, w_sub(sum, one)), e.p_low);
    return (w_acc){w_mul(e.t, sum), w_mul(e.t, lost)};
}

/* exp(x) - 1 for any x. Next to 0 it has the digits of x: t (1 + p) - 1 = (t - 1) + t p, t = 1 there. Error 2^-51. */
SL_NOINLINE vw expm1_wide(vw x)
{
    w_exp_parts e = w_exp_absolute(w_max(w_set1(-80), w_min(w_set1(709), x)), w_set1(W_EXP_MAGIC));
    return w_add(w_sub(e.t, w_set1(1)), w_mul(e.t, w_add(e.p, e.p_low)));
}

#endif
