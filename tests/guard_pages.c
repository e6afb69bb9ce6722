/* SPDX-License-Identifier: MIT
 *
 * No kernel touches memory outside its arrays: every array lies directly before, then directly after an
 * inaccessible page, and the accessible rest of its pages stays as it was. Inputs are read-only pages while
 * the kernel runs.
 */
#include <stdlib.h>
#include <string.h>

#include "assertions.h"
#include "overreach.h"
#include "pages.h"

/* What lies beside an array, and how much of it is looked after. */
enum { CANARY = 0xa5, CANARIES = 512 };

/* Pages between two inaccessible ones, with an array at their end or start and canaries at its other side. */
typedef struct {
    char *pages;
    size_t size; /* of the accessible part */
    char *array, *canaries;
    size_t canary_count;
} guarded;

static guarded guard_new(size_t most_bytes)
{
    const size_t page = page_size(), size = (most_bytes / page + 1) * page;
    return (guarded){.pages = guarded_pages_new(size), .size = size};
}

static void guard_free(const guarded *g) { guarded_pages_free(g->pages, g->size); }

/* Puts an array of `bytes` at the end or the start. */
static void *guard_place(guarded *g, bool at_end, const void *from, size_t bytes)
{
    pages_allow(g->pages, g->size, READ_WRITE);
    g->array = at_end ? g->pages + g->size - bytes : g->pages;
    const size_t beside = g->size - bytes < CANARIES ? g->size - bytes : CANARIES;
    g->canaries = at_end ? g->array - beside : g->array + bytes;
    g->canary_count = beside;
    memset(g->canaries, CANARY, beside);
    if (from != NULL)
        memcpy(g->array, from, bytes);
    return g->array;
}

static void guard_make_read_only(const guarded *g) { pages_allow(g->pages, g->size, READ_ONLY); }

static bool guard_is_intact(const guarded *g)
{
    for (size_t i = 0; i < g->canary_count; i++)
        if (g->canaries[i] != (char)CANARY)
            return false;
    return true;
}

/* One for each array that a call may have. */
typedef struct {
    guarded of[MOST_ARRAYS];
} guards;

static guards guards_new(const kernel *k, sl_shape most)
{
    guards g;
    const size_t size = k->result == STATS_PER_ROW ? sizeof(sl_stats) : sizeof(int64_t);
    for (size_t i = 0; i < MOST_ARRAYS; i++)
        g.of[i] = guard_new(elements(most) * size);
    return g;
}

static void guards_free(const guards *g)
{
    for (size_t i = 0; i < MOST_ARRAYS; i++)
        guard_free(&g->of[i]);
}

static void assert_intact(const isa *on, const workload *w, const guards *g, size_t arrays, const char *how)
{
    for (size_t i = 0; i < arrays; i++)
        if (!guard_is_intact(&g->of[i]))
            fail_msg("%s/%s, %s, writes outside its output: %zu x %zu x %zu", w->k->name, on->name, how,
                     w->c.shape.outer, w->c.shape.classes, w->c.shape.inner);
}

static void run_guarded(const isa *on, const workload *w, guards *g, bool at_end)
{
    const kernel *k = w->k;
    workload moved;
    array arrays[MOST_ARRAYS];
    workload_copy(&moved, w);
    const size_t n = workload_arrays(&moved, arrays);
    for (size_t i = 0; i < n; i++) {
        const bool input = arrays[i].output == OUTPUTS;
        array_move(&arrays[i], guard_place(&g->of[i], at_end, input ? arrays[i].at : NULL, arrays[i].bytes));
        if (input)
            guard_make_read_only(&g->of[i]);
    }
    run(k, on, &moved.c);
    assert_intact(on, w, g, n, "apart");
    assert_same_outputs(on, w, &moved, "between guard pages");
    const size_t like_x = output_like_x(k);
    if (like_x == OUTPUTS || moved.c.out[like_x] == NULL)
        return;
    moved.c.out[like_x] = guard_place(&g->of[0], at_end, w->x, arrays[0].bytes);
    run(k, on, &moved.c);
    assert_intact(on, w, g, n, "in place");
}

static void run_shape(const kernel *k, const isa *on, guards *g, sl_shape shape, generator *random)
{
    const size_t some = 1 + call_spec_count(k) / 8, first = next_below(random, call_spec_count(k));
    for (size_t v = 0; v < some; v++) {
        workload w;
        workload_make(&w, k, call_spec_at(k, (first + v) % call_spec_count(k)), shape,
                      distribution_at(distribution_count() - 1), random);
        run(k, on, &w.c);
        run_guarded(on, &w, g, true);
        run_guarded(on, &w, g, false);
        workload_free(&w);
    }
}

static void one_row(const kernel *k, const isa *on)
{
    skip_where_loads_overreach(on);
    static const size_t longer[] = {127, 128, 129, 255, 257, 1000, 1023, 4097};
    enum { SHORT = 3 * 32 + 2, LONGER = sizeof longer / sizeof *longer };
    guards g = guards_new(k, sl_rows(1, 4097));
    generator random = {10};
    for (size_t i = 0; i < SHORT + LONGER; i++)
        if (is_chosen(k, i, effort(1, 6)))
            run_shape(k, on, &g, sl_rows(1, i < SHORT ? i : longer[i - SHORT]), &random);
    guards_free(&g);
}

