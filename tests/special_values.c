/* SPDX-License-Identifier: MIT
 *
 * Special values: what softlane.h promises about NaN, infinities, zeros, limits of the range, ignored rows,
 * and empty shapes and means, as named cases for every element type. Each case runs on every ISA's table and
 * through the public function; losses also for the gradient alone and the loss alone; maps and losses per row
 * many times over, to fill whole registers. A kernel without cases fails.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"
#include "special_cases.h"

enum { COPIES = 37 };

/* --------------------------------------------------------------------------------------- running a case */

static double meant(const sl_ref_dtype *dt, double value)
{
    if (isfinite(value) && fabs(value) >= LARGEST / 16)
        return value / LARGEST * largest_of(dt);
    return fabs(value) == LEAST ? copysign(ldexp(1, dt->min_exp - dt->digits), value) : value;
}

static void put_all(const sl_ref_dtype *dt, void *to, const double *from, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dt->put(to, i, meant(dt, from[i]));
}

/* A case as the call of one kernel. */
typedef struct {
    const kernel *k;
    const special *s;
    call c;
    sl_loss_options options;
    double x[COPIES * MOST], class_weight[MOST], pos_weight[MOST], upstream[MOST], lse[COPIES * MOST];
    int64_t second[COPIES * MOST];
    sl_stats out[OUTPUTS][COPIES * MOST];
} trial;

static const void *put_losses(const sl_ref_dtype *dt, void *to, const double *from, size_t n)
{
    for (size_t i = 0; from != NULL && i < n; i++)
        dt->put_loss(to, i, from[i]);
    return from != NULL ? to : NULL;
}

static void trial_make(trial *t, const kernel *k, const special *s, size_t copies)
{
    const sl_ref_dtype *dt = k->dtype;
    const sl_ref_options *o = &s->options;
    const sl_shape once = sl_rows(s->rows, s->columns);
    const size_t upstreams = o->reduction != SL_NONE ? 1 : k->by_element ? elements(once) : rows(once);
    *t = (trial){.k = k, .s = s};
    t->options = (sl_loss_options){
        .reduction = o->reduction,
        .class_weight = put_losses(dt, t->class_weight, o->class_weight, s->columns),
        .pos_weight = put_losses(dt, t->pos_weight, o->pos_weight, s->columns),
        .label_smoothing = o->label_smoothing,
        .has_ignore_index = o->has_ignore_index,
        .ignore_index = o->ignore_index,
        .upstream = put_losses(dt, t->upstream, o->upstream, upstreams),
        .flags = o->flags,
        .z_loss = o->z_loss,
        .softcap = o->softcap,
        .divisor = o->divisor,
    };
    for (size_t i = 0; i < copies; i++) {
        put_losses(dt, (char *)t->lse + i * rows(once) * dt->loss_size, s->lse, rows(once));
        char *second = (char *)t->second + i * second_count(k, once) * second_size(k);
        put_all(dt, (char *)t->x + i * elements(once) * dt->size, s->x, elements(once));
        if (second_is_ids(k))
            memcpy(second, s->second.ids, second_count(k, once) * sizeof(int64_t));
        else
            put_all(dt, second, s->second.values, second_count(k, once));
    }
    memset(t->out, 0xa5, sizeof t->out);
    t->c = (call){
        .x = t->x,
        .second = t->second,
        .shape = sl_rows(s->rows * copies, s->columns),
        .options = &t->options,
        .lse = t->lse,
        .out = {t->out[RESULT], is_loss(k) ? t->out[GRADIENT] : NULL},
    };
}

