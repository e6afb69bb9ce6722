/* SPDX-License-Identifier: MIT
 *
 * Frames of rows whose factor is large. In f32 a frame leaves out what is below 2^-126 (exp_f32.h), which a gradient's factor K / S
 * brings back where it is large: u = 2^40 makes 2^-114 of exp(-107). Then the row's exponentials are computed again, 2^raise times
 * as large:
 *
 *   raise = 27 + exponent of K / S, at least,  so that what is left out is less than 2^-152;  but no sum of them above 2^125
 *
 * It is a multiple of 8: with FMA an element that does not count picks a number from the table that may have any exponent of R
 * and raise, and that is a NaN for 4 more than a multiple of 64 only.
 *
 * A power of two changes no bit of what was not left out. The raise depends on the row's factor and sum alone: not on how its
 * elements lie, nor on how many of them a call has. f64 has no raised frames.
 */
#ifndef SL_MATHS_RAISE_H
#define SL_MATHS_RAISE_H

#include "maths/accumulator.h"
#include "maths/exact.h"

/* Of SL_W rows: the number of binades, 0 of most; and 2^raise. */
typedef struct {
    reg raise;
    vw times;
} c_raise;

#if SL_F64
SL_INLINE c_raise c_raise_of(c_acc k, c_acc sum)
{
    (void)k, (void)sum;
    return (c_raise){w_set1(0), w_set1(1)};
}
SL_INLINE c_acc c_raised(c_acc sum, c_raise by) { return (void)by, sum; }
SL_INLINE c_acc c_unraised(c_acc e, c_raise by) { return (void)by, e; }
#else
enum { RAISE_FROM = -26, RAISE_TO = 124 };

SL_RARE void raise_rows(vw k, vw sum, c_raise *by)
{
    double ratio[SL_W], sums[SL_W], times[SL_W];
    num raise[SL_W];
    w_store(ratio, w_abs(w_div(k, sum)));
    w_store(sums, sum);
    SL_ROLLED
    for (size_t l = 0; l < SL_W; l++) {
        int of_ratio = (int)(exact_bits(ratio[l]) >> 52) - 1023,
            of_sum = (int)(exact_bits(sums[l]) >> 52) - 1023;
        int n = of_ratio < RAISE_FROM || !(ratio[l] < (double)INFINITY) ? 0 : of_ratio + 8 - RAISE_FROM;
        n = (n > RAISE_TO - of_sum ? RAISE_TO - of_sum : n) / 8 * 8;
        raise[l] = (num)n;
        times[l] = exact_scale(1, n);
    }
    *by = (c_raise){c_load(raise), w_load(times)};
}

/* By how much the frames of rows are raised whose exponentials are multiplied by k / sum. */
SL_INLINE c_raise c_raise_of(c_acc k, c_acc sum)
{
    c_raise by = {c_set1(0), w_set1(1)};
    if (wm_any(w_lt(w_mul(sum, w_set1(0x1p-26)), w_abs(k)))) {
        c_raise some;
        raise_rows(k, sum, &some);
        by = some;
    }
    return by;
}
SL_INLINE c_acc c_raised(c_acc sum, c_raise by) { return w_mul(sum, by.times); }
SL_INLINE c_acc c_unraised(c_acc e, c_raise by) { return w_div(e, by.times); }
#endif

#endif
