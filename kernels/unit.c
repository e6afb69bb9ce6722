/* SPDX-License-Identifier: MIT
 *
 * All kernels of one instruction set and one element type: compiled for every row of isas.def and of dtypes.def, with
 *
 *   SL_UNIT_ISA    avx2, say: the words are those of isa/avx2.h
 *   SL_UNIT_TYPE   f32, say: what a name without a type means (element/element.h)
 *   SL_UNIT_NAME   what its functions are called by, if not by the instruction set
 *
 * Defines sl_<isa>_<kernel>_<type>, which unit_table.c collects, and shows nothing else. Empty where the compiler builds for
 * another architecture, or without the row's flags.
 */
#include "isa/isa.h"

#ifdef SL_W
#include "kernel/backward.h"
#include "kernel/bce.h"
#include "kernel/chosen.h"
#include "kernel/cross_entropy.h"
#include "kernel/cross_entropy_grad.h"
#include "kernel/log_softmax.h"
#include "kernel/logsumexp.h"
#include "kernel/maps.h"
#include "kernel/nll.h"
#include "kernel/partial.h"
#include "kernel/row_stats.h"
#include "kernel/softmax.h"
#include "kernel/softmax_with.h"

#include "unit.h"

/* A kernel, and leave() behind it on every way out. */
#define SL_KERNEL(name, sig, ...)                                                                            \
    void SL_UNIT_FUNCTION(name, SL_UNIT_TYPE) SL_PARAMS_##sig(T, num)                                        \
    {                                                                                                        \
        name SL_ARGS_##sig;                                                                                  \
        leave();                                                                                             \
    }
#if SL_F64 || SL_16_BITS
#define SL_F32_KERNEL(...)
#endif
#include "kernels.def"
#undef SL_KERNEL

SL_CLOSE
#else
typedef int sl_unit_of_another_architecture;
#endif
