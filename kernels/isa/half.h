/* SPDX-License-Identifier: MIT
 *
 * binary16 from and to f32 where the ISA has no conversion, in the other words: bit for bit what the hardware
 * does, the payload of a NaN included, and like the hardware blind to FTZ and DAZ, because the arithmetic
 * never needs a denormal float.
 *
 * An ISA whose arithmetic gives one NaN for all, or any, defines SL_CANONICAL_NANS: then no payload goes through it.
 *
 * binary16 has 10 bits of significand and a bias of 15, f32 has 23 and 127: a shift by 13 and 112 more in the
 * exponent turn one into the other, but for denormals, infinity and NaN.
 */
#ifndef SL_ISA_HALF_H
#define SL_ISA_HALF_H

#include "isa/isa.h"

#define SL_SOFT_HALF 1 /* a conversion is some 20 operations */

/* One element at a time is slow anyway: then code is to be small. */
#if SL_W == 1
#define SL_CONVERSION SL_NOINLINE
#else
#define SL_CONVERSION SL_INLINE
#endif

/* A denormal is m * 2^-24, m < 1024: like a normal number of the least exponent, -14, but for the leading
 * one. So it gets that one, and the exact subtraction of 2^-14 takes it off again. */
SL_CONVERSION vf v_of_f16(vu h)
{
    const vf a = v_float(u_add(u_shl(u_and(h, u_set1(0x7fff)), 13), u_set1(112u << 23)));
    const vm denormal = v_lt(a, v_set1(0x1p-14f)), special = v_nlt(a, v_set1(0x1p16f));
    const vm nan = v_lt(v_set1(0x1p16f), a);
    const vu least_exponent = v_bits(v_keep(denormal, v_float(u_set1(1u << 23))));
    const vu largest_exponent = v_bits(v_keep(special, v_float(u_set1(112u << 23))));
    const vu quiet = v_bits(v_keep(nan, v_float(u_set1(1u << 22))));
    const vu bits = u_or(u_add(v_bits(a), u_or(least_exponent, largest_exponent)), quiet);
    const vf difference = v_sub(v_float(bits), v_keep(denormal, v_set1(0x1p-14f)));
#ifdef SL_CANONICAL_NANS
    const vf magnitude = v_select(nan, v_float(bits), difference);
#else
    const vf magnitude = difference;
#endif
    return v_float(u_or(v_bits(magnitude), u_shl(u_and(h, u_set1(0x8000)), 16)));
}

/* With e the exponent of a, at least -14, a sum with 2^(e + 13) has a last place of 2^(e - 10), which is
 * binary16's: the addition does the rounding. What it gives beyond 2^(e + 13) is the significand, 1024 for
 * the leading one, which carries into the exponent field: that is e + 14 before. Magnitudes from 2^16 upwards
 * count as 2^16, whose exponent field is infinity's. */
SL_CONVERSION vu h_of_f32(vf a)
{
    const vf magnitude = v_min(v_abs(a), v_set1(0x1p16f)), least_normal = v_set1(0x1p-14f);
    const vf binade = v_max(v_float(u_and(v_bits(magnitude), u_set1(0x7f800000))), least_normal);
    const vf anchor = v_mul(binade, v_set1(0x1p13f));
    const vu significand = u_sub(v_bits(v_add(magnitude, anchor)), v_bits(anchor));
    const vu exponent = u_shr(u_sub(v_bits(binade), v_bits(least_normal)), 13);
    const vu payload = u_or(u_and(u_shr(v_bits(a), 13), u_set1(0x3ff)), u_set1(0x200));
    const vu nan = v_bits(v_keep(v_nle(v_abs(a), v_set1(INFINITY)), v_float(payload)));
    const vu sign = u_and(u_shr(v_bits(a), 16), u_set1(0x8000));
    return u_or(u_or(u_add(significand, exponent), nan), sign);
}

SL_INLINE vf v_load_f16(const uint16_t *p) { return v_of_f16(h_load(p)); }
SL_INLINE void v_store_f16(uint16_t *p, vf a) { h_store(p, h_of_f32(a)); }
SL_INLINE void v_stream_f16(uint16_t *p, vf a) { h_stream(p, h_of_f32(a)); }

#endif
