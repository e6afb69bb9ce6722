/* SPDX-License-Identifier: MIT
 *
 * Rows of logits to test on: what classifiers give, and what breaks softmax implementations. Every fill is a
 * function of the generator's state only, so a failure repeats.
 */
#ifndef SL_HARNESS_DISTRIBUTIONS_H
#define SL_HARNESS_DISTRIBUTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "softlane.h"

typedef struct {
    uint64_t state;
} generator;

uint64_t next_bits(generator *g);
double next_uniform(generator *g);         /* [0, 1) */
size_t next_below(generator *g, size_t n); /* [0, n), n > 0 */
float next_float(generator *g);            /* any bit pattern that is finite */

typedef struct {
    const char *name;
    void (*fill)(generator *g, float *x, size_t n);
} distribution;

size_t distribution_count(void);
const distribution *distribution_at(size_t i);

/* Every row of the shape from the distribution, wherever its elements lie. */
void fill_rows(const distribution *d, generator *g, float *x, sl_shape shape);

/* Class ids: half of them the row's maximum, as for a classifier that is right; the others any in [0, classes). */
void fill_class_ids(generator *g, int64_t *target, const float *x, sl_shape shape);

/* Zeros, ones and values between. */
void fill_probabilities(generator *g, float *target, size_t n);

/* In [0, 2), some of them 0. */
void fill_weights(generator *g, float *weights, size_t n);

#endif
