/* SPDX-License-Identifier: MIT
 *
 * What the oracle says of a call, and how far from it a kernel's outputs are.
 */
#ifndef SL_HARNESS_EXPECTATION_H
#define SL_HARNESS_EXPECTATION_H

#include "manifest.h"

/* Every wanted output, and the magnitude that its error is measured at. */
typedef struct {
    sl_real *want[OUTPUTS], *scale[OUTPUTS];
    sl_real *slack[OUTPUTS]; /* what results may be off by beside that, absolute; NULL: nothing */
} expectation;

void expect(const kernel *k, const call *c, expectation *e);
void expectation_free(expectation *e);

/* The error of one value in ULP. */
double error_of(const kernel *k, const call *c, size_t output, size_t i, const expectation *e);

#endif
