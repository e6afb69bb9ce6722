/* SPDX-License-Identifier: MIT */
#define SL_UNIT scalar
#include "vocab.h"

#include "isa/scalar.h"

#include "all.inc"
