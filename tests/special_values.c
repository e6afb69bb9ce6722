/* SPDX-License-Identifier: MIT
 *
 * Special values: what softlane.h promises about NaN, infinities, zeros, limits of the range, ignored rows
 * and empty means, as named cases. Every kernel has a table of them, or this file does not compile. Each case
 * runs on every ISA's table and through the public function; maps and losses per row also many times over, to
 * fill whole registers.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

enum { MOST = 8, COPIES = 37 };

typedef struct {
    const char *name;
    size_t rows, columns; /* element-wise kernels without targets: their product counts */
    float x[MOST];
    union {
        int64_t ids[MOST];
        float probabilities[MOST];
    } target;
    sl_loss_options options;
    float want[MOST];
    double ulp; /* 0: the very bits, sign of zero included */
} special;

#define INF INFINITY
#define SIGNALLING __builtin_nansf("")
#define IDS(...) .target.ids = {__VA_ARGS__}
#define PROBABILITIES(...) .target.probabilities = {__VA_ARGS__}
#define NONE .reduction = SL_NONE

static const special softmax_cases[] = {
    {"NaN spoils the row", 1, 3, {1, NAN, 2}, .want = {NAN, NAN, NAN}},
    {"negative NaN spoils the row", 1, 3, {-NAN, 1, 2}, .want = {NAN, NAN, NAN}},
    {"signalling NaN spoils the row", 1, 3, {1, 2, SIGNALLING}, .want = {NAN, NAN, NAN}},
    {"+inf spoils the row", 1, 3, {1, INF, 2}, .want = {NAN, NAN, NAN}},
    {"+inf and NaN", 1, 2, {INF, NAN}, .want = {NAN, NAN}},
    {"+inf and -inf", 1, 2, {INF, -INF}, .want = {NAN, NAN}},
    {"NaN and -inf", 1, 2, {-INF, NAN}, .want = {NAN, NAN}},
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {NAN, NAN, NAN}},
    {"-inf beside finite", 1, 4, {-INF, 0, -INF, 0}, .want = {0, 0.5f, 0, 0.5f}},
    {"one finite element", 1, 3, {-INF, 3, -INF}, .want = {0, 1, 0}},
    {"one column", 3, 1, {-123, 0, 3e38f}, .want = {1, 1, 1}},
    {"one column of -inf", 1, 1, {-INF}, .want = {NAN}},
    {"one column of +inf", 1, 1, {INF}, .want = {NAN}},
    {"a spoilt row beside good ones", 3, 2, {0, 0, NAN, 0, 1, 1}, .want = {0.5f, 0.5f, NAN, NAN, 0.5f, 0.5f}},
    {"limits of the range", 1, 3, {3e38f, -3e38f, 0}, .want = {1, 0, 0}},
    {"largest floats, equal", 1, 2, {FLT_MAX, FLT_MAX}, .want = {0.5f, 0.5f}},
    {"smallest floats beside -inf", 1, 3, {-FLT_MAX, -INF, -FLT_MAX}, .want = {0.5f, 0, 0.5f}},
    {"zeros of both signs", 1, 2, {0, -0.0f}, .want = {0.5f, 0.5f}},
    {"denormal logits", 1, 3, {1e-40f, -1e-40f, 0}, .want = {1 / 3.0f, 1 / 3.0f, 1 / 3.0f}},
    {"denormal result", 1, 2, {0, -100}, .want = {1, 3.783506e-44f}, .ulp = 3.5},
    {"underflow", 1, 2, {-110, 0}, .want = {0, 1}},
};

