/* SPDX-License-Identifier: MIT
 *
 * The manifest of kernels as data, and one way to call them all: a workload has whatever any signature wants.
 */
#ifndef SL_BENCH_MANIFEST_H
#define SL_BENCH_MANIFEST_H

#include "softlane.h"

struct workload {
    sl_shape shape; /* kernels without a class axis see all its elements */
    const float *x;
    const float *target_prob;    /* one per element; NULL: the losses that want it cannot run */
    const int64_t *target_class; /* one per row; likewise */
    const sl_loss_options *options;
    float *y; /* workload_results() of the kernel */
};

enum signature { MAP, ROW_MAP, ROW_FOLD, CLASS_LOSS, SOFT_LOSS };

struct kernel {
    const char *name;
    enum signature signature;
    unsigned reads, writes;          /* arrays of elements: the compulsory traffic */
    double bound, bound_without_fma; /* ULP */
    void (*run)(const sl_kernels *isa, const struct workload *w);
    /* The oracle: results in double, and the magnitudes whose last place is the unit of their error. */
    void (*refer)(const struct workload *w, double *want, double *scale);
};
extern const struct kernel kernels[];
extern const size_t kernel_count;

size_t workload_elements(const struct workload *w);
size_t workload_rows(const struct workload *w);
/* Results of a call; a loss gives one for every row or element with SL_NONE. */
size_t workload_results(const struct kernel *kernel, const struct workload *w);
/* It has the targets that the kernel needs. */
bool workload_suits(const struct kernel *kernel, const struct workload *w);

/* false: element by element */
bool kernel_has_rows(const struct kernel *kernel);

/* "softmax/f32/avx2" */
void variant_text(const struct kernel *kernel, const sl_kernels *isa, char *text, size_t size);

/* "81x1000": rows x classes, or outer x classes x inner */
void shape_text(sl_shape shape, char *text, size_t size);

#endif
