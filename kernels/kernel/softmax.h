/* SPDX-License-Identifier: MIT
 *
 * softmax: y_c = e_c / sum_k e_k, e in the row's frame (exp_f32.h).
 *
 * One read gives the sum of the exponentials and the maximum, on a guessed frame; if the maximum asks for
 * another frame the row is done again in that one. A second pass multiplies by the reciprocal: the exponentials
 * that the first has kept, or their second computation. The bits are the same in every form, because they depend on the
 * right frame alone.
 *
 * f32, in units of 2^-24: relative errors of 1.06 in e (no FMA: 1.37), as much in a sum of such, each added in f64, which loses
 * 0.04 for 2^28 elements; and the last rounding, half an ULP or, if the exact value is just below a power of two and the result
 * above, a whole one: 3.2 ULP. With FMA e * low of the last step is itself denormal for results below 2^-123: up to half an ULP
 * more. Without, rows of more than SL_SHORT elements have 1.00 more, since pairs of them are added in f32 first (short rows can
 * be dominated by one pair), and 0.07 of the f64 sum, of a quarter of the lanes: 4.9, short ones 3.8. Bound on any input: 3.7 (no
 * FMA: 4.9).
 *   worst found (tests/search.c): tests/data/witnesses.txt.
 *   Tested bound 3.0 (3.5), of all distributions of the tests; found 2.70 (3.04) in rows of up to 2^20 elements
 *   (softlane-accuracy --exhaustive), at -0x1.31150ep+6 in "exponent limits" of 496 x 33 [120, 21].
 * f64, in units of 2^-53: 1.41 in e and in the sum (no FMA: 1.46), which loses nothing more, and the last rounding: 3.9;
 * denormal results as above. Bound on any input 4.4 (no FMA: 4.0), tested 4.0; found 4.14, and 4.06 of 5 elements, [0] and [1]
 * 0x1.3b8e6b044db7bp+9 [2] -0x1.2f96637baea9cp+6 [3] 0x1.3835ad1b72e0ap+9 [4] 0x1.2bc0e16ab9f86p+9, at [2].
 */
#ifndef SL_KERNEL_SOFTMAX_H
#define SL_KERNEL_SOFTMAX_H

#include "reduce/exp_sum.h"
#include "reduce/half_rows.h"
#include "reduce/strip_exp_sum.h"
#include "reduce/wide_rows.h"
#include "schedule/transpose.h"

/* ---- contiguous rows ---- */

/* What is the same for all rows of a call. */
typedef struct {
    row_reader reader;
    c_frame predicted; /* the frame to try first: the last row's */
    int safe;          /* an all -inf row, whose sum is 0, is zeros and not NaN */
} softmax_rows_state;

/* Where the exponentials of one of these rows are: with room for whole blocks, or not. */
enum { UNPADDED, PADDED };
SL_INLINE exp_place place_of_row(const pending_row *row, num *scratch, int padded)
{
    return (exp_place){row->e ? (num *)row->e : scratch, row->e == NULL, padded || row->e == NULL};
}

/* Once more, if the frame that was used is not that of the maximum. */
SL_INLINE void exp_checked(softmax_rows_state *s, const pending_row *row, exp_place place, num max,
                           c_frame used, exp_lanes *lanes)
{
    c_frame right = c_frame_of(max);
    if (c_frame_same(used, right))
        return;
    exp_row_again(&s->reader, row->x, place, right, lanes);
    s->predicted = right;
}

/* A row of NaN, or of zeros, needs no second pass. */
SL_INLINE void finish_row(const softmax_rows_state *s, pending_row *row, T *y, num sum)
{
    if (!(sum > 0)) {
        fill_row(y, s->reader.n, s->safe && sum == 0 ? 0 : (num)NAN);
        row->y = NULL;
    }
}