static const special log_softmax_cases[] = {
    {"NaN spoils the row", 1, 3, {1, NAN, 2}, .want = {NAN, NAN, NAN}},
    {"negative NaN spoils the row", 1, 3, {-NAN, 1, 2}, .want = {NAN, NAN, NAN}},
    {"signalling NaN spoils the row", 1, 3, {1, 2, SIGNALLING}, .want = {NAN, NAN, NAN}},
    {"+inf spoils the row", 1, 3, {1, INF, 2}, .want = {NAN, NAN, NAN}},
    {"+inf and NaN", 1, 2, {INF, NAN}, .want = {NAN, NAN}},
    {"+inf and -inf", 1, 2, {INF, -INF}, .want = {NAN, NAN}},
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {NAN, NAN, NAN}},
    {"-inf beside finite", 1, 3, {-INF, 0, 0}, .want = {-INF, -0x1.62e43p-1f, -0x1.62e43p-1f}, .ulp = 2},
    {"one finite element", 1, 3, {-INF, 3, -INF}, .want = {-INF, 0, -INF}},
    {"one column", 3, 1, {-123, 0, 3e38f}, .want = {0, 0, 0}},
    {"one column of -inf", 1, 1, {-INF}, .want = {NAN}},
    {"limits of the range", 1, 3, {3e38f, -3e38f, 0}, .want = {0, -INF, -3e38f}},
    {"zeros of both signs", 1, 2, {0, -0.0f}, .want = {-0x1.62e43p-1f, -0x1.62e43p-1f}, .ulp = 2},
    {"confident row", 1, 3, {20, 0, 0}, .want = {-0x1.1b4866p-28f, -20, -20}, .ulp = 2},
    {"denormal logarithm", 1, 2, {0, -100}, .want = {-3.783506e-44f, -100}, .ulp = 3},
};

static const special logsumexp_cases[] = {
    {"NaN", 1, 3, {1, NAN, 2}, .want = {NAN}},
    {"negative NaN", 1, 3, {-NAN, 1, 2}, .want = {NAN}},
    {"signalling NaN", 1, 3, {1, 2, SIGNALLING}, .want = {NAN}},
    {"+inf", 1, 3, {1, INF, 2}, .want = {NAN}},
    {"+inf and -inf", 1, 2, {INF, -INF}, .want = {NAN}},
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {NAN}},
    {"-inf beside finite", 1, 3, {-INF, 5, -INF}, .want = {5}},
    {"one column", 3, 1, {-123, 0.1f, 3e38f}, .want = {-123, 0.1f, 3e38f}},
    {"two zeros", 1, 2, {0, -0.0f}, .want = {0x1.62e43p-1f}, .ulp = 2},
    {"limits of the range", 1, 3, {3e38f, -3e38f, 0}, .want = {3e38f}},
    {"largest floats", 1, 4, {FLT_MAX, FLT_MAX, FLT_MAX, FLT_MAX}, .want = {FLT_MAX}},
    {"smallest floats", 1, 2, {-FLT_MAX, -FLT_MAX}, .want = {-FLT_MAX}},
    {"a spoilt row beside good ones", 3, 2, {-INF, 1, NAN, 0, 7, -INF}, .want = {1, NAN, 7}},
};

static const special sigmoid_cases[] = {
    {"NaN", 1, 3, {NAN, -NAN, SIGNALLING}, .want = {NAN, NAN, NAN}},
    {"infinities", 1, 2, {INF, -INF}, .want = {1, 0}},
    {"zeros", 1, 2, {0, -0.0f}, .want = {0.5f, 0.5f}},
    {"denormals", 1, 2, {1e-40f, -1e-40f}, .want = {0.5f, 0.5f}},
    {"gradual underflow", 1, 2, {-90, -103}, .want = {8.194013e-40f, 0x1p-149f}, .ulp = 1},
    {"underflow", 1, 3, {-105, -200, -3e38f}, .want = {0, 0, 0}},
    {"saturation", 1, 3, {20, 105, 3e38f}, .want = {1, 1, 1}},
};

static const special log_sigmoid_cases[] = {
    {"NaN", 1, 3, {NAN, -NAN, SIGNALLING}, .want = {NAN, NAN, NAN}},
    {"infinities", 1, 2, {INF, -INF}, .want = {-0.0f, -INF}},
    {"zeros", 1, 2, {0, -0.0f}, .want = {-0x1.62e43p-1f, -0x1.62e43p-1f}, .ulp = 2},
    {"gradual underflow", 1, 2, {88, 103}, .want = {-6.054601e-39f, -0x1p-149f}, .ulp = 2},
    {"underflow", 1, 3, {105, 200, 3e38f}, .want = {-0.0f, -0.0f, -0.0f}},
    {"far below", 1, 3, {-50, -1e5f, -FLT_MAX}, .want = {-50, -1e5f, -FLT_MAX}},
};

