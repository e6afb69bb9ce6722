/* SPDX-License-Identifier: MIT
 *
 * Logarithms in f64, of sums.
 */
#ifndef SL_MATHS_LOG_F64_H
#define SL_MATHS_LOG_F64_H

#include "maths/pair_f64.h"

/* log(s + c) for s > 0 normal, |c| <= an ulp of s, and infinity for infinity. NaN gives NaN.
 *
 *   s = 2^k m,  m in [sqrt(1/2), sqrt(2)),  f = m - 1 + c 2^-k
 *   log(s + c) = k ln 2 + log(1 + f),   log(1 + f) = f - h + z (h + z^2 P(z^2)),   z = f / (2 + f),  h = f^2 / 2
 *
 * The arrangement is fdlibm's (e_log.c, s_log1p.c): f stays exact where it matters, so that the error is small
 * beside the smallest results, too. P of degree 6: error 2^-57 (coefficients/log1p.sollya).
 *
 * Error before the last rounding, s >= 1 (tests/proofs): 1.14 x 2^-53 (no FMA: 1.2), at f next to sqrt 2 - 1, where f * f, its half less and
 * f's own rounding come together; found 0.9. Of f below 1/16 0.17 and less.
 */
SL_INLINE w_acc log_of_sum(vw s, vw c)
{
    vw one = w_set1(1), two = w_set1(2);
    wu exponent = wu_and(wu_sub(w_bits(s), wu_set1(0x3fe6a09e667f3bcd)), wu_set1(0xfff0000000000000));
    vw scale = w_float(wu_sub(wu_set1(0x3ff0000000000000), exponent));
    /* exponent is k << 52, signed: (k + 2048) << 52 and its shift are not */
    wu biased = wu_shr(wu_add(exponent, wu_set1(0x8000000000000000)), 52);
    vw k = w_sub(w_float(wu_or(biased, wu_set1(0x4330000000000000))), w_set1(0x1p52 + 2048));
    vw exact = w_sub(w_mul(s, scale), one), more = w_mul(c, scale), f = w_add(exact, more);
    vw h = w_mul(w_mul(f, f), w_set1(0.5)), z = w_div(f, w_add(two, f)), zz = w_mul(z, z);
    static const double p[] = {0x1.9999999995323p-2, 0x1.2492492deec37p-2, 0x1.c71c62e684aaap-3,
                               0x1.7462b4ab7b36ap-3, 0x1.39fe5b524b232p-3, 0x1.2b58abb5a535ap-3};
    vw sum = w_set1(p[5]);
    SL_UNROLL_ALL
    for (size_t i = 5; i-- > 0;)
        sum = w_fma(sum, zz, w_set1(p[i]));
    sum = w_fma(sum, zz, w_set1(0x1.5555555555558p-1));
    vw rest = w_sub(w_fma(z, w_fma(sum, zz, h), w_mul(k, w_set1(W_LN2_LO))), h);
    vw multiple = w_mul(k, w_set1(W_LN2_HI)), high = w_add(multiple, f);
    rest = w_add(w_add(w_sub(f, w_sub(high, multiple)), w_sub(more, w_sub(f, exact))), rest);
    vw log = w_add(high, rest);
    wm infinite = w_eq(s, w_set1((double)INFINITY));
    return (w_acc){w_select(infinite, s, log), w_select(infinite, w_set1(0), w_sub(rest, w_sub(log, high)))};
}

/* log1p(q) for q >= 0; and inlined, where only some lanes are wanted. */
SL_INLINE w_acc log1p_some(w_acc q)
{
    w_acc s = w_acc_add(w_acc_of(w_set1(1)), q.sum);
    return log_of_sum(s.sum, w_add(s.lost, q.lost));
}
SL_NOINLINE w_acc log1p_wide(w_acc q) { return log1p_some(q); }

#endif
