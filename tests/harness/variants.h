/* SPDX-License-Identifier: MIT
 *
 * What a figure is about: a kernel on an ISA, for a loss without its gradient or with it in the same call.
 */
#ifndef SL_HARNESS_VARIANTS_H
#define SL_HARNESS_VARIANTS_H

#include "manifest.h"

typedef struct {
    const kernel *kernel;
    bool gradient;
    const sl_kernels *isa;
} variant;

/* All that can run here, in the order of the manifests, and after the ISAs of each kernel these other tables that have
 * it. To be freed. */
size_t variants_available(variant **variants, const sl_kernels *const *others, size_t count);

/* What is not the library's takes contiguous rows only. */
bool variant_takes_shape(const variant *v, sl_shape shape);

/* They differ in nothing but the ISA; in the list such variants stand together. */
bool variants_alike(const variant *a, const variant *b);

/* "softmax/f32/avx2", "cross_entropy+grad/bf16/avx2"; and the first part of that. */
enum { VARIANT_TEXT = 64 };
void variant_text(const variant *v, char text[VARIANT_TEXT]);
void variant_operation_text(const variant *v, char text[VARIANT_TEXT]);

/* ULP, of the gradient if the variant has one, else of the result; for any input, or for the distributions. */
double variant_bound(const variant *v, bool any_input);

/* "81x1000": rows x classes, or outer x classes x inner */
enum { SHAPE_TEXT = 64 };
void shape_text(sl_shape shape, char text[SHAPE_TEXT]);

#endif
