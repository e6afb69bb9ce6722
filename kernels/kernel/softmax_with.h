/* SPDX-License-Identifier: MIT
 *
 * softmax and log-softmax of scores (scores.h): with scale, cap, mask, limits of each row, sink and log-sum-exp.
 *
 * A row is what lies within its limits. A sink is one more exponential of its sum, whose result nobody writes. Rows go by groups,
 * so that their ends are done together, or alone if they are long; beside the first pass over a row goes the second one over a row
 * of the group before. What that is made of stays in scratch or, of a longer row, in y, if y can hold it; else it is formed again.
 * The frame is predicted: a row whose maximum, or sink, asks for another one is done again in that.
 *
 * With the z of the kernel for exact, bounds are those of softmax.h and log_softmax.h: a sink enters as f64 (0.12 x 2^-24 of
 * itself). An error of z, dz, makes |dz_c| + max_k |dz_k| of softmax's result, and as much in log-softmax and log-sum-exp.
 *
 * Log-sum-exp beside softmax is m + log1p(sum / top - 1), top = exp(m): the sum has 2.06 x 2^-24 (no FMA: 2.4; f64: 1.41 and 1.46
 * x 2^-53), of which the logarithm makes as much in absolute terms, and one rounding of the result: 3.1 (3.4; 2.1) ULP of the
 * largest of |lse|, |m| and 1. Beside log-softmax it has the bits of logsumexp.
 */
#ifndef SL_KERNEL_SOFTMAX_WITH_H
#define SL_KERNEL_SOFTMAX_WITH_H

#include "reduce/scores.h"

/* What is the same for all rows, and the frame to try first: the last row's. */
typedef struct {
    const T *x;
    T *y;
    size_t classes, pitch_in, pitch_out;
    const sl_softmax_options *o;
    score_terms terms;
    int logs; /* log-softmax */
    int nontemporal;
    num *scratch;
    size_t tile, room; /* of a row: elements at once, and from one to the next in scratch */
    c_frame predicted;
} scored_call;

typedef struct {
    score_pass pass; /* within the limits */
    T *y;
    size_t first;
    num *tile; /* its scratch */
    num sink;
} scored_row;

/* Rows whose second pass is still to come: so many elements of each, or 0. */
typedef struct {
    pending_row row[SL_W];
    size_t length[SL_W], n;
} later_rows;

SL_INLINE void scored_row_of(const scored_call *c, size_t r, size_t l, scored_row *row)
{
    const sl_softmax_options *o = c->o;
    const size_t first = o->first ? o->first[r] : 0, n = o->length ? o->length[r] : c->classes - first;
    const T *x = c->x + r * c->pitch_in + first;
    const char *values = sl_mask_of(o);
    if (values)
        values += (r * (size_t)o->mask_stride + first) * mask_size(c->terms.mask);
    row->y = c->y + r * c->pitch_out + first;
    row->first = first;
    row->tile = c->scratch + l * c->room;
    row->sink = o->sink ? ((const num *)o->sink)[r] : (num)-INFINITY;
    row->pass.terms = &c->terms;
    row->pass.from = (score_source){.x = x, .mask = values, .mask_type = c->terms.mask, .n = n};
    row->pass.few = n <= SL_SHORT;
    row->pass.begins = 1;
    if (n > c->tile && can_hold_exps(x, row->y))
        row->pass.place = (exp_place){.e = (num *)(void *)row->y};
    else
        row->pass.place = (exp_place){.e = row->tile, .overwrites = n > c->tile, .padded = 1};
}

SL_INLINE void emit_later(const scored_call *c, const later_rows *later, size_t l)
{
    const pending_row *row = later->row + l;
    const int in_y = (const void *)row->e == (const void *)row->y;
    if (later->length[l])
        emit_row(row, later->length[l], c->logs ? EMIT_SCORE : EMIT_PRODUCT, c->nontemporal && !in_y);
}

/* The part of a row from element i on whose scores its tile has room for: there they are formed. */
SL_INLINE score_pass tile_of(const scored_call *c, const scored_row *row, size_t i)
{
    score_pass part = row->pass;
    part.from.n = least(part.from.n - i, c->tile);
    part.begins = i == 0;
    part.z = row->tile;
    keep_scores(part.terms, &part.from, i, i + part.from.n, row->tile);
    return part;
}

