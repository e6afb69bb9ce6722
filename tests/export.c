/* SPDX-License-Identifier: MIT
 *
 * What scripts/export.py writes for one kernel alone gives the library's bits: every kernel, from an export of
 * its own, beside the library in this program. scripts/check_export makes exports of all kernels, with the prefix
 * export_<kernel>, and exports.h, which includes their headers.
 */
#include <stdlib.h>
#include <string.h>

#include "exports.h"
#include "assertions.h"

/* The library's table with the kernels of the exports in the place of its own. A shape or a set of options has another
 * name in each export, and the same layout. */
static bool exported(const isa *on, sl_kernels *table)
{
    *table = *on->table;
#define PUT(dt, T, L, stem)                                                                                  \
    if (export_##stem##_isa(on->name) == NULL)                                                               \
        return false;                                                                                        \
    _Static_assert(sizeof table->stem##_##dt == sizeof(void (*)(void)), "a slot is a pointer");              \
    memcpy(&table->stem##_##dt, &export_##stem##_isa(on->name)->stem##_##dt, sizeof table->stem##_##dt);
#define SL_KERNEL(name, ...) SL_DTYPES(PUT, name)
#define SL_F32_KERNEL(name, ...) SL_F32(PUT, name)
#include "kernels.def"
#undef SL_KERNEL
#undef PUT
    return true;
}

static void set_caches(size_t bytes)
{
#define SL_KERNEL(name, ...) export_##name##_set_cache_bytes(bytes);
#include "kernels.def"
#undef SL_KERNEL
}

static size_t compared;

static void has_the_library_s_bits(const kernel *k, const isa *on)
{
    const sl_shape shapes[] = {sl_rows(1, 1), sl_rows(5, 10), sl_rows(3, 257), sl_axis(2, 100, 7)};
    enum { SHAPES = sizeof shapes / sizeof *shapes };
    isa other = *on;
    sl_kernels table;
    if (!exported(on, &table))
        return; /* not among the exported ISAs */
    other.table = &table;
    generator g = {k->index};
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t i = 0; i < SHAPES; i++) {
            sl_shape shape = shapes[i];
            if (!takes_shape(k, shape))
                shape = sl_rows(shape.outer * shape.inner, shape.classes);
            workload w;
            duplicate copy;
            workload_make(&w, k, call_spec_at(k, (d * SHAPES + i) % call_spec_count(k)), shape,
                          distribution_at(d), &g);
            duplicate_make(&copy, &w);
            run(k, on, &w.c);
            set_caches(i % 2 ? 1 : 0);
            run(k, &other, &copy.w.c);
            assert_same_outputs(on, &w, &copy.w, "exported");
            duplicate_free(&copy);
            workload_free(&w);
            compared++;
        }
}

static void something_was_compared(void) { assert_true(compared >= KERNELS); }

int main(void)
{
    const topic topics[] = {
        {.name = "the library's bits", .cell = has_the_library_s_bits},
        {.name = "something was compared", .once = something_was_compared},
    };
    return run_test_matrix("export", topics, sizeof topics / sizeof *topics);
}
