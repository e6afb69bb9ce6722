/* SPDX-License-Identifier: MIT
 *
 * softlane: SIMD kernels for the last layer of a classifier.
 *
 *   softmax, log-softmax, log-sum-exp    one right class: outputs compete, they sum to 1 (multi-class)
 *   sigmoid, log-sigmoid                 every class for itself (multi-label)
 *   cross-entropy, nll                   the losses that belong to softmax and to log-softmax
 *   binary cross-entropy                 the loss that belongs to sigmoid: of logits, or of probabilities
 *
 * and their gradients. Every kernel exists once per instruction set (ISA) and element type, and is chosen at
 * run time. All FMA-capable ISAs give the same bits, whatever the CPU, the compiler, the alignment and the
 * position in the array; so do the others among each other.
 *
 * Common to all functions
 *   types     The suffix is the type of the elements: f32 float, f64 double, bf16 and f16. The last two are
 *             storage: widened exactly, computed in f32, rounded once, to nearest even, denormals kept.
 *             Losses, weights and upstream gradients are double for f64 and float for all others.
 *   layout    Arrays are dense, in C order, unless strides of the shape say otherwise: `in` for all arrays of elements
 *             that are read (x, y and dy of a gradient, logits, probabilities, binary targets), `out` for the one that
 *             is written (y, dx, grad). What lies between is neither read nor written, and results have the bits of a
 *             dense call. Arrays of one value per row or class, and losses, are dense. Fast are contiguous rows and
 *             class axes; a class stride with inner = 1, each of whose elements stands alone, is not. Pointers need
 *             the alignment of their element type and no more.
 *   aliasing  An output may be one of the inputs of its own shape and type (in place): the y of a map its x,
 *             a dx its y, x or dy, a grad its logits; with the same strides in effect. Any other overlap of an output
 *             with another argument, the options and what they point to included, is SL_ERR_OVERLAP. An array goes
 *             from its first to its last element, gaps included; but where the strides in effect are the same, output and
 *             input may interleave: columns 0 to 511 and 512 to 1023 of one matrix.
 *   status    SL_OK, or the first of these that applies, and then nothing has been written:
 *             SL_ERR_STRIDE   a stride of the shape is negative, or in effect lets elements overlap: less than inner
 *                             from class to class, or than a whole block from outer index to outer index. Where there
 *                             is one class, or one outer index, a stride to the next is not used
 *             SL_ERR_SIZE     the byte size of an array does not fit in ptrdiff_t
 *             SL_ERR_NULL     a required pointer is NULL (empty arrays are never touched and may be NULL)
 *             SL_ERR_OPTION   an option is out of its range, or does not belong to this function; ignore_index is
 *                             set, and has_ignore_index is not
 *             SL_ERR_OVERLAP  see aliasing
 *             SL_ERR_TARGET   a class id is neither in [0, classes) nor the ignored one; a probability that
 *                             bce is to judge is not in [0, 1]
 *   empty     Outputs that have values are written. Rows without classes have a log-sum-exp of -inf and, if their
 *             target is ignored (none is a class) or a set of probabilities, a loss of 0. Of no elements there are
 *             statistics: those of sl_stats_empty(). A mean or a sum over nothing is a result. Else nothing is
 *             written: SL_OK.
 *   errors    "k ULP" means |result - exact| <= k * 2^(max(e, -126) - 23), e the exponent of the exact value,
 *             and likewise for the other types: denormal results are held to the denormal spacing. "k ULP of
 *             q" has the exponent of the quantity q instead. Bounds hold in round-to-nearest with FTZ and DAZ
 *             off. Of two figures the first is for the FMA class of ISAs, the second for the no-FMA class
 *             (SSE2, and scalar on baseline x86-64). bf16 and f16 results: 0.51 ULP of theirs throughout.
 *             "Tested" is what no distribution of the tests exceeds. "On any input" is what the analysis beside
 *             each algorithm gives, with every rounding at its worst and results that cross a power of two; no
 *             directed search exceeds it; rows have up to 2^28 elements there. Where there is one figure it is
 *             both. The worst inputs that are known stand in docs/accuracy.md.
 *   range     What follows comes on top. It shows where results are denormal, or factors huge or tiny:
 *             - A class with 2^-153 (f64: 2^-1144) of its row's largest exponential or less counts as nothing.
 *               So log_softmax of the maximum, logsumexp and losses are off by up to 2^-153 for each such class
 *               (losses: times sum_c q_c), gradients of losses by as much times the upstream gradient (f64: for
 *               the target by 2^-1074 times that, since 1 - p is rounded first): x = {-22, -129}, class 0, u =
 *               2^40 give 0 for class 1, not 3.7e-35.
 *             - In gradients of losses of rows u, u (1 - s) and u s / classes are rounded to L before weights
 *               multiply them, u / divisor to f64: up to (w_c + sum_k q_k) times the smallest number of L
 *               (2^-149, 2^-1074). x = {0, 0}, class 1, s = 0.1, w = {1000, 1}, u = 3 2^-149 give an entry of
 *               another sign.
 *             - f64 losses of rows, and losses and f64 gradients of elements with weights: up to 2 sum_c q_c, and
 *               (|x| + 1) times the weights above 1, of these smallest numbers. In cross_entropy_soft_f64 q_c itself may be
 *               denormal, and m - x_c multiplies it then: as much times sum_c (m - x_c), m the maximum. In bce_f64 the
 *               quotient of the gradient, up to 1e12, multiplies u / divisor and u w.
 *             - softmax_backward_f64: y_c times classes of them, from products that are denormal.
 *   state     Kernels run in the caller's floating-point environment and leave its control register as it is, and
 *             the upper halves of the AVX registers clear, so that SSE code that follows is not slowed down.
 *             A signalling NaN is as any NaN. Under FTZ and DAZ results are finite where they should be, and within
 *             the bound where all inputs are normal and the exact result is at least twice the least normal
 *             number: a smaller one may be flushed on its way, even if it would round to a normal one. Bounds and
 *             bits are those of rounding to nearest: in another direction neither is promised, and a zero may be -0.
 *   exceptions  Where all inputs are finite and so are the results, INEXACT and UNDERFLOW may be raised, INVALID,
 *             DIVBYZERO and OVERFLOW not. -inf for elements of a row, beside finite ones, counts as finite here. A
 *             mean over nothing is no finite result, and raises INVALID or DIVBYZERO even if the gradient alone is
 *             asked for; so does a sum that overflows on the way, as f64 logits near the largest number do in
 *             softmax_stats and f64 gradients in the backward functions.
 *   threads   Every function may be called from any thread, and from a signal handler, which may have interrupted
 *             any of them: none takes a lock, none changes errno. A kernel's call takes at most 32 KiB of stack. The
 *             very first call of all reads the environment, as getenv() does. The library owns no threads and no
 *             memory, and prints nothing.
 */
