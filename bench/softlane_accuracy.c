/* SPDX-License-Identifier: MIT
 *
 * softlane-accuracy: the error of every kernel x element type x ISA in ULP against the oracle
 * (kernels/reference.h), beside the bound that kernels.def states, with the worst input as a witness. Rows:
 * many distributions times many widths. Element kernels: also bit patterns of all magnitudes, of 16-bit types
 * all there are; of f32 all there are with --exhaustive.
 */
#include <inttypes.h>
#include <math.h>
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "check_output.h"
#include "context.h"
#include "distributions.h"
#include "interrupt.h"
#include "measure.h"
#include "peers.h"
#include "progress.h"

static size_t compared(const struct error_stats *t) { return t->results - t->not_compared; }

/* NaN: nothing was compared. */
static double max_of(const struct error_stats *t) { return compared(t) ? t->max : NAN; }
static double mean_of(const struct error_stats *t)
{
    return compared(t) ? t->sum / (double)compared(t) : NAN;
}

/* Your own logits may be any input. */
static bool any_input;
static double its_bound(const struct error_stats *t) { return variant_bound(&t->variant, any_input); }

static bool exceeds(const struct error_stats *t) { return compared(t) && !(t->max <= its_bound(t)); }

/* --------------------------------------------------------------------------------------------- the report */

static void print_heading(void)
{
    printf("%-34s %7s %5s %6s  %s\n", "kernel/dtype/isa", "max ULP", "bound", "mean",
           "worst: x, distribution, shape [row, column]");
}

static void print_witness(const struct witness *w)
{
    char shape[SHAPE_TEXT];
    shape_text(w->shape, shape);
    printf("%a, %s, %s [%zu,%zu]", w->x, w->distribution, shape, w->row, w->column);
}

static void print_error_stats(const struct error_stats *t)
{
    char name[VARIANT_TEXT];
    variant_text(&t->variant, name);
    if (compared(t)) {
        printf(t->max < 1000 ? "%-34s %7.3f %5.2f %6.3f  " : "%-34s %7.1e %5.2f %6.2g  ", name, t->max,
               its_bound(t), mean_of(t));
        print_witness(&t->worst);
        printf("%s", exceeds(t) ? "  EXCEEDS THE BOUND" : "");
    } else {
        printf("%-34s %7s %5.2f %6s  ", name, "-", its_bound(t), "-");
    }
    if (t->not_compared > 0) {
        printf("%s%zu of %zu not compared: NaN, as the oracle's, the first at ", compared(t) ? "; " : "",
               t->not_compared, t->results);
        print_witness(&t->first_not_compared);
    }
    printf("\n");
    if (t->sweep)
        printf("%34s of %" PRIu64 " inputs %" PRIu64 " not correctly rounded (%" PRIu64
               " too near a tie to say), %" PRIu64 " out of order;\n%34s results: %" PRIu64 " NaN, %" PRIu64
               " infinite, %" PRIu64 " denormal, %" PRIu64 " wrongly NaN, infinite or finite\n",
               "", t->sweep->inputs, t->sweep->misrounded, t->sweep->undecided, t->sweep->inversions, "",
               t->sweep->nans, t->sweep->infinities, t->sweep->denormals, t->sweep->wrong);
    fflush(stdout);
}

/* "cross_entropy+grad/f32" */
enum { KERNEL_TEXT = VARIANT_TEXT + 8 };
static void kernel_text(const variant *v, char text[KERNEL_TEXT])
{
    char name[VARIANT_TEXT];
    variant_operation_text(v, name);
    snprintf(text, KERNEL_TEXT, "%s/%.6s", name, v->kernel->dtype->name);
}

static void print_cell(double ulp)
{
    if (ulp < 0)
        printf(" %9s", "-"); /* nothing was compared */
    else
        printf(ulp < 9999 ? " %9.3f" : " %9.2e", ulp);
}

