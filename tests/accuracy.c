/* SPDX-License-Identifier: MIT
 *
 * Every kernel stays within the bound of its row in kernels.def, on every ISA, against the reference: on rows
 * of every short length and some long ones from every distribution, and on element kernels over all
 * magnitudes of a float. And the properties that no ULP bound implies: order, exact ones, exact constant
 * rows, sums that lose nothing.
 */
#include <math.h>
#include <stdlib.h>

#include "workload.h"

/* The worst output so far, and where it was. */
typedef struct {
    double ulp;
    float got;
    double want;
    const char *distribution, *variant;
    sl_shape shape;
    size_t output;
} worst_case;

static double bound_of(const kernel *k, const isa *on, const sl_loss_options *options)
{
    /* bce_with_logits promises its bound without weights; each weight may cost a rounding. */
    const double weights =
        k->target == PROBABILITIES ? (options->class_weight != NULL) + (options->pos_weight != NULL) : 0;
    return k->bound[on->table->fma] + weights;
}

static void assert_within(const kernel *k, const isa *on, double bound, const worst_case *w)
{
    if (!(w->ulp <= bound))
        fail_msg("%s/f32/%s: %.4f ULP of %.2f allowed: got %a, want %a; %s, %s, %zu x %zu x %zu, output %zu",
                 k->name, on->name, w->ulp, bound, w->got, w->want, w->distribution, w->variant,
                 w->shape.outer, w->shape.classes, w->shape.inner, w->output);
}

static void compare(const kernel *k, const isa *on, const workload *w, const char *distribution,
                    const char *variant, worst_case *worst)
{
    const size_t n = k->outputs(&w->c);
    double *want = allocate(n, sizeof *want), *scale = allocate(n, sizeof *scale);
    run(k, on, &w->c);
    k->reference(&w->c, want, scale);
    const double bound = bound_of(k, on, &w->options);
    for (size_t i = 0; i < n; i++) {
        const double ulp = sl_ref_ulp_at_f32(w->c.y[i], want[i], scale[i]);
        if (!(ulp <= worst->ulp)) {
            *worst = (worst_case){ulp, w->c.y[i], want[i], distribution, variant, w->c.shape, i};
            assert_within(k, on, bound, worst);
        }
    }
    free(want);
    free(scale);
}

static void say(const kernel *k, const isa *on, const worst_case *w)
{
    print_message("%s/f32/%s: %.4f ULP of %.2f; %s, %s, %zu columns\n", k->name, on->name, w->ulp,
                  k->bound[on->table->fma], w->distribution, w->variant, w->shape.classes);
}

/* Rows of every length and distribution; losses per row or element. */
static void rows_of_every_length(const kernel *k, const isa *on)
{
    static const size_t longer[] = {100, 127, 128, 1000, 4096, 32003, 131072};
    enum { SHORT = 70, LONGER = sizeof longer / sizeof *longer };
    generator g = {5};
    worst_case worst = {.variant = "", .distribution = ""};
    for (size_t v = 0; variant_name(k, v) != NULL; v++) {
        worst_case of_variant = {.variant = "", .distribution = ""};
        if (is_loss(k) && variant_options(k, v, (loss_weights){0}).reduction != SL_NONE)
            continue;
        for (size_t d = 0; d < distribution_count(); d++)
            for (size_t i = 0; i < SHORT + LONGER; i++) {
                const size_t n = i < SHORT ? i + 1 : longer[i - SHORT];
                if (n > 1000 && (v > 0 || d % effort(1, 8) != 0))
                    continue;
                /* elements do not depend on the length, and have a topic of their own */
                const size_t most = k->by_element || v > 0 ? effort(250, 50) : effort(2000, 100);
                workload w;
                workload_make(&w, k, v, sl_rows(most / n + 1, n), distribution_at(d), &g);
                compare(k, on, &w, distribution_at(d)->name, variant_name(k, v), &of_variant);
                workload_free(&w);
            }
        if (of_variant.ulp > worst.ulp)
            worst = of_variant;
    }
    say(k, on, &worst);
}

/* A run of bit patterns through an element-wise kernel; the targets of a loss cycle through `targets`. */
static void compare_bits(const kernel *k, const isa *on, uint32_t first, uint32_t stride, size_t n,
                         const char *what, worst_case *worst, workload *w)
{
    static const float targets[] = {0, 1, 0.5f, 0.1f, 0x1.fffffep-1f, 1e-30f};
    for (size_t i = 0; i < n; i++)
        w->x[i] = float_of_bits(first + (uint32_t)i * stride);
    if (k->target == PROBABILITIES)
        for (size_t i = 0; i < n; i++)
            ((float *)w->target)[i] = targets[i % (sizeof targets / sizeof *targets)];
    w->c.shape = sl_rows(n, 1);
    compare(k, on, w, what, "plain", worst);
}

