/* SPDX-License-Identifier: MIT
 *
 * The second pass over a row: what is written once its statistics are known,
 *
 *   TIMES     softmax       e_c k              k = 1 / sum of e
 *   SLOPES    its gradient  e_c k              any finite k; the entry of the row's target is another number
 *   LOGS      log-softmax   (x_c - max) - log_sum
 *
 * alone, or block by block beside the first pass over another row, so that nobody waits for a row's end, and memory is read
 * and written all the time. The exponentials e are those that the first pass has kept, or are computed again.
 */
#ifndef SL_SCHEDULE_SECOND_PASS_H
#define SL_SCHEDULE_SECOND_PASS_H

#include "schedule/rows.h"
#include "maths/factor.h"
#include "maths/lane_folds.h"

/* What a second pass writes. */
enum { TIMES, SLOPES, LOGS };

/* Whether y can hold the exponentials of x until its results are written. */
#define KEEPS(x, y) (sizeof(T) == sizeof(num) && (const void *)(x) != (const void *)(y))

SL_INLINE void keep_part(num *e, reg a, size_t n, int full)
{
    if (full)
        c_store(e, a);
    else
        c_store_n(e, a, n);
}

typedef struct {
    const T *x;
    const num *e; /* NULL: compute them again */
    T *y;
    c_frame frame;   /* of e */
    c_factor factor; /* k */
    num max, log_sum;
    size_t target; /* SIZE_MAX: none */
    T entry;
} seen_row;

/* Up to SL_W rows, to be written beside as many others. */
typedef struct {
    seen_row row[SL_W];
    size_t n;
    int what, streaming;
} seen_rows;

/* Two registers in the order of load_two, and a[at] = entry. */
SL_NOINLINE void with_entry(reg two[2], size_t at, T entry)
{
    T part[2 * SL_W];
    store_two(part, two);
    part[at] = entry;
    load_two(part, two);
}

/* One register of n elements of e from `at` on; whole: those beyond n can be read, too. */
SL_INLINE reg load_e(const num *e, size_t at, size_t n, int whole)
{
    if (whole)
        return c_load(e + at);
    return n > at ? c_load_n(e + at, n - at, 0) : c_set1(0);
}

/* Two registers, of at most n elements, in the order of load_two: in which softmax has kept e, a gradient has not. again: e
 * is computed in frame f, which may have a shift. */
SL_INLINE void second_two(const seen_row *row, size_t at, size_t n, int full, int what, int again, c_vframe f,
                          c_exp_table table, reg two[2])
{
    if (what != LOGS && !again)
        for (size_t k = 0; k < 2; k++)
            two[k] = load_e(row->e + at, k * SL_W, n, full || (what == TIMES && sizeof(T) != sizeof(num)));
    else if (full)
        load_two(row->x + at, two);
    else
        load_two_n(row->x + at, n, what == LOGS ? 0 : (num)-INFINITY, two);
    if (what == SLOPES && !again)
        in_two(two);
    for (size_t k = 0; k < 2; k++) {
        if (what == LOGS) {
            two[k] = c_sub(c_sub(two[k], c_set1(row->max)), c_set1(row->log_sum));
            continue;
        }
        if (again)
            two[k] = c_exp_in_frame(c_less_shift(two[k], f), f, table);
        two[k] = what == TIMES ? c_times(two[k], row->factor) : c_times_unit(two[k], row->factor);
    }
}

/* n of them, in whole lines. What goes past the caches cannot be mended later. */
SL_INLINE void second_put(const seen_row *row, size_t at, size_t n, int what, int again, int streaming,
                          c_vframe f, c_exp_table table)
{
    reg two[2];
    second_two(row, at, n, n == 2 * SL_W, what, again, f, table, two);
    if (what == SLOPES && streaming && row->target - at < n)
        with_entry(two, row->target - at, row->entry);
    if (n == SL_W)
        put(row->y + at, two[0], streaming);
    else
        put_two(row->y + at, two, streaming);
}

/* Elements `at` to n. */
SL_INLINE void second_rest(const seen_row *row, size_t at, size_t n, int what, int again, int streaming,
                           c_vframe f, c_exp_table table)
{
    size_t lines = at + whole_lines(n - at);
    SL_UNROLL
    for (; at + 2 * SL_W <= lines; at += 2 * SL_W)
        second_put(row, at, 2 * SL_W, what, again, streaming, f, table);
    if (streaming && at < lines) { /* a line is a register, and the number of them odd */
        second_put(row, at, SL_W, what, again, 1, f, table);
        at = lines;
    }
    for (; at < n; at += 2 * SL_W) {
        reg two[2];
        second_two(row, at, n - at, 0, what, again, f, table, two);
        store_two_n(row->y + at, two, n - at);
    }
    if (what == SLOPES && row->target < n && !(streaming && row->target < lines))
        row->y[row->target] = row->entry;
}

/* Elements up to the first line that is stored past the caches; their number. */
SL_INLINE size_t second_head(const seen_row *row, size_t n, int what, int again, int streaming, c_vframe f,
                             c_exp_table table)
{
    size_t at = streaming ? least(n, unaligned(row->y)) : 0;
    if (streaming)
        second_rest(row, 0, at, what, again, 0, f, table);
    return at;
}

SL_INLINE size_t second_block(const seen_row *row, size_t at, size_t n, int what, int again, int streaming,
                              c_vframe f, c_exp_table table)
{
    if (at + SL_BLOCK > n)
        return at;
    SL_UNROLL
    for (size_t end = at + SL_BLOCK; at < end; at += 2 * SL_W)
        second_put(row, at, 2 * SL_W, what, again, streaming, f, table);
    return at;
}

/* Whether this row can be written beside one that is read in frame f: without shift, and both in the same if its
 * exponentials are computed again. */
SL_INLINE int second_beside(const seen_row *row, int what, c_frame f)
{
    return f.shift == 0 && (what == LOGS || row->e || c_frame_same(f, row->frame));
}

SL_INLINE void second_whole(const seen_row *seen, size_t n, int what, int again, int streaming,
                            c_exp_table table)
{
    const seen_row row = *seen; /* no store can change it */
    c_vframe f = c_frame_set1(row.frame);
    if (streaming)
        second_rest(&row, second_head(&row, n, what, again, 1, f, table), n, what, again, 1, f, table);
    else
        second_rest(&row, 0, n, what, again, 0, f, table);
}

/* A row alone. */
SL_NOINLINE void second_pass(const seen_row *row, size_t n, int what, int streaming, c_exp_table table)
{
    if (what == LOGS)
        second_whole(row, n, LOGS, 0, streaming, table);
    else if (what == TIMES && row->e)
        second_whole(row, n, TIMES, 0, streaming, table);
    else if (what == TIMES)
        second_whole(row, n, TIMES, 1, streaming, table);
    else if (row->e)
        second_whole(row, n, SLOPES, 0, streaming, table);
    else
        second_whole(row, n, SLOPES, 1, streaming, table);
}

SL_NOINLINE void second_passes(seen_rows *rows, size_t n, c_exp_table table)
{
    for (size_t l = 0; l < rows->n; l++)
        second_pass(rows->row + l, n, rows->what, rows->streaming, table);
    rows->n = 0;
}

SL_NOINLINE void fill_row(T *y, size_t n, num value)
{
    for (size_t i = 0; i < n; i += SL_W)
        store_some(y + i, c_set1(value), n - i);
}

#endif
