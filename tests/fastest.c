/* SPDX-License-Identifier: MIT
 *
 * What scripts/export.py writes for a tuning file chooses what the library chooses when it has loaded that file; elsewhere
 * what of it the CPU has, and else the automatic choice. scripts/check_export makes the export, with the prefix tuned, and
 * the file; bits cannot tell which variant has run, so the export's own choice is looked at, inside its source.
 *
 *   test_fastest FILE     on the machine of the file
 *   test_fastest          on any other
 */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dispatch.h"

#include "tuned.c"

/* What the file lists: kernel, element type. */
#define LISTED(DO) DO(softmax, f32) DO(softmax, bf16) DO(sigmoid, f32) DO(sigmoid_fast, f32)

static int failures;

static void expect(const char *what, size_t n, const char *got, const char *want)
{
    if (strcmp(got, want) == 0)
        return;
    printf("FAILED %s of %zu: %s instead of %s\n", what, n, got, want);
    failures++;
}

static const char *const row_names[] = {
#define SL_ISA(name, ...) #name,
#include "isas.def"
#undef SL_ISA
    "",
};

/* The winner, if it can run and has the bits of the automatic choice. */
static const char *usable(unsigned row)
{
    const sl_kernels *winner = sl_isa(row_names[row]), *automatic = sl_isa(NULL);
    return (winner && winner->fma == automatic->fma ? winner : automatic)->isa;
}

static void compare(bool is_loaded, const char *wanted)
{
    for (size_t from = 1; from != 0; from *= 2)
        for (size_t n = from - 1; n <= from; n++) {
#define COMPARE(kernel, dt)                                                                                  \
    {                                                                                                        \
        const unsigned row = TUNED_FASTEST_##kernel##_##dt(n);                                               \
        const char *want = is_loaded ? sl_active_for(SL_SLOT(kernel, dt), n)->isa : usable(row);             \
        expect(#kernel "/" #dt, n, tuned_active_or(row)->isa, wanted ? wanted : want);                       \
    }
            LISTED(COMPARE)
        }
}

/* By whichever variant. */
static void compare_bits(void)
{
    enum { MOST = 1 << 15 };
    static float x[MOST], got[MOST], want[MOST];
    for (size_t i = 0; i < MOST; i++)
        x[i] = (float)(i * 7919 % 1000) / 50 - 10;
    for (size_t n = 1; n <= MOST; n *= 2) {
        if (tuned_softmax_f32(x, got, tuned_rows(1, n)) != TUNED_OK ||
            sl_softmax_f32(x, want, sl_rows(1, n)) != SL_OK || memcmp(got, want, n * sizeof *x) != 0)
            expect("the bits of softmax/f32", n, "others", "the library's");
    }
}

int main(int argc, char **argv)
{
    const bool is_loaded = argc > 1;
    const char *wanted = getenv("SOFTLANE_ISA");
    if (is_loaded && sl_tune_load(argv[1]) != SL_OK) {
        printf("FAILED %s: the library refuses it\n", argv[1]);
        return 1;
    }
    compare(is_loaded, wanted);
    compare_bits();
    if (!tuned_isa_force("scalar")) {
        printf("FAILED scalar cannot be wanted\n");
        return 1;
    }
    compare(is_loaded, "scalar");
    tuned_isa_force(NULL);
    compare(is_loaded, wanted);
    printf("%s: softmax/f32 by %s, %s, %s\n", sl_isa(NULL)->isa,
           tuned_active_or(TUNED_FASTEST_softmax_f32(1))->isa,
           tuned_active_or(TUNED_FASTEST_softmax_f32(4096))->isa,
           tuned_active_or(TUNED_FASTEST_softmax_f32(1 << 20))->isa);
    return failures != 0;
}
