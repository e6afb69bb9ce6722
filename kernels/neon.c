/* SPDX-License-Identifier: MIT */
#if defined(__aarch64__)
#define SL_UNIT neon
#include "vocab.h"

#include "isa/neon.h"

#include "all.inc"
#else
typedef int sl_unit_of_another_architecture;
#endif
