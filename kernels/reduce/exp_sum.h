/* SPDX-License-Identifier: MIT
 *
 * The first pass of softmax: the sum of a row's exponentials, and its maximum, in one read. The exponentials are those of a
 * predicted frame (exp_f32.h); if the maximum asks for another one, the row is done again in that.
 */
#ifndef SL_REDUCE_EXP_SUM_H
#define SL_REDUCE_EXP_SUM_H

#include "schedule/pending_row.h"

typedef struct {
    c_acc sum[SL_EXP_PARTS]; /* of terms */
    reg max[SL_EXP_PARTS];   /* a NaN of the row may be among them: then its sum is one */
} exp_lanes;

/* How many of these a block makes use of: one, where parts come one after the other anyway. */
enum { MAXIMA = SL_FMA || PARTS_APART ? 1 : SL_EXP_PARTS };

SL_INLINE void exp_lanes_init(exp_lanes *lanes)
{
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++) {
        lanes->sum[j] = c_acc_zero();
        lanes->max[j] = c_set1((num)-INFINITY);
    }
}

/* What a pass is compiled for. */
typedef struct {
    int shifted;     /* the frame may have a shift */
    int pairwise;    /* each pair is added in f32 first */
    int nontemporal; /* stores of the other row */
    int rest;        /* what is behind the last whole block is read by masked loads, behind the loop */
    int in_order;    /* elements are in their order whatever load_two does */
} exp_options;

/* Keeps a register of exponentials as elements i and following of e. */
typedef void (*keep_exps)(void *e, size_t i, reg a);

SL_INLINE void keep_in_nums(void *e, size_t i, reg a) { c_store((num *)e + i, a); }

/* Two registers of exponentials, which pair() brings into the same lanes unless they are in order. */
SL_INLINE void add_exps(reg first, reg second, exp_options o, c_acc *sum)
{
    if (!o.in_order)
        pair(&first, &second);
    if (o.pairwise)
        *sum = c_acc_add_pair(*sum, first, second);
    else
        *sum = c_acc_add_term(c_acc_add_term(*sum, first), second);
}

/* Registers of a block that hold the same lanes. */
enum { OF_LANE = SL_BLOCK / SL_EXP_LANES };

/* Those of part j: sums and maxima by lane, and the exponentials. */
SL_INLINE void exp_part(reg of[OF_LANE], size_t j, keep_exps keep, void *e, c_vframe f, exp_options o,
                        exp_lanes *lanes)
{
    reg *max = lanes->max + j % MAXIMA;
    SL_UNROLL
    for (size_t k = 0; k < OF_LANE; k++)
        *max = c_larger(of[k], *max);
    c_exps_predicted(of, OF_LANE, o.shifted, f, c_exp_table_load());
    SL_UNROLL
    for (size_t k = 0; k < OF_LANE; k++)
        keep(e, j * SL_W + k * SL_EXP_LANES, of[k]);
    SL_UNROLL
    for (size_t k = 0; k < OF_LANE; k += 2)
        add_exps(of[k], of[k + 1], o, lanes->sum + j);
}

/* A block, of which n elements are not -inf: sums and maxima by lane, and the exponentials, in the order of load_two or in theirs. In parts
 * that have none of the n there may be any exponentials. */
SL_INLINE void exp_block(const T *x, size_t n, keep_exps keep, void *e, c_vframe f, exp_options o,
                         exp_lanes *lanes)
{
    enum { BY_PARTS = PARTS_APART && SL_IN_ORDER };
    reg a[SL_BLOCK / SL_W];
    SL_UNROLL
    for (size_t j = 0; !BY_PARTS && j < SL_BLOCK / SL_W; j += 2) {
        if (!o.in_order) {
            load_two(x + j * SL_W, a + j);
            continue;
        }
        a[j] = load(x + j * SL_W);
        a[j + 1] = load(x + (j + 1) * SL_W);
    }
    SL_UNROLL_PARTS
    for (size_t j = 0; j < SL_EXP_PARTS; j++) {
        SL_APART;
        reg of[OF_LANE];
        if (BY_PARTS && j * SL_W >= n)
            break;
        SL_UNROLL
        for (size_t k = 0; k < OF_LANE; k++)
            of[k] = BY_PARTS ? load(x + j * SL_W + k * SL_EXP_LANES) : a[j + k * SL_EXP_PARTS];
        exp_part(of, j, keep, e, f, o, lanes);
    }
}

/* Registers `from` and following of a block of n elements, in the order of load_two. */
SL_INLINE void load_half(const T *x, size_t n, size_t from, reg a[2 * SL_EXP_PARTS])
{
    SL_UNROLL
    for (size_t j = from; j < from + SL_EXP_PARTS; j++) {
        if (SL_IN_ORDER)
            a[j] = load_masked(x, j * SL_W, n);
        else if (j % 2 == 0)
            load_two_n(x + least(j * SL_W, n), left(n, j * SL_W), (num)-INFINITY, a + j);
    }
}

