/* SPDX-License-Identifier: MIT
 *
 * The sum of all exponentials but the largest, where it is next to nothing. In f32 a frame leaves out what is 2^-153 of the
 * largest, or less (exp_f32.h), which a loss that is large by its weights, or a gradient that is by its upstream, shows. So the rest
 * is summed once more, in f64, where that may be more than 2^-30 of it. (In f64 the frame leaves out 2^-1144, and so does the rest.)
 */
#ifndef SL_REDUCE_DEEP_REST_H
#define SL_REDUCE_DEEP_REST_H

#include "maths/exp_absolute_f64.h"
#include "maths/lane_folds.h"
#include "maths/softcap.h"
#include "schedule/parts.h"

/* Rows whose elements lie `step` apart, or side by side; pitch 0 stands for one row. */
typedef struct {
    const T *x;
    size_t pitch, step, n, classes;
    const num *live;      /* rows whose is 0 are left as they are; NULL: there are none */
    const c_softcap *cap; /* of their logits, or NULL */
} deep_rows;

/* Whether what a frame leaves out (exp_f32.h) may be more than 2^-30 of a rest. That of f64 is 2^-1144 of the sum. */
SL_INLINE double deep_limit(size_t classes) { return 0x1p-96 * (double)(int64_t)classes; }

/* live: 0 in lanes without a row. */
SL_INLINE int may_be_deep(c_acc rest, size_t classes, reg live)
{
    return !SL_F64 && wm_any(w_lt(c_acc_value(rest), w_mul(w_set1(deep_limit(classes)), c_widen(live))));
}

#if SL_F64
SL_INLINE c_acc deep_rests(const deep_rows *rows, reg max, c_acc rest, c_acc top)
{
    (void)rows, (void)max, (void)top;
    return rest;
}
#else
/* exp(x - m), or 0 of all but x in (m - 310, m): u and a sum of q of f32, 2^284 together, bring back no more. */
enum { DEEPEST = 310 };
SL_INLINE vw deep_exp(reg x, reg max)
{
    vw d = w_sub(c_widen(x), c_widen(max));
    wm counts = wm_andnot(w_lt(w_set1(-DEEPEST), d), w_nlt(d, w_set1(0)));
    return w_keep(counts, w_exp_sum(w_exp_absolute(w_keep(counts, d), w_set1(W_EXP_MAGIC))).sum);
}

SL_INLINE reg deep_logits(const deep_rows *r, reg a) { return r->cap ? capped_logit(a, *r->cap) : a; }

/* Of a row that lies in a piece: in lanes, as all sums. */
SL_RARE c_acc deep_rest_of_row(const deep_rows *r, const T *x, reg max)
{
    /* below all that counts, however it is rounded: where 1024 is, no two numbers are nearer to each other than DEEPEST */
    const reg low =
        c_sub(max, c_select(c_lt(c_abs(max), c_set1(0x1p22f)), c_set1(DEEPEST + 1), c_set1(1024)));
    c_acc sum[SL_PARTS];
    SL_ROLLED
    for (size_t j = 0; j < SL_PARTS; j++)
        sum[j] = c_acc_zero();
    SL_ROLLED
    for (size_t i = 0; i < r->classes; i += SL_W) {
        const size_t n = r->classes - i, j = i / SL_W % SL_PARTS;
        reg a = deep_logits(r, load_some(x + i, n, (num)-INFINITY));
        if (!c_any(c_andnot(c_lt(low, a), c_nlt(a, max)))) /* as in rows that are masked but for one class */
            continue;
        if (n < SL_W && r->cap) /* what is missing is -inf still */
            a = c_select(c_lt(c_set1(0), c_ones(n)), a, c_set1((num)-INFINITY));
        sum[j] = c_acc_merge(sum[j], deep_exp(a, max));
    }
    return c_acc_fold(sum);
}

/* Of rows side by side. */
SL_RARE c_acc deep_rest_of_columns(const deep_rows *r, reg max)
{
    c_acc lane[SL_LANES];
    SL_ROLLED
    for (size_t c = 0; c < r->classes; c++) {
        c_acc e = deep_exp(deep_logits(r, load_some(r->x + c * r->step, r->n, 0)), max),
              *sum = lane + c % SL_LANES;
        *sum = c < SL_LANES ? e : c_acc_merge(*sum, e);
    }
    return fold_rows(lane, least(SL_LANES, r->classes));
}

/* The rests of SL_W rows, where they are so small, once more. No element of these rows but one is the maximum. */
SL_RARE c_acc deep_rests(const deep_rows *rows, reg max, c_acc rest, c_acc top)
{
    const deep_rows r = *rows; /* no store can change it */
    double small[SL_W];
    num m[SL_W];
    c_acc_lanes sums;
    if (r.classes < 2)
        return rest;
    c_store(m, max);
    w_store(small,
            w_keep(wm_andnot(w_lt(rest, w_set1(deep_limit(r.classes))), w_nlt(w_set1(0), top)), w_set1(1)));
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        small[l] = l < r.n && (!r.live || r.live[l] != 0) ? small[l] : 0;
        c_acc_put(&sums, l, c_acc_zero());
        if (r.step == 1 && small[l] != 0)
            c_acc_put(&sums, l, deep_rest_of_row(&r, r.x + l * r.pitch, c_set1(m[l])));
    }
    c_acc sum = r.step == 1 ? c_acc_join(&sums) : deep_rest_of_columns(&r, max);
    return w_select(w_lt(w_set1(0), w_load(small)), w_mul(sum, top), rest);
}
#endif

#endif
