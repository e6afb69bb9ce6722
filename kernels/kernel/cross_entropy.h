/* SPDX-License-Identifier: MIT
 *
 * Categorical cross-entropy, with class ids or with a probability for every class, and its gradient:
 *
 *   q_c    = w_c ((1 - s) t_c + s / classes)         t_c the probability, or 1 for the target and 0 for others
 *   loss   = sum_c q_c ((m - x_c) + log_sum)         m, log_sum of stats.h
 *   grad_c = u (p_c W - q_c),   p = softmax(x),  W = sum_c q_c,  u the upstream gradient
 *
 * All terms of the loss are >= 0 and in f64, and it is rounded once: its error is that of log_sum, and a rounding that may
 * cross a power of two. f32: bound on any input 3.2 (no FMA: 3.4), tested 2.0. f64: 3.2, and each of q's factors, products and
 * sums costs a rounding: 1 for weights, 3 for smoothing; with a probability for every class m - x_c, its product and the sum of
 * all q do, too: 4.7 (no FMA, whose sum of products rounds twice: 5.7). Smoothing and probabilities read the row a second time:
 * m - x_c cannot cancel, a sum of x_c from one read could.
 *
 * Gradient, any input, in units as in softmax.h. f32: e_c 1.06, S 2.06, the product's rounding 1.0: 4.2 (no FMA: 4.3). Then
 * what is subtracted: u s / classes is rounded to f32, and so is its product with w_c without FMA: 2 and 1 more; u t_c 1.0, and
 * the difference 0.5: 5.7 (5.8). f64: 1.25, 1.25 and 1.0, for the target, whose factors are rounded apart, 4.3: bound 5.0; with
 * probabilities 3.5 + 1.0 + 0.5: 5.1; q costs 2 roundings more for weights and 4 for smoothing, since both terms have it. u of
 * a mean is a rounding in either.
 *
 * The gradient is a second pass: e_c, kept by the first or computed again, times u W / S (factor.h), less u q_c. That
 * difference loses digits that the result has where both p_c and q_c / W are near 1, and only there:
 *
 *   p_c W - q_c = p_c (W - q_c) - (1 - p_c) q_c
 *
 * So the entry of a class id's target is formed as the right side, and so is that of the largest class where p_c > 1/2 and
 * q_c > W / 2. (Else each term on the left is at most twice the sum of those on the right.) 1 - p_c is the sum of the other
 * exponentials: if x_c is the maximum, the rest of stats.h; else e_c is at most half of S and the difference loses one bit.
 * W - q_c is the sum of the other q, formed likewise (weights_of, charges_of).
 */
#ifndef SL_KERNEL_CROSS_ENTROPY_H
#define SL_KERNEL_CROSS_ENTROPY_H

#include "reduce/stats.h"
#include "reduce/targets.h"

/* Which sums over the classes of a row. */
enum { GAPS, NO_GAPS, OTHERS };

/* ---- sum_c q_c (m - x_c) and sum_c q_c of SL_W rows ---- */

typedef struct {
    c_acc gaps, weight;
} charges;

/* (m - x) / 2: in f64 the difference itself may leave the range of a finite loss. */
SL_INLINE vw half_gap(vw max, vw x) { return w_sub(w_mul(max, w_set1(0.5)), w_mul(x, w_set1(0.5))); }

/* A class id's own term is added elsewhere: its t is NULL and own is 0. q = 0 takes its class out even where
 * x is -inf or the difference overflows. which: GAPS, or NO_GAPS where nobody wants the loss, or OTHERS without the q of the
 * largest class (walk.h). */
SL_INLINE charges charge(charges sum, reg x, reg t, reg weight, vw max, vw own, vw share, int which)
{
    vw zero = w_set1(0), gap = zero, q = w_mul(c_widen(weight), w_fma(own, c_widen(t), share));
    if (which == OTHERS)
        q = w_select(w_eq(c_widen(x), max), zero, q);
    if (which == GAPS)
        gap = w_select(w_eq(q, zero), zero, half_gap(max, c_widen(x)));
    return (charges){c_acc_add(sum.gaps, w_mul(w_add(q, q), gap)), c_acc_add(sum.weight, q)};
}

