/* SPDX-License-Identifier: MIT
 *
 * See measure.h.
 */
#include "measure.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expectation.h"
#include "workload.h"

enum { CASE = 1 << 14 /* elements of a case, or one row if that is wider */ };

/* ------------------------------------------------------------------------------------------------ one case */

/* A workload with what is judged of it: the gradient, or else the result. */
struct judged_case {
    const char *distribution;
    const workload *w;
    size_t output, count;
    void *values;
    expectation e;
};

/* The errors of its output. NaN where the oracle has NaN, too, is right, but it has no distance from it. */
struct errors {
    double max, sum;
    size_t worst, not_compared, first_not_compared;
};

/* curve: of outputs that belong to one x each, or NULL */
static struct errors judge(const struct judged_case *of, struct error_curve *curve)
{
    const workload *w = of->w;
    struct errors e = {.max = -1};
    for (size_t i = 0; i < of->count; i++) {
        if (isnan(output_value(w->k, of->output, of->values, i)) && isnan(of->e.want[of->output][i])) {
            if (e.not_compared++ == 0)
                e.first_not_compared = i;
            continue;
        }
        const double ulp = error_of(w->k, &w->c, of->output, i, &of->e);
        if (isfinite(ulp))
            e.sum += ulp;
        if (curve)
            error_curve_add(curve, w->k->dtype->get(w->x, i), ulp);
        if (ulp > e.max) {
            e.max = ulp;
            e.worst = i;
        }
    }
    return e;
}

/* The element that stands for a row: its target's, or the largest. */
static size_t column_of_row(const workload *w, size_t r)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const sl_shape shape = w->c.shape;
    size_t column = 0;
    if (w->k->second == CLASS_IDS) {
        const int64_t id = ((const int64_t *)w->second)[r];
        return id >= 0 && (uint64_t)id < shape.classes ? (size_t)id : 0;
    }
    for (size_t c = 1; c < shape.classes; c++)
        if (dt->get(w->x, element_at(shape, r, c)) > dt->get(w->x, element_at(shape, r, column)))
            column = c;
    return column;
}

static struct witness witness_of(const struct judged_case *of, size_t i)
{
    const workload *w = of->w;
    const sl_shape shape = w->c.shape;
    struct witness at = {of->distribution, shape, .got = output_value(w->k, of->output, of->values, i),
                         .want = of->e.want[of->output][i]};
    if (of->count == elements(shape)) {
        at.row = i / (shape.classes * shape.inner) * shape.inner + i % shape.inner;
        at.column = i / shape.inner % shape.classes;
    } else {
        at.row = i;
        at.column = column_of_row(w, i);
    }
    const size_t element = element_at(shape, at.row, at.column);
    at.x = w->k->dtype->get(w->x, element);
    if (w->k->second == DY || w->k->second == PROBABILITIES)
        at.second = w->k->dtype->get(w->second, element);
    return at;
}

/* Statistics that the kernel takes are its own table's; other people's tables have none. */
static void run_variant(const variant *v, const workload *w, sl_stats *room)
{
    call c = w->c;
    if (takes_stats(v->kernel) && v->isa->needs == NULL)
        know_rows(v->kernel, sl_isa(NULL), &c, room);
    v->kernel->run(v->isa, &c);
}

/* The oracle once, then every ISA of one kernel. What an ISA forgets to write is NaN; one with the bits of the ISA
 * before it has its errors, too. */
