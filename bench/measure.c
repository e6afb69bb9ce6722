/* SPDX-License-Identifier: MIT
 *
 * See measure.h.
 */
#include "measure.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "distributions.h"

enum { CASE = 1 << 14 /* elements of a case, or one row if that is wider */ };

static const sl_loss_options each_loss = {.reduction = SL_NONE};

/* ---------------------------------------------------------------------------------------------- the cases */

/* The arrays of a case, and what the oracle says to it. */
static struct {
    struct workload w;
    float *floats; /* what x and second are made from */
    double *wide_x, *wide_second;
    sl_real *want, *scale;
    void *before; /* the output of the ISA before this one */
} memory;

void *array_of(size_t n, size_t size)
{
    void *array = calloc(n, size);
    if (!array)
        refuse("out of memory");
    return array;
}

void measure_prepare(size_t widest)
{
    const size_t elements = widest > CASE ? widest : CASE;
    const size_t largest = sizeof(double); /* of T and L */
    memory.w.x = array_of(elements, largest);
    memory.w.second = array_of(elements, largest);
    memory.w.target_class = array_of(elements, sizeof *memory.w.target_class);
    memory.w.options = &each_loss;
    memory.w.stats = array_of(elements, sizeof *memory.w.stats);
    memory.w.result = array_of(elements, largest);
    memory.w.grad = array_of(elements, largest);
    memory.floats = array_of(elements, sizeof *memory.floats);
    memory.wide_x = array_of(elements, sizeof *memory.wide_x);
    memory.wide_second = array_of(elements, sizeof *memory.wide_second);
    memory.want = array_of(elements, sizeof *memory.want);
    memory.scale = array_of(elements, sizeof *memory.scale);
    memory.before = array_of(elements, sizeof *memory.w.stats);
}

/* What is judged of a variant: the gradient, or else the result. */
struct output {
    void *values;
    size_t count, size;
    int digits, min_exp;
    double (*get)(const void *values, size_t i);
};

static double get_stats(const void *stats, size_t i)
{
    return sl_stats_logsumexp((const sl_stats *)stats + i);
}

static struct output output_of(const struct variant *v, const struct workload *w)
{
    const struct kernel *k = v->kernel;
    const sl_ref_dtype *dt = k->dtype;
    const size_t elements = elements_of(w->shape), rows = rows_of(w->shape);
    if (v->gradient)
        return (struct output){w->grad, elements, dt->size, dt->digits, dt->min_exp, dt->get};
    if (k->signature.result == T_PER_ELEMENT)
        return (struct output){w->result, elements, dt->size, dt->digits, dt->min_exp, dt->get};
    if (k->signature.result == STATS_PER_ROW)
        return (struct output){w->stats,         rows,     sizeof *w->stats, dt->loss_digits,
                               dt->loss_min_exp, get_stats};
    return (struct output){w->result,        k->signature.result == L_PER_ROW ? rows : elements,
                           dt->loss_size,    dt->loss_digits,
                           dt->loss_min_exp, dt->get_loss};
}

static void widen(const sl_ref_dtype *dtype, const void *from, double *to, size_t n)
{
    for (size_t i = 0; i < n; i++)
        to[i] = dtype->get(from, i);
}

static void evaluate(const struct variant *v, const struct workload *w, size_t results)
{
    const struct kernel *k = v->kernel;
    widen(k->dtype, w->x, memory.wide_x, elements_of(w->shape));
    widen(k->dtype, w->second, memory.wide_second, elements_of(w->shape));
    const struct oracle_call q = {.dtype = k->dtype,
                                  .shape = w->shape,
                                  .x = memory.wide_x,
                                  .second = memory.wide_second,
                                  .target_class = w->target_class,
                                  .has_ignore_index = w->options->has_ignore_index,
                                  .ignore_index = w->options->ignore_index,
                                  .gradient = v->gradient,
                                  .want = memory.want,
                                  .scale = memory.scale};
    k->evaluate(&q);
    if (kernel_is_loss(k) && !v->gradient) /* a loss is judged at itself */
        memcpy(memory.scale, memory.want, results * sizeof *memory.scale);
}

/* -------------------------------------------------------------------------------------------- the tallies */

/* The errors of one output. NaN where the oracle has NaN, too, is right, but it has no distance from it. */
struct errors {
    double max, sum;
    size_t worst, not_compared, first_not_compared;
};

/* curve: of outputs that belong to one x each, or NULL */
static struct errors judge(const struct output *o, struct error_curve *curve)
{
    struct errors e = {.max = -1};
    for (size_t i = 0; i < o->count; i++) {
        const double got = o->get(o->values, i);
        if (isnan(got) && isnan(memory.want[i])) {
            if (e.not_compared++ == 0)
                e.first_not_compared = i;
            continue;
        }
        const double ulp = sl_ref_ulp(got, memory.want[i], memory.scale[i], o->digits, o->min_exp);
        if (isfinite(ulp))
            e.sum += ulp;
        if (curve)
            error_curve_add(curve, memory.wide_x[i], ulp);
        if (ulp > e.max) {
            e.max = ulp;
            e.worst = i;
        }
    }
    return e;
}

