/* SPDX-License-Identifier: MIT
 *
 * THE CONTRACT of the vector vocabulary. A kernel is written once, in these words; an ISA header in isa/
 * supplies them and nothing else. Each word is exact or ONE correctly rounded IEEE operation, so that
 * all ISAs of one class give the same bits: no estimates, no reassociating reductions, no conversion that
 * flushes.
 *
 * An ISA header defines
 *
 *   SL_W          f32 elements per register, a divisor of SL_LANES: a speed knob that cannot change a bit
 *   SL_FMA        1 when v_fma is fused (the FMA class of bits), 0 when it rounds twice
 *   SL_NEEDS      the features it uses, comma-separated: opens the target region here, and is what dispatch.c
 *                 asks the CPU for
 *   vf vw         SL_W lanes of f32; the same SL_W lanes of f64
 *   vu wu         their bits: u32, u64
 *   vm wm         SL_W truth values of either
 *   vt            a table of eight u32
 *
 *   f32    v_set1(s)                     s in every lane
 *          v_load(p)  v_store(p, a)      SL_W elements, any alignment
 *          v_load_n(p, n, fill)          lane l < n: p[l]; others: fill. Touches p[0 .. min(n, SL_W)) only
 *          v_store_n(p, a, n)            p[l] = a[l] for l < min(n, SL_W). Touches nothing else
 *          v_stream(p, a)                v_store past the caches, if the ISA can; p aligned to a line of 64 bytes or, of
 *                                        smaller registers, to the register. Also for f64 and u16. stream_end()
 *                                        orders them before all that follows
 *          v_load_transposed(p, step, q)  SL_W rows of four: lane l of q[c] is p[l * step + c], c < 4
 *          v_store_transposed(p, step, q) back
 *          v_add v_sub v_mul v_div       (a, b)
 *          v_fma(a, b, c)                a * b + c    one rounding if SL_FMA, else product and sum rounded
 *          v_fnma(a, b, c)               c - a * b    likewise
 *          v_min(a, b)                   a < b ? a : b    (a NaN anywhere gives b)
 *          v_max(a, b)                   a > b ? a : b    (likewise)
 *          v_at_most(a, b)               v_min(a, b) of an a that is neither NaN nor zero; a NaN need not keep its bits
 *          v_larger(a, b)                v_max(a, b) of two numbers, or any number or NaN; of two zeros either
 *          v_abs(a)                      clears the sign bit
 *          v_bits(a)  v_float(u)         reinterpret
 *          v_fold_max(a)                 the lanes by halves: max(l, l + SL_W / 2), ..., lane 0; a float
 *          v_evens(a, b)  v_odds(a, b)   of the lanes of a, then of b, every second one: 0, 2, ...; 1, 3, ...
 *          v_lower_halves(a, b)          the lower half of the lanes of a, then that of b; v_upper_halves likewise.
 *                                        Only where SL_W == SL_EXP_LANES, as
 *          w_fold_add_halves(a)          the lower lanes by halves, and the upper lanes, and the sum of both
 *   f64    v_widen(a)  v_narrow(w)       exact; one rounding to nearest even
 *          v_load_wide(p)                v_widen(v_load(p)), which may be cheaper
 *          w_add_terms(s, a)             s plus the vf a, of lanes that are no negative number; s is 0 or was made so, and has an
 *                                        order and a scale of the ISA's own, where these cost less than v_widen. Only if SL_FMA, as
 *          w_sum_of_terms(s)             lane l: the sum of the lanes l of every a, rounded as by w_add, below 2^128; or NaN, if one was
 *          w_fold_terms(s)               w_fold_add(w_sum_of_terms(s))
 *          w_...                         all of the above but load_wide and terms, for f64
 *          w_fold_add(a)                 the lanes by halves: l + (l + SL_W / 2), ..., lane 0; a double
 *   u32    u_set1(s)  u_and(a, b)  u_or(a, b)  u_andnot(a, b): a & ~b  u_add(a, b)  u_sub(a, b)     modulo 2^32
 *          u_shl(a, k)  u_shr(a, k)      k constant
 *   u64    wu_set1  wu_and  wu_or  wu_add  wu_sub  wu_shl  wu_shr           likewise
 *   truth  v_lt v_le v_eq (a, b)         ordered: false with a NaN
 *          v_nlt(a, b)  v_nle(a, b)      !(a < b), !(a <= b): true with a NaN
 *          m_or(a, b)  m_andnot(a, b)    a | b;  a & ~b
 *          m_any(a)  m_all(a)            int: is any lane, are all lanes true
 *          m_count(a)                    int: how many are
 *          v_select(m, a, b)             m ? a : b, lane by lane
 *          v_keep(m, a)                  m ? a : +0
 *          v_where(m, a)                 m ? a : a number, or what the next two do not look at
 *          v_fma_where(m, a, b, c)       m ? v_fma(a, b, c) : a number, for an a or a c of v_where(m, ...). Where m is false
 *          v_fnma_where(m, a, b, c)      these raise no exception, whatever that was; and likewise
 *          w_lt w_le w_eq w_nlt w_nle  wm_or wm_andnot wm_any wm_all wm_count  w_select w_keep  w_where w_fma_where
 *          w_fnma_where                  for f64
 *   table  t_load(p)  t_pick(t, u)       eight u32, which must outlive t; lane l: t[u[l] mod 8]
 *          t_pick_scaled(t, u)           t_pick(t, u) + (u << 20), modulo 2^32
 *   u16    h_load(p)  h_load_n(p, n, fill)     SL_W uint16_t in the low halves of a vu, zeros above; any
 *          h_store(p, a)  h_store_n(p, a, n)   alignment of 2; partial forms as v_load_n, v_store_n
 *          h_stream(p, a)                as v_stream
 *          v_of_f16(u)                   exact, from the low halves; a NaN becomes quiet, its payload stays
 *          h_of_f32(a)                   one rounding to binary16 in the low halves, zeros above: to nearest
 *                                        even, denormals kept; NaN likewise: 0x7fc00000 gives 0x7e00
 *          v_load_f16(p)                 v_of_f16(h_load(p)), which may be cheaper; and so
 *          v_store_f16(p, a)  v_stream_f16(p, a)      h_store(p, h_of_f32(a)) and h_stream
 *   leave()                             the last thing that a kernel does. Clears the upper halves of the registers, if
 *                                       the unit may have used them: SSE code of the caller would be several times
 *                                       slower else. Compilers do so by themselves, but not always: gcc takes them
 *                                       for clear after it has called a function whose registers it knows, and at -O0
 *                                       and -O1 it never clears them
 *   two    hh_load(p)  hh_store(p, a)  hh_stream(p, a)     2 SL_W uint16_t in a vu: 2l and 2l + 1 in the low and
 *          hh_load_n(p, n, fill)  hh_store_n(p, a, n)      the high half of lane l; n of these, as v_load_n
 *          hh_uppers(a, b)  hh_lowers(a, b)     the upper or lower halves: a's in the low halves, b's in the high
 *          hh_add(a, b)  hh_shr(a, k)    modulo 2^16, k constant; hh_sub(a, b): max(a - b, 0)
 *
 * Virtual lanes. A reduction over a row runs over SL_LANES lanes, whatever SL_W is; the lanes are f64 and are folded by
 * halves. A sum of exponentials has SL_EXP_LANES: so many less in f32 without FMA (element/arithmetic_f32.h) that its lanes
 * stay in SSE2's registers. SL_POSITIONS elements, twice as many, give lane l its elements l and l + SL_EXP_LANES, added in
 * f32. Full and partial blocks, of SL_BLOCK elements, run the same body, missing elements are exact neutrals, so no
 * result depends on how a row is cut.
 */