/* From -inf up to +inf, the patterns of negative floats descend. NaNs are not in order. */
static void assert_monotone(const kernel *k, const workload *w)
{
    const size_t n = w->c.shape.outer;
    for (size_t i = 1; i < n; i++) {
        const float x0 = w->x[i - 1], x1 = w->x[i], y0 = w->c.y[i - 1], y1 = w->c.y[i];
        if ((x0 < x1 && y0 > y1) || (x0 > x1 && y0 < y1))
            fail_msg("%s is not monotone: f(%a) = %a, f(%a) = %a", k->name, x0, y0, x1, y1);
    }
}

/* Floats of all magnitudes, evenly spaced by bit pattern; and windows of consecutive ones, around where
 * formulas change and at random. */
static void floats_of_every_magnitude(const kernel *k, const isa *on)
{
    static const float centres[] = {0,   0x1p-126f, 0x1p-24f, 0x1p-12f, 0.125f,   0.6931472f, 1,   8,
                                    9,   15,        16,       16.635f,  17.3287f, 44.36f,     64,  87.3365f,
                                    88,  88.7228f,  89,       96,       103.279f, 103.972f,   104, 105,
                                    106, 128,       0x1p13f,  0x1p23f,  3e38f,    INFINITY};
    enum { CENTRES = sizeof centres / sizeof *centres, WINDOW = 4096 };
    const bool increasing =
        k == KERNEL(sigmoid); /* log_sigmoid: within its bound, which is more than one step */
    generator g = {6};
    worst_case worst = {.variant = "", .distribution = ""};
    workload w;
    workload_make(&w, k, 0, sl_rows(WINDOW, 1), distribution_at(0), &g);

    const uint32_t stride = (uint32_t)effort(2039, 65521);
    for (uint64_t first = 0; first < UINT64_C(1) << 32; first += (uint64_t)stride * WINDOW)
        compare_bits(k, on, (uint32_t)first, stride, WINDOW, "every float", &worst, &w);
    for (size_t i = 0; i < 2 * CENTRES; i++) {
        const uint32_t centre = bits_of(centres[i / 2]) ^ (i % 2 ? 0x80000000u : 0);
        compare_bits(k, on, centre - WINDOW / 2, 1, WINDOW, "around a limit", &worst, &w);
        if (increasing)
            assert_monotone(k, &w);
    }
    for (size_t i = 0; i < effort(1000, 50); i++) {
        const float centre = (float)((next_below(&g, 2) ? 220 : 20) * (next_uniform(&g) - 0.5));
        compare_bits(k, on, bits_of(centre), 1, effort(WINDOW / 4, 128), "consecutive floats", &worst, &w);
        if (increasing)
            assert_monotone(k, &w);
    }
    say(k, on, &worst);
    workload_free(&w);
}

/* -------------------------------------------------------------------------------------------- softmax */

static void softmax(const isa *on, const float *x, float *y, size_t n)
{
    run(KERNEL(softmax), on, &(call){.x = x, .y = y, .shape = sl_rows(1, n)});
}

static void softmax_keeps_the_order(const kernel *k, const isa *on)
{
    (void)k;
    enum { MOST = 1000 };
    generator g = {7};
    float x[MOST], y[MOST];
    for (size_t repeat = 0; repeat < effort(3000, 50); repeat++) {
        const size_t n = 2 + next_below(&g, MOST - 1);
        /* consecutive floats, from anywhere that matters, under a maximum that may be far above them */
        const uint32_t start = bits_of((float)(-100 * next_uniform(&g)));
        for (size_t i = 0; i < n; i++)
            x[i] = float_of_bits(start - (uint32_t)i);
        const float top = next_below(&g, 2) == 0 ? x[n - 1] : (float)(30 * next_uniform(&g));
        x[next_below(&g, n)] = top;
        softmax(on, x, y, n);
        for (size_t i = 1; i < n; i++)
            if ((x[i - 1] < x[i] && y[i - 1] > y[i]) || (x[i - 1] > x[i] && y[i - 1] < y[i]))
                fail_msg("not in order: softmax of %a is %a, of %a is %a (%zu columns, maximum %a)", x[i - 1],
                         y[i - 1], x[i], y[i], n, top);
    }
}

static void softmax_of_one_column_is_1(const kernel *k, const isa *on)
{
    generator g = {8};
    for (size_t i = 0; i < effort(100000, 2000); i++) {
        const float x = next_float(&g);
        float y = 0;
        softmax(on, &x, &y, 1);
        if (y != 1)
            fail_msg("%s/f32/%s: [%a] gives %a", k->name, on->name, x, y);
    }
}

