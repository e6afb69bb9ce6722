/* SPDX-License-Identifier: MIT
 *
 * Fuzzes the kernels of one family. An input chooses a kernel of any element type, two ISAs of one class of
 * bits, a shape, options and a distribution of values, then overwrites any of those by their bits. One ISA runs
 * the call as it is; the other one on arrays that are as misaligned as they may be, behind canaries and directly
 * before what AddressSanitizer guards. Then
 *   - both give the same bits, also in place, by rows, by strides, and through the public function;
 *   - nothing else has been written;
 *   - results are within the manifest's bound of the oracle, wherever softlane.h says one.
 *
 * The build compiles this file once per family, FUZZ_FAMILY.
 */
#define _POSIX_C_SOURCE 200809L /* posix_memalign, setenv */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"
#include "by_strides.h"
#include "cut_row.h"
#include "input.h"

typedef enum { ROWS, ELEMENTS, ROW_LOSSES, ELEMENT_LOSSES, STATISTICS } family;

static family family_of(const kernel *k)
{
    if (takes_options(k))
        return k->by_element ? ELEMENT_LOSSES : ROW_LOSSES;
    return k->by_element ? ELEMENTS : has_shape(k) || k->row_options ? ROWS : STATISTICS;
}

/* ------------------------------------------------------------------------------------------ what is called */

static const kernel *take_kernel(input *in)
{
    const kernel *all[KERNELS];
    size_t n = 0;
    for (size_t k = 0; k < KERNELS; k++)
        if (family_of(&kernels[k]) == FUZZ_FAMILY)
            all[n++] = &kernels[k];
    return all[take_below(in, n)];
}

/* Those that can run here, asked for once: asking the CPU takes as long as some calls of kernels. */
static isa *isas;
static size_t isas_here;

static void find_isas(void)
{
    isas = allocate(isa_count(), sizeof *isas);
    for (size_t i = 0; i < isa_count(); i++)
        if (isa_at(i).table != NULL)
            isas[isas_here++] = isa_at(i);
}

static const isa *take_isa(input *in) { return &isas[take_below(in, isas_here)]; }

/* One of the same class of bits: the next one in the ring, so many times. */
static const isa *take_twin(input *in, const isa *of)
{
    const isa *twin = of;
    for (size_t steps = take_below(in, isas_here); steps > 0; steps--)
        do
            twin = twin + 1 < isas + isas_here ? twin + 1 : isas;
        while (twin->table->fma != of->table->fma);
    return twin;
}

/* Some hundred elements; sometimes a row of some thousand. */
static sl_shape take_shape(input *in, const kernel *k)
{
    enum { MOST_ELEMENTS = 600, MOST_INNER = 40, LONG_ROW = 5000 };
    const uint64_t kind = take(in, 1);
    const size_t classes = kind % 16 == 15 ? take_below(in, LONG_ROW) : take_below(in, 256);
    const size_t room = 1 + MOST_ELEMENTS / (classes + 1);
    const size_t inner = takes_shape(k, sl_axis(1, 1, 2)) && kind & 0x80
                             ? 1 + take_below(in, room < MOST_INNER ? room : MOST_INNER)
                             : 1;
    return sl_axis(take_below(in, room / inner + 2), classes, inner);
}

static call_spec take_call_spec(input *in, const kernel *k)
{
    const size_t outputs = 1 + take_below(in, 3);
    if (k->row_options)
        return (call_spec){
            .name = "fuzz",
            .options = (unsigned)take_below(in, MASK_F32 * (SL_MASK_BOOL + 1)),
            .wants = {true, outputs & 1},
        };
    return (call_spec){
        .name = "fuzz",
        .reduction = (sl_reduction)take_below(in, 3),
        .options = (unsigned)take(in, 2) & accepted_options(k),
        .smoothing = (double)take(in, 1) / 255,
        .wants = {outputs & 1, outputs & 2},
    };
}

