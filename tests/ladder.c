/* SPDX-License-Identifier: MIT
 *
 * See ladder.h. The adapters come first, one block per signature class of table.h; the manifest then picks
 * among them.
 */
#include "ladder.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

size_t elements(sl_shape shape) { return shape.outer * shape.classes * shape.inner; }

size_t rows(sl_shape shape) { return shape.outer * shape.inner; }

void *allocate(size_t count, size_t size)
{
    void *p = malloc(count * size + 1);
    if (p == NULL)
        fail_msg("out of memory: %zu x %zu bytes", count, size);
    return p;
}

/* -------------------------------------------------------------------------------------------- adapters */

static size_t outputs_elements(const call *c) { return elements(c->shape); }

static size_t outputs_rows(const call *c) { return c->shape.classes == 0 ? 0 : rows(c->shape); }

static size_t outputs_row_loss(const call *c)
{
    return c->options != NULL && c->options->reduction == SL_NONE ? outputs_rows(c) : 1;
}

static size_t outputs_element_loss(const call *c)
{
    return c->options != NULL && c->options->reduction == SL_NONE ? elements(c->shape) : 1;
}

/* Most bounds are in units of the result itself. */
static void own_scale(const double *want, double *scale, size_t n) { memcpy(scale, want, n * sizeof *want); }

#define TRAITS_MAP .is_map = true, .by_element = true, .outputs = outputs_elements
#define ARGUMENTS_MAP c->x, c->y, elements(c->shape)
#define REFERENCE_MAP(name)                                                                                  \
    sl_ref_##name##_f32(c->x, want, elements(c->shape));                                                     \
    own_scale(want, scale, elements(c->shape));

#define TRAITS_ROW_MAP .is_map = true, .outputs = outputs_elements
#define ARGUMENTS_ROW_MAP c->x, c->y, c->shape
#define REFERENCE_ROW_MAP(name)                                                                              \
    sl_ref_##name##_f32(c->x, want, c->shape);                                                               \
    own_scale(want, scale, elements(c->shape));

#define TRAITS_ROW_FOLD .outputs = outputs_rows
#define ARGUMENTS_ROW_FOLD c->x, c->y, c->shape
#define REFERENCE_ROW_FOLD(name) sl_ref_##name##_f32(c->x, want, scale, c->shape);

#define TRAITS_CLASS_LOSS .target = CLASS_IDS, .outputs = outputs_row_loss
#define ARGUMENTS_CLASS_LOSS c->x, c->target, c->shape, c->options, c->y, NULL
#define REFERENCE_CLASS_LOSS(name)                                                                           \
    sl_ref_##name##_f32(c->x, c->target, c->shape, c->options, want);                                        \
    own_scale(want, scale, outputs_row_loss(c));

#define TRAITS_SOFT_LOSS .target = PROBABILITIES, .by_element = true, .outputs = outputs_element_loss
#define ARGUMENTS_SOFT_LOSS c->x, c->target, c->shape, c->options, c->y, NULL
#define REFERENCE_SOFT_LOSS(name)                                                                            \
    sl_ref_##name##_f32(c->x, c->target, c->shape, c->options, want);                                        \
    own_scale(want, scale, outputs_element_loss(c));

#define SL_KERNEL(name, sig, ...)                                                                            \
    static void run_##name(const sl_kernels *t, const call *c) { t->name##_f32(ARGUMENTS_##sig); }           \
    static sl_status check_and_run_##name(const call *c) { return sl_##name##_f32(ARGUMENTS_##sig); }        \
    static void reference_##name(const call *c, double *want, double *scale) { REFERENCE_##sig(name) }
#include "kernels.def"
#undef SL_KERNEL

