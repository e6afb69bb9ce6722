/* SPDX-License-Identifier: MIT
 *
 * Binary cross-entropy, element by element.
 *
 * With logits: L = log1p(exp(-|x|)), the shares P = w p t, N = w (1 - t):
 *
 *   loss = P softplus(-x) + N softplus(x) = s |x| + (P + N) L,    s = x < 0 ? P : N
 *   grad = u (N sigmoid(x) - P sigmoid(-x))
 *
 * For t in [0, 1] both terms of the loss are >= 0: nothing cancels. s = 0 takes |x| out even where it is
 * infinite, and the weights come first, so that no product overflows on the way to a finite loss. Without FMA
 * the rounding error of 1 - t joins the low part of L.
 *
 * Without weights L has up to 1.55 ULP, and 2.0 x 2^-24 of itself; with s, of 1.0 x 2^-24, that is 1.8 ULP of the sum, whose
 * rounding is up to 1.0: bound on any input, f32, 2.9, without FMA 2.8, by machine proof (tests/proofs/lemmas/bce.*), tested 2.0,
 * found 2.42 and 2.10; f64 2.6 by analysis, found 2.48. A weight of the class costs one rounding more, one of the positive term
 * three: p t, p t + 1 - t and its product with L.
 *
 * For t = 0 and t = 1 one sigmoid is left of the gradient: 1.55 x 2^-24 next to x = 0 and a product, as log_sigmoid_backward:
 * bound on any input 2.6 (by machine proof, as all of the gradient in f32), tested 2.0 (no FMA: 4.0), found 2.49. Else the
 * terms may cancel, and are formed in f64 (soft_grad, sigmoid.h): the error of the terms is 2^-36 and one rounding. Each element goes the
 * way of its own t; a register without any of one kind does not compute it. With FMA and one factor for all, f32 pairs
 * do (grad_of_exp, sigmoid.h): whatever t is, and from the exponential of the loss. Elements that these cannot take
 * go the old way by themselves, so that nothing depends on who their neighbours are.
 *
 * Without FMA, in f32: found 2.10 of the loss without weights (3.11 of 3.8 with those of classes). The gradient is in f64, from the
 * parts of the loss's exponential, whatever t is, and rounded once: found 2.19 where terms cancel, 0.52 elsewhere.
 *
 * Of probabilities (logarithms in f64, for f32 good to 2^-34, rounded once; f64: below 1 ULP each):
 *
 *   loss = -w (t max(log p, -100) + (1 - t) max(log(1 - p), -100)),  grad = u w (p - t) / max(p (1 - p), 1e-12)
 *
 * f64, any input: the logarithm 1.6, 1 - t, their product and the sum: 4.6, tested 3.0. Gradient: p - t 1.0, p (1 - p) 1.59
 * (maps.h), the quotient and the product with u, which may cross: 4.6, tested 4.0.
 */
#ifndef SL_KERNEL_BCE_H
#define SL_KERNEL_BCE_H

#include "schedule/parts.h"
#include "maths/lane_folds.h"
#include "maths/log.h"
#include "maths/log1p.h"
#include "maths/sigmoid.h"
#include "maths/total.h"

/* Where an element of a shape stands in its class axis. */
typedef struct {
    size_t c, i;
} class_cursor;

typedef struct {
    reg pos, all; /* of the elements; 1 where there are none */
    int has_pos, has_all;
} bce_weights;

