/* SPDX-License-Identifier: MIT
 *
 * Scores of a row, and the first passes over them:
 *
 *   z_c = s_c + slope mask_c,   s_c = scale x_c  or  cap tanh(scale x_c / cap)
 *
 * They are numbers in the order of their elements, whatever T is, in memory that is in the first-level cache: a tile. Their maximum
 * comes with them, so that the frame of their exponentials (exp_f32.h) is known before the first one. Sums have the lanes of
 * exp_sum.h and log_sum.h: where z is x, results have the bits of softmax and log_softmax.
 *
 * Errors, in units of u = 2^-24 (f64: 2^-53): of scale x_c 1 of the constant and 1 of the product; of a capped score 1 of cap, 1 of
 * scale / cap, 1 of its product with x_c, of which tanh makes no more than that of itself, 3.6 of tanh (tanh.h), 1 of the last
 * product; of slope mask_c 1 and, without FMA, 1. The sum has 1 of both. So |dz_c| <= u (a |s_c| + 3 |slope mask_c|), a = 3, or 9
 * with a cap.
 */
#ifndef SL_REDUCE_SCORES_H
#define SL_REDUCE_SCORES_H

#include "maths/tanh.h"
#include "reduce/exp_sum.h"
#include "reduce/log_sum.h"

/* The constants of a call. */
typedef struct {
    int mask; /* sl_mask_type */
    num scale, slope;
    num cap, steep,
        most; /* 0: none; scale / cap; from where on its result is the cap itself, so that no product overflows */
} score_terms;

SL_INLINE score_terms score_terms_of(const sl_softmax_options *o)
{
    const double scale = o->scale == 0 ? 1 : o->scale;
    const double steep = scale / (o->softcap == 0 ? scale : o->softcap); /* clang divides in any case */
    const double most = TANH_ONE / (steep < 0 ? -steep : steep);
    return (score_terms){.mask = (int)o->mask_type,
                         .scale = (num)scale,
                         .slope = (num)(o->slope == 0 ? 1 : o->slope),
                         .cap = (num)o->softcap,
                         .steep = (num)steep,
                         .most = most < (double)c_largest_finite ? (num)most : c_largest_finite};
}

SL_INLINE size_t mask_size(int type)
{
    return type == SL_MASK_BOOL ? 1 : type == SL_MASK_F32 ? 4 : type == SL_MASK_F64 ? 8 : 2;
}

#if SL_F64
#define reg_of_f32 v_widen
#else
#define reg_of_f32(a) (a)
#endif

/* n elements of a mask from i on, or as many as a register holds. */
SL_INLINE reg mask_load(const void *values, size_t i, size_t n, int type)
{
    const int whole = n >= SL_W;
    const uint16_t *halves = (const uint16_t *)values + i;
    if (type == SL_MASK_F32) {
        const float *p = (const float *)values + i;
        return reg_of_f32(whole ? v_load(p) : v_load_n(p, n, 0));
    }
#if SL_F64
    if (type == SL_MASK_F64) {
        const double *p = (const double *)values + i;
        return whole ? w_load(p) : w_load_n(p, n, 0);
    }
#endif
    if (type == SL_MASK_F16)
        return reg_of_f32(whole ? v_load_f16(halves) : v_of_f16(h_load_n(halves, n, 0)));
    return reg_of_f32(v_float(u_shl(whole ? h_load(halves) : h_load_n(halves, n, 0), 16)));
}

/* The score where the truth value, a byte, is not 0, else -inf. */
SL_INLINE reg score_if(const uint16_t *truth, size_t n, reg a)
{
    vu value = n >= SL_W ? h_load(truth) : h_load_n(truth, n, 0);
    reg exponent = reg_of_f32(v_float(u_shl(value, 23))); /* a normal number, or infinite */
    return c_select(c_lt(c_set1(0), exponent), a, c_set1((num)-INFINITY));
}

