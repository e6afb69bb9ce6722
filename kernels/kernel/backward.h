/* SPDX-License-Identifier: MIT
 *
 * The gradients of the row maps, from what these returned:
 *
 *   softmax       dx_c = y_c (dy_c - sum_k y_k dy_k)
 *   log_softmax   dx_c = dy_c - exp(y_c) sum_k dy_k
 *
 * Both read the row twice: for the sum, in f64 lanes (f64: compensated), and for the result. The dot product is
 * subtracted in two parts, so that dy - dot is good to its last places where the two are close.
 *
 * Of the largest term: softmax's difference has two roundings, its product the last one, which may cross a power of two: 3.0.
 * Without FMA the products of f64 are not exact: 4.0. Bound 4.0; found 2.97. Where dy is denormal, f64 products are, too, and
 * each rounds by itself: up to classes / 2 of the smallest number, times y_c.
 *
 * log_softmax: exp(y) has 1.1 x 2^-24, the rest is f64, and one rounding: 2.1, bound 4.0, found 1.51. f64: exp(y) is a square,
 * twice 1.25, times the sum in two steps, 2.5 with the sum's own, and the last rounding: bound on any input 6.0, tested 4.0,
 * found 4.48.
 */
#ifndef SL_KERNEL_BACKWARD_H
#define SL_KERNEL_BACKWARD_H

#include "reduce/dot.h"
#include "maths/sigmoid.h"

/* Half of a sum in two parts: dy - dot may leave the range of its terms, so it is formed of halves. */
typedef struct {
    reg high, low;
} half_dot;

SL_INLINE half_dot half_of(c_acc sum)
{
    /* rounded probabilities may sum to more than 1, and a dot with the largest numbers overflow */
    vw most = w_set1(c_largest_finite), least = w_set1(-(double)c_largest_finite);
    reg high = c_narrow(w_max(least, w_min(most, c_acc_value(sum)))), half = c_set1((num)0.5);
    return (half_dot){c_mul(high, half), c_mul(c_narrow(c_acc_rest(sum, c_widen(high))), half)};
}

/* What a row's elements need of its sum. */
typedef struct {
    half_dot dot;
    vw whole;
} slopes;

SL_INLINE slopes slopes_of(c_acc sum) { return (slopes){half_of(sum), c_acc_value(sum)}; }

SL_INLINE reg softmax_slope(reg y, reg dy, slopes s)
{
    reg rest = c_sub(c_sub(c_mul(dy, c_set1((num)0.5)), s.dot.high), s.dot.low);
    return c_mul(c_add(y, y), rest);
}

SL_INLINE reg log_softmax_slope(reg y, vw dy, slopes s, c_tables tables)
{
    vw p =
        c_times_exp_is_far(&y, 1) ? c_times_exp(s.whole, y, 1, tables) : c_times_exp(s.whole, y, 0, tables);
    return c_canonical(c_narrow(w_sub(dy, p)));
}

/* n elements, or as many as a register holds, side by side. */
SL_INLINE void put_slope(const T *y, const T *dy, T *dx, size_t n, int full, int streaming, slopes s,
                         int of_log, c_tables tables)
{
    reg a = load_part(y, n, full, 0);
    if (of_log)
        a = log_softmax_slope(a, load_wide(dy, n, full), s, tables);
    else
        a = c_canonical(softmax_slope(a, load_part(dy, n, full, 0), s));
    if (full)
        put(dx, a, streaming);
    else
        store_part(dx, a, n, 0);
}

