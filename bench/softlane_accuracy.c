/* SPDX-License-Identifier: MIT
 *
 * softlane-accuracy: the error of every kernel x ISA in ULP against the oracle (kernels/reference.h), beside
 * the bound that kernels.def states, with the worst input as a witness. Rows: many distributions times many
 * widths. Element kernels: also an even sweep of all bit patterns of a float.
 */
#include "arguments.h"
#include "context.h"
#include "distributions.h"
#include "logits.h"
#include "manifest.h"
#include "reference.h"

#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum {
    CASE = 1 << 16, /* elements of a case, or one row if that is wider */
    WIDEST = 128256,
    SWEEP_STEP = 193, /* a prime: every exponent and sign, all kinds of mantissas, 22 million floats */
};
_Static_assert(WIDEST >= CASE, "the arrays are as large as the widest row");
static const uint64_t sweep_end = (uint64_t)1 << 32;

static const sl_loss_options each_loss = {.reduction = SL_NONE};

/* -------------------------------------------------------------------------------------------- the tallies */

struct witness {
    const char *distribution;
    sl_shape shape;
    size_t row, column;
    float x, got;
    double want;
};

/* One line of the report: a kernel on an ISA. */
struct tally {
    const struct kernel *kernel;
    const sl_kernels *isa;
    double max, sum;
    size_t results;
    struct witness worst;
};

static double bound_of(const struct tally *t)
{
    return t->isa->fma ? t->kernel->bound : t->kernel->bound_without_fma;
}

static bool exceeds(const struct tally *t) { return !(t->max <= bound_of(t)); }

/* Where result `i` comes from. A row's result is shown by one logit: the target's, or the largest. */
static struct witness witness_of(const struct kernel *kernel, const char *distribution,
                                 const struct workload *w, size_t i)
{
    struct witness at = {.distribution = distribution, .shape = w->shape};
    size_t classes = w->shape.classes, inner = w->shape.inner;
    if (workload_results(kernel, w) == workload_elements(w)) {
        at.row = i / (classes * inner) * inner + i % inner;
        at.column = i / inner % classes;
        at.x = w->x[i];
        return at;
    }
    const float *row = w->x + i / inner * classes * inner + i % inner;
    at.row = i;
    if (kernel->signature == CLASS_LOSS)
        at.column = (size_t)w->target_class[i];
    else
        for (size_t c = 1; c < classes; c++)
            if (row[c * inner] > row[at.column * inner])
                at.column = c;
    at.x = row[at.column * inner];
    return at;
}

static void count(struct tally *t, const char *distribution, const struct workload *w, const double *want,
                  const double *scale)
{
    size_t results = workload_results(t->kernel, w), worst = results;
    for (size_t i = 0; i < results; i++) {
        double ulp = sl_ref_ulp_at_f32(w->y[i], want[i], scale[i]);
        if (isfinite(ulp))
            t->sum += ulp;
        if (ulp > t->max || (t->results == 0 && i == 0)) {
            t->max = ulp;
            worst = i;
        }
    }
    t->results += results;
    if (worst < results) {
        t->worst = witness_of(t->kernel, distribution, w, worst);
        t->worst.got = w->y[worst];
        t->worst.want = want[worst];
    }
}

/* ---------------------------------------------------------------------------------------------- the cases */

/* The arrays of a case and what the oracle says to it. */
static struct {
    float *x, *y, *target_prob;
    int64_t *target_class;
    double *want, *scale;
} memory;

static void *array_of(size_t n, size_t size)
{
    void *array = calloc(n, size);
    if (!array)
        refuse("out of memory");
    return array;
}

static void allocate(size_t elements)
{
    memory.x = array_of(elements, sizeof *memory.x);
    memory.y = array_of(elements, sizeof *memory.y);
    memory.target_prob = array_of(elements, sizeof *memory.target_prob);
    memory.target_class = array_of(elements, sizeof *memory.target_class);
    memory.want = array_of(elements, sizeof *memory.want);
    memory.scale = array_of(elements, sizeof *memory.scale);
}

/* One case: the oracle once, then every ISA of one kernel. What an ISA forgets to write is NaN. */
static void measure(struct tally *tally, size_t tallies, const char *distribution, const struct workload *w)
{
    tally->kernel->refer(w, memory.want, memory.scale);
    for (size_t t = 0; t < tallies; t++) {
        memset(w->y, 0xff, workload_results(tally->kernel, w) * sizeof *w->y);
        tally[t].kernel->run(tally[t].isa, w);
        count(&tally[t], distribution, w, memory.want, memory.scale);
    }
}

