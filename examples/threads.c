/* SPDX-License-Identifier: MIT
 *
 * One long row over several threads: cross-entropy and softmax of 2^20 classes. Every thread takes the statistics of
 * some parts of the row; merged they are those of the whole, from which every thread computes its parts of the result.
 * The parts are the same for any number of threads, and merging is exact: so are the bits.
 */
#include "check_output.h"
#include "usage.h"

#include <math.h>
#include <pthread.h>
#include <softlane.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { CLASSES = 1 << 20, PART = 65536, TARGET = 777777, MOST_THREADS = 7 };

static float logits[CLASSES], y[CLASSES], y_of_one_thread[CLASSES];
static size_t threads;
static sl_stats of_thread[MOST_THREADS], whole;

/* A thread is told its slot in of_thread; it takes the parts with its number, and every `threads`-th from there. */
static void *take_statistics(void *slot)
{
    sl_stats *mine = slot;
    *mine = sl_stats_empty();
    for (size_t at = (size_t)(mine - of_thread) * PART; at < CLASSES; at += threads * PART) {
        sl_stats part;
        sl_softmax_stats_f32(logits + at, PART, &part);
        if (at <= TARGET && TARGET < at + PART)
            part.target = logits[TARGET];
        sl_stats_merge(mine, &part);
    }
    return NULL;
}

static void *apply(void *slot)
{
    for (size_t at = (size_t)((sl_stats *)slot - of_thread) * PART; at < CLASSES; at += threads * PART)
        sl_softmax_apply_f32(logits + at, y + at, PART, &whole);
    return NULL;
}

static void in_parallel(void *(*work)(void *))
{
    pthread_t ids[MOST_THREADS];
    for (size_t i = 0; i < threads; i++)
        if (pthread_create(&ids[i], NULL, work, &of_thread[i]) != 0)
            exit(1);
    for (size_t i = 0; i < threads; i++)
        pthread_join(ids[i], NULL);
}

int main(int argc, char **argv)
{
    answer_help(argc, argv, "",
                "Softmax and the loss of one long row by one to seven threads, to the same bits.");
    refuse_more(argc, argv, 0, "");
    check_output_at_exit("threads");
    double first_loss = 0;
    uint32_t state = 1;
    for (size_t i = 0; i < CLASSES; i++) /* in [-10, 10) */
        logits[i] = ((float)((state = state * 1664525 + 1013904223) >> 8) * 0x1p-23f - 1) * 10;
    for (threads = 1; threads <= MOST_THREADS; threads++) {
        in_parallel(take_statistics);
        whole = sl_stats_empty();
        for (size_t i = 0; i < threads; i++)
            sl_stats_merge(&whole, &of_thread[i]);
        in_parallel(apply);
        const double loss = sl_stats_cross_entropy(&whole, 0);
        if (threads == 1) {
            first_loss = loss;
            memcpy(y_of_one_thread, y, sizeof y);
        }
        const int same = loss == first_loss && memcmp(y, y_of_one_thread, sizeof y) == 0;
        printf("%zu threads: loss %.17g, bits are %s\n", threads, loss, same ? "equal" : "DIFFERENT");
        if (!same)
            return 1;
    }
    float at_once = 0;
    if (sl_cross_entropy_f32(logits, &(int64_t){TARGET}, sl_rows(1, CLASSES), NULL, &at_once, NULL) != SL_OK)
        return 1;
    printf("sl_cross_entropy_f32: %.9g\n", at_once);
    return fabs(at_once - first_loss) > 1e-6 * first_loss;
}
