/* SPDX-License-Identifier: MIT
 *
 * See sweep.h. The oracle is in double: its results are wrong by 2^-28 of an f32 ULP, so that next to a tie it cannot
 * say which way is right; that is counted. tests/oracle.c compares it with MPFR.
 */
#include "sweep.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "reference.h"

#define BOUNDS_(f32, no_fma, ...)                                                                            \
    {                                                                                                        \
        no_fma, f32                                                                                          \
    }
#define BOUNDS(...) BOUNDS_(__VA_ARGS__)
#define UNPACK(...) __VA_ARGS__
#define ONE_MAP(row, b)                                                                                      \
    static void run_##row(const sl_kernels *t, const float *x, float *y, size_t n) { t->row##_f32(x, y, n); }
#define ONE_ROW(row, b) {#row, BOUNDS(UNPACK b), run_##row, sl_ref_##row##_double},

#define FOR_MAP(DO, row, b) DO(row, b)
#define FOR_MAP_BACKWARD(DO, row, b)
#define FOR_ROW_MAP(DO, row, b)
#define FOR_ROW_BACKWARD(DO, row, b)
#define FOR_ROW_FOLD(DO, row, b)
#define FOR_CLASS_LOSS(DO, row, b)
#define FOR_PROB_LOSS(DO, row, b)
#define FOR_ELEMENT_LOSS(DO, row, b)
#define FOR_STATS(DO, row, b)
#define FOR_APPLY(DO, row, b)

#define SL_KERNEL(row, signature, reads, writes, bounds, ...) FOR_##signature(ONE_MAP, row, bounds)
#include "kernels.def"
#undef SL_KERNEL

static const sweep_map maps[] = {
#define SL_KERNEL(row, signature, reads, writes, bounds, ...) FOR_##signature(ONE_ROW, row, bounds)
#include "kernels.def"
#undef SL_KERNEL
};

size_t sweep_map_count(void) { return sizeof maps / sizeof *maps; }

const sweep_map *sweep_map_at(size_t i) { return &maps[i]; }

/* One more than a block's patterns: its last neighbours are the first of the next. */
enum { BLOCK = 1 << 16, MOST = BLOCK + 1 };

typedef struct {
    const sweep_map *map;
    const sl_kernels *const *tables;
    size_t count, one_in, blocks;
    uint32_t first, last;
    atomic_size_t *next_block; /* blocks of one sign, then of the other */
    sweep_result *results;
    void (*progress)(double done);
} worker;

static uint32_t bits_of(float f)
{
    uint32_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static uint64_t bits_of_double(double f)
{
    uint64_t u;
    memcpy(&u, &f, sizeof u);
    return u;
}

static double double_of(uint64_t u)
{
    double f;
    memcpy(&f, &u, sizeof f);
    return f;
}

/* 1 / ULP of an f32 result, whose unit is never below that of denormals. */
static double per_ulp(double want)
{
    const int64_t exponent = (int64_t)(bits_of_double(want) >> 52 & 0x7ff) - 1023;
    return double_of((uint64_t)(1023 + 23 - (exponent < -126 ? -126 : exponent)) << 52);
}

static uint64_t mixed(uint32_t x, float y)
{
    const uint64_t u = (uint64_t)x << 32 | (y == y ? bits_of(y) : 0x7fc00000u);
    const uint64_t v = (u ^ u >> 29) * 0xbf58476d1ce4e5b9u;
    return v ^ v >> 32;
}

static void judge(sweep_result *r, const float *x, const float *y, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r->hash += mixed(bits_of(x[i]), y[i]);
        r->nans += y[i] != y[i];
        r->infinities += fabsf(y[i]) == INFINITY;
        r->denormals += y[i] != 0 && fabsf(y[i]) < 0x1p-126f;
        const double error = fabs(y[i] - want[i]) * per_ulp(want[i]);
        if (!(error < INFINITY)) { /* one of them is no number */
            r->wrong += !((y[i] != y[i] && want[i] != want[i]) || y[i] == want[i]);
            continue;
        }
        r->misrounded += error > 0.5 + 0x1p-26;
        r->undecided += fabs(error - 0.5) <= 0x1p-26;
        if (error > r->max_ulp) {
            r->max_ulp = error;
            r->worst = x[i];
        }
    }
    r->inputs += n;
}