static bool as_wanted(const trial *t, const isa *on, size_t output, size_t i, double wanted)
{
    const kernel *k = t->k;
    const sl_ref_dtype *dt = k->dtype;
    const bool is_t = output_is_t(k, output);
    const double want = meant(dt, wanted), got = output_value(k, output, t->c.out[output], i);
    sl_stats right[1];
    (is_t ? dt->put : dt->put_loss)(right, 0, want);
    if (isnan(want) && (k->by_element || k->result == STATS_PER_ROW))
        return isnan(got);
    if (t->s->close && !isnan(want)) { /* the bound is for an exact value, of which `want` is a rounding */
        return sl_ref_ulp(got, want, want, is_t ? dt->digits : dt->loss_digits,
                          is_t ? dt->min_exp : dt->loss_min_exp) <= bound_of(k, on->table, output) + 1;
    }
    if (k->result == STATS_PER_ROW || (output == GRADIENT && want == 0))
        return got == want;
    if (!is_loss(k) && k->result == L_PER_ELEMENT &&
        !isnan(want)) { /* what it is once it is rounded to the type of the case */
        double rounded[1];
        dt->put(rounded, 0, got);
        dt->put(right, 0, want);
        return memcmp(right, rounded, dt->size) == 0;
    }
    return memcmp(right, (const char *)t->c.out[output] + i * output_size(k, output),
                  output_size(k, output)) == 0;
}

/* Reports the first wrong value of the outputs that were asked for, if any, and returns 1. */
static int check(const trial *t, const isa *on, const char *how)
{
    const kernel *k = t->k;
    call once = t->c;
    once.shape = sl_rows(t->s->rows, t->s->columns);
    for (size_t output = 0; output < OUTPUTS; output++) {
        if (t->c.out[output] == NULL || (output == GRADIENT && !t->s->has_gradient))
            continue;
        const double *wanted = output == RESULT ? t->s->want : t->s->gradient;
        const size_t period = output_count(k, &once, output);
        for (size_t i = 0; i < output_count(k, &t->c, output); i++) {
            if (as_wanted(t, on, output, i, wanted[i % period]))
                continue;
            print_error("%s/%s, %s (%s): %s %zu is %a (%llx), not %a\n", k->name, on->name, t->s->name, how,
                        output == RESULT ? "output" : "gradient", i,
                        output_value(k, output, t->c.out[output], i),
                        (unsigned long long)output_bits(k, output, t->c.out[output], i),
                        meant(k->dtype, wanted[i % period]));
            return 1;
        }
    }
    return 0;
}

static sl_status run_forced(const kernel *k, const isa *on, const call *c)
{
    assert_true(sl_isa_force(on->name));
    const sl_status status = k->check_and_run(c);
    assert_true(sl_isa_force(NULL));
    return status;
}

static bool is_in_library(const isa *on) { return sl_isa(on->name) != NULL; }

/* Returns 1 if the public function does something wrong. */
static int run_publicly(const kernel *k, const isa *on, const special *s)
{
    trial t, untouched;
    trial_make(&t, k, s, 1);
    trial_make(&untouched, k, s, 1);
    const sl_status status = run_forced(k, on, &t.c);
    if (status != s->status) {
        print_error("%s, %s: %s\n", k->name, s->name, sl_status_string(status));
        return 1;
    }
    if (status == SL_OK)
        return check(&t, on, "public");
    if (memcmp(t.out, untouched.out, sizeof t.out) == 0)
        return 0;
    print_error("%s/%s, %s: has written something\n", k->name, on->name, s->name);
    return 1;
}

/* With one output taken away. */
static int run_without(size_t output, const kernel *k, const isa *on, const special *s)
{
    trial t;
    trial_make(&t, k, s, 1);
    t.c.out[output] = NULL;
    run(k, on, &t.c);
    return check(&t, on, output == RESULT ? "gradient only" : "loss only");
}

/* The case's rows over and over; a reduction would not have as many results. */
static int run_copies(const kernel *k, const isa *on, const special *s)
{
    trial t;
    if (is_loss(k) && s->options.reduction != SL_NONE)
        return 0;
    if (s->options.upstream != NULL)
        return 0;
    trial_make(&t, k, s, COPIES);
    run(k, on, &t.c);
    return check(&t, on, "many copies");
}

