/* SPDX-License-Identifier: MIT
 *
 * What the kernels for rows in shards, gradients by themselves, chosen classes and wider results save: the same by the other functions of softlane, and
 * the loops that their callers had to write. Scratch is static: one thread at a time.
 */
#include "peers.h"

#include <stdlib.h>

static void softmax_stats_rows(const float *x, const int64_t *target, sl_shape s, sl_stats *stats)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes) {
        sl_softmax_stats_f32(x, s.classes, &stats[r]);
        if (target && (uint64_t)target[r] < s.classes)
            stats[r].target = x[target[r]];
    }
}

/* Room for the log-probabilities of all classes. */
static float *room_for(size_t n)
{
    static float *room;
    static size_t size;
    if (n > size) {
        free(room);
        room = malloc(n * sizeof *room);
        size = n;
    }
    return room;
}

static void log_softmax_at(const float *x, sl_shape s, const int64_t *ids, size_t k, float *y)
{
    float *all = room_for(s.outer * s.classes);
    sl_log_softmax_f32(x, all, s);
    for (size_t i = 0; i < s.outer * k; i++)
        y[i] = all[i / k * s.classes + (size_t)ids[i]];
}

/* By insertion, as for small k. */
static void log_softmax_top(const float *x, sl_shape s, size_t k, float *y, int64_t *ids)
{
    float *all = room_for(s.outer * s.classes);
    sl_log_softmax_f32(x, all, s);
    for (size_t r = 0; r < s.outer; r++, y += k, ids += k, all += s.classes)
        for (size_t c = 0, n = 0; c < s.classes; c++) {
            if (n == k && !(all[c] > y[k - 1]))
                continue;
            size_t i = n < k ? n++ : k - 1;
            for (; i > 0 && y[i - 1] < all[c]; i--) {
                y[i] = y[i - 1];
                ids[i] = ids[i - 1];
            }
            y[i] = all[c];
            ids[i] = (int64_t)c;
        }
}

static void widen(const sl_bf16 *x, float *y, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const union {
            uint32_t bits;
            float value;
        } one = {.bits = (uint32_t)x[i].bits << 16};
        y[i] = one.value;
    }
}

static void softmax_wide(const sl_bf16 *x, float *y, sl_shape s)
{
    widen(x, y, s.outer * s.classes);
    sl_softmax_f32(y, y, s);
}

static void log_softmax_wide(const sl_bf16 *x, float *y, sl_shape s)
{
    widen(x, y, s.outer * s.classes);
    sl_log_softmax_f32(y, y, s);
}

static void sigmoid_wide(const sl_bf16 *x, float *y, size_t n)
{
    widen(x, y, n);
    sl_sigmoid_f32(y, y, n);
}

/* y = (y - [c == target]) u */
static void finish(float *y, size_t n, int64_t target, float u)
{
    for (size_t i = 0; i < n; i++)
        y[i] *= u;
    if ((uint64_t)target < n)
        y[target] -= u;
}

static float upstream(sl_shape s, const sl_loss_options *o)
{
    return o->reduction == SL_MEAN ? 1 / (float)s.outer : 1;
}

static void cross_entropy_grad(const float *x, const int64_t *target, sl_shape s, const sl_loss_options *o,
                               const float *lse, float *grad)
{
    (void)lse; /* there is no function that takes it */
    (void)sl_softmax_f32(x, grad, s);
    for (size_t r = 0; r < s.outer; r++)
        finish(grad + r * s.classes, s.classes, target[r], upstream(s, o));
}

static void cross_entropy_shard_grad(const float *x, const int64_t *target, sl_shape s, sl_shard shard,
                                     const sl_loss_options *o, const sl_stats *stats, float *grad)
{
    for (size_t r = 0; r < s.outer; r++, x += s.classes, grad += s.classes) {
        (void)sl_softmax_apply_f32(x, grad, s.classes, &stats[r]);
        finish(grad, s.classes, target[r] - (int64_t)shard.first, upstream(s, o));
    }
}

const sl_kernels peer_detour = {
    .isa = "detour",
    .softmax_stats_rows_f32 = softmax_stats_rows,
    .log_softmax_at_f32 = log_softmax_at,
    .log_softmax_top_f32 = log_softmax_top,
    .softmax_wide_bf16 = softmax_wide,
    .log_softmax_wide_bf16 = log_softmax_wide,
    .sigmoid_wide_bf16 = sigmoid_wide,
    .cross_entropy_grad_f32 = cross_entropy_grad,
    .cross_entropy_shard_grad_f32 = cross_entropy_shard_grad,
};