SL_INLINE reg capped(const score_terms *s, reg a)
{
    reg most = c_set1(s->most);
    a = c_max(c_sub(c_set1(0), most), c_min(most, a));
    return c_mul(c_set1(s->cap), c_tanh(c_mul(a, c_set1(s->steep))));
}

/* n scores, or as many as a register holds. What is masked by a truth value does not depend on x_c. */
SL_INLINE reg score_of(const score_terms *s, reg a, const void *values, size_t i, size_t n, int mask_type)
{
    if (mask_type == SL_MASK_BOOL)
        return score_if((const uint16_t *)values + i, n, a);
    return mask_type == SL_MASK_NONE ? a : c_fma(c_set1(s->slope), mask_load(values, i, n, mask_type), a);
}

/* What a row's scores are made of, from the element on that comes first. */
typedef struct {
    const T *x; /* NULL: s_c are in z already */
    const void *mask;
    size_t n;
} score_source;

SL_INLINE reg score_load(const score_terms *s, const score_source *from, const num *z, size_t i, size_t n)
{
    if (from->x)
        return c_mul(load_some(from->x + i, n, 0), c_set1(s->scale));
    return n >= SL_W ? c_load(z + i) : c_load_n(z + i, n, 0);
}

/* By two registers; the largest of each lane, so far, is max. */
SL_INLINE size_t score_pairs(const score_terms *terms, const score_source *from, num *z, reg *max,
                             int mask_type)
{
    const score_terms here = *terms, *s = &here; /* no store can change it */
    const score_source source = *from;
    reg max_0 = *max, max_1 = *max;
    size_t i = 0;
    SL_ASSUME(source.x != NULL);
    for (; i + 2 * SL_W <= source.n; i += 2 * SL_W) {
        __builtin_prefetch((const char *)(source.x + i) + PREFETCH_BYTES, 0, 2);
        if (mask_type != SL_MASK_NONE && mask_type != SL_MASK_BOOL)
            __builtin_prefetch((const char *)source.mask + i * mask_size(mask_type) + PREFETCH_BYTES, 0, 2);
        reg a = score_of(s, score_load(s, &source, z, i, SL_W), source.mask, i, SL_W, mask_type);
        reg b =
            score_of(s, score_load(s, &source, z, i + SL_W, SL_W), source.mask, i + SL_W, SL_W, mask_type);
        c_store(z + i, a);
        c_store(z + i + SL_W, b);
        max_0 = c_max(a, max_0);
        max_1 = c_max(b, max_1);
    }
    *max = c_max(max_0, max_1);
    return i;
}

/* The others from element i on, and -inf behind them as far as whole blocks go. */
SL_NOINLINE reg score_rest(const score_terms *s, const score_source *from, num *z, size_t i, reg max)
{
    SL_ROLLED
    for (; i < from->n; i += SL_W) {
        size_t n = least(from->n - i, SL_W);
        reg a = score_load(s, from, z, i, n);
        switch (s->mask) {
        case SL_MASK_NONE:
            break;
        case SL_MASK_F32:
            a = score_of(s, a, from->mask, i, n, SL_MASK_F32);
            break;
#if SL_F64
        case SL_MASK_F64:
            a = score_of(s, a, from->mask, i, n, SL_MASK_F64);
            break;
#endif
        case SL_MASK_F16:
            a = score_of(s, a, from->mask, i, n, SL_MASK_F16);
            break;
        case SL_MASK_BF16:
            a = score_of(s, a, from->mask, i, n, SL_MASK_BF16);
            break;
        default:
            a = score_of(s, a, from->mask, i, n, SL_MASK_BOOL);
        }
        c_store_n(z + i, a, n);
        a = n < SL_W ? c_load_n(z + i, n, (num)-INFINITY) : a;
        c_store(z + i, a);
        max = c_max(a, max);
    }
    SL_ROLLED
    for (; i % SL_SHORT != 0; i += SL_W)
        c_store(z + i, c_set1((num)-INFINITY));
    return max;
}

