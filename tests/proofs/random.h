/* SPDX-License-Identifier: MIT
 *
 * The same random numbers in every run.
 */
#ifndef SL_PROOFS_RANDOM_H
#define SL_PROOFS_RANDOM_H

#include <stdint.h>

static inline uint64_t next(void)
{
    static uint64_t state = 1;
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static inline double uniform(void) { return (double)(next() >> 11) * 0x1p-53; }

#endif
