/* SPDX-License-Identifier: MIT
 *
 * What log-softmax, log-sum-exp and cross-entropy need to know of a row: its maximum m and
 *
 *   log(sum_c exp(x_c)) = m + log_sum,    log_sum = log1p(rest / top)
 *
 * where top = exp(m) and rest is the sum of all exponentials but that one, both in the row's frame. Because
 * the rest never contains the maximum, a confident row keeps all digits of its small loss.
 *
 * One read, without knowing m: each of SL_POSITIONS positions of a block carries its largest element so far
 * and adds the exponential of the smaller of that and the new one, so that the position's maximum stays
 * outside its sum. At the end those of these maxima that equal m are counted, all but one of them as top, and
 * the others' exponentials are added.
 *
 * A gradient wants all exponentials as well. They are kept on the way: each position then carries the exponential
 * of its maximum, too, and what is added is the one or the other, to the same bits.
 *
 * In f32 these last ones, the largest terms of the rest, and top enter as f64 (error 0.114 x 2^-24, no FMA 0.138); the
 * others as f32 exponentials (1.06 x 2^-24, no FMA 1.37), of which pairs are added in f32 without FMA (1.00 x 2^-24). So log_sum has a
 * relative error of at most 1.22 x 2^-24 (no FMA: 2.58), with 0.04 (0.07) of sums, and for a row of up to SL_SHORT elements, or one whose rest is a few
 * large terms, of 0.23 x 2^-24 (0.28). In f64: 1.41 x 2^-53 (no FMA: 1.46) in the rest, 0.25 (0.3)
 * in top, and in the logarithm, before its last rounding, 1.2 x 2^-53 (log_f64.h).
 */
#ifndef SL_REDUCE_LOG_SUM_H
#define SL_REDUCE_LOG_SUM_H

#include "reduce/dot.h"
#include "schedule/pending_row.h"
#include "schedule/strip.h"
#include "schedule/transpose.h"
#include "maths/log.h"

typedef struct {
    reg max;                  /* of SL_W rows */
    c_acc rest, top, log_sum; /* log_sum is NaN for a row that softmax makes NaN */
} row_stats;

SL_INLINE row_stats stats_from(reg max, c_acc rest, c_acc top)
{
    return (row_stats){max, rest, top, c_acc_log1p(c_acc_over(rest, top))};
}

/* The same, one copy for all who do it rarely. */
SL_RARE row_stats stats_from_rarely(reg max, c_acc rest, c_acc top) { return stats_from(max, rest, top); }

/* ---- one contiguous row of at least SL_BLOCK elements ---- */

/* Registers of largest elements: of the positions; of a short row, all that it has. */
enum { POSITION_PARTS = SL_POSITIONS / SL_W, SHORT_PARTS = SL_SHORT / SL_W };

SL_INLINE size_t largest_parts(size_t classes) { return classes > SL_SHORT ? POSITION_PARTS : SHORT_PARTS; }

typedef struct {
    reg max[SHORT_PARTS];
    c_acc rest[SL_EXP_PARTS]; /* of terms */
} log_sum_lanes;

typedef struct {
    int keep, shifted, nontemporal;
    int rest;           /* what is behind the last whole block is read by masked loads, behind the loop */
    c_acc *element_sum; /* the sum of the elements goes there, unless it is NULL */
} log_sum_options;

/* The exponential of the smaller of a position's maximum and its next element, whose own goes to e, if it is kept. */
SL_INLINE reg lower_exp(reg x, num *e, log_sum_options o, c_vframe f, reg *max, reg *exp_max)
{
    c_exp_table table = c_exp_table_load();
    if (!o.keep) {
        reg low = c_min(*max, x);
        *max = c_max(x, *max);
        return c_exp_predicted(low, o.shifted, f, table);
    }
    reg exp = c_exp_predicted(x, o.shifted, f, table);
    mask above = c_lt(*max, x);
    reg low = c_select(above, *exp_max, exp);
    c_store(e, exp);
    *exp_max = c_select(above, exp, *exp_max);
    *max = c_select(above, x, *max);
    return low;
}

/* Those from x[at] on. */
SL_INLINE void log_sum_positions(const T *x, size_t at, num *e, log_sum_options o, c_vframe f,
                                 log_sum_lanes *lanes, reg exp_max[POSITION_PARTS])
{
    SL_UNROLL_PARTS
    for (size_t j = 0; j < SL_EXP_PARTS; j++) {
        size_t first = j * SL_W, second = first + SL_EXP_LANES;
        reg a = load(x + at + first), b = load(x + at + second);
        reg *max = lanes->max + j;
        a = lower_exp(a, e + first, o, f, max, exp_max + j);
        b = lower_exp(b, e + second, o, f, max + SL_EXP_PARTS, exp_max + j + SL_EXP_PARTS);
        lanes->rest[j] = c_acc_add_pair(lanes->rest[j], a, b);
    }
}

