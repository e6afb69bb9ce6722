/* SPDX-License-Identifier: MIT
 *
 * Kernels of SLEEF's NEON exponential (1.0 ULP), as its users compose them: three passes over a row, f32 throughout. What does not
 * fill a register is copied into one, so that all of it is work on vectors.
 */
#include "peers.h"

#include <arm_neon.h>
#include <math.h>
#include <sleef.h>
#include <string.h>

enum { WIDTH = 4 };

static float32x4_t load_n(const float *x, size_t n, float fill)
{
    float lane[WIDTH] = {fill, fill, fill, fill};
    memcpy(lane, x, n * sizeof *x);
    return vld1q_f32(lane);
}

static void store_n(float *y, float32x4_t a, size_t n)
{
    float lane[WIDTH];
    vst1q_f32(lane, a);
    memcpy(y, lane, n * sizeof *y);
}

static float max_of(const float *x, size_t n)
{
    float32x4_t max = vdupq_n_f32(-INFINITY);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        max = vmaxq_f32(max, vld1q_f32(x + i));
    if (i < n)
        max = vmaxq_f32(max, load_n(x + i, n - i, -INFINITY));
    return vmaxvq_f32(max);
}

static float exp_of_row(const float *x, float *y, size_t n, float max)
{
    const float32x4_t m = vdupq_n_f32(max);
    float32x4_t sum = vdupq_n_f32(0);
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH) {
        const float32x4_t e = Sleef_expf4_u10advsimd(vsubq_f32(vld1q_f32(x + i), m));
        sum = vaddq_f32(sum, e);
        vst1q_f32(y + i, e);
    }
    if (i < n) {
        const float32x4_t e = Sleef_expf4_u10advsimd(vsubq_f32(load_n(x + i, n - i, -INFINITY), m));
        sum = vaddq_f32(sum, e);
        store_n(y + i, e, n - i);
    }
    return vaddvq_f32(sum);
}

static void softmax(const float *x, float *y, sl_shape s)
{
    const size_t n = s.classes;
    for (size_t r = 0; r < s.outer; r++, x += n, y += n) {
        const float scale = 1 / exp_of_row(x, y, n, max_of(x, n));
        size_t i = 0;
        for (; i + WIDTH <= n; i += WIDTH)
            vst1q_f32(y + i, vmulq_n_f32(vld1q_f32(y + i), scale));
        if (i < n)
            store_n(y + i, vmulq_n_f32(load_n(y + i, n - i, 0), scale), n - i);
    }
}

static float32x4_t sigmoid_of(float32x4_t x)
{
    const float32x4_t one = vdupq_n_f32(1);
    return vdivq_f32(one, vaddq_f32(one, Sleef_expf4_u10advsimd(vnegq_f32(x))));
}

static void sigmoid(const float *x, float *y, size_t n)
{
    size_t i = 0;
    for (; i + WIDTH <= n; i += WIDTH)
        vst1q_f32(y + i, sigmoid_of(vld1q_f32(x + i)));
    if (i < n)
        store_n(y + i, sigmoid_of(load_n(x + i, n - i, 0)), n - i);
}

const sl_kernels peer_sleef = {.isa = "sleef", .softmax_f32 = softmax, .sigmoid_f32 = sigmoid};
