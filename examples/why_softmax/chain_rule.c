/* SPDX-License-Identifier: MIT
 *
 * The gradient of softmax and cross-entropy by the chain rule, term by term and through the whole Jacobian, against the
 * kernel that gives it in one call.
 */
#include "story.h"

#include <math.h>

/* Units in the last place of a type with this many digits. */
static double ulp(double exact, int digits)
{
    int exponent;
    frexp(exact, &exponent);
    return ldexp(1, exponent - digits);
}

void chain_rule(void)
{
    /* Two classes, target probabilities t: h(f, g) = -(t0 log f + t1 log g), f and g the softmax of x and 0. */
    const double x[2] = {1.5, 0}, t[2] = {0.7, 0.3}, step = 0x1p-17;
    double p[2], grad[2], around[2];
    call(sl_softmax_f64(x, p, sl_rows(1, 2)));
    const double dh_df = -t[0] / p[0], df_dx = p[0] * (1 - p[0]), dh_dg = -t[1] / p[1], dg_dx = -p[0] * p[1];
    const double chain = dh_df * df_dx + dh_dg * dg_dx;
    call(sl_cross_entropy_soft_f64(x, t, sl_rows(1, 2), NULL, NULL, grad));
    for (int side = 0; side < 2; side++) {
        const double moved[2] = {side ? x[0] + step : x[0] - step, 0};
        call(sl_cross_entropy_soft_f64(moved, t, sl_rows(1, 2), NULL, &around[side], NULL));
    }
    SHOW("chain_terms", dh_df, df_dx, dh_dg, dg_dx);
    SHOW("chain_sum", chain);
    SHOW("chain_p_minus_t", p[0] - t[0]);
    SHOW("chain_fused", grad[0]);
    SHOW("chain_difference_quotient", (around[1] - around[0]) / (2 * step));
    SHOW("chain_from_fused_in_ulp", fabs(chain - grad[0]) / ulp(grad[0], 53));
    expect(fabs(chain - grad[0]) <= 8 * ulp(grad[0], 53), "the chain rule on two classes");

    /* The logits of the digits, in f32: the whole Jacobian; p - y; one call. The exact gradient is the fused one of f64. */
    static float p32[IMAGES][CLASSES], one_call[IMAGES][CLASSES];
    static double x64[IMAGES][CLASSES], p64[IMAGES][CLASSES], exact[IMAGES][CLASSES];
    static double doubt[IMAGES], of_chain[IMAGES], of_difference[IMAGES], of_one_call[IMAGES];
    const sl_shape shape = sl_rows(IMAGES, CLASSES);
    const sl_loss_options sum = {.reduction = SL_SUM};
    double others = 0, others_one_call = 0, target_chain = 0, target_difference = 0, target_one_call = 0;
    double others_f64 = 0, absolute_f64 = 0, least = 1;
    for (int i = 0; i < IMAGES; i++)
        for (int c = 0; c < CLASSES; c++)
            x64[i][c] = logits[i][c];
    call(sl_softmax_f32(*logits, *p32, shape));
    call(sl_softmax_f64(*x64, *p64, shape));
    call(sl_cross_entropy_f32(*logits, labels, shape, &sum, NULL, *one_call));
    call(sl_cross_entropy_f64(*x64, labels, shape, &sum, NULL, *exact));
    for (int i = 0; i < IMAGES; i++) {
        const int64_t right = labels[i];
        for (int c = 0; c < CLASSES; c++) {
            float dx = 0;
            double dx64 = 0;
            for (int k = 0; k < CLASSES; k++) { /* dh/dx_c = sum over k of dh/dp_k dp_k/dx_c */
                const float dh_dp = k == right ? -1 / p32[i][k] : 0;
                const double dh_dp64 = k == right ? -1 / p64[i][k] : 0;
                dx += dh_dp * (p32[i][k] * ((float)(k == c) - p32[i][c]));
                dx64 += dh_dp64 * (p64[i][k] * ((k == c) - p64[i][c]));
            }
            const double unit = ulp(exact[i][c], 24);
            const double error = fabs(dx - exact[i][c]) / unit,
                         fused = fabs(one_call[i][c] - exact[i][c]) / unit;
            absolute_f64 = fmax(absolute_f64, fabs(dx64 - exact[i][c]) / ulp(1, 53));
            if (c != right) {
                others = fmax(others, error);
                others_one_call = fmax(others_one_call, fused);
                others_f64 = fmax(others_f64, fabs(dx64 - exact[i][c]) / ulp(exact[i][c], 53));
            } else {
                const float difference = p32[i][c] - 1;
                doubt[i] = -exact[i][c];
                of_chain[i] = error;
                of_difference[i] = fabs(difference - exact[i][c]) / unit;
                of_one_call[i] = fused;
                target_chain = fmax(target_chain, error);
                target_difference = fmax(target_difference, of_difference[i]);
                target_one_call = fmax(target_one_call, fused);
                least = fmin(least, doubt[i]);
            }
        }
    }
    SHOW("jacobian_f64_other_classes_ulp", others_f64);
    SHOW("jacobian_f64_all_in_ulp_of_1", absolute_f64);
    SHOW("f32_other_classes_ulp_jacobian_and_one_call", others, others_one_call);
    SHOW("f32_right_class_ulp_jacobian_difference_and_one_call", target_chain, target_difference,
         target_one_call);
    SHOW("right_class_least_doubt", least);
    /* Surer still, and p - 1 is nothing at all. */
    const float sure[3] = {20, 0, 0};
    float p_sure[3], grad_sure[3];
    call(sl_softmax_f32(sure, p_sure, sl_rows(1, 3)));
    call(sl_cross_entropy_f32(sure, &(int64_t){0}, sl_rows(1, 3), NULL, NULL, grad_sure));
    SHOW("sure_p_minus_1_and_one_call", p_sure[0] - 1, grad_sure[0]);
    show("doubt", IMAGES, doubt);
    show("ulp_of_jacobian", IMAGES, of_chain);
    show("ulp_of_difference", IMAGES, of_difference);
    show("ulp_of_one_call", IMAGES, of_one_call);
    expect(others_f64 <= 16 && absolute_f64 <= 8, "the Jacobian agrees with the fused kernel");
    expect(target_one_call <= 4 && others_one_call <= 4, "the fused kernel keeps its bound");
}
