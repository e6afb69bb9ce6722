/* SPDX-License-Identifier: MIT
 *
 * The kernels against PyTorch: the cases of tests/data/torch_cases.txt, which scripts/make_torch_cases.py makes. Each
 * runs on every element type that holds its inputs exactly: on every ISA, through the public function, and by the
 * oracle, which all other tests trust.
 *
 * Where softlane deliberately differs, the file says why and what softlane gives. That must come true, and must not be
 * what PyTorch gives.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "torch_file.h"

/* ------------------------------------------------------------------------------------------- comparison */

/* PyTorch's results are f64, from the same formula computed in other ways. Allowed are:
 *
 *   relative  5 ULP of f32 results, more than any bound of kernels.def with the rounding of a sum or a mean; 16 ULP of
 *             f64, as PyTorch has errors of its own; 0.51 ULP of the 16-bit formats. The unit is never less than the
 *             denormal spacing.
 *   absolute  2^-50 where PyTorch subtracts numbers near 1, as in log(1 + tiny) and p - 1, and softlane does not; four
 *             times the last place of 1, in the arithmetic that softlane uses, where the formula itself subtracts. Such
 *             terms are of order 1 in the file. And what softlane.h grants results for the errors of scores, where there are
 *             options of softmax.
 */
typedef struct {
    int digits, min_exp;
    double absolute;
    double (*get)(const void *, size_t);
    void (*put)(void *, size_t, double);
} precision;

/* Formed from positive numbers by all but subtraction: small results have all their digits in PyTorch, too. */
static bool is_without_subtraction(const kernel *k, size_t output)
{
    if (output != RESULT)
        return false;
    switch (k->row) {
    case SL_COUNT_softmax:
    case SL_COUNT_softmax_safe:
    case SL_COUNT_softmax_apply:
    case SL_COUNT_softmax_wide:
    case SL_COUNT_softmax_with:
    case SL_COUNT_sigmoid:
    case SL_COUNT_sigmoid_wide:
    case SL_COUNT_sigmoid_backward:
    case SL_COUNT_log_sigmoid_backward:
        return true;
    }
    return false;
}

static bool cancels(const kernel *k, size_t output)
{
    switch (k->row) {
    case SL_COUNT_softmax_backward:
    case SL_COUNT_log_softmax_backward:
    case SL_COUNT_logsumexp:
    case SL_COUNT_softmax_stats:
    case SL_COUNT_softmax_stats_rows:
        return true;
    }
    return output != RESULT;
}

static precision precision_of(const kernel *k, size_t output)
{
    const sl_ref_dtype *dt = k->dtype;
    const bool is_t = output_is_t(k, output);
    return (precision){
        .digits = is_t ? dt->digits : dt->loss_digits,
        .min_exp = is_t ? dt->min_exp : dt->loss_min_exp,
        .absolute = (is_without_subtraction(k, output) ? 0 : 0x1p-50) +
                    (cancels(k, output) ? 4 * ldexp(1, 1 - dt->loss_digits) : 0),
        .get = is_t ? dt->get : dt->get_loss,
        .put = is_t ? dt->put : dt->put_loss,
    };
}

static double rounded(const precision *p, double value)
{
    double one[1];
    p->put(one, 0, value);
    return p->get(one, 0);
}

/* slack: what is allowed beside that. */
static bool agrees(const precision *p, double got, double want, double slack)
{
    if (isnan(want) || isnan(got))
        return isnan(want) && isnan(got);
    if (isinf(got) || isinf(want))
        return got == rounded(p, want);
    const double ulps = p->digits < 24 ? 0.51 : p->digits == 24 ? 5 : 16;
    const double ulp = fmax(ldexp(fabs(want), 1 - p->digits), ldexp(1, p->min_exp - p->digits));
    return fabs(got - want) <= ulps * ulp + p->absolute + slack;
}

/* ------------------------------------------------------------------------------------------------ calls */

