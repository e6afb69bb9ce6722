/* SPDX-License-Identifier: MIT
 *
 * Sums without rounding, in integers: what makes merging statistics associative and commutative to the last bit.
 * Plain C that rounds the same everywhere, for the units and for stats.c.
 *
 * A sum is digits of 32 bits (in 64, so that 2^30 sums can be added without a carry) at fixed places: digit k of
 * a sum with `top` stands for digit[k] 2^(32 (top - k)). A number comes in at the place its exponent says; top is
 * the highest such place of all that came in; digits that fall out below were at least 2^-64 of what is left,
 * and would fall out in any order of adding. What is no number has the highest place of all; its only digit says
 * which infinities came in, both for a NaN.
 *
 * Exponentials: exp(m) = 2^n f, n an integer and f in [1, 2), so exp(m) v is added as f v at place n.
 */
#ifndef SL_MATHS_EXACT_H
#define SL_MATHS_EXACT_H

#include "vocab.h"

#define EXACT_DIGITS 5
#define EXACT_NOTHING INT64_MIN
#define EXACT_NO_NUMBER ((int64_t)1 << 62) /* beyond any place */

enum { EXACT_PLUS_INF = 1, EXACT_MINUS_INF = 2, EXACT_NAN = 3 };

typedef struct {
    int64_t top, digit[EXACT_DIGITS];
} exact_sum;

SL_INLINE uint64_t exact_bits(double a)
{
    uint64_t u;
    memcpy(&u, &a, sizeof u);
    return u;
}

SL_INLINE double exact_double(uint64_t u)
{
    double a;
    memcpy(&a, &u, sizeof a);
    return a;
}

/* a 2^e for any e; a is 0 or at most 2^64 in magnitude, and normal. */
SL_INLINE double exact_scale(double a, int64_t e)
{
    for (; e < -1000 && a != 0; e += 1000)
        a *= 0x1p-1000;
    for (; e > 900 && a < (double)INFINITY && a > -(double)INFINITY && a != 0; e -= 900)
        a *= 0x1p900;
    return a == 0 ? a : a * exact_double((uint64_t)(e + 1023) << 52);
}

SL_INLINE void exact_raise(exact_sum *s, int64_t top)
{
    if (s->top == EXACT_NOTHING || s->top >= top) {
        s->top = s->top == EXACT_NOTHING ? top : s->top;
        return;
    }
    int64_t rise = top - s->top; /* of an infinity: more than there are digits */
    for (int64_t k = EXACT_DIGITS - 1; k >= 0; k--)
        s->digit[k] = k >= rise ? s->digit[k - rise] : 0;
    s->top = top;
}

SL_INLINE void exact_add_digit(exact_sum *s, int64_t place, int64_t digit)
{
    if (s->top - place < EXACT_DIGITS)
        s->digit[s->top - place] += digit;
}

/* v 2^e, alone. */
SL_INLINE exact_sum exact_of(double v, int64_t e)
{
    uint64_t bits = exact_bits(v), mantissa = bits & 0xfffffffffffff;
    int64_t exponent = (int64_t)(bits >> 52 & 0x7ff), sign = bits >> 63 ? -1 : 1;
    if (exponent == 0 && mantissa == 0)
        return (exact_sum){EXACT_NOTHING, {0}};
    if (exponent == 0x7ff)
        return (exact_sum){EXACT_NO_NUMBER,
                           {mantissa   ? EXACT_NAN
                            : sign > 0 ? EXACT_PLUS_INF
                                       : EXACT_MINUS_INF}};
    mantissa |= exponent ? (uint64_t)1 << 52 : 0;
    e += (exponent ? exponent : 1) - 1075;
    int64_t place = e >= 0 ? e / 32 : -((31 - e) / 32); /* floor */
    int shift = (int)(e - place * 32);
    uint64_t low = mantissa << shift, high = shift ? mantissa >> (64 - shift) : 0;
    return (exact_sum){
        place + 2, {sign * (int64_t)high, sign * (int64_t)(low >> 32), sign * (int64_t)(low & 0xffffffff)}};
}

SL_INLINE void exact_merge(exact_sum *into, const exact_sum *from)
{
    if (from->top == EXACT_NOTHING)
        return;
    exact_raise(into, from->top);
    if (from->top == EXACT_NO_NUMBER)
        into->digit[0] |= from->digit[0];
    else
        for (int64_t k = 0; k < EXACT_DIGITS; k++)
            exact_add_digit(into, from->top - k, from->digit[k]);
}

/* Digits in [0, 2^32), but for the first, which has the sum's sign. */
SL_NOINLINE void exact_carry(int64_t digit[EXACT_DIGITS])
{
    for (int k = EXACT_DIGITS - 1; k > 0; k--) {
        int64_t low = digit[k] & 0xffffffff;
        digit[k - 1] += (digit[k] - low) / ((int64_t)1 << 32);
        digit[k] = low;
    }
}

/* s 2^-e, rounded; a function of the sum and of top alone. The sign is taken out first, since the digits of a
 * negative sum cancel. */
