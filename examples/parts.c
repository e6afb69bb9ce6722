/* SPDX-License-Identifier: MIT
 *
 * See parts.h. Three kinds of work, and why their bits do not depend on who does which part:
 *
 *   rows      Each row has the bits that any call gives it. Parts may be any rows.
 *   a mean    Gradients of rows are such, too, if each call is told the divisor of all rows. The losses of parts are added up in
 *             the order of the parts, which are the same for any number of threads.
 *   one row   Statistics of parts depend on where the row is cut, so the cuts are fixed. Merging them is exact.
 */
#include "parts.h"
#include "check_output.h"
#include "usage.h"

#include <math.h>
#include <softlane.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { CUT = 65536, ROWS_OF_A_PART = 64, MOST_PARTS = 1024 };

/* Rows of logits; y is as large. A single row is cut, others are not. */
typedef struct {
    size_t rows, classes, rows_of_a_part;
    const float *x;
    float *y;
    const int64_t *target;
    sl_loss_options options;
    float loss[MOST_PARTS];
    sl_stats part[MOST_PARTS], whole;
} batch;

static size_t least(size_t a, size_t b) { return a < b ? a : b; }

static size_t parts_of(size_t n, size_t part) { return (n + part - 1) / part; }

/* ---- rows ---- */

static void softmax_of_rows(void *work, size_t i)
{
    const batch *b = work;
    const size_t first = i * b->rows_of_a_part, n = least(b->rows_of_a_part, b->rows - first);
    sl_softmax_f32(b->x + first * b->classes, b->y + first * b->classes, sl_rows(n, b->classes));
}

/* The options have the divisor of all rows. */
static void loss_of_rows(void *work, size_t i)
{
    batch *b = work;
    const size_t first = i * b->rows_of_a_part, n = least(b->rows_of_a_part, b->rows - first);
    sl_cross_entropy_f32(b->x + first * b->classes, b->target + first, sl_rows(n, b->classes), &b->options,
                         &b->loss[i], b->y + first * b->classes);
}

/* ---- one row ---- */

static void statistics_of_part(void *work, size_t i)
{
    batch *b = work;
    const size_t first = i * CUT, n = least(CUT, b->classes - first);
    const int64_t target = b->target[0] - (int64_t)first; /* of another part: no class of this one */
    sl_softmax_stats_rows_f32(b->x + first, &target, sl_rows(1, n), &b->part[i]);
}

static void softmax_of_part(void *work, size_t i)
{
    const batch *b = work;
    const size_t first = i * CUT;
    sl_softmax_apply_f32(b->x + first, b->y + first, least(CUT, b->classes - first), &b->whole);
}

static double softmax_of_one_row(run_parts *in_parallel, size_t threads, batch *b)
{
    const size_t parts = parts_of(b->classes, CUT);
    in_parallel(threads, parts, statistics_of_part, b);
    b->whole = sl_stats_empty();
    for (size_t i = 0; i < parts; i++)
        sl_stats_merge(&b->whole, &b->part[i]);
    in_parallel(threads, parts, softmax_of_part, b);
    return sl_stats_cross_entropy(&b->whole, 0);
}

static double mean_loss(run_parts *in_parallel, size_t threads, batch *b)
{
    double loss = 0;
    const size_t parts = parts_of(b->rows, b->rows_of_a_part);
    in_parallel(threads, parts, loss_of_rows, b);
    for (size_t i = 0; i < parts; i++)
        loss += (double)b->loss[i];
    return loss;
}

/* ---- the same bits ---- */

typedef struct {
    float *x, *y, *one_call;
    int64_t *target;
} memory;

static void release(memory *m)
{
    free(m->x);
    free(m->y);
    free(m->one_call);
    free(m->target);
}

/* Logits in [-10, 10), and a target for every row. */
static bool take(memory *m, size_t rows, size_t classes)
{
    uint32_t state = 1;
    *m = (memory){malloc(rows * classes * sizeof(float)), malloc(rows * classes * sizeof(float)),
                  malloc(rows * classes * sizeof(float)), malloc(rows * sizeof(int64_t))};
    if (!m->x || !m->y || !m->one_call || !m->target) {
        release(m);
        return false;
    }
    for (size_t i = 0; i < rows * classes; i++)
        m->x[i] = ((float)((state = state * 1664525 + 1013904223) >> 8) * 0x1p-23f - 1) * 10;
    for (size_t r = 0; r < rows; r++)
        m->target[r] = (int64_t)((r * 7919 + classes / 2) % classes);
    memset(m->y, 0, rows * classes * sizeof(float));
    return true;
}

