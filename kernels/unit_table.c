/* SPDX-License-Identifier: MIT
 *
 * The table of one instruction set, sl_table_<isa>: what its units define. Compiled for every row of isas.def, with
 * SL_UNIT_ISA and SL_UNIT_NAME as unit.c. Empty but for its name where the row's compiler flags are missing.
 */
#include "isa/isa.h"

#ifdef SL_W
#include "unit.h"

#define SL_ENTRY(dt, T, L, name) .name##_##dt = SL_UNIT_FUNCTION(name, dt),

const sl_kernels SL_PASTE(sl_table, SL_UNIT_NAME) = {
    .isa = SL_TEXT(SL_UNIT_ISA),
    .needs = SL_NEEDS,
    .fma = SL_FMA,
#define SL_KERNEL(name, ...) SL_DTYPES(SL_ENTRY, name)
#define SL_F32_KERNEL(name, ...) SL_F32(SL_ENTRY, name)
#include "kernels.def"
#undef SL_KERNEL
};

SL_CLOSE
#elif defined(SL_LEFT_OUT)
#include "unit.h"

const sl_kernels SL_PASTE(sl_table, SL_UNIT_NAME) = {.isa = SL_TEXT(SL_UNIT_ISA)};
#else
typedef int sl_table_of_another_architecture;
#endif
