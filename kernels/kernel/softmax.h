/* SPDX-License-Identifier: MIT
 *
 * softmax: y_c = e_c / sum_k e_k, e in the row's frame (exp_f32.h).
 *
 * One read gives the sum of the exponentials and the maximum, on a guessed frame; if the maximum asks for
 * another frame the row is done again in that one. A second pass multiplies by the reciprocal: the exponentials
 * that the first has kept, or their second computation. The bits are the same in every form, because they depend on the
 * right frame alone.
 *
 * f32, in units of 2^-24: relative errors of 1.06 in e (no FMA: 1.13), as much in a sum of such, 1.00 where pairs are added
 * in f32 (rows of more than SL_BLOCK elements; short rows can be dominated by one pair, so they add each element in f64), and
 * 0.02 of the f64 sum for 2^28 elements; and the last rounding, half an ULP or, if the exact value is just below a power of
 * two and the result above, a whole one. So short rows have 3.2 ULP, long ones 4.2 (no FMA: 4.3). With FMA e * low of the
 * last step is itself denormal for results below 2^-123: up to half an ULP more. Bound on any input: 4.7 (no FMA: 4.3).
 *   worst found (tests/search.c): 4.44, of 33 elements, [0] 0x1.14d248p+5 [16] 0x1.1f0102p+4 [1] 0x1.e3ea9p+4 [2]
 *   0x1.50727ep+4 [5] -0x1.a03956p+5, the others -inf, at [5]; without denormals 4.05. No FMA: 4.15, tests/data/witnesses.txt.
 *   Tested bound 3.0 (3.5), of all distributions of the tests; found 2.70 (2.73) in rows of up to 2^20 elements
 *   (softlane-accuracy --exhaustive), at -0x1.31150ep+6 in "exponent limits" of 496 x 33 [120, 21].
 * f64, in units of 2^-53: 1.25 in e and in the sum, which loses nothing more, and the last rounding: 3.5; denormal results as
 * above: bound 4.0.
 */
#ifndef SL_KERNEL_SOFTMAX_H
#define SL_KERNEL_SOFTMAX_H

#include "schedule/half_rows.h"
#include "schedule/second_pass.h"

/* ---- contiguous rows ---- */

typedef struct {
    c_acc sum[SL_PARTS];
    reg max[SL_PARTS];
} exp_lanes;

/* A block of n <= SL_BLOCK elements: sums and maxima by lane, each pair added in f32 first if `pairs`; and the exponentials,
 * in the order of load_two, unless e is NULL. Of types that are not computed in, e has room for the whole last block. */
SL_INLINE void exp_block(const T *x, num *e, size_t n, int full, int shifted, int pairs, c_vframe f,
                         c_exp_table table, exp_lanes *lanes)
{
    reg at[2 * SL_PARTS];
    load_block(x, n, full, (num)-INFINITY, at);
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++) {
        reg a = at[j], b = at[j + SL_PARTS];
        lanes->max[j] = c_max(b, c_max(a, lanes->max[j]));
        reg ea = c_exp_tried(a, shifted, f, table), eb = c_exp_tried(b, shifted, f, table);
        if (e) {
            size_t first = j * SL_W, second = first + SL_LANES;
            keep_part(e + first, ea, left(n, first), full || sizeof(T) != sizeof(num));
            keep_part(e + second, eb, left(n, second), full || sizeof(T) != sizeof(num));
        }
        pair(&ea, &eb);
        if (pairs)
            lanes->sum[j] = c_acc_add_pair(lanes->sum[j], ea, eb);
        else
            lanes->sum[j] = c_acc_add(c_acc_add(lanes->sum[j], c_widen(ea)), c_widen(eb));
    }
}

/* Sums, maxima and exponentials of one row, and on the way the second pass of another, unless that is NULL. */
SL_INLINE void exp_row(const T *x, num *e, size_t n, int shifted, int pairs, c_vframe f, c_exp_table table,
                       const seen_row *other, int again, int streaming, exp_lanes *result)
{
    exp_lanes lanes; /* in registers */
    for (size_t j = 0; j < SL_PARTS; j++) {
        lanes.sum[j] = c_acc_zero();
        lanes.max[j] = c_set1((num)-INFINITY);
    }
    size_t i = 0, at = other ? second_head(other, n, TIMES, again, streaming, f, table) : 0;
    for (; i + SL_BLOCK <= n; i += SL_BLOCK) {
        look_ahead(x + i, 0);
        exp_block(x + i, e ? e + i : NULL, SL_BLOCK, 1, shifted, pairs, f, table, &lanes);
        if (other)
            at = second_block(other, at, n, TIMES, again, streaming, f, table);
    }
    if (i < n)
        exp_block(x + i, e ? e + i : NULL, n - i, 0, shifted, pairs, f, table, &lanes);
    if (other)
        second_rest(other, at, n, TIMES, again, streaming, f, table);
    *result = lanes;
}

