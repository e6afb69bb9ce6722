/* SPDX-License-Identifier: MIT */
#if defined(__x86_64__)
#define SL_UNIT avx512
#include "vocab.h"

#include "isa/avx512.h"

#include "all.inc"
#else
typedef int sl_unit_of_another_architecture;
#endif
