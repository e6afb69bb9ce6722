/* SPDX-License-Identifier: MIT
 *
 * log-softmax: y_c = (x_c - m) - log_sum, and log-sum-exp: m + log_sum (log_sum.h).
 *
 * Both terms of log-softmax have one sign, so their errors do not grow. f32: at the maximum the first is 0, and the
 * result is log_sum, with a relative error of 1.22 x 2^-24 (no FMA: 2.58, log_sum.h), and rounded: by up to a whole ULP where
 * it crosses a power of two. Any other element is part of the rest, rest / top >= exp(x_c - m), so that |y_c| >= log 2; and
 * log1p passes on (1 - exp(-s)) / s of a relative error, s = log_sum <= |y_c|: 0.77 ULP (no FMA: 1.63) for |y_c| < 1, less above, and
 * three roundings of 0.75 and 1.0. Bound on any input 2.8 (no FMA: 3.7), tested bound 2.0; f64 3.3 (no FMA: 3.4), where log_sum is just
 * below 1/4, tested 3.0.
 *   worst found (tests/search.c): tests/data/witnesses.txt.
 *
 * Log-sum-exp is one rounding of an f64 sum. f32: tested bound 1.0 of the larger of |m| and the result, found 0.61 (no FMA:
 * 0.87). log_sum may be twice as large as both, if it cancels half of itself against m, and so may its error: 2 x 1.22 (2.58) and
 * a rounding. Bound on any input 3.5 (no FMA: 6.2); f64, just below 1/4 again, 2.9 of the sum, 1.4 of the
 * logarithm and a rounding: 5.5 (no FMA: 5.8; tested 2.0).
 *
 * Classes that are cut off (exp_f32.h) are missing from the rest: where that is all that there is, log_sum is 0, and up to
 * 2^-153 for each of them was right.
 */
#ifndef SL_KERNEL_LOG_SOFTMAX_H
#define SL_KERNEL_LOG_SOFTMAX_H

#include "reduce/log_sum.h"
#include "reduce/wide_rows.h"

SL_INLINE void log_softmax_strip_of(const strip *s, T *y, const row_stats *stats, int safe, strip_options o)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    reg max[STRIP_VECTORS], log_sum[STRIP_VECTORS];
    mask number[STRIP_VECTORS];
    int numbers = 1; /* the rule: no selection */
    size_t vectors = strip_vectors_for(s, o);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++) {
        log_sum[k] = log_sum_of(stats + k, safe);
        number[k] = c_eq(log_sum[k], log_sum[k]);
        numbers = numbers && c_all(number[k]);
        max[k] = c_keep(c_lt(c_set1((num)-INFINITY), stats[k].max), stats[k].max);
    }
    for (size_t c = 0; c < s->classes; c++) {
        SL_UNROLL_VECTORS
        for (size_t k = 0; k < vectors; k++) {
            reg a = c_sub(c_sub(strip_load(s, c, k, o), max[k]), log_sum[k]);
            if (!numbers)
                a = c_select(number[k], a, c_set1((num)NAN));
            strip_store(s, y, c, k, a, o);
        }
    }
}

SL_NOINLINE void log_softmax_strip(const strip *s, T *y, int nontemporal, const row_stats *stats, int safe)
{
    if (is_transposed(s))
        log_softmax_strip_of(s, y, stats, safe, (strip_options){.whole = 1, .single = 1, .transposed = 1});
    else if (s->rows < SL_W)
        log_softmax_strip_of(s, y, stats, safe, (strip_options){.whole = 0, .single = 1});
    else
        log_softmax_strip_of(s, y, stats, safe, (strip_options){.whole = 1, .nontemporal = nontemporal});
}

SL_NOINLINE void log_softmax_short_rows(const T *x, T *y, sl_shape shape, int safe)
{
    const size_t rows = shape.outer, classes = shape.classes, in = pitch_in(shape), out = pitch_out(shape);
    T transposed[SL_SHORT * SL_W];
    int nontemporal = short_rows_nontemporal(y, shape);
    for (size_t r = 0; r < rows; r += SL_W) {
        transpose_in(x + r * in, classes, in, rows - r, NULL, transposed);
        strip s = strip_of_transposed(transposed, classes);
        row_stats stats[STRIP_VECTORS];
        strip_log_sum(&s, stats);
        log_softmax_strip(&s, transposed, CACHED, stats, safe);
        transpose_out(transposed, classes, rows - r, y + r * out, out, nontemporal);
    }
    if (nontemporal)
        stream_end();
}

