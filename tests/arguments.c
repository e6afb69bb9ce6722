/* SPDX-License-Identifier: MIT
 *
 * The public functions refuse what they must, with the status that softlane.h says, and then write nothing;
 * and accept what they must. Everything runs over all kernels and element types, and over all arrays that a
 * call of them has. Only what softlane.h says of single functions is written down again here: specified[].
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"

enum { CANARY = 0x5a };
#define COUNT_OF(list) (sizeof(list) / sizeof *(list))

/* A correct call of any kernel with everything that it accepts, to be spoilt in one point at a time. */
typedef struct {
    workload w;
    array arrays[MOST_ARRAYS];
    size_t count;
} fixture;

static void set_up(fixture *f, const kernel *k, sl_reduction reduction)
{
    generator g = {k->index};
    const unsigned options = k->row_options ? SCALE | SCORE_CAP | SLOPE | LIMITS | SINK | SAFE_ROWS | MASK_F32
                                            : accepted_options(k);
    const call_spec all = {"all", reduction, options, 0.25, {true, true}};
    const sl_shape axis = sl_axis(2, 4, 3), shape = takes_shape(k, axis) ? axis
                                                    : k->matrix          ? sl_rows(6, 4)
                                                                         : sl_rows(1, 24);
    workload_make(&f->w, k, &all, shape, distribution_at(0), &g);
    f->count = workload_arrays(&f->w, f->arrays);
    for (size_t i = 0; i < f->count; i++)
        if (f->arrays[i].output != OUTPUTS)
            memset((void *)f->arrays[i].at, CANARY, f->arrays[i].bytes);
}

static void tear_down(fixture *f) { workload_free(&f->w); }

static bool is_untouched(const void *at, size_t bytes)
{
    for (size_t i = 0; i < bytes; i++)
        if (((const unsigned char *)at)[i] != CANARY)
            return false;
    return true;
}

static void assert_status(const kernel *k, const call *c, sl_status want)
{
    const sl_status got = k->check_and_run(c);
    if (got != want)
        fail_msg("%s: '%s' instead of '%s'", k->name, sl_status_string(got), sl_status_string(want));
}

/* ... and the outputs are as they were, or all written where the call has them. */
static void assert_outcome(fixture *f, sl_status want)
{
    const kernel *k = f->w.k;
    assert_status(k, &f->w.c, want);
    for (size_t i = 0; i < f->count; i++) {
        const array *a = &f->arrays[i];
        if (a->output == OUTPUTS)
            continue;
        const bool is_written = want == SL_OK && f->w.c.out[a->output] == a->at;
        for (size_t at = 0; at < a->bytes; at += a->size)
            if (is_untouched((const char *)a->at + at, a->size) == is_written)
                fail_msg("%s: '%s', and value %zu of %s was %s", k->name, sl_status_string(want),
                         at / a->size, a->output == RESULT ? "the result" : "the gradient",
                         is_written ? "not written" : "written");
    }
}

static void correct_call(const kernel *k)
{
    for (int reduction = SL_MEAN; reduction <= SL_NONE; reduction++) {
        fixture f;
        set_up(&f, k, (sl_reduction)reduction);
        assert_outcome(&f, SL_OK);
        tear_down(&f);
    }
}

/* ------------------------------------------------------------------------------------------- pointers */

/* Of the two outputs of a loss one may be NULL; so may weights and upstream. */
static void null_pointers(const kernel *k)
{
    fixture f;
    set_up(&f, k, SL_NONE);
    const size_t count = f.count;
    tear_down(&f);
    for (size_t i = 0; i < count; i++) {
        set_up(&f, k, SL_NONE);
        const void *pointer = f.arrays[i].pointer;
        const bool is_required = pointer == &f.w.c.x || pointer == &f.w.c.lse ||
                                 (pointer == &f.w.c.second && second_is_required(k)),
                   is_only_output = f.arrays[i].output != OUTPUTS && !is_loss(k) &&
                                    !(k->row_options && f.arrays[i].output == LSE),
                   has_type = pointer == &f.w.row_options.mask,
                   limits = pointer == &f.w.row_options.first || pointer == &f.w.row_options.length;
        array_move(&f.arrays[i], NULL);
        if (limits) /* what is left of them may be too much */
            f.w.row_options.first = f.w.row_options.length = NULL;
        assert_outcome(&f, is_required || is_only_output ? SL_ERR_NULL : has_type ? SL_ERR_OPTION : SL_OK);
        tear_down(&f);
    }
    if (!is_loss(k))
        return;
    for (int reduction = SL_MEAN; reduction <= SL_NONE; reduction++) {
        set_up(&f, k, (sl_reduction)reduction);
        f.w.c.out[RESULT] = f.w.c.out[GRADIENT] = NULL;
        assert_outcome(&f, SL_ERR_NULL);
        tear_down(&f);
    }
}

/* Options NULL are the defaults. */
static void null_options(const kernel *k)
{
    fixture f;
    set_up(&f, k, SL_MEAN);
    f.w.options = sl_loss_defaults();
    f.w.c.out[LSE] = NULL;
    if (k->second == CLASS_IDS)
        memset((void *)f.w.c.second, 0, rows(f.w.c.shape) * sizeof(int64_t)); /* not the ignored ones */
    assert_outcome(&f, SL_OK);
    void *const want = copy_of(f.w.c.out[RESULT], output_size(k, RESULT));
    f.w.c.options = NULL;
    assert_outcome(&f, SL_OK);
    assert_memory_equal(want, f.w.c.out[RESULT], output_size(k, RESULT));
    free(want);
    tear_down(&f);
}

