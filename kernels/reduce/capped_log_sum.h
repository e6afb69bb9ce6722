/* SPDX-License-Identifier: MIT
 *
 * log_sum.h's statistics of capped logits (softcap.h). The row is read for its maximum, and again for the exponentials of all
 * others: cap tanh(x / cap) is largest where x is, but for a rounding, and any element may stand for the maximum.
 */
#ifndef SL_REDUCE_CAPPED_LOG_SUM_H
#define SL_REDUCE_CAPPED_LOG_SUM_H

#include "maths/softcap.h"
#include "reduce/log_sum.h"

/* The other exponentials of one row, in the frame of its maximum, and that. */
SL_NOINLINE c_acc capped_rest_of_row(const T *x, size_t n, c_softcap cap, num *capped_max)
{
    num top[SL_W];
    reg max = c_set1((num)-INFINITY);
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W)
        max = c_max(load_some(x + i, n - i, (num)-INFINITY), max);
    num largest = c_fold_max(max);
    reg all = c_set1(largest);
    c_store(top, capped_only(all, cap));
    const c_vframe f = c_frame_set1(c_frame_of(top[0]));
    c_acc lanes[SL_PARTS];
    for (size_t j = 0; j < SL_PARTS; j++)
        lanes[j] = c_acc_zero();
    int seen = 0;
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W) {
        reg a = load_some(x + i, n - i, (num)-INFINITY);
        reg e = c_exp_in_frame(c_less_shift(capped_only(a, cap), f), f, c_exp_table_load());
        if (n - i < SL_W)
            e = c_select(c_lt(c_set1(0), c_ones(n - i)), e, c_set1(0));
        if (!seen && c_any(c_eq(a, all))) { /* the first of the largest */
            num lane[SL_W], value[SL_W];
            c_store(lane, a);
            c_store(value, e);
            size_t l = 0;
            while (!(lane[l] == largest))
                l++;
            value[l] = 0;
            e = c_load(value);
            seen = 1;
        }
        lanes[i / SL_W % SL_PARTS] = c_acc_add(lanes[i / SL_W % SL_PARTS], c_widen(e));
    }
    *capped_max = top[0];
    return c_acc_fold(lanes);
}

/* Of SL_W rows side by side, classes `step` apart. */
SL_NOINLINE c_acc capped_rest_of_columns(const T *x, size_t classes, size_t step, size_t n, c_softcap cap,
                                         reg *capped_max)
{
    reg max = c_set1((num)-INFINITY), seen = c_set1(0), one = c_set1(1);
    for (size_t k = 0; k < classes; k++)
        max = c_max(load_some(x + k * step, n, 0), max);
    *capped_max = capped_only(max, cap);
    const c_vframe f = c_vframe_of(*capped_max);
    c_acc lanes[SL_LANES];
    SL_ROLLED
    for (size_t l = 0; l < SL_LANES; l++)
        lanes[l] = c_acc_zero();
    SL_ROLLED
    for (size_t k = 0; k < classes; k++) {
        reg a = load_some(x + k * step, n, 0);
        reg e = c_exp_in_frame(c_less_shift(capped_only(a, cap), f), f, c_exp_table_load());
        mask first = c_andnot(c_eq(a, max), c_lt(c_set1(0), seen));
        seen = c_select(first, one, seen);
        e = c_select(first, c_set1(0), e);
        lanes[k % SL_LANES] = c_acc_add(lanes[k % SL_LANES], c_widen(e));
    }
    return fold_rows(lanes, least(SL_LANES, classes));
}

/* Of n rows that a walk has from x on; those that are not live stand as in log_sum_of_rows(). */
SL_NOINLINE void capped_log_sums(const T *x, strides in, size_t classes, size_t n, const num *live,
                                 c_softcap cap, row_stats *stats)
{
    reg m, zero = c_set1(0);
    c_acc rest;
    if (in.step == 1) {
        num max[SL_W];
        c_acc_lanes lanes;
        SL_ROLLED
        for (size_t l = 0; l < SL_W; l++) {
            c_acc of_row = c_acc_zero();
            max[l] = 0;
            if (l < n && live[l] != 0)
                of_row = capped_rest_of_row(x + l * in.row, classes, cap, max + l);
            c_acc_put(&lanes, l, of_row);
        }
        m = c_load(max);
        rest = c_acc_join(&lanes);
    } else {
        rest = capped_rest_of_columns(x, classes, in.step, n, cap, &m);
        mask dead = c_eq(c_load(live), zero);
        m = c_select(dead, zero, m);
        rest = c_acc_select(dead, c_acc_zero(), rest);
    }
    m = c_add(m, zero); /* -0 becomes +0 */
    c_vframe f = c_vframe_of(m);
    *stats = stats_from(m, rest, c_exp_in_frame_wide(c_less_shift(m, f), f, c_exp_table_load()));
}

#endif
