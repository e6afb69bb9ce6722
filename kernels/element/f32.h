/* SPDX-License-Identifier: MIT
 *
 * f32 in memory (element.h).
 */
#ifndef SL_ELEMENT_F32_H
#define SL_ELEMENT_F32_H

#include "element/arithmetic_f32.h"

typedef float T;
#define SL_IN_ORDER 1
#define SL_16_BITS 0

SL_INLINE vf load(const float *p) { return v_load(p); }
SL_INLINE vw load_widened(const float *p) { return v_load_wide(p); }
SL_INLINE vf load_n(const float *p, size_t n, float fill) { return v_load_n(p, n, fill); }
SL_INLINE void store(float *p, vf a) { v_store(p, a); }
SL_INLINE void stream(float *p, vf a) { v_stream(p, a); }
SL_INLINE void store_n(float *p, vf a, size_t n) { v_store_n(p, a, n); }
SL_INLINE void copy_n(const float *from, float *to, size_t n) { v_store(to, v_load_n(from, n, -INFINITY)); }
SL_INLINE void copy_two(const float *from, float *to)
{
    v_store(to, v_load(from));
    v_store(to + SL_W, v_load(from + SL_W));
}
SL_INLINE void store_exp(float *p, vf a) { v_store(p, a); }
SL_INLINE vf load_exp(const float *p) { return v_load(p); }

#endif
