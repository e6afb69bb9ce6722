/* SPDX-License-Identifier: MIT
 *
 * The gradient of the class losses of a row, slowly, in numbers without a range (ranged.h):
 *
 *   grad_c = u (p_c (W + 2 z lse) - q_c),   p_c = e_c / sum,   e_c = exp(x_c - m)
 *
 * with the names of cross_entropy.h. For rows where the ordinary way loses digits that the result has, since it
 *
 * - leaves out terms that are small beside the maximum, and a large u W brings them back;
 * - rounds u (1 - s) and u s / classes to the unit's type before weights multiply them;
 * - in f64 has 1 - p, or u W, outside of the range where the product of both is within.
 *
 * Which rows these are find_ranged_rows() says: by their exponents, and then by whether there is an element that shows it.
 *
 * Every factor is rounded once, exponentials and sums are in two parts: in f64 e_c 0.4 x 2^-53, sum 1.4, u W / sum 2.0, the product
 * 1.0, of the target 4.8; more for q, as there. In f32 all of this is nothing, and one rounding is left.
 */
#ifndef SL_REDUCE_RANGED_GRAD_H
#define SL_REDUCE_RANGED_GRAD_H

#include "maths/lane_folds.h"
#include "maths/log.h"
#include "maths/ranged.h"
#include "maths/softcap.h"
#include "maths/total.h"
#include "schedule/parts.h"

/* What is the same for all rows of a call. */
typedef struct {
    const sl_loss_options *o;
    size_t classes;            /* columns */
    size_t first, all_classes; /* the class of the first column, of so many */
    double divisor;
    const c_softcap *cap; /* or NULL */
} ranged_call;

/* A row; and SL_W of them, `pitch` apart. */
typedef struct {
    const T *x, *prob;          /* prob may be NULL */
    size_t pitch, step, n, row; /* row: the number of the first */
} ranged_rows;

typedef struct {
    const ranged_call *call;
    const T *x, *prob;
    size_t step;
    size_t target; /* a class, or SIZE_MAX */
    double m;      /* the maximum, or the log-sum-exp */
    ranged up, own, share;
    ranged all, sum; /* sum of q, and 2 z lse; of exponentials */
    ranged others;   /* of exponentials without the target's */
} ranged_row;

SL_RARE double ranged_element(const T *p) { return (double)first_num(load_n(p, 1, 0)); }

SL_RARE double ranged_logit(const ranged_row *r, size_t i, ranged *slope)
{
    double x = ranged_element(r->x + i * r->step);
    *slope = (ranged){1, 0};
    if (!r->call->cap)
        return x;
    cap_slope s;
    double capped = (double)first_num(capped_apart(c_set1((num)x), *r->call->cap, &s));
    *slope = ranged_times(ranged_number((double)first_num(s.a)), ranged_number((double)first_num(s.b)));
    return capped;
}

/* q of a class. */
SL_RARE ranged ranged_q(const ranged_row *r, size_t c)
{
    const num *weight = r->call->o->class_weight;
    ranged q = r->share;
    if (r->prob)
        q = ranged_plus(ranged_times(r->own, ranged_number(ranged_element(r->prob + c * r->step))), q);
    else if (c == r->target)
        q = ranged_plus(r->own, q);
    return weight ? ranged_times(q, ranged_number((double)weight[c])) : q;
}

/* The sum of all q, or of all exponentials, without one of them. */
enum { RANGED_Q, RANGED_EXP };

SL_RARE ranged ranged_total(const ranged_row *r, int what, size_t but)
{
    ranged_sum sum = {0, 0, 0};
    const size_t n = what == RANGED_Q ? r->call->all_classes : r->call->classes;
    if (what == RANGED_Q && !r->prob && r->share.part == 0)
        return but == r->target ? (ranged){0, 0} : ranged_q(r, r->target);
    SL_ROLLED
    for (size_t i = 0; i < n; i++) {
        if (i == but)
            continue;
        if (what == RANGED_Q) {
            ranged q = ranged_q(r, i);
            ranged_add(&sum, q.part, q.power);
        } else {
            ranged slope;
            ranged_sum e = ranged_exp(ranged_logit(r, i, &slope), r->m);
            ranged_add(&sum, e.sum, e.power);
            ranged_add(&sum, e.lost, e.power);
        }
    }
    return ranged_of_sum(sum);
}

