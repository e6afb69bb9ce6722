/* SPDX-License-Identifier: MIT
 *
 * From how many bytes on a kernel's output bypasses the caches: it would only push out of them what is still wanted. That is
 * half of the last level, since there is an input, too. Changes no bit.
 */
#ifndef SL_CACHE_H
#define SL_CACHE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The size of the last-level cache, or SIZE_MAX as long as nobody has asked for it. */
extern _Atomic(size_t) sl_last_level_bytes;

/* Asks the system, the first time. */
void sl_learn_cache(void);

static inline int sl_streams(size_t bytes)
{
    return bytes > atomic_load_explicit(&sl_last_level_bytes, memory_order_relaxed) / 2;
}

/* Whether a loop over an array of so many bytes prefetches by itself: from the second-level cache on where the last level is
 * spread over many tiles, which such sizes tell (a Xeon's 480 MiB: maps 1.1 to 1.5 times as fast); else not (32 MiB: within
 * them maps of a Zen 5 became 0.7 to 0.8 times as fast, from memory those of a Zen 4 0.8 to 1.0 times). */
static inline int sl_prefetches(size_t bytes)
{
    enum { SECOND_LEVEL_BYTES = 1 << 19, SPREAD_BYTES = 1 << 27 };
    const size_t last = atomic_load_explicit(&sl_last_level_bytes, memory_order_relaxed);
    return last > SPREAD_BYTES && bytes > SECOND_LEVEL_BYTES;
}

/* The system's answers (cache.c), 0 where it has none. Read from what is given, so that tests can be other machines. */
typedef struct {
    unsigned level; /* 0: of instructions */
    uint64_t bytes; /* of one instance */
} sl_cache;

#if defined(__x86_64__) || defined(__i386__)
/* __get_cpuid_count: eax, ebx, ecx and edx; false when there is no such leaf. */
typedef bool (*sl_cpuid_function)(unsigned leaf, unsigned subleaf, unsigned registers[4]);
bool sl_cpuid(unsigned leaf, unsigned subleaf, unsigned registers[4]);

/* The i-th cache of the core that asks; false behind the last. */
enum { SL_CPUID_CACHES = 8 };
bool sl_cache_by_cpuid(sl_cpuid_function cpuid, unsigned i, sl_cache *cache);
size_t sl_last_level_by_cpuid(sl_cpuid_function cpuid);
#endif

#if defined(__linux__)
/* `folder` is open, and a core's: index0/level, index0/type, index0/size, index1/level ... */
size_t sl_last_level_by_sysfs(int folder);
#endif

#endif
