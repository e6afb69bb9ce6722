/* SPDX-License-Identifier: MIT
 *
 * What results need of the compiler: C11, IEEE operations, each of them rounded once to its own type. Flags that break this
 * are refused where a macro shows them, and switched off where none does.
 */
#ifndef SL_ARITHMETIC_H
#define SL_ARITHMETIC_H

#include <float.h>

#if defined(__cplusplus)
#error "softlane's sources are C11: compile them by a C compiler"
#elif defined(__FAST_MATH__)
#error "softlane promises bits: compile it without -ffast-math (and without -Ofast)"
#elif defined(__FINITE_MATH_ONLY__) && __FINITE_MATH_ONLY__
#error "softlane promises NaN and infinity: compile it without -ffinite-math-only"
#elif defined(__ASSOCIATIVE_MATH__) || defined(__RECIPROCAL_MATH__) || defined(__NO_SIGNED_ZEROS__)
#error "softlane promises bits: compile it without -funsafe-math-optimizations and without its parts"
#elif FLT_EVAL_METHOD == 1
#error "softlane needs arithmetic that rounds to its type: on s390x add -fexcess-precision=fast"
#elif FLT_EVAL_METHOD != 0 && FLT_EVAL_METHOD != 16
#error "softlane needs arithmetic that rounds to its type: on 32-bit x86 add -msse2 -mfpmath=sse"
#endif
_Static_assert(sizeof 1.0 == sizeof(double),
               "softlane promises bits: compile it without -fsingle-precision-constant");

/* gcc: inside SL_OPEN (vocab.h), where the arithmetic is. clang: all that follows in the file, its headers of intrinsics
 * included, whose operations carry the flags of the place where they stand. */
#define SL_PRAGMA(text) _Pragma(#text)
#if defined(__clang__)
#if defined(__x86_64__) || defined(__i386__) || (__clang_major__ >= 16 && !defined(__wasm__))
#pragma float_control(precise, on)
#else
#pragma clang fp reassociate(off) /* all that there is */
#endif
#pragma STDC FP_CONTRACT OFF
#define SL_EXACT
#else
#define SL_EXACT                                                                                             \
    SL_PRAGMA(GCC optimize("fp-contract=off", "no-associative-math", "no-reciprocal-math",                   \
                           "no-finite-math-only", "signed-zeros"))
#endif

/* A product that is rounded before it is added to something. clang fuses the two under -ffp-contract=fast, whatever a pragma
 * says, unless it does not see where the product comes from. */
#if defined(__clang__) && (defined(__x86_64__) || defined(__i386__))
#define SL_ROUNDED_IN "v"
#elif defined(__clang__) && defined(__aarch64__)
#define SL_ROUNDED_IN "w"
#elif defined(__clang__) && defined(__riscv_flen)
#define SL_ROUNDED_IN "f"
#elif defined(__clang__) && (!defined(__wasm__) || defined(__wasm_relaxed_simd__)) /* else nothing fuses */
#define SL_ROUNDED_IN "m"
#endif
#ifdef SL_ROUNDED_IN
#define SL_ROUNDED(product)                                                                                  \
    __extension__({                                                                                          \
        __typeof__(product) product_ = (product);                                                            \
        __asm__("" : "+" SL_ROUNDED_IN(product_));                                                           \
        product_;                                                                                            \
    })
#else
#define SL_ROUNDED(product) (product)
#endif

#endif