static const float weights_4_1_0[] = {4, 1, 0}, weights_0_8th_1[] = {0, 0.125f, 1};
static const float weights_half[] = {0.5f, 0.5f, 0.5f}, weights_zero[] = {0, 0, 0}, weights_4[] = {4, 4, 4};

static const special cross_entropy_cases[] = {
    {"target's logit is -inf", 1, 3, {0, -INF, 0}, IDS(1), {NONE}, {INF}},
    {"-inf beside the target", 1, 2, {0, -INF}, IDS(0), {NONE}, {0}},
    {"NaN", 1, 3, {0, NAN, 0}, IDS(0), {NONE}, {NAN}},
    {"NaN at the target", 1, 3, {-NAN, 0, 0}, IDS(0), {NONE}, {NAN}},
    {"+inf", 1, 3, {0, INF, 0}, IDS(0), {NONE}, {NAN}},
    {"+inf at the target", 1, 3, {INF, 0, 0}, IDS(0), {NONE}, {NAN}},
    {"all -inf", 1, 3, {-INF, -INF, -INF}, IDS(1), {NONE}, {NAN}},
    {"all -inf, safe", 1, 3, {-INF, -INF, -INF}, IDS(1), {NONE, .flags = SL_SAFE_ROWS}, {0}},
    {"all -inf, smoothing, safe",
     1,
     3,
     {-INF, -INF, -INF},
     IDS(1),
     {NONE, .label_smoothing = 0.5, .flags = SL_SAFE_ROWS},
     {0}},
    {"NaN, safe", 1, 3, {-INF, NAN, -INF}, IDS(1), {NONE, .flags = SL_SAFE_ROWS}, {NAN}},
    {"+inf, safe", 1, 3, {-INF, INF, -INF}, IDS(1), {NONE, .flags = SL_SAFE_ROWS}, {NAN}},
    {"all -inf, safe, mean counts the row",
     2,
     2,
     {-INF, -INF, 0, 0},
     IDS(0, 1),
     {.flags = SL_SAFE_ROWS},
     {0x1.62e43p-2f},
     3},
    {"one column", 2, 1, {5, -3e38f}, IDS(0, 0), {NONE}, {0, 0}},
    {"tiny loss", 1, 3, {20, 0, 0}, IDS(0), {NONE}, {0x1.1b4866p-28f}, 3},
    {"denormal loss", 1, 2, {0, -100}, IDS(0), {NONE}, {3.783506e-44f}, 3},
    {"limits of the range", 2, 3, {3e38f, -3e38f, 0, 3e38f, -3e38f, 0}, IDS(2, 1), {NONE}, {3e38f, INF}},
    {"zero loss at the limits", 1, 3, {3e38f, -3e38f, 0}, IDS(0), {NONE}, {0}},
    {"ignored rows are not read",
     3,
     2,
     {0, 0, NAN, INF, 0, 0},
     IDS(0, -100, 1),
     {NONE, .has_ignore_index = true, .ignore_index = -100},
     {0x1.62e43p-1f, 0, 0x1.62e43p-1f},
     2},
    {"ignored rows add nothing to a sum",
     3,
     2,
     {0, 0, NAN, INF, 0, 0},
     IDS(0, -100, 1),
     {.reduction = SL_SUM, .has_ignore_index = true, .ignore_index = -100},
     {0x1.62e43p+0f},
     3},
    {"ignored rows do not count in a mean",
     3,
     2,
     {0, 0, NAN, INF, 0, 0},
     IDS(0, -100, 1),
     {.has_ignore_index = true, .ignore_index = -100},
     {0x1.62e43p-1f},
     3},
    {"ignored class among the classes",
     2,
     2,
     {NAN, 0, 0, 0},
     IDS(1, 0),
     {NONE, .has_ignore_index = true, .ignore_index = 1},
     {0, 0x1.62e43p-1f},
     2},
    {"ignored rows, smoothing",
     2,
     2,
     {NAN, 0, 0, 0},
     IDS(7, 0),
     {NONE, .label_smoothing = 0.1, .has_ignore_index = true, .ignore_index = 7},
     {0, 0x1.62e43p-1f},
     2},
    {"ignored beyond all classes",
     1,
     2,
     {0, 0},
     IDS(INT64_MIN),
     {NONE, .has_ignore_index = true, .ignore_index = INT64_MIN},
     {0}},
    {"all rows ignored, mean",
     2,
     2,
     {0, 0, 0, 0},
     IDS(-1, -1),
     {.has_ignore_index = true, .ignore_index = -1},
     {NAN}},
    {"all rows ignored, sum",
     2,
     2,
     {0, 0, 0, 0},
     IDS(-1, -1),
     {.reduction = SL_SUM, .has_ignore_index = true, .ignore_index = -1},
     {0}},
    {"all rows ignored, empty mean is zero",
     2,
     2,
     {0, 0, 0, 0},
     IDS(-1, -1),
     {.has_ignore_index = true, .ignore_index = -1, .flags = SL_EMPTY_MEAN_ZERO},
     {0}},
    {"mean divides by the weights",
     2,
     3,
     {0, 0, 0, 0, 0, 0},
     IDS(0, 1),
     {.class_weight = weights_4_1_0},
     {0x1.193ea8p+0f},
     3}, /* log 3 */
    {"mean with equal weights",
     2,
     2,
     {0, 0, 0, 0},
     IDS(0, 1),
     {.class_weight = weights_half},
     {0x1.62e43p-1f},
     3},
    {"weights scale a loss",
     2,
     2,
     {0, 0, 0, 0},
     IDS(0, 1),
     {NONE, .class_weight = weights_4_1_0},
     {0x1.62e43p+1f, 0x1.62e43p-1f},
     3},
    {"weight 0", 1, 3, {0, 1, 2}, IDS(2), {NONE, .class_weight = weights_4_1_0}, {0}},
    {"weight 0 of an infinite loss", 1, 3, {0, 1, -INF}, IDS(2), {NONE, .class_weight = weights_4_1_0}, {0}},
    {"full smoothing ignores the target",
     2,
     2,
     {1, 0, 1, 0},
     IDS(0, 1),
     {NONE, .label_smoothing = 1},
     {0.81326169f, 0.81326169f},
     3},
    {"smoothing reaches a -inf logit", 1, 2, {0, -INF}, IDS(0), {NONE, .label_smoothing = 0.1}, {INF}},
    {"smoothing, mean divides both terms by the weights",
     2,
     2,
     {0, 0, 0, 0},
     IDS(0, 1),
     {.class_weight = weights_4_1_0, .label_smoothing = 0.5},
     {0x1.62e43p-1f},
     3},
    {"NaN in a mean", 2, 2, {0, 0, NAN, 0}, IDS(0, 0), {.reduction = SL_MEAN}, {NAN}},
    {"NaN in a sum", 2, 2, {0, 0, NAN, 0}, IDS(0, 0), {.reduction = SL_SUM}, {NAN}},
    {"+inf in a sum", 2, 2, {0, 0, 0, -INF}, IDS(0, 1), {.reduction = SL_SUM}, {INF}},
    {"-0 is no loss's result", 1, 2, {0, -INF}, IDS(0), {.reduction = SL_SUM}, {0}},
};

