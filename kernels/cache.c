/* SPDX-License-Identifier: MIT
 *
 * The size of the last-level cache as a core sees it: of the one instance that it reaches, where a package may have several. As
 * the user says, or the first of these that knows:
 *   cpuid   on x86: leaf 4, AMD's 0x8000001d
 *   sysfs   on Linux: /sys/devices/system/cpu/cpu<N>/cache; on x86, where it may be the sum of a package, up to 32 MiB
 *   32 MiB
 * One whose last level has no size, or one that no cache has, does not know.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getcpu */
#endif
#include "cache.h"

#include <errno.h>
#include <string.h>

#include "dispatch.h"

#define ASSUMED_BYTES ((size_t)32 << 20)

_Atomic(size_t) sl_last_level_bytes = SIZE_MAX;

#if defined(__linux__) || defined(__x86_64__) || defined(__i386__)
/* 64 KiB to 1 GiB (a Xeon 6 has 504 MiB), or 0. */
static size_t believed(sl_cache last)
{
    return last.level > 1 && last.bytes >> 16 && last.bytes <= 1 << 30 ? (size_t)last.bytes : 0;
}
#endif

#if defined(__x86_64__) || defined(__i386__)
#include <cpuid.h>

bool sl_cpuid(unsigned leaf, unsigned subleaf, unsigned r[4])
{
    return __get_cpuid_count(leaf, subleaf, &r[0], &r[1], &r[2], &r[3]);
}

/* AMD has the same table as Intel, elsewhere. */
bool sl_cache_by_cpuid(sl_cpuid_function cpuid, unsigned i, sl_cache *cache)
{
    enum { AMD_EXTENSIONS = 22, NO_CACHE = 0, INSTRUCTIONS = 2 };
    unsigned r[4];
    const bool amd = cpuid(0x80000001, 0, r) && r[2] >> AMD_EXTENSIONS & 1;
    if (!cpuid(amd ? 0x8000001d : 4, i, r) || (r[0] & 31) == NO_CACHE)
        return false;
    const uint64_t ways = (r[1] >> 22) + 1, partitions = (r[1] >> 12 & 1023) + 1, line = (r[1] & 4095) + 1;
    cache->level = (r[0] & 31) == INSTRUCTIONS ? 0 : r[0] >> 5 & 7;
    cache->bytes = ways * partitions * line * ((uint64_t)r[2] + 1);
    return true;
}

size_t sl_last_level_by_cpuid(sl_cpuid_function cpuid)
{
    sl_cache cache, last = {0, 0};
    for (unsigned i = 0; i < SL_CPUID_CACHES && sl_cache_by_cpuid(cpuid, i, &cache); i++)
        if (cache.level > last.level)
            last = cache;
    return believed(last);
}

#endif
#if defined(__linux__)
#include <fcntl.h>
#include <sched.h>
#include <unistd.h>

/* The one line of a file; "" where it cannot be read. */
static void read_line(int folder, const char *name, char line[16])
{
    const int file = openat(folder, name, O_RDONLY | O_CLOEXEC);
    const ssize_t n = file < 0 ? 0 : read(file, line, 15);
    if (file >= 0)
        close(file);
    line[n > 0 ? n : 0] = '\0';
    line[strcspn(line, "\n")] = '\0';
}

/* The number before this unit; 0 where anything else stands. */
static uint64_t number(const char *text, const char *unit)
{
    uint64_t n = 0;
    for (; *text >= '0' && *text <= '9'; text++)
        n = n * 10 + (uint64_t)(*text - '0');
    return strcmp(text, unit) == 0 ? n : 0;
}

size_t sl_last_level_by_sysfs(int folder)
{
    char level[] = "index0/level", type[] = "index0/type", size[] = "index0/size", line[16];
    sl_cache last = {0, 0};
    for (char i = '0'; i <= '9'; i++) {
        sl_cache cache;
        level[5] = type[5] = size[5] = i;
        read_line(folder, level, line);
        cache.level = (unsigned)number(line, "");
        read_line(folder, size, line);
        cache.bytes = number(line, "K") << 10;
        read_line(folder, type, line);
        if (cache.level > last.level && (strcmp(line, "Data") == 0 || strcmp(line, "Unified") == 0))
            last = cache;
    }
    return believed(last);
}

/* Of the core that this thread is on. */
static size_t by_sysfs(void)
{
    const int cpu = sched_getcpu();
    char path[64] = "/sys/devices/system/cpu/cpu";
    size_t length = strlen(path);
    for (int power = 1000000000; power; power /= 10)
        if (cpu >= power || power == 1)
            path[length++] = (char)('0' + (cpu > 0 ? cpu / power % 10 : 0));
    memcpy(path + length, "/cache", sizeof "/cache");
    const int folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    const size_t bytes = folder < 0 ? 0 : sl_last_level_by_sysfs(folder);
    if (folder >= 0)
        close(folder);
    return bytes;
}

#endif

static size_t by_system(void)
{
    size_t bytes = 0, most = SIZE_MAX;
#if defined(__x86_64__) || defined(__i386__)
    bytes = sl_last_level_by_cpuid(sl_cpuid);
    most = bytes ? bytes : ASSUMED_BYTES;
#endif
#if defined(__linux__)
    bytes = bytes ? bytes : by_sysfs();
#endif
    return bytes && bytes <= most ? bytes : ASSUMED_BYTES;
}

/* Once, whoever asks: of cores of several kinds the first that does. */
static size_t ask(void)
{
    static _Atomic(size_t) known;
    size_t bytes = atomic_load_explicit(&known, memory_order_relaxed);
    const int kept = errno;
    if (bytes == 0)
        atomic_store_explicit(&known, bytes = by_system(), memory_order_relaxed);
    errno = kept;
    return bytes;
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
