/* SPDX-License-Identifier: MIT
 *
 * softmax of rows of 16 bits that are too long for the first-level cache, not in place. Exponentials are numbers of 32 bits,
 * so that a row's need the room of two rows of results: they have that of the last two, until only one is left. Those of
 * the last row have its own, and the stack; what finds no room is computed again. Results are written behind the
 * exponentials that they are made of.
 */
#ifndef SL_SCHEDULE_HALF_ROWS_H
#define SL_SCHEDULE_HALF_ROWS_H

#include "schedule/second_pass.h"

#define PER_EXP (sizeof(num) / sizeof(T)) /* of T for one exponential */

/* Whole blocks: of the first n_first exponentials, and of the others up to n. */
typedef struct {
    T *first, *second;
    size_t n_first, n;
} exp_room;

/* A row of n elements: y has room for `left`, `spare` for n_spare. */
SL_INLINE exp_room room_of(T *y, size_t left, T *spare, size_t n_spare, size_t n)
{
    exp_room room = {y + unaligned(y), spare + unaligned(spare), 0, 0};
    room.n_first = least((left - least(left, unaligned(y))) / PER_EXP, n) / SL_BLOCK * SL_BLOCK;
    room.n = room.n_first + least(n_spare / PER_EXP, n - room.n_first) / SL_BLOCK * SL_BLOCK;
    return room;
}

SL_INLINE T *room_at(exp_room room, size_t i)
{
    return i < room.n_first ? room.first + PER_EXP * i : room.second + PER_EXP * (i - room.n_first);
}

/* As exp_block (softmax.h); e as T. */
SL_INLINE void room_block(const T *x, T *e, size_t n, int full, int shifted, c_vframe f, c_exp_table table,
                          c_acc sum[SL_PARTS], reg max[SL_PARTS])
{
    reg at[2 * SL_PARTS];
    load_block(x, n, full, (num)-INFINITY, at);
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++) {
        reg a = at[j], b = at[j + SL_PARTS];
        max[j] = c_max(b, c_max(a, max[j]));
        a = c_exp_tried(a, shifted, f, table);
        b = c_exp_tried(b, shifted, f, table);
        if (e) {
            store_exp(e + PER_EXP * j * SL_W, a);
            store_exp(e + PER_EXP * (j + SL_PARTS) * SL_W, b);
        }
        pair(&a, &b);
        sum[j] = c_acc_add_pair(sum[j], a, b);
    }
}

/* Of a row, with its exponentials for the room; returns its maximum. */
SL_INLINE num room_sum(const T *x, exp_room room, size_t n, int shifted, c_frame frame, c_exp_table table,
                       c_row_acc *folded)
{
    c_acc sum[SL_PARTS];
    reg top[SL_PARTS];
    c_vframe f = c_frame_set1(frame);
    for (size_t j = 0; j < SL_PARTS; j++) {
        sum[j] = c_acc_zero();
        top[j] = c_set1((num)-INFINITY);
    }
    size_t i = 0;
    for (; i < room.n; i += SL_BLOCK) {
        look_ahead(x + i, 0);
        room_block(x + i, room_at(room, i), SL_BLOCK, 1, shifted, f, table, sum, top);
    }
    for (; i + SL_BLOCK <= n; i += SL_BLOCK) {
        look_ahead(x + i, 0);
        room_block(x + i, NULL, SL_BLOCK, 1, shifted, f, table, sum, top);
    }
    if (i < n)
        room_block(x + i, NULL, n - i, 0, shifted, f, table, sum, top);
    *folded = lanes_fold(sum);
    return c_largest(top, SL_PARTS);
}

/* far: the next row is fetched meanwhile. */
SL_INLINE void room_times(const T *x, T *y, exp_room room, size_t n, int far, int streaming, c_frame frame,
                          c_factor factor, c_exp_table table)
{
    c_vframe f = c_frame_set1(frame);
    for (size_t i = 0; i < n; i += 2 * SL_W) {
        reg two[2];
        size_t rest = n - i;
        if (far && i % (SL_LINE / sizeof(T)) == 0)
            __builtin_prefetch(x + n + i, 0, 2);
        if (i < room.n) {
            const T *e = room_at(room, i);
            two[0] = c_times(load_exp(e), factor);
            two[1] = c_times(load_exp(e + PER_EXP * SL_W), factor);
            put_two(y + i, two, streaming);
            continue;
        }
        if (rest >= 2 * SL_W)
            load_two(x + i, two);
        else
            load_two_n(x + i, rest, (num)-INFINITY, two);
        for (size_t k = 0; k < 2; k++)
            two[k] = c_times(c_exp_in_frame(c_less_shift(two[k], f), f, table), factor);
        if (rest >= 2 * SL_W)
            put_two(y + i, two, streaming);
        else
            store_two_n(y + i, two, rest);
    }
}

/* Whether the results' rows are whole lines, where they are to be stored past the caches. */
SL_INLINE int half_rows_stream(const T *y, size_t classes)
{
    return unaligned(y) == 0 && classes % (SL_LINE / sizeof(T)) == 0;
}

SL_NOINLINE void softmax_half_rows(const T *x, T *y, size_t rows, size_t classes, int safe, int streaming,
                                   c_exp_table table)
{
    enum { SPARE = 65536 / sizeof(T) };
    T spare[SPARE + SL_LINE / sizeof(T)];
    c_frame guess = {0, 0};
    int far = rows * classes * sizeof(T) > NEAR_BYTES;
    for (size_t left = rows; left > 0; left--, x += classes, y += classes) {
        size_t last = least(left, 2);
        exp_room room = room_of(y + (left - last) * classes, last * classes, spare, SPARE, classes);
        c_row_acc sum;
        c_frame tried;
        do {
            tried = guess;
            num max = tried.shift == 0 ? room_sum(x, room, classes, 0, tried, table, &sum)
                                       : room_sum(x, room, classes, 1, tried, table, &sum);
            guess = c_frame_of(max);
        } while (!c_frame_same(tried, guess));
        double s = c_row_value(sum);
        if (!(s > 0))
            fill_row(y, classes, safe && s == 0 ? 0 : (num)NAN);
        else if (streaming && left > 2) /* not into the room, which is in the caches */
            room_times(x, y, room, classes, far, 1, guess, c_row_reciprocal(sum), table);
        else
            room_times(x, y, room, classes, far, 0, guess, c_row_reciprocal(sum), table);
    }
    if (streaming)
        stream_end();
}

#endif
