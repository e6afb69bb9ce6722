/* SPDX-License-Identifier: MIT
 *
 * The oracle, as plain as it can be: textbook formulas in double with libm, two passes over a row (the true
 * maximum, then everything relative to it), compensated sums. Nothing is blocked, reordered, tabulated or
 * shared with algo/.
 *
 * The one thing done with care is what the formulas lose in double, too: the row's maximum is exp(0) = 1 and
 * stays out of the sum, so that the logarithm is log1p of the rest and a confident row keeps all its digits.
 */
#include "reference.h"

#include <float.h>
#include <math.h>

/* Neumaier's compensated sum: the rounding error of every addition is kept and added at the end. */
typedef struct {
    double sum, lost;
} compensated;

static void add(compensated *s, double term)
{
    const double sum = s->sum + term;
    s->lost += fabs(s->sum) >= fabs(term) ? (s->sum - sum) + term : (term - sum) + s->sum;
    s->sum = sum;
}

/* The error of a sum that is not finite is NaN and means nothing. */
static double total(const compensated *s) { return isfinite(s->sum) ? s->sum + s->lost : s->sum; }

/* A row in place: classes elements, stride apart. */
typedef struct {
    const float *x;
    size_t classes, stride;
} row;

static size_t row_start(sl_shape shape, size_t r)
{
    return r / shape.inner * shape.classes * shape.inner + r % shape.inner;
}

static row row_at(const float *x, sl_shape shape, size_t r)
{
    return (row){x + row_start(shape, r), shape.classes, shape.inner};
}

static size_t row_count(sl_shape shape) { return shape.classes == 0 ? 0 : shape.outer * shape.inner; }

/* What a row's softmax, log-softmax and log-sum-exp are made of. */
typedef struct {
    bool all_minus_inf;
    double max;      /* NaN where the row's result is NaN: it holds a NaN, a +inf or nothing but -inf */
    double log_rest; /* log(sum exp(x - max)) = log1p(sum over all but one maximum) */
    double sum;      /* sum exp(x - max) */
} row_terms;

static row_terms terms_of(row w)
{
    double max = -INFINITY;
    bool nan = false;
    size_t at = 0;
    for (size_t c = 0; c < w.classes; c++) {
        const double x = w.x[c * w.stride];
        nan = nan || isnan(x);
        if (x > max) {
            max = x;
            at = c;
        }
    }
    if (nan || isinf(max))
        return (row_terms){!nan && max < 0, NAN, NAN, NAN};
    compensated rest = {0, 0};
    for (size_t c = 0; c < w.classes; c++)
        if (c != at)
            add(&rest, exp(w.x[c * w.stride] - max));
    return (row_terms){false, max, log1p(total(&rest)), 1 + total(&rest)};
}

void sl_ref_softmax_f32(const float *x, double *y, sl_shape shape)
{
    for (size_t r = 0; r < row_count(shape); r++) {
        const row w = row_at(x, shape, r);
        const row_terms t = terms_of(w);
        double *out = y + row_start(shape, r);
        for (size_t c = 0; c < w.classes; c++)
            out[c * w.stride] = exp(w.x[c * w.stride] - t.max) / t.sum;
    }
}

void sl_ref_log_softmax_f32(const float *x, double *y, sl_shape shape)
{
    for (size_t r = 0; r < row_count(shape); r++) {
        const row w = row_at(x, shape, r);
        const row_terms t = terms_of(w);
        double *out = y + row_start(shape, r);
        for (size_t c = 0; c < w.classes; c++)
            out[c * w.stride] = w.x[c * w.stride] - t.max - t.log_rest;
    }
}

void sl_ref_logsumexp_f32(const float *x, double *lse, double *scale, sl_shape shape)
{
    for (size_t r = 0; r < row_count(shape); r++) {
        const row_terms t = terms_of(row_at(x, shape, r));
        lse[r] = t.max + t.log_rest;
        if (scale != NULL)
            scale[r] = fmax(fabs(lse[r]), fabs(t.max));
    }
}

void sl_ref_sigmoid_f32(const float *x, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = 1 / (1 + exp(-(double)x[i]));
}

/* log(1 + exp(x)) without overflow, and without losing a small exp(x) beside the 1 */
static double softplus(double x) { return (x > 0 ? x : 0) + log1p(exp(-fabs(x))); }

