/* SPDX-License-Identifier: MIT
 *
 * Non-temporal stores and prefetching.
 *
 * Outputs larger than half of the last-level cache use non-temporal stores (cache.h), by whole lines. A line that two rows
 * share is stored to as usual and prefetched early, because all later stores wait for one that misses.
 */
#ifndef SL_SCHEDULE_STORE_H
#define SL_SCHEDULE_STORE_H

#include "schedule/walk.h"

/* Arguments of what follows, by name: how results are stored, and what else is done where a block is read. */
enum { CACHED, NONTEMPORAL };
enum { WRITES_BESIDE, READS_ONLY };

/* Whether n results use non-temporal stores. */
SL_INLINE int use_nontemporal(const T *y, size_t n)
{
    return sl_streams(n * sizeof *y) && (uintptr_t)y % sizeof *y == 0;
}

/* How many of them lie before the first whole line. */
SL_INLINE size_t elements_to_line(const T *y) { return (0 - (uintptr_t)y) % SL_LINE / sizeof *y; }

/* The elements of whole lines, and of whole registers, among n. */
SL_INLINE size_t round_down_to_lines(size_t n)
{
    enum { LINE = SL_LINE / sizeof(T) > SL_W ? SL_LINE / sizeof(T) : SL_W };
    return n / LINE * LINE;
}

/* Whether each row of y is whole lines. */
SL_INLINE int rows_are_lines(const T *y, size_t classes, size_t pitch)
{
    return elements_to_line(y) == 0 && (classes | pitch) % (SL_LINE / sizeof *y) == 0;
}

/* Rows do: of 16 bits where no two of them share a line. Half the bytes are not worth more. */
SL_INLINE int rows_nontemporal(const T *y, sl_shape s)
{
    return use_nontemporal(y, s.outer * s.classes) &&
           (sizeof(T) == sizeof(num) || rows_are_lines(y, s.classes, pitch_out(s)));
}

/* Strips use non-temporal stores where every class starts with a line. */
SL_INLINE int strips_nontemporal(const T *y, sl_shape s)
{
    const strides out = axis_strides(s, s.out);
    return use_nontemporal(y, s.outer * s.classes * s.inner) && elements_to_line(y) == 0 &&
           (s.inner | out.step | out.block) % (SL_LINE / sizeof *y) == 0;
}

/* Where they cannot, the lines of results are prefetched. */
SL_INLINE int strips_prefetch(const T *y, sl_shape s)
{
    return use_nontemporal(y, s.outer * s.classes * s.inner) && !strips_nontemporal(y, s);
}

/* A whole register, which is aligned if it is nontemporal. */
SL_INLINE void put(T *p, reg a, int nontemporal)
{
    if (nontemporal)
        stream(p, a);
    else
        store(p, a);
}

SL_INLINE void put_two(T *p, const reg two[2], int nontemporal)
{
    if (nontemporal)
        stream_two(p, two);
    else
        store_two(p, two);
}

SL_INLINE void prefetch_last_line(const T *y, size_t n)
{
    if ((uintptr_t)(y + n) % SL_LINE)
        __builtin_prefetch(y + n - 1, 1, 3);
}

/* PREFETCH_BYTES behind a block: the hardware's own prefetching stops at pages and falls behind. Into the first-level cache
 * where nothing is written beside. */
SL_INLINE void prefetch_block(const T *x, int read_only)
{
    for (size_t line = 0; line < SL_BLOCK * sizeof *x; line += SL_LINE)
        if (read_only)
            __builtin_prefetch((const char *)x + PREFETCH_BYTES + line, 0, 3);
        else
            __builtin_prefetch((const char *)x + PREFETCH_BYTES + line, 0, 2);
}

/* n neighbouring elements. */
SL_INLINE void prefetch_elements(const T *x, size_t n)
{
    for (size_t line = 0; line < n * sizeof *x; line += SL_LINE)
        __builtin_prefetch((const char *)x + line, 0, 2);
}

#endif
