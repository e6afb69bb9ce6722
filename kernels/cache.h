/* SPDX-License-Identifier: MIT
 *
 * From how many bytes on a kernel's output bypasses the caches: it would only push out of them what is still wanted. That is
 * half of the last level, since there is an input, too. Changes no bit.
 */
#ifndef SL_CACHE_H
#define SL_CACHE_H

#include <stdatomic.h>
#include <stddef.h>

/* The size of the last-level cache, or SIZE_MAX as long as nobody has asked for it. */
extern _Atomic(size_t) sl_last_level_bytes;

/* Asks the system, the first time. */
void sl_learn_cache(void);

static inline int sl_streams(size_t bytes)
{
    return bytes > atomic_load_explicit(&sl_last_level_bytes, memory_order_relaxed) / 2;
}

#endif