const kernel kernels[SL_KERNEL_COUNT] = {
#define SL_KERNEL(row, sig, reads, writes, ulp, ulp_without_fma, ...)                                        \
    {TRAITS_##sig,                                                                                           \
     .name = #row,                                                                                           \
     .index = SL_COUNT_##row,                                                                                \
     .bound = {ulp_without_fma, ulp},                                                                        \
     .run = run_##row,                                                                                       \
     .check_and_run = check_and_run_##row,                                                                   \
     .reference = reference_##row},
#include "kernels.def"
#undef SL_KERNEL
};

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

static bool executed[SL_KERNEL_COUNT][ALL_ISAS];

void run(const kernel *k, const isa *on, const call *c)
{
    executed[k->index][on->index] = true;
    k->run(on->table, c);
}

/* ----------------------------------------------------------------------------------------------- losses */

static const struct {
    const char *name;
    sl_reduction reduction;
    bool weights, ignore;
    double smoothing;
} class_loss_variants[] = {
    {"none", SL_NONE, false, false, 0},
    {"sum", SL_SUM, false, false, 0},
    {"mean", SL_MEAN, false, false, 0},
    {"none, weights", SL_NONE, true, false, 0},
    {"mean, weights", SL_MEAN, true, false, 0},
    {"none, smoothing", SL_NONE, false, false, 0.1},
    {"none, ignore", SL_NONE, false, true, 0},
    {"sum, weights, smoothing", SL_SUM, true, false, 1},
    {"none, weights, smoothing, ignore", SL_NONE, true, true, 0.25},
    {"mean, weights, smoothing, ignore", SL_MEAN, true, true, 0.25},
};

static const struct {
    const char *name;
    sl_reduction reduction;
    bool weights, pos_weights;
} soft_loss_variants[] = {
    {"none", SL_NONE, false, false},
    {"sum", SL_SUM, false, false},
    {"mean", SL_MEAN, false, false},
    {"none, weights", SL_NONE, true, false},
    {"none, positive weights", SL_NONE, false, true},
    {"none, both weights", SL_NONE, true, true},
    {"mean, both weights", SL_MEAN, true, true},
};

const char *variant_name(const kernel *k, size_t v)
{
    switch (k->target) {
    case CLASS_IDS:
        return v < sizeof class_loss_variants / sizeof *class_loss_variants ? class_loss_variants[v].name
                                                                            : NULL;
    case PROBABILITIES:
        return v < sizeof soft_loss_variants / sizeof *soft_loss_variants ? soft_loss_variants[v].name : NULL;
    case NO_TARGET:
        break;
    }
    return v == 0 ? "plain" : NULL;
}

sl_loss_options variant_options(const kernel *k, size_t v, loss_weights weights)
{
    sl_loss_options options = sl_loss_defaults();
    if (k->target == CLASS_IDS) {
        options.reduction = class_loss_variants[v].reduction;
        options.class_weight = class_loss_variants[v].weights ? weights.class_weight : NULL;
        options.label_smoothing = class_loss_variants[v].smoothing;
        options.has_ignore_index = class_loss_variants[v].ignore;
        options.ignore_index = IGNORED_TARGET;
    } else if (k->target == PROBABILITIES) {
        options.reduction = soft_loss_variants[v].reduction;
        options.class_weight = soft_loss_variants[v].weights ? weights.class_weight : NULL;
        options.pos_weight = soft_loss_variants[v].pos_weights ? weights.pos_weight : NULL;
    }
    return options;
}

/* ----------------------------------------------------------------------------------------------- topics */

bool is_loss(const kernel *k) { return k->target != NO_TARGET; }

bool is_by_element(const kernel *k) { return k->by_element; }

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

/* One cmocka test: a topic and where it runs. */
typedef struct {
    topic of;
    const kernel *k;
    isa on;
    char name[128];
} rung;

static void step(void **state)
{
    const rung *r = *state;
    if (r->of.once != NULL) {
        r->of.once();
    } else if (r->of.each_kernel != NULL) {
        r->of.each_kernel(r->k);
    } else if (r->of.each_isa != NULL) {
        r->of.each_isa(&r->on);
    } else {
        r->of.rung(r->k, &r->on);
    }
}

/* Everything that a topic runs on. What cannot run here gets no rung; say_what_was_executed() names it. */
static size_t add_rungs(const topic *t, rung *to)
{
    size_t n = 0;
    const size_t kernel_steps = t->rung != NULL || t->each_kernel != NULL ? SL_KERNEL_COUNT : 1;
    const size_t isa_steps = t->rung != NULL || t->each_isa != NULL ? ALL_ISAS : 1;
    for (size_t k = 0; k < kernel_steps; k++)
        for (size_t i = 0; i < isa_steps; i++) {
            rung *r = &to[n];
            *r = (rung){.of = *t, .k = &kernels[k], .on = isa_at(i)};
            if ((t->applies_to != NULL && !t->applies_to(r->k)) || (isa_steps > 1 && r->on.table == NULL))
                continue;
            if (t->rung != NULL)
                snprintf(r->name, sizeof r->name, "%s: %s/f32/%s", t->name, r->k->name, r->on.name);
            else if (t->each_kernel != NULL)
                snprintf(r->name, sizeof r->name, "%s: %s/f32", t->name, r->k->name);
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

static void say_what_was_executed(void)
{
    size_t count = 0;
    for (size_t i = 0; i < MANIFEST_ISAS; i++) {
        size_t here = 0;
        for (size_t k = 0; k < SL_KERNEL_COUNT; k++)
            here += executed[k][i];
        count += here;
        const isa on = isa_at(i);
        if (on.table == NULL)
            printf("skipped: %d kernels of %s: %s\n", SL_KERNEL_COUNT, on.name, on.why_not);
    }
    printf("%zu of %d kernels executed\n", count, SL_KERNEL_COUNT * MANIFEST_ISAS);
}

int ladder_climb(const char *group, const topic *topics, size_t count)
{
    setvbuf(stdout, NULL, _IOLBF, 0);
    (void)effort(0, 0); /* refuses a bad value before anything runs */
    assert_expected_isa();
    const size_t most = count * SL_KERNEL_COUNT * ALL_ISAS;
    rung *rungs = allocate(most, sizeof *rungs);
    struct CMUnitTest *tests = allocate(most, sizeof *tests);
    size_t n = 0;
    for (size_t t = 0; t < count; t++)
        n += add_rungs(&topics[t], rungs + n);
    for (size_t i = 0; i < n; i++)
        tests[i] = (struct CMUnitTest){.name = rungs[i].name, .test_func = step, .initial_state = &rungs[i]};
    const int failed = _cmocka_run_group_tests(group, tests, n, NULL, NULL);
    free(tests);
    free(rungs);
    say_what_was_executed();
    return failed != 0;
}