/* A block, or what is left of the first one. */
SL_INLINE void log_sum_block(const T *x, num *e, size_t from, log_sum_options o, c_vframe f,
                             log_sum_lanes *lanes, reg exp_max[POSITION_PARTS])
{
    SL_UNROLL
    for (size_t at = from; at < SL_BLOCK; at += SL_POSITIONS)
        log_sum_positions(x, at, e + at, o, f, lanes, exp_max);
}

/* Half of a block, from register `from` on: its elements become what is added of them. */
SL_INLINE void lower_half(reg a[POSITION_PARTS], size_t from, num *e, log_sum_options o, c_vframe f,
                          log_sum_lanes *lanes, reg exp_max[POSITION_PARTS])
{
    SL_UNROLL
    for (size_t j = from; j < from + SL_EXP_PARTS; j++)
        a[j] = lower_exp(a[j], e + j * SL_W, o, f, lanes->max + j, exp_max + j);
}

/* n elements, less than a block, by masked loads; e has room for a whole one. An upper half that is empty adds 0. */
SL_INLINE void log_sum_rest(const T *x, size_t n, num *e, log_sum_options o, c_vframe f, log_sum_lanes *lanes,
                            reg exp_max[POSITION_PARTS])
{
    reg a[POSITION_PARTS];
    SL_UNROLL
    for (size_t j = SL_EXP_PARTS; j < POSITION_PARTS; j++)
        a[j] = c_set1(0);
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        a[j] = load_masked(x, j * SL_W, n);
    lower_half(a, 0, e, o, f, lanes, exp_max);
    if (n > SL_EXP_LANES) {
        SL_UNROLL
        for (size_t j = SL_EXP_PARTS; j < POSITION_PARTS; j++)
            a[j] = load_masked(x, j * SL_W, n);
        lower_half(a, SL_EXP_PARTS, e, o, f, lanes, exp_max);
    }
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        lanes->rest[j] = c_acc_add_pair(lanes->rest[j], a[j], a[j + SL_EXP_PARTS]);
}

/* The first maxima of positions are elements; a NaN among them stays and ends up in the rest. */
SL_INLINE void log_sum_first(const T *x, num *e, log_sum_options o, c_vframe f, log_sum_lanes *lanes,
                             reg exp_max[POSITION_PARTS])
{
    SL_UNROLL_PARTS
    for (size_t j = 0; j < POSITION_PARTS; j++) {
        lanes->max[j] = load(x + j * SL_W);
        if (o.keep) {
            exp_max[j] = c_exp_predicted(lanes->max[j], o.shifted, f, c_exp_table_load());
            c_store(e + j * SL_W, exp_max[j]);
        }
    }
    SL_UNROLL_PARTS
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        lanes->rest[j] = c_acc_zero();
}

/* On the way the second pass of another row, unless that is NULL: a gradient if exponentials are kept, else log-softmax. Its
 * exponentials may be in the same place: each block is read before it is written. */
