/* SPDX-License-Identifier: MIT
 *
 * The element kernels, and their gradients:
 *
 *   sigmoid                sigmoid.h
 *   sigmoid_fast           sigmoid_fast.h
 *   sigmoid_exact          sigmoid_exact.h, of f32 alone: correctly rounded
 *   log_sigmoid            log1p_f32.h, log.h: bound 2.0
 *   sigmoid_backward       dy (y (1 - y)): the inner product first, it cannot underflow where the result does
 *                          not. 1 - y and the product together have up to 1.59 x 2^-24 (at y = 0.1465),
 *                          and the last rounding may cross a power of two: bound on any input 2.6, tested 2.0,
 *                          found 2.52, at y = 0x1.3887d4p-3, dy = 0x1.eeea2cp+110; f64 the same, found 2.55
 *   log_sigmoid_backward   dy sigmoid(-x), scaled back last: a large dy may meet a sigmoid below the smallest
 *                          number. sigmoid has up to 1.55 x 2^-24 of itself (just above 1/2: 0.5 of q, which is below
 *                          1/2, and 0.5 of 1 - q), and the product: bound on any input 2.6, tested 2.0 (no FMA:
 *                          4.0 both), found 2.50, at x = -0x1.ffdp-12, dy = 0x1.ffe004p+36
 *
 * They go by groups of GROUP registers, whose chains of operations fill each other's gaps. A group with a rare element, and
 * what is left before the first line that is nontemporal and at the end, goes register by register, out of line: the bits
 * are the same both ways.
 */
#ifndef SL_KERNEL_MAPS_H
#define SL_KERNEL_MAPS_H

#include "schedule/parts.h"
#include "maths/lane_folds.h"
#include "maths/log1p.h"
#include "maths/sigmoid.h"
#include "maths/sigmoid_exact.h"
#include "maths/sigmoid_fast.h"

#if SL_F64
#define GROUP 2 /* registers of double width */
#else
#define GROUP 4 /* registers */
#endif

/* Results of a register. RARE: of any elements; COMMON: of those of a group that has no rare one. */
typedef reg (*map_value)(reg x, reg dy, int rare);
/* Whether any of these registers has a rare element. */
typedef int (*map_is_rare)(const reg *x, size_t registers);
/* Results of a group that has no rare element, in place and step by step; x is where its elements were loaded from. */
typedef void (*map_group)(const T *x, reg *a);
/* Results of n elements of any kind, out of line. */
typedef void (*map_rest)(const T *x, const T *dy, T *y, size_t n);

typedef struct {
    map_value value;
    map_is_rare is_rare;
    map_rest rest;
    map_group group; /* instead of value, if there is one */
    int one_by_one;  /* so little work that to look at a whole group first costs 5 % */
} map_kernel;

/* Prefetches what comes PREFETCH_BYTES after a group: x into the first level, what else is read, and where ordinary stores
 * will go. */
SL_INLINE void prefetch_group(const T *x, const T *dy, const T *y, size_t registers)
{
    for (size_t line = 0; line < registers * SL_W * sizeof *x; line += SL_LINE) {
        __builtin_prefetch((const char *)x + PREFETCH_BYTES + line, 0, 3);
        if (dy != x)
            __builtin_prefetch((const char *)dy + PREFETCH_BYTES + line, 0, 2);
        if (y != x && y != dy)
            __builtin_prefetch((const char *)y + PREFETCH_BYTES + line, 1, 2);
    }
}

/* Plain C has one form for all here: clang for AArch64 would compute both, and raise OVERFLOW in the one that nobody wants. */
SL_INLINE void map_by_registers(map_value value, map_is_rare is_rare, const T *x, const T *dy, T *y, size_t n)
{
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W) {
        reg a = load_some(x + i, n - i, 0), g = dy == x ? a : load_some(dy + i, n - i, 0);
        store_some(y + i, SL_W == 1 || is_rare(&a, 1) ? value(a, g, RARE) : value(a, g, COMMON), n - i);
    }
}

