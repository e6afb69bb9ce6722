/* SPDX-License-Identifier: MIT
 *
 * What log-softmax, log-sum-exp and cross-entropy need to know of a row: its maximum m and
 *
 *   log(sum_c exp(x_c)) = m + log_sum,    log_sum = log1p(rest / top)
 *
 * where top = exp(m) and rest is the sum of all exponentials but that one, both in the row's frame. Because
 * the rest never contains the maximum, a confident row keeps all digits of its small loss.
 *
 * One read, without knowing m: each of the SL_BLOCK positions of a block carries its largest element so far
 * and adds the exponential of the smaller of that and the new one, so that the position's maximum stays
 * outside its sum. At the end those of these maxima that equal m are counted, all but one of them as top, and
 * the others' exponentials are added.
 *
 * A gradient wants all exponentials as well. They are kept on the way: each position then carries the exponential
 * of its maximum, too, and what is added is the one or the other, to the same bits.
 *
 * In f32 these last ones, the largest terms of the rest, and top enter as f64 (error 0.114 x 2^-24, no FMA 0.16); the
 * others as f32 exponentials (1.06 x 2^-24, no FMA 1.13) added in pairs (1.00 x 2^-24). So log_sum has a relative error of at
 * most 2.18 x 2^-24 (no FMA: 2.29), and for a row of up to SL_BLOCK elements, or one whose rest is a few large terms, of 0.23 x
 * 2^-24 (0.32). In f64: 1.25 x 2^-53 in the rest and next to nothing in top and their quotient, and 0.89 ULP in the logarithm,
 * half of which is its last rounding.
 */
#ifndef SL_REDUCE_STATS_H
#define SL_REDUCE_STATS_H

#include "schedule/second_pass.h"
#include "maths/log.h"

typedef struct {
    reg max;                  /* of SL_W rows */
    c_acc rest, top, log_sum; /* log_sum is NaN for a row that softmax makes NaN */
} row_stats;

SL_INLINE row_stats stats_from(reg max, c_acc rest, c_acc top)
{
    return (row_stats){max, rest, top, c_acc_log1p(c_acc_over(rest, top))};
}

SL_INLINE reg stats_exp(reg x, int shifted, c_vframe f, c_exp_table table)
{
    return c_exp_tried(x, shifted, f, table);
}

/* ---- one contiguous row of at least SL_BLOCK elements ---- */

typedef struct {
    reg max[2 * SL_PARTS];     /* of the SL_BLOCK positions */
    reg exp_max[2 * SL_PARTS]; /* theirs, if exponentials are kept */
    c_acc rest[SL_PARTS];
} stats_lanes;

/* The exponential of the smaller of a position's maximum and its next element; this is among the first n of e. */
SL_INLINE reg stats_lower(reg x, num *e, size_t n, int full, int shifted, c_vframe f, c_exp_table table,
                          reg *max, reg *exp_max)
{
    if (e == NULL) {
        reg low = c_min(*max, x);
        *max = c_max(x, *max);
        return stats_exp(low, shifted, f, table);
    }
    reg exp = stats_exp(x, shifted, f, table);
    mask above = c_lt(*max, x);
    reg low = c_select(above, *exp_max, exp);
    keep_part(e, exp, n, full);
    *exp_max = c_select(above, exp, *exp_max);
    *max = c_select(above, x, *max);
    return low;
}

SL_INLINE void stats_block(const T *x, num *e, size_t n, int full, int shifted, c_vframe f, c_exp_table table,
                           stats_lanes *lanes)
{
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++) {
        size_t at = j * SL_W, next = at + SL_LANES;
        reg a = load_part(x + at, left(n, at), full, (num)-INFINITY);
        reg b = load_part(x + next, left(n, next), full, (num)-INFINITY);
        reg *max = lanes->max + j, *exp_max = lanes->exp_max + j;
        reg low_a = stats_lower(a, e ? e + at : NULL, left(n, at), full, shifted, f, table, max, exp_max);
        reg low_b = stats_lower(b, e ? e + next : NULL, left(n, next), full, shifted, f, table,
                                max + SL_PARTS, exp_max + SL_PARTS);
        lanes->rest[j] = c_acc_add_pair(lanes->rest[j], low_a, low_b);
    }
}

/* The first block's lane maxima are its elements; a NaN among them stays and ends up in the rest. On the way the second
 * pass of another row, unless that is NULL. */