static int run_case(const kernel *k, const isa *on, const special *s)
{
    int wrong = is_in_library(on) ? run_publicly(k, on, s) : 0;
    if (s->status != SL_OK)
        return wrong;
    trial t;
    trial_make(&t, k, s, 1);
    run(k, on, &t.c);
    wrong += check(&t, on, "table");
    if (is_loss(k))
        wrong += run_without(RESULT, k, on, s) + run_without(GRADIENT, k, on, s);
    return wrong + run_copies(k, on, s);
}

/* Cases with class ids, for a loss of probabilities. */
static special as_one_hot(special s)
{
    int64_t ids[MOST];
    memcpy(ids, s.second.ids, sizeof ids);
    for (size_t i = 0; i < s.rows * s.columns; i++)
        s.second.values[i] = ids[i / s.columns] == (int64_t)(i % s.columns);
    return s;
}

static void named_cases(const kernel *k, const isa *on)
{
    int wrong = 0;
    size_t cases = 0;
    for (size_t i = 0; i < TABLES; i++)
        for (size_t c = 0; specials[i].row == k->row && c < specials[i].count; c++, cases++) {
            const bool other_targets = k->second == PROBABILITIES && specials[i].cases == softmax_loss_cases;
            const special s = specials[i].cases[c], one_hot = as_one_hot(s);
            wrong += run_case(k, on, other_targets ? &one_hot : &s);
        }
    if (cases == 0)
        fail_msg("%s has no cases", k->name);
    if (wrong != 0)
        fail_msg("%s/%s: %d wrong of %zu cases", k->name, on->name, wrong, cases);
}

/* ------------------------------------------------------------------------------------ at every position */

enum { NAN_QUIET, NAN_NEGATIVE, NAN_SIGNALLING, POSITIVE_INFINITY, BAD };

static void put_bad(const sl_ref_dtype *dt, void *x, size_t i, size_t bad)
{
    if (bad == POSITIVE_INFINITY)
        put_infinity(dt, x, i);
    else
        put_nan(dt, x, i, bad == NAN_NEGATIVE, bad == NAN_SIGNALLING ? 1 : UINT64_MAX);
}

/* Whether a NaN at `at` must spoil value i of an output. */
static bool is_spoilt(const kernel *k, size_t output, size_t at, size_t i)
{
    if (k->row == SL_COUNT_log_softmax_backward || k->row == SL_COUNT_cross_entropy_grad || k->by_element)
        return i == at;
    return output == RESULT || k->row != SL_COUNT_nll;
}

static void check_spoilt(const isa *on, const workload *good, const workload *bad, size_t at)
{
    const kernel *k = good->k;
    for (size_t output = 0; output < OUTPUTS; output++)
        for (size_t i = 0; good->c.out[output] != NULL && i < output_count(k, &good->c, output); i++) {
            const void *is = bad->c.out[output], *was = good->c.out[output];
            const double value = output_value(k, output, is, i);
            if (is_spoilt(k, output, at, i) ? isnan(value)
                                            : output_bits(k, output, is, i) == output_bits(k, output, was, i))
                continue;
            fail_msg("%s/%s, %llx at %zu of %zu: output %zu, %zu is %a", k->name, on->name,
                     (unsigned long long)k->dtype->bits(bad->c.x, at), at, good->c.shape.classes, output, i,
                     value);
        }
}

static bool is_spoilt_by_infinity(const kernel *k)
{
    return !k->by_element && k->second != DY && k->row != SL_COUNT_nll &&
           k->row != SL_COUNT_cross_entropy_grad;
}

/* One bad element, wherever it is in a row of whatever length: all of the row (for element kernels: it alone)
 * is NaN. */
