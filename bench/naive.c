/* SPDX-License-Identifier: MIT
 *
 * See naive.h. Rows are taken where they lie, losses have SL_NONE and no other option, which is what softlane-accuracy
 * and the benchmarks ask of them.
 */
#include "naive.h"

#include <math.h>

static size_t rows_of(sl_shape s) { return s.outer * s.inner; }

static size_t first_of(sl_shape s, size_t row) { return row / s.inner * s.classes * s.inner + row % s.inner; }

static float max_of(const float *x, sl_shape s)
{
    float max = x[0];
    for (size_t c = 1; c < s.classes; c++)
        max = fmaxf(max, x[c * s.inner]);
    return max;
}

static float sum_of_exp(const float *x, sl_shape s, float max)
{
    float sum = 0;
    for (size_t c = 0; c < s.classes; c++)
        sum += expf(x[c * s.inner] - max);
    return sum;
}

static void softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < rows_of(s); r++) {
        const float *from = x + first_of(s, r);
        float *to = y + first_of(s, r), max = max_of(from, s), sum = 0;
        for (size_t c = 0; c < s.classes; c++)
            sum += to[c * s.inner] = expf(from[c * s.inner] - max);
        for (size_t c = 0; c < s.classes; c++)
            to[c * s.inner] /= sum;
    }
}

static void log_softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < rows_of(s); r++) {
        const float *from = x + first_of(s, r);
        const float max = max_of(from, s), log_sum = logf(sum_of_exp(from, s, max));
        for (size_t c = 0; c < s.classes; c++)
            y[first_of(s, r) + c * s.inner] = from[c * s.inner] - max - log_sum;
    }
}

static void logsumexp(const float *x, float *lse, sl_shape s)
{
    for (size_t r = 0; r < rows_of(s); r++) {
        const float max = max_of(x + first_of(s, r), s);
        lse[r] = max + logf(sum_of_exp(x + first_of(s, r), s, max));
    }
}

static void cross_entropy(const float *x, const int64_t *target, sl_shape s, const sl_loss_options *o,
                          float *loss, float *grad)
{
    (void)o;
    for (size_t r = 0; r < rows_of(s); r++) {
        const float *from = x + first_of(s, r);
        const float max = max_of(from, s), sum = sum_of_exp(from, s, max);
        if (loss)
            loss[r] = logf(sum) - (from[(size_t)target[r] * s.inner] - max);
        for (size_t c = 0; grad && c < s.classes; c++)
            grad[first_of(s, r) + c * s.inner] =
                expf(from[c * s.inner] - max) / sum - ((size_t)target[r] == c ? 1.0f : 0.0f);
    }
}

static void sigmoid(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1 / (1 + expf(-x[i]));
}

static void log_sigmoid(const float *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = -logf(1 + expf(-x[i]));
}

static void bce_with_logits(const float *x, const float *t, sl_shape s, const sl_loss_options *o, float *loss,
                            float *grad)
{
    (void)o;
    for (size_t i = 0; i < rows_of(s) * s.classes; i++) {
        if (loss)
            loss[i] = fmaxf(x[i], 0) - x[i] * t[i] + log1pf(expf(-fabsf(x[i])));
        if (grad)
            grad[i] = 1 / (1 + expf(-x[i])) - t[i];
    }
}

const sl_kernels naive_kernels = {
    .isa = "libm",
    .softmax_f32 = softmax,
    .log_softmax_f32 = log_softmax,
    .logsumexp_f32 = logsumexp,
    .cross_entropy_f32 = cross_entropy,
    .sigmoid_f32 = sigmoid,
    .log_sigmoid_f32 = log_sigmoid,
    .bce_with_logits_f32 = bce_with_logits,
};