SL_NOINLINE double exact_value(const exact_sum *s, int64_t e)
{
    if (s->top == EXACT_NOTHING)
        return 0;
    if (s->top == EXACT_NO_NUMBER)
        return s->digit[0] == EXACT_NAN        ? (double)NAN
               : s->digit[0] == EXACT_PLUS_INF ? (double)INFINITY
                                               : -(double)INFINITY;
    if (s->top - e / 32 < -100) /* far below any double; and 32 top - e may be too large for 64 bits */
        return 0;
    int64_t digit[EXACT_DIGITS];
    memcpy(digit, s->digit, sizeof digit);
    exact_carry(digit);
    int negative = digit[0] < 0;
    for (int k = 0; negative && k < EXACT_DIGITS; k++)
        digit[k] = -digit[k];
    if (negative)
        exact_carry(digit);
    double value = 0;
    for (int k = EXACT_DIGITS - 1; k >= 0; k--)
        value = value * 0x1p-32 + (double)digit[k];
    return exact_scale(negative ? -value : value, 32 * s->top - e);
}

/* exp(m) = 2^n f, and f = exp(r) root, |r| <= ln2 / 2: root is sqrt 2, or 1 as f is, of an m that is almost 0, or beyond 2^62. */
typedef struct {
    int64_t n;
    double f;
} exact_power;

typedef struct {
    int64_t n;
    double r, root;
} exact_reduced;

enum { EXACT_TERMS = 15 };
#define EXACT_ROOT 0x1.6a09e667f3bcdp+0

/* a * b. Not every 32-bit target has integers of 128 bits. */
typedef struct {
    uint64_t high, low;
} exact_bits_128;

SL_INLINE exact_bits_128 exact_product(uint64_t a, uint64_t b)
{
    uint64_t a_low = a & 0xffffffff, a_high = a >> 32, b_low = b & 0xffffffff, b_high = b >> 32;
    uint64_t low = a_low * b_low, middle = a_high * b_low + (low >> 32),
             other = a_low * b_high + (middle & 0xffffffff);
    return (exact_bits_128){a_high * b_high + (middle >> 32) + (other >> 32),
                            other << 32 | (low & 0xffffffff)};
}

/* m log2 e in integers of 181 bits. */
SL_NOINLINE exact_reduced exact_reduce(double m)
{
    uint64_t bits = exact_bits(m);
    int64_t exponent = (int64_t)(bits >> 52 & 0x7ff);
    uint64_t mantissa = (bits & 0xfffffffffffff) | (uint64_t)1 << 52;
    if (exponent < 1023 - 64 || exponent > 1023 + 62 ||
        (exponent == 1023 + 62 && mantissa != (uint64_t)1 << 52))
        return (exact_reduced){0, 0, 1};
    /* log2 e = 0x1.71547652b82fe1777d0ffda0d23a7d11d6aef551bad2b4b1... in 128 bits, plus 2^-63: exp(m1) / exp(m2)
     * is off by 2^-63 |m1 - m2|, nothing where the smaller one counts. The product's lowest 64 bits are left out.
     * The binary point is at bit 1138 - exponent, from 53 to 179, of {high, low}. */
    uint64_t lowest = exact_product(mantissa, 0xbe87fed0691d3e88).high;
    exact_bits_128 product = exact_product(mantissa, 0xb8aa3b295c17f0bc);
    uint64_t low = product.low + lowest, high = product.high + (low < lowest);
    int point = (int)(1138 - exponent);
    int64_t n = 0;
    uint64_t fraction;
    if (point < 64)
        n = (int64_t)(high << (64 - point) | low >> point), fraction = low << (64 - point);
    else if (point == 64)
        n = (int64_t)high, fraction = low;
    else if (point < 128)
        n = (int64_t)(high >> (point - 64)), fraction = high << (128 - point) | low >> (point - 64);
    else
        fraction = high >> (point - 128);
    if (bits >> 63) {
        n = -n - (fraction != 0);
        fraction = -fraction;
    }
    return (exact_reduced){n, ((double)(fraction >> 11) * 0x1p-53 - 0.5) * 0x1.62e42fefa39efp-1, EXACT_ROOT};
}

/* f by its series. */
SL_NOINLINE exact_power exact_exp(double m)
{
    exact_reduced of = exact_reduce(m);
    double e = 1;
    SL_UNROLL_ALL
    for (int k = EXACT_TERMS; k > 0; k--) /* unrolled, what 8, 4, 2 and 1 divide costs next to nothing */
        e = 1 + SL_ROUNDED(e * of.r) / k;
    return (exact_power){of.n, e * of.root};
}

/* Of a maximum; where that says nothing, exp is 1. */
SL_INLINE double exact_exponent_of(double max) { return max > -(double)INFINITY ? max : 0; }

SL_INLINE void stats_keep(sl_stats *s, exact_sum rest, exact_sum logits)
{
    memcpy(&s->exact_rest, &rest, sizeof rest);
    memcpy(&s->exact_logits, &logits, sizeof logits);
}

/* The statistics of no elements. */
SL_INLINE sl_stats stats_of_nothing(void)
{
    const exact_sum none = {EXACT_NOTHING, {0}};
    sl_stats s = {.max = -(double)INFINITY};
    stats_keep(&s, none, none);
    return s;
}

#endif
