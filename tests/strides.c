/* SPDX-License-Identifier: MIT
 *
 * Calls by strides (by_strides.h): rows with a pitch, columns at a stride, class axes with both, of what is read and of what is
 * written apart.
 */
#include "by_strides.h"
#include "overreach.h"

/* ----------------------------------------------------------------------------------------------- strides */

/* Some that the shape may have, in elements; beside each block and class up to `most` others, or nothing. */
static sl_strides random_strides(sl_shape shape, generator *g, size_t most, bool rows_stay_whole)
{
    const size_t class_stride = shape.inner + (rows_stay_whole ? 0 : next_below(g, 2) * next_below(g, most)),
                 block = (shape.classes - 1) * class_stride + shape.inner,
                 outer = block + next_below(g, 3) / 2 * next_below(g, most) + next_below(g, 2) * 3;
    const bool given = class_stride != shape.inner || next_below(g, 2) == 0;
    return (sl_strides){next_below(g, 8) == 0 && outer == shape.classes * class_stride ? 0 : (ptrdiff_t)outer,
                        given ? (ptrdiff_t)class_stride : 0};
}

/* Whole pages from run to run, one more than it fills. */
static sl_strides page_strides(sl_shape shape, size_t size, bool rows_stay_whole)
{
    const size_t page = page_size() / size;
    if (rows_stay_whole)
        return (sl_strides){(ptrdiff_t)((shape.classes / page + 2) * page), 1};
    const size_t class_stride = (shape.inner / page + 2) * page;
    return (sl_strides){(ptrdiff_t)((shape.classes + 1) * class_stride), (ptrdiff_t)class_stride};
}

static void run_shape(const kernel *k, const isa *on, sl_shape shape, generator *g)
{
    const bool whole = shape.inner == 1 && next_below(g, 4) != 0; /* contiguous rows */
    workload w;
    workload_make(&w, k, call_spec_at(k, next_below(g, call_spec_count(k))), shape,
                  distribution_at(next_below(g, 2) == 0 ? 0 : distribution_count() - 1), g);
    next_run_streams(false);
    run(k, on, &w.c);
    const sl_strides in = random_strides(shape, g, 40, whole), out = random_strides(shape, g, 40, whole);
    assert_same_by_strides(on, &w, in, out, ANYWHERE);
    const bool alike = next_below(g, 2) == 0;
    assert_same_by_strides(on, &w, alike ? in : (sl_strides){0, 0}, alike ? in : out, ANYWHERE);
    workload_free(&w);
}

static void some_rows(const kernel *k, const isa *on)
{
    static const size_t longer[] = {64, 100, 128, 129, 257, 517, 1000, 1040, 4097, 5000, 9000, 16400};
    enum { SHORT = 34, LONGER = sizeof longer / sizeof *longer };
    generator g = {51};
    for (size_t i = 0; i < SHORT + LONGER; i++)
        for (size_t n = 0; n < 6; n++) {
            const size_t classes = i < SHORT ? i + 1 : longer[i - SHORT];
            if (is_chosen(k, i * 6 + n, effort(2, 4)))
                run_shape(k, on, sl_rows(1 + next_below(&g, classes > 1000 ? 5 : 40), classes), &g);
        }
}

static void some_axes(const kernel *k, const isa *on)
{
    static const size_t classes[] = {1, 2, 3, 10, 17, 32, 33, 65, 150},
                        inner[] = {2, 3, 4, 7, 8, 16, 17, 33, 49, 64, 83, 160};
    generator g = {52};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
            if (is_chosen(k, c + 3 * i, effort(2, 4)))
                run_shape(k, on, sl_axis(1 + next_below(&g, 3), classes[c], inner[i]), &g);
}

static void run_between_pages(const kernel *k, const isa *on, sl_shape shape, generator *g)
{
    const bool whole = shape.inner == 1 && next_below(g, 4) != 0;
    const sl_strides strides = page_strides(shape, k->dtype->size, whole);
    workload w;
    workload_make(&w, k, call_spec_at(k, next_below(g, call_spec_count(k))), shape,
                  distribution_at(distribution_count() - 1), g);
    run(k, on, &w.c);
    assert_same_by_strides(on, &w, strides, strides, RUNS_BEGIN_PAGES);
    assert_same_by_strides(on, &w, strides, strides, RUNS_END_PAGES);
    workload_free(&w);
}

static void between_pages(const kernel *k, const isa *on)
{
    skip_where_loads_overreach(on);
    static const size_t classes[] = {1, 2, 3, 4, 5, 7, 8, 10, 16, 31, 32, 33, 64, 100, 255, 1030, 4100},
                        inner[] = {1, 1, 2, 3, 4, 8, 16, 17, 40};
    generator g = {53};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i++) {
            const size_t most_rows = classes[c] * inner[i] > 1000 ? 3 : 19;
            const size_t outer = 1 + next_below(&g, inner[i] == 1 ? most_rows : 2);
            if (is_chosen(k, c + 5 * i, effort(12, 16)) && (inner[i] == 1 || classes[c] <= 100) &&
                takes_shape(k, sl_axis(1, 1, inner[i])))
                run_between_pages(k, on, sl_axis(outer, classes[c], inner[i]), &g);
        }
}

/* With strides. */
static bool takes_axes(const kernel *k) { return takes_strides(k) && takes_shape(k, sl_axis(1, 1, 2)); }

int main(void)
{
    const topic topics[] = {
        {.name = "rows", .cell = some_rows, .applies_to = takes_strides},
        {.name = "class axes", .cell = some_axes, .applies_to = takes_axes},
        {.name = "inaccessible pages between runs", .cell = between_pages, .applies_to = takes_strides},
    };
    return run_test_matrix("strides", topics, sizeof topics / sizeof *topics);
}