SL_INLINE charges charges_row(const T *x, const T *t, const num *weight, size_t classes, num max, vw own,
                              vw share, int which)
{
    c_acc gaps[SL_PARTS], weights[SL_PARTS];
    for (size_t j = 0; j < SL_PARTS; j++)
        gaps[j] = weights[j] = c_acc_zero();
    for (size_t i = 0; i < classes; i += SL_LANES)
        for (size_t j = 0; j < SL_PARTS; j++) {
            size_t at = least(i + j * SL_W, classes), n = classes - at;
            reg w = weight ? c_load_n(weight + at, n, 0) : c_ones(n);
            charges sum = {gaps[j], weights[j]};
            sum = charge(sum, load_some(x + at, n, (num)-INFINITY), t ? load_some(t + at, n, 0) : c_set1(0),
                         w, w_set1(max), own, share, which);
            gaps[j] = sum.gaps;
            weights[j] = sum.weight;
        }
    return (charges){c_acc_fold(gaps), c_acc_fold(weights)};
}

/* Rows that are not live may have gaps that overflow: they are read as zeros. */
SL_INLINE charges charges_side(const T *x, const T *t, const num *weight, size_t classes, size_t step,
                               size_t n, reg live, reg max, vw own, vw share, int which)
{
    c_acc gaps[SL_LANES], weights[SL_LANES];
    mask lives = c_lt(c_set1(0), live);
    max = c_keep(lives, max);
    for (size_t l = 0; l < SL_LANES; l++)
        gaps[l] = weights[l] = c_acc_zero();
    for (size_t c = 0; c < classes; c++) {
        size_t l = c % SL_LANES;
        charges sum = {gaps[l], weights[l]};
        sum = charge(sum, c_keep(lives, load_some(x + c * step, n, 0)),
                     t ? load_some(t + c * step, n, 0) : c_set1(0), c_set1(weight ? weight[c] : 1),
                     c_widen(max), own, share, which);
        gaps[l] = sum.gaps;
        weights[l] = sum.weight;
    }
    size_t used = least(SL_LANES, classes);
    return (charges){c_fold_rows(gaps, used), c_fold_rows(weights, used)};
}

SL_INLINE charges charges_with(const T *x, const T *t, const num *weight, sl_shape shape, size_t n,
                               const num *live, reg max, vw own, vw share, int which)
{
    if (shape.inner != 1)
        return charges_side(x, t, weight, shape.classes, shape.inner, n, c_load(live), max, own, share,
                            which);
    num m[SL_W];
    c_acc_lanes gaps, weights;
    c_store(m, max);
    for (size_t l = 0; l < SL_W; l++) {
        charges sum = {c_acc_zero(), c_acc_zero()};
        size_t at = l * shape.classes;
        if (l < n && live[l] != 0)
            sum = charges_row(x + at, t ? t + at : NULL, weight, shape.classes, m[l], own, share, which);
        c_acc_put(&gaps, l, sum.gaps);
        c_acc_put(&weights, l, sum.weight);
    }
    return (charges){c_acc_join(&gaps), c_acc_join(&weights)};
}

SL_NOINLINE charges charges_of(const T *x, const T *t, const num *weight, sl_shape shape, size_t n,
                               const num *live, reg max, vw own, vw share, int costs)
{
    return charges_with(x, t, weight, shape, n, live, max, own, share, costs ? GAPS : NO_GAPS);
}

/* Their q without that of the largest class, of which there is only one. */
SL_NOINLINE vw other_charges(const T *x, const T *t, const num *weight, sl_shape shape, size_t n,
                             const num *live, reg max, vw own, vw share)
{
    charges sum = charges_with(x, t, weight, shape, n, live, max, own, share, OTHERS);
    return c_acc_value(sum.weight);
}

/* ---- the gradient ---- */

/* Of SL_W rows: e_c k - w_c (own t_c + share), everything times the upstream gradient; 0 where not live, and
 * NaN for a NaN row. */
typedef struct {
    reg max;
    c_factor k;
    reg own, share;
    reg none; /* 1: the row is zeros */
} row_slope;

SL_INLINE reg slope_at(reg e, c_factor k, reg t, reg weight, reg own, reg share, int soft, int shared)
{
    reg g = c_times_unit(e, k);
    if (soft)
        return c_fnma(weight, c_fma(own, t, share), g);
    return shared ? c_fnma(weight, share, g) : g;
}

SL_INLINE int finite_factor(c_factor k)
{
    return c_all(c_lt(c_add(c_abs(k.high), k.unit), c_set1((num)INFINITY)));
}

