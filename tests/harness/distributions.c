/* SPDX-License-Identifier: MIT
 *
 * See distributions.h.
 */
#include "distributions.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>

#include "bits.h"

/* splitmix64 (Steele, Lea, Flood 2014) */
uint64_t next_bits(generator *g)
{
    uint64_t z = g->state += 0x9e3779b97f4a7c15u;
    z = (z ^ z >> 30) * 0xbf58476d1ce4e5b9u;
    z = (z ^ z >> 27) * 0x94d049bb133111ebu;
    return z ^ z >> 31;
}

double next_uniform(generator *g) { return (double)(next_bits(g) >> 11) * 0x1p-53; }

size_t next_below(generator *g, size_t n) { return (size_t)(next_uniform(g) * (double)n); }

float next_float(generator *g)
{
    for (;;) {
        const float f = float_of_bits((uint32_t)(next_bits(g) >> 32));
        if (isfinite(f))
            return f;
    }
}

/* A sum of twelve uniforms: tails to +-6 are all that is wanted, and no libm is involved. */
static double next_normal(generator *g)
{
    double sum = -6;
    for (int i = 0; i < 12; i++)
        sum += next_uniform(g);
    return sum;
}

static void normal(generator *g, float *x, size_t n, double centre, double deviation)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(centre + deviation * next_normal(g));
}

static void uniform(generator *g, float *x, size_t n, double from, double to)
{
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(from + (to - from) * next_uniform(g));
}

static void constant(float *x, size_t n, float value)
{
    for (size_t i = 0; i < n; i++)
        x[i] = value;
}

/* One element far above the others. */
static void confident(generator *g, float *x, size_t n, double by)
{
    normal(g, x, n, 0, 1);
    if (n > 0)
        x[next_below(g, n)] += (float)by;
}

static void normal_1(generator *g, float *x, size_t n) { normal(g, x, n, 0, 1); }
static void normal_3(generator *g, float *x, size_t n) { normal(g, x, n, 0, 3); }
static void normal_10(generator *g, float *x, size_t n) { normal(g, x, n, 0, 10); }
static void uniform_30(generator *g, float *x, size_t n) { uniform(g, x, n, -30, 30); }
static void uniform_below_0(generator *g, float *x, size_t n) { uniform(g, x, n, -100, 0); }
static void offset_100(generator *g, float *x, size_t n) { normal(g, x, n, 100, 1); }
static void offset_1000(generator *g, float *x, size_t n) { normal(g, x, n, 1000, 1); }
static void offset_minus_37(generator *g, float *x, size_t n) { normal(g, x, n, -37, 1); }
static void offset_1e5(generator *g, float *x, size_t n) { normal(g, x, n, 1e5, 1); }
static void offset_minus_1e6(generator *g, float *x, size_t n) { normal(g, x, n, -1e6, 3); }
static void confident_20(generator *g, float *x, size_t n) { confident(g, x, n, 20); }
static void confident_65(generator *g, float *x, size_t n) { confident(g, x, n, 65); }

/* Two values a few units apart, the larger one rare. */
static void two_values(generator *g, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = next_below(g, 16) == 0 ? 3.25f : -1.5f;
}

static void all_equal(generator *g, float *x, size_t n)
{
    constant(x, n, (float)(20 * next_uniform(g) - 10));
}

/* One element above others that are all the same. */
static void one_hot(generator *g, float *x, size_t n)
{
    constant(x, n, (float)(4 * next_uniform(g) - 2));
    if (n > 0)
        x[next_below(g, n)] += (float)(30 * next_uniform(g));
}

/* Against the order of summation: the same two exponentials meet in every lane and every fold, and so does the same
 * rounding, in the same direction. */
static void two_in_step(generator *g, float *x, size_t n)
{
    const size_t stride = (size_t)1 << next_below(g, 8);
    const double upper = 20 * next_uniform(g) - 10, lower = upper - 17 * next_uniform(g) * next_uniform(g);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(i / stride % 2 == 0 ? upper : lower);
}

/* Everything but one element so far down that its softmax is denormal. */
static void deep(generator *g, float *x, size_t n)
{
    uniform(g, x, n, -104.5, -80);
    if (n > 0)
        x[next_below(g, n)] = (float)next_uniform(g);
}

/* The same around the limit of what still counts. */
static void cut_off(generator *g, float *x, size_t n)
{
    uniform(g, x, n, -110, -100);
    if (n > 0)
        x[next_below(g, n)] = 0;
}

/* Consecutive floats. */
static void near_ties(generator *g, float *x, size_t n)
{
    const float start = (float)(8 * next_uniform(g) - 4);
    for (size_t i = 0; i < n; i++)
        x[i] = start * (1 + FLT_EPSILON * (float)next_below(g, 8));
}

/* Maxima where a kernel may switch its reference exponent: multiples of 32 binades, and limits of its ranges. */
static void exponent_limits(generator *g, float *x, size_t n)
{
    static const float limits[] = {32,   -32,  96,    -96,       160,        -160, 256,
                                   -256, 8192, -8192, 11818.75f, -11818.75f, 300};
    const size_t at = next_below(g, sizeof limits / sizeof *limits);
    const bool in_binades = at < 6;
    const double limit = in_binades ? limits[at] * 0.6931471805599453 : limits[at];
    normal(g, x, n, limit - 10, 2);
    if (n > 0)
        x[next_below(g, n)] = (float)limit + (float)(limit * FLT_EPSILON * ((double)next_below(g, 9) - 4));
}

