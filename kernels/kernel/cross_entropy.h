/* SPDX-License-Identifier: MIT
 *
 * Categorical cross-entropy, with class ids or with a probability for every class, and its gradient:
 *
 *   q_c    = w_c ((1 - s) t_c + s / classes)         t_c the probability, or 1 for the target and 0 for others
 *   loss   = sum_c q_c ((m - x_c) + log_sum)         m, log_sum of log_sum.h
 *   grad_c = u (p_c W - q_c),   p = softmax(x),  W = sum_c q_c,  u the upstream gradient
 *
 * All terms of the loss are >= 0 and in f64, and it is rounded once: its error is that of log_sum, and a rounding that may
 * cross a power of two. f32: bound on any input 2.3 (no FMA: 3.7), tested 2.0. f64: 3.3 (3.4), and each of q's factors, products
 * and sums costs a rounding: 1 for weights, 3 for smoothing; with a probability for every class m - x_c, its product and the sum
 * of all q do, too: 4.8 (no FMA, whose sum of products rounds twice: 5.9). Smoothing and probabilities read the row a second time:
 * m - x_c cannot cancel, a sum of x_c from one read could.
 *
 * Gradient, any input, in units as in softmax.h. f32: e_c 1.06, S 1.10, the product's rounding 1.0: 3.2 (no FMA: 4.9). Then
 * what is subtracted: u s / classes is rounded to f32, and so is its product with w_c without FMA: 2 and 1 more; u t_c 1.0, and
 * the difference 0.5: 4.8 (6.4). f64: 1.41, 1.41 (no FMA: 1.46) and 1.0, for the target, whose factors are rounded apart, 4.7:
 * bound 5.0; with probabilities 3.9 + 1.0 + 0.5: 5.4 (5.5); q costs 2 roundings more for weights and 4 for smoothing, since
 * both terms have it. u of a mean is a rounding in either.
 *
 * The gradient is a second pass: e_c, kept by the first or computed again, times u W / S (factor.h), less u q_c. That
 * difference loses digits that the result has where both p_c and q_c / W are near 1, and only there:
 *
 *   p_c W - q_c = p_c (W - q_c) - (1 - p_c) q_c
 *
 * So the entry of a class id's target is formed as the right side, and so is that of the largest class where p_c > 1/2 and
 * q_c > W / 2. (Else each term on the left is at most twice the sum of those on the right.) 1 - p_c is the sum of the other
 * exponentials: if x_c is the maximum, the rest of log_sum.h; else e_c is at most half of S and the difference loses one bit.
 * W - q_c is the sum of the other q, formed likewise (weights_of, charges_of).
 *
 * In f32 a large factor u W / S would show what a frame leaves out: such rows have raised frames (raise.h), and rests of next to nothing
 * are summed again (deep_rest.h); where u (1 - s) or u s / classes leaves the range, the difference is an f64 (less_wide_share). The
 * row's factors and statistics say which.
 */
#ifndef SL_KERNEL_CROSS_ENTROPY_H
#define SL_KERNEL_CROSS_ENTROPY_H

#include "reduce/capped_log_sum.h"
#include "reduce/class_weights.h"
#include "reduce/deep_rest.h"
#include "reduce/log_sum.h"
#include "reduce/targets.h"
#include "maths/raise.h"

/* ---- a call, and a group of its rows ---- */

/* Exactly one of target and prob is not NULL. */
typedef struct {
    const T *logits, *prob;
    const int64_t *target;
    const sl_loss_options *o;
    T *grad;
    sl_shape shape;
    walk w;
    double smoothing;
    vw own, share; /* 1 - s, s / classes */
    weight_sum weights;
    num *loss, *lse;
    total losses;
    double scale;  /* of every gradient */
    int takes_lse; /* of rows: it is wanted, or its square costs */
    int is_capped; /* logits are, by: */
    c_softcap cap;
    int has_tops; /* may some q but a target's exceed half of all? */
} loss_call;

/* Logits, capped if they are to be. */
SL_INLINE reg logits_from(const loss_call *c, reg x, int capped)
{
    return capped ? capped_logit(x, c->cap) : x;
}

/* Up to SL_W rows from `row` on, whose first element is at `at`, of the gradient at `to`. They are read from x, class after class
 * `step` apart: where they lie, or transposed; prob likewise, if it is not NULL. */
typedef struct {
    size_t at, to, row, n, step;
    const T *x, *prob;
} loss_rows;

/* Where they lie: rows `i` and following of a block. */
SL_INLINE loss_rows rows_in_place(const loss_call *c, size_t block, size_t i, size_t n)
{
    const strides in = c->w.in, out = c->w.out;
    size_t at = block * in.block + i * in.row, to = block * out.block + i * out.row;
    return (loss_rows){
        at, to, block * c->w.rows + i, n, in.step, c->logits + at, c->prob ? c->prob + at : NULL};
}

/* ---- sum_c q_c (m - x_c) and sum_c q_c of SL_W rows ---- */

/* Of which classes, and whether anybody wants the loss. */
enum { GAPS, NO_GAPS, NOT_LARGEST };

typedef struct {
    c_acc gaps, weight;
} charges;

/* (m - x) / 2: in f64 the difference itself may leave the range of a finite loss. */
SL_INLINE vw half_gap(vw max, vw x) { return w_sub(w_mul(max, w_set1(0.5)), w_mul(x, w_set1(0.5))); }

/* q (m - x); where both are of f32, halves change no bit of that. */
SL_INLINE vw cost_of_gap(vw q, vw max, vw x)
{
    return SL_F64 ? w_mul(w_add(q, q), half_gap(max, x)) : w_mul(q, w_sub(max, x));
}

/* Adds those of a class. A class id's own term is added elsewhere. q = 0 takes its class out even where x is -inf or the
 * difference overflows. */
SL_INLINE void charge(charges *sum, vw q, vw x, vw max, int which)
{
    vw zero = w_set1(0);
    if (which == NOT_LARGEST)
        q = w_select(w_eq(x, max), zero, q);
    if (which == GAPS)
        sum->gaps = c_acc_add(sum->gaps, cost_of_gap(q, max, w_select(w_eq(q, zero), max, x)));
    sum->weight = c_acc_add(sum->weight, q);
}

