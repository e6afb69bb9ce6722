/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in SVE with registers of 256 bits: 8 lanes.
 */
#ifndef SL_ISA_SVE256_H
#define SL_ISA_SVE256_H

#define SL_SVE_BITS 256

#include "isa/sve.h"

#endif
