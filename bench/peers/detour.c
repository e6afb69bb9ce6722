/* SPDX-License-Identifier: MIT
 *
 * What a caller writes who has softlane's other functions only: softmax and a loop of its own over the result, which scales it and
 * takes 1 from the target's entry. Always there, beside libm.
 */
#include "peers.h"

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
    .cross_entropy_grad_f32 = cross_entropy_grad,
    .cross_entropy_shard_grad_f32 = cross_entropy_shard_grad,
};
