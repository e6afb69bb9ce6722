/* SPDX-License-Identifier: MIT
 *
 * Partial statistics of a row, and softmax from those of the whole row (exact.h, log_sum.h).
 *
 * Both parts of a sum may come from other frames: what is kept is the ratio rest / top, and S = top (1 + rest)
 * in the frame of the whole row's maximum, top as the elements of softmax are: one column is exactly 1.
 *
 * So apply has one exponential's error more than softmax, that of top, and its sum those of the rest, 2.18 x 2^-24 (no FMA:
 * 2.58): 1.06 + 1.06 + 2.18 + 1.0 ULP, and with FMA 0.5 among the denormals: bound on any input 5.9 (6.4), tested 3.0 (3.5). f64:
 * 1.41 + 1.41 + 2.41 (no FMA: 1.46 each), since rest is rounded, and 1.0: 6.8 (6.4), tested 5.0, found 6.36. The log-sum-exp of
 * statistics, of the larger of itself and the maximum (log_softmax.h), is not rounded to f32: 4.4 (5.2), tested 2.0; f64
 * 2 x (1.41 + 1.0 + 0.89) and a rounding: 7.6 (7.7), tested 3.0.
 */
#ifndef SL_KERNEL_PARTIAL_H
#define SL_KERNEL_PARTIAL_H

#include "reduce/dot.h"
#include "reduce/log_sum.h"
#include "maths/exact.h"

/* Whether a sum hides behind exponentials: it costs another copy of their pass. */
enum { ADDS_BESIDE_EXPS = !SL_F64 && SL_W > 1 };

/* The first pass over a row in the predicted frame; the sum of its elements. */
SL_INLINE c_acc sum_beside_exps(log_sum_rows *rows, const T *x, size_t n, log_sum_lanes *lanes)
{
    T block[SL_BLOCK];
    c_acc sum;
    if (is_all_end(n)) {
        log_sum_all_end(x, n, lanes);
        return row_sum(x, n);
    }
    if (ADDS_BESIDE_EXPS && n >= SL_BLOCK) {
        log_sum_row_total(&rows->reader, x, rows->predicted, lanes, &sum);
        return sum;
    }
    const T *all = n < SL_BLOCK ? whole_block(x, n, block, SL_BLOCK) : x;
    log_sum_row_alone(&rows->reader, all, rows->predicted, lanes);
    return row_sum(x, n);
}

SL_STATIC void softmax_stats(const T *x, size_t n, sl_stats *stats)
{
    if (n == 0) {
        *stats = stats_of_nothing();
        return;
    }
    log_sum_lanes lanes;
    log_sum_rows rows;
    row_group row = {.x = x, .classes = n, .n = 1};
    log_sum_rows_init(&rows, n, EMIT_LOG);
    c_acc sum = sum_beside_exps(&rows, x, n, &lanes);
    num max = c_largest(lanes.max, largest_parts(n));
    exact_power exp_max = exact_exp_of_max(max); /* takes long: little of what follows waits for it */
    row_end end = log_sum_checked_end(&rows, &row, 0, max, rows.predicted, &lanes);
    reg m = c_set1(max);
    c_vframe f = c_vframe_of(m);
    c_acc top = c_exp_in_frame_wide(c_sub(m, f.shift), f, c_exp_table_load());
    c_acc rest = c_acc_merge(c_row_in_all(end.rest), c_acc_times(top, w_set1(end.equal - 1)));
    double ratio = first_lane(c_acc_value(c_acc_over(rest, top)));
    int nothing = first_lane(c_acc_value(rest)) == 0 && max == (num)-INFINITY;
    *stats = stats_pack(nothing || ratio == ratio ? max : (double)NAN, exp_max, nothing ? 0 : ratio,
                        first_lane(c_acc_value(sum)), n);
}

SL_STATIC void softmax_apply(const T *x, T *y, size_t n, const sl_stats *stats)
{
    c_frame frame = c_frame_of((num)stats->max);
    c_vframe f = c_frame_set1(frame);
    vw top = c_widen(c_exp_in_frame(c_sub(c_set1((num)stats->max), f.shift), f, c_exp_table_load()));
    c_acc sum = c_acc_times(c_acc_add(c_acc_of(w_set1(1)), w_set1(stats->rest)), top);
    factor_lanes factors = factors_of(c_reciprocal_of(sum));
    pending_row row = {.x = x, .y = y, .frame = frame, .target = SIZE_MAX};
    row.k = factor_at(&factors, 0);
    if (!(first_lane(c_acc_value(sum)) > 0)) {
        fill_row(y, n, (num)NAN);
        return;
    }
    int nontemporal = use_nontemporal(y, n);
    emit_row(&row, n, EMIT_PRODUCT, nontemporal);
    if (nontemporal)
        stream_end();
}

#endif