/* Of up to SL_W rows: row ends are batched, as in log_sum.h. y is where their results go, each `pitch` behind the one before. */
SL_NOINLINE void softmax_ends(softmax_rows_state *s, pending_rows *rows, exp_lanes *lanes, T *y, size_t pitch)
{
    reg top[SL_W];
    num max[SL_W], whole[SL_W];
    c_acc_lanes sums;
    c_frame used = s->predicted;
    for (size_t l = 0; l < SL_W; l++)
        top[l] = l < rows->n ? c_largest_parts(lanes[l].max, SL_EXP_PARTS) : c_set1(0);
    reg m = c_largest_of_each(top);
    int right = c_vframe_same(c_frame_set1(used), c_vframe_of(m));
    c_store(max, m);
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        if (l < rows->n && !right)
            exp_checked(s, rows->row + l, place_of_row(rows->row + l, NULL, PADDED), max[l], used, lanes + l);
        if (l < rows->n)
            c_row_put(&sums, l, lanes_fold(lanes[l].sum));
        else /* what can be divided by */
            c_acc_put(&sums, l, c_acc_of(w_set1(1)));
    }
    c_acc sum = c_acc_join(&sums);
    factor_lanes factors = factors_of(c_reciprocal_of(sum));
    c_store(whole, c_narrow(c_acc_value(sum)));
    SL_ROLLED
    for (size_t l = 0; l < rows->n; l++) {
        pending_row *row = rows->row + l;
        row->frame = right ? used : c_frame_of(max[l]);
        row->k = factor_at(&factors, l);
        finish_row(s, row, y + l * pitch, whole[l]);
    }
}

/* The end of one row. */
SL_INLINE void softmax_end(softmax_rows_state *s, pending_row *row, exp_place place, exp_lanes *lanes, T *y)
{
    exp_checked(s, row, place, c_largest(lanes->max, SL_EXP_PARTS), s->predicted, lanes);
    c_row_acc sum = lanes_fold(lanes->sum);
    factor_lanes factors = factors_of(c_row_reciprocal(sum));
    row->frame = s->predicted;
    row->k = factor_at(&factors, 0);
    finish_row(s, row, y, (num)c_row_value(sum));
}

/* The first pass over a row in the predicted frame, and the second one of another row, unless that is NULL. */
SL_INLINE void softmax_pass(softmax_rows_state *s, const T *x, exp_place place, const pending_row *other,
                            int nontemporal, exp_lanes *lanes)
{
    if (other && (!other->e || s->predicted.shift != 0)) {
        emit_row(other, s->reader.n, EMIT_PRODUCT, nontemporal);
        other = NULL;
    }
    if (s->predicted.shift != 0)
        exp_row_again(&s->reader, x, place, s->predicted, lanes);
    else if (!other)
        exp_row_alone(&s->reader, x, place, s->predicted, lanes);
    else if (nontemporal)
        exp_row_nontemporal(&s->reader, x, place, s->predicted, other, lanes);
    else
        exp_row(&s->reader, x, place, s->predicted, other, lanes);
}

/* ---- a row alone, straight through ---- */

/* The end of a row whose exponentials are e, and their results. */
SL_INLINE void finish_straight(const T *x, const num *e, T *y, size_t n, const exp_lanes *lanes, int safe)
{
    const c_row_acc sum = lanes_fold(lanes->sum);
    const double s = c_row_value(sum);
    if (!(s > 0)) {
        fill_row(y, n, safe && s == 0 ? 0 : (num)NAN);
        return;
    }
    const factor_lanes factors = factors_of(c_row_reciprocal(sum));
    pending_row row = {.x = x, .e = e, .y = y, .target = SIZE_MAX, .paired = 1};
    row.k = factor_at(&factors, 0);
    const emit_options o = {.kind = EMIT_PRODUCT, .scaled = 1};
    if (n >= 2 * SL_W) {
        emit_row_of(&row, n, o, CACHED);
    } else {
        reg two[2];
        emit_load(&row, 0, n, o, two);
        emit_results(&row, o, c_frame_set1(row.frame), two);
        store_two_n(y, two, n);
    }
}

