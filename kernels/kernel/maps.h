/* SPDX-License-Identifier: MIT
 *
 * The element kernels, and their gradients:
 *
 *   sigmoid                sigmoid.h
 *   sigmoid_fast           sigmoid_fast.h
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
 * They go by groups of GROUP registers, whose chains of operations fill each other's gaps, with one branch on what is
 * rare; what is left at the end, and before the first line that is stored past the caches, goes register by register.
 */
#ifndef SL_KERNEL_MAPS_H
#define SL_KERNEL_MAPS_H

#include "schedule/parts.h"
#include "maths/lane_folds.h"
#include "maths/log1p.h"
#include "maths/sigmoid.h"
#include "maths/sigmoid_fast.h"

#define GROUP 4 /* registers */

/* y[i] = f(x[i], dy[i]) for GROUP registers, or for one of n <= SL_W elements. */
typedef void (*map_body)(const T *x, const T *dy, T *y, size_t registers, size_t n, int nontemporal);

SL_INLINE void load_group(const T *x, size_t registers, size_t n, reg a[GROUP])
{
    if (registers == 1) {
        a[0] = load_n(x, n, 0);
        return;
    }
    SL_UNROLL
    for (size_t k = 0; k < GROUP; k += 2)
        load_two(x + k * SL_W, a + k);
}

SL_INLINE void store_group(T *y, const reg a[GROUP], size_t registers, size_t n, int nontemporal)
{
    if (registers == 1) {
        store_n(y, a[0], n);
        return;
    }
    SL_UNROLL
    for (size_t k = 0; k < GROUP; k += 2)
        put_two(y + k * SL_W, a + k, nontemporal);
}

/* Prefetches what comes PREFETCH_BYTES bytes after a group: x into the first level, what else is read, and where ordinary stores
 * will go. */
SL_INLINE void prefetch_group(const T *x, const T *dy, const T *y)
{
    for (size_t line = 0; line < GROUP * SL_W * sizeof *x; line += SL_LINE) {
        __builtin_prefetch((const char *)x + PREFETCH_BYTES + line, 0, 3);
        if (dy != x)
            __builtin_prefetch((const char *)dy + PREFETCH_BYTES + line, 0, 2);
        if (y != x && y != dy)
            __builtin_prefetch((const char *)y + PREFETCH_BYTES + line, 1, 2);
    }
}

/* The same for n <= SL_W elements, out of line. */
typedef void (*map_part)(const T *x, const T *dy, T *y, size_t n);

SL_INLINE void map(map_body body, map_part part, const T *x, const T *dy, T *y, size_t n)
{
    size_t i = 0;
    if (use_nontemporal(y, n)) {
        size_t first = least(n, elements_to_line(y));
        for (; i < first; i += SL_W)
            part(x + i, dy + i, y + i, least(SL_W, first - i));
        for (i = first; i + GROUP * SL_W <= n; i += GROUP * SL_W) {
            prefetch_group(x + i, dy + i, x + i);
            body(x + i, dy + i, y + i, GROUP, SL_W, 1);
        }
        stream_end();
    }
    int far = n * sizeof(T) > NEAR_BYTES;
    for (; i + GROUP * SL_W <= n; i += GROUP * SL_W) {
        if (far)
            prefetch_group(x + i, dy + i, y + i);
        body(x + i, dy + i, y + i, GROUP, SL_W, 0);
    }
    for (; i < n; i += SL_W)
        part(x + i, dy + i, y + i, least(SL_W, n - i));
}

SL_INLINE void sigmoid_group(const T *x, const T *dy, T *y, size_t registers, size_t n, int nontemporal)
{
    c_tables tables = c_tables_load();
    reg a[GROUP];
    (void)dy;
    load_group(x, registers, n, a);
    if (c_sigmoid_is_wide(a, registers)) {
        SL_UNROLL
        for (size_t k = 0; k < registers; k++)
            a[k] = storable(c_unscaled(c_sigmoid_of(a[k], 1, tables)));
    } else {
        SL_UNROLL
        for (size_t k = 0; k < registers; k++)
            a[k] = c_unscaled(c_sigmoid_of(a[k], 0, tables));
    }
    store_group(y, a, registers, n, nontemporal);
}

SL_NOINLINE void sigmoid_part(const T *x, const T *dy, T *y, size_t n) { sigmoid_group(x, dy, y, 1, n, 0); }

SL_STATIC void sigmoid(const T *x, T *y, size_t n) { map(sigmoid_group, sigmoid_part, x, x, y, n); }