/* Class ids stay what the public function accepts. */
static void take_class_id(input *in, const workload *w, size_t r)
{
    const uint64_t id = take(in, 2);
    int64_t *const target = (int64_t *)w->second + r;
    if (w->k->second == SHARD_IDS)
        *target = (int64_t)(id % (2 * w->c.shape.classes + 2)) - 1;
    else if (w->c.shape.classes > 0)
        *target = w->options.has_ignore_index && id & 0x8000 ? w->options.ignore_index
                                                             : (int64_t)(id % w->c.shape.classes);
}

/* From here on, input is bits of values: of any array, at any place, once or many times. */
static void take_values(input *in, workload *w)
{
    array arrays[MOST_ARRAYS];
    const size_t n = workload_arrays(w, arrays);
    while (in->left > 0) {
        const array *a = &arrays[take_below(in, n)];
        const size_t values = a->bytes / a->size, repeat = take(in, 1), position = take(in, 2);
        if (values == 0 || a->output != OUTPUTS || a->at == w->mask || a->at == w->first ||
            a->at == w->length)
            continue; /* limits stay what the function accepts, scores finite */
        if (a->at == w->second && second_is_ids(w->k)) {
            take_class_id(in, w, position % values);
            continue;
        }
        const uint64_t bits = take(in, a->size);
        for (size_t i = 0; i <= (repeat < 128 ? 0 : repeat - 128); i++)
            store_bits((char *)a->at + (position + i) % values * a->size, a->size, bits);
    }
}

/* With a magnitude that is 0 or from least to most; other values become one of these. */
static double of_size(double value, double least, double most)
{
    const double size = fabs(value);
    return isnan(value) || size == 0 ? 0 : copysign(fmin(fmax(size, least), most), value);
}

static void limit(const sl_ref_dtype *dt, void *values, size_t n, double least, double most)
{
    for (size_t i = 0; i < n; i++)
        dt->put(values, i, of_size(dt->get(values, i), least, most));
}

static void limit_factors(const sl_ref_dtype *dt, void *factors, size_t n, bool may_be_negative)
{
    for (size_t i = 0; i < n; i++) {
        const double factor = of_size(dt->get_loss(factors, i), 0x1p-20, 2);
        dt->put_loss(factors, i, may_be_negative ? factor : fabs(factor));
    }
}

/* Values for which softlane.h promises something: the public function accepts them, and no product of them leaves the
 * range of its type before the result does. */
static void make_acceptable(workload *w)
{
    const kernel *k = w->k;
    const sl_ref_dtype *dt = k->dtype;
    const sl_shape shape = w->c.shape;
    const size_t losses = loss_count(k, shape);
    for (size_t i = 0; i < elements(shape); i++)
        if (!is_in_domain(k, dt->get(w->x, i)))
            dt->put(w->x, i, 0.5);
    /* logarithms of probabilities are never positive: losses of one sign do not cancel in a sum */
    const bool logarithms = k->row == SL_COUNT_log_softmax_backward || k->row == SL_COUNT_nll;
    for (size_t i = 0; i < elements(shape) && logarithms; i++)
        dt->put(w->x, i, -fabs(dt->get(w->x, i)));
    if (k->second == DY)
        limit(dt, w->second, elements(shape), 0, ldexp(1, -dt->min_exp * 3 / 4));
    if (k->second == PROBABILITIES)
        for (size_t i = 0; i < elements(shape); i++)
            dt->put(w->second, i, fabs(of_size(dt->get(w->second, i), 0x1p-60, 1)));
    if (!takes_options(k))
        return;
    generator g = {1}; /* a log-sum-exp belongs to its row */
    workload_remake_lse(w, &g);
    limit_factors(dt, w->class_weight, shape.classes, false);
    limit_factors(dt, w->pos_weight, shape.classes, false);
    limit_factors(dt, w->upstream, w->options.reduction == SL_NONE ? losses : 1, true);
    /* a sum of losses that is no f64 is infinite, and so is its mean */
    for (size_t i = 0; i < elements(shape) && w->options.reduction != SL_NONE; i++)
        if (isfinite(dt->get(w->x, i)) && fabs(dt->get(w->x, i)) > 0x1p1000)
            dt->put(w->x, i, copysign(0x1p1000, dt->get(w->x, i)));
}