SL_INLINE void put_group(T *y, const reg a[GROUP], int nontemporal)
{
    if (nontemporal) {
        SL_UNROLL
        for (size_t k = 0; k < GROUP; k += 2)
            stream_two(y + k * SL_W, a + k);
    } else {
        SL_UNROLL
        for (size_t k = 0; k < GROUP; k += 2)
            store_two(y + k * SL_W, a + k);
    }
}

/* By groups from element i on, as long as none is rare; returns the first element that is not done. */
SL_INLINE size_t map_groups(map_kernel kernel, const T *x, const T *dy, T *y, size_t i, size_t n,
                            int nontemporal)
{
    const size_t registers = kernel.one_by_one ? 4 : GROUP;
    int far = sl_prefetches(n * sizeof(T));
    for (; i + registers * SL_W <= n; i += registers * SL_W) {
        reg a[GROUP], g[2];
        if (far)
            prefetch_group(x + i, dy + i, nontemporal ? x + i : y + i, registers);
        if (kernel.one_by_one && SL_IN_ORDER) {
            SL_UNROLL
            for (size_t k = 0; k < registers; k++) {
                a[0] = load(x + i + k * SL_W);
                if (kernel.is_rare(a, 1))
                    return i + k * SL_W;
                put(y + i + k * SL_W, kernel.value(a[0], a[0], COMMON), nontemporal);
            }
            continue;
        }
        SL_UNROLL
        for (size_t k = 0; k < GROUP; k += 2)
            load_two(x + i + k * SL_W, a + k);
        if (kernel.is_rare(a, GROUP))
            break;
        if (kernel.group) {
            kernel.group(x + i, a);
            put_group(y + i, a, nontemporal);
            continue;
        }
        SL_UNROLL
        for (size_t k = 0; k < GROUP; k += 2) {
            SL_APART;
            load_two(dy + i + k * SL_W, g);
            a[k] = kernel.value(a[k], g[0], COMMON);
            a[k + 1] = kernel.value(a[k + 1], g[1], COMMON);
        }
        put_group(y + i, a, nontemporal);
    }
    return i;
}

/* No call in the loop of map_groups: constants stay in registers. */
SL_INLINE void map_all(map_kernel kernel, const T *x, const T *dy, T *y, size_t n)
{
    int nontemporal = use_nontemporal(y, n);
    size_t i = nontemporal ? least(n, elements_to_line(y)) : 0;
    if (i)
        kernel.rest(x, dy, y, i);
    while (i < n) {
        i = map_groups(kernel, x, dy, y, i, n, nontemporal);
        size_t done = least(GROUP * SL_W, n - i);
        if (done)
            kernel.rest(x + i, dy + i, y + i, done);
        i += done;
    }
    if (nontemporal)
        stream_end();
}

/* Less than a group goes past what is set up for groups. */
SL_INLINE void map(map_rest rest, map_rest all, const T *x, const T *dy, T *y, size_t n)
{
    if (n < GROUP * SL_W)
        rest(x, dy, y, n);
    else
        all(x, dy, y, n);
}

SL_INLINE int never_rare(const reg *x, size_t registers)
{
    (void)x;
    (void)registers;
    return 0;
}

/* ---- sigmoid ---- */

#if !SL_F64 && !SL_FMA
SL_INLINE void near_sigmoids(const T *x, reg *a)
{
    (void)x;
    c_sigmoids_near(a, GROUP);
}
#define NEAR_SIGMOIDS near_sigmoids
#else
#define NEAR_SIGMOIDS NULL
#endif

SL_INLINE reg sigmoid_value(reg x, reg dy, int rare)
{
    (void)dy;
    reg y = c_unscaled(c_sigmoid_of(x, rare, c_tables_load()));
    return rare ? storable(y) : y;
}

/* f64 has one form for all. */
SL_INLINE int sigmoid_is_rare(const reg *x, size_t registers)
{
    return !SL_F64 && c_sigmoid_is_wide(x, registers);
}

SL_NOINLINE void sigmoid_rest(const T *x, const T *dy, T *y, size_t n)
{
    map_by_registers(sigmoid_value, sigmoid_is_rare, x, dy, y, n);
}

