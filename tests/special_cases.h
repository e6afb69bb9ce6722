/* SPDX-License-Identifier: MIT
 *
 * The named cases of special_values.c: name, rows, columns, x, then what a kernel takes beside it, then what
 * comes out. Laid out by hand.
 *
 * Values are double and are rounded to the type. LARGEST, and multiples of it by powers of two, stand for the
 * largest number of x's type, LEAST for its smallest denormal.
 */
#ifndef SPECIAL_CASES_H
#define SPECIAL_CASES_H

#include <math.h>

#include "manifest.h"

enum { MOST = 8 };

typedef struct {
    const char *name;
    size_t rows, columns; /* element-wise kernels without targets: their product counts */
    double x[MOST];
    union {
        int64_t ids[MOST];
        double values[MOST]; /* PROBABILITIES, DY */
    } second;
    sl_ref_options options;
    double lse[MOST]; /* of a gradient that takes them */
    double want[MOST], gradient[MOST];
    bool has_gradient;
    bool close;       /* within the bound; else the very bits, sign of zero (but of a gradient's) included */
    sl_status status; /* anything but SL_OK: only through the public function, and nothing is written */
} special;

/* clang-format off */

#define LSE_OF(...) .lse = {__VA_ARGS__}
#define IDS(...) .second.ids = {__VA_ARGS__}
#define TARGETS(...) .second.values = {__VA_ARGS__}
#define GRADIENTS(...) .second.values = {__VA_ARGS__}
#define OPTIONS(...) .options = {__VA_ARGS__}
#define NONE .reduction = SL_NONE
#define IGNORING(id) .has_ignore_index = true, .ignore_index = id
#define LOSS(...) .want = {__VA_ARGS__}
#define GRAD(...) .gradient = {__VA_ARGS__}, .has_gradient = true
#define CLOSE .close = true

#define LARGEST 0x1p1000
#define LEAST 0x1p-1000
#define INF INFINITY
#define LOG_2 0.6931471805599453
#define LOG_3 1.0986122886681097
#define LOG_4 1.3862943611198906

/* -------------------------------------------------------------------------------------------- row kernels */

/* What every map of rows makes of NaN and +inf. */
#define SPOILT_ROWS \
    {"NaN spoils the row", 1, 3, {1, NAN, 2}, .want = {NAN, NAN, NAN}}, \
    {"negative NaN spoils the row", 1, 3, {-NAN, 1, 2}, .want = {NAN, NAN, NAN}}, \
    {"+inf spoils the row", 1, 3, {1, INF, 2}, .want = {NAN, NAN, NAN}}, \
    {"+inf and NaN", 1, 2, {INF, NAN}, .want = {NAN, NAN}}, \
    {"+inf and -inf", 1, 2, {INF, -INF}, .want = {NAN, NAN}}, \
    {"NaN and -inf", 1, 2, {-INF, NAN}, .want = {NAN, NAN}}

static const special softmax_cases[] = {
    SPOILT_ROWS,
    {"-inf beside finite", 1, 4, {-INF, 0, -INF, 0}, .want = {0, 0.5, 0, 0.5}},
    {"one finite element", 1, 3, {-INF, 3, -INF}, .want = {0, 1, 0}},
    {"one column", 3, 1, {-123, 0, LARGEST}, .want = {1, 1, 1}},
    {"one column of +inf", 1, 1, {INF}, .want = {NAN}},
    {"a spoilt row beside good ones", 3, 2, {0, 0, NAN, 0, 1, 1}, .want = {0.5, 0.5, NAN, NAN, 0.5, 0.5}},
    {"limits of the range", 1, 3, {LARGEST, -LARGEST, 0}, .want = {1, 0, 0}},
    {"largest numbers, equal", 1, 2, {LARGEST, LARGEST}, .want = {0.5, 0.5}},
    {"smallest numbers beside -inf", 1, 3, {-LARGEST, -INF, -LARGEST}, .want = {0.5, 0, 0.5}},
    {"zeros of both signs", 1, 2, {0, -0.0}, .want = {0.5, 0.5}},
    {"denormal logits", 1, 2, {LEAST, -LEAST}, .want = {0.5, 0.5}},
    {"denormal result of f32", 1, 2, {0, -100}, .want = {1, 3.7200759760208360e-44}, CLOSE},
    {"denormal result of f64", 1, 2, {-740, 0}, .want = {4.1887398800480489e-322, 1}, CLOSE},
    {"denormal result of f16", 1, 2, {-16, 0}, .want = {1.1253516205509499e-7, 0.99999988746483794}, CLOSE},
    {"underflow", 1, 2, {-752, 0}, .want = {0, 1}},
};

static const special masked_softmax_cases[] = {
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {NAN, NAN, NAN}},
    {"one column of -inf", 1, 1, {-INF}, .want = {NAN}},
};

static const special masked_softmax_safe_cases[] = {
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {0, 0, 0}},
    {"one column of -inf", 1, 1, {-INF}, .want = {0}},
    {"all -inf beside other rows", 3, 2, {0, 0, -INF, -INF, NAN, -INF}, .want = {0.5, 0.5, 0, 0, NAN, NAN}},
};

static const special log_softmax_cases[] = {
    SPOILT_ROWS,
    {"-inf beside finite", 1, 3, {-INF, 0, 0}, .want = {-INF, -LOG_2, -LOG_2}, CLOSE},
    {"one finite element", 1, 3, {-INF, 3, -INF}, .want = {-INF, 0, -INF}},
    {"one column", 3, 1, {-123, 0, LARGEST}, .want = {0, 0, 0}},
    {"a spoilt row beside good ones", 3, 2, {5, -INF, NAN, 0, -INF, 1}, .want = {0, -INF, NAN, NAN, -INF, 0}},
    {"limits of the range", 1, 3, {LARGEST, -LARGEST, 0}, .want = {0, -INF, -LARGEST}},
    {"largest numbers, equal", 1, 2, {LARGEST, LARGEST}, .want = {-LOG_2, -LOG_2}, CLOSE},
    {"confident row", 1, 3, {20, 0, 0}, .want = {-4.1223072363804072e-9, -20.000000004122307,
     -20.000000004122307}, CLOSE},
    {"very confident row", 1, 2, {0, -100}, .want = {-3.7200759760208360e-44, -100}, CLOSE},
    {"-0 is not the result of one column", 3, 1, {-0.0, 0, -0.0}, .want = {0, 0, 0}},
    {"-0 beside what does not count", 2, 2, {-0.0, -INF, -LARGEST, -0.0}, .want = {0, -INF, -LARGEST, 0}},
};

static const special masked_log_softmax_cases[] = {
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {NAN, NAN, NAN}},
    {"one column of -inf", 1, 1, {-INF}, .want = {NAN}},
};

static const special masked_log_softmax_safe_cases[] = {
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {-INF, -INF, -INF}},
    {"one column of -inf", 1, 1, {-INF}, .want = {-INF}},
    {"all -inf beside other rows", 3, 2, {1, -INF, -INF, -INF, NAN, -INF},
     .want = {0, -INF, -INF, -INF, NAN, NAN}},
};