SL_INLINE void log_sum_pass(row_reader *r, const T *x, exp_place place, c_frame frame,
                            const pending_row *other, log_sum_options o, log_sum_lanes *result)
{
    const emit_options emit = {.kind = o.keep ? EMIT_PRODUCT : EMIT_LOG};
    const pending_row row = other ? *other : (pending_row){.e = NULL}; /* no store can change it */
    emit_range blocks = {0, 0};
    log_sum_lanes lanes;         /* in registers */
    reg exp_max[POSITION_PARTS]; /* the exponentials of lanes.max, if they are kept */
    num last[SL_BLOCK];
    c_acc element_sum[SL_PARTS];
    c_vframe f = c_frame_set1(frame);
    const size_t n = r->n, whole = o.rest ? n / SL_BLOCK * SL_BLOCK : n;
    emit_tail tail;
    tail.n = 0;
    if (o.element_sum)
        sum_init(element_sum);
    if (other) {
        blocks = emit_range_of(&row, n, SL_BLOCK, o.nontemporal);
        if (o.nontemporal)
            emit_ends(other, n, emit);
        else
            emit_tail_of(&row, blocks.end, n, emit, f, &tail);
    }
    if (o.keep && blocks.at < blocks.end) { /* before its exponentials are written over */
        emit_block(&row, blocks.at, emit, o.nontemporal, f);
        blocks.at += SL_BLOCK;
    }
    log_sum_first(x, place.e, o, f, &lanes, exp_max);
    if (SL_POSITIONS < SL_BLOCK)
        log_sum_block(x, o.keep ? place.e : last, SL_POSITIONS, o, f, &lanes, exp_max);
    if (o.element_sum)
        sum_block(x, element_sum);
    for (size_t i = SL_BLOCK; i < whole; i += SL_BLOCK) {
        if (__builtin_expect(blocks.at < blocks.end, 1)) {
            emit_block(&row, blocks.at, emit, o.nontemporal, f);
            blocks.at += SL_BLOCK;
        }
        prefetch_block(x + i, !o.keep && !other ? READS_ONLY : WRITES_BESIDE);
        log_sum_block(o.rest ? x + i : block_at(r, x, i, n), o.keep ? exps_at(place, n - i, i, last) : last,
                      0, o, f, &lanes, exp_max);
        if (o.element_sum && (o.rest || n - i >= SL_BLOCK))
            sum_block(x + i, element_sum);
    }
    if (blocks.at < blocks.end)
        emit_block(&row, blocks.at, emit, o.nontemporal, f);
    if (whole < n)
        log_sum_rest(x + whole, n - whole, o.keep ? exps_at(place, n - whole, whole, last) : last, o, f,
                     &lanes, exp_max);
    if (o.keep)
        keep_last(place, n, last);
    if (other && !o.nontemporal)
        emit_tail_put(&row, &tail);
    SL_UNROLL
    for (size_t j = 0; j < POSITION_PARTS; j++)
        result->max[j] = lanes.max[j];
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        result->rest[j] = lanes.rest[j];
    if (o.element_sum) {
        c_acc lane[SL_PARTS]; /* with an address, which element_sum must not have */
        SL_UNROLL
        for (size_t j = 0; j < SL_PARTS; j++)
            lane[j] = element_sum[j];
        *o.element_sum = sum_end(x + n / SL_BLOCK * SL_BLOCK, n % SL_BLOCK, lane);
    }
}

SL_NOINLINE void log_sum_row_alone(row_reader *r, const T *x, c_frame frame, log_sum_lanes *lanes)
{
    log_sum_pass(r, x, (exp_place){.e = NULL}, frame, NULL, (log_sum_options){.rest = MASKED_LOADS}, lanes);
}

/* With the sum of its elements. */
SL_NOINLINE void log_sum_row_total(row_reader *r, const T *x, c_frame frame, log_sum_lanes *lanes,
                                   c_acc *element_sum)
{
    SL_ASSUME(element_sum != NULL);
    log_sum_pass(r, x, (exp_place){.e = NULL}, frame, NULL,
                 (log_sum_options){.rest = MASKED_LOADS, .element_sum = element_sum}, lanes);
}

/* With log-softmax of another row. */
SL_NOINLINE void log_sum_row(row_reader *r, const T *x, c_frame frame, const pending_row *other,
                             int nontemporal, log_sum_lanes *lanes)
{
    SL_ASSUME(other != NULL);
    log_sum_pass(r, x, (exp_place){.e = NULL}, frame, other,
                 (log_sum_options){.nontemporal = nontemporal, .rest = MASKED_LOADS}, lanes);
}

/* With the gradient of another row, which is non-temporal. */
SL_NOINLINE void log_sum_row_keep(row_reader *r, const T *x, exp_place place, c_frame frame,
                                  const pending_row *other, log_sum_lanes *lanes)
{
    log_sum_pass(r, x, place, frame, other,
                 (log_sum_options){.keep = 1, .nontemporal = 1, .rest = MASKED_LOADS}, lanes);
}

/* In any frame, alone. */
SL_RARE void log_sum_row_again(row_reader *r, const T *x, c_frame frame, log_sum_lanes *lanes)
{
    log_sum_pass(r, x, (exp_place){.e = NULL}, frame, NULL, (log_sum_options){.shifted = 1}, lanes);
}

/* A row's exponentials in any frame. */
SL_RARE void exps_again(const T *x, num *e, size_t n, c_frame frame)
{
    c_vframe f = c_frame_set1(frame);
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W) {
        reg a = load_some(x + i, n - i, (num)-INFINITY);
        keep_some(e + i, c_exp_predicted(a, SHIFTED, f, c_exp_table_load()), n - i);
    }
}

/* All lanes' maxima but those that equal the row's, which is known last: nothing else waits for it. */
SL_INLINE c_acc unless_largest(reg a, mask same, c_vframe f)
{
    reg x = c_less_shift(a, f);
    return c_exp_where(c_andnot(c_nle(x, f.cut), same), x, f, c_exp_table_load());
}

