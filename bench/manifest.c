/* SPDX-License-Identifier: MIT */
#include "manifest.h"

#include "arguments.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

size_t elements_of(sl_shape shape) { return shape.outer * shape.classes * shape.inner; }

size_t rows_of(sl_shape shape) { return shape.outer * shape.inner; }

/* --------------------------------------------------------------------------------------------- the table */

/* For each signature: what it means to a workload, how a workload w calls the kernel, and how a oracle_call q
 * asks the oracle. */

#define SIGNATURE_MAP .result = T_PER_ELEMENT, .by_element = true
#define SIGNATURE_MAP_BACKWARD .second = GRADIENTS, .result = T_PER_ELEMENT, .by_element = true
#define SIGNATURE_ROW_MAP .result = T_PER_ELEMENT
#define SIGNATURE_ROW_BACKWARD .second = GRADIENTS, .result = T_PER_ELEMENT
#define SIGNATURE_ROW_FOLD .result = L_PER_ROW
#define SIGNATURE_CLASS_LOSS .second = CLASS_IDS, .result = L_PER_ROW
#define SIGNATURE_PROB_LOSS .second = PROBABILITIES, .result = L_PER_ROW
#define SIGNATURE_ELEMENT_LOSS .second = PROBABILITIES, .result = L_PER_ELEMENT, .by_element = true
#define SIGNATURE_STATS .result = STATS_PER_ROW, .one_row = true
#define SIGNATURE_APPLY .result = T_PER_ELEMENT, .one_row = true

#define FOR_EACH_ROW(shape) for (size_t r = 0, n = (shape).classes; r < (shape).outer; r++)

#define RUN_MAP(f, T) f(w->x, w->result, elements_of(w->shape))
#define RUN_MAP_BACKWARD(f, T) f(w->x, w->second, w->result, elements_of(w->shape))
#define RUN_ROW_MAP(f, T) f(w->x, w->result, w->shape)
#define RUN_ROW_BACKWARD(f, T) f(w->x, w->second, w->result, w->shape)
#define RUN_ROW_FOLD RUN_ROW_MAP
#define RUN_CLASS_LOSS(f, T) f(w->x, w->target_class, w->shape, w->options, w->result, w->grad)
#define RUN_PROB_LOSS(f, T) f(w->x, w->second, w->shape, w->options, w->result, w->grad)
#define RUN_ELEMENT_LOSS RUN_PROB_LOSS
#define RUN_STATS(f, T) FOR_EACH_ROW(w->shape) f((const T *)w->x + r * n, n, &w->stats[r])
#define RUN_APPLY(f, T)                                                                                      \
    FOR_EACH_ROW(w->shape) f((const T *)w->x + r * n, (T *)w->result + r * n, n, &w->stats[r])

#define REFER_MAP(f) f(q->x, elements_of(q->shape), q->want, q->scale)
#define REFER_MAP_BACKWARD(f) f(q->x, q->second, elements_of(q->shape), q->want, q->scale)
#define REFER_ROW_MAP(f) f(q->x, q->shape, q->want, q->scale)
#define REFER_ROW_BACKWARD(f) f(q->x, q->second, q->shape, q->want, q->scale)
#define REFER_ROW_FOLD REFER_ROW_MAP
#define REFER_LOSS(f, target)                                                                                \
    f(q->x, target, q->shape,                                                                                \
      &(sl_ref_options){                                                                                     \
          .reduction = SL_NONE, .has_ignore_index = q->has_ignore_index, .ignore_index = q->ignore_index},   \
      q->gradient ? NULL : q->want, q->gradient ? q->want : NULL, q->gradient ? q->scale : NULL)
#define REFER_CLASS_LOSS(f) REFER_LOSS(f, q->target_class)
#define REFER_PROB_LOSS(f) REFER_LOSS(f, q->second)
#define REFER_ELEMENT_LOSS REFER_PROB_LOSS
#define REFER_STATS(f) FOR_EACH_ROW(q->shape) f(q->x + r * n, n, q->want + r, q->scale + r)
#define REFER_APPLY(f) FOR_EACH_ROW(q->shape) f(q->x + r * n, n, q->want + r * n, q->scale + r * n)

#define ADAPTERS(dt, T, L, name, sig)                                                                        \
    static bool name##_##dt##_is_in(const sl_kernels *isa) { return isa->name##_##dt; }                      \
    static void run_##name##_##dt(const sl_kernels *isa, const struct workload *w)                           \
    {                                                                                                        \
        RUN_##sig(isa->name##_##dt, T);                                                                      \
    }                                                                                                        \
    static void call_##name##_##dt(const struct workload *w) { RUN_##sig(sl_##name##_##dt, T); }
#define SL_KERNEL(name, sig, ...)                                                                            \
    SL_DTYPES(ADAPTERS, name, sig)                                                                           \
    static void evaluate_##name(const struct oracle_call *q)                                                 \
    {                                                                                                        \
        REFER_##sig((q->dtype->long_arithmetic ? sl_ref_##name##_long : sl_ref_##name##_double));            \
    }
#include "kernels.def"
#undef SL_KERNEL