SL_INLINE ranged_row ranged_row_of(const ranged_call *c, const ranged_rows *g, size_t l, size_t row,
                                   size_t target, double m)
{
    const double s = c->o->label_smoothing;
    return (ranged_row){.call = c,
                        .x = g->x + l * g->pitch,
                        .prob = g->prob ? g->prob + l * g->pitch : NULL,
                        .step = g->step,
                        .target = target,
                        .m = m,
                        .up = ranged_upstream(c->o, c->divisor, row),
                        .own = ranged_number(1 - s),
                        .share =
                            ranged_over(ranged_number(s), ranged_number((double)(int64_t)c->all_classes))};
}

/* 2 z lse of a row */
SL_INLINE ranged ranged_pull(const ranged_call *c, double lse)
{
    return ranged_times(ranged_number(2 * c->o->z_loss), ranged_number(lse));
}

/* u (p (W - q) - (1 - p) q) */
SL_RARE ranged ranged_entry(const ranged_row *r, ranged e, ranged q, ranged q_others, ranged e_others)
{
    ranged more = ranged_times(ranged_times(r->up, q_others), ranged_over(e, r->sum));
    ranged less = ranged_times(ranged_times(r->up, q), ranged_over(e_others, r->sum));
    return ranged_plus(more, ranged_minus(less));
}

/* To y, which may be x. `top`: a column whose entry is formed as the target's, or SIZE_MAX; top_others: the sum of the other
 * exponentials. */
SL_RARE void ranged_grad(const ranged_row *r, ranged pull, size_t top, ranged top_others, T *y,
                         size_t step_out)
{
    const ranged factor = ranged_over(ranged_times(r->up, ranged_plus(r->all, pull)), r->sum);
    ranged of_target = {0, 0}, of_top = {0, 0};
    if (r->target < r->call->all_classes)
        of_target = ranged_plus(ranged_total(r, RANGED_Q, r->target), pull);
    if (top < r->call->classes)
        of_top = ranged_plus(ranged_total(r, RANGED_Q, top), pull);
    SL_ROLLED
    for (size_t i = 0; i < r->call->classes; i++) {
        const size_t c = r->call->first + i;
        ranged slope, q = ranged_q(r, c), entry;
        ranged_sum e = ranged_exp(ranged_logit(r, i, &slope), r->m);
        if (c == r->target)
            entry = ranged_entry(r, ranged_of_sum(e), q, of_target, r->others);
        else if (i == top)
            entry = ranged_entry(r, ranged_of_sum(e), q, of_top, top_others);
        else {
            double product = SL_ROUNDED(factor.part * e.lost) + SL_ROUNDED(factor.part * e.sum);
            entry =
                ranged_plus(ranged_of(product, factor.power + e.power), ranged_minus(ranged_times(r->up, q)));
        }
        store_n(y + i * step_out, c_canonical(c_set1((num)ranged_value(ranged_times(entry, slope)))), 1);
    }
}

/* ---- which rows ---- */

/* Exponents: of the smallest number of L, and of the smallest exponential in a frame; how much larger one is good to all its digits;
 * the largest factor that is far enough from the range's end. */
enum {
    LEAST_POWER = SL_F64 ? -1074 : -149,
    CUT_POWER = SL_F64 ? -1000 : -126,
    CUT_DIGITS = SL_F64 ? 56 : 28,
    MOST_POWER = SL_F64 ? 900 : 120,
    FACTOR_POWER =
        180, /* of f64's u W, from which on e times the factor without its unit may be denormal (factor.h) */
    SAFE_POWER = LEAST_POWER - CUT_POWER -
                 3 /* of u W / sum: what is cut is less than an eighth of the smallest number */
};

/* No row of so many classes needs care for what is cut, if all its exponentials are multiplied by less than this. */
SL_INLINE num ranged_most(size_t classes)
{
    return (num)(exact_scale(1, SAFE_POWER - 8) / (double)(int64_t)(classes + 1));
}

/* Of SL_W rows; rest and top in their frames. Where all is 0 nobody cares. */
typedef struct {
    double up[SL_W], all[SL_W], rest[SL_W], top[SL_W];
    num max[SL_W];
} ranged_terms;

