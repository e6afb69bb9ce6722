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
 * Among the denormals halves are rounded, too: 4.0, and 4 |y_c| of the smallest number more where that is above 1. Without FMA the
 * products of f64 are not exact: 4.0. Bound 4.0, of f32 by machine proof (tests/proofs/lemmas/softmax_backward.g: 3.97); found 2.99.
 * Where dy is denormal, f64 products are, too, and each rounds by itself: up to classes / 2 of the smallest number, times y_c.
 *
 * log_softmax: exp(y) has 1.1 x 2^-24, the rest is f64, and one rounding: 2.1, bound 4.0, found 1.51. f64: exp(y) is a square,
 * twice 1.30 (no FMA: 1.35) next to 0.707, times the sum in two steps, 2.7 with the sum's own, and the last rounding: bound on
 * any input 6.4, tested 4.0, found 4.48.
 */
#ifndef SL_KERNEL_BACKWARD_H
#define SL_KERNEL_BACKWARD_H

#include "reduce/dot.h"
#include "schedule/transpose.h"
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
} row_terms;

SL_INLINE row_terms row_terms_of(c_acc sum) { return (row_terms){half_of(sum), c_acc_value(sum)}; }

SL_INLINE reg softmax_grad(reg y, reg dy, row_terms s)
{
    reg rest = c_sub(c_sub(c_mul(dy, c_set1((num)0.5)), s.dot.high), s.dot.low);
    return c_mul(c_add(y, y), rest);
}

/* RARE: y may be so small or large that exp(y) needs more care; the others have the same bits either way. */
SL_INLINE reg log_softmax_grad(reg y, vw dy, row_terms s, int rare, c_tables tables)
{
    return c_canonical(c_narrow(w_sub(dy, c_times_exp(s.whole, y, rare, tables))));
}

/* Whether any of these needs that. f64 has one form for all. */
SL_INLINE int needs_care(const reg *y, size_t registers)
{
    return !SL_F64 && c_times_exp_is_far(y, registers);
}

/* Results of any n elements, out of line. */
SL_INLINE void grad_by_registers(const T *y, const T *dy, T *dx, size_t n, const row_terms *terms, int of_log)
{
    const row_terms s = *terms;
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W) {
        reg a = load_some(y + i, n - i, 0);
        if (of_log)
            a = log_softmax_grad(a, load_some_wide(dy + i, n - i), s, RARE, c_tables_load());
        else
            a = c_canonical(softmax_grad(a, load_some(dy + i, n - i, 0), s));
        store_some(dx + i, a, n - i);
    }
}

SL_NOINLINE void softmax_grad_rest(const T *y, const T *dy, T *dx, size_t n, const row_terms *s)
{
    grad_by_registers(y, dy, dx, n, s, OF_SOFTMAX);
}

SL_NOINLINE void log_softmax_grad_rest(const T *y, const T *dy, T *dx, size_t n, const row_terms *s)
{
    grad_by_registers(y, dy, dx, n, s, OF_LOG);
}

SL_INLINE void grad_rest(const T *y, const T *dy, T *dx, size_t n, const row_terms *s, int of_log)
{
    if (of_log)
        log_softmax_grad_rest(y, dy, dx, n, s);
    else
        softmax_grad_rest(y, dy, dx, n, s);
}

/* One row, or the end of one. */
typedef struct {
    const T *y, *dy;
    T *dx;
    size_t n;
    int nontemporal;
} grad_row;

/* How many registers are done together: where a load widens, one is work enough. */
SL_INLINE size_t grad_step(int of_log) { return of_log ? SL_W : 2 * SL_W; }

/* Results of so many; false, and nothing is written, if one is rare. */
SL_INLINE int put_log_grad(const T *y, const T *dy, T *dx, row_terms s, int nontemporal)
{
    reg a = load(y);
    if (needs_care(&a, 1))
        return 0;
    put(dx, log_softmax_grad(a, load_widened(dy), s, COMMON, c_tables_load()), nontemporal);
    return 1;
}

SL_INLINE int put_grad_two(const T *y, const T *dy, T *dx, row_terms s, int nontemporal)
{
    reg a[2], b[2];
    load_two(y, a);
    load_two(dy, b);
    SL_UNROLL
    for (size_t k = 0; k < 2; k++)
        a[k] = softmax_grad(a[k], b[k], s);
    if (c_any(c_or(c_nle(a[0], a[0]), c_nle(a[1], a[1])))) /* NaN */
        return 0;
    put_two(dx, a, nontemporal);
    return 1;
}

