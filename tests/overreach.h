/* SPDX-License-Identifier: MIT
 *
 * Whether guard pages can be trusted: a load must not touch what it does not load, but two of qemu's do.
 */
#ifndef OVERREACH_H
#define OVERREACH_H

#include "test_matrix.h"

/* Skips the test when this ISA uses a load with which this CPU, or what emulates it, reaches further than it
 * should: AVX2's masked loads beyond the mask, a fused multiply-add of one number beyond that number. */
void skip_where_loads_overreach(const isa *on);

#endif