static void one_bad_element(const kernel *k, const isa *on)
{
    generator g = {13};
    const size_t kinds = is_spoilt_by_infinity(k) ? BAD : POSITIVE_INFINITY;
    for (size_t n = 1; n <= 100; n++) {
        if (!is_chosen(k, n, effort(1, 10)))
            continue;
        workload w, bad;
        workload_make(&w, k, call_spec_at(k, 0), sl_rows(1, n), distribution_at(0), &g);
        run(k, on, &w.c);
        workload_copy(&bad, &w);
        for (size_t output = 0; output < OUTPUTS; output++)
            if (w.c.out[output] != NULL)
                bad.c.out[output] = allocate(output_count(k, &w.c, output), output_size(k, output));
        for (size_t at = 0; at < n; at++) {
            void *x = copy_of(w.x, n * k->dtype->size);
            bad.c.x = x;
            put_bad(k->dtype, x, at, (at + n) % kinds);
            if (k->second == CLASS_IDS) /* the one class that every loss reads */
                ((int64_t *)w.second)[0] = (int64_t)at;
            run(k, on, &w.c);
            run(k, on, &bad.c);
            check_spoilt(on, &w, &bad, at);
            free(x);
        }
        free(bad.c.out[RESULT]);
        free(bad.c.out[GRADIENT]);
        free(bad.c.out[LSE]);
        workload_free(&w);
    }
}

static bool takes_nan(const kernel *k) { return !takes_probabilities(k); }

/* ------------------------------------------------------------------------------------------ empty shapes */

enum { MOST_EMPTY = 41 };

/* A call of an empty shape; all ids, if there are any, are the ignored one. */
typedef struct {
    sl_stats stats[MOST_EMPTY];
    double out[OUTPUTS][MOST_EMPTY];
    int64_t ids[MOST_EMPTY];
    sl_loss_options options;
    call c;
} empty_call;

static void make_empty(empty_call *e, const kernel *k, sl_shape shape, sl_reduction reduction, unsigned flags)
{
    *e = (empty_call){.options = {.reduction = reduction, .flags = flags}};
    if (k->second == CLASS_IDS) {
        e->options.has_ignore_index = true;
        e->options.ignore_index = -7;
    }
    for (size_t i = 0; i < MOST_EMPTY; i++) {
        e->ids[i] = -7;
        e->out[RESULT][i] = e->out[GRADIENT][i] = e->out[LSE][i] = 7;
    }
    e->c = (call){.second = k->second == CLASS_IDS ? e->ids : NULL,
                  .shape = shape,
                  .options = &e->options,
                  .lse = e->ids,
                  .stats = e->stats,
                  .out = {e->out[RESULT], is_loss(k) ? e->out[GRADIENT] : NULL}};
}

static bool is_same(double got, double want)
{
    return isnan(want) ? isnan(got) : got == want && signbit(got) == signbit(want);
}

/* `count` results are `want`, and nothing else has been written. */
static void assert_written(const kernel *k, const empty_call *e, size_t count, double want)
{
    static const double seven = 7;
    for (size_t i = 0; i < count; i++)
        if (!is_same(k->dtype->get_loss(e->out[RESULT], i), want))
            fail_msg("%s, %zu x %zu x %zu: result %zu is %a, not %a", k->name, e->c.shape.outer,
                     e->c.shape.classes, e->c.shape.inner, i, k->dtype->get_loss(e->out[RESULT], i), want);
    const char *bytes = (const char *)e->out;
    for (size_t at = count * output_size(k, RESULT); at < sizeof e->out; at++)
        assert_true(bytes[at] == ((const char *)&seven)[at % sizeof seven]);
}

/* By the public function, which checks, and by all tables. */
static void assert_empty(const kernel *k, sl_shape shape, sl_reduction reduction, unsigned flags,
                         size_t count, double want)
{
    empty_call e;
    make_empty(&e, k, shape, reduction, flags);
    assert_int_equal(k->check_and_run(&e.c), SL_OK);
    assert_written(k, &e, count, want);
    for (size_t i = 0; i < isa_count() && k->result != T_PER_ELEMENT; i++) {
        const isa on = isa_at(i);
        make_empty(&e, k, shape, reduction, flags);
        if (on.table == NULL)
            continue;
        run(k, &on, &e.c);
        assert_written(k, &e, count, want);
    }
}

