/* SPDX-License-Identifier: MIT
 *
 * Registers of which memory may hold a part only, and the last block of a row.
 */
#ifndef SL_SCHEDULE_PARTS_H
#define SL_SCHEDULE_PARTS_H

#include "schedule/store.h"

/* A register of n elements, or as many as it holds; `fill` behind them. No branch where n is a constant. */
SL_INLINE reg load_some(const T *p, size_t n, num fill) { return n >= SL_W ? load(p) : load_n(p, n, fill); }

/* The first lane; and one element, in all lanes. */
SL_INLINE num first_num(reg a)
{
    num lane[SL_W];
    c_store(lane, a);
    return lane[0];
}
SL_INLINE reg load_in_all(const T *p) { return c_set1(first_num(load_n(p, 1, 0))); }

/* The same with room to spare; 0 behind. */
SL_INLINE vw load_some_wide(const T *p, size_t n)
{
    return n >= SL_W ? load_widened(p) : c_widen(load_n(p, n, 0));
}

SL_INLINE void store_some(T *p, reg a, size_t n)
{
    if (n >= SL_W)
        store(p, a);
    else
        store_n(p, a, n);
}

/* The same of exponentials. */
SL_INLINE void keep_some(num *e, reg a, size_t n)
{
    if (n >= SL_W)
        c_store(e, a);
    else
        c_store_n(e, a, n);
}

/* A short row, filled up: -inf adds nothing to any sum. */
SL_INLINE const T *whole_block(const T *x, size_t n, T *block, size_t room)
{
    SL_ROLLED
    for (size_t i = 0; i < room; i += SL_W)
        store(block + i, load_some(x + least(i, n), left(n, i), (num)-INFINITY));
    return block;
}

/* The rows of one call, and room for the last block of one. */
typedef struct {
    size_t n; /* elements of a row, at least a block */
    _Alignas(SL_LINE) T last[2 * SL_BLOCK];
} row_reader;

SL_INLINE void row_reader_init(row_reader *r, size_t n)
{
    r->n = n;
    for (size_t i = SL_BLOCK; i < 2 * SL_BLOCK; i += SL_W)
        store(r->last + i, c_set1((num)-INFINITY));
}

/* Where partial loads are as cheap as others. */
enum { MASKED_LOADS = SL_W == 16 || (SL_W == 8 && sizeof(T) == sizeof(num)) };

/* Elements i and following of n, -inf behind them. */
SL_INLINE reg load_masked(const T *x, size_t i, size_t n)
{
    return load_n(x + least(i, n), left(n, i), (num)-INFINITY);
}

/* The row's last block, of n % SL_BLOCK elements and -inf: by masked loads, or as all that a whole block ending with the row has,
 * before -inf. */
SL_INLINE const T *last_block(row_reader *r, const T *x, size_t n)
{
    if (MASKED_LOADS) {
        const size_t rest = n % SL_BLOCK;
        SL_UNROLL
        for (size_t i = 0; i < SL_BLOCK; i += SL_W)
            copy_n(x + n - rest + least(i, rest), r->last + i, left(rest, i));
        return r->last;
    }
    SL_UNROLL
    for (size_t i = 0; i < SL_BLOCK; i += 2 * SL_W)
        copy_two(x + n - SL_BLOCK + i, r->last + i);
    return r->last + SL_BLOCK - n % SL_BLOCK;
}

/* The block at i of a row of n elements. */
SL_INLINE const T *block_at(row_reader *r, const T *x, size_t i, size_t n)
{
    return n - i >= SL_BLOCK ? x + i : last_block(r, x, n);
}

/* Whether y can hold the exponentials of x until its results are written. */
SL_INLINE int can_hold_exps(const T *x, const T *y)
{
    return sizeof(T) == sizeof(num) && (const void *)x != (const void *)y;
}

/* Where a pass keeps the exponentials of a row. */
typedef struct {
    num *e;
    int overwrites; /* nobody wants them: all blocks use the first one's place */
    int padded;     /* there is room for the whole last block */
} exp_place;

/* Those of the block at i, n elements before the row's end; `last` is for a block without room. */
SL_INLINE num *exps_at(exp_place place, size_t n, size_t i, num last[SL_BLOCK])
{
    return !place.padded && n < SL_BLOCK ? last : place.e + (place.overwrites ? 0 : i);
}

/* The last block's, once all else is done. */
SL_INLINE void keep_last(exp_place place, size_t n, const num last[SL_BLOCK])
{
    size_t rest = place.padded ? 0 : n % SL_BLOCK;
    SL_ROLLED
    for (size_t i = 0; i < rest; i += SL_W)
        keep_some(place.e + n - rest + i, c_load(last + i), rest - i);
}

SL_RARE void fill_row(T *y, size_t n, num value)
{
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W)
        store_some(y + i, c_set1(value), n - i);
}

#endif
