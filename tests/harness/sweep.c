/* SPDX-License-Identifier: MIT
 *
 * See sweep.h. The oracle is in double: its results are wrong by 2^-28 of an f32 ULP, so that next to a tie it cannot
 * say which way is right; that is counted. tests/mpfr.c compares it with MPFR.
 */
#include "sweep.h"

#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bits.h"
#include "workload.h"

bool sweep_knows(const kernel *k) { return k->by_element && k->dtype == &sl_ref_dtypes[SL_COUNT_f32]; }

/* One more than a block's patterns: its last neighbours are the first of the next. */
enum { BLOCK = 1 << 16, MOST = BLOCK + 1 };

typedef struct {
    const kernel *k;
    size_t output;
    const sl_kernels *const *tables;
    size_t count, one_in, blocks, all_blocks; /* of one sign; of those that there are */
    uint32_t first, last;
    atomic_size_t *next_block; /* blocks of one sign, then of the other */
    sweep_result *results;
    bool (*go_on)(double done);
} worker;

/* 1 / ULP of an f32 result, whose unit is never below that of denormals. */
static double per_ulp(double want)
{
    const int64_t exponent = (int64_t)(bits_of_double(want) >> 52 & 0x7ff) - 1023;
    return double_of_bits((uint64_t)(1023 + 23 - (exponent < -126 ? -126 : exponent)) << 52);
}

static uint64_t mixed(uint32_t x, float y)
{
    const uint64_t u = (uint64_t)x << 32 | (y == y ? bits_of_float(y) : 0x7fc00000u);
    const uint64_t v = (u ^ u >> 29) * 0xbf58476d1ce4e5b9u;
    return v ^ v >> 32;
}