SL_INLINE void exp_row_in(const T *x, num *e, size_t n, c_frame frame, const seen_row *other, int streaming,
                          c_exp_table table, exp_lanes *lanes)
{
    c_vframe f = c_frame_set1(frame);
    if (other && !second_beside(other, TIMES, frame)) {
        second_pass(other, n, TIMES, streaming, table);
        other = NULL;
    }
    seen_row row; /* no store can change it */
    if (other)
        row = *other;
    if (frame.shift != 0)
        exp_row(x, e, n, 1, 1, f, table, NULL, 0, 0, lanes);
    else if (!other)
        exp_row(x, e, n, 0, 1, f, table, NULL, 0, 0, lanes);
    else if (!streaming && other->e)
        exp_row(x, e, n, 0, 1, f, table, &row, 0, 0, lanes);
    else if (!streaming)
        exp_row(x, NULL, n, 0, 1, f, table, &row, 1, 0, lanes);
    else if (other->e)
        exp_row(x, e, n, 0, 1, f, table, &row, 0, 1, lanes);
    else
        exp_row(x, NULL, n, 0, 1, f, table, &row, 1, 1, lanes);
}

/* One row alone, in the right frame. */
SL_NOINLINE void exp_again(const seen_row *row, size_t n, c_frame frame, c_exp_table table, exp_lanes *lanes)
{
    exp_row_in(row->x, (num *)row->e, n, frame, NULL, 0, table, lanes);
}

/* Once more, if the frame that was tried is not that of the maximum. *guess is the right one then. */
SL_INLINE void exp_checked(const seen_row *row, size_t n, num max, c_frame tried, c_frame *guess,
                           c_exp_table table, exp_lanes *lanes)
{
    c_frame right = c_frame_of(max);
    if (c_frame_same(tried, right))
        return;
    exp_again(row, n, right, table, lanes);
    *guess = right;
}

/* An all -inf row (sum 0) is NaN, or zeros if that is `safe`; no row for the second pass then. */
SL_INLINE void softmax_end(seen_row *row, T *y, size_t n, num sum, int safe, c_frame frame, c_factor factor)
{
    row->frame = frame;
    row->factor = factor;
    if (!(sum > 0)) {
        fill_row(y, n, safe && sum == 0 ? 0 : (num)NAN);
        row->y = NULL;
    }
}

/* The ends of up to SL_W rows, which are one thing for all of them (as in stats.h). */
SL_INLINE void softmax_ends(seen_rows *rows, exp_lanes *lanes, T *y, size_t n, int safe, c_frame *guess,
                            c_exp_table table)
{
    reg top[SL_W];
    num max[SL_W], high[SL_W], low[SL_W], unit[SL_W], whole[SL_W];
    c_acc_lanes sums;
    c_frame tried = *guess;
    for (size_t l = 0; l < SL_W; l++)
        top[l] = l < rows->n ? c_largest_parts(lanes[l].max, SL_PARTS) : c_set1(0);
    reg m = c_largest_of_each(top);
    int right = c_vframe_same(c_frame_set1(tried), c_vframe_of(m));
    c_store(max, m);
    for (size_t l = 0; l < SL_W; l++) {
        if (l < rows->n && !right)
            exp_checked(rows->row + l, n, max[l], tried, guess, table, lanes + l);
        if (l < rows->n)
            c_row_put(&sums, l, lanes_fold(lanes[l].sum));
        else /* what can be divided by */
            c_acc_put(&sums, l, c_acc_of(w_set1(1)));
    }
    c_acc sum = c_acc_join(&sums);
    c_factor factor = c_reciprocal_of(sum);
    c_store(whole, c_narrow(c_acc_value(sum)));
    c_store(high, factor.high);
    c_store(low, factor.low);
    c_store(unit, factor.unit);
    for (size_t l = 0; l < rows->n; l++)
        softmax_end(rows->row + l, y + l * n, n, whole[l], safe, right ? tried : c_frame_of(max[l]),
                    (c_factor){c_set1(high[l]), c_set1(low[l]), c_set1(unit[l])});
}