/* One step after the other, from element i on, as long as none is rare; returns the first element that is not done. */
SL_INLINE size_t grad_steps(const grad_row *of, size_t i, row_terms s, int of_log)
{
    const grad_row row = *of; /* no store can change it */
    for (; i + grad_step(of_log) <= row.n; i += grad_step(of_log))
        if (of_log ? !put_log_grad(row.y + i, row.dy + i, row.dx + i, s, row.nontemporal)
                   : !put_grad_two(row.y + i, row.dy + i, row.dx + i, s, row.nontemporal))
            break;
    return i;
}

/* No call in the loop of grad_steps: constants stay in registers. The last step ends with the row, and its elements are copied
 * before results overwrite them; not so of non-temporal lines, which are to be written once. */
SL_INLINE void backward_row(const T *y, const T *dy, T *dx, size_t n, int nontemporal, int of_log)
{
    enum { MOST = 2 * SL_W };
    const size_t step = grad_step(of_log);
    size_t i = nontemporal ? least(n, elements_to_line(dx)) : 0;
    T last_y[MOST], last_dy[MOST];
    row_terms s = row_terms_of(sum_of_row(y, dy, n, of_log));
    const grad_row row = {y, dy, dx, n, nontemporal};
    if (n < MOST) {
        grad_rest(y, dy, dx, n, &s, of_log);
        return;
    }
    if (i)
        grad_rest(y, dy, dx, i, &s, of_log);
    copy_two(y + n - MOST, last_y);
    copy_two(dy + n - MOST, last_dy);
    while (i = grad_steps(&row, i, s, of_log), i + step <= n) { /* rare */
        grad_rest(y + i, dy + i, dx + i, step, &s, of_log);
        i += step;
    }
    const grad_row end = {last_y + MOST - step, last_dy + MOST - step, dx + n - step, step, CACHED};
    if (i < n && (nontemporal || grad_steps(&end, 0, s, of_log) == 0))
        grad_rest(y + i, dy + i, dx + i, n - i, &s, of_log);
}

/* A place in a strip: the k-th vector of class c. */
typedef struct {
    size_t c, k;
} strip_at;

/* The gradients of a strip, from class `at->c` on, as long as none is rare; then `at` is the first that is not done. */
SL_INLINE void strip_grads(const strip_pair *of, T *dx, strip_at *at, const row_terms *s, int of_log,
                           strip_options o)
{
    size_t vectors = strip_vectors_for(&of->y, o), c = at->c;
    for (; c < of->y.classes; c++) {
        SL_UNROLL_PARTS
        for (size_t k = 0; k < vectors; k++) {
            reg a = strip_load(&of->y, c, k, o);
            if (of_log && needs_care(&a, 1)) {
                *at = (strip_at){c, k};
                return;
            }
            if (of_log)
                a = log_softmax_grad(a, strip_load_wide(&of->dy, c, k, o), s[k], COMMON, c_tables_load());
            else
                a = c_canonical(softmax_grad(a, strip_load(&of->dy, c, k, o), s[k]));
            strip_store(&of->y, dx, c, k, a, o);
        }
    }
    at->c = c;
}

SL_INLINE void backward_strip_of(const strip_pair *of, T *dx, int of_log, strip_options o)
{
    const strip_pair here = *of; /* no store can change it */
    const strip *y = &here.y, *dy = &here.dy;
    c_acc sum[STRIP_VECTORS];
    row_terms s[STRIP_VECTORS];
    size_t vectors = strip_vectors_for(y, o);
    if (o.single)
        strip_sum_of(of, sum, of_log, o);
    else if (of_log)
        strip_sum(of, sum);
    else
        strip_dot(of, sum);
    for (size_t k = 0; k < vectors; k++)
        s[k] = row_terms_of(sum[k]);
    for (strip_at at = {0, 0}; strip_grads(&here, dx, &at, s, of_log, o), at.c < y->classes; at.c++)
        for (; at.k < vectors; at.k++) {
            size_t i = at.c * y->step + at.k * SL_W, to = at.c * y->step_out + at.k * SL_W;
            grad_rest(y->x + i, dy->x + i, dx + to, o.whole ? SL_W : y->rows, s + at.k, of_log);
        }
}

