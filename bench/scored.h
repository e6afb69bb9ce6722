/* SPDX-License-Identifier: MIT
 *
 * What softmax with options is measured with (--options), and the detour that it saves: a loop of the user's own, then softmax
 * without options.
 */
#ifndef SL_BENCH_SCORED_H
#define SL_BENCH_SCORED_H

#include "manifest.h"

extern const char scored_help[];

/* The words of --options, separated by commas. Refuses others. */
void scored_choose(const char *words);

/* The options for cells of that shape, and an array for lse or NULL. Kept until the next call. */
const sl_softmax_options *scored_options(const kernel *k, sl_shape shape, void **lse);

/* A table with the detour in f32, "detour"; NULL if there was no --options. */
const sl_kernels *scored_detour(void);

#endif
