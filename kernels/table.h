/* SPDX-License-Identifier: MIT
 *
 * What the two manifests mean to C: parameter lists, architectures, the tables' names; and the proof, at
 * compile time, that the hand-written public header says the same as the manifests.
 */
#ifndef SL_TABLE_H
#define SL_TABLE_H

#include "softlane.h"

/* Parameter lists by signature; T is the element type, L the loss type. */
#define SL_PARAMS_MAP(T, L) (const T *x, T *y, size_t n)
#define SL_PARAMS_ROW_MAP(T, L) (const T *x, T *y, sl_shape shape)
#define SL_PARAMS_ROW_FOLD(T, L) (const T *x, L *lse, sl_shape shape)
#define SL_PARAMS_CLASS_LOSS(T, L)                                                                           \
    (const T *logits, const int64_t *target, sl_shape shape, const sl_loss_options *options, L *loss, T *grad)
#define SL_PARAMS_SOFT_LOSS(T, L)                                                                            \
    (const T *logits, const T *target, sl_shape shape, const sl_loss_options *options, L *loss, T *grad)

/* Architectures: the second column of isas.def, 1 where the row is built. */
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
#define SL_ANY 1

/* One table per ISA, each defined by its unit <name>.c and by nothing else. */
#define SL_ISA(name, arch) extern const sl_kernels sl_table_##name;
#include "isas.def"
#undef SL_ISA

/* The table's slot and the public function of every row exist and have the row's parameters. */
#define SL_KERNEL(name, sig, ...)                                                                            \
    _Static_assert(                                                                                          \
        _Generic(((sl_kernels *)0)->name##_f32, void(*) SL_PARAMS_##sig(float, float) : 1, default : 0),     \
        "sl_kernels." #name "_f32 differs from kernels.def");                                                \
    _Static_assert(_Generic(&sl_##name##_f32, sl_status(*) SL_PARAMS_##sig(float, float) : 1, default : 0),  \
                   "sl_" #name "_f32 differs from kernels.def");
#include "kernels.def"
#undef SL_KERNEL

/* ... and the table has no other slot. */
enum {
#define SL_KERNEL(name, sig, ...) SL_COUNT_##name,
#include "kernels.def"
#undef SL_KERNEL
    SL_KERNEL_COUNT
};
_Static_assert(sizeof(sl_kernels) - offsetof(sl_kernels, softmax_f32) ==
                   SL_KERNEL_COUNT * sizeof(void (*)(void)),
               "sl_kernels has a slot that kernels.def does not know");

#endif
