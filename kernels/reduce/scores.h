/* SPDX-License-Identifier: MIT
 *
 * Scores of a row, and the first pass over it, which forms them on the way:
 *
 *   z_c = s_c + slope mask_c,   s_c = scale x_c  or  cap tanh(scale x_c / cap)
 *
 * They are registers in the order of their elements, whatever T is. The pass has the lanes and the predicted frame of exp_sum.h, or
 * those of log_sum.h: where z is x, results have the bits of softmax and log_softmax. What the second pass is made of stays as
 * numbers: exponentials, or of log-softmax scores. What is rare, a cap or a frame with a shift, has its scores formed there before.
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
SL_INLINE reg score_if(const uint8_t *truth, size_t n, reg a)
{
    uint16_t value[SL_W];
    for (size_t l = 0; l < SL_W; l++)
        value[l] = l < n ? truth[l] : 0;
    reg exponent = reg_of_f32(v_float(u_shl(h_load(value), 23))); /* a normal number, or infinite */
    return c_select(c_lt(c_set1(0), exponent), a, c_set1((num)-INFINITY));
}

/* What a row's scores are made of: n elements of x and of a mask. */
typedef struct {
    const T *x;
    const void *mask;
    int mask_type;
    size_t n;
} score_source;

enum { BLOCK_REGISTERS = SL_BLOCK / SL_W };

/* Registers that become scores by a mask, of n elements or as many as they hold. What is masked by a truth value does not depend on
 * x_c. */
SL_INLINE void mask_scores(const score_terms *terms, const score_source *from, size_t i, size_t n, int type,
                           size_t registers, reg *a)
{
    const char *values = (const char *)from->mask + i * mask_size(type);
    for (size_t line = 0; registers > 1 && line < SL_BLOCK * mask_size(type); line += SL_LINE)
        __builtin_prefetch(values + PREFETCH_BYTES + line, 0, 2);
    SL_UNROLL_PARTS
    for (size_t k = 0; k < registers; k++)
        if (type == SL_MASK_BOOL)
            a[k] = score_if((const uint8_t *)values + k * SL_W, left(n, k * SL_W), a[k]);
        else
            a[k] = c_fma(c_set1(terms->slope), mask_load(values, k * SL_W, left(n, k * SL_W), type), a[k]);
}

/* s_c with a cap. */
SL_INLINE reg capped(const score_terms *s, reg a)
{
    reg most = c_set1(s->most);
    a = c_max(c_sub(c_set1(0), most), c_min(most, a));
    return c_mul(c_set1(s->cap), c_tanh(c_mul(a, c_set1(s->steep))));
}

/* Registers of scores from element i on, of n elements or as many as they hold. A cap is for one register. */
SL_INLINE void form_scores(const score_terms *terms, const score_source *from, size_t i, size_t n,
                           size_t registers, reg *a)
{
    if (registers > 1)
        prefetch_block(from->x + i, WRITES_BESIDE);
    SL_UNROLL_PARTS
    for (size_t k = 0; k < registers; k++) {
        a[k] = load_some(from->x + i + k * SL_W, left(n, k * SL_W), 0);
        if (registers == 1 && terms->cap != 0)
            a[k] = capped(terms, a[k]);
        else
            a[k] = c_mul(a[k], c_set1(terms->scale));
    }
    switch (from->mask_type) {
    case SL_MASK_NONE:
        break;
    case SL_MASK_F32:
        mask_scores(terms, from, i, n, SL_MASK_F32, registers, a);
        break;
#if SL_F64
    case SL_MASK_F64:
        mask_scores(terms, from, i, n, SL_MASK_F64, registers, a);
        break;
#endif
    case SL_MASK_F16:
        mask_scores(terms, from, i, n, SL_MASK_F16, registers, a);
        break;
    case SL_MASK_BF16:
        mask_scores(terms, from, i, n, SL_MASK_BF16, registers, a);
        break;
    default:
        mask_scores(terms, from, i, n, SL_MASK_BOOL, registers, a);
    }
}

