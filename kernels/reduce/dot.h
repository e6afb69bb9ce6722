/* SPDX-License-Identifier: MIT
 *
 * Sums over the classes of rows, in f64 lanes (f64: compensated): of dy, or of y dy.
 */
#ifndef SL_REDUCE_DOT_H
#define SL_REDUCE_DOT_H

#include "schedule/strip.h"
#include "maths/lane_folds.h"

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
    for (size_t j = 0; j < 2 * SL_PARTS; j++)
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

SL_NOINLINE c_acc row_sum(const T *x, size_t n)
{
    c_acc lane[SL_PARTS];
    size_t i = 0;
    sum_init(lane);
    for (; i + SL_BLOCK <= n; i += SL_BLOCK)
        sum_block(x + i, lane);
    return sum_end(x + i, n - i, lane);
}

/* Of a strip, each of whose elements goes with that of dy at the same place. */
SL_INLINE void strip_sum(const strip *s, const strip *dy, int of_log, c_acc sum[STRIP_VECTORS],
                         strip_options o)
{
    const strip here = *s, here_dy = *dy; /* no store can change them */
    s = &here;
    dy = &here_dy;
    c_acc lane[STRIP_VECTORS][SL_LANES];
    size_t vectors = o.single ? 1 : strip_vectors(s);
    for (size_t k = 0; k < vectors; k++)
        for (size_t l = 0; l < SL_LANES; l++)
            lane[k][l] = c_acc_zero();
    for (size_t c = 0; c < s->classes; c++) {
        if (!o.single) {
            strip_prefetch(s, c);
            strip_prefetch(dy, c);
        }
        SL_UNROLL
        for (size_t k = 0; k < vectors; k++) {
            c_acc *to = &lane[k][c % SL_LANES];
            *to = add_term(*to, strip_load_wide(s, c, k, o), strip_load_wide(dy, c, k, o), of_log);
        }
    }
    for (size_t k = 0; k < vectors; k++)
        sum[k] = o.single && o.whole ? c_fold_rows(lane[k], least(SL_LANES, s->classes))
                                     : fold_rows(lane[k], least(SL_LANES, s->classes));
}

#endif