/* ---------------------------------------------------------------------------------------------- sizes */

/* All pointers are NULL: an array that fits is SL_ERR_NULL. */
static void assert_most(const kernel *k, sl_shape fits, sl_shape is_too_large, const sl_loss_options *options)
{
    const call small = {.shape = fits, .options = takes_options(k) ? options : NULL},
               large = {.shape = is_too_large, .options = takes_options(k) ? options : NULL};
    assert_status(k, &small, SL_ERR_NULL);
    assert_status(k, &large, SL_ERR_SIZE);
}

/* Byte sizes up to ptrdiff_t's and beyond. */
static void sizes(const kernel *k)
{
    const sl_loss_options sum = {.reduction = SL_SUM}, none = {.reduction = SL_NONE};
    const bool is_wide = !is_loss(k) && k->result == L_PER_ELEMENT;
    const size_t most = PTRDIFF_MAX / (is_wide ? output_size(k, RESULT) : k->dtype->size);
    assert_most(k, sl_rows(1, most), sl_rows(1, most + 1), &sum);
    if (!has_shape(k)) /* it has one row */
        return;
    size_t largest = k->dtype->size; /* of a row of one class, over all arrays */
    if (k->second != NO_SECOND && second_size(k) > largest)
        largest = second_size(k);
    if (output_size(k, RESULT) > largest)
        largest = output_size(k, RESULT);
    if (takes_lse(k) && k->dtype->loss_size > largest)
        largest = k->dtype->loss_size;
    if (takes_stats(k))
        largest = sizeof(sl_stats);
    assert_most(k, sl_rows(PTRDIFF_MAX / largest, 1), sl_rows(PTRDIFF_MAX / largest + 1, 1), &none);
    if (!is_loss(k))
        return;
    const double weight = 1;
    const size_t most_weights = PTRDIFF_MAX / k->dtype->loss_size;
    const sl_loss_options weighted = {.reduction = SL_SUM, .class_weight = &weight};
    assert_most(k, sl_rows(1, most_weights < most ? most_weights : most), sl_rows(1, most_weights + 1),
                &weighted);
}

/* Products that wrap around, some of them to a small number. (A count has wrapped around before the library sees it.) */
static void wrapping_sizes(const kernel *k)
{
    enum { BITS = sizeof(size_t) * 8, THIRD = BITS / 3 };
    const size_t one = 1, root = one << BITS / 2;
    const sl_shape wrapping[] = {
        sl_axis(1, 1, SIZE_MAX),
        sl_rows(SIZE_MAX, 1),
        sl_rows(SIZE_MAX, SIZE_MAX),
        sl_rows(root, root),
        sl_axis(one << THIRD, one << THIRD, one << (BITS - 2 * THIRD)),
        sl_rows(root + 1, root - 1),
        sl_rows(3, SIZE_MAX / 3 + 1),
    };
    for (size_t i = 0; i < COUNT_OF(wrapping); i++) {
        fixture f;
        set_up(&f, k, SL_NONE);
        f.w.c.shape = wrapping[i];
        assert_outcome(&f, SL_ERR_SIZE);
        tear_down(&f);
    }
}

/* -------------------------------------------------------------------------------------------- overlap */

static size_t alignment_of(const array *a) { return a->size > sizeof(double) ? sizeof(double) : a->size; }

/* The output over the other array, at all distances from end to end to end to end. */
static void assert_overlaps(fixture *f, const array *output, const array *other)
{
    const kernel *k = f->w.k;
    const ptrdiff_t step =
        (ptrdiff_t)(alignment_of(output) > alignment_of(other) ? alignment_of(output) : alignment_of(other));
    const ptrdiff_t before = (ptrdiff_t)(output->bytes + sizeof(double)) / step * step,
                    after = (ptrdiff_t)(other->bytes + sizeof(double)) / step * step;
    const size_t bytes = (size_t)(before + after) + output->bytes + sizeof(double);
    unsigned char *both = allocate(bytes, 1), *was = allocate(bytes, 1);
    const bool may_be_in_place =
        output->output == output_like_x(k) &&
        (other->pointer == &f->w.c.x || (k->second == DY && other->pointer == &f->w.c.second));
    for (ptrdiff_t shift = -before; shift <= after; shift += step) {
        memset(both, CANARY, bytes);
        memcpy(both + before, other->at, other->bytes);
        memcpy(was, both, bytes);
        array_move(other, both + before);
        array_move(output, both + before + shift);
        const bool apart = shift <= -(ptrdiff_t)output->bytes || shift >= (ptrdiff_t)other->bytes;
        const bool in_place = shift == 0 && may_be_in_place;
        const sl_status want = apart || in_place ? SL_OK : SL_ERR_OVERLAP, got = k->check_and_run(&f->w.c);
        if (got != want)
            fail_msg("%s: output %zu %td bytes after another array: '%s' instead of '%s'", k->name,
                     output->output, shift, sl_status_string(got), sl_status_string(want));
        if (want != SL_OK && memcmp(both, was, bytes) != 0)
            fail_msg("%s: '%s', but something was written", k->name, sl_status_string(want));
    }
    array_move(other, (void *)other->at);
    array_move(output, (void *)output->at);
    free(both);
    free(was);
}