SL_NOINLINE void sigmoid_all(const T *x, const T *dy, T *y, size_t n)
{
    (void)dy;
    map_all((map_kernel){sigmoid_value, sigmoid_is_rare, sigmoid_rest, NEAR_SIGMOIDS, 0}, x, x, y, n);
}

SL_STATIC void sigmoid(const T *x, T *y, size_t n) { map(sigmoid_rest, sigmoid_all, x, x, y, n); }

/* With results of the arithmetic's type: of 16 bits by groups, too. */
SL_RARE void sigmoid_wide_rest(const T *x, num *y, size_t n)
{
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W)
        keep_some(y + i, sigmoid_value(load_some(x + i, n - i, 0), c_set1(0), RARE), n - i);
}

SL_STATIC void sigmoid_wide(const T *x, num *y, size_t n)
{
#if SL_16_BITS
    int far = sl_prefetches(n * sizeof(T));
    size_t i = 0;
    for (; i + GROUP * SL_W <= n; i += GROUP * SL_W) {
        reg a[GROUP];
        if (far)
            prefetch_group(x + i, x + i, x + i, GROUP);
        SL_UNROLL
        for (size_t k = 0; k < GROUP; k++)
            a[k] = load(x + i + k * SL_W);
        if (sigmoid_is_rare(a, GROUP)) {
            sigmoid_wide_rest(x + i, y + i, GROUP * SL_W);
            continue;
        }
        SL_UNROLL
        for (size_t k = 0; k < GROUP; k++)
            c_store(y + i + k * SL_W, sigmoid_value(a[k], a[k], COMMON));
    }
    if (i < n)
        sigmoid_wide_rest(x + i, y + i, n - i);
#else
    sigmoid(x, y, n);
#endif
}

/* ---- sigmoid_fast ---- */

SL_INLINE reg sigmoid_fast_value(reg x, reg dy, int rare)
{
    (void)dy;
    reg y = c_sigmoid_fast_of(x, rare, c_fast_table_load());
    return rare ? storable(y) : y;
}

SL_INLINE int sigmoid_fast_is_rare(const reg *x, size_t registers)
{
    return c_sigmoid_fast_is_far(x, registers);
}

SL_NOINLINE void sigmoid_fast_rest(const T *x, const T *dy, T *y, size_t n)
{
    map_by_registers(sigmoid_fast_value, sigmoid_fast_is_rare, x, dy, y, n);
}

SL_NOINLINE void sigmoid_fast_all(const T *x, const T *dy, T *y, size_t n)
{
    (void)dy;
    map_all((map_kernel){sigmoid_fast_value, sigmoid_fast_is_rare, sigmoid_fast_rest, NULL, 1}, x, x, y, n);
}

SL_STATIC void sigmoid_fast(const T *x, T *y, size_t n)
{
    map(sigmoid_fast_rest, sigmoid_fast_all, x, x, y, n);
}

/* ---- sigmoid_exact ---- */

#if !SL_F64 && !SL_16_BITS
SL_INLINE void exact_sigmoids(const T *x, reg *a)
{
    SL_UNROLL
    for (size_t k = 0; k < GROUP; k += 2) {
        vw wide[2] = {load_widened(x + k * SL_W), load_widened(x + (k + 1) * SL_W)};
        c_sigmoids_exact(wide, a + k, 2);
    }
}

SL_INLINE reg sigmoid_exact_value(reg x, reg dy, int rare)
{
    (void)dy;
    if (rare)
        return c_sigmoid_exact(x);
    vw wide = v_widen(x);
    c_sigmoids_exact(&wide, &x, 1);
    return x;
}

SL_INLINE int sigmoid_exact_is_rare(const reg *x, size_t registers)
{
    return c_sigmoid_exact_is_rare(x, registers);
}

SL_NOINLINE void sigmoid_exact_rest(const T *x, const T *dy, T *y, size_t n)
{
    map_by_registers(sigmoid_exact_value, sigmoid_exact_is_rare, x, dy, y, n);
}

SL_NOINLINE void sigmoid_exact_all(const T *x, const T *dy, T *y, size_t n)
{
    (void)dy;
    map_all((map_kernel){sigmoid_exact_value, sigmoid_exact_is_rare, sigmoid_exact_rest, exact_sigmoids, 0},
            x, x, y, n);
}

