/* SPDX-License-Identifier: MIT
 *
 * Logarithms in f64 of the unit's sums and probabilities; and, in f64, log1p(exp(-a)).
 */
#ifndef SL_MATHS_LOG_H
#define SL_MATHS_LOG_H

#include "maths/accumulator.h"
#include "maths/exp.h"
#include "maths/log_f64.h"

#if SL_F64
SL_INLINE c_acc c_acc_log1p(c_acc q) { return log1p_wide(q); }
SL_INLINE vw c_over(vw a, vw b) { return w_div(a, b); }

SL_NOINLINE vw c_log_of_prob(vw s, vw less)
{
    vw lost = w_sub(w_sub(w_set1(1), s), less);
    return w_select(w_eq(s, w_set1(0)), w_set1(-100), w_max(w_set1(-100), log_of_sum(s, lost).sum));
}

/* The same of exp(-a), a >= 0, in f64: below 2^-60 the logarithm is its argument. */
typedef struct {
    vw high, low;
} c_log1p_parts;

SL_INLINE c_log1p_parts c_log1p_exp_minus(vw a, int tables)
{
    (void)tables;
    vw minus = w_sub(w_set1(-0.0), w_min(w_set1(760), a));
    wm tiny = w_lt(w_set1(64), a);
    w_exp_parts e = w_exp_absolute(minus, w_select(tiny, w_set1(W_EXP_MAGIC + 512), w_set1(W_EXP_MAGIC)));
    c_acc u = w_exp_sum(e), log = log1p_wide(w_acc_select(tiny, w_acc_of(w_set1(0)), u));
    return (c_log1p_parts){w_select(tiny, w_mul(u.sum, w_set1(0x1p-512)), log.sum), w_set1(0)};
}
SL_INLINE vw c_add_log1p(vw b, c_log1p_parts l) { return w_add(b, l.high); }

SL_INLINE vw c_log_sigmoid(vw x, int tables)
{
    vw zero = w_set1(0), high = w_max(w_sub(zero, x), zero);
    return w_sub(w_set1(-0.0), c_add_log1p(high, c_log1p_exp_minus(w_abs(x), tables)));
}

#else
SL_INLINE c_acc c_acc_log1p(c_acc q) { return log1p_wide(w_acc_of(q)).sum; }

/* ---- where the result becomes an f32: error 2^-34 of it ---- */

/* 1 / b for b in the range of normal f32: an f32 division, and one of Newton's steps. Error 2^-44. */
SL_INLINE vw v_inverse(vw b)
{
    vw r = v_widen(v_div(v_set1(1), v_narrow(b)));
    return w_fma(r, w_fnma(r, b, w_set1(1)), r);
}
SL_INLINE vw c_over(vw a, vw b) { return w_mul(a, v_inverse(b)); }

/* max(log s, -100) for s in [0, 1], less = 1 - s, which near s = 1 says more than s. As above, but with
 * log(1 + f) = 2 atanh z, by its series up to z^11: what is left is z^13 / 13 < 2^-36 of z. */
SL_INLINE vw c_log_of_prob(vw s, vw less)
{
    vw one = w_set1(1);
    wu exponent = wu_and(wu_sub(w_bits(s), wu_set1(0x3fe6a09e667f3bcd)), wu_set1(0xfff0000000000000));
    vw scale = w_float(wu_sub(wu_set1(0x3ff0000000000000), exponent));
    wu biased = wu_shr(wu_add(exponent, wu_set1(0x8000000000000000)), 52);
    vw k = w_sub(w_float(wu_or(biased, wu_set1(0x4330000000000000))), w_set1(0x1p52 + 2048));
    vw f = w_sub(w_mul(s, scale), one);
    f = w_select(w_lt(less, w_set1(0.25)), w_sub(w_set1(-0.0), less), f);
    vw z = c_over(f, w_add(w_set1(2), f)), zz = w_mul(z, z);
    vw sum = w_fma(w_set1(2.0 / 11), zz, w_set1(2.0 / 9));
    sum = w_fma(w_fma(sum, zz, w_set1(2.0 / 7)), zz, w_set1(2.0 / 5));
    sum = w_fma(w_fma(sum, zz, w_set1(2.0 / 3)), zz, w_set1(2));
    vw log = w_fma(z, sum, w_mul(k, w_set1(0x1.62e42fefa39efp-1)));
    return w_select(w_eq(s, w_set1(0)), w_set1(-100), w_max(w_set1(-100), log));
}

#endif

#endif