SL_INLINE void backward_row(const T *y, const T *dy, T *dx, size_t n, int streaming, int of_log,
                            c_tables tables)
{
    slopes s = slopes_of(row_sum_of(y, dy, n, of_log));
    size_t i = 0, start = streaming ? least(n, unaligned(dx)) : 0, lines = start + whole_lines(n - start);
    for (; i < start; i += SL_W)
        put_slope(y + i, dy + i, dx + i, start - i, 0, 0, s, of_log, tables);
    for (i = start; !of_log && i + 2 * SL_W <= lines; i += 2 * SL_W) {
        reg a[2], b[2];
        load_two(y + i, a);
        load_two(dy + i, b);
        for (size_t k = 0; k < 2; k++)
            a[k] = softmax_slope(a[k], b[k], s);
        if (c_any(c_or(c_nle(a[0], a[0]), c_nle(a[1], a[1]))))
            for (size_t k = 0; k < 2; k++)
                a[k] = c_canonical(a[k]);
        put_two(dx + i, a, streaming);
    }
    for (; i < lines; i += SL_W)
        put_slope(y + i, dy + i, dx + i, SL_W, 1, streaming, s, of_log, tables);
    for (; i + SL_W <= n; i += SL_W)
        put_slope(y + i, dy + i, dx + i, SL_W, 1, 0, s, of_log, tables);
    if (i < n)
        put_slope(y + i, dy + i, dx + i, n - i, 0, 0, s, of_log, tables);
}

SL_INLINE void backward_side(const T *y, const T *dy, T *dx, size_t classes, size_t step, size_t registers,
                             size_t n, int full, int streaming, int fetching, int of_log, c_tables tables)
{
    c_acc sum[ABREAST];
    slopes s[ABREAST];
    rows_sum(y, dy, fetching ? dx : NULL, classes, step, registers, n, full, of_log, sum);
    for (size_t k = 0; k < registers; k++)
        s[k] = slopes_of(sum[k]);
    for (size_t c = 0; c < classes; c++)
        for (size_t k = 0; k < registers; k++) {
            size_t at = c * step + k * SL_W;
            put_slope(y + at, dy + at, dx + at, n, full, streaming, s[k], of_log, tables);
        }
}

SL_INLINE void backward(const T *y, const T *dy, T *dx, sl_shape shape, int of_log)
{
    c_tables tables = c_tables_load();
    walk w = walk_of(shape);
    if (shape.inner == 1 && !side_rows(shape)) {
        int streaming = streams(dx, shape.outer * shape.classes);
        for (size_t r = 0; r < shape.outer; r++, y += shape.classes, dy += shape.classes, dx += shape.classes)
            backward_row(y, dy, dx, shape.classes, streaming, of_log, tables);
        if (streaming)
            stream_end();
        return;
    }
    int streaming = axis_streams(dx, shape), fetching = axis_fetches(dx, shape);
    for (size_t b = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += n) {
            size_t at = b * w.block_stride + i * w.stride;
            if (shape.inner == 1) {
                T side_y[SL_BLOCK * SL_W], side_dy[SL_BLOCK * SL_W];
                n = least(SL_W, w.rows - i);
                lay_side(y + at, shape.classes, w.rows - i, NULL, side_y);
                lay_side(dy + at, shape.classes, w.rows - i, NULL, side_dy);
                backward_side(side_y, side_dy, side_dy, shape.classes, SL_W, 1, SL_W, 1, 0, 0, of_log,
                              tables);
                lay_back(side_dy, shape.classes, w.rows - i, dx + at, 0);
                continue;
            }
            n = rows_abreast(w.rows - i);
            if (n == PANEL)
                backward_side(y + at, dy + at, dx + at, shape.classes, w.step, ABREAST, SL_W, 1, streaming,
                              fetching, of_log, tables);
            else if (n == SL_W)
                backward_side(y + at, dy + at, dx + at, shape.classes, w.step, 1, SL_W, 1, 0, 0, of_log,
                              tables);
            else
                backward_side(y + at, dy + at, dx + at, shape.classes, w.step, 1, n, 0, 0, 0, of_log, tables);
        }
    if (streaming)
        stream_end();
}

SL_STATIC void softmax_backward(const T *y, const T *dy, T *dx, sl_shape shape)
{
    backward(y, dy, dx, shape, 0);
}

SL_STATIC void log_softmax_backward(const T *y, const T *dy, T *dx, sl_shape shape)
{
    backward(y, dy, dx, shape, 1);
}

#endif
