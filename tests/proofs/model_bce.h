/* SPDX-License-Identifier: MIT
 *
 * Binary losses of elements and their gradients, as model.c has the others: classes 0 and 1 and what is between, without options, with
 * weights, with one upstream gradient or one of each element.
 */
#ifndef SL_PROOFS_MODEL_BCE_H
#define SL_PROOFS_MODEL_BCE_H

enum { ELEMENTS = 256 };

typedef struct {
    float x, t, p, w;
    double up;
    bool has_p, has_w, one_factor;
} bce_element;

static float loss_of(bce_element e)
{
    const float a = fabsf(e.x);
    const bool below = e.x < 0;
    const c_log1p_parts log = c_log1p_exp_minus(a, c_tables_load());
    const float less = 1 - e.t;
    float s = below ? e.has_p ? do_bce_shares(e.t, e.p).positive : e.t : less;
    float sum = e.has_p ? do_bce_shares(e.t, e.p).sum : 1;
    if (e.has_w) {
        s = e.w * s;
        sum = e.w * sum;
    }
#if SL_FMA
    return e.has_p || e.has_w ? do_bce_weighted(a, s, sum, log.high).loss : do_bce(a, s, log.high).loss;
#else
    const float lost = below || e.has_w ? 0 : (1 - less) - e.t;
    return e.has_p || e.has_w ? do_bce_weighted(a, s, lost, sum, log.high, log.low).loss
                              : do_bce(a, s, lost, log.high, log.low).loss;
#endif
}

#if SL_FMA
static float grad_of_one_factor(bce_element e)
{
    const bool below = e.x < 0;
    long_exp u;
    log1p_and_exp(fabsf(e.x), c_tables_load(), &u);
    const of_exp_share s = do_exp_share(u.value, u.lost);
    const float less = 1 - e.t;
    const of_long_difference d =
        do_long_difference(below ? e.t : less, below ? 0 : (1 - less) - e.t, s.q, s.more);
    const double w = below ? -e.up : e.up;
    const float high = (float)w;
    return do_times_long(high, (float)(w - (double)high), d.d, d.low).entry;
}
#endif

static float grad_of(bce_element e)
{
    const bool below = e.x < 0;
    double up = e.up;
#if SL_FMA
    if (e.one_factor && !e.has_w && !e.has_p && fabsf(e.x) < 80)
        return grad_of_one_factor(e);
    up = e.has_w ? up * (double)e.w : up;
    const double of_yes = e.has_p ? up * (double)e.p : up;
    if (e.t == 0 || e.t == 1) {
        const float to = e.t == 1 ? -e.x : e.x, factor = (float)(e.t == 1 ? -of_yes : up);
        return c_times_scaled(factor, c_sigmoid_of(to, c_sigmoid_is_wide(&to, 1), c_tables_load()));
    }
    const double q = c_soft_grad(-fabsf(e.x), 1, 0, c_tables_load());
    const of_soft_logit g = do_soft_logit(q, up * (1 - (double)e.t), of_yes * (double)e.t);
    return below ? g.below : g.above;
#else
    exp_parts parts;
    const float a = fabsf(e.x);
    exps_of_sigmoids(&a, 1, &parts);
    double q = c_signed_sigmoid(e.x, parts), yes = (double)e.t;
    up = e.has_w ? up * (double)e.w : up;
    if (e.has_p) {
        q = do_weighted_share(q, e.t, e.p).share;
        yes = below ? yes * (double)e.p : yes;
    }
    return do_soft_logit(up, q, (below ? 0 : 1.0) - yes).entry;
#endif
}

static float grad_of_probability(bce_element e)
{
    const double p = (double)e.x, variance = p * (1 - p);
    const double up = e.has_w ? e.up * (double)e.w : e.up;
    return do_probability(up, e.x, e.t, v_inverse(variance > 1e-12 ? variance : 1e-12)).entry;
}

static float any_target(void)
{
    const uint64_t kind = next() % 8;
    return kind < 2   ? (float)kind
           : kind < 4 ? (float)ldexp(uniform(), -(int)(next() % 60))
                      : (float)uniform();
}

static void bce_elements(const sl_kernels *k)
{
    static float x[ELEMENTS], p[ELEMENTS], t[ELEMENTS], w[ELEMENTS], pos[ELEMENTS], up[ELEMENTS];
    static float loss[ELEMENTS], grad[ELEMENTS], grad_of_p[ELEMENTS];
    const uint64_t options = next();
    for (size_t i = 0; i < ELEMENTS; i++) {
        x[i] = (float)((uniform() - 0.5) * (i % 3 == 0 ? 300 : 12));
        p[i] = i % 2 ? (float)uniform() : (float)ldexp(uniform(), -(int)(next() % 60));
        t[i] = any_target();
        if (i % 16 == 0 && t[i] > 0 && t[i] < 1) /* the terms cancel */
            x[i] = (float)log((double)t[i] / (1 - (double)t[i]));
        w[i] = (float)ldexp(uniform() + 0.5, (int)(next() % 20) - 10);
        pos[i] = (float)ldexp(uniform() + 0.5, (int)(next() % 8) - 4);
        up[i] = (float)ldexp(uniform() - 0.5,
                             (int)(next() % (options & 32 ? 200 : 60)) - (options & 32 ? 100 : 30));
    }
    sl_loss_options o = sl_loss_defaults();
    o.reduction = SL_NONE;
    o.class_weight = options & 1 ? w : NULL;
    o.pos_weight = options & 2 ? pos : NULL;
    o.upstream = options & 4 ? up : NULL;
    k->bce_with_logits_f32(x, t, sl_rows(1, ELEMENTS), &o, loss, NULL);
    float total;
    const bool one_factor = options & 8;
    if (one_factor)
        o.reduction = options & 16 ? SL_SUM : SL_MEAN;
    k->bce_with_logits_f32(x, t, sl_rows(1, ELEMENTS), &o, one_factor ? &total : loss, grad);
    o.pos_weight = NULL;
    k->bce_f32(p, t, sl_rows(1, ELEMENTS), &o, one_factor ? &total : loss, grad_of_p);
    o.pos_weight = options & 2 ? pos : NULL;
    if (!one_factor)
        k->bce_with_logits_f32(x, t, sl_rows(1, ELEMENTS), &o, loss, grad);
    for (size_t i = 0; i < ELEMENTS; i++) {
        const double of = options & 4 ? (double)up[one_factor ? 0 : i] : 1;
        bce_element e = {.x = x[i],
                         .t = t[i],
                         .p = pos[i],
                         .w = w[i],
                         .up = one_factor && !(options & 16) ? of / ELEMENTS : of,
                         .has_p = options & 2,
                         .has_w = options & 1};
        e.one_factor = (one_factor || !(options & 4)) && fabs(e.up) >= 0x1p-60 && fabs(e.up) <= 0x1p60;
        if (!one_factor)
            compare("bce_with_logits", loss_of(e), loss[i], ELEMENTS, i);
        compare("bce_with_logits, gradient", grad_of(e), grad[i], ELEMENTS, i);
        e.x = p[i];
        compare("bce, gradient", grad_of_probability(e), grad_of_p[i], ELEMENTS, i);
    }
}

#endif
