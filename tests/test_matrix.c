/* SPDX-License-Identifier: MIT
 *
 * See test_matrix.h. The adapters come first, one block per signature class of table.h; the manifests then pick
 * among them.
 */
#include "test_matrix.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t elements(sl_shape shape) { return shape.outer * shape.classes * shape.inner; }

size_t rows(sl_shape shape) { return shape.outer * shape.inner; }

size_t element_at(sl_shape shape, size_t r, size_t c)
{
    return (r / shape.inner * shape.classes + c) * shape.inner + r % shape.inner;
}

void *allocate(size_t count, size_t size)
{
    void *p = malloc(count * size + 1);
    if (p == NULL)
        fail_msg("out of memory: %zu x %zu bytes", count, size);
    return p;
}

/* -------------------------------------------------------------------------------------------- adapters */

/* A call as the oracle wants it. */
typedef struct {
    const double *x, *second;
    const int64_t *ids;
    sl_shape shape;
    const sl_ref_options *options;
    sl_real *want[OUTPUTS], *scale[OUTPUTS];
} oracle_call;

/* The oracle in its two arithmetics. */
struct oracle {
    void (*in_double)(const oracle_call *);
    void (*in_long)(const oracle_call *);
};

/* Of each signature: what the test matrix must know of it; the parameters of kernels and of the oracle. Where the
 * kernel needs more than the call has, BEFORE_ makes it, from the function that computes statistics. */

#define TRAITS_MAP .by_element = true, .result = T_PER_ELEMENT
#define BEFORE_MAP(stats_of)
#define ARGUMENTS_MAP c->x, c->out[RESULT], elements(c->shape)
#define ORACLE_CALL_MAP q->x, elements(q->shape), q->want[RESULT], q->scale[RESULT]

#define TRAITS_MAP_BACKWARD .second = DY, TRAITS_MAP
#define BEFORE_MAP_BACKWARD(stats_of)
#define ARGUMENTS_MAP_BACKWARD c->x, c->second, c->out[RESULT], elements(c->shape)
#define ORACLE_CALL_MAP_BACKWARD q->x, q->second, elements(q->shape), q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_MAP .result = T_PER_ELEMENT
#define BEFORE_ROW_MAP(stats_of)
#define ARGUMENTS_ROW_MAP c->x, c->out[RESULT], c->shape
#define ORACLE_CALL_ROW_MAP q->x, q->shape, q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_BACKWARD .second = DY, TRAITS_ROW_MAP
#define BEFORE_ROW_BACKWARD(stats_of)
#define ARGUMENTS_ROW_BACKWARD c->x, c->second, c->out[RESULT], c->shape
#define ORACLE_CALL_ROW_BACKWARD q->x, q->second, q->shape, q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_FOLD .result = L_PER_ROW
#define BEFORE_ROW_FOLD(stats_of)
#define ARGUMENTS_ROW_FOLD ARGUMENTS_ROW_MAP
#define ORACLE_CALL_ROW_FOLD ORACLE_CALL_ROW_MAP

#define TRAITS_CLASS_LOSS .second = CLASS_IDS, .result = L_PER_ROW
#define BEFORE_CLASS_LOSS(stats_of)
#define ARGUMENTS_CLASS_LOSS c->x, c->second, c->shape, c->options, c->out[RESULT], c->out[GRADIENT]
#define ORACLE_CALL_CLASS_LOSS                                                                               \
    q->x, q->ids, q->shape, q->options, q->want[RESULT], q->want[GRADIENT], q->scale[GRADIENT]

#define TRAITS_PROB_LOSS .second = PROBABILITIES, .result = L_PER_ROW
#define BEFORE_PROB_LOSS(stats_of)
#define ARGUMENTS_PROB_LOSS ARGUMENTS_CLASS_LOSS
#define ORACLE_CALL_PROB_LOSS                                                                                \
    q->x, q->second, q->shape, q->options, q->want[RESULT], q->want[GRADIENT], q->scale[GRADIENT]

#define TRAITS_ELEMENT_LOSS .by_element = true, .second = PROBABILITIES, .result = L_PER_ELEMENT
#define BEFORE_ELEMENT_LOSS(stats_of)
#define ARGUMENTS_ELEMENT_LOSS ARGUMENTS_PROB_LOSS
#define ORACLE_CALL_ELEMENT_LOSS ORACLE_CALL_PROB_LOSS

