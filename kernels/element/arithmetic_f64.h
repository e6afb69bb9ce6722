/* SPDX-License-Identifier: MIT
 *
 * What is computed in: f64. reg, mask and num are a register, its truth values and a number; c_add is the word w_add.
 */
#ifndef SL_ELEMENT_ARITHMETIC_F64_H
#define SL_ELEMENT_ARITHMETIC_F64_H

#include "isa/isa.h"

#define SL_F64 1

#define SL_EXP_LANES SL_LANES
#define SL_BLOCK 32

typedef vw reg;
typedef wm mask;
typedef double num;

#define c_largest_finite 0x1.fffffffffffffp1023
#define c_set1 w_set1
#define c_load w_load
#define c_store w_store
#define c_load_n w_load_n
#define c_store_n w_store_n
#define c_load_transposed w_load_transposed
#define c_store_transposed w_store_transposed
#define c_add w_add
#define c_sub w_sub
#define c_mul w_mul
#define c_div w_div
#define c_fma w_fma
#define c_fnma w_fnma
#define c_min w_min
#define c_max w_max
#define c_at_most w_at_most
#define c_larger w_larger
#define c_abs w_abs
#define c_fold_max w_fold_max
#define c_lt w_lt
#define c_le w_le
#define c_eq w_eq
#define c_nlt w_nlt
#define c_nle w_nle
#define c_or wm_or
#define c_andnot wm_andnot
#define c_any wm_any
#define c_all wm_all
#define c_count wm_count
#define c_select w_select
#define c_keep w_keep

SL_INLINE vw c_widen(vw a) { return a; }
SL_INLINE vw c_narrow(vw a) { return a; }

/* The largest lane of each of SL_W registers, neighbours first. */
SL_INLINE vw c_fold_max_of_each(const vw part[SL_W])
{
    double lane[SL_W];
    SL_UNROLL_ALL
    for (size_t l = 0; l < SL_W; l++)
        lane[l] = w_fold_max(part[l]);
    return w_load(lane);
}

#endif
