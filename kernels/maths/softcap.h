/* SPDX-License-Identifier: MIT
 *
 * Capped logits, y = cap tanh(x / cap), and how they change with x, 1 - tanh^2: with m = exp(2 |x| / cap) - 1 (tanh.h)
 *
 *   q = 2 / (m + 2),   |y| = cap m q / 2,   1 - tanh^2 = q (2 - q),  or far out  r^2,  r = 2 exp(-|x| / cap)
 *
 * Nothing cancels; and these two factors, one after the other, take a gradient to its denormals in one rounding. In units of 2^-24
 * (f64: 2^-53), relative to y: 1 / cap, its product with x, m + 2, q and its product with m have 1.0 each where they count,
 * m at most 1.4 x 0.83, cap and its product 1.0 each: no more than 5 ULP in all. 1 - tanh^2 has besides, since x / cap is rounded,
 * 2 |x| / cap of that.
 */
#ifndef SL_MATHS_SOFTCAP_H
#define SL_MATHS_SOFTCAP_H

#include "maths/tanh.h"

#define CAP_MOST (SL_F64 ? 700 : 86) /* of an exponent */
#define CAP_FAR                                                                                              \
    (SL_F64 ? 300 : 40) /* |x| / cap from which on tanh is 1, and 1 - tanh^2 is 4 exp(-2 |x| / cap) */

typedef struct {
    num cap, inverse, most; /* cap; 1 / cap; CAP_MOST cap */
} c_softcap;

SL_INLINE c_softcap softcap_of(double cap)
{
    return (c_softcap){(num)cap, (num)(1 / cap), (num)(cap * CAP_MOST)};
}

/* Factors of 1 - tanh^2. */
typedef struct {
    reg a, b;
} cap_slope;

SL_INLINE reg c_capped(reg x, c_softcap c, cap_slope *slope)
{
    reg z = c_mul(c_min(c_set1(c.most), c_abs(x)), c_set1(c.inverse)), two = c_set1(2);
    reg m = expm1_positive(c_min(c_set1(CAP_MOST), c_add(z, z))), q = c_div(two, c_add(m, two));
    *slope = (cap_slope){q, c_sub(two, q)};
    mask far = c_lt(c_set1(CAP_FAR), z);
    if (c_any(far)) {
        reg r = c_div(two, c_add(expm1_positive(c_min(c_set1(CAP_MOST), z)), c_set1(1)));
        *slope = (cap_slope){c_select(far, r, slope->a), c_select(far, r, slope->b)};
    }
    return with_sign_of(c_mul(c_set1(c.cap), c_mul(c_mul(m, c_set1((num)0.5)), q)), x);
}

/* Without them. */
SL_INLINE reg capped_only(reg x, c_softcap c)
{
    cap_slope unused;
    return c_capped(x, c, &unused);
}

/* The same, one copy for all who do it rarely, and for their stacks. */
SL_RARE reg capped_apart(reg x, c_softcap c, cap_slope *slope) { return c_capped(x, c, slope); }
SL_RARE reg capped_logit(reg x, c_softcap c) { return capped_only(x, c); }

SL_INLINE reg c_times_slope(reg a, cap_slope s) { return c_mul(c_mul(a, s.a), s.b); }
SL_INLINE vw w_times_slope(vw a, cap_slope s) { return w_mul(w_mul(a, c_widen(s.a)), c_widen(s.b)); }

#endif