static bool say(size_t threads, const char *what, double loss, bool same)
{
    printf("%zu threads, %s: loss %.17g, bits are %s\n", threads, what, loss, same ? "equal" : "DIFFERENT");
    return same;
}

static bool compare_one_row(run_parts *in_parallel)
{
    enum { CLASSES = (1 << 20) + 333 };
    static batch b;
    memory m;
    float at_once;
    double first = 0;
    bool same = take(&m, 1, CLASSES);
    if (!same)
        return false;
    b = (batch){.rows = 1, .classes = CLASSES, .x = m.x, .y = m.y, .target = m.target};
    for (size_t threads = 1; threads <= MOST_THREADS; threads++) {
        memset(m.y, 0, CLASSES * sizeof(float));
        const double loss = softmax_of_one_row(in_parallel, threads, &b);
        if (threads == 1) {
            first = loss;
            memcpy(m.one_call, m.y, CLASSES * sizeof(float));
        }
        same &= say(threads, "one row", loss,
                    loss == first && memcmp(m.y, m.one_call, CLASSES * sizeof(float)) == 0);
    }
    same &= sl_cross_entropy_f32(m.x, m.target, sl_rows(1, CLASSES), NULL, &at_once, NULL) == SL_OK;
    printf("one call: loss %.9g\n", (double)at_once);
    same &= fabs((double)at_once - first) <= 1e-6 * first;
    release(&m);
    return same;
}

/* Every fifth row is ignored: the divisor is not the number of rows. */
static bool compare_rows(run_parts *in_parallel)
{
    enum { ROWS = 1000, CLASSES = 500, IGNORED = -100 };
    static batch b;
    memory m;
    float at_once;
    double first = 0, counted = 0;
    bool same = take(&m, ROWS, CLASSES);
    if (!same)
        return false;
    const size_t bytes = ROWS * CLASSES * sizeof(float);
    for (size_t r = 0; r < ROWS; r++) {
        m.target[r] = r % 5 == 4 ? IGNORED : m.target[r];
        counted += m.target[r] != IGNORED;
    }
    sl_loss_options options = {.has_ignore_index = true, .ignore_index = IGNORED};
    b = (batch){.rows = ROWS,
                .classes = CLASSES,
                .rows_of_a_part = ROWS_OF_A_PART,
                .x = m.x,
                .y = m.y,
                .target = m.target};
    b.options = options;
    b.options.divisor = counted;

    same &= sl_softmax_f32(m.x, m.one_call, sl_rows(ROWS, CLASSES)) == SL_OK;
    for (size_t threads = 1; threads <= MOST_THREADS; threads++) {
        memset(m.y, 0, bytes);
        in_parallel(threads, parts_of(ROWS, ROWS_OF_A_PART), softmax_of_rows, &b);
        same &= memcmp(m.y, m.one_call, bytes) == 0;
    }
    printf("1 to %d threads, softmax of rows: bits are %s\n", MOST_THREADS,
           same ? "those of one call" : "DIFFERENT");

    same &=
        sl_cross_entropy_f32(m.x, m.target, sl_rows(ROWS, CLASSES), &options, &at_once, m.one_call) == SL_OK;
    for (size_t threads = 1; threads <= MOST_THREADS; threads++) {
        memset(m.y, 0, bytes);
        const double loss = mean_loss(in_parallel, threads, &b);
        first = threads == 1 ? loss : first;
        same &= say(threads, "mean, and its gradient", loss,
                    loss == first && memcmp(m.y, m.one_call, bytes) == 0);
    }
    printf("one call: loss %.9g\n", (double)at_once);
    same &= fabs((double)at_once - first) <= 1e-6 * first;
    release(&m);
    return same;
}

static int compare_threads(run_parts *in_parallel)
{
    const bool one_row = compare_one_row(in_parallel), rows = compare_rows(in_parallel);
    return one_row && rows ? 0 : 1;
}

/* ---- times ---- */

typedef enum { SOFTMAX, LOSS, ONE_ROW } kind;