static void judge(sweep_result *r, const float *x, float second, const float *y, const double *want, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        r->hash += mixed(bits_of_float(x[i]), y[i]);
        r->nans += y[i] != y[i];
        r->infinities += fabsf(y[i]) == INFINITY;
        r->denormals += y[i] != 0 && fabsf(y[i]) < 0x1p-126f;
        double error = fabs(y[i] - want[i]) * per_ulp(want[i]);
        if (error < INFINITY) {
            r->sum_ulp += error;
            r->misrounded += error > 0.5 + 0x1p-26;
            r->undecided += fabs(error - 0.5) <= 0x1p-26;
        } else if (y[i] != y[i] && want[i] != want[i]) {
            if (r->not_compared++ == 0) {
                r->uncompared = x[i];
                r->uncompared_second = second;
            }
            continue;
        } else if (y[i] == want[i]) { /* infinite */
            continue;
        } else {
            r->wrong++;
            error = INFINITY;
        }
        if (error > r->max_ulp) {
            r->max_ulp = error;
            r->worst = x[i];
            r->worst_second = second;
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

/* What a thread works on: a block of inputs, and what comes of them. */
typedef struct {
    float x[MOST], second[MOST], y[MOST];
    double wide[MOST], wide_second[MOST], want[MOST];
    sl_real exact[MOST];
} block;

static void run(const worker *w, const sl_kernels *table, block *b, size_t n)
{
    static const sl_loss_options each_loss = {.reduction = SL_NONE};
    call c = {.x = b->x, .second = b->second, .shape = sl_rows(1, n), .options = &each_loss};
    c.out[w->output] = b->y;
    w->k->run(table, &c);
}

static void ask_oracle(const worker *w, block *b, size_t n)
{
    static const sl_ref_options each_loss = {.reduction = SL_NONE};
    oracle_call q = {.x = b->wide, .second = b->wide_second, .shape = sl_rows(1, n), .options = &each_loss};
    q.want[w->output] = b->exact;
    w->k->oracle.in_double(&q);
    for (size_t i = 0; i < n; i++)
        b->want[i] = (double)b->exact[i];
}

static void sweep_block(const worker *w, block *b, uint32_t start, bool negative)
{
    const size_t left = (size_t)(w->last - start) + 1, n = left < BLOCK ? left : BLOCK;
    const size_t with_next = n < left ? n + 1 : n;
    for (size_t i = 0; i < with_next; i++) {
        b->x[i] = float_of_bits((start + (uint32_t)i) | (negative ? 0x80000000u : 0));
        b->wide[i] = b->x[i];
    }
    /* of gradients 1 stands for all; of targets the two ends */
    const float first = w->k->second == DY, last = w->k->second != NO_SECOND;
    for (float second = first; second <= last; second++) {
        for (size_t i = 0; i < with_next; i++)
            b->wide_second[i] = b->second[i] = second;
        ask_oracle(w, b, with_next);
        for (size_t t = 0; t < w->count; t++) {
            run(w, w->tables[t], b, with_next);
            judge(&w->results[t], b->x, second, b->y, b->want, n);
            if (w->k->second == NO_SECOND)
                look_for_inversions(&w->results[t], b->x, b->y, with_next, negative);
        }
    }
}

static void *work(void *argument)
{
    const worker *w = argument;
    block *b = malloc(sizeof *b);
    for (size_t at; b != NULL && (at = atomic_fetch_add(w->next_block, w->one_in)) < w->all_blocks;) {
        const bool negative = at >= w->blocks;
        sweep_block(w, b, w->first + (uint32_t)((negative ? at - w->blocks : at) * BLOCK), negative);
        if (w->go_on != NULL && !w->go_on((double)at / (double)w->all_blocks))
            atomic_store(w->next_block, w->all_blocks);
    }
    free(b);
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
    if (from->not_compared > 0 &&
        (into->not_compared == 0 || bits_of_float(from->uncompared) < bits_of_float(into->uncompared))) {
        into->uncompared = from->uncompared;
        into->uncompared_second = from->uncompared_second;
    }
    into->not_compared += from->not_compared;
    into->sum_ulp += from->sum_ulp;
    into->inversions += from->inversions;
    if (from->inversions > 0)
        into->inverted = from->inverted;
    /* the same witness whichever thread met it */
    if (from->max_ulp > into->max_ulp ||
        (from->max_ulp == into->max_ulp && bits_of_float(from->worst) < bits_of_float(into->worst))) {
        into->max_ulp = from->max_ulp;
        into->worst = from->worst;
        into->worst_second = from->worst_second;
    }
}

void sweep(const kernel *k, bool gradient, const sl_kernels *const *tables, size_t count, uint32_t first,
           uint32_t last, size_t one_in, sweep_result *results, bool (*go_on)(double done))
{
    enum { MOST_THREADS = 64 };
#ifdef _SC_NPROCESSORS_ONLN
    const long cores = sysconf(_SC_NPROCESSORS_ONLN);
#else
    const long cores = 1;
#endif
    const size_t threads = cores < 1 ? 1 : cores > MOST_THREADS ? MOST_THREADS : (size_t)cores;
    atomic_size_t next_block = 0;
    worker workers[MOST_THREADS];
    pthread_t ids[MOST_THREADS];
    sweep_result *own = calloc(threads * count, sizeof *own);
    const uint32_t one = 0x3f800000;
    const bool probabilities = !is_in_domain(k, 2);
    if (probabilities && last > one)
        last = one;
    const size_t blocks = (size_t)(last - first) / BLOCK + 1;
    for (size_t i = 0; i < threads; i++) {
        workers[i] = (worker){.k = k,
                              .output = gradient ? GRADIENT : RESULT,
                              .tables = tables,
                              .count = count,
                              .one_in = one_in,
                              .blocks = blocks,
                              .all_blocks = probabilities ? blocks : 2 * blocks,
                              .first = first,
                              .last = last,
                              .next_block = &next_block,
                              .results = own + i * count,
                              .go_on = i == 0 ? go_on : NULL};
        if (i > 0 && pthread_create(&ids[i], NULL, work, &workers[i]) != 0)
            workers[i].k = NULL; /* the others do its part */
    }
    work(&workers[0]);
    memset(results, 0, count * sizeof *results);
    for (size_t i = 0; i < threads; i++) {
        if (i > 0 && workers[i].k != NULL)
            pthread_join(ids[i], NULL);
        for (size_t t = 0; t < count; t++)
            merge(&results[t], &own[i * count + t]);
    }
    free(own);
}
