/* SPDX-License-Identifier: MIT
 *
 * Blocks and virtual lanes (see vocab.h), and the walk over the rows of a shape.
 */
#ifndef SL_SCHEDULE_WALK_H
#define SL_SCHEDULE_WALK_H

#include "element/element.h"

#define SL_LINE 64           /* bytes that caches keep together */
#define AHEAD 2048           /* bytes to fetch ahead of reading */
#define NEAR_BYTES (1 << 19) /* of an array that a second-level cache may hold: there, fetching only costs */

/* The rows of a shape in their order, as blocks of rows that lie `stride` apart. The rows of a matrix are one
 * block, each contiguous; with inner > 1 every outer index is a block and neighbouring rows are neighbouring
 * elements, so that SL_W of them fill a register. */
typedef struct {
    size_t blocks, rows;         /* rows of one block */
    size_t block_stride, stride; /* elements from block to block, from row to row */
    size_t step;                 /* elements from class to class */
} walk;

SL_INLINE walk walk_of(sl_shape s)
{
    if (s.classes == 0)
        return (walk){0, 0, 0, 0, 0};
    if (s.inner == 1)
        return (walk){1, s.outer, 0, s.classes, 1};
    return (walk){s.outer, s.inner, s.classes * s.inner, 1, s.inner};
}

/* Where neighbouring rows are neighbouring elements, PANEL of them are done together: every class is another page, and
 * an access to one takes whole lines from it. Left-over rows go by single registers. */
#define PANEL 64               /* rows */
#define ABREAST (PANEL / SL_W) /* registers */

SL_INLINE size_t rows_abreast(size_t rows) { return rows >= PANEL ? PANEL : least(SL_W, rows); }

/* Short rows, of at most SL_BLOCK elements, are laid side by side first: class c of row l at side[c * SL_W +
 * l]. The same lanes, the same bits, and no row end to pay for. */
SL_INLINE int short_rows(sl_shape s) { return s.inner == 1 && s.classes <= SL_BLOCK; }
/* Unless they are too few to fill the lanes. */
SL_INLINE int side_rows(sl_shape s) { return short_rows(s) && s.outer > SL_W / 4; }

/* Long rows are read twice, and their ends are worked out for a register's worth of rows together: as long as those
 * stay in the second-level cache. */
SL_INLINE size_t rows_at_once(sl_shape s) { return s.inner != 1 || s.classes < 32768 / SL_W ? SL_W : 1; }

/* Bytes of results, in the first-level cache, before they are written: rows that cannot be written whole, one by one. */
#define KEPT_BYTES 16384
/* Of two groups of rows: the one is read where the other is written, and a load waits for a store a multiple of 4 KiB
 * before it. */
#define KEPT_ROWS(name) _Alignas(SL_LINE) num name[2][(KEPT_BYTES + 1024) / sizeof(num)]

#endif
