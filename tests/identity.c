/* SPDX-License-Identifier: MIT
 *
 * Same bits: among all ISAs of a class (fused or not), at every size and alignment, in place or not, at any
 * position in the array, and whatever the stride of the class axis.
 *
 * Each ISA is compared with the last of its class that can run, which is plain C.
 */
#include <stdlib.h>
#include <string.h>

#include "workload.h"

static isa plainest_of_class(bool fma)
{
    for (size_t i = isa_count(); i-- > 0;) {
        const isa on = isa_at(i);
        if (on.table != NULL && on.table->fma == fma)
            return on;
    }
    fail_msg("no ISA of this class");
    return isa_at(0);
}

static void assert_same(const kernel *k, const isa *on, const workload *w, const char *variant,
                        const char *how, const float *want, const float *got)
{
    const size_t n = k->outputs(&w->c), at = first_difference(k, want, got, n);
    if (at != n)
        fail_msg("%s/f32/%s, %s, %s: %zu x %zu x %zu, output %zu of %zu: got %a (%08x), want %a (%08x)",
                 k->name, on->name, variant, how, w->c.shape.outer, w->c.shape.classes, w->c.shape.inner, at,
                 n, got[at], bits_of(got[at]), want[at], bits_of(want[at]));
}

/* Copies to `offset` elements past a 64-byte boundary. */
enum { ALIGNMENTS = 16, SLACK = ALIGNMENTS + 16 };

static void *place(void *buffer, const void *from, size_t bytes, size_t offset)
{
    const size_t to_boundary = (64 - (uintptr_t)buffer % 64) % 64;
    char *to = (char *)buffer + to_boundary + offset;
    memcpy(to, from, bytes);
    return to;
}

/* Every array of the call moved to the given offset, the output to another. */
static void compare_at_offset(const kernel *k, const isa *on, const workload *w, const char *variant,
                              const float *want, size_t offset)
{
    const size_t n = elements(w->c.shape), classes = w->c.shape.classes;
    const size_t target_bytes = target_count(k, w->c.shape) * target_size(k);
    float *x = allocate(n + SLACK, sizeof *x), *y = allocate(k->outputs(&w->c) + SLACK, sizeof *y);
    float *weights = allocate(2 * (classes + SLACK), sizeof *weights);
    char *target = allocate(target_bytes + SLACK * sizeof(int64_t), 1);

    workload moved = *w;
    moved.c.x = place(x, w->x, n * sizeof *x, offset * sizeof *x);
    moved.c.y = place(y, y, 0, (offset * 7 + 3) % ALIGNMENTS * sizeof *y);
    moved.c.target = place(target, w->target, target_bytes, offset * target_size(k));
    moved.c.options = &moved.options;
    if (w->options.class_weight != NULL)
        moved.options.class_weight =
            place(weights, w->options.class_weight, classes * sizeof *weights, offset * sizeof *weights);
    if (w->options.pos_weight != NULL)
        moved.options.pos_weight = place(weights + classes + SLACK, w->options.pos_weight,
                                         classes * sizeof *weights, offset * sizeof *weights);
    run(k, on, &moved.c);
    assert_same(k, on, w, variant, "moved", want, moved.c.y);
    if (k->is_map) {
        moved.c.y = (float *)moved.c.x;
        run(k, on, &moved.c);
        assert_same(k, on, w, variant, "in place", want, moved.c.y);
    }
    free(x);
    free(y);
    free(weights);
    free(target);
}

static void compare_with_plainest(const kernel *k, const isa *on, sl_shape shape, const distribution *d,
                                  generator *g, size_t alignments)
{
    const isa plainest = plainest_of_class(on->table->fma);
    for (size_t v = 0; variant_name(k, v) != NULL; v++) {
        workload w;
        workload_make(&w, k, v, shape, d, g);
        run(k, &plainest, &w.c);
        const size_t first = next_below(g, ALIGNMENTS);
        for (size_t a = 0; a < alignments; a++)
            compare_at_offset(k, on, &w, variant_name(k, v), w.c.y, (first + a) % ALIGNMENTS);
        workload_free(&w);
    }
}

/* Three rows of every length around the block size and of longer ones, from every distribution. */
static void sizes(const kernel *k, const isa *on)
{
    static const size_t longer[] = {127, 128, 129, 130, 255, 256, 257, 511, 1000, 1023, 4097, 32003};
    enum { BLOCK = 32, SHORT = 3 * BLOCK + 2, LONGER = sizeof longer / sizeof *longer };
    generator g = {1};
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t i = 0; i < SHORT + LONGER; i++) {
            const size_t n = i < SHORT ? i : longer[i - SHORT],
                         one_in = n > 1000 ? effort(5, 28) : effort(1, 14);
            if (i % one_in != d % one_in)
                continue;
            compare_with_plainest(k, on, sl_rows(3, n), distribution_at(d), &g, i < SHORT ? effort(4, 2) : 1);
        }
}

