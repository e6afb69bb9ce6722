/* SPDX-License-Identifier: MIT
 *
 * The reference itself, in both arithmetics, against values worked out to 36 digits elsewhere; its number
 * formats, against bit patterns; its ULP measure. Everything else rests on these.
 */
#include <float.h>
#include <math.h>
#include <string.h>

#include "test_matrix.h"

/* The oracle's functions in one arithmetic, by the name of their kernel. */
typedef struct {
    const char *name;
    sl_real tolerance; /* relative */
#define SL_KERNEL(kernel, sig, ...) void(*kernel) SL_REF_PARAMS_##sig;
#include "kernels.def"
#undef SL_KERNEL
} arithmetic;

static const arithmetic arithmetics[] = {
    {
        "double",
        4 * DBL_EPSILON,
#define SL_KERNEL(kernel, sig, ...) sl_ref_##kernel##_double,
#include "kernels.def"
#undef SL_KERNEL
    },
    {
        "long double",
        8 * LDBL_EPSILON,
#define SL_KERNEL(kernel, sig, ...) sl_ref_##kernel##_long,
#include "kernels.def"
#undef SL_KERNEL
    },
};

#define EACH_ARITHMETIC(o)                                                                                   \
    for (const arithmetic *o = arithmetics; o < arithmetics + sizeof arithmetics / sizeof *arithmetics; o++)

/* Infinities and the sign of zeros must be those, NaN must be NaN. */
static void assert_value(const arithmetic *o, const char *what, size_t i, sl_real got, sl_real want,
                         sl_real tolerance)
{
    const bool same =
        isnan(want) ? isnan(got) != 0 : got == want && (want != 0 || signbit(got) == signbit(want));
    if (!same && !(isfinite(want) && fabsl(got - want) <= tolerance))
        fail_msg("%s in %s, value %zu: %.21Lg instead of %.21Lg", what, o->name, i, got, want);
}

#define VALUES(...)                                                                                          \
    (const sl_real[]) { __VA_ARGS__ }

static void assert_values(const arithmetic *o, const char *what, size_t n, const sl_real *got,
                          const sl_real *want)
{
    for (size_t i = 0; i < n; i++)
        assert_value(o, what, i, got[i], want[i], o->tolerance * fabsl(want[i]));
}

/* Good to the last places of the scale. */
static void assert_scaled(const arithmetic *o, const char *what, size_t n, const sl_real *got,
                          const sl_real *scale, const sl_real *want, const sl_real *want_scale)
{
    assert_values(o, what, n, scale, want_scale);
    for (size_t i = 0; i < n; i++)
        assert_value(o, what, i, got[i], want[i], o->tolerance * want_scale[i]);
}

/* ----------------------------------------------------------------------------------------------- rows */

#define P_20 0.999999995877692772116301295182389408L
#define P_0 2.06115361394184935240880529589532233e-9L
#define LOG_P_20 -4.12230723638040716869939806464983801e-9L
#define LOG_P_0 -20.0000000041223072363804071686993981L

static void rows_by_hand(void)
{
    const double x[] = {20, 0, 0};
    const sl_shape shape = sl_rows(1, 3);
    EACH_ARITHMETIC(o)
    {
        sl_real y[3], scale[3];
        o->softmax(x, shape, y, scale);
        assert_values(o, "softmax", 3, y, VALUES(P_20, P_0, P_0));
        assert_values(o, "softmax's scale", 3, scale, y);
        o->softmax_safe(x, shape, y, NULL);
        assert_values(o, "softmax_safe", 3, y, VALUES(P_20, P_0, P_0));
        o->softmax_apply(x, 3, y, NULL);
        assert_values(o, "softmax_apply", 3, y, VALUES(P_20, P_0, P_0));
        o->log_softmax(x, shape, y, scale);
        assert_values(o, "log_softmax", 3, y, VALUES(LOG_P_20, LOG_P_0, LOG_P_0));
        assert_values(o, "log_softmax's scale", 3, scale, VALUES(-LOG_P_20, -LOG_P_0, -LOG_P_0));
        o->log_softmax_safe(x, shape, y, NULL);
        assert_values(o, "log_softmax_safe", 3, y, VALUES(LOG_P_20, LOG_P_0, LOG_P_0));
        o->logsumexp(x, shape, y, scale);
        assert_values(o, "logsumexp", 1, y, VALUES(-LOG_P_0));
        assert_values(o, "logsumexp's scale", 1, scale, y);
        o->softmax_stats(x, 3, y, NULL);
        assert_values(o, "softmax_stats", 1, y, VALUES(-LOG_P_0));
        /* -log 2 as a float, twice: the result is the float's error */
        o->logsumexp((double[]){-0x1.62e43p-1, -0x1.62e43p-1}, sl_rows(1, 2), y, scale);
        assert_scaled(o, "logsumexp that cancels", 1, y, scale,
                      VALUES(-1.90465429995776787854182343192449987e-9L), VALUES(0x1.62e43p-1L));
        /* differences of 700 and something far below its last place */
        o->softmax((double[]){-700.125, 0x1p-45 + 0x1p-57}, sl_rows(1, 2), y, NULL);
        assert_values(o, "softmax of a far class", 2, y,
                      VALUES(8.70113401035373943301034514115690600e-305L, 1));
    }
}