SL_INLINE charges charges_of_row(const loss_call *c, const T *x, const T *prob, num max, int which,
                                 int capped)
{
    const num *weight = c->o->class_weight;
    c_acc gaps[SL_PARTS], weights[SL_PARTS];
    for (size_t j = 0; j < SL_PARTS; j++)
        gaps[j] = weights[j] = c_acc_zero();
    SL_ROLLED
    for (size_t i = 0; i < c->shape.classes; i += SL_W) {
        size_t n = c->shape.classes - i, j = i / SL_W % SL_PARTS;
        charges sum = {gaps[j], weights[j]};
        vw q = prob ? w_fma(c->own, c_widen(load_some(prob + i, n, 0)), c->share) : c->share;
        q = w_mul(c_widen(weight ? c_load_n(weight + i, n, 0) : c_ones(n)), q);
        charge(&sum, q, c_widen(logits_from(c, load_some(x + i, n, (num)-INFINITY), capped)), w_set1(max),
               which);
        gaps[j] = sum.gaps;
        weights[j] = sum.weight;
    }
    return (charges){c_acc_fold(gaps), c_acc_fold(weights)};
}
/* Rows that are not live may have gaps that overflow: they are read as zeros. */
SL_INLINE charges charges_of_classes(const loss_call *c, const loss_rows *g, reg live, reg max, int which,
                                     int capped)
{
    const loss_rows here = *g; /* no store can change them */
    const size_t classes = c->shape.classes;
    const num *weight = c->o->class_weight;
    const vw own = c->own, share = c->share;
    c_acc gaps[SL_LANES], weights[SL_LANES];
    mask lives = c_lt(c_set1(0), live);
    vw top = c_widen(c_keep(lives, max));
    size_t used = least(SL_LANES, classes);
    SL_ROLLED
    for (size_t k = 0; k < classes; k++) {
        size_t l = k % SL_LANES, at = k * here.step;
        charges sum = {c_acc_zero(), c_acc_zero()};
        if (k >= SL_LANES)
            sum = (charges){gaps[l], weights[l]};
        vw q = here.prob ? w_fma(own, c_widen(load_some(here.prob + at, here.n, 0)), share) : share;
        if (weight)
            q = w_mul(w_set1(weight[k]), q);
        charge(&sum, q, c_widen(logits_from(c, c_keep(lives, load_some(here.x + at, here.n, 0)), capped)),
               top, which);
        gaps[l] = sum.gaps;
        weights[l] = sum.weight;
    }
    return (charges){fold_rows(gaps, used), fold_rows(weights, used)};
}

SL_INLINE charges charges_of_any(const loss_call *c, const loss_rows *g, const num *live, reg max, int which,
                                 int capped)
{
    if (g->step != 1)
        return charges_of_classes(c, g, c_load(live), max, which, capped);
    num m[SL_W];
    c_acc_lanes gaps, weights;
    c_store(m, max);
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        charges sum = {c_acc_zero(), c_acc_zero()};
        size_t first = l * c->w.in.row;
        if (l < g->n && live[l] != 0)
            sum = charges_of_row(c, g->x + first, g->prob ? g->prob + first : NULL, m[l], which, capped);
        c_acc_put(&gaps, l, sum.gaps);
        c_acc_put(&weights, l, sum.weight);
    }
    return (charges){c_acc_join(&gaps), c_acc_join(&weights)};
}

SL_NOINLINE charges charges_of(const loss_call *c, const loss_rows *g, const num *live, reg max, int which)
{
    return charges_of_any(c, g, live, max, which, 0);
}

/* The sum of all q but those of the largest classes. */
SL_RARE c_acc weights_but_largest(const loss_call *c, const loss_rows *g, const num *live, reg max)
{
    return charges_of_any(c, g, live, max, NOT_LARGEST, 0).weight;
}

SL_RARE charges charges_of_capped(const loss_call *c, const loss_rows *g, const num *live, reg max, int which)
{
    return charges_of_any(c, g, live, max, which, 1);
}

/* ---- the gradient ---- */

/* Of SL_W rows: e_c k - w_c (own t_c + share), everything times the upstream gradient; 0 where not live, and
 * NaN for a NaN row. */
typedef struct {
    reg max, raise; /* which their frames are of */
    c_factor k;
    reg own, share;
    reg none;    /* 1: the row is zeros */
    vw up;       /* u */
    int is_wide; /* whether f32 has not got all digits of own or share of some */
} row_grad;

/* Whether there is no more than e k: no probabilities, no smoothing. */
SL_INLINE int is_product(const loss_call *c) { return !c->prob && !(c->smoothing > 0); }

SL_INLINE reg grad_at(reg e, reg t, reg weight, const row_grad *g, const loss_call *c)
{
    reg a = c_times_unit(e, g->k);
    if (is_product(c))
        return a;
    reg less = c_fnma(weight, c->prob ? c_fma(g->own, t, g->share) : g->share, a);
#if !SL_F64
    if (g->is_wide)
        less = less_wide_share(a, less, t, weight, w_mul(g->up, c->prob ? c->own : w_set1(0)),
                               w_mul(g->up, c->share));
#endif
    return less;
}

/* One row that is not a product, or not finite, or in a frame that is raised. `at`: its first element; l: its lane of g. */
SL_RARE void grad_of_row(const loss_call *c, const pending_row *row, size_t at, row_grad g)
{
    const num *weight = c->o->class_weight;
    size_t classes = c->shape.classes;
    c_vframe f = c_frame_set1(row->frame);
    SL_ROLLED
    for (size_t i = 0; i < classes; i += SL_W) {
        size_t n = classes - i;
        reg e = row->e ? c_load_n(row->e + i, n, 0)
                       : c_exp_in_frame(c_less_shift(load_some(row->x + i, n, (num)-INFINITY), f), f,
                                        c_exp_table_load());
        reg t = c->prob ? load_some(c->prob + at + i, n, 0) : c_set1(0);
        reg a = grad_at(e, t, weight ? c_load_n(weight + i, n, 0) : c_set1(1), &g, c);
        store_some(row->y + i, c_canonical(a), n);
    }
    if (row->target < classes)
        row->y[row->target] = row->entry;
}