/* Less than a register of rows: one copy for both kernels. */
SL_RARE void backward_strip_part(const strip_pair *of, T *dx, int of_log)
{
    if (of_log)
        backward_strip_of(of, dx, OF_LOG, (strip_options){.whole = 0, .single = 1});
    else
        backward_strip_of(of, dx, OF_SOFTMAX, (strip_options){.whole = 0, .single = 1});
}

SL_INLINE void backward_strip(const strip_pair *of, T *dx, int nontemporal, int of_log)
{
    if (of->y.rows < SL_W)
        backward_strip_part(of, dx, of_log);
    else if (of->y.rows == STRIP_ROWS && !of_log)
        backward_strip_of(of, dx, of_log, (strip_options){.whole = 1, .full = 1, .nontemporal = nontemporal});
    else
        backward_strip_of(of, dx, of_log, (strip_options){.whole = 1, .nontemporal = nontemporal});
}

SL_INLINE void backward_transposed(const T *y, const T *dy, T *dx, sl_shape shape, int of_log)
{
    const size_t classes = shape.classes, in = pitch_in(shape), out = pitch_out(shape);
    T in_y[SL_SHORT * SL_W], in_dy[SL_SHORT * SL_W];
    const strip_pair of = {strip_of_transposed(in_y, classes), strip_of_transposed(in_dy, classes)};
    for (size_t r = 0; r < shape.outer; r += SL_W) {
        transpose_in(y + r * in, classes, in, shape.outer - r, NULL, in_y);
        transpose_in(dy + r * in, classes, in, shape.outer - r, NULL, in_dy);
        backward_strip_of(&of, in_dy, of_log, (strip_options){.whole = 1, .single = 1, .transposed = 1});
        transpose_out(in_dy, classes, shape.outer - r, dx + r * out, out, CACHED);
    }
}

SL_INLINE void backward_strips(const T *y, const T *dy, T *dx, sl_shape shape, int of_log)
{
    const walk w = walk_of(shape);
    int nontemporal = strips_nontemporal(dx, shape), prefetch = strips_prefetch(dx, shape);
    for (size_t b = 0; b < w.blocks; b++)
        for (size_t i = 0, n; i < w.rows; i += n) {
            size_t at = b * w.in.block + i;
            T *to = dx + b * w.out.block + i;
            n = strip_rows(w.rows - i);
            const strip_pair of = {{y + at, prefetch ? to : NULL, shape.classes, w.in.step, n, w.out.step},
                                   {dy + at, NULL, shape.classes, w.in.step, n, w.out.step}};
            backward_strip(&of, to, nontemporal && round_down_to_lines(n) == n, of_log);
        }
    if (nontemporal)
        stream_end();
}

SL_INLINE void backward_rows(const T *y, const T *dy, T *dx, sl_shape shape, int of_log)
{
    const size_t in = pitch_in(shape), out = pitch_out(shape);
    int nontemporal = rows_nontemporal(dx, shape);
    for (size_t r = 0; r < shape.outer; r++)
        backward_row(y + r * in, dy + r * in, dx + r * out, shape.classes, nontemporal, of_log);
    if (nontemporal)
        stream_end();
}

/* Out of line, so that long rows have all registers. */
SL_NOINLINE void softmax_backward_others(const T *y, const T *dy, T *dx, const sl_shape *shape)
{
    if (contiguous_rows(*shape))
        backward_transposed(y, dy, dx, *shape, OF_SOFTMAX);
    else
        backward_strips(y, dy, dx, *shape, OF_SOFTMAX);
}

SL_NOINLINE void log_softmax_backward_others(const T *y, const T *dy, T *dx, const sl_shape *shape)
{
    if (contiguous_rows(*shape))
        backward_transposed(y, dy, dx, *shape, OF_LOG);
    else
        backward_strips(y, dy, dx, *shape, OF_LOG);
}

SL_INLINE int is_long_rows(sl_shape shape) { return contiguous_rows(shape) && !are_transposed(shape); }

SL_STATIC void softmax_backward(const T *y, const T *dy, T *dx, const sl_shape *shape)
{
    if (shape->classes == 0)
        return;
    if (is_long_rows(*shape))
        backward_rows(y, dy, dx, *shape, OF_SOFTMAX);
    else
        softmax_backward_others(y, dy, dx, shape);
}

SL_STATIC void log_softmax_backward(const T *y, const T *dy, T *dx, const sl_shape *shape)
{
    if (shape->classes == 0)
        return;
    if (is_long_rows(*shape))
        backward_rows(y, dy, dx, *shape, OF_LOG);
    else
        log_softmax_backward_others(y, dy, dx, shape);
}

#endif
