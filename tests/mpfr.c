/* SPDX-License-Identifier: MIT
 *
 * The oracle against MPFR: every kernel by its formula, in so many digits that no sum and no difference of finite
 * inputs loses one that counts. Whatever the oracle is wrong by, all bounds are uncertain by: at most 2^-18 ULP of a
 * float where it judges those (2^-26 but for the gradient of a soft target, which cancels), and 2^-7 ULP of a double.
 */
#include <float.h>
#include <math.h>
#include <mpfr.h>
#include <stdlib.h>

#include "assertions.h"

/* Enough for x - y and 1 - y of any two elements; exp and log1p take care of their own digits. */
enum { PRECISION_OF_FLOATS = 600, PRECISION_OF_DOUBLES = 2400 };

enum { MOST_COLUMNS = 100 };
typedef mpfr_t values[MOST_COLUMNS];

static void values_init(values v)
{
    for (size_t i = 0; i < MOST_COLUMNS; i++)
        mpfr_init(v[i]);
}

static void values_clear(values v)
{
    for (size_t i = 0; i < MOST_COLUMNS; i++)
        mpfr_clear(v[i]);
}

/* A row, or so many elements: what the kernel was given, and what it should say. */
typedef struct {
    size_t n;
    values x, second, want[OUTPUTS];
    size_t target, choices;
    const int64_t *ids;
    mpfr_t lse;            /* that the kernel was given, if it takes one */
    values e;              /* exp(x - max) */
    mpfr_t max, rest, log; /* the sum of all e but that of the maximum; log of the sum of all */
    mpfr_t a, b;           /* anything */
    double least;          /* the least normal number of the arithmetic */
} problem;

static void softplus(mpfr_ptr y, mpfr_srcptr x, mpfr_ptr scratch)
{
    mpfr_abs(scratch, x, MPFR_RNDN);
    mpfr_neg(scratch, scratch, MPFR_RNDN);
    mpfr_exp(scratch, scratch, MPFR_RNDN);
    mpfr_log1p(scratch, scratch, MPFR_RNDN);
    if (mpfr_sgn(x) > 0)
        mpfr_add(y, x, scratch, MPFR_RNDN);
    else
        mpfr_set(y, scratch, MPFR_RNDN);
}

/* 1 / (1 + exp(-x)) */
static void sigmoid(mpfr_ptr y, mpfr_srcptr x)
{
    mpfr_neg(y, x, MPFR_RNDN);
    mpfr_exp(y, y, MPFR_RNDN);
    mpfr_add_ui(y, y, 1, MPFR_RNDN);
    mpfr_ui_div(y, 1, y, MPFR_RNDN);
}

static void prepare_row(problem *p)
{
    size_t at = 0;
    for (size_t i = 1; i < p->n; i++)
        at = mpfr_cmp(p->x[i], p->x[at]) > 0 ? i : at;
    mpfr_set(p->max, p->x[at], MPFR_RNDN);
    mpfr_set_ui(p->rest, 0, MPFR_RNDN);
    for (size_t i = 0; i < p->n; i++) {
        mpfr_sub(p->a, p->x[i], p->max, MPFR_RNDN);
        mpfr_exp(p->e[i], p->a, MPFR_RNDN);
        if (i != at)
            mpfr_add(p->rest, p->rest, p->e[i], MPFR_RNDN);
    }
    mpfr_log1p(p->log, p->rest, MPFR_RNDN);
}

static void probability(mpfr_ptr y, problem *p, size_t i)
{
    mpfr_add_ui(p->a, p->rest, 1, MPFR_RNDN);
    mpfr_div(y, p->e[i], p->a, MPFR_RNDN);
}

/* log(sum) - x_i: of the maximum nothing is lost */
static void distance(mpfr_ptr y, problem *p, size_t i)
{
    mpfr_sub(p->a, p->max, p->x[i], MPFR_RNDN);
    mpfr_add(y, p->a, p->log, MPFR_RNDN);
}

/* ---- the formulas of softlane.h, by the names of kernels.def ---- */

static void solve_softmax(problem *p)
{
    for (size_t i = 0; i < p->n; i++)
        probability(p->want[RESULT][i], p, i);
}

static void solve_log_softmax(problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        distance(p->want[RESULT][i], p, i);
        mpfr_neg(p->want[RESULT][i], p->want[RESULT][i], MPFR_RNDN);
    }
}

static void log_probability(mpfr_ptr y, problem *p, size_t i)
{
    distance(y, p, i);
    mpfr_neg(y, y, MPFR_RNDN);
}

static void solve_log_softmax_at(problem *p)
{
    for (size_t i = 0; i < p->choices; i++)
        log_probability(p->want[RESULT][i], p, (size_t)p->ids[i]);
}

