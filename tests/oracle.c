/* SPDX-License-Identifier: MIT
 *
 * The reference itself, against values worked out to 40 digits elsewhere, and its ULP measure. Everything
 * else rests on these.
 */
#include <float.h>
#include <math.h>

#include "ladder.h"

/* Good to a few units of double, relative to the value. */
static void assert_close(double got, double want)
{
    if (!(fabs(got - want) <= 1e-14 * fabs(want)))
        fail_msg("got %.17g, want %.17g", got, want);
}

static void rows_by_hand(void)
{
    const float x[] = {20, 0, 0};
    const sl_shape shape = sl_rows(1, 3);
    double y[3], lse, scale;
    sl_ref_softmax_f32(x, y, shape);
    assert_close(y[0], 0.99999999587769277211630129518239);
    assert_close(y[1], 2.0611536139418493524e-9);
    sl_ref_log_softmax_f32(x, y, shape);
    assert_close(y[0], -4.1223072363804071687e-9);
    assert_close(y[1], -20.0000000041223072363804);
    sl_ref_logsumexp_f32(x, &lse, &scale, shape);
    assert_close(lse, 20.0000000041223072363804);
    assert_close(scale, lse);
    const float cancelling[] = {-0x1.62e43p-1f, -0x1.62e43p-1f}; /* float(-log 2), twice: lse is its error */
    sl_ref_logsumexp_f32(cancelling, &lse, &scale, sl_rows(1, 2));
    assert_true(fabs(lse - -1.904654299957767878e-9) <= 1e-16);
    assert_true(scale == 0x1.62e43p-1f);
}

static void elements_by_hand(void)
{
    const float x[] = {-90, 1, 88};
    double y[3];
    sl_ref_sigmoid_f32(x, y, 3);
    assert_close(y[0], 8.1940126239905156e-40);
    assert_close(y[1], 0.73105857863000487925);
    sl_ref_log_sigmoid_f32(x, y, 3);
    assert_close(y[0], -90);
    assert_close(y[1], -0.31326168751822283405);
    assert_close(y[2], -6.0546018954011858e-39);
}

static void losses_by_hand(void)
{
    const float x[] = {1, 2, 3, 0, 0, 0}, weight[] = {1, 2, 4}, probability[] = {0, 0.5f, 1, 0, 1, 0.25f};
    const int64_t target[] = {2, 1};
    const double lse = 3.4076059644443803045, log_3 = 1.0986122886681096914;
    double loss[6];
    sl_loss_options o = {.reduction = SL_NONE};
    sl_ref_cross_entropy_f32(x, target, sl_rows(2, 3), &o, loss);
    assert_close(loss[0], lse - 3);
    assert_close(loss[1], log_3);
    o.class_weight = weight;
    o.label_smoothing = 0.25;
    sl_ref_cross_entropy_f32(x, target, sl_rows(2, 3), &o, loss);
    const double smooth = (1 * (lse - 1) + 2 * (lse - 2) + 4 * (lse - 3)) / 3;
    assert_close(loss[0], 0.75 * 4 * (lse - 3) + 0.25 * smooth);
    double mean;
    o.reduction = SL_MEAN;
    sl_ref_cross_entropy_f32(x, target, sl_rows(2, 3), &o, &mean);
    assert_close(mean, (loss[0] + loss[1]) / 6);

    o = (sl_loss_options){.reduction = SL_NONE, .class_weight = weight, .pos_weight = weight};
    sl_ref_bce_with_logits_f32(x, probability, sl_rows(2, 3), &o, loss);
    assert_close(loss[0], 1.3132616875182228340);
    assert_close(loss[1], 2 * (2 * 0.5 * 0.12692801104297249644 + 0.5 * 2.1269280110429724964));
    assert_close(loss[2], 4 * 4 * 0.048587351573742058759);
}

static void ulp_measure(void)
{
    assert_true(sl_ref_ulp_f32(1, 1) == 0);
    assert_true(sl_ref_ulp_f32(1 + FLT_EPSILON, 1) == 1);
    assert_true(sl_ref_ulp_f32(1 - FLT_EPSILON / 2, 1) == 0.5);
    assert_true(sl_ref_ulp_f32(0x1p-149f, 0) == 1);
    assert_true(sl_ref_ulp_f32(0, 0x1p-150) == 0.5);
    assert_true(sl_ref_ulp_f32(0x1p-126f, 0x1p-126 + 0x1p-149) == 1);
    assert_true(sl_ref_ulp_f32(NAN, NAN) == 0);
    assert_true(isinf(sl_ref_ulp_f32(NAN, 1)));
    assert_true(isinf(sl_ref_ulp_f32(1, NAN)));
    assert_true(isinf(sl_ref_ulp_f32(NAN, INFINITY)));
    assert_true(sl_ref_ulp_f32(-INFINITY, -INFINITY) == 0);
    assert_true(isinf(sl_ref_ulp_f32(INFINITY, -INFINITY)));
    assert_true(isinf(sl_ref_ulp_f32(FLT_MAX, INFINITY)));
    assert_true(sl_ref_ulp_f32(INFINITY, 0x1p128) == 0);
    assert_true(sl_ref_ulp_f32(-INFINITY, -0x1.ffffffp127) == 0);
    assert_true(isinf(sl_ref_ulp_f32(INFINITY, 0x1.fffffep127)));
    assert_true(sl_ref_ulp_at_f32(1, 1 + FLT_EPSILON, 2) == 0.5);
}

int main(void)
{
    const topic topics[] = {
        {.name = "rows by hand", .once = rows_by_hand},
        {.name = "elements by hand", .once = elements_by_hand},
        {.name = "losses by hand", .once = losses_by_hand},
        {.name = "ULP measure", .once = ulp_measure},
    };
    return ladder_climb("oracle", topics, sizeof topics / sizeof *topics);
}