/* A strip's; t: its probabilities, if there are any, laid out as the strip. */
SL_INLINE void grad_of_strip_in(const loss_call *c, const strip *s, const T *t, T *grad, const row_grad *g,
                                strip_options o)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    const num *weight = c->o->class_weight;
    size_t vectors = o.whole ? strip_vectors(s) : 1;
    c_vframe f[STRIP_VECTORS];
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++)
        f[k] = c_vframe_raised_of(g[k].max, g[k].raise);
    for (size_t i = 0; i < s->classes; i++) {
        reg w = c_set1(weight ? weight[i] : 1);
        SL_UNROLL_VECTORS
        for (size_t k = 0; k < vectors; k++) {
            reg e = c_exp_in_frame(c_less_shift(strip_load(s, i, k, o), f[k]), f[k], c_exp_table_load()), a;
            if (o.plain) {
                a = c_times_unit(e, g[k].k);
            } else {
                a = grad_at(e, t ? load_some(t + i * s->step + k * SL_W, s->rows, 0) : c_set1(0), w, g + k,
                            c);
                a = c_select(c_lt(c_set1(0), g[k].none), c_set1(0), c_canonical(a));
            }
            strip_store(s, grad, i, k, a, o);
        }
    }
}

SL_NOINLINE void grad_of_strip(const loss_call *c, const strip *s, const T *t, T *grad, const row_grad *g)
{
    int plain = is_product(c) && s->rows >= SL_W;
    SL_ROLLED
    for (size_t k = 0; k < strip_vectors(s); k++)
        plain = plain && !c_any(c_lt(c_set1(0), g[k].none)) && c_factor_is_finite(g[k].k);
    if (plain)
        grad_of_strip_in(c, s, t, grad, g, (strip_options){.whole = 1, .plain = 1});
    else
        grad_of_strip_in(c, s, t, grad, g, (strip_options){.whole = s->rows >= SL_W});
}

/* The class of a row's maximum. */
SL_INLINE size_t class_at_max(const T *x, size_t classes, num max)
{
    for (size_t i = 0; i < classes; i += SL_W) {
        reg a = load_some(x + i, classes - i, (num)NAN);
        if (!c_any(c_eq(a, c_set1(max))))
            continue;
        num lane[SL_W];
        c_store(lane, a);
        SL_ROLLED
        for (size_t l = 0; l < SL_W; l++)
            if (lane[l] == max)
                return i + l;
    }
    return classes;
}

/* That of each row whose max is not NaN; of the others c stays as it is. */
SL_INLINE void classes_at_max(const T *x, strides in, size_t classes, size_t n, const num max[SL_W],
                              size_t c[SL_W])
{
    for (size_t l = 0; l < n && in.step == 1; l++)
        if (max[l] == max[l])
            c[l] = class_at_max(x + l * in.row, classes, max[l]);
    for (size_t k = 0; k < classes && in.step != 1; k++) {
        reg a = load_some(x + k * in.step, n, (num)NAN);
        if (!c_any(c_eq(a, c_load(max))))
            continue;
        num lane[SL_W];
        c_store(lane, a);
        SL_ROLLED
        for (size_t l = 0; l < n; l++)
            c[l] = lane[l] == max[l] ? k : c[l];
    }
}

/* The classes of the maxima of SL_W rows: which, their weights and probabilities. Where there is none, `at` is the number of
 * classes, and the others are 0. */
typedef struct {
    size_t at[SL_W];
    reg weight, prob;
} top_classes;

SL_NOINLINE void top_classes_of(top_classes *top, const loss_call *c, const loss_rows *g, reg max)
{
    num lanes[SL_W], weights[SL_W];
    T prob[SL_W];
    size_t classes = c->shape.classes;
    const num *weight = c->o->class_weight;
    const T *p = c->prob ? c->prob + g->at : NULL;
    c_store(lanes, max);
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++)
        top->at[l] = classes;
    classes_at_max(c->logits + g->at, c->w.in, classes, g->n, lanes, top->at);
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        int found = top->at[l] < classes;
        weights[l] = !found ? 0 : weight ? weight[top->at[l]] : 1;
        prob[l] = found && p ? p[l * c->w.in.row + top->at[l] * c->w.in.step] : (T){0};
    }
    top->weight = c_load(weights);
    top->prob = load(prob);
}

/* The same of short rows side by side. */
SL_NOINLINE void top_classes_of_few(top_classes *top, const loss_call *c, const loss_rows *g, reg max)
{
    const loss_rows here = *g; /* no store can change it */
    num lanes[SL_W];
    size_t classes = c->shape.classes;
    const num *weight = c->o->class_weight;
    reg at = c_set1((num)(int)classes), of_class = c_set1(0), prob = c_set1(0);
    SL_ROLLED
    for (size_t k = 0; k < classes; k++) {
        mask here_max = c_eq(load_some(here.x + k * here.step, here.n, (num)NAN), max);
        at = c_select(here_max, c_set1((num)(int)k), at);
        of_class = c_select(here_max, c_set1(weight ? weight[k] : 1), of_class);
        if (here.prob)
            prob = c_select(here_max, load_some(here.prob + k * here.step, here.n, 0), prob);
    }
    c_store(lanes, at);
    SL_UNROLL
    for (size_t l = 0; l < SL_W; l++)
        top->at[l] = (size_t)(int)lanes[l];
    top->weight = of_class;
    top->prob = prob;
}

/* The same lanes, of registers of the unit. */
SL_INLINE mask narrow_mask(wm m) { return c_lt(c_set1(0), c_narrow(w_keep(m, w_set1(1)))); }

/* The loss of some rows: q of the target, and 2 z lse, which p_c has on top of all q; the sum of the q that all classes have. */
typedef struct {
    vw q_t, cost, pull;
    c_acc weight;
} row_cost;

/* Of some rows: the entries of the largest classes that have more than half of both, of p and of q; not of those that are
 * targets. */
