/* SPDX-License-Identifier: MIT
 *
 * Two registers together, of types whose neighbours in memory stay neighbours in a register: load_two and store_two are
 * load and store, twice (element.h).
 */
#ifndef SL_ELEMENT_IN_ORDER_H
#define SL_ELEMENT_IN_ORDER_H

#include "element/element.h"

SL_INLINE void load_two(const T *p, reg two[2])
{
    two[0] = load(p);
    two[1] = load(p + SL_W);
}
SL_INLINE void load_two_n(const T *p, size_t n, num fill, reg two[2])
{
    two[0] = load_n(p, n, fill);
    two[1] = n > SL_W ? load_n(p + SL_W, n - SL_W, fill) : c_set1(fill);
}
SL_INLINE void store_two(T *p, const reg two[2])
{
    store(p, two[0]);
    store(p + SL_W, two[1]);
}
SL_INLINE void stream_two(T *p, const reg two[2])
{
    stream(p, two[0]);
    stream(p + SL_W, two[1]);
}
SL_INLINE void store_two_n(T *p, const reg two[2], size_t n)
{
    store_n(p, two[0], n);
    if (n > SL_W)
        store_n(p + SL_W, two[1], n - SL_W);
}
SL_INLINE void in_two(reg two[2]) { (void)two; }
SL_INLINE reg storable(reg a) { return a; }
SL_INLINE void pair(reg *a, reg *b) { (void)a, (void)b; }

#endif
