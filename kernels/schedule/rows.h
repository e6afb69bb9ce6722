/* SPDX-License-Identifier: MIT
 *
 * Registers of a row from memory and back, and short rows side by side.
 */
#ifndef SL_SCHEDULE_ROWS_H
#define SL_SCHEDULE_ROWS_H

#include "schedule/walk.h"

/* A register of at most `n` elements; `full` says whether n >= SL_W. A constant there means no branch. */
SL_INLINE reg load_part(const T *p, size_t n, int full, num fill)
{
    return full ? load(p) : load_n(p, n, fill);
}

/* The same with room to spare; 0 beyond. */
SL_INLINE vw load_wide(const T *p, size_t n, int full)
{
    return full ? load_widened(p) : c_widen(load_n(p, n, 0));
}

SL_INLINE void store_part(T *p, reg a, size_t n, int full)
{
    if (full)
        store(p, a);
    else
        store_n(p, a, n);
}

SL_INLINE reg load_some(const T *p, size_t n, num fill) { return load_part(p, n, n >= SL_W, fill); }
SL_INLINE void store_some(T *p, reg a, size_t n) { store_part(p, a, n, n >= SL_W); }

/* A block of n <= SL_BLOCK elements, two registers at a time. */
SL_INLINE void load_block(const T *x, size_t n, int full, num fill, reg a[2 * SL_PARTS])
{
    for (size_t j = 0; j < 2 * SL_PARTS; j += 2)
        if (full)
            load_two(x + j * SL_W, a + j);
        else
            load_two_n(x + least(n, j * SL_W), left(n, j * SL_W), fill, a + j);
}

/* Whether n elements are to be stored past the caches; and how many of them lie before the first whole line of these. A row
 * that does not end with a line shares it with the next: such lines are stored to as usual, and fetched long before, because
 * all later stores wait for theirs. */
SL_INLINE int streams(const T *y, size_t n)
{
    return sl_streams(n * sizeof *y) && (uintptr_t)y % sizeof *y == 0;
}

SL_INLINE size_t unaligned(const T *y) { return (0 - (uintptr_t)y) % SL_LINE / sizeof *y; }

SL_INLINE size_t whole_lines(size_t n)
{
    enum { LINE = SL_LINE / sizeof(T) > SL_W ? SL_LINE / sizeof(T) : SL_W };
    return n / LINE * LINE;
}

SL_INLINE void fetch_end(const T *y, size_t n)
{
    if ((uintptr_t)(y + n) % SL_LINE)
        __builtin_prefetch(y + n - 1, 1, 3);
}

/* Whether panels are stored past the caches: by whole lines, wherever a class starts. */
SL_INLINE int axis_streams(const T *y, sl_shape s)
{
    return streams(y, s.outer * s.classes * s.inner) && unaligned(y) == 0 &&
           s.inner % (SL_LINE / sizeof *y) == 0;
}

/* Or, where they cannot be, are fetched before: all later stores would wait for theirs. */
SL_INLINE int axis_fetches(const T *y, sl_shape s)
{
    return streams(y, s.outer * s.classes * s.inner) && !axis_streams(y, s);
}

/* A whole register, which is aligned if it is streaming. */
SL_INLINE void put(T *p, reg a, int streaming)
{
    if (streaming)
        stream(p, a);
    else
        store(p, a);
}

SL_INLINE void put_two(T *p, const reg two[2], int streaming)
{
    if (streaming)
        stream_two(p, two);
    else
        store_two(p, two);
}

/* Fetches what comes AHEAD bytes after a block: the hardware's own prefetching stops at pages and falls behind. Into the
 * first-level cache, if nothing is written beside. */
SL_INLINE void look_ahead(const T *x, int alone)
{
    for (size_t line = 0; line < SL_BLOCK * sizeof *x; line += SL_LINE)
        if (alone)
            __builtin_prefetch((const char *)x + AHEAD + line, 0, 3);
        else
            __builtin_prefetch((const char *)x + AHEAD + line, 0, 2);
}

