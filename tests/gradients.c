/* SPDX-License-Identifier: MIT
 *
 * The reference's gradients against central differences of the reference's losses, and its backward kernels
 * against central differences of their forward kernels, in long double, for every combination of options.
 * That the kernels agree with the reference's gradients is the matter of accuracy.c.
 *
 * Inputs are multiples of 2^-20 and steps of 2^-13, so that x + h is exact. Differences over h and h / 2 are
 * extrapolated to an error of h^4 / 480 times the fifth derivative; the worst, of the logarithm of 1/8, is
 * 8e5 and costs 6e-12.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

#define STEP 0x1p-12
#define TOLERANCE 1e-10L

enum { OUTER = 2, CLASSES = 4, MOST_INNER = 3, MOST = OUTER * CLASSES * MOST_INNER };
static const size_t inners[] = {1, MOST_INNER};
static const double smoothings[] = {0, 0.1, 1};
#define COUNT_OF(list) (sizeof(list) / sizeof *(list))

static size_t combinations, derivatives;

/* A function of x that is to be differentiated. */
typedef struct {
    const kernel *k;
    call c;                       /* of k; its x is the x below */
    double x[MOST], factor[MOST]; /* the function: the sum of k's results, each times its factor */
} scalar_function;

static sl_real value_of(scalar_function *f)
{
    expectation e;
    sl_real sum = 0;
    f->c.x = f->x;
    expect(f->k, &f->c, &e);
    for (size_t i = 0; i < output_count(f->k, &f->c, RESULT); i++)
        sum += f->factor[i] * e.want[RESULT][i];
    expectation_free(&e);
    return sum;
}

static sl_real central_difference(scalar_function *f, size_t i, double h)
{
    const double x = f->x[i];
    f->x[i] = x + h;
    const sl_real above = value_of(f);
    f->x[i] = x - h;
    const sl_real below = value_of(f);
    f->x[i] = x;
    return (above - below) / (2 * h);
}

static void assert_gradient(scalar_function *f, const sl_real *gradient, const char *what)
{
    for (size_t i = 0; i < elements(f->c.shape); i++) {
        const sl_real over_step = central_difference(f, i, STEP),
                      over_half = central_difference(f, i, STEP / 2);
        const sl_real want = (4 * over_half - over_step) / 3;
        if (!(fabsl(gradient[i] - want) <= TOLERANCE * fmaxl(1, fabsl(want))))
            fail_msg("%s, inner %zu, element %zu: %.15Lg, but the difference is %.15Lg", what,
                     f->c.shape.inner, i, gradient[i], want);
        derivatives++;
    }
    combinations++;
}

static double multiple(double value) { return rint(value * 0x1p20) * 0x1p-20; }

static double next_between(generator *g, double low, double high)
{
    return low + next_uniform(g) * (high - low);
}

/* ---------------------------------------------------------------------------------------------- losses */

/* Everything that a loss may be given. */
typedef struct {
    scalar_function f;
    sl_loss_options options;
    int64_t id[MOST];
    double target[MOST], class_weight[CLASSES], pos_weight[CLASSES], upstream[MOST];
} loss_call;

static void make_inputs(loss_call *l, generator *g)
{
    const bool probabilities = takes_probabilities(l->f.k);
    for (size_t i = 0; i < MOST; i++) {
        l->f.x[i] = multiple(probabilities ? next_between(g, 0.125, 0.875) : next_between(g, -4, 4));
        l->target[i] = i % 4 == 0 ? 0 : i % 4 == 3 ? 1 : next_uniform(g);
        l->id[i] = (int64_t)(i % CLASSES);
        l->upstream[i] = next_between(g, -2, 2);
    }
    for (size_t c = 0; c < CLASSES; c++) {
        l->class_weight[c] = next_between(g, 0.25, 2);
        l->pos_weight[c] = next_between(g, 0.25, 4);
    }
}

/* options: a set of WEIGHTS, ..., without SMOOTHING */
static void make_loss_call(loss_call *l, const kernel *k, sl_reduction reduction, unsigned options,
                           double smoothing, size_t inner, generator *g)
{
    const sl_shape shape = sl_axis(OUTER, CLASSES, inner);
    *l = (loss_call){
        .f = {.k = k, .c = {.shape = shape, .options = &l->options}},
        .options = {.reduction = reduction,
                    .class_weight = options & WEIGHTS ? l->class_weight : NULL,
                    .pos_weight = options & POS_WEIGHTS ? l->pos_weight : NULL,
                    .label_smoothing = smoothing,
                    .has_ignore_index = options & IGNORE,
                    .ignore_index = 1,
                    .upstream = options & UPSTREAM ? l->upstream : NULL,
                    .flags =
                        (options & SAFE ? SL_SAFE_ROWS : 0) | (options & EMPTY_ZERO ? SL_EMPTY_MEAN_ZERO : 0),
                    .divisor = options & DIVISOR && reduction == SL_MEAN ? 2.5 : 0,
                    .z_loss = options & Z_LOSS ? 0.25 : 0,
                    .softcap = options & SOFTCAP ? 3 : 0},
    };
    make_inputs(l, g);
    l->f.c.second = k->second == CLASS_IDS ? (const void *)l->id : l->target;
    if (options & SAFE)
        for (size_t c = 0; c < CLASSES; c++)
            l->f.x[element_at(shape, 0, c)] = -INFINITY;
    for (size_t i = 0; i < MOST; i++)
        l->f.factor[i] = l->options.upstream == NULL ? 1 : l->upstream[i];
}

