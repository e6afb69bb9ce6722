/* SPDX-License-Identifier: MIT
 *
 * The table in use, and how a tuning refines it.
 */
#ifndef SL_DISPATCH_H
#define SL_DISPATCH_H

#include "table.h"

/* Atomic operations in place. For AArch64 gcc and clang else call libgcc's, which has a constructor ask for the CPU. */
#if defined(__aarch64__) && (defined(__clang__) || __GNUC__ >= 10)
#define SL_ATOMICS_IN_PLACE __attribute__((noinline, target("no-outline-atomics")))
#else
#define SL_ATOMICS_IN_PLACE
#endif

/* Never NULL: scalar runs everywhere. */
const sl_kernels *sl_active(void);

/* For a call with so many elements. */
const sl_kernels *sl_active_for(size_t slot, size_t elements);

/* Size classes of a tuning: class 0 is below 512 elements, and every next one starts at twice as many. */
enum { SL_SIZE_CLASSES = 16, SL_SMALLEST_FROM = 512 };
static inline unsigned sl_size_class(size_t elements)
{
    const unsigned digits = 64 - (unsigned)__builtin_clzll(elements | 1);
    const unsigned above = digits > 9 ? digits - 9 : 0; /* 512 has ten digits */
    return above < SL_SIZE_CLASSES ? above : SL_SIZE_CLASSES - 1;
}

/* The words of a tuning have a digit for each size class, the lowest first: 1 + the place of an ISA among those of
 * this architecture, or 0 for the table in use. */
enum { SL_TUNING_DIGIT_BITS = 3, SL_TUNING_DIGIT = (1 << SL_TUNING_DIGIT_BITS) - 1 };

/* The digit for an ISA; 0 when it cannot run here with the bits of the choice made. */
unsigned sl_tuning_digit(const char *isa);

/* A word for each slot. Of loads at once the last one to begin is the one that stays. */
void sl_tuning_publish(const uint64_t words[SL_SLOT_COUNT]);
void sl_tuning_read(uint64_t words[SL_SLOT_COUNT]);

#endif
