/* SPDX-License-Identifier: MIT
 *
 * Same bits, everywhere and from version to version: a hash of what each kernel gives on a corpus, for each element
 * type, one for all ISAs of the FMA class and one for all others (golden/hashes.txt).
 *
 * The corpus is made by integer arithmetic and single IEEE operations, nothing of libm, so it is the same on every
 * machine and for every compiler: all distributions, NaN and infinities among them, in shapes that take each of the
 * kernels' ways (short rows, tails, long rows, classes at a stride), through all variants of a loss.
 *
 * `test_golden --print` prints the file that this build would agree with. To take it over is to change the bits of a
 * release: a decision, with its reason in the commit.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "assertions.h"

/* ---- the hash: FNV-1a of values, 8 bytes each */

static uint64_t hash_value(uint64_t hash, uint64_t value)
{
    for (int i = 0; i < 64; i += 8)
        hash = (hash ^ (value >> i & 0xff)) * 0x100000001b3u;
    return hash;
}

/* Kernels of rows promise the very NaN, others only that it is one. */
static uint64_t hash_output(uint64_t hash, const workload *w, size_t output)
{
    const kernel *k = w->k;
    const void *values = w->c.out[output];
    const size_t n = output_count(k, &w->c, output);
    if (output == RESULT && k->result == STATS_PER_ROW)
        for (size_t i = 0; i < n * sizeof(sl_stats) / 8; i++) {
            uint64_t word;
            memcpy(&word, (const char *)values + 8 * i, 8);
            hash = hash_value(hash, word);
        }
    else
        for (size_t i = 0; i < n; i++)
            hash = hash_value(hash, k->by_element && isnan(output_value(k, output, values, i))
                                        ? UINT64_MAX
                                        : output_bits(k, output, values, i));
    return hash;
}

/* ---- the corpus */

/* What a backward kernel or a loss takes as x where that is not logits: workload_make() has it from the oracle, and so
 * from libm. */
static void without_libm(workload *w, generator *g)
{
    const kernel *k = w->k;
    if (k->row == SL_COUNT_log_softmax_backward)
        for (size_t i = 0; i < elements(w->c.shape); i++)
            k->dtype->put(w->x, i, -20 * next_uniform(g));
    else if (!is_in_domain(k, 2))
        for (size_t i = 0; i < elements(w->c.shape); i++) {
            float p;
            fill_probabilities(g, &p, 1);
            k->dtype->put(w->x, i, p);
        }
}

static uint64_t hash_of(const kernel *k, const isa *on)
{
    const sl_shape shapes[] = {sl_rows(7, 1),      sl_rows(9, 5),   sl_rows(19, 16),    sl_rows(5, 33),
                               sl_rows(3, 100),    sl_rows(2, 517), sl_axis(2, 21, 19), sl_rows(1, 4099),
                               sl_axis(2, 70, 17), sl_axis(3, 3, 5)};
    enum { SHAPES = sizeof shapes / sizeof *shapes, CHOSEN = 3 };
    generator g = {k->index};
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t i = 0; i < CHOSEN; i++) {
            const size_t at = d * CHOSEN + i;
            sl_shape shape = shapes[at % SHAPES];
            if (!has_shape(k))
                shape = sl_rows(shape.outer * shape.inner, shape.classes);
            workload w;
            workload_make(&w, k, call_spec_at(k, at % call_spec_count(k)), shape, distribution_at(d), &g);
            without_libm(&w, &g);
            run(k, on, &w.c);
            for (size_t output = 0; output < OUTPUTS; output++)
                if (w.c.out[output] != NULL)
                    hash = hash_output(hash, &w, output);
            workload_free(&w);
        }
    return hash;
}

/* ---- the file */

static const char *const class_names[] = {"no-fma", "fma"};

typedef struct {
    bool known;
    uint64_t hash;
} golden;

static golden goldens[KERNELS][2];

static golden *golden_of(const char *name, const char *class)
{
    for (size_t i = 0; i < KERNELS; i++)
        for (size_t fma = 0; fma < 2; fma++)
            if (strcmp(kernels[i].name, name) == 0 && strcmp(class_names[fma], class) == 0)
                return &goldens[i][fma];
    return NULL;
}

static void one_row_for_each_kernel_and_class(void)
{
    for (size_t i = 0; i < KERNELS; i++)
        for (size_t fma = 0; fma < 2; fma++)
            if (!goldens[i][fma].known)
                fail_msg("%s has no row for %s %s", SOFTLANE_GOLDEN, kernels[i].name, class_names[fma]);
}

/* false, and says why, when the file is not one row for each kernel and class. */
static bool read_goldens(void)
{
    char line[200], name[100], class[20];
    FILE *file = fopen(SOFTLANE_GOLDEN, "r");
    if (file == NULL) {
        perror(SOFTLANE_GOLDEN);
        return false;
    }
    bool fits = true;
    while (fits && fgets(line, sizeof line, file) != NULL) {
        uint64_t hash;
        if (line[0] == '#')
            continue;
        golden *g =
            sscanf(line, "%99s %19s %" SCNx64, name, class, &hash) == 3 ? golden_of(name, class) : NULL;
        fits = g != NULL && !g->known;
        if (fits)
            *g = (golden){true, hash};
        else
            fprintf(stderr, "%s: no kernel and class, or a second time: %s", SOFTLANE_GOLDEN, line);
    }
    fclose(file);
    return fits;
}

static void has_golden_bits(const kernel *k, const isa *on)
{
    const golden *want = &goldens[k->index][on->table->fma];
    next_run_streams(false);
    uint64_t got = hash_of(k, on);
    next_run_streams(true);
    if (got == want->hash)
        got = hash_of(k, on);
    if (got != want->hash)
        fail_msg("%s/%s, class %s: hash %016" PRIx64 ", want %016" PRIx64, k->name, on->name,
                 class_names[on->table->fma], got, want->hash);
}

static int print_goldens(void)
{
    printf("# Hashes of all kernels' bits on the corpus of golden.c, for each of the two classes of ISAs. "
           "Printed by\n"
           "# `test_golden --print`; a change is a decision, with its reason in the commit.\n");
    for (size_t i = 0; i < KERNELS; i++)
        for (size_t fma = 2; fma-- > 0;)
            for (size_t j = isa_count(); j-- > 0;) {
                const isa on = isa_at(j);
                if (on.table == NULL || on.table->fma != (bool)fma)
                    continue;
                printf("%s %s %016" PRIx64 "\n", kernels[i].name, class_names[fma],
                       hash_of(&kernels[i], &on));
                break;
            }
    return 0;
}

int main(int count, char **arguments)
{
    if (count == 2 && strcmp(arguments[1], "--print") == 0)
        return print_goldens();
    if (count != 1) {
        fprintf(stderr, "test_golden: unknown argument '%s' (--print)\n", arguments[1]);
        return 2;
    }
    if (!read_goldens())
        return 1;
    const topic topics[] = {
        {.name = "one row for each kernel and class", .once = one_row_for_each_kernel_and_class},
        {.name = "golden bits", .cell = has_golden_bits},
    };
    return run_test_matrix("golden", topics, sizeof topics / sizeof *topics);
}
