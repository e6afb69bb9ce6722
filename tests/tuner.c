/* SPDX-License-Identifier: MIT
 *
 * softlane-tune's core: a kernel that is fast and wrong is refused by name, however fast it is; and what is chosen is one
 * of the rest. And its judge, which is softlane-accuracy's: what it does with NaN.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "tune.h"

/* Faster than any softmax, and nothing that a test of plausibility would find: every row has the sum 1. */
static void uniform(const float *x, float *y, sl_shape shape)
{
    (void)x;
    for (size_t i = 0; i < elements(shape); i++)
        y[i] = 1 / (float)shape.classes;
}

/* Right but for one column: the error of the gate is the largest one, not a mean. */
static void nearly(const float *x, float *y, sl_shape shape)
{
    sl_isa(NULL)->softmax_f32(x, y, shape);
    y[0] *= 1.00001f;
}

static void sluggish(const float *x, float *y, sl_shape shape)
{
    for (int i = 0; i < 4; i++)
        sl_isa(NULL)->softmax_f32(x, y, shape);
}

static const kernel *const softmax = &kernels[SL_COUNT_softmax * SL_DTYPE_COUNT + SL_COUNT_f32];

static size_t tune(const sl_kernels *const *tables, size_t count, const sl_kernels *winner[TUNE_CLASSES],
                   char said[1024])
{
    FILE *file = tmpfile();
    assert_non_null(file);
    const struct tuner tuner = {tables, count, {32 << 10, 1 << 20}, 0.002, file};
    const size_t refused = tune_kernel(&tuner, softmax, winner);
    rewind(file);
    said[fread(said, 1, 1023, file)] = '\0';
    fclose(file);
    return refused;
}

static sl_kernels changed(const char *name, void (*softmax_f32)(const float *, float *, sl_shape))
{
    sl_kernels table = *sl_isa(NULL);
    table.isa = name;
    table.softmax_f32 = softmax_f32;
    return table;
}

static void wrong_ones_are_refused(void **state)
{
    (void)state;
    const sl_kernels fast = changed("fast", uniform), near = changed("near", nearly);
    const sl_kernels *const tables[] = {&fast, sl_isa(NULL), &near};
    const sl_kernels *winner[TUNE_CLASSES];
    char said[1024];
    assert_int_equal(tune(tables, 3, winner, said), 2);
    print_message("%s", said);
    assert_non_null(strstr(said, "refused: softmax/f32/fast: "));
    assert_non_null(strstr(said, "refused: softmax/f32/near: "));
    assert_null(strstr(strstr(said, "near"), "refused"));
    for (size_t c = 0; c < TUNE_CLASSES; c++)
        assert_ptr_equal(winner[c], sl_isa(NULL));
}

static void nothing_wins_where_all_are_wrong(void **state)
{
    (void)state;
    const sl_kernels fast = changed("fast", uniform);
    const sl_kernels *const tables[] = {&fast};
    const sl_kernels *winner[TUNE_CLASSES];
    char said[1024];
    assert_int_equal(tune(tables, 1, winner, said), 1);
    for (size_t c = 0; c < TUNE_CLASSES; c++)
        assert_null(winner[c]);
}

/* Four times the work: no noise makes that up. The slow one stands where ties would make it win. */
static void the_faster_wins(void **state)
{
    (void)state;
    const sl_kernels slow = changed("slow", sluggish);
    const sl_kernels *const tables[] = {sl_isa(NULL), &slow};
    const sl_kernels *winner[TUNE_CLASSES];
    char said[1024];
    assert_int_equal(tune(tables, 2, winner, said), 0);
    assert_string_equal(said, "");
    for (size_t c = 0; c < TUNE_CLASSES; c++)
        assert_ptr_equal(winner[c], sl_isa(NULL));
}

/* Right, but for one number too few. */
static void forgetful(const float *x, float *y, sl_shape shape)
{
    sl_isa(NULL)->softmax_f32(x, y, shape);
    y[elements(shape) - 1] = NAN;
}

static struct error_stats measured(const sl_kernels *isa, double *x, sl_shape shape)
{
    const struct logits user = {.shape = shape, .x = x};
    struct error_stats error_stats = {.variant = {softmax, false, isa}};
    measure_variants(&error_stats, 1, &user);
    return error_stats;
}