static const special softmax_backward_cases[] = {
    {"two equal classes", 1, 2, {0.5, 0.5}, GRADIENTS(1, 0), .want = {0.25, -0.25}},
    {"constant gradient", 1, 4, {0.25, 0.25, 0.25, 0.25}, GRADIENTS(3, 3, 3, 3), .want = {0, 0, 0, 0}, CLOSE},
    {"certain row", 1, 2, {1, 0}, GRADIENTS(5, -3), .want = {0, 0}, CLOSE},
    {"masked row", 1, 2, {0, 0}, GRADIENTS(5, 3), .want = {0, 0}, CLOSE},
    {"NaN in y", 2, 2, {0.5, NAN, 0.5, 0.5}, GRADIENTS(1, 0, 1, 0), .want = {NAN, NAN, 0.25, -0.25}},
    {"NaN in dy", 2, 2, {0.5, 0.5, 0.5, 0.5}, GRADIENTS(1, 0, -NAN, 0), .want = {0.25, -0.25, NAN, NAN}},
    {"0 times infinity", 1, 2, {1, 0}, GRADIENTS(1, INF), .want = {NAN, NAN}},
};

static const special log_softmax_backward_cases[] = {
    {"gradients that sum to 0", 1, 2, {-1, -2}, GRADIENTS(1, -1), .want = {1, -1}},
    {"certain row", 1, 2, {0, -INF}, GRADIENTS(1, 2), .want = {-2, 2}},
    {"masked row", 1, 2, {-INF, -INF}, GRADIENTS(5, -3), .want = {5, -3}},
    {"NaN in y", 1, 2, {NAN, -INF}, GRADIENTS(1, 2), .want = {NAN, 2}},
    {"NaN in dy", 2, 2, {0, -INF, 0, -INF}, GRADIENTS(NAN, 0, 1, 2), .want = {NAN, NAN, -2, 2}},
};

/* Five ids of each row, as in harness/manifest.c. */
static const special log_softmax_at_cases[] = {
    {"masked classes", 1, 3, {-INF, 0, -INF}, IDS(0, 1, 2, 1, 0), .want = {-INF, 0, -INF, 0, -INF}},
    {"a NaN in the row", 1, 3, {NAN, 0, 1}, IDS(1, 1, 0, 2, 1), .want = {NAN, NAN, NAN, NAN, NAN}},
    {"a +inf in the row", 1, 2, {INF, 0}, IDS(1, 1, 1, 0, 1), .want = {NAN, NAN, NAN, NAN, NAN}},
    {"nothing but -inf", 1, 2, {-INF, -INF}, IDS(1, 1, 1, 0, 1), .want = {NAN, NAN, NAN, NAN, NAN}},
    {"one column", 1, 1, {-123}, IDS(0, 0, 0, 0, 0), .want = {0, 0, 0, 0, 0}},
    {"one column of -0", 1, 1, {-0.0}, IDS(0, 0, 0, 0, 0), .want = {0, 0, 0, 0, 0}},
    {"two equal", 1, 2, {3, 3}, IDS(0, 1, 0, 1, 0), .want = {-LOG_2, -LOG_2, -LOG_2, -LOG_2, -LOG_2}, CLOSE},
    {"an id is too large", 1, 2, {0, 0}, IDS(0, 1, 2, 1, 0), .status = SL_ERR_TARGET},
    {"an id is negative", 1, 2, {0, 0}, IDS(0, 1, 0, 1, -1), .status = SL_ERR_TARGET},
};

/* All of a row, in order. */
static const special log_softmax_top_cases[] = {
    {"masked classes", 1, 3, {-INF, 0, -INF}, .want = {0, -INF, -INF}},
    {"a NaN in the row", 1, 3, {1, NAN, 0}, .want = {NAN, NAN, NAN}},
    {"a +inf in the row", 1, 2, {INF, 0}, .want = {NAN, NAN}},
    {"nothing but -inf", 1, 2, {-INF, -INF}, .want = {NAN, NAN}},
    {"one column", 3, 1, {-123, 0, -0.0}, .want = {0, 0, 0}},
    {"two equal", 1, 2, {3, 3}, .want = {-LOG_2, -LOG_2}, CLOSE},
    {"a confident row", 1, 3, {0, 20, 0}, .want = {-4.1223072363804072e-9, -20.000000004122307, -20.000000004122307},
     CLOSE},
    {"a spoilt row beside good ones", 3, 2, {-INF, 5, NAN, 0, 1, -INF}, .want = {0, -INF, NAN, NAN, 0, -INF}},
};

static const special logsumexp_cases[] = {
    {"NaN", 1, 3, {1, NAN, 2}, .want = {NAN}},
    {"negative NaN", 1, 3, {-NAN, 1, 2}, .want = {NAN}},
    {"+inf", 1, 3, {1, INF, 2}, .want = {NAN}},
    {"+inf and -inf", 1, 2, {INF, -INF}, .want = {NAN}},
    {"all -inf", 1, 3, {-INF, -INF, -INF}, .want = {NAN}},
    {"-inf beside finite", 1, 3, {-INF, 5, -INF}, .want = {5}},
    {"one column", 3, 1, {-123, 0.125, LARGEST}, .want = {-123, 0.125, LARGEST}},
    {"two zeros", 1, 2, {0, -0.0}, .want = {LOG_2}, CLOSE},
    {"limits of the range", 1, 3, {LARGEST, -LARGEST, 0}, .want = {LARGEST}},
    {"largest numbers", 1, 2, {LARGEST, LARGEST / 2}, .want = {LARGEST}},
    {"a spoilt row beside good ones", 3, 2, {-INF, 1, NAN, 0, 7, -INF}, .want = {1, NAN, 7}},
    {"one column of -0", 1, 1, {-0.0}, .want = {0}},
};

/* --------------------------------------------------------------------------------------- element kernels */

static const special sigmoid_cases[] = {
    {"NaN", 1, 2, {NAN, -NAN}, .want = {NAN, NAN}},
    {"infinities", 1, 2, {INF, -INF}, .want = {1, 0}},
    {"zeros", 1, 2, {0, -0.0}, .want = {0.5, 0.5}},
    {"denormals", 1, 2, {LEAST, -LEAST}, .want = {0.5, 0.5}},
    {"gradual underflow", 1, 3, {-90, -740, -16},
     .want = {8.1940126239905154e-40, 4.1887398800480489e-322, 1.1253516205509499e-7}, CLOSE},
    {"underflow", 1, 3, {-752, -1000, -LARGEST}, .want = {0, 0, 0}},
    {"saturation", 1, 3, {40, 105, LARGEST}, .want = {1, 1, 1}},
};

static const special sigmoid_fast_cases[] = {
    {"NaN", 1, 2, {NAN, -NAN}, .want = {NAN, NAN}},
    {"infinities", 1, 2, {INF, -INF}, .want = {1, 0}},
    {"zeros", 1, 2, {0, -0.0}, .want = {0.5, 0.5}},
    {"denormals", 1, 2, {LEAST, -LEAST}, .want = {0.5, 0.5}},
    {"underflow", 1, 3, {-740, -1000, -LARGEST}, .want = {0, 0, 0}},
    {"saturation", 1, 3, {40, 105, LARGEST}, .want = {1, 1, 1}},
};