#define BRACED(...)                                                                                          \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define ENTRY(dt, T, L, kernel_name, sig, arrays_read, arrays_written, result_bounds, result_any,            \
              gradient_bounds, gradient_any)                                                                 \
    {#kernel_name,                                                                                           \
     &sl_ref_dtypes[SL_COUNT_##dt],                                                                          \
     {SIGNATURE_##sig},                                                                                      \
     arrays_read,                                                                                            \
     arrays_written,                                                                                         \
     {BRACED result_bounds, BRACED gradient_bounds},                                                         \
     {BRACED result_any, BRACED gradient_any},                                                               \
     kernel_name##_##dt##_is_in,                                                                             \
     run_##kernel_name##_##dt,                                                                               \
     call_##kernel_name##_##dt,                                                                              \
     evaluate_##kernel_name},
const struct kernel kernels[KERNELS] = {
#define SL_KERNEL(...) SL_DTYPES(ENTRY, __VA_ARGS__)
#include "kernels.def"
#undef SL_KERNEL
};

/* The kernel of this row of kernels.def that has the element type of another. */
static const struct kernel *sibling(const struct kernel *k, size_t row)
{
    return &kernels[row * SL_DTYPE_COUNT + (size_t)(k - kernels) % SL_DTYPE_COUNT];
}

/* ----------------------------------------------------------------------------------------------- kernels */

bool kernel_is_loss(const struct kernel *k)
{
    return k->signature.second == CLASS_IDS || k->signature.second == PROBABILITIES;
}

bool kernel_takes_shape(const struct kernel *k, sl_shape shape)
{
    return shape.inner == 1 || !k->signature.one_row;
}

/* The kernel whose result this one takes; NULL: logits. */
static const struct kernel *source_of(const struct kernel *k)
{
    static const struct {
        size_t row, source;
    } sources[] = {
        {SL_COUNT_softmax_backward, SL_COUNT_softmax},
        {SL_COUNT_log_softmax_backward, SL_COUNT_log_softmax},
        {SL_COUNT_sigmoid_backward, SL_COUNT_sigmoid},
        {SL_COUNT_nll, SL_COUNT_log_softmax},
        {SL_COUNT_bce, SL_COUNT_sigmoid},
    };
    for (size_t i = 0; i < sizeof sources / sizeof sources[0]; i++)
        if (k == sibling(k, sources[i].row))
            return sibling(k, sources[i].source);
    return NULL;
}

bool kernel_takes_probabilities(const struct kernel *k)
{
    const struct kernel *source = source_of(k);
    return source && source == sibling(k, SL_COUNT_sigmoid);
}

void kernel_inputs_from_logits(const struct kernel *k, const struct workload *w)
{
    const struct kernel *source = source_of(k), *stats = sibling(k, SL_COUNT_softmax_stats);
    struct workload in_place = *w;
    in_place.result = w->x;
    if (source)
        source->run(sl_isa(NULL), &in_place);
    if (k == sibling(k, SL_COUNT_softmax_apply))
        stats->run(sl_isa(NULL), w);
}

/* ---------------------------------------------------------------------------------------------- variants */

size_t variants_available(struct variant **variants, const sl_kernels *const *others, size_t other_count)
{
    size_t count = 0;
    struct variant *list = malloc(KERNELS * 2 * (sl_isa_count() + other_count) * sizeof *list);
    if (!list)
        refuse("out of memory");
    for (size_t k = 0; k < KERNELS; k++)
        for (int gradient = 0; gradient <= kernel_is_loss(&kernels[k]); gradient++)
            for (size_t i = 0; i < sl_isa_count() + other_count; i++) {
                const sl_kernels *isa =
                    i < sl_isa_count() ? sl_isa(sl_isa_name_at(i)) : others[i - sl_isa_count()];
                if (isa && kernels[k].is_in(isa))
                    list[count++] = (struct variant){&kernels[k], gradient, isa};
            }
    *variants = list;
    return count;
}

bool variant_takes_shape(const struct variant *v, sl_shape shape)
{
    return kernel_takes_shape(v->kernel, shape) && (v->isa->needs || shape.inner == 1);
}

bool variants_alike(const struct variant *a, const struct variant *b)
{
    return a->kernel == b->kernel && a->gradient == b->gradient;
}

void variant_kernel_text(const struct variant *v, char text[VARIANT_TEXT])
{
    snprintf(text, VARIANT_TEXT, "%s%s", v->kernel->name, v->gradient ? "+grad" : "");
}

void variant_text(const struct variant *v, char text[VARIANT_TEXT])
{
    snprintf(text, VARIANT_TEXT, "%s%s/%s/%s", v->kernel->name, v->gradient ? "+grad" : "",
             v->kernel->dtype->name, v->isa->isa);
}

double variant_bound(const struct variant *v, bool any_input)
{
    enum { F32, F32_NO_FMA, F64, F64_NO_FMA, STORAGE };
    const int digits = v->kernel->dtype->digits;
    const double *bounds = (any_input ? v->kernel->any : v->kernel->bounds)[v->gradient];
    if (!v->isa->needs)
        return INFINITY;
    if (digits < FLT_MANT_DIG)
        return bounds[STORAGE];
    if (digits == FLT_MANT_DIG)
        return bounds[v->isa->fma ? F32 : F32_NO_FMA];
    return bounds[v->isa->fma ? F64 : F64_NO_FMA];
}

void shape_text(sl_shape shape, char text[SHAPE_TEXT])
{
    if (shape.inner > 1)
        snprintf(text, SHAPE_TEXT, "%zux%zux%zu", shape.outer, shape.classes, shape.inner);
    else
        snprintf(text, SHAPE_TEXT, "%zux%zu", shape.outer, shape.classes);
}
