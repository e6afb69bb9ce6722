/* SPDX-License-Identifier: MIT
 *
 * See test_matrix.h.
 */
#include "test_matrix.h"

#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------------------ ISAs */

enum {
#define SL_ISA(name, ...) ROW_##name,
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
#define SL_ISA(name, ...) #name,
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
    k->run(on->table, c);
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

static const call_spec call_specs[] = {
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
    {"none, lse", SL_NONE, TAKES_LSE, 0, BOTH},
    {"mean, divisor", SL_MEAN, DIVISOR, 0, BOTH},
    {"none, z-loss", SL_NONE, Z_LOSS, 0, BOTH},
    {"mean, weights, upstream, divisor", SL_MEAN, WEIGHTS | UPSTREAM | DIVISOR, 0, BOTH},
    {"none, weights, smoothing, ignore, upstream, safe, lse, z-loss", SL_NONE,
     WEIGHTS | SMOOTHING | IGNORE | UPSTREAM | SAFE | TAKES_LSE | Z_LOSS, 0.1, BOTH},
    {"mean, ignore, lse, z-loss, divisor", SL_MEAN, IGNORE | TAKES_LSE | Z_LOSS | DIVISOR, 0, BOTH},
    {"sum, smoothing, z-loss, gradient", SL_SUM, SMOOTHING | Z_LOSS, 0.5, GRAD},
    {"none, softcap", SL_NONE, SOFTCAP, 0, BOTH},
    {"none, weights, smoothing, ignore, lse, z-loss, softcap", SL_NONE,
     WEIGHTS | SMOOTHING | IGNORE | TAKES_LSE | Z_LOSS | SOFTCAP, 0.1, BOTH},
};
enum { CALL_SPECS = sizeof call_specs / sizeof *call_specs };

static const call_spec row_call_specs[] = {
    {"plain", SL_NONE, 0, 0, LOSS},
    {"lse", SL_NONE, 0, 0, BOTH},
    {"scale, f32 mask", SL_NONE, SCALE | MASK_F32, 0, BOTH},
    {"f16 mask, slope", SL_NONE, SLOPE | MASK_F16, 0, LOSS},
    {"bf16 mask, safe", SL_NONE, SAFE_ROWS | MASK_BF16, 0, BOTH},
    {"truth values, scale", SL_NONE, SCALE | MASK_BOOL, 0, LOSS},
    {"f64 mask, sink", SL_NONE, SINK | MASK_F64, 0, BOTH},
    {"limits", SL_NONE, LIMITS, 0, BOTH},
    {"limits, safe, scale", SL_NONE, LIMITS | SAFE_ROWS | SCALE, 0, LOSS},
    {"sink, scale", SL_NONE, SINK | SCALE, 0, BOTH},
    {"softcap, scale", SL_NONE, SCORE_CAP | SCALE, 0, BOTH},
    {"softcap, shared f32 mask, slope, limits", SL_NONE, SCORE_CAP | SHARED_MASK | MASK_F32 | SLOPE | LIMITS,
     0, BOTH},
    {"softcap, truth values, safe, sink", SL_NONE, SCORE_CAP | MASK_BOOL | SAFE_ROWS | SINK, 0, LOSS},
    {"shared truth values, limits", SL_NONE, SHARED_MASK | MASK_BOOL | LIMITS, 0, BOTH},
    {"all, f16 mask", SL_NONE, SCALE | SLOPE | LIMITS | SINK | SAFE_ROWS | MASK_F16, 0, BOTH},
    {"softcap, bf16 mask, limits, sink", SL_NONE, SCORE_CAP | LIMITS | SINK | MASK_BF16, 0, BOTH},
};
enum { ROW_CALL_SPECS = sizeof row_call_specs / sizeof *row_call_specs };

/* Which of the list fit each kernel; made when first asked for. */
static struct {
    size_t count, at[CALL_SPECS];
} fitting[KERNELS];

size_t call_spec_count(const kernel *k)
{
    if (k->row_options)
        return ROW_CALL_SPECS;
    if (fitting[k->index].count == 0) {
        const unsigned accepted = accepted_options(k);
        for (size_t v = 0; v < (takes_options(k) ? CALL_SPECS : 1); v++)
            if ((call_specs[v].options & ~accepted) == 0)
                fitting[k->index].at[fitting[k->index].count++] = v;
    }
    return fitting[k->index].count;
}

const call_spec *call_spec_at(const kernel *k, size_t i)
{
    static const call_spec plain = {"plain", SL_NONE, 0, 0, LOSS};
    if (k->row_options)
        return &row_call_specs[i % ROW_CALL_SPECS];
    return takes_options(k) && i < call_spec_count(k) ? &call_specs[fitting[k->index].at[i]] : &plain;
}

/* ----------------------------------------------------------------------------------------------- topics */

static bool earlier_has_the_bits;

size_t effort(size_t full, size_t small)
{
    const char *wanted = getenv("SOFTLANE_TEST_EFFORT");
    if (wanted == NULL || strcmp(wanted, "full") == 0)
        return earlier_has_the_bits ? small : full;
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

/* Whether one that is better has this one's class of bits. (golden.c and identity.c hold them to that.) */
static bool is_another_of_its_class(const isa *on)
{
    for (size_t i = 0; i < on->index; i++) {
        const isa better = isa_at(i);
        if (better.table != NULL && is_asked_for(&better) && better.table->fma == on->table->fma)
            return true;
    }
    return false;
}

static void step(void **state)
{
    const cell *r = *state;
    earlier_has_the_bits = r->of.bits_tell && is_another_of_its_class(&r->on);
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
    setvbuf(stdout, NULL, _IOLBF, BUFSIZ); /* which Windows wants to know */
    (void)effort(0, 0);                    /* refuses a bad value before anything runs */
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