static void softmax_of_a_constant_row_is_1_over_n(const kernel *k, const isa *on)
{
    static const float constants[] = {0, 1, -1, 0.3f, -37, 22.2f, 100, 1e5f, -8191, 3e38f, 1e-40f, 7.77f};
    enum { CONSTANTS = sizeof constants / sizeof *constants, MOST = 40000 };
    float *x = allocate(MOST, sizeof *x), *y = allocate(MOST, sizeof *y);
    for (size_t c = 0; c < CONSTANTS; c++)
        for (size_t n = 1; n <= effort(MOST, 1100); n += n < 300 ? 1 : n / 9) {
            for (size_t i = 0; i < n; i++)
                x[i] = constants[c];
            softmax(on, x, y, n);
            for (size_t i = 0; i < n; i++)
                if (y[i] != (float)(1 / (double)n))
                    fail_msg("%s/f32/%s: %zu times %a gives %a, not %a", k->name, on->name, n, constants[c],
                             y[i], (float)(1 / (double)n));
        }
    free(x);
    free(y);
}

/* ---------------------------------------------------------------------------------------------- losses */

/* ce([20, 0, 0], 0): log(1 + 2 exp(-20)), lost by every formula that takes the logarithm of the sum. */
static void tiny_loss_keeps_its_digits(const kernel *k, const isa *on)
{
    const float x[] = {20, 0, 0};
    const int64_t target = 0;
    const sl_loss_options options = {.reduction = SL_NONE};
    float loss = 0;
    run(k, on, &(call){x, &target, sl_rows(1, 3), &options, &loss});
    assert_true(sl_ref_ulp_f32(loss, 4.1223072363804073e-9) <= k->bound[on->table->fma]);
}

/* What the sum of a loss's own results must be, and what a mean divides it by. */
static void add_up(const kernel *k, const workload *w, const float *each, double *sum, double *divisor)
{
    long double losses = 0, weights = 0;
    const float *class_weight = w->options.class_weight;
    const size_t n = k->target == CLASS_IDS ? rows(w->c.shape) : elements(w->c.shape);
    for (size_t i = 0; i < n; i++) {
        const int64_t id = k->target == CLASS_IDS ? ((const int64_t *)w->target)[i] : 0;
        const bool ignored = w->options.has_ignore_index && id == w->options.ignore_index;
        losses += each[i];
        if (k->target == PROBABILITIES || class_weight == NULL)
            weights += !ignored;
        else if (!ignored)
            weights += class_weight[id];
    }
    *sum = (double)losses;
    *divisor = (double)weights;
}

static void sums_and_means(const kernel *k, const isa *on)
{
    static const size_t counts[] = {1, 2, 3, 10, 17, 100, 1000, 1797, 20011, 100003};
    generator g = {9};
    for (size_t v = 0; variant_name(k, v) != NULL; v++)
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            workload w;
            if (counts[i] > effort(SIZE_MAX, 2000))
                continue;
            workload_make(&w, k, v, sl_rows(counts[i], 1 + i), distribution_at(next_below(&g, 3)), &g);
            float *each = allocate(elements(w.c.shape), sizeof *each), got = 0;
            const sl_reduction reduction = w.options.reduction;
            w.options.reduction = SL_NONE;
            call c = w.c;
            c.y = each;
            run(k, on, &c);
            double sum, divisor;
            add_up(k, &w, each, &sum, &divisor);
            w.options.reduction = reduction;
            c.y = &got;
            if (reduction != SL_NONE)
                run(k, on, &c);
            const double want = reduction == SL_MEAN ? sum / divisor : sum;
            const double ulp = sl_ref_ulp_f32(got, want);
            if (reduction != SL_NONE && !(ulp <= 0.51))
                fail_msg("%s/f32/%s, %s of %zu rows of %zu: %.3f ULP: got %a, want %a", k->name, on->name,
                         variant_name(k, v), counts[i], 1 + i, ulp, got, want);
            free(each);
            workload_free(&w);
        }
}

static bool is_softmax(const kernel *k) { return k == KERNEL(softmax); }

static bool is_cross_entropy(const kernel *k) { return k == KERNEL(cross_entropy); }

int main(void)
{
    const topic topics[] = {
        {.name = "within the bound, rows of every length", .rung = rows_of_every_length},
        {.name = "within the bound (sigmoid: and monotone), floats of every magnitude",
         .rung = floats_of_every_magnitude,
         .applies_to = is_by_element},
        {.name = "keeps the order", .rung = softmax_keeps_the_order, .applies_to = is_softmax},
        {.name = "one column is 1", .rung = softmax_of_one_column_is_1, .applies_to = is_softmax},
        {.name = "constant row is 1/n",
         .rung = softmax_of_a_constant_row_is_1_over_n,
         .applies_to = is_softmax},
        {.name = "tiny loss keeps its digits",
         .rung = tiny_loss_keeps_its_digits,
         .applies_to = is_cross_entropy},
        {.name = "sum and mean of losses", .rung = sums_and_means, .applies_to = is_loss},
    };
    return ladder_climb("accuracy", topics, sizeof topics / sizeof *topics);
}