SL_NOINLINE void tops_of(targets *top, const loss_call *c, const loss_rows *g, const targets *t,
                         const row_stats *st, const row_cost *r, vw up)
{
    top_classes at;
    c_acc all_q = c_acc_add(r->weight, r->q_t);
    size_t classes = c->shape.classes;
    vw sum_q = c_acc_value(all_q), q_others;
    mask confident = narrow_mask(w_lt(c_acc_value(st->rest), c_acc_value(st->top)));
    reg max = c_select(c_andnot(confident, c_eq(c_load(t->live), c_set1(0))), st->max, c_set1((num)NAN));
    if (g->step != 1 && classes <= SL_SHORT)
        top_classes_of_few(&at, c, g, max);
    else
        top_classes_of(&at, c, g, max);
    top->all = top->apart = 0;
    SL_UNROLL
    for (size_t l = 0; l < SL_W; l++) {
        int found = at.at[l] < classes && !(c->target && (size_t)c->target[g->row + l] == at.at[l]);
        top->live[l] = (num)found;
        top->at[l] = l * c->w.out.row + at.at[l] * c->w.out.step;
    }
    vw w_c = c_widen(at.weight),
       q = w_mul(w_c, w_fma(c->prob ? c->own : w_set1(0), c_widen(at.prob), c->share));
    c_acc sum = c_acc_merge(st->top, st->rest);
    vw p_c = c_acc_value(c_acc_over(st->top, sum)), p_others = c_acc_value(c_acc_over(st->rest, sum));
    reg live = c_keep(narrow_mask(w_lt(sum_q, w_add(q, q))), c_load(top->live));
    mask lives = c_lt(c_set1(0), live);
    c_store(top->live, live);
    if (!c_any(lives))
        return;
    if (c->prob) { /* the difference of the sums will do, unless it is so small that it shows their rounding, and counts */
        vw little = w_set1(sizeof(num) == sizeof(float) ? 0x1p-10 : 0x1p-30);
        q_others = c_acc_value(c_acc_minus(all_q, c_acc_of(q)));
        wm few = wm_andnot(w_lt(q_others, w_mul(sum_q, little)), w_nlt(p_others, little));
        num wanted[SL_W];
        c_store(wanted, c_keep(narrow_mask(few), live));
        if (c_any(c_lt(c_set1(0), c_load(wanted)))) {
            vw exact = c_acc_value(weights_but_largest(c, g, wanted, st->max));
            q_others = w_select(few, exact, q_others);
        }
    } else {
        q_others = w_fma(c->own, c_widen(c_load(t->weight)), w_mul(c->share, other_weights(c->weights, w_c)));
    }
    store(top->entry, entry_of(up, p_c, w_add(q_others, r->pull), p_others, q, c_eq(live, c_set1(0))));
}

/* How many rows may be read where SL_W of `rows` are to be: the next, too, if they count, which short ones may be read with
 * (transpose_in). */
SL_INLINE size_t readable_rows(const sl_loss_options *o, const int64_t *target, size_t classes, size_t rows)
{
    if (!target || !o->has_ignore_index || classes >= 4)
        return rows;
    for (size_t r = SL_W; r < least(rows, SL_W + 3); r++)
        if (ignored(o, target[r]))
            return SL_W;
    return rows;
}

/* The second pass over long rows: those that are products wait for the next first pass, the others are written now. */
SL_NOINLINE void grad_of_rows(const loss_call *c, const loss_rows *g, const row_grad *grad, const targets *t,
                              const row_group *group, pending_rows *later)
{
    num max[SL_W], raise[SL_W], own[SL_W], share[SL_W], none[SL_W];
    double up[SL_W];
    factor_lanes factors = factors_of(grad->k);
    size_t classes = c->shape.classes;
    c_store(max, grad->max);
    c_store(raise, grad->raise);
    c_store(own, grad->own);
    c_store(share, grad->share);
    c_store(none, grad->none);
    w_store(up, grad->up);
    SL_ROLLED
    for (size_t l = 0; l < g->n; l++) {
        size_t at = g->at + l * c->w.in.row;
        T *to = c->grad + g->to + l * c->w.out.row;
        if (none[l] != 0) {
            memset(to, 0, classes * sizeof *to);
            continue;
        }
        pending_row *row = later->row + later->n;
        *row = (pending_row){
            .x = c->logits + at, .e = place_of(group, l).e, .y = to, .has_unit = 1, .target = SIZE_MAX};
        row->frame = c_frame_of(max[l]);
        if (raise[l] != 0) {
            row->frame = c_frame_raised(row->frame, raise[l]);
            row->e = NULL;
        }
        row->k = factor_at(&factors, l);
        if (c->target && t->live[l] != 0) {
            row->target = t->at[l] - l * c->w.in.row;
            row->entry = t->entry[l];
        }
        c_factor k = c_factor_set1(row->k);
        if (is_product(c) && c_factor_is_finite(k) && raise[l] == 0)
            later->n++;
        else
            grad_of_row(c, row, at,
                        (row_grad){.k = k,
                                   .own = c_set1(own[l]),
                                   .share = c_set1(share[l]),
                                   .up = w_set1(up[l]),
                                   .is_wide = grad->is_wide});
    }
}

/* Of transposed short rows, of which `rows` are to come. */
SL_NOINLINE void grad_of_transposed(const loss_call *c, const loss_rows *g, size_t rows, const row_grad *grad)
{
    T result[SL_SHORT * SL_W];
    size_t classes = c->shape.classes;
    strip s = strip_of_transposed(g->x, classes);
    grad_of_strip(c, &s, g->prob, result, grad);
    transpose_out(result, classes, rows, c->grad + g->to, c->w.out.row, CACHED);
}

/* ---- all rows ---- */

/* q (m - x_t + log_sum) */
SL_INLINE vw cost_of_target(vw q_t, vw max, vw x_t, vw log_sum)
{
    return w_mul(w_add(q_t, q_t), w_fma(log_sum, w_set1(0.5), half_gap(max, x_t)));
}

/* Those of all classes, on top of the target's. */
SL_NOINLINE void add_charges(const loss_call *c, const loss_rows *g, const num *live, const row_stats *st,
                             row_cost *r)
{
    int which = c->loss ? GAPS : NO_GAPS;
    charges q = (c->is_capped ? charges_of_capped : charges_of)(c, g, live, st->max, which);
    r->weight = q.weight;
    r->cost = w_add(r->cost, w_fma(c_acc_value(q.weight), c_acc_value(st->log_sum), c_acc_value(q.gaps)));
}

