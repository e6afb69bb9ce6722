/* SPDX-License-Identifier: MIT
 *
 * The manifests as data: every kernel in every element type, and one way to call them all. A workload has
 * whatever any signature wants, so a program that loops over these tables knows no kernel by its name.
 */
#ifndef SL_BENCH_MANIFEST_H
#define SL_BENCH_MANIFEST_H

#include "reference.h"

/* The arguments of any kernel. T is its element type, L its loss type. */
struct workload {
    sl_shape shape;
    void *x;               /* T per element */
    void *second;          /* T per element: upstream gradients, or the probabilities of targets */
    int64_t *target_class; /* one per row */
    const sl_loss_options *options;
    sl_stats *stats; /* one per row: softmax_stats writes it, softmax_apply reads it */
    void *result;    /* T or L, see below */
    void *grad;      /* T per element, of a loss; NULL: forward only */
};

/* What a signature of kernels.def means to a workload. */
struct signature {
    enum { NO_SECOND, GRADIENTS, CLASS_IDS, PROBABILITIES } second;
    enum { T_PER_ELEMENT, L_PER_ELEMENT, L_PER_ROW, STATS_PER_ROW } result; /* of a loss: with SL_NONE */
    bool by_element; /* has no class axis: to it all elements of a shape are alike */
    bool one_row;    /* has no shape: is called once for each row, which needs inner = 1 */
};

/* What the oracle is asked about a workload: its inputs, widened. */
struct oracle_call {
    const sl_ref_dtype *dtype;
    sl_shape shape;
    const double *x, *second;
    const int64_t *target_class;
    bool has_ignore_index; /* of class ids */
    int64_t ignore_index;
    bool gradient;         /* it is this that is wanted, not the result */
    sl_real *want, *scale; /* as in reference.h */
};

struct kernel {
    const char *name;
    const sl_ref_dtype *dtype;
    struct signature signature;
    unsigned reads, writes; /* arrays of elements: the compulsory traffic; a gradient is one more to write */
    double bounds[2][5];    /* ULP: of the result, of the gradient; columns as in kernels.def */
    double any[2][5];       /* the same for any input */
    bool (*is_in)(const sl_kernels *isa); /* a table that is not the library's may have holes */
    void (*run)(const sl_kernels *isa, const struct workload *w);
    void (*call)(const struct workload *w); /* the public function instead */
    void (*evaluate)(const struct oracle_call *q);
};
enum { KERNELS = SL_KERNEL_COUNT * SL_DTYPE_COUNT };
extern const struct kernel kernels[KERNELS];

size_t elements_of(sl_shape shape);
size_t rows_of(sl_shape shape);

bool kernel_is_loss(const struct kernel *k);
/* It can be called on this shape. */
bool kernel_takes_shape(const struct kernel *k, sl_shape shape);
/* It takes probabilities where others take logits. */
bool kernel_takes_probabilities(const struct kernel *k);

/* Turns the logits in w->x into what the kernel takes: a backward kernel the result of its forward one, for
 * instance. Makes the statistics that softmax_apply wants. */
void kernel_inputs_from_logits(const struct kernel *k, const struct workload *w);

/* What a figure is about: a kernel, for a loss without its gradient or with it in the same call, on an ISA. */
struct variant {
    const struct kernel *kernel;
    bool gradient;
    const sl_kernels *isa;
};

/* All that can run here, in the order of the manifests, and after the ISAs of each kernel these other tables that have
 * it. To be freed. */
size_t variants_available(struct variant **variants, const sl_kernels *const *others, size_t count);

/* What is not the library's takes contiguous rows only. */
bool variant_takes_shape(const struct variant *v, sl_shape shape);

/* They differ in nothing but the ISA; in the list such variants stand together. */
bool variants_alike(const struct variant *a, const struct variant *b);

/* "softmax/f32/avx2", "cross_entropy+grad/bf16/avx2"; and the first part of that. */
enum { VARIANT_TEXT = 64 };
void variant_text(const struct variant *v, char text[VARIANT_TEXT]);
void variant_kernel_text(const struct variant *v, char text[VARIANT_TEXT]);

/* ULP, of the gradient if the variant has one, else of the result; for any input, or for the distributions of the tests.
 * Infinite for tables that are not the library's. */
double variant_bound(const struct variant *v, bool any_input);

/* "81x1000": rows x classes, or outer x classes x inner */
enum { SHAPE_TEXT = 64 };
void shape_text(sl_shape shape, char text[SHAPE_TEXT]);

#endif
