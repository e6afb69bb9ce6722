/* SPDX-License-Identifier: MIT
 *
 * The second pass over a row, whose statistics are known:
 *
 *   EMIT_PRODUCT   e_c k                     softmax and gradients. The exponentials are those that the first pass has kept, or
 *                                            are computed again; the entry of a gradient's target is another number
 *   EMIT_LOG       (x_c - max) - log_sum     log-softmax
 *   EMIT_SCORE     (z_c - max) - log_sum     log-softmax of scores, which the first pass has kept where exponentials would be
 *
 * Alone, or block by block beside the first pass over another row, so that nobody waits for a row's end, and memory is read
 * and written all the time.
 */
#ifndef SL_SCHEDULE_PENDING_ROW_H
#define SL_SCHEDULE_PENDING_ROW_H

#include "schedule/parts.h"
#include "maths/factor.h"
#include "maths/lane_folds.h"

enum { EMIT_PRODUCT, EMIT_LOG, EMIT_SCORE };

typedef struct {
    const T *x;
    const num *e; /* its exponentials or scores, or NULL: compute them again */
    T *y;
    size_t target; /* SIZE_MAX: none */
    c_frame frame; /* of e */
    row_factor k;  /* factor.h */
    num max, log_sum;
    T entry;
    _Bool paired;   /* the exponentials are in the order of load_two, by whole blocks */
    _Bool has_unit; /* k is not the reciprocal of a sum */
} pending_row;

/* Up to SL_W rows. */
typedef struct {
    pending_row row[SL_W];
    size_t n;
    int nontemporal;
} pending_rows;

/* Two registers in the order of load_two, with another entry in one place, past the caches. */
SL_RARE void put_with_entry(T *y, size_t place, T entry, reg first, reg second)
{
    T part[2 * SL_W];
    reg two[2] = {first, second};
    store_two(part, two);
    part[place] = entry;
    load_two(part, two);
    stream_two(y, two);
}

/* One register of the n exponentials from e on, of which `at` are done. */
SL_INLINE reg load_exps(const num *e, size_t at, size_t n)
{
    return n >= at + SL_W ? c_load(e + at) : n > at ? c_load_n(e + at, n - at, 0) : c_set1(0);
}

/* What a second pass is compiled for. */
typedef struct {
    int kind;
    int again;  /* exponentials are computed again */
    int scaled; /* k has no unit; else the row says it */
} emit_options;

/* What the results of two registers at `at` are made of, n elements or as many as they hold, in the order of load_two. */
SL_INLINE void emit_load(const pending_row *row, size_t at, size_t n, emit_options o, reg two[2])
{
    if (o.kind == EMIT_LOG || o.again) {
        if (n >= 2 * SL_W)
            load_two(row->x + at, two);
        else
            load_two_n(row->x + at, n, o.kind == EMIT_LOG ? 0 : (num)-INFINITY, two);
        return;
    }
    int paired = !SL_IN_ORDER && row->paired;
    SL_UNROLL
    for (size_t i = 0; i < 2; i++)
        two[i] = load_exps(row->e + at, i * SL_W, paired ? 2 * SL_W : n);
    if (!paired)
        in_two(two);
}

SL_INLINE void emit_results(const pending_row *row, emit_options o, c_vframe f, reg two[2])
{
    c_factor k = c_factor_set1(row->k);
    SL_UNROLL
    for (size_t i = 0; i < 2; i++) {
        if (o.kind != EMIT_PRODUCT) {
            two[i] = c_sub(c_sub(two[i], c_set1(row->max)), c_set1(row->log_sum));
            continue;
        }
        if (o.again)
            two[i] = c_exp_in_frame(c_less_shift(two[i], f), f, c_exp_table_load());
        two[i] = c_times(two[i], k);
    }
#if SL_FMA
    if (o.kind == EMIT_PRODUCT && !o.scaled && row->has_unit) {
        SL_UNROLL
        for (size_t i = 0; i < 2; i++)
            two[i] = c_mul(two[i], k.unit);
    }
#endif
}