/* The first pass over a row whose scores are formed before. */
SL_NOINLINE void first_pass_by_tiles(const scored_call *c, const scored_row *row, score_lanes *lanes)
{
    size_t i = 0;
    do {
        score_pass part = tile_of(c, row, i);
        part.place.e += part.place.overwrites ? 0 : i;
        if (!c->logs)
            exp_scores_any(&part, lanes);
        else if (part.few && is_all_end(part.from.n))
            score_lanes_of_short(part.z, part.from.n, &lanes->logs);
        else
            log_sum_scores_any(&part, lanes);
        i += part.from.n;
    } while (i < row->pass.from.n);
}

/* The first pass over a row, and the second one over the l-th that waits, if any does. */
SL_NOINLINE void score_row(const scored_call *c, scored_row *row, c_frame frame, const later_rows *later,
                           size_t l, score_lanes *lanes)
{
    const int all_end = c->logs && is_all_end(row->pass.from.n);
    const int formed = all_end || c->terms.cap != 0 || frame.shift != 0;
    row->pass.frame = frame;
    row->pass.other = NULL;
    if (later && !formed && !c->nontemporal) {
        row->pass.other = later->row + l;
        row->pass.other_n = later->length[l];
    } else if (later) {
        emit_later(c, later, l);
    }
    if (formed)
        first_pass_by_tiles(c, row, lanes);
    else if (c->logs)
        log_sum_scores(&row->pass, lanes);
    else
        exp_scores(&row->pass, lanes);
}

/* ---- the ends of up to SL_W rows ---- */

typedef struct {
    num log_sum[SL_W], max[SL_W]; /* as they are to be subtracted */
    num whole[SL_W];              /* the sum, or NaN where log_sum is */
    factor_lanes factors;
} score_ends;

/* What the rows' logarithms are made of: top, and the sum without it, whose rounding may exceed it. Of a row that is masked
 * throughout they are 0, and its logarithm NaN, or -inf if it is safe. */
SL_NOINLINE void finish_logs(const scored_call *c, size_t r, size_t n, c_acc rest, reg m, c_acc top,
                             score_ends *to)
{
    const int safe = c->o->flags & SL_SAFE_ROWS || c->classes == 0;
    mask less = c_lt(c_narrow(c_acc_value(rest)), c_set1(0));
    row_stats s = {.max = m, .rest = c_acc_select(less, c_acc_zero(), rest)};
    mask nothing = all_minus_inf(&s);
    s = stats_from(m, s.rest, c_acc_select(nothing, c_acc_of(w_set1(1)), top));
    if (!safe)
        s.log_sum = c_acc_select(nothing, c_acc_of(w_set1((double)NAN)), s.log_sum);
    if (c->o->lse) {
        reg lse = c_canonical(c_narrow(c_acc_value(c_acc_add(s.log_sum, c_widen(m)))));
        c_store_n((num *)c->o->lse + r, lse, n);
    }
    if (!c->logs)
        return;
    reg log_sum = log_sum_of(&s, safe);
    c_store(to->log_sum, log_sum);
    c_store(to->max, c_keep(c_lt(c_set1((num)-INFINITY), m), m));
    c_store(to->whole, c_select(c_eq(log_sum, log_sum), c_set1(1), c_set1((num)NAN)));
}