static void many_rows(const kernel *k, const isa *on)
{
    skip_where_loads_overreach(on);
    guards g = guards_new(k, sl_rows(35, 40));
    generator random = {11};
    for (size_t n = 1; n <= 40; n++)
        for (size_t r = 2; r <= 35; r += 3)
            if (is_chosen(k, n + 5 * r, effort(3, 30)))
                run_shape(k, on, &g, sl_rows(r, n), &random);
    guards_free(&g);
}

static void strided(const kernel *k, const isa *on)
{
    skip_where_loads_overreach(on);
    static const size_t classes[] = {1, 2, 10, 16, 17, 33, 65},
                        inner[] = {2, 3, 4, 7, 8, 15, 16, 17, 33, 49, 64, 83};
    guards g = guards_new(k, sl_axis(2, 65, 83));
    generator random = {12};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
            if (is_chosen(k, c + 3 * i, effort(1, 5)))
                run_shape(k, on, &g, sl_axis(1 + next_below(&random, 2), classes[c], inner[i]), &random);
    guards_free(&g);
}

/* ------------------------------------------------------------------------------------------- ignored rows */

/* Logits whose rows from `first` on, `count` of them, are in pages that must not be touched, as long as these rows fill them
 * from their first byte, or to their last one. */
typedef struct {
    char *all;
    size_t size;
} hidden;

static void *hide_rows(hidden *h, const workload *w, size_t first, size_t count)
{
    const size_t page = page_size(), size = w->k->dtype->size, row = w->c.shape.classes * size,
                 bytes = rows(w->c.shape) * row, before = first * row, after = before + count * row;
    h->size = (bytes / page + 4) * page;
    h->all = pages_new(h->size);
    /* the first hidden row begins a page, or the last one ends one */
    const size_t start = first > 0 ? (before / page + 1) * page - before : 2 * page - after % page;
    memcpy(h->all + start, w->c.x, bytes);
    const size_t from = first > 0 ? start + before : 0;
    const size_t to = first + count == rows(w->c.shape) ? h->size : (start + after) / page * page;
    if (to > from)
        pages_allow(h->all + from, to - from, NO_ACCESS);
    return h->all + start;
}

/* Rows r for which (r >= first && r < first + count), and no others, are ignored. */
static void run_ignoring(const kernel *k, const isa *on, sl_shape shape, size_t first, size_t count,
                         generator *random)
{
    workload w, moved;
    hidden h;
    workload_make(&w, k, call_spec_at(k, next_below(random, call_spec_count(k))), shape,
                  distribution_at(next_below(random, 3)), random);
    int64_t *id = w.second;
    for (size_t r = 0; r < rows(shape); r++)
        id[r] = r - first < count ? -100 : (int64_t)next_below(random, shape.classes);
    w.options.has_ignore_index = true;
    w.options.ignore_index = -100;
    run(k, on, &w.c);
    workload_copy(&moved, &w);
    moved.c.x = hide_rows(&h, &w, first, count);
    for (size_t output = 0; output < OUTPUTS; output++)
        if (w.c.out[output] != NULL)
            moved.c.out[output] = allocate(output_count(k, &w.c, output), output_size(k, output));
    run(k, on, &moved.c);
    assert_same_outputs(on, &w, &moved, "ignored rows in hidden pages");
    for (size_t output = 0; output < OUTPUTS; output++)
        free(moved.c.out[output]);
    pages_free(h.all, h.size);
    workload_free(&w);
}

/* The last ones, the first ones, and some between others. */
static void ignored_rows(const kernel *k, const isa *on)
{
    skip_where_loads_overreach(on);
    static const size_t classes[] = {1, 2, 3, 4, 5, 7, 8, 10, 16, 31, 32, 33, 100, 1030};
    generator random = {14};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++) {
        const size_t per_page = page_size() / (classes[c] * k->dtype->size) + 1;
        for (size_t n = 1; n <= 37; n++) {
            if (!is_chosen(k, n + c, effort(3, 20)))
                continue;
            const size_t cut = next_below(&random, n + 1);
            run_ignoring(k, on, sl_rows(n, classes[c]), cut, n - cut, &random);
            run_ignoring(k, on, sl_rows(n, classes[c]), 0, cut, &random);
            run_ignoring(k, on, sl_rows(n + 2 * per_page, classes[c]), n, 2 * per_page, &random);
        }
        run_ignoring(k, on, sl_rows(2 * per_page + 37, classes[c]), 16, 2 * per_page, &random);
    }
}

static bool takes_class_ids(const kernel *k) { return k->second == CLASS_IDS; }

int main(void)
{
    const topic topics[] = {
        {.name = "one row between guard pages", .cell = one_row},
        {.name = "many rows between guard pages", .cell = many_rows},
        {.name = "ignored rows are not read", .cell = ignored_rows, .applies_to = takes_class_ids},
        {.name = "strided rows between guard pages", .cell = strided, .applies_to = has_shape},
    };
    return run_test_matrix("guard_pages", topics, sizeof topics / sizeof *topics);
}
