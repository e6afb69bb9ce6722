/* SPDX-License-Identifier: MIT
 *
 * f16 in memory (element.h).
 */
#ifndef SL_ELEMENT_F16_H
#define SL_ELEMENT_F16_H

#include "element/arithmetic_f32.h"

typedef sl_f16 T;
#define SL_IN_ORDER 1
#define SL_16_BITS 1
#define SL_IS_F16

SL_INLINE vf load(const sl_f16 *p) { return v_load_f16(&p->bits); }
SL_INLINE vw load_widened(const sl_f16 *p) { return v_widen(load(p)); }
SL_NOINLINE vf load_n(const sl_f16 *p, size_t n, float fill)
{
    return v_of_f16(h_load_n(&p->bits, n, fill == 0 ? 0 : 0xfc00));
}
SL_INLINE void store(sl_f16 *p, vf a) { v_store_f16(&p->bits, a); }
SL_INLINE void stream(sl_f16 *p, vf a) { v_stream_f16(&p->bits, a); }
SL_NOINLINE void store_n(sl_f16 *p, vf a, size_t n) { h_store_n(&p->bits, h_of_f32(a), n); }
SL_INLINE void copy_n(const sl_f16 *from, sl_f16 *to, size_t n)
{
    h_store(&to->bits, h_load_n(&from->bits, n, 0xfc00));
}
SL_INLINE void copy_two(const sl_f16 *from, sl_f16 *to) { hh_store(&to->bits, hh_load(&from->bits)); }
SL_INLINE void store_exp(sl_f16 *p, vf a) { hh_store(&p->bits, v_bits(a)); }
SL_INLINE vf load_exp(const sl_f16 *p) { return v_float(hh_load(&p->bits)); }

#endif
