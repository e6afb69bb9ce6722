/* SPDX-License-Identifier: MIT
 *
 * Softmax of strips (schedule/strip.h): sums and maxima of neighbouring rows, and their results.
 */
#ifndef SL_REDUCE_STRIP_EXP_SUM_H
#define SL_REDUCE_STRIP_EXP_SUM_H

#include "schedule/strip.h"
#include "maths/factor.h"
#include "maths/lane_folds.h"

/* What the results of SL_W rows are made with: a row whose sum is no positive number is `otherwise`. */
typedef struct {
    c_factor factor;
    reg otherwise;
    mask number;
    int numbers; /* all are, which is the rule */
} strip_end;

SL_INLINE strip_end strip_end_of(c_acc sum, int safe)
{
    reg s = c_narrow(c_acc_value(sum)), zero = c_set1(0), nan = c_set1((num)NAN);
    mask number = c_lt(zero, s);
    return (strip_end){c_reciprocal_of(sum), c_select(c_eq(s, zero), safe ? zero : nan, nan), number,
                       c_all(number)};
}

/* a: e times the factor. */
SL_INLINE reg strip_result(reg a, const strip_end *end)
{
    return end->numbers ? a : c_select(end->number, a, end->otherwise);
}

/* ---- at most SL_SHORT classes, whose exponentials stay in the first-level cache: each is added in f64 ---- */

/* Class c of row l at e[c * SL_W + l]. */
SL_INLINE c_acc sum_of_few(const num *e, size_t classes)
{
    c_acc lane[SL_EXP_LANES];
    for (size_t l = 0; l < least(SL_EXP_LANES, classes); l++) {
        lane[l] = c_acc_load(e + l * SL_W);
        for (size_t c = SL_EXP_LANES; c < SL_SHORT && l + c < classes; c += SL_EXP_LANES)
            lane[l] = c_acc_merge(lane[l], c_acc_load(e + (l + c) * SL_W));
    }
    return c_fold_rows(lane, least(SL_EXP_LANES, classes));
}

SL_RARE c_acc sum_of_few_rarely(const num *e, size_t classes) { return sum_of_few(e, classes); }

/* The exponentials of the k-th vector of rows; their maxima. */
SL_INLINE reg strip_exps_of_few(const strip *s, size_t k, strip_options o, c_vframe f, num e[SL_SHORT * SL_W])
{
    const strip here = *s; /* no store can change it */
    s = &here;
    reg max = c_set1((num)-INFINITY);
    for (size_t c = 0; c < s->classes; c++) {
        reg a = strip_load(s, c, k, o);
        strip_prefetch_vector(s, c, k);
        max = c_max(a, max);
        c_store(e + c * SL_W, c_exp_predicted(a, o.shifted, f, c_exp_table_load()));
    }
    return c_add(max, c_set1(0));
}

SL_NOINLINE void strip_exps_of_few_again(const strip *s, size_t k, c_vframe f, num e[SL_SHORT * SL_W])
{
    strip_exps_of_few(s, k, (strip_options){.whole = s->rows >= SL_W, .shifted = 1}, f, e);
}

SL_INLINE void softmax_few_of(const strip *s, T *y, int safe, strip_options o)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    num e[SL_SHORT * SL_W];
    c_vframe none = c_vframe_of(c_set1(0));
    size_t vectors = strip_vectors_for(s, o);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++) {
        c_vframe right = c_vframe_of(strip_exps_of_few(s, k, o, none, e));
        if (!c_vframe_same(none, right))
            strip_exps_of_few_again(s, k, right, e);
        c_acc sum = o.whole ? sum_of_few(e, s->classes) : sum_of_few_rarely(e, s->classes);
        strip_end end = strip_end_of(sum, safe);
        for (size_t c = 0; c < s->classes; c++)
            strip_store(s, y, c, k, strip_result(c_times_at(e + c * SL_W, end.factor), &end), o);
    }
}