static struct witness witness_of(const struct kernel *k, const char *distribution, const struct workload *w,
                                 const struct output *o, size_t i)
{
    const size_t classes = w->shape.classes, inner = w->shape.inner;
    struct witness at = {distribution, w->shape, .got = o->get(o->values, i), .want = memory.want[i]};
    if (o->count == elements_of(w->shape)) {
        at.row = i / (classes * inner) * inner + i % inner;
        at.column = i / inner % classes;
    } else {
        const double *row = memory.wide_x + i / inner * classes * inner + i % inner;
        at.row = i;
        if (k->signature.second == CLASS_IDS && w->target_class[i] >= 0 &&
            (uint64_t)w->target_class[i] < classes)
            at.column = (size_t)w->target_class[i];
        else if (k->signature.second != CLASS_IDS)
            for (size_t c = 1; c < classes; c++)
                if (row[c * inner] > row[at.column * inner])
                    at.column = c;
    }
    const size_t element = (at.row / inner * classes + at.column) * inner + at.row % inner;
    at.x = memory.wide_x[element];
    at.second = memory.wide_second[element];
    return at;
}

/* One case: the oracle once, then every ISA of one kernel. What an ISA forgets to write is NaN; one with the
 * bits of the ISA before it has its errors, too. */
static void measure(struct error_stats *error_stats, size_t alike, const char *distribution,
                    const struct workload *inputs)
{
    const struct variant *first = &error_stats->variant;
    struct workload w = *inputs;
    if (!first->gradient)
        w.grad = NULL;
    const struct output o = output_of(first, &w);
    struct errors e = {0};
    struct error_curve curve;
    evaluate(first, &w, o.count);
    for (struct error_stats *t = error_stats; t < error_stats + alike; t++) {
        if (!variant_takes_shape(&t->variant, w.shape))
            continue;
        memset(o.values, 0xff, o.count * o.size);
        first->kernel->run(t->variant.isa, &w);
        if (t == error_stats || memcmp(o.values, memory.before, o.count * o.size) != 0) {
            error_curve_clear(&curve);
            e = judge(&o, error_stats->by_x ? &curve : NULL);
        }
        if (t->by_x)
            error_curve_merge(t->by_x, &curve);
        memcpy(memory.before, o.values, o.count * o.size);
        if (e.max > t->max || t->results == 0) {
            t->max = e.max;
            t->worst = witness_of(first->kernel, distribution, &w, &o, e.worst);
        }
        if (e.not_compared > 0 && t->not_compared == 0)
            t->first_not_compared = witness_of(first->kernel, distribution, &w, &o, e.first_not_compared);
        t->not_compared += e.not_compared;
        t->sum += e.sum;
        t->results += o.count;
    }
}

/* --------------------------------------------------------------------------------------------- the inputs */

static bool is_f32(const sl_ref_dtype *dtype) { return dtype == &sl_ref_dtypes[SL_COUNT_f32]; }

/* Floats as elements of a type. Others have other limits and other digits: `stretch` takes what is just above
 * f32's least numbers to just above theirs, f64 gets digits that a float has not, and finite values stay so. */
static void put_floats(const sl_ref_dtype *dtype, generator *g, double stretch, const float *from, void *to,
                       size_t n)
{
    const double largest = ldexp(1 - ldexp(1, -dtype->digits), 3 - dtype->min_exp);
    for (size_t i = 0; i < n; i++) {
        double value = stretch * from[i];
        if (dtype->digits > FLT_MANT_DIG)
            value *= 1 + (next_uniform(g) - 0.5) * FLT_EPSILON;
        if (isfinite(from[i]) && fabs(value) > largest)
            value = copysign(largest, value);
        dtype->put(to, i, value);
    }
}

static double stretch_to(const sl_ref_dtype *dtype)
{
    return (dtype->min_exp - dtype->digits) / (double)(FLT_MIN_EXP - FLT_MANT_DIG);
}

/* What the public function would refuse becomes a half. */
static void keep_probabilities(const struct kernel *k, const struct workload *w)
{
    if (!kernel_takes_probabilities(k))
        return;
    for (size_t i = 0; i < elements_of(w->shape); i++)
        if (!(k->dtype->get(w->x, i) >= 0 && k->dtype->get(w->x, i) <= 1))
            k->dtype->put(w->x, i, 0.5);
}

