/* SPDX-License-Identifier: MIT
 *
 * What one writes first: the textbook formulas in f32 with libm, as a table like an ISA's. Something to compare with.
 */
#ifndef SL_BENCH_NAIVE_H
#define SL_BENCH_NAIVE_H

#include "softlane.h"

/* Its name is "libm", its `needs` NULL. Slots that nobody would write differently, and all types but f32, are NULL. */
extern const sl_kernels naive_kernels;

#endif