/* More than a block, and no more than scratch has room for. */
SL_NOINLINE void softmax_row(const T *x, T *y, size_t n, int safe)
{
    _Alignas(SL_LINE) num e[SCRATCH_BYTES / sizeof(num)];
    const exp_options o = {.pairwise = 1, .rest = MASKED_LOADS};
    const exp_place place = {.e = e, .padded = 1};
    row_reader reader;
    exp_lanes lanes;
    c_frame none = {0, 0};
    row_reader_init(&reader, n);
    exp_pass(&reader, x, place, none, NULL, o, &lanes);
    const c_frame right = c_frame_of(c_largest(lanes.max, SL_EXP_PARTS));
    if (!c_frame_same(none, right)) {
        exp_lanes again;
        exp_row_again(&reader, x, place, right, &again);
        lanes = again;
    }
    finish_straight(x, e, y, n, &lanes, safe);
}

/* A short row; each element is added in f64. */
SL_INLINE void exp_short(const T *x, size_t n, num *e, c_frame frame, exp_options o, exp_lanes *lanes)
{
    T row[SL_SHORT];
    exp_lanes_init(lanes);
    if (MASKED_LOADS && !o.shifted) {
        exp_rest(x, n, e, c_frame_set1(frame), o, lanes);
        return;
    }
    whole_block(x, n, row, SL_SHORT);
    for (size_t i = 0; i < SL_SHORT && (i == 0 || i < n); i += SL_BLOCK)
        exp_block(row + i, n - i, keep_in_nums, e + i, c_frame_set1(frame), o, lanes);
}

/* In any frame. */
SL_RARE void exp_short_again(const T *x, size_t n, num *e, c_frame frame, exp_lanes *lanes)
{
    exp_short(x, n, e, frame, (exp_options){.shifted = 1}, lanes);
}

SL_NOINLINE void softmax_short_row(const T *x, T *y, size_t n, int safe)
{
    num e[SL_SHORT];
    exp_lanes lanes;
    c_frame none = {0, 0};
    exp_short(x, n, e, none, (exp_options){.shifted = 0}, &lanes);
    const c_frame right = c_frame_of(c_largest(lanes.max, SL_EXP_PARTS));
    if (!c_frame_same(none, right)) {
        exp_lanes again;
        exp_short_again(x, n, e, right, &again);
        lanes = again;
    }
    finish_straight(x, e, y, n, &lanes, safe);
}

/* How many rows go straight through, one after the other: their ends wait, but what a group costs is not shared by enough rows
 * to pay. More where a row's last block needs no copy. */
SL_INLINE size_t straight_rows(size_t classes)
{
    enum { FEW = MASKED_LOADS ? 64 : SL_W > 1 ? 2 : 0 };
    size_t most = SCRATCH_BYTES / sizeof(num);
    return classes <= most / 8 ? FEW : SL_W > 1 && classes <= most;
}

/* While one row's exponentials are formed, another one is scaled, so that nobody waits for a row's end, and memory is read and
 * written all the time. Shorter rows go by groups; not from memory, which would wait for the ends. Exponentials stay in
 * scratch or, of longer rows, in y; where y cannot hold them, or is to be written only once, they are computed again. Longer
 * rows of 16 bits have a way of their own (half_rows.h). */
