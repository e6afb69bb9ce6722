/* SPDX-License-Identifier: MIT
 *
 * The second pass over a row, whose statistics are known:
 *
 *   EMIT_SCALED   e_c k                     softmax, of exponentials that the first pass has kept in the order of load_two
 *   EMIT_GRAD     e_c k                     a gradient, likewise, but kept in their own order; the entry of the row's target
 *                                           is another number
 *   EMIT_SCALED_AGAIN, EMIT_GRAD_AGAIN      the same, e computed again
 *   EMIT_LOG      (x_c - max) - log_sum     log-softmax
 *
 * Alone, or block by block beside the first pass over another row, so that nobody waits for a row's end, and memory is read
 * and written all the time.
 */
#ifndef SL_SCHEDULE_PENDING_ROW_H
#define SL_SCHEDULE_PENDING_ROW_H

#include "schedule/parts.h"
#include "maths/factor.h"
#include "maths/lane_folds.h"

enum { EMIT_SCALED, EMIT_GRAD, EMIT_SCALED_AGAIN, EMIT_GRAD_AGAIN, EMIT_LOG };
SL_INLINE int is_grad(int kind) { return kind == EMIT_GRAD || kind == EMIT_GRAD_AGAIN; }

typedef struct {
    const T *x;
    const num *e; /* its exponentials, or NULL: compute them again */
    T *y;
    c_frame frame;       /* of e */
    num high, low, unit; /* k (factor.h) */
    num max, log_sum;
    size_t target; /* SIZE_MAX: none */
    T entry;
} pending_row;

/* Up to SL_W rows. */
typedef struct {
    pending_row row[SL_W];
    size_t n;
    int nontemporal;
} pending_rows;

/* The factors of SL_W rows, one by one. */
typedef struct {
    num high[SL_W], low[SL_W], unit[SL_W];
} factor_lanes;

SL_INLINE factor_lanes factors_of(c_factor k)
{
    factor_lanes f;
    c_store(f.high, k.high);
    c_store(f.low, k.low);
    c_store(f.unit, k.unit);
    return f;
}

SL_INLINE void set_factor(pending_row *row, const factor_lanes *f, size_t l)
{
    row->high = f->high[l];
    row->low = f->low[l];
    row->unit = f->unit[l];
}

/* Two registers in the order of load_two, and a[at] = entry. */
SL_NOINLINE void with_entry(reg two[2], size_t at, T entry)
{
    T part[2 * SL_W];
    store_two(part, two);
    part[at] = entry;
    load_two(part, two);
}

/* One register of the n exponentials from e on, of which `at` are done. */
SL_INLINE reg load_exps(const num *e, size_t at, size_t n)
{
    return n >= at + SL_W ? c_load(e + at) : n > at ? c_load_n(e + at, n - at, 0) : c_set1(0);
}

/* The results of two registers at `at`, of n elements or as many as they hold, in the order of load_two. Where those of a type
 * are not in their own order, the first pass has kept whole blocks. */
SL_INLINE void emit_two(const pending_row *row, size_t at, size_t n, int kind, c_vframe f, reg two[2])
{
    c_factor k = {c_set1(row->high), c_set1(row->low), c_set1(row->unit)};
    if (kind == EMIT_SCALED || kind == EMIT_GRAD) {
        SL_UNROLL
        for (size_t i = 0; i < 2; i++)
            two[i] = load_exps(row->e + at, i * SL_W, kind == EMIT_SCALED && !SL_IN_ORDER ? 2 * SL_W : n);
    } else if (n >= 2 * SL_W) {
        load_two(row->x + at, two);
    } else {
        load_two_n(row->x + at, n, kind == EMIT_LOG ? 0 : (num)-INFINITY, two);
    }
    if (kind == EMIT_GRAD)
        in_two(two);
    SL_UNROLL
    for (size_t i = 0; i < 2; i++) {
        if (kind == EMIT_LOG) {
            two[i] = c_sub(c_sub(two[i], c_set1(row->max)), c_set1(row->log_sum));
        } else {
            if (kind == EMIT_SCALED_AGAIN || kind == EMIT_GRAD_AGAIN)
                two[i] = c_exp_in_frame(c_less_shift(two[i], f), f, c_exp_table_load());
            two[i] = is_grad(kind) ? c_times_unit(two[i], k) : c_times(two[i], k);
        }
    }
}

