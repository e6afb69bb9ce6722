/* SPDX-License-Identifier: MIT
 *
 * The oracle: every kernel of kernels.def by its textbook formula, one row or element after the other,
 * sharing nothing with the kernels. For tests and the harness; not in the installed library.
 *
 * Inputs are double, whatever the element type: all types widen exactly (sl_ref_dtypes). Every function
 * exists in two arithmetics: sl_ref_<kernel>_double judges f32, bf16 and f16; sl_ref_<kernel>_long, in long
 * double, judges f64. Results are long double. No argument checks.
 *
 * Beside each result stands its scale: the magnitude whose last place is the unit of its error bound. It is
 * the result itself, except where the formula cancels and softlane.h names the larger quantity. A pointer to
 * scales, to losses or to gradients may be NULL.
 */
#ifndef SL_REFERENCE_H
#define SL_REFERENCE_H

#include "table.h"

typedef long double sl_real;

/* sl_loss_options with weights and upstream in double. */
typedef struct {
    sl_reduction reduction;
    const double *class_weight, *pos_weight;
    double label_smoothing;
    bool has_ignore_index;
    int64_t ignore_index;
    const double *upstream;
    unsigned flags;
    double z_loss, softcap, divisor;
    sl_real *lse, *lse_scale,
        *loss_scale; /* out, one per row or loss; NULL: not wanted. Scales of single losses only */
} sl_ref_options;

/* sl_softmax_options with everything in double: a mask of [rows * classes], whose -INFINITY stands for a truth value of 0 if
 * has_truth; of lse the results. */
typedef struct {
    double scale, softcap, slope; /* 0 as there */
    const double *mask;
    bool has_truth;
    const size_t *first, *length;
    const double *sink;
    sl_real *lse, *lse_scale;
    /* the errors that results may have because scores have them, absolute: of y per element, of lse per row; NULL */
    sl_real *slack, *lse_slack;
    unsigned flags;
} sl_ref_softmax_options;

#define SL_REF_PARAMS_MAP (const double *x, size_t n, sl_real *y, sl_real *scale)
#define SL_REF_PARAMS_MAP_BACKWARD (const double *a, const double *dy, size_t n, sl_real *dx, sl_real *scale)
#define SL_REF_PARAMS_ROW_MAP (const double *x, sl_shape shape, sl_real *y, sl_real *scale)
#define SL_REF_PARAMS_ROW_OPTIONS                                                                            \
    (const double *x, sl_shape shape, const sl_ref_softmax_options *options, sl_real *y, sl_real *scale)
#define SL_REF_PARAMS_ROW_BACKWARD                                                                           \
    (const double *y, const double *dy, sl_shape shape, sl_real *dx, sl_real *scale)
#define SL_REF_PARAMS_ROW_FOLD (const double *x, sl_shape shape, sl_real *lse, sl_real *scale)
#define SL_REF_PARAMS_CLASS_LOSS                                                                             \
    (const double *x, const int64_t *target, sl_shape shape, const sl_ref_options *options, sl_real *loss,   \
     sl_real *grad, sl_real *grad_scale)
#define SL_REF_PARAMS_PROB_LOSS                                                                              \
    (const double *x, const double *target, sl_shape shape, const sl_ref_options *options, sl_real *loss,    \
     sl_real *grad, sl_real *grad_scale)
#define SL_REF_PARAMS_ELEMENT_LOSS SL_REF_PARAMS_PROB_LOSS
#define SL_REF_PARAMS_CLASS_GRAD                                                                             \
    (const double *x, const int64_t *target, sl_shape shape, const sl_ref_options *options,                  \
     const double *lse, sl_real *grad, sl_real *scale)
/* of a shard that is the whole row */
#define SL_REF_PARAMS_SHARD_GRAD                                                                             \
    (const double *x, const int64_t *target, sl_shape shape, const sl_ref_options *options, sl_real *grad,   \
     sl_real *scale)
/* of the statistics their log-sum-exp */
#define SL_REF_PARAMS_STATS (const double *x, size_t n, sl_real *lse, sl_real *scale)
#define SL_REF_PARAMS_STATS_ROWS SL_REF_PARAMS_ROW_FOLD
#define SL_REF_PARAMS_ROW_AT                                                                                 \
    (const double *x, sl_shape shape, const int64_t *ids, size_t k, sl_real *y, sl_real *scale)
#define SL_REF_PARAMS_ROW_TOP (const double *x, sl_shape shape, size_t k, sl_real *y, sl_real *scale)
#define SL_REF_PARAMS_ROW_WIDE SL_REF_PARAMS_ROW_MAP
#define SL_REF_PARAMS_MAP_WIDE SL_REF_PARAMS_MAP
#define SL_REF_PARAMS_APPLY SL_REF_PARAMS_MAP /* softmax of one row */

#define SL_KERNEL(name, sig, ...)                                                                            \
    void sl_ref_##name##_double SL_REF_PARAMS_##sig;                                                         \
    void sl_ref_##name##_long SL_REF_PARAMS_##sig;
#include "kernels.def"
#undef SL_KERNEL

/* An element or loss type as the oracle sees it. */
typedef struct {
    const char *name; /* as in dtypes.def */
    size_t size, loss_size;
    int digits, loss_digits;                    /* of the significand: 24, 53, 8, 11; of the loss type */
    int min_exp, loss_min_exp;                  /* as FLT_MIN_EXP */
    bool long_arithmetic;                       /* judged by the _long functions */
    double (*get)(const void *array, size_t i); /* exact */
    void (*put)(void *array, size_t i, double value); /* one rounding to nearest even */
    double (*get_loss)(const void *array, size_t i);
    void (*put_loss)(void *array, size_t i, double value);
    uint64_t (*bits)(const void *array, size_t i);
} sl_ref_dtype;
extern const sl_ref_dtype sl_ref_dtypes[SL_DTYPE_COUNT]; /* index SL_COUNT_f32, ... */

/* |got - want| in units in the last place, at `scale`, of a type with these digits and this smallest
 * exponent; the unit is never below the denormal spacing. 0 when both are NaN or equal infinities; infinite
 * when only one is NaN or they are different infinities. A `got` that overflowed to the infinity that `want`
 * rounds to counts as 0. */
double sl_ref_ulp(double got, sl_real want, sl_real scale, int digits, int min_exp);

#endif