/* ------------------------------------------------------------------------------- the same bits, wherever */

enum { CANARY = 0xa5, LINE = 64 };

/* Copies of all arrays: each at any distance of its alignment from a cache line, ending where its memory does. */
typedef struct {
    workload w;
    array arrays[MOST_ARRAYS];
    unsigned char *memory[MOST_ARRAYS];
    size_t before[MOST_ARRAYS], count;
} displaced;

static void displace(displaced *d, const workload *from, input *in)
{
    workload_copy(&d->w, from);
    d->count = workload_arrays(&d->w, d->arrays);
    for (size_t i = 0; i < d->count; i++) {
        const array *a = &d->arrays[i];
        const size_t step = a->size < sizeof(double) ? a->size : sizeof(double);
        void *memory;
        d->before[i] = LINE + take_below(in, LINE) / step * step;
        if (posix_memalign(&memory, LINE, d->before[i] + a->bytes) != 0)
            abort();
        d->memory[i] = memset(memory, CANARY, d->before[i] + a->bytes);
        if (a->output == OUTPUTS && a->bytes > 0)
            memcpy(d->memory[i] + d->before[i], a->at, a->bytes);
        array_move(a, d->memory[i] + d->before[i]);
    }
}

/* Gives up if something before an array, or an input, is not as it was; then frees all. */
static void check_and_free(displaced *d, const isa *on)
{
    for (size_t i = 0; i < d->count; i++) {
        const array *a = &d->arrays[i];
        for (size_t at = 0; at < d->before[i]; at++)
            if (d->memory[i][at] != CANARY)
                fail_msg("%s/%s wrote %zu bytes before an array", d->w.k->name, on->name, d->before[i] - at);
        if (a->output == OUTPUTS && memcmp(d->memory[i] + d->before[i], a->at, a->bytes) != 0)
            fail_msg("%s/%s wrote to an input", d->w.k->name, on->name);
        free(d->memory[i]);
    }
}

static void run_displaced(const workload *w, const isa *on, input *in)
{
    displaced d;
    displace(&d, w, in);
    run(w->k, on, &d.w.c);
    assert_same_outputs(on, w, &d.w, "displaced");
    check_and_free(&d, on);
}

/* Any that the shape may have. */
static sl_strides take_strides(input *in, sl_shape shape)
{
    const size_t most = 70, classes = shape.inner + take_below(in, 2) * take_below(in, most),
                 outer = (shape.classes - 1) * classes + shape.inner + take_below(in, most);
    return (sl_strides){(ptrdiff_t)outer, (ptrdiff_t)classes};
}

static void run_by_strides(const workload *w, const isa *on, input *in)
{
    if (!takes_strides(w->k) || elements(w->c.shape) == 0)
        return;
    const sl_strides of_in = take_strides(in, w->c.shape), of_out = take_strides(in, w->c.shape);
    assert_same_by_strides(on, w, of_in, of_out, (position)take_below(in, RUNS_END_PAGES + 1));
}

static void run_otherwise(const workload *w, const isa *on, input *in)
{
    duplicate d;
    duplicate_make(&d, w);
    switch (take_below(in, 4)) {
    case 0:
        assert_same_in_place(on, w, &d.w);
        break;
    case 1:
        if (has_shape(w->k))
            assert_same_as_rows(on, w);
        break;
    case 2:
        if (sl_isa_force(on->name)) { /* scalar+fma is none of the library's */
            assert_int_equal(w->k->check_and_run(&d.w.c), SL_OK);
            assert_same_outputs(on, w, &d.w, "public");
        }
        break;
    case 3:
        run_by_strides(w, on, in);
        break;
    }
    duplicate_free(&d);
}

/* --------------------------------------------------------------------------------------- within the bound */

