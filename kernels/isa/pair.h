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

#endif
