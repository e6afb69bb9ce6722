/* SPDX-License-Identifier: MIT
 *
 * Gradients of cross-entropy where every class has a share: label smoothing, and probabilities with and without it, with and without
 * weights. Classes with more than half of both, p and q, which have entries of their own, are left out.
 */
#ifndef SL_PROOFS_MODEL_SHARES_H
#define SL_PROOFS_MODEL_SHARES_H

static double times_and(double a, double b, double c) { return SL_FMA ? fma(a, b, c) : a * b + c; }

/* Sum of what the classes have, in lanes. */
static double sum_of_shares(const float *weight, const float *t, double own, double share, size_t n)
{
    double lane[SL_LANES] = {0};
    for (size_t i = 0; i < n; i++) {
        const double q = t ? times_and(own, (double)t[i], share) : share;
        lane[i % SL_LANES] = lane[i % SL_LANES] + (weight ? (double)weight[i] * q : q);
    }
    return folded(lane, SL_LANES);
}

static void shares_of_model(const sl_kernels *k, const float *x, size_t n)
{
    static float grad[LONGEST], t[LONGEST], weight[LONGEST];
    const log_sums s = log_sums_of(x, n);
    const c_vframe f = c_frame_set1(c_frame_of(s.max));
    const int64_t target = (int64_t)(next() % n);
    const float up = (float)ldexp(uniform() + 0.5, (int)(next() % 20) - 50),
                x_t = x[target]; /* no frame is raised */
    const double sum = s.top + s.rest, smoothing = next() % 4 ? uniform() : 0;
    const double own = 1 - smoothing, share = smoothing / (double)n;
    const float own_up = (float)((double)up * own), share_up = (float)((double)up * share);
    const bool has_weights = next() % 2;
    sl_loss_options o = sl_loss_defaults();
    o.reduction = SL_NONE;
    o.upstream = &up;
    o.label_smoothing = smoothing;
    float loss;
    if (x_t == -INFINITY || s.rest < 0x1p-96 * (double)n) /* deep_rest.h */
        return;
    for (size_t i = 0; i < n; i++) {
        t[i] = (float)uniform();
        weight[i] = (float)ldexp(uniform() + 0.5, (int)(next() % 10) - 5);
    }
    o.class_weight = has_weights ? weight : NULL;
    k->cross_entropy_soft_f32(x, t, sl_rows(1, n), &o, &loss, grad);
    const double all = sum_of_shares(o.class_weight, t, own, share, n);
    for (size_t i = 0; i < n; i++) {
        const float w = has_weights ? weight[i] : 1;
        if (2 * (double)w * times_and(own, (double)t[i], share) < all && x[i] != -INFINITY)
            compare(
                "cross_entropy_soft, gradient",
                do_soft_entry(times_factor(exp_in(x[i], f), all * (double)up, sum), w, own_up, t[i], share_up)
                    .entry,
                grad[i], n, i);
    }
    if (!(smoothing > 0) || n == 1)
        return;
    k->cross_entropy_f32(x, &target, sl_rows(1, n), &o, &loss, grad);
    const double w_t = has_weights ? (double)weight[target] : 1, q_t = own * w_t;
    const double whole = sum_of_shares(o.class_weight, NULL, own, share, n) + q_t;
    for (size_t i = 0; i < n; i++) {
        const float w = has_weights ? weight[i] : 1;
        if ((int64_t)i != target && 2 * (double)w * share < whole)
            compare("cross_entropy, gradient with shares",
                    do_share_entry(times_factor(exp_in(x[i], f), whole * (double)up, sum), w, share_up).entry,
                    grad[i], n, i);
    }
    if (has_weights)
        return;
    const double e_t = exp_wide(x_t, f), others = x_t == s.max ? s.rest : s.top + (s.rest - e_t);
    compare(
        "cross_entropy, target with shares",
        do_mixed_entry((double)up, e_t / sum, share * (double)(n - 1), others / sum, times_and(share, 1, q_t))
            .entry,
        grad[target], n, (size_t)target);
}

#endif