static struct workload workload_at(sl_shape shape)
{
    return (struct workload){shape, memory.x, memory.target_prob, memory.target_class, &each_loss, memory.y};
}

static void measure_distributions(struct tally *tally, size_t tallies, sl_shape shape)
{
    const struct workload w = workload_at(shape);
    for (size_t i = 0; i < distribution_count(); i++) {
        generator g = {shape.classes};
        fill_rows(distribution_at(i), &g, memory.x, shape);
        fill_class_ids(&g, memory.target_class, memory.x, shape);
        fill_probabilities(&g, memory.target_prob, workload_elements(&w));
        measure(tally, tallies, distribution_at(i)->name, &w);
    }
}

static void measure_rows(struct tally *tally, size_t tallies)
{
    static const size_t widths[] = {1,   2,   3,    7,    10,   16,    31,    33,
                                    100, 128, 1000, 1023, 4096, 32003, 50257, WIDEST};
    for (size_t i = 0; i < sizeof widths / sizeof widths[0]; i++)
        measure_distributions(tally, tallies, sl_rows(widths[i] < CASE ? CASE / widths[i] : 1, widths[i]));
    measure_distributions(tally, tallies, sl_axis(3, 21, 1024));
    measure_distributions(tally, tallies, sl_axis(50, 100, 13));
}

static void measure_sweep(struct tally *tally, size_t tallies)
{
    generator g = {1};
    for (uint64_t bits = 0; bits < sweep_end;) {
        size_t n = 0;
        for (; n < CASE && bits < sweep_end; n++, bits += SWEEP_STEP)
            memory.x[n] = float_of_bits((uint32_t)bits);
        fill_probabilities(&g, memory.target_prob, n);
        const struct workload w = workload_at(sl_rows(1, n));
        measure(tally, tallies, "sweep", &w);
    }
}

static void measure_kernel(struct tally *tally, size_t tallies, const struct workload *user)
{
    if (user) {
        measure(tally, tallies, "logits", user);
    } else if (kernel_has_rows(tally->kernel)) {
        measure_rows(tally, tallies);
    } else {
        measure_distributions(tally, tallies, sl_rows(1, CASE));
        measure_sweep(tally, tallies);
    }
}

/* --------------------------------------------------------------------------------------------- the report */

static void print_heading(void)
{
    printf("%-27s %7s %6s %6s  %s\n", "kernel/dtype/isa", "max ULP", "bound", "mean",
           "worst: x, distribution, shape [row, column]");
}

static void print_tally(const struct tally *t)
{
    char name[64], shape[64];
    variant_text(t->kernel, t->isa, name, sizeof name);
    shape_text(t->worst.shape, shape, sizeof shape);
    printf("%-27s %7.3f %6.2f %6.3f  %a, %s, %s [%zu,%zu]%s\n", name, t->max, bound_of(t),
           t->sum / (double)t->results, (double)t->worst.x, t->worst.distribution, shape, t->worst.row,
           t->worst.column, exceeds(t) ? "  EXCEEDS THE BOUND" : "");
    fflush(stdout);
}

/* JSON has no infinities and no NaN: they become strings. */
static void json_number(FILE *file, const char *key, double value)
{
    fprintf(file, isfinite(value) ? "\"%s\": %.9g" : "\"%s\": \"%g\"", key, value);
}

static void json_string(FILE *file, const char *text)
{
    fputc('"', file);
    for (; *text; text++) {
        if ((unsigned char)*text < ' ')
            fprintf(file, "\\u%04x", (unsigned)*text);
        else
            fprintf(file, *text == '"' || *text == '\\' ? "\\%c" : "%c", *text);
    }
    fputc('"', file);
}

static void json_context(const char *key, const char *value, void *user)
{
    FILE *file = user;
    fprintf(file, "    \"%s\": ", key);
    json_string(file, value);
    fprintf(file, ",\n");
}

static void json_tally(FILE *file, const struct tally *t)
{
    char name[64], shape[64];
    variant_text(t->kernel, t->isa, name, sizeof name);
    shape_text(t->worst.shape, shape, sizeof shape);
    fprintf(file, "    {\"name\": \"%s\", \"kernel\": \"%s\", \"isa\": \"%s\", ", name, t->kernel->name,
            t->isa->isa);
    json_number(file, "max_ulp", t->max);
    fprintf(file, ", \"bound\": %g, ", bound_of(t));
    json_number(file, "mean_ulp", t->sum / (double)t->results);
    fprintf(file, ", \"results\": %zu,\n     \"worst\": {\"distribution\": \"%s\", ", t->results,
            t->worst.distribution);
    fprintf(file, "\"shape\": \"%s\", \"row\": %zu, \"column\": %zu, ", shape, t->worst.row, t->worst.column);
    fprintf(file, "\"x\": \"%a\", \"got\": \"%a\", \"want\": \"%a\"}}", (double)t->worst.x,
            (double)t->worst.got, t->worst.want);
}

