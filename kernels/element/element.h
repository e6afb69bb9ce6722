/* SPDX-License-Identifier: MIT
 *
 * The unit's element type, SL_UNIT_TYPE: a name in a unit means this type. T is an element in memory. All is computed in reg
 * (arithmetic_f32.h or arithmetic_f64.h); load and store widen and round.
 *
 * Two registers together, load_two and store_two, are 2 SL_W neighbours in the order that costs least. For bf16 those
 * are the elements at even places and those at odd ones: each is half of a u32 in memory, and nothing needs to move to
 * another lane. What is stored so has no NaN but the canonical one; storable() sees to that where others may come.
 *
 * Of SL_POSITIONS elements, loaded so, register j and register j + SL_EXP_PARTS hold the same lanes after pair(), and
 * lanes_fold() (accumulator.h) knows which.
 *
 * store_exp and load_exp: registers as they are, in memory that belongs to elements.
 */
#ifndef SL_ELEMENT_ELEMENT_H
#define SL_ELEMENT_ELEMENT_H

#ifndef SL_UNIT_TYPE
#define SL_UNIT_TYPE f32 /* where a header is opened alone */
#endif

#include "isa/isa.h"

#include SL_TEXT(SL_UNIT_TYPE.h)
#if SL_IN_ORDER
#include "element/in_order.h"
#endif

#define SL_PARTS (SL_LANES / SL_W) /* registers that hold one element per lane */
#define SL_EXP_PARTS (SL_EXP_LANES / SL_W)

#define SL_POSITIONS (2 * SL_EXP_LANES) /* elements of which each lane has two */

/* Whether the registers of a block are done all at once, or one after the other: of f64 and of f16 without conversions by the CPU
 * each is work enough by itself. Plain C does two. */
#if defined(SL_SOFT_HALF) && defined(SL_IS_F16)
#define SL_UNROLL_PARTS SL_ROLLED
#elif SL_W == 4 && SL_F64
#define SL_UNROLL_PARTS SL_ROLLED
#elif SL_W == 1
#define SL_UNROLL_PARTS SL_UNROLL_2
#else
#define SL_UNROLL_PARTS SL_UNROLL
#endif

/* What is left of n elements after the first `done`. */
SL_INLINE size_t left(size_t n, size_t done) { return n > done ? n - done : 0; }
SL_INLINE size_t least(size_t a, size_t b) { return a < b ? a : b; }

#endif