/* Many short rows, each from another distribution: kernels take several of them at once. */
static void many_rows(const kernel *k, const isa *on)
{
    const distribution *mixed = distribution_at(distribution_count() - 1);
    generator g = {2};
    for (size_t n = 1; n <= 36; n += effort(1, 4))
        for (size_t r = 1; r <= 35; r += effort(1, 13))
            compare_with_plainest(k, on, sl_rows(r, n), mixed, &g, 1);
    for (size_t repeat = 0; repeat < effort(20, 2); repeat++)
        compare_with_plainest(k, on, sl_rows(500 + repeat, 10), mixed, &g, 1);
}

/* A row (or element) has the same result alone as among others. */
static void position(const kernel *k, const isa *on)
{
    const distribution *mixed = distribution_at(distribution_count() - 1);
    generator g = {3};
    for (size_t n = 1; n <= 100; n += effort(1, 9))
        for (size_t v = 0; variant_name(k, v) != NULL; v++) {
            workload w;
            workload_make(&w, k, v, sl_rows(19, n), mixed, &g);
            if (is_loss(k) && w.options.reduction != SL_NONE) {
                workload_free(&w);
                continue;
            }
            run(k, on, &w.c);
            const size_t outputs = k->outputs(&w.c) / 19;
            float *alone = allocate(k->outputs(&w.c), sizeof *alone);
            for (size_t r = 0; r < 19; r++) {
                call c = w.c;
                c.shape.outer = 1;
                c.x += r * n;
                if (is_loss(k))
                    c.target = (const char *)w.target + r * target_count(k, c.shape) * target_size(k);
                c.y = alone + r * outputs;
                run(k, on, &c);
            }
            assert_same(k, on, &w, variant_name(k, v), "row by row", w.c.y, alone);
            free(alone);
            workload_free(&w);
        }
}

/* Elements, targets or outputs of a shape with inner > 1, as rows. */
static float *as_rows(const float *from, sl_shape shape)
{
    float *to = allocate(elements(shape), sizeof *to);
    for (size_t r = 0; r < rows(shape); r++)
        for (size_t c = 0; c < shape.classes; c++)
            to[r * shape.classes + c] = from[element_at(shape, r, c)];
    return to;
}

static void compare_with_rows(const kernel *k, const isa *on, sl_shape shape, generator *g)
{
    const distribution *mixed = distribution_at(distribution_count() - 1);
    for (size_t v = 0; variant_name(k, v) != NULL; v++) {
        workload w;
        workload_make(&w, k, v, shape, mixed, g);
        const size_t n = k->outputs(&w.c);
        const bool output_per_element = k->is_map || (k->by_element && w.options.reduction == SL_NONE);
        if (k->by_element && !output_per_element) { /* sums over elements run in the order of the array */
            workload_free(&w);
            continue;
        }
        float *x = as_rows(w.x, shape), *want = allocate(n, sizeof *want);
        float *target = k->target == PROBABILITIES ? as_rows(w.target, shape) : NULL;
        call c = w.c;
        c.shape = sl_rows(rows(shape), shape.classes);
        c.x = x;
        c.y = want;
        if (target != NULL)
            c.target = target;
        run(k, on, &c);
        run(k, on, &w.c);
        float *got = output_per_element ? as_rows(w.c.y, shape) : NULL;
        assert_same(k, on, &w, variant_name(k, v), "strided", want, got != NULL ? got : w.c.y);
        if (k->is_map) {
            c = w.c;
            c.y = w.x;
            run(k, on, &c);
            assert_same(k, on, &w, variant_name(k, v), "strided in place", w.c.y, w.x);
        }
        free(x);
        free(want);
        free(target);
        free(got);
        workload_free(&w);
    }
}

static void strided(const kernel *k, const isa *on)
{
    static const size_t classes[] = {1,  2,  3,  5,  10, 15, 16,  17,  31,  32,
                                     33, 34, 63, 64, 65, 97, 100, 129, 1000};
    static const size_t inner[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 196};
    generator g = {4};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c += effort(1, 2))
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i += effort(1, 3))
            if (classes[c] * inner[i] <= effort(40000, 3300))
                compare_with_rows(k, on, sl_axis(2, classes[c], inner[i]), &g);
}

int main(void)
{
    const topic topics[] = {
        {.name = "same bits at every size and alignment", .rung = sizes},
        {.name = "same bits of many rows", .rung = many_rows},
        {.name = "same bits alone and among others", .rung = position},
        {.name = "same bits strided and in rows", .rung = strided},
    };
    return ladder_climb("identity", topics, sizeof topics / sizeof *topics);
}