/* log: L */
SL_INLINE reg bce_of(reg x, reg t, bce_weights weights, c_log1p_parts log)
{
    reg a = c_abs(x), zero = c_set1(0), one = c_set1(1);
    reg positive = t, negative = c_sub(one, t), both = one;
#if !SL_FMA
    reg lost = c_sub(c_sub(one, negative), t);
#endif
    if (weights.has_pos) {
        positive = c_mul(weights.pos, t);
        both = c_add(positive, negative);
    }
    if (weights.has_all) {
        positive = c_mul(weights.all, positive);
        negative = c_mul(weights.all, negative);
        both = c_mul(weights.all, both);
    }
#if !SL_FMA && !SL_F64 /* the parts are of one size: a product of each would lose more than that of the sum */
    if (weights.has_pos || weights.has_all) {
        reg sum = c_add(log.high, log.low);
        log = (c_log1p_parts){sum, c_sub(log.low, c_sub(sum, log.high))};
    }
#endif
    if (weights.has_pos || weights.has_all)
        log = (c_log1p_parts){c_mul(both, log.high), c_mul(both, log.low)};
    mask below = c_lt(x, zero);
    reg s = c_select(below, positive, negative);
    a = c_select(c_eq(s, zero), zero, a);
#if SL_FMA
    return c_fma(s, a, log.high);
#else
    if (!weights.has_all)
        log.low = c_add(log.low, c_mul(c_select(below, zero, lost), c_min(c_set1(c_largest_finite), a)));
    return c_add_log1p(c_mul(s, a), log);
#endif
}

#if SL_F64 || SL_FMA
/* up: the upstream gradient. */
SL_INLINE reg bce_grad(reg x, reg t, bce_weights weights, vw up, c_tables tables)
{
    reg zero = c_set1(0), one = c_set1(1), minus = c_set1((num)-0.0);
    mask is_one = c_eq(t, one), soft = c_andnot(c_nle(c_abs(t), zero), is_one);
    vw w = up;
    if (weights.has_all)
        w = w_mul(w, c_widen(weights.all));
    vw wp = weights.has_pos ? w_mul(w, c_widen(weights.pos)) : w;
    reg hard = zero;
    if (!c_all(soft)) {
        reg of = c_select(is_one, c_sub(minus, x), x);
        /* the other one may be out of range */
        wm wide_is_one = w_eq(c_widen(t), w_set1(1));
        reg factor = c_narrow(w_select(wide_is_one, w_sub(w_set1(-0.0), wp), w));
        if (c_sigmoid_is_wide(&of, 1))
            hard = c_times_scaled(factor, c_sigmoid_of(of, RARE, tables));
        else /* the root is 1 */
            hard = c_mul(factor, c_sigmoid_of(of, COMMON, tables).value);
        if (!SL_F64) /* a factor may be out of range where its product is not */
            soft = c_or(soft, c_nlt(c_abs(hard), c_set1((num)INFINITY)));
    }
    if (!c_any(soft))
        return hard;
    vw some = c_soft_grad(x, w_mul(w, w_sub(w_set1(1), c_widen(t))), w_mul(wp, c_widen(t)), tables);
    return c_select(soft, c_narrow(some), hard);
}
#else
/* up: the upstream gradient; e: the parts of exp(-|x|), see signed_sigmoid. */
SL_INLINE reg bce_grad_of_parts(reg x, reg t, bce_weights weights, vw up, exp_parts e)
{
    vw q = c_signed_sigmoid(x, e), yes = v_widen(t), no = w_sub(w_set1(1), yes);
    vm below = v_lt(x, v_set1(0));
    if (weights.has_all)
        up = w_mul(up, v_widen(weights.all));
    if (weights.has_pos) {
        q = w_mul(q, w_add(no, w_mul(yes, v_widen(weights.pos))));
        yes = w_mul(yes, v_widen(v_select(below, weights.pos, v_set1(1))));
    }
    vw rest = w_sub(v_widen(v_select(below, v_set1(0), v_set1(1))), yes);
    return v_narrow(w_mul(up, w_add(rest, q)));
}

SL_INLINE reg bce_grad(reg x, reg t, bce_weights weights, vw up, c_tables tables)
{
    (void)tables;
    exp_parts e;
    reg a = c_abs(x);
    exps_of_sigmoids(&a, 1, &e);
    return bce_grad_of_parts(x, t, weights, up, e);
}
#endif

