/* SPDX-License-Identifier: MIT
 *
 * The user's own logits: --logits FILE.npy [--targets FILE.npy].
 */
#ifndef SL_BENCH_LOGITS_H
#define SL_BENCH_LOGITS_H

#include "manifest.h"

/* The half of a --help text that explains the two flags. */
extern const char logits_help[];

/* Sets shape, x and, when there are targets, target_class and their one-hot form target_prob; the arrays live
 * until the program ends. Refuses bad files and class ids (arguments.h); notes on stderr which kernels stay
 * out for want of targets. */
void logits_load(const char *logits, const char *targets, struct workload *w);

#endif