/* Half of a block, from register `from` on. */
SL_INLINE void exp_half(reg a[2 * SL_EXP_PARTS], size_t from, num *e, c_vframe f, exp_options o,
                        exp_lanes *lanes)
{
    SL_UNROLL
    for (size_t j = from; j < from + SL_EXP_PARTS; j++) {
        lanes->max[j - from] = c_max(a[j], lanes->max[j - from]);
        a[j] = c_exp_predicted(a[j], o.shifted, f, c_exp_table_load());
        c_store(e + j * SL_W, a[j]);
    }
}

/* n elements, at most a block, by masked loads; e has room for a whole one. An upper half that is empty adds 0. */
SL_INLINE void exp_rest(const T *x, size_t n, num *e, c_vframe f, exp_options o, exp_lanes *lanes)
{
    reg a[2 * SL_EXP_PARTS];
    SL_UNROLL
    for (size_t j = SL_EXP_PARTS; j < 2 * SL_EXP_PARTS; j++)
        a[j] = c_set1(0);
    load_half(x, n, 0, a);
    exp_half(a, 0, e, f, o, lanes);
    if (n > SL_EXP_LANES || !SL_IN_ORDER) {
        load_half(x, n, SL_EXP_PARTS, a);
        exp_half(a, SL_EXP_PARTS, e, f, o, lanes);
    }
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        add_exps(a[j], a[j + SL_EXP_PARTS], o, lanes->sum + j);
}

/* Sums, maxima and exponentials of a row, and on the way the second pass of another one, unless that is NULL. Its exponentials
 * may be in the same place: each block is read before it is written. */
SL_INLINE void exp_pass(row_reader *r, const T *x, exp_place place, c_frame frame, const pending_row *other,
                        exp_options o, exp_lanes *result)
{
    const pending_row row = other ? *other : (pending_row){.e = NULL}; /* no store can change it */
    const emit_options emit = {.kind = EMIT_PRODUCT, .scaled = 1};
    const size_t n = r->n, whole = o.rest ? n / SL_BLOCK * SL_BLOCK : n;
    emit_range blocks = {0, 0};
    exp_lanes lanes; /* in registers */
    num last[SL_BLOCK];
    c_vframe f = c_frame_set1(frame);
    emit_tail tail;
    tail.n = 0;
    if (other) {
        blocks = emit_range_of(&row, n, SL_BLOCK, o.nontemporal);
        if (o.nontemporal)
            emit_ends(other, n, emit);
        else
            emit_tail_of(&row, blocks.end, n, emit, f, &tail);
    }
    exp_lanes_init(&lanes);
    for (size_t i = 0; i < whole; i += SL_BLOCK) {
        if (blocks.at < blocks.end) {
            emit_block(&row, blocks.at, emit, o.nontemporal, f);
            blocks.at += SL_BLOCK;
        }
        prefetch_block(x + i, WRITES_BESIDE);
        exp_block(o.rest ? x + i : block_at(r, x, i, n), n - i, keep_in_nums, exps_at(place, n - i, i, last),
                  f, o, &lanes);
    }
    if (whole < n)
        exp_rest(x + whole, n - whole, exps_at(place, n - whole, whole, last), f, o, &lanes);
    keep_last(place, n, last);
    if (other && !o.nontemporal)
        emit_tail_put(&row, &tail);
    *result = lanes;
}

SL_NOINLINE void exp_row_alone(row_reader *r, const T *x, exp_place place, c_frame frame, exp_lanes *lanes)
{
    exp_pass(r, x, place, frame, NULL, (exp_options){.pairwise = 1}, lanes);
}

/* With the second pass of another row. */
SL_NOINLINE void exp_row(row_reader *r, const T *x, exp_place place, c_frame frame, const pending_row *other,
                         exp_lanes *lanes)
{
    SL_ASSUME(other != NULL);
    exp_pass(r, x, place, frame, other, (exp_options){.pairwise = 1, .rest = MASKED_LOADS}, lanes);
}

SL_NOINLINE void exp_row_nontemporal(row_reader *r, const T *x, exp_place place, c_frame frame,
                                     const pending_row *other, exp_lanes *lanes)
{
    SL_ASSUME(other != NULL);
    exp_pass(r, x, place, frame, other, (exp_options){.pairwise = 1, .nontemporal = 1}, lanes);
}

/* In any frame, alone. */
SL_RARE void exp_row_again(row_reader *r, const T *x, exp_place place, c_frame frame, exp_lanes *lanes)
{
    exp_pass(r, x, place, frame, NULL, (exp_options){.shifted = 1, .pairwise = 1}, lanes);
}

#endif