static void check_loss(loss_call *l, unsigned options)
{
    const sl_loss_options *o = &l->options;
    char what[160];
    snprintf(what, sizeof what, "%s, reduction %d, smoothing %g, options %#x, flags %u", l->f.k->name,
             o->reduction, o->label_smoothing, options, o->flags);
    sl_real wanted; /* any address: this output is wanted */
    expectation e;
    l->f.c.x = l->f.x;
    l->f.c.out[GRADIENT] = &wanted;
    expect(l->f.k, &l->f.c, &e);
    l->f.c.out[GRADIENT] = NULL;
    l->f.c.out[RESULT] = &wanted;
    assert_gradient(&l->f, e.want[GRADIENT], what);
    expectation_free(&e);
}

/* Every reduction, with sets of options that the loss accepts. */
static void losses(const kernel *k)
{
    const unsigned accepted = accepted_options(k) & ~(unsigned)TAKES_LSE;
    const size_t before = combinations;
    generator g = {k->index};
    loss_call l;
    for (unsigned options = 0; options <= ALL_OPTIONS; options++) {
        /* Some of these come alone, all of them with any others. */
        const unsigned later = accepted & (DIVISOR | Z_LOSS | SOFTCAP), some = options & later;
        if ((options & ~accepted) != 0 || options & SMOOTHING ||
            (some != 0 && some != later && options != some))
            continue;
        for (size_t s = 0; s < (accepted & SMOOTHING ? COUNT_OF(smoothings) : 1); s++)
            for (int reduction = SL_MEAN; reduction <= SL_NONE; reduction++)
                for (size_t i = 0; i < COUNT_OF(inners); i++) {
                    make_loss_call(&l, k, (sl_reduction)reduction, options, smoothings[s], inners[i], &g);
                    check_loss(&l, options);
                    if ((options & IGNORE) == 0 || (options & EMPTY_ZERO) == 0)
                        continue;
                    for (size_t r = 0; r < MOST; r++)
                        l.id[r] = l.options.ignore_index;
                    check_loss(&l, options);
                }
    }
    printf("%s: %zu combinations\n", k->name, combinations - before);
}

/* ------------------------------------------------------------------------------------ backward kernels */

/* softmax/f64 of softmax_backward/f64 */
static const kernel *forward_of(const kernel *k)
{
    const char *suffix = strstr(k->name, "_backward/");
    assert_non_null(suffix);
    const size_t length = (size_t)(suffix - k->name);
    for (size_t i = 0; i < KERNELS; i++)
        if (strncmp(kernels[i].name, k->name, length) == 0 && kernels[i].name[length] == '/' &&
            kernels[i].dtype == k->dtype)
            return &kernels[i];
    fail_msg("%s: no forward kernel", k->name);
    return NULL;
}

/* The factors of the forward kernel's results are the dy of the backward kernel. */
static void backward(const kernel *k)
{
    const size_t before = combinations, repetitions = effort(16, 4);
    generator g = {k->index};
    for (size_t n = 0; n < repetitions; n++)
        for (size_t i = 0; i < COUNT_OF(inners); i++) {
            double y[MOST], result;
            const sl_shape shape = sl_axis(OUTER, CLASSES, inners[i]);
            scalar_function f = {.k = forward_of(k), .c = {.shape = shape, .out = {&result}}};
            for (size_t e = 0; e < MOST; e++) {
                f.x[e] = y[e] = multiple(next_between(&g, -4, 4));
                f.factor[e] = next_between(&g, -2, 2);
            }
            logits_to_input(k, y, shape);
            const call c = {.x = y, .second = f.factor, .shape = shape, .out = {&result}};
            expectation e;
            expect(k, &c, &e);
            assert_gradient(&f, e.want[RESULT], k->name);
            expectation_free(&e);
        }
    printf("%s: %zu combinations\n", k->name, combinations - before);
}

static bool is_loss_in_long(const kernel *k) { return k->dtype->long_arithmetic && is_loss(k); }

static bool is_backward_in_long(const kernel *k) { return k->dtype->long_arithmetic && k->second == DY; }

int main(void)
{
    const topic topics[] = {
        {.name = "losses", .each_kernel = losses, .applies_to = is_loss_in_long},
        {.name = "backward kernels", .each_kernel = backward, .applies_to = is_backward_in_long},
    };
    const int failed = run_test_matrix("gradients", topics, sizeof topics / sizeof *topics);
    printf("%zu combinations, %zu derivatives\n", combinations, derivatives);
    return failed;
}
