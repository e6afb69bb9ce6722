/* SPDX-License-Identifier: MIT
 *
 * The core of softlane-tune: which of some tables runs a kernel fastest, by the size of a call. A table has to be within
 * its bound first; one that is not is never timed. All tables are of one class of bits.
 */
#ifndef SL_BENCH_TUNE_H
#define SL_BENCH_TUNE_H

#include <stdio.h>

#include "measure.h"

enum { TUNE_CLASSES = 3 }; /* what fits into L1, into L2, and into neither */

/* From so many elements on a call is of that size class, and such calls are timed. */
struct tune_class {
    size_t from, timed;
};

/* Of a kernel with so many bytes of traffic per element. */
void tune_classes(const kernel *k, const size_t cache_bytes[TUNE_CLASSES - 1],
                  struct tune_class classes[TUNE_CLASSES]);

struct tuner {
    const sl_kernels *const *tables; /* widest first: of those that are equally fast the last one wins */
    size_t count;
    size_t cache_bytes[TUNE_CLASSES - 1];
    double seconds; /* for each timing */
    FILE *refusals; /* gets a line for each table that misses a bound */
};

/* Which table of tuner.tables wins each class; NULL where all were refused. Returns how many were refused. */
size_t tune_kernel(const struct tuner *t, const kernel *k, const sl_kernels *winner[TUNE_CLASSES]);

#endif
