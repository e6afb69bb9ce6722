/* SPDX-License-Identifier: MIT
 *
 * The public functions refuse what they must, with the status that softlane.h says, and then write nothing;
 * and accept what they must. What holds for every kernel runs over the manifest; options and targets belong
 * to the losses.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "workload.h"

enum { ROWS = 3, CLASSES = 4, ELEMENTS = ROWS * CLASSES };
#define CANARY 0x1.5a5a5ap+20f

/* A correct call of any kernel, to be spoilt in one point at a time. */
typedef struct {
    call c;
    sl_loss_options options;
    float x[ELEMENTS], y[ELEMENTS], weights[CLASSES];
    int64_t ids[ROWS];
    float probabilities[ELEMENTS];
} fixture;

static void set_up(fixture *f, const kernel *k)
{
    *f = (fixture){.options = {.reduction = SL_NONE}, .ids = {0, 3, 1}};
    for (size_t i = 0; i < ELEMENTS; i++) {
        f->x[i] = (float)i;
        f->y[i] = CANARY;
        f->probabilities[i] = 0.25f;
    }
    for (size_t c = 0; c < CLASSES; c++)
        f->weights[c] = 1;
    const void *target = k->target == CLASS_IDS ? (const void *)f->ids : f->probabilities;
    f->c = (call){f->x, target, sl_rows(ROWS, CLASSES), &f->options, f->y};
}

static void expect(const kernel *k, const fixture *f, sl_status want)
{
    const sl_status got = k->check_and_run(&f->c);
    if (got != want)
        fail_msg("%s: '%s' instead of '%s'", k->name, sl_status_string(got), sl_status_string(want));
}

/* Refused, and the output is as it was. */
static void expect_refusal(const kernel *k, const fixture *f, sl_status want)
{
    expect(k, f, want);
    for (size_t i = 0; i < ELEMENTS; i++)
        if (f->y[i] != CANARY)
            fail_msg("%s: refused ('%s'), but wrote output %zu", k->name, sl_status_string(want), i);
}

static void expect_success(const kernel *k, fixture *f)
{
    expect(k, f, SL_OK);
    const size_t n = k->outputs(&f->c);
    for (size_t i = 0; i < ELEMENTS; i++)
        if ((f->y[i] == CANARY) != (i >= n))
            fail_msg("%s: output %zu of %zu %s", k->name, i, n, i < n ? "was not written" : "does not exist");
}

static void correct_call(const kernel *k)
{
    fixture f;
    set_up(&f, k);
    expect_success(k, &f);
}

static void null_pointers(const kernel *k)
{
    fixture f;
    set_up(&f, k);
    f.c.x = NULL;
    expect_refusal(k, &f, SL_ERR_NULL);
    set_up(&f, k);
    f.c.y = NULL;
    expect_refusal(k, &f, SL_ERR_NULL);
    if (!is_loss(k))
        return;
    set_up(&f, k);
    f.c.target = NULL;
    expect_refusal(k, &f, SL_ERR_NULL);
    set_up(&f, k);
    f.c.options = NULL; /* stands for the defaults */
    expect_success(k, &f);
    assert_true(isfinite(f.y[0]));
}

/* Byte sizes beyond ptrdiff_t, with and without a product that wraps around. */
static void sizes(const kernel *k)
{
    static const sl_shape too_large[] = {
        {PTRDIFF_MAX / sizeof(float) + 1, 1, 1},
        {1, PTRDIFF_MAX / sizeof(float) + 1, 1},
        {SIZE_MAX / sizeof(float) + 1, 1, 1},
        {SIZE_MAX, 1, 1},
    };
    static const sl_shape wrapping[] = {
        {1, 1, SIZE_MAX},
        {SIZE_MAX, SIZE_MAX, 1},
        {(size_t)1 << 32, (size_t)1 << 32, 1},
        {(size_t)1 << 21, (size_t)1 << 21, (size_t)1 << 22},
        {((size_t)1 << 32) + 1, ((size_t)1 << 32) - 1, 1},
    };
    fixture f;
    set_up(&f, k);
    for (size_t i = 0; i < sizeof too_large / sizeof *too_large; i++) {
        f.c.shape = too_large[i];
        expect_refusal(k, &f, SL_ERR_SIZE);
    }
    const bool takes_a_count = k->is_map && k->by_element; /* its n has wrapped before the library sees it */
    for (size_t i = 0; i < sizeof wrapping / sizeof *wrapping && !takes_a_count; i++) {
        f.c.shape = wrapping[i];
        expect_refusal(k, &f, SL_ERR_SIZE);
    }
    if (k->target == CLASS_IDS) { /* the logits would fit, the targets do not */
        f.c.shape = sl_rows(PTRDIFF_MAX / sizeof(int64_t) + 1, 1);
        expect_refusal(k, &f, SL_ERR_SIZE);
    }
}