SL_INLINE row_cost cost_of(const loss_call *c, const loss_rows *g, const targets *t, const row_stats *st)
{
    vw zero = w_set1(0);
    row_cost r = {zero, zero, zero, c_acc_zero()};
    if (c->target && c->smoothing < 1) { /* never 0 times inf */
        reg weight_t = c_load(t->weight), x_t = logits_from(c, load(t->logit), c->is_capped);
        r.q_t = w_mul(c->own, c_widen(weight_t));
        if (c->loss) {
            x_t = c_select(c_eq(weight_t, c_set1(0)), st->max, x_t);
            r.cost = cost_of_target(r.q_t, c_widen(st->max), c_widen(x_t), c_acc_value(st->log_sum));
        }
    }
    if (c->prob || c->smoothing > 0) {
        row_cost all = r; /* r itself is in registers */
        add_charges(c, g, t->live, st, &all);
        r = all;
    }
    return r;
}

/* The log-sum-exp of some rows, as `given`, to where it is wanted; z times its square is added to their cost. */
SL_RARE void take_lse(const loss_call *c, const loss_rows *g, const targets *t, const row_stats *given,
                      const row_stats *st, row_cost *r)
{
    c_acc lse = c_acc_add(given->log_sum, c_widen(given->max));
    mask dead = c_eq(c_load(t->live), c_set1(0));
    if (c->lse) {
        reg value = c_canonical(c_narrow(c_acc_value(lse)));
        if (c->o->flags & SL_SAFE_ROWS)
            value = c_select(all_minus_inf(given), c_set1((num)-INFINITY), value);
        c_store_n(c->lse + g->row, c_select(dead, c_set1(0), value), g->n);
    }
    if (c->o->z_loss > 0) {
        lse = c_acc_add(st->log_sum, c_widen(st->max));
        vw value = c_acc_value(lse), half = w_mul(w_set1(c->o->z_loss), value);
        r->pull = w_add(half, half);
        if (c->loss) /* the square may overflow where the gradient does not */
            r->cost = w_fma(half, value, r->cost);
    }
}

/* What every exponential is multiplied by, and then divided by their sum. */
SL_INLINE c_acc exponential_factor(const loss_call *c, const row_cost *r, vw up)
{
    c_acc weight = c_acc_add(r->weight, r->q_t);
    if (c->o->z_loss > 0)
        weight = c_acc_add(weight, r->pull);
    return c_acc_times(weight, up);
}

/* The exponential of a target, and the sum of all others of its row. */
typedef struct {
    c_acc target, others;
} target_parts;

SL_INLINE target_parts target_parts_of(const row_stats *st, reg x_t, c_raise by)
{
    c_vframe f = c_vframe_raised_of(st->max, by.raise);
    c_acc e_t =
        c_exp_in_frame_wide(c_less_shift(c_min(st->max, x_t), f), f, c_exp_table_load()); /* 0 if ignored */
    e_t = c_unraised(e_t, by);
    c_acc others = c_acc_merge(st->top, c_acc_minus(st->rest, e_t));
    return (target_parts){e_t, c_acc_select(c_eq(x_t, st->max), st->rest, others)};
}

/* -k others / sum: the entry of a target where no other class has a share. */
SL_INLINE reg plain_entry(c_acc k, c_acc others, c_acc sum)
{
    return c_canonical(c_narrow(w_fnma(c_acc_value(k), c_acc_value(c_acc_over(others, sum)), w_set1(0))));
}

/* The entries of the targets where other classes have shares, lse costs, or logits are capped. */
SL_NOINLINE void mixed_entries(const loss_call *c, targets *t, const row_stats *st, const row_cost *r, vw up,
                               mask none, const c_raise *by)
{
    reg x_t = load(t->logit);
    if (c->is_capped) {
        cap_slope slope;
        x_t = capped_apart(x_t, c->cap, &slope);
        up = w_times_slope(up, slope);
    }
    target_parts e = target_parts_of(st, x_t, *by);
    c_acc sum = c_acc_merge(st->top, st->rest);
    vw w_t = c_widen(c_load(t->weight)), others = w_fma(c->share, other_weights(c->weights, w_t), r->pull);
    vw p_t = c_acc_value(c_acc_over(e.target, sum)), p_others = c_acc_value(c_acc_over(e.others, sum));
    store(t->entry, entry_of(up, p_t, others, p_others, w_fma(c->share, w_t, r->q_t), none));
}

/* The entries of the targets. In place the gradient overwrites x_t: all that they need is taken here. */
SL_INLINE void target_entries(const loss_call *c, targets *t, const row_stats *st, const row_cost *r, vw up,
                              mask none, c_acc k, c_raise by)
{
    if (c->smoothing > 0 || c->o->z_loss > 0 || c->is_capped) {
        const c_raise raise = by; /* by itself is in registers */
        mixed_entries(c, t, st, r, up, none, &raise);
        return;
    }
    c_acc sum = c_acc_merge(st->top, st->rest);
    reg entry = plain_entry(k, target_parts_of(st, load(t->logit), by).others, sum);
    store(t->entry, c_select(none, c_set1(0), entry));
}

/* What the gradient of some rows is made of; and the entries of their targets. */
SL_INLINE row_grad grad_terms(const loss_call *c, targets *t, const row_stats *st, const row_cost *r, vw up,
                              mask none)
{
    c_acc sum = c_acc_merge(st->top, st->rest), k = exponential_factor(c, r, up);
    c_raise by = c_raise_of(k, sum);
    if (c->target)
        target_entries(c, t, st, r, up, none, k, by);
    vw own = w_mul(up, c->own), share = w_mul(up, c->share);
    return (row_grad){.max = st->max,
                      .raise = by.raise,
                      .k = c_factor_of(k, c_raised(sum, by)),
                      .own = c_narrow(own),
                      .share = c_narrow(share),
                      .none = c_select(none, c_set1(1), c_set1(0)),
                      .up = up,
                      .is_wide = c->o->class_weight && !is_product(c) && are_wide(own, share)};
}

/* What is known of rows, with those rests that are next to nothing summed once more. */
SL_RARE void deep_row_stats(const loss_call *c, const loss_rows *g, const row_stats *st, const num *live,
                            row_stats *to)
{
    const deep_rows rows = {.x = g->x,
                            .pitch = g->step == 1 ? c->w.in.row : 1,
                            .step = g->step,
                            .n = g->n,
                            .classes = c->shape.classes,
                            .live = live,
                            .cap = c->is_capped ? &c->cap : NULL};
    *to = stats_from_rarely(st->max, deep_rests(&rows, st->max, st->rest, st->top), st->top);
}