/* The sigmoids that are the closest to the middle between two floats, and such middles as x^3/48 alone decides. */
static const special sigmoid_exact_cases[] = {
    {"next to a middle", 1, 3, {-0x1.250c02p-10, 0x1.437902p-5, -0x1.2082ep-3},
     .want = {0x1.ffb6bep-2, 0x1.050db8p-1, 0x1.dbfeep-2}},
    {"small and next to a middle", 1, 3, {0x1.8p-22, -0x1.8p-23, 0x1.ffcp-13},
     .want = {0x1.000002p-1, 0x1.fffffep-2, 0x1.0007fep-1}},
};

static const special log_sigmoid_cases[] = {
    {"NaN", 1, 2, {NAN, -NAN}, .want = {NAN, NAN}},
    {"infinities", 1, 2, {INF, -INF}, .want = {-0.0, -INF}},
    {"zeros", 1, 2, {0, -0.0}, .want = {-LOG_2, -LOG_2}, CLOSE},
    {"gradual underflow", 1, 3, {88, 740, 9},
     .want = {-6.0546018954011859e-39, -4.1887398800480489e-322, -1.2340218972325882e-4}, CLOSE},
    {"underflow", 1, 3, {752, 1000, LARGEST}, .want = {-0.0, -0.0, -0.0}},
    {"far below", 1, 3, {-50, -1000, -LARGEST}, .want = {-50, -1000, -LARGEST}},
};

static const special sigmoid_backward_cases[] = {
    {"NaN", 1, 2, {NAN, 0.5}, GRADIENTS(1, NAN), .want = {NAN, NAN}},
    {"saturated", 1, 2, {0, 1}, GRADIENTS(3, 3), .want = {0, 0}},
    {"middle", 1, 2, {0.5, 0.5}, GRADIENTS(4, -2), .want = {1, -0.5}},
    {"0 times infinity", 1, 2, {0, 1}, GRADIENTS(INF, INF), .want = {NAN, NAN}},
    {"infinite gradient", 1, 2, {0.5, 0.5}, GRADIENTS(INF, -INF), .want = {INF, -INF}},
    {"largest gradient", 1, 1, {0.5}, GRADIENTS(LARGEST), .want = {LARGEST / 4}},
};

static const special log_sigmoid_backward_cases[] = {
    {"NaN", 1, 2, {NAN, 0.5}, GRADIENTS(1, NAN), .want = {NAN, NAN}},
    {"infinities", 1, 4, {-INF, -INF, INF, INF}, GRADIENTS(3, -3, 3, -3), .want = {3, -3, 0, -0.0}},
    {"infinite gradients", 1, 4, {INF, INF, -INF, -INF}, GRADIENTS(INF, -INF, INF, -INF),
     .want = {0, -0.0, INF, -INF}},
    {"infinite gradients beside others", 1, 4, {INF, LARGEST, INF, 20}, GRADIENTS(-INF, INF, 2, -INF),
     .want = {-0.0, INF, 0, -INF}},
    {"NaN gradient at infinity", 1, 2, {INF, -INF}, GRADIENTS(NAN, NAN), .want = {NAN, NAN}},
    {"middle", 1, 2, {0, -0.0}, GRADIENTS(3, -1), .want = {1.5, -0.5}},
    {"gradual underflow", 1, 3, {90, 740, 16}, GRADIENTS(1, 1, 1),
     .want = {8.1940126239905154e-40, 4.1887398800480489e-322, 1.1253516205509499e-7}, CLOSE},
    {"largest gradient", 1, 2, {0, -LARGEST}, GRADIENTS(LARGEST, LARGEST), .want = {LARGEST / 2, LARGEST}},
};

/* ------------------------------------------------------------------------------------------------ losses */

static const double weights_4_1_0[] = {4, 1, 0}, weights_0_8th_1[] = {0, 0.125, 1},
                    weights_half[] = {0.5, 0.5, 0.5}, weights_zero[] = {0, 0, 0}, weights_4[] = {4, 4, 4},
                    weights_4_0_1_7[] = {4, 0, 1, 7}, weights_5_0_2_1[] = {5, 0, 2, 1}, weights_4_0_0[] = {4, 0, 0},
                    weights_0_1[] = {0, 1}, weights_1_minus_1[] = {1, -1}, weights_minus_1_1[] = {-1, 1},
                    weights_2_40_1[] = {0x1p40, 1}, weights_2_60[] = {0x1p60, 0x1p60};
static const double upstream_2[] = {2}, upstream_2_minus_1[] = {2, -1};

/* Of both losses that take a softmax; where targets are probabilities, those of the class ids. */
static const special softmax_loss_cases[] = {
    {"NaN", 1, 2, {0, NAN}, IDS(0), OPTIONS(NONE), LOSS(NAN), GRAD(NAN, NAN)},
    {"NaN at the target", 1, 2, {-NAN, 0}, IDS(0), OPTIONS(NONE), LOSS(NAN), GRAD(NAN, NAN)},
    {"+inf", 1, 2, {0, INF}, IDS(0), OPTIONS(NONE), LOSS(NAN), GRAD(NAN, NAN)},
    {"+inf at the target", 1, 2, {INF, 0}, IDS(0), OPTIONS(NONE), LOSS(NAN), GRAD(NAN, NAN)},
    {"all -inf", 1, 2, {-INF, -INF}, IDS(0), OPTIONS(NONE), LOSS(NAN), GRAD(NAN, NAN)},
    {"all -inf, safe", 1, 2, {-INF, -INF}, IDS(1), OPTIONS(NONE, .flags = SL_SAFE_ROWS), LOSS(0), GRAD(0, 0)},
    {"all -inf, smoothing, safe", 1, 2, {-INF, -INF}, IDS(0),
     OPTIONS(NONE, .label_smoothing = 0.5, .flags = SL_SAFE_ROWS), LOSS(0), GRAD(0, 0)},
    {"NaN, safe", 1, 2, {-INF, NAN}, IDS(0), OPTIONS(NONE, .flags = SL_SAFE_ROWS), LOSS(NAN), GRAD(NAN, NAN)},
    {"+inf, safe", 1, 2, {-INF, INF}, IDS(1), OPTIONS(NONE, .flags = SL_SAFE_ROWS), LOSS(NAN),
     GRAD(NAN, NAN)},
    {"target's logit is -inf", 1, 2, {0, -INF}, IDS(1), OPTIONS(NONE), LOSS(INF), GRAD(1, -1)},
    {"-inf beside the target", 1, 2, {0, -INF}, IDS(0), OPTIONS(NONE), LOSS(0), GRAD(0, 0)},
    {"smoothing reaches a -inf logit", 1, 2, {0, -INF}, IDS(0), OPTIONS(NONE, .label_smoothing = 0.5),
     LOSS(INF), GRAD(0.25, -0.25)},
    {"full smoothing ignores the target", 1, 2, {1, 0}, IDS(1), OPTIONS(NONE, .label_smoothing = 1),
     LOSS(0.81326168751822283), GRAD(0.23105857863000488, -0.23105857863000488), CLOSE},
    {"one upstream of a sum", 1, 2, {0, 0}, IDS(0), OPTIONS(.reduction = SL_SUM, .upstream = upstream_2),
     LOSS(LOG_2), GRAD(-1, 1), CLOSE},
    {"NaN in a mean", 1, 2, {NAN, 0}, IDS(0), OPTIONS(.reduction = SL_MEAN), LOSS(NAN), GRAD(NAN, NAN)},
    {"NaN in a sum", 1, 2, {NAN, 0}, IDS(0), OPTIONS(.reduction = SL_SUM), LOSS(NAN), GRAD(NAN, NAN)},
    {"+inf in a sum", 1, 2, {0, -INF}, IDS(1), OPTIONS(.reduction = SL_SUM), LOSS(INF), GRAD(1, -1)},
    {"-0 is no loss's result", 1, 2, {0, -INF}, IDS(0), OPTIONS(.reduction = SL_SUM), LOSS(0), GRAD(0, 0)},
    {"denormal loss of f32", 1, 2, {0, -100}, IDS(0), OPTIONS(NONE), LOSS(3.7200759760208360e-44),
     GRAD(-3.7200759760208360e-44, 3.7200759760208360e-44), CLOSE},
    {"zero loss at the limits", 1, 2, {LARGEST, -LARGEST}, IDS(0), OPTIONS(NONE), LOSS(0), GRAD(0, 0)},
    {"huge loss at the limits", 1, 2, {LARGEST, -LARGEST}, IDS(1), OPTIONS(NONE), LOSS(2 * LARGEST),
     GRAD(1, -1)},
};

