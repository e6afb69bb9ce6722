/* SPDX-License-Identifier: MIT
 *
 * Chooses a table: the best one of isas.def that this machine can run, or the one that SOFTLANE_ISA or
 * sl_isa_force asks for. Each choice is one atomic word, made without a lock, so that a signal handler may
 * call whatever it has interrupted. Of threads that race to make the first choice one makes it for all.
 * A tuning (tune.c) refines it by the size of a call: one atomic word per kernel and element type.
 */
#include "dispatch.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "cache.h"
#include "cpu.h"

/* The rest where a row's architecture is this one, else nothing. */
#define BUILT_0(...)
#define BUILT_1(...) __VA_ARGS__
#define BUILT_(arch, ...) BUILT_##arch(__VA_ARGS__)
#define BUILT(arch, ...) BUILT_(arch, __VA_ARGS__)

/* Every ISA that softlane knows, best first. No table where it is of another architecture; one without needs where it is left
 * out (unit_table.c). */
static const struct {
    const char *name;
    const sl_kernels *table;
} isas[] = {
#define SL_ISA(isa, arch, flags) {.name = #isa, BUILT(arch, .table = &sl_table_##isa)},
#include "isas.def"
#undef SL_ISA
};
#define ISA_COUNT (sizeof isas / sizeof isas[0])

/* Those of this architecture, in the same order: a digit of a tuning is 1 + the place here. */
static const sl_kernels *const built_tables[] = {
#define SL_ISA(isa, arch, flags) BUILT(arch, &sl_table_##isa, )
#include "isas.def"
#undef SL_ISA
};
#define TABLE_COUNT (sizeof built_tables / sizeof built_tables[0])

/* 0: not yet made; else 1 + the row of isas.def, and NAMED if SOFTLANE_ISA named it. Made once. */
enum { ROW = 15, NAMED = 16 };
static _Atomic(unsigned) choice;
_Static_assert(ISA_COUNT < ROW, "a row of isas.def no longer fits into the choice");

static _Atomic(const sl_kernels *) chosen_table; /* NULL: not yet made; written after the choice */
static _Atomic(const sl_kernels *) forced;       /* NULL: not forced */

/* A digit for each size class (dispatch.h), and above them the number of the load that has written the word. All tables
 * in it are of one class of bits, so a word that is older than its neighbour is as good. */
enum { TUNING_LOAD_SHIFT = SL_SIZE_CLASSES * SL_TUNING_DIGIT_BITS };
#define TUNING_DIGITS (((uint64_t)1 << TUNING_LOAD_SHIFT) - 1)
static _Atomic(uint64_t) tuning[SL_SLOT_COUNT];
static _Atomic(uint16_t) tuning_loads;
_Static_assert(TABLE_COUNT <= SL_TUNING_DIGIT, "a table no longer fits in a digit of a tuning");
_Static_assert(TUNING_LOAD_SHIFT + 16 <= 64, "the number of a load no longer fits above a tuning's digits");
#if ATOMIC_LLONG_LOCK_FREE != 2 || ATOMIC_POINTER_LOCK_FREE != 2 /* of a tuning */
#error "softlane needs atomic words of 64 bits without locks"
#endif

static const char *why_not(size_t i)
{
    const sl_kernels *table = isas[i].table;
    return table && table->needs ? sl_cpu_lacks(table->needs) : "not built";
}

static char lower(char c) { return c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c; }

/* The row with this name, in letters of either case; ISA_COUNT where there is none. */
static size_t row_of(const char *name)
{
    for (size_t i = 0; i < ISA_COUNT; i++) {
        size_t n = 0;
        while (isas[i].name[n] && lower(name[n]) == isas[i].name[n])
            n++;
        if (!isas[i].name[n] && !name[n])
            return i;
    }
    return ISA_COUNT;
}

/* The named table if it can run, else NULL. */
static const sl_kernels *runnable(const char *name)
{
    const size_t row = row_of(name);
    return row < ISA_COUNT && !why_not(row) ? isas[row].table : NULL;
}