#ifndef SL_VOCAB_H
#define SL_VOCAB_H

#include <math.h> /* INFINITY, NAN: constants only */
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "arithmetic.h"
#include "cache.h"
#include "table.h"

/* The words of a macro's value pasted, or as a string: of SL_UNIT_ISA, say. */
#define SL_PASTE_(a, b) a##_##b
#define SL_PASTE(a, b) SL_PASTE_(a, b)
#define SL_TEXT_(a) #a
#define SL_TEXT(a) SL_TEXT_(a)

/* The mask of softmax's options. Units have a type of that name, which exports know as another. */
static inline const void *sl_mask_of(const sl_softmax_options *o) { return o->mask; }

#define SL_LANES 16
#define SL_SHORT 32 /* classes of a short row, at most */

/* SL_INLINE: always inlined. SL_NOINLINE: never. SL_RARE: never, and small rather than fast. SL_STATIC: as the compiler likes; an
 * export may have no use for it. */
#define SL_INLINE static inline __attribute__((always_inline, unused))
#define SL_NOINLINE static __attribute__((noinline, unused))
#define SL_RARE static __attribute__((noinline, cold, unused))
#define SL_STATIC static __attribute__((unused))

/* A target region: SL_OPEN(features), or SL_OPEN_BASELINE, before an ISA's first function, SL_CLOSE after its last.
 * - Contraction is off inside (arithmetic.h): gcc would fuse the intrinsics of a multiplication and an addition.
 * - In the baseline the vectoriser is off: scalar stays scalar. For clang on x86-64, whose vectoriser no pragma stops, exact
 *   exceptions are asked for. It packs scalars into vectors, multiplies the lanes that nobody reads as well, and those raise
 *   INVALID.
 * - gcc compiles kernels at -O3 where the user optimises: below it short register loops stay rolled and vectors spill.
 *   Loop-pattern distribution is off so that register copies do not become string instructions; loops are not unswitched and
 *   functions not cloned, which multiplies machine code. Sanitized builds are not worth that compile time.
 *
 * SL_UNROLL, SL_UNROLL_2, SL_UNROLL_ALL and SL_ROLLED stand before a loop: how often it is unrolled. */
