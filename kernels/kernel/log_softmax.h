/* SPDX-License-Identifier: MIT
 *
 * log-softmax: y_c = (x_c - m) - log_sum, and log-sum-exp: m + log_sum (stats.h).
 *
 * Both terms of log-softmax have one sign, so their errors do not grow. f32: at the maximum the first is 0, and the
 * result is log_sum, with a relative error of 2.18 x 2^-24 (no FMA: 2.29, stats.h), and rounded: by up to a whole ULP where
 * it crosses a power of two. Any other element is part of the rest, rest / top >= exp(x_c - m), so that |y_c| >= log 2; and
 * log1p passes on (1 - exp(-s)) / s of a relative error, s = log_sum <= |y_c|: 1.37 ULP for |y_c| < 1, less above, and three
 * roundings of 0.75 and 1.0. Bound on any input 3.2 (no FMA: 3.4), tested bound 2.0; f64 2.6, bound 3.0.
 *   worst found (tests/search.c): 3.07, of 64 elements, [0] 0x1.b8d444p+2 [1] -0x1.b08e52p+2 [2] -0x1.b0fdb6p+3 [16] and
 *   [48] -0x1.006c62p+4 [32] 0x1.4cccf2p-1, the others -inf, at [0].
 *
 * Log-sum-exp is one rounding of an f64 sum. f32: tested bound 1.0 of the larger of |m| and the result, found 0.61. log_sum
 * may be twice as large as both, if it cancels half of itself against m, and so may its error: 2 x 2.18 and a rounding. Bound
 * on any input 5.4 (no FMA: 5.6); f64 2 x (1.25 + 0.39) and a rounding: 4.3 (tested 2.0).
 *
 * Classes that are cut off (exp_f32.h) are missing from the rest: where that is all that there is, log_sum is 0, and up to
 * 2^-153 for each of them was right.
 */
#ifndef SL_KERNEL_LOG_SOFTMAX_H
#define SL_KERNEL_LOG_SOFTMAX_H

#include "reduce/stats.h"

/* log_sum as it is to be subtracted: infinite for an all -inf row that is safe, so that its result is -inf. A zero is -0:
 * -0 less that is +0. */
SL_INLINE reg log_sum_of(row_stats s, int safe)
{
    reg log_sum = c_narrow(c_acc_value(s.log_sum));
    log_sum = c_select(c_eq(log_sum, c_set1(0)), c_set1((num)-0.0), log_sum);
    return safe ? c_select(all_minus_inf(s), c_set1((num)INFINITY), log_sum) : log_sum;
}

/* Rows side by side, as in stats.h. */
SL_INLINE void log_softmax_side(const T *x, T *y, size_t classes, size_t step, size_t registers, size_t n,
                                int full, int streaming, const row_stats *stats, int safe)
{
    reg max[ABREAST], log_sum[ABREAST];
    mask number[ABREAST];
    int numbers = 1; /* the rule: no selection */
    for (size_t k = 0; k < registers; k++) {
        log_sum[k] = log_sum_of(stats[k], safe);
        number[k] = c_eq(log_sum[k], log_sum[k]);
        numbers = numbers && c_all(number[k]);
        max[k] = c_keep(c_lt(c_set1((num)-INFINITY), stats[k].max), stats[k].max);
    }
    for (size_t c = 0; c < classes; c++)
        for (size_t k = 0; k < registers; k++) {
            size_t at = c * step + k * SL_W;
            reg a = c_sub(c_sub(load_part(x + at, n, full, 0), max[k]), log_sum[k]);
            if (!numbers)
                a = c_select(number[k], a, c_set1((num)NAN));
            if (full)
                put(y + at, a, streaming);
            else
                store_part(y + at, a, n, 0);
        }
}