#define TRAITS_STATS .one_row = true, .result = STATS_PER_ROW
#define BEFORE_STATS(stats_of)
#define ARGUMENTS_STATS c->x, elements(c->shape), c->out[RESULT]
#define ORACLE_CALL_STATS ORACLE_CALL_MAP

#define TRAITS_APPLY .one_row = true, .result = T_PER_ELEMENT
#define BEFORE_APPLY(stats_of)                                                                               \
    sl_stats own = sl_stats_empty();                                                                         \
    if (c->stats == NULL)                                                                                    \
        stats_of(c->x, elements(c->shape), &own);
#define ARGUMENTS_APPLY c->x, c->out[RESULT], elements(c->shape), c->stats != NULL ? c->stats : &own
#define ORACLE_CALL_APPLY ORACLE_CALL_MAP

#define ADAPT(dt, T, L, name, sig)                                                                           \
    static void run_##name##_##dt(const sl_kernels *t, const call *c)                                        \
    {                                                                                                        \
        BEFORE_##sig(t->softmax_stats_##dt) t->name##_##dt(ARGUMENTS_##sig);                                 \
    }                                                                                                        \
    static sl_status check_and_run_##name##_##dt(const call *c)                                              \
    {                                                                                                        \
        BEFORE_##sig(sl_softmax_stats_##dt) return sl_##name##_##dt(ARGUMENTS_##sig);                        \
    }
#define SL_KERNEL(name, sig, ...)                                                                            \
    static void evaluate_##name##_double(const oracle_call *q)                                               \
    {                                                                                                        \
        sl_ref_##name##_double(ORACLE_CALL_##sig);                                                           \
    }                                                                                                        \
    static void evaluate_##name##_long(const oracle_call *q) { sl_ref_##name##_long(ORACLE_CALL_##sig); }    \
    static const struct oracle name##_oracle = {evaluate_##name##_double, evaluate_##name##_long};           \
    SL_DTYPES(ADAPT, name, sig)
#include "kernels.def"
#undef SL_KERNEL