/* What exists is written: a value for each row, also of no classes; the sum and the mean of nothing. */
static void empty_shapes(const kernel *k)
{
    const sl_shape shapes[] = {sl_rows(0, 3), sl_axis(2, 3, 0), sl_axis(0, 0, 0), sl_axis(0, 0, 5),
                               sl_rows(1, 0), sl_rows(2, 0),    sl_rows(40, 0),   sl_axis(2, 0, 20)};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        const sl_shape shape = shapes[i];
        const size_t count = k->result == L_PER_ROW ? rows(shape) : 0;
        if (k->result == STATS_PER_ROW && shape.classes == 0) /* of no elements there are statistics */
            continue;
        if ((k->rows_only || k->matrix) && shape.inner != 1)
            continue;
        if (k->row_options && shape.inner > 1) /* refused */
            continue;
        assert_empty(k, shape, SL_NONE, 0, count, is_loss(k) ? 0 : -INFINITY);
        if (!is_loss(k))
            continue;
        /* rows of probabilities count, whatever they are; ids are ignored, and there are no elements */
        const double mean = count > 0 && k->second == PROBABILITIES ? 0 : NAN;
        assert_empty(k, shape, SL_SUM, 0, 1, 0);
        assert_empty(k, shape, SL_MEAN, 0, 1, mean);
        assert_empty(k, shape, SL_MEAN, SL_EMPTY_MEAN_ZERO, 1, 0);
    }
}

/* No class is a target. */
static void targets_of_no_classes(const kernel *k)
{
    for (int reduction = SL_MEAN; reduction <= SL_NONE && k->second == CLASS_IDS; reduction++)
        for (size_t r = 0; r < 3; r++) {
            empty_call e;
            make_empty(&e, k, sl_rows(3, 0), (sl_reduction)reduction, 0);
            e.ids[r] = 0;
            assert_int_equal(k->check_and_run(&e.c), SL_ERR_TARGET);
            assert_written(k, &e, 0, 0);
        }
}

/* --------------------------------------------------------------------------------------- partial statistics */

/* Of these f64 elements, whatever they are, merged from one part each, in an order that the number says; `target` is that of
 * the last. */
static sl_stats merge_elements(const double *x, size_t n, size_t order, double target)
{
    sl_stats part[4], all = sl_stats_empty();
    size_t left[4] = {0, 1, 2, 3};
    for (size_t i = 0; i < n; i++)
        assert_int_equal(sl_softmax_stats_f64(x + i, 1, &part[i]), SL_OK);
    part[n - 1].target = target;
    for (; n > 0; order /= n, n--) {
        const size_t next = order % n;
        if (order % 2) {
            sl_stats other = part[left[next]];
            sl_stats_merge(&other, &all);
            all = other;
        } else {
            sl_stats_merge(&all, &part[left[next]]);
        }
        left[next] = left[n - 1];
    }
    return all;
}

/* All bits, the private digits included, whatever the order. */
static void merging_in_any_order(void)
{
    static const double rows_of_4[][4] = {
        {1, NAN, 2, 3},
        {INFINITY, 1, NAN, -INFINITY},
        {-INFINITY, INFINITY, 5, 7},
        {NAN, NAN, 1e300, -1e300},
        {-INFINITY, -INFINITY, 3, 3},
        {0x1p62, 0x1p62 - 512, -0x1p62, 0x1p63},
        {-0.0, 0, -0.0, 0},
        {1e300, -1e300, 1, INFINITY},
        {-INFINITY, -INFINITY, -INFINITY, NAN},
    };
    for (size_t i = 0; i < sizeof rows_of_4 / sizeof *rows_of_4; i++)
        for (size_t order = 0; order < 48; order++) {
            const sl_stats first = merge_elements(rows_of_4[i], 4, 0, -0.0),
                           other = merge_elements(rows_of_4[i], 4, order, -0.0);
            assert_memory_equal(&first, &other, sizeof first);
            assert_true(first.target == 0 && signbit(first.target));
        }
}

