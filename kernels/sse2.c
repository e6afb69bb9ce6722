/* SPDX-License-Identifier: MIT */
#if defined(__x86_64__)
#define SL_UNIT sse2
#include "vocab.h"

#include "isa/sse2.h"

#include "all.inc"
#else
typedef int sl_unit_of_another_architecture;
#endif
