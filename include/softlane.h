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
 *             "Tested" is what no distribution of the tests exceeds. "On any input" has every rounding at its
 *             worst and results that cross a power of two; rows have up to 2^28 elements there. It is proven by machine
 *             where docs/accuracy.md says so (f32, most of f64), else it is what the analysis beside each algorithm
 *             gives; no directed search exceeds it. Where there is one figure it is both. The worst inputs that are
 *             known stand there, too.
 *   range     What follows comes on top. It shows where results are denormal, or factors huge or tiny:
 *             - A class with 2^-153 (f64: 2^-1144) of its row's largest exponential or less counts as nothing: log_softmax of
 *               the maximum, logsumexp, what softmax_stats gives, and f64 losses times sum_c q_c are off by up to that for
 *               each such class. In f32, bf16 and f16 losses have no such error.
 *             - Gradients of losses of f32, bf16 and f16 hold their bound with any upstream gradient, weights and smoothing,
 *               but for these: for each class 2^-242 u sum_k q_k, which shows where u sum_k q_k is 2^92 or more; the target's
 *               entry in a shard 2^-153 instead; with probabilities as targets and weights w_c times 2^-149, since
 *               u (1 - s) t_c is rounded first; with softcap 2^-153 u sum_k q_k for each class and w_c + sum_k q_k times
 *               2^-149.
 *             - Gradients of losses of f64: 2^-1144 u sum_k q_k for each class, for the target 2^-1074, since 1 - p is rounded
 *               first; and (w_c + sum_k q_k) times 2^-1074, since u, u (1 - s), u s / classes and u / divisor are rounded before
 *               weights multiply them. x = {-177, -970.5}, u = 2^996 give 0, not 3.1e-45.
 *             - f64 losses of rows, and losses and f64 gradients of elements with weights: up to 2 sum_c q_c, and
 *               (|x| + 1) times the weights above 1, of the smallest number of L. In cross_entropy_soft_f64 q_c itself may be
 *               denormal, and m - x_c multiplies it then: as much times sum_c (m - x_c), m the maximum. In bce_f64 the
 *               quotient of the gradient, up to 1e12, multiplies u / divisor and u w. A loss of elements is finite where its
 *               weights, multiplied together, are.
 *             - softmax_backward_f64: y_c times classes of them, from products that are denormal. softmax_backward of f32 and
 *               f64 where |y_c| is above 1: 4 |y_c| of them, from halves of what is denormal.
 *             - log_softmax_backward of f32 for y_c below -207: 2^-298 times sum_k |dy_k|.
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
 *             softmax_stats and f64 gradients in the backward functions. Where u times a weight overflows and the
 *             gradient does not, OVERFLOW and INVALID may be raised.
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
    SL_ERR_PACKED, /* no packed statistics */
} sl_status;

/* An English phrase for a status; never NULL. */
SOFTLANE_API const char *sl_status_string(sl_status status);

/* A flag of options: a row of nothing but -inf has loss 0, gradient 0 and a softmax of 0 instead of NaN. */
#define SL_SAFE_ROWS 1u

/* ------------------------------------------------------------------------------------------- row kernels */

/* y_c = exp(x_c) / sum_k exp(x_k) along each row.
 *   special values  a row with a NaN, a +inf or nothing but -inf is NaN (canonical, 0x7fc00000 in f32)
 *                   throughout; -inf beside finite elements gives exactly +0; one column gives exactly 1
 *   error           f32 3.0 / 3.5 ULP tested, 3.7 / 4.9 on any input, f64 4.0 and 4.4 / 4.0; denormal results
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
 *   error           f32 2.0 ULP tested, 2.8 / 3.7 on any input, f64 3.0 and 3.3 / 3.4, also where the
 *                   result is next to 0
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
 *   error           of the larger of |lse| and |max x|: f32 1.0 ULP tested, 3.5 / 6.2 on any input, f64 2.0 and
 *                   5.5 / 5.8. The logarithm of the rest, up to twice that large, cancels against the maximum
 *   status          STRIDE, SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_logsumexp_f32(const float *x, float *lse, sl_shape shape);
SOFTLANE_API sl_status sl_logsumexp_f64(const double *x, double *lse, sl_shape shape);
SOFTLANE_API sl_status sl_logsumexp_bf16(const sl_bf16 *x, float *lse, sl_shape shape);
SOFTLANE_API sl_status sl_logsumexp_f16(const sl_f16 *x, float *lse, sl_shape shape);

/* softmax and log_softmax with results of L: the bits that the functions of f32 give of the widened elements, in one call;
 * those of f32 and of f64 are these functions. In place only where both types are one.
 *   special values  as softmax
 *   error           of bf16 and f16 that of f32
 *   status          STRIDE, SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_softmax_wide_f32(const float *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_wide_f64(const double *x, double *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_wide_bf16(const sl_bf16 *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_softmax_wide_f16(const sl_f16 *x, float *y, sl_shape shape);

SOFTLANE_API sl_status sl_log_softmax_wide_f32(const float *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_wide_f64(const double *x, double *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_wide_bf16(const sl_bf16 *x, float *y, sl_shape shape);
SOFTLANE_API sl_status sl_log_softmax_wide_f16(const sl_f16 *x, float *y, sl_shape shape);

/* Log-probabilities of k classes of each row: y[r * k + i] = x_c - log(sum_j exp(x_j)), c = ids[r * k + i]. Each is that of
 * log_softmax, rounded to L; nothing as large as a row is written.
 *   shape           inner is 1. Rows may have a pitch (shape.in.outer), and no other strides
 *   special values  as log_softmax
 *   error           as log_softmax, of bf16 and f16 that of f32
 *   status          STRIDE, SIZE, NULL, OPTION (shape), OVERLAP, TARGET (an id outside of [0, classes)) */