/* A row's second pass. One whose log_sum is NaN is NaN. */
SL_INLINE void emit_log(const T *x, T *y, size_t n, num max, num log_sum)
{
    const pending_row row = {.x = x, .y = y, .max = max, .log_sum = log_sum};
    if (log_sum != log_sum)
        fill_row(y, n, (num)NAN);
    else
        emit_row(&row, n, EMIT_LOG, CACHED);
}

/* From row `first` on. */
SL_NOINLINE void log_softmax_few(const T *x, T *y, const sl_shape *shape, size_t first, int safe)
{
    const size_t classes = shape->classes, in = pitch_in(*shape), out = pitch_out(*shape);
    log_sum_rows state;
    log_sum_rows_init(&state, classes, EMIT_LOG);
    for (size_t r = first; r < shape->outer; r++) {
        row_group row = {.x = x + r * in, .classes = classes, .n = 1};
        row_sums of_row;
        log_sum_of_row(&state, &row, &of_row);
        row_stats s = stats_of_row(&of_row);
        emit_log(row.x, y + r * out, classes, of_row.max > (num)-INFINITY ? of_row.max : 0,
                 first_num(log_sum_of(&s, safe)));
    }
}

/* Groups of rows are done in pairs: beside the reading of one, the one before is written. */
SL_NOINLINE void log_softmax_rows(const T *x, T *y, sl_shape shape, int safe)
{
    size_t many = rows_at_once(shape), classes = shape.classes, in = pitch_in(shape), out = pitch_out(shape);
    log_sum_rows rows;
    log_sum_rows_init(&rows, classes, EMIT_LOG);
    rows.later.nontemporal = rows_nontemporal(y, shape);
    for (size_t r = 0; r < shape.outer; r += many) {
        row_group group = {
            .x = x + r * in, .classes = classes, .pitch = in, .n = least(many, shape.outer - r)};
        row_stats s;
        log_sum_of_rows(&rows, &group, &s);
        num max[SL_W], log_sum[SL_W];
        c_store(max, c_keep(c_lt(c_set1((num)-INFINITY), s.max), s.max));
        c_store(log_sum, log_sum_of(&s, safe));
        SL_ROLLED
        for (size_t l = 0; l < group.n; l++) {
            T *to = y + (r + l) * out;
            if (log_sum[l] != log_sum[l]) {
                fill_row(to, classes, (num)NAN);
                continue;
            }
            rows.later.row[rows.later.n++] =
                (pending_row){.x = x + (r + l) * in, .y = to, .max = max[l], .log_sum = log_sum[l]};
        }
    }
    emit_rows(&rows.later, classes, EMIT_LOG);
    if (rows.later.nontemporal)
        stream_end();
}

SL_NOINLINE void log_softmax_strips(const T *x, T *y, sl_shape shape, int safe)
{
    walk w = walk_of(shape);
    int nontemporal = strips_nontemporal(y, shape), prefetch = strips_prefetch(y, shape);
    for (size_t b = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += n) {
            row_stats stats[STRIP_VECTORS];
            n = strip_rows(w.rows - i);
            T *to = y + b * w.out.block + i;
            strip s = {x + b * w.in.block + i, prefetch ? to : NULL, shape.classes, w.in.step, n, w.out.step};
            strip_log_sum(&s, stats);
            log_softmax_strip(&s, to, nontemporal && round_down_to_lines(n) == n, stats, safe);
        }
    if (nontemporal)
        stream_end();
}

SL_NOINLINE void log_softmax_any(const T *x, T *y, const sl_shape *shape, int safe)
{
    const size_t rows = shape->outer, classes = shape->classes;
    if (classes == 0)
        return;
    if (!contiguous_rows(*shape)) {
        log_softmax_strips(x, y, *shape, safe);
        return;
    }
    const size_t grouped = use_nontemporal(y, rows * classes) ? rows : rows_in_groups(rows, classes);
    if (grouped < rows)
        log_softmax_few(x, y, shape, grouped, safe);
    if (grouped > 0) {
        sl_shape groups = *shape;
        groups.outer = grouped;
        if (are_transposed(groups))
            log_softmax_short_rows(x, y, groups, safe);
        else
            log_softmax_rows(x, y, groups, safe);
    }
}

SL_STATIC void log_softmax(const T *x, T *y, const sl_shape *shape)
{
    log_softmax_any(x, y, shape, NAN_ROWS);
}
SL_STATIC void log_softmax_safe(const T *x, T *y, const sl_shape *shape)
{
    log_softmax_any(x, y, shape, SAFE_ROWS);
}

/* With results of the arithmetic's type. */
SL_STATIC void log_softmax_wide(const T *x, num *y, const sl_shape *shape)
{
#if SL_16_BITS
    log_softmax_wide_any(x, y, *shape);
#else
    log_softmax_any(x, y, shape, NAN_ROWS);
#endif
}

#endif