static void overlap(const kernel *k)
{
    for (int reduction = SL_MEAN; reduction <= SL_NONE; reduction++) {
        fixture f;
        set_up(&f, k, (sl_reduction)reduction);
        for (size_t i = 0; i < f.count; i++)
            for (size_t other = 0; other < f.count; other++)
                if (other != i && f.arrays[i].output != OUTPUTS)
                    assert_overlaps(&f, &f.arrays[i], &f.arrays[other]);
        tear_down(&f);
    }
}

/* An output over the options themselves: they lie in the middle of what it is moved along. */
static void overlap_with_options(const kernel *k)
{
    for (int reduction = SL_MEAN; reduction <= SL_NONE; reduction++)
        for (size_t output = 0; output < OUTPUTS; output++) {
            fixture f;
            set_up(&f, k, (sl_reduction)reduction);
            if (f.w.out[output] == NULL) {
                tear_down(&f);
                continue;
            }
            f.w.c.out[LSE] = NULL; /* it would be in a copy of the options */
            const size_t bytes = output_count(k, &f.w.c, output) * output_size(k, output),
                         before = (bytes + 7) / 8 * 8, all = 2 * before + sizeof(sl_loss_options),
                         step = output_size(k, output);
            char *both = allocate(all, 1), *was = allocate(all, 1);
            f.w.c.options = (void *)(both + before);
            for (size_t at = 0; at + bytes <= all; at += step) {
                memset(both, CANARY, all);
                if (output == LSE)
                    f.w.options.lse = both + at;
                else
                    f.w.c.out[output] = both + at;
                memcpy(both + before, &f.w.options, sizeof f.w.options);
                memcpy(was, both, all);
                const bool apart = at + bytes <= before || at >= before + sizeof(sl_loss_options);
                assert_status(k, &f.w.c, apart ? SL_OK : SL_ERR_OVERLAP);
                assert_true(apart || memcmp(both, was, all) == 0);
                assert_memory_equal(both + before, &f.w.options, sizeof f.w.options);
            }
            free(both);
            free(was);
            tear_down(&f);
        }
}

/* -------------------------------------------------------------------------------------------- strides */

/* The fixture's call of this shape with all class ids 0, and with these strides of what is read, or of what is written. */
static void set_strides(fixture *f, sl_shape shape, sl_strides given, bool written)
{
    f->w.c.shape = shape;
    *(written ? &f->w.c.shape.out : &f->w.c.shape.in) = given;
    if (f->w.k->second == CLASS_IDS)
        memset(f->w.second, 0, 6 * sizeof(int64_t));
}

/* Of shapes with inner > 1. */
static bool takes_axes(const kernel *k) { return takes_strides(k) && takes_shape(k, sl_axis(1, 1, 2)); }

typedef struct {
    sl_shape shape;
    sl_strides given;
} strides_case;

static void assert_strides(const kernel *k, const strides_case *cases, size_t n, sl_status want)
{
    for (size_t i = 0; i < n; i++)
        for (int written = 0; written < 2; written++) {
            fixture f;
            set_up(&f, k, SL_NONE);
            set_strides(&f, cases[i].shape, cases[i].given, written);
            assert_status(k, &f.w.c, want);
            for (size_t a = 0; a < f.count && want != SL_OK; a++)
                assert_true(f.arrays[a].output == OUTPUTS || is_untouched(f.arrays[a].at, f.arrays[a].bytes));
            tear_down(&f);
        }
}

static void refused_strides(const kernel *k)
{
    const sl_shape axis = sl_axis(2, 4, 3), matrix = sl_rows(6, 4);
    const strides_case bad[] = {
        {axis, {-1, 0}},
        {axis, {0, -1}},
        {axis, {PTRDIFF_MIN, PTRDIFF_MIN}},
        {axis, {-12, 3}},
        {axis, {0, 2}},
        {axis, {100, 1}},
        {axis, {11, 0}},
        {axis, {14, 4}},
        {axis, {1, 0}},
        {matrix, {3, 0}},
        {matrix, {6, 2}},
        {matrix, {1, 6}},
        {sl_rows(1, 4), {-1, 0}},
        {sl_rows(1, 1), {0, -1}},
        {sl_rows(0, 4), {-4, 0}},
        {sl_axis(2, 1, 3), {2, 0}},
        {sl_axis(2, 1, 3), {0, 2}},
        {sl_axis(2, SIZE_MAX, 3), {12, 0}},
    };
    assert_strides(k, bad, COUNT_OF(bad), SL_ERR_STRIDE);
    const call nothing = {.shape = {.outer = 2, .classes = 3, .inner = 1, .in = {2, 0}}};
    assert_status(k, &nothing, SL_ERR_STRIDE); /* before SIZE, NULL and OPTION */
}

