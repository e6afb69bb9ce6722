/* SPDX-License-Identifier: MIT
 *
 * See error_curve.h.
 */
#include "error_curve.h"

#include <math.h>

static const double reach = 7.6; /* asinh(1000) */

void error_curve_clear(struct error_curve *curve)
{
    for (size_t i = 0; i < ERROR_CURVE_BINS; i++)
        curve->max[i] = -1;
}

void error_curve_add(struct error_curve *curve, double x, double ulp)
{
    const double bin = (asinh(x) + reach) / (2 * reach) * ERROR_CURVE_BINS;
    if (bin >= 0 && bin < ERROR_CURVE_BINS && isfinite(ulp) && ulp > curve->max[(size_t)bin])
        curve->max[(size_t)bin] = ulp;
}

void error_curve_merge(struct error_curve *curve, const struct error_curve *other)
{
    for (size_t i = 0; i < ERROR_CURVE_BINS; i++)
        if (other->max[i] > curve->max[i])
            curve->max[i] = other->max[i];
}

void error_curve_json(const struct error_curve *curve, FILE *file)
{
    const char *separator = "[";
    for (size_t i = 0; i < ERROR_CURVE_BINS; i++)
        if (curve->max[i] >= 0) {
            const double x = sinh(((double)i + 0.5) / ERROR_CURVE_BINS * 2 * reach - reach);
            fprintf(file, "%s[%.3g, %.3g]", separator, x, curve->max[i]);
            separator = ", ";
        }
    fputs(*separator == '[' ? "[]" : "]", file);
}