/* Two registers. A non-temporal line cannot be patched, so the target's entry goes in first. */
SL_INLINE void emit_two(const pending_row *row, size_t at, emit_options o, int nontemporal, c_vframe f)
{
    reg two[2];
    if (TIMES_FROM_MEMORY && o.kind == EMIT_PRODUCT && !o.again && (SL_IN_ORDER || row->paired)) {
        SL_UNROLL
        for (size_t i = 0; i < 2; i++)
            two[i] = c_times_at(row->e + at + i * SL_W, c_factor_set1(row->k));
    } else {
        emit_load(row, at, 2 * SL_W, o, two);
        emit_results(row, o, f, two);
    }
    if (o.kind == EMIT_PRODUCT && !o.scaled && nontemporal && row->target - at < 2 * SL_W)
        put_with_entry(row->y + at, row->target - at, row->entry, two[0], two[1]);
    else
        put_two(row->y + at, two, nontemporal);
}

SL_INLINE void emit_block(const pending_row *row, size_t at, emit_options o, int nontemporal, c_vframe f)
{
    SL_UNROLL_PARTS
    for (size_t end = at + SL_BLOCK; at < end; at += 2 * SL_W)
        emit_two(row, at, o, nontemporal, f);
}

/* Any elements, `at` to n. Whole lines are non-temporal, if that is wanted: then `at` starts one. */
SL_INLINE void emit_part_of(const pending_row *row, size_t at, size_t n, emit_options o, int nontemporal)
{
    c_vframe f = c_frame_set1(row->frame);
    reg two[2];
    SL_ROLLED
    for (; at + 2 * SL_W <= n; at += 2 * SL_W)
        emit_two(row, at, o, nontemporal, f);
    if (at == n)
        return;
    emit_load(row, at, n - at, o, two);
    emit_results(row, o, f, two);
    if (nontemporal && o.kind == EMIT_PRODUCT && row->target - at < n - at) {
        T part[2 * SL_W];
        store_two(part, two);
        part[row->target - at] = row->entry;
        load_two(part, two);
    }
    if (SL_IN_ORDER && nontemporal && SL_W * sizeof(T) >= SL_LINE &&
        n - at >= SL_W) { /* a register is whole lines */
        stream(row->y + at, two[0]);
        if (n - at > SL_W)
            store_n(row->y + at + SL_W, two[1], n - at - SL_W);
    } else {
        store_two_n(row->y + at, two, n - at);
    }
}

SL_NOINLINE void emit_part(const pending_row *of, size_t at, size_t n, int kind, int nontemporal)
{
    const pending_row row = *of; /* no store can change it */
    if (kind == EMIT_LOG)
        emit_part_of(&row, at, n, (emit_options){.kind = EMIT_LOG}, nontemporal);
    else if (kind == EMIT_SCORE)
        emit_part_of(&row, at, n, (emit_options){.kind = EMIT_SCORE}, CACHED);
    else if (row.e)
        emit_part_of(&row, at, n, (emit_options){.kind = EMIT_PRODUCT}, nontemporal);
    else
        emit_part_of(&row, at, n, (emit_options){.kind = EMIT_PRODUCT, .again = 1}, nontemporal);
}

/* Elements that are emitted by whole steps. */
typedef struct {
    size_t at, end;
} emit_range;

SL_INLINE emit_range emit_range_of(const pending_row *row, size_t n, size_t step, int nontemporal)
{
    size_t at = nontemporal ? least(n, elements_to_line(row->y)) : 0;
    return (emit_range){at, at + (n - at) / step * step};
}

/* The target's entry, unless it has gone into a line. */
SL_INLINE void emit_entry(const pending_row *row, size_t n, int nontemporal)
{
    size_t at = nontemporal ? least(n, elements_to_line(row->y)) : n;
    int done = row->target - at < round_down_to_lines(n - at);
    if (row->target < n && !done)
        row->y[row->target] = row->entry;
}

/* Results behind the last whole block, or so many before it that they are whole pairs of registers. They are computed first,
 * from what others may overwrite, and written last. */
typedef struct {
    T results[SL_BLOCK];
    size_t at, n;
} emit_tail;