/* n results, one register or two. A non-temporal line cannot be patched, so the target's entry goes in first. */
SL_INLINE void emit(const pending_row *row, size_t at, size_t n, int kind, int nontemporal, c_vframe f)
{
    reg two[2];
    emit_two(row, at, n, kind, f, two);
    if (is_grad(kind) && nontemporal && row->target - at < n)
        with_entry(two, row->target - at, row->entry);
    if (n == SL_W)
        put(row->y + at, two[0], nontemporal);
    else
        put_two(row->y + at, two, nontemporal);
}

SL_INLINE void emit_block(const pending_row *row, size_t at, int kind, int nontemporal, c_vframe f)
{
    SL_UNROLL_PARTS
    for (size_t end = at + SL_BLOCK; at < end; at += 2 * SL_W)
        emit(row, at, 2 * SL_W, kind, nontemporal, f);
}

/* Elements `at` to n; of those that are nontemporal, `at` starts a line. */
SL_INLINE void emit_rest(const pending_row *row, size_t at, size_t n, int kind, int nontemporal, c_vframe f)
{
    size_t lines = nontemporal ? at + round_down_to_lines(n - at) : n;
    SL_ROLLED
    for (; at + 2 * SL_W <= lines; at += 2 * SL_W)
        emit(row, at, 2 * SL_W, kind, nontemporal, f);
    if (nontemporal && at < lines) { /* a line is a register, and the number of them odd */
        emit(row, at, SL_W, kind, 1, f);
        at = lines;
    }
    SL_ROLLED
    for (; at < n; at += 2 * SL_W) {
        reg two[2];
        emit_two(row, at, n - at, kind, f, two);
        store_two_n(row->y + at, two, n - at);
    }
}

/* The blocks of a row that are emitted one by one, from `at` to `end`. */
typedef struct {
    size_t at, end;
} block_range;

/* Emits all but these: what lies before the first line that is nontemporal, and what lies behind the last block. */
SL_INLINE block_range emit_ends(const pending_row *row, size_t n, int kind, int nontemporal, c_vframe f)
{
    size_t at = nontemporal ? least(n, elements_to_line(row->y)) : 0;
    size_t end = at + (n - at) / SL_BLOCK * SL_BLOCK;
    if (nontemporal)
        emit_rest(row, 0, at, kind, 0, f);
    emit_rest(row, end, n, kind, nontemporal, f);
    return (block_range){at, end};
}

/* The target's entry, unless it has gone into a line. */
SL_INLINE void emit_entry(const pending_row *row, size_t n, int nontemporal)
{
    size_t first = nontemporal ? least(n, elements_to_line(row->y)) : n;
    if (row->target < first || (row->target >= first + round_down_to_lines(n - first) && row->target < n))
        row->y[row->target] = row->entry;
}

SL_INLINE void emit_row_of(const pending_row *pending, size_t n, int kind, int nontemporal)
{
    const pending_row row = *pending; /* no store can change it */
    c_vframe f = c_frame_set1(row.frame);
    block_range blocks = emit_ends(&row, n, kind, nontemporal, f);
    for (; blocks.at < blocks.end; blocks.at += SL_BLOCK)
        emit_block(&row, blocks.at, kind, nontemporal, f);
    if (is_grad(kind))
        emit_entry(&row, n, nontemporal);
}

/* A row alone: EMIT_SCALED, EMIT_GRAD or EMIT_LOG, again where it has no exponentials. */
SL_NOINLINE void emit_row(const pending_row *row, size_t n, int kind, int nontemporal)
{
    if (kind == EMIT_LOG)
        emit_row_of(row, n, EMIT_LOG, nontemporal);
    else if (kind == EMIT_SCALED && row->e)
        emit_row_of(row, n, EMIT_SCALED, nontemporal);
    else if (kind == EMIT_SCALED)
        emit_row_of(row, n, EMIT_SCALED_AGAIN, nontemporal);
    else if (row->e)
        emit_row_of(row, n, EMIT_GRAD, nontemporal);
    else
        emit_row_of(row, n, EMIT_GRAD_AGAIN, nontemporal);
}

SL_NOINLINE void emit_rows(pending_rows *rows, size_t n, int kind)
{
    for (size_t l = 0; l < rows->n; l++)
        emit_row(rows->row + l, n, kind, rows->nontemporal);
    rows->n = 0;
}

#endif