/* Whether there is nothing but e k: no weights, no probabilities, no smoothing, and k is finite: then so is e, and no
 * result is NaN. */
SL_INLINE int is_product(c_factor k, const T *t, int shared) { return !t && !shared && finite_factor(k); }

/* One row, with e, unless that is NULL; its own lane of the slope in all lanes. */
SL_NOINLINE void slope_row(const seen_row *row, const T *t, const num *weight, size_t classes, num own,
                           num share, int shared, c_exp_table table)
{
    c_vframe f = c_frame_set1(row->frame);
    for (size_t i = 0; i < classes; i += SL_W) {
        size_t n = classes - i;
        reg e = row->e ? c_load_n(row->e + i, n, 0)
                       : c_exp_in_frame(c_less_shift(load_some(row->x + i, n, (num)-INFINITY), f), f, table);
        reg w = weight ? c_load_n(weight + i, n, 0) : c_set1(1), p = t ? load_some(t + i, n, 0) : c_set1(0);
        reg g = slope_at(e, row->factor, p, w, c_set1(own), c_set1(share), t != NULL, shared);
        store_some(row->y + i, c_canonical(g), n);
    }
    if (row->target < classes)
        row->y[row->target] = row->entry;
}

/* Rows side by side, one register of n <= SL_W or ABREAST full ones. plain: is_product, and no row of zeros. */
SL_INLINE void slope_side_of(const T *x, const T *t, const num *weight, T *grad, size_t classes, size_t step,
                             size_t registers, size_t n, int full, int plain, const row_slope *s, int shared,
                             c_exp_table table)
{
    c_vframe f[ABREAST];
    mask none[ABREAST];
    for (size_t k = 0; k < registers; k++) {
        f[k] = c_vframe_of(s[k].max);
        none[k] = c_lt(c_set1(0), s[k].none);
    }
    for (size_t c = 0; c < classes; c++) {
        reg w = c_set1(weight ? weight[c] : 1);
        for (size_t k = 0; k < registers; k++) {
            size_t at = c * step + k * SL_W;
            reg e = c_exp_in_frame(c_less_shift(load_part(x + at, n, full, 0), f[k]), f[k], table), g;
            if (plain) {
                g = c_times_unit(e, s[k].k);
            } else {
                reg p = t ? load_part(t + at, n, full, 0) : c_set1(0);
                g = slope_at(e, s[k].k, p, w, s[k].own, s[k].share, t != NULL, shared);
                g = c_select(none[k], c_set1(0), c_canonical(g));
            }
            store_part(grad + at, g, n, full);
        }
    }
}

/* `registers` full ones. */
SL_INLINE void slope_abreast(const T *x, const T *t, const num *weight, T *grad, size_t classes, size_t step,
                             size_t registers, const row_slope *s, int shared, c_exp_table table)
{
    int plain = !t && !shared;
    for (size_t k = 0; k < registers; k++)
        plain = plain && !c_any(c_lt(c_set1(0), s[k].none)) && finite_factor(s[k].k);
    if (plain)
        slope_side_of(x, NULL, NULL, grad, classes, step, registers, SL_W, 1, 1, s, 0, table);
    else
        slope_side_of(x, t, weight, grad, classes, step, registers, SL_W, 1, 0, s, shared, table);
}

SL_INLINE void slope_side(const T *x, const T *t, const num *weight, T *grad, size_t classes, size_t step,
                          size_t n, row_slope s, int shared, c_exp_table table)
{
    if (n >= SL_W)
        slope_abreast(x, t, weight, grad, classes, step, 1, &s, shared, table);
    else
        slope_side_of(x, t, weight, grad, classes, step, 1, n, 0, 0, &s, shared, table);
}

SL_NOINLINE void slope_panel(const T *x, const T *t, const num *weight, T *grad, size_t classes, size_t step,
                             const row_slope s[ABREAST], int shared, c_exp_table table)
{
    slope_abreast(x, t, weight, grad, classes, step, ABREAST, s, shared, table);
}

/* The sum of the class weights: the largest, and all others. What is left of that without any one of them loses no more than
 * a bit. */
typedef struct {
    vw largest;
    c_acc others;
} weight_sum;