SL_INLINE reg bce_of_prob(reg p, reg t, bce_weights weights)
{
    c_log_parts is = c_log_parts_of(p), is_not = c_log_parts_of_other(p);
    reg one = c_set1(1);
    vw zero = w_set1(0), cost;
    mask is_one = c_eq(t, one);
    if (c_any(c_andnot(c_nle(c_abs(t), c_set1(0)), is_one))) {
        vw wide_t = c_widen(t), yes = w_mul(wide_t, c_log_of_parts(is));
        cost = w_sub(zero, w_add(yes, w_mul(w_sub(w_set1(1), wide_t), c_log_of_parts(is_not))));
    } else { /* only one logarithm counts */
        cost = w_sub(zero, c_log_of_parts(c_log_parts_select(is_one, is, is_not)));
    }
    return c_narrow(weights.has_all ? w_mul(c_widen(weights.all), cost) : cost);
}

SL_INLINE reg bce_grad_of_prob(reg p, reg t, bce_weights weights, vw up)
{
    vw wide_p = c_widen(p), variance = w_mul(wide_p, w_sub(w_set1(1), wide_p));
    vw entry = c_over(w_sub(wide_p, c_widen(t)), w_max(variance, w_set1(1e-12)));
    vw w = weights.has_all ? w_mul(up, c_widen(weights.all)) : up;
    return c_narrow(w_mul(w, entry));
}

/* w[class] of the next n <= SL_W elements, and 0 beyond; moves the cursor past them. */
SL_INLINE reg class_values(const num *w, const sl_shape *shape, size_t n, class_cursor *at)
{
    num lane[SL_W];
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        lane[l] = l < n ? w[at->c] : 0;
        if (l < n && ++at->i == shape->inner) {
            at->i = 0;
            at->c = at->c + 1 < shape->classes ? at->c + 1 : 0;
        }
    }
    return c_load(lane);
}

#if SL_HAS_GRAD_OF_EXP
/* Where grad_of_exp has an answer, with the factor high + low. */
SL_INLINE int is_plain(const sl_loss_options *o, int with_grad, double scale)
{
    double size = scale < 0 ? -scale : scale;
    return !o->pos_weight && !o->class_weight &&
           (!with_grad || (!(o->upstream && o->reduction == SL_NONE) && size >= 0x1p-60 && size <= 0x1p60));
}

/* Results where grad_of_exp has none. */
SL_NOINLINE reg bce_grad_far(reg x, reg t, double scale, mask far, reg entry)
{
    bce_weights none = {c_set1(1), c_set1(1), 0, 0};
    return c_select(far, bce_grad(x, t, none, w_set1(scale), c_tables_load()), entry);
}

/* The loss, and the gradient if it is not NULL, without weights and with one factor of all gradients. */
SL_INLINE reg plain_bce(reg x, reg t, double scale, c_tables tables, reg *entry)
{
    reg zero = c_set1(0), one = c_set1(1), size = c_abs(x);
    long_exp exp;
    c_log1p_parts log = log1p_and_exp(size, tables, &exp);
    if (entry) {
        num high = (num)scale;
        c_long_factor factor = {c_set1(high), c_set1((num)(scale - (double)high))};
        mask far = c_or(c_nlt(size, c_set1(80)), c_nle(c_abs(t), one));
        *entry = c_grad_of_exp(x, t, exp, factor);
        if (c_any(far))
            *entry = bce_grad_far(x, t, scale, far, *entry);
    }
    reg s = c_select(c_lt(x, zero), t, c_sub(one, t));
    return c_fma(s, c_select(c_eq(s, zero), zero, size), log.high);
}
#endif

/* What a loss is of. */
enum { OF_LOGITS, OF_PROBABILITIES };

/* What is the same for all elements of a call. */
typedef struct {
    const sl_shape *shape;
    size_t count;
    const sl_loss_options *o;
    double divisor, scale;
    int of_prob; /* not of logits */
    int plain;   /* see is_plain */
} bce_call;

/* ---- runs too short for registers ---- */

/* Elements of short runs are gathered, so many at once, where much is computed of each: the part of its last registers that a run
 * does not fill costs as much as the rest. */
enum { GATHERED = 512 };

/* How far a walk over all elements has got: the element, its run of the block, and how many of that are done. */
typedef struct {
    size_t at, r, done;
} run_place;

