/* SPDX-License-Identifier: MIT
 *
 * A word on {lo, hi} pairs of registers from an expression for one register, so that a paired word is one
 * line of its ISA header:
 *
 *   SL_PAIRED_2(result type, word, type of a, type of b, expression in a and b)
 *
 * The header undefines these macros after its last word.
 */
#ifndef SL_ISA_PAIR_H
#define SL_ISA_PAIR_H

#include "vocab.h"

#define SL_HALF(T) __typeof__(((T *)0)->lo)

#define SL_PAIRED_1(R, word, A, expression)                                                                  \
    SL_INLINE SL_HALF(R) word##_half(SL_HALF(A) a) { return expression; }                                    \
    SL_INLINE R word(A a) { return (R){word##_half(a.lo), word##_half(a.hi)}; }

#define SL_PAIRED_2(R, word, A, B, expression)                                                               \
    SL_INLINE SL_HALF(R) word##_half(SL_HALF(A) a, SL_HALF(B) b) { return expression; }                      \
    SL_INLINE R word(A a, B b) { return (R){word##_half(a.lo, b.lo), word##_half(a.hi, b.hi)}; }

#define SL_PAIRED_3(R, word, A, B, C, expression)                                                            \
    SL_INLINE SL_HALF(R) word##_half(SL_HALF(A) a, SL_HALF(B) b, SL_HALF(C) c) { return expression; }        \
    SL_INLINE R word(A a, B b, C c)                                                                          \
    {                                                                                                        \
        return (R){word##_half(a.lo, b.lo, c.lo), word##_half(a.hi, b.hi, c.hi)};                            \
    }

/* w_load_transposed and w_store_transposed, from load_transposed_half and store_transposed_half: of SL_W / 2 rows of four. */
#define SL_PAIRED_TRANSPOSED(w, element, R)                                                                  \
    SL_INLINE void w##_load_transposed(const element *p, size_t step, R q[4])                                \
    {                                                                                                        \
        SL_HALF(R) lo[4], hi[4];                                                                             \
        load_transposed_half(p, step, lo);                                                                   \
        load_transposed_half(p + SL_W / 2 * step, step, hi);                                                 \
        SL_UNROLL                                                                                            \
        for (size_t c = 0; c < 4; c++)                                                                       \
            q[c] = (R){lo[c], hi[c]};                                                                        \
    }                                                                                                        \
    SL_INLINE void w##_store_transposed(element *p, size_t step, const R q[4])                               \
    {                                                                                                        \
        SL_HALF(R) lo[4] = {q[0].lo, q[1].lo, q[2].lo, q[3].lo};                                             \
        SL_HALF(R) hi[4] = {q[0].hi, q[1].hi, q[2].hi, q[3].hi};                                             \
        store_transposed_half(p, step, lo);                                                                  \
        store_transposed_half(p + SL_W / 2 * step, step, hi);                                                \
    }

#endif