static double now(void)
{
    struct timespec t;
    timespec_get(&t, TIME_UTC);
    return (double)t.tv_sec * 1e3 + (double)t.tv_nsec * 1e-6;
}

/* Of the rows each thread has a share. */
static void once(run_parts *in_parallel, size_t threads, kind k, batch *b)
{
    b->rows_of_a_part = parts_of(b->rows, threads);
    if (k == ONE_ROW)
        (void)softmax_of_one_row(in_parallel, threads, b);
    else if (k == LOSS)
        (void)mean_loss(in_parallel, threads, b);
    else
        in_parallel(threads, parts_of(b->rows, b->rows_of_a_part), softmax_of_rows, b);
}

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Medians of rounds in which one and two threads take turns. */
static bool time_shape(run_parts *in_parallel, const char *name, kind k, size_t rows, size_t classes)
{
    enum { ROUNDS = 11 };
    static batch b;
    memory m;
    double times[2][ROUNDS];
    if (!take(&m, rows, classes))
        return false;
    b = (batch){.rows = rows, .classes = classes, .x = m.x, .y = m.y, .target = m.target};
    b.options.divisor = (double)rows;
    once(in_parallel, 1, k, &b);
    double started = now();
    once(in_parallel, 1, k, &b);
    const size_t calls = 1 + (size_t)(20 / (now() - started + 1e-4)); /* 20 ms */
    for (size_t i = 0; i < ROUNDS; i++)
        for (size_t threads = 1; threads <= 2; threads++) {
            sl_set_cache_bytes(0);
            sl_set_cache_bytes(sl_cache_bytes() / threads); /* they share it */
            once(in_parallel, threads, k, &b);
            started = now();
            for (size_t c = 0; c < calls; c++)
                once(in_parallel, threads, k, &b);
            times[threads - 1][i] = (now() - started) / (double)calls;
        }
    sl_set_cache_bytes(0);
    for (size_t t = 0; t < 2; t++)
        qsort(times[t], ROUNDS, sizeof times[t][0], by_value);
    const double one = times[0][ROUNDS / 2], two = times[1][ROUNDS / 2];
    printf("| %s | %zux%zu | %.2f | %.4f | %.4f | %.2f |\n", name, rows, classes,
           2 * (double)rows * (double)classes * sizeof(float) / 1048576, one, two, one / two);
    fflush(stdout);
    release(&m);
    return true;
}

static int time_threads(run_parts *in_parallel)
{
    static const struct {
        const char *name;
        kind k;
        size_t rows, classes;
    } shapes[] = {
        {"softmax", SOFTMAX, 8, 1000},
        {"softmax", SOFTMAX, 64, 1000},
        {"softmax", SOFTMAX, 1000, 1000},
        {"softmax", SOFTMAX, 100000, 10},
        {"softmax", SOFTMAX, 64, 32000},
        {"softmax", SOFTMAX, 2048, 32000},
        {"cross_entropy+grad", LOSS, 64, 1000},
        {"cross_entropy+grad", LOSS, 64, 32000},
        {"cross_entropy+grad", LOSS, 2048, 32000},
        {"one row", ONE_ROW, 1, 1 << 18},
        {"one row", ONE_ROW, 1, 1 << 20},
        {"one row", ONE_ROW, 1, 1 << 25},
    };
    printf("| | shape | MiB, in and out | 1 thread ms | 2 threads ms | speed-up "
           "|\n|---|---|---:|---:|---:|---:|\n");
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        if (!time_shape(in_parallel, shapes[i].name, shapes[i].k, shapes[i].rows, shapes[i].classes))
            return 1;
    return 0;
}

int run_example(int argc, char **argv, const char *name, const char *how, run_parts *in_parallel)
{
    static const char arguments[] = "[times]";
    char what[512];
    snprintf(what, sizeof what,
             "One long row, rows, and a mean by one to %d threads, to the same bits: %s.\n"
             "times: how long one and two threads take; a minute, 1.5 GB.",
             MOST_THREADS, how);
    answer_help(argc, argv, arguments, what);
    const bool times = argc > 1 && strcmp(argv[1], "times") == 0;
    refuse_more(argc, argv, times ? 1 : 0, arguments);
    check_output_at_exit(name);
    return times ? time_threads(in_parallel) : compare_threads(in_parallel);
}