static const special bce_with_logits_cases[] = {
    {"infinitely right", 1, 2, {INF, -INF}, PROBABILITIES(1, 0), {NONE}, {0, 0}},
    {"infinitely wrong", 1, 2, {INF, -INF}, PROBABILITIES(0, 1), {NONE}, {INF, INF}},
    {"infinities, soft target", 1, 2, {INF, -INF}, PROBABILITIES(0.5f, 0.5f), {NONE}, {INF, INF}},
    {"NaN logit",
     1,
     4,
     {NAN, -NAN, SIGNALLING, NAN},
     PROBABILITIES(0, 1, 0.5f, 1),
     {NONE},
     {NAN, NAN, NAN, NAN}},
    {"NaN target", 1, 3, {0, 1, INF}, PROBABILITIES(NAN, NAN, NAN), {NONE}, {NAN, NAN, NAN}},
    {"zero logit",
     1,
     3,
     {0, -0.0f, 0},
     PROBABILITIES(0, 1, 0.25f),
     {NONE},
     {0x1.62e43p-1f, 0x1.62e43p-1f, 0x1.62e43p-1f},
     2},
    {"far right", 1, 2, {200, -3e38f}, PROBABILITIES(1, 0), {NONE}, {0, 0}},
    {"far wrong", 1, 2, {1e5f, -FLT_MAX}, PROBABILITIES(0, 1), {NONE}, {1e5f, FLT_MAX}},
    {"gradual underflow", 1, 2, {88, -103}, PROBABILITIES(1, 0), {NONE}, {6.054601e-39f, 0x1p-149f}, 2},
    {"target outside [0, 1]", 1, 2, {100, -100}, PROBABILITIES(2, -1), {NONE}, {-100, -100}, 2},
    {"class weights",
     2,
     3,
     {0, 0, 0, 0, 0, 0},
     PROBABILITIES(0, 0, 0, 1, 1, 1),
     {NONE, .class_weight = weights_4_1_0},
     {0x1.62e43p+1f, 0x1.62e43p-1f, 0, 0x1.62e43p+1f, 0x1.62e43p-1f, 0},
     3},
    {"positive weights",
     2,
     3,
     {0, 0, 0, 0, 0, 0},
     PROBABILITIES(0, 0, 0, 1, 1, 1),
     {NONE, .pos_weight = weights_4_1_0},
     {0x1.62e43p-1f, 0x1.62e43p-1f, 0x1.62e43p-1f, 0x1.62e43p+1f, 0x1.62e43p-1f, 0},
     3},
    {"positive weight of a huge loss",
     1,
     3,
     {-3e38f, -1e38f, -1},
     PROBABILITIES(1, 1, 1),
     {NONE, .class_weight = weights_half, .pos_weight = weights_half},
     {7.5e37f, 2.5e37f, 0.32831542f},
     4},
    {"positive weight must not overflow on the way",
     1,
     3,
     {-3e38f, -3e38f, -3e38f},
     PROBABILITIES(1, 1, 1),
     {NONE, .class_weight = weights_0_8th_1, .pos_weight = weights_4},
     {0, 1.5e38f, INF},
     4},
    {"positive weight, infinitely right",
     1,
     2,
     {INF, -INF},
     PROBABILITIES(1, 0),
     {NONE, .pos_weight = weights_4_1_0},
     {0, 0}},
    {"mean divides by the elements, whatever the weights",
     2,
     3,
     {0, 0, 0, 0, 0, 0},
     PROBABILITIES(0, 0, 0, 0, 0, 0),
     {.class_weight = weights_half},
     {0x1.62e43p-2f},
     3},
    {"mean with all weights 0", 1, 3, {0, 0, 0}, PROBABILITIES(0, 0, 0), {.class_weight = weights_zero}, {0}},
    {"NaN in a mean", 1, 2, {0, NAN}, PROBABILITIES(0, 0), {.reduction = SL_MEAN}, {NAN}},
    {"+inf in a sum", 1, 2, {0, INF}, PROBABILITIES(0, 0), {.reduction = SL_SUM}, {INF}},
};