/* The inputs that a value depends on, if they are few. */
static void say_inputs(const workload *w, size_t output, size_t i)
{
    enum { FEW = 16 };
    const kernel *k = w->k;
    const sl_shape shape = w->c.shape;
    const size_t per_row = output == RESULT ? results_per_row(k, shape) : 0;
    const size_t block = shape.classes * shape.inner, r = per_row > 0 ? i / per_row
                                                          : k->by_element
                                                              ? i
                                                              : i / block * shape.inner + i % shape.inner;
    if (!k->by_element && shape.classes > FEW)
        return;
    for (size_t c = 0; c < (k->by_element ? 1 : shape.classes); c++) {
        const size_t at = k->by_element ? i : element_at(shape, r, c);
        print_error("x %a", k->dtype->get(w->c.x, at));
        if (k->second == CLASS_IDS)
            print_error(", target %lld", (long long)((const int64_t *)w->c.second)[r]);
        else if (k->second == DY || k->second == PROBABILITIES)
            print_error(", second %a", k->dtype->get(w->c.second, at));
        print_error("\n");
    }
}

/* Of an empty shape there is at most a reduced loss to judge. */
static void judge(const workload *w, const isa *on)
{
    const kernel *k = w->k;
    expectation e;
    expect(k, &w->c, &e);
    for (size_t output = 0; output < OUTPUTS; output++) {
        if (w->c.out[output] == NULL || !is_judged_by_oracle(w, output))
            continue;
        const size_t n = elements(w->c.shape) > 0 ? output_count(k, &w->c, output) : 0;
        for (size_t i = 0; i < n; i++) {
            const double ulp = error_of(k, &w->c, output, i, &e),
                         bound = allowed_on_any(w, on, output, i, &e);
            if (ulp <= bound)
                continue;
            say_inputs(w, output, i);
            print_error("smoothing %g%s%s%s\n", w->options.label_smoothing,
                        w->options.class_weight != NULL ? ", weights" : "",
                        w->options.pos_weight != NULL ? ", positive weights" : "",
                        w->options.upstream != NULL ? ", upstream" : "");
            fail_msg(
                "%s/%s, %zu x %zu x %zu, reduction %d, %s %zu: %.4f ULP of %.2f allowed: got %a, want %La",
                k->name, on->name, w->c.shape.outer, w->c.shape.classes, w->c.shape.inner,
                w->options.reduction, output == RESULT ? "result" : "gradient", i, ulp, bound,
                output_value(k, output, w->c.out[output], i), e.want[output][i]);
        }
    }
    if (w->c.out[RESULT] != NULL && !is_judged_by_oracle(w, RESULT))
        assert_sum_of_losses(on, w);
    expectation_free(&e);
}

/* ------------------------------------------------------------------------------------------------ libFuzzer */

int LLVMFuzzerInitialize(int *argc, char ***argv);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* An assertion that fails outside a cmocka test would exit; libFuzzer keeps the input of what aborts. */
int LLVMFuzzerInitialize(int *argc, char ***argv)
{
    (void)argc;
    (void)argv;
    find_isas();
    return setenv("CMOCKA_TEST_ABORT", "1", 1);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    input in = {data, size};
    const kernel *k = take_kernel(&in);
    const isa *on = take_isa(&in), *twin = take_twin(&in, on);
    const sl_shape shape = take_shape(&in, k);
    const call_spec v = take_call_spec(&in, k);
    const distribution *d = distribution_at(take_below(&in, distribution_count()));
    generator g = {take(&in, 2)};
    input elsewhere = in; /* where arrays lie is read from the bits of values, which are needed once more */
    workload w;
    workload_make(&w, k, &v, shape, d, &g);
    take_values(&in, &w);
    make_acceptable(&w);
    run(k, twin, &w.c);
    run_displaced(&w, on, &elsewhere);
    run_otherwise(&w, on, &elsewhere);
    judge(&w, on);
    if (is_stats(k) && elements(shape) > 0)
        assert_any_cut_will_do(k, on, d->name, w.x, shape.classes, &g);
    workload_free(&w);
    return 0;
}
