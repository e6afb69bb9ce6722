/* SPDX-License-Identifier: MIT
 *
 * Blocks and virtual lanes (see vocab.h), and the walk over the rows of a shape.
 */
#ifndef SL_SCHEDULE_WALK_H
#define SL_SCHEDULE_WALK_H

#include "element/element.h"

#define SL_LINE 64          /* bytes that caches keep together */
#define PREFETCH_BYTES 2048 /* how far ahead of reading */

/* A row of nothing but -inf becomes NaN; or zeros, and -inf of log-softmax. */
enum { NAN_ROWS, SAFE_ROWS };

/* Whether each row is contiguous. */
SL_INLINE int contiguous_rows(sl_shape s) { return s.inner == 1 && (s.in.classes | s.out.classes) <= 1; }

/* Elements from one contiguous row of what is read, or written, to the next. */
SL_INLINE size_t pitch_in(sl_shape s) { return s.in.outer != 0 ? (size_t)s.in.outer : s.classes; }
SL_INLINE size_t pitch_out(sl_shape s) { return s.out.outer != 0 ? (size_t)s.out.outer : s.classes; }

/* Elements from block to block, from row to row of one, and from class to class. */
typedef struct {
    size_t block, row, step;
} strides;

/* The rows of a shape in their order, as blocks of rows. Contiguous ones are one block; else every outer index is a block, and
 * neighbouring rows are neighbouring elements, so that SL_W of them fill a register. */
typedef struct {
    size_t blocks, rows; /* rows of one block */
    strides in, out;
    int apart; /* whether rows or classes lie otherwise in one than in the other */
} walk;

/* Of a class axis. */
SL_INLINE strides axis_strides(sl_shape s, sl_strides given)
{
    const size_t step = given.classes != 0 ? (size_t)given.classes : s.inner;
    return (strides){given.outer != 0 ? (size_t)given.outer : s.classes * step, 1, step};
}

SL_INLINE walk walk_of(sl_shape s)
{
    if (s.classes == 0)
        return (walk){0, 0, {0, 0, 0}, {0, 0, 0}, 0};
    const strides in = axis_strides(s, s.in), out = axis_strides(s, s.out);
    if (contiguous_rows(s))
        return (walk){1, s.outer, {0, in.block, 1}, {0, out.block, 1}, in.block != out.block};
    return (walk){s.outer, s.inner, in, out, in.step != out.step};
}

/* All elements in their order, as runs of such that are neighbours wherever they lie: one of all, rows, or classes. */
typedef struct {
    size_t length, of_block;
    strides in, out;
} runs;

SL_INLINE runs runs_of(sl_shape s)
{
    if ((s.in.outer | s.in.classes | s.out.outer | s.out.classes) == 0)
        return (runs){s.outer * s.classes * s.inner, 1, {0, 0, 0}, {0, 0, 0}};
    const strides in = axis_strides(s, s.in), out = axis_strides(s, s.out);
    if (in.step == s.inner && out.step == s.inner)
        return (runs){s.classes * s.inner, 1, in, out};
    return (runs){s.inner, s.classes, in, out};
}

/* From the first element of the r-th run of a block to that of the next run. */
SL_INLINE size_t run_step(strides of, size_t r, size_t of_block)
{
    return r + 1 < of_block ? of.step : of.block - r * of.step;
}

/* Where neighbouring rows are neighbouring elements, a strip of them is done together: every class is another page, and an
 * access to one takes whole lines from it. A strip is up to STRIP_VECTORS whole registers, or less than one. */
enum { STRIP_ROWS = 256 / sizeof(num), STRIP_VECTORS = STRIP_ROWS / SL_W };

SL_INLINE size_t strip_rows(size_t rows)
{
    return rows < SL_W ? rows : least(STRIP_ROWS, rows / SL_W * SL_W);
}

/* Short rows, of at most SL_SHORT elements, are laid side by side first: class c of row l at side[c * SL_W +
 * l]. The same lanes, the same bits, and no row end to pay for. */
SL_INLINE int short_rows(sl_shape s) { return contiguous_rows(s) && s.classes <= SL_SHORT; }
/* Unless they are too few to fill the lanes. */
SL_INLINE int are_transposed(sl_shape s) { return short_rows(s) && s.outer > SL_W / 4; }

/* Long rows are read twice, and their ends are worked out for a register's worth of rows together: as long as those
 * stay in the second-level cache. */
SL_INLINE size_t rows_at_once(sl_shape s) { return s.classes < 32768 / SL_W ? SL_W : 1; }

/* Bytes of exponentials, in the first-level cache and on a stack of 32 KiB, between the first and the second pass over a row. f64
 * has larger sums beside them. */
#define SCRATCH_BYTES (SL_F64 ? 14336 : 16384)

#endif
