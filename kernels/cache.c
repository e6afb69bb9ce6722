/* SPDX-License-Identifier: MIT
 *
 * The size of the last-level cache, as the C library knows it or the user says.
 */
#define _POSIX_C_SOURCE 200809L
#include "cache.h"

#include <errno.h>
#include <stdint.h>
#include <unistd.h>

#include "dispatch.h"

/* What a last-level cache has where nobody knows. */
#define ASSUMED_BYTES ((size_t)32 << 20)

_Atomic(size_t) sl_last_level_bytes = SIZE_MAX;

static size_t ask(void)
{
    const int kept = errno; /* which sysconf may set */
    long bytes = 0;
#ifdef _SC_LEVEL3_CACHE_SIZE
    bytes = sysconf(_SC_LEVEL3_CACHE_SIZE);
    if (bytes <= 0)
        bytes = sysconf(_SC_LEVEL2_CACHE_SIZE);
#endif
    errno = kept;
    return bytes > 0 ? (size_t)bytes : ASSUMED_BYTES;
}

SL_ATOMICS_IN_PLACE void sl_learn_cache(void)
{
    size_t unknown = SIZE_MAX;
    if (atomic_load_explicit(&sl_last_level_bytes, memory_order_relaxed) == unknown)
        /* What the user has said in between stays. */
        atomic_compare_exchange_strong(&sl_last_level_bytes, &unknown, ask());
}

/* SIZE_MAX stands for unknown; what is one less makes no difference (sl_streams). */
void sl_set_cache_bytes(size_t bytes)
{
    if (bytes == 0)
        bytes = ask();
    atomic_store(&sl_last_level_bytes, bytes < SIZE_MAX ? bytes : SIZE_MAX - 1);
}

size_t sl_cache_bytes(void)
{
    sl_learn_cache();
    return atomic_load_explicit(&sl_last_level_bytes, memory_order_relaxed);
}
