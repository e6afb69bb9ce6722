/* SPDX-License-Identifier: MIT
 *
 * A call with inputs and outputs of its own, for any kernel of any element type, with any of its options.
 */
#ifndef SL_HARNESS_WORKLOAD_H
#define SL_HARNESS_WORKLOAD_H

#include "manifest.h"

/* Options of a loss, as a set. */
enum {
    WEIGHTS = 1,      /* class_weight */
    POS_WEIGHTS = 2,  /* pos_weight */
    SMOOTHING = 4,    /* label_smoothing */
    IGNORE = 8,       /* has_ignore_index */
    UPSTREAM = 16,    /* upstream */
    SAFE = 32,        /* SL_SAFE_ROWS */
    EMPTY_ZERO = 64,  /* SL_EMPTY_MEAN_ZERO */
    DIVISOR = 128,    /* divisor, where the reduction is a mean */
    Z_LOSS = 256,     /* z_loss */
    SOFTCAP = 512,    /* softcap */
    TAKES_LSE = 1024, /* lse: out[LSE] */
    ALL_OPTIONS = 2047
};

/* Options of softmax, as a set; its masks are one of MASKS. */
enum {
    SCALE = 1,
    SCORE_CAP = 2, /* softcap */
    SLOPE = 4,
    LIMITS = 8, /* first and length */
    SINK = 16,
    SAFE_ROWS = 32,
    SHARED_MASK = 64, /* one for all rows */
    MASK_F32 = 128 * SL_MASK_F32,
    MASK_F64 = 128 * SL_MASK_F64, /* of f32 instead, where the kernel is not of f64 */
    MASK_F16 = 128 * SL_MASK_F16,
    MASK_BF16 = 128 * SL_MASK_BF16,
    MASK_BOOL = 128 * SL_MASK_BOOL,
};

/* A way to call a kernel: for a loss, which outputs; for softmax with options, whether the log-sum-exp, too, which wants[1] says; for
 * both and the gradient of a loss, which options. */
typedef struct {
    const char *name;
    sl_reduction reduction;
    unsigned options;
    double smoothing;    /* for SMOOTHING */
    bool wants[OUTPUTS]; /* of a loss, of softmax with options */
} call_spec;

/* The options that the public function does not refuse. */
unsigned accepted_options(const kernel *k);

/* Any reduction, outputs and options that the kernel accepts. */
call_spec random_call_spec(const kernel *k, generator *g);

typedef struct {
    const kernel *k;
    call c; /* refers to what follows: a workload does not move */
    sl_loss_options options;
    sl_softmax_options row_options;
    void *x, *second, *lse, *class_weight, *pos_weight, *upstream, *out[OUTPUTS]; /* what is to be freed */
    void *mask, *first, *length, *sink;                                           /* likewise */
} workload;

/* Logits from the distribution, turned into inputs as they come where the kernel is used; targets, weights
 * and gradients at random. */
void workload_make(workload *w, const kernel *k, const call_spec *v, sl_shape shape, const distribution *d,
                   generator *g);
void workload_free(workload *w);

/* The log-sum-exps that a gradient takes, of logits that have changed. */
void workload_remake_lse(const workload *w, generator *g);

/* Another second input of the same kind. */
void workload_remake_second(workload *w, const distribution *d, generator *g);

/* An array of a call, whatever it is. */
typedef struct {
    void *pointer; /* the call's to it: a void * or a const void * */
    const void *at;
    size_t bytes, size; /* in all; of an element */
    size_t output;      /* which one, OUTPUTS for an input */
} array;
enum { MOST_ARRAYS = 10 + OUTPUTS };

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

/* Turns logits into what the kernel takes as x: a backward kernel the result of its forward one, if it takes
 * that, a loss of probabilities those. The oracle computes them, so they are the same everywhere. */
void logits_to_input(const kernel *k, void *x, sl_shape shape);

/* The same for arrays too large for the oracle, computed by the kernels of a table. */
void logits_to_input_by(const kernel *k, const sl_kernels *table, void *x, sl_shape shape);

bool takes_probabilities(const kernel *k);

/* Whether the kernel says anything about such an x: probabilities are in [0, 1]. */
bool is_in_domain(const kernel *k, double x);

#endif
