/* SPDX-License-Identifier: MIT
 *
 * What must hold between the statistics of the parts of a row, however it is cut, and whoever merges them.
 */
#ifndef CUT_ROW_H
#define CUT_ROW_H

#include "assertions.h"

/* softmax_stats; the row is tested with its siblings softmax_apply and cross_entropy, too. */
bool is_stats(const kernel *k);

/* The statistics of n elements of x, beginning with this one; of none: the empty ones. */
void stats_of(const kernel *k, const isa *on, const void *x, size_t first, size_t n, sl_stats *stats);

/* In all that is public, and in what the public functions make of them. */
void assert_same_stats(const char *what, const sl_stats *a, const sl_stats *b);

/* Cuts a row of n > 0 elements at places from the generator, and gives up the test unless its parts merge to the
 * same statistics in any order, and these give the row's log-sum-exp, cross-entropy and softmax. */
void assert_any_cut_will_do(const kernel *k, const isa *on, const char *distribution, const void *x, size_t n,
                            generator *g);

#endif
