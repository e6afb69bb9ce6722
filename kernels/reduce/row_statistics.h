/* SPDX-License-Identifier: MIT
 *
 * The statistics of rows as the caller gets them (log_sum.h, exact.h), SL_W rows at a time: what their ends need of
 * exponentials and quotients is done for all of them together.
 *
 * One number added to nothing is read back as it is, so that no sum of digits is rounded here: rest is f rest / f, f that
 * of the maximum's exponential 2^n f.
 */
#ifndef SL_REDUCE_ROW_STATISTICS_H
#define SL_REDUCE_ROW_STATISTICS_H

#include "reduce/dot.h"
#include "reduce/log_sum.h"
#include "maths/exact.h"

/* Whether a sum hides behind exponentials: it costs another copy of their pass. */
enum { ADDS_BESIDE_EXPS = !SL_F64 && SL_W > 1 };

/* Up to SL_W rows. */
typedef struct {
    const T *x;
    const int64_t *target; /* of each row, or NULL */
    size_t classes, pitch, n;
} stats_rows;

/* What is known of them before any of it is public. */
typedef struct {
    num max[SL_W];
    T target[SL_W];
    c_acc_lanes logits;
    row_ends ends;
} stats_ends;

/* The first pass over a row in the predicted frame; the sum of its elements. */
SL_INLINE c_acc stats_pass(log_sum_rows *rows, const T *x, size_t n, log_sum_lanes *lanes)
{
    T block[SL_BLOCK];
    c_acc sum;
    if (is_all_end(n)) {
        log_sum_all_end(x, n, lanes);
        return row_sum(x, n);
    }
    if (ADDS_BESIDE_EXPS && n >= SL_BLOCK && rows->predicted.shift == 0) {
        log_sum_row_total(&rows->reader, x, rows->predicted, lanes, &sum);
        return sum;
    }
    const T *all = n < SL_BLOCK ? whole_block(x, n, block, SL_BLOCK) : x;
    if (rows->predicted.shift == 0)
        log_sum_row_alone(&rows->reader, all, rows->predicted, lanes);
    else
        log_sum_row_again(&rows->reader, all, rows->predicted, lanes);
    return row_sum(x, n);
}

/* The end of row l, which was read in the frame `used`. */
SL_INLINE void stats_end(log_sum_rows *rows, const stats_rows *of, size_t l, c_frame used,
                         log_sum_lanes *lanes, stats_ends *ends)
{
    const row_group row = {.x = of->x + l * of->pitch, .classes = of->classes, .n = 1};
    put_end(&ends->ends, l, log_sum_checked_end(rows, &row, 0, ends->max[l], used, lanes));
}

/* All that is read of the rows. Those that are missing have a maximum of 0. */
SL_NOINLINE void stats_read(log_sum_rows *rows, const stats_rows *of, stats_ends *ends)
{
    log_sum_lanes lanes[SL_W];
    const size_t parts = largest_parts(of->classes);
    const int together = of->n == SL_W && of->classes <= NEAR_CLASSES;
    const c_frame used = rows->predicted;
    ends->logits = ends->ends.rest = (c_acc_lanes){.sum = {0}};
    w_store(ends->ends.equal, w_set1(1));
    c_store(ends->max, c_set1(0));
    store(ends->target, c_set1(0));
    SL_ROLLED
    for (size_t l = 0; l < of->n; l++) {
        const T *x = of->x + l * of->pitch;
        const c_frame frame = rows->predicted;
        c_acc_put(&ends->logits, l, stats_pass(rows, x, of->classes, lanes + l));
        if (of->target && (uint64_t)of->target[l] < of->classes)
            ends->target[l] = x[of->target[l]];
        if (together)
            continue;
        ends->max[l] = c_largest(lanes[l].max, parts);
        stats_end(rows, of, l, frame, lanes + l, ends);
    }
    if (!together)
        return;
    reg top[SL_W];
    for (size_t l = 0; l < SL_W; l++)
        top[l] = c_largest_parts(lanes[l].max, parts);
    c_store(ends->max, c_largest_of_each(top));
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++)
        stats_end(rows, of, l, used, lanes + l, ends);
}

/* The exponentials of n maxima: 2^power f. */
SL_INLINE vw exact_exps(const double max[SL_W], size_t n, int64_t power[SL_W])
{
    double r[SL_W], root[SL_W];
    if (n == 1) {
        exact_power e = exact_exp(exact_exponent_of(max[0]));
        power[0] = e.n;
        return w_set1(e.f);
    }
    vw one = w_set1(1), e = one;
    w_store(r, one);
    w_store(root, one);
    SL_ROLLED
    for (size_t l = 0; l < n; l++) {
        exact_reduced of = exact_reduce(exact_exponent_of(max[l]));
        power[l] = of.n;
        r[l] = of.r;
        root[l] = of.root;
    }
    vw x = w_load(r);
    SL_UNROLL_ALL
    for (int k = EXACT_TERMS; k > 0; k--)
        e = w_add(one, w_div(w_mul(e, x), w_set1(k)));
    return w_mul(e, w_load(root));
}

SL_NOINLINE void stats_of_rows(log_sum_rows *rows, const stats_rows *of, sl_stats *stats)
{
    stats_ends ends;
    int64_t power[SL_W];
    double max[SL_W], rest[SL_W], scaled[SL_W], logits[SL_W], target[SL_W];
    stats_read(rows, of, &ends);
    reg m = c_load(ends.max);
    c_vframe f = c_vframe_of(m);
    c_acc top = c_exp_in_frame_wide(c_sub(m, f.shift), f, c_exp_table_load());
    c_acc others = c_acc_times(top, w_sub(w_load(ends.ends.equal), w_set1(1)));
    c_acc sum = c_acc_merge(c_acc_join(&ends.ends.rest), others);
    vw ratio = c_acc_value(c_acc_over(sum, top)), nan = w_set1((double)NAN), zero = w_set1(0),
       wide = c_widen(m);
    wm finite = w_eq(ratio, ratio),
       masked = wm_andnot(w_eq(c_acc_value(sum), zero), w_lt(w_set1(-(double)INFINITY), wide));
    wide = w_select(wm_or(finite, masked), wide, nan);
    w_store(max, wide);
    w_store(target, c_widen(load(ends.target)));
    vw factor = exact_exps(max, of->n, power),
       product = w_keep(w_lt(w_set1(-(double)INFINITY), wide), w_mul(ratio, factor));
    vw added = w_add(c_acc_value(c_acc_join(&ends.logits)), zero); /* 0 of -0 */
    w_store(scaled, product);
    w_store(rest, w_select(w_eq(wide, wide), w_div(product, factor), nan));
    w_store(logits, w_select(w_eq(added, added), added, nan));
    SL_ROLLED
    for (size_t l = 0; l < of->n; l++) {
        stats[l] = (sl_stats){.max = max[l],
                              .rest = rest[l],
                              .target = target[l] == target[l] ? target[l] : (double)NAN,
                              .logits = logits[l],
                              .count = of->classes};
        stats_keep(stats + l, exact_of(scaled[l], power[l]), exact_of(logits[l], 0));
    }
}

#endif