/* A case as a call for one element type. */
typedef struct {
    const kernel *k;
    const torch_case *of;
    call c;
    sl_loss_options options;
    sl_softmax_options row_options;
    void *inputs[LINE_PYTORCH]; /* by LINE_X, LINE_SECOND, ... */
    expectation scored;         /* of a case with options of softmax, for its slack; else NULL throughout */
} trial;

/* What a line becomes. */
typedef struct {
    size_t size;
    double (*get)(const void *, size_t);
    void (*put)(void *, size_t, double);
} storage;

#define INTEGER_STORAGE(name, type)                                                                          \
    static void put_##name(void *array, size_t i, double value) { ((type *)array)[i] = (type)value; }        \
    static double get_##name(const void *array, size_t i) { return (double)((const type *)array)[i]; }       \
    static const storage name = {sizeof(type), get_##name, put_##name};

INTEGER_STORAGE(ids, int64_t)
INTEGER_STORAGE(limits, size_t)
INTEGER_STORAGE(truth_values, uint8_t)

static storage elements_of(const sl_ref_dtype *dt) { return (storage){dt->size, dt->get, dt->put}; }

static storage mask_of(sl_mask_type type)
{
    static const size_t floats[] = {
        [SL_MASK_F32] = SL_COUNT_f32, [SL_MASK_F16] = SL_COUNT_f16, [SL_MASK_BF16] = SL_COUNT_bf16};
    return type == SL_MASK_BOOL ? truth_values : elements_of(&sl_ref_dtypes[floats[type]]);
}

static storage storage_of(size_t line, const kernel *k, const torch_case *of)
{
    const sl_ref_dtype *dt = k->dtype;
    switch (line) {
    case LINE_X:
        return elements_of(dt);
    case LINE_SECOND:
        return second_is_ids(k) ? ids : elements_of(dt);
    case LINE_MASK:
        return mask_of(of->row_options.mask_type);
    case LINE_FIRST:
    case LINE_LENGTH:
        return limits;
    }
    return (storage){dt->loss_size, dt->get_loss, dt->put_loss};
}

/* NULL: not there. */
static void *converted(const numbers *from, storage as, bool *is_exact)
{
    if (from->at == NULL)
        return NULL;
    void *to = allocate(from->count, as.size);
    for (size_t i = 0; i < from->count; i++) {
        as.put(to, i, from->at[i]);
        *is_exact = *is_exact && (as.get(to, i) == from->at[i] || isnan(from->at[i]));
    }
    return to;
}

/* false: the element type does not hold the inputs. */
static bool trial_make(trial *t, const kernel *k, const torch_case *of)
{
    bool is_exact = true;
    *t = (trial){.k = k, .of = of, .options = of->options, .row_options = of->row_options};
    for (size_t a = 0; a < LINE_PYTORCH; a++)
        t->inputs[a] = converted(&of->lines[a], storage_of(a, k, of), &is_exact);
    t->options.class_weight = t->inputs[LINE_WEIGHT];
    t->options.pos_weight = t->inputs[LINE_POS_WEIGHT];
    t->options.upstream = t->inputs[LINE_UPSTREAM];
    t->row_options.mask = t->inputs[LINE_MASK];
    t->row_options.mask_stride =
        of->lines[LINE_MASK].count == of->shape.classes ? 0 : (ptrdiff_t)of->shape.classes;
    t->row_options.first = t->inputs[LINE_FIRST];
    t->row_options.length = t->inputs[LINE_LENGTH];
    t->row_options.sink = t->inputs[LINE_SINK];
    t->c = (call){.x = t->inputs[LINE_X],
                  .second = t->inputs[LINE_SECOND],
                  .shape = of->shape,
                  .options = &t->options,
                  .row_options = &t->row_options};
    for (size_t output = 0; output < OUTPUTS; output++)
        if (of->lines[LINE_PYTORCH + output].at != NULL) {
            const size_t bytes = output_count(k, &t->c, output) * output_size(k, output);
            t->c.out[output] = memset(allocate(bytes, 1), 0x5a, bytes); /* some number */
        }
    if (is_exact && kernels[of->row * SL_DTYPE_COUNT].row_options)
        expect(k, &t->c, &t->scored);
    return is_exact;
}

static void trial_free(trial *t)
{
    for (size_t a = 0; a < LINE_PYTORCH; a++)
        free(t->inputs[a]);
    for (size_t output = 0; output < OUTPUTS; output++)
        free(t->c.out[output]);
    expectation_free(&t->scored);
}

/* ------------------------------------------------------------------------------------------------- ways */

/* Ways to a result; the ISA is for the kernel alone. */
typedef void way(const trial *t, const isa *on, double *got[OUTPUTS]);

static void read_outputs(const trial *t, double *got[OUTPUTS])
{
    for (size_t output = 0; output < OUTPUTS; output++)
        for (size_t i = 0; i < t->of->lines[LINE_PYTORCH + output].count; i++)
            got[output][i] = output_value(t->k, output, t->c.out[output], i);
}

static void by_kernel(const trial *t, const isa *on, double *got[OUTPUTS])
{
    run(t->k, on, &t->c);
    read_outputs(t, got);
}

static void by_public_function(const trial *t, const isa *on, double *got[OUTPUTS])
{
    (void)on;
    assert_int_equal(t->k->check_and_run(&t->c), SL_OK);
    read_outputs(t, got);
}

static void by_oracle(const trial *t, const isa *on, double *got[OUTPUTS])
{
    (void)on;
    expectation e;
    expect(t->k, &t->c, &e);
    for (size_t output = 0; output < OUTPUTS; output++)
        for (size_t i = 0; i < t->of->lines[LINE_PYTORCH + output].count; i++)
            got[output][i] = (double)e.want[output][i];
    expectation_free(&e);
}

/* ------------------------------------------------------------------------------------------------ tests */

static const torch_case *cases;
static size_t case_count;
static bool *was_compared; /* a case, on any element type */
static size_t comparisons; /* of cases by all ways */

static const kernel *in_f64(size_t row) { return &kernels[row * SL_DTYPE_COUNT + SL_COUNT_f64]; }

/* What errors of scores make of a result, in the arithmetic of `precise`: so many last places. t: NULL, or the trial. */
static double slack_of(const trial *t, const kernel *precise, size_t output, size_t i)
{
    if (t == NULL || t->scored.slack[output] == NULL)
        return 0;
    return ldexp((double)t->scored.slack[output][i], t->k->dtype->loss_digits - precise->dtype->loss_digits);
}

/* The first number that is not as wanted, or the count. */
static size_t first_wrong(const trial *t, const kernel *precise, size_t output, const double *got,
                          const numbers *want)
{
    const precision p = precision_of(precise, output);
    size_t i = 0;
    while (i < want->count && agrees(&p, got[i], want->at[i], slack_of(t, precise, output, i)))
        i++;
    return i;
}

static void cases_are_well_formed(void)
{
    cases = read_torch_file(&case_count);
    was_compared = allocate(case_count, sizeof *was_compared);
    memset(was_compared, 0, case_count * sizeof *was_compared);
    for (const torch_case *t = cases; t < cases + case_count; t++)
        for (size_t output = 0; output < OUTPUTS; output++) {
            const numbers *own = &t->lines[LINE_SOFTLANE + output],
                          *pytorch = &t->lines[LINE_PYTORCH + output];
            if (own->at != NULL && first_wrong(NULL, in_f64(t->row), output, own->at, pytorch) == own->count)
                fail_msg(TORCH_FILE ":%zu: %s: is no difference", t->line, t->title);
        }
}

static const char *const output_names[OUTPUTS] = {
    [RESULT] = "result", [GRADIENT] = "gradient", [LSE] = "log-sum-exp"};

/* precise: whose tolerance is right for the results */
static bool check(const trial *t, const kernel *precise, double *got[OUTPUTS])
{
    for (size_t output = 0; output < OUTPUTS; output++) {
        const numbers *all = t->of->lines;
        const numbers *want =
            &all[(all[LINE_SOFTLANE + output].at != NULL ? LINE_SOFTLANE : LINE_PYTORCH) + output];
        const size_t i = first_wrong(t, precise, output, got[output], want);
        if (i == want->count)
            continue;
        print_error(TORCH_FILE ":%zu: %s: %s %zu is %.17g, not %.17g\n", t->of->line, t->of->title,
                    output_names[output], i, got[output][i], want->at[i]);
        return false;
    }
    return true;
}

/* Without options softmax_with is softmax: it takes the cases of that in rows, too. */
static bool is_case_of(const torch_case *t, const kernel *k)
{
    const size_t plain = k->row == SL_COUNT_softmax_with       ? SL_COUNT_softmax
                         : k->row == SL_COUNT_log_softmax_with ? SL_COUNT_log_softmax
                                                               : k->row;
    return t->row == k->row || (t->row == plain && t->shape.inner == 1);
}

static void compare(const kernel *k, const kernel *precise, const isa *on, way *results)
{
    size_t same = 0, different = 0, wrong = 0;
    if (k->row == SL_COUNT_sigmoid_fast || k->row == SL_COUNT_sigmoid_exact ||
        k->row == SL_COUNT_cross_entropy_grad || k->row == SL_COUNT_cross_entropy_shard_grad) {
        printf("skipped: PyTorch has nothing like it\n");
        skip();
    }
    for (size_t i = 0; i < case_count; i++) {
        trial t;
        if (!is_case_of(&cases[i], k))
            continue;
        if (trial_make(&t, k, &cases[i])) {
            double *got[OUTPUTS];
            for (size_t output = 0; output < OUTPUTS; output++)
                got[output] = allocate(cases[i].lines[LINE_PYTORCH + output].count, sizeof *got[output]);
            results(&t, on, got);
            size_t *count = !check(&t, precise, got) ? &wrong : cases[i].differs != NULL ? &different : &same;
            (*count)++;
            was_compared[i] = true;
            for (size_t output = 0; output < OUTPUTS; output++)
                free(got[output]);
        }
        trial_free(&t);
    }
    print_message("%zu cases as in PyTorch, %zu different by intention, %zu wrong\n", same, different, wrong);
    comparisons += same + different + wrong;
    assert_int_equal(wrong, 0);
    assert_int_not_equal(same, 0);
}

static void as_by_oracle(const kernel *k) { compare(k, in_f64(k->row), NULL, by_oracle); }

static void public_function(const kernel *k) { compare(k, k, NULL, by_public_function); }

static void table(const kernel *k, const isa *on) { compare(k, k, on, by_kernel); }

static void every_case_was_compared(void)
{
    size_t different = 0;
    for (size_t i = 0; i < case_count; i++) {
        if (!was_compared[i])
            fail_msg(TORCH_FILE ":%zu: %s: no element type holds its inputs", cases[i].line, cases[i].title);
        different += cases[i].differs != NULL;
    }
    print_message("%zu cases of PyTorch, %zu of them different by intention; %zu comparisons\n", case_count,
                  different, comparisons);
}

int main(void)
{
    const topic topics[] = {
        {.name = "cases are well formed", .once = cases_are_well_formed},
        {.name = "oracle", .each_kernel = as_by_oracle},
        {.name = "public function", .each_kernel = public_function},
        {.name = "table", .cell = table},
        {.name = "every case was compared", .once = every_case_was_compared},
    };
    return run_test_matrix("torch_cases", topics, sizeof topics / sizeof *topics);
}