/* Scores of elements i to n, and -inf behind them as far as their last block goes. */
SL_NOINLINE void keep_scores(const score_terms *terms, const score_source *from, size_t i, size_t n, num *z)
{
    const num *begin = z;
    SL_ROLLED
    for (; i < n; i += SL_W, z += SL_W) {
        reg a;
        form_scores(terms, from, i, n - i, 1, &a);
        c_store(z, a);
        if (n - i < SL_W)
            c_store(z, c_load_n(z, n - i, (num)-INFINITY));
    }
    SL_ROLLED
    for (; (size_t)(z - begin) % SL_BLOCK != 0; z += SL_W)
        c_store(z, c_set1((num)-INFINITY));
}

/* ---- the first pass ---- */

typedef union {
    exp_lanes exps;
    log_sum_lanes logs;
} score_lanes;

SL_INLINE void log_sum_lanes_init(log_sum_lanes *lanes, size_t parts)
{
    SL_UNROLL
    for (size_t j = 0; j < parts; j++)
        lanes->max[j] = c_set1((num)-INFINITY);
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        lanes->rest[j] = c_acc_zero();
}

/* From memory into registers, and back. */
SL_INLINE void copy_exps(const exp_lanes *from, exp_lanes *to)
{
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++) {
        to->sum[j] = from->sum[j];
        to->max[j] = from->max[j];
    }
}
SL_INLINE void copy_logs(const log_sum_lanes *from, log_sum_lanes *to)
{
    SL_UNROLL
    for (size_t j = 0; j < POSITION_PARTS; j++)
        to->max[j] = from->max[j];
    SL_UNROLL
    for (size_t j = 0; j < SL_EXP_PARTS; j++)
        to->rest[j] = from->rest[j];
}

/* Of a row or a part of one. */
typedef struct {
    const score_terms *terms;
    score_source from;
    const num *z;    /* its scores, where they are formed already: by whole blocks */
    exp_place place; /* of exponentials or scores */
    c_frame frame;
    int begins;               /* with the row's first element; else lanes go on */
    int few;                  /* of a short row, each exponential is added in f64 */
    const pending_row *other; /* whose second pass is done on the way, unless it is NULL */
    size_t other_n;
} score_pass;

/* What it is compiled for. */
typedef struct {
    int logs;  /* log_sum.h, else exp_sum.h */
    int other; /* there may be another row */
    int any;   /* scores are formed already, the frame may have a shift */
} score_options;

SL_INLINE void exp_scores_of_block(const reg a[BLOCK_REGISTERS], num *e, c_vframe f, exp_options o,
                                   exp_lanes *lanes)
{
    SL_UNROLL_PARTS
    for (size_t j = 0; j < SL_EXP_PARTS; j++) {
        SL_APART;
        reg of[OF_LANE];
        SL_UNROLL
        for (size_t k = 0; k < OF_LANE; k++)
            of[k] = a[j + k * SL_EXP_PARTS];
        exp_part(of, j, keep_in_nums, e, f, o, lanes);
    }
}

/* A row's first block has the first maxima of positions. */
SL_INLINE void log_sum_scores_of_block(const reg a[BLOCK_REGISTERS], int begins, c_vframe f,
                                       log_sum_options o, log_sum_lanes *lanes)
{
    SL_UNROLL
    for (size_t at = 0; at < BLOCK_REGISTERS; at += POSITION_PARTS) {
        if (at == 0 && begins) {
            SL_UNROLL
            for (size_t j = 0; j < POSITION_PARTS; j++)
                lanes->max[j] = a[j];
            continue;
        }
        SL_UNROLL_PARTS
        for (size_t j = 0; j < SL_EXP_PARTS; j++) {
            reg *max = lanes->max + j;
            reg low = lower_exp(a[at + j], NULL, o, f, max, NULL);
            reg next = lower_exp(a[at + j + SL_EXP_PARTS], NULL, o, f, max + SL_EXP_PARTS, NULL);
            lanes->rest[j] = c_acc_add_pair(lanes->rest[j], low, next);
        }
    }
}

/* Elements `at` and following of the other row, n in all, before what they are made of is overwritten. */
SL_INLINE void emit_rest(const pending_row *row, size_t at, size_t n, emit_options o, c_vframe f)
{
    if (n < 2 * SL_W || (const void *)row->e == (const void *)row->y) {
        emit_part(row, at, n, o.kind, CACHED);
        return;
    }
    SL_ROLLED
    for (; at < n; at += 2 * SL_W)
        emit_two(row, least(at, n - 2 * SL_W), o, CACHED, f);
}

