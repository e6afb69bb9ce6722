/* SPDX-License-Identifier: MIT
 *
 * Negative log-likelihood of log-probabilities: loss = -w_t x_t, grad_c = -u w_t [c == t]. Products in f64,
 * rounded once. w_t = 0 takes its class out even where x_t is infinite.
 */
#ifndef SL_KERNEL_NLL_H
#define SL_KERNEL_NLL_H

#include "reduce/targets.h"

/* n neighbouring rows. */
SL_INLINE void zero_rows(T *grad, strides out, size_t classes, size_t n)
{
    if (out.row == classes) /* one after the other */
        memset(grad, 0, n * classes * sizeof *grad);
    else if (out.row != 1)
        for (size_t l = 0; l < n; l++)
            memset(grad + l * out.row, 0, classes * sizeof *grad);
    else
        for (size_t c = 0; c < classes; c++)
            memset(grad + c * out.step, 0, n * sizeof *grad);
}

SL_STATIC void nll(const T *log_prob, const int64_t *target, const sl_shape *shape, const sl_loss_options *o,
                   num *loss, T *grad)
{
    if (shape->classes == 0) { /* all are ignored */
        loss_of_no_classes(o, shape->outer * shape->inner, 0, loss);
        return;
    }
    walk w = walk_of(*shape);
    w.apart = grad && w.apart;
    total losses;
    total_zero(&losses);
    double count = weight_of_rows(target, w.blocks * w.rows, o);
    double divisor = c_divisor(o, count), scale = c_gradient_scale(o, divisor);
    for (size_t b = 0, row = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += SL_W, row += n) {
            n = least(SL_W, w.rows - i);
            const T *x = log_prob + b * w.in.block + i * w.in.row;
            targets t;
            targets_of(&t, target + row, &w, n, o);
            logits_of(&t, x);
            reg zero = c_set1(0), infinite = c_set1((num)INFINITY);
            reg weight = c_load(t.weight), x_t = load(t.logit);
            mask none = c_eq(c_load(t.live), zero);
            mask out = c_andnot(c_eq(weight, zero), c_nle(infinite, c_abs(x_t)));
            vw minus = w_sub(w_set1(-0.0), c_widen(weight));
            vw cost = w_mul(minus, c_widen(c_select(out, zero, x_t)));
            reg each = c_select(none, zero, c_canonical(c_narrow(w_add(cost, w_set1(0)))));
            if (o->reduction != SL_NONE)
                total_push(&losses, each, n);
            else if (loss)
                c_store_n(loss + row, each, n);
            if (!grad)
                continue;
            T *to = grad + b * w.out.block + i * w.out.row;
            zero_rows(to, w.out, shape->classes, n);
            vw value = w_mul(c_upstream_of(o, scale, row, n), minus);
            store(t.entry, c_canonical(c_narrow(value)));
            put_entries(to, &t, n);
        }
    if (o->reduction != SL_NONE && loss)
        *loss = reduced(o, &losses, divisor);
}

#endif
