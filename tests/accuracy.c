/* SPDX-License-Identifier: MIT
 *
 * Every kernel stays within the bounds of its row in kernels.def, in every element type, on every ISA,
 * against the reference: on rows of every short length and some long ones from every distribution, and
 * element kernels over all magnitudes of their type; types of 16 bits on all inputs. And the properties that
 * no ULP bound implies: order, exact ones, exact constant rows, sums that lose nothing.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

/* The worst output so far, and where it was. */
typedef struct {
    double ulp, got;
    sl_real want;
    const char *distribution, *spec;
    sl_shape shape;
    size_t at;
} worst_case;

typedef struct {
    worst_case of[OUTPUTS];
} worst_cases;

static const char *output_name(size_t output) { return output == GRADIENT ? ", gradient" : ""; }

static void compare_ran(const isa *on, const workload *w, const char *distribution, const char *spec,
                        worst_cases *worst)
{
    const kernel *k = w->k;
    expectation e;
    expect(k, &w->c, &e);
    for (size_t output = 0; output < OUTPUTS; output++) {
        if (w->c.out[output] == NULL || !is_judged_by_oracle(w, output))
            continue;
        const double bound = allowed_error(w, on, output);
        worst_case *so_far = &worst->of[output];
        for (size_t i = 0; i < output_count(k, &w->c, output); i++) {
            const double ulp = error_of(k, &w->c, output, i, &e);
            if (ulp <= so_far->ulp)
                continue;
            *so_far = (worst_case){ulp,
                                   output_value(k, output, w->c.out[output], i),
                                   e.want[output][i],
                                   distribution,
                                   spec,
                                   w->c.shape,
                                   i};
            if (!(ulp <= bound))
                fail_msg(
                    "%s/%s%s: %.4f ULP of %.2f allowed: got %a, want %La; %s, %s, %zu x %zu x %zu, at %zu",
                    k->name, on->name, output_name(output), ulp, bound, so_far->got, so_far->want,
                    distribution, spec, w->c.shape.outer, w->c.shape.classes, w->c.shape.inner, i);
        }
    }
    expectation_free(&e);
}

static void compare(const isa *on, const workload *w, const char *distribution, const char *spec,
                    worst_cases *worst)
{
    run(w->k, on, &w->c);
    compare_ran(on, w, distribution, spec, worst);
}

static void say(const kernel *k, const isa *on, const worst_cases *worst)
{
    for (size_t output = 0; output < OUTPUTS; output++) {
        const worst_case *w = &worst->of[output];
        if (w->spec != NULL)
            print_message("%s/%s%s: %.4f ULP of %.2f; %s, %s, %zu columns\n", k->name, on->name,
                          output_name(output), w->ulp, bound_of(k, on->table, output), w->distribution,
                          w->spec, w->shape.classes);
    }
}

/* Rows of every length and distribution, with one call_spec after the other. */
static void rows_of_every_length(const kernel *k, const isa *on)
{
    static const size_t longer[] = {100, 127, 128, 1000, 4096, 32003, 131072};
    enum { SHORT = 70, LONGER = sizeof longer / sizeof *longer };
    generator g = {5};
    worst_cases worst = {{{0}}};
    size_t turn = 0;
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t i = 0; i < SHORT + LONGER; i++) {
            const size_t n = i < SHORT ? i + 1 : longer[i - SHORT],
                         one_in = effort(1, 20) * (n > 1000 ? 6 : 1);
            if (!is_chosen(k, i + 5 * d, one_in))
                continue;
            /* elements do not depend on the length, and have a topic of their own */
            const size_t most = k->by_element ? effort(250, 50) : effort(2000, 200);
            const call_spec *v = call_spec_at(k, turn++ % call_spec_count(k));
            workload w;
            workload_make(&w, k, v, sl_rows(most / n + 1, n), distribution_at(d), &g);
            compare(on, &w, distribution_at(d)->name, v->name, &worst);
            workload_free(&w);
        }
    say(k, on, &worst);
}

/* --------------------------------------------------------------------------------------- element kernels */

enum { WINDOW = 2048 };

/* Every element type's bit patterns: from 0 up to this. */
static uint64_t last_pattern(const sl_ref_dtype *dt) { return UINT64_MAX >> (64 - dt->size * 8); }

