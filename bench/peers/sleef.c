/* SPDX-License-Identifier: MIT
 *
 * SLEEF has functions of vectors only; this composes kernels of them as its users do: three passes over a row, f32
 * throughout, of the widest vectors that the compiler may use.
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
#define LOG1P Sleef_log1pf16_u10
#elif defined(__AVX2__)
enum { WIDTH = 8 };
typedef __m256 vector;
#define OF(name) _mm256_##name##_ps
#define EXP Sleef_expf8_u10avx2
#define LOG1P Sleef_log1pf8_u10avx2
#else
enum { WIDTH = 4 };
typedef __m128 vector;
#define OF(name) _mm_##name##_ps
#define EXP Sleef_expf4_u10sse4 /* without a number SLEEF would choose by what the CPU has */
#define LOG1P Sleef_log1pf4_u10sse4
#endif

static float sum_of(vector v)
{
    float lane[WIDTH], sum = 0;
    OF(storeu)(lane, v);
    for (int i = 0; i < WIDTH; i++)
        sum += lane[i];
    return sum;
}

static float largest_of(vector v)
{
    float lane[WIDTH], max = -INFINITY;
    OF(storeu)(lane, v);
    for (int i = 0; i < WIDTH; i++)
        max = lane[i] > max ? lane[i] : max;
    return max;
}

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

#define LOG Sleef_logf_u10
#include "composed.inc"

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