static void write_json(FILE *file, const struct tally *tally, size_t tallies)
{
    struct topology topology = topology_read(false);
    fprintf(file, "{\n  \"context\": {\n");
    context_visit(&topology, json_context, file);
    fprintf(file, "    \"program\": \"softlane-accuracy\"\n  },\n  \"results\": [\n");
    for (size_t t = 0; t < tallies; t++) {
        json_tally(file, &tally[t]);
        fprintf(file, t + 1 < tallies ? ",\n" : "\n");
    }
    fprintf(file, "  ]\n}\n");
}

/* ----------------------------------------------------------------------------------------------- the main */

static void print_help(void)
{
    printf("usage: softlane-accuracy [flags]\n"
           "Measures the error of every kernel and instruction-set variant in ULP, beside its bound.\n\n"
           "  --filter REGEX       only the variants whose kernel/f32/isa matches (POSIX extended)\n"
           "  --json FILE          write the results as JSON, too\n"
           "%s"
           "\nExit code: 0, or 1 when a bound is exceeded, or 2 for bad arguments.\n",
           logits_help);
}

/* One tally for every variant that the filter lets through, kernel by kernel. */
static size_t select_tallies(const char *filter, const struct workload *user, struct tally *tally)
{
    regex_t regex;
    size_t tallies = 0;
    int error = regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char why[128];
        regerror(error, &regex, why, sizeof why);
        refuse("--filter: '%s': %s", filter, why);
    }
    for (size_t k = 0; k < kernel_count; k++)
        for (size_t i = 0; i < sl_isa_count(); i++) {
            const sl_kernels *isa = sl_isa(sl_isa_name_at(i));
            char name[64];
            if (!isa || (user && !workload_suits(&kernels[k], user)))
                continue;
            variant_text(&kernels[k], isa, name, sizeof name);
            if (regexec(&regex, name, 0, NULL, 0) == 0)
                tally[tallies++] = (struct tally){.kernel = &kernels[k], .isa = isa};
        }
    regfree(&regex);
    if (tallies == 0)
        refuse("--filter: '%s' matches no variant", filter);
    return tallies;
}

int main(int argc, char **argv)
{
    static struct workload user = {.options = &each_loss};
    static struct tally *tally;
    const char *logits = NULL, *targets = NULL, *filter = "", *json = NULL;

    arguments_program("softlane-accuracy");
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0) {
            print_help();
            return 0;
        }
        if (!argument_value("--logits", &i, argc, argv, &logits) &&
            !argument_value("--targets", &i, argc, argv, &targets) &&
            !argument_value("--filter", &i, argc, argv, &filter) &&
            !argument_value("--json", &i, argc, argv, &json))
            refuse("unknown argument '%s' (--help)", argv[i]);
    }
    if (targets && !logits)
        refuse("--targets needs --logits");
    arguments_check_environment();
    if (logits)
        logits_load(logits, targets, &user);

    tally = array_of(kernel_count * sl_isa_count(), sizeof *tally);
    size_t tallies = select_tallies(filter, logits ? &user : NULL, tally);
    FILE *file = json ? fopen(json, "w") : NULL;
    if (json && !file)
        refuse("--json: %s: cannot be written", json);

    size_t elements = WIDEST;
    if (logits && workload_elements(&user) > elements)
        elements = workload_elements(&user);
    allocate(elements);
    user.y = memory.y;

    bool exceeded = false;
    print_heading();
    for (size_t t = 0, next; t < tallies; t = next) {
        for (next = t; next < tallies && tally[next].kernel == tally[t].kernel;)
            next++;
        measure_kernel(&tally[t], next - t, logits ? &user : NULL);
        for (size_t i = t; i < next; i++) {
            print_tally(&tally[i]);
            exceeded = exceeded || exceeds(&tally[i]);
        }
    }
    if (file) {
        write_json(file, tally, tallies);
        if (fclose(file) != 0)
            refuse("--json: %s: could not be written to its end", json);
    }
    return exceeded ? 1 : 0;
}
