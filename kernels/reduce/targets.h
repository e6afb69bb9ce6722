/* SPDX-License-Identifier: MIT
 *
 * The targets of up to SL_W rows, looked up by their class ids.
 */
#ifndef SL_REDUCE_TARGETS_H
#define SL_REDUCE_TARGETS_H

#include "schedule/parts.h"
#include "maths/lane_folds.h"
#include "maths/total.h"

/* A class id that does not count. */
SL_INLINE int ignored(const sl_loss_options *o, int64_t target)
{
    return o->has_ignore_index && target == o->ignore_index;
}

typedef struct {
    num live[SL_W];   /* 1, or 0 for an ignored (or missing) row */
    T logit[SL_W];    /* x_t */
    num weight[SL_W]; /* w_t, 0 where not live */
    size_t at[SL_W];  /* where x_t is, where live */
    size_t to[SL_W];  /* where its entry of the gradient goes, if that lies apart */
    T entry[SL_W];    /* that entry */
    int all;          /* whether all are live, and of weight 1 */
    int apart;        /* whether the gradient has other strides than the logits */
} targets;

/* Any targets of n rows. */
SL_RARE void some_targets_of(targets *t, const int64_t *target, const walk *w, size_t n,
                             const sl_loss_options *o)
{
    const num *weight = o->class_weight;
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        int live = l < n && !ignored(o, target[l]);
        size_t c = live ? (size_t)target[l] : 0;
        t->live[l] = (num)live;
        t->at[l] = l * w->in.row + c * w->in.step;
        t->weight[l] = live && weight ? weight[c] : (num)live;
    }
}

/* Where the entries of n rows go. */
SL_RARE void entries_apart(targets *t, const int64_t *target, const strides *out, size_t n,
                           const sl_loss_options *o)
{
    SL_ROLLED
    for (size_t l = 0; l < n; l++)
        t->to[l] = ignored(o, target[l]) ? 0 : l * out->row + (size_t)target[l] * out->step;
}

/* Without the logits. For probabilities (target NULL) all rows are live, and nothing else is said. */
SL_NOINLINE void targets_of(targets *t, const int64_t *target, const walk *w, size_t n,
                            const sl_loss_options *o)
{
    const strides in = w->in; /* no store can change it */
    t->apart = w->apart;
    if (target && t->apart)
        entries_apart(t, target, &w->out, n, o);
    t->all = target && n == SL_W && !o->class_weight && !o->has_ignore_index;
    if (target && !t->all) {
        some_targets_of(t, target, w, n, o);
        return;
    }
    for (size_t l = 0; t->all && l < SL_W; l++)
        t->at[l] = l * in.row + (size_t)target[l] * in.step;
    c_store(t->live, c_set1(1));
    c_store(t->weight, c_set1(1));
    SL_ROLLED
    for (size_t l = n; l < SL_W; l++)
        t->live[l] = 0;
}

/* The logits: after their rows have been read, since each, alone, is a page that nothing has fetched. */
SL_INLINE void logits_of(targets *t, const T *x)
{
    SL_UNROLL
    for (size_t l = 0; l < SL_W; l++)
        t->logit[l] = t->all || t->live[l] != 0 ? x[t->at[l]] : (T){0};
}

/* What a mean over class ids divides by: the sum of the weights of the rows that count. */
SL_NOINLINE double weight_of_rows(const int64_t *target, size_t rows, const sl_loss_options *o)
{
    const num *weight = o->class_weight;
    if (!weight && !o->has_ignore_index)
        return (double)(int64_t)rows;
    total sum;
    total_zero(&sum);
    for (size_t r = 0; r < rows; r += SL_W) {
        num w[SL_W];
        size_t n = least(SL_W, rows - r);
        SL_ROLLED
        for (size_t l = 0; l < SL_W; l++)
            w[l] = l >= n || ignored(o, target[r + l]) ? 0 : weight ? weight[target[r + l]] : 1;
        total_push(&sum, c_load(w), n);
    }
    return total_over(&sum, 1);
}

/* The entries of the targets, which are formed otherwise. */
SL_INLINE void put_entries(T *grad, const targets *t, size_t n)
{
    const size_t *to = t->apart ? t->to : t->at;
    SL_ROLLED
    for (size_t l = 0; l < n; l++)
        if (t->all || t->live[l] != 0)
            grad[to[l]] = t->entry[l];
}

#endif