SL_NOINLINE void finish_scores(const scored_call *c, size_t r, size_t n, const row_ends *ends,
                               const num *sinks, score_ends *to)
{
    reg m = c_load(ends->max), sink = c_load(sinks);
    c_vframe f = c_vframe_of(m);
    c_acc sum = c_acc_join(&ends->rest), top = c_acc_zero();
    mask same = c_eq(sink, m);
    if (c->logs || c->o->lse)
        top = c_exp_in_frame_wide(c_sub(m, f.shift), f, c_exp_table_load());
    if (c->o->sink) {
        reg x = c_less_shift(sink, f);
        mask counts = c_nle(x, f.cut);
        counts = c->logs ? c_andnot(counts, same) : counts;
        sum = c_acc_merge(sum, c_exp_where(counts, x, f, c_exp_table_load()));
    }
    if (c->logs) {
        vw equal = w_sub(w_load(ends->equal), w_set1(1));
        if (c->o->sink)
            equal = w_add(equal, c_widen(c_keep(same, c_set1(1))));
        finish_logs(c, r, n, c_acc_merge(sum, c_acc_times(top, equal)), m, top, to);
        return;
    }
    reg whole = c_narrow(c_acc_value(sum));
    /* Nothing, too, must be divided by something. Without a selection, of which clang divides by both sides. */
    mask nothing = c_eq(whole, c_set1(0));
    to->factors = factors_of(c_reciprocal_of(c_acc_add(sum, c_widen(c_keep(nothing, c_set1(1))))));
    c_store(to->whole, whole);
    if (c->o->lse)
        finish_logs(c, r, n, c_acc_minus(sum, top), m, top, to);
}

/* ---- second passes ---- */

/* Of a row that is formed again. */
SL_NOINLINE void emit_tiles(const scored_call *c, const scored_row *row, const pending_row *results)
{
    pending_row part = *results;
    score_lanes unused;
    for (size_t i = 0; i < row->pass.from.n; i += c->tile) {
        score_pass pass = tile_of(c, row, i);
        pass.place.overwrites = 0;
        pass.begins = 1;
        if (!c->logs)
            exp_scores_any(&pass, &unused);
        part.y = row->y + i;
        emit_row(&part, pass.from.n, c->logs ? EMIT_SCORE : EMIT_PRODUCT, c->nontemporal);
    }
}

/* Results outside of a row's limits, which may be most of it. */
SL_NOINLINE void fill_masked(T *y, size_t n, num value)
{
    const reg a = c_set1(value);
    if (n < SL_W) {
        store_n(y, a, n);
        return;
    }
    SL_UNROLL_2
    for (size_t i = 0; i < n - SL_W; i += SL_W)
        store(y + i, a);
    store(y + n - SL_W, a);
}

/* What is known of a row's results: those outside of its limits, or all; the others come later, unless they are formed again. */
SL_NOINLINE void settle_row(const scored_call *c, const scored_row *row, const score_ends *ends, size_t l,
                            later_rows *later)
{
    T *y = row->y - row->first;
    const size_t n = row->pass.from.n, end = row->first + n;
    const num whole = ends->whole[l], nothing = c->logs ? (num)-INFINITY : 0;
    pending_row *results = later->row + l;
    later->length[l] = 0;
    if (!(whole > 0)) { /* and not a NaN, of a row that is masked throughout */
        fill_row(y, c->classes, c->o->flags & SL_SAFE_ROWS && whole == 0 ? 0 : (num)NAN);
        return;
    }
    if (row->first)
        fill_masked(y, row->first, nothing);
    if (end < c->classes)
        fill_masked(y + end, c->classes - end, nothing);
    *results = (pending_row){.e = row->pass.place.e, .y = row->y, .target = SIZE_MAX};
    if (c->logs) {
        results->max = ends->max[l];
        results->log_sum = ends->log_sum[l];
    } else {
        results->k = factor_at(&ends->factors, l);
    }
    if (row->pass.place.overwrites)
        emit_tiles(c, row, results);
    else
        later->length[l] = n;
}

/* ---- groups of rows ---- */

/* Up to SL_W rows, what their first passes have found, and their ends. */
typedef struct {
    scored_row row[SL_W];
    score_lanes lanes[SL_W];
    num sinks[SL_W];
    row_ends ends;
    size_t n;
} scored_group;

/* Lanes that never have a row can be divided by. */
SL_INLINE void group_init(scored_group *g)
{
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        g->ends.equal[l] = 1;
        c_acc_put(&g->ends.rest, l, c_acc_of(w_set1(1)));
    }
}

/* The largest score of a row, by lanes. */
SL_INLINE reg largest_score(const scored_call *c, const scored_row *row, const score_lanes *lanes)
{
    return c->logs ? c_largest_parts(lanes->logs.max, largest_parts(row->pass.from.n))
                   : c_largest_parts(lanes->exps.max, SL_EXP_PARTS);
}

