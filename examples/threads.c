/* SPDX-License-Identifier: MIT
 *
 * One long row over several threads: softmax and cross-entropy of 2^20 classes, a vocabulary, say. Every thread takes
 * the statistics of some parts of the row; merged they are those of the whole, from which every thread computes its
 * parts of the result.
 *
 * The parts are the same for any number of threads, and merging is exact: so are the bits.
 */
#include <math.h>
#include <pthread.h>
#include <softlane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 1 << 20, PART = 65536, TARGET = 777777, MOST_THREADS = 7 };

static float logits[CLASSES], y[CLASSES], y_of_one_thread[CLASSES];

/* A thread takes the parts first, first + threads, ... */
typedef struct {
    pthread_t id;
    size_t first, threads;
    sl_stats stats; /* of its parts; then of the whole row */
} worker;

static void *take_statistics(void *argument)
{
    worker *w = argument;
    w->stats = sl_stats_empty();
    for (size_t at = w->first * PART; at < CLASSES; at += w->threads * PART) {
        sl_stats part;
        sl_softmax_stats_f32(logits + at, PART, &part);
        if (at <= TARGET && TARGET < at + PART)
            part.target = logits[TARGET];
        sl_stats_merge(&w->stats, &part);
    }
    return NULL;
}

static void *apply(void *argument)
{
    const worker *w = argument;
    for (size_t at = w->first * PART; at < CLASSES; at += w->threads * PART)
        sl_softmax_apply_f32(logits + at, y + at, PART, &w->stats);
    return NULL;
}

static void in_parallel(void *(*work)(void *), worker *workers, size_t threads)
{
    for (size_t i = 0; i < threads; i++)
        if (pthread_create(&workers[i].id, NULL, work, &workers[i]) != 0) {
            fprintf(stderr, "cannot start a thread\n");
            exit(1);
        }
    for (size_t i = 0; i < threads; i++)
        pthread_join(workers[i].id, NULL);
}

/* Writes softmax to y; returns the loss. */
static double softmax_and_loss(size_t threads)
{
    worker workers[MOST_THREADS];
    for (size_t i = 0; i < threads; i++)
        workers[i] = (worker){.first = i, .threads = threads};
    in_parallel(take_statistics, workers, threads);
    sl_stats whole = sl_stats_empty();
    for (size_t i = 0; i < threads; i++)
        sl_stats_merge(&whole, &workers[i].stats);
    for (size_t i = 0; i < threads; i++)
        workers[i].stats = whole;
    in_parallel(apply, workers, threads);
    return sl_stats_cross_entropy(&whole, 0);
}

int main(void)
{
    static const size_t thread_counts[] = {1, 2, 4, MOST_THREADS};
    const int64_t target = TARGET;
    uint32_t state = 1;
    double loss_of_one_thread = 0;
    float loss;
    int failed = 0;
    for (size_t i = 0; i < CLASSES; i++) { /* in [-10, 10) */
        state = state * 1664525 + 1013904223;
        logits[i] = ((float)(state >> 8) * 0x1p-23f - 1) * 10;
    }
    for (size_t i = 0; i < sizeof thread_counts / sizeof *thread_counts; i++) {
        const double loss_now = softmax_and_loss(thread_counts[i]);
        if (i == 0) {
            loss_of_one_thread = loss_now;
            memcpy(y_of_one_thread, y, sizeof y);
        }
        const int same = loss_now == loss_of_one_thread && memcmp(y, y_of_one_thread, sizeof y) == 0;
        printf("%zu threads: loss %.17g, bits are %s\n", thread_counts[i], loss_now,
               same ? "equal" : "DIFFERENT");
        failed |= !same;
    }
    if (sl_cross_entropy_f32(logits, &target, sl_rows(1, CLASSES), NULL, &loss, NULL) != SL_OK)
        return 1;
    printf("sl_cross_entropy_f32: %.9g\n", loss);
    return failed || fabs(loss - loss_of_one_thread) > 1e-6 * loss;
}