/* The loss of some rows, and what their gradient is made of, if that is wanted. Whether there are tops. */
SL_NOINLINE int finish_rows(loss_call *c, const loss_rows *g, const row_stats *st, targets *t, row_grad *grad,
                            targets *tops)
{
    const sl_loss_options *o = c->o;
    const row_stats *given = st;
    row_stats deep;
    if (may_be_deep(st->rest, c->shape.classes, c_load(t->live))) {
        deep_row_stats(c, g, st, t->live, &deep);
        st = &deep;
    }
    if (c->target)
        logits_of(t, c->logits + g->at);
    row_cost r = cost_of(c, g, t, st); /* in registers */
    if (c->takes_lse) {
        row_cost more = r;
        take_lse(c, g, t, given, st, &more);
        r = more;
    }
    mask none = c_eq(c_load(t->live), c_set1(0));
    if (o->flags & SL_SAFE_ROWS)
        none = c_or(none, all_minus_inf(st));
    if (c->loss) {
        reg each = c_select(none, c_set1(0), c_canonical(c_narrow(r.cost)));
        if (o->reduction != SL_NONE)
            total_push(&c->losses, each, g->n);
        else
            c_store_n(c->loss + g->row, each, g->n);
    }
    if (!c->grad)
        return 0;
    vw up = c_upstream_of(o, c->scale, g->row, g->n);
    *grad = grad_terms(c, t, st, &r, up, none);
    int any = c->has_tops && wm_any(w_lt(c_acc_value(st->rest), c_acc_value(st->top)));
    if (any)
        tops_of(tops, c, g, t, st, &r, up);
    return any;
}

/* Long rows: the gradient is the second pass, from memory beside the first one of the next rows. Between them the exponentials
 * are in grad, if it can hold them and may be written twice, or in scratch, if a row fits, or nowhere. It is non-temporal only
 * where no line must be read first because two rows share it: some cores let all other stores wait for that; and where scratch
 * holds enough rows to share the end of a group. */
SL_NOINLINE void losses_of_rows(loss_call *c)
{
    enum { SCRATCH = (SL_F64 ? 3584 : 14336) / sizeof(num) }; /* there is more beside it than in softmax */
    num scratch[SCRATCH];
    size_t classes = c->shape.classes, room = (classes + SL_BLOCK - 1) / SL_BLOCK * SL_BLOCK;
    log_sum_rows rows;
    log_sum_rows_init(&rows, classes, EMIT_PRODUCT);
    int keeps = c->grad && classes > SL_SHORT;
    int can_hold = can_hold_exps(c->logits, c->grad);
    rows.later.nontemporal = keeps && (2 * (SCRATCH / room) >= SL_W || !can_hold) &&
                             rows_are_lines(c->grad, classes, c->w.out.row) &&
                             use_nontemporal(c->grad, c->shape.outer * classes);
    int in_grad = keeps && can_hold && !rows.later.nontemporal;
    int in_scratch = keeps && !in_grad && room <= SCRATCH;
    size_t many = c->grad ? rows_at_once(c->shape) : SL_W;
    if (in_scratch)
        many = least(many, SCRATCH / room);
    for (size_t i = 0, n; i < c->w.rows; i += n) {
        n = least(many, c->w.rows - i);
        loss_rows g = rows_in_place(c, 0, i, n);
        targets t, tops;
        row_stats st;
        row_grad grad;
        row_group group = {
            .x = c->logits + g.at, .classes = classes, .pitch = c->w.in.row, .n = n, .live = t.live};
        if (in_grad)
            group.place = (exp_place){.e = (num *)(void *)(c->grad + g.to)}, group.stride = c->w.out.row;
        else if (in_scratch)
            group.place = (exp_place){.e = scratch, .padded = 1}, group.stride = room;
        targets_of(&t, c->target ? c->target + i : NULL, &c->w, n, c->o);
        log_sum_of_rows(&rows, &group, &st);
        int any_tops = finish_rows(c, &g, &st, &t, &grad, &tops);
        if (!c->grad)
            continue;
        grad_of_rows(c, &g, &grad, &t, &group, &rows.later);
        if (any_tops)
            put_entries(c->grad + g.to, &tops, n);
        if (!rows.later.nontemporal)
            emit_rows(&rows.later, classes, EMIT_PRODUCT);
    }
    emit_rows(&rows.later, classes, EMIT_PRODUCT);
    if (rows.later.nontemporal)
        stream_end();
}

/* Short rows, transposed. */
SL_NOINLINE void losses_of_transposed(loss_call *c)
{
    T transposed[SL_SHORT * SL_W], prob[SL_SHORT * SL_W];
    size_t classes = c->shape.classes;
    for (size_t i = 0; i < c->w.rows; i += SL_W) {
        const size_t in = c->w.in.row;
        loss_rows g = {i * in, i * c->w.out.row, i, least(SL_W, c->w.rows - i), SL_W, transposed, NULL};
        const int64_t *target = c->target ? c->target + i : NULL;
        targets t, tops;
        row_stats stats;
        row_grad grad;
        targets_of(&t, target, &c->w, g.n, c->o);
        transpose_in(c->logits + g.at, classes, in, readable_rows(c->o, target, classes, c->w.rows - i),
                     t.live, transposed);
        if (c->prob) {
            transpose_in(c->prob + g.at, classes, in, c->w.rows - i, NULL, prob);
            g.prob = prob;
        }
        strip s = strip_of_transposed(transposed, classes);
        strip_log_sum(&s, &stats);
        int any_tops = finish_rows(c, &g, &stats, &t, &grad, &tops);
        if (!c->grad)
            continue;
        grad_of_transposed(c, &g, c->w.rows - i, &grad);
        if (c->target)
            put_entries(c->grad + g.to, &t, g.n);
        if (any_tops)
            put_entries(c->grad + g.to, &tops, g.n);
    }
}

