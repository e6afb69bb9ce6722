/* SPDX-License-Identifier: MIT
 *
 * SLEEF has functions of vectors only; this composes kernels of them as its users do: three passes over a row, f32
 * throughout. The widest vectors of the machine that compiles it.
 */
#include "peers.h"

#include <immintrin.h>
#include <math.h>
#include <sleef.h>

#if defined(__AVX512F__)
enum { WIDTH = 16 };
typedef __m512 vector;
#define OF(name) _mm512_##name##_ps
#define EXP Sleef_expf16_u10
#define LOG Sleef_logf16_u10
#define LOG1P Sleef_log1pf16_u10
static float sum_of(vector v) { return _mm512_reduce_add_ps(v); }
static float largest_of(vector v) { return _mm512_reduce_max_ps(v); }
#else
enum { WIDTH = 8 };
typedef __m256 vector;
#define OF(name) _mm256_##name##_ps
#define EXP Sleef_expf8_u10
#define LOG Sleef_logf8_u10
#define LOG1P Sleef_log1pf8_u10
static float sum_of(vector v)
{
    float lane[WIDTH], sum = 0;
    _mm256_storeu_ps(lane, v);
    for (int i = 0; i < WIDTH; i++)
        sum += lane[i];
    return sum;
}
static float largest_of(vector v)
{
    float lane[WIDTH], max = -INFINITY;
    _mm256_storeu_ps(lane, v);
    for (int i = 0; i < WIDTH; i++)
        max = lane[i] > max ? lane[i] : max;
    return max;
}
#endif

static float max_of(const float *x, size_t n)
{
    vector max = OF(set1)(-INFINITY);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        max = OF(max)(max, OF(loadu)(x + i));
    float largest = largest_of(max);
    for (; i < n; i++)
        largest = x[i] > largest ? x[i] : largest;
    return largest;
}

/* y may be NULL */
static float exp_of_row(const float *x, float *y, size_t n, float max)
{
    vector sum = OF(set1)(0), m = OF(set1)(max);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        vector e = EXP(OF(sub)(OF(loadu)(x + i), m));
        sum = OF(add)(sum, e);
        if (y)
            OF(storeu)(y + i, e);
    }
    float total = sum_of(sum);
    for (; i < n; i++) {
        const float e = Sleef_expf_u10(x[i] - max);
        total += e;
        if (y)
            y[i] = e;
    }
    return total;
}

static void softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes, y += s.classes) {
        const float scale = 1 / exp_of_row(x, y, s.classes, max_of(x, s.classes));
        for (size_t i = 0; i < s.classes; i++)
            y[i] *= scale;
    }
}

static void log_softmax(const float *x, float *y, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes, y += s.classes) {
        const float max = max_of(x, s.classes), away = Sleef_logf_u10(exp_of_row(x, NULL, s.classes, max));
        for (size_t i = 0; i < s.classes; i++)
            y[i] = x[i] - max - away;
    }
}

static void logsumexp(const float *x, float *lse, sl_shape s)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes) {
        const float max = max_of(x, s.classes);
        lse[r] = max + Sleef_logf_u10(exp_of_row(x, NULL, s.classes, max));
    }
}

static void cross_entropy(const float *x, const int64_t *target, sl_shape s, const sl_loss_options *o,
                          float *loss, float *grad)
{
    const float scale = o->reduction == SL_MEAN ? 1 / (float)s.outer : 1;
    double total = 0;
    for (size_t r = 0; r < s.outer; r++, x += s.classes) {
        const float max = max_of(x, s.classes), sum = exp_of_row(x, grad, s.classes, max);
        const float one = Sleef_logf_u10(sum) - (x[target[r]] - max);
        total += one;
        if (loss && o->reduction == SL_NONE)
            loss[r] = one;
        if (!grad)
            continue;
        for (size_t i = 0; i < s.classes; i++)
            grad[i] *= scale / sum;
        grad[target[r]] -= scale;
        grad += s.classes;
    }
    if (loss && o->reduction == SL_MEAN)
        *loss = (float)(total / (double)s.outer);
}

static void sigmoid(const float *x, float *y, size_t n)
{
    const vector one = OF(set1)(1), zero = OF(set1)(0);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        OF(storeu)(y + i, OF(div)(one, OF(add)(one, EXP(OF(sub)(zero, OF(loadu)(x + i))))));
    for (; i < n; i++)
        y[i] = 1 / (1 + Sleef_expf_u10(-x[i]));
}

static void log_sigmoid(const float *x, float *y, size_t n)
{
    const vector zero = OF(set1)(0);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        vector a = OF(loadu)(x + i), minus = OF(sub)(zero, a), low = OF(min)(a, minus);
        OF(storeu)(y + i, OF(sub)(OF(min)(a, zero), LOG1P(EXP(low))));
    }
    for (; i < n; i++)
        y[i] = fminf(x[i], 0) - Sleef_log1pf_u10(Sleef_expf_u10(-fabsf(x[i])));
}

const sl_kernels peer_sleef = {
    .isa = "sleef",
    .softmax_f32 = softmax,
    .log_softmax_f32 = log_softmax,
    .logsumexp_f32 = logsumexp,
    .cross_entropy_f32 = cross_entropy,
    .sigmoid_f32 = sigmoid,
    .log_sigmoid_f32 = log_sigmoid,
};
