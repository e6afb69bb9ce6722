/* SPDX-License-Identifier: MIT
 *
 * Same bits: among all ISAs of a class (fused or not), at every size and alignment, in place or not, at any
 * position in the array, and whatever the stride of the class axis.
 *
 * Each ISA is compared with the last of its class that can run, which is plain C.
 */
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

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

static const distribution *mixed(void) { return distribution_at(distribution_count() - 1); }

/* Copies to `offset` elements past a 64-byte boundary. */
enum { ALIGNMENTS = 16, SLACK = 64 + ALIGNMENTS * 8 };

static void *place(char *buffer, const array *a, size_t offset)
{
    char *to =
        buffer + (64 - (uintptr_t)buffer % 64) % 64 + offset % ALIGNMENTS * (a->size < 8 ? a->size : 8);
    return a->output == OUTPUTS ? memcpy(to, a->at, a->bytes) : to;
}

/* Every array of the call moved to the given offset, outputs to others; then in place. */
static void compare_at_offset(const isa *on, const workload *w, size_t offset)
{
    const kernel *k = w->k;
    workload moved;
    array arrays[MOST_ARRAYS];
    char *buffers[MOST_ARRAYS];
    workload_copy(&moved, w);
    const size_t n = workload_arrays(&moved, arrays);
    for (size_t i = 0; i < n; i++) {
        buffers[i] = allocate(arrays[i].bytes + SLACK, 1);
        array_move(&arrays[i],
                   place(buffers[i], &arrays[i], arrays[i].output == OUTPUTS ? offset : offset * 7 + 3 + i));
    }
    run(k, on, &moved.c);
    assert_same_outputs(on, w, &moved, "moved");
    assert_same_in_place(on, w, &moved);
    for (size_t i = 0; i < n; i++)
        free(buffers[i]);
}

/* One after the other, from call to call. */
static const call_spec *next_call_spec(const kernel *k)
{
    static size_t turn;
    return call_spec_at(k, turn++ % call_spec_count(k));
}

static void compare_with_plainest(const kernel *k, const isa *on, sl_shape shape, const distribution *d,
                                  generator *g, size_t alignments)
{
    const isa plainest = plainest_of_class(on->table->fma);
    workload w;
    workload_make(&w, k, next_call_spec(k), shape, d, g);
    run(k, &plainest, &w.c);
    const size_t first = next_below(g, ALIGNMENTS);
    for (size_t a = 0; a < alignments; a++)
        compare_at_offset(on, &w, first + a * 5);
    workload_free(&w);
}

/* Three rows of every length around the block size and of longer ones, from every distribution. */
static void sizes(const kernel *k, const isa *on)
{
    static const size_t longer[] = {127, 128, 129, 130, 255, 256, 257, 511, 1000, 1023, 4097, 5000, 32003};
    enum { BLOCK = 32, SHORT = 3 * BLOCK + 2, LONGER = sizeof longer / sizeof *longer };
    generator g = {1};
    for (size_t d = 0; d < distribution_count(); d++)
        for (size_t i = 0; i < SHORT + LONGER; i++) {
            const size_t n = i < SHORT ? i : longer[i - SHORT], one_in = effort(2, 40) * (n > 1000 ? 5 : 1);
            if (is_chosen(k, i + 5 * d, one_in))
                compare_with_plainest(k, on, sl_rows(3, n), distribution_at(d), &g, i < SHORT ? 2 : 1);
        }
}

/* Every call_spec of a loss, at a few sizes. */
static void all_options(const kernel *k, const isa *on)
{
    const sl_shape shapes[] = {sl_rows(7, 3),     sl_rows(5, 10),   sl_rows(3, 33),    sl_rows(2, 100),
                               sl_axis(2, 10, 7), sl_rows(1, 1000), sl_axis(2, 20, 33)};
    generator g = {20};
    for (size_t v = 0; v < call_spec_count(k) * share(k, 4, 1); v++)
        for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
            if (takes_shape(k, shapes[i]))
                compare_with_plainest(k, on, shapes[i], v % 2 ? mixed() : distribution_at(1), &g, 1);
}

/* Many short rows, each from another distribution: kernels take several of them at once. */
static void many_rows(const kernel *k, const isa *on)
{
    generator g = {2};
    for (size_t n = 1; n <= 36; n++)
        for (size_t r = 1; r <= 35; r++)
            if (is_chosen(k, n + 5 * r, effort(3, 60)))
                compare_with_plainest(k, on, sl_rows(r, n), mixed(), &g, 1);
    for (size_t repeat = 0; repeat < share(k, 20, 4); repeat++)
        compare_with_plainest(k, on, sl_rows(500 + repeat, 10), mixed(), &g, 1);
}

