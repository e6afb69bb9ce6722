/* SPDX-License-Identifier: MIT
 *
 * The first pass of softmax: the sum of a row's exponentials, and its maximum, in one read. The exponentials are those of a
 * predicted frame (exp_f32.h); if the maximum asks for another one, the row is done again in that.
 */
#ifndef SL_REDUCE_EXP_SUM_H
#define SL_REDUCE_EXP_SUM_H

#include "schedule/pending_row.h"

typedef struct {
    c_acc sum[SL_PARTS];
    reg max[SL_PARTS];
} exp_lanes;

SL_INLINE void exp_lanes_init(exp_lanes *lanes)
{
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++) {
        lanes->sum[j] = c_acc_zero();
        lanes->max[j] = c_set1((num)-INFINITY);
    }
}

/* A block: sums and maxima by lane, each pair added in f32 first if `pairwise`; and the exponentials, in the order of
 * load_two. shifted: the frame may have a shift. */
SL_INLINE void exp_block(const T *x, num *e, int shifted, int pairwise, c_vframe f, exp_lanes *lanes)
{
    c_exp_table table = c_exp_table_load();
    reg a[2 * SL_PARTS];
    SL_UNROLL
    for (size_t j = 0; j < 2 * SL_PARTS; j += 2)
        load_two(x + j * SL_W, a + j);
    SL_UNROLL_PARTS
    for (size_t j = 0; j < SL_PARTS; j++) {
        reg first = a[j], second = a[j + SL_PARTS];
        lanes->max[j] = c_max(second, c_max(first, lanes->max[j]));
        first = c_exp_predicted(first, shifted, f, table);
        second = c_exp_predicted(second, shifted, f, table);
        c_store(e + j * SL_W, first);
        c_store(e + j * SL_W + SL_LANES, second);
        pair(&first, &second);
        if (pairwise)
            lanes->sum[j] = c_acc_add_pair(lanes->sum[j], first, second);
        else
            lanes->sum[j] = c_acc_add(c_acc_add(lanes->sum[j], c_widen(first)), c_widen(second));
    }
}

typedef struct {
    int shifted, nontemporal;
} exp_options;

/* Sums, maxima and exponentials of a row, and on the way the second pass of another one, unless that is NULL. Its exponentials
 * may be in the same place: each block is read before it is written. */
SL_INLINE void exp_pass(row_reader *r, const T *x, exp_place place, c_frame frame, const pending_row *other,
                        exp_options o, exp_lanes *result)
{
    const pending_row row = other ? *other : (pending_row){.e = NULL}; /* no store can change it */
    block_range blocks = {0, 0};
    exp_lanes lanes; /* in registers */
    num last[SL_BLOCK];
    c_vframe f = c_frame_set1(frame);
    const size_t n = r->n;
    if (other)
        blocks = emit_ends(&row, n, EMIT_SCALED, o.nontemporal, f);
    exp_lanes_init(&lanes);
    for (size_t i = 0; i < n; i += SL_BLOCK) {
        if (blocks.at < blocks.end) {
            emit_block(&row, blocks.at, EMIT_SCALED, o.nontemporal, f);
            blocks.at += SL_BLOCK;
        }
        prefetch_block(x + i, 0);
        exp_block(block_at(r, x, i, n), exps_at(place, n - i, i, last), o.shifted, 1, f, &lanes);
    }
    keep_last(place, n, last);
    *result = lanes;
}

SL_NOINLINE void exp_row_alone(row_reader *r, const T *x, exp_place place, c_frame frame, exp_lanes *lanes)
{
    exp_pass(r, x, place, frame, NULL, (exp_options){.shifted = 0}, lanes);
}

/* With the second pass of another row. */
SL_NOINLINE void exp_row(row_reader *r, const T *x, exp_place place, c_frame frame, const pending_row *other,
                         exp_lanes *lanes)
{
    SL_ASSUME(other != NULL);
    exp_pass(r, x, place, frame, other, (exp_options){.nontemporal = 0}, lanes);
}

SL_NOINLINE void exp_row_nontemporal(row_reader *r, const T *x, exp_place place, c_frame frame,
                                     const pending_row *other, exp_lanes *lanes)
{
    SL_ASSUME(other != NULL);
    exp_pass(r, x, place, frame, other, (exp_options){.nontemporal = 1}, lanes);
}

/* In any frame, alone. */
SL_NOINLINE void exp_row_again(row_reader *r, const T *x, exp_place place, c_frame frame, exp_lanes *lanes)
{
    exp_pass(r, x, place, frame, NULL, (exp_options){.shifted = 1}, lanes);
}

#endif