/* Block by block. The last one, which may have less elements, is formed first, and so is what the other row has more of. */
SL_INLINE void score_pass_of(const score_pass *given, score_options o, score_lanes *result)
{
    const score_terms terms = *given->terms; /* no store can change it */
    const exp_place place = given->place;
    const emit_options emit = {.kind = o.logs ? EMIT_SCORE : EMIT_PRODUCT, .scaled = 1};
    const exp_options exp = {.shifted = o.any, .pairwise = !given->few, .in_order = 1};
    const c_vframe f = c_frame_set1(given->frame);
    const score_source from = given->from;
    const size_t step = place.overwrites ? 0 : SL_BLOCK;
    int first = given->begins;
    const size_t n = from.n, whole = n / SL_BLOCK * SL_BLOCK;
    size_t shared = 0;
    pending_row row = {.e = NULL};
    exp_lanes exps; /* in registers */
    log_sum_lanes logs;
    const num *z = o.any ? given->z : NULL;
    num last[SL_BLOCK], *e = place.e;
    if (o.any)
        SL_ASSUME(z != NULL);
    if (!o.any && whole < n)
        keep_scores(given->terms, &given->from, whole, n, last);
    if (o.other && given->other) {
        row = *given->other;
        shared = least(n, given->other_n) / SL_BLOCK * SL_BLOCK;
        if (shared < given->other_n)
            emit_rest(given->other, shared, given->other_n, emit, f);
    }
    if (!o.logs && first)
        exp_lanes_init(&exps);
    else if (!o.logs)
        copy_exps(&result->exps, &exps);
    else if (first)
        log_sum_lanes_init(&logs, POSITION_PARTS);
    else
        copy_logs(&result->logs, &logs);
    for (size_t end = whole, done = 0;; end = SL_BLOCK) {
        for (size_t i = 0; i < end; i += SL_BLOCK, e += step) {
            reg a[BLOCK_REGISTERS];
            if (__builtin_expect(i < shared, 1))
                emit_block(&row, i, emit, CACHED, f);
            if (z) {
                SL_UNROLL
                for (size_t k = 0; k < BLOCK_REGISTERS; k++)
                    a[k] = c_load(z + i + k * SL_W);
            } else {
                form_scores(&terms, &from, i, SL_BLOCK, BLOCK_REGISTERS, a);
            }
            if (!o.logs) {
                exp_scores_of_block(a, e, f, exp, &exps);
                continue;
            }
            SL_UNROLL
            for (size_t k = 0; k < BLOCK_REGISTERS; k++)
                c_store(e + k * SL_W, a[k]);
            log_sum_scores_of_block(a, first, f, (log_sum_options){.shifted = o.any}, &logs);
            first = 0;
        }
        if (done == n - whole)
            break;
        done = n - whole;
        z = o.any ? z + whole : last;
        e = place.padded ? e : last;
        shared = 0;
    }
    keep_last(place, n, last);
    if (o.logs)
        copy_logs(&logs, &result->logs);
    else
        copy_exps(&exps, &result->exps);
}

SL_NOINLINE void exp_scores(const score_pass *pass, score_lanes *lanes)
{
    score_pass_of(pass, (score_options){.other = 1}, lanes);
}

SL_NOINLINE void exp_scores_any(const score_pass *pass, score_lanes *lanes)
{
    score_pass_of(pass, (score_options){.any = 1}, lanes);
}

SL_NOINLINE void log_sum_scores(const score_pass *pass, score_lanes *lanes)
{
    score_pass_of(pass, (score_options){.logs = 1, .other = 1}, lanes);
}

SL_RARE void log_sum_scores_any(const score_pass *pass, score_lanes *lanes)
{
    score_pass_of(pass, (score_options){.logs = 1, .any = 1}, lanes);
}

/* Of a short row whose exponentials are all left to its end (log_sum.h). */
SL_NOINLINE void score_lanes_of_short(const num *z, size_t n, log_sum_lanes *lanes)
{
    log_sum_lanes_init(lanes, SHORT_PARTS);
    SL_ROLLED
    for (size_t j = 0; j * SL_W < n; j++)
        lanes->max[j] = c_load(z + j * SL_W);
}

#endif
