/* SPDX-License-Identifier: MIT
 *
 * The errors of variants: inputs of every kind, what the oracle says to them, and the worst result as a witness.
 */
#ifndef SL_BENCH_MEASURE_H
#define SL_BENCH_MEASURE_H

#include "error_curve.h"
#include "logits.h"
#include "sweep.h"
#include "variants.h"

/* The worst result of a variant, and the input that it came from: of a row the target's, or the largest. */
struct witness {
    const char *distribution;
    sl_shape shape;
    size_t row, column;
    double x, second, got;
    sl_real want;
};

/* One line of the report. */
struct error_stats {
    variant variant;
    double max, sum; /* of what was compared; max is -1 if nothing was */
    size_t results;
    size_t not_compared; /* of the results: NaN, which the oracle has there, too */
    struct witness worst, first_not_compared;
    double *by_distribution;  /* the largest error for each of them; NULL if not asked for */
    struct error_curve *by_x; /* of an element kernel; NULL if not asked for */
    sweep_result *sweep;      /* of all floats; NULL if there was none */
};

/* These measure variants that differ in their ISA only, on the same inputs, and add to their error_stats.
 *   variants   what a report needs: distributions by widths, or bit patterns; or the user's logits
 *   full_suite every distribution by every width up to 2^20, for each distribution by itself
 *   sweep      every float, of variants that sweep_knows()
 * go_on is told the part done, and ends it by returning false: what has been added then is incomplete.
 */
void measure_variants(struct error_stats *error_stats, size_t alike, const struct logits *user);
void measure_full_suite(struct error_stats *error_stats, size_t alike, bool (*go_on)(double done));
void measure_sweep(struct error_stats *error_stats, size_t alike, bool (*go_on)(double done));
enum { FULL_SUITE_WIDEST = 1 << 20 };

#endif