static const struct {
    const special *cases;
    size_t count;
} specials[SL_KERNEL_COUNT] = {
#define SL_KERNEL(name, ...) {name##_cases, sizeof name##_cases / sizeof *name##_cases},
#include "kernels.def"
#undef SL_KERNEL
};

/* --------------------------------------------------------------------------------------- running a case */

static const void *target_of(const kernel *k, const special *s)
{
    return k->target == CLASS_IDS ? (const void *)s->target.ids : s->target.probabilities;
}

static bool as_wanted(const kernel *k, const special *s, float got, float want)
{
    if (isnan(want))
        return k->by_element ? isnan(got) : bits_of(got) == 0x7fc00000;
    return s->ulp == 0 ? bits_of(got) == bits_of(want) : sl_ref_ulp_f32(got, want) <= s->ulp;
}

/* Reports the first wrong output, if any, and returns 1. */
static int check(const kernel *k, const isa *on, const special *s, const char *how, const float *got,
                 size_t outputs, size_t copies)
{
    for (size_t i = 0; i < outputs * copies; i++) {
        const float want = s->want[i % outputs];
        if (as_wanted(k, s, got[i], want))
            continue;
        print_error("%s/f32/%s, %s (%s): output %zu is %a (%08x), not %a\n", k->name, on->name, s->name, how,
                    i, got[i], bits_of(got[i]), want);
        return 1;
    }
    return 0;
}

static bool is_in_library(const isa *on) { return sl_isa(on->name) != NULL; }

