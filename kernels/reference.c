/* SPDX-License-Identifier: MIT
 *
 * What the oracle knows of number formats: how elements are stored, and what a unit in the last place is.
 * bf16 and f16 are read and written by arithmetic on their values, sharing nothing with convert.c. The
 * kernels are in reference_double.c and reference_long.c.
 */
#include "reference.h"

#include <float.h>
#include <math.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- 16-bit formats */

/* IEEE 754 formats of 16 bits: sign, exponent, digits - 1 of the significand. */

static int fraction_of(uint16_t bits, int digits) { return bits & ((1 << (digits - 1)) - 1); }

static int exponent_of(uint16_t bits, int digits) { return (bits & 0x7fff) >> (digits - 1); }

static double decode(uint16_t bits, int digits, int min_exp)
{
    const int fraction = fraction_of(bits, digits), exponent = exponent_of(bits, digits);
    double magnitude;
    if (exponent == exponent_of(0x7fff, digits))
        magnitude = fraction == 0 ? INFINITY : NAN;
    else if (exponent == 0)
        magnitude = ldexp(fraction, min_exp - digits);
    else
        magnitude = ldexp(fraction + (1 << (digits - 1)), exponent - 1 + min_exp - digits);
    return bits & 0x8000 ? -magnitude : magnitude;
}

static uint16_t encode(double value, int digits, int min_exp)
{
    const int infinity = exponent_of(0x7fff, digits) << (digits - 1);
    if (isnan(value))
        return (uint16_t)(infinity | 1 << (digits - 2));
    const uint16_t sign = signbit(value) ? 0x8000 : 0;
    int exponent; /* |value| < 2^exponent */
    frexp(value, &exponent);
    if (exponent < min_exp || value == 0)
        exponent = min_exp;
    if (isinf(value) || exponent > 3 - min_exp)
        return (uint16_t)(sign | infinity);
    /* In units of the last place: fewer than 2^(digits - 1) if denormal. A normal one's leading digit adds
     * the 1 that its exponent field is above exponent - min_exp; so does the carry of one that rounds up. */
    const int units = (int)nearbyint(ldexp(fabs(value), digits - exponent));
    return (uint16_t)(sign | (((exponent - min_exp) << (digits - 1)) + units));
}

/* --------------------------------------------------------------------------------------- element types */

#define DIGITS_f32 FLT_MANT_DIG
#define DIGITS_f64 DBL_MANT_DIG
#define DIGITS_bf16 8
#define DIGITS_f16 11
#define MIN_EXP_f32 FLT_MIN_EXP
#define MIN_EXP_f64 DBL_MIN_EXP
#define MIN_EXP_bf16 FLT_MIN_EXP
#define MIN_EXP_f16 (-13)

static double get_f32(const void *array, size_t i) { return ((const float *)array)[i]; }
static double get_f64(const void *array, size_t i) { return ((const double *)array)[i]; }
static double get_bf16(const void *array, size_t i)
{
    return decode(((const sl_bf16 *)array)[i].bits, DIGITS_bf16, MIN_EXP_bf16);
}
static double get_f16(const void *array, size_t i)
{
    return decode(((const sl_f16 *)array)[i].bits, DIGITS_f16, MIN_EXP_f16);
}

static void put_f32(void *array, size_t i, double value) { ((float *)array)[i] = (float)value; }
static void put_f64(void *array, size_t i, double value) { ((double *)array)[i] = value; }
static void put_bf16(void *array, size_t i, double value)
{
    ((sl_bf16 *)array)[i].bits = encode(value, DIGITS_bf16, MIN_EXP_bf16);
}
static void put_f16(void *array, size_t i, double value)
{
    ((sl_f16 *)array)[i].bits = encode(value, DIGITS_f16, MIN_EXP_f16);
}

static uint64_t bits_f32(const void *array, size_t i)
{
    uint32_t bits;
    memcpy(&bits, (const float *)array + i, sizeof bits);
    return bits;
}
static uint64_t bits_f64(const void *array, size_t i)
{
    uint64_t bits;
    memcpy(&bits, (const double *)array + i, sizeof bits);
    return bits;
}
static uint64_t bits_bf16(const void *array, size_t i) { return ((const sl_bf16 *)array)[i].bits; }
static uint64_t bits_f16(const void *array, size_t i) { return ((const sl_f16 *)array)[i].bits; }

/* The loss type L as an element type. */
#define LOSS(L, of) _Generic((L)0, float : of##_f32, double : of##_f64)

#define ENTRY(dt, T, L, ...)                                                                                 \
    [SL_COUNT_##dt] = {                                                                                      \
        .name = #dt,                                                                                         \
        .size = sizeof(T),                                                                                   \
        .loss_size = sizeof(L),                                                                              \
        .digits = DIGITS_##dt,                                                                               \
        .loss_digits = LOSS(L, DIGITS),                                                                      \
        .min_exp = MIN_EXP_##dt,                                                                             \
        .loss_min_exp = LOSS(L, MIN_EXP),                                                                    \
        .long_arithmetic = DIGITS_##dt > FLT_MANT_DIG,                                                       \
        .get = get_##dt,                                                                                     \
        .put = put_##dt,                                                                                     \
        .get_loss = LOSS(L, get),                                                                            \
        .put_loss = LOSS(L, put),                                                                            \
        .bits = bits_##dt,                                                                                   \
    },
const sl_ref_dtype sl_ref_dtypes[SL_DTYPE_COUNT] = {SL_DTYPES(ENTRY, )};

/* ------------------------------------------------------------------------------------------------- ULP */

/* ilogbl and ldexpl, which would take half of the time of tests that try all floats. The former by the bits of the nearest double, which
 * may have been rounded up to a power of two. */
static int binade_of(sl_real x)
{
    const sl_real size = fabsl(x);
    const double nearest = (double)size;
    uint64_t bits;
    memcpy(&bits, &nearest, sizeof bits);
    if (!isnormal(nearest))
        return ilogbl(x);
    return (int)(bits >> 52) - 1023 - (bits << 12 == 0 && (sl_real)nearest > size);
}

static sl_real scaled(sl_real x, int exponent)
{
    const uint64_t bits = (uint64_t)(exponent + 1023) << 52;
    double power;
    memcpy(&power, &bits, sizeof power);
    return exponent > -1023 && exponent < 1024 ? x * (sl_real)power : ldexpl(x, exponent);
}

double sl_ref_ulp(double got, sl_real want, sl_real scale, int digits, int min_exp)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want) ? 0 : INFINITY;
    if (isinf(got) || isinf(want)) {
        const int max_exp = 3 - min_exp; /* of IEEE 754's formats */
        const sl_real overflow =
            ldexpl(1, max_exp) - ldexpl(1, max_exp - digits - 1); /* rounds to infinity */
        return isinf(got) && fabsl(want) >= overflow && (got > 0) == (want > 0) ? 0 : INFINITY;
    }
    int exponent = min_exp;
    if (scale != 0 && isfinite(scale)) {
        const int of_scale = binade_of(scale) + 1;
        exponent = of_scale > min_exp ? of_scale : min_exp;
    }
    return (double)scaled(fabsl(got - want), digits - exponent);
}