/* A row's end: in how many lanes its maximum is, and what the other lanes sum up to. */
typedef struct {
    int equal;
    c_row_acc rest;
} row_end;

/* Of n elements: the maxima of other lanes, in registers that have none, add nothing. */
SL_INLINE row_end log_sum_end(const log_sum_lanes *lanes, size_t parts, size_t n, num max, c_vframe f)
{
    row_end end = {.equal = 0};
    c_acc rest[SL_EXP_PARTS];
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        rest[j] = c_acc_of_terms(lanes->rest[j]);
    SL_UNROLL_PARTS
    for (size_t j = 0; j < parts; j++) {
        if (j * SL_W >= n)
            break;
        mask same = c_eq(lanes->max[j], c_set1(max));
        rest[j % SL_EXP_PARTS] = c_acc_merge(rest[j % SL_EXP_PARTS], unless_largest(lanes->max[j], same, f));
        end.equal += c_count(same);
    }
    end.rest = c_row_fold(rest, SL_EXP_PARTS);
    return end;
}

/* ---- SL_W contiguous rows ---- */

/* What is the same for all groups of rows of a call. */
typedef struct {
    row_reader reader;
    c_frame predicted;  /* the frame to try first: the last row's */
    int kind;           /* of the second pass that follows: EMIT_LOG or EMIT_PRODUCT */
    pending_rows later; /* the rows that wait for it */
} log_sum_rows;

SL_INLINE void log_sum_rows_init(log_sum_rows *rows, size_t classes, int kind)
{
    row_reader_init(&rows->reader, classes < SL_BLOCK ? SL_BLOCK : classes);
    rows->predicted = (c_frame){0, 0};
    rows->kind = kind;
    rows->later.n = 0;
    rows->later.nontemporal = 0;
}

/* A group: n <= SL_W rows of `classes` elements each. */
typedef struct {
    const T *x;
    size_t classes, pitch, n; /* pitch: elements from row to row */
    const num *live; /* rows whose is 0 are not read, and stand as max 0, log_sum 0; NULL: all are live */
    exp_place place; /* exponentials are kept there, unless e is NULL */
    size_t stride;   /* from one row's exponentials to the next one's */
} row_group;

SL_INLINE exp_place place_of(const row_group *g, size_t l)
{
    exp_place place = g->place;
    place.e = place.e ? place.e + l * g->stride : NULL;
    return place;
}

/* Of short rows every element counts as largest, and the end is all there is to do; unless they are one block. */
SL_INLINE int is_all_end(size_t classes) { return SL_BLOCK < SL_SHORT && classes <= SL_SHORT; }

/* One such row, or one that is a block at most: no exponential yet. */
SL_INLINE void short_lanes(const T *x, size_t n, log_sum_lanes *lanes)
{
    SL_UNROLL_PARTS
    for (size_t j = 0; j < SHORT_PARTS; j++)
        lanes->max[j] = load_some(x + least(j * SL_W, n), left(n, j * SL_W), (num)-INFINITY);
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        lanes->rest[j] = c_acc_zero();
}

SL_NOINLINE void log_sum_all_end(const T *x, size_t n, log_sum_lanes *lanes) { short_lanes(x, n, lanes); }

/* The first pass over a row in the predicted frame, and the second one of another row, unless that is NULL. */
SL_INLINE void log_sum_first_pass(log_sum_rows *rows, const row_group *g, size_t l, const pending_row *other,
                                  log_sum_lanes *lanes)
{
    T block[SL_BLOCK];
    const T *x = g->x + l * g->pitch;
    exp_place place = place_of(g, l);
    c_frame frame = rows->predicted;
    int nontemporal = rows->later.nontemporal;
    if (!is_all_end(g->classes) && g->classes < SL_BLOCK)
        x = whole_block(x, g->classes, block, SL_BLOCK);
    if (other &&
        (is_all_end(g->classes) || frame.shift != 0 || (place.e ? !other->e : rows->kind == EMIT_PRODUCT))) {
        emit_row(other, g->classes, rows->kind, nontemporal);
        other = NULL;
    }
    if (is_all_end(g->classes)) {
        log_sum_all_end(x, g->classes, lanes);
    } else if (frame.shift != 0) {
        log_sum_row_again(&rows->reader, x, frame, lanes);
        if (place.e)
            exps_again(x, place.e, g->classes, frame);
    } else if (place.e) {
        log_sum_row_keep(&rows->reader, x, place, frame, other, lanes);
    } else if (!other) {
        log_sum_row_alone(&rows->reader, x, frame, lanes);
    } else {
        log_sum_row(&rows->reader, x, frame, other, nontemporal, lanes);
    }
}

