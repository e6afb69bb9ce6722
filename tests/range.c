/* SPDX-License-Identifier: MIT
 *
 * Gradients, and losses, whose factors are huge or tiny while their results can be represented: upstream gradients and weights of any
 * exponent that their type has, smoothing next to 0, logits so deep below the maximum that only a large factor brings them back,
 * probabilities among the denormals. The bound is that of any input, with next to nothing for the range (allowed_on_any).
 *
 * Each call is made once more in place and side by side, among rows of any other kind, and has the same bits; and one hash stands
 * for all ISAs of a class. (Inputs that broke bounds once: data/witnesses.txt.)
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

enum { ROWS = 37 };

/* What f64 multiplies may leave its range, and rows of 16 bits are those of f32. */
static bool has_factors(const kernel *k)
{
    return !k->dtype->long_arithmetic && (takes_options(k) || k->row == SL_COUNT_softmax_backward ||
                                          k->row == SL_COUNT_log_softmax_backward);
}

/* Of any exponent that L has, as often as not near 1. */
static double factor(generator *g, const sl_ref_dtype *dt)
{
    const int least = dt->loss_min_exp - dt->loss_digits, most = 2 - dt->loss_min_exp;
    const double kind = next_uniform(g), size = 1 + next_uniform(g);
    if (kind < 0.3)
        return 1;
    if (kind < 0.6)
        return ldexp(size, (int)next_below(g, 9) - 4);
    return ldexp(size, least + 1 + (int)next_below(g, (size_t)(most - least - 1)));
}

/* The rows of a call: their maxima, and how deep the others are below them. */
static void fill_logits(generator *g, const workload *w)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const sl_shape shape = w->c.shape;
    const double deepest = (dt->long_arithmetic ? 1074 : 149) * 1.6;
    for (size_t r = 0; r < rows(shape); r++) {
        const double kind = next_uniform(g),
                     top = kind < 0.3 ? 0 : 60 * (next_uniform(g) - 0.5) * (kind < 0.9 ? 1 : 8);
        const bool is_confident = next_below(g, 2);
        const size_t at = next_below(g, shape.classes);
        for (size_t c = 0; c < shape.classes; c++) {
            const double depth = deepest * (is_confident ? 0.5 + 0.5 * next_uniform(g) : next_uniform(g));
            const double x = c == at ? top : next_below(g, 8) == 0 ? -(double)INFINITY : top - depth;
            dt->put(w->x, element_at(shape, r, c), x);
        }
    }
}

static void fill(generator *g, const workload *w)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const sl_shape shape = w->c.shape;
    const sl_loss_options *o = &w->options;
    const size_t n = elements(shape);
    if (!takes_probabilities(w->k) && w->k->second != DY)
        fill_logits(g, w);
    if (w->k->row == SL_COUNT_softmax_backward || w->k->row == SL_COUNT_log_softmax_backward) {
        const double size = factor(g, dt);
        for (size_t i = 0; i < n; i++)
            dt->put(w->second, i, fmin(size, 0x1p900) * (next_uniform(g) - 0.5));
    }
    if (w->k->second == PROBABILITIES)
        for (size_t i = 0; i < n; i++) {
            const double kind = next_uniform(g);
            dt->put(w->second, i,
                    kind < 0.2   ? 0
                    : kind < 0.3 ? 1
                    : kind < 0.7 ? next_uniform(g)
                                 : fmin(1, fabs(factor(g, dt))));
        }
    for (size_t c = 0; c < shape.classes; c++) {
        if (o->class_weight != NULL)
            dt->put_loss(w->class_weight, c, factor(g, dt));
        if (o->pos_weight != NULL)
            dt->put_loss(w->pos_weight, c, factor(g, dt));
    }
    for (size_t i = 0; o->upstream != NULL && i < (o->reduction == SL_NONE ? loss_count(w->k, shape) : 1);
         i++)
        dt->put_loss(w->upstream, i, next_below(g, 2) ? -factor(g, dt) : factor(g, dt));
    workload_remake_lse(w, g);
}

/* A loss of an element takes its weights together first (softlane.h, range). */
static bool weights_overflow(const workload *w, size_t c)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const sl_loss_options *o = &w->options;
    return o->class_weight != NULL && o->pos_weight != NULL &&
           dt->get_loss(w->class_weight, c) * dt->get_loss(w->pos_weight, c) > FLT_MAX / 4;
}

