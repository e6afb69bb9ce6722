/* SPDX-License-Identifier: MIT
 *
 * What is computed in: f32. reg, mask and num are a register, its truth values and a number; c_add is the word v_add.
 */
#ifndef SL_ELEMENT_ARITHMETIC_F32_H
#define SL_ELEMENT_ARITHMETIC_F32_H

#include "isa/isa.h"

#define SL_F64 0

/* The lanes of sums of exponentials (vocab.h), and the elements of a block. */
#if SL_FMA
#define SL_EXP_LANES SL_LANES
#define SL_BLOCK 32
#else
#define SL_EXP_LANES 4
#define SL_BLOCK 16
#endif

typedef vf reg;
typedef vm mask;
typedef float num;

#define c_largest_finite 0x1.fffffep127f
#define c_set1 v_set1
#define c_load v_load
#define c_store v_store
#define c_load_n v_load_n
#define c_store_n v_store_n
#define c_load_transposed v_load_transposed
#define c_store_transposed v_store_transposed
#define c_add v_add
#define c_sub v_sub
#define c_mul v_mul
#define c_div v_div
#define c_fma v_fma
#define c_fnma v_fnma
#define c_min v_min
#define c_max v_max
#define c_at_most v_at_most
#define c_larger v_larger
#define c_abs v_abs
#define c_fold_max v_fold_max
#define c_lt v_lt
#define c_le v_le
#define c_eq v_eq
#define c_nlt v_nlt
#define c_nle v_nle
#define c_or m_or
#define c_andnot m_andnot
#define c_any m_any
#define c_all m_all
#define c_count m_count
#define c_select v_select
#define c_keep v_keep
#define c_widen v_widen
#define c_narrow v_narrow

/* The largest lane of each of SL_W registers, neighbours first. */
SL_INLINE vf c_fold_max_of_each(vf part[SL_W])
{
    SL_UNROLL_ALL
    for (size_t n = SL_W; n > 1; n /= 2) {
        SL_UNROLL_ALL
        for (size_t l = 0; l < n / 2; l++) {
            vf a = part[2 * l], b = part[2 * l + 1];
            part[l] = v_max(v_evens(a, b), v_odds(a, b));
        }
    }
    return part[0];
}

#endif
