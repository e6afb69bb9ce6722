/* SPDX-License-Identifier: MIT
 *
 * The oracle: every kernel of kernels.def by its textbook formula in double, one row or element after the
 * other, sharing nothing with algo/. For tests and the harness; not in the installed library.
 *
 * Same parameters as the kernels, results in double instead of the element or loss type; no argument checks.
 * A fold of rows also gives, unless it is NULL, the scale of each result: the magnitude whose last place is
 * the unit of its error bound (of logsumexp the larger of |lse| and |max x|, see softlane.h; every other
 * bound is in units of the result).
 */
#ifndef SL_REFERENCE_H
#define SL_REFERENCE_H

#include "softlane.h"

#define SL_REF_PARAMS_MAP(T) (const T *x, double *y, size_t n)
#define SL_REF_PARAMS_ROW_MAP(T) (const T *x, double *y, sl_shape shape)
#define SL_REF_PARAMS_ROW_FOLD(T) (const T *x, double *lse, double *scale, sl_shape shape)
#define SL_REF_PARAMS_CLASS_LOSS(T)                                                                          \
    (const T *logits, const int64_t *target, sl_shape shape, const sl_loss_options *options, double *loss)
#define SL_REF_PARAMS_SOFT_LOSS(T)                                                                           \
    (const T *logits, const T *target, sl_shape shape, const sl_loss_options *options, double *loss)

#define SL_KERNEL(name, sig, ...) void sl_ref_##name##_f32 SL_REF_PARAMS_##sig(float);
#include "kernels.def"
#undef SL_KERNEL

/* |got - want| in units in the last place of f32 at `scale`, the unit never below the denormal spacing. 0
 * when both are NaN or equal infinities; infinite when only one is NaN or they are different infinities. A
 * `got` that overflowed to the infinity that `want` rounds to counts as 0. */
double sl_ref_ulp_at_f32(float got, double want, double scale);

/* The same at `want` itself. */
double sl_ref_ulp_f32(float got, double want);

#endif