SL_STATIC void log_softmax_short_rows(const T *x, T *y, size_t rows, size_t classes, int safe)
{
    c_exp_table table = c_exp_table_load();
    T side[SL_BLOCK * SL_W];
    int streaming = short_rows_stream(y, rows * classes);
    for (size_t r = 0; r < rows; r += SL_W) {
        lay_side(x + r * classes, classes, rows - r, NULL, side);
        row_stats s = stats_side(side, classes, SL_W, SL_W, table);
        log_softmax_side(side, side, classes, SL_W, 1, SL_W, 1, 0, &s, safe);
        lay_back(side, classes, rows - r, y + r * classes, streaming);
    }
    if (streaming)
        stream_end();
}

/* Groups of rows are done in pairs: beside the reading of one, the one before is written. */
SL_STATIC void log_softmax_rows(const T *x, T *y, sl_shape shape, int safe)
{
    c_exp_table table = c_exp_table_load();
    c_frame guess = {0, 0};
    size_t many = rows_at_once(shape), classes = shape.classes;
    seen_rows before = {.what = LOGS, .streaming = streams(y, shape.outer * classes)};
    for (size_t r = 0; r < shape.outer; r += many) {
        size_t n = least(many, shape.outer - r);
        row_stats s = stats_rows(x + r * classes, NULL, classes, n, NULL, &guess, &before, table);
        num max[SL_W], log_sum[SL_W];
        c_store(max, c_keep(c_lt(c_set1((num)-INFINITY), s.max), s.max));
        c_store(log_sum, log_sum_of(s, safe));
        before.n = 0;
        for (size_t l = 0; l < n; l++) {
            size_t at = (r + l) * classes;
            if (log_sum[l] != log_sum[l]) {
                fill_row(y + at, classes, (num)NAN);
                continue;
            }
            seen_row *row = before.row + before.n++;
            row->x = x + at;
            row->y = y + at;
            row->max = max[l];
            row->log_sum = log_sum[l];
        }
    }
    second_passes(&before, classes, table);
    if (before.streaming)
        stream_end();
}

SL_STATIC void log_softmax_axis(const T *x, T *y, sl_shape shape, int safe)
{
    c_exp_table table = c_exp_table_load();
    walk w = walk_of(shape);
    int streaming = axis_streams(y, shape), fetching = axis_fetches(y, shape);
    for (size_t b = 0; b < w.blocks; b++, x += w.block_stride, y += w.block_stride)
        for (size_t i = 0, n; i < w.rows; i += n) {
            row_stats s[ABREAST];
            n = rows_abreast(w.rows - i);
            if (n == PANEL) {
                stats_panel(x + i, fetching ? y + i : NULL, shape.classes, w.step, table, s);
                if (streaming)
                    log_softmax_side(x + i, y + i, shape.classes, w.step, ABREAST, SL_W, 1, 1, s, safe);
                else
                    log_softmax_side(x + i, y + i, shape.classes, w.step, ABREAST, SL_W, 1, 0, s, safe);
            } else {
                s[0] = stats_side(x + i, shape.classes, w.step, n, table);
                if (n == SL_W)
                    log_softmax_side(x + i, y + i, shape.classes, w.step, 1, SL_W, 1, 0, s, safe);
                else
                    log_softmax_side(x + i, y + i, shape.classes, w.step, 1, n, 0, 0, s, safe);
            }
        }
    if (streaming)
        stream_end();
}

SL_NOINLINE void log_softmax_any(const T *x, T *y, sl_shape shape, int safe)
{
    if (shape.classes == 0)
        return;
    if (side_rows(shape))
        log_softmax_short_rows(x, y, shape.outer, shape.classes, safe);
    else if (shape.inner == 1)
        log_softmax_rows(x, y, shape, safe);
    else
        log_softmax_axis(x, y, shape, safe);
}

SL_STATIC void log_softmax(const T *x, T *y, sl_shape shape) { log_softmax_any(x, y, shape, 0); }
SL_STATIC void log_softmax_safe(const T *x, T *y, sl_shape shape) { log_softmax_any(x, y, shape, 1); }

#endif
