/* SPDX-License-Identifier: MIT
 *
 * log-sum-exp: m + log_sum (log_sum.h). Bounds: log_softmax.h.
 */
#ifndef SL_KERNEL_LOGSUMEXP_H
#define SL_KERNEL_LOGSUMEXP_H

#include "reduce/log_sum.h"

/* SL_W rows, or what is left of them. */
SL_INLINE void store_log_sum(num *lse, const row_stats *s, size_t n)
{
    reg sum = c_narrow(c_acc_value(c_acc_add(s->log_sum, c_widen(s->max))));
    c_store_n(lse, c_canonical(sum), n);
}

SL_NOINLINE void logsumexp_few(const T *x, size_t pitch, num *lse, size_t rows, size_t classes)
{
    log_sum_rows state;
    log_sum_rows_init(&state, classes, EMIT_LOG);
    for (size_t r = 0; r < rows; r++) {
        row_group row = {.x = x + r * pitch, .classes = classes, .n = 1};
        row_sums of_row;
        log_sum_of_row(&state, &row, &of_row);
        row_stats s = stats_of_row(&of_row);
        store_log_sum(lse + r, &s, 1);
    }
}

SL_NOINLINE void logsumexp_rows(const T *x, num *lse, sl_shape shape)
{
    const size_t pitch = pitch_in(shape);
    log_sum_rows rows;
    log_sum_rows_init(&rows, shape.classes, EMIT_LOG);
    for (size_t r = 0; r < shape.outer; r += SL_W) {
        row_stats s;
        row_group group = {
            .x = x + r * pitch, .classes = shape.classes, .pitch = pitch, .n = least(SL_W, shape.outer - r)};
        log_sum_of_rows(&rows, &group, &s);
        store_log_sum(lse + r, &s, group.n);
    }
}

SL_NOINLINE void logsumexp_transposed(const T *x, num *lse, sl_shape shape)
{
    const size_t pitch = pitch_in(shape);
    T transposed[SL_SHORT * SL_W];
    for (size_t r = 0; r < shape.outer; r += SL_W) {
        row_stats stats[STRIP_VECTORS];
        strip s = strip_of_transposed(transposed, shape.classes);
        transpose_in(x + r * pitch, shape.classes, pitch, shape.outer - r, NULL, transposed);
        strip_log_sum(&s, stats);
        store_log_sum(lse + r, stats, least(SL_W, shape.outer - r));
    }
}

SL_NOINLINE void logsumexp_strips(const T *x, num *lse, sl_shape shape)
{
    walk w = walk_of(shape);
    for (size_t b = 0; b < w.blocks; b++, lse += w.rows)
        for (size_t i = 0, n; i < w.rows; i += n) {
            row_stats stats[STRIP_VECTORS];
            n = strip_rows(w.rows - i);
            strip s = {x + b * w.in.block + i, NULL, shape.classes, w.in.step, n, 0};
            strip_log_sum(&s, stats);
            SL_ROLLED
            for (size_t k = 0; k < n; k += SL_W)
                store_log_sum(lse + i + k, stats + k / SL_W, n - k);
        }
}

SL_STATIC void logsumexp(const T *x, num *lse, const sl_shape *shape)
{
    for (size_t r = 0; shape->classes == 0 && r < shape->outer * shape->inner; r++)
        lse[r] = (num)-INFINITY; /* of a sum of nothing */
    if (shape->classes == 0)
        return;
    if (!contiguous_rows(*shape)) {
        logsumexp_strips(x, lse, *shape);
        return;
    }
    const size_t rows = shape->outer, classes = shape->classes, grouped = rows_in_groups(rows, classes),
                 pitch = pitch_in(*shape);
    if (grouped > 0) {
        sl_shape groups = *shape;
        groups.outer = grouped;
        if (are_transposed(groups))
            logsumexp_transposed(x, lse, groups);
        else
            logsumexp_rows(x, lse, groups);
    }
    if (grouped < rows)
        logsumexp_few(x + grouped * pitch, pitch, lse + grouped, rows - grouped, classes);
}

#endif