void sl_ref_log_sigmoid_f32(const float *x, double *y, size_t n)
{
    for (size_t i = 0; i < n; i++)
        y[i] = -softplus(-(double)x[i]);
}

/* Puts one loss after the other where the reduction wants it. */
typedef struct {
    sl_reduction reduction;
    double *loss;
    compensated sum, weight;
} reducer;

static void put(reducer *to, size_t index, double loss, double weight)
{
    if (to->reduction == SL_NONE) {
        to->loss[index] = loss;
        return;
    }
    add(&to->sum, loss);
    add(&to->weight, weight);
}

/* count: how many losses there were, as far as "a mean over nothing" goes */
static void finish(reducer *to, size_t count, unsigned flags)
{
    if (to->reduction == SL_SUM)
        *to->loss = total(&to->sum);
    else if (to->reduction == SL_MEAN)
        *to->loss =
            count == 0 ? (flags & SL_EMPTY_MEAN_ZERO ? 0 : NAN) : total(&to->sum) / total(&to->weight);
}

static double weight_of(const void *weights, size_t c)
{
    return weights == NULL ? 1 : ((const float *)weights)[c];
}

/* factor * value, where a factor of 0 switches even an infinite cost off (but not a NaN) */
static double charge(double factor, double value) { return factor == 0 && isinf(value) ? 0 : factor * value; }

/* (1 - s) w_t (lse - x_t) + s / classes * sum_c w_c (lse - x_c) */
static double class_loss(row w, int64_t target, const sl_loss_options *options)
{
    const row_terms t = terms_of(w);
    if (t.all_minus_inf && options->flags & SL_SAFE_ROWS)
        return 0;
    const double s = options->label_smoothing;
    const double nll = (t.max - w.x[(size_t)target * w.stride]) + t.log_rest;
    const double loss = charge((1 - s) * weight_of(options->class_weight, (size_t)target), nll);
    if (s == 0)
        return loss;
    compensated smooth = {0, 0};
    for (size_t c = 0; c < w.classes; c++)
        add(&smooth, charge(weight_of(options->class_weight, c), (t.max - w.x[c * w.stride]) + t.log_rest));
    return loss + s / (double)w.classes * total(&smooth);
}

void sl_ref_cross_entropy_f32(const float *logits, const int64_t *target, sl_shape shape,
                              const sl_loss_options *options, double *loss)
{
    reducer to = {options->reduction, loss, {0, 0}, {0, 0}};
    size_t kept = 0;
    for (size_t r = 0; r < row_count(shape); r++) {
        if (options->has_ignore_index && target[r] == options->ignore_index) {
            put(&to, r, 0, 0);
            continue;
        }
        kept++;
        put(&to, r, class_loss(row_at(logits, shape, r), target[r], options),
            weight_of(options->class_weight, (size_t)target[r]));
    }
    finish(&to, kept, options->flags);
}

void sl_ref_bce_with_logits_f32(const float *logits, const float *target, sl_shape shape,
                                const sl_loss_options *options, double *loss)
{
    reducer to = {options->reduction, loss, {0, 0}, {0, 0}};
    const size_t n = shape.outer * shape.classes * shape.inner;
    for (size_t e = 0; e < n; e++) {
        const size_t c = e / shape.inner % shape.classes;
        const double x = logits[e], t = target[e], p = weight_of(options->pos_weight, c);
        const double cost = charge(p * t, softplus(-x)) + charge(1 - t, softplus(x));
        put(&to, e, charge(weight_of(options->class_weight, c), cost), 1);
    }
    finish(&to, n, options->flags);
}

double sl_ref_ulp_at_f32(float got, double want, double scale)
{
    if (isnan(got) || isnan(want))
        return isnan(got) && isnan(want) ? 0 : INFINITY;
    const double overflow = 0x1.ffffffp127; /* from here on a value rounds to infinity */
    if (isinf(got) || isinf(want))
        return isinf(got) && fabs(want) >= overflow && (got > 0) == (want > 0) ? 0 : INFINITY;
    int exponent = scale == 0 ? FLT_MIN_EXP - 1 : ilogb(scale);
    if (exponent < FLT_MIN_EXP - 1)
        exponent = FLT_MIN_EXP - 1;
    return fabs(got - want) / ldexp(1, exponent - (FLT_MANT_DIG - 1));
}

double sl_ref_ulp_f32(float got, double want) { return sl_ref_ulp_at_f32(got, want, want); }
