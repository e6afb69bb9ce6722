/* SPDX-License-Identifier: MIT
 *
 * What the oracle needs in binary128 where the C library has it in double only (WASI's, which is musl: exp, log ...), or the
 * compiler's does it wrong (division). These take their place. They are within some 3 units in the last place; the oracle's own
 * test (tests/oracle.c) asks for 8.
 */
#if defined(__wasi__)
#include <float.h>
#include <math.h>
#include <stddef.h>

_Static_assert(LDBL_MANT_DIG == 113, "these functions are made for binary128");

/* a / b, whose reciprocal Newton's iteration finds. compiler-rt's of clang 19 gives 1 + 2^-112 for 1 / (2 - 2^-112). */
long double __divtf3(long double a, long double b);
long double __divtf3(long double a, long double b)
{
    const long double sign = copysignl(1, a) * copysignl(1, b);
    if (isnan(a) || isnan(b) || (isinf(a) && isinf(b)) || (a == 0 && b == 0))
        return NAN;
    if (isinf(a) || b == 0)
        return sign * INFINITY;
    if (isinf(b) || a == 0)
        return sign * 0;
    int exponent_a, exponent_b;
    const long double part_a = frexpl(a, &exponent_a), part_b = frexpl(b, &exponent_b);
    long double reciprocal = 1 / (double)part_b;
    for (int i = 0; i < 2; i++)
        reciprocal += reciprocal * (1 - part_b * reciprocal);
    return ldexpl(part_a * reciprocal, exponent_a - exponent_b);
}

/* log(2), of which `high` leaves room for the digits of an exponent. */
static const long double log_2_high = 0x1.62e42fefa39ef35793c7673p-1L,
                         log_2_low = 0x7.e5ed5e81e6864ce5316c5b141a3p-105L;

/* exp(x) - 1 by its series, |x| <= log(2) / 2 */
static long double expm1_near_0(long double x)
{
    static const long double inverse_factorials[] = {
        1.0L,
        1 / 2.0L,
        1 / 6.0L,
        1 / 24.0L,
        1 / 120.0L,
        1 / 720.0L,
        1 / 5040.0L,
        1 / 40320.0L,
        1 / 362880.0L,
        1 / 3628800.0L,
        1 / 39916800.0L,
        1 / 479001600.0L,
        1 / 6227020800.0L,
        1 / 87178291200.0L,
        1 / 1307674368000.0L,
        1 / 20922789888000.0L,
        1 / 355687428096000.0L,
        1 / 6402373705728000.0L,
        1 / 121645100408832000.0L,
        1 / 2432902008176640000.0L,
        1 / 51090942171709440000.0L,
        1 / 1124000727777607680000.0L,
        1 / 25852016738884976640000.0L,
        1 / 620448401733239439360000.0L,
        1 / 15511210043330985984000000.0L,
        1 / 403291461126605635584000000.0L,
    };
    long double sum = 0;
    for (size_t i = sizeof inverse_factorials / sizeof *inverse_factorials; i-- > 1;)
        sum = (sum + inverse_factorials[i]) * x;
    return x + x * sum;
}

/* x = n log(2) + rest, |rest| <= log(2) / 2 */
static int reduce(long double x, long double *rest)
{
    const long double n = rintl(x / (log_2_high + log_2_low));
    *rest = (x - n * log_2_high) - n * log_2_low;
    return (int)n;
}

long double expl(long double x)
{
    long double rest;
    if (!(fabsl(x) < 12000))
        return isnan(x) ? x : x > 0 ? INFINITY : 0;
    const int n = reduce(x, &rest);
    return ldexpl(1 + expm1_near_0(rest), n);
}

long double expm1l(long double x)
{
    long double rest;
    if (!(fabsl(x) < 12000))
        return isnan(x) ? x : x > 0 ? INFINITY : -1;
    const int n = reduce(x, &rest);
    return n == 0 ? expm1_near_0(x) : ldexpl(1 + expm1_near_0(rest), n) - 1;
}

/* log(1 + x), 1 + x between 1/2 and 2, where 1 + x need not be a number: one step of Halley's from what double knows, which has
 * three times as many digits. */
static long double log1p_near_0(long double x)
{
    const long double guess = log1p((double)x), gone = expm1l(guess);
    return guess + 2 * (x - gone) / (2 + x + gone);
}

/* log(high + low), low so small that its square does not count */
static long double log_of_sum(long double high, long double low)
{
    int exponent;
    long double significand = frexpl(high, &exponent); /* from 1/2 to 1 */
    if (significand < 0.7071L) {
        significand *= 2;
        exponent--;
    }
    const long double rest = log1p_near_0(significand - 1) + low / high;
    return exponent * log_2_high + (exponent * log_2_low + rest);
}

long double logl(long double x)
{
    if (!(x > 0))
        return x == 0 ? -INFINITY : NAN;
    return x == INFINITY ? x : log_of_sum(x, 0);
}

long double log1pl(long double x)
{
    if (!(x > -1))
        return x == -1 ? -INFINITY : NAN;
    if (x == 0 || x == INFINITY)
        return x;
    if (fabsl(x) < 0.25L)
        return log1p_near_0(x);
    const long double sum = 1 + x;
    return log_of_sum(sum, x > 1 ? 1 - (sum - x) : x - (sum - 1));
}

long double tanhl(long double x)
{
    const long double gone = expm1l(2 * fabsl(x)), magnitude = gone == INFINITY ? 1 : gone / (gone + 2);
    return copysignl(magnitude, x);
}

long double coshl(long double x)
{
    const long double e = expl(fabsl(x));
    return (e + 1 / e) / 2;
}
#else
typedef int sl_reference_quad_is_not_needed;
#endif
