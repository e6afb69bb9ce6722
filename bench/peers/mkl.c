/* SPDX-License-Identifier: MIT
 *
 * MKL's vector mathematics (VML), its accuracy LA (4 ULP), in tiles that stay in the first cache: the rest of a kernel is loops
 * that the compiler turns into vectors. PyPI's package has no header: what is used of it is declared here.
 */
#include "peers.h"

#include <math.h>

enum { TILE = 2048 };
enum { LOW_ACCURACY = 1 };
void vmsExp(int n, const float *a, float *r, long long mode);
void vmsLog1p(int n, const float *a, float *r, long long mode);

static size_t tile_of(size_t left) { return left < TILE ? left : TILE; }

static float max_of(const float *x, size_t n)
{
    float max = x[0];
    for (size_t i = 1; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max;
}

/* y may be NULL */
static float exp_of_row(const float *x, float *y, size_t n, float max)
{
    float tile[TILE], sum = 0;
    for (size_t i = 0, m; i < n; i += m) {
        float *e = y ? y + i : tile;
        m = tile_of(n - i);
        for (size_t j = 0; j < m; j++)
            e[j] = x[i + j] - max;
        vmsExp((int)m, e, e, LOW_ACCURACY);
        for (size_t j = 0; j < m; j++)
            sum += e[j];
    }
    return sum;
}

#define LOG logf
#include "composed.inc"

static void sigmoid(const float *x, float *y, size_t n)
{
    for (size_t i = 0, m; i < n; i += m) {
        m = tile_of(n - i);
        for (size_t j = i; j < i + m; j++)
            y[j] = -x[j];
        vmsExp((int)m, y + i, y + i, LOW_ACCURACY);
        for (size_t j = i; j < i + m; j++)
            y[j] = 1 / (1 + y[j]);
    }
}

static void log_sigmoid(const float *x, float *y, size_t n)
{
    for (size_t i = 0, m; i < n; i += m) {
        m = tile_of(n - i);
        for (size_t j = i; j < i + m; j++)
            y[j] = -fabsf(x[j]);
        vmsExp((int)m, y + i, y + i, LOW_ACCURACY);
        vmsLog1p((int)m, y + i, y + i, LOW_ACCURACY);
        for (size_t j = i; j < i + m; j++)
            y[j] = (x[j] < 0 ? x[j] : 0) - y[j];
    }
}

const sl_kernels peer_mkl = {
    .isa = "mkl",
    .softmax_f32 = softmax,
    .log_softmax_f32 = log_softmax,
    .logsumexp_f32 = logsumexp,
    .cross_entropy_f32 = cross_entropy,
    .sigmoid_f32 = sigmoid,
    .log_sigmoid_f32 = log_sigmoid,
};