typedef struct {
    const T *from_x, *from_target;
    T *to;
    runs all;
    run_place in, out;
    T x[GATHERED], target[GATHERED], grad[GATHERED];
} gathered_runs;

/* Moves on by the rest of a run, or by less; returns by how many. */
SL_INLINE size_t advance(run_place *p, const runs *all, strides of, size_t most)
{
    const size_t n = least(most, all->length - p->done);
    p->at += n;
    p->done += n;
    if (p->done == all->length) {
        p->at += run_step(of, p->r, all->of_block) - all->length;
        p->r = p->r + 1 < all->of_block ? p->r + 1 : 0;
        p->done = 0;
    }
    return n;
}

SL_INLINE void gathered_runs_init(gathered_runs *g, const runs *all, const T *x, const T *target, T *grad)
{
    g->from_x = x;
    g->from_target = target;
    g->to = grad;
    g->all = *all;
    g->in = g->out = (run_place){0, 0, 0};
}

/* Of the next n elements x and target; and their gradients, back. */
SL_NOINLINE void gather_runs(gathered_runs *g, size_t n)
{
    for (size_t i = 0, some; i < n; i += some) {
        const size_t at = g->in.at;
        some = advance(&g->in, &g->all, g->all.in, n - i);
        memcpy(g->x + i, g->from_x + at, some * sizeof *g->x);
        memcpy(g->target + i, g->from_target + at, some * sizeof *g->target);
    }
}

SL_NOINLINE void scatter_runs(gathered_runs *g, size_t n)
{
    for (size_t i = 0, some; i < n; i += some) {
        const size_t at = g->out.at;
        some = advance(&g->out, &g->all, g->all.out, n - i);
        memcpy(g->to + at, g->grad + i, some * sizeof *g->grad);
    }
}

/* The next tile, of at most `most` elements from `first` on: where an element is, a pointer and its number say. Returns how
 * many it has. */
SL_INLINE size_t next_gathered(gathered_runs *g, size_t first, size_t most, const T **x, const T **target,
                               T **grad)
{
    const size_t n = least(GATHERED, most);
    gather_runs(g, n);
    *x = g->x - first;
    *target = g->target - first;
    *grad = *grad ? g->grad - first : NULL;
    return n;
}

/* Whether runs are, which are done by so many elements together. */
SL_INLINE int are_gathered(const bce_call *c, const runs *all, size_t together)
{
    return all->length < c->count && all->length < 8 * together && all->length % together != 0;
}

/* From run r to the next: what lies between is left out, so that an element stays where a pointer and its number say. */
SL_INLINE void next_run(const runs *all, size_t *r, const T **x, const T **target, T **grad)
{
    *x += run_step(all->in, *r, all->of_block) - all->length;
    *target += run_step(all->in, *r, all->of_block) - all->length;
    *grad = *grad ? *grad + (run_step(all->out, *r, all->of_block) - all->length) : NULL;
    *r = *r + 1 < all->of_block ? *r + 1 : 0;
}

