/* SPDX-License-Identifier: MIT
 *
 * Sums over the classes of rows, in f64 lanes (f64: compensated): of dy, or of y dy.
 */
#ifndef SL_REDUCE_DOT_H
#define SL_REDUCE_DOT_H

#include "schedule/rows.h"
#include "maths/lane_folds.h"

/* Adds y dy, or dy where that is `of_log`, of n elements or as many as a register holds. */
SL_INLINE void sum_part(const T *y, const T *dy, size_t n, int full, int of_log, c_acc *sum)
{
    vw b = load_wide(dy, n, full);
    if (of_log)
        *sum = c_acc_add(*sum, b);
    else
        *sum = c_acc_add_product(*sum, load_wide(y, n, full), b);
}

SL_INLINE c_acc row_sum_of(const T *y, const T *dy, size_t n, int of_log)
{
    c_acc lane[SL_PARTS];
    for (size_t j = 0; j < SL_PARTS; j++)
        lane[j] = c_acc_zero();
    size_t i = 0;
    for (; i + SL_LANES <= n; i += SL_LANES)
        for (size_t j = 0; j < SL_PARTS; j++)
            sum_part(y + i + j * SL_W, dy + i + j * SL_W, SL_W, 1, of_log, lane + j);
    for (size_t j = 0; i < n; i += SL_W, j++)
        sum_part(y + i, dy + i, n - i, n - i >= SL_W, of_log, lane + j);
    return c_acc_fold(lane);
}

SL_NOINLINE c_acc row_sum(const T *x, size_t n) { return row_sum_of(x, x, n, 1); }

/* Of rows side by side, one register of n <= SL_W or ABREAST full ones: class c of row l at dy[c * step + l].
 * What is `fetched`, if not NULL, is where results will go. */
SL_INLINE void rows_sum(const T *y, const T *dy, const T *fetched, size_t classes, size_t step,
                        size_t registers, size_t n, int full, int of_log, c_acc sum[ABREAST])
{
    c_acc lane[ABREAST][SL_LANES];
    for (size_t k = 0; k < registers; k++)
        for (size_t l = 0; l < SL_LANES; l++)
            lane[k][l] = c_acc_zero();
    for (size_t c = 0; c < classes; c++) {
        const T *a = y + c * step, *b = dy + c * step;
        look_beyond(a, registers);
        look_beyond(b, registers);
        if (fetched)
            fetch_class(fetched + c * step, registers);
        for (size_t k = 0; k < registers; k++)
            sum_part(a + k * SL_W, b + k * SL_W, n, full, of_log, &lane[k][c % SL_LANES]);
    }
    for (size_t k = 0; k < registers; k++)
        sum[k] = c_fold_rows(lane[k], least(SL_LANES, classes));
}

#endif
