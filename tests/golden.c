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

/* The call_specs are hashed in two sets, each in its row of the file: those with an option that 0.3.0 brought, and all others. */
enum { FIRST, OF_0_3, SETS };
static const char *const set_names[] = {"", "+0.3"};

/* How many there are in a set; the at-th of them, unless `spec` is NULL. */
static size_t specs_of(const kernel *k, size_t set, size_t at, const call_spec **spec)
{
    size_t n = 0;
    for (size_t i = 0; i < call_spec_count(k); i++) {
        const call_spec *v = call_spec_at(k, i);
        if (((v->options & (DIVISOR | Z_LOSS | SOFTCAP | TAKES_LSE)) != 0) != (set == OF_0_3))
            continue;
        if (spec != NULL && n == at)
            *spec = v;
        n++;
    }
    return n;
}

static const call_spec *spec_at(const kernel *k, size_t set, size_t at)
{
    const call_spec *spec = NULL;
    specs_of(k, set, at % specs_of(k, set, 0, NULL), &spec);
    return spec;
}

static uint64_t hash_of(const kernel *k, size_t set, const isa *on)
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
            if (!takes_shape(k, shape))
                shape = sl_rows(shape.outer * shape.inner, shape.classes);
            workload w;
            workload_make(&w, k, spec_at(k, set, at), shape, distribution_at(d), &g);
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

static golden goldens[KERNELS][SETS][2];

static void put_name(const kernel *k, size_t set, char name[100])
{
    snprintf(name, 100, "%s%s", k->name, set_names[set]);
}

static golden *golden_of(const char *name, const char *class)
{
    for (size_t i = 0; i < KERNELS; i++)
        for (size_t set = 0; set < SETS; set++)
            for (size_t fma = 0; fma < 2; fma++) {
                char its_name[100];
                put_name(&kernels[i], set, its_name);
                if (strcmp(its_name, name) == 0 && strcmp(class_names[fma], class) == 0 &&
                    specs_of(&kernels[i], set, 0, NULL) > 0)
                    return &goldens[i][set][fma];
            }
    return NULL;
}

static void one_row_for_each_kernel_and_class(void)
{
    for (size_t i = 0; i < KERNELS; i++)
        for (size_t set = 0; set < SETS; set++)
            for (size_t fma = 0; fma < 2; fma++)
                if (!goldens[i][set][fma].known && specs_of(&kernels[i], set, 0, NULL) > 0)
                    fail_msg("%s has no row for %s%s %s", SOFTLANE_GOLDEN, kernels[i].name, set_names[set],
                             class_names[fma]);
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
    for (size_t set = 0; set < SETS; set++) {
        const golden *want = &goldens[k->index][set][on->table->fma];
        if (specs_of(k, set, 0, NULL) == 0)
            continue;
        next_run_streams(false);
        uint64_t got = hash_of(k, set, on);
        next_run_streams(true);
        if (got == want->hash)
            got = hash_of(k, set, on);
        if (got != want->hash)
            fail_msg("%s%s/%s, class %s: hash %016" PRIx64 ", want %016" PRIx64, k->name, set_names[set],
                     on->name, class_names[on->table->fma], got, want->hash);
    }
}

static int print_goldens(void)
{
    printf("# Hashes of all kernels' bits on the corpus of golden.c, for each of the two classes of ISAs. "
           "Printed by\n"
           "# `test_golden --print`; a change is a decision, with its reason in the commit.\n");
    for (size_t i = 0; i < KERNELS * SETS; i++)
        for (size_t fma = 2; fma-- > 0;)
            for (size_t j = isa_count(); j-- > 0;) {
                const kernel *k = &kernels[i / SETS];
                const isa on = isa_at(j);
                if (on.table == NULL || on.table->fma != (bool)fma || specs_of(k, i % SETS, 0, NULL) == 0)
                    continue;
                printf("%s%s %s %016" PRIx64 "\n", k->name, set_names[i % SETS], class_names[fma],
                       hash_of(k, i % SETS, &on));
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
