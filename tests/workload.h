/* SPDX-License-Identifier: MIT
 *
 * A call with inputs and an output of its own, for any kernel, in any of its variants; and what tests do with
 * its output.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "distributions.h"
#include "ladder.h"

typedef struct {
    call c; /* refers to what follows: a workload does not move */
    sl_loss_options options;
    float *x, *class_weight, *pos_weight;
    void *target;
} workload;

void workload_make(workload *w, const kernel *k, size_t variant, sl_shape shape, const distribution *d,
                   generator *g);
void workload_free(workload *w);

/* Bytes per target and number of them; 0 for a kernel without. */
size_t target_size(const kernel *k);
size_t target_count(const kernel *k, sl_shape shape);

/* Where element c of row r is. */
size_t element_at(sl_shape shape, size_t r, size_t c);

/* The index of the first output that differs, or n. Kernels of rows promise the very NaN, others only that it is one. */
size_t first_difference(const kernel *k, const float *a, const float *b, size_t n);

uint32_t bits_of(float f);

#endif
