/* SPDX-License-Identifier: MIT
 *
 * f64 in memory (element.h).
 */
#ifndef SL_ELEMENT_F64_H
#define SL_ELEMENT_F64_H

#include "element/arithmetic_f64.h"

typedef double T;
#define SL_IN_ORDER 1
#define SL_16_BITS 0

SL_INLINE vw load(const double *p) { return w_load(p); }
SL_INLINE vw load_widened(const double *p) { return w_load(p); }
SL_INLINE vw load_n(const double *p, size_t n, double fill) { return w_load_n(p, n, fill); }
SL_INLINE void store(double *p, vw a) { w_store(p, a); }
SL_INLINE void stream(double *p, vw a) { w_stream(p, a); }
SL_INLINE void store_n(double *p, vw a, size_t n) { w_store_n(p, a, n); }
SL_INLINE void copy_n(const double *from, double *to, size_t n)
{
    w_store(to, w_load_n(from, n, -(double)INFINITY));
}
SL_INLINE void copy_two(const double *from, double *to)
{
    w_store(to, w_load(from));
    w_store(to + SL_W, w_load(from + SL_W));
}
SL_INLINE void store_exp(double *p, vw a) { w_store(p, a); }
SL_INLINE vw load_exp(const double *p) { return w_load(p); }

#endif