static void divide_by_sums(float *x, sl_shape shape)
{
    for (size_t r = 0; r < rows_of(shape); r++) {
        float *row = x + r / shape.inner * shape.classes * shape.inner + r % shape.inner;
        double sum = 0;
        for (size_t c = 0; c < shape.classes; c++)
            sum += row[c * shape.inner];
        for (size_t c = 0; c < shape.classes && sum > 0; c++)
            row[c * shape.inner] = (float)(row[c * shape.inner] / sum);
    }
}

/* Gradients are ordinary, or from a distribution of their own; probabilities free, or with a sum of 1. */
static void fill_second(const struct kernel *k, generator *g, const distribution *d, const struct workload *w)
{
    const bool other = next_below(g, 2);
    if (k->signature.second == GRADIENTS)
        fill_rows(other ? d : distribution_at(0), g, memory.floats, w->shape);
    else if (k->signature.second == PROBABILITIES)
        fill_probabilities(g, memory.floats, elements_of(w->shape));
    else
        return;
    if (k->signature.second == PROBABILITIES && other && !k->signature.by_element)
        divide_by_sums(memory.floats, w->shape);
    put_floats(k->dtype, g, 1, memory.floats, w->second, elements_of(w->shape));
    if (k->signature.second == PROBABILITIES) /* f64's digits may have made a 1 larger */
        for (size_t i = 0; i < elements_of(w->shape); i++)
            k->dtype->put(w->second, i, fmin(k->dtype->get(w->second, i), 1));
}

static void measure_distribution(struct error_stats *error_stats, size_t alike, const distribution *d,
                                 sl_shape shape)
{
    const struct kernel *k = error_stats->variant.kernel;
    struct workload w = memory.w;
    generator g = {shape.classes};
    w.shape = shape;
    fill_rows(d, &g, memory.floats, shape);
    fill_class_ids(&g, w.target_class, memory.floats, shape);
    put_floats(k->dtype, &g, next_below(&g, 2) ? stretch_to(k->dtype) : 1, memory.floats, w.x,
               elements_of(shape));
    kernel_inputs_from_logits(k, &w);
    keep_probabilities(k, &w);
    fill_second(k, &g, d, &w);
    measure(error_stats, alike, d->name, &w);
}

static void measure_rows(struct error_stats *error_stats, size_t alike)
{
    static const size_t widths[] = {1,   2,   3,    7,    10,   16,    31,    33,
                                    100, 128, 1000, 1023, 4096, 32003, 50257, 128256};
    enum { WIDTHS = sizeof widths / sizeof widths[0], OTHERS = 2 };
    static const sl_shape others[OTHERS] = {{3, 21, 257}, {10, 100, 13}};
    const struct kernel *k = error_stats->variant.kernel;
    const size_t one_in = is_f32(k->dtype) ? 1 : 4;
    for (size_t i = 0; i < WIDTHS + OTHERS; i++) {
        const sl_shape shape = i >= WIDTHS        ? others[i - WIDTHS]
                               : widths[i] < CASE ? sl_rows(CASE / widths[i], widths[i])
                                                  : sl_rows(1, widths[i]);
        for (size_t d = 0; d < distribution_count() && kernel_takes_shape(k, shape); d++)
            if ((d + i) % one_in == 0)
                measure_distribution(error_stats, alike, distribution_at(d), shape);
    }
}

/* Bit patterns of x, evenly spaced, by an odd step so that all kinds of them occur; all of a 16-bit type. Then
 * several times, if there is a second input that is another one every time. */
static void measure_patterns(struct error_stats *error_stats, size_t alike)
{
    const struct kernel *k = error_stats->variant.kernel;
    const uint64_t last = UINT64_MAX >> (64 - 8 * k->dtype->size);
    const uint64_t step = last >> (k->dtype->long_arithmetic ? 21 : 24) | 1;
    const size_t passes = step == 1 && k->signature.second != NO_SECOND ? 8 : 1;
    struct workload w = memory.w;
    generator g = {1};
    for (size_t pass = 0; pass < passes; pass++)
        for (uint64_t i = 0, end = last / step; i <= end;) {
            size_t n = 0;
            for (; n < CASE && i <= end; n++, i++) {
                const uint64_t bits = i * step; /* little-endian */
                memcpy((char *)w.x + n * k->dtype->size, &bits, k->dtype->size);
            }
            w.shape = sl_rows(1, n);
            keep_probabilities(k, &w);
            fill_second(k, &g, distribution_at(1), &w);
            measure(error_stats, alike, "bit patterns", &w);
        }
}

