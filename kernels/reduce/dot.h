/* SPDX-License-Identifier: MIT
 *
 * Sums over the classes of rows, in f64 lanes (f64: compensated): of dy, or of y dy.
 */
#ifndef SL_REDUCE_DOT_H
#define SL_REDUCE_DOT_H

#include "schedule/strip.h"
#include "maths/lane_folds.h"

/* Whose gradient a sum is for. */
enum { OF_SOFTMAX, OF_LOG };

/* sum + y dy, or sum + dy where that is `of_log`. */
SL_INLINE c_acc add_term(c_acc sum, vw y, vw dy, int of_log)
{
    return of_log ? c_acc_add(sum, dy) : c_acc_add_product(sum, y, dy);
}

SL_INLINE c_acc row_sum_of(const T *y, const T *dy, size_t n, int of_log)
{
    c_acc lane[SL_PARTS];
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++)
        lane[j] = c_acc_zero();
    size_t i = 0;
    for (; i + SL_LANES <= n; i += SL_LANES) {
        SL_UNROLL
        for (size_t j = 0; j < SL_PARTS; j++) {
            const T *a = y + i + j * SL_W, *b = dy + i + j * SL_W;
            lane[j] = add_term(lane[j], load_widened(a), load_widened(b), of_log);
        }
    }
    SL_ROLLED
    for (size_t j = 0; i < n; i += SL_W, j++)
        lane[j] = add_term(lane[j], load_some_wide(y + i, n - i), load_some_wide(dy + i, n - i), of_log);
    return c_acc_fold(lane);
}

SL_NOINLINE c_acc row_sum(const T *x, size_t n) { return row_sum_of(x, x, n, OF_LOG); }
SL_NOINLINE c_acc row_dot(const T *y, const T *dy, size_t n) { return row_sum_of(y, dy, n, OF_SOFTMAX); }

/* The same in steps, of x alone: nothing, a block, and what is left. */
SL_INLINE void sum_init(c_acc lane[SL_PARTS])
{
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++)
        lane[j] = c_acc_zero();
}

SL_INLINE void sum_block(const T *x, c_acc lane[SL_PARTS])
{
    SL_UNROLL_PARTS
    for (size_t j = 0; j < SL_BLOCK / SL_W; j++)
        lane[j % SL_PARTS] = c_acc_add(lane[j % SL_PARTS], load_widened(x + j * SL_W));
}

SL_NOINLINE c_acc sum_end(const T *x, size_t n, const c_acc so_far[SL_PARTS])
{
    c_acc lane[SL_PARTS];
    for (size_t j = 0; j < SL_PARTS; j++)
        lane[j] = so_far[j];
    SL_ROLLED
    for (size_t i = 0, j = 0; i < n; i += SL_W, j++)
        lane[j % SL_PARTS] = c_acc_add(lane[j % SL_PARTS], load_some_wide(x + i, n - i));
    return c_acc_fold(lane);
}

/* Inline, but for f64, whose compensated sums are large. */
SL_INLINE c_acc sum_of_row(const T *y, const T *dy, size_t n, int of_log)
{
    if (!SL_F64)
        return row_sum_of(y, dy, n, of_log);
    return of_log ? row_sum(dy, n) : row_dot(y, dy, n);
}

/* Two strips, each of whose elements go together. */
typedef struct {
    strip y, dy;
} strip_pair;

/* The terms of the classes from `c` to `end`: to begin the lanes with, or one more for each. */
enum { BEGIN, ADD };
SL_INLINE void strip_terms(const strip_pair *s, size_t c, size_t end, int what,
                           c_acc lane[STRIP_VECTORS][SL_LANES], int of_log, strip_options o)
{
    size_t vectors = strip_vectors_for(&s->y, o);
    for (; c < end; c++) {
        if (!o.single) {
            strip_prefetch(&s->y, c, o);
            strip_prefetch(&s->dy, c, o);
        }
        SL_UNROLL_PARTS
        for (size_t k = 0; k < vectors; k++) {
            c_acc *to = &lane[k][c % SL_LANES];
            *to = add_term(what == BEGIN ? c_acc_zero() : *to, strip_load_wide(&s->y, c, k, o),
                           strip_load_wide(&s->dy, c, k, o), of_log);
        }
    }
}

SL_INLINE void strip_sum_of(const strip_pair *of, c_acc sum[STRIP_VECTORS], int of_log, strip_options o)
{
    const strip_pair s = *of; /* no store can change it */
    SL_ASSUME(s.y.classes > 0);
    c_acc lane[STRIP_VECTORS][SL_LANES];
    size_t vectors = strip_vectors_for(&s.y, o), used = least(SL_LANES, s.y.classes);
    strip_terms(&s, 0, used, BEGIN, lane, of_log, o);
    strip_terms(&s, used, s.y.classes, ADD, lane, of_log, o);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++)
        sum[k] = !SL_F64 && o.single && o.whole ? c_fold_rows(lane[k], used) : fold_rows(lane[k], used);
}

/* Of whole registers. */
SL_NOINLINE void strip_sum(const strip_pair *s, c_acc sum[STRIP_VECTORS])
{
    strip_sum_of(s, sum, OF_LOG, (strip_options){.whole = 1});
}

SL_NOINLINE void strip_dot(const strip_pair *s, c_acc sum[STRIP_VECTORS])
{
    if (s->y.rows == STRIP_ROWS)
        strip_sum_of(s, sum, OF_SOFTMAX, (strip_options){.whole = 1, .full = 1});
    else
        strip_sum_of(s, sum, OF_SOFTMAX, (strip_options){.whole = 1});
}

#endif