/* The largest error for each distribution, a column for each variant. */
static void print_full_suite(const struct error_stats *error_stats, size_t alike)
{
    char heading[KERNEL_TEXT];
    kernel_text(&error_stats->variant, heading);
    printf("max ULP, rows of 1 to %d columns\n%-34s", FULL_SUITE_WIDEST, heading);
    for (size_t i = 0; i < alike; i++)
        printf(" %9s", error_stats[i].variant.isa->isa);
    printf("\n");
    for (size_t d = 0; d < distribution_count(); d++) {
        printf("    %-30s", distribution_at(d)->name);
        for (size_t i = 0; i < alike; i++)
            print_cell(error_stats[i].by_distribution[d]);
        printf("\n");
    }
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

/* Where it was found, as members of an object that has more. */
static void json_witness(FILE *file, const kernel *k, const struct witness *w)
{
    char shape[SHAPE_TEXT];
    shape_text(w->shape, shape);
    fprintf(file, "\"distribution\": \"%s\", \"shape\": \"%s\", \"row\": %zu, \"column\": %zu, \"x\": \"%a\"",
            w->distribution, shape, w->row, w->column, w->x);
    if (k->second == DY || k->second == PROBABILITIES)
        fprintf(file, ", \"second\": \"%a\"", w->second);
}

static void json_error_stats(FILE *file, const struct error_stats *t)
{
    const kernel *k = t->variant.kernel;
    char name[VARIANT_TEXT], kernel[VARIANT_TEXT];
    variant_text(&t->variant, name);
    variant_operation_text(&t->variant, kernel);
    fprintf(file,
            "    {\"name\": \"%s\", \"kernel\": \"%s\", \"dtype\": \"%s\", \"isa\": \"%s\", \"fma\": %s, ",
            name, kernel, k->dtype->name, t->variant.isa->isa, t->variant.isa->fma ? "true" : "false");
    json_number(file, "max_ulp", max_of(t));
    fprintf(file, ", ");
    json_number(file, "bound", its_bound(t));
    fprintf(file, ", ");
    json_number(file, "mean_ulp", mean_of(t));
    fprintf(file, ", \"results\": %zu, \"not_compared\": %zu,\n     \"worst\": {", t->results,
            t->not_compared);
    json_witness(file, k, &t->worst);
    fprintf(file, ", \"got\": \"%a\", \"want\": \"%La\"}", t->worst.got, t->worst.want);
    if (t->not_compared > 0) {
        fprintf(file, ",\n     \"first_not_compared\": {");
        json_witness(file, k, &t->first_not_compared);
        fprintf(file, "}");
    }
    if (t->sweep)
        fprintf(file,
                ",\n     \"all_floats\": {\"not_correctly_rounded\": %" PRIu64 ", \"undecided\": %" PRIu64
                ", \"out_of_order\": %" PRIu64 ", \"wrong\": %" PRIu64 ", \"nan\": %" PRIu64
                ", \"infinite\": %" PRIu64 ", \"denormal\": %" PRIu64 "}",
                t->sweep->misrounded, t->sweep->undecided, t->sweep->inversions, t->sweep->wrong,
                t->sweep->nans, t->sweep->infinities, t->sweep->denormals);
    for (size_t d = 0; t->by_distribution && d < distribution_count(); d++) {
        fprintf(file, d ? ", " : ",\n     \"max_ulp_of\": {");
        json_number(file, distribution_at(d)->name, t->by_distribution[d] < 0 ? NAN : t->by_distribution[d]);
    }
    if (t->by_distribution)
        fprintf(file, "}");
    if (t->by_x) {
        fprintf(file, ",\n     \"ulp_of_x\": ");
        error_curve_json(t->by_x, file);
    }
    fprintf(file, "}");
}

static void write_json(FILE *file, const struct error_stats *error_stats, size_t selected)
{
    struct topology topology = topology_read(false);
    fprintf(file, "{\n  \"context\": {\n");
    context_visit(&topology, json_context, file);
    fprintf(file, "    \"program\": \"softlane-accuracy\"\n  },\n  \"results\": [\n");
    for (size_t t = 0; t < selected; t++) {
        json_error_stats(file, &error_stats[t]);
        fprintf(file, t + 1 < selected ? ",\n" : "\n");
    }
    fprintf(file, "  ]\n}\n");
}

/* ----------------------------------------------------------------------------------------------- the main */

static void print_help(void)
{
    printf(
        "usage: softlane-accuracy [flags]\n"
        "Measures the error of every kernel, element type and instruction-set variant in ULP, beside its\n"
        "bound; kernel+grad is the gradient of a loss. NaN where the oracle has NaN, too, is not compared "
        "but\n"
        "counted; where only one of them has it the error is infinite.\n\n"
        "  --filter REGEX       only the variants whose kernel/dtype/isa matches (POSIX extended)\n"
        "  --exhaustive         of f32 element kernels every float, of row kernels every distribution with\n"
        "                       rows of 1 to 2^20 columns; 3 minutes for\n"
        "                       an element kernel on all ISAs, half an hour in all\n"
        "  --peers LEVEL        other people's kernels, too, as softlane-bench has them\n"
        "  --json FILE          write the results as JSON, too\n"
        "  --by-x               in it, for element kernels: the largest error in each of 300 bins of x\n"
        "%s"
        "  -h, --help           this\n"
        "  --version            the version\n"
        "\nExit code: 0, or 1 when a bound is exceeded or an order broken, or 2 for bad arguments or when "
        "the\n"
        "output cannot be written. Ctrl-C ends the measuring: what is complete is kept.\n",
        logits_help);
}

/* One error_stats for every variant that the filter lets through, kernel by kernel. */
static size_t select_variants(const char *filter, const struct logits *user, const char *level,
                              struct error_stats **error_stats)
{
    regex_t regex;
    int error = regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char why[128];
        regerror(error, &regex, why, sizeof why);
        refuse("--filter: '%s': %s", filter, why);
    }
    variant *variants;
    size_t peers;
    const sl_kernels *const *tables = peers_of(level, &peers);
    const size_t count = variants_available(&variants, tables, peers);
    size_t selected = 0;
    *error_stats = allocate_zeroed(count, sizeof **error_stats);
    for (size_t v = 0; v < count; v++) {
        char name[VARIANT_TEXT];
        variant_text(&variants[v], name);
        if ((!user || logits_suit(user, variants[v].kernel)) && regexec(&regex, name, 0, NULL, 0) == 0)
            (*error_stats)[selected++].variant = variants[v];
    }
    free(variants);
    regfree(&regex);
    if (selected == 0)
        refuse("--filter: '%s' matches no variant", filter);
    return selected;
}

