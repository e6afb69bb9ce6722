/* SPDX-License-Identifier: MIT
 *
 * Partial statistics of a row, and softmax from those of the whole row (row_statistics.h).
 *
 * Both parts of a sum may come from other frames: what is kept is the ratio rest / top, and S = top (1 + rest)
 * in the frame of the whole row's maximum, top as the elements of softmax are: one column is exactly 1.
 *
 * So apply has one exponential's error more than softmax, that of top, and its sum those of the rest, 1.22 x 2^-24 (no FMA:
 * 2.58): 1.06 + 1.06 + 1.22 + 1.0 ULP, and with FMA 0.5 among the denormals: bound on any input 4.9 (6.4), tested 3.0 (3.5). f64:
 * 1.41 + 1.41 + 4.68 (no FMA: 1.46 and 4.78), since rest is rounded three times (a quotient, times f, over f), and 1.0: 9.1 (8.7),
 * tested 5.0, found 6.36. The log-sum-exp of
 * statistics, of the larger of itself and the maximum (log_softmax.h), is not rounded to f32: 2.5 (5.2), tested 2.0; f64
 * 2 x 4.68, the logarithm's own, and two roundings that may cross a power of two: 12.8 (13.1), tested 3.0, found 6.52.
 */
#ifndef SL_KERNEL_PARTIAL_H
#define SL_KERNEL_PARTIAL_H

#include "reduce/row_statistics.h"

SL_STATIC void softmax_stats(const T *x, size_t n, sl_stats *stats)
{
    log_sum_rows rows;
    if (n == 0) {
        *stats = stats_of_nothing();
        return;
    }
    log_sum_rows_init(&rows, n, EMIT_LOG);
    stats_of_rows(&rows, &(stats_rows){.x = x, .classes = n, .pitch = n, .n = 1}, stats);
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
