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

#include "schedule/rows.h"
#include "maths/lane_folds.h"
#include "maths/log1p.h"
#include "maths/sigmoid.h"
#include "maths/sigmoid_fast.h"

#define GROUP 4 /* registers */

/* y[i] = f(x[i], dy[i]) for GROUP registers, or for one of n <= SL_W elements. */
typedef void (*map_body)(const T *x, const T *dy, T *y, size_t registers, size_t n, int streaming);

SL_INLINE void load_group(const T *x, size_t registers, size_t n, reg a[GROUP])
{
    if (registers == 1)
        a[0] = load_n(x, n, 0);
    else
        for (size_t k = 0; k < GROUP; k += 2)
            load_two(x + k * SL_W, a + k);
}

SL_INLINE void store_group(T *y, const reg a[GROUP], size_t registers, size_t n, int streaming)
{
    if (registers == 1)
        store_n(y, a[0], n);
    else
        for (size_t k = 0; k < GROUP; k += 2)
            put_two(y + k * SL_W, a + k, streaming);
}

/* Fetches what comes AHEAD bytes after a group: x into the first level, what else is read, and where ordinary stores
 * will go. */
SL_INLINE void look_along(const T *x, const T *dy, const T *y)
{
    for (size_t line = 0; line < GROUP * SL_W * sizeof *x; line += SL_LINE) {
        __builtin_prefetch((const char *)x + AHEAD + line, 0, 3);
        if (dy != x)
            __builtin_prefetch((const char *)dy + AHEAD + line, 0, 2);
        if (y != x && y != dy)
            __builtin_prefetch((const char *)y + AHEAD + line, 1, 2);
    }
}

SL_INLINE void map(map_body body, const T *x, const T *dy, T *y, size_t n)
{
    size_t i = 0;
    if (streams(y, n)) {
        size_t first = least(n, unaligned(y));
        for (; i < first; i += SL_W)
            body(x + i, dy + i, y + i, 1, least(SL_W, first - i), 0);
        for (i = first; i + GROUP * SL_W <= n; i += GROUP * SL_W) {
            look_along(x + i, dy + i, x + i);
            body(x + i, dy + i, y + i, GROUP, SL_W, 1);
        }
        stream_end();
    }
    int far = n * sizeof(T) > NEAR_BYTES;
    for (; i + GROUP * SL_W <= n; i += GROUP * SL_W) {
        if (far)
            look_along(x + i, dy + i, y + i);
        body(x + i, dy + i, y + i, GROUP, SL_W, 0);
    }
    for (; i < n; i += SL_W)
        body(x + i, dy + i, y + i, 1, least(SL_W, n - i), 0);
}

SL_INLINE void sigmoid_group(const T *x, const T *dy, T *y, size_t registers, size_t n, int streaming)
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
    store_group(y, a, registers, n, streaming);
}

SL_STATIC void sigmoid(const T *x, T *y, size_t n) { map(sigmoid_group, x, x, y, n); }

SL_INLINE void sigmoid_fast_group(const T *x, const T *dy, T *y, size_t registers, size_t n, int streaming)
{
    c_fast_table table = c_fast_table_load();
    reg a[GROUP];
    (void)dy;
    /* So little work that waiting for the whole group costs 3 %. */
    if (SL_IN_ORDER && registers == GROUP && !streaming) {
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
    store_group(y, a, registers, n, streaming);
}

SL_STATIC void sigmoid_fast(const T *x, T *y, size_t n) { map(sigmoid_fast_group, x, x, y, n); }

SL_INLINE void log_sigmoid_group(const T *x, const T *dy, T *y, size_t registers, size_t n, int streaming)
{
    c_tables tables = c_tables_load();
    reg a[GROUP];
    (void)dy;
    load_group(x, registers, n, a);
    SL_UNROLL
    for (size_t k = 0; k < registers; k++)
        a[k] = storable(c_log_sigmoid(a[k], tables));
    store_group(y, a, registers, n, streaming);
}

SL_STATIC void log_sigmoid(const T *x, T *y, size_t n) { map(log_sigmoid_group, x, x, y, n); }

SL_INLINE void sigmoid_backward_group(const T *x, const T *dy, T *y, size_t registers, size_t n,
                                      int streaming)
{
    reg a[GROUP], g[GROUP];
    load_group(x, registers, n, a);
    load_group(dy, registers, n, g);
    for (size_t k = 0; k < registers; k++)
        a[k] = storable(c_mul(g[k], c_mul(a[k], c_sub(c_set1(1), a[k]))));
    store_group(y, a, registers, n, streaming);
}

SL_STATIC void sigmoid_backward(const T *y, const T *dy, T *dx, size_t n)
{
    map(sigmoid_backward_group, y, dy, dx, n);
}

SL_INLINE void log_sigmoid_backward_group(const T *x, const T *dy, T *y, size_t registers, size_t n,
                                          int streaming)
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
    store_group(y, a, registers, n, streaming);
}

SL_STATIC void log_sigmoid_backward(const T *x, const T *dy, T *dx, size_t n)
{
    map(log_sigmoid_backward_group, x, dy, dx, n);
}

#endif
