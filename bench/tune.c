/* SPDX-License-Identifier: MIT
 *
 * See tune.h. The gate is softlane-accuracy's: the same inputs, the same oracle, the same bounds.
 */
#include "tune.h"

#include <float.h>
#include <stdlib.h>
#include <time.h>

#include "dispatch.h"
#include "workload.h"

/* Times that differ by less are the same: repeated runs differ by as much. */
static const double noise = 1.03;

/* ------------------------------------------------------------------------------------------------ the gate */

/* Of a loss its gradient, too. `passes` is ANDed with who is within the bound. */
static void judge(const struct tuner *t, const kernel *k, bool gradient, bool *passes)
{
    struct error_stats *error_stats = allocate_zeroed(t->count, sizeof *error_stats);
    for (size_t i = 0; i < t->count; i++)
        error_stats[i].variant = (variant){k, gradient, t->tables[i]};
    measure_variants(error_stats, t->count, NULL);
    for (size_t i = 0; i < t->count; i++) {
        const double bound = variant_bound(&error_stats[i].variant, false);
        char name[VARIANT_TEXT];
        if (error_stats[i].max <= bound)
            continue;
        variant_text(&error_stats[i].variant, name);
        fprintf(t->refusals, "refused: %s: %.4g ULP exceed its bound of %.4g (x = %a, %s)\n", name,
                error_stats[i].max, bound, error_stats[i].worst.x, error_stats[i].worst.distribution);
        passes[i] = false;
    }
    free(error_stats);
}

/* ---------------------------------------------------------------------------------------------- the timing */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Of a loss, without and with its gradient: both count. */
static void run_once(const kernel *k, const sl_kernels *table, const call *c)
{
    if (is_loss(k)) {
        call forward = *c;
        forward.out[GRADIENT] = NULL;
        k->run(table, &forward);
    }
    k->run(table, c);
}

static double time_calls(const kernel *k, const sl_kernels *table, const call *c, size_t calls)
{
    const double start = now();
    for (size_t i = 0; i < calls; i++)
        run_once(k, table, c);
    return now() - start;
}

/* Rows as kernels see them in use. */
static void make_inputs(workload *w, const kernel *k, size_t count)
{
    enum { COLUMNS = 1000 };
    static const call_spec mean = {.reduction = SL_MEAN, .wants = {true, true}};
    const size_t classes = count < COLUMNS ? count : COLUMNS;
    generator g = {1};
    workload_make(w, k, &mean, sl_rows(count / classes, classes), distribution_at(0), &g);
}

/* Tables take turns, so that what disturbs the machine disturbs all; the least time of each is what it can do. */
static const sl_kernels *fastest(const struct tuner *t, const kernel *k, const bool *passes, size_t count)
{
    enum { TURNS = 8 };
    workload w;
    make_inputs(&w, k, count);
    sl_stats *stats = allocate(rows(w.c.shape), sizeof *stats);
    know_rows(k, sl_isa(NULL), &w.c, stats);
    double *least = allocate_zeroed(t->count, sizeof *least), best = DBL_MAX;
    size_t calls = 1, last = t->count;
    for (size_t i = 0; i < t->count; i++) {
        least[i] = DBL_MAX;
        if (passes[i])
            last = i;
    }
    for (double seconds = 0; last < t->count && seconds < t->seconds / TURNS; calls *= 2)
        seconds =
            2 * time_calls(k, t->tables[last], &w.c, calls); /* of twice as many calls, which come next */
    for (size_t turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < t->count; i++) {
            const double seconds = passes[i] ? time_calls(k, t->tables[i], &w.c, calls) : DBL_MAX;
            least[i] = seconds < least[i] ? seconds : least[i];
            best = least[i] < best ? least[i] : best;
        }
    const sl_kernels *winner = NULL;
    for (size_t i = 0; i < t->count; i++)
        if (passes[i] && least[i] <= noise * best)
            winner = t->tables[i];
    free(least);
    free(stats);
    workload_free(&w);
    return winner;
}

/* ------------------------------------------------------------------------------------------------- the core */

/* A file can tell sizes apart by powers of two. A class is timed at its geometric middle, or three times what the last
 * cache holds. */
void tune_classes(const kernel *k, const size_t cache_bytes[TUNE_CLASSES - 1],
                  struct tune_class classes[TUNE_CLASSES])
{
    const size_t largest = (size_t)SL_SMALLEST_FROM << (SL_SIZE_CLASSES - 2);
    const unsigned arrays = k->reads + k->writes + is_loss(k);
    const size_t bytes = (arrays ? arrays : 1) * k->dtype->size;
    classes[0] = (struct tune_class){0, cache_bytes[0] / bytes / 2};
    for (size_t c = 1; c < TUNE_CLASSES; c++) {
        size_t from = SL_SMALLEST_FROM;
        while (from < cache_bytes[c - 1] / bytes && from < largest)
            from *= 2;
        classes[c] = (struct tune_class){from, c + 1 < TUNE_CLASSES ? cache_bytes[c] / bytes / 2 : 3 * from};
        if (classes[c].timed < from)
            classes[c].timed = from;
    }
}

size_t tune_kernel(const struct tuner *t, const kernel *k, const sl_kernels *winner[TUNE_CLASSES])
{
    bool *passes = allocate_zeroed(t->count, sizeof *passes);
    size_t refused = 0;
    struct tune_class classes[TUNE_CLASSES];
    for (size_t i = 0; i < t->count; i++)
        passes[i] = true;
    judge(t, k, false, passes);
    if (is_loss(k))
        judge(t, k, true, passes);
    for (size_t i = 0; i < t->count; i++)
        refused += !passes[i];
    tune_classes(k, t->cache_bytes, classes);
    for (size_t c = 0; c < TUNE_CLASSES; c++)
        winner[c] = refused < t->count ? fastest(t, k, passes, classes[c].timed) : NULL;
    free(passes);
    return refused;
}
