/* SPDX-License-Identifier: MIT */
#include "manifest.h"

#include "reference.h"
#include "table.h"

#include <stdio.h>
#include <string.h>

/* One line per signature for the kernel, one for its oracle. Units of error are those of the result itself
 * unless the oracle says otherwise. */
#define RUN_MAP(f) f(w->x, w->y, workload_elements(w))
#define RUN_ROW_MAP(f) f(w->x, w->y, w->shape)
#define RUN_ROW_FOLD(f) f(w->x, w->y, w->shape)
#define RUN_CLASS_LOSS(f) f(w->x, w->target_class, w->shape, w->options, w->y, NULL)
#define RUN_SOFT_LOSS(f) f(w->x, w->target_prob, w->shape, w->options, w->y, NULL)

#define REFER_MAP(f) (f(w->x, want, workload_elements(w)), copy(scale, want, workload_elements(w)))
#define REFER_ROW_MAP(f) (f(w->x, want, w->shape), copy(scale, want, workload_elements(w)))
#define REFER_ROW_FOLD(f) f(w->x, want, scale, w->shape)
#define REFER_CLASS_LOSS(f)                                                                                  \
    (f(w->x, w->target_class, w->shape, w->options, want), copy(scale, want, workload_rows(w)))
#define REFER_SOFT_LOSS(f)                                                                                   \
    (f(w->x, w->target_prob, w->shape, w->options, want), copy(scale, want, workload_elements(w)))

static void copy(double *to, const double *from, size_t n) { memcpy(to, from, n * sizeof *to); }

#define SL_KERNEL(name, sig, ...)                                                                            \
    static void run_##name(const sl_kernels *isa, const struct workload *w) { RUN_##sig(isa->name##_f32); }  \
    static void refer_##name(const struct workload *w, double *want, double *scale)                          \
    {                                                                                                        \
        REFER_##sig(sl_ref_##name##_f32);                                                                    \
    }
#include "kernels.def"
#undef SL_KERNEL

const struct kernel kernels[] = {
#define SL_KERNEL(name, sig, reads, writes, bound, bound_without_fma, ...)                                   \
    {#name, sig, reads, writes, bound, bound_without_fma, run_##name, refer_##name},
#include "kernels.def"
#undef SL_KERNEL
};
const size_t kernel_count = sizeof kernels / sizeof kernels[0];

size_t workload_elements(const struct workload *w)
{
    return w->shape.outer * w->shape.classes * w->shape.inner;
}

size_t workload_rows(const struct workload *w) { return w->shape.outer * w->shape.inner; }

size_t workload_results(const struct kernel *kernel, const struct workload *w)
{
    bool per_row = kernel->signature == ROW_FOLD || kernel->signature == CLASS_LOSS;
    return per_row ? workload_rows(w) : workload_elements(w);
}

bool workload_suits(const struct kernel *kernel, const struct workload *w)
{
    return (kernel->signature != CLASS_LOSS || w->target_class) &&
           (kernel->signature != SOFT_LOSS || w->target_prob);
}

bool kernel_has_rows(const struct kernel *kernel)
{
    return kernel->signature != MAP && kernel->signature != SOFT_LOSS;
}

void variant_text(const struct kernel *kernel, const sl_kernels *isa, char *text, size_t size)
{
    snprintf(text, size, "%s/f32/%s", kernel->name, isa->isa);
}

void shape_text(sl_shape shape, char *text, size_t size)
{
    if (shape.inner > 1)
        snprintf(text, size, "%zux%zux%zu", shape.outer, shape.classes, shape.inner);
    else
        snprintf(text, size, "%zux%zu", shape.outer, shape.classes);
}