/* A window of bit patterns as x; gradients and targets cycle through all kinds of values. */
static void fill_patterns(workload *w, uint64_t first, uint64_t stride)
{
    static const double targets[] = {0, 1, 0.5, 0.1, 1 - 0x1p-24, 1e-30},
                        gradients[] = {1, -1, 3, -0.1, 1e-3};
    enum { TARGETS = sizeof targets / sizeof *targets, GRADIENTS = sizeof gradients / sizeof *gradients };
    const kernel *k = w->k;
    for (size_t i = 0; i < WINDOW; i++) {
        put_bits(k->dtype, w->x, i, first + i * stride);
        if (!is_in_domain(k, k->dtype->get(w->x, i)))
            k->dtype->put(w->x, i, 0.5);
        if (k->second != NO_SECOND)
            k->dtype->put(w->second, i, k->second == DY ? gradients[i % GRADIENTS] : targets[i % TARGETS]);
    }
}

/* From -inf up to +inf, the patterns of negative numbers descend. NaNs are not in order. */
static void assert_in_order(const isa *on, const workload *w)
{
    const sl_ref_dtype *dt = w->k->dtype;
    for (size_t i = 1; i < elements(w->c.shape); i++) {
        const double x0 = dt->get(w->c.x, i - 1), x1 = dt->get(w->c.x, i);
        const double y0 = dt->get(w->c.out[RESULT], i - 1), y1 = dt->get(w->c.out[RESULT], i);
        if ((x0 < x1 && y0 > y1) || (x0 > x1 && y0 < y1))
            fail_msg("%s/%s is not in order: %a gives %a, %a gives %a (%zu columns)", w->k->name, on->name,
                     x0, y0, x1, y1, w->c.shape.classes);
    }
}

static bool is_monotone(const kernel *k)
{
    return (k->row == SL_COUNT_sigmoid || k->row == SL_COUNT_sigmoid_fast ||
            k->row == SL_COUNT_sigmoid_exact || k->row == SL_COUNT_log_sigmoid) &&
           k->dtype->digits <= 24;
}

static void compare_patterns(const isa *on, workload *w, uint64_t first, uint64_t stride, const char *what,
                             worst_cases *worst)
{
    fill_patterns(w, first, stride);
    compare(on, w, what, "none", worst);
    if (is_monotone(w->k))
        assert_in_order(on, w);
}

/* Values of all magnitudes, evenly spaced by bit pattern; and windows of consecutive ones, around where
 * formulas change and at random. */
static void every_magnitude(const kernel *k, const isa *on)
{
    static const double centres[] = {
        0,       0x1p-1022, 0x1p-126, 0x1p-53, 0x1p-24, 0x1p-12, 0.125,   0.6931472, 1,       8,
        9,       15,        16,       16.635,  17.3287, 36.7,    44.36,   64,        87.3365, 88,
        88.7228, 89,        96,       103.279, 103.972, 104,     105,     106,       128,     708.4,
        709.8,   744.4,     745.2,    0x1p13,  0x1p23,  3e38,    INFINITY};
    enum { CENTRES = sizeof centres / sizeof *centres };
    const sl_ref_dtype *dt = k->dtype;
    generator g = {6};
    worst_cases worst = {{{0}}};
    workload w;
    workload_make(&w, k, call_spec_at(k, 0), sl_rows(WINDOW, 1), distribution_at(0), &g);

    const size_t windows = effort(1000, 16) / (dt->digits > 24 ? 3 : 1);
    const uint64_t stride = last_pattern(dt) / WINDOW / windows | 1;
    for (size_t i = 0; i < windows; i++)
        compare_patterns(on, &w, i * stride * WINDOW, stride, "every magnitude", &worst);
    for (size_t i = 0; i < 2 * CENTRES; i++) {
        uint64_t centre;
        dt->put(w.x, 0, i % 2 ? -centres[i / 2] : centres[i / 2]);
        centre = dt->bits(w.x, 0);
        compare_patterns(on, &w, centre - WINDOW / 2, 1, "around a limit", &worst);
    }
    for (size_t i = 0; i < share(k, 600, 12); i++) {
        dt->put(w.x, 0, (next_below(&g, 2) ? 220 : 20) * (next_uniform(&g) - 0.5));
        compare_patterns(on, &w, dt->bits(w.x, 0), 1, "consecutive", &worst);
    }
    say(k, on, &worst);
    workload_free(&w);
}

static bool is_storage(const kernel *k) { return k->dtype->size == 2; }

static bool is_wide_by_element(const kernel *k) { return k->by_element && !is_storage(k); }

static bool is_storage_by_element(const kernel *k) { return k->by_element && is_storage(k); }

/* Where results of 16 bits are not correctly rounded: inputs whose exact result is so close to the middle
 * between two numbers of the type that its value in f32 is the middle itself. For most of them that is the
 * correctly rounded value in f32 (rounding twice, to f32 and to the type, cannot do better); for the others,
 * marked, f32's last bit decides. */