/* Two blocks of two classes, three apart; weights belong to classes. */
static void inner_by_hand(void)
{
    const double x[] = {0, 1, 20, 0, 1, 0, /**/ -20, -1, 0, 0, -1, 0};
    const double half[12] = {0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5, 0.5}, zeros[12] = {0};
    const double weight[] = {1, 4};
    const int64_t ids[] = {0, 1, 1, 0, 1, 0};
    const sl_real log_2 = 0.693147180559945309417232121458176568L;
    const sl_shape shape = sl_axis(2, 2, 3);
    const sl_real p = P_20 / (P_20 + P_0), q = P_0 / (P_20 + P_0); /* without one of the two 0 */
    EACH_ARITHMETIC(o)
    {
        sl_real y[12];
        o->softmax(x, shape, y, NULL);
        assert_values(o, "softmax", 12, y,
                      VALUES(0.5L, 0.5L, p, 0.5L, 0.5L, q, q, 0.5L, 0.5L, p, 0.5L, 0.5L));
        const sl_ref_options options = {.reduction = SL_NONE, .class_weight = weight};
        sl_real grad[12];
        o->bce_with_logits(zeros, zeros, shape, &options, y, grad, NULL);
        for (size_t i = 0; i < 12; i++) {
            assert_value(o, "weight of a logit", i, y[i], i / 3 % 2 == 0 ? log_2 : 4 * log_2, o->tolerance);
            assert_value(o, "its gradient", i, grad[i], i / 3 % 2 == 0 ? 0.5L : 2, 0);
        }
        o->bce(half, zeros, shape, &options, y, grad, NULL);
        for (size_t i = 0; i < 12; i++) {
            assert_value(o, "weight of a probability", i, y[i], i / 3 % 2 == 0 ? log_2 : 4 * log_2,
                         o->tolerance);
            assert_value(o, "its gradient", i, grad[i], i / 3 % 2 == 0 ? 2 : 8, 0);
        }
        o->nll(x, ids, shape, &options, y, grad, NULL);
        assert_values(o, "nll", 6, y, VALUES(-0.0L, -4, -0.0L, 20, 4, -0.0L));
        assert_values(o, "its gradient", 12, grad, VALUES(-1, 0, 0, 0, -4, -4, -1, 0, -1, 0, -4, 0));
    }
}

