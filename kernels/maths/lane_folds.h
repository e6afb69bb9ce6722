/* SPDX-License-Identifier: MIT
 *
 * What ends a row, in either arithmetic: the largest lane, the lanes of SL_W rows folded, whether frames are
 * the same, NaN made canonical.
 */
#ifndef SL_MATHS_LANE_FOLDS_H
#define SL_MATHS_LANE_FOLDS_H

#include "maths/accumulator.h"
#include "maths/exp.h"

SL_INLINE reg c_largest_parts(const reg *part, size_t parts)
{
    reg max = part[0];
    SL_UNROLL
    for (size_t j = 1; j < parts; j++)
        max = c_max(part[j], max);
    return max;
}

/* The largest lane of `parts` registers; -0 becomes +0. */
SL_INLINE num c_largest(const reg *part, size_t parts)
{
    return c_fold_max(c_largest_parts(part, parts)) + (num)0;
}

/* That of each of SL_W registers. */
SL_INLINE reg c_largest_of_each(reg part[SL_W]) { return c_add(c_fold_max_of_each(part), c_set1(0)); }

/* The fold of lanes for SL_W rows at once, one acc per lane; lanes from `used` on are +0 and need no adding. */
SL_INLINE c_acc c_fold_rows(c_acc *lane, size_t used)
{
    SL_UNROLL_ALL
    for (size_t half = SL_LANES / 2; half; half /= 2)
        for (size_t l = 0; l < half && l + half < used; l++)
            lane[l] = c_acc_merge(lane[l], lane[l + half]);
    return lane[0];
}

/* The same, one copy for all who do it rarely. */
SL_NOINLINE c_acc fold_rows(c_acc *lane, size_t used) { return c_fold_rows(lane, used); }

/* Whether a guess was right: then it is the guess that is used on, so that the next row does not wait for this one's end. */
SL_INLINE int c_frame_same(c_frame a, c_frame b) { return a.reference == b.reference && a.shift == b.shift; }

SL_INLINE int c_vframe_same(c_vframe a, c_vframe b)
{
    return c_all(c_eq(a.magic, b.magic)) && c_all(c_eq(a.shift, b.shift));
}

SL_INLINE reg c_canonical(reg a) { return c_select(c_eq(a, a), a, c_set1((num)NAN)); }

/* 1 in the first n lanes, 0 beyond. */
SL_INLINE reg c_ones(size_t n)
{
    num one[SL_W];
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++)
        one[l] = l < n;
    return n >= SL_W ? c_set1(1) : c_load(one);
}

#endif
