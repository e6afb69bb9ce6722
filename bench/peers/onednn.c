/* SPDX-License-Identifier: MIT
 *
 * oneDNN's softmax, log-softmax and logistic function for inference, on plain row-major memory. A primitive is created
 * for each shape and kept; its arguments are set for every call, which is part of what is timed.
 */
#include "peers.h"

#include <dnnl.h>
#include <stdlib.h>
#include <string.h>

static void check(dnnl_status_t status)
{
    if (status != dnnl_success)
        abort();
}

static struct {
    dnnl_engine_t engine;
    dnnl_stream_t stream;
} cpu;

/* The last one, and the shape that it was made for. */
typedef struct {
    dnnl_primitive_t primitive;
    dnnl_memory_t x, y;
    sl_shape shape;
} kept;

static void make(kept *k, sl_shape s, dnnl_alg_kind_t algorithm)
{
    const dnnl_dims_t dims = {(dnnl_dim_t)s.outer, (dnnl_dim_t)s.classes};
    dnnl_memory_desc_t memory;
    dnnl_primitive_desc_t description;
    if (!cpu.engine) {
        check(dnnl_engine_create(&cpu.engine, dnnl_cpu, 0));
        check(dnnl_stream_create(&cpu.stream, cpu.engine, dnnl_stream_default_flags));
    }
    if (k->primitive) {
        dnnl_primitive_destroy(k->primitive);
        dnnl_memory_destroy(k->x);
        dnnl_memory_destroy(k->y);
    }
    check(dnnl_memory_desc_init_by_tag(&memory, 2, dims, dnnl_f32, dnnl_ab));
    if (algorithm == dnnl_eltwise_logistic) {
        dnnl_eltwise_desc_t eltwise;
        check(dnnl_eltwise_forward_desc_init(&eltwise, dnnl_forward_inference, algorithm, &memory, 0, 0));
        check(dnnl_primitive_desc_create(&description, &eltwise, NULL, cpu.engine, NULL));
    } else {
        dnnl_softmax_v2_desc_t softmax;
        check(dnnl_softmax_v2_forward_desc_init(&softmax, dnnl_forward_inference, algorithm, &memory, &memory,
                                                1));
        check(dnnl_primitive_desc_create(&description, &softmax, NULL, cpu.engine, NULL));
    }
    check(dnnl_primitive_create(&k->primitive, description));
    check(dnnl_primitive_desc_destroy(description));
    check(dnnl_memory_create(&k->x, &memory, cpu.engine, DNNL_MEMORY_NONE));
    check(dnnl_memory_create(&k->y, &memory, cpu.engine, DNNL_MEMORY_NONE));
    k->shape = s;
}

static void run(kept *k, sl_shape s, dnnl_alg_kind_t algorithm, const float *x, float *y)
{
    if (memcmp(&k->shape, &s, sizeof s) != 0)
        make(k, s, algorithm);
    check(dnnl_memory_set_data_handle(k->x, (void *)x));
    check(dnnl_memory_set_data_handle(k->y, y));
    const dnnl_exec_arg_t arguments[] = {{DNNL_ARG_SRC, k->x}, {DNNL_ARG_DST, k->y}};
    check(dnnl_primitive_execute(k->primitive, cpu.stream, 2, arguments));
    check(dnnl_stream_wait(cpu.stream));
}

static void softmax(const float *x, float *y, sl_shape s)
{
    static kept k;
    run(&k, s, dnnl_softmax_accurate, x, y);
}

static void log_softmax(const float *x, float *y, sl_shape s)
{
    static kept k;
    run(&k, s, dnnl_softmax_log, x, y);
}

static void sigmoid(const float *x, float *y, size_t n)
{
    static kept k;
    run(&k, (sl_shape){.outer = 1, .classes = n, .inner = 1}, dnnl_eltwise_logistic, x, y);
}

const sl_kernels peer_onednn = {
    .isa = "onednn", .softmax_f32 = softmax, .log_softmax_f32 = log_softmax, .sigmoid_f32 = sigmoid};
