/* SPDX-License-Identifier: MIT
 *
 * The matrix that every test goes through: all kernels of kernels.def, for all element types of dtypes.def, on all
 * ISAs of isas.def that can run here.
 *
 * A test is written once, against `kernel` and `call`, and says for what it runs (a topic); run_test_matrix()
 * makes one cmocka test of it per cell, named "topic: kernel/dtype/isa". One adapter per signature class
 * (test_matrix.c) turns a call into the kernel's own parameters: a row of kernels.def or dtypes.def is tested the
 * moment it exists, a new signature does not compile.
 *
 * Environment: SOFTLANE_EXPECT_ISA=avx2 makes every program fail at once unless that variant is the one in
 * use; SOFTLANE_TEST_EFFORT=small asks for fewer and smaller inputs, for emulated CPUs; SOFTLANE_TEST_ISA=avx2 leaves
 * out the cells of all other variants, which then only serve for comparison; SOFTLANE_TEST_PART=1/2 takes every
 * second cell, 2/2 the others, so that two cores have something to do.
 */
#ifndef TEST_MATRIX_H
#define TEST_MATRIX_H

/* cmocka.h needs these four before it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "reference.h"
#include "table.h"

/* --------------------------------------------------------------------------------------------- kernels */

/* What a kernel writes. Losses have both outputs, and may be asked for either alone; all others have a
 * result. */
enum { RESULT, GRADIENT, OUTPUTS };

/* The parameters of any kernel. T is its element type, L its loss type. */
typedef struct {
    const void *x;      /* T per element: logits, probabilities, or what a backward kernel takes first */
    const void *second; /* see second_kind */
    sl_shape shape;     /* element-wise kernels: its elements, in a row */
    const sl_loss_options *options; /* losses only */
    void *out[OUTPUTS];             /* NULL: not wanted, or not there */
    const sl_stats *stats;          /* what softmax_apply applies; NULL: the statistics of each row */
} call;

/* What stands in call.second; anything that is a target makes the kernel a loss. */
typedef enum {
    NO_SECOND,
    DY,           /* T per element */
    CLASS_IDS,    /* int64_t per row */
    PROBABILITIES /* T per element */
} second_kind;

/* What a result is made of: so many, unless it is a loss that is reduced to one. A gradient is T_PER_ELEMENT.
 * */
typedef enum { T_PER_ELEMENT, L_PER_ELEMENT, L_PER_ROW, STATS_PER_ROW } output_kind;

typedef struct {
    const char *name;          /* "softmax/f32" */
    size_t index;              /* in kernels[] */
    size_t row;                /* in kernels.def: SL_COUNT_softmax */
    const sl_ref_dtype *dtype; /* its T and L */
    second_kind second;
    output_kind result;
    bool by_element; /* no element depends on another; else the unit is the row */
    bool one_row;    /* has no shape: a call is carried out row by row, with inner = 1 */
    double bounds[OUTPUTS][5], any[OUTPUTS][5]; /* kernels.def: on the distributions, on any input */
    void (*run)(const sl_kernels *, const call *);
    sl_status (*check_and_run)(const call *); /* the public function */
    const struct oracle *oracle;
} kernel;

enum { KERNELS = SL_KERNEL_COUNT * SL_DTYPE_COUNT };
extern const kernel kernels[KERNELS];

/* The kernel of a row of kernels.def, SL_COUNT_softmax, that has the dtype of another. */
const kernel *sibling(const kernel *k, size_t row);

bool is_loss(const kernel *k);
bool is_by_element(const kernel *k);
bool has_shape(const kernel *k); /* takes shapes with inner > 1 */

/* The output that is shaped as x, of its type, and may be x itself: OUTPUTS where there is none. */
size_t output_like_x(const kernel *k);

/* ISAs are below; a public function is run row by row where a kernel has no shape, as run() does. */
sl_status run_public(const kernel *k, const call *c);

/* Bytes of each value of call.second, and how many there are. */
size_t second_size(const kernel *k);
size_t second_count(const kernel *k, sl_shape shape);

/* -------------------------------------------------------------------------------------------- outputs */

/* The values in an output of this call if it is wanted, and bytes of each. */
size_t output_count(const kernel *k, const call *c, size_t output);
size_t output_size(const kernel *k, size_t output);