SL_NOINLINE void softmax_few(const strip *s, T *y, int safe)
{
    if (s->rows >= SL_W)
        softmax_few_of(s, y, safe, (strip_options){.whole = 1});
    else
        softmax_few_of(s, y, safe, (strip_options){.whole = 0});
}

/* ---- any number of classes ---- */

/* Where exponentials are kept: class c of row l at e[c * step + l], from class `near` on at far[c * far_step + l]; e is NULL if
 * they are not. */
typedef struct {
    num *e, *far;
    size_t step, far_step, near;
} strip_place;

SL_INLINE num *strip_exps_at(const strip_place *p, size_t c)
{
    return c < p->near ? p->e + c * p->step : p->far + c * p->far_step;
}

typedef struct {
    c_acc lane[SL_EXP_LANES];
    reg max;
} strip_exp_lanes;

/* The exponential of the k-th vector of class c; kept, if that is wanted. */
SL_INLINE reg strip_exp(const strip *s, num *kept, size_t c, size_t k, strip_options o, c_vframe f, reg *max)
{
    reg a = strip_load(s, c, k, o), e = c_exp_predicted(a, o.shifted, f, c_exp_table_load());
    *max = c_max(a, *max);
    if (o.keep)
        c_store(kept + k * SL_W, e);
    return e;
}

SL_INLINE void strip_exp_pass(const strip *s, strip_place place, const c_vframe *frames,
                              strip_exp_lanes *lanes, strip_options o)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    size_t vectors = strip_vectors_for(s, o);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++) {
        lanes[k].max = c_set1((num)-INFINITY);
        SL_ROLLED
        for (size_t l = 0; l < SL_EXP_LANES; l++)
            lanes[k].lane[l] = c_acc_zero();
    }
    for (size_t block = 0; block < s->classes; block += SL_POSITIONS)
        for (size_t l = 0; l < least(SL_EXP_LANES, s->classes - block); l++) {
            size_t c = block + l, pair = c + SL_EXP_LANES;
            c_vframe f = frames[0];
            num *kept = o.keep ? strip_exps_at(&place, c) : NULL;
            num *kept_pair = o.keep ? strip_exps_at(&place, pair) : NULL;
            strip_prefetch(s, c, o);
            if (pair >= s->classes) {
                SL_ROLLED
                for (size_t k = 0; k < vectors; k++) {
                    f = o.shifted ? frames[k] : f;
                    reg e = strip_exp(s, kept, c, k, o, f, &lanes[k].max);
                    lanes[k].lane[l] = c_acc_add_term(lanes[k].lane[l], e);
                }
                continue;
            }
            strip_prefetch(s, pair, o);
            SL_UNROLL_2
            for (size_t k = 0; k < vectors; k++) {
                c_acc sum = lanes[k].lane[l];
                f = o.shifted ? frames[k] : f;
                reg a = strip_exp(s, kept, c, k, o, f, &lanes[k].max);
                reg b = strip_exp(s, kept_pair, pair, k, o, f, &lanes[k].max);
                sum = s->classes > SL_SHORT ? c_acc_add_pair(sum, a, b)
                                            : c_acc_add_term(c_acc_add_term(sum, a), b);
                lanes[k].lane[l] = sum;
            }
        }
}

/* Any strip, in any frames. */
SL_RARE void strip_exps_again(const strip *s, strip_place place, const c_vframe *frames,
                              strip_exp_lanes *lanes)
{
    strip_options o = {.whole = s->rows >= SL_W, .keep = place.e != NULL, .shifted = 1};
    strip_exp_pass(s, place, frames, lanes, o);
}

