/* SPDX-License-Identifier: MIT
 *
 * The gradient of cross-entropy (cross_entropy.h) with class ids, from what is known of the rows already: the log-sum-exp that the
 * forward call has saved, or the statistics of a row of which this is a shard.
 *
 *   grad_c = u (p_c (W + 2 z lse) - q_c),   p_c = exp(x_c - lse),  or  exp(x_c - max) / (1 + rest)
 *
 * Either gives the sum S of all exponentials in a frame (exp.h): exp(lse), or exp(max) (1 + rest). One pass: e_c times the row's
 * factor u (W + 2 z lse) / S, less u q_c. The target's entry is formed as
 *
 *   p_t (W - q_t + 2 z lse) - (1 - p_t) q_t
 *
 * whose 1 - p_t is -expm1(x_t - lse), or the sum of the other exponentials over S, as cross_entropy.h has it.
 *
 * Any input, in units as in cross_entropy.h. f32: e_c 1.06 (no FMA: 1.37), S from an lse 0.12 (0.14), from statistics 1.22 (2.58)
 * for the rest and 0.12 (0.14) for the maximum, the product's rounding 1.0: 2.2 (2.6), or 3.4 (5.1); more with options as there.
 * f64: 1.41 (1.46), S 0.1 or 2.5, where rest was rounded, too, and 1.0, of the target, whose factors are rounded apart, 3.0: 4.6, or
 * 7.0.
 */
#ifndef SL_KERNEL_CROSS_ENTROPY_GRAD_H
#define SL_KERNEL_CROSS_ENTROPY_GRAD_H

#include "maths/exp_absolute_f64.h"
#include "maths/log.h"
#include "maths/raise.h"
#include "maths/softcap.h"
#include "reduce/class_weights.h"
#include "reduce/targets.h"
#include "schedule/pending_row.h"

/* Exactly one of lse and stats is not NULL. */
typedef struct {
    const T *logits;
    const int64_t *target;
    const num *lse;
    const sl_stats *stats;
    const sl_loss_options *o;
    T *grad;
    sl_shape shape;
    size_t first;  /* the class of the first column */
    vw own, share; /* 1 - s, s / classes */
    weight_sum weights;
    double scale;   /* of every gradient */
    int has_shares; /* q_c of other classes than the target */
    int is_capped;  /* logits are, by: */
    c_softcap cap;
} grad_call;

/* ---- what is known of SL_W rows, and what follows from it ---- */

/* What their exponentials are referred to, their sums in that frame, and the log-sum-exp; all NaN for a row that is NaN. */
typedef struct {
    reg frame;
    c_acc sum, top, rest; /* top and rest: of statistics */
    vw lse;
    mask minus_inf; /* nothing but that */
} known_rows;

/* Of ignored rows anything may be said: they stand as 0. */
SL_INLINE known_rows known_of_lse(const grad_call *c, size_t row, size_t n, reg live)
{
    known_rows k;
    reg lse = c_keep(c_lt(c_set1(0), live), c_load_n(c->lse + row, n, 0));
    k.minus_inf = c_eq(lse, c_set1((num)-INFINITY));
    k.frame = c_select(c_lt(c_abs(lse), c_set1((num)INFINITY)), lse, c_set1((num)NAN));
    k.lse = c_widen(k.frame);
    c_vframe f = c_vframe_of(k.frame);
    k.sum = c_exp_in_frame_wide(c_less_shift(k.frame, f), f, c_exp_table_load());
    k.top = k.rest = c_acc_zero();
    return k;
}

SL_INLINE known_rows known_of_stats(const grad_call *c, size_t row, reg live)
{
    known_rows k;
    num lives[SL_W], max[SL_W];
    double rest[SL_W];
    c_store(lives, live);
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        const sl_stats *s = c->stats + row + l;
        max[l] = lives[l] != 0 ? (num)s->max : 0;
        rest[l] = lives[l] != 0 ? s->rest : 0;
    }
    k.minus_inf = c_eq(c_load(max), c_set1((num)-INFINITY));
    k.frame = c_select(k.minus_inf, c_set1((num)NAN), c_load(max));
    c_vframe f = c_vframe_of(k.frame);
    k.top = c_exp_in_frame_wide(c_less_shift(k.frame, f), f, c_exp_table_load());
    k.rest = c_acc_times(k.top, w_load(rest));
    k.sum = c_acc_merge(k.top, k.rest);
    k.lse = w_add(w_acc_value(log1p_wide(w_acc_of(w_load(rest)))), c_widen(k.frame));
    return k;
}

