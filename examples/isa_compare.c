/* SPDX-License-Identifier: MIT
 *
 * One kernel on every instruction set that can run here, side by side: how long it takes, and that the bits are the
 * same. Instruction sets with a fused multiply-add are one class of bits, those without are the other.
 */
#include "check_output.h"
#include "usage.h"

#include <softlane.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

enum { ROWS = 64, COLUMNS = 1000, RUNS = 50 };

static float x[ROWS * COLUMNS], y[ROWS * COLUMNS], of_class[2][ROWS * COLUMNS];

/* The shortest of some runs, in ns per element. Through the table: no dispatch, no checks of arguments. */
static double time_softmax(const sl_kernels *kernels)
{
    double shortest = 1e30;
    for (int run = 0; run < RUNS; run++) {
        struct timespec from, to;
        timespec_get(&from, TIME_UTC);
        kernels->softmax_f32(x, y, sl_rows(ROWS, COLUMNS));
        timespec_get(&to, TIME_UTC);
        const double ns = (double)(to.tv_sec - from.tv_sec) * 1e9 + (double)(to.tv_nsec - from.tv_nsec);
        shortest = ns < shortest ? ns : shortest;
    }
    return shortest / (ROWS * COLUMNS);
}

int main(int argc, char **argv)
{
    answer_help(argc, argv, "",
                "Times softmax on every instruction set that can run here, and compares the bits.");
    refuse_more(argc, argv, 0, "");
    check_output_at_exit("isa_compare");
    const char *first[2] = {NULL, NULL}; /* of each class of bits */
    int failed = 0;
    uint32_t state = 1;
    for (int i = 0; i < ROWS * COLUMNS; i++) { /* in [-10, 10) */
        state = state * 1664525 + 1013904223;
        x[i] = ((float)(state >> 8) * 0x1p-23f - 1) * 10;
    }
    for (size_t i = 0; i < sl_isa_count(); i++) {
        const char *name = sl_isa_name_at(i);
        const sl_kernels *kernels = sl_isa(name);
        if (!kernels) {
            printf("%-6s   cannot run: %s\n", name, sl_isa_why_not(name));
            continue;
        }
        const double ns = time_softmax(kernels);
        printf("%-6s %7.3f ns per element, ", name, ns);
        if (!first[kernels->fma]) {
            first[kernels->fma] = name;
            memcpy(of_class[kernels->fma], y, sizeof y);
            printf("first %s FMA\n", kernels->fma ? "with" : "without");
        } else {
            const int same = memcmp(of_class[kernels->fma], y, sizeof y) == 0;
            printf("bits are %s %s\n", same ? "those of" : "NOT those of", first[kernels->fma]);
            failed |= !same;
        }
    }
    return failed;
}