static const special cross_entropy_cases[] = {
    {"all -inf, safe, mean counts the row", 2, 2, {-INF, -INF, 0, 0}, IDS(0, 1),
     OPTIONS(.flags = SL_SAFE_ROWS), LOSS(LOG_2 / 2), GRAD(0, 0, 0.25, -0.25), CLOSE},
    {"one column", 2, 1, {5, -LARGEST}, IDS(0, 0), OPTIONS(NONE), LOSS(0, 0), GRAD(0, 0)},
    {"tiny loss keeps its digits, and so does the target's gradient", 1, 3, {20, 0, 0}, IDS(0),
     OPTIONS(NONE), LOSS(4.1223072363804072e-9), GRAD(-4.1223072278836987e-9, 2.0611536139418494e-9,
     2.0611536139418494e-9), CLOSE},
    {"target's gradient is formed before rounding", 1, 3, {8, 0, 0}, IDS(0), OPTIONS(NONE),
     LOSS(6.7070028607521018e-4), GRAD(-6.7047541691441944e-4, 3.3523770845720972e-4, 3.3523770845720972e-4),
     CLOSE},
    {"limits of the range", 2, 3, {LARGEST, -LARGEST, 0, LARGEST, -LARGEST, 0}, IDS(2, 1), OPTIONS(NONE),
     LOSS(LARGEST, 2 * LARGEST), GRAD(1, 0, -1, 1, -1, 0)},
    {"class id is too large", 1, 2, {0, 0}, IDS(2), OPTIONS(NONE), .status = SL_ERR_TARGET},
    {"class id is negative", 2, 2, {0, 0, 0, 0}, IDS(0, -1), OPTIONS(NONE), .status = SL_ERR_TARGET},
    {"another class id than the ignored one", 1, 2, {0, 0}, IDS(-1),
     OPTIONS(NONE, IGNORING(-100)), .status = SL_ERR_TARGET},
    {"ignored rows are not read", 3, 2, {0, 0, NAN, INF, 0, 0}, IDS(0, -100, 1),
     OPTIONS(NONE, IGNORING(-100)), LOSS(LOG_2, 0, LOG_2), GRAD(-0.5, 0.5, 0, 0, 0.5, -0.5), CLOSE},
    {"ignored rows add nothing to a sum", 3, 2, {0, 0, NAN, INF, 0, 0}, IDS(0, -100, 1),
     OPTIONS(.reduction = SL_SUM, IGNORING(-100)), LOSS(2 * LOG_2), GRAD(-0.5, 0.5, 0, 0, 0.5, -0.5), CLOSE},
    {"ignored rows do not count in a mean", 3, 2, {0, 0, NAN, INF, 0, 0}, IDS(0, -100, 1),
     OPTIONS(IGNORING(-100)), LOSS(LOG_2), GRAD(-0.25, 0.25, 0, 0, 0.25, -0.25), CLOSE},
    {"ignored class among the classes", 2, 2, {NAN, 0, 0, 0}, IDS(1, 0), OPTIONS(NONE, IGNORING(1)),
     LOSS(0, LOG_2), GRAD(0, 0, -0.5, 0.5), CLOSE},
    {"ignored rows, smoothing", 2, 2, {NAN, 0, 0, 0}, IDS(7, 0),
     OPTIONS(NONE, .label_smoothing = 0.5, IGNORING(7)), LOSS(0, LOG_2), GRAD(0, 0, -0.25, 0.25), CLOSE},
    {"ignored beyond all classes", 1, 2, {0, 0}, IDS(INT64_MIN), OPTIONS(NONE, IGNORING(INT64_MIN)),
     LOSS(0), GRAD(0, 0)},
    {"all rows ignored, mean", 2, 2, {0, 0, 0, 0}, IDS(-1, -1), OPTIONS(IGNORING(-1)), LOSS(NAN),
     GRAD(0, 0, 0, 0)},
    {"all rows ignored, sum", 2, 2, {0, 0, 0, 0}, IDS(-1, -1), OPTIONS(.reduction = SL_SUM, IGNORING(-1)),
     LOSS(0), GRAD(0, 0, 0, 0)},
    {"all rows ignored, empty mean is zero", 2, 2, {0, 0, 0, 0}, IDS(-1, -1),
     OPTIONS(IGNORING(-1), .flags = SL_EMPTY_MEAN_ZERO), LOSS(0), GRAD(0, 0, 0, 0)},
    {"mean divides by the weights", 2, 3, {0, 0, 0, 0, 0, 0}, IDS(0, 1),
     OPTIONS(.class_weight = weights_4_1_0), LOSS(LOG_3),
     GRAD(-8.0 / 15, 4.0 / 15, 4.0 / 15, 1.0 / 15, -2.0 / 15, 1.0 / 15), CLOSE},
    {"mean with equal weights", 2, 2, {0, 0, 0, 0}, IDS(0, 1), OPTIONS(.class_weight = weights_half),
     LOSS(LOG_2), GRAD(-0.25, 0.25, 0.25, -0.25), CLOSE},
    {"weights scale a loss", 2, 2, {0, 0, 0, 0}, IDS(0, 1), OPTIONS(NONE, .class_weight = weights_4_1_0),
     LOSS(4 * LOG_2, LOG_2), GRAD(-2, 2, 0.5, -0.5), CLOSE},
    {"weight 0", 1, 3, {0, 1, 2}, IDS(2), OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(0),
     GRAD(0, 0, 0)},
    {"weight 0 of an infinite loss", 1, 3, {0, 1, -INF}, IDS(2),
     OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(0), GRAD(0, 0, 0)},
    {"mean over weights of 0", 1, 3, {0, 0, 0}, IDS(2), OPTIONS(.class_weight = weights_4_1_0), LOSS(NAN)},
    {"mean over weights of 0, empty mean is zero", 1, 3, {0, 0, 0}, IDS(2),
     OPTIONS(.class_weight = weights_4_1_0, .flags = SL_EMPTY_MEAN_ZERO), LOSS(0)},
    {"smoothing, mean divides both terms by the weights", 2, 2, {0, 0, 0, 0}, IDS(0, 1),
     OPTIONS(.class_weight = weights_4_1_0, .label_smoothing = 0.5), LOSS(LOG_2),
     GRAD(-0.275, 0.275, -0.025, 0.025), CLOSE},
    {"each row has its own upstream", 2, 2, {0, 0, 0, 0}, IDS(0, 0),
     OPTIONS(NONE, .upstream = upstream_2_minus_1), LOSS(LOG_2, LOG_2), GRAD(-1, 1, 0.5, -0.5), CLOSE},
    {"mean over weights of 0, smoothing", 1, 2, {1, 2}, IDS(0),
     OPTIONS(.class_weight = weights_0_1, .label_smoothing = 0.1), LOSS(NAN), GRAD(NAN, NAN)},
    {"mean over weights of 0, smoothing, empty mean is zero", 1, 2, {1, 2}, IDS(0),
     OPTIONS(.class_weight = weights_0_1, .label_smoothing = 0.1, .flags = SL_EMPTY_MEAN_ZERO), LOSS(0),
     GRAD(0, 0)},
    {"mean over weights that sum to 0", 2, 2, {1, 2, 3, 5}, IDS(0, 1),
     OPTIONS(.class_weight = weights_1_minus_1), LOSS(NAN), GRAD(NAN, NAN, NAN, NAN)},
    {"mean over weights that sum to 0, an ignored row", 2, 2, {1, 2, 3, 5}, IDS(0, -1),
     OPTIONS(.class_weight = weights_0_1, IGNORING(-1)), LOSS(NAN), GRAD(NAN, NAN, 0, 0)},
    {"weight 0 of the target, smoothing", 1, 4, {-2, -36, 4, -4}, IDS(1),
     OPTIONS(.reduction = SL_SUM, .class_weight = weights_4_0_1_7, .label_smoothing = 0.1),
     LOSS(2.0008430786947353), GRAD(-0x1.96900a4b0ae84p-4, 0x1.771cb9e1cab66p-60, 0x1.18bce6f8c1588p-2,
     -0x1.6631c8cbfd3cep-3), CLOSE},
    {"weight 0 of the target, smoothing, f64", 1, 4, {0, -200, 0, 3}, IDS(1),
     OPTIONS(.reduction = SL_SUM, .class_weight = weights_5_0_2_1, .label_smoothing = 0.1),
     LOSS(0.5439845912841922), GRAD(-0x1.dae869004d2b8p-4, 0x1.9874822af8d42p-296, -0x1.4f6a6b9a33f09p-5,
     0x1.414ecf66b391ep-3), CLOSE},
    {"weight of another class only, smoothing", 1, 3, {80, 0, 1}, IDS(1),
     OPTIONS(NONE, .class_weight = weights_4_0_0, .label_smoothing = 0.1), LOSS(8.947928157992928e-36),
     GRAD(-0x1.7c9a4f3cff3e9p-117, 0x1.99707c9d4759fp-119, 0x1.163e3015ad681p-117), CLOSE},
    {"weights that are far apart, smoothing", 1, 2, {0, -40}, IDS(0),
     OPTIONS(NONE, .class_weight = weights_2_40_1, .label_smoothing = 0.1), LOSS(2.0000044375591575),
     GRAD(0x1.99904b341d099p-5, -0x1.99904b341d099p-5), CLOSE},
    {"mean where the sum overflows", 3, 2, {LARGEST / 2, -LARGEST / 2, LARGEST / 2, -LARGEST / 2, LARGEST / 2,
     -LARGEST / 2}, IDS(1, 1, 1), OPTIONS(.reduction = SL_MEAN), LOSS(LARGEST)},
    {"sum that overflows on the way", 3, 2, {LARGEST / 2, -LARGEST / 2, LARGEST / 2, -LARGEST / 2, -LARGEST / 2,
     LARGEST / 2}, IDS(1, 1, 0), OPTIONS(.reduction = SL_SUM, .class_weight = weights_minus_1_1), LOSS(LARGEST)},
    {"upstream of an ignored row is not used", 2, 2, {0, 0, NAN, 0}, IDS(0, -1),
     OPTIONS(NONE, .upstream = upstream_2_minus_1, IGNORING(-1)), LOSS(LOG_2, 0), GRAD(-1, 1, 0, 0), CLOSE},
};

