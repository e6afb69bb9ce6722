/* SPDX-License-Identifier: MIT
 *
 * Partial loads and stores where memory cannot be accessed by mask: SL_PARTIAL(prefix, register, element, lanes)
 * makes prefix_load_n and prefix_store_n of prefix_load and prefix_store. They go through a buffer of a
 * register's size, so that the lanes go through the same arithmetic as full ones.
 */
#ifndef SL_ISA_PARTIAL_H
#define SL_ISA_PARTIAL_H

#include "vocab.h"

#define SL_PARTIAL(prefix, reg, element, lanes)                                                              \
    SL_NOINLINE reg prefix##_load_n(const element *p, size_t n, element fill)                                \
    {                                                                                                        \
        element lane[lanes];                                                                                 \
        for (size_t l = 0; l < (lanes); l++)                                                                 \
            lane[l] = l < n ? p[l] : fill;                                                                   \
        return prefix##_load(lane);                                                                          \
    }                                                                                                        \
    SL_NOINLINE void prefix##_store_n(element *p, reg a, size_t n)                                           \
    {                                                                                                        \
        element lane[lanes];                                                                                 \
        prefix##_store(lane, a);                                                                             \
        for (size_t l = 0; l < (lanes) && l < n; l++)                                                        \
            p[l] = lane[l];                                                                                  \
    }

#endif
