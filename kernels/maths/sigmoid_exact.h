/* SPDX-License-Identifier: MIT
 *
 * sigmoid in f32, correctly rounded: in f64, by one division and without an exponential of its own.
 *
 *   n = rint(-x log2 e),  s = x + n ln 2,  |s| <= ln2 / 2,  tanh(s / 2) = p / q,  so  exp(-s) = (q - p) / (q + p)
 *   sigmoid(x) = 1 / (1 + 2^n exp(-s)) = (q + p) / ((q + p) + 2^n (q - p))
 *
 * p = s (o0 + z (o1 + z)) and q = c0 + z (c1 + z c2), z = s^2, meet tanh(s / 2) at 0 and at four more z: the error of exp(-s) is
 * 2^-59 (coefficients/sigmoid_exact.py). What rounding adds is below 2^-51 of the result.
 *
 * No result is wrong for that. Of all floats above 2^-12, 371 have a sigmoid within 2^-44 of itself of the middle between two floats,
 * and three within 2^-52; the closest is that of -0x1.250c02p-10, 2^-55 away, less than an f64 shows. Its rounding hangs on how q + p and
 * the denominator round, and so on the coefficients: with these it is right, with FMA and without.
 *
 * Below 2^-12 sigmoid(x) = 1/2 + x/4 - x^3/48 + ... may lie as close to a middle as it likes (x = 3 2^-23: 2^-69). There
 * |x|^3/48 is less than half of what x/4 is a multiple of, so the result is 1/2 + x/4 rounded, and of a middle what is nearer to 1/2.
 * 1/2 + x (1/4 - 2^-29) rounds so: what it takes off is more than f64 loses where x/4 is a middle, |x| >= 2^-24, and less than
 * x/4 is a multiple of.
 *
 * Proof by trial: proofs/parts.c compares all floats with 1 / (1 + exp(-x)) of 2^-48, and with one of 2^-100 where that is too little.
 */
#ifndef SL_MATHS_SIGMOID_EXACT_H
#define SL_MATHS_SIGMOID_EXACT_H

#include "isa/isa.h"

/* What the common form takes: 2^n must fit into f64, and sigmoids of more are 0 and 1. */
#define EXACT_LEAST 0x1p-12f
#define EXACT_MOST 512

/* Whether any of these needs the rare form. NaN does not: least and most pass it by. */
SL_INLINE int c_sigmoid_exact_is_rare(const vf *x, size_t registers)
{
    vf least = v_set1(EXACT_LEAST), most = v_set1(0);
    SL_UNROLL
    for (size_t k = 0; k < registers; k++) {
        least = v_min(v_abs(x[k]), least);
        most = v_max(v_abs(x[k]), most);
    }
    return m_any(m_or(v_lt(least, v_set1(EXACT_LEAST)), v_lt(v_set1(EXACT_MOST), most)));
}

/* Of n <= 2 registers step by step: so many chains of operations overlap. */
SL_INLINE void c_sigmoids_exact(const vw *x, vf *y, size_t n)
{
    vw m[2], s[2], z[2], p[2], q[2], magic = w_set1(0x1.8p52 + 1023);
    SL_EACH(i, n) m[i] = w_fnma(x[i], w_set1(0x1.71547652b82fep+0), magic);
    SL_EACH(i, n) s[i] = w_sub(m[i], magic);
    SL_EACH(i, n) s[i] = w_fma(s[i], w_set1(0x1.62e42fefa39efp-1), x[i]);
    SL_EACH(i, n) z[i] = w_mul(s[i], s[i]);
    SL_EACH(i, n) p[i] = w_add(z[i], w_set1(0x1.a4455a5823b87p+8));
    SL_EACH(i, n) q[i] = w_fma(z[i], w_set1(0x1.e0377765b3284p+4), w_set1(0x1.a44e078d04aa4p+11));
    SL_EACH(i, n) p[i] = w_fma(p[i], z[i], w_set1(0x1.d8db097279a4ap+13));
    SL_EACH(i, n) q[i] = w_fma(q[i], z[i], w_set1(0x1.d8db097279a4ap+14));
    SL_EACH(i, n) p[i] = w_mul(p[i], s[i]);
    SL_EACH(i, n) z[i] = w_add(q[i], p[i]);
    SL_EACH(i, n) q[i] = w_sub(q[i], p[i]);
    SL_EACH(i, n) m[i] = w_float(wu_shl(w_bits(m[i]), 52));
    SL_EACH(i, n) q[i] = w_fma(q[i], m[i], z[i]);
    SL_EACH(i, n) y[i] = v_narrow(w_div(z[i], q[i]));
}

/* Of any x. */
SL_INLINE vf c_sigmoid_exact(vf x)
{
    vw cut = v_widen(v_max(v_set1(-EXACT_MOST), v_min(v_set1(EXACT_MOST), x)));
    vf near = v_narrow(w_add(w_set1(0.5), w_mul(cut, w_set1(0x1.ffffffcp-3)))), y;
    c_sigmoids_exact(&cut, &y, 1);
    return v_select(v_lt(v_abs(x), v_set1(EXACT_LEAST)), near, y);
}

#endif