static const struct {
    size_t row;
    uint16_t x;
} near_ties_of_f16[] = {
    {SL_COUNT_sigmoid, 0x1a00},
    {SL_COUNT_sigmoid, 0x1f00},
    {SL_COUNT_sigmoid, 0x2180},
    {SL_COUNT_sigmoid, 0x9600},
    {SL_COUNT_sigmoid, 0x9b00},
    {SL_COUNT_sigmoid, 0x9d80},
    {SL_COUNT_sigmoid, 0x9f80},
    {SL_COUNT_sigmoid, 0x9900}, /* no FMA */
    {SL_COUNT_sigmoid, 0x9c80}, /* no FMA */
    {SL_COUNT_log_sigmoid, 0x0430},
    {SL_COUNT_log_sigmoid, 0x0431}, /* last bit */
    {SL_COUNT_log_sigmoid, 0x97bc}, /* no FMA */
    {SL_COUNT_log_sigmoid_backward, 0x9a00},
    {SL_COUNT_log_sigmoid_backward, 0x9f00},
    {SL_COUNT_log_sigmoid_backward, 0xa180},
    {SL_COUNT_log_sigmoid_backward, 0x1600},
    {SL_COUNT_log_sigmoid_backward, 0x1b00},
    {SL_COUNT_log_sigmoid_backward, 0x1d80},
    {SL_COUNT_log_sigmoid_backward, 0x1f80},
    {SL_COUNT_log_sigmoid_backward, 0x1900}, /* no FMA */
    {SL_COUNT_log_sigmoid_backward, 0x1c80}, /* no FMA */
};

static bool is_near_tie(const kernel *k, uint64_t x)
{
    for (size_t i = 0; i < sizeof near_ties_of_f16 / sizeof *near_ties_of_f16; i++)
        if (k->row == near_ties_of_f16[i].row && k->dtype == &sl_ref_dtypes[SL_COUNT_f16] &&
            near_ties_of_f16[i].x == x)
            return true;
    return false;
}

static void assert_correctly_rounded(const isa *on, const workload *w)
{
    const kernel *k = w->k;
    const sl_ref_dtype *dt = k->dtype;
    size_t wrong = 0, unknown = 0;
    expectation e;
    expect(k, &w->c, &e);
    for (size_t i = 0; i < elements(w->c.shape); i++) {
        uint64_t right[1];
        dt->put(right, 0, (double)e.want[RESULT][i]);
        if (isnan((double)e.want[RESULT][i]) || dt->get(right, 0) == dt->get(w->c.out[RESULT], i))
            continue;
        wrong++;
        if (is_near_tie(k, i) || k->row == SL_COUNT_sigmoid_fast) /* whose bound is enough */
            continue;
        unknown++;
        print_error("%s/%s: %04zx gives %a, want %La\n", k->name, on->name, i, dt->get(w->c.out[RESULT], i),
                    e.want[RESULT][i]);
    }
    expectation_free(&e);
    print_message("%s/%s: %zu of 65536 results are not correctly rounded\n", k->name, on->name, wrong);
    assert_int_equal(unknown, 0);
}

/* All inputs of a type of 16 bits: within the bound, and maps, for a gradient of 1, in order and correctly rounded.
 * Losses, which are f32, and their gradients: for several targets. */
static void every_input(const kernel *k, const isa *on)
{
    static const double targets[] = {0, 1, 0.5, 0.1};
    const sl_ref_dtype *dt = k->dtype;
    generator g = {20};
    worst_cases worst = {{{0}}};
    workload w;
    workload_make(&w, k, call_spec_at(k, 0), sl_rows(65536, 1), distribution_at(0), &g);
    for (size_t i = 0; i < 65536; i++) {
        put_bits(dt, w.x, i, i);
        if (!is_in_domain(k, dt->get(w.x, i)))
            dt->put(w.x, i, 0.5);
    }
    for (size_t t = 0; t < (is_loss(k) ? sizeof targets / sizeof *targets : 1); t++) {
        for (size_t i = 0; i < 65536 && k->second != NO_SECOND; i++)
            dt->put(w.second, i, is_loss(k) ? targets[t] : 1);
        compare(on, &w, "every input", "plain", &worst);
    }
    say(k, on, &worst);
    if (is_monotone(k))
        assert_in_order(on, &w);
    if (!is_loss(k) && output_is_t(k, RESULT))
        assert_correctly_rounded(on, &w);
    workload_free(&w);
}