SL_STATIC void sigmoid_exact(const T *x, T *y, size_t n)
{
    map(sigmoid_exact_rest, sigmoid_exact_all, x, x, y, n);
}
#endif

/* ---- log_sigmoid ---- */

SL_INLINE reg log_sigmoid_value(reg x, reg dy, int rare)
{
    (void)dy;
    (void)rare;
    return storable(c_log_sigmoid(x, c_tables_load()));
}

SL_NOINLINE void log_sigmoid_rest(const T *x, const T *dy, T *y, size_t n)
{
    map_by_registers(log_sigmoid_value, never_rare, x, dy, y, n);
}

SL_NOINLINE void log_sigmoid_all(const T *x, const T *dy, T *y, size_t n)
{
    (void)dy;
    map_all((map_kernel){log_sigmoid_value, never_rare, log_sigmoid_rest, NULL, 0}, x, x, y, n);
}

SL_STATIC void log_sigmoid(const T *x, T *y, size_t n) { map(log_sigmoid_rest, log_sigmoid_all, x, x, y, n); }

/* ---- sigmoid_backward ---- */

SL_INLINE reg sigmoid_backward_value(reg y, reg dy, int rare)
{
    (void)rare;
    return storable(c_mul(dy, c_mul(y, c_sub(c_set1(1), y))));
}

SL_NOINLINE void sigmoid_backward_rest(const T *y, const T *dy, T *dx, size_t n)
{
    map_by_registers(sigmoid_backward_value, never_rare, y, dy, dx, n);
}

SL_NOINLINE void sigmoid_backward_all(const T *y, const T *dy, T *dx, size_t n)
{
    map_all((map_kernel){sigmoid_backward_value, never_rare, sigmoid_backward_rest, NULL, 0}, y, dy, dx, n);
}

SL_STATIC void sigmoid_backward(const T *y, const T *dy, T *dx, size_t n)
{
    map(sigmoid_backward_rest, sigmoid_backward_all, y, dy, dx, n);
}

/* ---- log_sigmoid_backward ---- */

SL_INLINE reg log_sigmoid_backward_value(reg x, reg dy, int rare)
{
    reg minus = c_set1((num)-0.0), infinite = c_set1((num)-INFINITY), large = c_set1(c_largest_finite);
    x = c_sub(minus, x);
    if (rare) { /* an infinite gradient of 0 is 0, too */
        reg finite = c_min(large, c_max(c_sub(minus, large), dy));
        dy = c_select(c_eq(x, infinite), finite, dy);
    }
    c_scaled s = c_sigmoid_of(x, rare, c_tables_load());
#if !SL_F64
    if (!rare) /* the root is 1: twice less to scale back */
        return storable(c_mul(dy, s.value));
#endif
    return storable(c_times_scaled(dy, s));
}

SL_INLINE int log_sigmoid_backward_is_rare(const reg *x, size_t registers)
{
    if (!SL_F64)
        return c_sigmoid_is_wide(x, registers);
    mask infinite = c_eq(x[0], c_set1((num)INFINITY));
    SL_UNROLL
    for (size_t k = 1; k < registers; k++)
        infinite = c_or(infinite, c_eq(x[k], c_set1((num)INFINITY)));
    return c_any(infinite);
}

SL_NOINLINE void log_sigmoid_backward_rest(const T *x, const T *dy, T *y, size_t n)
{
    map_by_registers(log_sigmoid_backward_value, log_sigmoid_backward_is_rare, x, dy, y, n);
}

SL_NOINLINE void log_sigmoid_backward_all(const T *x, const T *dy, T *dx, size_t n)
{
    map_all((map_kernel){log_sigmoid_backward_value, log_sigmoid_backward_is_rare, log_sigmoid_backward_rest,
                         NULL, 0},
            x, dy, dx, n);
}

SL_STATIC void log_sigmoid_backward(const T *x, const T *dy, T *dx, size_t n)
{
    map(log_sigmoid_backward_rest, log_sigmoid_backward_all, x, dy, dx, n);
}

#endif