SOFTLANE_API sl_status sl_log_softmax_at_f32(const float *x, sl_shape shape, const int64_t *ids, size_t k,
                                             float *y);
SOFTLANE_API sl_status sl_log_softmax_at_f64(const double *x, sl_shape shape, const int64_t *ids, size_t k,
                                             double *y);
SOFTLANE_API sl_status sl_log_softmax_at_bf16(const sl_bf16 *x, sl_shape shape, const int64_t *ids, size_t k,
                                              float *y);
SOFTLANE_API sl_status sl_log_softmax_at_f16(const sl_f16 *x, sl_shape shape, const int64_t *ids, size_t k,
                                             float *y);

/* The k largest log-probabilities of each row, the largest first, and their classes: y[r * k + i] and ids[r * k + i]. Of equal
 * elements the lower id comes first. Values as log_softmax_at; the order is that of the elements. Of random rows the time
 * is that of logsumexp and a little more; of rows in ascending order, classes * log(k) more.
 *   shape           inner is 1. Rows may have a pitch (shape.in.outer), and no other strides
 *   special values  a row that log_softmax makes NaN (a NaN, a +inf, nothing but -inf) is NaN, with the ids 0 to k - 1
 *   error           as log_softmax, of bf16 and f16 that of f32
 *   status          STRIDE, SIZE, NULL, OPTION (shape, k > classes), OVERLAP */
SOFTLANE_API sl_status sl_log_softmax_top_f32(const float *x, sl_shape shape, size_t k, float *y,
                                              int64_t *ids);
SOFTLANE_API sl_status sl_log_softmax_top_f64(const double *x, sl_shape shape, size_t k, double *y,
                                              int64_t *ids);
SOFTLANE_API sl_status sl_log_softmax_top_bf16(const sl_bf16 *x, sl_shape shape, size_t k, float *y,
                                               int64_t *ids);
SOFTLANE_API sl_status sl_log_softmax_top_f16(const sl_f16 *x, sl_shape shape, size_t k, float *y,
                                              int64_t *ids);

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

