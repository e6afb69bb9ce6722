/* SPDX-License-Identifier: MIT
 *
 * See expectation.h.
 */
#include "expectation.h"

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
    if (has_shape(k)) {
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

void expect(const kernel *k, const call *c, expectation *e)
{
    const sl_ref_dtype *dt = k->dtype;
    const sl_loss_options defaults = sl_loss_defaults(), *o = c->options != NULL ? c->options : &defaults;
    double *x = widen(elements(c->shape), c->x, dt->get);
    double *second = k->second == CLASS_IDS ? NULL : widen(second_count(k, c->shape), c->second, dt->get);
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
    oracle_call q = {
        .x = x, .second = second, .ids = c->second, .shape = c->shape, .options = &options, .lse = lse};
    memcpy(q.want, e->want, sizeof q.want);
    memcpy(q.scale, e->scale, sizeof q.scale);
    evaluate_all(k, &q);
    if (is_loss(k) && e->want[RESULT] != NULL && o->reduction != SL_NONE) /* it is measured at itself */
        e->scale[RESULT][0] = e->want[RESULT][0];
    free(x);
    free(second);
    free(class_weight);
    free(pos_weight);
    free(upstream);
    free(lse);
}

void expectation_free(expectation *e)
{
    for (size_t output = 0; output < OUTPUTS; output++) {
        free(e->want[output]);
        free(e->scale[output]);
    }
}

double error_of(const kernel *k, const call *c, size_t output, size_t i, const expectation *e)
{
    const sl_ref_dtype *dt = k->dtype;
    const bool is_t = output_is_t(k, output);
    return sl_ref_ulp(output_value(k, output, c->out[output], i), e->want[output][i], e->scale[output][i],
                      is_t ? dt->digits : dt->loss_digits, is_t ? dt->min_exp : dt->loss_min_exp);
}