/* The end of a row. One that was read in a wrong frame is read again in the right one, which becomes the predicted one. */
SL_NOINLINE row_end log_sum_checked_end(log_sum_rows *rows, const row_group *g, size_t l, num max,
                                        c_frame used, log_sum_lanes *lanes)
{
    c_frame right = c_frame_of(max);
    size_t parts = largest_parts(g->classes);
    if (c_frame_same(used, right))
        return log_sum_end(lanes, parts, g->classes, max, c_frame_set1(used));
    rows->predicted = right;
    if (is_all_end(g->classes))
        return log_sum_end(lanes, parts, g->classes, max, c_frame_set1(right));
    T block[SL_BLOCK];
    const T *x = g->x + l * g->pitch;
    if (g->place.e)
        exps_again(x, place_of(g, l).e, g->classes, right);
    if (g->classes < SL_BLOCK)
        x = whole_block(x, g->classes, block, SL_BLOCK);
    log_sum_row_again(&rows->reader, x, right, lanes);
    return log_sum_end(lanes, parts, g->classes, max, c_frame_set1(right));
}

/* The ends of SL_W rows. */
typedef struct {
    num max[SL_W];
    double equal[SL_W];
    c_acc_lanes rest;
} row_ends;

SL_INLINE void put_end(row_ends *ends, size_t l, row_end end)
{
    ends->equal[l] = end.equal;
    c_row_put(&ends->rest, l, end.rest);
}

/* Row ends are batched: shared work is vectorised, dependency chains overlap, and the rows that follow are prefetched. */
SL_NOINLINE void log_sum_ends(log_sum_rows *rows, const row_group *g, log_sum_lanes *lanes, row_ends *ends)
{
    reg top[SL_W];
    for (size_t l = 0; l < SL_W; l++)
        top[l] = c_largest_parts(lanes[l].max, largest_parts(g->classes));
    reg max = c_largest_of_each(top);
    c_frame used = rows->predicted;
    c_vframe f = c_frame_set1(used);
    int right = c_vframe_same(f, c_vframe_of(max));
    c_store(ends->max, max);
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        for (size_t block = 2 * l; block < 2 * l + 2; block++)
            prefetch_block(g->x + SL_W * g->pitch + block * SL_BLOCK, WRITES_BESIDE);
        if (right)
            put_end(ends, l, log_sum_end(lanes + l, largest_parts(g->classes), SIZE_MAX, ends->max[l], f));
        else
            put_end(ends, l, log_sum_checked_end(rows, g, l, ends->max[l], used, lanes + l));
    }
}

/* Of a group, and the second pass over the rows that wait. Ends come row by row where rows are so long that one which was read
 * in a wrong frame would be far away by the end of the group. */
#define NEAR_CLASSES 1024
SL_NOINLINE void log_sum_of_rows(log_sum_rows *rows, const row_group *g, row_stats *stats)
{
    log_sum_lanes lanes[SL_W];
    row_ends ends;
    int together = g->n == SL_W && g->classes <= NEAR_CLASSES;
    for (size_t l = 0; together && g->live && l < SL_W; l++)
        together = g->live[l] != 0;
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        const pending_row *other = l < rows->later.n ? rows->later.row + l : NULL;
        int reads = l < g->n && (!g->live || g->live[l] != 0);
        if (other && rows->later.nontemporal)
            prefetch_last_line(other->y, g->classes);
        if (reads)
            log_sum_first_pass(rows, g, l, other, lanes + l);
        else if (other)
            emit_row(other, g->classes, rows->kind, rows->later.nontemporal);
        if (together)
            continue;
        row_end end = {.equal = 1};
        ends.max[l] = 0;
        if (reads) {
            ends.max[l] = c_largest(lanes[l].max, largest_parts(g->classes));
            end = log_sum_checked_end(rows, g, l, ends.max[l], rows->predicted, lanes + l);
        }
        put_end(&ends, l, end);
    }
    rows->later.n = 0;
    if (together)
        log_sum_ends(rows, g, lanes, &ends);
    reg m = c_load(ends.max);
    c_vframe f = c_vframe_of(m);
    c_acc top = c_exp_in_frame_wide(c_sub(m, f.shift), f, c_exp_table_load());
    c_acc equals = c_acc_times(top, w_sub(w_load(ends.equal), w_set1(1)));
    *stats = stats_from(m, c_acc_merge(c_acc_join(&ends.rest), equals), top);
}

/* ---- a row alone, straight through ---- */

/* Whether rows go straight through, one after the other: what a group costs is that of all SL_W rows that it might have. Of short
 * rows it is the more the more classes there are. */