SL_NOINLINE void losses_of_strips(loss_call *c)
{
    row_stats stats[STRIP_VECTORS];
    row_grad grads[STRIP_VECTORS];
    targets t[STRIP_VECTORS], tops[STRIP_VECTORS];
    int any_tops[STRIP_VECTORS];
    const walk w = c->w;
    int prefetch = c->grad && use_nontemporal(c->grad, w.blocks * w.rows * c->shape.classes);
    for (size_t b = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += n) {
            n = strip_rows(w.rows - i);
            const loss_rows all = rows_in_place(c, b, i, n);
            T *grad = c->grad ? c->grad + all.to : NULL;
            strip s = {all.x, prefetch ? grad : NULL, c->shape.classes, all.step, n, w.out.step};
            strip_log_sum(&s, stats);
            SL_ROLLED
            for (size_t k = 0; k * SL_W < n; k++) {
                loss_rows g = rows_in_place(c, b, i + k * SL_W, least(SL_W, n - k * SL_W));
                targets_of(t + k, c->target ? c->target + g.row : NULL, &c->w, g.n, c->o);
                any_tops[k] = finish_rows(c, &g, stats + k, t + k, grads + k, tops + k);
            }
            if (!grad)
                continue;
            grad_of_strip(c, &s, all.prob, grad, grads);
            SL_ROLLED
            for (size_t k = 0; k * SL_W < n; k++, grad += SL_W) {
                if (c->target)
                    put_entries(grad, t + k, least(SL_W, n - k * SL_W));
                if (any_tops[k])
                    put_entries(grad, tops + k, least(SL_W, n - k * SL_W));
            }
        }
}

/* Of capped logits: what a row's gradient is multiplied by differs from class to class. */
SL_INLINE reg capped_grad_at(reg x, reg t, reg weight, const row_grad *g, const loss_call *c, c_vframe f)
{
    cap_slope slope;
    reg y = c_capped(x, c->cap, &slope);
    reg e = c_exp_in_frame(c_less_shift(y, f), f, c_exp_table_load());
    return c_canonical(c_times_slope(grad_at(e, t, weight, g, c), slope));
}

SL_NOINLINE void grad_of_capped_rows(const loss_call *c, const loss_rows *g, const row_grad *grad)
{
    num max[SL_W], raise[SL_W], own[SL_W], share[SL_W], none[SL_W];
    double up[SL_W];
    const factor_lanes factors = factors_of(grad->k);
    const num *weight = c->o->class_weight;
    const size_t classes = c->shape.classes;
    c_store(max, grad->max);
    c_store(raise, grad->raise);
    c_store(own, grad->own);
    c_store(share, grad->share);
    c_store(none, grad->none);
    w_store(up, grad->up);
    SL_ROLLED
    for (size_t l = 0; l < g->n; l++) {
        const T *x = g->x + l * c->w.in.row, *prob = g->prob ? g->prob + l * c->w.in.row : NULL;
        T *y = c->grad + g->to + l * c->w.out.row;
        const row_grad row = {.k = c_factor_set1(factor_at(&factors, l)),
                              .own = c_set1(own[l]),
                              .share = c_set1(share[l]),
                              .up = w_set1(up[l]),
                              .is_wide = grad->is_wide};
        const c_vframe f = c_frame_set1(c_frame_raised(c_frame_of(max[l]), raise[l]));
        if (none[l] != 0) {
            memset(y, 0, classes * sizeof *y);
            continue;
        }
        SL_ROLLED
        for (size_t i = 0; i < classes; i += SL_W) {
            size_t n = classes - i;
            reg t = prob ? load_some(prob + i, n, 0) : c_set1(0),
                w = weight ? c_load_n(weight + i, n, 0) : c_set1(1);
            store_some(y + i, capped_grad_at(load_some(x + i, n, (num)-INFINITY), t, w, &row, c, f), n);
        }
    }
}

SL_NOINLINE void grad_of_capped_columns(const loss_call *c, const loss_rows *g, const row_grad *of)
{
    const row_grad grad = *of; /* no store can change it */
    const c_vframe f = c_vframe_raised_of(grad.max, grad.raise);
    const num *weight = c->o->class_weight;
    SL_ROLLED
    for (size_t k = 0; k < c->shape.classes; k++) {
        size_t at = k * c->w.in.step;
        reg t = g->prob ? load_some(g->prob + at, g->n, 0) : c_set1(0), w = c_set1(weight ? weight[k] : 1);
        reg a = capped_grad_at(load_some(g->x + at, g->n, 0), t, w, &grad, c, f);
        store_some(c->grad + g->to + k * c->w.out.step, c_select(c_lt(c_set1(0), grad.none), c_set1(0), a),
                   g->n);
    }
}

SL_NOINLINE void losses_of_capped(loss_call *c)
{
    for (size_t b = 0; b < c->w.blocks; b++)
        for (size_t i = 0, n; i < c->w.rows; i += n) {
            n = least(SL_W, c->w.rows - i);
            loss_rows g = rows_in_place(c, b, i, n);
            targets t, tops;
            row_stats st;
            row_grad grad;
            targets_of(&t, c->target ? c->target + g.row : NULL, &c->w, n, c->o);
            capped_log_sums(g.x, c->w.in, c->shape.classes, n, t.live, c->cap, &st);
            finish_rows(c, &g, &st, &t, &grad, &tops);
            if (!c->grad)
                continue;
            if (contiguous_rows(c->shape))
                grad_of_capped_rows(c, &g, &grad);
            else
                grad_of_capped_columns(c, &g, &grad);
            if (c->target)
                put_entries(c->grad + g.to, &t, n);
        }
}

/* ---- few rows of class ids that all count alike, straight through ---- */

/* The second pass of one. */
SL_INLINE void straight_grad(const loss_call *c, pending_row *row, const row_stats *st, reg x_t, double up)
{
    c_acc sum = c_acc_merge(st->top, st->rest), k = c_acc_times(c_acc_of(w_set1(1)), w_set1(up));
    c_raise by = c_raise_of(k, sum);
    num raise = first_num(by.raise);
    T entry[SL_W];
    store(entry, plain_entry(k, target_parts_of(st, x_t, by).others, sum));
    if (raise != 0) {
        row->frame = c_frame_raised(row->frame, raise);
        row->e = NULL;
    }
    factor_lanes factors = factors_of(c_factor_of(k, c_raised(sum, by)));
    row->k = factor_at(&factors, 0);
    row->entry = entry[0];
    c_factor factor = c_factor_set1(row->k);
    if (c_factor_is_finite(factor))
        emit_row(row, c->shape.classes, EMIT_PRODUCT, CACHED);
    else
        grad_of_row(c, row, 0, (row_grad){.k = factor});
}