/* While one row's exponentials are formed, another one is multiplied, so that nobody waits for a row's end, and memory is
 * read and written all the time. Short rows go by groups, if their exponentials can stay in the first-level cache; not
 * from memory, which would wait for the ends. Exponentials stay in `kept` or, of long rows, in y; where y cannot hold them
 * (KEEPS), or is to be written only once, past the caches, they are computed again. Long rows of 16 bits have a way of
 * their own (half_rows.h). */
SL_STATIC void softmax_rows(const T *x, T *y, size_t rows, size_t classes, int safe)
{
    enum { KEPT = KEPT_BYTES / sizeof(num) };
    KEPT_ROWS(kept);
    T aside[SL_IN_ORDER ? 1 : KEPT];
    c_exp_table table = c_exp_table_load();
    c_frame guess = {0, 0};
    int streaming = streams(y, rows * classes);
    if (sizeof(T) != sizeof(num) && classes > KEPT && (const void *)x != (const void *)y &&
        (!streaming || half_rows_stream(y, classes))) {
        softmax_half_rows(x, y, rows, classes, safe, streaming, table);
        return;
    }
    /* What is kept out of order is multiplied from the row's start on, which need not be that of a line. */
    int staged = streaming && !SL_IN_ORDER && classes <= KEPT;
    size_t room = (classes + SL_BLOCK - 1) / SL_BLOCK * SL_BLOCK;
    size_t fit = KEPT / 2 / room, many = streaming || fit < 4 ? 1 : least(SL_W, fit);
    exp_lanes lanes[SL_W];
    seen_rows seen[2];
    seen[1].n = 0;
    for (size_t r = 0, group = 0; r < rows + many; r += many, group = !group) {
        seen_rows *now = seen + group, *before = seen + !group;
        now->n = least(many, left(rows, r));
        for (size_t l = 0; l < now->n || l < before->n; l++) {
            const seen_row *other = l < before->n && before->row[l].y ? before->row + l : NULL;
            if (l < now->n) {
                seen_row *row = now->row + l;
                row->x = x + (r + l) * classes;
                row->y = staged ? aside : y + (r + l) * classes;
                num *e = classes <= KEPT             ? kept[group] + l * room
                         : KEEPS(x, y) && !streaming ? (num *)row->y
                                                     : NULL;
                row->e = e;
                fetch_end(y + (r + l) * classes, classes);
                exp_row_in(row->x, e, classes, guess, other, streaming && !staged, table, lanes + l);
            } else if (other) {
                second_pass(other, classes, TIMES, streaming && !staged, table);
            }
            if (staged && other)
                copy_out(aside, y + (r - many + l) * classes, classes, 1);
        }
        if (many > 1) {
            softmax_ends(now, lanes, y + r * classes, classes, safe, &guess, table);
        } else if (now->n) {
            num max = c_largest(lanes->max, SL_PARTS);
            exp_checked(now->row, classes, max, guess, &guess, table, lanes);
            c_row_acc sum = lanes_fold(lanes->sum);
            softmax_end(now->row, y + r * classes, classes, (num)c_row_value(sum), safe, guess,
                        c_row_reciprocal(sum));
        }
    }
    if (streaming)
        stream_end();
}

/* ---- rows side by side, one register of n <= SL_W or ABREAST full ones: class c of row l at x[c * step + l] ---- */

/* Adds the exponentials of one class, and keeps them in e or, for e NULL, does not. */
SL_INLINE reg exp_side(const T *x, num *e, size_t n, int full, int shifted, c_vframe f, c_exp_table table,
                       reg *max)
{
    reg a = load_part(x, n, full, 0);
    reg exp = c_exp_tried(a, shifted, f, table);
    *max = c_max(a, *max);
    if (e)
        keep_part(e, exp, n, full);
    return exp;
}

/* Exponentials go to e, if they are kept: class c of row l at e[c * e_step + l]. What is
 * `fetched`, if not NULL, is where results will go. */