static void measure_user(struct error_stats *error_stats, size_t alike, const struct logits *user)
{
    const struct kernel *k = error_stats->variant.kernel;
    struct workload w = memory.w;
    generator g = {1};
    w.shape = user->shape;
    w.target_class = user->target;
    const sl_loss_options options = {
        .reduction = SL_NONE,
        .has_ignore_index = k->signature.second == CLASS_IDS && user->has_ignore_index,
        .ignore_index = k->signature.second == CLASS_IDS ? user->ignore_index : 0};
    w.options = &options;
    logits_put(user, k->dtype, w.x);
    kernel_inputs_from_logits(k, &w);
    keep_probabilities(k, &w);
    if (k->signature.second == PROBABILITIES)
        logits_put_one_hot(user, k->dtype, w.second);
    else
        fill_second(k, &g, distribution_at(0), &w);
    measure(error_stats, alike, "logits", &w);
}

void measure_variants(struct error_stats *error_stats, size_t alike, const struct logits *user)
{
    if (user) {
        measure_user(error_stats, alike, user);
    } else if (error_stats->variant.kernel->signature.by_element) {
        for (size_t d = 0; d < distribution_count(); d++)
            measure_distribution(error_stats, alike, distribution_at(d), sl_rows(1, CASE));
        measure_patterns(error_stats, alike);
    } else {
        measure_rows(error_stats, alike);
    }
}

/* ------------------------------------------------------------------------------------------------- exhaustive */

/* What a error_stats has found since it was `before`, as its entry for this distribution; then both together. */
static void settle(struct error_stats *t, const struct error_stats *before, size_t d)
{
    t->by_distribution[d] = t->max;
    t->sum += before->sum;
    t->results += before->results;
    if (before->not_compared > 0)
        t->first_not_compared = before->first_not_compared;
    t->not_compared += before->not_compared;
    if (before->results > 0 && before->max >= t->max) {
        t->max = before->max;
        t->worst = before->worst;
    }
}

void measure_full_suite(struct error_stats *error_stats, size_t alike, bool (*go_on)(double done))
{
    static const size_t widths[] = {1,    2,    3,    4,     7,     10,    15,     16,      17,
                                    31,   32,   33,   64,    100,   128,   255,    500,     1000,
                                    1023, 2048, 4096, 10007, 32003, 50257, 128256, 1 << 18, BATTERY_WIDEST};
    enum { WIDTHS = sizeof widths / sizeof widths[0] };
    const size_t distributions = distribution_count();
    struct error_stats *before = array_of(alike, sizeof *before);
    for (size_t i = 0; i < alike; i++)
        error_stats[i].by_distribution = array_of(distributions, sizeof *error_stats[i].by_distribution);
    bool going = true;
    for (size_t d = 0; d < distributions && going; d++) {
        memcpy(before, error_stats, alike * sizeof *before);
        for (size_t i = 0; i < alike; i++)
            error_stats[i].max = error_stats[i].sum = 0,
            error_stats[i].results = error_stats[i].not_compared = 0;
        for (size_t i = 0; i < WIDTHS && going; i++) {
            measure_distribution(error_stats, alike, distribution_at(d),
                                 widths[i] < CASE ? sl_rows(CASE / widths[i], widths[i])
                                                  : sl_rows(1, widths[i]));
            going = go_on(((double)d + (double)(i + 1) / WIDTHS) / (double)distributions);
        }
        for (size_t i = 0; i < alike; i++)
            settle(&error_stats[i], &before[i], d);
    }
    free(before);
}

/* The witness as any other: a row of one element. */
static struct witness witness_of_float(const struct variant *v, const sweep_map *map, float x, float second)
{
    struct witness at = {"all floats", sl_rows(1, 1), .x = x, .second = second};
    float got;
    map->run(v->isa, &x, &second, &got, 1);
    map->oracle(&at.x, &at.second, 1, &at.want);
    at.got = got;
    return at;
}

void measure_sweep(struct error_stats *error_stats, size_t alike, bool (*go_on)(double done))
{
    const struct variant *first = &error_stats->variant;
    const sweep_map *map = sweep_map_of(first->kernel->name, first->gradient);
    const sl_kernels **tables = array_of(alike, sizeof *tables);
    sweep_result *results = array_of(alike, sizeof *results); /* lives as long as the tallies */
    for (size_t i = 0; i < alike; i++)
        tables[i] = error_stats[i].variant.isa;
    sweep(map, tables, alike, SWEEP_ALL, 1, results, go_on);
    for (size_t i = 0; i < alike; i++) {
        struct error_stats *t = &error_stats[i];
        t->sweep = &results[i];
        t->max = results[i].max_ulp;
        t->sum = results[i].sum_ulp;
        t->results = results[i].inputs;
        t->not_compared = results[i].not_compared;
        t->worst = witness_of_float(&t->variant, map, results[i].worst, results[i].worst_second);
        t->first_not_compared =
            witness_of_float(&t->variant, map, results[i].uncompared, results[i].uncompared_second);
    }
    free(tables);
}