static const special cross_entropy_soft_cases[] = {
    {"target of 0 on a -inf logit", 1, 3, {0, -INF, 0}, TARGETS(0.5, 0, 0.5), OPTIONS(NONE), LOSS(LOG_2),
     GRAD(0, 0, 0), CLOSE},
    {"targets of 0", 1, 3, {0, -INF, 7}, TARGETS(0, 0, 0), OPTIONS(NONE), LOSS(0), GRAD(0, 0, 0)},
    {"targets that do not sum to 1", 1, 2, {0, 0}, TARGETS(1, 3), OPTIONS(NONE), LOSS(4 * LOG_2),
     GRAD(1, -1), CLOSE},
    {"mean divides by the rows, whatever the weights", 2, 2, {0, 0, 0, 0}, TARGETS(1, 0, 0.5, 0.5),
     OPTIONS(.class_weight = weights_half), LOSS(LOG_2 / 2), GRAD(-0.125, 0.125, 0, 0), CLOSE},
    {"weights scale targets", 1, 2, {0, 0}, TARGETS(0.5, 0.5),
     OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(2.5 * LOG_2), GRAD(-0.75, 0.75), CLOSE},
    {"weight 0 on a -inf logit", 1, 3, {0, 0, -INF}, TARGETS(0, 0, 1),
     OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(0), GRAD(0, 0, 0)},
    {"confident and right", 1, 4, {40, 0, 1, 2}, TARGETS(1, 0, 0, 0), OPTIONS(NONE),
     LOSS(4.718790634878767e-17), GRAD(-0x1.b33b4b2de6d15p-55, 0x1.39792499b1a24p-58, 0x1.aa0de4bf35b38p-57,
     0x1.2188ad6ae3303p-55), CLOSE},
    {"confident and right, smoothing and weight 0", 1, 2, {80, 0}, TARGETS(1, 0),
     OPTIONS(NONE, .class_weight = weights_4_1_0 + 1, .label_smoothing = 0.5), LOSS(0x1.1fe3179e962b3p-116),
     GRAD(-0x1.1fe3179e962b3p-116, 0x1.1fe3179e962b3p-116), CLOSE},
    {"another target that is tiny", 1, 3, {20, 0, 1}, TARGETS(1, 0x1p-24, 0), OPTIONS(NONE),
     LOSS(1.1997568459952273e-06), GRAD(0x1.be2acb7255a58p-25, -0x1.ee4b799a9ed1cp-25, 0x1.8105714249621p-28),
     CLOSE},
    {"mean where the sum overflows", 3, 2, {LARGEST / 2, -LARGEST / 2, LARGEST / 2, -LARGEST / 2, LARGEST / 2,
     -LARGEST / 2}, TARGETS(0, 1, 0, 1, 0, 1), OPTIONS(.reduction = SL_MEAN), LOSS(LARGEST)},
    {"mean with all weights 0", 1, 3, {0, 0, 0}, TARGETS(0, 1, 0), OPTIONS(.class_weight = weights_zero),
     LOSS(0), GRAD(0, 0, 0)},
    {"each row has its own upstream", 2, 2, {0, 0, 0, 0}, TARGETS(1, 0, 1, 0),
     OPTIONS(NONE, .upstream = upstream_2_minus_1), LOSS(LOG_2, LOG_2), GRAD(-1, 1, 0.5, -0.5), CLOSE},
};