/* The same with results of L: the values that sigmoid of f32 gives of the widened elements. In place only where both types are
 * one.
 *   error           of bf16 and f16 that of f32
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_sigmoid_wide_f32(const float *x, float *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_wide_f64(const double *x, double *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_wide_bf16(const sl_bf16 *x, float *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_wide_f16(const sl_f16 *x, float *y, size_t n);

/* Sigmoid where a few ULP do not matter: for inference, say.
 *   special values  as sigmoid, but a result below the smallest normal number (of f32, for bf16 and f16) is +0
 *   error           f32 4.0 / 5.0 ULP, f64 4.0 ULP; in f32, bf16 and f16 a larger x never gives a smaller y
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_sigmoid_fast_f32(const float *x, float *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_fast_f64(const double *x, double *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_fast_bf16(const sl_bf16 *x, sl_bf16 *y, size_t n);
SOFTLANE_API sl_status sl_sigmoid_fast_f16(const sl_f16 *x, sl_f16 *y, size_t n);

/* Sigmoid correctly rounded: the float that is nearest to 1 / (1 + exp(-x)). No other correctly rounded sigmoid, and no other variant
 * or machine, can give other bits. There is none of other types.
 *   special values  as sigmoid
 *   error           0.5 ULP, to nearest even where the caller rounds so; a larger x never gives a smaller y
 *   status          SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_sigmoid_exact_f32(const float *x, float *y, size_t n);

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
 *   error    loss: f32 2.0 ULP tested, 2.3 / 3.7 on any input, f64 3.0 and 3.3 / 3.4 (on any input 3 more with
 *            smoothing, 1 with weights), also where the loss is next to 0.
 *            gradient: f32 3.5 / 4.0 ULP tested, 3.2 / 4.9 on any input, f64 5.0 (on any input more: f32 2 with
 *            smoothing, 1 with weights, 1 as a mean; f64 4, 2 and 2); with smoothing of the larger of the two terms,
 *            p_c sum_k q_k and q_c with p = softmax(x). For the target, and for a class that has more than half of p
 *            and more than half of q, they are p_c sum_{k != c} q_k and q_c sum_{k != c} p_k: their difference is the
 *            same, they are smaller.
 *            lse: as logsumexp. With z_loss, with M the larger of |lse_r| and max |x_c|: losses of what they are and 2
 *            z_loss |lse_r| M together, gradients of the larger of those terms and 2 z_loss M p_c; f64 on any input 2
 *            more. With softcap capped logits are off by up to 5 ULP, and by cap 2^-149 (f64: 2^-1074), and what
 *            follows from them by as much as that makes of it: p_c by 10 max |x_c| ULP. No class but the target then
 *            has the smaller terms */
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
 *   error    for t_c >= 0, as cross_entropy, but on any input f64 losses 4.8 / 5.9, gradients f32 4.8 / 6.4, f64
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
 *   error    for t in [0, 1] and without weights, loss: 2.0 ULP tested, on any input 2.6, f32 2.9 / 2.8; gradient: 2.0 / 4.0 ULP
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
 *           2.5 / 5.2 on any input, f64 3.0 and 12.8 / 13.1
 *   status  SIZE, NULL, OVERLAP */