/* One value; of statistics, the log-sum-exp that they give. */
double output_value(const kernel *k, size_t output, const void *values, size_t i);
uint64_t output_bits(const kernel *k, size_t output, const void *values,
                     size_t i); /* statistics: of their max */

/* The index of the first value that differs, or n. Kernels of rows promise the very NaN, others only that it
 * is one. Of statistics all that is public is compared. */
size_t first_difference(const kernel *k, size_t output, const void *a, const void *b, size_t n);

/* What the oracle says of a call: every wanted output, and the magnitude that its error is measured at. */
typedef struct {
    sl_real *want[OUTPUTS], *scale[OUTPUTS];
} expectation;

void expect(const kernel *k, const call *c, expectation *e);
void expectation_free(expectation *e);

/* The error of one value in ULP, and what the manifest allows. */
double error_of(const kernel *k, const call *c, size_t output, size_t i, const expectation *e);

/* ------------------------------------------------------------------------------------------------ ISAs */

typedef struct {
    const char *name;
    size_t index;            /* for isa_at() */
    const sl_kernels *table; /* NULL where it cannot run */
    const char *why_not;
} isa;

/* The ISAs of the manifest, best first; then, on x86, scalar built with FMA: not in the library, but the
 * definition of the FMA class's bits, which nothing else on that architecture would tie to plain C. */
size_t isa_count(void);
isa isa_at(size_t i);

/* Whether SOFTLANE_TEST_ISA lets it be tested. */
bool is_asked_for(const isa *on);

/* Runs the kernel, and counts it as executed. Every other time as if its output exceeded the caches: this time or not. */
void next_run_streams(bool streams);
void run(const kernel *k, const isa *on, const call *c);

/* What the manifest allows on the distributions, and on any input. */
double bound_of(const kernel *k, const isa *on, size_t output);
double bound_on_any(const kernel *k, const isa *on, size_t output);

/* ----------------------------------------------------------------------------------------------- losses */

/* Options of a loss, as a set. */
enum {
    WEIGHTS = 1,     /* class_weight */
    POS_WEIGHTS = 2, /* pos_weight */
    SMOOTHING = 4,   /* label_smoothing */
    IGNORE = 8,      /* has_ignore_index */
    UPSTREAM = 16,   /* upstream */
    SAFE = 32,       /* SL_SAFE_ROWS */
    EMPTY_ZERO = 64, /* SL_EMPTY_MEAN_ZERO */
    ALL_OPTIONS = 127
};

/* A way to call a kernel: for a loss, which outputs and which options. */
typedef struct {
    const char *name;
    sl_reduction reduction;
    unsigned options;
    double smoothing;    /* for SMOOTHING */
    bool wants[OUTPUTS]; /* of a loss */
} variant;

/* One way for most kernels; for losses a list in which every option occurs, alone and with others, with
 * either output and with both. The first is plain: both outputs, one loss per row or element. */
size_t variant_count(const kernel *k);
const variant *variant_at(const kernel *k, size_t i);

/* The options that the public function does not refuse. */
unsigned accepted_options(const kernel *k);

/* ----------------------------------------------------------------------------------------------- topics */

/* What is tested, and on what: exactly one of cell (a kernel on an ISA), each_isa, each_kernel and once. */
typedef struct {
    const char *name;
    void (*cell)(const kernel *, const isa *);
    void (*each_isa)(const isa *);
    void (*each_kernel)(const kernel *);
    void (*once)(void);
    bool (*applies_to)(const kernel *); /* NULL: to all */
} topic;

/* Runs the topics as one group of cmocka tests, then says how much of the matrix was executed. The result is
 * main's. */
int run_test_matrix(const char *group, const topic *topics, size_t count);

/* `full`, or `small` under SOFTLANE_TEST_EFFORT=small */
size_t effort(size_t full, size_t small);

/* Element types share the work: all of it is for f32, a third for f64, a sixth for types that are storage.
 * share() is effort() divided by that; is_chosen() is for walks through cases: whether i is among those to be
 * run, one in `one_in` for f32, others for other kernels. */
size_t share(const kernel *k, size_t full, size_t small);
bool is_chosen(const kernel *k, size_t i, size_t one_in);

size_t elements(sl_shape shape);
size_t rows(sl_shape shape);

/* Where element c of row r is. */
size_t element_at(sl_shape shape, size_t r, size_t c);

/* malloc that fails the test instead of returning NULL. */
void *allocate(size_t count, size_t size);

#endif
