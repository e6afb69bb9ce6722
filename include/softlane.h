/* SPDX-License-Identifier: MIT
 *
 * softlane: SIMD kernels for the last layer of a classifier.
 *
 *   softmax, log-softmax, log-sum-exp    one right class: outputs compete, they sum to 1 (multi-class)
 *   sigmoid, log-sigmoid                 every class for itself (multi-label)
 *   cross-entropy                        the loss that belongs to softmax
 *   binary cross-entropy with logits     the loss that belongs to sigmoid
 *
 * Every kernel exists once per instruction set (ISA) and is chosen at run time. All FMA-capable ISAs give the
 * same bits, whatever the CPU, the compiler, the alignment and the position in the array; so do the others
 * among each other.
 *
 * Common to all functions
 *   layout    Arrays are dense, in C order. Pointers need the alignment of their element type and no more.
 *   aliasing  A map may run in place (y == x). Any other overlap of an output with another argument is
 *             SL_ERR_OVERLAP.
 *   status    SL_OK, or the first of these that applies, and then nothing has been written:
 *             SL_ERR_SIZE     the byte size of an array does not fit in ptrdiff_t
 *             SL_ERR_NULL     a required pointer is NULL (empty arrays are never touched and may be NULL)
 *             SL_ERR_OPTION   an option is out of its range, or does not belong to this function
 *             SL_ERR_OVERLAP  see aliasing
 *             SL_ERR_TARGET   a class id is neither in [0, classes) nor the ignored one
 *   empty     No elements: SL_OK, nothing is written, except that a mean or a sum over nothing is a result.
 *   errors    "k ULP" means |result - exact| <= k * 2^(max(e, -126) - 23), e the exponent of the exact value:
 *             denormal results are held to the denormal spacing. Bounds hold in round-to-nearest with FTZ and
 *             DAZ off. Of two figures the first is for the FMA class of ISAs, the second for the no-FMA class
 *             (SSE2, and scalar on baseline x86-64).
 *   threads   Every function is reentrant. The library owns no threads and no memory, and prints nothing.
 */
#ifndef SOFTLANE_H
#define SOFTLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOFTLANE_VERSION "0.1.0"

#if defined(_WIN32) || !defined(__GNUC__)
#define SOFTLANE_API
#else
#define SOFTLANE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* -------------------------------------------------------------------------------------- shapes, status */

/* outer blocks of `classes` elements that lie `inner` apart:
 *   element (o, c, i) is at (o * classes + c) * inner + i.
 * The rows of a matrix have inner = 1; an NCHW tensor has outer = N, classes = C, inner = H * W. A "row"
 * below is the `classes` elements with the same (o, i); there are outer * inner of them, row o * inner + i
 * being (o, i). */
typedef struct {
    size_t outer, classes, inner;
} sl_shape;

SOFTLANE_API sl_shape sl_rows(size_t rows, size_t classes);                /* {rows, classes, 1} */
SOFTLANE_API sl_shape sl_axis(size_t outer, size_t classes, size_t inner); /* {outer, classes, inner} */

typedef enum {
    SL_OK = 0,
    SL_ERR_NULL,
    SL_ERR_SIZE,
    SL_ERR_TARGET,
    SL_ERR_OPTION,
    SL_ERR_OVERLAP,
} sl_status;

/* An English phrase for a status; never NULL. */
SOFTLANE_API const char *sl_status_string(sl_status status);

/* ------------------------------------------------------------------------------------------------ maps */

/* y_c = exp(x_c) / sum_k exp(x_k) along each row.
 *   special values  a row with a NaN, a +inf or nothing but -inf is NaN (0x7fc00000) throughout;
 *                   -inf beside finite elements gives exactly +0; one column gives exactly 1
 *   error           3.0 / 3.5 ULP in all tests (3.75 / 4.0 by analysis), denormal results included;
 *                   a larger x_c never gives a smaller y_c
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_softmax_f32(const float *x, float *y, sl_shape shape);

/* y_c = x_c - log(sum_k exp(x_k)) along each row.
 *   special values  NaN as softmax; -inf beside finite elements gives -inf
 *   error           2.0 ULP in all tests (3.2 by analysis), also where the result is next to 0
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_log_softmax_f32(const float *x, float *y, sl_shape shape);

/* lse[row] = log(sum_c exp(x_c)), one result per row: outer * inner of them.
 *   special values  NaN as softmax
 *   error           1.0 ULP of the larger of |lse| and |max x|: where the maximum and the logarithm of the
 *                   rest cancel, their difference cannot be known better from f32 exponentials
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_logsumexp_f32(const float *x, float *lse, sl_shape shape);

/* y = 1 / (1 + exp(-x)) for each of n elements.
 *   special values  NaN -> NaN, +inf -> 1, -inf -> +0, underflow is gradual
 *   error           1.0 / 2.5 ULP; a larger x never gives a smaller y
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_sigmoid_f32(const float *x, float *y, size_t n);

/* y = log(1 / (1 + exp(-x))) = -(max(-x, 0) + log1p(exp(-|x|))) for each of n elements.
 *   special values  NaN -> NaN, +inf -> -0, -inf -> -inf, underflow is gradual
 *   error           2.0 ULP
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_log_sigmoid_f32(const float *x, float *y, size_t n);

/* ---------------------------------------------------------------------------------------------- losses */

typedef enum { SL_MEAN = 0, SL_SUM, SL_NONE } sl_reduction;

