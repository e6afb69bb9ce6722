/* SPDX-License-Identifier: MIT
 *
 * softmax of rows of 16 bits that are too long for the first-level cache, not in place. Exponentials are numbers of 32 bits,
 * so that a row's need the room of two rows of results: they have that of the last two, until only one is left. Those of
 * the last row have its own, and the stack; what finds no room is computed again. Results are written behind the
 * exponentials that they are made of.
 */
#ifndef SL_REDUCE_HALF_ROWS_H
#define SL_REDUCE_HALF_ROWS_H

#include "reduce/exp_sum.h"

#define PER_EXP (sizeof(num) / sizeof(T)) /* of T for one exponential */

/* Whole blocks: of the first n_first exponentials, and of the others up to n. */
typedef struct {
    T *first, *second;
    size_t n_first, n;
} exp_room;

/* A row of n elements: y has room for `left`, `spare` for n_spare. */
SL_INLINE exp_room room_of(T *y, size_t left, T *spare, size_t n_spare, size_t n)
{
    exp_room room = {y + elements_to_line(y), spare + elements_to_line(spare), 0, 0};
    room.n_first = least((left - least(left, elements_to_line(y))) / PER_EXP, n) / SL_BLOCK * SL_BLOCK;
    room.n = room.n_first + least(n_spare / PER_EXP, n - room.n_first) / SL_BLOCK * SL_BLOCK;
    return room;
}

/* The room of the last one or two of `left` rows of y, and `spare`; of two rows that lie apart, theirs alone. */
SL_INLINE exp_room last_rows_room(T *y, size_t left, sl_shape s, T *spare, size_t n_spare)
{
    size_t last = least(left, 2), n = s.classes;
    T *first = y + (left - last) * pitch_out(s), *second = y + (left - 1) * pitch_out(s);
    if (last == 2 && pitch_out(s) != n)
        return room_of(first, n, second, n - least(n, elements_to_line(second)), n);
    return room_of(first, last * n, spare, n_spare, n);
}

SL_INLINE T *room_at(exp_room room, size_t i)
{
    return i < room.n_first ? room.first + PER_EXP * i : room.second + PER_EXP * (i - room.n_first);
}

/* Exponentials in memory that belongs to elements (exp_block, exp_sum.h). */
SL_INLINE void keep_in_room(void *e, size_t i, reg a) { store_exp((T *)e + PER_EXP * i, a); }

/* Of a row, with its exponentials for the room; returns its maximum. */
SL_INLINE num room_sum_of(row_reader *r, const T *x, exp_room room, c_frame frame, exp_options o,
                          c_row_acc *sum)
{
    exp_lanes lanes;
    T nowhere[PER_EXP * SL_BLOCK];
    c_vframe f = c_frame_set1(frame);
    exp_lanes_init(&lanes);
    for (size_t i = 0, n = r->n; i < n; i += SL_BLOCK) {
        prefetch_block(x + i, WRITES_BESIDE);
        exp_block(block_at(r, x, i, n), n - i, keep_in_room, i < room.n ? room_at(room, i) : nowhere, f, o,
                  &lanes);
    }
    *sum = lanes_fold(lanes.sum);
    return c_largest(lanes.max, SL_EXP_PARTS);
}

SL_NOINLINE num room_sum(row_reader *r, const T *x, exp_room room, c_frame frame, c_row_acc *sum)
{
    if (frame.shift == 0)
        return room_sum_of(r, x, room, frame, (exp_options){.pairwise = 1}, sum);
    return room_sum_of(r, x, room, frame, (exp_options){.shifted = 1, .pairwise = 1}, sum);
}

typedef struct {
    const T *next; /* the row that is to be prefetched, or NULL */
    int nontemporal;
} room_options;

SL_NOINLINE void room_times(const T *x, T *y, exp_room room, size_t n, c_frame frame, c_factor factor,
                            room_options o)
{
    c_vframe f = c_frame_set1(frame);
    size_t i = 0;
    for (; i < room.n; i += SL_BLOCK) {
        const T *e = room_at(room, i);
        if (o.next)
            __builtin_prefetch(o.next + i, 0, 2);
        SL_UNROLL
        for (size_t k = 0; k < SL_BLOCK; k += 2 * SL_W) {
            reg two[2] = {c_times(load_exp(e + PER_EXP * k), factor),
                          c_times(load_exp(e + PER_EXP * (k + SL_W)), factor)};
            put_two(y + i + k, two, o.nontemporal);
        }
    }
    SL_ROLLED
    for (; i < n; i += 2 * SL_W) {
        reg two[2];
        size_t rest = n - i;
        if (o.next && i % (SL_LINE / sizeof(T)) == 0)
            __builtin_prefetch(o.next + i, 0, 2);
        if (rest >= 2 * SL_W)
            load_two(x + i, two);
        else
            load_two_n(x + i, rest, (num)-INFINITY, two);
        SL_UNROLL
        for (size_t k = 0; k < 2; k++)
            two[k] = c_times(c_exp_in_frame(c_less_shift(two[k], f), f, c_exp_table_load()), factor);
        if (rest >= 2 * SL_W)
            put_two(y + i, two, o.nontemporal);
        else
            store_two_n(y + i, two, rest);
    }
}

/* Whether rows are done this way. */
SL_INLINE int are_half_rows(const T *x, const T *y, size_t classes)
{
    return sizeof(T) != sizeof(num) && classes > SCRATCH_BYTES / sizeof(num) &&
           (const void *)x != (const void *)y;
}

SL_NOINLINE void softmax_half_rows(const T *x, T *y, const sl_shape *shape, int safe)
{
    enum { SPARE = SCRATCH_BYTES / sizeof(T) };
    const size_t classes = shape->classes, in = pitch_in(*shape), out = pitch_out(*shape);
    T spare[SPARE + SL_LINE / sizeof(T)];
    row_reader reader;
    c_frame predicted = {0, 0};
    int nontemporal = rows_nontemporal(y, *shape);
    int far = sl_prefetches(shape->outer * classes * sizeof(T));
    row_reader_init(&reader, classes);
    for (size_t left = shape->outer; left > 0; left--, x += in, y += out) {
        exp_room room = last_rows_room(y, left, *shape, spare, SPARE);
        c_row_acc sum;
        c_frame used;
        do {
            used = predicted;
            predicted = c_frame_of(room_sum(&reader, x, room, used, &sum));
        } while (!c_frame_same(used, predicted));
        double s = c_row_value(sum);
        if (!(s > 0))
            fill_row(y, classes, safe && s == 0 ? 0 : (num)NAN);
        else /* not past the caches into the room, which is in them */
            room_times(x, y, room, classes, predicted, c_row_reciprocal(sum),
                       (room_options){.next = far ? x + in : NULL, .nontemporal = nontemporal && left > 2});
    }
    if (nontemporal)
        stream_end();
}

#endif
