/* SPDX-License-Identifier: MIT
 *
 * Whether guard pages can be trusted: a masked load must not touch what its mask leaves out, but qemu's AVX2
 * does.
 */
#ifndef MASKED_LOAD_H
#define MASKED_LOAD_H

#include "ladder.h"

/* Skips the test when this ISA loads by mask and this CPU, or what emulates it, faults beyond the mask. */
void skip_where_masked_loads_fault(const isa *on);

#endif