SL_INLINE int are_few(size_t rows, size_t classes)
{
    enum { LONG = SL_W > 4 ? 2 : 1 };
    return SL_W > 1 && rows <= (classes > SL_SHORT ? LONG : SL_W / 4 + (classes >= 3 * SL_SHORT / 4));
}

/* All rows but those that are few behind the last whole group. */
SL_INLINE size_t rows_in_groups(size_t rows, size_t classes)
{
    return are_few(rows % SL_W, classes) ? rows - rows % SL_W : rows;
}

/* row_stats of one row. */
typedef struct {
    num max;
    c_row_acc rest, top, log_sum;
} row_sums;

/* The largest exponential of a row, and the sum of all others, in all lanes. */
typedef struct {
    c_acc rest, top;
} end_terms;

SL_INLINE end_terms end_terms_of(num max, c_frame frame, row_end end)
{
    reg m = c_set1(max);
    c_vframe f = c_frame_set1(frame);
    c_acc top = c_exp_in_frame_wide(c_sub(m, f.shift), f, c_exp_table_load());
    c_acc equals = c_acc_times(top, w_set1(end.equal - 1));
    return (end_terms){c_acc_merge(c_row_in_all(end.rest), equals), top};
}

/* Those of a row that is not of frame 0. */
SL_RARE void row_sums_again(log_sum_rows *rows, const row_group *row, num max, log_sum_lanes *lanes,
                            row_sums *of_row)
{
    row_end end = log_sum_checked_end(rows, row, 0, max, (c_frame){0, 0}, lanes);
    end_terms terms = end_terms_of(max, rows->predicted, end);
    of_row->rest = c_row_of(terms.rest);
    of_row->top = c_row_of(terms.top);
}

/* A group of one row. Frame 0 is tried, whatever the last row's was: it is made of constants. */
SL_NOINLINE void log_sum_of_row(log_sum_rows *rows, const row_group *row, row_sums *of_row)
{
    const c_frame none = {0, 0};
    const size_t n = row->classes;
    log_sum_lanes lanes;
    end_terms terms;
    if (n <= SL_SHORT)
        short_lanes(row->x, n, &lanes);
    else if (row->place.e)
        log_sum_row_keep(&rows->reader, row->x, row->place, none, NULL, &lanes);
    else
        log_sum_row_alone(&rows->reader, row->x, none, &lanes);
    num max = c_largest(lanes.max, largest_parts(n));
    if (c_frame_same(none, c_frame_of(max))) {
        row_end end = log_sum_end(&lanes, largest_parts(n), n, max, c_frame_set1(none));
        terms = end_terms_of(max, none, end);
        of_row->rest = c_row_of(terms.rest);
        of_row->top = c_row_of(terms.top);
    } else {
        row_sums_again(rows, row, max, &lanes, of_row);
        terms = (end_terms){c_row_in_all(of_row->rest), c_row_in_all(of_row->top)};
    }
    of_row->max = max;
    of_row->log_sum = c_row_log1p(c_acc_over(terms.rest, terms.top));
}

/* Whether it is nothing but -inf. */
SL_INLINE int is_minus_inf(const row_sums *of_row)
{
    return of_row->max == (num)-INFINITY && c_row_value(of_row->rest) == 0;
}

/* In all lanes. */
SL_INLINE row_stats stats_of_row(const row_sums *of_row)
{
    return (row_stats){c_set1(of_row->max), c_row_in_all(of_row->rest), c_row_in_all(of_row->top),
                       c_row_in_all(of_row->log_sum)};
}

/* ---- strips ---- */

typedef struct {
    reg max[SL_POSITIONS];
    c_acc rest[SL_EXP_LANES]; /* of terms */
} strip_lanes;