#ifndef SOFTLANE_H
#define SOFTLANE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SOFTLANE_VERSION "0.3.0"

#if defined(_WIN32) || !defined(__GNUC__)
#define SOFTLANE_API
#else
#define SOFTLANE_API __attribute__((visibility("default")))
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* ------------------------------------------------------------------------------- types, shapes, status */

/* The upper half of a float; IEEE 754 binary16. */
typedef struct {
    uint16_t bits;
} sl_bf16;
typedef struct {
    uint16_t bits;
} sl_f16;

/* One value. To f32: exact, a NaN becomes quiet and keeps its sign and payload. From f32: one rounding to nearest even,
 * NaN to a quiet NaN. */
SOFTLANE_API float sl_f32_of_bf16(sl_bf16 a);
SOFTLANE_API float sl_f32_of_f16(sl_f16 a);
SOFTLANE_API sl_bf16 sl_bf16_of_f32(float a);
SOFTLANE_API sl_f16 sl_f16_of_f32(float a);

/* Elements from one outer index to the next, and from one class to the next; 0 stands for dense: inner for classes, and the
 * number of classes times the stride in effect of these for outer. */
typedef struct {
    ptrdiff_t outer, classes;
} sl_strides;

/* outer blocks of `classes` elements that lie `inner` apart, unless strides are given:
 *   element (o, c, i) is at (o * classes + c) * inner + i.
 * The rows of a matrix have inner = 1 (columns 0 to 50256 of 50304: sl_rows(rows, 50257), and in.outer = 50304); an NCHW
 * tensor has outer = N, classes = C, inner = H * W. A "row" below is the `classes` elements with the same (o, i); there
 * are outer * inner of them, row o * inner + i being (o, i). */
typedef struct {
    size_t outer, classes, inner;
    sl_strides in,
        out; /* of what is read, and of what is written: element (o, c, i) at o * outer + c * classes + i */
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
    SL_ERR_FILE, /* these three: of a tuning file */
    SL_ERR_VERSION,
    SL_ERR_MACHINE,
    SL_ERR_STRIDE,
} sl_status;

/* An English phrase for a status; never NULL. */
SOFTLANE_API const char *sl_status_string(sl_status status);

/* ------------------------------------------------------------------------------------------- row kernels */