SL_INLINE void softmax_sum_side(const T *x, const T *fetched, num *e, size_t e_step, size_t classes,
                                size_t step, size_t registers, size_t n, int full, int keep, int shifted,
                                const c_vframe f[ABREAST], c_exp_table table, reg max[ABREAST],
                                c_acc sum[ABREAST])
{
    c_acc lane[ABREAST][SL_LANES];
    for (size_t k = 0; k < registers; k++) {
        max[k] = c_set1((num)-INFINITY);
        for (size_t l = 0; l < SL_LANES; l++)
            lane[k][l] = c_acc_zero();
    }
    for (size_t block = 0; block < classes; block += SL_BLOCK)
        for (size_t l = 0; l < least(SL_LANES, classes - block); l++) {
            size_t c = block + l, pair = c + SL_LANES;
            const T *a = x + c * step, *b = x + pair * step;
            look_beyond(a, registers);
            if (pair < classes)
                look_beyond(b, registers);
            if (fetched) {
                fetch_class(fetched + c * step, registers);
                fetch_class(fetched + least(pair, classes - 1) * step, registers);
            }
            for (size_t k = 0; k < registers; k++) {
                size_t at = k * SL_W;
                c_acc *acc = &lane[k][l];
                reg ea = exp_side(a + at, keep ? e + c * e_step + at : NULL, n, full, shifted, f[k], table,
                                  max + k);
                if (pair >= classes) {
                    *acc = c_acc_add(*acc, c_widen(ea));
                    continue;
                }
                reg eb = exp_side(b + at, keep ? e + pair * e_step + at : NULL, n, full, shifted, f[k], table,
                                  max + k);
                if (classes > SL_BLOCK)
                    *acc = c_acc_add_pair(*acc, ea, eb);
                else
                    *acc = c_acc_add(c_acc_add(*acc, c_widen(ea)), c_widen(eb));
            }
        }
    for (size_t k = 0; k < registers; k++) {
        max[k] = c_add(max[k], c_set1(0));
        sum[k] = c_fold_rows(lane[k], least(SL_LANES, classes));
    }
}

SL_INLINE void softmax_side_of(const T *x, T *y, const T *fetched, num *e, size_t e_step, size_t classes,
                               size_t step, size_t registers, size_t n, int full, int keep, int streaming,
                               int safe, c_exp_table table)
{
    reg max[ABREAST], otherwise[ABREAST];
    mask number[ABREAST];
    c_vframe f[ABREAST];
    c_acc sum[ABREAST];
    c_factor factor[ABREAST];
    for (size_t k = 0; k < registers; k++)
        f[k] = c_vframe_of(c_set1(0));
    int shifted = 0; /* the frames of all that have none are tried first */
    for (int right = 0; !right; shifted = !right) {
        softmax_sum_side(x, fetched, e, e_step, classes, step, registers, n, full, keep, shifted, f, table,
                         max, sum);
        right = 1;
        for (size_t k = 0; k < registers; k++) {
            c_vframe tried = f[k];
            f[k] = c_vframe_of(max[k]);
            right &= c_vframe_same(tried, f[k]);
        }
    }
    int numbers = 1;
    for (size_t k = 0; k < registers; k++) {
        reg s = c_narrow(c_acc_value(sum[k])), zero = c_set1(0);
        factor[k] = c_reciprocal_of(sum[k]);
        number[k] = c_lt(zero, s);
        numbers = numbers && c_all(number[k]);
        otherwise[k] = c_select(c_eq(s, zero), c_set1(safe ? 0 : (num)NAN), c_set1((num)NAN));
    }
    for (size_t c = 0; c < classes; c++)
        for (size_t k = 0; k < registers; k++) {
            size_t at = c * step + k * SL_W;
            reg a;
            if (keep)
                a = full ? c_load(e + c * e_step + k * SL_W) : c_load_n(e + c * e_step, n, 0);
            else
                a = c_exp_in_frame(c_less_shift(load_part(x + at, n, full, 0), f[k]), f[k], table);
            a = c_times(a, factor[k]);
            if (!numbers)
                a = c_select(number[k], a, otherwise[k]);
            if (full)
                put(y + at, a, streaming);
            else
                store_part(y + at, a, n, 0);
        }
}