/* Fetches a panel's elements of a class, `registers` of them. */
SL_INLINE void fetch_class(const T *x, size_t registers)
{
    for (size_t line = 0; line < registers * SL_W * sizeof *x; line += SL_LINE)
        __builtin_prefetch((const char *)x + line, 0, 2);
}
/* Those of the next panel. */
SL_INLINE void look_beyond(const T *x, size_t registers) { fetch_class(x + registers * SL_W, registers); }

/* n elements to where they belong. */
SL_NOINLINE void copy_out(const T *from, T *y, size_t n, int streaming)
{
    size_t i = streaming ? least(n, unaligned(y)) : 0;
    for (size_t k = 0; k < i; k++)
        y[k] = from[k];
    if (streaming) {
        size_t lines = i + whole_lines(n - i);
        for (; i + 2 * SL_W <= lines; i += 2 * SL_W)
            copy_two(from + i, y + i);
        for (; i < lines; i += SL_W)
            put(y + i, load(from + i), 1);
    }
    for (; i < n; i += SL_W)
        store_some(y + i, load_some(from + i, n - i, 0), n - i);
}

/* ---- SL_W short rows at once, which lie one after the other ---- */

/* As numbers of the arithmetic's own type: where they are, or in `flat`. */
SL_INLINE const num *flat_rows(const T *x, size_t classes, num flat[SL_BLOCK * SL_W])
{
    for (size_t line = 0; line < classes * SL_W * sizeof *x; line += SL_LINE)
        __builtin_prefetch((const char *)x + AHEAD + line, 0, 2);
    if (sizeof(T) == sizeof(num))
        return (const num *)(const void *)x;
    for (size_t i = 0; i < classes; i++)
        c_store(flat + i * SL_W, load(x + i * SL_W));
    return flat;
}

/* Where results are put for put_flat(): at once in y, if it can take them. */
SL_INLINE num *flat_results(T *y, int streaming, num flat[SL_BLOCK * SL_W])
{
    return sizeof(T) == sizeof(num) && !streaming ? (num *)(void *)y : flat;
}

SL_INLINE void put_flat(T *y, const num *from, size_t classes, int streaming)
{
    if ((const void *)from == (const void *)y)
        return;
    size_t i = 0;
    if (streaming && (uintptr_t)y % (2 * SL_W * sizeof *y)) { /* behind an odd number of registers */
        put(y, c_load(from), 1);
        i = 1;
    }
    for (; i + 2 <= classes; i += 2) {
        reg two[2] = {c_load(from + i * SL_W), c_load(from + (i + 1) * SL_W)};
        in_two(two);
        put_two(y + i * SL_W, two, streaming);
    }
    if (i < classes)
        put(y + i * SL_W, c_load(from + i * SL_W), streaming);
}

/* Whether all rows of y can be put by whole registers past the caches. */
SL_INLINE int short_rows_stream(const T *y, size_t n) { return streams(y, n) && unaligned(y) == 0; }

/* SL_W short rows as columns, by quads, of which the last may overlap the one before. Of less than four classes each quad
 * reaches into the next row. */
SL_INLINE size_t quad_at(size_t c, size_t classes) { return classes < 4 ? 0 : least(c, classes - 4); }

/* Class c of row l at side[c * SL_W + l]. */
SL_INLINE void lay_columns(const num *x, size_t classes, T *side)
{
    reg q[4];
    if (classes < 4) {
        c_load_quads(x, classes, q);
        for (size_t k = 0; k < classes; k++)
            store(side + k * SL_W, q[k]);
        return;
    }
    for (size_t c = 0; c < classes; c += 4) {
        size_t at = quad_at(c, classes);
        c_load_quads(x + at, classes, q);
        for (size_t k = 0; k < 4; k++)
            store(side + (at + k) * SL_W, q[k]);
    }
}

