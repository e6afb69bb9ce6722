/* SPDX-License-Identifier: MIT
 *
 * Numbers as their bits, and back; and bits of a size in memory, in the order of this machine.
 */
#ifndef SL_HARNESS_BITS_H
#define SL_HARNESS_BITS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

static inline uint32_t bits_of_float(float f)
{
    uint32_t bits;
    memcpy(&bits, &f, sizeof bits);
    return bits;
}

static inline float float_of_bits(uint32_t bits)
{
    float f;
    memcpy(&f, &bits, sizeof f);
    return f;
}

static inline uint64_t bits_of_double(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

static inline double double_of_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

/* Where the lowest `size` bytes of a uint64_t are. */
static inline size_t lowest_bytes(size_t size)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? sizeof(uint64_t) - size : 0;
}

/* An unsigned number of 1, 2, 4 or 8 bytes. */
static inline uint64_t load_bits(const void *from, size_t size)
{
    uint64_t bits = 0;
    memcpy((char *)&bits + lowest_bytes(size), from, size);
    return bits;
}

static inline void store_bits(void *to, size_t size, uint64_t bits)
{
    memcpy(to, (const char *)&bits + lowest_bytes(size), size);
}

#endif