/* The targets of n rows, whose elements lie from x on, and which of the rows are not ignored. */
SL_INLINE reg targets_among(const grad_call *c, targets *t, const T *x, strides in, size_t row, size_t n)
{
    const num *weight = c->o->class_weight;
    num counts[SL_W];
    t->all = 0;
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        int live = l < n && !ignored(c->o, c->target[row + l]);
        size_t class = live ? (size_t)c->target[row + l] : 0, column = class - c->first;
        int here = live && column < c->shape.classes;
        counts[l] = (num)live;
        t->weight[l] = live && weight ? weight[class] : (num)live;
        t->live[l] = (num)here;
        t->at[l] = here ? column : 0;
        t->logit[l] = here ? x[l * in.row + column * in.step] : (T){0};
    }
    return c_load(counts);
}

/* 1 - exp(x - lse), of the difference as it is before it is rounded: where x is above lse its exponential makes much of that. Of an
 * x far below, 1. */
SL_INLINE vw others_below(vw x, vw lse)
{
    vw one = w_set1(1), half = w_set1(0.5);
    wm far = w_lt(w_sub(w_mul(x, half), w_mul(lse, half)), w_set1(-40));
    w_acc gap = w_acc_add(w_acc_of(w_select(far, lse, x)), w_sub(w_set1(-0.0), lse));
    vw below = expm1_wide(gap.sum);
    return w_select(far, one, w_fnma(gap.lost, w_add(below, one), w_sub(w_set1(0), below)));
}

/* The entries of the targets that are columns here: all that is taken of their logits, which the gradient may overwrite. */
SL_INLINE void known_entries(const grad_call *c, targets *t, const known_rows *k, vw up, vw pull, mask none,
                             c_raise by)
{
    mask here = c_lt(c_set1(0), c_load(t->live));
    reg x_t = c_select(here, load(t->logit), k->frame);
    if (c->is_capped) {
        cap_slope slope;
        x_t = c_select(here, capped_apart(x_t, c->cap, &slope), k->frame);
        up = w_times_slope(up, slope);
    }
    c_vframe f = c_vframe_raised_of(k->frame, by.raise);
    c_acc e_t = c_unraised(c_exp_in_frame_wide(c_less_shift(x_t, f), f, c_exp_table_load()), by);
    vw w_t = c_widen(c_load(t->weight)), p_others;
    if (c->lse) {
        p_others = others_below(c_widen(x_t), k->lse);
    } else {
        c_acc others = c_acc_merge(k->top, c_acc_minus(k->rest, e_t));
        others = c_acc_select(c_eq(x_t, k->frame), k->rest, others);
        p_others = c_acc_value(c_acc_over(others, k->sum));
    }
    vw q_others = w_fma(c->share, other_weights(c->weights, w_t), pull);
    vw q_t = w_fma(c->share, w_t, w_mul(c->own, w_t));
    store(t->entry, entry_of(up, c_acc_value(c_acc_over(e_t, k->sum)), q_others, p_others, q_t, none));
}

/* A row's entries are e_c k - w_c share; 0 where `none`. */
typedef struct {
    reg frame, raise, share;
    c_factor k;
    mask none;
    vw wide_share; /* share not rounded, for rows that may leave the range of f32 */
    int is_wide;   /* whether any may */
} known_grad;

/* Of n rows from `row` on; and the entries of their targets. */
SL_NOINLINE void known_terms(const grad_call *c, const T *x, strides in, size_t row, size_t n, targets *t,
                             known_grad *g)
{
    reg live = targets_among(c, t, x, in, row, n);
    known_rows k = c->lse ? known_of_lse(c, row, n, live) : known_of_stats(c, row, live);
    g->none = c_eq(live, c_set1(0));
    if (c->o->flags & SL_SAFE_ROWS)
        g->none = c_or(g->none, k.minus_inf);
    vw z = w_set1(2 * c->o->z_loss), pull = c->o->z_loss > 0 ? w_mul(z, k.lse) : w_set1(0);
    vw up = c_upstream_of(c->o, c->scale, row, n), w_t = c_widen(c_load(t->weight));
    c_acc all = c_acc_times(c_acc_add(c->weights.others, c->weights.largest), c->share);
    all = c_acc_add(c_acc_add(all, w_mul(c->own, w_t)), pull);
    c_acc factor = c_acc_times(all, up);
    c_raise by = c_raise_of(factor, k.sum);
    known_entries(c, t, &k, up, pull, g->none, by);
    g->frame = k.frame;
    g->raise = by.raise;
    g->k = c_factor_of(factor, c_raised(k.sum, by));
    g->wide_share = w_mul(up, c->share);
    g->share = c_narrow(g->wide_share);
    g->is_wide = !SL_F64 && c->has_shares &&
                 ((c->o->class_weight && are_wide(w_set1(0), g->wide_share)) ||
                  !wm_all(w_lt(w_abs(c_acc_value(factor)), w_set1(0x1p126))));
}