static void accepted_strides(const kernel *k)
{
    const strides_case good[] = {
        {sl_axis(2, 4, 3), {12, 3}},
        {sl_axis(2, 4, 3), {12, 0}},
        {sl_axis(2, 4, 3), {0, 3}},
        {sl_axis(1, 4, 3), {1, 3}}, /* nobody goes to the next outer index */
        {sl_axis(1, 4, 3), {PTRDIFF_MAX, 3}},
        {sl_axis(2, 1, 3), {3, 1}}, /* nor to the next class */
        {sl_axis(2, 1, 3), {3, PTRDIFF_MAX}},
        {sl_axis(1, 1, 3), {PTRDIFF_MAX, PTRDIFF_MAX}},
        {sl_rows(6, 4), {4, 1}},
        {sl_rows(6, 2), {4, 1}},
        {sl_rows(6, 2), {4, 2}},
    };
    assert_strides(k, good, COUNT_OF(good), SL_OK);
}

/* An array reaches from its first to its last element. */
static void sizes_with_strides(const kernel *k)
{
    const ptrdiff_t most = PTRDIFF_MAX / (ptrdiff_t)k->dtype->size;
    const strides_case large[] = {
        {sl_axis(2, 4, 3), {PTRDIFF_MAX, 0}},
        {sl_axis(2, 4, 3), {most - 11, 0}},
        {sl_axis(2, 4, 3), {0, PTRDIFF_MAX}},
        {sl_axis(2, 4, 3), {0, most / 4}},
    };
    for (size_t i = 0; i < COUNT_OF(large); i++)
        for (int written = 0; written <= (output_like_x(k) != OUTPUTS); written++) {
            fixture f;
            set_up(&f, k, SL_NONE);
            set_strides(&f, large[i].shape, large[i].given, written);
            assert_outcome(&f, SL_ERR_SIZE);
            tear_down(&f);
        }
}

/* The output at every distance from x: with the same strides they may interleave, else their spans must be apart. */
enum { X_AT = 100, ROOM = 300 };

static bool elements_meet(sl_shape shape, sl_strides in, sl_strides out, size_t y_at)
{
    bool is_x[ROOM] = {false};
    bool meet = false;
    for (int pass = 0; pass < 2; pass++)
        for (size_t e = 0; e < elements(shape); e++) {
            const sl_strides of = pass == 0 ? in : out;
            const size_t step = of.classes != 0 ? (size_t)of.classes : shape.inner,
                         block = of.outer != 0 ? (size_t)of.outer : shape.classes * step,
                         at = (pass == 0 ? X_AT : y_at) + e / (shape.classes * shape.inner) * block +
                              e / shape.inner % shape.classes * step + e % shape.inner;
            assert_true(at < ROOM);
            meet = meet || (pass == 1 && is_x[at]);
            is_x[at] = is_x[at] || pass == 0;
        }
    return meet;
}

static size_t span_of(sl_shape shape, sl_strides of)
{
    const size_t step = of.classes != 0 ? (size_t)of.classes : shape.inner;
    return (shape.outer - 1) * (of.outer != 0 ? (size_t)of.outer : shape.classes * step) +
           (shape.classes - 1) * step + shape.inner;
}

static void overlap_at(const kernel *k, sl_shape shape, sl_strides in, sl_strides out, size_t y_at)
{
    const size_t size = k->dtype->size;
    char *both = allocate_zeroed(ROOM, size), *second = allocate_zeroed(ROOM, size);
    char *zeros = allocate_zeroed(ROOM, size);
    fixture f;
    set_up(&f, k, SL_NONE);
    set_strides(&f, shape, in, false);
    f.w.c.shape.out = out;
    f.w.c.x = both + X_AT * size;
    f.w.c.out[output_like_x(k)] = both + y_at * size;
    if (k->second == DY || k->second == PROBABILITIES)
        f.w.c.second = second;
    const sl_strides a = {shape.outer > 1 ? in.outer != 0 ? in.outer : 12 : 0,
                          in.classes != 0 ? in.classes : 3},
                     b = {shape.outer > 1 ? out.outer != 0 ? out.outer : 12 : 0,
                          out.classes != 0 ? out.classes : 3};
    const bool alike = a.outer == b.outer && a.classes == b.classes;
    const bool apart = y_at + span_of(shape, out) <= X_AT || X_AT + span_of(shape, in) <= y_at;
    const bool fine = alike ? y_at == X_AT || !elements_meet(shape, in, out, y_at) : apart;
    assert_status(k, &f.w.c, fine ? SL_OK : SL_ERR_OVERLAP);
    assert_true(fine || memcmp(both, zeros, ROOM * size) == 0);
    tear_down(&f);
    free(both);
    free(second);
    free(zeros);
}

static void overlap_with_strides(const kernel *k)
{
    static const sl_strides given[] = {{0, 0},  {12, 3}, {20, 5}, {30, 3},
                                       {24, 6}, {17, 4}, {70, 9}, {40, 10}};
    if (output_like_x(k) == OUTPUTS)
        return;
    for (size_t i = 0; i < COUNT_OF(given); i++)
        for (size_t j = 0; j < COUNT_OF(given); j++)
            for (size_t y_at = 0; y_at < 180; y_at++)
                if (i == j || i + j == 1 || y_at % 7 == 0 || y_at == X_AT)
                    overlap_at(k, sl_axis(2, 4, 3), given[i], given[j], y_at);
    for (size_t y_at = 0; y_at < 180; y_at++)
        overlap_at(k, sl_axis(1, 4, 3), (sl_strides){0, 7}, (sl_strides){90, 7}, y_at);
}