SL_NOINLINE weight_sum weights_of(const num *weight, size_t classes)
{
    if (!weight)
        return (weight_sum){w_set1(1), c_acc_of(w_set1((double)(int64_t)classes - 1))};
    reg top = c_set1((num)-INFINITY);
    for (size_t i = 0; i < classes; i += SL_W)
        top = c_max(c_load_n(weight + i, classes - i, (num)-INFINITY), top);
    num largest = c_fold_max(top);
    size_t at = 0;
    while (at < classes && weight[at] != largest)
        at++;
    c_acc others[SL_PARTS];
    for (size_t j = 0; j < SL_PARTS; j++)
        others[j] = c_acc_zero();
    for (size_t i = 0; i < classes; i += SL_LANES)
        for (size_t j = 0; j < SL_PARTS; j++) {
            size_t first = least(i + j * SL_W, classes);
            num w[SL_W];
            c_store(w, c_load_n(weight + first, classes - first, 0));
            if (at - first < SL_W)
                w[at - first] = 0;
            others[j] = c_acc_add(others[j], c_widen(c_load(w)));
        }
    return (weight_sum){w_set1(at < classes ? largest : 0), c_acc_fold(others)};
}

/* Without w. */
SL_INLINE vw other_weights(weight_sum sum, vw w)
{
    c_acc rest = c_acc_minus(c_acc_add(sum.others, sum.largest), c_acc_of(w));
    return w_select(w_eq(w, sum.largest), c_acc_value(sum.others), c_acc_value(rest));
}

/* u (p (W - q) - (1 - p) q), canonical, from what each of the terms is made of; 0 where not wanted. */
SL_INLINE reg entry_of(vw up, vw p, vw q_others, vw p_others, vw q, mask none)
{
    vw value = w_fnma(w_mul(up, q), p_others, w_mul(w_mul(up, q_others), p));
    return c_canonical(c_select(none, c_set1(0), c_narrow(value)));
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
        for (size_t l = 0; l < SL_W; l++)
            if (lane[l] == max)
                return i + l;
    }
    return classes;
}

/* That of each row whose max is not NaN; of the others c stays as it is. */
SL_INLINE void classes_at_max(const T *x, walk w, size_t classes, size_t n, const num max[SL_W],
                              size_t c[SL_W])
{
    for (size_t l = 0; l < n && w.step == 1; l++)
        if (max[l] == max[l])
            c[l] = class_at_max(x + l * w.stride, classes, max[l]);
    for (size_t k = 0; k < classes && w.step != 1; k++) {
        reg a = load_some(x + k * w.step, n, (num)NAN);
        if (!c_any(c_eq(a, c_load(max))))
            continue;
        num lane[SL_W];
        c_store(lane, a);
        for (size_t l = 0; l < n; l++)
            c[l] = lane[l] == max[l] ? k : c[l];
    }
}

/* Of n rows: the entries of the largest classes that have more than half of both, of p and of q; not of those that are
 * targets. target: class ids, or NULL where p are probabilities. */
SL_NOINLINE targets tops_of(const T *x, const int64_t *target, const T *p, const num *weight,
                            const weight_sum *weights, sl_shape shape, walk w, size_t n, const targets *t,
                            row_stats st, c_acc all_q, vw own, vw share, vw up)
{
    targets top = {.all = 0};
    double rest[SL_W], largest[SL_W], again[SL_W];
    num max[SL_W], of_class[SL_W], wanted[SL_W];
    T prob[SL_W];
    size_t c[SL_W];
    w_store(rest, c_acc_value(st.rest));
    w_store(largest, c_acc_value(st.top));
    c_store(max, st.max);
    for (size_t l = 0; l < SL_W; l++) {
        c[l] = shape.classes;
        if (!(l < n && t->live[l] != 0 && rest[l] < largest[l]))
            max[l] = (num)NAN;
    }
    classes_at_max(x, w, shape.classes, n, max, c);
    for (size_t l = 0; l < SL_W; l++) {
        int found = c[l] < shape.classes && !(target && (size_t)target[l] == c[l]);
        top.live[l] = (num)found;
        top.at[l] = l * w.stride + c[l] * w.step;
        of_class[l] = !found ? 0 : weight ? weight[c[l]] : 1;
        prob[l] = found && p ? p[top.at[l]] : (T){0};
    }
    vw w_c = c_widen(c_load(of_class)), own_p = c_widen(load(prob));
    vw q = w_mul(w_c, w_fma(p ? own : w_set1(0), own_p, share)), sum_q = c_acc_value(all_q), q_others;
    c_acc sum = c_acc_merge(st.top, st.rest);
    vw p_c = c_acc_value(c_acc_over(st.top, sum)), p_others = c_acc_value(c_acc_over(st.rest, sum));
    wm half = w_lt(sum_q, w_add(q, q));
    w_store(again, w_keep(half, w_set1(1)));
    for (size_t l = 0; l < SL_W; l++)
        top.live[l] = again[l] != 0 ? top.live[l] : 0;
    if (!c_any(c_lt(c_set1(0), c_load(top.live))))
        return top;
    if (p) { /* the difference of the sums will do, unless it is so small that it shows their rounding, and counts */
        vw little = w_set1(sizeof(num) == sizeof(float) ? 0x1p-10 : 0x1p-30);
        q_others = c_acc_value(c_acc_minus(all_q, c_acc_of(q)));
        wm few = wm_andnot(w_lt(q_others, w_mul(sum_q, little)), w_nlt(p_others, little));
        w_store(again, w_keep(few, w_set1(1)));
        int any = 0;
        for (size_t l = 0; l < SL_W; l++) {
            wanted[l] = top.live[l] != 0 && again[l] != 0;
            any |= wanted[l] != 0;
        }
        if (any) {
            vw exact = other_charges(x, p, weight, shape, n, wanted, st.max, own, share);
            q_others = w_select(few, exact, q_others);
        }
    } else {
        q_others = w_fma(own, c_widen(c_load(t->weight)), w_mul(share, other_weights(*weights, w_c)));
    }
    store(top.slope, entry_of(up, p_c, q_others, p_others, q, c_eq(c_load(top.live), c_set1(0))));
    return top;
}

