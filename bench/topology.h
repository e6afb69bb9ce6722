/* SPDX-License-Identifier: MIT
 *
 * The machine as the measuring programs need it: which CPU, how large its caches are, and one core to stay on. From
 * hwloc where the build has it, else from the C library; what nobody knows is assumed and marked so.
 */
#ifndef SL_BENCH_TOPOLOGY_H
#define SL_BENCH_TOPOLOGY_H

#include <stdbool.h>
#include <stddef.h>

enum { CACHE_LEVELS = 3 };

struct cache {
    size_t bytes; /* data or unified, of one core's view; 0 when the machine has no such level */
    bool assumed;
};

struct topology {
    char cpu[128], os[128], os_kernel[192]; /* "Debian GNU/Linux 12 (bookworm)", "Linux 6.1.0" */
    char governor[64]; /* of the clock, of the core this process is bound to, or why it is not known */
    unsigned cores;
    int core; /* the core (operating system's number) this process is bound to, -1 when none */
    struct cache cache[CACHE_LEVELS]; /* L1d, L2, L3 */
};

/* With `bind`, this process then stays on one core: a benchmark that wanders measures cold caches. */
struct topology topology_read(bool bind);

/* Binds the calling thread to a core of its own: number 0 is the one that topology_read(true) binds to, others the cores
 * before it. Without hwloc, or for numbers that are no core's, nothing happens. */
void topology_bind_thread(unsigned number);

/* The last level that there is. */
size_t topology_last_level(const struct topology *topology);

/* The first level that holds so many bytes: "L1", "L2", "L3" or "DRAM". */
const char *topology_level(const struct topology *topology, size_t bytes);

/* "48 KiB", "1.25 MiB (assumed)", "none" */
void cache_text(struct cache cache, char *text, size_t size);

#endif
