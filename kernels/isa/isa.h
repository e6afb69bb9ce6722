/* SPDX-License-Identifier: MIT
 *
 * The unit's instruction set, SL_UNIT_ISA: its words, and its target region, which SL_CLOSE ends. Nothing, not even SL_W, where
 * the compiler builds for another architecture; SL_LEFT_OUT where it builds for this one without the row's flags.
 */
#ifndef SL_ISA_ISA_H
#define SL_ISA_ISA_H

#ifndef SL_UNIT_ISA
#define SL_UNIT_ISA scalar /* where a header is opened alone */
#endif

#include "vocab.h"

#include SL_TEXT(SL_UNIT_ISA.h)

#ifdef SL_W
_Static_assert(SL_LANES % SL_W == 0, "the virtual lanes must fill whole registers");
#endif

#endif