/* What SOFTLANE_ISA asks for, as a choice; 0 if it asks for nothing, or for what cannot run. */
static unsigned named(void)
{
    const char *name = getenv("SOFTLANE_ISA");
    const size_t row = name ? row_of(name) : ISA_COUNT;
    return row < ISA_COUNT && !why_not(row) ? NAMED | ((unsigned)row + 1) : 0;
}

/* The last row, plain C, asks for nothing that the whole library was not compiled for. */
static size_t best(void)
{
    size_t i = 0;
    while (i + 1 < ISA_COUNT && why_not(i))
        i++;
    return i;
}

static unsigned choose(void)
{
    const unsigned by_name = named();
    return by_name ? by_name : (unsigned)best() + 1;
}

SL_ATOMICS_IN_PLACE static unsigned make(void)
{
    unsigned now = 0;
    sl_learn_cache();
    const unsigned mine = choose();
    if (atomic_compare_exchange_strong(&choice, &now, mine))
        now = mine;
    atomic_store_explicit(&chosen_table, isas[(now & ROW) - 1].table, memory_order_release);
    return now;
}

static unsigned made(void)
{
    const unsigned now = atomic_load_explicit(&choice, memory_order_acquire);
    return now ? now : make();
}

static const sl_kernels *chosen(void)
{
    const sl_kernels *table = atomic_load_explicit(&chosen_table, memory_order_acquire);
    return table ? table : isas[(made() & ROW) - 1].table;
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
    if (!(word & TUNING_DIGITS)) /* the rule: a short call does not wait for more */
        return chosen();
    const unsigned digit = word >> SL_TUNING_DIGIT_BITS * sl_size_class(elements) & SL_TUNING_DIGIT;
    return digit ? built_tables[digit - 1] : chosen();
}

unsigned sl_tuning_digit(const char *name)
{
    for (unsigned i = 0; i < TABLE_COUNT; i++)
        if (strcmp(name, built_tables[i]->isa) == 0)
            return runnable(name) && built_tables[i]->fma == chosen()->fma ? i + 1 : 0;
    return 0;
}

/* The highest number wins, whoever is delayed or interrupted: a load leaves alone what a later one has written. */
SL_ATOMICS_IN_PLACE void sl_tuning_publish(const uint64_t words[SL_SLOT_COUNT])
{
    const bool is_applied = !(made() & NAMED);
    const uint16_t load = (uint16_t)(atomic_fetch_add(&tuning_loads, 1) + 1);
    for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++) {
        const uint64_t new = (uint64_t)load << TUNING_LOAD_SHIFT | (is_applied ? words[slot] : 0);
        uint64_t old = atomic_load_explicit(&tuning[slot], memory_order_relaxed);
        /* Numbers start again after 65535. */
        while ((int16_t)(uint16_t)(load - (old >> TUNING_LOAD_SHIFT)) > 0 &&
               !atomic_compare_exchange_weak_explicit(&tuning[slot], &old, new, memory_order_relaxed,
                                                      memory_order_relaxed))
            ;
    }
}

void sl_tuning_read(uint64_t words[SL_SLOT_COUNT])
{
    for (size_t slot = 0; slot < SL_SLOT_COUNT; slot++)
        words[slot] = atomic_load_explicit(&tuning[slot], memory_order_relaxed) & TUNING_DIGITS;
}

const sl_kernels *sl_isa(const char *name)
{
    made();
    return name ? runnable(name) : sl_active();
}

size_t sl_isa_count(void) { return ISA_COUNT; }

const char *sl_isa_name_at(size_t i) { return i < ISA_COUNT ? isas[i].name : NULL; }

bool sl_isa_available(const char *name) { return name && runnable(name); }

const char *sl_isa_why_not(const char *name)
{
    const size_t row = name ? row_of(name) : ISA_COUNT;
    return row < ISA_COUNT ? why_not(row) : "no such ISA";
}

bool sl_isa_force(const char *name)
{
    const unsigned now = made();
    const sl_kernels *table = runnable(name ? name : isas[(now & ROW) - 1].name);
    if (!table)
        return false;
    atomic_store_explicit(&forced, name ? table : NULL, memory_order_release);
    return true;
}
