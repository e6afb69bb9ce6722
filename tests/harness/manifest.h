/* SPDX-License-Identifier: MIT
 *
 * The manifests as data: every kernel of kernels.def in every element type of dtypes.def, and one way to call any of
 * them. Whoever loops over kernels[] knows no kernel by its name. Each signature of table.h is adapted once, in
 * manifest.c: a new row needs nothing here, a new signature does not compile.
 */
#ifndef SL_HARNESS_MANIFEST_H
#define SL_HARNESS_MANIFEST_H

#include "elements.h"

/* What a kernel writes. Losses have the first two outputs, and may be asked for either alone, some also for the log-sum-exp of each
 * row; softmax with options has a result, and may be asked for that, too; all others have a result. */
enum { RESULT, GRADIENT, LSE, OUTPUTS };

/* The parameters of any kernel. T is its element type, L its loss type. */
typedef struct {
    const void *x;      /* T per element: logits, probabilities, or what a backward kernel takes first */
    const void *second; /* see second_kind */
    sl_shape shape;     /* element-wise kernels: its elements, in a row */
    const sl_loss_options
        *options; /* losses and their gradients only; its lse is out[LSE], if that is wanted */
    const sl_softmax_options *row_options; /* softmax with options only; lse is out[LSE] */
    void *out[OUTPUTS];                    /* NULL: not wanted, or not there */
    const void *lse;                       /* L per row, for a gradient that takes_lse() */
    sl_shard shard; /* that the elements are, for cross_entropy_shard_grad; no classes: the whole rows */
    const sl_stats *stats; /* one per row, for what takes_stats(); NULL: the call computes them first */
} call;

/* What stands in call.second; anything that is a target makes the kernel a loss, or the gradient of one. */
typedef enum {
    NO_SECOND,
    DY,            /* T per element */
    CLASS_IDS,     /* int64_t per row */
    PROBABILITIES, /* T per element */
    SHARD_IDS,     /* int64_t per row, of a class or none; may be NULL. No target */
    CHOSEN_IDS     /* int64_t, choices() of them per row. No targets */
} second_kind;

/* What a result is made of: so many, unless it is a loss that is reduced to one. A gradient is T_PER_ELEMENT.
 * */
typedef enum { T_PER_ELEMENT, L_PER_ELEMENT, L_PER_ROW, L_PER_CHOICE, STATS_PER_ROW } output_kind;

/* A call as the oracle wants it. */
typedef struct {
    const double *x, *second;
    const int64_t *ids;
    sl_shape shape;
    const sl_ref_options *options;
    const sl_ref_softmax_options *row_options;
    const double *lse;
    sl_real *want[OUTPUTS], *scale[OUTPUTS]; /* NULL: not wanted; see reference.h */
} oracle_call;

/* The oracle in its two arithmetics. */
typedef struct {
    void (*in_double)(const oracle_call *);
    void (*in_long)(const oracle_call *);
} oracle;

typedef struct {
    const char *name;          /* "softmax/f32" */
    const char *operation;     /* "softmax" */
    size_t index;              /* in kernels[] */
    size_t row;                /* in kernels.def: SL_COUNT_softmax */
    const sl_ref_dtype *dtype; /* its T and L */
    second_kind second;
    output_kind result;
    bool by_element;        /* no element depends on another; else the unit is the row */
    bool one_row;           /* has no shape: a call runs it row by row, and needs inner = 1 */
    bool rows_only;         /* has a shape, and needs inner = 1 */
    bool matrix;            /* likewise, and takes strides */
    bool row_options;       /* softmax with options, which needs inner = 1, too */
    bool lse, stats;        /* takes them: one per row */
    unsigned reads, writes; /* arrays of elements: the compulsory traffic; a gradient is one more to write */
    double bounds[OUTPUTS][5], any[OUTPUTS][5]; /* kernels.def: on the distributions, on any input */
    bool (*is_in)(const sl_kernels *);          /* a table that is not the library's may have holes */
    void (*run)(const sl_kernels *, const call *);
    sl_status (*check_and_run)(const call *); /* the public function */
    oracle oracle;
} kernel;

enum { KERNELS = SL_SLOT_COUNT };
extern const kernel kernels[KERNELS];

/* The kernel of a row of kernels.def, SL_COUNT_softmax, that has the dtype of another. */
const kernel *sibling(const kernel *k, size_t row);

bool is_loss(const kernel *k);
bool takes_options(const kernel *k); /* a loss, or the gradient of one */
bool takes_lse(const kernel *k);
bool takes_stats(const kernel *k);
bool is_by_element(const kernel *k);
bool has_shape(const kernel *k); /* takes shapes with inner > 1 */
bool takes_shape(const kernel *k, sl_shape shape);
bool takes_strides(const kernel *k); /* its parameter is a shape, not a count */

/* How many classes of each row a call chooses. */
size_t choices(const kernel *k, sl_shape shape);

/* Bytes of each value of call.second, and how many there are. */
size_t second_size(const kernel *k);
size_t second_count(const kernel *k, sl_shape shape);
bool second_is_ids(const kernel *k);
bool second_is_required(const kernel *k);

/* Losses before any reduction. */
size_t loss_count(const kernel *k, sl_shape shape);

/* What the kernel is to know of each row of a call, statistics or log-sum-exps, by a table's kernels; `room` is as large as
 * statistics are. */
void know_rows(const kernel *k, const sl_kernels *table, call *c, sl_stats *room);

/* -------------------------------------------------------------------------------------------- outputs */

/* The output that is shaped as x, of its type, and may be x itself: OUTPUTS where there is none. */
size_t output_like_x(const kernel *k);

/* The values of each row in the result of a kernel that has no value for each element; 0 if it has one. */
size_t results_per_row(const kernel *k, sl_shape shape);

/* Whether its values are T, not L or statistics. */
bool output_is_t(const kernel *k, size_t output);

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

/* --------------------------------------------------------------------------------------------- bounds */

/* What the manifest allows on the distributions, and on any input: ULP. Infinite for tables that are not the library's. */
double bound_of(const kernel *k, const sl_kernels *table, size_t output);
double bound_on_any(const kernel *k, const sl_kernels *table, size_t output);

#endif
