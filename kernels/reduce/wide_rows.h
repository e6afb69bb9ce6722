/* SPDX-License-Identifier: MIT
 *
 * softmax and log-softmax of 16 bits with results of 32: what the kernels of f32 give of the widened elements, to the last
 * bit. The results have room for the exponentials, each in its place.
 */
#ifndef SL_REDUCE_WIDE_ROWS_H
#define SL_REDUCE_WIDE_ROWS_H

#include "reduce/exp_sum.h"
#include "reduce/log_sum.h"
#include "reduce/strip_exp_sum.h"
#include "schedule/transpose.h"

SL_RARE void wide_fill(num *y, size_t n, num value)
{
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W)
        keep_some(y + i, c_set1(value), n - i);
}

/* ---- softmax ---- */

/* A row's exponentials and their sum; returns its maximum. */
SL_INLINE num wide_exps_of(const T *x, num *e, size_t n, c_frame frame, exp_options o, c_row_acc *sum)
{
    T block[SL_BLOCK];
    num last[SL_BLOCK];
    exp_lanes lanes;
    c_vframe f = c_frame_set1(frame);
    size_t i = 0;
    exp_lanes_init(&lanes);
    for (; i + SL_BLOCK <= n; i += SL_BLOCK) {
        prefetch_block(x + i, WRITES_BESIDE);
        exp_block(x + i, SL_BLOCK, keep_in_nums, e + i, f, o, &lanes);
    }
    if (i < n) {
        exp_block(whole_block(x + i, n - i, block, SL_BLOCK), n - i, keep_in_nums, last, f, o, &lanes);
        SL_ROLLED
        for (size_t k = 0; i + k < n; k += SL_W)
            keep_some(e + i + k, c_load(last + k), n - i - k);
    }
    *sum = terms_fold(lanes.sum);
    return c_largest(lanes.max, SL_EXP_PARTS);
}

/* Of a short row each element is added in f64. */
SL_NOINLINE num wide_exps_any(const T *x, num *e, size_t n, c_frame frame, c_row_acc *sum)
{
    return wide_exps_of(x, e, n, frame, (exp_options){.shifted = 1, .pairwise = n > SL_SHORT, .in_order = 1},
                        sum);
}

SL_NOINLINE num wide_exps(const T *x, num *e, size_t n, c_frame frame, c_row_acc *sum)
{
    if (n <= SL_SHORT || frame.shift != 0)
        return wide_exps_any(x, e, n, frame, sum);
    return wide_exps_of(x, e, n, frame, (exp_options){.pairwise = 1, .in_order = 1}, sum);
}

SL_INLINE void wide_times(num *y, size_t n, c_factor k)
{
    size_t i = 0;
    for (; i + 4 * SL_W <= n; i += 4 * SL_W) {
        SL_UNROLL
        for (size_t j = 0; j < 4 * SL_W; j += SL_W)
            c_store(y + i + j, c_times_at(y + i + j, k));
    }
    SL_ROLLED
    for (; i < n; i += SL_W)
        keep_some(y + i, c_times(n - i >= SL_W ? c_load(y + i) : c_load_n(y + i, n - i, 0), k), n - i);
}

SL_NOINLINE void softmax_wide_rows(const T *x, num *y, sl_shape shape)
{
    const size_t classes = shape.classes;
    c_frame predicted = {0, 0};
    for (size_t r = 0; r < shape.outer; r++, x += pitch_in(shape), y += pitch_out(shape)) {
        c_row_acc sum;
        c_frame used;
        do {
            used = predicted;
            predicted = c_frame_of(wide_exps(x, y, classes, used, &sum));
        } while (!c_frame_same(used, predicted));
        if (c_row_value(sum) > 0)
            wide_times(y, classes, c_row_reciprocal(sum));
        else
            wide_fill(y, classes, (num)NAN);
    }
}

/* SL_W results, or what a strip has of them. */
SL_INLINE void wide_put(num *y, const strip *s, reg a)
{
    if (s->rows >= SL_W)
        c_store(y, a);
    else
        c_store_n(y, a, s->rows);
}

SL_NOINLINE void softmax_wide_strip(const strip *s, num *y)
{
    strip_end ends[STRIP_VECTORS];
    c_vframe frames[STRIP_VECTORS];
    const strip_options o = {.whole = s->rows >= SL_W};
    strip_first_pass(s, (strip_place){.e = NULL}, frames, ends, NAN_ROWS);
    for (size_t c = 0; c < s->classes; c++)
        SL_ROLLED
    for (size_t k = 0; k < strip_vectors(s); k++) {
        reg e = c_less_shift(strip_load(s, c, k, o), frames[k]);
        e = c_times(c_exp_in_frame(e, frames[k], c_exp_table_load()), ends[k].factor);
        wide_put(y + c * s->step_out + k * SL_W, s, strip_result(e, ends + k));
    }
}

/* ---- log-softmax ---- */

SL_NOINLINE void log_softmax_wide_row(const T *x, num *y, size_t n, num max, num log_sum)
{
    reg m = c_set1(max), sum = c_set1(log_sum);
    size_t i = 0;
    for (; i + 4 * SL_W <= n; i += 4 * SL_W) {
        for (size_t line = 0; line < 4 * SL_W; line += SL_LINE / sizeof(num))
            __builtin_prefetch(y + i + PREFETCH_BYTES / sizeof(num) + line, 1, 3);
        SL_UNROLL
        for (size_t j = 0; j < 4 * SL_W; j += SL_W)
            c_store(y + i + j, c_sub(c_sub(load(x + i + j), m), sum));
    }
    SL_ROLLED
    for (; i < n; i += SL_W)
        keep_some(y + i, c_sub(c_sub(load_some(x + i, n - i, 0), m), sum), n - i);
}