SL_INLINE void sigmoid_fast_group(const T *x, const T *dy, T *y, size_t registers, size_t n, int nontemporal)
{
    c_fast_table table = c_fast_table_load();
    reg a[GROUP];
    (void)dy;
    /* So little work that waiting for the whole group costs 3 %. */
    if (SL_IN_ORDER && registers == GROUP && !nontemporal) {
        SL_UNROLL
        for (size_t k = 0; k < GROUP; k++) {
            a[0] = load(x + k * SL_W);
            if (c_sigmoid_fast_is_far(a, 1))
                store(y + k * SL_W, c_sigmoid_fast_of(a[0], 1, table));
            else
                store(y + k * SL_W, c_sigmoid_fast_of(a[0], 0, table));
        }
        return;
    }
    load_group(x, registers, n, a);
    if (c_sigmoid_fast_is_far(a, registers)) {
        SL_UNROLL
        for (size_t k = 0; k < registers; k++)
            a[k] = storable(c_sigmoid_fast_of(a[k], 1, table));
    } else {
        SL_UNROLL
        for (size_t k = 0; k < registers; k++)
            a[k] = c_sigmoid_fast_of(a[k], 0, table);
    }
    store_group(y, a, registers, n, nontemporal);
}

SL_NOINLINE void sigmoid_fast_part(const T *x, const T *dy, T *y, size_t n)
{
    sigmoid_fast_group(x, dy, y, 1, n, 0);
}

SL_STATIC void sigmoid_fast(const T *x, T *y, size_t n)
{
    map(sigmoid_fast_group, sigmoid_fast_part, x, x, y, n);
}

SL_INLINE void log_sigmoid_group(const T *x, const T *dy, T *y, size_t registers, size_t n, int nontemporal)
{
    c_tables tables = c_tables_load();
    reg a[GROUP];
    (void)dy;
    load_group(x, registers, n, a);
    SL_UNROLL
    for (size_t k = 0; k < registers; k++)
        a[k] = storable(c_log_sigmoid(a[k], tables));
    store_group(y, a, registers, n, nontemporal);
}

SL_NOINLINE void log_sigmoid_part(const T *x, const T *dy, T *y, size_t n)
{
    log_sigmoid_group(x, dy, y, 1, n, 0);
}

SL_STATIC void log_sigmoid(const T *x, T *y, size_t n)
{
    map(log_sigmoid_group, log_sigmoid_part, x, x, y, n);
}

SL_INLINE void sigmoid_backward_group(const T *x, const T *dy, T *y, size_t registers, size_t n,
                                      int nontemporal)
{
    reg a[GROUP], g[GROUP];
    load_group(x, registers, n, a);
    load_group(dy, registers, n, g);
    SL_UNROLL
    for (size_t k = 0; k < registers; k++)
        a[k] = storable(c_mul(g[k], c_mul(a[k], c_sub(c_set1(1), a[k]))));
    store_group(y, a, registers, n, nontemporal);
}

SL_NOINLINE void sigmoid_backward_part(const T *x, const T *dy, T *y, size_t n)
{
    sigmoid_backward_group(x, dy, y, 1, n, 0);
}

SL_STATIC void sigmoid_backward(const T *y, const T *dy, T *dx, size_t n)
{
    map(sigmoid_backward_group, sigmoid_backward_part, y, dy, dx, n);
}

SL_INLINE void log_sigmoid_backward_group(const T *x, const T *dy, T *y, size_t registers, size_t n,
                                          int nontemporal)
{
    c_tables tables = c_tables_load();
    reg a[GROUP], g[GROUP];
    load_group(x, registers, n, a);
    load_group(dy, registers, n, g);
    SL_UNROLL
    for (size_t k = 0; k < registers; k++)
        a[k] = c_sub(c_set1((num)-0.0), a[k]);
    if (c_sigmoid_is_wide(a, registers)) {
        reg lowest = c_set1(0), infinite = c_set1((num)-INFINITY), large = c_set1(c_largest_finite);
        SL_UNROLL
        for (size_t k = 0; k < registers; k++)
            lowest = c_min(a[k], lowest);
        if (c_any(c_eq(lowest, infinite))) /* an infinite gradient of 0 is 0, too */
            for (size_t k = 0; k < registers; k++) {
                reg finite = c_min(large, c_max(c_sub(c_set1((num)-0.0), large), g[k]));
                g[k] = c_select(c_eq(a[k], infinite), finite, g[k]);
            }
        SL_UNROLL
        for (size_t k = 0; k < registers; k++)
            a[k] = storable(c_times_scaled(g[k], c_sigmoid_of(a[k], 1, tables)));
    } else { /* the root is 1: twice less to scale back */
        SL_UNROLL
        for (size_t k = 0; k < registers; k++)
            a[k] = storable(c_mul(g[k], c_sigmoid_of(a[k], 0, tables).value));
    }
    store_group(y, a, registers, n, nontemporal);
}

SL_NOINLINE void log_sigmoid_backward_part(const T *x, const T *dy, T *y, size_t n)
{
    log_sigmoid_backward_group(x, dy, y, 1, n, 0);
}

SL_STATIC void log_sigmoid_backward(const T *x, const T *dy, T *dx, size_t n)
{
    map(log_sigmoid_backward_group, log_sigmoid_backward_part, x, dy, dx, n);
}

#endif