/* -------------------------------------------------------------------------------------------- softmax */

static bool is_softmax(const kernel *k)
{
    return k->row == SL_COUNT_softmax || k->row == SL_COUNT_softmax_safe || k->row == SL_COUNT_softmax_apply;
}

static bool is_softmax_of_rows(const kernel *k) { return is_softmax(k) && has_shape(k); }

static void keeps_the_order(const kernel *k, const isa *on)
{
    enum { MOST = 1000 };
    const sl_ref_dtype *dt = k->dtype;
    generator g = {7};
    uint64_t x[MOST], y[MOST], top[1];
    workload w = {.k = k, .c = {.x = x, .out = {y}}};
    for (size_t repeat = 0; repeat < share(k, 3000, 50); repeat++) {
        const size_t n = 2 + next_below(&g, MOST - 1);
        /* consecutive values, from anywhere that matters, under a maximum that may be far above them */
        dt->put(top, 0, -100 * next_uniform(&g));
        const uint64_t start = dt->bits(top, 0);
        for (size_t i = 0; i < n; i++)
            put_bits(dt, x, i, start - i);
        if (next_below(&g, 2) == 0)
            dt->put(x, next_below(&g, n), 30 * next_uniform(&g));
        w.c.shape = sl_rows(1, n);
        run(k, on, &w.c);
        assert_in_order(on, &w);
    }
}

static void one_column_is_1(const kernel *k, const isa *on)
{
    generator g = {8};
    for (size_t i = 0; i < share(k, 100000, 2000); i++) {
        double x[1], y[1] = {0};
        put_bits(k->dtype, x, 0, next_bits(&g));
        if (!isfinite(k->dtype->get(x, 0)))
            continue;
        run(k, on, &(call){.x = x, .shape = sl_rows(1, 1), .out = {y}});
        if (k->dtype->get(y, 0) != 1)
            fail_msg("%s/%s: [%a] gives %a", k->name, on->name, k->dtype->get(x, 0), k->dtype->get(y, 0));
    }
}

static void constant_row_is_1_over_n(const kernel *k, const isa *on)
{
    static const double constants[] = {0, 1, -1, 0.3, -37, 22.2, 100, 1e5, -8191, 3e38, 1e-40, 7.77};
    enum { CONSTANTS = sizeof constants / sizeof *constants, MOST = 40000 };
    const sl_ref_dtype *dt = k->dtype;
    double *x = allocate(MOST, sizeof *x), *y = allocate(MOST, sizeof *y), right[1];
    for (size_t c = 0; c < CONSTANTS; c++)
        for (size_t n = 1; n <= effort(MOST, 1100); n += n < 300 ? 1 : n / 9) {
            if (!is_chosen(k, c + n, effort(1, 3)))
                continue;
            for (size_t i = 0; i < n; i++)
                dt->put(x, i, fmin(constants[c], largest_of(dt)));
            run(k, on, &(call){.x = x, .shape = sl_rows(1, n), .out = {y}});
            dt->put(right, 0, 1 / (double)n);
            for (size_t i = 0; i < n; i++)
                if (dt->get(y, i) != dt->get(right, 0))
                    fail_msg("%s/%s: %zu times %a gives %a, not %a", k->name, on->name, n, constants[c],
                             dt->get(y, i), dt->get(right, 0));
        }
    free(x);
    free(y);
}

/* ---------------------------------------------------------------------------------------------- losses */

static bool is_loss_of_softmax(const kernel *k)
{
    return k->row == SL_COUNT_cross_entropy || k->row == SL_COUNT_cross_entropy_soft ||
           k->row == SL_COUNT_cross_entropy_grad || k->row == SL_COUNT_cross_entropy_shard_grad;
}

/* 2^-e for e up to `most`; 0 one time in four. */
static double tiny(generator *g, double most)
{
    return next_below(g, 4) == 0 ? 0 : exp2(-most * next_uniform(g));
}

/* The class that wins, by any margin, is the target, or nearly all of it, or has nearly all of the weight; the others have
 * little: then both terms of a gradient may be as small as they like, and neither must be lost in the other one's rounding. */