SL_NOINLINE void log_softmax_wide_rows(const T *x, num *y, sl_shape shape)
{
    size_t many = rows_at_once(shape), classes = shape.classes, in = pitch_in(shape);
    log_sum_rows rows;
    log_sum_rows_init(&rows, classes, EMIT_LOG);
    for (size_t r = 0; r < shape.outer; r += many) {
        row_group group = {
            .x = x + r * in, .classes = classes, .pitch = in, .n = least(many, shape.outer - r)};
        row_stats s;
        num max[SL_W], log_sum[SL_W];
        log_sum_of_rows(&rows, &group, &s);
        c_store(max, c_keep(c_lt(c_set1((num)-INFINITY), s.max), s.max));
        c_store(log_sum, log_sum_of(&s, NAN_ROWS));
        SL_ROLLED
        for (size_t l = 0; l < group.n; l++) {
            num *to = y + (r + l) * pitch_out(shape);
            if (log_sum[l] == log_sum[l])
                log_softmax_wide_row(x + (r + l) * in, to, classes, max[l], log_sum[l]);
            else
                wide_fill(to, classes, (num)NAN);
        }
    }
}

SL_NOINLINE void log_softmax_wide_strip(const strip *s, num *y)
{
    row_stats stats[STRIP_VECTORS];
    const strip_options o = {.whole = s->rows >= SL_W};
    strip_log_sum(s, stats);
    SL_ROLLED
    for (size_t k = 0; k < strip_vectors(s); k++) {
        reg log_sum = log_sum_of(stats + k, NAN_ROWS);
        mask number = c_eq(log_sum, log_sum);
        reg max = c_keep(c_lt(c_set1((num)-INFINITY), stats[k].max), stats[k].max);
        for (size_t c = 0; c < s->classes; c++) {
            reg a = c_sub(c_sub(strip_load(s, c, k, o), max), log_sum);
            wide_put(y + c * s->step_out + k * SL_W, s, c_select(number, a, c_set1((num)NAN)));
        }
    }
}

/* ---- either, over a class axis, or of short rows ---- */

SL_INLINE void wide_strips(const T *x, num *y, sl_shape shape, void (*of_strip)(const strip *, num *))
{
    walk w = walk_of(shape);
    for (size_t b = 0; b < w.blocks; b++, x += w.in.block, y += w.out.block)
        for (size_t i = 0, n; i < w.rows; i += n) {
            n = strip_rows(w.rows - i);
            strip s = {x + i, NULL, shape.classes, w.in.step, n, w.out.step};
            of_strip(&s, y + i);
        }
}

/* SL_W short rows, of which y has n. */
SL_NOINLINE void wide_transpose_out(const num *transposed, size_t classes, size_t n, num *y, size_t pitch)
{
    num flat[SL_SHORT * SL_W], *to = n < SL_W || (pitch != classes && classes < 4) ? flat : y;
    for (size_t c = 0; c < classes; c += 4) {
        size_t at = block4_at(c, classes);
        reg q[4];
        SL_UNROLL
        for (size_t k = 0; k < 4; k++)
            q[k] = c_load(transposed + least(at + k, classes - 1) * SL_W);
        if (classes < 4)
            store_few(q, classes, to);
        else
            c_store_transposed(to + at, to == y ? pitch : classes, q);
    }
    if (to == y)
        return;
    SL_ROLLED
    for (size_t l = 0; l < n; l++)
        SL_ROLLED
    for (size_t i = 0; i < classes; i++)
        y[l * pitch + i] = flat[l * classes + i];
}

SL_INLINE void wide_short_rows(const T *x, num *y, sl_shape shape, void (*of_strip)(const strip *, num *))
{
    const size_t classes = shape.classes, in = pitch_in(shape), to = pitch_out(shape);
    T transposed[SL_SHORT * SL_W];
    num results[SL_SHORT * SL_W];
    for (size_t r = 0; r < shape.outer; r += SL_W) {
        const strip s = strip_of_transposed(transposed, classes);
        transpose_in(x + r * in, classes, in, shape.outer - r, NULL, transposed);
        of_strip(&s, results);
        wide_transpose_out(results, classes, least(SL_W, shape.outer - r), y + r * to, to);
    }
}

SL_NOINLINE void softmax_wide_any(const T *x, num *y, sl_shape shape)
{
    if (shape.classes == 0)
        return;
    if (are_transposed(shape))
        wide_short_rows(x, y, shape, softmax_wide_strip);
    else if (contiguous_rows(shape))
        softmax_wide_rows(x, y, shape);
    else
        wide_strips(x, y, shape, softmax_wide_strip);
}

SL_NOINLINE void log_softmax_wide_any(const T *x, num *y, sl_shape shape)
{
    if (shape.classes == 0)
        return;
    if (are_transposed(shape))
        wide_short_rows(x, y, shape, log_softmax_wide_strip);
    else if (contiguous_rows(shape))
        log_softmax_wide_rows(x, y, shape);
    else
        wide_strips(x, y, shape, log_softmax_wide_strip);
}

#endif