SL_NOINLINE void strip_exps(const strip *s, strip_place place, const c_vframe *frames, strip_exp_lanes *lanes)
{
    if (s->rows < SL_W)
        strip_exps_again(s, place, frames, lanes);
    else if (s->rows == STRIP_ROWS && place.e)
        strip_exp_pass(s, place, frames, lanes, (strip_options){.whole = 1, .full = 1, .keep = 1});
    else
        strip_exp_pass(s, place, frames, lanes, (strip_options){.whole = 1, .keep = place.e != NULL});
}

/* The second pass. */
SL_INLINE void strip_results(const strip *s, strip_place place, const c_vframe *frames, const strip_end *ends,
                             T *y, strip_options o)
{
    const strip here = *s; /* no store can change it */
    s = &here;
    size_t vectors = strip_vectors_for(s, o);
    for (size_t c = 0; c < s->classes; c++) {
        const num *kept = o.keep ? strip_exps_at(&place, c) : NULL;
        SL_UNROLL_2
        for (size_t k = 0; k < vectors; k++) {
            c_factor factor = ends[k].factor;
            reg a = o.keep ? c_times_at(kept + k * SL_W, factor)
                           : c_times(c_exp_in_frame(c_less_shift(strip_load(s, c, k, o), frames[k]),
                                                    frames[k], c_exp_table_load()),
                                     factor);
            strip_store(s, y, c, k, o.numbers ? a : strip_result(a, ends + k), o);
        }
    }
}

/* The first pass, and with which frames and ends the second one goes on; whether all rows have a sum. */
SL_INLINE int strip_first_pass(const strip *s, strip_place place, c_vframe *frames, strip_end *ends, int safe)
{
    strip_exp_lanes lanes[STRIP_VECTORS];
    c_vframe none = c_vframe_of(c_set1(0));
    size_t vectors = strip_vectors(s);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++)
        frames[k] = none;
    strip_exps(s, place, frames, lanes);
    int right = 1, numbers = 1;
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++) {
        frames[k] = c_vframe_of(c_add(lanes[k].max, c_set1(0)));
        right &= c_vframe_same(none, frames[k]);
    }
    if (!right)
        strip_exps_again(s, place, frames, lanes);
    SL_ROLLED
    for (size_t k = 0; k < vectors; k++) {
        c_acc sum = c_acc_of_terms(fold_rows(lanes[k].lane, least(SL_EXP_LANES, s->classes)));
        ends[k] = strip_end_of(sum, safe);
        numbers &= ends[k].numbers;
    }
    return numbers;
}

/* Exponentials are kept in scratch; or in y, if it can hold them and is written more than once; or are computed again. */
SL_NOINLINE void softmax_strip(const strip *s, T *y, int nontemporal, int safe)
{
    enum { SCRATCH = SCRATCH_BYTES / sizeof(num) };
    _Alignas(SL_LINE) num scratch[SCRATCH];
    strip_end ends[STRIP_VECTORS];
    c_vframe frames[STRIP_VECTORS];
    size_t vectors = strip_vectors(s);
    strip_place place = {scratch, NULL, vectors * SL_W, 0, SCRATCH / (vectors * SL_W)};
    if (s->classes > place.near && can_hold_exps(s->x, y) && !nontemporal && s->rows >= SL_W) {
        place.far = (num *)(void *)y;
        place.far_step = s->step_out;
    } else if (s->classes > place.near) {
        place.e = NULL;
    }
    int numbers = strip_first_pass(s, place, frames, ends, safe);
    strip_options o = {.whole = s->rows >= SL_W, .keep = place.e != NULL, .nontemporal = nontemporal};
    if (s->rows == STRIP_ROWS && o.keep && numbers)
        strip_results(
            s, place, frames, ends, y,
            (strip_options){.whole = 1, .full = 1, .keep = 1, .numbers = 1, .nontemporal = nontemporal});
    else if (o.whole && o.keep && numbers)
        strip_results(s, place, frames, ends, y,
                      (strip_options){.whole = 1, .keep = 1, .numbers = 1, .nontemporal = nontemporal});
    else
        strip_results(s, place, frames, ends, y, o);
}

#endif
