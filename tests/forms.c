/* SPDX-License-Identifier: MIT
 *
 * One softmax or log-softmax, one set of bits: the kernels read a row once or twice, keep exponentials or not, take rows
 * one by one or side by side, and guess the frame of each row from the one before it. Which of these a call meets is
 * decided by its layout, by what is in place and by the order of its rows. Here the same rows go through all of them, of
 * magnitudes so different that most guesses are wrong, with NaN, infinities and rows of nothing but -inf among them; one
 * hash stands for all forms and for all ISAs of a class. (Rows in parts over threads: properties.c.)
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

enum { ROWS = 37 };

/* The rows of one matrix, in the order in which they are hashed, and where a form leaves its results. */
typedef struct {
    const kernel *k;
    const isa *on;
    size_t classes;
    const char *x;
    char *y, *scratch, *result;
} matrix;

static size_t row_bytes(const matrix *m) { return m->classes * m->k->dtype->size; }

static void call_kernel(const matrix *m, const void *x, void *y, sl_shape shape)
{
    run(m->k, m->on, &(call){.x = x, .shape = shape, .out = {y}});
}

static void in_rows(const matrix *m) { call_kernel(m, m->x, m->y, sl_rows(ROWS, m->classes)); }

static void in_place(const matrix *m)
{
    memcpy(m->y, m->x, ROWS * row_bytes(m));
    call_kernel(m, m->y, m->y, sl_rows(ROWS, m->classes));
}

static void row_by_row(const matrix *m)
{
    for (size_t r = 0; r < ROWS; r++)
        call_kernel(m, m->x + r * row_bytes(m), m->y + r * row_bytes(m), sl_rows(1, m->classes));
}

/* From the last to the first: every row but one is guessed from another neighbour. */
static void backwards(const matrix *m)
{
    for (size_t r = 0; r < ROWS; r++)
        memcpy(m->scratch + (ROWS - 1 - r) * row_bytes(m), m->x + r * row_bytes(m), row_bytes(m));
    call_kernel(m, m->scratch, m->result, sl_rows(ROWS, m->classes));
    for (size_t r = 0; r < ROWS; r++)
        memcpy(m->y + r * row_bytes(m), m->result + (ROWS - 1 - r) * row_bytes(m), row_bytes(m));
}

/* Rows as columns: scratch = x transposed, and y = result transposed back. */
static void side_by_side_to(const matrix *m, char *result)
{
    const size_t size = m->k->dtype->size;
    const sl_shape shape = sl_axis(1, m->classes, ROWS);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < m->classes; c++)
            memcpy(m->scratch + element_at(shape, r, c) * size, m->x + (r * m->classes + c) * size, size);
    call_kernel(m, m->scratch, result, shape);
    for (size_t r = 0; r < ROWS; r++)
        for (size_t c = 0; c < m->classes; c++)
            memcpy(m->y + (r * m->classes + c) * size, result + element_at(shape, r, c) * size, size);
}

static void side_by_side(const matrix *m) { side_by_side_to(m, m->result); }

static void side_by_side_in_place(const matrix *m) { side_by_side_to(m, m->scratch); }

static const struct {
    const char *name;
    void (*run)(const matrix *m);
} forms[] = {{"in rows", in_rows},           {"in place", in_place},
             {"row by row", row_by_row},     {"backwards", backwards},
             {"side by side", side_by_side}, {"side by side in place", side_by_side_in_place}};
enum { FORMS = sizeof forms / sizeof *forms };

static uint64_t hash_bytes(uint64_t hash, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * 0x100000001b3u;
    return hash;
}

/* For each form the hash of its results, over some widths. */
static void hash_forms(const kernel *k, const isa *on, uint64_t hashes[FORMS])
{
    static const size_t widths[] = {1, 2, 10, 16, 31, 33, 64, 100, 517, 1000, 4999, 35008};
    const distribution *mixed = distribution_at(distribution_count() - 1);
    generator g = {30};
    for (size_t f = 0; f < FORMS; f++)
        hashes[f] = 0xcbf29ce484222325u;
    for (size_t i = 0; i < sizeof widths / sizeof *widths - effort(0, 1); i++) {
        const size_t bytes = ROWS * widths[i] * k->dtype->size;
        char *x = allocate(bytes, 1);
        matrix m = {.k = k, .on = on, .classes = widths[i], .x = x};
        m.y = allocate(bytes, 1);
        m.scratch = allocate(bytes, 1);
        m.result = allocate(bytes, 1);
        fill_elements(k->dtype, mixed, &g, x, sl_rows(ROWS, widths[i]));
        for (size_t f = 0; f < FORMS; f++) {
            memset(m.y, 0xa5, bytes);
            forms[f].run(&m);
            hashes[f] = hash_bytes(hashes[f], m.y, bytes);
        }
        free(x);
        free(m.y);
        free(m.scratch);
        free(m.result);
    }
}

/* Of the first ISA that was seen of this class. */
static struct {
    bool known;
    uint64_t hash;
    const char *isa;
} seen[KERNELS][2];

static void all_forms(const kernel *k, const isa *on)
{
    const bool fma = on->table->fma;
    uint64_t hashes[FORMS];
    hash_forms(k, on, hashes);
    print_message("%s/%s, class %s: %016" PRIx64 "\n", k->name, on->name, fma ? "fma" : "no-fma", hashes[0]);
    for (size_t f = 1; f < FORMS; f++)
        if (hashes[f] != hashes[0])
            fail_msg("%s/%s: %s gives %016" PRIx64 ", %s %016" PRIx64, k->name, on->name, forms[f].name,
                     hashes[f], forms[0].name, hashes[0]);
    if (!seen[k->index][fma].known) {
        seen[k->index][fma].known = true;
        seen[k->index][fma].hash = hashes[0];
        seen[k->index][fma].isa = on->name;
    }
    if (hashes[0] != seen[k->index][fma].hash)
        fail_msg("%s: %s gives %016" PRIx64 ", %s %016" PRIx64, k->name, on->name, hashes[0],
                 seen[k->index][fma].isa, seen[k->index][fma].hash);
}

static bool maps_rows(const kernel *k)
{
    return has_shape(k) && !k->by_element && k->second == NO_SECOND && k->result == T_PER_ELEMENT;
}

int main(void)
{
    const topic topics[] = {{.name = "one hash for all forms", .cell = all_forms, .applies_to = maps_rows}};
    return run_test_matrix("forms", topics, sizeof topics / sizeof *topics);
}
