/* SPDX-License-Identifier: MIT
 *
 * Class weights, their sum without one of them, and the entries of a gradient that are formed of such sums, or less a share.
 */
#ifndef SL_REDUCE_CLASS_WEIGHTS_H
#define SL_REDUCE_CLASS_WEIGHTS_H

#include "schedule/parts.h"
#include "maths/lane_folds.h"

/* The sum of the class weights: the largest, and all others. What is left of that without any one of them loses no more than
 * a bit. */
typedef struct {
    vw largest;
    c_acc others;
} weight_sum;

SL_NOINLINE weight_sum weights_of(const num *weight, size_t classes)
{
    if (!weight)
        return (weight_sum){w_set1(1), c_acc_of(w_set1((double)(int64_t)classes - 1))};
    reg top = c_set1((num)-INFINITY);
    for (size_t i = 0; i < classes; i += SL_W)
        top = c_max(c_load_n(weight + i, classes - i, (num)-INFINITY), top);
    num largest = c_fold_max(top);
    size_t at = 0;
    while (at < classes && weight[at] != largest)
        at++;
    c_acc others[SL_PARTS];
    for (size_t j = 0; j < SL_PARTS; j++)
        others[j] = c_acc_zero();
    for (size_t i = 0; i < classes; i += SL_LANES)
        for (size_t j = 0; j < SL_PARTS; j++) {
            size_t first = least(i + j * SL_W, classes);
            num w[SL_W];
            c_store(w, c_load_n(weight + first, classes - first, 0));
            if (at - first < SL_W)
                w[at - first] = 0;
            others[j] = c_acc_add(others[j], c_widen(c_load(w)));
        }
    return (weight_sum){w_set1(at < classes ? largest : 0), c_acc_fold(others)};
}

/* Without w. */
SL_INLINE vw other_weights(weight_sum sum, vw w)
{
    c_acc rest = c_acc_minus(c_acc_add(sum.others, sum.largest), c_acc_of(w));
    return w_select(w_eq(w, sum.largest), c_acc_value(sum.others), c_acc_value(rest));
}

/* u (p (W - q) - (1 - p) q), canonical, from what each of the terms is made of; 0 where not wanted. */
SL_INLINE reg entry_of(vw up, vw p, vw q_others, vw p_others, vw q, mask none)
{
    vw value = w_fnma(w_mul(up, q), p_others, w_mul(w_mul(up, q_others), p));
    return c_canonical(c_select(none, c_set1(0), c_narrow(value)));
}

#if SL_F64
SL_INLINE int are_wide(vw own, vw share) { return (void)own, (void)share, 0; }
#else
/* Whether f32 has all digits of these, or they are 0. */
SL_INLINE wm is_in_range(vw a)
{
    vw size = w_select(w_eq(a, w_set1(0)), w_set1(1), w_abs(a));
    return w_eq(size, w_max(w_set1(0x1p-126), w_min(w_set1(0x1p126), size)));
}

/* Whether these would be rounded among the denormals, or to infinities. */
SL_INLINE int are_wide(vw own, vw share) { return !wm_all(is_in_range(own)) || !wm_all(is_in_range(share)); }

/* A product less w_c (own t_c + share), where f32 has not got all digits of u (1 - s) or u s / classes and weights bring them back:
 * rounded once. In lanes where it has, `less`. */
SL_RARE reg less_wide_share(reg product, reg less, reg t, reg weight, vw own, vw share)
{
    vw q = w_mul(v_widen(weight), w_fma(own, v_widen(t), share));
    wm wide = w_lt(w_set1(1), w_add(w_select(is_in_range(own), w_set1(1), w_set1(2)),
                                    w_select(is_in_range(share), w_set1(0), w_set1(1))));
    reg is_wide = v_narrow(w_keep(wide, w_set1(1)));
    return v_select(v_lt(v_set1(0), is_wide), v_narrow(w_sub(v_widen(product), q)), less);
}
#endif

#endif