/* Lanes of which some element is between low and high. */
SL_RARE void ranged_scan(const T *x, const ranged_rows *g, size_t classes, const num low[SL_W],
                         const num high[SL_W], num found[SL_W])
{
    if (g->step != 1) {
        reg any = c_set1(0);
        SL_ROLLED
        for (size_t c = 0; c < classes; c++) {
            reg a = load_some(x + c * g->step, g->n, 0);
            mask in = c_andnot(c_lt(c_load(low), a), c_nlt(a, c_load(high)));
            any = c_select(in, c_set1(1), any);
        }
        c_store(found, any);
        return;
    }
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        const reg above = c_set1(low[l]), below = c_set1(high[l]);
        reg any = c_set1(0);
        const size_t n = l < g->n && low[l] < high[l] ? classes : 0;
        for (size_t c = 0; c < n; c += SL_W) {
            reg a = load_some(x + l * g->pitch + c, n - c, high[l]);
            any = c_select(c_andnot(c_lt(above, a), c_nlt(a, below)), c_set1(1), any);
        }
        found[l] = (num)c_any(c_lt(c_set1(0), any));
    }
}

SL_RARE int64_t power_of(double a) { return a == 0 ? -100000 : ranged_number(a).power; }

/* care[l] for each row: whether it is to be done by ranged_grad. Returns whether any is. What makes a row one also makes its caller
 * ask, so that no neighbour decides. */
SL_NOINLINE int find_ranged_rows(const ranged_call *c, const ranged_rows *g, const ranged_terms *t,
                                 num care[SL_W])
{
    const double ln2 = 0x1.62e43p-1, s = c->o->label_smoothing;
    const int has_weights = c->o->class_weight != NULL;
    const int64_t n = power_of((double)(int64_t)c->classes) + 1;
    const int64_t own = power_of(1 - s), share = power_of(s) - n;
    num low[SL_W], high[SL_W], from[SL_W], to[SL_W], found[SL_W];
    int any = 0, scans = 0, scans_prob = 0;
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        care[l] = low[l] = high[l] = from[l] = to[l] = 0;
        if (l >= g->n || c->divisor == 0 || t->all[l] == 0 || !(t->top[l] > 0) || t->rest[l] != t->rest[l])
            continue;
        const int64_t up = SL_F64 ? ranged_upstream(c->o, c->divisor, g->row + l).power : power_of(t->up[l]),
                      size = up + power_of(t->all[l]) + 2, top = power_of(t->top[l]),
                      rest = power_of(t->rest[l]), factor = size - (rest > top ? rest : top);
        const int is_cut =
            factor > SAFE_POWER || (factor + n > SAFE_POWER && rest < n + CUT_POWER + CUT_DIGITS) ||
            (SL_F64 &&
             (size > FACTOR_POWER || (size > 2 && (rest - top < -960 || s > 0 || c->o->z_loss > 0))));
        care[l] = size > MOST_POWER || (has_weights && (g->prob || s > 0) && up > MOST_POWER) ||
                  (has_weights && g->prob && up + own < LEAST_POWER + CUT_DIGITS + 20) ||
                  (has_weights && s > 0 && up + share < LEAST_POWER + CUT_DIGITS + 20) ||
                  (SL_F64 && has_weights && (power_of(t->all[l]) < -900 || up < -900));
        if (is_cut) { /* if there is such an element that counts */
            const double max = (double)t->max[l];
            low[l] = (num)(max - (double)(size + n - LEAST_POWER + 6) * ln2);
            const int64_t down = top - CUT_POWER - CUT_DIGITS;
            high[l] = (num)(max - (double)(down < 940 ? down : 940) * ln2);
            scans = 1;
        }
        if (has_weights && g->prob && !(s > 0)) { /* u t_c is rounded before w_c multiplies it */
            const int64_t most = LEAST_POWER + (SL_F64 ? 53 : 24) - up;
            to[l] = (num)exact_scale(1, most < -1000 ? -1000 : most < 2 ? most : 2);
            scans_prob = 1;
        }
    }
    if (scans) {
        ranged_scan(g->x, g, c->classes, low, high, found);
        for (size_t l = 0; l < SL_W; l++)
            care[l] = care[l] != 0 || found[l] != 0;
    }
    if (scans_prob) {
        ranged_scan(g->prob, g, c->classes, from, to, found);
        for (size_t l = 0; l < SL_W; l++)
            care[l] = care[l] != 0 || found[l] != 0;
    }
    for (size_t l = 0; l < SL_W; l++)
        any |= care[l] != 0;
    return any;
}

#endif
