/* SPDX-License-Identifier: MIT
 *
 * log-sum-exp: m + log_sum (stats.h). Bounds: log_softmax.h.
 */
#ifndef SL_KERNEL_LOGSUMEXP_H
#define SL_KERNEL_LOGSUMEXP_H

#include "reduce/stats.h"

SL_STATIC void logsumexp(const T *x, num *lse, sl_shape shape)
{
    c_exp_table table = c_exp_table_load();
    c_frame guess = {0, 0};
    walk w = walk_of(shape);
    T side[SL_BLOCK * SL_W];
    for (size_t r = 0; shape.classes == 0 && r < shape.outer * shape.inner; r++)
        lse[r] = (num)-INFINITY; /* of a sum of nothing */
    for (size_t b = 0; b < w.blocks; b++, x += w.block_stride, lse += w.rows)
        for (size_t i = 0; i < w.rows; i += SL_W) {
            size_t n = least(SL_W, w.rows - i);
            row_stats s =
                stats_of(x + i * w.stride, NULL, side, shape, w.rows - i, NULL, &guess, NULL, table);
            reg sum = c_narrow(c_acc_value(c_acc_add(s.log_sum, c_widen(s.max))));
            c_store_n(lse + i, c_canonical(sum), n);
        }
}

#endif