static const special nll_cases[] = {
    {"plain", 2, 2, {-1, -2, -3, -4}, IDS(1, 0), OPTIONS(NONE), LOSS(2, 3), GRAD(0, -1, -1, 0)},
    {"target is -inf", 1, 2, {0, -INF}, IDS(1), OPTIONS(NONE), LOSS(INF), GRAD(0, -1)},
    {"NaN at the target", 1, 2, {NAN, 0}, IDS(0), OPTIONS(NONE), LOSS(NAN)},
    {"NaN elsewhere is not read", 1, 2, {-2, NAN}, IDS(0), OPTIONS(NONE), LOSS(2), GRAD(-1, 0)},
    {"zero loss", 1, 1, {0}, IDS(0), OPTIONS(.reduction = SL_SUM), LOSS(0), GRAD(-1)},
    {"ignored rows are not read", 3, 2, {-1, -2, NAN, INF, -1, -2}, IDS(0, -100, 1),
     OPTIONS(IGNORING(-100)), LOSS(1.5), GRAD(-0.5, 0, 0, 0, 0, -0.5)},
    {"ignored class among the classes", 2, 2, {NAN, -1, -2, -1}, IDS(1, 0), OPTIONS(NONE, IGNORING(1)),
     LOSS(0, 2), GRAD(0, 0, -1, 0)},
    {"all rows ignored, mean", 1, 2, {0, 0}, IDS(-1), OPTIONS(IGNORING(-1)), LOSS(NAN), GRAD(0, 0)},
    {"all rows ignored, empty mean is zero", 1, 2, {0, 0}, IDS(-1),
     OPTIONS(IGNORING(-1), .flags = SL_EMPTY_MEAN_ZERO), LOSS(0), GRAD(0, 0)},
    {"mean divides by the weights", 2, 3, {-1, -1, -1, -2, -2, -2}, IDS(0, 1),
     OPTIONS(.class_weight = weights_4_1_0), LOSS(1.2), GRAD(-0.8, 0, 0, 0, -0.2, 0), CLOSE},
    {"weight 0 of an infinite loss", 1, 3, {0, 0, -INF}, IDS(2),
     OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(0), GRAD(0, 0, 0)},
    {"each row has its own upstream", 2, 2, {-1, -1, -1, -1}, IDS(0, 0),
     OPTIONS(NONE, .upstream = upstream_2_minus_1), LOSS(1, 1), GRAD(-2, 0, 1, 0)},
    {"class id is too large", 1, 2, {0, 0}, IDS(2), OPTIONS(NONE), .status = SL_ERR_TARGET},
    {"mean over weights of 0", 1, 2, {-1, -2}, IDS(0), OPTIONS(.class_weight = weights_0_1), LOSS(NAN),
     GRAD(NAN, 0)},
    {"mean over weights that sum to 0", 2, 2, {-1, -2, -3, -5}, IDS(0, 1),
     OPTIONS(.class_weight = weights_1_minus_1), LOSS(NAN), GRAD(NAN, 0, 0, NAN)},
    {"mean over weights that sum to 0, empty mean is zero", 2, 2, {-1, -2, -3, -5}, IDS(0, 1),
     OPTIONS(.class_weight = weights_1_minus_1, .flags = SL_EMPTY_MEAN_ZERO), LOSS(0), GRAD(0, 0, 0, 0)},
    {"mean where the sum overflows", 3, 1, {-LARGEST, -LARGEST, -LARGEST}, IDS(0, 0, 0),
     OPTIONS(.reduction = SL_MEAN), LOSS(LARGEST)},
};

static const special bce_with_logits_cases[] = {
    {"infinitely right", 1, 2, {INF, -INF}, TARGETS(1, 0), OPTIONS(NONE), LOSS(0, 0), GRAD(0, 0)},
    {"infinitely wrong", 1, 2, {INF, -INF}, TARGETS(0, 1), OPTIONS(NONE), LOSS(INF, INF), GRAD(1, -1)},
    {"infinities, soft target", 1, 2, {INF, -INF}, TARGETS(0.5, 0.5), OPTIONS(NONE), LOSS(INF, INF),
     GRAD(0.5, -0.5)},
    {"NaN logit", 1, 3, {NAN, -NAN, NAN}, TARGETS(0, 1, 0.5), OPTIONS(NONE), LOSS(NAN, NAN, NAN),
     GRAD(NAN, NAN, NAN)},
    {"NaN target", 1, 3, {0, 1, INF}, TARGETS(NAN, NAN, NAN), OPTIONS(NONE), LOSS(NAN, NAN, NAN),
     GRAD(NAN, NAN, NAN)},
    {"zero logit", 1, 3, {0, -0.0, 0}, TARGETS(0, 1, 0.25), OPTIONS(NONE), LOSS(LOG_2, LOG_2, LOG_2),
     GRAD(0.5, -0.5, 0.25), CLOSE},
    {"far right", 1, 2, {1000, -LARGEST}, TARGETS(1, 0), OPTIONS(NONE), LOSS(0, 0), GRAD(0, 0)},
    {"far wrong", 1, 2, {1000, -LARGEST}, TARGETS(0, 1), OPTIONS(NONE), LOSS(1000, LARGEST), GRAD(1, -1)},
    {"gradual underflow", 1, 2, {88, -740}, TARGETS(1, 0), OPTIONS(NONE),
     LOSS(6.0546018954011859e-39, 4.1887398800480489e-322),
     GRAD(-6.0546018954011859e-39, 4.1887398800480489e-322), CLOSE},
    {"target outside [0, 1]", 1, 2, {104, -104}, TARGETS(2, -1), OPTIONS(NONE), LOSS(-104, -104),
     GRAD(-1, 1), CLOSE},
    {"class weights", 2, 3, {0, 0, 0, 0, 0, 0}, TARGETS(0, 0, 0, 1, 1, 1),
     OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(4 * LOG_2, LOG_2, 0, 4 * LOG_2, LOG_2, 0),
     GRAD(2, 0.5, 0, -2, -0.5, 0), CLOSE},
    {"positive weights", 2, 3, {0, 0, 0, 0, 0, 0}, TARGETS(0, 0, 0, 1, 1, 1),
     OPTIONS(NONE, .pos_weight = weights_4_1_0), LOSS(LOG_2, LOG_2, LOG_2, 4 * LOG_2, LOG_2, 0),
     GRAD(0.5, 0.5, 0.5, -2, -0.5, 0), CLOSE},
    {"weight 0 of an infinite loss", 1, 3, {INF, INF, INF}, TARGETS(0, 0, 0),
     OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(INF, INF, 0), GRAD(4, 1, 0)},
    {"positive weight of a huge loss", 1, 3, {-LARGEST, -LARGEST / 2, -1}, TARGETS(1, 1, 1),
     OPTIONS(NONE, .class_weight = weights_half, .pos_weight = weights_half),
     LOSS(LARGEST / 4, LARGEST / 8, 0.32831542187955571), GRAD(-0.25, -0.25, -0.18276464465750122), CLOSE},
    {"positive weight must not overflow on the way", 1, 3, {-LARGEST, -LARGEST, -LARGEST},
     TARGETS(1, 1, 1), OPTIONS(NONE, .class_weight = weights_0_8th_1, .pos_weight = weights_4),
     LOSS(0, LARGEST / 2, 4 * LARGEST), GRAD(0, -0.5, -4)},
    {"positive weight, infinitely right", 1, 2, {INF, -INF}, TARGETS(1, 0),
     OPTIONS(NONE, .pos_weight = weights_4_1_0), LOSS(0, 0), GRAD(0, 0)},
    {"a soft target and a weight that leaves nothing of it", 1, 2, {60, 60}, TARGETS(0.5, 0.5),
     OPTIONS(NONE, .pos_weight = weights_2_60), LOSS(30.000000005047784, 30.000000005047784),
     GRAD(0x1.ffffffa9479b9p-2, 0x1.ffffffa9479b9p-2), CLOSE},
    {"mean where the sum overflows", 1, 3, {-LARGEST, -LARGEST, -LARGEST}, TARGETS(1, 1, 1),
     OPTIONS(.reduction = SL_MEAN), LOSS(LARGEST)},
    {"mean divides by the elements, whatever the weights", 2, 3, {0, 0, 0, 0, 0, 0},
     TARGETS(0, 0, 0, 0, 0, 0), OPTIONS(.class_weight = weights_half), LOSS(LOG_2 / 2),
     GRAD(1.0 / 24, 1.0 / 24, 1.0 / 24, 1.0 / 24, 1.0 / 24, 1.0 / 24), CLOSE},
    {"mean with all weights 0", 1, 3, {0, 0, 0}, TARGETS(0, 0, 0), OPTIONS(.class_weight = weights_zero),
     LOSS(0), GRAD(0, 0, 0)},
    {"each element has its own upstream", 1, 2, {0, 0}, TARGETS(0, 0),
     OPTIONS(NONE, .upstream = upstream_2_minus_1), LOSS(LOG_2, LOG_2), GRAD(1, -0.5), CLOSE},
    {"NaN in a mean", 1, 2, {0, NAN}, TARGETS(0, 0), OPTIONS(.reduction = SL_MEAN), LOSS(NAN)},
    {"+inf in a sum", 1, 2, {0, INF}, TARGETS(0, 0), OPTIONS(.reduction = SL_SUM), LOSS(INF)},
};

