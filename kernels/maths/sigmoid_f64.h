/* SPDX-License-Identifier: MIT
 *
 * sigmoid in f64: see sigmoid.h.
 */
#ifndef SL_MATHS_SIGMOID_F64_H
#define SL_MATHS_SIGMOID_F64_H

#include "maths/exp_f64.h"

typedef struct {
    vw value, more, root; /* of the result: (value + more) * root * root */
} c_scaled;

#define SL_HAS_GRAD_OF_EXP 0

typedef int c_tables;
SL_INLINE c_tables c_tables_load(void) { return 0; }

SL_INLINE int c_sigmoid_is_wide(const vw *x, size_t registers)
{
    (void)x;
    (void)registers;
    return 1;
}

SL_INLINE c_scaled c_sigmoid_of(vw x, int wide, c_tables tables)
{
    (void)wide;
    (void)tables;
    vw one = w_set1(1), a = w_min(w_set1(1460), w_abs(x));
    wm huge = w_lt(w_set1(512), a);
    vw first = w_select(huge, w_set1(0), one), root = w_select(huge, w_set1(0x1p-600), one);
    w_acc e = w_exp_sum(w_exp_absolute(a, w_select(huge, w_set1(W_EXP_MAGIC - 1200), w_set1(W_EXP_MAGIC))));
    vw high = w_add(first, e.sum), low = w_add(w_sub(first, w_sub(high, e.sum)), e.lost);
    vw q = w_div(one, SL_FMA ? high : w_add(high, low)), more = w_set1(0);
#if SL_FMA
    more = w_mul(q, w_fnma(q, low, w_fnma(q, high, one)));
#endif
    /* 1 - (q + more) in one rounding; q is far below 1 where it is scaled */
    vw rough = w_sub(one, w_mul(w_mul(q, root), root));
    vw above = w_add(rough, w_sub(w_sub(w_sub(one, rough), q), more));
    above = w_select(huge, rough, above);
    wm below = w_lt(x, w_set1(0)), number = w_nle(w_set1((double)INFINITY), w_abs(x));
    return (c_scaled){w_select(below, w_keep(number, q), above), w_keep(below, w_keep(number, more)),
                      w_select(below, root, one)};
}
SL_INLINE c_scaled c_sigmoid(vw x, c_tables tables) { return c_sigmoid_of(x, 1, tables); }

/* The result itself, and its product with any g: a large g takes one root before the value. */
SL_INLINE vw c_unscaled(c_scaled s)
{
    vw sum = w_add(s.value, s.more), zero = w_set1(0);
    wm scaled = w_lt(s.root, w_set1(1));
    if (SL_FMA &&
        wm_any(scaled)) { /* what will be denormal is rounded once, where that ends: 2^-1074 / root^2 */
        vw end = w_set1(0x1p178), high = w_add(end, s.value), low = w_sub(s.value, w_sub(high, end));
        vw cut = w_sub(w_add(high, w_add(low, s.more)), end);
        sum = w_select(w_lt(s.value, w_select(scaled, w_set1(0x1p178), zero)), cut, sum);
    }
    return w_mul(w_mul(sum, s.root), s.root);
}
SL_INLINE vw c_times_scaled(vw g, c_scaled s)
{
    vw one = w_set1(1), first = w_select(w_lt(w_abs(g), one), one, s.root);
    vw last = w_select(w_lt(w_abs(g), one), s.root, one);
    return w_mul(w_mul(w_mul(w_mul(g, first), w_add(s.value, s.more)), s.root), last);
}

/* no sigmoid(x) - yes sigmoid(-x), where the terms may cancel: as in sigmoid_f32.h. */
SL_INLINE vw c_soft_grad(vw x, vw no, vw yes, c_tables tables)
{
    vw q = c_unscaled(c_sigmoid(w_sub(w_set1(-0.0), w_abs(x)), tables)), part = w_mul(w_add(no, yes), q);
    return w_select(w_lt(x, w_set1(0)), w_sub(part, yes), w_sub(no, part));
}

#endif