/* How many rows may be read where SL_W of `rows` are to be: the next, too, if they count, which short ones may be read with
 * (lay_side). */
SL_INLINE size_t readable_rows(const sl_loss_options *o, const int64_t *target, size_t classes, size_t rows)
{
    if (!target || !o->has_ignore_index || classes >= 4)
        return rows;
    for (size_t r = SL_W; r < least(rows, SL_W + 3); r++)
        if (ignored(o, target[r]))
            return SL_W;
    return rows;
}

/* The next SL_W of `rows`. entries: NULL, or those of the targets; side: the rows, if they have been laid side by side. */
SL_NOINLINE void slope_rows(const T *x, const T side[SL_BLOCK * SL_W], const num *e, const T *t,
                            const num *weight, T *grad, sl_shape shape, size_t rows, row_slope s, int shared,
                            const targets *entries, seen_rows *later, c_exp_table table)
{
    size_t n = least(SL_W, rows);
    if (shape.inner == 1 && !side_rows(shape)) {
        num max[SL_W], high[SL_W], low[SL_W], unit[SL_W], own[SL_W], share[SL_W], none[SL_W];
        c_store(max, s.max);
        c_store(high, s.k.high);
        c_store(low, s.k.low);
        c_store(unit, s.k.unit);
        c_store(own, s.own);
        c_store(share, s.share);
        c_store(none, s.none);
        for (size_t l = 0; l < n; l++) {
            size_t at = l * shape.classes;
            if (none[l] != 0) {
                memset(grad + at, 0, shape.classes * sizeof *grad);
                continue;
            }
            seen_row *row = later->row + later->n;
            row->x = x + at;
            row->e = e ? e + at : NULL;
            row->y = grad + at;
            row->frame = c_frame_of(max[l]);
            row->factor = (c_factor){c_set1(high[l]), c_set1(low[l]), c_set1(unit[l])};
            row->target = SIZE_MAX;
            if (entries && entries->live[l] != 0) {
                row->target = entries->at[l] - at;
                row->entry = entries->slope[l];
            }
            if (is_product(row->factor, t, shared)) /* with the next first pass */
                later->n++;
            else
                slope_row(row, t ? t + at : NULL, weight, shape.classes, own[l], share[l], shared, table);
        }
        return;
    }
    if (shape.inner != 1) {
        slope_side(x, t, weight, grad, shape.classes, shape.inner, n, s, shared, table);
    } else {
        T prob[SL_BLOCK * SL_W], result[SL_BLOCK * SL_W];
        if (t)
            lay_side(t, shape.classes, rows, NULL, prob);
        slope_side(side, t ? prob : NULL, weight, result, shape.classes, SL_W, SL_W, s, shared, table);
        lay_back(result, shape.classes, rows, grad, 0);
    }
    if (entries)
        put_entries(grad, entries, n);
}

/* ---- all rows; exactly one of target and prob is not NULL ---- */

