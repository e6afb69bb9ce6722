/* SPDX-License-Identifier: MIT
 *
 * An f64 and what it lost in rounding, side by side SL_W of them: a sum (Knuth's two-sum, Dekker's product), good to 2^-100 or so.
 */
#ifndef SL_MATHS_PAIR_F64_H
#define SL_MATHS_PAIR_F64_H

#include "isa/isa.h"

/* ln 2; the first part has 36 bits. */
#define W_LN2_HI 0x1.62e42fefap-1
#define W_LN2_LO 0x1.cf79abc9e3b3ap-40

typedef struct {
    vw sum, lost;
} w_acc;

SL_INLINE vw w_upper_half(vw a) { return w_float(wu_and(w_bits(a), wu_set1(0xfffffffff8000000))); }

/* a b - product, for product = a b rounded: exactly, far from the ends of the range. */
SL_INLINE vw w_product_lost(vw a, vw b, vw product)
{
#if SL_FMA
    return w_fma(a, b, w_sub(w_set1(-0.0), product));
#else
    vw a_upper = w_upper_half(a), a_lower = w_sub(a, a_upper);
    vw b_upper = w_upper_half(b), b_lower = w_sub(b, b_upper);
    vw lost = w_sub(w_mul(a_upper, b_upper), product);
    lost = w_add(w_add(lost, w_mul(a_upper, b_lower)), w_mul(a_lower, b_upper));
    return w_add(lost, w_mul(a_lower, b_lower));
#endif
}

SL_INLINE w_acc w_acc_of(vw a) { return (w_acc){a, w_set1(0)}; }

SL_INLINE w_acc w_acc_zero(void) { return (w_acc){w_set1(0), w_set1(0)}; }
SL_INLINE w_acc w_acc_add(w_acc s, vw a)
{
    vw sum = w_add(s.sum, a), there = w_sub(sum, s.sum);
    vw lost = w_add(w_sub(s.sum, w_sub(sum, there)), w_sub(a, there));
    return (w_acc){sum, w_add(s.lost, lost)};
}
SL_INLINE w_acc w_acc_merge(w_acc a, w_acc b)
{
    w_acc s = w_acc_add(a, b.sum);
    s.lost = w_add(s.lost, b.lost);
    return s;
}
/* Where the sum is not finite its error is NaN and means nothing. */
SL_INLINE vw w_acc_value(w_acc s)
{
    vw value = w_add(s.sum, s.lost);
    return w_select(w_lt(w_abs(s.sum), w_set1((double)INFINITY)), value, s.sum);
}
SL_INLINE vw w_acc_rest(w_acc s, vw part)
{
    vw rest = w_sub(s.sum, part);
    return w_select(w_lt(w_abs(s.sum), w_set1((double)INFINITY)), w_add(rest, s.lost), rest);
}
SL_INLINE w_acc w_acc_minus(w_acc a, w_acc b)
{
    vw minus = w_set1(-0.0);
    return w_acc_merge(a, (w_acc){w_sub(minus, b.sum), w_sub(minus, b.lost)});
}
SL_INLINE w_acc w_acc_times(w_acc a, vw b)
{
    vw product = w_mul(a.sum, b);
    return (w_acc){product, w_add(w_product_lost(a.sum, b, product), w_mul(a.lost, b))};
}
SL_INLINE w_acc w_acc_over(w_acc a, w_acc b)
{
    vw quotient = w_div(a.sum, b.sum), product = w_mul(quotient, b.sum);
    vw rest = w_sub(w_sub(a.sum, product), w_product_lost(quotient, b.sum, product));
    return (w_acc){quotient, w_div(w_add(rest, w_sub(a.lost, w_mul(quotient, b.lost))), b.sum)};
}
SL_INLINE w_acc w_acc_select(wm m, w_acc a, w_acc b)
{
    return (w_acc){w_select(m, a.sum, b.sum), w_select(m, a.lost, b.lost)};
}

SL_INLINE double first_lane(vw a)
{
    double lane[SL_W];
    w_store(lane, a);
    return lane[0];
}

#endif