#if defined(__clang__)
#if defined(__x86_64__)
#define SL_EXCEPTIONS(word) SL_PRAGMA(float_control(word))
#define SL_EXCEPTIONS_EXACT SL_PRAGMA(float_control(except, on, push))
#else
#define SL_EXCEPTIONS(word)
#define SL_EXCEPTIONS_EXACT
#endif
#define SL_OPEN(features)                                                                                    \
    SL_EXCEPTIONS(push)                                                                                      \
    SL_PRAGMA(clang attribute push(__attribute__((target(features))), apply_to = function))
#define SL_OPEN_BASELINE SL_EXCEPTIONS_EXACT SL_PRAGMA(clang attribute push)
#define SL_CLOSE SL_EXCEPTIONS(pop) SL_PRAGMA(clang attribute pop)
#define SL_UNROLL SL_PRAGMA(clang loop unroll_count(4))
#define SL_UNROLL_2 SL_PRAGMA(clang loop unroll_count(2))
#define SL_UNROLL_ALL SL_PRAGMA(clang loop unroll(full))
#define SL_ROLLED SL_PRAGMA(clang loop unroll(disable))
#else
#if defined(__OPTIMIZE__) && !defined(__OPTIMIZE_SIZE__) && !defined(__SANITIZE_ADDRESS__) &&                \
    !defined(__SANITIZE_THREAD__)
#define SL_FAST                                                                                              \
    SL_PRAGMA(GCC optimize("O3", "no-tree-loop-distribute-patterns", "no-unswitch-loops", "no-ipa-cp-clone"))
#else
#define SL_FAST
#endif
#define SL_OPEN(features)                                                                                    \
    SL_PRAGMA(GCC push_options)                                                                              \
    SL_FAST SL_EXACT SL_PRAGMA(GCC target(features))
#define SL_OPEN_BASELINE                                                                                     \
    SL_PRAGMA(GCC push_options) SL_FAST SL_EXACT SL_PRAGMA(GCC optimize("no-tree-vectorize"))
#define SL_CLOSE SL_PRAGMA(GCC pop_options)
#define SL_UNROLL SL_PRAGMA(GCC unroll 4)
#define SL_UNROLL_2 SL_PRAGMA(GCC unroll 2)
#define SL_UNROLL_ALL SL_PRAGMA(GCC unroll 16)
#define SL_ROLLED SL_PRAGMA(GCC unroll 1)
#endif

/* For each of n registers, unrolled. */
#define SL_EACH(i, n)                                                                                        \
    SL_UNROLL                                                                                                \
    for (size_t i = 0; i < (n); i++)

/* Tells the compiler what no caller breaks. */
#define SL_ASSUME(truth) ((truth) ? (void)0 : __builtin_unreachable())

/* Hides what a value is. clang for AArch64 makes FMINNM of a < b ? a : b where it sees that b is not NaN, and
 * that gives NaN for a signalling NaN in a. */
#if defined(__clang__) && defined(__aarch64__)
#define SL_OPAQUE(value) __asm__("" : "+w"(value))
#else
#define SL_OPAQUE(value) ((void)0)
#endif

/* The same for clang everywhere: it computes what follows of both sides of a selection, where an exception may be. */
#if defined(__clang__) && defined(__aarch64__)
#define SL_SELECTED(value) __asm__("" : "+w"(value))
#elif defined(__clang__) && defined(__x86_64__)
#define SL_SELECTED(value) __asm__("" : "+x"(value))
#elif defined(__clang__) && defined(__riscv_flen)
#define SL_SELECTED(value) __asm__("" : "+f"(value))
#else
#define SL_SELECTED(value) ((void)0)
#endif

/* Parts of a block whose registers are taken one after the other where SL_APART stands between them. Compilers for AArch64
 * would begin all at once, which are more registers than there are, and spill what waits. */
#if defined(__aarch64__)
#define SL_APART __asm__ volatile("" ::: "memory")
enum { PARTS_APART = 1 };
#else
#define SL_APART ((void)0)
enum { PARTS_APART = 0 };
#endif

#endif
