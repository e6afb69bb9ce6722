/* SPDX-License-Identifier: MIT
 *
 * XNNPACK's operators for floats. One is created for each width and kept; setting it up for a batch is part of what its
 * users pay for every call, and of what is timed.
 */
#include "peers.h"

#include <stdlib.h>
#include <xnnpack.h>

/* The last one, and for how many channels it was made. */
typedef struct {
    xnn_operator_t op;
    size_t channels;
} kept;

typedef enum xnn_status create(size_t channels, size_t input_stride, size_t output_stride, uint32_t flags,
                               xnn_operator_t *op);
typedef enum xnn_status set_up(xnn_operator_t op, size_t batch, const float *x, float *y, pthreadpool_t pool);

static void run(kept *k, create *make, set_up *set, size_t channels, size_t batch, const float *x, float *y)
{
    if (k->channels != channels) {
        if (k->op)
            xnn_delete_operator(k->op);
        if (xnn_initialize(NULL) != xnn_status_success ||
            make(channels, channels, channels, 0, &k->op) != xnn_status_success)
            abort();
        k->channels = channels;
    }
    if (set(k->op, batch, x, y, NULL) != xnn_status_success ||
        xnn_run_operator(k->op, NULL) != xnn_status_success)
        abort();
}

static void softmax(const float *x, float *y, sl_shape s)
{
    static kept k;
    run(&k, xnn_create_softmax_nc_f32, xnn_setup_softmax_nc_f32, s.classes, s.outer, x, y);
}

static void sigmoid(const float *x, float *y, size_t n)
{
    static kept k;
    run(&k, xnn_create_sigmoid_nc_f32, xnn_setup_sigmoid_nc_f32, n, 1, x, y);
}

const sl_kernels peer_xnnpack = {.isa = "xnnpack", .softmax_f32 = softmax, .sigmoid_f32 = sigmoid};
