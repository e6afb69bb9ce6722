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
SL_INLINE c_row_acc c_row_log1p(c_acc q) { return log1p_some(q); }
SL_INLINE vw c_over(vw a, vw b) { return w_div(a, b); }

/* What a logarithm of a probability or of 1 less it is formed from: that, and 1 less that. */
typedef struct {
    vw s, less;
} c_log_parts;

SL_INLINE c_log_parts c_log_parts_of(vw p) { return (c_log_parts){p, w_sub(w_set1(1), p)}; }
SL_INLINE c_log_parts c_log_parts_of_other(vw p) { return (c_log_parts){w_sub(w_set1(1), p), p}; }
SL_INLINE c_log_parts c_log_parts_select(wm m, c_log_parts a, c_log_parts b)
{
    return (c_log_parts){w_select(m, a.s, b.s), w_select(m, a.less, b.less)};
}

/* max(log s, -100) for s in [0, 1], less = 1 - s, which near s = 1 says more than s. */
SL_NOINLINE vw c_log_of_parts(c_log_parts of)
{
    vw lost = w_sub(w_sub(w_set1(1), of.s), of.less);
    return w_select(w_eq(of.s, w_set1(0)), w_set1(-100), w_max(w_set1(-100), log_of_sum(of.s, lost).sum));
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
SL_INLINE c_row_acc c_row_log1p(c_acc q) { return first_lane(log1p_some(w_acc_of(q)).sum); }

/* ---- where the result becomes an f32: error 2^-34 of it ---- */

/* 1 / b for b in the range of normal f32: an f32 division, and one of Newton's steps. Error 2^-44. */
SL_INLINE vw v_inverse(vw b)
{
    vw r = v_widen(v_div(v_set1(1), v_narrow(b)));
    return w_fma(r, w_fnma(r, b, w_set1(1)), r);
}
SL_INLINE vw c_over(vw a, vw b) { return w_mul(a, v_inverse(b)); }

/* What a logarithm of a probability p or of 1 - p is formed from: k ln 2 + log(1 + f), 1 + f in [sqrt(1/2), sqrt(2)). Both are
 * exact in f32: f is p 2^-k - 1, or 2^-k - 1 - p 2^-k, and where 1 - p does not fit, f is -p or 1 - 2 p. */
typedef struct {
    vf k, f;
} c_log_parts;

/* k, and 2^-k in f, of s = 2^k m: `biased` is (k + 256) << 23 and m's digits, the sign bit included. */
SL_INLINE c_log_parts log_scale(vf s)
{
    vu biased = u_add(v_bits(s), u_set1(0x80000000 - 0x3f3504f4));
    vf k = v_sub(v_float(u_or(u_shr(biased, 23), u_set1(0x4b000000))), v_set1(0x1p23f + 256));
    return (c_log_parts){k, v_float(u_sub(u_set1(0xbf800000), u_and(biased, u_set1(0xff800000))))};
}

/* 0 and denormals count as 2^32 times that; then the logarithm of 0 comes out below -100. */
SL_INLINE c_log_parts c_log_parts_of(vf p)
{
    p = v_abs(p); /* -0 is a probability, too */
    vm tiny = v_lt(p, v_set1(0x1p-126f));
    vf s = v_select(tiny, v_mul(p, v_set1(0x1p32f)), p);
    c_log_parts of = log_scale(s);
    return (c_log_parts){v_sub(of.k, v_keep(tiny, v_set1(32))), v_fma(s, of.f, v_set1(-1))};
}

/* Up to 1 - sqrt(1/2) k is 0. Beyond that 1 - p is either exact or, in any rounding, above 1/2 and below sqrt(1/2). */
SL_INLINE c_log_parts c_log_parts_of_other(vf p)
{
    vf one = v_set1(1), s = v_sub(one, p);
    vm nothing = v_eq(s, v_set1(0));
    c_log_parts of = log_scale(v_select(v_le(p, v_set1(0x1.2bec32p-2f)), one, s));
    return (c_log_parts){v_sub(of.k, v_keep(nothing, v_set1(32))), v_fnma(of.f, p, v_sub(of.f, one))};
}

SL_INLINE c_log_parts c_log_parts_select(vm m, c_log_parts a, c_log_parts b)
{
    return (c_log_parts){v_select(m, a.k, b.k), v_select(m, a.f, b.f)};
}

/* At least -100. As above, but with log(1 + f) = 2 atanh z, by its series up to z^11: what is left is z^13 / 13 < 2^-36 of
 * z. 2 + f rounds to the same f32 in one step as in two: where it needs more digits than f64 has, it is next to 2. */
SL_INLINE vw c_log_of_parts(c_log_parts of)
{
    vw one = w_set1(1), f = v_widen(of.f), b = w_add(w_set1(2), f);
    vw r = v_widen(v_div(v_set1(1), v_add(v_set1(2), of.f)));
    vw z = w_mul(f, w_fma(r, w_fnma(r, b, one), r)), zz = w_mul(z, z);
    vw sum = w_fma(w_set1(2.0 / 11), zz, w_set1(2.0 / 9));
    sum = w_fma(w_fma(sum, zz, w_set1(2.0 / 7)), zz, w_set1(2.0 / 5));
    sum = w_fma(w_fma(sum, zz, w_set1(2.0 / 3)), zz, w_set1(2));
    return w_max(w_set1(-100), w_fma(z, sum, w_mul(v_widen(of.k), w_set1(0x1.62e42fefa39efp-1))));
}

#endif

#endif