SOFTLANE_API sl_status sl_softmax_stats_f32(const float *x, size_t n, sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_f64(const double *x, size_t n, sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_bf16(const sl_bf16 *x, size_t n, sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_f16(const sl_f16 *x, size_t n, sl_stats *stats);

/* The statistics of each row: stats[r] has all the bits of sl_softmax_stats of row r, and merges as those do.
 *   target  one class id per row, or NULL: stats[r].target is the logit of that class, and 0 of an id outside of
 *           [0, classes): it is in another shard. Of a shard that begins with class `first` the ids are
 *           target[r] - first
 *   shape   inner is 1. Rows may have a pitch (shape.in.outer), and no other strides
 *   status  STRIDE, SIZE, NULL, OPTION (shape), OVERLAP */
SOFTLANE_API sl_status sl_softmax_stats_rows_f32(const float *x, const int64_t *target, sl_shape shape,
                                                 sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_rows_f64(const double *x, const int64_t *target, sl_shape shape,
                                                 sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_rows_bf16(const sl_bf16 *x, const int64_t *target, sl_shape shape,
                                                  sl_stats *stats);
SOFTLANE_API sl_status sl_softmax_stats_rows_f16(const sl_f16 *x, const int64_t *target, sl_shape shape,
                                                 sl_stats *stats);

/* into = both together. At most 2^30 parts in all. */
SOFTLANE_API void sl_stats_merge(sl_stats *into, const sl_stats *from);

/* Statistics in bytes that mean the same on any machine, for the wire. What is unpacked has the bits of what was packed, and
 * merges to the same bits.
 *   size    SL_PACKED_PART         what a function of this library has written, or sl_stats_empty(); merged statistics only
 *                                  if nothing but empty ones was merged. Without logits: these are NaN when it is unpacked
 *           SL_PACKED_PART_LOGITS  the same with logits
 *           SL_PACKED_ANY          any statistics
 *   status  pack: NULL, OPTION (size; or these statistics do not fit into so many bytes).
 *           unpack: NULL, OPTION (size), SL_ERR_VERSION (of a later version), SL_ERR_PACKED (anything else, or damaged) */
enum { SL_PACKED_PART = 40, SL_PACKED_PART_LOGITS = 48, SL_PACKED_ANY = 128 };
SOFTLANE_API sl_status sl_stats_pack(const sl_stats *stats, void *packed, size_t size);
SOFTLANE_API sl_status sl_stats_unpack(const void *packed, size_t size, sl_stats *stats);

/* log(sum_c exp(x_c)) = max + log1p(rest). NaN as softmax; -inf of no elements. */
SOFTLANE_API double sl_stats_logsumexp(const sl_stats *stats);

/* (1 - s) * (logsumexp - target) + s * (logsumexp - logits / count), s = label_smoothing in [0, 1]. Error f32 2.0 ULP,
 * f64 5.0 ULP, both tested; more where s > 0 and the two parts of its second term cancel. Not defined where logits
 * is infinite. */
SOFTLANE_API double sl_stats_cross_entropy(const sl_stats *stats, double label_smoothing);

/* y_c = exp(x_c - max) / (1 + rest) for n elements of a row with these statistics. Special values as softmax, not
 * always its very bits.
 *   error   f32 3.0 / 3.5 ULP tested, 4.9 / 6.4 on any input, f64 5.0 and 9.1 / 8.7
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
 *   error    as cross_entropy, f32 3.5 / 4.0 ULP tested, 3.4 / 5.2 on any input, f64 6.5 and 7.0; with weights and smoothing
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

/* ---------------------------------------------------------------------------------- softmax with options */

/* What a mask is stored as. Its rows are dense; it has a number for every class, or a truth value: 0 masks the element. */
typedef enum {
    SL_MASK_NONE = 0,
    SL_MASK_F32,
    SL_MASK_F64, /* f64 functions only */
    SL_MASK_F16,
    SL_MASK_BF16,
    SL_MASK_BOOL, /* uint8_t */
} sl_mask_type;

/* Zero-initialise; NULL stands for that: softmax and log_softmax as they are. A "row" of first, length, sink and lse has one value
 * per row of the shape; L is double for f64, float for the others. */
typedef struct {
    double scale;     /* 0 stands for 1 */
    double softcap;   /* 0: none */
    const void *mask; /* see mask_type; NULL: none */
    sl_mask_type mask_type;
    ptrdiff_t mask_stride; /* elements from the mask of one row to that of the next; 0: one for all rows */
    double slope;          /* times the mask (ALiBi); 0 stands for 1 */
    const size_t *first,
        *length; /* [rows]: elements outside of [first, first + length) are masked; NULL: from 0; to the end */
    const void *sink; /* [rows] of L: one more score of the row, without a result; NULL: none */
    void *lse;        /* [rows] of L, written: the logarithm of the sum; NULL: not wanted */
    unsigned flags;   /* SL_SAFE_ROWS */
} sl_softmax_options;

/* softmax and log_softmax along each row of the scores
 *   z_c = s_c + slope mask_c,   s_c = scale x_c, or with a softcap softcap tanh(scale x_c / softcap):
 *   y_c = exp(z_c) / S, or log(exp(z_c) / S),   S = sum_k exp(z_k) + exp(sink),   lse = log S
 * in one pass where softmax needs one, as attention and routers want them. For causal attention length[r] = r + 1; with a
 * window of w, first[r] = max(0, r + 1 - w), too.
 *   masked          elements are +0 (log_softmax: -inf): those whose z_c is -inf, whose truth value is 0, or which are outside of
 *                   the row's limits. x_c is not looked at where the truth value is 0, nor read, with its mask, outside of
 *                   the limits
 *   shape           inner = 1, classes at a stride of 1; rows may have a pitch, in.outer and out.outer
 *   aliasing        y may be x if the pitches are the same
 *   special values  as softmax, of z, within the limits: a row with a NaN, a +inf or nothing that is not masked is NaN
 *                   throughout, and lse with it; with SL_SAFE_ROWS a row that is masked throughout and has no sink is 0
 *                   (log_softmax: -inf), its lse -inf. scale x_c = -inf is -softcap under a cap. What leaves the range counts
 *                   as infinite, and raises OVERFLOW. Limits of length 0 are allowed
 *   same bits       Where z_c is x_c (no options; a scale of 1; a mask of 0 and -inf) and there is no sink, results have the bits
 *                   of softmax (log_softmax) of the elements within the limits. lse beside log_softmax has those of
 *                   logsumexp
 *   error           as softmax and log_softmax, with the z of the formula for x, plus what an error of z makes: a factor of
 *                   exp(d) (log_softmax, lse: a difference of d), d = |dz_c| + max_k |dz_k| over elements that are not masked,
 *                   |dz_c| <= 2^-24 (a |s_c| + 3 |slope mask_c|), a = 3, with a softcap 9, and then softcap
 *                   2^-149 more; f64: 2^-53, 2^-1074. lse: f32 2.0 ULP tested, 3.1 / 3.4 on any input, f64 2.0 and 2.1, of
 *                   the largest of |lse|, max |z_c| and 1; of log_softmax as logsumexp
 *   status          STRIDE, SIZE, NULL, OPTION, OVERLAP. OPTION: another shape; scale, softcap, slope or scale / softcap is neither 0
 *                   nor a normal number of the arithmetic (f32, of f64 f64), or softcap is negative; a mask without a type, or a
 *                   type without a mask; mask_stride between 0 and classes, or negative; first + length > classes; other flags */
SOFTLANE_API sl_status sl_softmax_with_f32(const float *x, float *y, sl_shape shape,
                                           const sl_softmax_options *options);
SOFTLANE_API sl_status sl_softmax_with_f64(const double *x, double *y, sl_shape shape,
                                           const sl_softmax_options *options);
SOFTLANE_API sl_status sl_softmax_with_bf16(const sl_bf16 *x, sl_bf16 *y, sl_shape shape,
                                            const sl_softmax_options *options);
SOFTLANE_API sl_status sl_softmax_with_f16(const sl_f16 *x, sl_f16 *y, sl_shape shape,
                                           const sl_softmax_options *options);
SOFTLANE_API sl_status sl_log_softmax_with_f32(const float *x, float *y, sl_shape shape,
                                               const sl_softmax_options *options);
SOFTLANE_API sl_status sl_log_softmax_with_f64(const double *x, double *y, sl_shape shape,
                                               const sl_softmax_options *options);
SOFTLANE_API sl_status sl_log_softmax_with_bf16(const sl_bf16 *x, sl_bf16 *y, sl_shape shape,
                                                const sl_softmax_options *options);
SOFTLANE_API sl_status sl_log_softmax_with_f16(const sl_f16 *x, sl_f16 *y, sl_shape shape,
                                               const sl_softmax_options *options);

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
    void (*softmax_with_##dt)(const T *x, T *y, sl_shape shape, const sl_softmax_options *options);          \
    void (*log_softmax_with_##dt)(const T *x, T *y, sl_shape shape, const sl_softmax_options *options);      \
    void (*softmax_stats_rows_##dt)(const T *x, const int64_t *target, sl_shape shape, sl_stats *stats);     \
    void (*log_softmax_at_##dt)(const T *x, sl_shape shape, const int64_t *ids, size_t k, L *y);             \
    void (*log_softmax_top_##dt)(const T *x, sl_shape shape, size_t k, L *y, int64_t *ids);                  \
    void (*softmax_wide_##dt)(const T *x, L *y, sl_shape shape);                                             \
    void (*log_softmax_wide_##dt)(const T *x, L *y, sl_shape shape);                                         \
    void (*sigmoid_wide_##dt)(const T *x, L *y, size_t n);                                                   \
    void (*cross_entropy_grad_##dt)(const T *logits, const int64_t *target, sl_shape shape,                  \
                                    const sl_loss_options *options, const L *lse, T *grad);                  \
    void (*cross_entropy_shard_grad_##dt)(const T *logits, const int64_t *target, sl_shape shape,            \
                                          sl_shard shard, const sl_loss_options *options,                    \
                                          const sl_stats *stats, T *grad);

typedef struct sl_kernels {
    const char *isa;   /* of kernels/isas.def: "avx512", "avx2", "sve256", "neon", "scalar" ... */
    const char *needs; /* the CPU features it uses, comma-separated, in the compiler's spelling */
    bool fma;          /* its class of bits: tables with the same value here give the same bits */
    SL_SLOTS(f32, float, float)
    SL_SLOTS(f64, double, double)
    SL_SLOTS(bf16, sl_bf16, float)
    SL_SLOTS(f16, sl_f16, float)
    void (*sigmoid_exact_f32)(const float *x, float *y, size_t n);
} sl_kernels;
#undef SL_SLOTS

/* The variant is chosen once, at the first call that computes or that names a variant: the best one that the CPU
 * and the OS can run, or the one that the environment variable SOFTLANE_ISA names if it can run. What is in the
 * environment later changes nothing. Names of variants may be in letters of either case, there and below.
 *   SVE  sve128, sve256 and sve512 are for vectors of just so many bits ("vl256" in `needs`). Linux keeps the length
 *        of vectors for each thread; the choice goes by the thread that makes it, and stands for all. The functions
 *        below that take a name, and sl_tune_load, go by the thread that calls them, each time. Kernels do not look:
 *        where a thread with another length is to compute, or one is to change its length (PR_SVE_SET_VL), force
 *        "neon" first, else results are wrong, and accesses go beyond arrays. */

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
 * made at the first call. false when it cannot run here (the choice: no longer, where it was of SVE), and then nothing has
 * changed. */
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