/* y_c = exp(x_c) / sum_k exp(x_k) along each row.
 *   special values  a row with a NaN, a +inf or nothing but -inf is NaN (canonical, 0x7fc00000 in f32)
 *                   throughout; -inf beside finite elements gives exactly +0; one column gives exactly 1
 *   error           f32 3.0 / 3.5 ULP tested, 4.7 / 4.9 on any input, f64 4.0 and 4.4 / 4.0; denormal results
 *                   included; a larger x_c never gives a smaller y_c
 *   status          STRIDE, SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_softmax_f32(const float *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_f64(const double *x, double *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_bf16(const sl_bf16 *x, sl_bf16 *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_f16(const sl_f16 *x, sl_f16 *y, sl_shape shape);

/* As softmax, but a row of nothing but -inf (all classes masked) gives zeros. */
SOFTLANE_API sl_status sl_softmax_safe_f32(const float *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_safe_f64(const double *x, double *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_safe_bf16(const sl_bf16 *x, sl_bf16 *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_safe_f16(const sl_f16 *x, sl_f16 *y, sl_shape shape);

/* y_c = x_c - log(sum_k exp(x_k)) along each row.
 *   special values  NaN as softmax; -inf beside finite elements gives -inf, and one finite column +0
 *   error           f32 2.0 ULP tested, 3.2 / 3.7 on any input, f64 3.0, also where the result is next to 0
 *   status          STRIDE, SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_log_softmax_f32(const float *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_f64(const double *x, double *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_bf16(const sl_bf16 *x, sl_bf16 *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_f16(const sl_f16 *x, sl_f16 *y, sl_shape shape);

/* As log_softmax, but a row of nothing but -inf gives -inf. */
SOFTLANE_API sl_status sl_log_softmax_safe_f32(const float *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_safe_f64(const double *x, double *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_safe_bf16(const sl_bf16 *x, sl_bf16 *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_safe_f16(const sl_f16 *x, sl_f16 *y, sl_shape shape);

/* dx_c = y_c (dy_c - sum_k y_k dy_k) along each row: the gradient of softmax, whose result was y.
 *   special values  a NaN in a row of y or dy, and 0 times infinity, make the whole row NaN
 *   error           4.0 ULP of the larger of |dx_c| and |y_c| sum_k |y_k dy_k|, where it can cancel
 *   status          STRIDE, SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_softmax_backward_f32(const float *y, const float *dy, float *dx, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_backward_f64(const double *y, const double *dy, double *dx, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_backward_bf16(const sl_bf16 *y, const sl_bf16 *dy, sl_bf16 *dx,
                                                sl_shape shape);
SOFTLANE_API sl_status sl_softmax_backward_f16(const sl_f16 *y, const sl_f16 *dy, sl_f16 *dx, sl_shape shape);

/* dx_c = dy_c - exp(y_c) sum_k dy_k along each row: the gradient of log-softmax, whose result was y.
 *   special values  a NaN in a row of dy makes the whole row NaN, in y only its element
 *   error           for y_c <= 0, 4.0 ULP of the larger of |dx_c| and exp(y_c) sum_k |dy_k|, where it can cancel;
 *                   f64 4.0 tested, 6.4 on any input
 *   status          STRIDE, SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_log_softmax_backward_f32(const float *y, const float *dy, float *dx,
                                                   sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_backward_f64(const double *y, const double *dy, double *dx,
                                                   sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_backward_bf16(const sl_bf16 *y, const sl_bf16 *dy, sl_bf16 *dx,
                                                    sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_backward_f16(const sl_f16 *y, const sl_f16 *dy, sl_f16 *dx,
                                                   sl_shape shape);

/* lse[row] = log(sum_c exp(x_c)), one result per row: outer * inner of them.
 *   special values  NaN as softmax; no classes give -inf
 *   error           of the larger of |lse| and |max x|: f32 1.0 ULP tested, 5.4 / 6.2 on any input, f64 2.0 and
 *                   4.6 / 4.7. The logarithm of the rest, up to twice that large, cancels against the maximum
 *   status          STRIDE, SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_logsumexp_f32(const float *x, float *lse, sl_shape shape);
SOFTLANE_API sl_status sl_logsumexp_f64(const double *x, double *lse, sl_shape shape);
SOFTLANE_API sl_status sl_logsumexp_bf16(const sl_bf16 *x, float *lse, sl_shape shape);
SOFTLANE_API sl_status sl_logsumexp_f16(const sl_f16 *x, float *lse, sl_shape shape);

/* --------------------------------------------------------------------------------------- element kernels */

/* y = 1 / (1 + exp(-x)) for each of n elements.
 *   special values  NaN -> NaN, +inf -> 1, -inf -> +0, underflow is gradual
 *   error           f32 1.0 / 2.5 ULP, f64 0.75 / 2.5 ULP; in f32, bf16 and f16 a larger x never gives a
 *                   smaller y
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_sigmoid_f32(const float *x, float *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_f64(const double *x, double *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_bf16(const sl_bf16 *x, sl_bf16 *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_f16(const sl_f16 *x, sl_f16 *y, size_t n);

/* The same where a few ULP do not matter: for inference, say.
 *   special values  as sigmoid, but a result below the smallest normal number (of f32, for bf16 and f16) is +0
 *   error           f32 4.0 / 5.0 ULP, f64 4.0 ULP; in f32, bf16 and f16 a larger x never gives a smaller y
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_sigmoid_fast_f32(const float *x, float *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_fast_f64(const double *x, double *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_fast_bf16(const sl_bf16 *x, sl_bf16 *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_fast_f16(const sl_f16 *x, sl_f16 *y, size_t n);

/* y = log(1 / (1 + exp(-x))) = -(max(-x, 0) + log1p(exp(-|x|))) for each of n elements.
 *   special values  NaN -> NaN, +inf -> -0, -inf -> -inf, underflow is gradual
 *   error           2.0 ULP; in f32, bf16 and f16 a larger x never gives a smaller y
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_log_sigmoid_f32(const float *x, float *y, size_t n);
SOFTLANE_API sl_status sl_log_sigmoid_f64(const double *x, double *y, size_t n);
SOFTLANE_API sl_status sl_log_sigmoid_bf16(const sl_bf16 *x, sl_bf16 *y, size_t n);
SOFTLANE_API sl_status sl_log_sigmoid_f16(const sl_f16 *x, sl_f16 *y, size_t n);

/* dx = dy y (1 - y): the gradient of sigmoid, whose result was y.
 *   error           2.0 ULP tested, 2.6 on any input
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_sigmoid_backward_f32(const float *y, const float *dy, float *dx, size_t n);
SOFTLANE_API sl_status sl_sigmoid_backward_f64(const double *y, const double *dy, double *dx, size_t n);
SOFTLANE_API sl_status sl_sigmoid_backward_bf16(const sl_bf16 *y, const sl_bf16 *dy, sl_bf16 *dx, size_t n);
SOFTLANE_API sl_status sl_sigmoid_backward_f16(const sl_f16 *y, const sl_f16 *dy, sl_f16 *dx, size_t n);

/* dx = dy / (1 + exp(x)): the gradient of log-sigmoid, from its x.
 *   special values  NaN -> NaN; x = -inf gives dy, x = +inf gives 0 of the sign of dy, be dy infinite
 *   error           2.0 / 4.0 ULP tested; on any input f32 2.6 / 4.0, f64 2.3 / 4.0
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_log_sigmoid_backward_f32(const float *x, const float *dy, float *dx, size_t n);
SOFTLANE_API sl_status sl_log_sigmoid_backward_f64(const double *x, const double *dy, double *dx, size_t n);
SOFTLANE_API sl_status sl_log_sigmoid_backward_bf16(const sl_bf16 *x, const sl_bf16 *dy, sl_bf16 *dx,
                                                    size_t n);
SOFTLANE_API sl_status sl_log_sigmoid_backward_f16(const sl_f16 *x, const sl_f16 *dy, sl_f16 *dx, size_t n);

/* ---------------------------------------------------------------------------------------------- losses */

typedef enum { SL_MEAN = 0, SL_SUM, SL_NONE } sl_reduction;

#define SL_SAFE_ROWS 1u       /* a row of nothing but -inf: loss 0 and gradient 0 instead of NaN */
#define SL_EMPTY_MEAN_ZERO 2u /* a mean over nothing, or over weights that sum to 0, is 0 instead of NaN */

/* Zero-initialise, or start from sl_loss_defaults(); NULL stands for the defaults. Weights and upstream are
 * of the loss type L (double for f64, float for the others). */
typedef struct {
    sl_reduction reduction;
    const void *class_weight; /* [classes], NULL = all 1 */
    const void *pos_weight;   /* [classes], NULL = all 1; bce_with_logits only */
    double label_smoothing;   /* in [0, 1]; cross_entropy and cross_entropy_soft only */
    bool has_ignore_index;    /* cross_entropy and nll only: */
    int64_t ignore_index;     /* rows with this target add nothing; may be in [0, classes) */
    const void *upstream;     /* gradient of the loss: one, with SL_NONE one per loss; NULL = 1 */
    unsigned flags;           /* SL_SAFE_ROWS (cross_entropy, cross_entropy_soft) | SL_EMPTY_MEAN_ZERO */
    void *lse;                /* [rows], is written: log-sum-exps; NULL = not wanted. Both cross_entropies */
    double z_loss;            /* >= 0: what their squares cost. The same, and their gradients' functions */
    double softcap;           /* caps logits, in [2^-30, 2^30]; 0 = does not. As z_loss, but not of shards */
    double divisor;           /* > 0: what SL_MEAN, and no other, divides by; 0 = what the loss says */
} sl_loss_options;

SOFTLANE_API sl_loss_options sl_loss_defaults(void);

/* Common to the losses
 *   loss      SL_NONE: loss[i] = loss_i, one per row or, for the binary ones, per element.
 *             SL_SUM:  loss[0] = sum_i loss_i, in f64 (f64: compensated) and in a fixed order.
 *             SL_MEAN: loss[0] = sum_i loss_i / divisor. May be NULL when grad is not.
 *   grad      The gradient of sum_i u_i loss_i with respect to the logits (or log-probabilities, or
 *             probabilities), shaped as they are; NULL = forward only. u_i = upstream[i] for SL_NONE,
 *             upstream[0] for SL_SUM, upstream[0] / divisor for SL_MEAN. The loss has the same bits with and
 *             without. It may be the logits themselves.
 *   weight 0  takes a class (cross_entropy, nll), or a factor 0 a term, out even at infinite cost.
 *   ignored   rows: loss 0, gradient 0, and nothing of them counts. Contiguous ones are not read. (The others' elements
 *             lie between those of their neighbours.)
 *   mean      whose divisor is 0: NaN (SL_EMPTY_MEAN_ZERO: 0), whatever the sum, and so are gradients in the rows that
 *             are not ignored.
 *   divisor   Where threads, or ranks, have some of the rows each, the divisor of all rows gives each gradient the very bits
 *             that one call for all rows gives it. The losses of such calls add up to the mean, but for roundings.
 *   sums and means  0.51 ULP of the sum or mean of the single losses (f64 means: 2.0) where these are of one sign. Of
 *             both signs, which takes weights or targets outside of [0, 1], 2^-30 (f64: 2^-60) of the sum or mean of
 *             their magnitudes more. An f64 mean is finite where the losses are, even if their sum is not.
 *   status    STRIDE, SIZE, NULL, OPTION, OVERLAP, TARGET */

/* Categorical cross-entropy of logits with class ids; target has one id per row.
 *   nll_r  = log(sum_k exp(x_k)) - x_t    with t = target[r]
 *   loss_r = (1 - s) * w_t * nll_r + s / classes * sum_c w_c * (log(sum_k exp(x_k)) - x_c)
 *            with s = label_smoothing, w = class_weight
 *   grad_c = u_r * (softmax(x)_c * sum_k q_k - q_c),   q_c = w_c * ((1 - s) * [c == t] + s / classes), where
 *            for smoothing q sums to (1 - s) * w_t + s / classes * sum_c w_c
 *   divisor  sum_r w_t
 *   lse      lse_r = log(sum_k exp(x_k)), the bits of logsumexp; of ignored rows 0, of those that SL_SAFE_ROWS is for -inf.
 *            What cross_entropy_grad wants to know of the rows later
 *   z_loss   loss_r has z_loss * lse_r^2 more, whatever the weights, and grad_c u_r * 2 * z_loss * lse_r * softmax(x)_c
 *   softcap  x_c above is cap * tanh(x / cap) of the logit x; grad_c, with respect to the logit, has the factor
 *            1 - tanh^2. Infinite logits become cap or -cap: they are ordinary then
 *   special values  NaN as softmax; a target logit of -inf costs +inf
 *   error    loss: f32 2.0 ULP tested, 3.2 / 3.7 on any input, f64 3.0 and 3.3 / 3.4 (on any input 3 more with
 *            smoothing, 1 with weights), also where the loss is next to 0.
 *            gradient: f32 3.5 / 4.0 ULP tested, 4.2 / 4.9 on any input, f64 5.0 (on any input more: f32 2 with
 *            smoothing, 1 with weights, 1 as a mean; f64 4, 2 and 2); with smoothing of the larger of the two terms,
 *            p_c sum_k q_k and q_c with p = softmax(x). For the target, and for a class that has more than half of p
 *            and more than half of q, they are p_c sum_{k != c} q_k and q_c sum_{k != c} p_k: their difference is the
 *            same, they are smaller.
 *            lse: as logsumexp. With z_loss, with M the larger of |lse_r| and max |x_c|: losses of what they are and 2
 *            z_loss |lse_r| M together, gradients of the larger of those terms and 2 z_loss M p_c; f64 on any input 2
 *            more. With softcap capped logits are off by up to 5 ULP, and what follows from them by as much as that
 *            makes of it: p_c by 10 max |x_c| ULP. No class but the target then has the smaller terms */
SOFTLANE_API sl_status sl_cross_entropy_f32(const float *logits, const int64_t *target, sl_shape shape,
                                            const sl_loss_options *options, float *loss, float *grad);
SOFTLANE_API sl_status sl_cross_entropy_f64(const double *logits, const int64_t *target, sl_shape shape,
                                            const sl_loss_options *options, double *loss, double *grad);
SOFTLANE_API sl_status sl_cross_entropy_bf16(const sl_bf16 *logits, const int64_t *target, sl_shape shape,
                                             const sl_loss_options *options, float *loss, sl_bf16 *grad);
SOFTLANE_API sl_status sl_cross_entropy_f16(const sl_f16 *logits, const int64_t *target, sl_shape shape,
                                            const sl_loss_options *options, float *loss, sl_f16 *grad);

/* The gradient of cross_entropy from the log-sum-exp of each row that the forward call has saved (options.lse): no row is
 * read twice.
 *   grad_c = u_r * (p_c * (sum_k q_k + 2 * z_loss * lse_r) - q_c),   p_c = exp(x_c - lse_r)
 *            with q, u and divisor as cross_entropy, x the capped logits where there is a softcap
 *   lse      one per row; of ignored rows anything. Not finite: the row's gradient is NaN (-inf with SL_SAFE_ROWS: 0). It is
 *            a log-sum-exp of the row: where it is less than a logit by more than 16, the row's gradient is anything
 *   options  those of cross_entropy but lse, which is OPTION here
 *   error    with regard to the formula with that lse, as cross_entropy; the target's entry has all digits that it has
 *            there, q_c * (1 - p_c) from expm1(x_c - lse_r). A saved lse is rounded: by up to half an ULP d of it, p_c by a
 *            factor of exp(d), and so is what is left of 1 - p_c. On any input f32 2.8 / 3.2 ULP, f64 5.0; more as there,
 *            and with weights and smoothing together the terms are p_c sum_k q_k and q_c for every class but the target
 *   status   STRIDE, SIZE, NULL, OPTION, OVERLAP, TARGET */
SOFTLANE_API sl_status sl_cross_entropy_grad_f32(const float *logits, const int64_t *target, sl_shape shape,
                                                 const sl_loss_options *options, const float *lse,
                                                 float *grad);
SOFTLANE_API sl_status sl_cross_entropy_grad_f64(const double *logits, const int64_t *target, sl_shape shape,
                                                 const sl_loss_options *options, const double *lse,
                                                 double *grad);
SOFTLANE_API sl_status sl_cross_entropy_grad_bf16(const sl_bf16 *logits, const int64_t *target,
                                                  sl_shape shape, const sl_loss_options *options,
                                                  const float *lse, sl_bf16 *grad);
SOFTLANE_API sl_status sl_cross_entropy_grad_f16(const sl_f16 *logits, const int64_t *target, sl_shape shape,
                                                 const sl_loss_options *options, const float *lse,
                                                 sl_f16 *grad);

/* Categorical cross-entropy of logits with a probability for every class (not checked, not normalised).
 *   loss_r = sum_c q_c * (log(sum_k exp(x_k)) - x_c),   q_c = w_c * ((1 - s) * t_c + s / classes)
 *   grad_c = u_r * (softmax(x)_c * sum_k q_k - q_c)
 *   divisor  the number of rows
 *   special values  NaN as softmax; q_c = 0 takes its class out even at infinite cost
 *   error    for t_c >= 0, as cross_entropy, but on any input f64 losses 4.8 / 5.9, gradients f32 5.7 / 6.4, f64
 *            5.4 / 5.5, of the larger of their two terms, which are others for a class that has more than half of p and
 *            of q, as there */
SOFTLANE_API sl_status sl_cross_entropy_soft_f32(const float *logits, const float *target_prob,
                                                 sl_shape shape, const sl_loss_options *options, float *loss,
                                                 float *grad);
SOFTLANE_API sl_status sl_cross_entropy_soft_f64(const double *logits, const double *target_prob,
                                                 sl_shape shape, const sl_loss_options *options, double *loss,
                                                 double *grad);
SOFTLANE_API sl_status sl_cross_entropy_soft_bf16(const sl_bf16 *logits, const sl_bf16 *target_prob,
                                                  sl_shape shape, const sl_loss_options *options, float *loss,
                                                  sl_bf16 *grad);
SOFTLANE_API sl_status sl_cross_entropy_soft_f16(const sl_f16 *logits, const sl_f16 *target_prob,
                                                 sl_shape shape, const sl_loss_options *options, float *loss,
                                                 sl_f16 *grad);

/* Negative log-likelihood of log-probabilities, with class ids.
 *   loss_r = -w_t * log_prob_t      grad_c = -u_r * w_t * [c == t]      divisor  sum_r w_t
 *   error    loss 1.0 ULP, gradient 2.0 ULP (f64 means 3.0) */
SOFTLANE_API sl_status sl_nll_f32(const float *log_prob, const int64_t *target, sl_shape shape,
                                  const sl_loss_options *options, float *loss, float *grad);
SOFTLANE_API sl_status sl_nll_f64(const double *log_prob, const int64_t *target, sl_shape shape,
                                  const sl_loss_options *options, double *loss, double *grad);
SOFTLANE_API sl_status sl_nll_bf16(const sl_bf16 *log_prob, const int64_t *target, sl_shape shape,
                                   const sl_loss_options *options, float *loss, sl_bf16 *grad);
SOFTLANE_API sl_status sl_nll_f16(const sl_f16 *log_prob, const int64_t *target, sl_shape shape,
                                  const sl_loss_options *options, float *loss, sl_f16 *grad);

/* Binary cross-entropy of logits with targets in [0, 1] (not clamped outside), element by element.
 *   loss_e = w * (p * t * softplus(-x) + (1 - t) * softplus(x))
 *            with w, p = class_weight, pos_weight of the element's class, softplus(x) = log(1 + exp(x))
 *   grad_e = u_e * w * ((1 - t) * sigmoid(x) - p * t * sigmoid(-x))
 *   divisor  the number of elements
 *   special values  NaN -> NaN; (+inf, t = 1) and (-inf, t = 0) cost 0; (+inf, t = 0) and (-inf, t = 1) +inf
 *   error    for t in [0, 1] and without weights, loss: 2.0 ULP tested, 2.6 on any input; gradient: 2.0 / 4.0 ULP
 *            tested, on any input f32 2.6 / 4.0, f64 3.7 / 4.8, for t = 0 and t = 1, else of the larger of |grad_e|
 *            and |u_e| (f64) or 2^-10 |u_e| (the others). More: 1 with w, 1 with p (losses on any input 3); for
 *            gradients 1 with an upstream gradient or as a mean */
SOFTLANE_API sl_status sl_bce_with_logits_f32(const float *logits, const float *target, sl_shape shape,
                                              const sl_loss_options *options, float *loss, float *grad);
SOFTLANE_API sl_status sl_bce_with_logits_f64(const double *logits, const double *target, sl_shape shape,
                                              const sl_loss_options *options, double *loss, double *grad);
SOFTLANE_API sl_status sl_bce_with_logits_bf16(const sl_bf16 *logits, const sl_bf16 *target, sl_shape shape,
                                               const sl_loss_options *options, float *loss, sl_bf16 *grad);
SOFTLANE_API sl_status sl_bce_with_logits_f16(const sl_f16 *logits, const sl_f16 *target, sl_shape shape,
                                              const sl_loss_options *options, float *loss, sl_f16 *grad);

/* Binary cross-entropy of probabilities in [0, 1] (else TARGET), element by element. Prefer bce_with_logits.
 *   loss_e = -w * (t * max(log(p), -100) + (1 - t) * max(log(1 - p), -100)),   w = class_weight
 *   grad_e = u_e * w * (p - t) / max(p * (1 - p), 1e-12)
 *   divisor  the number of elements
 *   error    for t in [0, 1] and without weights, loss: f32 2.0 ULP, f64 3.0 tested, 4.6 on any input; gradient: f32
 *            4.0 ULP, f64 4.0 tested, 4.6 on any input. More as bce_with_logits */
SOFTLANE_API sl_status sl_bce_f32(const float *prob, const float *target, sl_shape shape,
                                  const sl_loss_options *options, float *loss, float *grad);
SOFTLANE_API sl_status sl_bce_f64(const double *prob, const double *target, sl_shape shape,
                                  const sl_loss_options *options, double *loss, double *grad);
SOFTLANE_API sl_status sl_bce_bf16(const sl_bf16 *prob, const sl_bf16 *target, sl_shape shape,
                                   const sl_loss_options *options, float *loss, sl_bf16 *grad);
SOFTLANE_API sl_status sl_bce_f16(const sl_f16 *prob, const sl_f16 *target, sl_shape shape,
                                  const sl_loss_options *options, float *loss, sl_f16 *grad);

/* ----------------------------------------------------------------------------------- partial statistics */

/* What softmax, log-sum-exp and cross-entropy need to know of a row, of which each thread, shard or moment
 * sees a part: statistics of each part, merged, give those of the whole.
 *
 * Merging is exact: associative and commutative to the last bit, with sl_stats_empty() as identity. So the
 * result depends on where a row is cut, never on who computes the parts, nor on the order of merging. Cut at
 * fixed places (multiples of 65536, say), and any number of threads gives the same bits.
 *
 *   sl_softmax_stats_f32(x + first, n, &part);      one per part, anywhere
 *   sl_stats_merge(&whole, &part);                  into an sl_stats_empty()
 *   sl_softmax_apply_f32(x + first, y + first, n, &whole);   y_c = exp(x_c) / sum over the whole row
 *
 * For cross-entropy set `target` to the target's logit in the part that holds it. */
typedef struct {
    double max;     /* -inf: nothing yet, or nothing but -inf; NaN when there was one, or a +inf */
    double rest;    /* sum_c exp(x_c - max) without one maximum; NaN where max is */
    double target;  /* 0 until set */
    double logits;  /* sum_c x_c; of f64 elements it may be infinite */
    uint64_t count; /* elements */
    struct { /* private: rest and logits without rounding, digits of 32 bits, the highest at 2^(32 top) */
        int64_t top, digit[5];
    } exact_rest, exact_logits;
} sl_stats;

SOFTLANE_API sl_stats sl_stats_empty(void);

/* The statistics of n elements; of none, sl_stats_empty().
 *   error   of the log-sum-exp that they give, of the larger of that and the maximum, in ULP of L: f32 2.0 tested,
 *           4.4 / 5.2 on any input, f64 3.0 and 7.6 / 7.7
 *   status  SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_softmax_stats_f32(const float *x, size_t n, sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_f64(const double *x, size_t n, sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_bf16(const sl_bf16 *x, size_t n, sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_f16(const sl_f16 *x, size_t n, sl_stats *stats);

/* into = both together. At most 2^30 parts in all. */
SOFTLANE_API void sl_stats_merge(sl_stats *into, const sl_stats *from);

/* log(sum_c exp(x_c)) = max + log1p(rest). NaN as softmax; -inf of no elements. */
SOFTLANE_API double sl_stats_logsumexp(const sl_stats *stats);

/* (1 - s) * (logsumexp - target) + s * (logsumexp - logits / count), s = label_smoothing in [0, 1]. Error f32 2.0 ULP,
 * f64 5.0 ULP, both tested; more where s > 0 and the two parts of its second term cancel. Not defined where logits
 * is infinite. */
SOFTLANE_API double sl_stats_cross_entropy(const sl_stats *stats, double label_smoothing);

/* y_c = exp(x_c - max) / (1 + rest) for n elements of a row with these statistics. Special values as softmax, not
 * always its very bits.
 *   error   f32 3.0 / 3.5 ULP tested, 5.9 / 6.4 on any input, f64 5.0 and 6.8 / 6.4
 *   status  SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_softmax_apply_f32(const float *x, float *y, size_t n, const sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_apply_f64(const double *x, double *y, size_t n, const sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_apply_bf16(const sl_bf16 *x, sl_bf16 *y, size_t n, const sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_apply_f16(const sl_f16 *x, sl_f16 *y, size_t n, const sl_stats *stats);

/* Which classes of its rows a shard holds: those of its shape, from `first` on, of `classes` in all. */
typedef struct {
    size_t first, classes;
} sl_shard;

/* The gradient of cross_entropy for a shard of the vocabulary, or part of a row, from the statistics of the whole rows
 * (sl_softmax_stats of each shard, merged). Fixed cuts give the same bits, whoever computes which shard.
 *   grad_c = u_r * (p_c * (sum_k q_k + 2 * z_loss * lse_r) - q_c),   p_c = exp(x_c - max_r) / (1 + rest_r)
 *            for the classes of the shard, column i being class shard.first + i; lse_r = max_r + log1p(rest_r)
 *   target   class ids of the whole vocabulary, one per row: of every row, also where another shard has the target's logit
 *   stats    one per row; of ignored rows anything. target, logits and count of them are not used
 *   options  those of cross_entropy but lse and softcap, which are OPTION here. class_weight has shard.classes weights, of all
 *            classes, and s / classes is that of all. OPTION also where shard.first + shape.classes > shard.classes, or inner
 *            is not 1. The divisor of a mean is of the rows of this call
 *   error    as cross_entropy, f32 3.5 / 4.0 ULP tested, 4.6 / 5.2 on any input, f64 6.5 and 7.0; with weights and smoothing
 *            together the terms are p_c sum_k q_k and q_c for every class but the target
 *   status   STRIDE, SIZE, NULL, OPTION, OVERLAP, TARGET */
SOFTLANE_API sl_status sl_cross_entropy_shard_grad_f32(const float *logits, const int64_t *target,
                                                       sl_shape shape, sl_shard shard,
                                                       const sl_loss_options *options, const sl_stats *stats,
                                                       float *grad);
SOFTLANE_API sl_status sl_cross_entropy_shard_grad_f64(const double *logits, const int64_t *target,
                                                       sl_shape shape, sl_shard shard,
                                                       const sl_loss_options *options, const sl_stats *stats,
                                                       double *grad);
SOFTLANE_API sl_status sl_cross_entropy_shard_grad_bf16(const sl_bf16 *logits, const int64_t *target,
                                                        sl_shape shape, sl_shard shard,
                                                        const sl_loss_options *options, const sl_stats *stats,
                                                        sl_bf16 *grad);
SOFTLANE_API sl_status sl_cross_entropy_shard_grad_f16(const sl_f16 *logits, const int64_t *target,
                                                       sl_shape shape, sl_shard shard,
                                                       const sl_loss_options *options, const sl_stats *stats,
                                                       sl_f16 *grad);

/* -------------------------------------------------------------------------------------------- variants */

/* The kernels of one ISA, named as the public functions without their sl_: softmax_f32, cross_entropy_bf16.
 * They have the same parameters, return nothing and do not check arguments: calling with arguments that the
 * public function would refuse is undefined. options must not be NULL. */
#define SL_SLOTS(dt, T, L)                                                                                   \
    void (*softmax_##dt)(const T *x, T *y, sl_shape shape);                                                  \
    void (*softmax_safe_##dt)(const T *x, T *y, sl_shape shape);                                             \
    void (*log_softmax_##dt)(const T *x, T *y, sl_shape shape);                                              \
    void (*log_softmax_safe_##dt)(const T *x, T *y, sl_shape shape);                                         \
    void (*softmax_backward_##dt)(const T *y, const T *dy, T *dx, sl_shape shape);                           \
    void (*log_softmax_backward_##dt)(const T *y, const T *dy, T *dx, sl_shape shape);                       \
    void (*logsumexp_##dt)(const T *x, L *lse, sl_shape shape);                                              \
    void (*sigmoid_##dt)(const T *x, T *y, size_t n);                                                        \
    void (*sigmoid_fast_##dt)(const T *x, T *y, size_t n);                                                   \
    void (*log_sigmoid_##dt)(const T *x, T *y, size_t n);                                                    \
    void (*sigmoid_backward_##dt)(const T *y, const T *dy, T *dx, size_t n);                                 \
    void (*log_sigmoid_backward_##dt)(const T *x, const T *dy, T *dx, size_t n);                             \
    void (*cross_entropy_##dt)(const T *logits, const int64_t *target, sl_shape shape,                       \
                               const sl_loss_options *options, L *loss, T *grad);                            \
    void (*cross_entropy_soft_##dt)(const T *logits, const T *target_prob, sl_shape shape,                   \
                                    const sl_loss_options *options, L *loss, T *grad);                       \
    void (*nll_##dt)(const T *log_prob, const int64_t *target, sl_shape shape,                               \
                     const sl_loss_options *options, L *loss, T *grad);                                      \
    void (*bce_with_logits_##dt)(const T *logits, const T *target, sl_shape shape,                           \
                                 const sl_loss_options *options, L *loss, T *grad);                          \
    void (*bce_##dt)(const T *prob, const T *target, sl_shape shape, const sl_loss_options *options,         \
                     L *loss, T *grad);                                                                      \
    void (*softmax_stats_##dt)(const T *x, size_t n, sl_stats *stats);                                       \
    void (*softmax_apply_##dt)(const T *x, T *y, size_t n, const sl_stats *stats);                           \
    void (*cross_entropy_grad_##dt)(const T *logits, const int64_t *target, sl_shape shape,                  \
                                    const sl_loss_options *options, const L *lse, T *grad);                  \
    void (*cross_entropy_shard_grad_##dt)(const T *logits, const int64_t *target, sl_shape shape,            \
                                          sl_shard shard, const sl_loss_options *options,                    \
                                          const sl_stats *stats, T *grad);

typedef struct sl_kernels {
    const char *isa;   /* "avx512", "avx2", "neon", "sse2", "scalar" */
    const char *needs; /* the CPU features it uses, comma-separated, in the compiler's spelling */
    bool fma;          /* its class of bits: tables with the same value here give the same bits */
    SL_SLOTS(f32, float, float)
    SL_SLOTS(f64, double, double)
    SL_SLOTS(bf16, sl_bf16, float)
    SL_SLOTS(f16, sl_f16, float)
} sl_kernels;
#undef SL_SLOTS

/* The variant is chosen once, at the first call that computes or that names a variant: the best one that the CPU
 * and the OS can run, or the one that the environment variable SOFTLANE_ISA names if it can run. What is in the
 * environment later changes nothing. Names of variants may be in letters of either case, there and below. */

/* A variant by name, to call side by side with others; NULL when it cannot run here. NULL names the one in
 * use. */
SOFTLANE_API const sl_kernels *sl_isa(const char *name);

/* All variants that softlane knows, built or not, best first; the name is NULL when i >= sl_isa_count(). */
SOFTLANE_API size_t sl_isa_count(void);
SOFTLANE_API const char *sl_isa_name_at(size_t i);

SOFTLANE_API bool sl_isa_available(const char *name);

/* NULL when available, else an English phrase: "the CPU lacks avx512f", "not built". */
SOFTLANE_API const char *sl_isa_why_not(const char *name);

/* Makes the public functions use this variant from now on, in all threads; NULL goes back to the choice that was
 * made at the first call. false when it cannot run here, and then nothing has changed. */
SOFTLANE_API bool sl_isa_force(const char *name);

/* ----------------------------------------------------------------------------------------------- speed */

/* How large the last-level cache is taken to be, in bytes. What a kernel writes beyond half of that goes past the caches (where
 * the variant can). Where it is more than 128 MiB, element kernels prefetch what they read beyond 512 KiB.
 * It is what sl_set_cache_bytes has said, else the size of the one cache that a core reaches, where a package has several: of the
 * core that asks first, at the first call that computes, names a variant, or is this one. On x86 cpuid tells it, elsewhere Linux
 * in /sys; 32 MiB where they do not. */
SOFTLANE_API size_t sl_cache_bytes(void);

/* Says how large it is; 0: as the system says, which is the default. Changes speed only, in all threads.
 *   threads  Whose threads each work on some rows of one matrix gives the share of one thread, n being how many of them run on
 *            the cores of one cache: sl_set_cache_bytes(0); sl_set_cache_bytes(sl_cache_bytes() / n);
 *   limits   The same where a process may fill a part of the cache only (Intel's CAT, AMD's QoS), or other virtual machines
 *            fill it, too: the system does not say so. */
SOFTLANE_API void sl_set_cache_bytes(size_t bytes);

/* Applies what softlane-tune has measured on this machine: from now on, in all threads, the public functions
 * run the variant that was the fastest for so many elements. Every one of them is of the class of bits of the choice
 * that was made at the first call, so no result changes. NULL goes back to that choice for all sizes.
 *   precedence  sl_isa_force goes before a tuning, which is back after sl_isa_force(NULL); where SOFTLANE_ISA has
 *               made the choice a tuning is checked, but not applied. sl_isa(NULL) stays that choice.
 *   threads     Each function changes over at once. Of loads that run together, in threads or in a signal
 *               handler, the one that began to apply its file last stays.
 *   status      SL_OK, or the first of these, and then nothing has changed:
 *               SL_ERR_FILE     is no regular file, cannot be read, is larger than 64 KiB, or is not what
 *                               softlane-tune writes from its first byte to its last
 *               SL_ERR_VERSION  is of another version of softlane
 *               SL_ERR_MACHINE  is of another machine: CPU, usable variants or caches
 *               SL_ERR_FILE     asks for another class of bits than that choice has */
SOFTLANE_API sl_status sl_tune_load(const char *path);

#ifdef __cplusplus
}
#endif
#endif