static void measure(struct error_stats *error_stats, size_t alike, const char *distribution,
                    const workload *w)
{
    const kernel *k = w->k;
    const size_t output = error_stats->variant.gradient ? GRADIENT : RESULT;
    struct judged_case of = {distribution,   w, output, output_count(k, &w->c, output), w->c.out[output],
                             {{0}, {0}, {0}}};
    const size_t bytes = of.count * output_size(k, output);
    void *before = allocate(bytes, 1);
    sl_stats *room = allocate(rows(w->c.shape), sizeof *room);
    call asked = w->c;
    struct errors e = {0};
    struct error_curve curve;
    asked.out[output == GRADIENT ? RESULT : GRADIENT] = NULL;
    expect(k, &asked, &of.e);
    for (struct error_stats *t = error_stats; t < error_stats + alike; t++) {
        if (!variant_takes_shape(&t->variant, w->c.shape))
            continue;
        memset(of.values, 0xff, bytes);
        run_variant(&t->variant, w, room);
        if (t == error_stats || memcmp(of.values, before, bytes) != 0) {
            error_curve_clear(&curve);
            e = judge(&of, error_stats->by_x ? &curve : NULL);
        }
        if (t->by_x)
            error_curve_merge(t->by_x, &curve);
        memcpy(before, of.values, bytes);
        if (e.max > t->max || t->results == 0) {
            t->max = e.max;
            t->worst = witness_of(&of, e.worst);
        }
        if (e.not_compared > 0 && t->not_compared == 0)
            t->first_not_compared = witness_of(&of, e.first_not_compared);
        t->not_compared += e.not_compared;
        t->sum += e.sum;
        t->results += of.count;
    }
    expectation_free(&of.e);
    free(before);
    free(room);
}

/* --------------------------------------------------------------------------------------------- the inputs */

static bool is_f32(const sl_ref_dtype *dtype) { return dtype == &sl_ref_dtypes[SL_COUNT_f32]; }

static void make_inputs(workload *w, const variant *v, sl_shape shape, const distribution *d, generator *g)
{
    const call_spec each_loss = {.reduction = SL_NONE, .wants = {true, v->gradient}};
    workload_make(w, v->kernel, &each_loss, shape, d, g);
}

static void measure_distribution(struct error_stats *error_stats, size_t alike, const distribution *d,
                                 sl_shape shape)
{
    generator g = {shape.classes};
    workload w;
    make_inputs(&w, &error_stats->variant, shape, d, &g);
    measure(error_stats, alike, d->name, &w);
    workload_free(&w);
}

static void measure_rows(struct error_stats *error_stats, size_t alike)
{
    static const size_t widths[] = {1,   2,   3,    7,    10,   16,    31,    33,
                                    100, 128, 1000, 1023, 4096, 32003, 50257, 128256};
    enum { WIDTHS = sizeof widths / sizeof widths[0], OTHERS = 2 };
    const sl_shape others[OTHERS] = {sl_axis(3, 21, 257), sl_axis(10, 100, 13)};
    const kernel *k = error_stats->variant.kernel;
    const size_t one_in = is_f32(k->dtype) ? 1 : 4;
    for (size_t i = 0; i < WIDTHS + OTHERS; i++) {
        const sl_shape shape = i >= WIDTHS        ? others[i - WIDTHS]
                               : widths[i] < CASE ? sl_rows(CASE / widths[i], widths[i])
                                                  : sl_rows(1, widths[i]);
        for (size_t d = 0; d < distribution_count() && takes_shape(k, shape); d++)
            if ((d + i) % one_in == 0)
                measure_distribution(error_stats, alike, distribution_at(d), shape);
    }
}

/* Bit patterns of x, evenly spaced, by an odd step so that all kinds of them occur; all of a 16-bit type. Then
 * several times, if there is a second input that is another one every time. */
static void measure_patterns(struct error_stats *error_stats, size_t alike)
{
    const kernel *k = error_stats->variant.kernel;
    const uint64_t last = UINT64_MAX >> (64 - 8 * k->dtype->size);
    const uint64_t step = last >> (k->dtype->long_arithmetic ? 21 : 24) | 1;
    const size_t passes = step == 1 && k->second != NO_SECOND ? 8 : 1;
    const bool has_domain = !is_in_domain(k, 2);
    workload w;
    generator g = {1};
    make_inputs(&w, &error_stats->variant, sl_rows(1, CASE), distribution_at(1), &g);
    for (size_t pass = 0; pass < passes; pass++)
        for (uint64_t i = 0, end = last / step; i <= end;) {
            size_t n = 0;
            for (; n < CASE && i <= end; n++, i++) {
                put_bits(k->dtype, w.x, n, i * step);
                if (has_domain && !is_in_domain(k, k->dtype->get(w.x, n)))
                    k->dtype->put(w.x, n, 0.5);
            }
            w.c.shape = sl_rows(1, n);
            workload_remake_second(&w, distribution_at(1), &g);
            measure(error_stats, alike, "bit patterns", &w);
        }
    workload_free(&w);
}