/* A loss in the gap between two classes of logits. */
static void loss_in_a_gap(const kernel *k)
{
    const size_t size = k->dtype->size;
    char *x = allocate_zeroed(ROOM, size), *second = allocate_zeroed(ROOM, size);
    fixture f;
    set_up(&f, k, SL_SUM);
    set_strides(&f, sl_axis(2, 4, 3), (sl_strides){80, 20}, false);
    f.w.c.x = x;
    if (k->second == PROBABILITIES)
        f.w.c.second = second;
    assert_status(k, &f.w.c, SL_OK);
    f.w.c.out[RESULT] = x + 4 * sizeof(double);
    assert_status(k, &f.w.c, SL_ERR_OVERLAP);
    tear_down(&f);
    free(x);
    free(second);
}

/* --------------------------------------------------------------------------------------- empty shapes */

static const sl_shape empty_shapes[] = {
    {.outer = 0, .classes = 4, .inner = 1}, {.outer = 3, .classes = 4, .inner = 0},
    {.outer = 0, .classes = 0, .inner = 0}, {.outer = 0, .classes = SIZE_MAX, .inner = SIZE_MAX},
    {.outer = 3, .classes = 0, .inner = 1}, {.outer = 2, .classes = 0, .inner = 5}};

/* Without rows, or without classes where there is nothing for each row. */
static bool is_empty(const kernel *k, sl_shape shape)
{
    if (k->row_options && shape.inner > 1)
        return false; /* refused */
    return rows(shape) == 0 || (k->result != L_PER_ROW && k->second != CLASS_IDS && !k->row_options);
}

/* Nothing is touched, so all may be NULL. */
static void empty(const kernel *k)
{
    for (size_t i = 0; i < COUNT_OF(empty_shapes); i++) {
        if (!is_empty(k, empty_shapes[i]) || ((k->rows_only || k->matrix) && empty_shapes[i].inner != 1))
            continue;
        fixture f;
        set_up(&f, k, SL_NONE);
        f.w.c.shape = empty_shapes[i];
        assert_status(k, &f.w.c, SL_OK);
        for (size_t output = 0; output < OUTPUTS; output++)
            assert_true(f.w.out[output] == NULL || is_untouched(f.w.out[output], output_size(k, output)));
        const call nothing = {
            .shape = empty_shapes[i], .options = f.w.c.options, .row_options = f.w.c.row_options};
        assert_status(k, &nothing, SL_OK);
        tear_down(&f);
    }
}

/* Rows without classes have results and ids: these are required, and logits are not. */
static void no_classes(const kernel *k)
{
    double result[10] = {0};
    int64_t ids[10] = {0};
    sl_loss_options ignoring = {.reduction = SL_NONE, .has_ignore_index = k->second == CLASS_IDS};
    call c = {.shape = sl_axis(2, 0, 5), .options = is_loss(k) ? &ignoring : NULL, .out = {result}};
    if (k->second == CLASS_IDS) {
        assert_status(k, &c, SL_ERR_NULL);
        c.second = ids;
    }
    assert_status(k, &c, SL_OK);
    c.out[RESULT] = ids; /* they are read */
    assert_status(k, &c, k->second == CLASS_IDS ? SL_ERR_OVERLAP : SL_OK);
    c.out[RESULT] = NULL;
    assert_status(k, &c, SL_ERR_NULL);
    c.shape = sl_axis(SIZE_MAX, 0, SIZE_MAX);
    assert_status(k, &c, SL_ERR_SIZE);
}

static bool has_result_of_rows(const kernel *k) { return k->result == L_PER_ROW; }

/* Of nothing there are statistics, too. */
static bool gives_no_statistics(const kernel *k) { return k->result != STATS_PER_ROW; }

/* A mean or a sum over nothing is a result all the same. */
static void empty_reductions(const kernel *k)
{
    for (size_t i = 0; i < COUNT_OF(empty_shapes); i++) {
        if (!is_empty(k, empty_shapes[i])) /* special_values.c knows these */
            continue;
        double loss;
        sl_loss_options options = {.reduction = SL_SUM};
        call c = {.shape = empty_shapes[i], .options = &options, .out = {&loss}};
        memset(&loss, CANARY, sizeof loss);
        assert_status(k, &c, SL_OK);
        assert_int_equal(output_bits(k, RESULT, &loss, 0), 0);
        options.reduction = SL_MEAN;
        assert_status(k, &c, SL_OK);
        assert_true(isnan(output_value(k, RESULT, &loss, 0)));
        options.flags = SL_EMPTY_MEAN_ZERO;
        assert_status(k, &c, SL_OK);
        assert_int_equal(output_bits(k, RESULT, &loss, 0), 0);
        c.options = NULL;
        assert_status(k, &c, SL_OK);
        assert_true(isnan(output_value(k, RESULT, &loss, 0)));
        c.out[RESULT] = NULL;
        assert_status(k, &c, SL_ERR_NULL);
        c.out[GRADIENT] = &loss; /* of nothing: empty, but wanted */
        assert_status(k, &c, SL_OK);
    }
}

