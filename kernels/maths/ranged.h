/* SPDX-License-Identifier: MIT
 *
 * Numbers whose products leave no range: an f64 and an exponent apart. For the few rows and elements whose factors are so huge or
 * so tiny that f64, or the unit's type, would lose digits between them. One number at a time, and each operation rounds once.
 */
#ifndef SL_MATHS_RANGED_H
#define SL_MATHS_RANGED_H

#include "maths/exact.h"
#include "maths/exp_absolute_f64.h"

/* part 2^power, |part| in [1, 2); or 0, or no finite number. */
typedef struct {
    double part;
    int64_t power;
} ranged;

SL_RARE ranged ranged_of(double a, int64_t power)
{
    if (a == 0)
        return (ranged){a, 0};
    if (!(exact_bits(a) >> 52 & 0x7ff)) { /* denormal */
        a *= 0x1p100;
        power -= 100;
    }
    uint64_t bits = exact_bits(a);
    int64_t exponent = (int64_t)(bits >> 52 & 0x7ff);
    if (exponent == 0x7ff)
        return (ranged){a, 0};
    bits = (bits & ~((uint64_t)0x7ff << 52)) | (uint64_t)1023 << 52;
    return (ranged){exact_double(bits), power + exponent - 1023};
}

SL_INLINE ranged ranged_number(double a) { return ranged_of(a, 0); }
SL_RARE ranged ranged_times(ranged a, ranged b) { return ranged_of(a.part * b.part, a.power + b.power); }
SL_RARE ranged ranged_over(ranged a, ranged b) { return ranged_of(a.part / b.part, a.power - b.power); }
SL_INLINE ranged ranged_minus(ranged a) { return (ranged){-a.part, a.power}; }

SL_RARE ranged ranged_plus(ranged a, ranged b)
{
    if (a.part == 0)
        return b;
    if (b.part != 0 && b.power > a.power) {
        ranged other = a;
        a = b;
        b = other;
    }
    int64_t below = a.power - b.power;
    if (b.part == 0 || below > 200)
        return a;
    return ranged_of(a.part + exact_scale(b.part, -below), a.power);
}

/* Rounded to f64. */
SL_INLINE double ranged_value(ranged a) { return exact_scale(a.part, a.power); }

/* A sum of such: (sum + lost) 2^power, power being that of the largest term. */
typedef struct {
    double sum, lost;
    int64_t power;
} ranged_sum;

SL_RARE void ranged_add(ranged_sum *s, double a, int64_t power)
{
    if (a == 0)
        return;
    if (s->sum == 0 && s->lost == 0)
        s->power = power;
    if (power > s->power) {
        s->sum = exact_scale(s->sum, s->power - power);
        s->lost = exact_scale(s->lost, s->power - power);
        s->power = power;
    }
    a = exact_scale(a, power - s->power);
    double sum = s->sum + a, there = sum - s->sum;
    s->lost += (s->sum - (sum - there)) + (a - there);
    s->sum = sum;
}

SL_INLINE ranged ranged_of_sum(ranged_sum s) { return ranged_of(s.sum + s.lost, s.power); }

/* exp(x - m), in two parts; 0 of an x so far below m that nothing brings it back. */
#define RANGED_DEEPEST -3500

SL_RARE ranged_sum ranged_exp(double x, double m)
{
    if (!(x * 0.5 - m * 0.5 > RANGED_DEEPEST / 2))
        return (ranged_sum){0, 0, 0};
    double d = x - m, back = d - x, low = (x - (d - back)) - (m + back);
    double n = (SL_ROUNDED(d * W_LOG2E) + W_EXP_MAGIC) - W_EXP_MAGIC;
    w_exp_parts e = w_exp_absolute(w_set1(d), w_set1(W_EXP_MAGIC - n));
    e.p_low = w_add(e.p_low, w_mul(w_set1(low), w_add(w_set1(1), e.p)));
    w_acc sum = w_exp_sum(e);
    return (ranged_sum){first_lane(sum.sum), first_lane(sum.lost), (int64_t)n};
}

#endif
