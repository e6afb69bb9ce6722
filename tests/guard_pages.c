/* SPDX-License-Identifier: MIT
 *
 * No kernel touches memory outside its arrays: every array lies directly before, then directly after an
 * inaccessible page, and the accessible rest of its pages stays as it was. Inputs are read-only pages while
 * the kernel runs.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "masked_load.h"
#include "workload.h"

enum { CANARY = 0xa5 };

/* Pages between two inaccessible ones, all of them CANARY but for one array at their end or start. */
typedef struct {
    char *pages;
    size_t size; /* of the accessible part */
    char *array;
    size_t bytes;
} guarded;

static size_t page_size(void) { return (size_t)sysconf(_SC_PAGESIZE); }

static guarded guard_new(size_t most_bytes)
{
    const size_t page = page_size(), size = (most_bytes / page + 1) * page;
    char *all = mmap(NULL, size + 2 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(all != MAP_FAILED);
    assert_int_equal(mprotect(all + page, size, PROT_READ | PROT_WRITE), 0);
    return (guarded){all + page, size, NULL, 0};
}

static void guard_free(const guarded *g) { munmap(g->pages - page_size(), g->size + 2 * page_size()); }

/* Puts an array of `bytes` at the end or the start. */
static void *guard_place(guarded *g, bool at_end, const void *from, size_t bytes)
{
    assert_int_equal(mprotect(g->pages, g->size, PROT_READ | PROT_WRITE), 0);
    memset(g->pages, CANARY, g->size);
    g->array = at_end ? g->pages + g->size - bytes : g->pages;
    g->bytes = bytes;
    if (from != NULL)
        memcpy(g->array, from, bytes);
    return g->array;
}

static void guard_make_read_only(const guarded *g)
{
    assert_int_equal(mprotect(g->pages, g->size, PROT_READ), 0);
}

static bool guard_is_intact(const guarded *g)
{
    for (const char *p = g->pages; p < g->pages + g->size; p++)
        if ((p < g->array || p >= g->array + g->bytes) && *p != (char)CANARY)
            return false;
    return true;
}

typedef struct {
    guarded x, y, target, class_weight, pos_weight;
} arrays;

static arrays arrays_new(sl_shape most)
{
    const size_t n = elements(most), classes = most.classes * sizeof(float);
    return (arrays){guard_new(n * sizeof(float)), guard_new(n * sizeof(float)),
                    guard_new(n * sizeof(int64_t)), guard_new(classes), guard_new(classes)};
}

static void arrays_free(const arrays *a)
{
    guard_free(&a->x);
    guard_free(&a->y);
    guard_free(&a->target);
    guard_free(&a->class_weight);
    guard_free(&a->pos_weight);
}

static void run_guarded(const kernel *k, const isa *on, workload *w, arrays *a, bool inputs_at_end,
                        bool output_at_end)
{
    const sl_shape shape = w->c.shape;
    const size_t bytes = elements(shape) * sizeof(float), outputs = k->outputs(&w->c);
    sl_loss_options options = w->options;
    call c = w->c;
    c.options = &options;
    c.x = guard_place(&a->x, inputs_at_end, w->x, bytes);
    c.target = guard_place(&a->target, inputs_at_end, w->target, target_count(k, shape) * target_size(k));
    if (options.class_weight != NULL)
        options.class_weight =
            guard_place(&a->class_weight, inputs_at_end, w->class_weight, shape.classes * sizeof(float));
    if (options.pos_weight != NULL)
        options.pos_weight =
            guard_place(&a->pos_weight, inputs_at_end, w->pos_weight, shape.classes * sizeof(float));
    c.y = guard_place(&a->y, output_at_end, NULL, outputs * sizeof(float));
    guard_make_read_only(&a->x);
    guard_make_read_only(&a->target);
    guard_make_read_only(&a->class_weight);
    guard_make_read_only(&a->pos_weight);
    run(k, on, &c);
    if (!guard_is_intact(&a->y))
        fail_msg("%s/f32/%s writes outside its output: %zu x %zu x %zu", k->name, on->name, shape.outer,
                 shape.classes, shape.inner);
    if (first_difference(k, w->c.y, c.y, outputs) != outputs)
        fail_msg("%s/f32/%s depends on where its arrays are: %zu x %zu x %zu", k->name, on->name, shape.outer,
                 shape.classes, shape.inner);
    if (!k->is_map)
        return;
    c.y = guard_place(&a->x, inputs_at_end, w->x, bytes);
    c.x = c.y;
    run(k, on, &c);
    if (!guard_is_intact(&a->x))
        fail_msg("%s/f32/%s in place writes outside: %zu x %zu x %zu", k->name, on->name, shape.outer,
                 shape.classes, shape.inner);
}

static void run_shape(const kernel *k, const isa *on, arrays *a, sl_shape shape, generator *g)
{
    const distribution *mixed = distribution_at(distribution_count() - 1);
    for (size_t v = 0; variant_name(k, v) != NULL; v++) {
        workload w;
        workload_make(&w, k, v, shape, mixed, g);
        run(k, on, &w.c);
        for (unsigned ends = 0; ends < 4; ends++)
            run_guarded(k, on, &w, a, ends & 1, ends & 2);
        workload_free(&w);
    }
}

static void one_row(const kernel *k, const isa *on)
{
    skip_where_masked_loads_fault(on);
    static const size_t longer[] = {127, 128, 129, 255, 257, 1000, 1023, 4097};
    enum { SHORT = 3 * 32 + 2, LONGER = sizeof longer / sizeof *longer };
    arrays a = arrays_new(sl_rows(1, 4097));
    generator g = {10};
    for (size_t i = 0; i < SHORT + LONGER; i += effort(1, 5))
        run_shape(k, on, &a, sl_rows(1, i < SHORT ? i : longer[i - SHORT]), &g);
    arrays_free(&a);
}

static void many_rows(const kernel *k, const isa *on)
{
    skip_where_masked_loads_fault(on);
    arrays a = arrays_new(sl_rows(35, 40));
    generator g = {11};
    for (size_t n = 1; n <= 40; n += effort(1, 8))
        for (size_t r = 2; r <= 35; r += effort(3, 16))
            run_shape(k, on, &a, sl_rows(r, n), &g);
    arrays_free(&a);
}

static void strided(const kernel *k, const isa *on)
{
    skip_where_masked_loads_fault(on);
    static const size_t classes[] = {1, 2, 10, 16, 17, 33, 65}, inner[] = {2, 3, 4, 7, 8, 15, 16, 17, 33, 49};
    arrays a = arrays_new(sl_axis(2, 65, 49));
    generator g = {12};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c += effort(1, 2))
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i += effort(1, 3))
            for (size_t outer = 1; outer <= 2; outer++)
                run_shape(k, on, &a, sl_axis(outer, classes[c], inner[i]), &g);
    arrays_free(&a);
}

int main(void)
{
    const topic topics[] = {
        {.name = "one row between guard pages", .rung = one_row},
        {.name = "many rows between guard pages", .rung = many_rows},
        {.name = "strided rows between guard pages", .rung = strided},
    };
    return ladder_climb("guard_pages", topics, sizeof topics / sizeof *topics);
}
