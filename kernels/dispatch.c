/* SPDX-License-Identifier: MIT
 *
 * Chooses a table: the best one of isas.def that this machine can run, or the one that SOFTLANE_ISA or
 * sl_isa_force asks for. Each choice is one atomic pointer; threads that race to make it make the same one.
 * A tuning (tune.c) refines it by the size of a call: one atomic word per kernel and element type.
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

static _Atomic(const sl_kernels *) automatic, forced; /* NULL: not yet chosen; not forced */

/* A digit of four bits for each size class: 1 + the row of isas.def, or 0 for the table in use. All tables in
 * it are of one class of bits, so a word that is older than its neighbour is as good. */
static _Atomic(uint64_t) tuning[SL_SLOT_COUNT];
static atomic_flag tuning_is_being_written = ATOMIC_FLAG_INIT;
_Static_assert(ISA_COUNT < 16, "a row of isas.def no longer fits in a digit of a tuning");

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

static const sl_kernels *wished(void)
{
    sl_learn_cache();
    const char *wish = getenv("SOFTLANE_ISA");
    return wish ? runnable(wish) : NULL;
}

static const sl_kernels *best(void)
{
    size_t i = 0;
    while (why_not(i))
        i++;
    return isas[i].table;
}

static const sl_kernels *choose(void)
{
    const sl_kernels *table = wished();
    return table ? table : best();
}

static const sl_kernels *chosen(void)
{
    const sl_kernels *table = atomic_load_explicit(&automatic, memory_order_acquire);
    if (!table) {
        table = choose();
        atomic_store_explicit(&automatic, table, memory_order_release);
    }
    return table;
}

const sl_kernels *sl_active(void)
{
    const sl_kernels *table = atomic_load_explicit(&forced, memory_order_acquire);
    return table ? table : chosen();
}

const sl_kernels *sl_active_for(size_t slot, size_t elements)
{
    const sl_kernels *table = atomic_load_explicit(&forced, memory_order_acquire);
    if (table)
        return table;
    const uint64_t word = atomic_load_explicit(&tuning[slot], memory_order_relaxed);
    const unsigned digit = word >> 4 * sl_size_class(elements) & 15;
    return digit ? isas[digit - 1].table : chosen();
}

unsigned sl_tuning_digit(const char *name)
{
    for (unsigned i = 0; i < ISA_COUNT; i++)
        if (strcmp(name, isas[i].name) == 0)
            return !why_not(i) && isas[i].table->fma == best()->fma ? i + 1 : 0;
    return 0;
}

void sl_tuning_publish(const uint64_t words[SL_SLOT_COUNT])
{
    const bool is_applied = !wished();
    while (atomic_flag_test_and_set_explicit(&tuning_is_being_written, memory_order_acquire))
        ; /* for as long as another thread stores some words */
    for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++)
        atomic_store_explicit(&tuning[slot], is_applied ? words[slot] : 0, memory_order_relaxed);
    atomic_flag_clear_explicit(&tuning_is_being_written, memory_order_release);
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
    sl_learn_cache();
    const sl_kernels *table = name ? runnable(name) : NULL;
    if (name && !table)
        return false;
    atomic_store_explicit(&forced, table, memory_order_release);
    return true;
}
