/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in SVE with registers of 128 bits: 4 lanes.
 */
#ifndef SL_ISA_SVE128_H
#define SL_ISA_SVE128_H

#define SL_SVE_BITS 128

#include "isa/sve.h"

#endif