/* The pass over a strip of more than SL_SHORT classes. */
SL_INLINE void strip_log_sum_pass(const strip *s, const c_vframe *frames, strip_lanes *lanes, strip_options o)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    c_exp_table table = c_exp_table_load();
    size_t vectors = strip_vectors_for(s, o);
    for (size_t l = 0; l < SL_POSITIONS; l++) {
        strip_prefetch(s, l, o);
        SL_ROLLED
        for (size_t k = 0; k < vectors; k++)
            lanes[k].max[l] = strip_load(s, l, k, o);
    }
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++)
        SL_ROLLED
    for (size_t l = 0; l < SL_EXP_LANES; l++)
        lanes[k].rest[l] = c_acc_zero();
    for (size_t block = SL_POSITIONS; block < s->classes; block += SL_POSITIONS)
        for (size_t l = 0; l < least(SL_EXP_LANES, s->classes - block); l++) {
            size_t c = block + l, pair = c + SL_EXP_LANES;
            c_vframe f = frames[0];
            strip_prefetch(s, c, o);
            if (pair >= s->classes) { /* an exponential of -inf is added */
                SL_ROLLED
                for (size_t k = 0; k < vectors; k++) {
                    reg *top = lanes[k].max + l, a = strip_load(s, c, k, o), low = c_min(*top, a);
                    *top = c_max(a, *top);
                    low = c_exp_predicted(low, o.shifted, o.shifted ? frames[k] : f, table);
                    lanes[k].rest[l] = c_acc_add_term(lanes[k].rest[l], low);
                }
                continue;
            }
            strip_prefetch(s, pair, o);
            SL_UNROLL_2
            for (size_t k = 0; k < vectors; k++) {
                reg *top = lanes[k].max + l, *next = top + SL_EXP_LANES;
                reg a = strip_load(s, c, k, o), b = strip_load(s, pair, k, o);
                reg low_a = c_min(*top, a), low_b = c_min(*next, b);
                f = o.shifted ? frames[k] : f;
                *top = c_max(a, *top);
                *next = c_max(b, *next);
                low_a = c_exp_predicted(low_a, o.shifted, f, table);
                low_b = c_exp_predicted(low_b, o.shifted, f, table);
                lanes[k].rest[l] = c_acc_add_pair(lanes[k].rest[l], low_a, low_b);
            }
        }
}

SL_RARE void strip_log_sum_again(const strip *s, const c_vframe *frames, strip_lanes *lanes)
{
    strip_log_sum_pass(s, frames, lanes, (strip_options){.whole = s->rows >= SL_W, .shifted = 1});
}

/* Half of a strip: each row has 256 or 512 bytes of lanes, which are to stay in the first-level cache and on a small stack. */
enum { LOG_SUM_VECTORS = STRIP_VECTORS > 1 ? STRIP_VECTORS / 2 : 1 };

SL_NOINLINE void strip_log_sum_long(const strip *s, row_stats stats[LOG_SUM_VECTORS])
{
    strip_lanes lanes[LOG_SUM_VECTORS];
    reg max[LOG_SUM_VECTORS];
    c_vframe frames[LOG_SUM_VECTORS], none = c_vframe_of(c_set1(0));
    size_t vectors = strip_vectors(s);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++)
        frames[k] = none;
    if (s->rows >= SL_W)
        strip_log_sum_pass(s, frames, lanes, (strip_options){.whole = 1});
    else
        strip_log_sum_again(s, frames, lanes);
    int right = 1;
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++) {
        max[k] = c_set1((num)-INFINITY);
        SL_ROLLED
        for (size_t l = 0; l < SL_POSITIONS; l++)
            max[k] = c_max(lanes[k].max[l], max[k]);
        max[k] = c_add(max[k], c_set1(0));
        frames[k] = c_vframe_of(max[k]);
        right &= c_vframe_same(none, frames[k]);
    }
    if (!right)
        strip_log_sum_again(s, frames, lanes);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++) {
        c_acc *rest = lanes[k].rest;
        reg equal = c_set1(0);
        c_vframe f = frames[k];
        SL_ROLLED
        for (size_t l = 0; l < SL_EXP_LANES; l++)
            rest[l] = c_acc_of_terms(rest[l]);
        SL_ROLLED
        for (size_t l = 0; l < SL_POSITIONS; l++) {
            mask same = c_eq(lanes[k].max[l], max[k]);
            rest[l % SL_EXP_LANES] =
                c_acc_merge(rest[l % SL_EXP_LANES], unless_largest(lanes[k].max[l], same, f));
            equal = c_add(equal, c_keep(same, c_set1(1)));
        }
        c_acc top = c_exp_in_frame_wide(c_sub(max[k], f.shift), f, c_exp_table_load());
        c_acc others = c_acc_times(top, w_sub(c_widen(equal), w_set1(1)));
        stats[k] = stats_from(max[k], c_acc_merge(fold_rows(rest, SL_EXP_LANES), others), top);
    }
}

/* The exponentials of all classes but the largest, added by lane; of f32 as parts first, which are widened as they are loaded
 * again, for less than in registers. */
typedef struct {
    c_acc rest[SL_EXP_LANES];
#if !SL_F64
    num part[SL_SHORT][EXP_PARTS][SL_W];
#endif
} few_terms;

SL_INLINE void add_few(few_terms *terms, size_t c, c_acc e)
{
    c_acc *lane = terms->rest + c % SL_EXP_LANES;
    *lane = c < SL_EXP_LANES ? e : c_acc_merge(*lane, e);
}

#if SL_F64
SL_INLINE void put_few(few_terms *terms, size_t c, mask counts, reg x, c_vframe f)
{
    add_few(terms, c, c_exp_where(counts, x, f, c_exp_table_load()));
}

