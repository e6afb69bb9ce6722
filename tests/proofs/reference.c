/* SPDX-License-Identifier: MIT
 *
 * See reference.h.
 */
#include "reference.h"

#include <float.h>
#include <math.h>
#include <stdint.h>
#include <string.h>

/* ln 2: the first part has 36 bits, so that its product with an integer of 17 bits is exact, and so is the difference of x and it:
 * where n is not 0, x is a multiple of 2^-26, and the difference, below 0.35, one of 2^-37. */
#define HIGH 0x1.62e42fefap-1
#define LOW 0x1.cf79abc9e3b3ap-40

/* exp(r) for |r| <= 0.3466: Taylor's series up to r^14 / 14!, the rest is below 2^-60. Errors of r and of every step: lemmas/reference.g. */
static inline double exp_of_reduced(double r)
{
    double sum = 1.0 / 87178291200;
    sum = sum * r + 1.0 / 6227020800;
    sum = sum * r + 1.0 / 479001600;
    sum = sum * r + 1.0 / 39916800;
    sum = sum * r + 1.0 / 3628800;
    sum = sum * r + 1.0 / 362880;
    sum = sum * r + 1.0 / 40320;
    sum = sum * r + 1.0 / 5040;
    sum = sum * r + 1.0 / 720;
    sum = sum * r + 1.0 / 120;
    sum = sum * r + 1.0 / 24;
    sum = sum * r + 1.0 / 6;
    sum = sum * r + 0.5;
    sum = sum * r + 1.0;
    return sum * r + 1.0;
}

static inline double fraction_of(double x, double *n)
{
    const double magic = 0x1.8p52, m = x * 0x1.71547652b82fep+0 + magic;
    *n = m - magic;
    return exp_of_reduced((x - *n * HIGH) - *n * LOW);
}

/* 2^n for |n| <= 1000, by its bits. */
static inline double power_of(double n)
{
    double biased = n + (0x1.8p52 + 1023);
    uint64_t bits;
    memcpy(&bits, &biased, sizeof bits);
    bits <<= 52;
    memcpy(&biased, &bits, sizeof bits);
    return biased;
}

void reference_exp(const float *x, size_t n, double *fraction, double *power)
{
    for (size_t i = 0; i < n; i++)
        fraction[i] = fraction_of((double)x[i], power + i);
}

static inline double value_of(double x)
{
    double n;
    const double fraction = fraction_of(x, &n);
    return fraction * power_of(n);
}

void reference_value(const float *x, size_t n, double *y)
{
    for (size_t i = 0; i < n; i++)
        y[i] = value_of((double)x[i]);
}

/* Up to 1/4 by the series without its 1; all terms are positive. */
void reference_expm1(const float *x, size_t n, double *y)
{
    for (size_t i = 0; i < n; i++) {
        const double a = (double)x[i], b = a < 0.25 ? a : 0;
        double sum = 1.0 / 6227020800;
        sum = sum * b + 1.0 / 479001600;
        sum = sum * b + 1.0 / 39916800;
        sum = sum * b + 1.0 / 3628800;
        sum = sum * b + 1.0 / 362880;
        sum = sum * b + 1.0 / 40320;
        sum = sum * b + 1.0 / 5040;
        sum = sum * b + 1.0 / 720;
        sum = sum * b + 1.0 / 120;
        sum = sum * b + 1.0 / 24;
        sum = sum * b + 1.0 / 6;
        sum = sum * b + 0.5;
        y[i] = a < 0.25 ? b * b * sum + b : value_of(a) - 1;
    }
}

/* log(1 + f) = 2 atanh(z), z = f / (2 + f), by its series up to z^33 / 33: for |z| <= 1/3 the rest is 2^-57 of it. All terms have
 * one sign, so each of the errors is at most 2^-52 of its term's; z has 2^-52. */
static inline double log1p_of(double f)
{
    const double z = f / (2 + f), s = z * z;
    double sum = 1.0 / 33;
    sum = sum * s + 1.0 / 31;
    sum = sum * s + 1.0 / 29;
    sum = sum * s + 1.0 / 27;
    sum = sum * s + 1.0 / 25;
    sum = sum * s + 1.0 / 23;
    sum = sum * s + 1.0 / 21;
    sum = sum * s + 1.0 / 19;
    sum = sum * s + 1.0 / 17;
    sum = sum * s + 1.0 / 15;
    sum = sum * s + 1.0 / 13;
    sum = sum * s + 1.0 / 11;
    sum = sum * s + 1.0 / 9;
    sum = sum * s + 1.0 / 7;
    sum = sum * s + 1.0 / 5;
    sum = sum * s + 1.0 / 3;
    return 2 * (z * s * sum + z);
}

/* Cut in a loop of its own: gcc would else have a branch for 700, and no vectors. */
void reference_exp_minus(const float *x, size_t n, double *y)
{
    for (size_t i = 0; i < n; i++) {
        const double size = fabs((double)x[i]);
        y[i] = size < 700 ? -size : -700;
    }
    for (size_t i = 0; i < n; i++)
        y[i] = value_of(y[i]);
}