/* The k-th largest: the class that so many others go before. */
static void solve_log_softmax_top(problem *p)
{
    for (size_t c = 0; c < p->n; c++) {
        size_t before = 0;
        for (size_t i = 0; i < p->n; i++) {
            const int order = mpfr_cmp(p->x[i], p->x[c]);
            before += order > 0 || (order == 0 && i < c);
        }
        if (before < p->choices)
            log_probability(p->want[RESULT][before], p, c);
    }
}

static void solve_logsumexp(problem *p) { mpfr_add(p->want[RESULT][0], p->max, p->log, MPFR_RNDN); }

static void solve_softmax_backward(problem *p)
{
    mpfr_set_ui(p->b, 0, MPFR_RNDN);
    for (size_t i = 0; i < p->n; i++) {
        mpfr_mul(p->a, p->x[i], p->second[i], MPFR_RNDN);
        mpfr_add(p->b, p->b, p->a, MPFR_RNDN);
    }
    for (size_t i = 0; i < p->n; i++) {
        mpfr_sub(p->a, p->second[i], p->b, MPFR_RNDN);
        mpfr_mul(p->want[RESULT][i], p->x[i], p->a, MPFR_RNDN);
    }
}

static void solve_log_softmax_backward(problem *p)
{
    mpfr_set_ui(p->b, 0, MPFR_RNDN);
    for (size_t i = 0; i < p->n; i++)
        mpfr_add(p->b, p->b, p->second[i], MPFR_RNDN);
    for (size_t i = 0; i < p->n; i++) {
        mpfr_exp(p->a, p->x[i], MPFR_RNDN);
        mpfr_mul(p->a, p->a, p->b, MPFR_RNDN);
        mpfr_sub(p->want[RESULT][i], p->second[i], p->a, MPFR_RNDN);
    }
}

static void solve_sigmoid(problem *p)
{
    for (size_t i = 0; i < p->n; i++)
        sigmoid(p->want[RESULT][i], p->x[i]);
}

static void solve_sigmoid_fast(problem *p)
{
    solve_sigmoid(p);
    for (size_t i = 0; i < p->n; i++)
        if (mpfr_cmp_d(p->want[RESULT][i], p->least) < 0)
            mpfr_set_ui(p->want[RESULT][i], 0, MPFR_RNDN);
}

static void solve_log_sigmoid(problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mpfr_neg(p->a, p->x[i], MPFR_RNDN);
        softplus(p->want[RESULT][i], p->a, p->b);
        mpfr_neg(p->want[RESULT][i], p->want[RESULT][i], MPFR_RNDN);
    }
}

static void solve_sigmoid_backward(problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mpfr_ui_sub(p->a, 1, p->x[i], MPFR_RNDN);
        mpfr_mul(p->a, p->a, p->x[i], MPFR_RNDN);
        mpfr_mul(p->want[RESULT][i], p->a, p->second[i], MPFR_RNDN);
    }
}

static void solve_log_sigmoid_backward(problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mpfr_neg(p->a, p->x[i], MPFR_RNDN);
        sigmoid(p->b, p->a);
        mpfr_mul(p->want[RESULT][i], p->b, p->second[i], MPFR_RNDN);
    }
}

static void solve_cross_entropy(problem *p)
{
    distance(p->want[RESULT][0], p, p->target);
    for (size_t i = 0; i < p->n; i++) {
        probability(p->want[GRADIENT][i], p, i);
        if (i == p->target)
            mpfr_sub_ui(p->want[GRADIENT][i], p->want[GRADIENT][i], 1, MPFR_RNDN);
    }
}

/* exp(x - lse), and -expm1 of it less for the target. */
static void solve_cross_entropy_grad(problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mpfr_sub(p->a, p->x[i], p->lse, MPFR_RNDN);
        (i == p->target ? mpfr_expm1 : mpfr_exp)(p->want[RESULT][i], p->a, MPFR_RNDN);
    }
}

static void solve_cross_entropy_shard_grad(problem *p)
{
    solve_cross_entropy(p);
    for (size_t i = 0; i < p->n; i++)
        mpfr_set(p->want[RESULT][i], p->want[GRADIENT][i], MPFR_RNDN);
}

