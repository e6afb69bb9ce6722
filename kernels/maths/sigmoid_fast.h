/* SPDX-License-Identifier: MIT
 *
 * sigmoid where a few ULP do not matter: y = 1 / (1 + exp(-x)), as it stands. Results below the smallest normal
 * number are +0. Monotone (checked for every f32): the table has 2^(j/8) rounded to nearest but for j = 4, which
 * is rounded up, or the step from its neighbour would go back.
 *
 *   exp(-x) = 2^k * 2^(j/8) * exp(-s),  -x log2 e ~ k + j/8 =: n,  s = x + n ln 2,  |s| <= ln2 / 16
 *   exp(-s) = 1 - p,  p = s + s^2 (a3 s - a2): error 0.44 x 2^-24 (coefficients/exp.sollya)
 *
 * f32: what the table (1.0 x 2^-24), 1 - p, its product and the sum lose is at most half an ULP each, and at
 * worst twice as much in the quotient. With FMA and |x| < 16 the second part of n ln 2 is left out, at most
 * n 2^-29 < 1.5 x 2^-24. Bound 4.0; of all floats the worst is 2.8273, at x = -0x1.0b2518p+4. Without FMA: 5.0;
 * 2.8958 at -0x1.0c40bap+4.
 *
 * f64: exp_f64.h without what it carries beyond the result. Bound 4.0.
 */
#ifndef SL_MATHS_SIGMOID_FAST_H
#define SL_MATHS_SIGMOID_FAST_H

#include "maths/exp.h"

#if SL_F64
typedef int c_fast_table;
SL_INLINE c_fast_table c_fast_table_load(void) { return 0; }

SL_INLINE int c_sigmoid_fast_is_far(const vw *x, size_t registers)
{
    (void)x;
    (void)registers;
    return 1;
}

SL_INLINE vw c_sigmoid_fast_of(vw x, int far, c_fast_table table)
{
    (void)far;
    (void)table;
    vw one = w_set1(1), a = w_max(w_set1(-709), w_min(w_set1(709), x));
    w_exp_parts e = w_exp_absolute(w_sub(w_set1(-0.0), a), w_set1(W_EXP_MAGIC));
    vw y = w_div(one, w_add(one, w_fma(e.t, e.p, e.t)));
    return w_keep(w_nle(x, w_set1(-0x1.6232bdd7abcd3p+9)), y); /* up to there below 2^-1022 */
}

#else
static const uint32_t fast_table[8] = {
    0x3f800000 - (0u << 20), 0x3f8b95c2 - (1u << 20), 0x3f9837f0 - (2u << 20), 0x3fa5fed7 - (3u << 20),
    0x3fb504f4 - (4u << 20), 0x3fc5672a - (5u << 20), 0x3fd744fd - (6u << 20), 0x3feac0c7 - (7u << 20),
};

typedef vt c_fast_table;
SL_INLINE c_fast_table c_fast_table_load(void) { return t_load(fast_table); }

/* far: some |x| is 16 or more, or NaN. Those that are not get the same bits either way. */
SL_INLINE vf c_sigmoid_fast_of(vf x, int far, vt table)
{
    vf one = v_set1(1), magic = v_set1(EXP_MAGIC), a = x;
    if (far)
        a = v_max(v_set1(-88), v_min(v_set1(88), x));
    vf m = v_fnma(a, v_set1(LOG2E), magic), n = v_sub(m, magic);
    vf s = v_fma(n, v_set1(LN2_HI), a);
    if (!SL_FMA)
        s = v_fma(n, v_set1(LN2_LO), s);
    else if (far)
        s = v_fma(n, v_keep(v_nlt(v_abs(x), v_set1(16)), v_set1(LN2_LO)), s);
    vf p = v_fma(v_fma(v_set1(0x1.555d88p-3), s, v_set1(-0x1.00087cp-1)), v_mul(s, s), s);
    vf t = exp_table(table, m);
    vf y = v_div(one, v_add(one, v_fnma(t, p, t)));
    return far ? v_keep(v_nle(x, v_set1(-0x1.5d58ap+6f)), y) : y; /* up to there below 2^-126 */
}

SL_INLINE int c_sigmoid_fast_is_far(const vf *x, size_t registers)
{
    vm far = v_nlt(v_abs(x[0]), v_set1(16));
    SL_UNROLL
    for (size_t k = 1; k < registers; k++)
        far = m_or(far, v_nlt(v_abs(x[k]), v_set1(16)));
    return m_any(far);
}
#endif

#endif