SL_INLINE void add_parts(few_terms *terms, size_t classes) { (void)terms, (void)classes; }
#else
SL_INLINE void put_few(few_terms *terms, size_t c, mask counts, reg x, c_vframe f)
{
    exp_parts_put(terms->part[c], counts, x, f, c_exp_table_load());
}

SL_INLINE void add_parts(few_terms *terms, size_t classes)
{
    for (size_t c = 0; c < classes; c++)
        add_few(terms, c, exp_of_parts(terms->part[c]));
}
#endif

/* Those of the k-th vector of rows, and in how many classes their maximum is. */
SL_INLINE reg few_terms_of(const strip *s, size_t k, strip_options o, reg max, c_vframe f, few_terms *terms)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    reg equal = c_set1(0);
    for (size_t c = 0; c < s->classes; c++) {
        reg a = strip_load(s, c, k, o), x = o.shifted ? c_less_shift(a, f) : a;
        mask same = c_eq(a, max);
        put_few(terms, c, c_andnot(c_nle(x, f.cut), same), x, f);
        equal = c_add(equal, c_keep(same, c_set1(1)));
    }
    return equal;
}

/* Of at most SL_SHORT classes each has a position of its own, and is its maximum. One vector of rows, the k-th. */
SL_INLINE row_stats strip_log_sum_few(const strip *s, size_t k, strip_options o)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    reg max = c_set1((num)-INFINITY), equal;
    for (size_t c = 0; c < s->classes; c++) {
        strip_prefetch_vector(s, c, k);
        max = c_max(strip_load(s, c, k, o), max);
    }
    max = c_add(max, c_set1(0));
    c_vframe f = c_vframe_of(max);
    few_terms terms;
    o.shifted = !o.whole || !c_all(c_eq(f.shift, c_set1(0)));
    if (o.shifted)
        equal = few_terms_of(s, k, (strip_options){.whole = o.whole, .shifted = 1}, max, f, &terms);
    else
        equal = few_terms_of(s, k, (strip_options){.whole = 1}, max, f, &terms);
    add_parts(&terms, s->classes);
    c_acc top = c_exp_in_frame_wide(c_sub(max, f.shift), f, c_exp_table_load());
    c_acc others = c_acc_times(top, w_sub(c_widen(equal), w_set1(1)));
    size_t used = least(SL_EXP_LANES, s->classes);
    if (!o.whole)
        return stats_from_rarely(max, c_acc_merge(fold_rows(terms.rest, used), others), top);
    return stats_from(max, c_acc_merge(c_fold_rows(terms.rest, used), others), top);
}

/* Less than a register of rows. */
SL_RARE void strip_log_sum_part(const strip *s, row_stats *stats)
{
    *stats = strip_log_sum_few(s, 0, (strip_options){.whole = 0});
}

SL_NOINLINE void strip_log_sum_short(const strip *s, row_stats *stats)
{
    if (s->rows < SL_W) {
        strip_log_sum_part(s, stats);
        return;
    }
    SL_ROLLED
    for (size_t k = 0; k < s->rows / SL_W; k++)
        stats[k] = strip_log_sum_few(s, k, (strip_options){.whole = 1});
}

/* One for every vector of rows. */
SL_NOINLINE void strip_log_sum(const strip *s, row_stats *stats)
{
    if (s->classes <= SL_SHORT) {
        strip_log_sum_short(s, stats);
        return;
    }
    for (size_t i = 0; i < s->rows; i += LOG_SUM_VECTORS * SL_W) {
        strip half = *s;
        half.x += i;
        half.results = s->results ? s->results + i : NULL;
        half.rows = least(s->rows - i, LOG_SUM_VECTORS * SL_W);
        strip_log_sum_long(&half, stats + i / SL_W);
    }
}

/* Which rows are nothing but -inf: no maximum, no NaN. */
SL_INLINE mask all_minus_inf(const row_stats *s)
{
    return c_andnot(c_eq(c_narrow(c_acc_value(s->rest)), c_set1(0)), c_nle(s->max, c_set1((num)-INFINITY)));
}

/* log_sum as it is to be subtracted: infinite for an all -inf row that is safe, so that its result is -inf. A zero is -0:
 * -0 less that is +0. */
SL_INLINE reg log_sum_of(const row_stats *s, int safe)
{
    reg log_sum = c_narrow(c_acc_value(s->log_sum));
    log_sum = c_select(c_eq(log_sum, c_set1(0)), c_set1((num)-0.0), log_sum);
    return safe ? c_select(all_minus_inf(s), c_set1((num)INFINITY), log_sum) : log_sum;
}

#endif