static void overlap(const kernel *k)
{
    fixture f;
    set_up(&f, k);
    const size_t outputs = k->outputs(&f.c);
    float both[3 * ELEMENTS] = {0}, before[3 * ELEMENTS];
    float *const x = both + ELEMENTS;
    memcpy(before, both, sizeof both);
    f.c.x = x;
    for (ptrdiff_t shift = -(ptrdiff_t)outputs; shift <= ELEMENTS; shift++) {
        f.c.y = x + shift;
        const bool apart = shift == -(ptrdiff_t)outputs || shift == ELEMENTS,
                   in_place = shift == 0 && k->is_map;
        const sl_status got = k->check_and_run(&f.c);
        if (got != (apart || in_place ? SL_OK : SL_ERR_OVERLAP))
            fail_msg("%s: output %td elements after the input: '%s'", k->name, shift, sl_status_string(got));
        if (got != SL_OK)
            assert_memory_equal(both, before, sizeof both);
        memcpy(both, before, sizeof both);
    }
    if (!is_loss(k))
        return;
    set_up(&f, k);
    f.c.y = (float *)f.c.target;
    expect_refusal(k, &f, SL_ERR_OVERLAP);
    f.c.y = f.weights + CLASSES - 1;
    f.options.reduction = SL_SUM;
    f.options.class_weight = f.weights;
    expect_refusal(k, &f, SL_ERR_OVERLAP);
    if (k->target == CLASS_IDS)
        return;
    f.options.class_weight = NULL;
    f.options.pos_weight = f.weights;
    expect_refusal(k, &f, SL_ERR_OVERLAP);
}

/* No elements: nothing is touched, so all may be NULL. */
static void empty(const kernel *k)
{
    static const sl_shape shapes[] = {{0, 4, 1}, {3, 4, 0}, {0, 0, 0}, {0, SIZE_MAX, SIZE_MAX},
                                      {3, 0, 1}, {2, 0, 5}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        fixture f;
        set_up(&f, k);
        f.c.shape = shapes[i];
        expect(k, &f, SL_OK);
        assert_true(f.y[0] == CANARY);
        f.c = (call){.shape = shapes[i], .options = &f.options};
        expect(k, &f, SL_OK);
    }
}

