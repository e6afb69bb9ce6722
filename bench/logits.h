/* SPDX-License-Identifier: MIT
 *
 * The user's own logits: --logits FILE.npy [--targets FILE.npy].
 */
#ifndef SL_BENCH_LOGITS_H
#define SL_BENCH_LOGITS_H

#include "manifest.h"

/* The part of a --help text that explains the two flags. */
extern const char logits_help[];

struct logits {
    sl_shape shape;
    double *x;
    int64_t *target; /* one per row; NULL without --targets */
};

/* The arrays live until the program ends. Refuses bad files and class ids (arguments.h); notes on stderr which
 * kernels stay out for want of targets. */
void logits_load(const char *logits, const char *targets, struct logits *l);

/* They have what the kernel needs. */
bool logits_suit(const struct logits *l, const struct kernel *k);

/* All logits as elements of a type. Where it cannot hold them they are rounded, and a note on stderr says so,
 * once for each type. */
void logits_put(const struct logits *l, const sl_ref_dtype *dtype, void *to);

/* The targets as probabilities, shaped as the logits: 1 for the target, 0 for all others. */
void logits_put_one_hot(const struct logits *l, const sl_ref_dtype *dtype, void *to);

#endif
