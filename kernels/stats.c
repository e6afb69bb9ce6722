/* SPDX-License-Identifier: MIT
 *
 * Merging partial statistics, and what they say of the whole row. Plain arithmetic that never fuses, so that
 * the bits are those of every machine.
 */
#define SL_UNFUSED
#define SL_UNIT_ISA scalar
#include "maths/exact.h"
#include "maths/log_f64.h"

static exact_sum rest_of(const sl_stats *s)
{
    exact_sum e;
    memcpy(&e, &s->exact_rest, sizeof e);
    return e;
}

static exact_sum logits_of(const sl_stats *s)
{
    exact_sum e;
    memcpy(&e, &s->exact_logits, sizeof e);
    return e;
}

sl_stats sl_stats_empty(void) { return stats_of_nothing(); }

/* So large that different maxima are at least 1024 apart, and the smaller one's exponential is 0: what exact_exp does not
 * take. */
static bool is_huge(double m) { return m > 0x1p62 || m < -0x1p62; }

/* Only one part has a target. A zero of both is -0 if one of them is. */
static double target_of_both(double a, double b)
{
    return a == 0 && b == 0 ? exact_double(exact_bits(a) | exact_bits(b)) : a + b;
}

void sl_stats_merge(sl_stats *into, const sl_stats *from)
{
    const sl_stats *more = from->max > into->max ? from : into, *less = more == from ? into : from;
    exact_sum rest = rest_of(more), logits = logits_of(into), other = rest_of(less),
              of_from = logits_of(from);
    if (less->max > -(double)INFINITY &&
        (less->max == more->max || !(is_huge(less->max) || is_huge(more->max)))) {
        exact_power e = exact_exp(less->max);
        exact_merge(&rest, &other);
        exact_add(&rest, e.f, e.n);
    }
    exact_merge(&logits, &of_from);
    sl_stats both = {
        .max = more->max == more->max && less->max == less->max ? more->max : (double)NAN,
        .target = target_of_both(into->target, from->target),
        .count = into->count + from->count,
    };
    stats_round(&both, exact_exp_of_max(both.max), &rest, &logits);
    *into = both;
}

/* log(sum_c exp(x_c - max)); NaN where softmax is. */
static double log_sum(const sl_stats *s)
{
    return s->max > -(double)INFINITY ? w_acc_value(log1p_wide(w_acc_of(s->rest))) : (double)NAN;
}

double sl_stats_logsumexp(const sl_stats *s)
{
    return s->count == 0 ? -(double)INFINITY : s->max + log_sum(s);
}

double sl_stats_cross_entropy(const sl_stats *s, double label_smoothing)
{
    double cost = 0;
    if (label_smoothing < 1)
        cost += SL_ROUNDED((1 - label_smoothing) * ((s->max - s->target) + log_sum(s)));
    if (label_smoothing > 0)
        cost += SL_ROUNDED(label_smoothing * ((s->max - s->logits / (double)(int64_t)s->count) + log_sum(s)));
    return cost;
}

SL_CLOSE
