/* SPDX-License-Identifier: MIT
 *
 * bf16 in memory (element.h).
 */
#ifndef SL_ELEMENT_BF16_H
#define SL_ELEMENT_BF16_H

#include "element/arithmetic_f32.h"

typedef sl_bf16 T;
#define SL_IN_ORDER 0
#define SL_16_BITS 1

/* bf16 is the upper half of an f32. `fill` is 0 or -inf. */
SL_INLINE vf of_bf16(vu u) { return v_float(u_shl(u, 16)); }
SL_INLINE vf storable(vf a) { return v_select(v_eq(a, a), a, v_set1(NAN)); }
SL_INLINE uint16_t fill_bf16(float fill) { return fill == 0 ? 0 : 0xff80; }

/* To nearest even: add half of the last place, less one where that is even. */
SL_INLINE vu to_bf16(vf a)
{
    vu bits = v_bits(storable(a)), even = u_and(u_shr(bits, 16), u_set1(1));
    return u_shr(u_add(bits, u_add(even, u_set1(0x7fff))), 16);
}
SL_INLINE vf load(const sl_bf16 *p) { return of_bf16(h_load(&p->bits)); }
SL_INLINE vw load_widened(const sl_bf16 *p) { return v_widen(load(p)); }
SL_INLINE vf load_n(const sl_bf16 *p, size_t n, float fill)
{
    return of_bf16(h_load_n(&p->bits, n, fill_bf16(fill)));
}
SL_INLINE void store(sl_bf16 *p, vf a) { h_store(&p->bits, to_bf16(a)); }
SL_INLINE void stream(sl_bf16 *p, vf a) { h_stream(&p->bits, to_bf16(a)); }
SL_INLINE void store_n(sl_bf16 *p, vf a, size_t n) { h_store_n(&p->bits, to_bf16(a), n); }

SL_INLINE void store_exp(sl_bf16 *p, vf a) { hh_store(&p->bits, v_bits(a)); }
SL_INLINE vf load_exp(const sl_bf16 *p) { return v_float(hh_load(&p->bits)); }

SL_INLINE void copy_n(const sl_bf16 *from, sl_bf16 *to, size_t n)
{
    h_store(&to->bits, h_load_n(&from->bits, n, fill_bf16(-INFINITY)));
}
SL_INLINE void copy_two(const sl_bf16 *from, sl_bf16 *to) { hh_store(&to->bits, hh_load(&from->bits)); }
SL_INLINE void two_of_bf16(vu both, vf two[2])
{
    two[0] = v_float(u_shl(both, 16));
    two[1] = v_float(u_and(both, u_set1(0xffff0000)));
}
/* Up if the lower half is more than 0x8000, or as much and the upper half odd: less one where that is even, it has its
 * highest bit. */
SL_INLINE vu two_to_bf16(const vf two[2])
{
    vu upper = hh_uppers(v_bits(two[0]), v_bits(two[1])), lower = hh_lowers(v_bits(two[0]), v_bits(two[1]));
    return hh_add(upper, hh_shr(hh_sub(lower, u_andnot(u_set1(1u << 16 | 1), upper)), 15));
}
SL_INLINE void load_two(const sl_bf16 *p, vf two[2]) { two_of_bf16(hh_load(&p->bits), two); }
SL_INLINE void load_two_n(const sl_bf16 *p, size_t n, float fill, vf two[2])
{
    two_of_bf16(hh_load_n(&p->bits, n, fill_bf16(fill)), two);
}
SL_INLINE void store_two(sl_bf16 *p, const vf two[2]) { hh_store(&p->bits, two_to_bf16(two)); }
SL_INLINE void stream_two(sl_bf16 *p, const vf two[2]) { hh_stream(&p->bits, two_to_bf16(two)); }
SL_INLINE void store_two_n(sl_bf16 *p, const vf two[2], size_t n)
{
    hh_store_n(&p->bits, two_to_bf16(two), n);
}
/* From the order of their elements to that of load_two. */
SL_INLINE void in_two(vf two[2])
{
    vf a = two[0], b = two[1];
    two[0] = v_evens(a, b);
    two[1] = v_odds(a, b);
}
/* Where lanes fill a register, it holds both elements of a pair. */
SL_INLINE void pair(vf *a, vf *b)
{
#if SL_W == SL_EXP_LANES
    vf even = *a, odd = *b;
    *a = v_lower_halves(even, odd);
    *b = v_upper_halves(even, odd);
#endif
    (void)a, (void)b;
}

#endif
