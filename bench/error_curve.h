/* SPDX-License-Identifier: MIT
 *
 * The largest error in each of some hundred bins of x, for a plot: bins are as wide as each other in asinh(x),
 * which is x itself near 0 and grows like its logarithm far from it, so that both show.
 */
#ifndef SL_BENCH_ERROR_CURVE_H
#define SL_BENCH_ERROR_CURVE_H

#include <stdio.h>

enum { ERROR_CURVE_BINS = 300 }; /* |x| to 1000 */

struct error_curve {
    double max[ERROR_CURVE_BINS]; /* -1: no x came there */
};

void error_curve_clear(struct error_curve *curve);
void error_curve_add(struct error_curve *curve, double x, double ulp);
void error_curve_merge(struct error_curve *curve, const struct error_curve *other);
/* [[x, ULP], ...] of the bins that have any, x in the middle of each. */
void error_curve_json(const struct error_curve *curve, FILE *file);

#endif