/* Moves a pointer that the call has. */
static void advance(const void *pointer, const void **to, size_t bytes)
{
    *to = pointer == NULL ? NULL : (const char *)pointer + bytes;
}

/* To what row r has of softmax's options. */
static void advance_row_options(const workload *w, sl_softmax_options *o, size_t r)
{
    static const size_t sizes[] = {
        [SL_MASK_F32] = 4, [SL_MASK_F64] = 8, [SL_MASK_F16] = 2, [SL_MASK_BF16] = 2, [SL_MASK_BOOL] = 1};
    const sl_softmax_options *all = &w->row_options;
    advance(all->mask, &o->mask, r * (size_t)all->mask_stride * sizes[all->mask_type]);
    o->first = all->first != NULL ? all->first + r : NULL;
    o->length = all->length != NULL ? all->length + r : NULL;
    advance(all->sink, &o->sink, r * w->k->dtype->loss_size);
}

/* Rows (or elements) have the same results when so few of them are a call of their own, as among others: few rows take other
 * ways than many. */
static void compare_few(const kernel *k, const isa *on, const workload *w, size_t few)
{
    const size_t rows = w->c.shape.outer, n = w->c.shape.classes;
    workload apart;
    workload_copy(&apart, w);
    for (size_t output = 0; output < OUTPUTS; output++)
        if (w->c.out[output] != NULL)
            apart.c.out[output] = allocate(output_count(k, &w->c, output), output_size(k, output));
    for (size_t r = 0; r < rows; r += few) {
        workload part, one;
        workload_copy(&one, &apart);
        one.c.shape.outer = 1;
        const size_t each = loss_count(k, one.c.shape);
        workload_copy(&part, &apart);
        part.c.shape.outer = few < rows - r ? few : rows - r;
        advance(w->c.x, &part.c.x, r * n * k->dtype->size);
        advance(w->c.second, &part.c.second, r * second_count(k, one.c.shape) * second_size(k));
        advance(w->c.lse, &part.c.lse, r * k->dtype->loss_size);
        advance(w->options.upstream, &part.options.upstream, r * each * k->dtype->loss_size);
        advance_row_options(w, &part.row_options, r);
        for (size_t output = 0; output < OUTPUTS; output++)
            if (w->c.out[output] != NULL)
                part.c.out[output] = (char *)apart.c.out[output] +
                                     r * output_count(k, &one.c, output) * output_size(k, output);
        run(k, on, &part.c);
    }
    assert_same_outputs(on, w, &apart, "few rows at a time");
    for (size_t output = 0; output < OUTPUTS; output++)
        free(apart.c.out[output]);
}

static void position(const kernel *k, const isa *on)
{
    enum { ROWS = 19, FEW = 9 };
    generator g = {3};
    for (size_t n = 1; n <= 100; n++) {
        if (!is_chosen(k, n, effort(1, 10)))
            continue;
        workload w;
        const call_spec *v = next_call_spec(k);
        workload_make(&w, k, v, sl_rows(ROWS, n), mixed(), &g);
        if (!takes_options(k) || v->reduction == SL_NONE) {
            run(k, on, &w.c);
            for (size_t few = 1; few <= FEW; few++)
                compare_few(k, on, &w, few);
        }
        workload_free(&w);
    }
}

static bool takes_axis(const kernel *k) { return takes_shape(k, sl_axis(1, 1, 2)); }

static void strided(const kernel *k, const isa *on)
{
    static const size_t classes[] = {1,  2,  3,  5,  10, 15, 16,  17,  31,  32,
                                     33, 34, 63, 64, 65, 97, 100, 129, 1000};
    static const size_t inner[] = {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 48, 49, 64, 80, 196};
    generator g = {4};
    for (size_t c = 0; c < sizeof classes / sizeof *classes; c++)
        for (size_t i = 0; i < sizeof inner / sizeof *inner; i++)
            if (classes[c] * inner[i] <= effort(40000, 3300) && is_chosen(k, c + 5 * i, effort(2, 20)))
                for (size_t repeat = 0; repeat < (takes_options(k) ? 2 : 1); repeat++) {
                    workload w;
                    workload_make(&w, k, next_call_spec(k), sl_axis(2, classes[c], inner[i]), mixed(), &g);
                    run(k, on, &w.c);
                    assert_same_as_rows(on, &w);
                    workload_free(&w);
                }
}

int main(void)
{
    const topic topics[] = {
        {.name = "same bits at every size and alignment", .cell = sizes},
        {.name = "same bits with all options", .cell = all_options, .applies_to = takes_options},
        {.name = "same bits of many rows", .cell = many_rows},
        {.name = "same bits alone and among others", .cell = position},
        {.name = "same bits strided and in rows", .cell = strided, .applies_to = takes_axis},
    };
    return run_test_matrix("identity", topics, sizeof topics / sizeof *topics);
}