static void special_rows(void)
{
    const double nan[] = {0, NAN, -INFINITY}, infinite[] = {0, INFINITY, -INFINITY},
                 masked[] = {-INFINITY, -INFINITY, -INFINITY}, partly[] = {-INFINITY, 3, -INFINITY},
                 huge[] = {0x1p127, -0x1p127, 0};
    const sl_shape shape = sl_rows(1, 3);
    EACH_ARITHMETIC(o)
    {
        sl_real y[3];
#define EXPECT(kernel, x, ...)                                                                               \
    o->kernel(x, shape, y, NULL);                                                                            \
    assert_values(o, #kernel " of " #x, 3, y, VALUES(__VA_ARGS__))
        EXPECT(softmax, nan, NAN, NAN, NAN);
        EXPECT(softmax_safe, nan, NAN, NAN, NAN);
        EXPECT(log_softmax, nan, NAN, NAN, NAN);
        EXPECT(log_softmax_safe, nan, NAN, NAN, NAN);
        EXPECT(softmax, infinite, NAN, NAN, NAN);
        EXPECT(softmax_safe, infinite, NAN, NAN, NAN);
        EXPECT(log_softmax, infinite, NAN, NAN, NAN);
        EXPECT(log_softmax_safe, infinite, NAN, NAN, NAN);
        EXPECT(softmax, masked, NAN, NAN, NAN);
        EXPECT(softmax_safe, masked, 0, 0, 0);
        EXPECT(log_softmax, masked, NAN, NAN, NAN);
        EXPECT(log_softmax_safe, masked, -INFINITY, -INFINITY, -INFINITY);
        EXPECT(softmax, partly, 0, 1, 0);
        EXPECT(log_softmax, partly, -INFINITY, 0, -INFINITY);
        EXPECT(softmax, huge, 1, 0, 0);
        EXPECT(log_softmax, huge, 0, -0x1p128L, -0x1p127L);
#undef EXPECT
        o->logsumexp(nan, shape, y, NULL);
        assert_values(o, "logsumexp of NaN", 1, y, VALUES(NAN));
        o->logsumexp(masked, shape, y, NULL);
        assert_values(o, "logsumexp of -inf", 1, y, VALUES(NAN));
    }
}

static void row_gradients_by_hand(void)
{
    const double y[] = {0.5, 0.25, 0.25}, log_y[] = {-1, -0.5, -2}, dy[] = {1, 2, -4};
    const sl_shape shape = sl_rows(1, 3);
    EACH_ARITHMETIC(o)
    {
        sl_real dx[3], scale[3];
        o->softmax_backward(y, dy, shape, dx, scale); /* the sum is 0 and made of 2 */
        assert_scaled(o, "softmax_backward", 3, dx, scale, VALUES(0.5L, 0.5L, -1), VALUES(1, 0.5L, 1));
        o->log_softmax_backward(log_y, dy, shape, dx, scale);
        assert_scaled(o, "log_softmax_backward", 3, dx, scale,
                      VALUES(1.36787944117144232159552377016146087L, 2.60653065971263342360379953499118045L,
                             -3.86466471676338730810600050502751560L),
                      VALUES(2.57515608820009625116866639113022607L, 4.24571461798843396522659674493826317L,
                             3.86466471676338730810600050502751560L));
    }
}

/* ------------------------------------------------------------------------------------------- elements */

static void elements_by_hand(void)
{
    const double x[] = {-90, 1, 88, 0, INFINITY, -INFINITY, NAN}, dy[] = {1, 1, 1, 4, -1, 3, 1};
    EACH_ARITHMETIC(o)
    {
        sl_real y[7];
        o->sigmoid(x, 7, y, NULL);
        assert_values(o, "sigmoid", 7, y,
                      VALUES(8.19401262399051543036110821338194339e-40L,
                             0.731058578630004879251159241821836274L, 1, 0.5L, 1, 0, NAN));
        o->log_sigmoid(x, 7, y, NULL);
        assert_values(o, "log_sigmoid", 7, y,
                      VALUES(-90, -0.313261687518222834048995494967855642L,
                             -6.05460189540118588453186053381059929e-39L,
                             -0.693147180559945309417232121458176568L, -0.0L, -INFINITY, NAN));
        o->log_sigmoid_backward(x, dy, 7, y, NULL);
        assert_values(o, "log_sigmoid_backward", 7, y,
                      VALUES(1, 0.268941421369995120748840758178163726L,
                             6.05460189540118588453186053381059929e-39L, 2, -0.0L, 3, NAN));
        o->sigmoid_backward((double[]){0, 1, 0.5, 0.25, 0x1p-120, NAN}, (double[]){1, 1, 4, -4, 2, 1}, 6, y,
                            NULL);
        assert_values(o, "sigmoid_backward", 6, y, VALUES(0, 0, 1, -0.75L, 0x1p-119L, NAN));
    }
}

/* --------------------------------------------------------------------------------------------- losses */

static const double LOGITS[] = {1, 2, 3, 0, 0, 0}, WEIGHT[] = {1, 2, 4};
static const int64_t IDS[] = {2, 1};

/* The first row's target is at 20: of 1 - p, in a sum with p, nothing would be left. */
static void confident_rows(void)
{
    const double x[] = {20, 0, 0}, one_hot[] = {1, 0, 0};
    const int64_t target = 0;
    const sl_ref_options options = {.reduction = SL_NONE};
    const sl_real want[] = {-2 * P_0, P_0, P_0};
    EACH_ARITHMETIC(o)
    {
        sl_real loss, grad[3], scale[3];
        o->cross_entropy(x, &target, sl_rows(1, 3), &options, &loss, grad, scale);
        assert_values(o, "cross_entropy", 1, &loss, VALUES(-LOG_P_20));
        assert_values(o, "cross_entropy's gradient", 3, grad, want);
        assert_values(o, "cross_entropy's scale", 3, scale, VALUES(2 * P_0, P_0, P_0));
        o->cross_entropy_soft(x, one_hot, sl_rows(1, 3), &options, &loss, grad, scale);
        assert_values(o, "cross_entropy_soft", 1, &loss, VALUES(-LOG_P_20));
        assert_values(o, "cross_entropy_soft's gradient", 3, grad, want);
        assert_values(o, "cross_entropy_soft's scale", 3, scale, VALUES(2 * P_0, P_0, P_0));
    }
}

static void cross_entropy_by_hand(void)
{
    const sl_real row_loss[] = {1.79392137259236275773046299128650245L,
                                2.28877560139189519040676091025526188L};
    const sl_real row_grad[] = {
        0.239276220527196641159579196986095609L,  0.710277021279691588028105299054400023L,
        -0.949553241806888229187684496040495632L, 0.611111111111111111111111111111111111L,
        -0.972222222222222222222222222222222222L, 0.361111111111111111111111111111111111L};
    /* s / classes * w_c, and for the target s / classes times the other weights */
    const sl_real smoothed[] = {1 / 12.0L, 2 / 12.0L, 3 / 12.0L, 1 / 12.0L, 5 / 12.0L, 4 / 12.0L};
    const sl_real p_target[] = {0.665240955774821889529018280174745405L, 1 / 3.0L};
    const double upstream[] = {3, -2};
    const sl_shape shape = sl_rows(2, 3);
    EACH_ARITHMETIC(o)
    {
        sl_ref_options options = {.reduction = SL_NONE};
        sl_real loss[2], grad[6], scale[6], want[6], want_scale[6];
        o->cross_entropy(LOGITS, IDS, shape, &options, loss, NULL, NULL);
        assert_values(
            o, "cross_entropy", 2, loss,
            VALUES(0.407605964444380304482919904545070451L, 1.09861228866810969139524523692252570L));

        options.class_weight = WEIGHT;
        options.label_smoothing = 0.25;
        options.upstream = upstream;
        o->cross_entropy(LOGITS, IDS, shape, &options, loss, grad, scale);
        assert_values(o, "weighted, smoothed", 2, loss, row_loss);
        for (size_t i = 0; i < 6; i++) {
            const sl_real u = upstream[i / 3];
            want[i] = u * row_grad[i];
            /* one of the terms; the gradient and that are apart by the other */
            const bool is_target = IDS[i / 3] == (int64_t)(i % 3);
            const sl_real term = is_target ? -p_target[i / 3] * smoothed[i] : smoothed[i];
            want_scale[i] = fabsl(u) * fmaxl(fabsl(term), fabsl(term + row_grad[i]));
        }
        assert_scaled(o, "its gradient", 6, grad, scale, want, want_scale);

        options.reduction = SL_SUM;
        o->cross_entropy(LOGITS, IDS, shape, &options, loss, grad, NULL);
        assert_values(o, "sum", 1, loss, VALUES(row_loss[0] + row_loss[1]));
        for (size_t i = 0; i < 6; i++)
            want[i] = 3 * row_grad[i];
        assert_values(o, "its gradient", 6, grad, want);

        options.reduction = SL_MEAN;
        o->cross_entropy(LOGITS, IDS, shape, &options, loss, grad, NULL);
        assert_values(o, "mean", 1, loss, VALUES((row_loss[0] + row_loss[1]) / 6));
        for (size_t i = 0; i < 6; i++)
            want[i] = row_grad[i] / 2;
        assert_values(o, "its gradient", 6, grad, want);

        options.has_ignore_index = true;
        options.ignore_index = 1;
        o->cross_entropy(LOGITS, IDS, shape, &options, loss, grad, scale);
        assert_values(o, "mean without a row", 1, loss, VALUES(row_loss[0] / 4));
        for (size_t i = 0; i < 6; i++)
            want[i] = i < 3 ? row_grad[i] * 3 / 4 : 0;
        assert_values(o, "its gradient", 6, grad, want);
        assert_values(o, "its scale", 3, scale + 3, VALUES(0, 0, 0));
    }
}

static void soft_cross_entropy_by_hand(void)
{
    const double probabilities[] = {0.5, 0.25, 0.25};
    const sl_shape shape = sl_rows(1, 3);
    EACH_ARITHMETIC(o)
    {
        sl_ref_options options = {.reduction = SL_NONE};
        sl_real loss, grad[3], scale[3];
        o->cross_entropy_soft(LOGITS, probabilities, shape, &options, &loss, grad, scale);
        assert_values(o, "cross_entropy_soft", 1, &loss, VALUES(1.65760596444438030448291990454507045L));
        assert_scaled(o, "its gradient", 3, grad, scale,
                      VALUES(-0.409969426829619542001977898515508202L,
                             -0.00527152894520234752704038165923720280L,
                             0.415240955774821889529018280174745405L),
                      VALUES(0.5L, 0.25L, 0.665240955774821889529018280174745405L));
        options = (sl_ref_options){.class_weight = WEIGHT, .label_smoothing = 0.25}; /* a mean of one row */
        o->cross_entropy_soft(LOGITS, probabilities, shape, &options, &loss, grad, scale);
        assert_values(o, "weighted, smoothed", 1, &loss, VALUES(2.30751242592579230100608313446889677L));
        assert_scaled(o, "its gradient", 3, grad, scale,
                      VALUES(-0.270769639228374045837453955240642088L,
                             -0.0318156853025048906813341284567441725L,
                             0.302585324530878936518788083697386260L),
                      VALUES(5.5L / 12, 6.5L / 12, 0.665240955774821889529018280174745405L /* p (W - q) */));
    }
}

static void nll_by_hand(void)
{
    const double x[] = {-1, -2, -0.5, -3, -0.25, -1};
    EACH_ARITHMETIC(o)
    {
        sl_ref_options options = {
            .reduction = SL_NONE, .class_weight = WEIGHT, .upstream = (double[]){3, -1}};
        sl_real loss[2], grad[6], scale[6];
        o->nll(x, IDS, sl_rows(2, 3), &options, loss, grad, scale);
        assert_values(o, "nll", 2, loss, VALUES(2, 0.5L));
        assert_values(o, "its gradient", 6, grad, VALUES(0, 0, -12, 0, 2, 0));
        assert_values(o, "its scale", 6, scale, VALUES(0, 0, 12, 0, 2, 0));
        options.reduction = SL_MEAN;
        o->nll(x, IDS, sl_rows(2, 3), &options, loss, grad, NULL);
        assert_values(o, "mean", 1, loss, VALUES(2.5L / 6));
        assert_values(o, "its gradient", 6, grad, VALUES(0, 0, -2, 0, -1, 0));
        options.has_ignore_index = true;
        options.ignore_index = 2;
        o->nll(x, IDS, sl_rows(2, 3), &options, loss, grad, NULL);
        assert_values(o, "mean without a row", 1, loss, VALUES(0.25L));
        assert_values(o, "its gradient", 6, grad, VALUES(0, 0, 0, 0, -3, 0));
    }
}

static void binary_losses_by_hand(void)
{
    const double x[] = {1, 2, 3, -40, 40, 0}, t[] = {0, 0.5, 1, 0, 1, 0.25};
    const double p[] = {0.25, 0.25, 0x1p-30, 1, 0x1p-60, 0}, of[] = {1, 0.5, 0, 1, 1, 0.25};
    const sl_shape shape = sl_rows(2, 3);
    EACH_ARITHMETIC(o)
    {
        sl_ref_options options = {.reduction = SL_NONE, .class_weight = WEIGHT, .pos_weight = WEIGHT};
        const sl_real f = o == arithmetics ? 0x1p-10L : 1;
        sl_real loss[6], grad[6], scale[6];
        o->bce_with_logits(x, t, shape, &options, loss, grad, scale);
        assert_values(
            o, "bce_with_logits", 6, loss,
            VALUES(1.31326168751822283404899549496785564L, 2.38078403312891748933118041907491329L,
                   0.777397625179872940142814717675039967L, 4.24835425529158898630497784363158218e-18L,
                   4 * 4.24835425529158898630497784363158218e-18L, 4.85203026391961716592062485020723598L));
        const sl_real want[] = {
            0.731058578630004879251159241821836274L,         0.642391233933647332179187423907190386L,
            -0.758813970841068494061570428348035222L,        4.24835425529158897728072090440450637e-18L,
            -4 * 4.24835425529158897728072090440450637e-18L, -0.5L};
        sl_real want_scale[6];
        for (size_t i = 0; i < 6; i++)
            want_scale[i] = fmaxl(fabsl(want[i]), i == 1 ? f * 4 : i == 5 ? f * 16 : 0);
        assert_scaled(o, "its gradient", 6, grad, scale, want, want_scale);

        options.pos_weight = NULL;
        o->bce(p, of, shape, &options, loss, grad, scale);
        assert_values(o, "bce", 6, loss,
                      VALUES(1.38629436111989061883446424291635314L, 1.67397643357167154627368324891018057L,
                             3.72529030019663753955386518442599565e-9L, 0,
                             2 * 41.5888308335967185650339272874905941L, 100));
        assert_values(o, "its gradient", 6, grad,
                      VALUES(-4, -2.66666666666666666666666666666666667L,
                             4.00000000372529030193136101768478846L, 0,
                             -2 * 999999999999.999999132638262011596453L, -1e12L));
        for (size_t i = 0; i < 6; i++)
            assert_true(scale[i] == fabsl(grad[i]));

        options = (sl_ref_options){.upstream = (double[]){3}};
        o->bce(p, of, sl_rows(1, 1), &options, loss, grad, NULL);
        assert_values(o, "mean of one", 1, grad, VALUES(-12));
        o->bce(p, of, sl_rows(1, 2), &options, loss, grad, NULL);
        assert_values(o, "mean of two", 2, grad, VALUES(-6, -2));
    }
}

/* A factor of 0 takes a term out even at infinite cost; a row may be left out; a mean may be over nothing. */
static void special_losses(void)
{
    const double x[] = {0, -INFINITY, 0}, masked[] = {-INFINITY, -INFINITY, -INFINITY}, nan[] = {NAN, 0, 0};
    const double half[] = {0.5, 0, 0.5}, no_weight[] = {0, 0, 0}, strange_weights[] = {INFINITY, 1, NAN},
                 ends[] = {INFINITY, -INFINITY, INFINITY, -INFINITY}, of[] = {1, 0, 0, 1};
    const int64_t at = 1;
    const sl_shape shape = sl_rows(1, 3);
    const sl_real log_2 = 0.693147180559945309417232121458176568L;
    EACH_ARITHMETIC(o)
    {
        sl_ref_options options = {.reduction = SL_NONE};
        sl_real loss[4], grad[4];
        o->cross_entropy(x, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "target at -inf", 1, loss, VALUES(INFINITY));
        assert_values(o, "its gradient", 3, grad, VALUES(0.5L, -1, 0.5L));
        o->cross_entropy_soft(x, half, shape, &options, loss, grad, NULL);
        assert_values(o, "no probability at -inf", 1, loss, VALUES(log_2));
        assert_values(o, "its gradient", 3, grad, VALUES(0, 0, 0));
        o->nll(x, &at, shape, &options, loss, NULL, NULL);
        assert_values(o, "nll of -inf", 1, loss, VALUES(INFINITY));
        o->cross_entropy(nan, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "NaN in a row", 1, loss, VALUES(NAN));
        assert_values(o, "its gradient", 3, grad, VALUES(NAN, NAN, NAN));
        o->cross_entropy(masked, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "masked row", 1, loss, VALUES(NAN));
        assert_values(o, "its gradient", 3, grad, VALUES(NAN, NAN, NAN));
        options.flags = SL_SAFE_ROWS;
        o->cross_entropy(masked, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "masked row, safe", 1, loss, VALUES(0));
        assert_values(o, "its gradient", 3, grad, VALUES(0, 0, 0));
        o->cross_entropy(x, &at, shape, &options, loss, NULL, NULL);
        assert_values(o, "an ordinary row, safe", 1, loss, VALUES(INFINITY));
        o->cross_entropy_soft(masked, half, shape, &options, loss, grad, NULL);
        assert_values(o, "masked soft row, safe", 1, loss, VALUES(0));
        assert_values(o, "its gradient", 3, grad, VALUES(0, 0, 0));

        options = (sl_ref_options){.reduction = SL_NONE, .class_weight = strange_weights};
        o->cross_entropy((double[]){0, 0, 0}, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "weights of other classes", 1, loss, VALUES(1.09861228866810969139524523692252570L));
        assert_values(o, "its gradient", 3, grad, VALUES(1 / 3.0L, -2 / 3.0L, 1 / 3.0L));
        options = (sl_ref_options){.reduction = SL_NONE, .class_weight = no_weight};
        o->cross_entropy(x, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "weight 0 at -inf", 1, loss, VALUES(0));
        o->nll(x, &at, shape, &options, loss, NULL, NULL);
        assert_values(o, "nll, weight 0 at -inf", 1, loss, VALUES(0));
        options.reduction = SL_MEAN;
        o->cross_entropy(x, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "weights that sum to 0", 1, loss, VALUES(NAN));
        options.flags = SL_EMPTY_MEAN_ZERO;
        o->cross_entropy(x, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "weights that sum to 0, empty mean zero", 1, loss, VALUES(0));
        assert_values(o, "its gradient", 3, grad, VALUES(0, 0, 0));
        o->nll(x, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "nll, weights that sum to 0, empty mean zero", 1, loss, VALUES(0));
        assert_values(o, "its gradient", 3, grad, VALUES(0, 0, 0));

        options = (sl_ref_options){.has_ignore_index = true, .ignore_index = at};
        o->cross_entropy(nan, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "all rows ignored", 1, loss, VALUES(NAN));
        assert_values(o, "its gradient", 3, grad, VALUES(0, 0, 0));
        options.flags = SL_EMPTY_MEAN_ZERO;
        o->nll(nan, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "all rows ignored, empty mean zero", 1, loss, VALUES(0));
        options.reduction = SL_SUM;
        o->cross_entropy(nan, &at, shape, &options, loss, grad, NULL);
        assert_values(o, "sum over nothing", 1, loss, VALUES(0));

        options = (sl_ref_options){.reduction = SL_NONE};
        o->bce_with_logits(ends, of, sl_rows(1, 4), &options, loss, grad, NULL);
        assert_values(o, "bce_with_logits at the ends", 4, loss, VALUES(0, 0, INFINITY, INFINITY));
        for (size_t i = 0; i < 4; i++)
            assert_true(grad[i] == (i < 2 ? 0 : i == 2 ? 1 : -1));
        o->bce((double[]){0, 1, 1, 0}, of, sl_rows(1, 4), &options, loss, grad, NULL);
        assert_values(o, "bce at the ends", 4, loss, VALUES(100, 100, 100, 100));
        o->bce((double[]){NAN}, of, sl_rows(1, 1), &options, loss, grad, NULL);
        assert_values(o, "bce of NaN", 1, loss, VALUES(NAN));
        assert_values(o, "its gradient", 1, grad, VALUES(NAN));
        options.reduction = SL_MEAN;
        o->bce(NULL, NULL, sl_rows(0, 1), &options, loss, NULL, NULL);
        assert_values(o, "mean over nothing", 1, loss, VALUES(NAN));
    }
}

/* ------------------------------------------------------------------------------------- number formats */

typedef struct {
    uint64_t bits;
    double value;
} pattern;

static void assert_pattern(const sl_ref_dtype *dt, pattern p)
{
    unsigned char stored[sizeof(double)];
    dt->put(stored, 0, p.value);
    if (dt->bits(stored, 0) != p.bits || dt->get(stored, 0) != p.value)
        fail_msg("%s: %a is %#jx and reads %a, instead of %#jx", dt->name, p.value,
                 (uintmax_t)dt->bits(stored, 0), dt->get(stored, 0), (uintmax_t)p.bits);
}

static void assert_rounding(const sl_ref_dtype *dt, double value, uint64_t bits)
{
    unsigned char stored[sizeof(double)];
    dt->put(stored, 0, value);
    if (dt->bits(stored, 0) != bits)
        fail_msg("%s: %a is rounded to %#jx instead of %#jx", dt->name, value, (uintmax_t)dt->bits(stored, 0),
                 (uintmax_t)bits);
}

static void patterns(void)
{
    static const pattern bf16[] = {
        {0, 0},      {1, 0x1p-133},       {0x7f, 0x1.fcp-127},  {0x80, 0x1p-126},
        {0x3f80, 1}, {0xc049, -0x1.92p1}, {0x7f7f, 0x1.fep127}, {0xff80, -INFINITY}};
    static const pattern f16[] = {{0, 0},      {1, 0x1p-24},        {0x3ff, 0x1.ff8p-15}, {0x400, 0x1p-14},
                                  {0x3c00, 1}, {0xc248, -0x1.92p1}, {0x7bff, 65504},      {0x7c00, INFINITY}};
    static const pattern f32[] = {{1, 0x1p-149}, {0xc0490fdb, -0x1.921fb6p1}, {0x7f7fffff, FLT_MAX}};
    static const pattern f64[] = {{1, 0x1p-1074}, {0xc00921fb54442d18, -0x1.921fb54442d18p1}};
    for (size_t i = 0; i < sizeof bf16 / sizeof *bf16; i++)
        assert_pattern(&sl_ref_dtypes[SL_COUNT_bf16], bf16[i]);
    for (size_t i = 0; i < sizeof f16 / sizeof *f16; i++)
        assert_pattern(&sl_ref_dtypes[SL_COUNT_f16], f16[i]);
    for (size_t i = 0; i < sizeof f32 / sizeof *f32; i++)
        assert_pattern(&sl_ref_dtypes[SL_COUNT_f32], f32[i]);
    for (size_t i = 0; i < sizeof f64 / sizeof *f64; i++)
        assert_pattern(&sl_ref_dtypes[SL_COUNT_f64], f64[i]);
}

/* To nearest, ties to even, carries, overflow, underflow, signs. */
static void rounding(void)
{
    const sl_ref_dtype *bf16 = &sl_ref_dtypes[SL_COUNT_bf16], *f16 = &sl_ref_dtypes[SL_COUNT_f16];
    assert_rounding(bf16, 0x1.01p0, 0x3f80);
    assert_rounding(bf16, 0x1.0100000001p0, 0x3f81);
    assert_rounding(bf16, 0x1.03p0, 0x3f82);
    assert_rounding(bf16, 0x1.ffp0, 0x4000);
    assert_rounding(bf16, 0x1.fefffffffp127, 0x7f7f);
    assert_rounding(bf16, 0x1.ffp127, 0x7f80);
    assert_rounding(bf16, -DBL_MAX, 0xff80);
    assert_rounding(bf16, 0x1p-134, 0);
    assert_rounding(bf16, -0x1.0000001p-134, 0x8001);
    assert_rounding(bf16, 0x1.8p-133, 2);
    assert_rounding(bf16, 0x1.fep-127, 0x80);
    assert_rounding(bf16, -0.0, 0x8000);
    assert_rounding(bf16, 0x1p-1074, 0);
    assert_rounding(bf16, -NAN, 0x7fc0);
    assert_rounding(f16, 0x1.002p0, 0x3c00);
    assert_rounding(f16, 0x1.00200000001p0, 0x3c01);
    assert_rounding(f16, 0x1.006p0, 0x3c02);
    assert_rounding(f16, 65519.99, 0x7bff);
    assert_rounding(f16, 65520, 0x7c00);
    assert_rounding(f16, -1e300, 0xfc00);
    assert_rounding(f16, 0x1p-25, 0);
    assert_rounding(f16, -0x1.0001p-25, 0x8001);
    assert_rounding(f16, 0x1.ffcp-15, 0x400);
    assert_rounding(f16, NAN, 0x7e00);
}

/* All 65 536: reading and writing are inverse to each other, and a larger pattern is a larger value. */
static void all_of_16_bits(void)
{
    static const size_t formats[] = {SL_COUNT_bf16, SL_COUNT_f16};
    for (size_t f = 0; f < 2; f++) {
        const sl_ref_dtype *dt = &sl_ref_dtypes[formats[f]];
        double before = -1;
        for (unsigned bits = 0; bits < 0x10000; bits++) {
            uint16_t stored = (uint16_t)bits;
            const double value = dt->get(&stored, 0);
            assert_int_equal(dt->bits(&stored, 0), bits);
            if (isnan(value))
                continue;
            dt->put(&stored, 0, value);
            if (stored != bits)
                fail_msg("%s: %#x is %a is %#x", dt->name, bits, value, (unsigned)stored);
            if (bits > 0x8000 ? value >= before : bits != 0x8000 && value <= before)
                fail_msg("%s: %#x is %a, after %a", dt->name, bits, value, before);
            before = value;
        }
    }
}

/* What dtypes.def says, and what <float.h> does. */
static void descriptions(void)
{
#define DESCRIPTION(dt, T, L, ...)                                                                           \
    {                                                                                                        \
        const sl_ref_dtype *d = &sl_ref_dtypes[SL_COUNT_##dt];                                               \
        assert_string_equal(d->name, #dt);                                                                   \
        assert_int_equal(d->size, sizeof(T));                                                                \
        assert_int_equal(d->loss_size, sizeof(L));                                                           \
        L loss = 0;                                                                                          \
        d->put_loss(&loss, 0, 0.1);                                                                          \
        assert_true(loss == (L)0.1 && d->get_loss(&loss, 0) == (L)0.1);                                      \
        const double below_1 = 1 - ldexp(1, -d->digits), smallest = ldexp(1, d->min_exp - d->digits);        \
        T element;                                                                                           \
        d->put(&element, 0, below_1);                                                                        \
        assert_true(d->get(&element, 0) == below_1);                                                         \
        d->put(&element, 0, 1 + ldexp(1, -d->digits));                                                       \
        assert_true(d->get(&element, 0) == 1);                                                               \
        d->put(&element, 0, smallest);                                                                       \
        assert_true(d->get(&element, 0) == smallest);                                                        \
        d->put(&element, 0, smallest / 2);                                                                   \
        assert_true(d->get(&element, 0) == 0);                                                               \
        const bool is_double = sizeof(L) == sizeof(double);                                                  \
        assert_int_equal(d->loss_digits, is_double ? DBL_MANT_DIG : FLT_MANT_DIG);                           \
        assert_int_equal(d->loss_min_exp, is_double ? DBL_MIN_EXP : FLT_MIN_EXP);                            \
        assert_int_equal(d->long_arithmetic, is_double);                                                     \
    }
    SL_DTYPES(DESCRIPTION, )
#undef DESCRIPTION
}

/* ------------------------------------------------------------------------------------------------- ULP */

static double ulp_at(double got, sl_real want, sl_real scale)
{
    return sl_ref_ulp(got, want, scale, FLT_MANT_DIG, FLT_MIN_EXP);
}

static double ulp(double got, sl_real want) { return ulp_at(got, want, want); }

static void ulp_measure(void)
{
    assert_true(ulp(1, 1) == 0);
    assert_true(ulp(0, 0) == 0);
    assert_true(ulp(-0.0, 0) == 0);
    assert_true(ulp(1 + (double)FLT_EPSILON, 1) == 1);
    assert_true(ulp(1 - (double)FLT_EPSILON / 2, 1) == 0.5);
    assert_true(ulp(-1 - (double)FLT_EPSILON, -1) == 1);
    assert_true(ulp(0x1p-149, 0) == 1);
    assert_true(ulp(0, 0x1p-150L) == 0.5);
    assert_true(ulp(0x1p-126, 0x1p-126L + 0x1p-149L) == 1);
    assert_true(ulp(NAN, NAN) == 0);
    assert_true(isinf(ulp(NAN, 1)));
    assert_true(isinf(ulp(1, NAN)));
    assert_true(isinf(ulp(NAN, INFINITY)));
    assert_true(ulp(-INFINITY, -INFINITY) == 0);
    assert_true(isinf(ulp(INFINITY, -INFINITY)));
    assert_true(isinf(ulp(FLT_MAX, INFINITY)));
    assert_true(ulp(INFINITY, 0x1p128L) == 0);
    assert_true(ulp(-INFINITY, -0x1.ffffffp127L) == 0);
    assert_true(isinf(ulp(INFINITY, 0x1.fffffep127L)));
    assert_true(ulp_at(1, 1 + FLT_EPSILON, 2) == 0.5);
    assert_true(ulp_at(1, 1 + FLT_EPSILON, -2) == 0.5);
    assert_true(ulp_at(0, (sl_real)FLT_TRUE_MIN, INFINITY) == 1); /* no magnitude: the smallest unit */
    assert_true(ulp_at(0, (sl_real)FLT_TRUE_MIN, NAN) == 1);

    assert_true(sl_ref_ulp(1 + 0x1p-7, 1, 1, 8, FLT_MIN_EXP) == 1);
    assert_true(sl_ref_ulp(1 + 0x1p-10, 1, 1, 11, -13) == 1);
    assert_true(sl_ref_ulp(0, 0x1p-24L, 0x1p-24L, 11, -13) == 1);
    assert_true(sl_ref_ulp(INFINITY, 65520, 65520, 11, -13) == 0);
    assert_true(isinf(sl_ref_ulp(INFINITY, 65519, 65519, 11, -13)));
    assert_true(sl_ref_ulp(1, 1 + 0x1p-54L, 1, DBL_MANT_DIG, DBL_MIN_EXP) == 0.25);
    assert_true(sl_ref_ulp(0, 0x1p-1075L, 0x1p-1075L, DBL_MANT_DIG, DBL_MIN_EXP) == 0.5);
    assert_true(sl_ref_ulp(INFINITY, 0x1p1024L, 0x1p1024L, DBL_MANT_DIG, DBL_MIN_EXP) == 0);
}

int main(void)
{
    const topic topics[] = {
        {.name = "rows by hand", .once = rows_by_hand},
        {.name = "inner > 1 by hand", .once = inner_by_hand},
        {.name = "special rows", .once = special_rows},
        {.name = "gradients of rows by hand", .once = row_gradients_by_hand},
        {.name = "elements by hand", .once = elements_by_hand},
        {.name = "confident rows", .once = confident_rows},
        {.name = "cross_entropy by hand", .once = cross_entropy_by_hand},
        {.name = "cross_entropy_soft by hand", .once = soft_cross_entropy_by_hand},
        {.name = "nll by hand", .once = nll_by_hand},
        {.name = "binary losses by hand", .once = binary_losses_by_hand},
        {.name = "special losses", .once = special_losses},
        {.name = "bit patterns", .once = patterns},
        {.name = "rounding", .once = rounding},
        {.name = "all values of 16 bits", .once = all_of_16_bits},
        {.name = "descriptions of types", .once = descriptions},
        {.name = "ULP measure", .once = ulp_measure},
    };
    return run_test_matrix("oracle", topics, sizeof topics / sizeof *topics);
}
