/* SPDX-License-Identifier: MIT
 *
 * See spread.h.
 */
#include "spread.h"

#include <math.h>
#include <stdlib.h>

static const double limit_percent = 10;

static int by_value(const void *a, const void *b)
{
    const double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* The value below which this share of the sorted x lies. */
static double quantile(const double *x, size_t n, double share)
{
    const double place = share * (double)(n - 1);
    const size_t below = (size_t)place, above = below + 1 < n ? below + 1 : below;
    return x[below] + (place - (double)below) * (x[above] - x[below]);
}

struct spread spread_of(double *x, size_t n)
{
    qsort(x, n, sizeof *x, by_value);
    struct spread s = {quantile(x, n, 0.5), quantile(x, n, 0.25), quantile(x, n, 0.75), -1};
    if (n >= 2)
        s.percent = 100 * (s.high - s.low) / s.median;
    return s;
}

bool spread_is_noise(struct spread s) { return !(s.percent <= limit_percent); }
