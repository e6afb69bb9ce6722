/* SPDX-License-Identifier: MIT
 *
 * Prints a hash of the results of some kernels for each variant that can run, after its class of bits, for
 * scripts/check_flags: of the library (PREFIX sl), or of an export that was compiled with some flags.
 *
 *   HEADER    of the export, or softlane.h
 *   SUMS      defined: of kernels with reductions and with checks, else of maps
 */
#include <inttypes.h>
#include <math.h> /* HUGE_VALF: a constant */
#include <stdio.h>
#include <string.h>

#include HEADER

#define PASTE_(a, b) a##_##b
#define PASTE(a, b) PASTE_(a, b)
#define OWN(name) PASTE(PREFIX, name)

enum { N = 4099 };
static float x[N];
static double wide_x[N];
#ifndef SUMS
static float y[N];
static double wide_y[N];
#endif

static uint64_t random_bits(void)
{
    static uint64_t state = 7;
    state = state * 6364136223846793005u + 1442695040888963407u;
    return state ^ state >> 29;
}

/* Of any NaN the same bytes: which of several it is no kernel of an element promises. */
static uint64_t hash_floats(uint64_t hash, const float *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint32_t bits;
        memcpy(&bits, &a[i], sizeof bits);
        if ((bits & 0x7fffffff) > 0x7f800000)
            bits = 0x7fc00000;
        hash = (hash ^ bits) * 0x100000001b3u;
    }
    return hash;
}

static uint64_t hash_doubles(uint64_t hash, const double *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        uint64_t bits;
        memcpy(&bits, &a[i], sizeof bits);
        if ((bits & INT64_MAX) > 0x7ff0000000000000u)
            bits = 0x7ff8000000000000u;
        hash = (hash ^ bits) * 0x100000001b3u;
    }
    return hash;
}

/* Of moderate size, but at both ends anything at all: zeros, denormals, infinities and NaNs among it. */
static void fill(void)
{
    for (size_t i = 0; i < N; i++) {
        const uint64_t bits = random_bits();
        const uint32_t upper = (uint32_t)(bits >> 32);
        wide_x[i] = (double)(int64_t)bits / 0x1p58;
        x[i] = (float)((double)(int32_t)upper / 0x1p26);
        if (i < 64 || i >= N - 64) {
            memcpy(&x[i], &upper, sizeof upper);
            memcpy(&wide_x[i], &bits, sizeof bits);
        }
    }
    const float ends[] = {0.0f, -0.0f, HUGE_VALF, -HUGE_VALF, HUGE_VALF - HUGE_VALF, 0x1p-149f, -0x1p-130f};
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        x[i] = ends[i];
        wide_x[i] = ends[i];
    }
}

#ifdef SUMS
/* Rows of all widths, in the part without NaN and infinity; then those that have them. */
static uint64_t hash_of(const OWN(kernels) * isa, uint64_t hash)
{
    float lse[N];
    OWN(stats) whole = OWN(stats_empty)(), part;
    for (size_t n = 1; n < 300; n++) {
        isa->logsumexp_f32(x + 100, lse, OWN(rows)(3, n));
        hash = hash_floats(hash, lse, 3);
        isa->softmax_stats_f32(x + 100 + n, n, &part);
        OWN(stats_merge)(&whole, &part);
        whole.target = 0.25;
        const double of_whole[] = {whole.max, whole.rest, whole.logits, OWN(stats_logsumexp)(&whole),
                                   OWN(stats_cross_entropy)(&whole, 0.1)};
        hash = hash_doubles(hash, of_whole, 5);
    }
    isa->logsumexp_f32(x, lse, OWN(rows)(N / 7, 7));
    return hash_floats(hash, lse, N / 7);
}

/* A probability that is none must be seen. */
static int checks_fail(void)
{
    const float target[3] = {0, 1, 0};
    const float wrong[] = {HUGE_VALF - HUGE_VALF, HUGE_VALF, -1, 1.5f};
    int failures = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        const float p[3] = {0.5f, wrong[i], 0.25f};
        float loss = 7;
        failures += (int)OWN(bce_f32)(p, target, OWN(rows)(1, 3), NULL, &loss, NULL) != 3 || loss != 7;
    }
    return failures;
}
#else
static uint64_t hash_of(const OWN(kernels) * isa, uint64_t hash)
{
    isa->sigmoid_f32(x, y, N);
    hash = hash_floats(hash, y, N);
    isa->sigmoid_f64(wide_x, wide_y, N);
    return hash_doubles(hash, wide_y, N);
}
#endif

int main(void)
{
    fill();
    for (size_t i = 0; i < OWN(isa_count)(); i++) {
        const OWN(kernels) *isa = OWN(isa)(OWN(isa_name_at)(i));
        if (isa == NULL)
            continue;
        uint64_t hash = 0xcbf29ce484222325u;
        hash = hash_of(isa, hash);
        printf("%s %016" PRIx64 " %s\n", isa->fma ? "FMA" : "no-FMA", hash, isa->isa);
    }
#ifdef SUMS
    if (checks_fail()) {
        printf("a check of arguments fails\n");
        return 1;
    }
#endif
    return 0;
}