static void check_bound(const isa *on, const workload *w, const expectation *e)
{
    const kernel *k = w->k;
    for (size_t output = 0; output < OUTPUTS; output++) {
        const bool is_t = output_is_t(k, output);
        const double most = is_t ? largest_of(k->dtype) : k->dtype->loss_digits > 24 ? DBL_MAX : FLT_MAX;
        if (w->c.out[output] == NULL || !is_judged_by_oracle(w, output))
            continue;
        for (size_t i = 0; i < output_count(k, &w->c, output); i++) {
            const sl_real want = e->want[output][i];
            if (!(fabsl(want) <= most) || !(e->scale[output][i] <= most))
                continue;
            if (output == RESULT && k->by_element &&
                weights_overflow(w, i / w->c.shape.inner % w->c.shape.classes))
                continue;
            const double error = error_of(k, &w->c, output, i, e),
                         allowed = allowed_on_any(w, on, output, i, e);
            if (error <= allowed)
                continue;
            const sl_shape shape = w->c.shape;
            const size_t c = i / shape.inner % shape.classes;
            fail_msg(
                "%s/%s, reduction %d, smoothing %g, weight %a, upstream %a: %zu x %zu, %s %zu: %.3f ULP of "
                "%.3f: got %a, want %La, scale %La",
                k->name, on->name, w->options.reduction, w->options.label_smoothing,
                w->options.class_weight != NULL ? k->dtype->get_loss(w->class_weight, c) : 1,
                w->options.upstream != NULL
                    ? k->dtype->get_loss(w->upstream, w->options.reduction == SL_NONE && !k->by_element
                                                          ? i / shape.classes
                                                          : 0)
                    : 1,
                shape.outer, shape.classes, output == RESULT ? "result" : "gradient", i, error, allowed,
                output_value(k, output, w->c.out[output], i), want, e->scale[output][i]);
        }
    }
}

static uint64_t hash_outputs(uint64_t hash, const workload *w)
{
    for (size_t output = 0; output < OUTPUTS; output++)
        for (size_t i = 0; w->c.out[output] != NULL && i < output_count(w->k, &w->c, output); i++)
            hash = (hash ^ output_bits(w->k, output, w->c.out[output], i)) * 0x100000001b3u;
    return hash;
}

static struct {
    bool known;
    uint64_t hash;
    const char *isa;
} seen[KERNELS][2];

static void any_factors(const kernel *k, const isa *on)
{
    static const size_t widths[] = {1, 2, 3, 10, 33, 40, 100};
    static const double smoothings[] = {0, 0.1, 1, 1e-30, 0.25};
    generator g = {77};
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 0; i < effort(200, 60); i++) {
        call_spec v = {"any factors", SL_NONE, 0, 0, {true, true}};
        if (is_loss(k) || takes_options(k)) {
            v = random_call_spec(k, &g);
            v.options &= ~(unsigned)(IGNORE | SAFE | EMPTY_ZERO | SOFTCAP | TAKES_LSE);
            v.options |= UPSTREAM;
            v.smoothing = v.options & SMOOTHING ? smoothings[next_below(&g, 5)] : 0;
        }
        const size_t classes = widths[next_below(&g, sizeof widths / sizeof *widths)],
                     outer = next_below(&g, 3) == 0 ? 1 + next_below(&g, 3) : ROWS;
        workload w;
        duplicate again;
        expectation e;
        workload_make(&w, k, &v, sl_rows(outer, classes), distribution_at(0), &g);
        fill(&g, &w);
        run(k, on, &w.c);
        expect(k, &w.c, &e);
        check_bound(on, &w, &e);
        hash = hash_outputs(hash, &w);
        duplicate_make(&again, &w);
        assert_same_in_place(on, &w, &again.w);
        duplicate_free(&again);
        expectation_free(&e);
        workload_free(&w);
        if (!has_shape(k) || !takes_shape(k, sl_axis(1, classes, outer)))
            continue;
        workload_make(&w, k, &v, sl_axis(1, classes, outer), distribution_at(0), &g);
        fill(&g, &w);
        run(k, on, &w.c);
        assert_same_as_rows(on, &w);
        duplicate_make(&again, &w);
        assert_same_in_place(on, &w, &again.w);
        duplicate_free(&again);
        workload_free(&w);
    }
    const bool fma = on->table->fma;
    if (!seen[k->index][fma].known) {
        seen[k->index][fma].known = true;
        seen[k->index][fma].hash = hash;
        seen[k->index][fma].isa = on->name;
    }
    if (hash != seen[k->index][fma].hash)
        fail_msg("%s: %s gives %016" PRIx64 ", %s %016" PRIx64, k->name, on->name, hash,
                 seen[k->index][fma].isa, seen[k->index][fma].hash);
}

int main(void)
{
    const topic topics[] = {{.name = "factors of any size", .cell = any_factors, .applies_to = has_factors}};
    return run_test_matrix("range", topics, sizeof topics / sizeof *topics);
}
