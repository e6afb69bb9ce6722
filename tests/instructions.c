/* SPDX-License-Identifier: MIT
 *
 * What scripts/instructions.py counts the instructions of: every kernel, element type and ISA on small rows and on long
 * ones, each in one call of count_cell. Counts do not depend on how busy the machine is, so they show a slow-down where
 * times cannot.
 *
 *   instructions               all cells; prints their names, in order, and how many elements they have
 *   instructions CELL CALLS    one of them, or one of another shape, so many times: a difference of two runs is what a call takes
 *
 * With SOFTLANE_NEON_PEERS the same of other people's NEON kernels, which are cells like those of an ISA.
 */
#include "variants.h"
#include "workload.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifdef SOFTLANE_NEON_PEERS
#include "peers.h"
static const sl_kernels *const peers[] = {&peer_xnnpack, &peer_sleef};
enum { PEERS = sizeof peers / sizeof *peers };
#else
static const sl_kernels *const *const peers = NULL;
enum { PEERS = 0 };
#endif

enum { LARGEST = 8192 };

static call measured;

/* Counting starts and ends with it, so it must be a function. */
__attribute__((noinline)) void count_cell(const variant *v);
void count_cell(const variant *v)
{
    v->kernel->run(v->isa, &measured);
    __asm__ volatile("" ::: "memory");
}

static void fill(const sl_ref_dtype *dtype, void *to, const float *from)
{
    for (size_t i = 0; i < LARGEST; i++)
        dtype->put(to, i, from[i]);
}

static void prepare(const variant *v, sl_shape shape)
{
    static const sl_loss_options mean = {.reduction = SL_MEAN};
    static double x[LARGEST], second[LARGEST], y[LARGEST], loss; /* as large as the largest type */
    static int64_t target[LARGEST];
    static sl_stats stats[LARGEST];
    static float values[LARGEST];
    const kernel *k = v->kernel;
    generator g = {1};
    size_t normal = 0;
    while (strcmp(distribution_at(normal)->name, "normal 3") != 0)
        normal++;
    measured = (call){
        .x = x,
        .second = second_is_ids(k) ? (void *)target : second,
        .shape = shape,
        .options = &mean,
        .out = {is_loss(k) ? (void *)&loss : y, v->gradient ? y : NULL},
    };
    fill_rows(distribution_at(normal), &g, values, sl_rows(1, LARGEST));
    fill(k->dtype, x, values);
    logits_to_input_by(k, sl_isa(NULL), x, shape);
    if (k->second == PROBABILITIES)
        fill_probabilities(&g, values, LARGEST);
    fill(k->dtype, second, values);
    for (size_t r = 0; r < (second_is_ids(k) ? second_count(k, shape) : 0); r++)
        target[r] = (int64_t)next_below(&g, shape.classes);
    if (k->result == STATS_PER_ROW)
        measured.out[RESULT] = stats;
    know_rows(k, sl_isa(NULL), &measured, stats);
}

/* The name of a cell, or false where there is none: rows of 10 and 1000 columns, a block's last lanes included. */
static bool cell_at(const variant *v, int which, sl_shape *shape, char name[VARIANT_TEXT + SHAPE_TEXT])
{
    char code[VARIANT_TEXT], size[SHAPE_TEXT];
    if (v->kernel->by_element)
        *shape = sl_rows(1, which ? 4095 : 15);
    else
        *shape = which ? sl_rows(4, 1000) : sl_rows(99, 10);
    variant_text(v, code);
    shape_text(*shape, size);
    snprintf(name, VARIANT_TEXT + SHAPE_TEXT, "%s/%s", code, size);
    return !(v->kernel->one_row && which == 0); /* partial statistics are for long rows */
}

/* Whether `cell` is of this variant, and of what shape. */
static bool is_cell_of(const variant *v, const char *cell, sl_shape *shape)
{
    char code[VARIANT_TEXT];
    size_t rows, classes;
    variant_text(v, code);
    if (strncmp(cell, code, strlen(code)) != 0 ||
        sscanf(cell + strlen(code), "/%zux%zu", &rows, &classes) != 2 || rows == 0 || classes == 0 ||
        rows > LARGEST / classes)
        return false;
    *shape = sl_rows(rows, classes);
    return variant_takes_shape(v, *shape);
}

static bool count_one(const variant *v, size_t count, const char *cell, int calls)
{
    sl_shape shape;
    for (size_t i = 0; i < count; i++)
        if (is_cell_of(&v[i], cell, &shape)) {
            prepare(&v[i], shape);
            for (int c = 0; c < calls; c++)
                count_cell(&v[i]);
            printf("%s %zu\n", cell, elements(shape));
            return true;
        }
    return false;
}

static void count_all(const variant *v, size_t count)
{
    for (size_t i = 0; i < count; i++)
        for (int which = 0; which < 2; which++) {
            char name[VARIANT_TEXT + SHAPE_TEXT];
            sl_shape shape;
            if (!cell_at(&v[i], which, &shape, name))
                continue;
            prepare(&v[i], shape);
            v[i].kernel->run(v[i].isa, &measured); /* what is done once is done */
            count_cell(&v[i]);
            printf("%s %zu\n", name, elements(shape));
        }
}

int main(int argc, char **argv)
{
    variant *v;
    const size_t count = variants_available(&v, peers, PEERS);
    bool found = true;
    if (argc > 1)
        found = count_one(v, count, argv[1], argc > 2 ? atoi(argv[2]) : 1);
    else
        count_all(v, count);
    free(v);
    if (!found)
        fprintf(stderr, "instructions: no cell '%s'\n", argv[1]);
    return found ? 0 : 2;
}
