/* SPDX-License-Identifier: MIT
 *
 * The hyperbolic tangent, in the unit's arithmetic:
 *
 *   tanh(x) = sign(x) m / (m + 2),  m = exp(2 |x|) - 1 = (2^n - 1) + 2^n p,  2 |x| = n ln 2 + r,  p = exp(r) - 1
 *
 * |r| <= ln2 / 2, and 2 |x| no larger than the number from which on the result rounds to 1. For n = 0 m is p, and r is exact:
 * so small results keep all their digits.
 *
 * In units of 2^-24 (f64: 2^-53), and relative to the result, of which an error of m makes 2 / (m + 2): m has 1.0 of its last
 * rounding and, for n = 0, 0.4 of its terms; for n > 0 p is at most 0.42 and m at least 0.41, so that the errors of p,
 * 0.5 of its rounding and 0.25 of r's, are at most 1.4 of m, where 2 / (m + 2) is 0.83. m + 2 has 1.0, the quotient 1.0: together
 * 3.6, which are up to 3.6 ULP. Found, of all floats: 2.52 ULP, at 0x1.feccf2p-5 (no FMA: 2.56, at 0x1.fe3fb2p-5); of f64
 * 2.49. Results are not in order: one may be two ULP below that of a smaller x.
 */
#ifndef SL_MATHS_TANH_H
#define SL_MATHS_TANH_H

#include "maths/exp.h"

#if SL_F64
/* exp(x) - 1 for 0 <= x <= TANH_ONE. */
#define TANH_ONE 40
SL_INLINE vw expm1_positive(vw x)
{
    vw m = w_fma(x, w_set1(W_LOG2E), w_set1(W_EXP_MAGIC)), n = w_sub(m, w_set1(W_EXP_MAGIC));
    vw r = w_fnma(n, w_set1(W_LN2_LO), w_fnma(n, w_set1(W_LN2_HI), x));
    vw p = w_fma(exp_q(r), w_mul(r, r), r), power = exp_power(m);
    return w_fma(power, p, w_sub(power, w_set1(1)));
}

/* `magnitude`, which is not negative, with the sign of x. */
SL_INLINE vw with_sign_of(vw magnitude, vw x)
{
    return w_float(wu_or(w_bits(magnitude), wu_and(w_bits(x), wu_set1(0x8000000000000000))));
}
#else
#define TANH_ONE 20
#define TANH_MAGIC (0x1.8p23f + 127)
SL_INLINE vf expm1_positive(vf x)
{
    vf m = v_fma(x, v_set1(LOG2E), v_set1(TANH_MAGIC)), n = v_sub(m, v_set1(TANH_MAGIC));
    vf r = v_fnma(n, v_set1(LN2_LO), v_fnma(n, v_set1(LN2_HI), x));
    vf q = v_fma(r, v_set1(FRAME_Q6), v_set1(FRAME_Q5));
    q = v_fma(v_fma(v_fma(q, r, v_set1(FRAME_Q4)), r, v_set1(FRAME_Q3)), r, v_set1(0x1p-1f));
    vf p = v_fma(q, v_mul(r, r), r), power = v_float(u_shl(v_bits(m), 23));
    return v_fma(power, p, v_sub(power, v_set1(1)));
}

SL_INLINE vf with_sign_of(vf magnitude, vf x)
{
    return v_float(u_or(v_bits(magnitude), u_and(v_bits(x), u_set1(0x80000000))));
}
#endif

/* NaN gives NaN, a zero itself. */
SL_INLINE reg c_tanh(reg x)
{
    reg half = c_min(c_set1(TANH_ONE / 2), c_abs(x)), m = expm1_positive(c_add(half, half));
    return with_sign_of(c_div(m, c_add(m, c_set1(2))), x);
}

#endif
