/* SPDX-License-Identifier: MIT
 *
 * What tests say of a workload that has been run: that its outputs are those of another, that they are what the oracle
 * wants, within which error.
 */
#ifndef ASSERTIONS_H
#define ASSERTIONS_H

#include "test_matrix.h"

/* These give up the test when an output differs. `want` has been run.
 *   outputs    that both have
 *   in place   every output over every input that allows it; scratch's inputs, equal to want's, are lost
 *   as rows    the same call on a matrix whose rows are those of want's shape */
void assert_same_outputs(const isa *on, const workload *want, const workload *got, const char *how);
void assert_same_in_place(const isa *on, const workload *want, workload *scratch);
void assert_same_as_rows(const isa *on, const workload *want);

/* What a mean of these losses is divided by. */
sl_real mean_divisor(const workload *w);

/* The error that an output may have: the manifest's bound. Losses of elements promise it without weights and
 * upstream; each of them, and the divisor of a mean, may cost a rounding. */
double allowed_error(const workload *w, const isa *on, size_t output);

/* What any input may have: value i of the output, of which the oracle has said this. */
double allowed_on_any(const workload *w, const isa *on, size_t output, size_t i, const expectation *e);

/* Whether that is said of the output. It is not of reduced losses, which have a rule of their own, nor of the
 * gradient of a mean over nothing. */
bool is_judged_by_oracle(const workload *w, size_t output);

/* The rule for reduced losses: the one of this call, which has been run, is the sum or the mean of the single
 * ones, as the kernel itself gives them. */
void assert_sum_of_losses(const isa *on, const workload *w);

#endif