static void solve_cross_entropy_soft(problem *p)
{
    mpfr_set_ui(p->want[RESULT][0], 0, MPFR_RNDN);
    mpfr_set_ui(p->b, 0, MPFR_RNDN);
    for (size_t i = 0; i < p->n; i++) {
        distance(p->want[GRADIENT][i], p, i);
        mpfr_mul(p->a, p->want[GRADIENT][i], p->second[i], MPFR_RNDN);
        mpfr_add(p->want[RESULT][0], p->want[RESULT][0], p->a, MPFR_RNDN);
        mpfr_add(p->b, p->b, p->second[i], MPFR_RNDN);
    }
    for (size_t i = 0; i < p->n; i++) {
        probability(p->want[GRADIENT][i], p, i);
        mpfr_mul(p->a, p->want[GRADIENT][i], p->b, MPFR_RNDN);
        mpfr_sub(p->want[GRADIENT][i], p->a, p->second[i], MPFR_RNDN);
    }
}

static void solve_nll(problem *p)
{
    mpfr_neg(p->want[RESULT][0], p->x[p->target], MPFR_RNDN);
    for (size_t i = 0; i < p->n; i++)
        mpfr_set_si(p->want[GRADIENT][i], i == p->target ? -1 : 0, MPFR_RNDN);
}

/* t softplus(-x) + (1 - t) softplus(x) */
static void solve_bce_with_logits(problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mpfr_ptr loss = p->want[RESULT][i], grad = p->want[GRADIENT][i];
        mpfr_neg(p->a, p->x[i], MPFR_RNDN);
        softplus(loss, p->a, p->b);
        mpfr_mul(loss, loss, p->second[i], MPFR_RNDN);
        softplus(grad, p->x[i], p->b);
        mpfr_ui_sub(p->b, 1, p->second[i], MPFR_RNDN);
        mpfr_mul(grad, grad, p->b, MPFR_RNDN);
        mpfr_add(loss, loss, grad, MPFR_RNDN);
        sigmoid(grad, p->x[i]);
        mpfr_sub(grad, grad, p->second[i], MPFR_RNDN);
    }
}

static void clamp_log(mpfr_ptr y)
{
    if (mpfr_cmp_si(y, -100) < 0)
        mpfr_set_si(y, -100, MPFR_RNDN);
}

/* -t max(log x, -100) - (1 - t) max(log(1 - x), -100); the gradient's denominator is at least 1e-12 */
static void solve_bce(problem *p)
{
    for (size_t i = 0; i < p->n; i++) {
        mpfr_ptr loss = p->want[RESULT][i], grad = p->want[GRADIENT][i];
        mpfr_log(p->a, p->x[i], MPFR_RNDN);
        clamp_log(p->a);
        mpfr_mul(loss, p->a, p->second[i], MPFR_RNDN);
        mpfr_neg(p->b, p->x[i], MPFR_RNDN);
        mpfr_log1p(p->a, p->b, MPFR_RNDN);
        clamp_log(p->a);
        mpfr_ui_sub(p->b, 1, p->second[i], MPFR_RNDN);
        mpfr_mul(p->a, p->a, p->b, MPFR_RNDN);
        mpfr_add(loss, loss, p->a, MPFR_RNDN);
        mpfr_neg(loss, loss, MPFR_RNDN);

        mpfr_ui_sub(p->a, 1, p->x[i], MPFR_RNDN);
        mpfr_mul(p->a, p->a, p->x[i], MPFR_RNDN);
        mpfr_set_str(p->b, "1e-12", 10, MPFR_RNDN);
        mpfr_max(p->b, p->a, p->b, MPFR_RNDN);
        mpfr_sub(p->a, p->x[i], p->second[i], MPFR_RNDN);
        mpfr_div(grad, p->a, p->b, MPFR_RNDN);
    }
}

#define solve_softmax_safe solve_softmax
#define solve_log_softmax_safe solve_log_softmax
#define solve_softmax_stats solve_logsumexp
#define solve_softmax_apply solve_softmax
#define solve_softmax_stats_rows solve_logsumexp
#define solve_softmax_wide solve_softmax
#define solve_log_softmax_wide solve_log_softmax
#define solve_sigmoid_wide solve_sigmoid
#define solve_sigmoid_exact solve_sigmoid
#define solve_softmax_with solve_softmax
#define solve_log_softmax_with solve_log_softmax

static void (*const solvers[])(problem *) = {
#define SL_KERNEL(name, ...) solve_##name,
#include "kernels.def"
#undef SL_KERNEL
};

/* ---- the comparison ---- */

static void problem_init(problem *p)
{
    mpfr_inits(p->max, p->rest, p->log, p->lse, p->a, p->b, (mpfr_ptr)NULL);
    values_init(p->x);
    values_init(p->second);
    values_init(p->e);
    for (size_t output = 0; output < OUTPUTS; output++)
        values_init(p->want[output]);
}

