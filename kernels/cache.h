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