#define BRACED(...)                                                                                          \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define ENTRY(dt, T, L, kernel_name, sig, result_bounds, result_any, gradient_bounds, gradient_any)          \
    {TRAITS_##sig,                                                                                           \
     .name = #kernel_name "/" #dt,                                                                           \
     .index = SL_COUNT_##kernel_name * SL_DTYPE_COUNT + SL_COUNT_##dt,                                       \
     .row = SL_COUNT_##kernel_name,                                                                          \
     .dtype = &sl_ref_dtypes[SL_COUNT_##dt],                                                                 \
     .bounds = {BRACED result_bounds, BRACED gradient_bounds},                                               \
     .any = {BRACED result_any, BRACED gradient_any},                                                        \
     .run = run_##kernel_name##_##dt,                                                                        \
     .check_and_run = check_and_run_##kernel_name##_##dt,                                                    \
     .oracle = &kernel_name##_oracle},

const kernel kernels[KERNELS] = {
#define SL_KERNEL(name, sig, reads, writes, ...) SL_DTYPES(ENTRY, name, sig, __VA_ARGS__)
#include "kernels.def"
#undef SL_KERNEL
};

const kernel *sibling(const kernel *k, size_t row)
{
    return &kernels[row * SL_DTYPE_COUNT + k->index % SL_DTYPE_COUNT];
}

bool is_loss(const kernel *k) { return k->second == CLASS_IDS || k->second == PROBABILITIES; }

bool is_by_element(const kernel *k) { return k->by_element; }

bool has_shape(const kernel *k) { return !k->one_row; }

size_t output_like_x(const kernel *k)
{
    return is_loss(k) ? GRADIENT : k->result == T_PER_ELEMENT ? RESULT : OUTPUTS;
}

size_t second_size(const kernel *k) { return k->second == CLASS_IDS ? sizeof(int64_t) : k->dtype->size; }

size_t second_count(const kernel *k, sl_shape shape)
{
    return k->second == NO_SECOND ? 0 : k->second == CLASS_IDS ? rows(shape) : elements(shape);
}

/* -------------------------------------------------------------------------------------------- outputs */

static output_kind kind_of(const kernel *k, size_t output)
{
    return output == RESULT ? k->result : T_PER_ELEMENT;
}

static sl_reduction reduction_of(const call *c)
{
    return c->options != NULL ? c->options->reduction : SL_MEAN;
}

size_t output_count(const kernel *k, const call *c, size_t output)
{
    if (output == RESULT && is_loss(k) && reduction_of(c) != SL_NONE)
        return 1;
    switch (kind_of(k, output)) {
    case T_PER_ELEMENT:
    case L_PER_ELEMENT:
        return elements(c->shape);
    case STATS_PER_ROW:
        return rows(c->shape);
    case L_PER_ROW:
        break;
    }
    return rows(c->shape);
}

size_t output_size(const kernel *k, size_t output)
{
    switch (kind_of(k, output)) {
    case T_PER_ELEMENT:
        return k->dtype->size;
    case STATS_PER_ROW:
        return sizeof(sl_stats);
    case L_PER_ELEMENT:
    case L_PER_ROW:
        break;
    }
    return k->dtype->loss_size;
}

double output_value(const kernel *k, size_t output, const void *values, size_t i)
{
    switch (kind_of(k, output)) {
    case T_PER_ELEMENT:
        return k->dtype->get(values, i);
    case STATS_PER_ROW:
        return sl_stats_logsumexp((const sl_stats *)values + i);
    case L_PER_ELEMENT:
    case L_PER_ROW:
        break;
    }
    return k->dtype->get_loss(values, i);
}

uint64_t output_bits(const kernel *k, size_t output, const void *values, size_t i)
{
    const size_t size = output_size(k, output);
    uint64_t bits = 0; /* little-endian */
    memcpy(&bits, (const char *)values + i * size, size < sizeof bits ? size : sizeof bits);
    return bits;
}

static bool same_stats(const sl_stats *a, const sl_stats *b)
{
    const double of_a[] = {a->max, a->rest, a->target, a->logits},
                 of_b[] = {b->max, b->rest, b->target, b->logits};
    return memcmp(of_a, of_b, sizeof of_a) == 0 && a->count == b->count;
}

size_t first_difference(const kernel *k, size_t output, const void *a, const void *b, size_t n)
{
    const size_t size = output_size(k, output);
    if (memcmp(a, b, n * size) == 0)
        return n;
    for (size_t i = 0; i < n; i++) {
        if (memcmp((const char *)a + i * size, (const char *)b + i * size, size) == 0)
            continue;
        if (kind_of(k, output) == STATS_PER_ROW) {
            if (same_stats((const sl_stats *)a + i, (const sl_stats *)b + i))
                continue;
        } else if (k->by_element && isnan(output_value(k, output, a, i)) &&
                   isnan(output_value(k, output, b, i))) {
            continue;
        }
        return i;
    }
    return n;
}

/* --------------------------------------------------------------------------------------------- oracle */

static double *widen(size_t n, const void *from, double (*get)(const void *, size_t))
{
    if (from == NULL)
        return NULL;
    double *to = allocate(n, sizeof *to);
    for (size_t i = 0; i < n; i++)
        to[i] = get(from, i);
    return to;
}

static void evaluate(const kernel *k, const oracle_call *q)
{
    (k->dtype->long_arithmetic ? k->oracle->in_long : k->oracle->in_double)(q);
}

/* One call, or for a kernel without a shape one per row. */
static void evaluate_all(const kernel *k, const oracle_call *q)
{
    if (has_shape(k)) {
        evaluate(k, q);
        return;
    }
    for (size_t r = 0; r < rows(q->shape); r++) {
        const size_t first = r * q->shape.classes, result = k->result == T_PER_ELEMENT ? first : r;
        oracle_call one = *q;
        one.shape = sl_rows(1, q->shape.classes);
        one.x += first;
        one.want[RESULT] += result;
        one.scale[RESULT] += result;
        evaluate(k, &one);
    }
}

void expect(const kernel *k, const call *c, expectation *e)
{
    const sl_ref_dtype *dt = k->dtype;
    const sl_loss_options defaults = sl_loss_defaults(), *o = c->options != NULL ? c->options : &defaults;
    const size_t losses = k->by_element ? elements(c->shape) : rows(c->shape);
    double *x = widen(elements(c->shape), c->x, dt->get);
    double *second = k->second == CLASS_IDS ? NULL : widen(second_count(k, c->shape), c->second, dt->get);
    double *class_weight = widen(c->shape.classes, o->class_weight, dt->get_loss);
    double *pos_weight = widen(c->shape.classes, o->pos_weight, dt->get_loss);
    double *upstream = widen(o->reduction == SL_NONE ? losses : 1, o->upstream, dt->get_loss);
    const sl_ref_options options = {
        .reduction = o->reduction,
        .class_weight = class_weight,
        .pos_weight = pos_weight,
        .label_smoothing = o->label_smoothing,
        .has_ignore_index = o->has_ignore_index,
        .ignore_index = o->ignore_index,
        .upstream = upstream,
        .flags = o->flags,
    };
    oracle_call q = {.x = x, .second = second, .ids = c->second, .shape = c->shape, .options = &options};
    for (size_t output = 0; output < OUTPUTS; output++) {
        const size_t n = output_count(k, c, output);
        q.want[output] = e->want[output] =
            c->out[output] != NULL ? allocate(n, sizeof *e->want[output]) : NULL;
        q.scale[output] = e->scale[output] =
            c->out[output] != NULL ? allocate(n, sizeof *e->scale[output]) : NULL;
    }
    evaluate_all(k, &q);
    if (is_loss(k) && e->want[RESULT] != NULL) /* a loss is measured at itself */
        memcpy(e->scale[RESULT], e->want[RESULT], output_count(k, c, RESULT) * sizeof *e->scale[RESULT]);
    free(x);
    free(second);
    free(class_weight);
    free(pos_weight);
    free(upstream);
}

void expectation_free(expectation *e)
{
    for (size_t output = 0; output < OUTPUTS; output++) {
        free(e->want[output]);
        free(e->scale[output]);
    }
}

double error_of(const kernel *k, const call *c, size_t output, size_t i, const expectation *e)
{
    const sl_ref_dtype *dt = k->dtype;
    const bool is_t = kind_of(k, output) == T_PER_ELEMENT;
    return sl_ref_ulp(output_value(k, output, c->out[output], i), e->want[output][i], e->scale[output][i],
                      is_t ? dt->digits : dt->loss_digits, is_t ? dt->min_exp : dt->loss_min_exp);
}

/* ------------------------------------------------------------------------------------------------ ISAs */

enum {
#define SL_ISA(name, arch) ROW_##name,
#include "isas.def"
#undef SL_ISA
    MANIFEST_ISAS,
#ifdef SOFTLANE_TEST_SCALAR_FMA
    ALL_ISAS = MANIFEST_ISAS + 1
#else
    ALL_ISAS = MANIFEST_ISAS
#endif
};

static const char *const isa_names[] = {
#define SL_ISA(name, arch) #name,
#include "isas.def"
#undef SL_ISA
};

#ifdef SOFTLANE_TEST_SCALAR_FMA
extern const sl_kernels sl_table_scalar_fma;

static isa scalar_fma(void)
{
    const bool can = __builtin_cpu_supports("fma");
    return (isa){"scalar+fma", MANIFEST_ISAS, can ? &sl_table_scalar_fma : NULL,
                 can ? NULL : "the CPU lacks fma"};
}
#endif

size_t isa_count(void) { return ALL_ISAS; }

isa isa_at(size_t i)
{
#ifdef SOFTLANE_TEST_SCALAR_FMA
    if (i == MANIFEST_ISAS)
        return scalar_fma();
#endif
    return (isa){isa_names[i], i, sl_isa(isa_names[i]), sl_isa_why_not(isa_names[i])};
}

bool is_asked_for(const isa *on)
{
    const char *wanted = getenv("SOFTLANE_TEST_ISA");
    return wanted == NULL || strcmp(wanted, on->name) == 0;
}

/* A bad value would test nothing. */
static void refuse_unknown_isa(void)
{
    size_t asked_for = 0;
    for (size_t i = 0; i < ALL_ISAS; i++) {
        const isa on = isa_at(i);
        asked_for += on.table != NULL && is_asked_for(&on);
    }
    if (asked_for == 0) {
        fprintf(stderr, "SOFTLANE_TEST_ISA: no ISA that can run here: '%s'\n", getenv("SOFTLANE_TEST_ISA"));
        exit(2);
    }
}

/* Row r of a call for a kernel without a shape. */
static call row_of(const kernel *k, const call *c, size_t r)
{
    const size_t first = r * c->shape.classes, result = k->result == T_PER_ELEMENT ? first : r;
    call one = *c;
    one.shape = sl_rows(1, c->shape.classes);
    one.x = (const char *)c->x + first * k->dtype->size;
    one.out[RESULT] = (char *)c->out[RESULT] + result * output_size(k, RESULT);
    return one;
}

static bool executed[KERNELS][ALL_ISAS];

static atomic_uint calls;
#ifdef SOFTLANE_TEST_SCALAR_FMA
/* Its own, because the shared library keeps its variable to itself. */
extern atomic_size_t scalar_fma_last_level_bytes;
atomic_size_t scalar_fma_last_level_bytes;
#else
static atomic_size_t scalar_fma_last_level_bytes;
#endif

void next_run_streams(bool streams) { calls = streams; }

void run(const kernel *k, const isa *on, const call *c)
{
    const bool streams = calls++ % 2;
    sl_set_cache_bytes(streams ? 1 : 0);
    scalar_fma_last_level_bytes = streams ? 1 : SIZE_MAX;
    executed[k->index][on->index] = true;
    if (has_shape(k)) {
        k->run(on->table, c);
        return;
    }
    for (size_t r = 0; r < rows(c->shape); r++) {
        const call one = row_of(k, c, r);
        k->run(on->table, &one);
    }
}

sl_status run_public(const kernel *k, const call *c)
{
    if (has_shape(k))
        return k->check_and_run(c);
    sl_status status = SL_OK;
    for (size_t r = 0; r < rows(c->shape) && status == SL_OK; r++) {
        const call one = row_of(k, c, r);
        status = k->check_and_run(&one);
    }
    return status;
}

static size_t column_of(const kernel *k, const isa *on)
{
    const int digits = k->dtype->digits;
    return digits < 24 ? 4 : (digits == 24 ? 0 : 2) + !on->table->fma;
}

double bound_of(const kernel *k, const isa *on, size_t output) { return k->bounds[output][column_of(k, on)]; }

double bound_on_any(const kernel *k, const isa *on, size_t output)
{
    return k->any[output][column_of(k, on)];
}

/* ----------------------------------------------------------------------------------------------- losses */

#define BOTH                                                                                                 \
    {                                                                                                        \
        true, true                                                                                           \
    }
#define LOSS                                                                                                 \
    {                                                                                                        \
        true, false                                                                                          \
    }
#define GRAD                                                                                                 \
    {                                                                                                        \
        false, true                                                                                          \
    }

static const variant variants[] = {
    {"none", SL_NONE, 0, 0, BOTH},
    {"none, loss", SL_NONE, 0, 0, LOSS},
    {"none, gradient", SL_NONE, 0, 0, GRAD},
    {"sum", SL_SUM, 0, 0, BOTH},
    {"mean", SL_MEAN, 0, 0, BOTH},
    {"mean, loss", SL_MEAN, 0, 0, LOSS},
    {"mean, upstream, gradient", SL_MEAN, UPSTREAM, 0, GRAD},
    {"none, upstream", SL_NONE, UPSTREAM, 0, BOTH},
    {"none, weights", SL_NONE, WEIGHTS, 0, BOTH},
    {"mean, weights, upstream", SL_MEAN, WEIGHTS | UPSTREAM, 0, BOTH},
    {"none, positive weights", SL_NONE, POS_WEIGHTS, 0, BOTH},
    {"mean, both weights, upstream", SL_MEAN, WEIGHTS | POS_WEIGHTS | UPSTREAM, 0, BOTH},
    {"none, smoothing", SL_NONE, SMOOTHING, 0.1, BOTH},
    {"mean, smoothing, safe, loss", SL_MEAN, SMOOTHING | SAFE, 0.1, LOSS},
    {"none, safe", SL_NONE, SAFE, 0, BOTH},
    {"sum, weights, smoothing of 1", SL_SUM, WEIGHTS | SMOOTHING, 1, BOTH},
    {"none, ignore", SL_NONE, IGNORE, 0, BOTH},
    {"mean, weights, ignore, upstream", SL_MEAN, WEIGHTS | IGNORE | UPSTREAM, 0, BOTH},
    {"none, weights, smoothing, ignore, upstream, safe", SL_NONE,
     WEIGHTS | SMOOTHING | IGNORE | UPSTREAM | SAFE, 0.25, BOTH},
    {"mean, weights, smoothing, ignore, gradient", SL_MEAN, WEIGHTS | SMOOTHING | IGNORE, 0.25, GRAD},
};
enum { VARIANTS = sizeof variants / sizeof *variants };

unsigned accepted_options(const kernel *k)
{
    if (!is_loss(k))
        return 0;
    static const double one = 1;
    double loss[1];
    unsigned accepted = 0;
    for (unsigned option = 1; option < ALL_OPTIONS; option <<= 1) {
        const sl_loss_options options = {
            .reduction = SL_SUM,
            .class_weight = option == WEIGHTS ? &one : NULL,
            .pos_weight = option == POS_WEIGHTS ? &one : NULL,
            .label_smoothing = option == SMOOTHING,
            .has_ignore_index = option == IGNORE,
            .upstream = option == UPSTREAM ? &one : NULL,
            .flags = option == SAFE         ? SL_SAFE_ROWS
                     : option == EMPTY_ZERO ? SL_EMPTY_MEAN_ZERO
                                            : 0,
        };
        const call nothing = {.shape = sl_rows(0, 1), .options = &options, .out = {loss}};
        if (k->check_and_run(&nothing) == SL_OK)
            accepted |= option;
    }
    return accepted;
}

/* Which of the list fit each kernel; made when first asked for. */
static struct {
    size_t count, at[VARIANTS];
} fitting[KERNELS];

size_t variant_count(const kernel *k)
{
    if (fitting[k->index].count == 0) {
        const unsigned accepted = accepted_options(k);
        for (size_t v = 0; v < (is_loss(k) ? VARIANTS : 1); v++)
            if ((variants[v].options & ~accepted) == 0)
                fitting[k->index].at[fitting[k->index].count++] = v;
    }
    return fitting[k->index].count;
}

const variant *variant_at(const kernel *k, size_t i)
{
    static const variant plain = {"plain", SL_NONE, 0, 0, LOSS};
    return is_loss(k) && i < variant_count(k) ? &variants[fitting[k->index].at[i]] : &plain;
}

/* ----------------------------------------------------------------------------------------------- topics */

size_t effort(size_t full, size_t small)
{
    const char *wanted = getenv("SOFTLANE_TEST_EFFORT");
    if (wanted == NULL || strcmp(wanted, "full") == 0)
        return full;
    if (strcmp(wanted, "small") == 0)
        return small;
    fprintf(stderr, "SOFTLANE_TEST_EFFORT: neither 'small' nor 'full': '%s'\n", wanted);
    exit(2);
}

/* All algorithms but those of f64 run in f32; bf16 and f16 add their conversions. */
static size_t part_of_work(const kernel *k)
{
    const int digits = k->dtype->digits;
    return digits == 24 ? 1 : digits > 24 ? 3 : 6;
}

size_t share(const kernel *k, size_t full, size_t small)
{
    const size_t all = effort(full, small);
    return all < part_of_work(k) ? 1 : all / part_of_work(k);
}

bool is_chosen(const kernel *k, size_t i, size_t one_in)
{
    return (i + k->index) % (one_in * part_of_work(k)) == 0;
}

/* One cmocka test: a topic and where it runs. */
typedef struct {
    topic of;
    const kernel *k;
    isa on;
    char name[128];
} cell;

static void step(void **state)
{
    const cell *r = *state;
    if (r->of.once != NULL) {
        r->of.once();
    } else if (r->of.each_kernel != NULL) {
        r->of.each_kernel(r->k);
    } else if (r->of.each_isa != NULL) {
        r->of.each_isa(&r->on);
    } else {
        r->of.cell(r->k, &r->on);
    }
}

/* Everything that a topic runs on. What cannot run here gets no cell; say_what_was_executed() names it. */
static size_t add_cells(const topic *t, cell *to)
{
    size_t n = 0;
    const size_t kernel_steps = t->cell != NULL || t->each_kernel != NULL ? KERNELS : 1;
    const size_t isa_steps = t->cell != NULL || t->each_isa != NULL ? ALL_ISAS : 1;
    for (size_t k = 0; k < kernel_steps; k++)
        for (size_t i = 0; i < isa_steps; i++) {
            cell *r = &to[n];
            *r = (cell){.of = *t, .k = &kernels[k], .on = isa_at(i)};
            if ((t->applies_to != NULL && !t->applies_to(r->k)) ||
                (isa_steps > 1 && (r->on.table == NULL || !is_asked_for(&r->on))))
                continue;
            if (t->cell != NULL)
                snprintf(r->name, sizeof r->name, "%s: %s/%s", t->name, r->k->name, r->on.name);
            else if (t->each_kernel != NULL)
                snprintf(r->name, sizeof r->name, "%s: %s", t->name, r->k->name);
            else if (t->each_isa != NULL)
                snprintf(r->name, sizeof r->name, "%s: %s", t->name, r->on.name);
            else
                snprintf(r->name, sizeof r->name, "%s", t->name);
            n++;
        }
    return n;
}

static void assert_expected_isa(void)
{
    const char *expected = getenv("SOFTLANE_EXPECT_ISA");
    const char *in_use = sl_isa(NULL)->isa;
    if (expected != NULL && strcmp(expected, in_use) != 0) {
        fprintf(stderr, "SOFTLANE_EXPECT_ISA: expected %s, in use is %s\n", expected, in_use);
        exit(1);
    }
    printf("ISA in use: %s%s\n", in_use, expected != NULL ? ", as expected" : "");
}

/* A kernel here is one of a row, an element type and an ISA of the manifests. */
static void say_what_was_executed(void)
{
    size_t count = 0;
    for (size_t i = 0; i < MANIFEST_ISAS; i++) {
        for (size_t k = 0; k < KERNELS; k++)
            count += executed[k][i];
        const isa on = isa_at(i);
        if (on.table == NULL)
            printf("skipped: %d kernels of %s: %s\n", KERNELS, on.name, on.why_not);
        else if (!is_asked_for(&on))
            printf("skipped: %d kernels of %s: not asked for\n", KERNELS, on.name);
    }
    printf("%zu of %d kernels executed\n", count, KERNELS * MANIFEST_ISAS);
}

/* The cells of SOFTLANE_TEST_PART, in place; returns how many. */
static size_t take_part(cell *cells, size_t n)
{
    const char *wanted = getenv("SOFTLANE_TEST_PART");
    unsigned part = 1, parts = 1;
    if (wanted != NULL &&
        (sscanf(wanted, "%u/%u", &part, &parts) != 2 || part < 1 || part > parts || parts > n)) {
        fprintf(stderr, "SOFTLANE_TEST_PART: no part such as '1/2': '%s'\n", wanted);
        exit(2);
    }
    size_t taken = 0;
    for (size_t i = part - 1; i < n; i += parts)
        cells[taken++] = cells[i];
    return taken;
}

int run_test_matrix(const char *group, const topic *topics, size_t count)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)effort(0, 0); /* refuses a bad value before anything runs */
    refuse_unknown_isa();
    assert_expected_isa();
    const size_t most = count * KERNELS * ALL_ISAS;
    cell *cells = allocate(most, sizeof *cells);
    struct CMUnitTest *tests = allocate(most, sizeof *tests);
    size_t n = 0;
    for (size_t t = 0; t < count; t++)
        n += add_cells(&topics[t], cells + n);
    n = take_part(cells, n);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){.name = cells[i].name, .test_func = step, .initial_state = &cells[i]};
    const int failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
    free(tests);
    free(cells);
    say_what_was_executed();
    return failed != 0;
}
