/* SPDX-License-Identifier: MIT
 *
 * Every float there is: the f32 kernels that work element by element, compared with the oracle over a range of bit
 * patterns, on all cores. The oracle is asked once for all ISAs.
 */
#ifndef SL_HARNESS_SWEEP_H
#define SL_HARNESS_SWEEP_H

#include "manifest.h"

/* Kernels of elements, in f32. A second input is 1 for gradients, and 0, then 1, for targets. */
bool sweep_knows(const kernel *k);

/* Patterns of magnitude: all, and those of [2^-27, 105], outside of which no kernel has anything left to compute. */
#define SWEEP_ALL 0, 0x7fffffff
#define SWEEP_NON_TRIVIAL 0x32000000, 0x42d20000

typedef struct {
    uint64_t inputs, misrounded, undecided; /* not correctly rounded; too near a tie for the oracle to say */
    uint64_t inversions;                    /* neighbours of which the larger gives the smaller result */
    uint64_t wrong;                         /* NaN or infinity where the oracle has not, or the reverse */
    uint64_t nans, infinities, denormals;   /* results */
    uint64_t not_compared;                  /* NaN where the oracle has NaN, too */
    uint64_t hash;                          /* of all inputs and results, NaN as one */
    double max_ulp, sum_ulp;                /* max: infinite if anything is wrong */
    float worst, worst_second, inverted;    /* inputs */
    float uncompared, uncompared_second;    /* the first of those not compared */
} sweep_result;

/* |x| from the first to the last pattern, both signs (probabilities: + only), one block of 2^16 patterns in `one_in`, of a
 * kernel that sweep_knows(), of a loss itself or its gradient; one result for each table. go_on may be NULL: one thread
 * calls it with the part done, and false ends all. */
void sweep(const kernel *k, bool gradient, const sl_kernels *const *tables, size_t count, uint32_t first,
           uint32_t last, size_t one_in, sweep_result *results, bool (*go_on)(double done));

#endif