/* The maximum comes last, or first, after all guesses about it have been made. */
static void ascending(generator *g, float *x, size_t n)
{
    const double from = 100 * next_uniform(g) - 200, step = (150 - from) / (double)(n + 1);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)(from + step * (double)i);
}

static void descending(generator *g, float *x, size_t n)
{
    ascending(g, x, n);
    for (size_t i = 0; i < n / 2; i++) {
        const float swap = x[i];
        x[i] = x[n - 1 - i];
        x[n - 1 - i] = swap;
    }
}

static void denormal(generator *g, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = float_of_bits((uint32_t)(next_bits(g) >> 32) & 0x807fffffu);
}

static void huge(generator *g, float *x, size_t n)
{
    static const float values[] = {3e38f, -3e38f, FLT_MAX, -FLT_MAX, 0,   1,
                                   -1,    1e30f,  -1e20f,  2.9e38f,  700, 1e-40f};
    for (size_t i = 0; i < n; i++)
        x[i] = values[next_below(g, sizeof values / sizeof *values)];
}

static void any_magnitude(generator *g, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = next_float(g);
}

/* Ordinary logits, one in eight of them masked out. */
static void masked(generator *g, float *x, size_t n)
{
    normal(g, x, n, 0, 3);
    for (size_t i = 0; i < n; i++)
        if (next_below(g, 8) == 0)
            x[i] = -INFINITY;
}

static void all_minus_infinity(generator *g, float *x, size_t n)
{
    (void)g;
    constant(x, n, -INFINITY);
}

/* One element that spoils the row. */
static void one_special(generator *g, float *x, size_t n)
{
    static const uint32_t specials[] = {0x7fc00000, 0xffc00000, 0x7f800001, 0xffabcdef, 0x7f800000};
    normal(g, x, n, 0, 3);
    if (n > 0)
        x[next_below(g, n)] = float_of_bits(specials[next_below(g, sizeof specials / sizeof *specials)]);
}

/* Bit patterns as they come, NaN and infinities among them. */
static void any_bits(generator *g, float *x, size_t n)
{
    for (size_t i = 0; i < n; i++)
        x[i] = float_of_bits((uint32_t)(next_bits(g) >> 32));
}

static void mixed(generator *g, float *x, size_t n);

static const distribution distributions[] = {
    {"normal 1", normal_1},
    {"normal 3", normal_3},
    {"normal 10", normal_10},
    {"uniform +-30", uniform_30},
    {"uniform -100..0", uniform_below_0},
    {"offset 100", offset_100},
    {"offset 1000", offset_1000},
    {"offset -37", offset_minus_37},
    {"offset 1e5", offset_1e5},
    {"offset -1e6", offset_minus_1e6},
    {"confident by 20", confident_20},
    {"confident by 65", confident_65},
    {"two values", two_values},
    {"all equal", all_equal},
    {"one-hot", one_hot},
    {"two in step", two_in_step},
    {"deep", deep},
    {"cut off", cut_off},
    {"near ties", near_ties},
    {"exponent limits", exponent_limits},
    {"ascending", ascending},
    {"descending", descending},
    {"denormal", denormal},
    {"huge", huge},
    {"any magnitude", any_magnitude},
    {"masked", masked},
    {"all -inf", all_minus_infinity},
    {"one special", one_special},
    {"any bits", any_bits},
    {"mixed", mixed}, /* the last */
};

size_t distribution_count(void) { return sizeof distributions / sizeof *distributions; }

/* Each row from another distribution: what one row needs must not leak into the next. */
static void mixed(generator *g, float *x, size_t n)
{
    distributions[next_below(g, distribution_count() - 1)].fill(g, x, n);
}

const distribution *distribution_at(size_t i) { return &distributions[i]; }

void fill_rows(const distribution *d, generator *g, float *x, sl_shape shape)
{
    if (shape.inner == 1) {
        for (size_t o = 0; o < shape.outer; o++)
            d->fill(g, x + o * shape.classes, shape.classes);
        return;
    }
    float *row = malloc(shape.classes * sizeof *row + 1);
    if (row == NULL)
        abort();
    for (size_t o = 0; o < shape.outer; o++)
        for (size_t i = 0; i < shape.inner; i++) {
            d->fill(g, row, shape.classes);
            for (size_t c = 0; c < shape.classes; c++)
                x[(o * shape.classes + c) * shape.inner + i] = row[c];
        }
    free(row);
}

void fill_class_ids(generator *g, int64_t *target, const float *x, sl_shape shape)
{
    for (size_t r = 0; r < shape.outer * shape.inner; r++) {
        const float *row = x + r / shape.inner * shape.classes * shape.inner + r % shape.inner;
        size_t best = 0;
        for (size_t c = 1; c < shape.classes; c++)
            if (row[c * shape.inner] > row[best * shape.inner])
                best = c;
        target[r] = (int64_t)(next_below(g, 2) == 0 ? best : next_below(g, shape.classes));
    }
}

void fill_probabilities(generator *g, float *target, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        const size_t kind = next_below(g, 3);
        target[i] = kind < 2 ? (float)kind : (float)next_uniform(g);
    }
}

void fill_weights(generator *g, float *weights, size_t n)
{
    for (size_t i = 0; i < n; i++)
        weights[i] = next_below(g, 8) == 0 ? 0 : (float)(2 * next_uniform(g));
}