SL_INLINE void stats_body(const T *x, num *e, size_t n, int shifted, c_vframe f, c_exp_table table,
                          const seen_row *other, int what, int again, int streaming, stats_lanes *result)
{
    stats_lanes lanes; /* in registers */
    SL_UNROLL
    for (size_t j = 0; j < 2 * SL_PARTS; j++) {
        lanes.max[j] = load(x + j * SL_W);
        if (e == NULL)
            continue;
        lanes.exp_max[j] = stats_exp(lanes.max[j], shifted, f, table);
        c_store(e + j * SL_W, lanes.exp_max[j]);
    }
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++)
        lanes.rest[j] = c_acc_zero();
    size_t i = SL_BLOCK, at = other ? second_head(other, n, what, again, streaming, f, table) : 0;
    for (; i + SL_BLOCK <= n; i += SL_BLOCK) {
        look_ahead(x + i, !e && !other);
        stats_block(x + i, e ? e + i : NULL, SL_BLOCK, 1, shifted, f, table, &lanes);
        if (other)
            at = second_block(other, at, n, what, again, streaming, f, table);
    }
    if (i < n)
        stats_block(x + i, e ? e + i : NULL, n - i, 0, shifted, f, table, &lanes);
    if (other)
        second_rest(other, at, n, what, again, streaming, f, table);
    memcpy(result->max, lanes.max, sizeof lanes.max);
    memcpy(result->rest, lanes.rest, sizeof lanes.rest);
}

/* All lanes' maxima but those that equal the row's, which is known last: nothing else waits for it. */
SL_INLINE c_acc unless_largest(reg a, mask same, c_vframe f, c_exp_table table)
{
    reg x = c_less_shift(a, f);
    return c_exp_where(c_andnot(c_nle(x, f.cut), same), x, f, table);
}
SL_INLINE c_acc add_largest(c_acc rest, reg a, mask same, c_vframe f, c_exp_table table)
{
    return c_acc_merge(rest, unless_largest(a, same, f, table));
}

/* A row's end: in how many lanes its maximum is, and what the other lanes sum up to. */
typedef struct {
    int equal;
    c_row_acc rest;
} row_end;

SL_INLINE row_end stats_end(const stats_lanes *lanes, num max, c_vframe f, c_exp_table table)
{
    row_end end = {.equal = 0};
    c_acc rest[SL_PARTS];
    memcpy(rest, lanes->rest, sizeof rest);
    SL_UNROLL
    for (size_t j = 0; j < 2 * SL_PARTS; j++) {
        c_acc *lane = rest + j % SL_PARTS;
        mask same = c_eq(lanes->max[j], c_set1(max));
        *lane = add_largest(*lane, lanes->max[j], same, f, table);
        end.equal += c_count(same);
    }
    end.rest = c_row_fold(rest);
    return end;
}

/* The exponentials go to e, unless that is NULL. */
SL_INLINE void stats_row_of(const T *x, num *e, size_t n, c_frame frame, c_exp_table table,
                            stats_lanes *lanes)
{
    if (frame.shift == 0)
        stats_body(x, e, n, 0, c_frame_set1(frame), table, NULL, 0, 0, 0, lanes);
    else
        stats_body(x, e, n, 1, c_frame_set1(frame), table, NULL, 0, 0, 0, lanes);
}

SL_NOINLINE void stats_row(const T *x, num *e, size_t n, c_frame frame, c_exp_table table, stats_lanes *lanes)
{
    if (e)
        stats_row_of(x, e, n, frame, table, lanes);
    else
        stats_row_of(x, NULL, n, frame, table, lanes);
}

SL_INLINE void stats_row_with(const T *x, num *e, size_t n, c_frame frame, const seen_row *other, int what,
                              int again, int streaming, c_exp_table table, stats_lanes *lanes)
{
    if (!second_beside(other, what, frame)) {
        second_pass(other, n, what, streaming, table);
        stats_row(x, e, n, frame, table, lanes);
        return;
    }
    const seen_row row = *other; /* no store can change it */
    stats_body(x, e, n, 0, c_frame_set1(frame), table, &row, what, again, streaming, lanes);
}

/* The same, beside the second pass of another row: log-softmax, or a gradient past the caches. */
SL_NOINLINE void stats_row_logs(const T *x, size_t n, c_frame frame, const seen_row *other, int streaming,
                                c_exp_table table, stats_lanes *lanes)
{
    if (streaming)
        stats_row_with(x, NULL, n, frame, other, LOGS, 0, 1, table, lanes);
    else
        stats_row_with(x, NULL, n, frame, other, LOGS, 0, 0, table, lanes);
}

