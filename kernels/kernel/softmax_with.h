/* SPDX-License-Identifier: MIT
 *
 * softmax and log-softmax of scores (scores.h): with scale, cap, mask, limits of each row, sink and log-sum-exp.
 *
 * A row is what lies within its limits. A sink is one more exponential of its sum, whose result nobody writes. Rows go by groups,
 * so that their ends are done together, or alone if they are long. Of a row in one tile everything stays in scratch. Of a longer
 * one exponentials are in y, if it can hold them, or scores and exponentials are formed again for the second pass. Its frame is
 * that of its first tile; if a later maximum asks for another one, the row is done again in that.
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

#define FAR_BYTES (256 << 10)

/* What is the same for all rows. */
typedef struct {
    const T *x;
    T *y;
    size_t classes, pitch_in, pitch_out;
    const sl_softmax_options *o;
    score_terms terms;
    int logs; /* log-softmax */
    int nontemporal;
    int far;     /* more than the second-level cache holds */
    size_t many; /* rows of a group */
    num *scratch;
    size_t tile, room; /* of a row: elements at once, and from one to the next in scratch */
} scored_call;

/* A row, and what its first pass finds. */
typedef struct {
    const T *x; /* from its first element within the limits on */
    T *y;
    const void *mask;
    size_t first, n;
    num *z;
    num sink, max; /* the sink takes part in the maximum */
    c_frame frame;
    _Bool keeps; /* exponentials are in y */
} scored_row;

SL_INLINE scored_row scored_row_of(const scored_call *c, size_t r, size_t l)
{
    const sl_softmax_options *o = c->o;
    const size_t first = o->first ? o->first[r] : 0;
    scored_row row = {.first = first, .n = o->length ? o->length[r] : c->classes - first};
    row.x = c->x + r * c->pitch_in + first;
    row.y = c->y + r * c->pitch_out + first;
    if (sl_mask_of(o))
        row.mask =
            (const char *)sl_mask_of(o) + (r * (size_t)o->mask_stride + first) * mask_size(c->terms.mask);
    row.z = c->scratch + l * c->room;
    row.sink = o->sink ? ((const num *)o->sink)[r] : (num)-INFINITY;
    row.keeps = !c->logs && row.n > c->tile && can_hold_exps(row.x, row.y);
    return row;
}

/* Scores of n elements of a row from i on. */
SL_INLINE reg scores_at(const scored_call *c, const scored_row *row, size_t i, size_t n)
{
    score_source from = {.x = row->x + i, .mask = row->mask, .n = n};
    if (from.mask)
        from.mask = (const char *)from.mask + i * mask_size(c->terms.mask);
    return score_tile(&c->terms, &from, row->z);
}

/* What a first pass adds up: one or the other. */
typedef union {
    c_acc sum[SL_EXP_PARTS];
    log_sum_lanes logs;
} score_sums;

SL_INLINE void score_sums_init(const scored_call *c, score_sums *s)
{
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        if (c->logs)
            s->logs.rest[j] = c_acc_zero();
        else
            s->sum[j] = c_acc_zero();
    for (size_t j = 0; c->logs && j < SHORT_PARTS; j++)
        s->logs.max[j] = c_set1((num)-INFINITY);
}

/* Beside the exponentials of the row's elements from i on: its results, and the next tile or the same row of the next group. */
SL_INLINE score_ahead ahead_of(const scored_call *c, const scored_row *row, size_t i)
{
    score_ahead ahead = {NULL, NULL, NULL, 0};
    if (!c->far)
        return ahead;
    const size_t next = row->n > c->tile ? i + c->tile : c->many * c->pitch_in;
    ahead.x = row->x + next;
    ahead.y = row->keeps ? ahead.x : row->y + i; /* where exponentials go nothing is read first */
    ahead.mask = (const char *)row->x;           /* near */
    if (row->mask && (row->n > c->tile || c->o->mask_stride)) {
        const size_t mask_next = row->n > c->tile ? i + c->tile : c->many * (size_t)c->o->mask_stride;
        ahead.mask_size = mask_size(c->terms.mask);
        ahead.mask = (const char *)row->mask + mask_next * ahead.mask_size;
    }
    return ahead;
}

SL_INLINE void exps_of_tile(const scored_row *row, const num *z, size_t n, num *e, const score_ahead *ahead,
                            c_acc *sum)
{
    if (row->n <= SL_SHORT)
        exp_few_scores(z, n, e, row->frame, sum);
    else if (row->frame.shift != 0)
        exp_scores_shifted(z, n, e, row->frame, sum);
    else
        exp_scores(z, n, e, row->frame, ahead, sum);
}