SL_NOINLINE void softmax_side(const T *x, T *y, size_t classes, size_t step, size_t n, int safe,
                              c_exp_table table)
{
    num kept[KEPT_BYTES / sizeof(num)];
    int fits = classes * SL_W <= KEPT_BYTES / sizeof(num);
    if (n < SL_W && fits)
        softmax_side_of(x, y, NULL, kept, SL_W, classes, step, 1, n, 0, 1, 0, safe, table);
    else if (n < SL_W)
        softmax_side_of(x, y, NULL, NULL, 0, classes, step, 1, n, 0, 0, 0, safe, table);
    else if (fits)
        softmax_side_of(x, y, NULL, kept, SL_W, classes, step, 1, SL_W, 1, 1, 0, safe, table);
    else if (KEEPS(x, y))
        softmax_side_of(x, y, NULL, (num *)(void *)y, step, classes, step, 1, SL_W, 1, 1, 0, safe, table);
    else
        softmax_side_of(x, y, NULL, NULL, 0, classes, step, 1, SL_W, 1, 0, 0, safe, table);
}

/* PANEL rows. What is not kept nearby is computed again where results go past the caches. */
SL_NOINLINE void softmax_panel(const T *x, T *y, size_t classes, size_t step, int streaming, int fetching,
                               int safe, c_exp_table table)
{
    enum { KEPT = 2 * KEPT_BYTES / sizeof(num) };
    num kept[KEPT];
    const T *fetched = fetching ? y : NULL;
    int fits = classes * PANEL <= KEPT;
    if (fits && streaming)
        softmax_side_of(x, y, fetched, kept, PANEL, classes, step, ABREAST, SL_W, 1, 1, 1, safe, table);
    else if (fits)
        softmax_side_of(x, y, fetched, kept, PANEL, classes, step, ABREAST, SL_W, 1, 1, 0, safe, table);
    else if (streaming)
        softmax_side_of(x, y, fetched, NULL, 0, classes, step, ABREAST, SL_W, 1, 0, 1, safe, table);
    else if (KEEPS(x, y))
        softmax_side_of(x, y, fetched, (num *)(void *)y, step, classes, step, ABREAST, SL_W, 1, 1, 0, safe,
                        table);
    else
        softmax_side_of(x, y, fetched, NULL, 0, classes, step, ABREAST, SL_W, 1, 0, 0, safe, table);
}

/* SL_W short rows as columns: their exponentials, class c of row l at e[c * SL_W + l], and their maxima. */
SL_INLINE reg short_exps(const num *x, size_t classes, int shifted, c_vframe f, c_exp_table table, num *e)
{
    reg q[4], top = c_set1((num)-INFINITY);
    for (size_t c = 0; c < classes; c += 4) {
        size_t at = quad_at(c, classes);
        c_load_quads(x + at, classes, q);
        for (size_t k = c - at; k < 4 && at + k < classes; k++) {
            top = c_max(q[k], top);
            c_store(e + (at + k) * SL_W, c_exp_tried(q[k], shifted, f, table));
        }
    }
    return c_add(top, c_set1(0));
}

/* In the right frames. */
SL_NOINLINE void short_exps_again(const num *x, size_t classes, c_vframe f, c_exp_table table, num *e)
{
    short_exps(x, classes, 1, f, table, e);
}

SL_NOINLINE void softmax_columns(const T *x, T *y, size_t classes, int safe, int streaming, c_exp_table table)
{
    num flat[SL_BLOCK * SL_W], e[SL_BLOCK * SL_W];
    if (classes == 0) /* never so, but gcc 14 warns of `flat`, which nothing would be written to */
        return;
    const num *from = flat_rows(x, classes, flat);
    c_vframe f = c_vframe_of(c_set1(0)), right = c_vframe_of(short_exps(from, classes, 0, f, table, e));
    if (!c_vframe_same(f, right))
        short_exps_again(from, classes, right, table, e);

    c_acc lane[SL_LANES];
    for (size_t l = 0; l < least(SL_LANES, classes); l++) {
        lane[l] = c_acc_load(e + l * SL_W);
        if (l + SL_LANES < classes)
            lane[l] = c_acc_merge(lane[l], c_acc_load(e + (l + SL_LANES) * SL_W));
    }
    c_acc sum = c_fold_rows(lane, least(SL_LANES, classes));
    c_factor factor = c_reciprocal_of(sum);
    reg s = c_narrow(c_acc_value(sum)), zero = c_set1(0);
    mask number = c_lt(zero, s);
    reg otherwise = c_select(c_eq(s, zero), c_set1(safe ? 0 : (num)NAN), c_set1((num)NAN));
    int numbers = c_all(number);

    num *to = flat_results(y, streaming, flat);
    for (size_t c = 0; c < classes; c += 4) {
        size_t at = quad_at(c, classes);
        reg q[4];
        for (size_t k = 0; k < 4; k++) {
            size_t column = least(at + k, classes - 1);
            q[k] = c_times(c_load(e + column * SL_W), factor);
            if (!numbers)
                q[k] = c_select(number, q[k], otherwise);
        }
        if (classes < 4)
            put_few(q, classes, to);
        else
            c_store_quads(to + at, classes, q);
    }
    if (streaming)
        put_flat(y, to, classes, 1);
    else
        put_flat(y, to, classes, 0);
}

