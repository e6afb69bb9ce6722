/* SPDX-License-Identifier: MIT
 *
 * What one writes first: the textbook formulas in f32. Compiled twice, PEER being the table: peer_libm as any program
 * would be, peer_libmvec with all that gcc may do to arithmetic.
 */
#include "peers.h"

#include <math.h>
#include <stdbool.h>

static float max_of(const float *x, size_t n)
{
    float max = x[0];
    for (size_t c = 1; c < n; c++)
        max = x[c] > max ? x[c] : max;
    return max;
}

static float sum_of_exp(const float *x, size_t n, float max)
{
    float sum = 0;
    for (size_t c = 0; c < n; c++)
        sum += expf(x[c] - max);
    return sum;
}

static void softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes, y += s.classes) {
        float max = max_of(x, s.classes), sum = 0;
        for (size_t c = 0; c < s.classes; c++)
            sum += y[c] = expf(x[c] - max);
        for (size_t c = 0; c < s.classes; c++)
            y[c] /= sum;
    }
}

static void log_softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes, y += s.classes) {
        const float max = max_of(x, s.classes), log_sum = logf(sum_of_exp(x, s.classes, max));
        for (size_t c = 0; c < s.classes; c++)
            y[c] = x[c] - max - log_sum;
    }
}

static void logsumexp(const float *x, float *lse, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes) {
        const float max = max_of(x, s.classes);
        lse[r] = max + logf(sum_of_exp(x, s.classes, max));
    }
}

static void cross_entropy(const float *x, const int64_t *target, sl_shape s, const sl_loss_options *o,
                          float *loss, float *grad)
{
    const bool mean = o->reduction == SL_MEAN;
    const float scale = mean ? 1 / (float)s.outer : 1;
    double total = 0;
    for (size_t r = 0; r < s.outer; r++, x += s.classes) {
        const float max = max_of(x, s.classes), sum = sum_of_exp(x, s.classes, max);
        const float one = logf(sum) - (x[target[r]] - max);
        total += one;
        if (loss && !mean)
            loss[r] = one;
        if (!grad)
            continue;
        for (size_t c = 0; c < s.classes; c++)
            grad[c] = scale * (expf(x[c] - max) / sum);
        grad[target[r]] -= scale;
        grad += s.classes;
    }
    if (loss && mean)
        *loss = (float)(total / (double)s.outer);
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
    const size_t n = s.outer * s.classes;
    const bool mean = o->reduction == SL_MEAN;
    const float scale = mean ? 1 / (float)n : 1;
    float sum = 0;
    if (loss && mean) {
        for (size_t i = 0; i < n; i++)
            sum += (x[i] > 0 ? x[i] : 0) - x[i] * t[i] + logf(1 + expf(-fabsf(x[i])));
        *loss = sum * scale;
    } else if (loss) {
        for (size_t i = 0; i < n; i++)
            loss[i] = (x[i] > 0 ? x[i] : 0) - x[i] * t[i] + log1pf(expf(-fabsf(x[i])));
    }
    for (size_t i = 0; grad && i < n; i++)
        grad[i] = scale * (1 / (1 + expf(-x[i])) - t[i]);
}

#define TEXT_(name) #name
#define TEXT(name) TEXT_(name)
#define TABLE_(name) peer_##name
#define TABLE(name) TABLE_(name)

const sl_kernels TABLE(PEER) = {
    .isa = TEXT(PEER),
    .softmax_f32 = softmax,
    .log_softmax_f32 = log_softmax,
    .logsumexp_f32 = logsumexp,
    .cross_entropy_f32 = cross_entropy,
    .sigmoid_f32 = sigmoid,
    .log_sigmoid_f32 = log_sigmoid,
    .bce_with_logits_f32 = bce_with_logits,
};