SL_NOINLINE void stats_row_slopes(const T *x, num *e, size_t n, c_frame frame, const seen_row *other,
                                  c_exp_table table, stats_lanes *lanes)
{
    if (e)
        stats_row_with(x, e, n, frame, other, SLOPES, 0, 1, table, lanes);
    else
        stats_row_with(x, NULL, n, frame, other, SLOPES, 1, 1, table, lanes);
}

/* A short row as a block: -inf adds nothing to any sum. */
SL_INLINE const T *whole_block(const T *x, size_t classes, T block[SL_BLOCK])
{
    for (size_t i = 0; i < SL_BLOCK; i += SL_W)
        store(block + i, load_some(x + least(i, classes), left(classes, i), (num)-INFINITY));
    return block;
}

/* The first pass over any row, in this frame. */
SL_NOINLINE void stats_any_row(const T *x, num *e, size_t classes, c_frame frame, c_exp_table table,
                               stats_lanes *lanes)
{
    T block[SL_BLOCK];
    if (classes < SL_BLOCK)
        stats_row(whole_block(x, classes, block), NULL, SL_BLOCK, frame, table, lanes);
    else
        stats_row(x, e, classes, frame, table, lanes);
}

/* The end of a row that may have been read in a wrong frame. *guess is the right one then. */
SL_INLINE row_end stats_checked_end(const T *x, num *e, size_t classes, num max, c_frame tried,
                                    c_frame *guess, c_exp_table table, stats_lanes *lanes)
{
    c_frame right = c_frame_of(max);
    if (c_frame_same(tried, right))
        return stats_end(lanes, max, c_frame_set1(tried), table);
    stats_any_row(x, e, classes, right, table, lanes);
    *guess = right;
    return stats_end(lanes, max, c_frame_set1(right), table);
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

/* Most of what the ends of SL_W rows do is one thing for all of them, and the rest of one fills the gaps of the next. In
 * the meantime memory goes on with the rows that follow. */
SL_NOINLINE void stats_ends(const T *x, num *e, size_t classes, stats_lanes *lanes, c_frame *guess,
                            c_exp_table table, row_ends *ends)
{
    reg top[SL_W];
    for (size_t l = 0; l < SL_W; l++)
        top[l] = c_largest_parts(lanes[l].max, 2 * SL_PARTS);
    reg max = c_largest_of_each(top);
    c_frame tried = *guess;
    c_vframe f = c_frame_set1(tried);
    int right = c_vframe_same(f, c_vframe_of(max));
    c_store(ends->max, max);
    for (size_t l = 0; l < SL_W; l++) {
        for (size_t block = 2 * l; block < 2 * l + 2; block++)
            look_ahead(x + SL_W * classes + block * SL_BLOCK, 0);
        if (right)
            put_end(ends, l, stats_end(lanes + l, ends->max[l], f, table));
        else
            put_end(ends, l,
                    stats_checked_end(x + l * classes, e ? e + l * classes : NULL, classes, ends->max[l],
                                      tried, guess, table, lanes + l));
    }
}

/* Rows whose `live` is 0 are not read and stand as max 0, log_sum 0; live may be NULL. others, unless that is NULL, are
 * written on the way. *guess is the frame to try first, and then the right one. Ends come row by row where rows are so long
 * that one which was read in a wrong frame would be far away by the end of the group. */
#define NEAR_CLASSES 1024
SL_NOINLINE row_stats stats_rows(const T *x, num *e, size_t classes, size_t n, const num *live,
                                 c_frame *guess, const seen_rows *others, c_exp_table table)
{
    stats_lanes lanes[SL_W];
    row_ends ends;
    int together = n == SL_W && classes <= NEAR_CLASSES;
    for (size_t l = 0; together && live && l < SL_W; l++)
        together = live[l] != 0;
    for (size_t l = 0; l < SL_W; l++) {
        const T *at = x + l * classes;
        num *e_at = e ? e + l * classes : NULL;
        const seen_row *other = others && l < others->n ? others->row + l : NULL;
        int reads = l < n && (!live || live[l] != 0);
        if (other && others->streaming)
            fetch_end(other->y, classes);
        if (reads && !other)
            stats_any_row(at, e_at, classes, *guess, table, lanes + l);
        else if (reads && others->what == LOGS)
            stats_row_logs(at, classes, *guess, other, others->streaming, table, lanes + l);
        else if (reads)
            stats_row_slopes(at, e_at, classes, *guess, other, table, lanes + l);
        else if (other)
            second_pass(other, classes, others->what, others->streaming, table);
        if (together)
            continue;
        row_end end = {.equal = 1};
        ends.max[l] = 0;
        if (reads) {
            ends.max[l] = c_largest(lanes[l].max, 2 * SL_PARTS);
            end = stats_checked_end(at, e_at, classes, ends.max[l], *guess, guess, table, lanes + l);
        }
        put_end(&ends, l, end);
    }
    if (together)
        stats_ends(x, e, classes, lanes, guess, table, &ends);
    reg m = c_load(ends.max);
    c_vframe f = c_vframe_of(m);
    c_acc top = c_exp_in_frame_wide(c_sub(m, f.shift), f, table);
    c_acc equals = c_acc_times(top, w_sub(w_load(ends.equal), w_set1(1)));
    return stats_from(m, c_acc_merge(c_acc_join(&ends.rest), equals), top);
}

/* ---- rows side by side, one register of n <= SL_W or ABREAST full ones: class c of row l at x[c * step + l] ---- */

typedef struct {
    reg max[SL_BLOCK];
    c_acc rest[SL_LANES];
} stats_side_lanes;

SL_INLINE void stats_side_sum(const T *x, const T *fetched, size_t classes, size_t step, size_t registers,
                              size_t n, int full, int shifted, const c_vframe f[ABREAST], c_exp_table table,
                              stats_side_lanes lanes[ABREAST], reg max[ABREAST])
{
    size_t used = least(SL_BLOCK, classes);
    for (size_t l = 0; l < used; l++) {
        look_beyond(x + l * step, registers);
        if (fetched)
            fetch_class(fetched + l * step, registers);
        for (size_t k = 0; k < registers; k++)
            lanes[k].max[l] = load_part(x + l * step + k * SL_W, n, full, 0);
    }
    for (size_t k = 0; k < registers; k++)
        for (size_t l = 0; l < SL_LANES; l++)
            lanes[k].rest[l] = c_acc_zero();
    for (size_t block = SL_BLOCK; block < classes; block += SL_BLOCK)
        for (size_t l = 0; l < least(SL_LANES, classes - block); l++) {
            size_t c = block + l, pair = c + SL_LANES;
            look_beyond(x + c * step, registers);
            if (pair < classes)
                look_beyond(x + pair * step, registers);
            if (fetched) {
                fetch_class(fetched + c * step, registers);
                fetch_class(fetched + least(pair, classes - 1) * step, registers);
            }
            for (size_t k = 0; k < registers; k++) {
                reg *top = lanes[k].max + l, *next = top + SL_LANES;
                reg a = load_part(x + c * step + k * SL_W, n, full, 0), b = c_set1((num)-INFINITY);
                reg low_a = c_min(*top, a), low_b = b;
                *top = c_max(a, *top);
                if (pair < classes) {
                    b = load_part(x + pair * step + k * SL_W, n, full, 0);
                    low_b = c_min(*next, b);
                    *next = c_max(b, *next);
                }
                low_a = stats_exp(low_a, shifted, f[k], table);
                low_b = stats_exp(low_b, shifted, f[k], table);
                lanes[k].rest[l] = c_acc_add_pair(lanes[k].rest[l], low_a, low_b);
            }
        }
    for (size_t k = 0; k < registers; k++) {
        max[k] = c_set1((num)-INFINITY);
        for (size_t l = 0; l < used; l++)
            max[k] = c_max(lanes[k].max[l], max[k]);
        max[k] = c_add(max[k], c_set1(0));
    }
}

SL_INLINE void stats_side_of(const T *x, const T *fetched, size_t classes, size_t step, size_t registers,
                             size_t n, int full, c_exp_table table, row_stats stats[ABREAST])
{
    stats_side_lanes lanes[ABREAST];
    reg max[ABREAST];
    c_vframe f[ABREAST];
    for (size_t k = 0; k < registers; k++)
        f[k] = c_vframe_of(c_set1(0));
    int shifted = 0;
    for (int right = 0; !right; shifted = !right) {
        stats_side_sum(x, fetched, classes, step, registers, n, full, shifted, f, table, lanes, max);
        right = 1;
        for (size_t k = 0; k < registers; k++) {
            c_vframe tried = f[k];
            f[k] = c_vframe_of(max[k]);
            right &= classes <= SL_BLOCK || c_vframe_same(tried, f[k]);
        }
    }
    size_t used = least(SL_BLOCK, classes);
    for (size_t k = 0; k < registers; k++) {
        c_acc *rest = lanes[k].rest;
        reg equal = c_set1(0);
        for (size_t l = 0; l < used; l++) {
            mask same = c_eq(lanes[k].max[l], max[k]);
            rest[l % SL_LANES] = add_largest(rest[l % SL_LANES], lanes[k].max[l], same, f[k], table);
            equal = c_add(equal, c_keep(same, c_set1(1)));
        }
        c_acc top = c_exp_in_frame_wide(c_sub(max[k], f[k].shift), f[k], table);
        c_acc others = c_acc_times(top, w_sub(c_widen(equal), w_set1(1)));
        c_acc sum = c_acc_merge(c_fold_rows(rest, least(SL_LANES, used)), others);
        stats[k] = stats_from(max[k], sum, top);
    }
}

/* Of at most SL_BLOCK classes each has a position of its own, and is its maximum. Those that are `ahead` are fetched. */
SL_INLINE row_stats stats_few(const T *x, const T *fetched, size_t classes, size_t step, size_t ahead,
                              size_t n, int full, c_exp_table table)
{
    reg max = c_set1((num)-INFINITY), equal = c_set1(0);
    for (size_t c = 0; c < classes; c++) {
        fetch_class(x + c * step + ahead, 1);
        if (fetched)
            fetch_class(fetched + c * step, 1);
        max = c_max(load_part(x + c * step, n, full, 0), max);
    }
    max = c_add(max, c_set1(0));
    c_vframe f = c_vframe_of(max);
    c_acc rest[SL_LANES];
    for (size_t c = 0; c < classes; c++) {
        reg a = load_part(x + c * step, n, full, 0);
        mask same = c_eq(a, max);
        c_acc e = unless_largest(a, same, f, table);
        rest[c % SL_LANES] = c < SL_LANES ? e : c_acc_merge(rest[c % SL_LANES], e);
        equal = c_add(equal, c_keep(same, c_set1(1)));
    }
    c_acc top = c_exp_in_frame_wide(c_sub(max, f.shift), f, table);
    c_acc others = c_acc_times(top, w_sub(c_widen(equal), w_set1(1)));
    return stats_from(max, c_acc_merge(c_fold_rows(rest, least(SL_LANES, classes)), others), top);
}

SL_NOINLINE row_stats stats_side(const T *x, size_t classes, size_t step, size_t n, c_exp_table table)
{
    if (classes <= SL_BLOCK)
        return n >= SL_W ? stats_few(x, NULL, classes, step, SL_W, SL_W, 1, table)
                         : stats_few(x, NULL, classes, step, SL_W, n, 0, table);
    row_stats stats[ABREAST];
    if (n >= SL_W)
        stats_side_of(x, NULL, classes, step, 1, SL_W, 1, table, stats);
    else
        stats_side_of(x, NULL, classes, step, 1, n, 0, table, stats);
    return stats[0];
}

/* `fetched`, if not NULL, is where something of the panel's shape will be written next. */
SL_NOINLINE void stats_panel(const T *x, const T *fetched, size_t classes, size_t step, c_exp_table table,
                             row_stats stats[ABREAST])
{
    if (classes > SL_BLOCK)
        stats_side_of(x, fetched, classes, step, ABREAST, SL_W, 1, table, stats);
    else
        for (size_t k = 0; k < ABREAST; k++)
            stats[k] = stats_few(x + k * SL_W, fetched ? fetched + k * SL_W : NULL, classes, step, PANEL,
                                 SL_W, 1, table);
}

/* Whether stats_of() can keep a row's exponentials: it reads long rows only as they are. */
SL_INLINE int stats_keeps(sl_shape shape) { return shape.inner == 1 && !short_rows(shape); }

/* The next SL_W of n rows, wherever they lie; `live` as in stats_rows, or without effect. Keeps the exponentials in e,
 * unless that is NULL; and rows that are laid side by side, in `side`. */
SL_NOINLINE row_stats stats_of(const T *x, num *e, T side[SL_BLOCK * SL_W], sl_shape shape, size_t n,
                               const num *live, c_frame *guess, const seen_rows *others, c_exp_table table)
{
    if (side_rows(shape)) {
        lay_side(x, shape.classes, n, live, side);
        return stats_side(side, shape.classes, SL_W, SL_W, table);
    }
    if (shape.inner == 1)
        return stats_rows(x, e, shape.classes, n, live, guess, others, table);
    return stats_side(x, shape.classes, shape.inner, n, table);
}

/* Which rows are nothing but -inf: no maximum, no NaN. */
SL_INLINE mask all_minus_inf(row_stats s)
{
    return c_andnot(c_eq(c_narrow(c_acc_value(s.rest)), c_set1(0)), c_nle(s.max, c_set1((num)-INFINITY)));
}

#endif