static const special bce_cases[] = {
    {"certain and right", 1, 2, {1, 0}, TARGETS(1, 0), OPTIONS(NONE), LOSS(0, 0), GRAD(0, 0)},
    {"certain and wrong: the logarithm is clamped at -100, the denominator at 1e-12", 1, 2, {0, 1},
     TARGETS(1, 0), OPTIONS(NONE), LOSS(100, 100), GRAD(-1e12, 1e12), CLOSE},
    {"certain, soft target", 1, 2, {0, 1}, TARGETS(0.5, 0.5), OPTIONS(NONE), LOSS(50, 50),
     GRAD(-5e11, 5e11), CLOSE},
    {"a probability of -0", 1, 2, {-0.0, -0.0}, TARGETS(1, 0.5), OPTIONS(NONE), LOSS(100, 50),
     GRAD(-1e12, -5e11), CLOSE},
    {"smallest probability", 1, 1, {LEAST}, TARGETS(0), OPTIONS(NONE), LOSS(LEAST), CLOSE},
    {"half", 1, 3, {0.5, 0.5, 0.5}, TARGETS(0, 1, 0.25), OPTIONS(NONE), LOSS(LOG_2, LOG_2, LOG_2),
     GRAD(2, -2, 1), CLOSE},
    {"quarter", 1, 2, {0.25, 0.25}, TARGETS(0, 1), OPTIONS(NONE), LOSS(0.28768207245178093, LOG_4),
     GRAD(4.0 / 3, -4), CLOSE},
    {"target outside [0, 1]", 1, 1, {0.5}, TARGETS(2), OPTIONS(NONE), LOSS(LOG_2), GRAD(-6), CLOSE},
    {"NaN target", 1, 1, {0.5}, TARGETS(NAN), OPTIONS(NONE), LOSS(NAN), GRAD(NAN)},
    {"class weights", 1, 3, {0.5, 0.5, 0.5}, TARGETS(0, 0, 0),
     OPTIONS(NONE, .class_weight = weights_4_1_0), LOSS(4 * LOG_2, LOG_2, 0), GRAD(8, 2, 0), CLOSE},
    {"mean divides by the elements", 1, 2, {0.5, 0.5}, TARGETS(0, 0),
     OPTIONS(.class_weight = weights_half), LOSS(LOG_2 / 2), GRAD(0.5, 0.5), CLOSE},
    {"each element has its own upstream", 1, 2, {0.5, 0.5}, TARGETS(0, 0),
     OPTIONS(NONE, .upstream = upstream_2_minus_1), LOSS(LOG_2, LOG_2), GRAD(4, -2), CLOSE},
    {"probability above 1", 1, 2, {0.5, 1.5}, TARGETS(0, 0), OPTIONS(NONE), .status = SL_ERR_TARGET},
    {"probability below 0", 1, 2, {-LEAST, 0.5}, TARGETS(0, 0), OPTIONS(NONE), .status = SL_ERR_TARGET},
    {"NaN is no probability", 1, 2, {0.5, NAN}, TARGETS(0, 0), OPTIONS(NONE), .status = SL_ERR_TARGET},
};