static void statistics_at_the_limits(void)
{
    static const double far[][2] = {{0x1p62, 0x1p62 - 512}, {-0x1p62 + 512, -0x1p62}};
    const double exp_minus_512 = 0x1.44109edb20931p-739;
    for (size_t i = 0; i < 2; i++)
        for (size_t order = 0; order < 4; order++) {
            sl_stats both = merge_elements(far[i], 2, order, 0), one;
            both.target = far[i][0];
            assert_int_equal(sl_softmax_stats_f64(far[i], 2, &one), SL_OK);
            one.target = far[i][0];
            for (int k = 0; k < 2; k++) {
                const double cost = sl_stats_cross_entropy(k ? &one : &both, 0);
                assert_true(sl_ref_ulp(cost, exp_minus_512, exp_minus_512, 53, -1021) <= 5);
            }
        }
    const double apart[] = {0x1.fp61, -0x1.fp61};
    const sl_stats from_end_to_end = merge_elements(apart, 2, 0, 0);
    assert_true(from_end_to_end.max == 0x1.fp61 && from_end_to_end.rest == 0);
    /* further apart nothing is left of the smaller one */
    const double huge[] = {0x1p63, 0x1p63 - 1024};
    const sl_stats both = merge_elements(huge, 2, 0, 0);
    assert_true(both.max == 0x1p63 && both.rest == 0 && both.count == 2);
    const sl_stats nothing = sl_stats_empty();
    assert_true(sl_stats_logsumexp(&nothing) == -INFINITY);
}

/* What is left of losses of both signs may be smaller than what f64 loses of them: as much is allowed, of their magnitudes. */
static void sums_of_both_signs(const kernel *k, const isa *on)
{
    static const double costs[][3] = {
        {1e30, -1e30, 1}, {1e30, 1, -1e30}, {1, 1e30, -1e30}, {-1e30, -1, 1e30}};
    const int64_t ids[3] = {0};
    for (size_t i = 0; i < sizeof costs / sizeof *costs; i++)
        for (int is_mean = 0; is_mean < 2; is_mean++) {
            const sl_loss_options o = {.reduction = is_mean ? SL_MEAN : SL_SUM};
            double log_prob[3], loss[1];
            for (size_t r = 0; r < 3; r++)
                k->dtype->put(log_prob, r, -costs[i][r]);
            const call c = {
                .x = log_prob, .second = ids, .shape = sl_rows(3, 1), .options = &o, .out = {loss}};
            run(k, on, &c);
            const double divisor = is_mean ? 3 : 1, want = (i == 3 ? -1 : 1) / divisor,
                         allowed = ldexp(2e30, k->dtype->digits > 24 ? -60 : -30) / divisor;
            if (!(fabs(k->dtype->get_loss(loss, 0) - want) <= allowed))
                fail_msg("%s/%s, %zu: %g, want %g", k->name, on->name, i, k->dtype->get_loss(loss, 0), want);
        }
}

static bool is_nll_of_floats(const kernel *k) { return k->row == SL_COUNT_nll && k->dtype->digits >= 24; }

int main(void)
{
    const topic topics[] = {
        {.name = "special values", .cell = named_cases},
        {.name = "one bad element at every position", .cell = one_bad_element, .applies_to = takes_nan},
        {.name = "empty shapes", .each_kernel = empty_shapes},
        {.name = "targets of no classes", .each_kernel = targets_of_no_classes},
        {.name = "sums of both signs", .cell = sums_of_both_signs, .applies_to = is_nll_of_floats},
        {.name = "statistics merged in any order", .once = merging_in_any_order},
        {.name = "statistics at the limits", .once = statistics_at_the_limits},
    };
    return run_test_matrix("special_values", topics, sizeof topics / sizeof *topics);
}