#define SL_SAFE_ROWS 1u       /* the loss of a row of nothing but -inf is 0 instead of NaN */
#define SL_EMPTY_MEAN_ZERO 2u /* a mean over nothing is 0 instead of NaN */

/* Zero-initialise, or start from sl_loss_defaults(); NULL stands for the defaults. Weights are of the loss
 * type (float for f32). */
typedef struct {
    sl_reduction reduction;
    const void *class_weight; /* [classes], NULL = all 1 */
    const void *pos_weight;   /* [classes], NULL = all 1; bce_with_logits only */
    double label_smoothing;   /* in [0, 1]; cross_entropy only */
    bool has_ignore_index;    /* cross_entropy only: */
    int64_t ignore_index;     /* rows with this target add nothing and are not read; may be in [0, classes) */
    const void *upstream;     /* gradient of the loss, for the backward half; not used by a forward call */
    unsigned flags;           /* SL_SAFE_ROWS | SL_EMPTY_MEAN_ZERO */
} sl_loss_options;

SOFTLANE_API sl_loss_options sl_loss_defaults(void);

/* Categorical cross-entropy of logits with class ids; target has one id per row.
 *   nll_r  = log(sum_k exp(x_k)) - x_t    with t = target[r]
 *   loss_r = (1 - s) * w_t * nll_r + s / classes * sum_c w_c * (log(sum_k exp(x_k)) - x_c)
 *            with s = label_smoothing, w = class_weight; weight 0 takes a class out, even at infinite cost
 *   none   loss[r] = loss_r
 *   sum    loss[0] = sum_r loss_r, in f64 and in a fixed order
 *   mean   loss[0] = sum_r loss_r / sum_r w_t; without any row that counts NaN, or see SL_EMPTY_MEAN_ZERO
 *   grad            must be NULL: the gradient is not in this version
 *   special values  NaN as softmax; a target logit of -inf costs +inf
 *   error           per row 2.0 ULP in all tests (2.7 by analysis), also where the loss is next to 0
 *   status          SIZE, NULL, OPTION, OVERLAP, TARGET */
SOFTLANE_API sl_status sl_cross_entropy_f32(const float *logits, const int64_t *target, sl_shape shape,
                                            const sl_loss_options *options, float *loss, float *grad);

/* Binary cross-entropy of logits with targets in [0, 1] (not clamped outside), element by element.
 *   loss_e = w * (p * t * softplus(-x) + (1 - t) * softplus(x))
 *            with w, p = class_weight, pos_weight of the element's class, softplus(x) = log(1 + exp(x))
 *   none   loss[e] = loss_e
 *   sum    loss[0] = sum_e loss_e, in f64 and in a fixed order
 *   mean   loss[0] = sum_e loss_e / number of elements; over nothing NaN, or see SL_EMPTY_MEAN_ZERO
 *   grad            must be NULL: the gradient is not in this version
 *   special values  NaN -> NaN; (+inf, t = 1) and (-inf, t = 0) cost 0; (+inf, t = 0) and (-inf, t = 1) cost
 * +inf error           per element 2.0 ULP for t in [0, 1] and no weights status          SIZE, NULL, OPTION,
 * OVERLAP */
SOFTLANE_API sl_status sl_bce_with_logits_f32(const float *logits, const float *target, sl_shape shape,
                                              const sl_loss_options *options, float *loss, float *grad);

/* -------------------------------------------------------------------------------------------- variants */

/* The kernels of one ISA, with the parameters of the public functions and none of their argument checks:
 * calling with arguments that the public function would refuse is undefined. options must not be NULL. */
typedef struct sl_kernels {
    const char *isa;   /* "avx512", "avx2", "neon", "sse2", "scalar" */
    const char *needs; /* the CPU features it uses, comma-separated, in the compiler's spelling */
    bool fma;          /* its class of bits: tables with the same value here give the same bits */
    void (*softmax_f32)(const float *x, float *y, sl_shape shape);
    void (*log_softmax_f32)(const float *x, float *y, sl_shape shape);
    void (*logsumexp_f32)(const float *x, float *lse, sl_shape shape);
    void (*sigmoid_f32)(const float *x, float *y, size_t n);
    void (*log_sigmoid_f32)(const float *x, float *y, size_t n);
    void (*cross_entropy_f32)(const float *logits, const int64_t *target, sl_shape shape,
                              const sl_loss_options *options, float *loss, float *grad);
    void (*bce_with_logits_f32)(const float *logits, const float *target, sl_shape shape,
                                const sl_loss_options *options, float *loss, float *grad);
} sl_kernels;

/* The variant is chosen at the first call: the best one that the CPU and the OS can run, or the one that the
 * environment variable SOFTLANE_ISA names if it can run. */

/* A variant by name, to call side by side with others; NULL when it cannot run here. NULL names the one in
 * use. */
SOFTLANE_API const sl_kernels *sl_isa(const char *name);

/* All variants that softlane knows, built or not, best first; the name is NULL when i >= sl_isa_count(). */
SOFTLANE_API size_t sl_isa_count(void);
SOFTLANE_API const char *sl_isa_name_at(size_t i);

SOFTLANE_API bool sl_isa_available(const char *name);

/* NULL when available, else an English phrase: "the CPU lacks avx512f", "not built". */
SOFTLANE_API const char *sl_isa_why_not(const char *name);

/* Makes the public functions use this variant from now on, in all threads; NULL goes back to the automatic
 * choice. false when it cannot run here, and then nothing has changed. */
SOFTLANE_API bool sl_isa_force(const char *name);

#ifdef __cplusplus
}
#endif
#endif
