/* SPDX-License-Identifier: MIT
 *
 * See expectation.h.
 */
#include "expectation.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static double *widen(size_t n, const void *from, double (*get)(const void *, size_t))
{
    if (from == NULL)
        return NULL;
    double *to = allocate(n, sizeof *to);
    for (size_t i = 0; i < n; i++)
        to[i] = get(from, i);
    return to;
}

static void evaluate(const kernel *k, const oracle_call *q)
{
    (k->dtype->long_arithmetic ? k->oracle.in_long : k->oracle.in_double)(q);
}

/* One call, or for a kernel without a shape one per row. */
static void evaluate_all(const kernel *k, const oracle_call *q)
{
    if (!k->one_row) {
        evaluate(k, q);
        return;
    }
    for (size_t r = 0; r < rows(q->shape); r++) {
        const size_t first = r * q->shape.classes, result = k->result == T_PER_ELEMENT ? first : r;
        oracle_call one = *q;
        one.shape = sl_rows(1, q->shape.classes);
        one.x += first;
        one.want[RESULT] += result;
        one.scale[RESULT] += result;
        evaluate(k, &one);
    }
}

/* One value of a mask; of truth values -INFINITY for 0. */
static double mask_value(const sl_softmax_options *o, size_t i)
{
    switch (o->mask_type) {
    case SL_MASK_F32:
        return ((const float *)o->mask)[i];
    case SL_MASK_F64:
        return ((const double *)o->mask)[i];
    case SL_MASK_F16:
        return sl_ref_dtypes[SL_COUNT_f16].get(o->mask, i);
    case SL_MASK_BF16:
        return sl_ref_dtypes[SL_COUNT_bf16].get(o->mask, i);
    case SL_MASK_BOOL:
        return ((const uint8_t *)o->mask)[i] ? 0 : -INFINITY;
    case SL_MASK_NONE:
        break;
    }
    return 0;
}

/* The mask of every element; what is outside of a row's limits is not read. */
static double *widen_mask(const sl_softmax_options *o, sl_shape shape)
{
    if (o->mask == NULL)
        return NULL;
    double *to = allocate(elements(shape), sizeof *to);
    for (size_t r = 0; r < shape.outer; r++) {
        const size_t first = o->first != NULL ? o->first[r] : 0,
                     length = o->length != NULL ? o->length[r] : shape.classes - first;
        for (size_t c = 0; c < shape.classes; c++)
            to[r * shape.classes + c] =
                c < first || c - first >= length ? 0 : mask_value(o, r * (size_t)o->mask_stride + c);
    }
    return to;
}

/* What the oracle is told of softmax's options, and where it says more than of others. */
static void make_row_options(const kernel *k, const call *c, expectation *e, sl_ref_softmax_options *to)
{
    static const sl_softmax_options none = {0};
    const sl_softmax_options *o = c->row_options != NULL ? c->row_options : &none;
    for (size_t output = 0; output < OUTPUTS; output++)
        if (c->out[output] != NULL)
            e->slack[output] = allocate(output_count(k, c, output), sizeof *e->slack[output]);
    *to = (sl_ref_softmax_options){
        .scale = o->scale,
        .softcap = o->softcap,
        .slope = o->slope,
        .mask = widen_mask(o, c->shape),
        .has_truth = o->mask_type == SL_MASK_BOOL,
        .first = o->first,
        .length = o->length,
        .sink = widen(rows(c->shape), o->sink, k->dtype->get_loss),
        .lse = e->want[LSE],
        .lse_scale = e->scale[LSE],
        .slack = e->slack[RESULT],
        .lse_slack = e->slack[LSE],
        .flags = o->flags,
    };
}

void expect(const kernel *k, const call *c, expectation *e)
{
    const sl_ref_dtype *dt = k->dtype;
    const sl_loss_options defaults = sl_loss_defaults(), *o = c->options != NULL ? c->options : &defaults;
    double *x = widen(elements(c->shape), c->x, dt->get);
    double *second = second_is_ids(k) ? NULL : widen(second_count(k, c->shape), c->second, dt->get);
    double *class_weight = widen(c->shape.classes, o->class_weight, dt->get_loss);
    double *pos_weight = widen(c->shape.classes, o->pos_weight, dt->get_loss);
    double *upstream =
        widen(o->reduction == SL_NONE ? loss_count(k, c->shape) : 1, o->upstream, dt->get_loss);
    double *lse = widen(rows(c->shape), c->lse, dt->get_loss);
    for (size_t output = 0; output < OUTPUTS; output++) {
        const size_t n = output_count(k, c, output);
        e->want[output] = c->out[output] != NULL ? allocate(n, sizeof *e->want[output]) : NULL;
        e->scale[output] = c->out[output] != NULL ? allocate(n, sizeof *e->scale[output]) : NULL;
    }
    const sl_ref_options options = {
        .reduction = o->reduction,
        .class_weight = class_weight,
        .pos_weight = pos_weight,
        .label_smoothing = o->label_smoothing,
        .has_ignore_index = o->has_ignore_index,
        .ignore_index = o->ignore_index,
        .upstream = upstream,
        .flags = o->flags,
        .z_loss = o->z_loss,
        .softcap = o->softcap,
        .divisor = o->divisor,
        .lse = e->want[LSE],
        .lse_scale = e->scale[LSE],
        .loss_scale = is_loss(k) ? e->scale[RESULT] : NULL,
    };
    oracle_call q = {.x = x,
                     .second = second,
                     .ids = second_is_ids(k) ? c->second : NULL,
                     .shape = c->shape,
                     .options = &options,
                     .lse = lse};
    sl_ref_softmax_options row_options = {0};
    memcpy(q.want, e->want, sizeof q.want);
    memcpy(q.scale, e->scale, sizeof q.scale);
    memset(e->slack, 0, sizeof e->slack);
    if (k->row_options)
        make_row_options(k, c, e, &row_options);
    q.row_options = &row_options;
    evaluate_all(k, &q);
    if (is_loss(k) && e->want[RESULT] != NULL && o->reduction != SL_NONE) /* it is measured at itself */
        e->scale[RESULT][0] = e->want[RESULT][0];
    free(x);
    free(second);
    free(class_weight);
    free(pos_weight);
    free(upstream);
    free((double *)row_options.mask);
    free((double *)row_options.sink);
    free(lse);
}

void expectation_free(expectation *e)
{
    for (size_t output = 0; output < OUTPUTS; output++) {
        free(e->want[output]);
        free(e->scale[output]);
        free(e->slack[output]);
    }
}

double error_of(const kernel *k, const call *c, size_t output, size_t i, const expectation *e)
{
    const sl_ref_dtype *dt = k->dtype;
    const bool is_t = output_is_t(k, output);
    const double ulp =
        sl_ref_ulp(output_value(k, output, c->out[output], i), e->want[output][i], e->scale[output][i],
                   is_t ? dt->digits : dt->loss_digits, is_t ? dt->min_exp : dt->loss_min_exp);
    if (e->slack[output] == NULL || !(ulp > 0) || isinf(ulp))
        return ulp;
    const double slack =
        sl_ref_ulp(0, e->slack[output][i], e->scale[output][i], is_t ? dt->digits : dt->loss_digits,
                   is_t ? dt->min_exp : dt->loss_min_exp);
    return ulp > slack ? ulp - slack : 0;
}