/* The maxima of all rows, and 0 of none. Returns whether the frame was right for all. */
SL_INLINE int group_maxima(const scored_call *c, scored_group *g)
{
    reg top[SL_W];
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        const reg score = l < g->n ? largest_score(c, g->row + l, g->lanes + l) : c_set1(0);
        g->sinks[l] = l < g->n ? g->row[l].sink : (num)-INFINITY;
        if (SL_F64) /* folded one by one anyway, for less stack */
            g->ends.max[l] = c_fold_max(score);
        else
            top[l] = score;
    }
    reg max = SL_F64 ? c_load(g->ends.max) : c_largest_of_each(top);
    max = c_add(c_max(c_load(g->sinks), max), c_set1(0));
    c_store(g->ends.max, max);
    return c_vframe_same(c_frame_set1(c->predicted), c_vframe_of(max));
}

/* The ends of a group's rows, r and following. */
SL_NOINLINE void end_rows(scored_call *c, size_t r, scored_group *g, later_rows *later)
{
    score_ends to;
    const int right = group_maxima(c, g);
    SL_ROLLED
    for (size_t l = 0; l < g->n; l++) {
        scored_row *row = g->row + l;
        score_lanes *lanes = g->lanes + l;
        const num max = g->ends.max[l];
        if (!right && !c_frame_same(row->pass.frame, c_frame_of(max))) {
            c->predicted = c_frame_of(max);
            score_row(c, row, c->predicted, NULL, l, lanes);
        }
        if (c->logs)
            put_end(&g->ends, l,
                    log_sum_end(&lanes->logs, largest_parts(row->pass.from.n), SIZE_MAX, max,
                                c_frame_set1(row->pass.frame)));
        else
            c_row_put(&g->ends.rest, l, terms_fold(lanes->exps.sum));
    }
    finish_scores(c, r, g->n, &g->ends, g->sinks, &to);
    SL_ROLLED
    for (size_t l = 0; l < g->n; l++)
        settle_row(c, g->row + l, &to, l, later);
    later->n = g->n;
}

SL_NOINLINE void softmax_with_any(const T *x, T *y, sl_shape shape, const sl_softmax_options *o, int logs)
{
    /* Lanes of all rows of a group take the stack as well, of f64 8 KiB. */
    enum { SCRATCH = (SCRATCH_BYTES - (SL_F64 ? 2048 : 0)) / sizeof(num) / SL_SHORT * SL_SHORT };
    _Alignas(SL_LINE) num scratch[SCRATCH];
    const size_t room = (shape.classes + SL_SHORT - 1) / SL_SHORT * SL_SHORT;
    const size_t many = shape.classes == 0 || room > SCRATCH ? 1 : least(SL_W, SCRATCH / room);
    scored_group group;
    later_rows later;
    scored_call c = {.x = x,
                     .y = y,
                     .classes = shape.classes,
                     .pitch_in = pitch_in(shape),
                     .pitch_out = pitch_out(shape),
                     .o = o,
                     .terms = score_terms_of(o),
                     .logs = logs,
                     .nontemporal = !logs && use_nontemporal(y, shape.outer * shape.classes),
                     .scratch = scratch,
                     .tile = SCRATCH,
                     .room = room};
    later.n = 0;
    group_init(&group);
    for (size_t r = 0; r < shape.outer + many; r += many) {
        group.n = least(many, left(shape.outer, r));
        for (size_t l = 0; l < group.n || l < later.n; l++) {
            if (l >= group.n) {
                emit_later(&c, &later, l);
                continue;
            }
            scored_row_of(&c, r + l, l, group.row + l);
            score_row(&c, group.row + l, c.predicted, l < later.n ? &later : NULL, l, group.lanes + l);
        }
        if (group.n)
            end_rows(&c, r, &group, &later);
    }
    if (c.nontemporal)
        stream_end();
}

SL_STATIC void softmax_with(const T *x, T *y, const sl_shape *shape, const sl_softmax_options *options)
{
    softmax_with_any(x, y, *shape, options, 0);
}

SL_STATIC void log_softmax_with(const T *x, T *y, const sl_shape *shape, const sl_softmax_options *options)
{
    softmax_with_any(x, y, *shape, options, 1);
}

#endif
