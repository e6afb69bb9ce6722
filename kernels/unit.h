/* SPDX-License-Identifier: MIT
 *
 * What a unit's functions are called, and their prototypes for every element type.
 */
#ifndef SL_UNIT_H
#define SL_UNIT_H

#include "isa/isa.h"

#ifndef SL_UNIT_NAME
#define SL_UNIT_NAME SL_UNIT_ISA
#endif

#define SL_UNIT_FUNCTION(kernel, type) SL_PASTE(SL_PASTE(SL_PASTE(sl, SL_UNIT_NAME), kernel), type)

#define SL_PROTOTYPE(dt, T, L, name, sig) void SL_UNIT_FUNCTION(name, dt) SL_PARAMS_##sig(T, L);
#define SL_KERNEL(name, sig, ...) SL_DTYPES(SL_PROTOTYPE, name, sig)
#define SL_F32_KERNEL(name, sig, ...) SL_F32(SL_PROTOTYPE, name, sig)
#include "kernels.def"
#undef SL_KERNEL
#undef SL_PROTOTYPE

#endif
