/* SPDX-License-Identifier: MIT
 *
 * Chooses a table: the best one of isas.def that this machine can run, or the one that SOFTLANE_ISA or
 * sl_isa_force asks for. The choice is one atomic pointer; threads that race to make it make the same one.
 */
#include "dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "cpu.h"

/* Every ISA that softlane knows, best first; NULL where it is not built. */
#define BUILT_0(table) NULL
#define BUILT_1(table) &table
#define BUILT_(arch, table) BUILT_##arch(table)
#define BUILT(arch, table) BUILT_(arch, table)

static const struct {
    const char *name;
    const sl_kernels *table;
} isas[] = {
#define SL_ISA(name, arch) {#name, BUILT(arch, sl_table_##name)},
#include "isas.def"
#undef SL_ISA
};
#define ISA_COUNT (sizeof isas / sizeof isas[0])

static _Atomic(const sl_kernels *) active;

static const char *why_not(size_t i)
{
    return isas[i].table ? sl_cpu_lacks(isas[i].table->needs) : "not built";
}

/* The named table if it can run, else NULL. */
static const sl_kernels *runnable(const char *name)
{
    for (size_t i = 0; i < ISA_COUNT; i++)
        if (strcmp(name, isas[i].name) == 0)
            return why_not(i) ? NULL : isas[i].table;
    return NULL;
}

static const sl_kernels *choose(void)
{
    sl_learn_cache();
    const char *wish = getenv("SOFTLANE_ISA");
    const sl_kernels *table = wish ? runnable(wish) : NULL;
    for (size_t i = 0; !table; i++)
        table = why_not(i) ? NULL : isas[i].table;
    return table;
}

const sl_kernels *sl_active(void)
{
    const sl_kernels *table = atomic_load_explicit(&active, memory_order_acquire);
    if (!table) {
        const sl_kernels *chosen = choose();
        /* A force that came in between stays. */
        if (atomic_compare_exchange_strong(&active, &table, chosen))
            table = chosen;
    }
    return table;
}

const sl_kernels *sl_isa(const char *name)
{
    sl_learn_cache();
    return name ? runnable(name) : sl_active();
}

size_t sl_isa_count(void) { return ISA_COUNT; }

const char *sl_isa_name_at(size_t i) { return i < ISA_COUNT ? isas[i].name : NULL; }

bool sl_isa_available(const char *name) { return name && runnable(name); }

const char *sl_isa_why_not(const char *name)
{
    for (size_t i = 0; name && i < ISA_COUNT; i++)
        if (strcmp(name, isas[i].name) == 0)
            return why_not(i);
    return "no such ISA";
}

bool sl_isa_force(const char *name)
{
    const sl_kernels *table = name ? runnable(name) : choose();
    if (table)
        atomic_store_explicit(&active, table, memory_order_release);
    return table != NULL;
}