static void ask_for_curves(struct error_stats *error_stats, size_t selected)
{
    for (size_t t = 0; t < selected; t++)
        if (error_stats[t].variant.kernel->by_element) {
            error_stats[t].by_x = allocate_zeroed(1, sizeof *error_stats[t].by_x);
            error_curve_clear(error_stats[t].by_x);
        }
}

static bool go_on(double done)
{
    progress_show(done);
    return !interrupted();
}

/* Measures and prints them, as many as come before an interruption; returns whether a bound is exceeded. */
static bool report(struct error_stats *error_stats, size_t selected, size_t *measured,
                   const struct logits *user, bool exhaustive)
{
    bool exceeded = false;
    char name[KERNEL_TEXT];
    print_heading();
    progress_begin("errors");
    *measured = 0;
    for (size_t t = 0, next; t < selected; t = next) {
        for (next = t;
             next < selected && variants_alike(&error_stats[t].variant, &error_stats[next].variant);)
            next++;
        const variant *v = &error_stats[t].variant;
        if (exhaustive) {
            kernel_text(v, name);
            progress_begin(name);
        } else {
            progress_show((double)t / (double)selected);
        }
        if (exhaustive && sweep_knows(v->kernel))
            measure_sweep(&error_stats[t], next - t, go_on);
        else if (exhaustive && !v->kernel->by_element)
            measure_full_suite(&error_stats[t], next - t, go_on);
        else
            measure_variants(&error_stats[t], next - t, user);
        progress_clear();
        if (interrupted())
            break;
        if (error_stats[t].by_distribution)
            print_full_suite(&error_stats[t], next - t);
        for (size_t i = t; i < next; i++) {
            print_error_stats(&error_stats[i]);
            const sweep_result *all = error_stats[i].sweep;
            exceeded = exceeded || exceeds(&error_stats[i]) ||
                       (all && error_stats[i].variant.isa->needs && (all->inversions || all->wrong));
        }
        *measured = next;
    }
    return exceeded;
}

int main(int argc, char **argv)
{
    struct logits user;
    struct error_stats *error_stats;
    struct logits_flags flags = {.logits = NULL};
    const char *filter = "", *json = NULL, *level = NULL;
    bool exhaustive = false, by_x = false;

    arguments_program("softlane-accuracy");
    for (int i = 1; i < argc; i++) {
        argument_help_or_version(argv[i], print_help);
        if (strcmp(argv[i], "--exhaustive") == 0)
            exhaustive = true;
        else if (strcmp(argv[i], "--by-x") == 0)
            by_x = true;
        else if (!logits_argument(&flags, &i, argc, argv) &&
                 !argument_value("--peers", &i, argc, argv, &level) &&
                 !argument_value("--filter", &i, argc, argv, &filter) &&
                 !argument_value("--json", &i, argc, argv, &json))
            refuse("unknown argument '%s' (--help)", argv[i]);
    }
    logits_check_flags(&flags);
    if (exhaustive && flags.logits)
        refuse("--exhaustive: not with --logits");
    arguments_check_environment();
    any_input = flags.logits != NULL;
    if (flags.logits)
        logits_load(&flags, &user);
    const size_t selected = select_variants(filter, flags.logits ? &user : NULL, level, &error_stats);
    /* what is there is replaced when there is something to say: a run may be interrupted */
    FILE *file = json ? fopen(json, "a") : NULL;
    if (json && !file)
        refuse("--json: %s: cannot be written", json);

    if (by_x)
        ask_for_curves(error_stats, selected);
    size_t measured;
    interrupt_catch();
    const bool exceeded = report(error_stats, selected, &measured, flags.logits ? &user : NULL, exhaustive);
    if (file && measured > 0) {
        file = freopen(json, "w", file);
        if (file)
            write_json(file, error_stats, measured);
        if (!file || !close_whole(file))
            refuse("--json: %s: could not be written to its end", json);
    }
    return interrupted() ? interrupt_report("softlane-accuracy") : exceeded ? 1 : 0;
}
