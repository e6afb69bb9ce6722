/* SPDX-License-Identifier: MIT
 *
 * Three kernels on logits that are the same everywhere, and hashes of their results; beside the two files that scripts/export.py
 * writes. With PAGE it is the module of the page. Else it is a program, for any machine, which prints time and hash of each kernel:
 *
 *   program ISA ROWS CLASSES
 *
 * With one instruction set an export has no dispatch: then ONE_ISA is its name.
 */
#define _POSIX_C_SOURCE 200809L
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "softlane.h"

#ifdef PAGE
#define EXPORT(name) __attribute__((export_name(#name)))
/* A page has no environment, and that of WASI would have to be imported. */
char *getenv(const char *name) { return (void)name, NULL; }
#else
#define EXPORT(name) static
#endif

enum { SOFTMAX, SIGMOID, CROSS_ENTROPY, KERNELS };
enum { MOST = 1 << 20 };
static float x[MOST], y[MOST], loss;
static int64_t target[MOST];
static sl_shape shape;

/* Logits from -8 to 8, made by exact operations, and one class for each row. False where they do not fit. */
EXPORT(prepare) int prepare(size_t rows, size_t classes)
{
    uint32_t state = 1;
    if (rows == 0 || classes == 0 || rows > MOST / classes)
        return 0;
    shape = sl_rows(rows, classes);
    for (size_t i = 0; i < rows * classes; i++) {
        state = state * 1664525u + 1013904223u;
        x[i] = ((float)(state >> 8) - 0x1p23f) * 0x1p-20f;
    }
    for (size_t r = 0; r < rows; r++)
        target[r] = (int64_t)(r * 7 % classes);
    return 1;
}

static int use(const char *isa)
{
#ifdef ONE_ISA
    return strcmp(isa, ONE_ISA) == 0;
#else
    return sl_isa_force(isa);
#endif
}

#ifdef PAGE
/* Whether there is SIMD128, if that is wanted; else plain C, which there always is. From now on it is in use. */
EXPORT(use_simd) int use_simd(int wanted) { return use(wanted ? "simd128" : "scalar"); }
#endif

/* A kernel so many times; false where a call failed. */
EXPORT(run) int run(int kernel, int times)
{
    const sl_loss_options options = sl_loss_defaults();
    int good = 1;
    for (int i = 0; i < times; i++)
        switch (kernel) {
        case SOFTMAX:
            good &= sl_softmax_f32(x, y, shape) == SL_OK;
            break;
        case SIGMOID:
            good &= sl_sigmoid_f32(x, y, shape.outer * shape.classes) == SL_OK;
            break;
        default:
            good &= sl_cross_entropy_f32(x, target, shape, &options, &loss, y) == SL_OK;
        }
    return good;
}

static uint64_t hash_bytes(uint64_t hash, const void *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ ((const unsigned char *)bytes)[i]) * 0x100000001b3u;
    return hash;
}

/* FNV-1a of all results of the last run. */
EXPORT(hash) uint64_t hash(int kernel)
{
    const uint64_t all = hash_bytes(0xcbf29ce484222325u, y, shape.outer * shape.classes * sizeof *y);
    return kernel == CROSS_ENTROPY ? hash_bytes(all, &loss, sizeof loss) : all;
}

#ifndef PAGE
static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

/* Seconds of a run, the least of several; after as many again in which an engine may compile it anew. */
static double seconds_of(int kernel)
{
    enum { ROUNDS = 20 };
    int times = 1;
    double least = 0;
    for (int round = -ROUNDS; round < ROUNDS; round++) {
        const double start = seconds();
        run(kernel, times);
        const double took = seconds() - start;
        if (round == 0 || took / times < least)
            least = took / times;
        if (took < 2e-3)
            times *= 2;
    }
    return least;
}

int main(int count, char **arguments)
{
    static const char *const names[KERNELS] = {"softmax", "sigmoid", "cross_entropy"};
    if (count != 4 || !use(arguments[1]) ||
        !prepare((size_t)atol(arguments[2]), (size_t)atol(arguments[3]))) {
        fprintf(stderr, "usage: %s ISA ROWS CLASSES\n", arguments[0]);
        return 2;
    }
    for (int kernel = 0; kernel < KERNELS; kernel++) {
        const double ns = seconds_of(kernel) * 1e9 / (double)(shape.outer * shape.classes);
        if (!run(kernel, 1))
            return 1;
        printf("%s %.4f %016llx\n", names[kernel], ns, (unsigned long long)hash(kernel));
    }
    return 0;
}
#endif