/* ---- the pass over the elements ---- */

/* What a loop is compiled for: rows that are finite and not capped, or any. */
enum { ORDINARY, OF_ANY_KIND };

SL_INLINE reg known_entry(const grad_call *c, reg x, reg weight, const known_grad *g, c_vframe f, int kind)
{
    cap_slope slope = {c_set1(1), c_set1(1)};
    if (kind == OF_ANY_KIND && c->is_capped)
        x = c_capped(x, c->cap, &slope);
    reg e = c_exp_in_frame(c_less_shift(x, f), f, c_exp_table_load());
    reg product = c_times_unit(e, g->k), a = product;
    if (kind == ORDINARY || c->has_shares)
        a = c_fnma(weight, g->share, product);
#if !SL_F64
    if (kind != ORDINARY && g->is_wide)
        a = less_wide_share(product, a, c_set1(0), weight, w_set1(0), g->wide_share);
#endif
    if (kind == ORDINARY)
        return a;
    return c_canonical(c->is_capped ? c_times_slope(a, slope) : a);
}

/* One row that is not a product, or not finite. */
SL_INLINE void known_row(const grad_call *of_rows, const T *x, T *y, const num *weight, const known_grad *of,
                         int kind)
{
    const grad_call c = *of_rows; /* no store can change them */
    const known_grad g = *of;
    const c_vframe f = c_vframe_raised_of(g.frame, g.raise);
    const size_t classes = c.shape.classes;
    reg w[2] = {c_set1(1), c_set1(1)}, a[2];
    size_t i = 0;
    for (; kind == ORDINARY && i + 2 * SL_W <= classes; i += 2 * SL_W) {
        SL_UNROLL
        for (size_t k = 0; k < 2; k++) {
            if (weight)
                w[k] = c_load(weight + i + k * SL_W);
            a[k] = known_entry(&c, load(x + i + k * SL_W), w[k], &g, f, kind);
        }
        SL_UNROLL
        for (size_t k = 0; k < 2; k++)
            store(y + i + k * SL_W, a[k]);
    }
    SL_ROLLED
    for (; i < classes; i += SL_W) {
        size_t n = classes - i;
        if (weight)
            w[0] = c_load_n(weight + i, n, 0);
        store_some(y + i, known_entry(&c, load_some(x + i, n, (num)-INFINITY), w[0], &g, f, kind), n);
    }
}

SL_NOINLINE void ordinary_row(const grad_call *c, const T *x, T *y, const num *weight, const known_grad *g)
{
    known_row(c, x, y, weight, g, ORDINARY);
}

SL_NOINLINE void row_of_any_kind(const grad_call *c, const T *x, T *y, const num *weight, const known_grad *g)
{
    known_row(c, x, y, weight, g, OF_ANY_KIND);
}