/* Back into rows of less than four classes: each row's copy ends in the next one, which comes after it. */
SL_INLINE void put_few(const reg q[4], size_t classes, num *y)
{
    if (classes == 1) {
        c_store(y, q[0]);
        return;
    }
    num rows[4 * SL_W];
    c_store_quads(rows, 4, q);
    for (size_t l = 0; l + 1 < SL_W; l++)
        memcpy(y + l * classes, rows + 4 * l, 4 * sizeof *y);
    num *last = y + (SL_W - 1) * classes;
    memcpy(last, rows + 4 * (SL_W - 1), 2 * sizeof *y);
    if (classes > 2)
        last[2] = rows[4 * SL_W - 2];
}

SL_INLINE void lay_columns_back(const T *side, size_t classes, num *y)
{
    reg q[4];
    if (classes < 4) {
        for (size_t k = 0; k < 4; k++)
            q[k] = load(side + least(k, classes - 1) * SL_W);
        put_few(q, classes, y);
        return;
    }
    for (size_t c = 0; c < classes; c += 4) {
        size_t at = quad_at(c, classes);
        for (size_t k = 0; k < 4; k++)
            q[k] = load(side + (at + k) * SL_W);
        c_store_quads(y + at, classes, q);
    }
}

/* SL_W rows, of which only those that are live are read. */
SL_NOINLINE void lay_live(const T *x, size_t classes, const num *live, T side[SL_BLOCK * SL_W])
{
    num flat[SL_BLOCK * SL_W];
    for (size_t l = 0; l < SL_W; l++)
        for (size_t i = 0; i < classes;
             i += SL_W) { /* what is stored beyond a row is overwritten by the next */
            reg a = live[l] != 0 ? load_some(x + l * classes + i, classes - i, 0) : c_set1(0);
            c_store(flat + l * classes + i, a);
        }
    for (size_t i = SL_W * classes; i < SL_W * classes + left(4, classes); i++)
        flat[i] = 0;
    lay_columns(flat, classes, side);
}

/* The next SL_W of `rows`. Those that are missing, or not live (live may be NULL), become 0 and are not read. Of less than
 * four classes the first elements of the next SL_W rows may be. */
SL_NOINLINE void lay_side(const T *x, size_t classes, size_t rows, const num *live, T side[SL_BLOCK * SL_W])
{
    num flat[SL_BLOCK * SL_W];
    size_t beyond = left(4, classes); /* the last row's end, to where its quad reaches */
    if (live && (size_t)c_count(c_lt(c_set1(0), c_load(live))) < least(SL_W, rows)) {
        lay_live(x, classes, live, side);
    } else if (rows >= SL_W &&
               (beyond == 0 || ((rows - SL_W) * classes >= beyond && sizeof(T) == sizeof(num)))) {
        lay_columns(flat_rows(x, classes, flat), classes, side);
    } else {
        size_t all = least(SL_W, rows) * classes;
        for (size_t i = 0; i < classes * SL_W + beyond; i += SL_W)
            c_store(flat + i, load_some(x + least(i, all), left(all, i), 0));
        lay_columns(flat, classes, side);
    }
}

/* The next SL_W of `rows`, of at least one class. */
SL_NOINLINE void lay_back(const T side[SL_BLOCK * SL_W], size_t classes, size_t rows, T *y, int streaming)
{
    num flat[SL_BLOCK * SL_W];
    if (rows < SL_W) {
        lay_columns_back(side, classes, flat);
        for (size_t i = 0; i < rows * classes; i += SL_W)
            store_some(y + i, c_load(flat + i), rows * classes - i);
    } else {
        num *to = flat_results(y, streaming, flat);
        lay_columns_back(side, classes, to);
        if (streaming)
            put_flat(y, to, classes, 1);
        else
            put_flat(y, to, classes, 0);
    }
}

#endif