static int run_case(const kernel *k, const isa *on, const special *s)
{
    float y[MOST];
    call c = {s->x, target_of(k, s), sl_rows(s->rows, s->columns), &s->options, y};
    const size_t outputs = k->outputs(&c);
    run(k, on, &c);
    int wrong = check(k, on, s, "table", y, outputs, 1);
    if (!is_in_library(on))
        return wrong;
    memset(y, 0xa5, sizeof y);
    assert_true(sl_isa_force(on->name));
    const sl_status status = k->check_and_run(&c);
    assert_true(sl_isa_force(NULL));
    if (status != SL_OK) {
        print_error("%s, %s: %s\n", k->name, s->name, sl_status_string(status));
        return wrong + 1;
    }
    return wrong + check(k, on, s, "public", y, outputs, 1);
}

/* The case's rows over and over; a reduction would not have as many outputs. */
static int run_copies(const kernel *k, const isa *on, const special *s)
{
    const size_t n = s->rows * s->columns;
    float x[COPIES * MOST], y[COPIES * MOST];
    char target[COPIES * MOST * sizeof(int64_t)];
    call c = {x, target, sl_rows(s->rows, s->columns), &s->options, y};
    const size_t outputs = k->outputs(&c), target_bytes = target_count(k, c.shape) * target_size(k);
    for (size_t i = 0; i < COPIES; i++) {
        memcpy(x + i * n, s->x, n * sizeof *x);
        memcpy(target + i * target_bytes, target_of(k, s), target_bytes);
    }
    c.shape.outer *= COPIES;
    if (k->outputs(&c) != outputs * COPIES)
        return 0;
    run(k, on, &c);
    return check(k, on, s, "many copies", y, outputs, COPIES);
}

static void named_cases(const kernel *k, const isa *on)
{
    int wrong = 0;
    for (size_t i = 0; i < specials[k->index].count; i++) {
        const special *s = &specials[k->index].cases[i];
        wrong += run_case(k, on, s);
        wrong += run_copies(k, on, s);
    }
    if (wrong != 0)
        fail_msg("%s/f32/%s: %d wrong cases", k->name, on->name, wrong);
}

/* ------------------------------------------------------------------------------------ at every position */

/* One bad element, wherever it is in a row of whatever length: all of the row (for element kernels: it alone) is NaN. */
static void one_bad_element(const kernel *k, const isa *on)
{
    static const uint32_t bad[] = {0x7fc00000, 0xffc12345, 0x7f800001, 0x7f800000};
    enum { BAD = sizeof bad / sizeof *bad, INFINITE = BAD - 1 };
    generator g = {13};
    for (size_t n = 1; n <= 100; n += effort(1, 11)) {
        workload w;
        workload_make(&w, k, 0, sl_rows(1, n), distribution_at(0), &g);
        const size_t outputs = k->outputs(&w.c);
        float *good = allocate(n, sizeof *good);
        run(k, on, &w.c);
        memcpy(good, w.c.y, outputs * sizeof *good);
        for (size_t at = 0; at < n; at++)
            for (size_t b = 0; b < (k->by_element ? INFINITE : BAD); b++) {
                const float was = w.x[at];
                w.x[at] = float_of_bits(bad[b]);
                run(k, on, &w.c);
                w.x[at] = was;
                for (size_t i = 0; i < outputs; i++) {
                    const bool spoilt = !k->by_element || i == at;
                    if (spoilt ? !isnan(w.c.y[i]) : bits_of(w.c.y[i]) != bits_of(good[i]))
                        fail_msg("%s/f32/%s, %08x at %zu of %zu: output %zu is %a", k->name, on->name, bad[b],
                                 at, n, i, w.c.y[i]);
                    if (spoilt && !k->by_element && bits_of(w.c.y[i]) != 0x7fc00000)
                        fail_msg("%s/f32/%s, %08x at %zu of %zu: output %zu is NaN %08x", k->name, on->name,
                                 bad[b], at, n, i, bits_of(w.c.y[i]));
                }
            }
        free(good);
        workload_free(&w);
    }
}

int main(void)
{
    const topic topics[] = {
        {.name = "special values", .rung = named_cases},
        {.name = "one bad element at every position", .rung = one_bad_element},
    };
    return ladder_climb("special_values", topics, sizeof topics / sizeof *topics);
}
