/* SPDX-License-Identifier: MIT
 *
 * Every float there is: the f32 kernels that work element by element, compared with the oracle over a range of bit
 * patterns, on all cores. The oracle is asked once for all ISAs.
 */
#ifndef SWEEP_H
#define SWEEP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "table.h"

/* A row of kernels.def with the signature MAP, MAP_BACKWARD or ELEMENT_LOSS; of a loss, it or its gradient. A second
 * input is 1 for gradients, and 0, then 1, for targets. */
typedef struct {
    const char *name;
    bool gradient;
    bool is_map;            /* one input; in order */
    bool takes_probability; /* x in [0, 1] only */
    float seconds[2];
    size_t second_count; /* at least 1 */
    double bounds[2];    /* of ISAs without FMA, and with */
    void (*run)(const sl_kernels *, const float *x, const float *second, float *y, size_t n);
    void (*oracle)(const double *x, const double *second, size_t n, long double *y);
} sweep_map;

size_t sweep_map_count(void);
const sweep_map *sweep_map_at(size_t i);
const sweep_map *sweep_map_of(const char *name, bool gradient); /* NULL: no such */

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

/* |x| from the first to the last pattern, both signs (probabilities: + only), one block of 2^16 patterns in `one_in`; one result for each
 * table. go_on may be NULL: one thread calls it with the part done, and false ends all. */
void sweep(const sweep_map *map, const sl_kernels *const *tables, size_t count, uint32_t first, uint32_t last,
           size_t one_in, sweep_result *results, bool (*go_on)(double done));

#endif
