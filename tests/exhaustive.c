/* SPDX-License-Identifier: MIT
 *
 * Every float of the range in which an element kernel has something to compute, [2^-27, 105] of either sign, 564 million
 * in all: within the bound, in order, sigmoid_exact correctly rounded, and the very bits of golden/sweeps.txt. A
 * coefficient's last bit may change one result in millions; here it shows. The best ISA takes them all, of kernels with a
 * second input one block of 65536 in 31; the others one block in 13, or 97. With little effort all take one in 97, or 997.
 * (softlane-accuracy --exhaustive takes all 2^32 floats on any ISA.)
 *
 * `test_exhaustive --print` prints the file that this build would agree with; see golden.c.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "test_matrix.h"
#include "sweep.h"

enum { MOST_ISAS = 8 };

/* One block in so many. */
typedef enum { EVERYTHING, DENSE, SPARSE, DENSITIES } density;
static const size_t steps_of_map[DENSITIES] = {1, 13, 97}, steps_of_others[DENSITIES] = {31, 97, 997};
static size_t step_of(const kernel *k, density d)
{
    return (k->second == NO_SECOND ? steps_of_map : steps_of_others)[d];
}

static const char *const class_names[] = {"no-fma", "fma"};

typedef struct {
    isa on[MOST_ISAS];
    sweep_result results[MOST_ISAS];
    size_t count;
} swept;

/* On `count` of the ISAs that can run here, from the first-th best on. */
static void sweep_isas(swept *s, const kernel *k, bool gradient, size_t one_in, size_t first, size_t count)
{
    const sl_kernels *tables[MOST_ISAS];
    size_t available = 0;
    s->count = 0;
    for (size_t i = 0; i < isa_count(); i++) {
        const isa on = isa_at(i);
        if (on.table != NULL && is_asked_for(&on) && available++ >= first && s->count < count) {
            s->on[s->count] = on;
            tables[s->count++] = on.table;
        }
    }
    if (s->count > 0)
        sweep(k, gradient, tables, s->count, SWEEP_NON_TRIVIAL, one_in, s->results, NULL);
}

static const char *gradient_text(bool gradient) { return gradient ? "+grad" : ""; }

static uint64_t golden_hash(const kernel *k, bool gradient, bool fma, size_t one_in)
{
    char line[200], row[100], class[20], name[100];
    uint64_t hash, found = 0;
    size_t step;
    FILE *file = fopen(SOFTLANE_SWEEPS, "r");
    snprintf(name, sizeof name, "%s%s", k->operation, gradient_text(gradient));
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL)
        if (sscanf(line, "%99s %19s %zu %" SCNx64, row, class, &step, &hash) == 4 && strcmp(row, name) == 0 &&
            strcmp(class, class_names[fma]) == 0 && step == one_in)
            found = hash;
    fclose(file);
    return found;
}

/* Correctly rounded: of the same bits in both classes. */
static bool is_exact(const kernel *k) { return k->row == SL_COUNT_sigmoid_exact; }

/* How many of them failed. */
static size_t judge(const swept *s, const kernel *k, bool gradient, size_t one_in)
{
    size_t failed = 0;
    for (size_t i = 0; i < s->count; i++) {
        const sweep_result *r = &s->results[i];
        const bool fma = s->on[i].table->fma;
        const uint64_t want = golden_hash(k, gradient, fma, one_in);
        const double bound = bound_of(k, s->on[i].table, gradient ? GRADIENT : RESULT);
        print_message("%s%s/f32/%s: %" PRIu64 " inputs, %.4f of %g ULP at %a, %" PRIu64
                      " not correctly rounded, %" PRIu64 " inversions\n",
                      k->operation, gradient_text(gradient), s->on[i].name, r->inputs, r->max_ulp, bound,
                      r->worst, r->misrounded, r->inversions);
        const char *what = !(r->max_ulp <= bound)             ? "exceeds its bound"
                           : r->inversions > 0                ? "is not in order"
                           : r->wrong > 0                     ? "has a wrong NaN or infinity"
                           : is_exact(k) && r->misrounded > 0 ? "is not correctly rounded"
                           : r->hash != want                  ? "has other bits"
                                                              : NULL;
        if (what == NULL)
            continue;
        failed++;
        print_error("%s%s/f32/%s %s: inversion at %a, hash %016" PRIx64 ", want %016" PRIx64 "\n",
                    k->operation, gradient_text(gradient), s->on[i].name, what, r->inverted, r->hash, want);
    }
    return failed;
}

static size_t sweep_kernel(const kernel *k, bool gradient)
{
    const density best = (density)effort(EVERYTHING, SPARSE), others = (density)effort(DENSE, SPARSE);
    swept s;
    sweep_isas(&s, k, gradient, step_of(k, best), 0, 1);
    const size_t failed = judge(&s, k, gradient, step_of(k, best));
    sweep_isas(&s, k, gradient, step_of(k, others), 1, MOST_ISAS);
    return failed + judge(&s, k, gradient, step_of(k, others));
}

static void every_float(void)
{
    size_t failed = 0;
    for (const kernel *k = kernels; k < kernels + KERNELS; k++) {
        for (int gradient = 0; sweep_knows(k) && gradient <= is_loss(k); gradient++)
            failed += sweep_kernel(k, gradient);
        for (density d = EVERYTHING; is_exact(k) && d < DENSITIES; d++)
            assert_true(golden_hash(k, false, true, step_of(k, d)) ==
                        golden_hash(k, false, false, step_of(k, d)));
    }
    assert_int_equal(failed, 0);
}

static void print_hashes(const kernel *k, bool gradient, size_t step)
{
    swept s;
    sweep_isas(&s, k, gradient, step, 0, MOST_ISAS);
    for (size_t fma = 2; fma-- > 0;)
        for (size_t i = 0; i < s.count; i++)
            if (s.on[i].table->fma == (bool)fma) {
                printf("%s%s %s %zu %016" PRIx64 "\n", k->operation, gradient_text(gradient),
                       class_names[fma], step, s.results[i].hash);
                break;
            }
}

static int print_sweeps(void)
{
    printf("# Hashes of all results in the range of exhaustive.c: kernel, class of ISAs, one block in so "
           "many. Printed "
           "by\n# `test_exhaustive --print`; a change is a decision, with its reason in the commit.\n");
    for (const kernel *k = kernels; k < kernels + KERNELS; k++)
        for (int gradient = 0; sweep_knows(k) && gradient <= is_loss(k); gradient++)
            for (density d = EVERYTHING; d < DENSITIES; d++)
                print_hashes(k, gradient, step_of(k, d));
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--print") == 0)
        return print_sweeps();
    if (count != 1) {
        fprintf(stderr, "test_exhaustive: unknown argument '%s' (--print)\n", arguments[1]);
        return 2;
    }
    const topic topics[] = {{.name = "every float", .once = every_float}};
    return run_test_matrix("exhaustive", topics, sizeof topics / sizeof *topics);
}
