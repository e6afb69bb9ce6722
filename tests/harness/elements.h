/* SPDX-License-Identifier: MIT
 *
 * Shapes, and elements of any type by their value or their bits.
 */
#ifndef SL_HARNESS_ELEMENTS_H
#define SL_HARNESS_ELEMENTS_H

#include "distributions.h"
#include "reference.h"

/* Inline, because adapters of kernels call them, whose instructions are counted. */
static inline size_t elements(sl_shape shape) { return shape.outer * shape.classes * shape.inner; }

static inline size_t rows(sl_shape shape) { return shape.outer * shape.inner; }

/* Where element c of row r is. */
static inline size_t element_at(sl_shape shape, size_t r, size_t c)
{
    return (r / shape.inner * shape.classes + c) * shape.inner + r % shape.inner;
}

/* These end the program with exit code 2 instead of returning NULL. */
void *allocate(size_t count, size_t size);
void *allocate_zeroed(size_t count, size_t size);
void *copy_of(const void *from, size_t bytes); /* NULL: of nothing */

/* Rows of a matrix from a distribution of floats, with what floats cannot have: the digits of f64, the ranges
 * of f64 and f16. Finite values stay finite. */
void fill_elements(const sl_ref_dtype *dt, const distribution *d, generator *g, void *x, sl_shape shape);

double largest_of(const sl_ref_dtype *dt);

/* As FLT_MAX_EXP. */
int max_exp_of(const sl_ref_dtype *dt);

/* Writes an element by its bits: any, an infinity, or a NaN with this sign and payload. */
void put_bits(const sl_ref_dtype *dt, void *x, size_t i, uint64_t bits);
void put_infinity(const sl_ref_dtype *dt, void *x, size_t i);
void put_nan(const sl_ref_dtype *dt, void *x, size_t i, bool negative, uint64_t payload);

#endif
