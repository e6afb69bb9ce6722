/* SPDX-License-Identifier: MIT
 *
 * The sum of a stream of losses, in f64 (f64: compensated) and in an order that depends on their number alone:
 * chunks of TOTAL_CHUNK, inside a chunk SL_LANES lanes (element i belongs to lane i mod SL_LANES) folded by
 * halves, chunk sums added in order. Whoever splits the rows between threads at multiples of TOTAL_CHUNK gets
 * the same bits.
 */
#ifndef SL_MATHS_TOTAL_H
#define SL_MATHS_TOTAL_H

#include "maths/accumulator.h"

#define TOTAL_CHUNK 512

typedef struct {
    c_acc sum;  /* of the chunks so far */
    size_t n;   /* losses held */
    int scaled; /* whether the sum is 2^64 too small: f64 losses may have a mean where they have no sum */
    num held[TOTAL_CHUNK + SL_W];
} total;

SL_INLINE void total_zero(total *t)
{
    t->sum = c_acc_zero();
    t->n = 0;
    t->scaled = 0;
}

enum { UNSCALED, SCALED };

SL_INLINE c_acc total_with_chunk(const total *t, size_t n, int scaled)
{
    c_acc lane[SL_PARTS];
    SL_UNROLL
    for (size_t j = 0; j < SL_PARTS; j++)
        lane[j] = c_acc_zero();
    for (size_t i = 0; i < n; i += SL_LANES) {
        SL_UNROLL
        for (size_t j = 0; j < SL_PARTS; j++) {
            vw loss = c_widen(c_load(t->held + i + j * SL_W));
            lane[j] = c_acc_add(lane[j], scaled ? w_mul(loss, w_set1(0x1p-64)) : loss);
        }
    }
    return c_acc_merge(t->sum, c_acc_fold(lane));
}

/* Whether the sum and n losses are below 2^1000: then the sum of all of them stays in range. */
SL_INLINE int total_is_small(const total *t, size_t n)
{
    vw top = w_abs(c_acc_value(t->sum));
    for (size_t i = 0; i < n; i += SL_W)
        top = w_max(top, w_abs(c_widen(c_load(t->held + i))));
    return wm_all(w_lt(top, w_set1(0x1p1000)));
}

/* A sum that may leave the range goes on 2^-64 as large, from before the chunk that might make it do so. In f64 f32 losses
 * never do. */
SL_NOINLINE void total_add_chunk(total *t, size_t n)
{
    for (; n % SL_LANES; n++)
        t->held[n] = 0;
    if (sizeof(num) == sizeof(double) && !t->scaled && !total_is_small(t, n)) {
        t->scaled = 1;
        t->sum = c_acc_times(t->sum, w_set1(0x1p-64));
    }
    t->sum = t->scaled ? total_with_chunk(t, n, SCALED) : total_with_chunk(t, n, UNSCALED);
}

/* The next n <= SL_W losses. */
SL_INLINE void total_push(total *t, reg loss, size_t n)
{
    c_store(t->held + t->n, loss);
    t->n += n;
    if (t->n >= TOTAL_CHUNK) {
        total_add_chunk(t, TOTAL_CHUNK);
        t->n -= TOTAL_CHUNK;
        c_store(t->held, c_load(t->held + TOTAL_CHUNK));
    }
}

/* The sum of all over the divisor. */
SL_INLINE double total_over(total *t, double divisor)
{
    if (t->n)
        total_add_chunk(t, t->n);
    t->n = 0;
    /* one product, of which clang forms no other that may overflow */
    return first_lane(c_acc_value(t->sum)) / divisor * (t->scaled ? 0x1p64 : 1);
}

/* What a loss is divided by: of a mean the caller's divisor, or `count`, if that is not 0 or shall be NaN. */
SL_INLINE double c_divisor(const sl_loss_options *o, double count)
{
    return o->reduction != SL_MEAN ? 1 : o->divisor > 0 ? o->divisor : count;
}

/* A mean over nothing, whatever has been added up: NaN, or 0. */
SL_INLINE double c_mean_of_nothing(const sl_loss_options *o)
{
    return o->flags & SL_EMPTY_MEAN_ZERO ? 0 : (double)NAN;
}

/* The reduced loss: NaN canonical. */
SL_INLINE num reduced(const sl_loss_options *o, total *losses, double divisor)
{
    double loss = divisor == 0 ? c_mean_of_nothing(o) : total_over(losses, divisor);
    return loss == loss ? (num)loss : (num)NAN;
}

/* Of rows without classes, each of which costs 0; `count` of them count in a mean. */
SL_NOINLINE void loss_of_no_classes(const sl_loss_options *o, size_t rows, size_t count, num *loss)
{
    total nothing;
    total_zero(&nothing);
    if (loss && o->reduction != SL_NONE)
        *loss = reduced(o, &nothing, c_divisor(o, (double)(int64_t)count));
    for (size_t r = 0; loss && o->reduction == SL_NONE && r < rows; r++)
        loss[r] = 0;
}

/* What every gradient is multiplied by, except the upstream gradient of a single loss. */
SL_INLINE double c_gradient_scale(const sl_loss_options *o, double divisor)
{
    double upstream = o->upstream && o->reduction != SL_NONE ? *(const num *)o->upstream : 1;
    return divisor == 0 ? c_mean_of_nothing(o) : upstream / divisor;
}

/* That of n <= SL_W losses from `first` on: scale times their own upstream gradients. */
SL_INLINE vw c_upstream_of(const sl_loss_options *o, double scale, size_t first, size_t n)
{
    if (!o->upstream || o->reduction != SL_NONE)
        return w_set1(scale);
    return w_mul(w_set1(scale), c_widen(c_load_n((const num *)o->upstream + first, n, 0)));
}

/* That of one. */
SL_INLINE double upstream_of_one(const sl_loss_options *o, double scale, size_t i)
{
    return o->upstream && o->reduction == SL_NONE ? scale * (double)((const num *)o->upstream)[i] : scale;
}

#endif
