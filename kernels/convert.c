/* SPDX-License-Identifier: MIT
 *
 * One value from and to the storage types, in integer arithmetic, so that neither the caller's rounding mode
 * nor FTZ and DAZ can change a result. The kernels convert by the vector (vocab.h); the bits are the same.
 */
#include "arithmetic.h"
#include "softlane.h"

#include <string.h>

static float float_of(uint32_t bits)
{
    float a;
    memcpy(&a, &bits, sizeof a);
    return a;
}

static uint32_t bits_of(float a)
{
    uint32_t bits;
    memcpy(&bits, &a, sizeof bits);
    return bits;
}

/* a / 2^k to nearest even, 0 < k < 32, a < 2^31 */
static uint32_t round_shift(uint32_t a, unsigned k)
{
    uint32_t even = a >> k & 1;
    return (a + (UINT32_C(1) << (k - 1)) - 1 + even) >> k;
}

float sl_f32_of_bf16(sl_bf16 a)
{
    uint32_t quiet = (a.bits & 0x7fffu) > 0x7f80 ? 1u << 22 : 0;
    return float_of((uint32_t)a.bits << 16 | quiet);
}

sl_bf16 sl_bf16_of_f32(float a)
{
    uint32_t bits = bits_of(a), sign = bits & 0x80000000, magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (sl_bf16){0x7fc0};
    return (sl_bf16){(uint16_t)(sign >> 16 | round_shift(magnitude, 16))};
}

/* The significand moves by 13 bits and the exponent's bias from 15 to 127. */
float sl_f32_of_f16(sl_f16 a)
{
    uint32_t sign = a.bits & 0x8000u, magnitude = a.bits & 0x7fffu;
    uint32_t bits = (magnitude << 13) + (112u << 23);
    if (magnitude > 0x7c00) /* NaN, made quiet */
        bits = magnitude << 13 | 0x7fc00000;
    else if (magnitude == 0x7c00)
        bits = 0x7f800000;
    else if (magnitude < 0x0400) /* magnitude * 2^-24; the conversion of an integer is exact */
        bits = magnitude ? bits_of((float)magnitude) - (24u << 23) : 0;
    return float_of(sign << 16 | bits);
}

/* Below 2^-14 the exponent stays and the significand, leading one included, loses a bit per binade. The
 * leading one carries into the exponent's field, and so does what rounding adds: up to infinity. */
sl_f16 sl_f16_of_f32(float a)
{
    uint32_t bits = bits_of(a), sign = bits >> 16 & 0x8000, magnitude = bits & 0x7fffffff;
    uint32_t exponent = magnitude >> 23, significand = (magnitude & 0x7fffff) | 0x800000;
    uint32_t result = 0; /* below 2^-25, half the smallest denormal */
    if (magnitude > 0x7f800000)
        result = 0x7e00 | (magnitude >> 13 & 0x01ff);
    else if (exponent > 142)
        result = 0x7c00;
    else if (exponent > 112)
        result = ((exponent - 113) << 10) + round_shift(significand, 13);
    else if (exponent > 101)
        result = round_shift(significand, 126 - exponent);
    return (sl_f16){(uint16_t)(sign | result)};
}
