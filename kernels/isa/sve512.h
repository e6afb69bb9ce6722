/* SPDX-License-Identifier: MIT
 *
 * The vocabulary in SVE with registers of 512 bits: 16 lanes.
 */
#ifndef SL_ISA_SVE512_H
#define SL_ISA_SVE512_H

#define SL_SVE_BITS 512

#include "isa/sve.h"

#endif