/* s_c of elements with a cap. */
SL_NOINLINE void cap_elements(const score_terms *s, const score_source *from, num *z)
{
    SL_UNROLL_2
    for (size_t i = 0; i < from->n; i += SL_W) {
        size_t n = least(from->n - i, SL_W);
        keep_some(z + i, capped(s, load_some(from->x + i, n, 0)), n);
    }
}

/* With a mask of truth values, some at a time. */
SL_NOINLINE reg score_by_truth(const score_terms *s, const score_source *from, num *z)
{
    enum { SOME = 256 };
    uint16_t truth[SOME];
    reg max = c_set1((num)-INFINITY);
    for (size_t i = 0; i < from->n; i += SOME) {
        score_source part = {.x = from->x ? from->x + i : NULL, .mask = truth, .n = least(SOME, from->n - i)};
        for (size_t k = 0; k < part.n; k++)
            truth[k] = ((const uint8_t *)from->mask)[i + k];
        size_t done = part.x ? score_pairs(s, &part, z + i, &max, SL_MASK_BOOL) : 0;
        max = score_rest(s, &part, z + i, done, max);
    }
    return max;
}

/* A tile of scores; z has room for whole blocks of SL_SHORT. Returns the largest of each lane. */
SL_NOINLINE reg score_tile(const score_terms *s, const score_source *from, num *z)
{
    reg max = c_set1((num)-INFINITY);
    size_t i = 0;
    if (s->cap != 0) {
        score_source rest = *from;
        cap_elements(s, from, z);
        rest.x = NULL;
        return s->mask == SL_MASK_BOOL ? score_by_truth(s, &rest, z) : score_rest(s, &rest, z, 0, max);
    }
    if (s->mask == SL_MASK_BOOL)
        return score_by_truth(s, from, z);
    switch (s->mask) {
    case SL_MASK_NONE:
        i = score_pairs(s, from, z, &max, SL_MASK_NONE);
        break;
    case SL_MASK_F32:
        i = score_pairs(s, from, z, &max, SL_MASK_F32);
        break;
    case SL_MASK_F16:
        i = score_pairs(s, from, z, &max, SL_MASK_F16);
        break;
    case SL_MASK_BF16:
        i = score_pairs(s, from, z, &max, SL_MASK_BF16);
        break;
    }
    return score_rest(s, from, z, i, max);
}

/* ---- first passes over whole blocks ---- */

/* What is fetched beside a pass, block by block, since it neither reads nor writes far memory itself: what the next scores are made
 * of, and the lines that results will go to. */
typedef struct {
    const T *x, *y; /* NULL: nothing is far */
    const char *mask;
    size_t mask_size;
} score_ahead;

SL_INLINE void prefetch_ahead(const score_ahead *a, size_t i)
{
    const char *m = a->mask + i * a->mask_size;
    for (size_t line = 0; line < SL_BLOCK * sizeof(T); line += SL_LINE) {
        __builtin_prefetch((const char *)(a->x + i) + line, 0, 3);
        __builtin_prefetch((const char *)(a->y + i) + line, 1, 3);
    }
    __builtin_prefetch(m, 0, 3);
    __builtin_prefetch(m + SL_BLOCK / 2 * a->mask_size, 0, 3);
}