/* NaN beside the oracle's has no distance from it; NaN beside a number is infinitely far from it. */
static void not_a_number_is_not_compared(void **state)
{
    (void)state;
    const sl_kernels table = changed("forgetful", forgetful);
    double nothing[2 * 4] = {NAN, 0, 1, 2, -INFINITY, -INFINITY, -INFINITY, -INFINITY};
    struct error_stats t = measured(sl_isa(NULL), nothing, sl_rows(2, 4));
    assert_int_equal(t.results, 8);
    assert_int_equal(t.not_compared, 8);
    assert_true(t.max == -1);

    double second[3 * 4] = {0, 1, 2, 3, 4, NAN, 6, 7, 8, 9, 10, 12};
    t = measured(sl_isa(NULL), second, sl_rows(3, 4));
    assert_int_equal(t.results, 12);
    assert_int_equal(t.not_compared, 4);
    assert_int_equal(t.first_not_compared.row, 1);
    assert_int_equal(t.first_not_compared.column, 0);
    assert_true(t.max >= 0 && t.max <= variant_bound(&t.variant, false));

    t = measured(&table, second, sl_rows(3, 4));
    assert_int_equal(t.not_compared, 4);
    assert_true(isinf(t.max));
    assert_int_equal(t.worst.row, 2);
    assert_int_equal(t.worst.column, 3);

    const sl_kernels *const tables[] = {&table, sl_isa(NULL)};
    const sl_kernels *winner[TUNE_CLASSES];
    char said[1024];
    assert_int_equal(tune(tables, 2, winner, said), 1);
    assert_non_null(strstr(said, "refused: softmax/f32/forgetful: "));
}

static void sigmoid_but_of_one(const float *x, float *y, size_t n)
{
    sl_isa(NULL)->sigmoid_f32(x, y, n);
    for (size_t i = 0; i < n; i++)
        if (x[i] == 1)
            y[i] = NAN;
}

/* The same of the sweeps over all floats, on parts of them: from 1 on, and among the NaNs. */
static void sweeps_do_likewise(void **state)
{
    (void)state;
    const kernel *sigmoid = sibling(softmax, SL_COUNT_sigmoid);
    sl_kernels table = *sl_isa(NULL);
    const sl_kernels *const tables[] = {sl_isa(NULL), &table};
    sweep_result results[2];
    table.sigmoid_f32 = sigmoid_but_of_one;
    sweep(sigmoid, false, tables, 2, 0x3f800000, 0x3f80ffff, 1, results, NULL);
    assert_true(results[0].max_ulp <= bound_of(sigmoid, &table, RESULT) && results[0].not_compared == 0);
    assert_true(isinf(results[1].max_ulp) && results[1].worst == 1 && isfinite(results[1].sum_ulp));
    assert_int_equal(results[1].wrong, 1);
    sweep(sigmoid, false, tables, 2, 0x7fc00000, 0x7fc0ffff, 1, results, NULL);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(results[i].inputs, 1 << 17);
        assert_int_equal(results[i].not_compared, 1 << 17);
        assert_true(isnan(results[i].uncompared) && results[i].max_ulp == 0 && results[i].wrong == 0);
    }
}

/* Each class is timed inside itself, for every kernel. */
static void classes_are_in_order(void **state)
{
    (void)state;
    const size_t cache_bytes[TUNE_CLASSES - 1] = {48 << 10, 2 << 20};
    for (size_t k = 0; k < KERNELS; k++) {
        struct tune_class c[TUNE_CLASSES];
        tune_classes(&kernels[k], cache_bytes, c);
        assert_int_equal(c[0].from, 0);
        for (size_t i = 0; i < TUNE_CLASSES; i++) {
            assert_true(c[i].timed >= c[i].from && c[i].timed > 0);
            assert_true(i + 1 == TUNE_CLASSES || (c[i].timed < c[i + 1].from && c[i].from < c[i + 1].from));
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(wrong_ones_are_refused), cmocka_unit_test(nothing_wins_where_all_are_wrong),
        cmocka_unit_test(the_faster_wins),        cmocka_unit_test(not_a_number_is_not_compared),
        cmocka_unit_test(sweeps_do_likewise),     cmocka_unit_test(classes_are_in_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