SL_NOINLINE void row_losses(const T *logits, const int64_t *target, const T *prob, sl_shape shape,
                            const sl_loss_options *o, num *loss, T *grad)
{
    if (shape.classes == 0) { /* class ids are all ignored, rows of probabilities all count */
        size_t rows = shape.outer * shape.inner;
        loss_of_no_classes(o, rows, target ? 0 : rows, loss);
        return;
    }
    c_exp_table table = c_exp_table_load();
    c_frame guess = {0, 0};
    walk w = walk_of(shape);
    total losses;
    total_zero(&losses);
    const num *weight = o->class_weight;
    int fetching = grad && shape.inner != 1 && streams(grad, shape.outer * shape.classes * shape.inner);
    size_t rows = w.blocks * w.rows, many = grad ? rows_at_once(shape) : SL_W;
    /* Long rows: the gradient is the second pass, from memory beside the first one of the next rows. Between them the
     * exponentials are in grad, if it can hold them and may be written twice, or in `kept`, if a row fits, or nowhere. */
    enum { KEPT = KEPT_BYTES / sizeof(num) };
    KEPT_ROWS(kept);
    int keeps = grad && stats_keeps(shape);
    seen_rows before = {.what = SLOPES, .streaming = keeps && streams(grad, shape.outer * shape.classes)};
    int in_grad = keeps && KEEPS(logits, grad) && !before.streaming;
    int in_kept = keeps && !in_grad && shape.classes <= KEPT;
    if (in_kept)
        many = least(many, KEPT / shape.classes);
    double s = o->label_smoothing, classes = (double)(int64_t)shape.classes;
    double count = target ? weight_of_rows(target, rows, o) : (double)(int64_t)rows;
    double divisor = c_divisor(o, count), scale = c_gradient_scale(o, divisor);
    vw own = w_set1(1 - s), share = w_set1(s / classes), zero = w_set1(0);
    int has_tops =
        grad && (prob || (s > 0 && weight)); /* else no other q than a target's exceeds half of all */
    weight_sum weights = {zero, c_acc_zero()};
    if (grad && target && s > 0 && rows > 0) /* of no rows there may be any number of classes */
        weights = weights_of(weight, shape.classes);

    /* Where rows lie side by side, whole panels are read at once and their gradients written at once. */
    T side[SL_BLOCK * SL_W];
    row_stats stats[ABREAST];
    row_slope slopes_of_panel[ABREAST];
    int panel_has_tops[ABREAST];
    targets targets_of_panel[ABREAST], tops_of_panel[ABREAST];

    for (size_t b = 0, row = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += many, row += n) {
            n = least(many, w.rows - i);
            size_t at = b * w.block_stride + i * w.stride, k_of_panel = i % PANEL / SL_W;
            int panel = shape.inner != 1 && i - i % PANEL + PANEL <= w.rows;
            const T *x = logits + at, *p = prob ? prob + at : NULL;
            num *e = in_grad ? (num *)(void *)(grad + at) : in_kept ? kept[i / many % 2] : NULL;
            targets t = targets_of(target ? target + row : NULL, w, n, o);
            row_stats st;
            if (panel && k_of_panel == 0)
                stats_panel(x, fetching ? grad + at : NULL, shape.classes, w.step, table, stats);
            if (panel)
                st = stats[k_of_panel];
            else
                st = stats_of(x, e, side, shape,
                              many == SL_W
                                  ? readable_rows(o, target ? target + row : NULL, shape.classes, w.rows - i)
                                  : n,
                              t.live, &guess, &before, table);
            before.n = 0;
            logits_of(&t, x);

            /* the loss: q of the target and q of all classes */
            vw max = c_widen(st.max), q_t = zero, cost = zero, log_sum = c_acc_value(st.log_sum);
            charges q = {c_acc_zero(), c_acc_zero()};
            if (target && s < 1) { /* never 0 times inf */
                reg weight_t = c_load(t.weight), x_t = load(t.logit);
                q_t = w_mul(own, c_widen(weight_t));
                vw gap = half_gap(max, c_widen(c_select(c_eq(weight_t, c_set1(0)), st.max, x_t)));
                if (loss)
                    cost = w_mul(w_add(q_t, q_t), w_fma(log_sum, w_set1(0.5), gap));
            }
            if (prob || s > 0) {
                q = charges_of(x, p, weight, shape, n, t.live, st.max, prob ? own : zero, share,
                               loss != NULL);
                cost = w_add(cost, w_fma(c_acc_value(q.weight), log_sum, c_acc_value(q.gaps)));
            }
            mask none = c_eq(c_load(t.live), c_set1(0));
            if (o->flags & SL_SAFE_ROWS)
                none = c_or(none, all_minus_inf(st));
            reg each = c_select(none, c_set1(0), c_canonical(c_narrow(cost)));
            if (o->reduction != SL_NONE)
                total_push(&losses, each, n);
            else if (loss)
                c_store_n(loss + row, each, n);
            if (!grad)
                continue;

            vw up = c_upstream_of(o, scale, row, n);
            c_acc sum = c_acc_merge(st.top, st.rest);
            c_acc k = c_acc_times(c_acc_add(q.weight, q_t), up);
            row_slope g = {st.max, c_factor_of(k, sum), c_narrow(w_mul(up, own)), c_narrow(w_mul(up, share)),
                           c_select(none, c_set1(1), c_set1(0))};
            /* in place the gradient overwrites x_t: all that its entry needs is taken first */
            reg x_t = load(t.logit);
            c_vframe f = c_vframe_of(st.max);
            c_acc e_t = c_exp_in_frame_wide(c_less_shift(c_min(st.max, x_t), f), f, table); /* 0 if ignored */
            c_acc e_others = c_acc_merge(st.top, c_acc_minus(st.rest, e_t));
            e_others = c_acc_select(c_eq(x_t, st.max), st.rest, e_others);
            if (target && s > 0) {
                vw w_t = c_widen(c_load(t.weight)), others = w_mul(share, other_weights(weights, w_t));
                vw p_t = c_acc_value(c_acc_over(e_t, sum)), p_others = c_acc_value(c_acc_over(e_others, sum));
                store(t.slope, entry_of(up, p_t, others, p_others, w_fma(share, w_t, q_t), none));
            } else if (target) {
                vw value = w_fnma(c_acc_value(k), c_acc_value(c_acc_over(e_others, sum)), zero);
                store(t.slope, c_canonical(c_select(none, c_set1(0), c_narrow(value))));
            }
            targets tops;
            int any_tops = has_tops && wm_any(w_lt(c_acc_value(st.rest), c_acc_value(st.top)));
            if (any_tops)
                tops = tops_of(x, target ? target + row : NULL, p, weight, &weights, shape, w, n, &t, st,
                               c_acc_add(q.weight, q_t), own, share, up);
            if (panel) {
                slopes_of_panel[k_of_panel] = g;
                targets_of_panel[k_of_panel] = t;
                if (any_tops)
                    tops_of_panel[k_of_panel] = tops;
                panel_has_tops[k_of_panel] = any_tops;
                if (k_of_panel + 1 < ABREAST)
                    continue;
                size_t first = at - (ABREAST - 1) * SL_W;
                slope_panel(logits + first, prob ? prob + first : NULL, weight, grad + first, shape.classes,
                            w.step, slopes_of_panel, s > 0, table);
                for (size_t v = 0; target && v < ABREAST; v++)
                    put_entries(grad + first + v * SL_W, targets_of_panel + v, SL_W);
                for (size_t v = 0; v < ABREAST; v++)
                    if (panel_has_tops[v])
                        put_entries(grad + first + v * SL_W, tops_of_panel + v, SL_W);
                continue;
            }
            slope_rows(x, side, e, p, weight, grad + at, shape, many == SL_W ? w.rows - i : n, g, s > 0,
                       target ? &t : NULL, &before, table);
            if (any_tops)
                put_entries(grad + at, &tops, n);
            if (!before.streaming)
                second_passes(&before, shape.classes, table);
        }
    second_passes(&before, shape.classes, table);
    if (before.streaming)
        stream_end();
    if (o->reduction != SL_NONE && loss)
        *loss = reduced(o, &losses, divisor);
}

SL_STATIC void cross_entropy(const T *logits, const int64_t *target, sl_shape shape,
                             const sl_loss_options *options, num *loss, T *grad)
{
    row_losses(logits, target, NULL, shape, options, loss, grad);
}

SL_STATIC void cross_entropy_soft(const T *logits, const T *target_prob, sl_shape shape,
                                  const sl_loss_options *options, num *loss, T *grad)
{
    row_losses(logits, NULL, target_prob, shape, options, loss, grad);
}

#endif