static void look_for_inversions(sweep_result *r, const float *x, const float *y, size_t n, bool negative)
{
    for (size_t i = 1; i < n; i++)
        if (negative ? y[i] > y[i - 1] : y[i] < y[i - 1]) {
            r->inversions++;
            r->inverted = x[i];
        }
}

static void *work(void *argument)
{
    const worker *w = argument;
    float *x = malloc(MOST * sizeof *x), *y = malloc(MOST * sizeof *y);
    double *wide = malloc(MOST * sizeof *wide), *want = malloc(MOST * sizeof *want);
    long double *exact = malloc(MOST * sizeof *exact);
    for (size_t at; (at = atomic_fetch_add(w->next_block, w->one_in)) < 2 * w->blocks;) {
        const bool negative = at >= w->blocks;
        const uint32_t start = w->first + (uint32_t)((negative ? at - w->blocks : at) * BLOCK);
        const size_t left = (size_t)(w->last - start) + 1, n = left < BLOCK ? left : BLOCK;
        const size_t with_next = n < left ? n + 1 : n;
        for (size_t i = 0; i < with_next; i++) {
            const uint32_t u = (start + (uint32_t)i) | (negative ? 0x80000000u : 0);
            memcpy(&x[i], &u, sizeof u);
            wide[i] = x[i];
        }
        w->map->oracle(wide, with_next, exact, NULL);
        for (size_t i = 0; i < with_next; i++)
            want[i] = (double)exact[i];
        for (size_t t = 0; t < w->count; t++) {
            w->map->run(w->tables[t], x, y, with_next);
            judge(&w->results[t], x, y, want, n);
            look_for_inversions(&w->results[t], x, y, with_next, negative);
        }
        if (w->progress != NULL)
            w->progress((double)at / (double)(2 * w->blocks));
    }
    free(x);
    free(y);
    free(wide);
    free(want);
    free(exact);
    return NULL;
}

static void merge(sweep_result *into, const sweep_result *from)
{
    into->inputs += from->inputs;
    into->misrounded += from->misrounded;
    into->undecided += from->undecided;
    into->wrong += from->wrong;
    into->nans += from->nans;
    into->infinities += from->infinities;
    into->denormals += from->denormals;
    into->hash += from->hash;
    into->inversions += from->inversions;
    if (from->inversions > 0)
        into->inverted = from->inverted;
    /* the same witness whichever thread met it */
    if (from->max_ulp > into->max_ulp ||
        (from->max_ulp == into->max_ulp && bits_of(from->worst) < bits_of(into->worst))) {
        into->max_ulp = from->max_ulp;
        into->worst = from->worst;
    }
}

void sweep(const sweep_map *map, const sl_kernels *const *tables, size_t count, uint32_t first, uint32_t last,
           size_t one_in, sweep_result *results, void (*progress)(double done))
{
    enum { MOST_THREADS = 64 };
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
    const size_t threads = cores < 1 ? 1 : cores > MOST_THREADS ? MOST_THREADS : (size_t)cores;
    atomic_size_t next_block = 0;
    worker workers[MOST_THREADS];
    pthread_t ids[MOST_THREADS];
    sweep_result *own = calloc(threads * count, sizeof *own);
    for (size_t i = 0; i < threads; i++) {
        workers[i] = (worker){.map = map,
                              .tables = tables,
                              .count = count,
                              .one_in = one_in,
                              .blocks = (size_t)(last - first) / BLOCK + 1,
                              .first = first,
                              .last = last,
                              .next_block = &next_block,
                              .results = own + i * count,
                              .progress = i == 0 ? progress : NULL};
        if (i > 0 && pthread_create(&ids[i], NULL, work, &workers[i]) != 0)
            workers[i].map = NULL; /* the others do its part */
    }
    work(&workers[0]);
    memset(results, 0, count * sizeof *results);
    for (size_t i = 0; i < threads; i++) {
        if (i > 0 && workers[i].map != NULL)
            pthread_join(ids[i], NULL);
        for (size_t t = 0; t < count; t++)
            merge(&results[t], &own[i * count + t]);
    }
    free(own);
}
