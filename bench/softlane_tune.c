/* SPDX-License-Identifier: MIT
 *
 * softlane-tune: which variant of each kernel is the fastest on this machine, for calls that fit into the first cache,
 * into the second and into neither; as a file for sl_tune_load (its text: kernels/machine_tuning.h). The variants are those of the
 * automatic choice's class of bits, and each has to be within its bound.
 */
#include <regex.h>
#include <stdlib.h>
#include <string.h>

#include "arguments.h"
#include "check_output.h"
#include "interrupt.h"
#include "progress.h"
#include "topology.h"
#include "tune.h"
#include "machine_tuning.h"

static void print_help(void)
{
    printf(
        "usage: softlane-tune [flags]\n"
        "Measures which instruction-set variant of each kernel and element type is the fastest on this\n"
        "machine, and writes it as a file for sl_tune_load(). A variant that exceeds its error bound is\n"
        "refused; of those that are equally fast (3 %%) the narrower one wins. No result's bits change.\n\n"
        "  --out FILE           where to write it (the standard output)\n"
        "  --filter REGEX       only what matches as kernel/dtype (POSIX extended)\n"
        "  --quick              shorter timings, which tell less\n"
        "  -h, --help           this\n"
        "  --version            the version\n"
        "\nExit code: 0, or 1 when a variant was refused, or 2 for bad arguments or when the output cannot\n"
        "be written. Ctrl-C ends the measuring: winners until then are written.\n");
}

/* The variants that give the bits of the automatic choice, in the order of isas.def. To be freed. */
static size_t find_tables(const sl_kernels ***tables)
{
    size_t count = 0;
    *tables = allocate_zeroed(sl_isa_count(), sizeof **tables);
    for (size_t i = 0; i < sl_isa_count(); i++)
        if (sl_tuning_digit(sl_isa_name_at(i)) != 0)
            (*tables)[count++] = sl_isa(sl_isa_name_at(i));
    return count;
}

/* Which of kernels[] to tune. */
static size_t select_kernels(const char *filter, bool selected[KERNELS])
{
    regex_t regex;
    size_t count = 0;
    const int error = regcomp(&regex, filter, REG_EXTENDED | REG_NOSUB);
    if (error) {
        char why[128];
        regerror(error, &regex, why, sizeof why);
        refuse("--filter: '%s': %s", filter, why);
    }
    for (size_t k = 0; k < KERNELS; k++) {
        selected[k] = regexec(&regex, kernels[k].name, 0, NULL, 0) == 0;
        count += selected[k];
    }
    regfree(&regex);
    if (count == 0)
        refuse("--filter: '%s' matches no kernel", filter);
    return count;
}

static void write_winners(FILE *file, const struct tuner *t, const kernel *k,
                          const sl_kernels *const winner[TUNE_CLASSES], bool *is_first)
{
    struct tune_class classes[TUNE_CLASSES];
    tune_classes(k, t->cache_bytes, classes);
    const sl_kernels *written = NULL; /* which is also what wins where all were refused */
    for (size_t c = 0; c < TUNE_CLASSES; c++) {
        /* Where two classes begin at the same size the larger one has it. */
        const bool is_empty = c + 1 < TUNE_CLASSES && classes[c + 1].from == classes[c].from;
        if (is_empty || winner[c] == written)
            continue;
        fprintf(file,
                "%s\n    {\"kernel\": \"%.*s\", \"dtype\": \"%s\", \"tier\": \"%s\", \"isa\": \"%s\", "
                "\"from\": %zu}",
                *is_first ? "" : ",", (int)sl_stem_length(k->operation), k->operation, k->dtype->name,
                sl_tier_of(k->operation), winner[c]->isa, classes[c].from);
        *is_first = false;
        written = winner[c];
    }
}

int main(int argc, char **argv)
{
    const char *out = NULL, *filter = "";
    bool quick = false;
    arguments_program("softlane-tune");
    for (int i = 1; i < argc; i++) {
        argument_help_or_version(argv[i], print_help);
        if (strcmp(argv[i], "--quick") == 0)
            quick = true;
        else if (!argument_value("--out", &i, argc, argv, &out) &&
                 !argument_value("--filter", &i, argc, argv, &filter))
            refuse("unknown argument '%s' (--help)", argv[i]);
    }
    arguments_check_environment();
    bool selected[KERNELS];
    const size_t count = select_kernels(filter, selected);
    FILE *file = out ? fopen(out, "w") : stdout;
    if (!file)
        refuse("--out: %s: cannot be written", out);

    const sl_kernels **tables;
    const size_t table_count = find_tables(&tables);
    const struct topology topology = topology_read(true);
    const sl_machine machine = sl_machine_read();
    const struct tuner tuner = {
        .tables = tables,
        .count = table_count,
        .cache_bytes = {topology.cache[0].bytes, topology.cache[1].bytes},
        .seconds = quick ? 0.004 : 0.04,
        .refusals = stderr,
    };
    size_t refused = 0, done = 0;
    bool is_first = true;
    interrupt_catch();
    progress_begin("tuning");
    fprintf(file,
            "{\"version\": \"%s\",\n \"machine\": {\"cpu\": \"%s\", \"isas\": \"%s\", \"caches\": \"%s\"},\n",
            SOFTLANE_VERSION, machine.cpu, machine.isas, machine.caches);
    fprintf(file, " \"winners\": [");
    for (size_t k = 0; k < KERNELS && !interrupted(); k++) {
        const sl_kernels *winner[TUNE_CLASSES];
        if (!selected[k])
            continue;
        progress_show((double)done++ / (double)count);
        refused += tune_kernel(&tuner, &kernels[k], winner);
        write_winners(file, &tuner, &kernels[k], winner, &is_first);
    }
    fprintf(file, "\n ]}\n");
    progress_clear();
    if (out && !close_whole(file))
        refuse("--out: %s: could not be written to its end", out);
    free(tables);
    return interrupted() ? interrupt_report("softlane-tune") : refused > 0 ? 1 : 0;
}
