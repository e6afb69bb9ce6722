/* SPDX-License-Identifier: MIT
 *
 * The machine's roof: the least time in which one core can move a kernel's compulsory traffic when its
 * working set has a given size. Measured here, in the process that measures the kernels, because no data
 * sheet knows this machine.
 */
#ifndef SL_BENCH_ROOF_H
#define SL_BENCH_ROOF_H

#include <stddef.h>

enum roof { ROOF_READ, ROOF_COPY };

/* The memory to measure in: what the kernels use, so that both see the same pages. `last_level` is the size
 * of the last cache, in bytes: from there on non-temporal stores are tried as well. */
void roof_memory(void *source, void *destination, size_t last_level);

struct roof_time {
    double seconds;
    double spread_percent; /* of the rounds (spread.h) */
};

/* The time for reading `bytes`, or for copying bytes / 2 into as many others, by so many threads (threads.h) that each do
 * a part. The best of several rounds, of more if they spread; remembered for each size. */
struct roof_time roof_time(enum roof roof, size_t bytes, unsigned threads);

/* The clock of roofs and kernels alike: this thread's CPU time, without what other processes take; of several threads
 * what a clock on the wall shows. */
double clock_seconds(unsigned threads);

#endif