static void measure_user(struct error_stats *error_stats, size_t alike, const struct logits *user)
{
    const kernel *k = error_stats->variant.kernel;
    workload w;
    generator g = {1};
    make_inputs(&w, &error_stats->variant, user->shape, distribution_at(0), &g);
    logits_put(user, k->dtype, w.x);
    logits_to_input(k, w.x, user->shape);
    if (k->second == PROBABILITIES) {
        logits_put_one_hot(user, k->dtype, w.second);
    } else if (k->second == CLASS_IDS) {
        memcpy(w.second, user->target, rows(user->shape) * sizeof *user->target);
        w.options.has_ignore_index = user->has_ignore_index;
        w.options.ignore_index = user->ignore_index;
    }
    measure(error_stats, alike, "logits", &w);
    workload_free(&w);
}

void measure_variants(struct error_stats *error_stats, size_t alike, const struct logits *user)
{
    if (user) {
        measure_user(error_stats, alike, user);
    } else if (error_stats->variant.kernel->by_element) {
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
    static const size_t widths[] = {
        1,    2,    3,    4,     7,     10,    15,     16,      17,
        31,   32,   33,   64,    100,   128,   255,    500,     1000,
        1023, 2048, 4096, 10007, 32003, 50257, 128256, 1 << 18, FULL_SUITE_WIDEST};
    enum { WIDTHS = sizeof widths / sizeof widths[0] };
    const size_t distributions = distribution_count();
    struct error_stats *before = allocate_zeroed(alike, sizeof *before);
    for (size_t i = 0; i < alike; i++)
        error_stats[i].by_distribution =
            allocate_zeroed(distributions, sizeof *error_stats[i].by_distribution);
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
static struct witness witness_of_float(const variant *v, float x, float second)
{
    const sl_loss_options each_loss = {.reduction = SL_NONE};
    const size_t output = v->gradient ? GRADIENT : RESULT;
    float got;
    expectation e;
    call c = {.x = &x, .second = &second, .shape = sl_rows(1, 1), .options = &each_loss};
    c.out[output] = &got;
    v->kernel->run(v->isa, &c);
    expect(v->kernel, &c, &e);
    const struct witness at = {"all floats", c.shape, 0, 0, x, second, got, e.want[output][0]};
    expectation_free(&e);
    return at;
}

void measure_sweep(struct error_stats *error_stats, size_t alike, bool (*go_on)(double done))
{
    const variant *first = &error_stats->variant;
    const sl_kernels **tables = allocate_zeroed(alike, sizeof *tables);
    sweep_result *results = allocate_zeroed(alike, sizeof *results); /* lives as long as error_stats */
    for (size_t i = 0; i < alike; i++)
        tables[i] = error_stats[i].variant.isa;
    sweep(first->kernel, first->gradient, tables, alike, SWEEP_ALL, 1, results, go_on);
    for (size_t i = 0; i < alike; i++) {
        struct error_stats *t = &error_stats[i];
        t->sweep = &results[i];
        t->max = results[i].max_ulp;
        t->sum = results[i].sum_ulp;
        t->results = results[i].inputs;
        t->not_compared = results[i].not_compared;
        t->worst = witness_of_float(&t->variant, results[i].worst, results[i].worst_second);
        t->first_not_compared =
            witness_of_float(&t->variant, results[i].uncompared, results[i].uncompared_second);
    }
    free(tables);
}
