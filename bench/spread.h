/* SPDX-License-Identifier: MIT
 *
 * How far repeated times lie apart, and from when on that is noise. scripts/table.py has the same rule.
 */
#ifndef SL_BENCH_SPREAD_H
#define SL_BENCH_SPREAD_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

/* The median of n values, their quartiles, and the spread in percent: the interquartile range over the median. It does not
 * grow with the number of repetitions, and one disturbed repetition among many does not change it. Quartiles are
 * interpolated linearly between neighbours in order. Of fewer than two values the spread is not known: negative. */
struct spread {
    double median, low, high, percent;
};

/* Sorts x. n >= 1. */
struct spread spread_of(double *x, size_t n);

/* More than 10 percent, or not a number. An unknown spread is no noise. */
bool spread_is_noise(struct spread s);

#ifdef __cplusplus
}
#endif
#endif