/* The gradient of cross_entropy by itself. */
static const special cross_entropy_grad_cases[] = {
    {"half", 1, 2, {0, 0}, IDS(1), OPTIONS(NONE), LSE_OF(LOG_2), .want = {0.5, -0.5}, CLOSE},
    {"what the log-sum-exp lacks is there", 1, 1, {0}, IDS(0), OPTIONS(NONE), LSE_OF(0), .want = {0}, CLOSE},
    {"certain: expm1", 1, 1, {0}, IDS(0), OPTIONS(NONE), LSE_OF(0x1p-60), .want = {-0x1p-60}, CLOSE},
    {"-inf", 1, 3, {0, -INF, 0}, IDS(1), OPTIONS(NONE), LSE_OF(LOG_2), .want = {0.5, -1, 0.5}, CLOSE},
    {"NaN takes its element", 1, 3, {0, NAN, 0}, IDS(2), OPTIONS(NONE), LSE_OF(LOG_2), .want = {0.5, NAN, -0.5}, CLOSE},
    {"a log-sum-exp that is NaN", 2, 2, {0, 0, 0, 0}, IDS(0, 1), OPTIONS(NONE), LSE_OF(NAN, LOG_2),
     .want = {NAN, NAN, 0.5, -0.5}, CLOSE},
    {"a log-sum-exp of inf", 1, 2, {0, 0}, IDS(0), OPTIONS(NONE), LSE_OF(INF), .want = {NAN, NAN}},
    {"nothing but -inf", 1, 2, {-INF, -INF}, IDS(0), OPTIONS(NONE), LSE_OF(-INF), .want = {NAN, NAN}},
    {"nothing but -inf, safe", 1, 2, {-INF, -INF}, IDS(0), OPTIONS(NONE, .flags = SL_SAFE_ROWS), LSE_OF(-INF),
     .want = {0, 0}},
    {"ignored, whatever is there", 2, 2, {NAN, INF, 0, 0}, IDS(-100, 0), OPTIONS(NONE, IGNORING(-100)),
     LSE_OF(NAN, LOG_2), .want = {0, 0, -0.5, 0.5}, CLOSE},
    {"all ignored, mean", 1, 2, {0, 0}, IDS(-1), OPTIONS(IGNORING(-1)), LSE_OF(LOG_2), .want = {0, 0}},
    {"z-loss", 1, 2, {0, 0}, IDS(1), OPTIONS(NONE, .z_loss = 0.5), LSE_OF(LOG_2),
     .want = {0.5 + LOG_2 / 2, -0.5 + LOG_2 / 2}, CLOSE},
    {"z-loss of a weight of 0", 1, 2, {0, 0}, IDS(1), OPTIONS(NONE, .z_loss = 0.5, .class_weight = weights_zero),
     LSE_OF(LOG_2), .want = {LOG_2 / 2, LOG_2 / 2}, CLOSE},
    {"a divisor", 1, 2, {0, 0}, IDS(1), OPTIONS(.divisor = 4), LSE_OF(LOG_2), .want = {0.125, -0.125}, CLOSE},
    {"each row has its own upstream", 2, 2, {0, 0, 0, 0}, IDS(0, 0), OPTIONS(NONE, .upstream = upstream_2_minus_1),
     LSE_OF(LOG_2, LOG_2), .want = {-1, 1, 0.5, -0.5}, CLOSE},
    {"weights and smoothing of 1", 1, 2, {0, 0}, IDS(0),
     OPTIONS(NONE, .label_smoothing = 1, .class_weight = weights_4_1_0), LSE_OF(LOG_2), .want = {-0.75, 0.75}, CLOSE},
    {"class out of range", 1, 2, {0, 0}, IDS(2), OPTIONS(NONE), LSE_OF(LOG_2), .status = SL_ERR_TARGET},
};

static const special cross_entropy_shard_grad_cases[] = {
    SPOILT_ROWS,
    {"half", 1, 2, {0, 0}, IDS(1), OPTIONS(NONE), .want = {0.5, -0.5}, CLOSE},
    {"one column", 1, 1, {7}, IDS(0), OPTIONS(NONE), .want = {0}},
    {"certain", 1, 3, {20, 0, 0}, IDS(0), OPTIONS(NONE),
     .want = {-4.1223072278836987e-9, 2.0611536139418494e-9, 2.0611536139418494e-9}, CLOSE},
    {"-inf", 1, 3, {0, -INF, 0}, IDS(1), OPTIONS(NONE), .want = {0.5, -1, 0.5}, CLOSE},
    {"nothing but -inf", 1, 2, {-INF, -INF}, IDS(0), OPTIONS(NONE), .want = {NAN, NAN}},
    {"nothing but -inf, safe", 1, 2, {-INF, -INF}, IDS(0), OPTIONS(NONE, .flags = SL_SAFE_ROWS), .want = {0, 0}},
    {"ignored, whatever is there", 2, 2, {NAN, INF, 0, 0}, IDS(-100, 0), OPTIONS(NONE, IGNORING(-100)),
     .want = {0, 0, -0.5, 0.5}, CLOSE},
    {"z-loss", 1, 2, {0, 0}, IDS(1), OPTIONS(NONE, .z_loss = 0.5), .want = {0.5 + LOG_2 / 2, -0.5 + LOG_2 / 2}, CLOSE},
    {"a divisor", 1, 2, {0, 0}, IDS(1), OPTIONS(.divisor = 4), .want = {0.125, -0.125}, CLOSE},
    {"class out of range", 1, 2, {0, 0}, IDS(2), OPTIONS(NONE), .status = SL_ERR_TARGET},
};

/* clang-format on */

/* --------------------------------------------------------------------------------------- which are whose */

#define CASES(name) name##_cases, sizeof name##_cases / sizeof *name##_cases

static const struct {
    size_t row;
    const special *cases;
    size_t count;
} specials[] = {
    {SL_COUNT_softmax, CASES(softmax)},
    {SL_COUNT_softmax, CASES(masked_softmax)},
    {SL_COUNT_softmax_safe, CASES(softmax)},
    {SL_COUNT_softmax_safe, CASES(masked_softmax_safe)},
    {SL_COUNT_softmax_with, CASES(softmax)},
    {SL_COUNT_softmax_with, CASES(masked_softmax)},
    {SL_COUNT_log_softmax_with, CASES(log_softmax)},
    {SL_COUNT_log_softmax_with, CASES(masked_log_softmax)},
    {SL_COUNT_softmax_apply, CASES(softmax)},
    {SL_COUNT_softmax_apply, CASES(masked_softmax)},
    {SL_COUNT_log_softmax, CASES(log_softmax)},
    {SL_COUNT_log_softmax, CASES(masked_log_softmax)},
    {SL_COUNT_softmax_wide, CASES(softmax)},
    {SL_COUNT_softmax_wide, CASES(masked_softmax)},
    {SL_COUNT_log_softmax_wide, CASES(log_softmax)},
    {SL_COUNT_log_softmax_wide, CASES(masked_log_softmax)},
    {SL_COUNT_sigmoid_wide, CASES(sigmoid)},
    {SL_COUNT_log_softmax_safe, CASES(log_softmax)},
    {SL_COUNT_log_softmax_safe, CASES(masked_log_softmax_safe)},
    {SL_COUNT_softmax_backward, CASES(softmax_backward)},
    {SL_COUNT_log_softmax_backward, CASES(log_softmax_backward)},
    {SL_COUNT_logsumexp, CASES(logsumexp)},
    {SL_COUNT_softmax_stats, CASES(logsumexp)},
    {SL_COUNT_softmax_stats_rows, CASES(logsumexp)},
    {SL_COUNT_log_softmax_at, CASES(log_softmax_at)},
    {SL_COUNT_log_softmax_top, CASES(log_softmax_top)},
    {SL_COUNT_sigmoid, CASES(sigmoid)},
    {SL_COUNT_sigmoid_fast, CASES(sigmoid_fast)},
    {SL_COUNT_sigmoid_exact, CASES(sigmoid)},
    {SL_COUNT_sigmoid_exact, CASES(sigmoid_exact)},
    {SL_COUNT_log_sigmoid, CASES(log_sigmoid)},
    {SL_COUNT_sigmoid_backward, CASES(sigmoid_backward)},
    {SL_COUNT_log_sigmoid_backward, CASES(log_sigmoid_backward)},
    {SL_COUNT_cross_entropy, CASES(softmax_loss)},
    {SL_COUNT_cross_entropy, CASES(cross_entropy)},
    {SL_COUNT_cross_entropy_soft, CASES(softmax_loss)},
    {SL_COUNT_cross_entropy_soft, CASES(cross_entropy_soft)},
    {SL_COUNT_cross_entropy_grad, CASES(cross_entropy_grad)},
    {SL_COUNT_cross_entropy_shard_grad, CASES(cross_entropy_shard_grad)},
    {SL_COUNT_nll, CASES(nll)},
    {SL_COUNT_bce_with_logits, CASES(bce_with_logits)},
    {SL_COUNT_bce, CASES(bce)},
};
enum { TABLES = sizeof specials / sizeof *specials };

#endif