SL_INLINE void emit_tail_of(const pending_row *row, size_t at, size_t n, emit_options o, c_vframe f,
                            emit_tail *tail)
{
    int paired = o.kind == EMIT_PRODUCT && !o.again && !SL_IN_ORDER && row->paired;
    size_t some = (n - at + 2 * SL_W - 1) / (2 * SL_W) * (2 * SL_W);
    tail->at = paired ? at : n - some;
    tail->n = paired ? n - at : some;
    SL_ROLLED
    for (size_t i = 0; i < some; i += 2 * SL_W) {
        reg two[2];
        emit_load(row, tail->at + i, 2 * SL_W, o, two);
        emit_results(row, o, f, two);
        store_two(tail->results + i, two);
    }
}

SL_INLINE void emit_tail_put(const pending_row *row, const emit_tail *tail)
{
    size_t i = 0;
    SL_ROLLED
    for (; i + 2 * SL_W <= tail->n; i += 2 * SL_W)
        copy_two(tail->results + i, row->y + tail->at + i);
    SL_ROLLED
    for (; !SL_IN_ORDER && i < tail->n; i += SL_W)
        store_some(row->y + tail->at + i, load(tail->results + i), tail->n - i);
}

/* The ends of a non-temporal row, and its entry; the others come by whole blocks. */
SL_INLINE void emit_ends(const pending_row *row, size_t n, emit_options o)
{
    emit_range blocks = emit_range_of(row, n, SL_BLOCK, NONTEMPORAL);
    if (blocks.at)
        emit_part(row, 0, blocks.at, o.kind, CACHED);
    if (blocks.end < n)
        emit_part(row, blocks.end, n, o.kind, NONTEMPORAL);
    if (o.kind == EMIT_PRODUCT)
        emit_entry(row, n, NONTEMPORAL);
}

/* A row of at least two registers. The last two end with the row, and are read before results overwrite them. */
SL_INLINE void emit_row_of(const pending_row *of, size_t n, emit_options o, int nontemporal)
{
    const pending_row row = *of; /* no store can change it */
    c_vframe f = c_frame_set1(row.frame);
    emit_range steps = emit_range_of(&row, n, 2 * SL_W, nontemporal);
    int paired = o.kind == EMIT_PRODUCT && !o.again && !SL_IN_ORDER && row.paired;
    size_t at = paired ? (n - 1) / (2 * SL_W) * (2 * SL_W) : n - 2 * SL_W;
    reg last[2];
    if (steps.at)
        emit_part(of, 0, steps.at, o.kind, CACHED);
    emit_load(&row, at, 2 * SL_W, o, last);
    SL_UNROLL_2
    for (size_t i = steps.at; i < steps.end; i += 2 * SL_W)
        emit_two(&row, i, o, nontemporal, f);
    if (steps.end < n && nontemporal) {
        emit_part(of, steps.end, n, o.kind, NONTEMPORAL);
    } else if (steps.end < n) {
        emit_results(&row, o, f, last);
        if (paired)
            store_two_n(row.y + at, last, n - at);
        else
            store_two(row.y + at, last);
    }
    if (o.kind == EMIT_PRODUCT)
        emit_entry(&row, n, nontemporal);
}

/* A row alone. */
SL_NOINLINE void emit_row(const pending_row *row, size_t n, int kind, int nontemporal)
{
    if (n < 2 * SL_W || kind == EMIT_SCORE) {
        emit_part(row, 0, n, kind, CACHED);
        emit_entry(row, kind == EMIT_PRODUCT ? n : 0, CACHED);
    } else if (kind == EMIT_LOG) {
        emit_row_of(row, n, (emit_options){.kind = EMIT_LOG}, nontemporal);
    } else if (row->e) {
        emit_row_of(row, n, (emit_options){.kind = EMIT_PRODUCT}, nontemporal);
    } else {
        emit_row_of(row, n, (emit_options){.kind = EMIT_PRODUCT, .again = 1}, nontemporal);
    }
}

SL_NOINLINE void emit_rows(pending_rows *rows, size_t n, int kind)
{
    SL_ROLLED
    for (size_t l = 0; l < rows->n; l++)
        emit_row(rows->row + l, n, kind, rows->nontemporal);
    rows->n = 0;
}

#endif