/* 113 digits, whatever long double is. */
#if defined(__SIZEOF_FLOAT128__)
__extension__ typedef __float128 quad;
#else
typedef long double quad;
_Static_assert(LDBL_MANT_DIG == 113, "no type of 113 digits");
#endif

/* exp(r / 16) by Taylor's series up to r^19 / 19!, |r| <= 0.35, whose rest is below 2^-160; then four times squared. All terms count
 * for less than the one before, so each of 40 operations has 2^-112 at most, times 16. What is left of ln 2 behind three parts is
 * below 2^-145, times n. */
static quad precise_exp(double x)
{
    const double magic = 0x1.8p52, n = x * 0x1.71547652b82fep+0 + magic - magic;
    const quad r = (((quad)x - (quad)n * HIGH) - (quad)n * LOW - (quad)n * -0x1.ff0342542fc33p-94) / 16;
    quad sum = 1;
    for (int k = 19; k > 0; k--)
        sum = sum * r / k + 1;
    for (int k = 0; k < 4; k++)
        sum *= sum;
    return sum * (quad)power_of(n);
}

bool reference_is_sigmoid(float x, float y)
{
    const quad e = precise_exp(-fabs((double)x)), exact = (x < 0 ? e : 1) / (1 + e);
    const quad above = ((quad)y + (quad)nextafterf(y, 2)) / 2,
               below = ((quad)y + (quad)nextafterf(y, -1)) / 2;
    return below < exact && exact < above;
}

void reference_log1p_exp(const float *x, size_t n, double *log1p, double *exp)
{
    reference_exp_minus(x, n, exp);
    for (size_t i = 0; i < n; i++)
        log1p[i] = log1p_of(exp[i]);
}

/* log(s) for a double s > 0, normal: s = 2^k m, m in [sqrt(1/2), sqrt 2), m - 1 exact; where k is not 0, log m is at most half of
 * k ln 2, whose first part is exact. */
static inline double log_of(double s)
{
    uint64_t bits, kept;
    double m, k;
    memcpy(&bits, &s, sizeof bits);
    kept = (bits - 0x3fe6a09e667f3bcd) & 0xfff0000000000000;
    bits -= kept;
    memcpy(&m, &bits, sizeof m);
    kept = ((kept + 0x8000000000000000) >> 52) | 0x4330000000000000;
    memcpy(&k, &kept, sizeof k);
    k -= 0x1p52 + 2048;
    return (k * HIGH + log1p_of(m - 1)) + k * LOW;
}

/* 1 - p of a float p above 2^-29 is exact in double. */
void reference_logs(const float *p, size_t n, double *log, double *log_of_other)
{
    for (size_t i = 0; i < n; i++) {
        const double x = (double)p[i];
        log[i] = log_of(x > 0 ? x : 1);
        log_of_other[i] = x < 0.25 ? log1p_of(-x) : log_of(x < 1 ? 1 - x : 1);
    }
}

/* Adding 1.5 2^52 units of the last place leaves whole ones, to nearest even. */
void rounded_to(const float *x, int digits, int least, double *y)
{
    const double smallest = power_of(least);
    for (size_t i = 0; i < BLOCK; i++) {
        const double a = (double)x[i];
        uint64_t bits;
        double unit;
        memcpy(&bits, &a, sizeof bits);
        bits &= 0x7ff0000000000000;
        memcpy(&unit, &bits, sizeof unit);
        unit = unit > smallest ? unit : smallest;
        const double magic = unit * power_of(1 - digits) * 0x1.8p52;
        y[i] = (a + magic) - magic;
    }
}

/* ---- errors ---- */

void errors_relative(const double *got, const double *want, double *error)
{
    for (size_t i = 0; i < BLOCK; i++)
        error[i] = fabs((got[i] - want[i]) / want[i]) * 0x1p24;
}

void errors_ulp(const double *got, const double *want, double *error)
{
    for (size_t i = 0; i < BLOCK; i++) {
        uint64_t bits;
        double unit;
        memcpy(&bits, want + i, sizeof bits);
        bits &= 0x7ff0000000000000;
        memcpy(&unit, &bits, sizeof unit);
        unit *= 0x1p-23;
        unit = unit > 0x1p-149 ? unit : 0x1p-149;
        error[i] = fabs(got[i] - want[i]) / unit;
    }
}

void errors_scaled(const double *got, const double *n, const double *want, double least, double *error)
{
    for (size_t i = 0; i < BLOCK; i++) {
        const double ratio = got[i] * power_of(n[i]) / want[i];
        error[i] = got[i] < least ? 0 : fabs(ratio - 1) * 0x1p24;
    }
}

double largest_error(const double *error)
{
    double most = 0, nan = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        most = error[i] > most ? error[i] : most;
        nan += error[i] * 0;
    }
    return nan == 0 ? most : NAN;
}