SL_INLINE void losses_of(bce_call c, const T *x, const T *target, num *loss, T *grad)
{
    const sl_loss_options *o = c.o;
    const double scale = c.scale;
    c_tables tables = c_tables_load();
    total losses;
    total_zero(&losses);
    class_cursor at_pos = {0, 0}, at_all = {0, 0};
    reg one = c_set1(1);
    const runs all = runs_of(*c.shape);
    const int gathered = c.of_prob && are_gathered(&c, &all, SL_W);
    int nontemporal = grad && !gathered && use_nontemporal(grad, c.count);
    size_t count = all.length;
    gathered_runs short_runs;
    if (gathered)
        gathered_runs_init(&short_runs, &all, x, target, grad);
    for (size_t first = 0, r = 0; first < c.count; first += count) {
        if (gathered)
            count = next_gathered(&short_runs, first, c.count - first, &x, &target, &grad);
        const size_t behind = first + count;
        size_t head = first + (nontemporal ? least(count, elements_to_line(grad + first)) : 0);
        /* What lies before the first line that is stored past the caches, and the rest. */
        for (size_t start = first, end = head; start < behind; start = end, end = behind)
            for (size_t e = start; e < end; e += SL_W) {
                size_t n = least(SL_W, end - e);
                __builtin_prefetch((const char *)(x + e) + PREFETCH_BYTES, 0, 2);
                __builtin_prefetch((const char *)(target + e) + PREFETCH_BYTES, 0, 2);
                reg a = load_some(x + e, n, 0), t = load_some(target + e, n, 0), each = one, entry = one;
                bce_weights weights = {one, one, o->pos_weight != NULL, o->class_weight != NULL};
                if (!c.plain && weights.has_pos)
                    weights.pos = class_values(o->pos_weight, c.shape, n, &at_pos);
                if (!c.plain && weights.has_all)
                    weights.all = class_values(o->class_weight, c.shape, n, &at_all);
#if SL_HAS_GRAD_OF_EXP
                if (c.plain)
                    each = plain_bce(a, t, scale, tables, grad ? &entry : NULL);
#endif
                if (!c.plain && loss)
                    each = c.of_prob ? bce_of_prob(a, t, weights)
                                     : bce_of(a, t, weights, c_log1p_exp_minus(c_abs(a), tables));
                if (!c.plain && grad) {
                    vw up = c_upstream_of(o, scale, e, n);
                    entry =
                        c.of_prob ? bce_grad_of_prob(a, t, weights, up) : bce_grad(a, t, weights, up, tables);
                }
                if (loss && o->reduction != SL_NONE)
                    total_push(&losses, each, n);
                else if (loss)
                    c_store_n(loss + e, each, n);
                if (grad && nontemporal && e >= head && n == SL_W)
                    put(grad + e, entry, NONTEMPORAL);
                else if (grad)
                    store_some(grad + e, entry, n);
            }
        if (!gathered)
            next_run(&all, &r, &x, &target, &grad);
        else if (grad)
            scatter_runs(&short_runs, count);
    }
    if (nontemporal)
        stream_end();
    if (o->reduction != SL_NONE && loss)
        *loss = reduced(o, &losses, c.divisor);
}

#if !SL_F64 && !SL_FMA && SL_W > 1
/* ---- without FMA: registers together and step by step, so that many chains of operations overlap ---- */

enum { TOGETHER = SL_16_BITS ? 2 : 4, TOGETHER_WITH_GRAD = 2 };

/* Losses and, if there is room for them, gradients of n registers, without weights and with one factor of all gradients. */
SL_INLINE void plain_bces(const reg *x, const reg *t, size_t n, double scale, reg *each, reg *entry)
{
    bce_weights none = {c_set1(1), c_set1(1), 0, 0};
    exp_parts e[TOGETHER];
    reg a[TOGETHER];
    c_log1p_parts log[TOGETHER];
    SL_EACH(k, n) a[k] = c_abs(x[k]);
    if (entry) {
        exps_of_sigmoids(a, n, e);
        SL_EACH(k, n) entry[k] = bce_grad_of_parts(x[k], t[k], none, w_set1(scale), e[k]);
        c_log1ps_of_sigmoids(e, a, n, log);
    } else {
        c_log1ps_exp_minus(a, n, log);
    }
    SL_EACH(k, n) each[k] = bce_of(x[k], t[k], none, log[k]);
}