SL_NOINLINE void softmax_rows(const T *x, T *y, const sl_shape *shape, int safe)
{
    enum { SCRATCH = SCRATCH_BYTES / sizeof(num), GROUPED = 512 };
    const size_t rows = shape->outer, classes = shape->classes, in = pitch_in(*shape),
                 out = pitch_out(*shape);
    _Alignas(SL_LINE) num scratch[SCRATCH];
    size_t room = (classes + SL_BLOCK - 1) / SL_BLOCK * SL_BLOCK;
    /* No exponential is computed again for it; and those in scratch hide the reading of lines of 16-bit results. */
    int nontemporal =
        rows_nontemporal(y, *shape) && (room <= SCRATCH ? sizeof(T) == sizeof(num) : !can_hold_exps(x, y));
    size_t many = nontemporal || room > GROUPED ? 1 : least(SL_W, SCRATCH / room);
    softmax_rows_state s = {.safe = safe};
    row_reader_init(&s.reader, classes);
    exp_lanes lanes[SL_W];
    pending_rows groups[2];
    groups[1].n = 0;
    for (size_t r = 0, group = 0; r < rows + many; r += many, group = !group) {
        pending_rows *now = groups + group, *before = groups + !group;
        exp_place place = {.e = NULL};
        now->n = least(many, left(rows, r));
        for (size_t l = 0; l < now->n || l < before->n; l++) {
            const pending_row *other = l < before->n && before->row[l].y ? before->row + l : NULL;
            T *to = y + (r + l) * out;
            if (l < now->n) {
                pending_row *row = now->row + l;
                row->x = x + (r + l) * in;
                row->y = to;
                row->target = SIZE_MAX;
                row->paired = 1;
                row->has_unit = 0;
                row->e = room <= SCRATCH                       ? scratch + l * room
                         : can_hold_exps(x, y) && !nontemporal ? (num *)(void *)to
                                                               : NULL;
                prefetch_last_line(to, classes);
                place = place_of_row(row, scratch, room <= SCRATCH);
                softmax_pass(&s, row->x, place, other, nontemporal, lanes + l);
            } else if (other) {
                emit_row(other, classes, EMIT_PRODUCT, nontemporal);
            }
        }
        if (many > 1)
            softmax_ends(&s, now, lanes, y + r * out, out);
        else if (now->n)
            softmax_end(&s, now->row, place, lanes, y + r * out);
    }
    if (nontemporal)
        stream_end();
}

/* ---- short rows ---- */

/* Of rows to be transposed: their exponentials, class c of row l at e[c * SL_W + l], and their maxima. */
SL_INLINE reg transposed_exps(flat_rows rows, int shifted, c_vframe f, num *e)
{
    c_exp_table table = c_exp_table_load();
    reg q[4], top = c_set1((num)-INFINITY);
    for (size_t c = 0; c < rows.classes; c += 4) {
        size_t at = block4_at(c, rows.classes);
        c_load_transposed(rows.x + at, rows.pitch, q);
        for (size_t k = c - at; k < 4 && at + k < rows.classes; k++) {
            top = c_larger(q[k], top);
            c_store(e + (at + k) * SL_W, c_exp_predicted(q[k], shifted, f, table));
        }
    }
    return c_add(top, c_set1(0));
}

/* In the right frames. */
SL_NOINLINE void transposed_exps_again(flat_rows rows, c_vframe f, num *e)
{
    transposed_exps(rows, SHIFTED, f, e);
}

/* SL_W short rows of this shape. */
SL_NOINLINE void softmax_transposed(const T *x, T *y, const sl_shape *shape, int safe, int nontemporal)
{
    const size_t classes = shape->classes;
    num flat[SL_SHORT * SL_W], e[SL_SHORT * SL_W];
    if (classes == 0) /* never so, but gcc 14 warns of `flat`, which nothing would be written to */
        return;
    const flat_rows from = load_flat(x, classes, pitch_in(*shape), flat);
    c_vframe f = c_vframe_of(c_set1(0)), right = c_vframe_of(transposed_exps(from, UNSHIFTED, f, e));
    if (!c_vframe_same(f, right))
        transposed_exps_again(from, right, e);
    strip_end end = strip_end_of(sum_of_few(e, classes), safe);
    const size_t out = pitch_out(*shape), pitch = flat_pitch(classes, out);
    num *to = flat_results(y, classes, out, nontemporal, flat);
    for (size_t c = 0; c < classes; c += 4) {
        size_t at = block4_at(c, classes);
        reg q[4];
        SL_UNROLL
        for (size_t k = 0; k < 4; k++)
            q[k] = strip_result(c_times_at(e + least(at + k, classes - 1) * SL_W, end.factor), &end);
        if (classes < 4)
            store_few(q, classes, to);
        else
            c_store_transposed(to + at, pitch, q);
    }
    store_flat(y, classes, out, to, nontemporal);
}

/* How many of less than SL_W rows go straight through. Side by side, all lanes cost their time, and the more the more classes there
 * are; a row alone costs much the same for any. */
SL_INLINE size_t straight_short_rows(size_t classes) { return SL_W > 1 ? SL_W * (10 + classes) / 48 : 0; }

