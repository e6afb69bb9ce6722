/* SPDX-License-Identifier: MIT
 *
 * What the manifests mean to C: parameter lists, architectures, the tables' names; and the proof, at
 * compile time, that the hand-written public header says the same as the manifests.
 */
#ifndef SL_TABLE_H
#define SL_TABLE_H

#include "arithmetic.h"
#include "dtypes.def"
#include "softlane.h"

/* Parameter lists by signature; T is the element type, L the loss type. */
#define SL_PARAMS_MAP(T, L) (const T *x, T *y, size_t n)
#define SL_PARAMS_MAP_BACKWARD(T, L) (const T *a, const T *dy, T *dx, size_t n)
#define SL_PARAMS_ROW_MAP(T, L) (const T *x, T *y, sl_shape shape)
#define SL_PARAMS_ROW_OPTIONS(T, L) (const T *x, T *y, sl_shape shape, const sl_softmax_options *options)
#define SL_PARAMS_ROW_BACKWARD(T, L) (const T *y, const T *dy, T *dx, sl_shape shape)
#define SL_PARAMS_ROW_FOLD(T, L) (const T *x, L *lse, sl_shape shape)
#define SL_PARAMS_CLASS_LOSS(T, L)                                                                           \
    (const T *x, const int64_t *target, sl_shape shape, const sl_loss_options *options, L *loss, T *grad)
#define SL_PARAMS_PROB_LOSS(T, L)                                                                            \
    (const T *x, const T *target, sl_shape shape, const sl_loss_options *options, L *loss, T *grad)
#define SL_PARAMS_ELEMENT_LOSS(T, L) SL_PARAMS_PROB_LOSS(T, L)
#define SL_PARAMS_CLASS_GRAD(T, L)                                                                           \
    (const T *x, const int64_t *target, sl_shape shape, const sl_loss_options *options, const L *lse, T *grad)
#define SL_PARAMS_SHARD_GRAD(T, L)                                                                           \
    (const T *x, const int64_t *target, sl_shape shape, sl_shard shard, const sl_loss_options *options,      \
     const sl_stats *stats, T *grad)
#define SL_PARAMS_STATS(T, L) (const T *x, size_t n, sl_stats *stats)
#define SL_PARAMS_STATS_ROWS(T, L) (const T *x, const int64_t *target, sl_shape shape, sl_stats *stats)
#define SL_PARAMS_ROW_AT(T, L) (const T *x, sl_shape shape, const int64_t *ids, size_t k, L *y)
#define SL_PARAMS_ROW_TOP(T, L) (const T *x, sl_shape shape, size_t k, L *y, int64_t *ids)
#define SL_PARAMS_ROW_WIDE(T, L) (const T *x, L *y, sl_shape shape)
#define SL_PARAMS_MAP_WIDE(T, L) (const T *x, L *y, size_t n)
#define SL_PARAMS_APPLY(T, L) (const T *x, T *y, size_t n, const sl_stats *stats)

/* The same as arguments of what a unit's function calls. A shape is passed by its address: a copy of one that has just been stored
 * waits. */
#define SL_ARGS_MAP (x, y, n)
#define SL_ARGS_MAP_BACKWARD (a, dy, dx, n)
#define SL_ARGS_ROW_MAP (x, y, &shape)
#define SL_ARGS_ROW_OPTIONS (x, y, &shape, options)
#define SL_ARGS_ROW_BACKWARD (y, dy, dx, &shape)
#define SL_ARGS_ROW_FOLD (x, lse, &shape)
#define SL_ARGS_CLASS_LOSS (x, target, &shape, options, loss, grad)
#define SL_ARGS_PROB_LOSS SL_ARGS_CLASS_LOSS
#define SL_ARGS_ELEMENT_LOSS SL_ARGS_CLASS_LOSS
#define SL_ARGS_CLASS_GRAD (x, target, &shape, options, lse, grad)
#define SL_ARGS_SHARD_GRAD (x, target, &shape, shard, options, stats, grad)
#define SL_ARGS_STATS (x, n, stats)
#define SL_ARGS_STATS_ROWS (x, target, &shape, stats)
#define SL_ARGS_ROW_AT (x, &shape, ids, k, y)
#define SL_ARGS_ROW_TOP (x, &shape, k, y, ids)
#define SL_ARGS_ROW_WIDE SL_ARGS_ROW_MAP
#define SL_ARGS_MAP_WIDE SL_ARGS_MAP
#define SL_ARGS_APPLY (x, y, n, stats)

/* Architectures: the second column of isas.def, 1 where this is it. */
#if defined(__x86_64__)
#define SL_X86_64 1
#else
#define SL_X86_64 0
#endif
#if defined(__aarch64__)
#define SL_AARCH64 1
#else
#define SL_AARCH64 0
#endif
#if defined(__riscv) && __riscv_xlen == 64
#define SL_RISCV64 1
#else
#define SL_RISCV64 0
#endif
#if defined(__wasm32__)
#define SL_WASM32 1
#else
#define SL_WASM32 0
#endif
#define SL_ANY 1

/* One table per ISA, each defined by unit_table.c. */
#define SL_ISA(name, ...) extern const sl_kernels sl_table_##name;
#include "isas.def"
#undef SL_ISA

/* The table's slot and the public function of every kernel and element type exist and have the parameters
 * that its row says. */
#define SL_CHECK(dt, T, L, name, sig)                                                                        \
    _Static_assert(_Generic(((sl_kernels *)0)->name##_##dt, void(*) SL_PARAMS_##sig(T, L) : 1, default : 0), \
                   "sl_kernels." #name "_" #dt " differs from kernels.def");                                 \
    _Static_assert(_Generic(&sl_##name##_##dt, sl_status(*) SL_PARAMS_##sig(T, L) : 1, default : 0),         \
                   "sl_" #name "_" #dt " differs from kernels.def");
#define SL_KERNEL(name, sig, ...) SL_DTYPES(SL_CHECK, name, sig)
#define SL_F32_KERNEL(name, sig, ...) SL_F32(SL_CHECK, name, sig)
#include "kernels.def"
#undef SL_KERNEL
#undef SL_CHECK

/* ... and the table has no other slot. */
enum {
#define SL_KERNEL(name, sig, ...) SL_COUNT_##name,
#include "kernels.def"
#undef SL_KERNEL
    SL_KERNEL_COUNT
};
enum {
#define SL_COUNT(dt, ...) SL_COUNT_##dt,
    SL_DTYPES(SL_COUNT, )
#undef SL_COUNT
        SL_DTYPE_COUNT
};
/* A slot is a kernel in an element type. */
#define SL_SLOT(name, dt) ((size_t)SL_COUNT_##name * SL_DTYPE_COUNT + SL_COUNT_##dt)
enum {
    SL_SLOT_COUNT = 0
#define SL_KERNEL(...) +SL_DTYPE_COUNT
#define SL_F32_KERNEL(...) +1
#include "kernels.def"
#undef SL_KERNEL
};
_Static_assert((int)SL_SLOT_COUNT > (int)(SL_KERNEL_COUNT - 1) * (int)SL_DTYPE_COUNT,
               "kernels.def: rows that are of f32 alone leave slots empty");
_Static_assert(sizeof(sl_kernels) - offsetof(sl_kernels, softmax_f32) ==
                   SL_SLOT_COUNT * sizeof(void (*)(void)),
               "sl_kernels has a slot that the manifests do not know");

#endif
