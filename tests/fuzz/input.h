/* SPDX-License-Identifier: MIT
 *
 * A fuzzer's bytes, taken from the front: decisions first, then the values that they are about. Behind the end
 * there are zeros, so that every input means something and short ones are simple calls.
 */
#ifndef FUZZ_INPUT_H
#define FUZZ_INPUT_H

#include <stddef.h>
#include <stdint.h>

typedef struct {
    const uint8_t *at;
    size_t left;
} input;

/* A number of this many bytes, at most 8. */
static inline uint64_t take(input *in, size_t bytes)
{
    uint64_t number = 0;
    for (size_t i = 0; i < bytes && in->left > 0; i++) {
        number |= (uint64_t)*in->at++ << 8 * i;
        in->left--;
    }
    return number;
}

/* [0, n), for 0 < n <= 65536 */
static inline size_t take_below(input *in, size_t n) { return take(in, n <= 256 ? 1 : 2) % n; }

#endif