SL_INLINE void plain_losses_of(bce_call c, const T *x, const T *target, size_t registers, num *loss, T *grad)
{
    total losses;
    total_zero(&losses);
    const runs all = runs_of(*c.shape);
    const int gathered = are_gathered(&c, &all, registers * SL_W);
    int nontemporal = grad && !gathered && use_nontemporal(grad, c.count),
        reduces = c.o->reduction != SL_NONE;
    size_t count = all.length;
    gathered_runs short_runs;
    if (gathered)
        gathered_runs_init(&short_runs, &all, x, target, grad);
    for (size_t first = 0, r = 0; first < c.count; first += count) {
        if (gathered)
            count = next_gathered(&short_runs, first, c.count - first, &x, &target, &grad);
        const size_t behind = first + count;
        size_t head = first + (nontemporal ? least(count, elements_to_line(grad + first)) : 0);
        for (size_t start = first, end = head; start < behind; start = end, end = behind)
            for (size_t e = start; e < end; e += registers * SL_W) {
                size_t n = end - e;
                reg a[TOGETHER], t[TOGETHER], each[TOGETHER], entry[TOGETHER];
                __builtin_prefetch((const char *)(x + e) + PREFETCH_BYTES, 0, 2);
                __builtin_prefetch((const char *)(target + e) + PREFETCH_BYTES, 0, 2);
                SL_EACH(k, registers) a[k] = load_some(x + e + least(k * SL_W, n), left(n, k * SL_W), 0);
                SL_EACH(k, registers) t[k] = load_some(target + e + least(k * SL_W, n), left(n, k * SL_W), 0);
                plain_bces(a, t, registers, c.scale, each, grad ? entry : NULL);
                SL_UNROLL
                for (size_t k = 0; k < registers; k++) {
                    size_t at = least(k * SL_W, n), m = least(SL_W, n - at);
                    if (loss && reduces)
                        total_push(&losses, each[k], m);
                    else if (loss)
                        c_store_n(loss + e + at, each[k], m);
                    if (grad && nontemporal && e >= head && m == SL_W)
                        put(grad + e + at, entry[k], NONTEMPORAL);
                    else if (grad)
                        store_some(grad + e + at, entry[k], m);
                }
            }
        if (!gathered)
            next_run(&all, &r, &x, &target, &grad);
        else if (grad)
            scatter_runs(&short_runs, count);
    }
    if (nontemporal)
        stream_end();
    if (reduces && loss)
        *loss = reduced(c.o, &losses, c.divisor);
}

SL_NOINLINE void plain_losses(const bce_call *c, const T *x, const T *target, num *loss)
{
    plain_losses_of(*c, x, target, TOGETHER, loss, NULL);
}

SL_NOINLINE void plain_losses_and_grads(const bce_call *c, const T *x, const T *target, num *loss, T *grad)
{
    SL_ASSUME(grad != NULL);
    plain_losses_of(*c, x, target, TOGETHER_WITH_GRAD, loss, grad);
}
#endif

SL_INLINE void element_losses(const T *x, const T *target, const sl_shape *shape, const sl_loss_options *o,
                              num *loss, T *grad, int of_prob)
{
    bce_call c = {
        .shape = shape, .o = o, .of_prob = of_prob, .count = shape->outer * shape->classes * shape->inner};
    c.divisor = c_divisor(o, (double)(int64_t)c.count);
    c.scale = c_gradient_scale(o, c.divisor);
#if SL_HAS_GRAD_OF_EXP
    c.plain = !of_prob && is_plain(o, grad != NULL, c.scale);
    if (c.plain && grad) {
        c.plain = 1;
        losses_of(c, x, target, loss, grad);
        return;
    }
    if (c.plain) {
        c.plain = 1;
        losses_of(c, x, target, loss, NULL);
        return;
    }
#endif
#if !SL_F64 && !SL_FMA && SL_W > 1
    if (!of_prob && !o->pos_weight && !o->class_weight && !(grad && o->upstream && o->reduction == SL_NONE)) {
        if (grad)
            plain_losses_and_grads(&c, x, target, loss, grad);
        else
            plain_losses(&c, x, target, loss);
        return;
    }
#endif
    c.plain = 0;
    losses_of(c, x, target, loss, grad);
}

SL_STATIC void bce_with_logits(const T *logits, const T *target, const sl_shape *shape,
                               const sl_loss_options *options, num *loss, T *grad)
{
    element_losses(logits, target, shape, options, loss, grad, OF_LOGITS);
}

SL_STATIC void bce(const T *prob, const T *target, const sl_shape *shape, const sl_loss_options *options,
                   num *loss, T *grad)
{
    element_losses(prob, target, shape, options, loss, grad, OF_PROBABILITIES);
}

#endif