static void problem_clear(problem *p)
{
    mpfr_clears(p->max, p->rest, p->log, p->lse, p->a, p->b, (mpfr_ptr)NULL);
    values_clear(p->x);
    values_clear(p->second);
    values_clear(p->e);
    for (size_t output = 0; output < OUTPUTS; output++)
        values_clear(p->want[output]);
}

/* Returns whether all inputs are numbers; special values are worked out by hand, in oracle.c. */
static bool pose(problem *p, const workload *w)
{
    const kernel *k = w->k;
    bool numbers = true;
    p->n = w->c.shape.classes;
    for (size_t i = 0; i < p->n; i++) {
        const double x = k->dtype->get(w->x, i);
        numbers = numbers && isfinite(x);
        mpfr_set_d(p->x[i], x, MPFR_RNDN);
        if (k->second == NO_SECOND || second_is_ids(k))
            continue;
        const double second = k->dtype->get(w->second, i);
        numbers = numbers && isfinite(second);
        mpfr_set_d(p->second[i], second, MPFR_RNDN);
    }
    if (k->second == CLASS_IDS)
        p->target = (size_t) * (const int64_t *)w->second;
    p->ids = w->second;
    p->choices = choices(k, w->c.shape);
    if (takes_lse(k)) {
        const double lse = k->dtype->get_loss(w->lse, 0);
        numbers = numbers && isfinite(lse);
        mpfr_set_d(p->lse, lse, MPFR_RNDN);
    }
    if (numbers && !k->by_element)
        prepare_row(p);
    return numbers;
}

/* In units of the scale; below the normal numbers, of the least of these. */
static sl_real error_of_oracle(problem *p, mpfr_srcptr want, sl_real got, sl_real scale,
                               const sl_ref_dtype *dt)
{
    mpfr_set_ld(p->b, got, MPFR_RNDN);
    mpfr_sub(p->a, want, p->b, MPFR_RNDN);
    const sl_real unit = ldexpl(1, dt->min_exp - 1);
    return fabsl(mpfr_get_ld(p->a, MPFR_RNDA)) / fmaxl(unit, fmaxl(fabsl(got), fabsl(scale)));
}

static sl_real compare(problem *p, const workload *w, sl_real tolerance)
{
    const kernel *k = w->k;
    sl_real worst = 0;
    expectation e;
    expect(k, &w->c, &e);
    for (size_t output = 0; output < OUTPUTS; output++)
        for (size_t i = 0; w->c.out[output] != NULL && i < output_count(k, &w->c, output); i++) {
            const mpfr_ptr want = p->want[output][i];
            const sl_real got = e.want[output][i],
                          error = error_of_oracle(p, want, got, e.scale[output][i], k->dtype);
            const bool both_overflow = fabsl(mpfr_get_ld(want, MPFR_RNDN)) > largest_of(k->dtype) &&
                                       fabsl(got) > largest_of(k->dtype);
            if (!(error <= tolerance) && !both_overflow)
                fail_msg(
                    "%s of %zu, output %zu, value %zu: oracle %La, MPFR %La, off by %La of the scale %La",
                    k->name, p->n, output, i, got, mpfr_get_ld(want, MPFR_RNDN), error, e.scale[output][i]);
            worst = error > worst && !both_overflow ? error : worst;
        }
    expectation_free(&e);
    return worst;
}

static void against_mpfr(const kernel *k)
{
    static const size_t columns[] = {1, 2, 3, 10, 33, MOST_COLUMNS};
    const bool doubles = k->dtype->long_arithmetic;
    generator g = {21};
    problem p;
    mpfr_set_default_prec(doubles ? PRECISION_OF_DOUBLES : PRECISION_OF_FLOATS);
    problem_init(&p);
    p.least = doubles ? DBL_MIN : FLT_MIN;
    sl_real worst = 0;
    size_t compared = 0;
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t i = 0; i < sizeof columns / sizeof *columns; i++)
            for (size_t times = effort(2, 1); times > 0; times--) {
                workload w;
                workload_make(&w, k, call_spec_at(k, 0), sl_rows(1, columns[i]), distribution_at(d), &g);
                if (pose(&p, &w)) {
                    solvers[k->row](&p);
                    worst = fmaxl(worst, compare(&p, &w, doubles ? 0x1p-60L : 0x1p-42L));
                    compared++;
                }
                workload_free(&w);
            }
    assert_true(compared > 0);
    print_message("%s: off by at most 2^%.1f\n", k->name, (double)log2l(worst));
    problem_clear(&p);
    mpfr_free_cache();
}

int main(void)
{
    const topic topics[] = {{.name = "oracle against MPFR", .each_kernel = against_mpfr}};
    return run_test_matrix("mpfr", topics, sizeof topics / sizeof *topics);
}