/* -------------------------------------------------------------------------------------------- options */

enum { OF_ALL = WEIGHTS | UPSTREAM | EMPTY_ZERO | DIVISOR };

static const struct {
    size_t row;
    unsigned accepts;
} specified[] = {
    {SL_COUNT_cross_entropy, OF_ALL | SMOOTHING | IGNORE | SAFE | Z_LOSS | SOFTCAP | TAKES_LSE},
    {SL_COUNT_cross_entropy_soft, OF_ALL | SMOOTHING | SAFE | Z_LOSS | SOFTCAP | TAKES_LSE},
    {SL_COUNT_nll, OF_ALL | IGNORE},
    {SL_COUNT_bce_with_logits, OF_ALL | POS_WEIGHTS},
    {SL_COUNT_bce, OF_ALL},
    {SL_COUNT_cross_entropy_grad, OF_ALL | SMOOTHING | IGNORE | SAFE | Z_LOSS | SOFTCAP},
    {SL_COUNT_cross_entropy_shard_grad, OF_ALL | SMOOTHING | IGNORE | SAFE | Z_LOSS},
};

static void options_of_the_function(const kernel *k)
{
    for (size_t i = 0; i < COUNT_OF(specified); i++)
        if (specified[i].row == k->row) {
            assert_int_equal(accepted_options(k), specified[i].accepts);
            return;
        }
    fail_msg("%s: which options does it accept?", k->name);
}

/* A reason to refuse any loss, whatever else is right. */
static void options_out_of_range(const kernel *k)
{
    static const sl_loss_options bad[] = {
        {.reduction = (sl_reduction)3},
        {.reduction = (sl_reduction)-1},
        {.label_smoothing = NAN},
        {.label_smoothing = -0.1},
        {.label_smoothing = 0x1.0000000000001p0},
        {.label_smoothing = INFINITY},
        {.flags = 4},
        {.ignore_index = -100}, /* without has_ignore_index */
        {.ignore_index = 1},
        {.flags = 0x80000000u | SL_EMPTY_MEAN_ZERO},
        {.z_loss = NAN},
        {.z_loss = -0x1p-1074},
        {.z_loss = INFINITY},
        {.softcap = NAN},
        {.softcap = -1},
        {.softcap = INFINITY},
        {.softcap = 0x1p31},
        {.softcap = 0x1p-31},
        {.divisor = NAN},
        {.divisor = -1},
        {.divisor = INFINITY},
        {.reduction = SL_SUM, .divisor = 1},
        {.reduction = SL_NONE, .divisor = 1},
    };
    for (size_t i = 0; i < COUNT_OF(bad); i++) {
        fixture f;
        set_up(&f, k, SL_NONE);
        f.w.options = bad[i];
        assert_outcome(&f, SL_ERR_OPTION);
        f.w.c.shape.outer = 0; /* not even of nothing */
        assert_outcome(&f, SL_ERR_OPTION);
        tear_down(&f);
    }
    fixture f;
    set_up(&f, k, SL_NONE);
    f.w.options.label_smoothing = -0.0;
    assert_outcome(&f, SL_OK);
    tear_down(&f);
}

/* What one function accepts is refused by another even when there is nothing to compute. */
static void options_of_others(const kernel *k)
{
    const unsigned accepted = accepted_options(k);
    const double weight[4] = {1, 1, 1, 1};
    double lse[6];
    const struct {
        unsigned option;
        sl_loss_options options;
    } single[] = {
        {WEIGHTS, {.class_weight = weight}},
        {POS_WEIGHTS, {.pos_weight = weight}},
        {SMOOTHING, {.label_smoothing = 0x1p-1074}},
        {SMOOTHING, {.label_smoothing = 1}},
        {IGNORE, {.has_ignore_index = true, .ignore_index = -100}},
        {UPSTREAM, {.upstream = weight}},
        {SAFE, {.flags = SL_SAFE_ROWS}},
        {EMPTY_ZERO, {.flags = SL_EMPTY_MEAN_ZERO}},
        {DIVISOR, {.divisor = 0x1p-1074}},
        {Z_LOSS, {.z_loss = 0x1p-1074}},
        {SOFTCAP, {.softcap = 1}},
        {TAKES_LSE, {.lse = lse}},
    };
    for (size_t i = 0; i < COUNT_OF(single); i++) {
        fixture f;
        set_up(&f, k, SL_MEAN);
        f.w.options = single[i].options;
        f.w.c.out[LSE] = NULL;
        if (k->second == CLASS_IDS)
            memset((void *)f.w.c.second, 0, rows(f.w.c.shape) * sizeof(int64_t));
        assert_outcome(&f, single[i].option & accepted ? SL_OK : SL_ERR_OPTION);
        tear_down(&f);
    }
}

/* -------------------------------------------------------------------------------------------- targets */

static bool takes_class_ids(const kernel *k) { return k->second == CLASS_IDS; }