/* One row that has no neighbours to be laid beside: as a long one, but each element is added in f64. */
SL_NOINLINE void softmax_short_row(const T *x, T *y, size_t classes, int safe, c_exp_table table)
{
    num e[SL_BLOCK];
    c_frame right = {0, 0}, f;
    exp_lanes lanes;
    do {
        f = right;
        exp_row(x, e, classes, 1, 0, c_frame_set1(f), table, NULL, 0, 0, &lanes);
        right = c_frame_of(c_largest(lanes.max, SL_PARTS));
    } while (!c_frame_same(f, right));
    c_row_acc sum = lanes_fold(lanes.sum);
    seen_row row = {.x = x, .e = e, .y = y, .frame = f, .factor = c_row_reciprocal(sum)};
    double s = c_row_value(sum);
    if (s > 0)
        second_pass(&row, classes, TIMES, 0, table);
    else
        fill_row(y, classes, safe && s == 0 ? 0 : (num)NAN);
}

SL_STATIC void softmax_short_rows(const T *x, T *y, size_t rows, size_t classes, int safe)
{
    c_exp_table table = c_exp_table_load();
    T side[SL_BLOCK * SL_W], result[SL_BLOCK * SL_W];
    size_t r = 0;
    int streaming = short_rows_stream(y, rows * classes);
    for (; classes > 1 && r + SL_W + (classes < 4) <= rows; r += SL_W)
        softmax_columns(x + r * classes, y + r * classes, classes, safe, streaming, table);
    for (size_t n; r < rows; r += n) {
        n = least(SL_W, rows - r);
        if (n <= SL_W / 4) {
            n = 1;
            softmax_short_row(x + r * classes, y + r * classes, classes, safe, table);
            continue;
        }
        lay_side(x + r * classes, classes, rows - r, NULL, side);
        softmax_side(side, result, classes, SL_W, SL_W, safe, table);
        lay_back(result, classes, rows - r, y + r * classes, 0);
    }
    if (streaming)
        stream_end();
}

SL_STATIC void softmax_axis(const T *x, T *y, sl_shape shape, int safe)
{
    c_exp_table table = c_exp_table_load();
    walk w = walk_of(shape);
    int streaming = axis_streams(y, shape), fetching = axis_fetches(y, shape);
    /* In a cache few classes are few pages, and the sums of one register stay in registers. */
    int near = shape.classes <= SL_BLOCK && sizeof(T) == sizeof(num) && !fetching;
    for (size_t b = 0; b < w.blocks; b++, x += w.block_stride, y += w.block_stride)
        for (size_t i = 0, n; i < w.rows; i += n) {
            n = near && !streaming ? least(SL_W, w.rows - i) : rows_abreast(w.rows - i);
            if (n == PANEL)
                softmax_panel(x + i, y + i, shape.classes, w.step, streaming, fetching, safe, table);
            else
                softmax_side(x + i, y + i, shape.classes, w.step, n, safe, table);
        }
    if (streaming)
        stream_end();
}

SL_NOINLINE void softmax_any(const T *x, T *y, sl_shape shape, int safe)
{
    if (shape.classes == 0)
        return;
    if (short_rows(shape))
        softmax_short_rows(x, y, shape.outer, shape.classes, safe);
    else if (shape.inner == 1)
        softmax_rows(x, y, shape.outer, shape.classes, safe);
    else
        softmax_axis(x, y, shape, safe);
}

SL_STATIC void softmax(const T *x, T *y, sl_shape shape) { softmax_any(x, y, shape, 0); }
SL_STATIC void softmax_safe(const T *x, T *y, sl_shape shape) { softmax_any(x, y, shape, 1); }

#endif