SL_NOINLINE void softmax_short_rows(const T *x, T *y, const sl_shape *shape, int safe)
{
    const size_t rows = shape->outer, classes = shape->classes, in = pitch_in(*shape),
                 out = pitch_out(*shape);
    T transposed[SL_SHORT * SL_W], results[SL_SHORT * SL_W];
    size_t r = 0, few = straight_short_rows(classes);
    int nontemporal = short_rows_nontemporal(y, *shape);
    for (; classes > 1 && r + SL_W + (classes < 4) <= rows; r += SL_W)
        softmax_transposed(x + r * in, y + r * out, shape, safe, nontemporal);
    for (size_t n; r < rows; r += n) {
        n = least(SL_W, rows - r);
        if (n <= few) {
            n = 1;
            softmax_short_row(x + r * in, y + r * out, classes, safe);
            continue;
        }
        transpose_in(x + r * in, classes, in, rows - r, NULL, transposed);
        strip s = strip_of_transposed(transposed, classes);
        softmax_few(&s, results, safe);
        transpose_out(results, classes, rows - r, y + r * out, out, CACHED);
    }
    if (nontemporal)
        stream_end();
}

/* ---- strips ---- */

/* Of how many rows, by whole lines, the exponentials fit into scratch. */
SL_INLINE size_t scratch_strip_rows(size_t classes)
{
    return round_down_to_lines(SCRATCH_BYTES / sizeof(num) / classes);
}

/* How many rows a strip may have at most: so many, if any. */
SL_INLINE size_t most_strip_rows(size_t classes)
{
    size_t fit = scratch_strip_rows(classes);
    return fit ? least(fit, STRIP_ROWS) : STRIP_ROWS;
}

SL_NOINLINE void softmax_strips(const T *x, T *y, const sl_shape *shape, int safe)
{
    walk w = walk_of(*shape);
    int can_hold = can_hold_exps(x, y);
    /* No exponential is computed again for it. */
    int nontemporal = strips_nontemporal(y, *shape) && (!can_hold || scratch_strip_rows(shape->classes) != 0);
    int prefetch = !nontemporal && use_nontemporal(y, shape->outer * shape->classes * shape->inner);
    int few = shape->classes <= SL_SHORT && !nontemporal; /* in a cache few classes are few pages */
    size_t most = few || (can_hold && !nontemporal) ? STRIP_ROWS : most_strip_rows(shape->classes);
    for (size_t b = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += n) {
            n = least(most, strip_rows(w.rows - i));
            T *to = y + b * w.out.block + i;
            strip s = {
                x + b * w.in.block + i, prefetch ? to : NULL, shape->classes, w.in.step, n, w.out.step};
            if (few)
                softmax_few(&s, to, safe);
            else
                softmax_strip(&s, to, nontemporal && round_down_to_lines(n) == n, safe);
        }
    if (nontemporal)
        stream_end();
}

SL_NOINLINE void softmax_any(const T *x, T *y, const sl_shape *shape, int safe)
{
    const size_t rows = shape->outer, classes = shape->classes;
    if (classes == 0)
        return;
    if (short_rows(*shape))
        softmax_short_rows(x, y, shape, safe);
    else if (!contiguous_rows(*shape))
        softmax_strips(x, y, shape, safe);
#if SL_16_BITS
    else if (are_half_rows(x, y, classes))
        softmax_half_rows(x, y, shape, safe);
#endif
    else if (rows > straight_rows(classes))
        softmax_rows(x, y, shape, safe);
    else
        for (size_t r = 0; r < rows; r++)
            softmax_row(x + r * pitch_in(*shape), y + r * pitch_out(*shape), classes, safe);
}

SL_STATIC void softmax(const T *x, T *y, const sl_shape *shape) { softmax_any(x, y, shape, NAN_ROWS); }
SL_STATIC void softmax_safe(const T *x, T *y, const sl_shape *shape) { softmax_any(x, y, shape, SAFE_ROWS); }

/* With results of the arithmetic's type. */
SL_STATIC void softmax_wide(const T *x, num *y, const sl_shape *shape)
{
#if SL_16_BITS
    softmax_wide_any(x, y, *shape);
#else
    softmax_any(x, y, shape, NAN_ROWS);
#endif
}

#endif
