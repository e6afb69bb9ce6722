/* SPDX-License-Identifier: MIT
 *
 * The sum of all exponentials but the largest, where it is next to nothing. In f32 a frame leaves out what is 2^-153 of the
 * largest, or less (exp_f32.h), which a loss that is large by its weights, or a gradient that is by its upstream, shows. So the rest
 * is summed once more, in f64, where that may be more than 2^-27 of it. (In f64 the frame leaves out 2^-1144, and so does the rest.)
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

/* Whether what a frame leaves out (exp_f32.h) may be more than 2^-27 of a rest. That of f64 is 2^-1144 of the sum. */
SL_INLINE double deep_limit(size_t classes) { return 0x1p-99 * (double)(int64_t)classes; }

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
/* exp(x - m), or 0 of all but x in (m - 500, m): no factors of f32 bring back more. */
SL_RARE vw deep_exp(reg x, reg max)
{
    vw d = w_sub(c_widen(x), c_widen(max));
    wm counts = wm_andnot(w_lt(w_set1(-500), d), w_nlt(d, w_set1(0)));
    return w_keep(counts, w_exp_sum(w_exp_absolute(w_keep(counts, d), w_set1(W_EXP_MAGIC))).sum);
}

SL_INLINE reg deep_logits(const deep_rows *r, reg a) { return r->cap ? capped_logit(a, *r->cap) : a; }

/* The rests of SL_W rows, where they are so small, once more: in f64 and class after class, so that the layout does not show. No
 * element of these rows but one is the maximum. */
SL_RARE c_acc deep_rests(const deep_rows *rows, reg max, c_acc rest, c_acc top)
{
    const deep_rows r = *rows; /* no store can change it */
    double sum[SL_W], small[SL_W];
    num m[SL_W];
    if (r.classes < 2)
        return rest;
    vw sums = w_set1(0), limit = w_set1(deep_limit(r.classes));
    wm is_small = wm_andnot(w_lt(rest, limit), w_nlt(w_set1(0), top));
    c_store(m, max);
    w_store(small, w_keep(is_small, w_set1(1)));
    for (size_t l = 0; l < SL_W; l++) {
        small[l] = l < r.n && (!r.live || r.live[l] != 0) ? small[l] : 0;
        sum[l] = 0;
    }
    if (r.step != 1) {
        for (size_t c = 0; c < r.classes; c++)
            sums = w_add(sums, deep_exp(deep_logits(&r, load_some(r.x + c * r.step, r.n, 0)), max));
        w_store(sum, sums);
    }
    for (size_t l = 0; l < SL_W && r.step == 1; l++) {
        const T *x = r.x + l * r.pitch;
        const reg low = c_set1(m[l] - 500), top_l = c_set1(m[l]);
        const size_t n = small[l] != 0 ? r.classes : 0;
        for (size_t c = 0; c < n; c += SL_W) {
            double e[SL_W];
            reg a = deep_logits(&r, load_some(x + c, n - c, (num)-INFINITY));
            a = n - c < SL_W ? c_select(c_lt(c_set1(0), c_ones(n - c)), a, c_set1((num)-INFINITY)) : a;
            if (!c_any(c_andnot(c_lt(low, a), c_nlt(a, top_l))))
                continue;
            w_store(e, deep_exp(a, top_l));
            for (size_t k = 0; k < SL_W; k++)
                sum[l] += e[k];
        }
    }
    wm again = w_lt(w_set1(0), w_load(small));
    return w_select(again, w_mul(w_load(sum), top), rest);
}
#endif

#endif