/* From row `first` on. */
SL_NOINLINE void losses_of_few(loss_call *c, size_t first)
{
    const sl_loss_options *o = c->o;
    const size_t classes = c->shape.classes;
    const int keeps = c->grad && classes > SL_SHORT && can_hold_exps(c->logits, c->grad);
    log_sum_rows rows;
    log_sum_rows_init(&rows, classes, EMIT_PRODUCT);
    for (size_t r = first; r < c->shape.outer; r++) {
        row_group g = {.x = c->logits + r * c->w.in.block, .classes = classes, .n = 1};
        T *grad = c->grad ? c->grad + r * c->w.out.block : NULL;
        g.place.e = keeps ? (num *)(void *)grad : NULL;
        row_sums of_row;
        log_sum_of_row(&rows, &g, &of_row);
        row_stats st = stats_of_row(&of_row);
        if (!SL_F64 && c_row_value(of_row.rest) < deep_limit(classes)) {
            const deep_rows deep = {.x = g.x, .step = 1, .n = 1, .classes = classes};
            c_acc rest = deep_rests(&deep, st.max, st.rest, st.top);
            rest = c_row_in_all(c_row_of(rest));
            st = stats_from_rarely(st.max, rest, st.top);
        }
        const int none = o->flags & SL_SAFE_ROWS && is_minus_inf(&of_row);
        reg x_t = load_in_all(g.x + c->target[r]);
        if (c->loss) {
            vw cost = cost_of_target(w_set1(1), c_widen(st.max), c_widen(x_t), c_acc_value(st.log_sum));
            num each = none ? 0 : first_num(c_canonical(c_narrow(cost)));
            if (o->reduction == SL_NONE || c->shape.outer == 1) /* one is its own sum and mean */
                c->loss[r] = each;
            else
                total_push(&c->losses, c_set1(each), 1);
        }
        if (grad && none) {
            memset(grad, 0, classes * sizeof *grad);
        } else if (grad) {
            pending_row row = {.x = g.x,
                               .e = g.place.e,
                               .y = grad,
                               .has_unit = 1,
                               .target = (size_t)c->target[r],
                               .frame = c_frame_of(of_row.max)};
            straight_grad(c, &row, &st, x_t, upstream_of_one(o, c->scale, r));
        }
    }
}

/* How many rows go by groups instead. */
SL_INLINE size_t grouped_losses(const loss_call *c, int contiguous)
{
    const sl_loss_options *o = c->o;
    size_t rows = c->shape.outer, classes = c->shape.classes;
    int alike = c->target && !o->class_weight && !o->has_ignore_index && !(o->label_smoothing > 0) &&
                !c->takes_lse && !c->is_capped &&
                !(o->divisor > 0); /* of which one row is not its own mean */
    if (!alike || !contiguous || (c->grad && use_nontemporal(c->grad, rows * classes)))
        return rows;
    return rows_in_groups(rows, classes);
}

/* All others, of which there are so many, or blocks of a shape with strips. */
SL_NOINLINE void losses_of_groups(loss_call *c, size_t grouped)
{
    const sl_loss_options *o = c->o;
    const sl_shape shape = c->shape;
    c->w = walk_of(shape);
    c->w.apart = c->grad && c->w.apart;
    c->own = w_set1(1 - c->smoothing);
    c->share = w_set1(c->smoothing / (double)(int64_t)shape.classes);
    c->weights = (weight_sum){w_set1(0), c_acc_zero()};
    if (c->grad && c->target && c->smoothing > 0)
        c->weights = weights_of(o->class_weight, shape.classes);
    c->has_tops = c->prob || (c->smoothing > 0 &&
                              o->class_weight); /* else no other q than a target's exceeds half of all */
    if (c->is_capped) {
        c->cap = softcap_of(o->softcap);
        c->has_tops = 0;
        losses_of_capped(c);
        return;
    }
    if (!contiguous_rows(shape)) {
        losses_of_strips(c);
        return;
    }
    c->w.rows = grouped;
    if (short_rows(shape) && grouped > SL_W / 4)
        losses_of_transposed(c);
    else
        losses_of_rows(c);
}

SL_NOINLINE void row_losses(const T *logits, const int64_t *target, const T *prob, const sl_shape *s,
                            const sl_loss_options *o, num *loss, T *grad)
{
    size_t rows = s->outer * s->inner;
    if (s->classes == 0) { /* class ids are all ignored, rows of probabilities all count */
        for (size_t r = 0; o->lse && r < rows; r++)
            ((num *)o->lse)[r] = target ? 0 : (num)-INFINITY;
        loss_of_no_classes(o, rows, target ? 0 : rows, loss);
        return;
    }
    loss_call c;
    double count = target ? weight_of_rows(target, rows, o) : (double)(int64_t)rows,
           divisor = c_divisor(o, count);
    c.logits = logits, c.prob = prob, c.target = target, c.o = o, c.grad = grad, c.loss = loss;
    c.shape.outer = s->outer, c.shape.classes = s->classes, c.shape.inner = s->inner;
    c.lse = o->lse;
    c.takes_lse = o->lse || o->z_loss > 0;
    c.is_capped = o->softcap > 0;
    c.smoothing = o->label_smoothing;
    c.scale = c_gradient_scale(o, divisor);
    total_zero(&c.losses);
    const size_t grouped = grouped_losses(&c, contiguous_rows(*s));
    if (grouped > 0) {
        c.shape = *s; /* a copy of all waits for its parts to be stored: not for few rows */
        losses_of_groups(&c, grouped);
    }
    if (grouped < s->outer) {
        c.w.in.block = pitch_in(*s), c.w.out.block = pitch_out(*s);
        losses_of_few(&c, grouped);
    }
    const int is_done = rows == 1 && grouped == 0;
    if (o->reduction != SL_NONE && loss && !is_done)
        *loss = reduced(o, &c.losses, divisor);
}

SL_STATIC void cross_entropy(const T *logits, const int64_t *target, const sl_shape *shape,
                             const sl_loss_options *options, num *loss, T *grad)
{
    row_losses(logits, target, NULL, shape, options, loss, grad);
}

SL_STATIC void cross_entropy_soft(const T *logits, const T *target_prob, const sl_shape *shape,
                                  const sl_loss_options *options, num *loss, T *grad)
{
    row_losses(logits, NULL, target_prob, shape, options, loss, grad);
}

#endif
