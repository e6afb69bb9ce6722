/* SPDX-License-Identifier: MIT
 *
 * Kernels along an axis at a stride, rows beside each other, against the same rows one by one, which model.c compares with the model.
 */
#ifndef SL_PROOFS_MODEL_STRIPS_H
#define SL_PROOFS_MODEL_STRIPS_H

enum { STRIP_CLASSES = 900, STRIP_MOST = 70 };

static float strip_x[STRIP_CLASSES * STRIP_MOST], strip_dy[STRIP_CLASSES * STRIP_MOST];
static float strip_y[STRIP_CLASSES * STRIP_MOST], strip_dx[STRIP_CLASSES * STRIP_MOST];

static void compare_rows(const char *what, const float *strip, const float *row, size_t n, size_t inner,
                         size_t at)
{
    for (size_t c = 0; c < n; c++)
        compare(what, row[c], strip[c * inner + at], n, c);
}

static void column(const float *strip, size_t n, size_t inner, size_t at, float *row)
{
    for (size_t c = 0; c < n; c++)
        row[c] = strip[c * inner + at];
}

/* Results of each row alone. */
static void strip_rows_of(const sl_kernels *k, size_t n, size_t inner, const float *lse, const float *loss,
                          const int64_t *target, const float *grad)
{
    static float x[STRIP_CLASSES], dy[STRIP_CLASSES], y[STRIP_CLASSES], dx[STRIP_CLASSES];
    sl_loss_options o = sl_loss_defaults();
    o.reduction = SL_NONE;
    for (size_t at = 0; at < inner; at++) {
        float one;
        column(strip_x, n, inner, at, x);
        column(strip_dy, n, inner, at, dy);
        k->softmax_f32(x, y, sl_rows(1, n));
        compare_rows("softmax, strip", strip_y, y, n, inner, at);
        k->softmax_backward_f32(y, dy, dx, sl_rows(1, n));
        compare_rows("softmax_backward, strip", strip_dx, dx, n, inner, at);
        k->logsumexp_f32(x, &one, sl_rows(1, n));
        compare("logsumexp, strip", one, lse[at], n, at);
        k->cross_entropy_f32(x, target + at, sl_rows(1, n), &o, &one, dx);
        compare("cross_entropy, strip", one, loss[at], n, at);
        compare_rows("cross_entropy, gradient, strip", grad, dx, n, inner, at);
    }
}

static void log_strip_rows_of(const sl_kernels *k, size_t n, size_t inner)
{
    static float x[STRIP_CLASSES], dy[STRIP_CLASSES], y[STRIP_CLASSES], dx[STRIP_CLASSES];
    for (size_t at = 0; at < inner; at++) {
        column(strip_x, n, inner, at, x);
        column(strip_dy, n, inner, at, dy);
        k->log_softmax_f32(x, y, sl_rows(1, n));
        compare_rows("log_softmax, strip", strip_y, y, n, inner, at);
        k->log_softmax_backward_f32(y, dy, dx, sl_rows(1, n));
        compare_rows("log_softmax_backward, strip", strip_dx, dx, n, inner, at);
    }
}

static void strips(const sl_kernels *k)
{
    static float grad[STRIP_CLASSES * STRIP_MOST];
    float lse[STRIP_MOST], loss[STRIP_MOST];
    int64_t target[STRIP_MOST];
    const size_t n = 1 + next() % (next() % 2 ? 40 : STRIP_CLASSES), inner = 2 + next() % (STRIP_MOST - 1);
    const sl_shape shape = sl_axis(1, n, inner);
    for (size_t i = 0; i < n * inner; i++) {
        strip_x[i] = (float)((uniform() - 0.5) * (i % inner % 4 ? 20 : 200));
        strip_dy[i] = (float)ldexp(uniform() - 0.5, (int)(next() % 40) - 20);
    }
    for (size_t at = 0; at < inner; at++)
        target[at] = (int64_t)(next() % n);
    sl_loss_options o = sl_loss_defaults();
    o.reduction = SL_NONE;
    k->softmax_f32(strip_x, strip_y, shape);
    k->softmax_backward_f32(strip_y, strip_dy, strip_dx, shape);
    k->logsumexp_f32(strip_x, lse, shape);
    k->cross_entropy_f32(strip_x, target, shape, &o, loss, grad);
    strip_rows_of(k, n, inner, lse, loss, target, grad);
    k->log_softmax_f32(strip_x, strip_y, shape);
    k->log_softmax_backward_f32(strip_y, strip_dy, strip_dx, shape);
    log_strip_rows_of(k, n, inner);
}

#endif
