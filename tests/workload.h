/* SPDX-License-Identifier: MIT
 *
 * A call with inputs and outputs of its own, for any kernel of any element type, in any of its variants; and
 * what tests do with its arrays.
 */
#ifndef WORKLOAD_H
#define WORKLOAD_H

#include "distributions.h"
#include "test_matrix.h"

typedef struct {
    const kernel *k;
    call c; /* refers to what follows: a workload does not move */
    sl_loss_options options;
    void *x, *second, *class_weight, *pos_weight, *upstream, *out[OUTPUTS]; /* what is to be freed */
} workload;

/* Logits from the distribution, turned into inputs as they come where the kernel is used; targets, weights
 * and gradients at random. */
void workload_make(workload *w, const kernel *k, const variant *v, sl_shape shape, const distribution *d,
                   generator *g);
void workload_free(workload *w);

/* Any reduction, outputs and options that the kernel accepts. */
variant random_variant(const kernel *k, generator *g);

/* An array of a call, whatever it is. */
typedef struct {
    void *pointer; /* the call's to it: a void * or a const void * */
    const void *at;
    size_t bytes, size; /* in all; of an element */
    size_t output;      /* which one, OUTPUTS for an input */
} array;
enum { MOST_ARRAYS = 5 + OUTPUTS };

/* Those that the call has. */
size_t workload_arrays(workload *w, array arrays[MOST_ARRAYS]);

/* Makes the call refer to another place. */
void array_move(const array *a, void *to);

/* A copy that may be pointed at other arrays. Nothing of it is to be freed. */
void workload_copy(workload *to, const workload *from);

/* A copy with arrays of its own, all of them; its call may be pointed at others. */
typedef struct {
    workload w;
    array arrays[MOST_ARRAYS];
    size_t count;
} duplicate;

void duplicate_make(duplicate *d, const workload *from);
void duplicate_free(duplicate *d);

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

/* To be freed. */
void *copy_of(const void *from, size_t bytes);

/* Rows of a matrix from a distribution of floats, with what floats cannot have: the digits of f64, the ranges
 * of f64 and f16. Finite values stay finite. */
void fill_elements(const sl_ref_dtype *dt, const distribution *d, generator *g, void *x, sl_shape shape);

double largest_of(const sl_ref_dtype *dt);

/* Writes an element by its bits: any, an infinity, or a NaN with this sign and payload. */
void put_bits(const sl_ref_dtype *dt, void *x, size_t i, uint64_t bits);
void put_infinity(const sl_ref_dtype *dt, void *x, size_t i);
void put_nan(const sl_ref_dtype *dt, void *x, size_t i, bool negative, uint64_t payload);

/* Turns logits into what the kernel takes as x: a backward kernel the result of its forward one, if it takes
 * that, a loss of probabilities those. */
void logits_to_input(const kernel *k, void *x, sl_shape shape);
bool takes_probabilities(const kernel *k);

/* Whether the kernel says anything about such an x: probabilities are in [0, 1]. */
bool is_in_domain(const kernel *k, double x);

#endif