/* Sums of a row's exponentials (exp_sum.h), which go to e. */
SL_INLINE void exp_scores_of(const num *z, size_t n, num *e, c_vframe f, exp_options o,
                             const score_ahead *next, c_acc result[SL_EXP_PARTS])
{
    const score_ahead ahead = *next; /* no store can change it */
    enum { OF_LANE = SL_BLOCK / SL_EXP_LANES };
    c_acc sum[SL_EXP_PARTS]; /* in registers */
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        sum[j] = result[j];
    for (size_t i = 0; i < n; i += SL_BLOCK) {
        if (ahead.x)
            prefetch_ahead(&ahead, i);
        SL_UNROLL_PARTS
        for (size_t j = 0; j < SL_EXP_PARTS; j++) {
            SL_APART;
            reg of[OF_LANE];
            SL_UNROLL
            for (size_t k = 0; k < OF_LANE; k++)
                of[k] = c_load(z + i + j * SL_W + k * SL_EXP_LANES);
            c_exps_predicted(of, OF_LANE, o.shifted, f, c_exp_table_load());
            SL_UNROLL
            for (size_t k = 0; k < OF_LANE; k++)
                c_store(e + i + j * SL_W + k * SL_EXP_LANES, of[k]);
            SL_UNROLL
            for (size_t k = 0; k < OF_LANE; k += 2)
                if (o.pairwise)
                    sum[j] = c_acc_add_pair(sum[j], of[k], of[k + 1]);
                else
                    sum[j] = c_acc_add(c_acc_add(sum[j], c_widen(of[k])), c_widen(of[k + 1]));
        }
    }
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        result[j] = sum[j];
}

SL_NOINLINE void exp_scores(const num *z, size_t n, num *e, c_frame frame, const score_ahead *ahead,
                            c_acc sum[SL_EXP_PARTS])
{
    exp_scores_of(z, n, e, c_frame_set1(frame), (exp_options){.pairwise = 1}, ahead, sum);
}

/* Of a short row; each element is added in f64. */
SL_NOINLINE void exp_few_scores(const num *z, size_t n, num *e, c_frame frame, c_acc sum[SL_EXP_PARTS])
{
    const score_ahead nothing = {NULL, NULL, NULL, 0};
    exp_scores_of(z, n, e, c_frame_set1(frame), (exp_options){.shifted = 1}, &nothing, sum);
}

/* In any frame. */
SL_RARE void exp_scores_shifted(const num *z, size_t n, num *e, c_frame frame, c_acc sum[SL_EXP_PARTS])
{
    const score_ahead nothing = {NULL, NULL, NULL, 0};
    exp_scores_of(z, n, e, c_frame_set1(frame), (exp_options){.shifted = 1, .pairwise = 1}, &nothing, sum);
}

/* Positions and what is below them (log_sum.h); `begins`: it is the row's first tile. */
SL_INLINE void log_sum_scores_of(const num *z, size_t n, int begins, c_frame frame, log_sum_options o,
                                 log_sum_lanes *result)
{
    c_vframe f = c_frame_set1(frame);
    log_sum_lanes lanes; /* in registers */
    reg unused[POSITION_PARTS];
    num nowhere[SL_BLOCK];
    SL_UNROLL
    for (size_t j = 0; j < POSITION_PARTS; j++)
        lanes.max[j] = result->max[j];
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        lanes.rest[j] = result->rest[j];
    size_t i = 0;
    if (begins) {
        log_sum_first(z, nowhere, o, f, &lanes, unused);
        if (SL_POSITIONS < SL_BLOCK)
            log_sum_block(z, nowhere, SL_POSITIONS, o, f, &lanes, unused);
        i = SL_BLOCK;
    }
    for (; i < n; i += SL_BLOCK)
        log_sum_block(z + i, nowhere, 0, o, f, &lanes, unused);
    SL_UNROLL
    for (size_t j = 0; j < POSITION_PARTS; j++)
        result->max[j] = lanes.max[j];
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        result->rest[j] = lanes.rest[j];
}

SL_NOINLINE void log_sum_scores(const num *z, size_t n, int begins, c_frame frame, log_sum_lanes *lanes)
{
    log_sum_scores_of(z, n, begins, frame, (log_sum_options){.scores = 1}, lanes);
}

/* In any frame. */
SL_RARE void log_sum_scores_shifted(const num *z, size_t n, int begins, c_frame frame, log_sum_lanes *lanes)
{
    log_sum_scores_of(z, n, begins, frame, (log_sum_options){.scores = 1, .shifted = 1}, lanes);
}

#endif