static void class_ids(const kernel *k)
{
    enum { CLASSES = 4 };
    static const int64_t bad[] = {-1, CLASSES, INT64_MIN, INT64_MAX, (int64_t)1 << 32, -100};
    for (size_t b = 0; b < COUNT_OF(bad); b++)
        for (size_t r = 0; r < 6; r++)
            for (int reduction = SL_MEAN; reduction <= SL_NONE; reduction++) {
                fixture f;
                set_up(&f, k, (sl_reduction)reduction);
                assert_int_equal(rows(f.w.c.shape), 6);
                assert_int_equal(f.w.c.shape.classes, CLASSES);
                int64_t *id = f.w.second;
                for (size_t i = 0; i < 6; i++)
                    id[i] = (int64_t)(i % CLASSES);
                id[r] = bad[b];
                f.w.options.has_ignore_index = false;
                f.w.options.ignore_index = 0;
                assert_outcome(&f, SL_ERR_TARGET);
                f.w.options.ignore_index = bad[b];
                assert_outcome(&f, SL_ERR_OPTION);
                f.w.options.has_ignore_index = true;
                f.w.options.ignore_index = bad[b] ^ 1; /* another one */
                assert_outcome(&f, SL_ERR_TARGET);
                f.w.options.ignore_index = bad[b];
                assert_outcome(&f, SL_OK);
                tear_down(&f);
            }
}

/* x[i] of a binary loss is this value. */
static void assert_judged(const kernel *k, size_t i, double value, sl_status want)
{
    fixture f;
    set_up(&f, k, SL_NONE);
    k->dtype->put(f.w.x, i, value);
    assert_outcome(&f, want);
    tear_down(&f);
}

/* Only what bce is to judge must be in [0, 1], or NaN; targets and logits may be anything. */
static void probabilities(const kernel *k)
{
    const sl_ref_dtype *dt = k->dtype;
    const double tiny = ldexp(1, dt->min_exp - dt->digits), next_to_1 = 1 + ldexp(1, 1 - dt->digits);
    const double inside[] = {0, -0.0, 1, tiny, 1 - ldexp(1, -dt->digits)};
    const double outside[] = {-tiny,           next_to_1, -1,        2,  largest_of(dt),
                              -largest_of(dt), INFINITY,  -INFINITY, NAN};
    const sl_status refused = k->row == SL_COUNT_bce ? SL_ERR_TARGET : SL_OK;
    fixture f;
    for (size_t i = 0; i < 24; i++) {
        for (size_t v = 0; v < COUNT_OF(inside); v++)
            assert_judged(k, i, inside[v], SL_OK);
        for (size_t v = 0; v < COUNT_OF(outside); v++)
            assert_judged(k, i, outside[v], refused);
    }
    for (int negative = 0; negative < 2; negative++) {
        set_up(&f, k, SL_NONE);
        put_nan(dt, f.w.x, 0, negative, 1);
        assert_outcome(&f, refused);
        tear_down(&f);
    }
    set_up(&f, k, SL_NONE);
    for (size_t i = 0; i < COUNT_OF(outside); i++)
        dt->put(f.w.second, i, outside[i]);
    assert_outcome(&f, SL_OK);
    tear_down(&f);
}

static bool takes_target_probabilities(const kernel *k) { return k->second == PROBABILITIES; }

/* ------------------------------------------------------------------- the order: SIZE, NULL, OPTION, ... */

static void first_status_that_applies(const kernel *k)
{
    fixture f;
    set_up(&f, k, SL_NONE);
    if (k->second == CLASS_IDS) {
        ((int64_t *)f.w.second)[0] = -1;
        f.w.options.has_ignore_index = false;
        f.w.options.ignore_index = 0;
        assert_outcome(&f, SL_ERR_TARGET);
    } else if (k->row == SL_COUNT_bce) {
        k->dtype->put(f.w.x, 0, 2);
        assert_outcome(&f, SL_ERR_TARGET);
    }
    f.w.c.out[RESULT] = (char *)f.w.x + k->dtype->size;
    assert_status(k, &f.w.c, SL_ERR_OVERLAP);
    if (takes_options(k)) {
        f.w.options.label_smoothing = 2;
        assert_status(k, &f.w.c, SL_ERR_OPTION);
        f.w.options.label_smoothing = 0;
        f.w.options.flags = 4;
        assert_status(k, &f.w.c, SL_ERR_OPTION);
    }
    if (k->rows_only) {
        f.w.c.shape.in.classes = 2;
        assert_status(k, &f.w.c, SL_ERR_OPTION);
    }
    if (second_is_required(k)) {
        f.w.c.second = NULL;
    } else {
        f.w.c.x = NULL;
    }
    assert_status(k, &f.w.c, SL_ERR_NULL);
    f.w.c.shape = sl_rows(1, SIZE_MAX);
    assert_status(k, &f.w.c, SL_ERR_SIZE);
    tear_down(&f);
}

/* ----------------------------------------------------------------------------------------- statistics */

/* What the test matrix's adapters do by themselves: statistics of nothing, and statistics that are missing or lie
 * on y. */