/* Contiguous rows. */
SL_NOINLINE void grad_of_known_rows(const grad_call *c)
{
    const size_t classes = c->shape.classes, in = pitch_in(c->shape), out = pitch_out(c->shape);
    const size_t rows = c->shape.outer;
    const num *weight = c->o->class_weight ? (const num *)c->o->class_weight + c->first : NULL;
    const int products = !c->has_shares && !c->is_capped;
    int nontemporal = products && use_nontemporal(c->grad, rows * classes) &&
                      (rows == 1 || rows_are_lines(c->grad, classes, out));
    for (size_t i = 0, n; i < rows; i += n) {
        n = least(SL_W, rows - i);
        targets t;
        known_grad g;
        num frame[SL_W], raise[SL_W], share[SL_W], none[SL_W];
        double wide_share[SL_W];
        known_terms(c, c->logits + i * in, (strides){0, in, 1}, i, n, &t, &g);
        factor_lanes factors = factors_of(g.k);
        c_store(frame, g.frame);
        c_store(raise, g.raise);
        c_store(share, g.share);
        w_store(wide_share, g.wide_share);
        c_store(none, c_select(g.none, c_set1(1), c_set1(0)));
        SL_ROLLED
        for (size_t l = 0; l < n; l++) {
            pending_row row = {.x = c->logits + (i + l) * in,
                               .y = c->grad + (i + l) * out,
                               .k = factor_at(&factors, l),
                               .has_unit = 1,
                               .target = t.live[l] != 0 ? t.at[l] : SIZE_MAX,
                               .entry = t.entry[l]};
            c_factor k = c_factor_set1(row.k);
            row.frame = c_frame_raised(c_frame_of(frame[l]), raise[l]);
            if (none[l] != 0) {
                memset(row.y, 0, classes * sizeof *row.y);
            } else if (products && c_factor_is_finite(k)) {
                emit_row(&row, classes, EMIT_PRODUCT, nontemporal);
            } else {
                known_grad one = {.frame = c_set1(frame[l]),
                                  .raise = c_set1(raise[l]),
                                  .share = c_set1(share[l]),
                                  .wide_share = w_set1(wide_share[l]),
                                  .is_wide = g.is_wide,
                                  .k = k};
                int any = c->is_capped || g.is_wide || !c_factor_is_finite(k);
                (any ? row_of_any_kind : ordinary_row)(c, row.x, row.y, weight, &one);
                if (row.target < classes)
                    row.y[row.target] = row.entry;
            }
        }
    }
    if (nontemporal)
        stream_end();
}

/* Rows side by side, a register of them together. */
SL_NOINLINE void grad_of_known_columns(const grad_call *c)
{
    const walk w = walk_of(c->shape);
    const num *weight = c->o->class_weight ? (const num *)c->o->class_weight + c->first : NULL;
    for (size_t b = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += n) {
            n = least(SL_W, w.rows - i);
            const T *x = c->logits + b * w.in.block + i;
            T *y = c->grad + b * w.out.block + i;
            targets t;
            known_grad g;
            known_terms(c, x, w.in, b * w.rows + i, n, &t, &g);
            const c_vframe f = c_vframe_raised_of(g.frame, g.raise);
            const mask none = g.none;
            SL_ROLLED
            for (size_t k = 0; k < c->shape.classes; k++) {
                reg a = c_select(none, c_set1(0), load_some(x + k * w.in.step, n, 0));
                reg entry = known_entry(c, a, c_set1(weight ? weight[k] : 1), &g, f, OF_ANY_KIND);
                store_some(y + k * w.out.step, c_select(none, c_set1(0), entry), n);
            }
            SL_ROLLED
            for (size_t l = 0; l < n; l++)
                if (t.live[l] != 0)
                    y[l + t.at[l] * w.out.step] = t.entry[l];
        }
}

SL_NOINLINE void known_grads(grad_call *c, size_t all_classes)
{
    const sl_loss_options *o = c->o;
    const size_t rows = c->shape.outer * c->shape.inner;
    if (rows == 0 || c->shape.classes == 0)
        return;
    c->own = w_set1(1 - o->label_smoothing);
    c->share = w_set1(o->label_smoothing / (double)(int64_t)all_classes);
    c->weights = (weight_sum){w_set1(0), c_acc_zero()};
    if (o->label_smoothing > 0)
        c->weights = weights_of(o->class_weight, all_classes);
    c->scale = c_gradient_scale(o, c_divisor(o, weight_of_rows(c->target, rows, o)));
    c->has_shares = o->label_smoothing > 0;
    c->is_capped = o->softcap > 0;
    if (c->is_capped)
        c->cap = softcap_of(o->softcap);
    if (contiguous_rows(c->shape))
        grad_of_known_rows(c);
    else
        grad_of_known_columns(c);
}

SL_STATIC void cross_entropy_grad(const T *logits, const int64_t *target, const sl_shape *shape,
                                  const sl_loss_options *options, const num *lse, T *grad)
{
    grad_call c = {
        .logits = logits, .target = target, .lse = lse, .o = options, .grad = grad, .shape = *shape};
    known_grads(&c, shape->classes);
}

SL_STATIC void cross_entropy_shard_grad(const T *logits, const int64_t *target, const sl_shape *shape,
                                        sl_shard shard, const sl_loss_options *options, const sl_stats *stats,
                                        T *grad)
{
    grad_call c = {.logits = logits,
                   .target = target,
                   .stats = stats,
                   .o = options,
                   .grad = grad,
                   .shape = *shape,
                   .first = shard.first};
    known_grads(&c, shard.classes);
}

#endif
