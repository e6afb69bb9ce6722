/* SPDX-License-Identifier: MIT
 *
 * Class weights, their sum without one of them, and the entries of a gradient that are formed of such sums.
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

#endif
