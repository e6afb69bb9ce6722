/* SPDX-License-Identifier: MIT
 *
 * The statistics of many rows, each as softmax_stats has them. Bounds: partial.h.
 */
#ifndef SL_KERNEL_ROW_STATS_H
#define SL_KERNEL_ROW_STATS_H

#include "reduce/row_statistics.h"

SL_STATIC void softmax_stats_rows(const T *x, const int64_t *target, const sl_shape *shape, sl_stats *stats)
{
    log_sum_rows rows;
    for (size_t r = 0; shape->classes == 0 && r < shape->outer; r++)
        stats[r] = stats_of_nothing();
    if (shape->classes == 0)
        return;
    log_sum_rows_init(&rows, shape->classes, EMIT_LOG);
    for (size_t r = 0; r < shape->outer; r += SL_W) {
        const stats_rows group = {.x = x + r * pitch_in(*shape),
                                  .target = target ? target + r : NULL,
                                  .classes = shape->classes,
                                  .pitch = pitch_in(*shape),
                                  .n = least(SL_W, shape->outer - r)};
        stats_of_rows(&rows, &group, stats + r);
    }
}

#endif