/* A tile of n scores, the row's elements from i on. */
SL_NOINLINE void sum_tile(const scored_call *c, const scored_row *row, size_t i, size_t n, score_sums *s)
{
    num *z = row->z, *e = row->keeps ? (num *)(void *)(row->y + i) : z;
    if (c->logs && is_all_end(row->n)) {
        for (size_t j = 0; j < SHORT_PARTS && j * SL_W < n; j++)
            s->logs.max[j] = c_load(z + j * SL_W);
    } else if (c->logs && row->frame.shift != 0) {
        log_sum_scores_shifted(z, n, i == 0, row->frame, &s->logs);
    } else if (c->logs) {
        log_sum_scores(z, n, i == 0, row->frame, &s->logs);
    } else { /* in y is no room for more than whole blocks */
        const size_t whole = row->keeps ? n / SL_BLOCK * SL_BLOCK : n;
        const score_ahead ahead = ahead_of(c, row, i);
        exps_of_tile(row, z, whole, e, &ahead, s->sum);
        if (whole < n)
            exps_of_tile(row, z + whole, n - whole, z + whole, &ahead, s->sum);
        for (size_t k = whole; k < n; k += SL_W)
            keep_some(e + k, c_load(z + k), n - k);
    }
}

/* The first pass over a row of several tiles. */
SL_NOINLINE void score_tiles(const scored_call *c, scored_row *row, score_sums *sums)
{
    c_frame right = {0, 0};
    for (int known = 0;; known = 1) {
        row->frame = right;
        row->max = row->sink;
        score_sums_init(c, sums);
        for (size_t i = 0, n; i < row->n; i += n) {
            n = least(c->tile, row->n - i);
            reg top = scores_at(c, row, i, n);
            const num max = c_largest(&top, 1);
            row->max = max > row->max ? max : row->max;
            if (i == 0 && !known)
                row->frame = c_frame_of(row->max);
            sum_tile(c, row, i, n, sums);
        }
        right = c_frame_of(row->max);
        if (c_frame_same(row->frame, right))
            return;
    }
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

SL_NOINLINE void emit_logs(const num *z, T *y, size_t n, num max, num log_sum)
{
    reg m = c_set1(max), s = c_set1(log_sum);
    for (size_t i = 0; i < n; i += 2 * SL_W) {
        reg two[2] = {c_sub(c_sub(c_load(z + i), m), s), c_sub(c_sub(c_load(z + i + SL_W), m), s)};
        in_two(two);
        if (i + 2 * SL_W <= n)
            store_two(y + i, two);
        else
            store_two_n(y + i, two, n - i);
    }
}

SL_NOINLINE void emit_exps(const num *e, T *y, size_t n, row_factor factor)
{
    c_factor k = c_factor_set1(factor);
    for (size_t i = 0; i < n; i += 2 * SL_W) {
        reg two[2] = {c_times_at(e + i, k), c_times_at(e + i + SL_W, k)};
        in_two(two);
        if (i + 2 * SL_W <= n)
            store_two(y + i, two);
        else
            store_two_n(y + i, two, n - i);
    }
}

SL_INLINE void emit_tile(const scored_call *c, const scored_row *row, size_t i, size_t n,
                         const score_ends *ends, size_t l)
{
    if (c->logs) {
        emit_logs(row->z, row->y + i, n, ends->max[l], ends->log_sum[l]);
    } else if (!c->nontemporal) {
        emit_exps(row->z, row->y + i, n, factor_at(&ends->factors, l));
    } else {
        pending_row part = {.e = row->z, .y = row->y + i, .target = SIZE_MAX, .frame = row->frame};
        part.k = factor_at(&ends->factors, l);
        emit_row(&part, n, EMIT_PRODUCT, NONTEMPORAL);
    }
}

/* Of a row of several tiles. */
SL_NOINLINE void emit_tiles(const scored_call *c, const scored_row *row, const score_ends *ends, size_t l)
{
    if (row->keeps) {
        pending_row part = {.e = (const num *)(void *)row->y, .y = row->y, .target = SIZE_MAX};
        part.k = factor_at(&ends->factors, l);
        emit_row(&part, row->n, EMIT_PRODUCT, CACHED);
        return;
    }
    score_sums unused;
    score_sums_init(c, &unused);
    for (size_t i = 0, n; i < row->n; i += n) {
        n = least(c->tile, row->n - i);
        scores_at(c, row, i, n);
        if (!c->logs)
            sum_tile(c, row, i, n, &unused);
        emit_tile(c, row, i, n, ends, l);
    }
}

SL_INLINE void emit_scored(const scored_call *c, const scored_row *row, const score_ends *ends, size_t l)
{
    T *y = row->y - row->first;
    const num whole = ends->whole[l], nothing = c->logs ? (num)-INFINITY : 0;
    if (!(whole > 0)) { /* and not a NaN, of a row that is masked throughout */
        fill_row(y, c->classes, c->o->flags & SL_SAFE_ROWS && whole == 0 ? 0 : (num)NAN);
        return;
    }
    if (row->n > c->tile)
        emit_tiles(c, row, ends, l);
    else if (row->n)
        emit_tile(c, row, 0, row->n, ends, l);
    if (row->first)
        fill_row(y, row->first, nothing);
    if (row->first + row->n < c->classes)
        fill_row(row->y + row->n, c->classes - row->first - row->n, nothing);
}

/* A row's sums, which are known. */
SL_INLINE void put_sums(const scored_call *c, const scored_row *row, size_t l, const score_sums *sums,
                        row_ends *ends)
{
    if (c->logs)
        put_end(
            ends, l,
            log_sum_end(&sums->logs, largest_parts(row->n), SIZE_MAX, row->max, c_frame_set1(row->frame)));
    else
        c_row_put(&ends->rest, l, c_row_fold(sums->sum, SL_EXP_PARTS));
}

/* n <= SL_W rows from r on: of short ones the scores of all, then their sums, so that nobody waits for a maximum. */
SL_NOINLINE void softmax_of_scores(const scored_call *c, size_t r, size_t n)
{
    scored_row rows[SL_W];
    row_ends ends;
    score_ends to;
    score_sums sums;
    reg top[SL_W];
    num sinks[SL_W];
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        top[l] = c_set1(0); /* its exponential can be divided by */
        ends.equal[l] = 1;
        sinks[l] = (num)-INFINITY;
        c_acc_put(&ends.rest, l, c_acc_of(w_set1(1)));
    }
    SL_ROLLED
    for (size_t l = 0; l < n; l++) {
        rows[l] = scored_row_of(c, r + l, l);
        sinks[l] = rows[l].sink;
        top[l] = c_set1((num)-INFINITY);
        if (rows[l].n > c->tile) {
            score_tiles(c, rows, &sums); /* alone */
            put_sums(c, rows, 0, &sums, &ends);
            top[l] = c_set1(rows->max);
        } else if (rows[l].n) {
            top[l] = scores_at(c, rows + l, 0, rows[l].n);
        }
    }
    c_store(ends.max, c_add(c_max(c_load(sinks), c_largest_of_each(top)), c_set1(0)));
    SL_ROLLED
    for (size_t l = 0; l < n; l++) {
        scored_row *row = rows + l;
        if (row->n > c->tile)
            continue;
        row->max = ends.max[l];
        row->frame = c_frame_of(row->max);
        score_sums_init(c, &sums);
        if (row->n)
            sum_tile(c, row, 0, row->n, &sums);
        put_sums(c, row, l, &sums, &ends);
    }
    finish_scores(c, r, n, &ends, sinks, &to);
    SL_ROLLED
    for (size_t l = 0; l < n; l++)
        emit_scored(c, rows + l, &to, l);
}

SL_NOINLINE void softmax_with_any(const T *x, T *y, sl_shape shape, const sl_softmax_options *o, int logs)
{
    enum { SCRATCH = SCRATCH_BYTES / sizeof(num) / SL_SHORT * SL_SHORT };
    _Alignas(SL_LINE) num scratch[SCRATCH];
    const size_t room = (shape.classes + SL_SHORT - 1) / SL_SHORT * SL_SHORT;
    const size_t many = shape.classes == 0 || room > SCRATCH ? 1 : least(SL_W, SCRATCH / room);
    scored_call c = {.x = x,
                     .y = y,
                     .classes = shape.classes,
                     .pitch_in = pitch_in(shape),
                     .pitch_out = pitch_out(shape),
                     .o = o,
                     .terms = score_terms_of(o),
                     .logs = logs,
                     .far = shape.outer * shape.classes * sizeof(T) > FAR_BYTES,
                     .many = many,
                     .scratch = scratch,
                     .tile = SCRATCH,
                     .room = room};
    c.nontemporal = !logs && use_nontemporal(y, shape.outer * shape.classes);
    for (size_t r = 0; r < shape.outer; r += many)
        softmax_of_scores(&c, r, least(many, shape.outer - r));
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