static void statistics(void)
{
#define STATISTICS(dt, T, L, ...)                                                                            \
    {                                                                                                        \
        const sl_stats none = sl_stats_empty();                                                              \
        T x[4];                                                                                              \
        union {                                                                                              \
            sl_stats stats;                                                                                  \
            T y[sizeof(sl_stats) / sizeof(T)];                                                               \
        } both;                                                                                              \
        for (size_t i = 0; i < 4; i++)                                                                       \
            sl_ref_dtypes[SL_COUNT_##dt].put(x, i, (double)i);                                               \
        memset(&both, CANARY, sizeof both);                                                                  \
        assert_int_equal(sl_softmax_stats_##dt(NULL, 0, &both.stats), SL_OK);                                \
        assert_memory_equal(&both.stats, &none, sizeof none);                                                \
        assert_int_equal(sl_softmax_stats_##dt(NULL, 0, NULL), SL_ERR_NULL);                                 \
        assert_int_equal(sl_softmax_stats_##dt(x, 4, NULL), SL_ERR_NULL);                                    \
        assert_int_equal(sl_softmax_stats_##dt(x, 4, &both.stats), SL_OK);                                   \
        const sl_stats stats = both.stats;                                                                   \
        assert_int_equal(stats.count, 4);                                                                    \
        assert_int_equal(sl_softmax_apply_##dt(x, both.y, 4, NULL), SL_ERR_NULL);                            \
        for (size_t at = 0; at < sizeof both.y / sizeof(T); at++)                                            \
            assert_int_equal(sl_softmax_apply_##dt(x, both.y + at, 1, &both.stats), SL_ERR_OVERLAP);         \
        assert_memory_equal(&both.stats, &stats, sizeof stats);                                              \
        assert_int_equal(sl_softmax_apply_##dt(x, x, 4, &stats), SL_OK);                                     \
        assert_int_equal(sl_softmax_apply_##dt(NULL, NULL, 0, &stats), SL_OK);                               \
        assert_int_equal(sl_softmax_apply_##dt(NULL, x, SIZE_MAX, NULL), SL_ERR_SIZE);                       \
    }
    SL_DTYPES(STATISTICS, )
#undef STATISTICS
}

/* ---------------------------------------------------------------------------------------------- others */

static void status_strings(void)
{
    for (int s = SL_OK; s <= SL_ERR_PACKED; s++) {
        assert_non_null(sl_status_string((sl_status)s));
        for (int other = SL_OK; other < s; other++)
            assert_string_not_equal(sl_status_string((sl_status)s), sl_status_string((sl_status)other));
    }
    assert_non_null(sl_status_string((sl_status)99));
    assert_non_null(sl_status_string((sl_status)-1));
}

static void shapes(void)
{
    const sl_shape rows_of = sl_rows(2, 3), axis = sl_axis(2, 3, 4);
    assert_true(rows_of.outer == 2 && rows_of.classes == 3 && rows_of.inner == 1);
    assert_true(axis.outer == 2 && axis.classes == 3 && axis.inner == 4);
    const sl_loss_options defaults = sl_loss_defaults();
    assert_true(defaults.reduction == SL_MEAN && defaults.class_weight == NULL &&
                defaults.pos_weight == NULL && defaults.label_smoothing == 0 && !defaults.has_ignore_index &&
                defaults.upstream == NULL && defaults.flags == 0 && defaults.lse == NULL &&
                defaults.z_loss == 0 && defaults.softcap == 0 && defaults.divisor == 0);
}

int main(void)
{
    const topic topics[] = {
        {.name = "correct call", .each_kernel = correct_call},
        {.name = "null pointers", .each_kernel = null_pointers},
        {.name = "null options", .each_kernel = null_options, .applies_to = is_loss},
        {.name = "sizes", .each_kernel = sizes},
        {.name = "sizes that wrap around", .each_kernel = wrapping_sizes, .applies_to = takes_strides},
        {.name = "overlap", .each_kernel = overlap},
        {.name = "overlap with the options", .each_kernel = overlap_with_options, .applies_to = is_loss},
        {.name = "strides that are refused", .each_kernel = refused_strides, .applies_to = takes_axes},
        {.name = "strides that are accepted", .each_kernel = accepted_strides, .applies_to = takes_axes},
        {.name = "sizes with strides", .each_kernel = sizes_with_strides, .applies_to = takes_axes},
        {.name = "overlap with strides", .each_kernel = overlap_with_strides, .applies_to = takes_axes},
        {.name = "loss in a gap", .each_kernel = loss_in_a_gap, .applies_to = is_loss},
        {.name = "rows without classes", .each_kernel = no_classes, .applies_to = has_result_of_rows},
        {.name = "empty input", .each_kernel = empty, .applies_to = gives_no_statistics},
        {.name = "mean and sum of nothing", .each_kernel = empty_reductions, .applies_to = is_loss},
        {.name = "options of the function",
         .each_kernel = options_of_the_function,
         .applies_to = takes_options},
        {.name = "options out of range", .each_kernel = options_out_of_range, .applies_to = takes_options},
        {.name = "options of others", .each_kernel = options_of_others, .applies_to = takes_options},
        {.name = "class ids", .each_kernel = class_ids, .applies_to = takes_class_ids},
        {.name = "probabilities", .each_kernel = probabilities, .applies_to = takes_target_probabilities},
        {.name = "first status that applies", .each_kernel = first_status_that_applies},
        {.name = "statistics", .once = statistics},
        {.name = "status strings", .once = status_strings},
        {.name = "shapes and defaults", .once = shapes},
    };
    return run_test_matrix("arguments", topics, COUNT_OF(topics));
}