/* A mean or a sum over nothing is a result all the same. */
static void empty_reductions(const kernel *k)
{
    static const sl_shape shapes[] = {{0, 4, 1}, {3, 4, 0}, {3, 0, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++) {
        fixture f;
        set_up(&f, k);
        f.c = (call){.shape = shapes[i], .options = &f.options, .y = f.y};
        f.options.reduction = SL_SUM;
        expect(k, &f, SL_OK);
        assert_int_equal(bits_of(f.y[0]), 0);
        f.options.reduction = SL_MEAN;
        expect(k, &f, SL_OK);
        assert_int_equal(bits_of(f.y[0]), 0x7fc00000);
        f.options.flags = SL_EMPTY_MEAN_ZERO;
        expect(k, &f, SL_OK);
        assert_int_equal(bits_of(f.y[0]), 0);
        f.options.flags = 0;
        f.c.options = NULL;
        expect(k, &f, SL_OK);
        assert_true(isnan(f.y[0]));
        f.c.y = NULL;
        expect(k, &f, SL_ERR_NULL);
    }
}

/* ---------------------------------------------------------------------------------------------- options */

static void refuse_option(const kernel *k, sl_loss_options options)
{
    fixture f;
    set_up(&f, k);
    f.options = options;
    expect_refusal(k, &f, SL_ERR_OPTION);
    f.c.shape.outer = 0; /* not even of nothing */
    expect_refusal(k, &f, SL_ERR_OPTION);
}

static void accept_option(const kernel *k, sl_loss_options options)
{
    fixture f;
    set_up(&f, k);
    f.options = options;
    expect_success(k, &f);
}

static void options(const kernel *k)
{
    const float weights[CLASSES] = {1, 1, 1, 1};
    refuse_option(k, (sl_loss_options){.reduction = (sl_reduction)3});
    refuse_option(k, (sl_loss_options){.reduction = (sl_reduction)-1});
    refuse_option(k, (sl_loss_options){.label_smoothing = NAN});
    refuse_option(k, (sl_loss_options){.label_smoothing = -0.1});
    refuse_option(k, (sl_loss_options){.label_smoothing = 1.1});
    refuse_option(k, (sl_loss_options){.label_smoothing = INFINITY});
    refuse_option(k, (sl_loss_options){.flags = 4});
    refuse_option(k, (sl_loss_options){.flags = 0x80000000u | SL_EMPTY_MEAN_ZERO});
    accept_option(k, (sl_loss_options){.flags = SL_EMPTY_MEAN_ZERO});
    accept_option(k, (sl_loss_options){.class_weight = weights});
    accept_option(k, (sl_loss_options){.label_smoothing = -0.0});
    accept_option(k, sl_loss_defaults());
    if (k->target == CLASS_IDS) {
        refuse_option(k, (sl_loss_options){.pos_weight = weights});
        accept_option(k, (sl_loss_options){.label_smoothing = 1});
        accept_option(k, (sl_loss_options){.has_ignore_index = true, .ignore_index = 3});
        accept_option(k, (sl_loss_options){.flags = SL_SAFE_ROWS});
    } else {
        refuse_option(k, (sl_loss_options){.label_smoothing = 0.1});
        refuse_option(k, (sl_loss_options){.has_ignore_index = true});
        accept_option(k, (sl_loss_options){.pos_weight = weights});
    }
}

/* The gradient is not in this version. */
static void gradients(void)
{
    fixture f;
    float grad[ELEMENTS] = {0};
    set_up(&f, KERNEL(cross_entropy));
    assert_int_equal(sl_cross_entropy_f32(f.x, f.ids, f.c.shape, &f.options, f.y, grad), SL_ERR_OPTION);
    assert_int_equal(sl_bce_with_logits_f32(f.x, f.probabilities, f.c.shape, &f.options, f.y, grad),
                     SL_ERR_OPTION);
    for (size_t i = 0; i < ELEMENTS; i++)
        assert_true(f.y[i] == CANARY && grad[i] == 0);
}

/* ---------------------------------------------------------------------------------------------- targets */

static void class_ids(void)
{
    static const int64_t bad[] = {-1, CLASSES, INT64_MIN, INT64_MAX, (int64_t)1 << 32, -100};
    const kernel *k = KERNEL(cross_entropy);
    for (size_t b = 0; b < sizeof bad / sizeof *bad; b++)
        for (size_t r = 0; r < ROWS; r++)
            for (int reduction = SL_MEAN; reduction <= SL_NONE; reduction++) {
                fixture f;
                set_up(&f, k);
                f.options.reduction = (sl_reduction)reduction;
                f.ids[r] = bad[b];
                expect_refusal(k, &f, SL_ERR_TARGET);
                f.options.has_ignore_index = true;
                f.options.ignore_index = bad[b] ^ 1; /* another one */
                expect_refusal(k, &f, SL_ERR_TARGET);
                f.options.ignore_index = bad[b];
                expect_success(k, &f);
            }
}

/* The order of the statuses in softlane.h: SIZE, NULL, OPTION, OVERLAP, TARGET. */
static void first_status_that_applies(void)
{
    const kernel *k = KERNEL(cross_entropy);
    fixture f;
    set_up(&f, k);
    f.ids[0] = -1;
    expect_refusal(k, &f, SL_ERR_TARGET);
    f.c.y = f.x;
    expect_refusal(k, &f, SL_ERR_OVERLAP);
    f.options.label_smoothing = 2;
    expect_refusal(k, &f, SL_ERR_OPTION);
    f.options.label_smoothing = 0;
    f.options.pos_weight = f.weights;
    expect_refusal(k, &f, SL_ERR_OPTION);
    f.c.target = NULL;
    expect_refusal(k, &f, SL_ERR_NULL);
    f.c.shape.outer = SIZE_MAX;
    expect_refusal(k, &f, SL_ERR_SIZE);
}

/* bce's own options come before its overlaps, too. */
static void first_status_of_bce(void)
{
    const kernel *k = KERNEL(bce_with_logits);
    fixture f;
    set_up(&f, k);
    f.c.y = f.x;
    expect_refusal(k, &f, SL_ERR_OVERLAP);
    f.options.has_ignore_index = true;
    expect_refusal(k, &f, SL_ERR_OPTION);
}

static void status_strings(void)
{
    for (int s = SL_OK; s <= SL_ERR_OVERLAP; s++) {
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
                defaults.upstream == NULL && defaults.flags == 0);
}

int main(void)
{
    const topic topics[] = {
        {.name = "correct call", .each_kernel = correct_call},
        {.name = "null pointers", .each_kernel = null_pointers},
        {.name = "size overflow", .each_kernel = sizes},
        {.name = "overlap", .each_kernel = overlap},
        {.name = "empty input", .each_kernel = empty},
        {.name = "mean and sum of nothing", .each_kernel = empty_reductions, .applies_to = is_loss},
        {.name = "options", .each_kernel = options, .applies_to = is_loss},
        {.name = "gradients are refused", .once = gradients},
        {.name = "class ids", .once = class_ids},
        {.name = "first status that applies", .once = first_status_that_applies},
        {.name = "first status that applies, bce", .once = first_status_of_bce},
        {.name = "status strings", .once = status_strings},
        {.name = "shapes and defaults", .once = shapes},
    };
    return ladder_climb("arguments", topics, sizeof topics / sizeof *topics);
}
