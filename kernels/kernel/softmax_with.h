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
 * x 2^-53), of which the logarithm makes as much in absolute terms, and one rounding of the result: 3.1 (3.4; 2.0) ULP of the
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

/* The pass over at most so many elements of a row from i on. With a cap their s_c are in its scratch then. */
SL_INLINE score_pass part_of(const scored_row *row, size_t i, size_t most)
{
    score_pass part = row->pass;
    score_source *from = &part.from;
    from->x += i;
    from->mask = from->mask ? (const char *)from->mask + i * mask_size(from->mask_type) : NULL;
    from->n = least(from->n - i, most);
    part.begins = i == 0;
    if (part.terms->cap != 0) {
        cap_elements(part.terms, from->x, from->n, row->tile);
        from->s = row->tile;
    }
    return part;
}

SL_INLINE void emit_later(const scored_call *c, const later_rows *later, size_t l)
{
    const pending_row *row = later->row + l;
    const int in_y = (const void *)row->e == (const void *)row->y;
    if (later->length[l])
        emit_row(row, later->length[l], c->logs ? EMIT_SCORE : EMIT_PRODUCT, c->nontemporal && !in_y);
}

SL_INLINE void first_pass(const score_pass *pass, int logs, score_lanes *lanes)
{
    if (logs && is_all_end(pass->from.n) && pass->few)
        keep_largest(pass, lanes);
    else if (logs && pass->frame.shift != 0)
        log_sum_scores_any(pass, lanes);
    else if (logs)
        log_sum_scores(pass, lanes);
    else if (pass->few || pass->frame.shift != 0)
        exp_scores_any(pass, lanes);
    else
        exp_scores(pass, lanes);
}

/* Of a row with a cap. */
SL_NOINLINE void first_pass_by_tiles(const scored_call *c, const scored_row *row, score_lanes *lanes)
{
    size_t i = 0;
    do {
        score_pass part = part_of(row, i, c->tile);
        part.place.e += part.place.overwrites ? 0 : i;
        first_pass(&part, c->logs, lanes);
        i += part.from.n;
    } while (i < row->pass.from.n);
}

/* The first pass over a row, and the second one over the l-th that waits, if any does. */
SL_NOINLINE void score_row(const scored_call *c, scored_row *row, c_frame frame, const later_rows *later,
                           size_t l, score_lanes *lanes)
{
    const int beside = !row->pass.few && c->terms.cap == 0 && frame.shift == 0 && !c->nontemporal;
    row->pass.frame = frame;
    row->pass.other = NULL;
    if (later && beside) {
        row->pass.other = later->row + l;
        row->pass.other_n = later->length[l];
    } else if (later) {
        emit_later(c, later, l);
    }
    if (c->terms.cap != 0)
        first_pass_by_tiles(c, row, lanes);
    else
        first_pass(&row->pass, c->logs, lanes);
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
    for (size_t i = 0, n; i < row->pass.from.n; i += n) {
        score_pass pass = part_of(row, i, c->tile);
        pass.place.overwrites = 0;
        pass.begins = 1;
        pass.other = NULL;
        n = pass.from.n;
        if (c->logs)
            keep_scores(pass.terms, &pass.from, 0, row->tile);
        else
            first_pass(&pass, 0, &unused);
        part.y = row->y + i;
        emit_row(&part, n, c->logs ? EMIT_SCORE : EMIT_PRODUCT, c->nontemporal);
    }
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
        fill_row(y, row->first, nothing);
    if (end < c->classes)
        fill_row(y + end, c->classes - end, nothing);
    results->e = row->pass.place.e;
    results->y = row->y;
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

/* A row's sums, which are known. */
SL_INLINE void put_sums(const scored_call *c, const scored_row *row, size_t l, const score_lanes *lanes,
                        row_ends *ends)
{
    if (c->logs)
        put_end(ends, l,
                log_sum_end(&lanes->logs, largest_parts(row->pass.from.n), SIZE_MAX, ends->max[l],
                            c_frame_set1(row->pass.frame)));
    else
        c_row_put(&ends->rest, l, c_row_fold(lanes->exps.sum, SL_EXP_PARTS));
}

/* The ends of n <= SL_W rows from r on. */
SL_NOINLINE void end_rows(scored_call *c, size_t r, size_t n, scored_row *rows, score_lanes *lanes,
                          later_rows *later)
{
    const c_vframe used = c_frame_set1(c->predicted);
    row_ends ends;
    score_ends to;
    reg top[SL_W];
    num sinks[SL_W];
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        const int is_row = l < n;
        sinks[l] = is_row ? rows[l].sink : (num)-INFINITY;
        top[l] = !is_row   ? c_set1(0) /* its exponential can be divided by */
                 : c->logs ? c_largest_parts(lanes[l].logs.max, largest_parts(rows[l].pass.from.n))
                           : c_largest_parts(lanes[l].exps.max, SL_EXP_PARTS);
        ends.equal[l] = 1;
        c_acc_put(&ends.rest, l, c_acc_of(w_set1(1)));
    }
    reg max = c_add(c_max(c_load(sinks), c_largest_of_each(top)), c_set1(0));
    const int right = c_vframe_same(used, c_vframe_of(max));
    c_store(ends.max, max);
    SL_ROLLED
    for (size_t l = 0; l < n; l++) {
        const c_frame frame = c_frame_of(ends.max[l]);
        if (!right && !c_frame_same(rows[l].pass.frame, frame)) {
            score_row(c, rows + l, frame, NULL, l, lanes + l);
            c->predicted = frame;
        }
        put_sums(c, rows + l, l, lanes + l, &ends);
    }
    finish_scores(c, r, n, &ends, sinks, &to);
    SL_ROLLED
    for (size_t l = 0; l < n; l++)
        settle_row(c, rows + l, &to, l, later);
    later->n = n;
}

SL_NOINLINE void softmax_with_any(const T *x, T *y, sl_shape shape, const sl_softmax_options *o, int logs)
{
    enum { SCRATCH = SCRATCH_BYTES / sizeof(num) / SL_SHORT * SL_SHORT };
    _Alignas(SL_LINE) num scratch[SCRATCH];
    const size_t room = (shape.classes + SL_SHORT - 1) / SL_SHORT * SL_SHORT;
    const size_t many = shape.classes == 0 || room > SCRATCH ? 1 : least(SL_W, SCRATCH / room);
    scored_row rows[SL_W];
    score_lanes lanes[SL_W];
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
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++)
        later.row[l] = (pending_row){.target = SIZE_MAX};
    for (size_t r = 0, n; r < shape.outer; r += n) {
        n = least(many, shape.outer - r);
        for (size_t l = 0; l < n; l++) {
            scored_row_of(&c, r + l, l, rows + l);
            score_row(&c, rows + l, c.predicted, l < later.n ? &later : NULL, l, lanes + l);
        }
        for (size_t l = n; l < later.n; l++)
            emit_later(&c, &later, l);
        end_rows(&c, r, n, rows, lanes, &later);
    }
    for (size_t l = 0; l < later.n; l++)
        emit_later(&c, &later, l);
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