static void make_confident(workload *w, generator *g)
{
    static const double smoothings[] = {0, 0.1, 0x1p-40, 0x1p-20, 0.5, 1};
    const kernel *k = w->k;
    const sl_ref_dtype *dt = k->dtype;
    const sl_shape shape = w->c.shape;
    const double most = dt->loss_digits > 24 ? 500 : 60;
    const size_t winner = next_below(g, shape.classes);
    w->options.label_smoothing = smoothings[next_below(g, 6)];
    w->options.class_weight = next_below(g, 3) == 0 ? NULL : w->class_weight;
    for (size_t c = 0; c < shape.classes; c++)
        dt->put_loss(w->class_weight, c, c == winner ? 1 : tiny(g, most));
    for (size_t r = 0; r < rows(shape); r++) {
        const double margin = most * next_uniform(g);
        const size_t top = next_below(g, 4) == 0 ? next_below(g, shape.classes) : winner;
        for (size_t c = 0; c < shape.classes; c++) {
            const size_t i = element_at(shape, r, c);
            dt->put(w->x, i, c == top ? 0 : -margin - next_uniform(g));
            if (k->second == PROBABILITIES)
                dt->put(w->second, i, c == top ? 1 : tiny(g, most));
        }
        if (k->second == CLASS_IDS)
            ((int64_t *)w->second)[r] =
                (int64_t)(next_below(g, 2) == 0 ? next_below(g, shape.classes) : winner);
    }
    workload_remake_lse(w, g);
}

static void confident_gradients(const kernel *k, const isa *on)
{
    static const size_t classes[] = {2, 3, 5, 10, 32, 33, 100, 1000};
    generator g = {19};
    worst_cases worst = {{{0}}};
    const call_spec v = {"confident", SL_NONE, WEIGHTS | SMOOTHING, 0.1, {true, true}};
    for (size_t i = 0; i < share(k, 600, 60); i++) {
        const size_t n = classes[i % 8];
        workload w;
        workload_make(&w, k, &v,
                      n < 100 && i % 3 == 0 && !k->matrix ? sl_axis(1, n, 1 + i % 90)
                                                          : sl_rows(1 + i % 20, n),
                      distribution_at(0), &g);
        make_confident(&w, &g);
        compare(on, &w, "confident", v.name, &worst);
        workload_free(&w);
    }
    say(k, on, &worst);
}

static void negate_some_weights(workload *w, generator *g)
{
    const sl_ref_dtype *dt = w->k->dtype;
    for (size_t c = 0; c < w->c.shape.classes; c++)
        if (next_below(g, 2))
            dt->put_loss(w->class_weight, c, -dt->get_loss(w->class_weight, c));
}

static void sums_and_means(const kernel *k, const isa *on)
{
    static const size_t counts[] = {1, 2, 3, 10, 17, 100, 1000, 1797, 20011, 100003};
    enum { COUNTS = sizeof counts / sizeof *counts };
    generator g = {9};
    for (size_t v = 0; v < call_spec_count(k); v++)
        for (size_t i = 0; i < COUNTS; i++) {
            call_spec reduced = *call_spec_at(k, v);
            if (counts[i] > effort(SIZE_MAX, 2000) || (counts[i] > 2000 && !is_chosen(k, v + i, 3)) ||
                reduced.reduction == SL_NONE)
                continue;
            reduced.wants[RESULT] = true;
            reduced.wants[GRADIENT] = false;
            workload w;
            workload_make(&w, k, &reduced, sl_rows(counts[i], 1 + i), distribution_at(next_below(&g, 3)), &g);
            if (i % 2 && w.options.class_weight != NULL && reduced.reduction == SL_SUM)
                negate_some_weights(&w, &g);
            run(k, on, &w.c);
            assert_sum_of_losses(on, &w);
            workload_free(&w);
        }
}

int main(void)
{
    const topic topics[] = {
        {.name = "within the bound, rows of every length", .bits_tell = true, .cell = rows_of_every_length},
        {.name = "within the bound, every magnitude",
         .bits_tell = true,
         .cell = every_magnitude,
         .applies_to = is_wide_by_element},
        {.name = "within the bound, every input", .cell = every_input, .applies_to = is_storage_by_element},
        {.name = "keeps the order", .bits_tell = true, .cell = keeps_the_order, .applies_to = is_softmax},
        {.name = "one column is 1", .bits_tell = true, .cell = one_column_is_1, .applies_to = is_softmax},
        {.name = "constant row is 1/n",
         .bits_tell = true,
         .cell = constant_row_is_1_over_n,
         .applies_to = is_softmax_of_rows},
        {.name = "gradients of confident rows",
         .bits_tell = true,
         .cell = confident_gradients,
         .applies_to = is_loss_of_softmax},
        {.name = "sum and mean of losses", .bits_tell = true, .cell = sums_and_means, .applies_to = is_loss},
    };
    return run_test_matrix("accuracy", topics, sizeof topics / sizeof *topics);
}
