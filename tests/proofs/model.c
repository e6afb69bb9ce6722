/* SPDX-License-Identifier: MIT
 *
 * The kernels as the lemmas see them: operations of operations.ops (generated: operations.h) on exponentials and logarithms of the
 * kernels, sums in lanes as docs/accuracy.md has them. Compared bit by bit with the library's kernels of the same class, on rows of
 * many lengths and sizes: an operation that changes in a kernel, or its place, shows here.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/bce.h"
#include "kernel/maps.h"
#include "maths/log.h"
#include "maths/raise.h"
SL_CLOSE

#include "operations.h"
#include "random.h"
#include "softlane.h"

enum { USUAL = 700, LONGEST = 70000, LANES_OF_EXP = SL_EXP_LANES, PLACES = SL_POSITIONS };

static unsigned failed, compared;

static void compare(const char *what, float want, float got, size_t n, size_t i)
{
    uint32_t a, b;
    memcpy(&a, &want, sizeof a);
    memcpy(&b, &got, sizeof b);
    compared++;
    if (a != b && !(want != want && got != got) && failed++ < 9)
        printf("%s, %zu elements, [%zu]: the model has %a, the kernel %a\n", what, n, i, (double)want,
               (double)got);
}

/* ---- sums ---- */

static double folded(double *lane, size_t lanes)
{
    for (size_t half = lanes / 2; half; half /= 2)
        for (size_t l = 0; l < half; l++)
            lane[l] = lane[l] + lane[l + half];
    return lane[0];
}

static float largest(const float *x, size_t n)
{
    float max = -INFINITY;
    for (size_t i = 0; i < n; i++)
        max = x[i] > max ? x[i] : max;
    return max + 0;
}

static float exp_in(float x, c_vframe f) { return c_exp_in_frame(c_less_shift(x, f), f, c_exp_table_load()); }
static double exp_wide(float x, c_vframe f)
{
    return c_exp_in_frame_wide(c_less_shift(x, f), f, c_exp_table_load());
}

/* Without FMA pairs in f32 first, but of short rows. */
static double add_pair(double lane, float a, float b)
{
    return SL_FMA ? lane + (double)a + (double)b : lane + (double)(a + b);
}

static double sum_of(const float *e, size_t n)
{
    double lane[LANES_OF_EXP] = {0};
    for (size_t at = 0; at < n; at += PLACES)
        for (size_t l = 0; l < LANES_OF_EXP; l++) {
            const float a = at + l < n ? e[at + l] : 0;
            const float b = at + l + LANES_OF_EXP < n ? e[at + l + LANES_OF_EXP] : 0;
            lane[l] = n > SL_SHORT ? add_pair(lane[l], a, b) : lane[l] + (double)a + (double)b;
        }
    return folded(lane, LANES_OF_EXP);
}

typedef struct {
    float max;
    double rest, top, log_sum;
} log_sums;

/* Every place keeps its largest element back; those that are not the row's are added last, not rounded to f32. */
static log_sums log_sums_of(const float *x, size_t n)
{
    log_sums s = {.max = largest(x, n)};
    const c_vframe f = c_frame_set1(c_frame_of(s.max));
    const size_t places = n > SL_SHORT ? PLACES : SL_SHORT;
    float kept[SL_SHORT], added[PLACES];
    double lane[LANES_OF_EXP] = {0}, equal = 0;
    for (size_t p = 0; p < places; p++)
        kept[p] = p < n ? x[p] : -INFINITY;
    for (size_t at = places; at < n; at += PLACES) {
        for (size_t p = 0; p < PLACES; p++) {
            const float a = at + p < n ? x[at + p] : -INFINITY;
            added[p] = exp_in(a < kept[p] ? a : kept[p], f);
            kept[p] = a > kept[p] ? a : kept[p];
        }
        for (size_t l = 0; l < LANES_OF_EXP; l++)
            lane[l] = add_pair(lane[l], added[l], added[l + LANES_OF_EXP]);
    }
    for (size_t p = 0; p < places; p++) {
        equal += kept[p] == s.max;
        if (kept[p] != s.max)
            lane[p % LANES_OF_EXP] = lane[p % LANES_OF_EXP] + exp_wide(kept[p], f);
    }
    s.top = exp_wide(s.max, f);
    s.rest = folded(lane, LANES_OF_EXP) + s.top * (equal - 1);
    s.log_sum = first_lane(log1p_wide(w_acc_of(w_set1(s.rest / s.top))).sum);
    return s;
}

/* In 16 lanes. */
static double lanes_sum(const float *y, const float *dy, size_t n)
{
    double lane[SL_LANES] = {0};
    for (size_t i = 0; i < n; i++)
        lane[i % SL_LANES] = lane[i % SL_LANES] + (y ? (double)y[i] * (double)dy[i] : (double)dy[i]);
    return folded(lane, SL_LANES);
}

/* ---- kernels ---- */

static float product_of(float e, double sum)
{
    const of_reciprocal r = do_reciprocal(sum);
#if SL_FMA
    return do_product(e, r.high, r.low).y;
#else
    return do_product(e, r.factor).y;
#endif
}

static void rows_of(const sl_kernels *k, const float *x, size_t n)
{
    static float y[LONGEST], e[LONGEST], dy[LONGEST], dx[LONGEST];
    const log_sums s = log_sums_of(x, n);
    const c_vframe f = c_frame_set1(c_frame_of(s.max));
    float lse;
    k->softmax_f32(x, y, sl_rows(1, n));
    for (size_t i = 0; i < n; i++)
        e[i] = exp_in(x[i], f);
    const double exps = sum_of(e, n);
    for (size_t i = 0; i < n; i++)
        compare("softmax", product_of(e[i], exps), y[i], n, i);
    for (size_t i = 0; i < n; i++)
        dy[i] = (float)ldexp(uniform() - 0.5, (int)(next() % 40) - 20);
    k->softmax_backward_f32(y, dy, dx, sl_rows(1, n));
    const of_half_dot half = do_half_dot(lanes_sum(y, dy, n));
    for (size_t i = 0; i < n; i++)
        compare("softmax_backward", do_softmax_grad(y[i], dy[i], half.half_high, half.half_low).dx, dx[i], n,
                i);
    k->log_softmax_f32(x, y, sl_rows(1, n));
    for (size_t i = 0; i < n; i++)
        compare("log_softmax", do_log_entry(x[i], s.max, s.log_sum).y + 0, y[i] + 0, n, i);
    k->log_softmax_backward_f32(y, dy, dx, sl_rows(1, n));
    const double sum = lanes_sum(NULL, dy, n);
    for (size_t i = 0; i < n; i++) {
        const float a = y[i];
        const double of_y = c_times_exp(1, a, c_times_exp_is_far(&a, 1), short_tables_load());
        compare("log_softmax_backward", do_log_softmax_grad(dy[i], of_y, sum).dx, dx[i], n, i);
    }
    k->logsumexp_f32(x, &lse, sl_rows(1, n));
    compare("logsumexp", do_log_sum_exp(s.max, s.log_sum).lse, lse, n, 0);
    sl_stats stats;
    k->softmax_stats_f32(x, n, &stats);
    k->softmax_apply_f32(x, y, n, &stats);
    const double whole = (1 + stats.rest) * (double)exp_in(s.max, f);
    for (size_t i = 0; i < n; i++)
        compare("softmax_apply", product_of(e[i], whole), y[i], n, i);
}

/* e k / sum: the term of a class that its own share is taken from. */
static float times_factor(float e, double k, double sum)
{
#if SL_FMA
    uint64_t bits;
    const double ratio = k / sum;
    double unit;
    memcpy(&bits, &ratio, sizeof bits);
    bits &= 0x7ff0000000000000;
    memcpy(&unit, &bits, sizeof unit);
    unit = unit < 0x1p-126 ? 0x1p-126 : unit > 0x1p126 ? 0x1p126 : unit;
    const of_factor k_of = do_factor(k, sum, unit);
    return do_times_unit(e, k_of.high, k_of.low, (float)unit).a;
#else
    return do_times_unit(e, do_factor(k, sum).factor).a;
#endif
}

/* Loss and gradient of class ids, all alike. */
static void losses_of_model(const sl_kernels *k, const float *x, size_t n)
{
    static float grad[LONGEST];
    const log_sums s = log_sums_of(x, n);
    const int64_t target = (int64_t)(next() % n);
    const float up = (float)ldexp(uniform() + 0.5, (int)(next() % 100) - 50), x_t = x[target];
    const double sum = s.top + s.rest, factor = (double)up;
    const c_raise by = c_raise_of(factor, sum);
    const c_vframe f = c_frame_set1(c_frame_raised(c_frame_of(s.max), by.raise));
    sl_loss_options o = sl_loss_defaults();
    o.reduction = SL_NONE;
    o.upstream = &up;
    float loss;
    if (x_t == -INFINITY || s.rest < 0x1p-96 * (double)n) /* deep_rest.h */
        return;
    k->cross_entropy_f32(x, &target, sl_rows(1, n), &o, &loss, grad);
    compare("cross_entropy", (float)do_cost(1, s.max, x_t, s.log_sum).cost, loss, n, 0);
    const double others = x_t == s.max ? s.rest : s.top + (s.rest - exp_wide(x_t, f) / by.times);
    for (size_t i = 0; i < n; i++) {
        const float want = (int64_t)i == target ? do_target_entry(factor, others, sum).entry
                                                : times_factor(exp_in(x[i], f), factor, sum * by.times);
        compare("cross_entropy, gradient", want, grad[i], n, i);
    }
}

/* 1 / b of log.h. */
static void inverses(void)
{
    for (int i = 0; i < 2000; i++) {
        const double b = ldexp(1 + uniform(), (int)(next() % 200) - 100), want = do_inverse(b).inverse;
        const double got = first_lane(v_inverse(w_set1(b)));
        compared++;
        if (want != got && failed++ < 9)
            printf("1 / %a: the model has %a, the kernel %a\n", b, want, got);
    }
}

static void elements_of(const sl_kernels *k)
{
    enum { N = 256 };
    static float x[N], y[N], dy[N], dx[N];
    for (size_t i = 0; i < N; i++) {
        x[i] = (float)((uniform() - 0.5) * (i % 3 == 0 ? 250 : 30));
        y[i] = (float)ldexp(uniform(), -(int)(next() % 30));
        dy[i] = (float)ldexp(uniform() - 0.5, (int)(next() % 60) - 30);
    }
    k->sigmoid_backward_f32(y, dy, dx, N);
    for (size_t i = 0; i < N; i++)
        compare("sigmoid_backward", do_one_product(dy[i], do_sigmoid_slope(y[i]).slope).dx, dx[i], N, i);
    k->log_sigmoid_backward_f32(x, dy, dx, N);
    for (size_t i = 0; i < N; i++) {
        const float minus = -x[i];
        const c_scaled s = c_sigmoid_of(minus, c_sigmoid_is_wide(&minus, 1), c_tables_load());
        if (s.root == 1)
            compare("log_sigmoid_backward", do_one_product(dy[i], s.value).dx, dx[i], N, i);
    }
}

#include "model_bce.h"
#include "model_shares.h"
#include "model_strips.h"

/* Rows of all kinds: near to each other, far apart, masked, with equal maxima, in frames of all sorts. */
static void make_row(float *x, size_t n)
{
    const double spread = (double[]){1, 5, 30, 100, 300}[next() % 5];
    const double at = next() % 4 ? 0 : (uniform() - 0.5) * (next() % 2 ? 300 : 20000);
    const bool masked = next() % 4 == 0;
    for (size_t i = 0; i < n; i++) {
        x[i] = (float)(at + (uniform() - 0.5) * spread);
        if (masked && next() % 2)
            x[i] = -INFINITY;
    }
    x[next() % n] = (float)at;
    if (next() % 4 == 0)
        x[next() % n] = largest(x, n);
}

int main(int count, char **names)
{
    const sl_kernels *k = sl_isa(count > 1 ? names[1] : NULL);
    if (k == NULL || k->fma != SL_FMA) {
        fprintf(stderr, "model: no instruction set of this class: %s\n", count > 1 ? names[1] : "");
        return 2;
    }
    inverses();
    static float x[LONGEST];
    for (size_t round = 0; round < 3000; round++) {
        const size_t usual = round % 1000 < 80 ? 1 + round % 1000 : 1 + next() % USUAL;
        const size_t n = round % 150 == 149 ? 1 + next() % LONGEST : usual;
        make_row(x, n);
        rows_of(k, x, n);
        losses_of_model(k, x, n);
        shares_of_model(k, x, n);
        if (round % 10 == 0)
            elements_of(k);
        if (round % 10 == 5)
            bce_elements(k);
        if (round % 150 == 7)
            strips(k);
    }
    printf("%s: %u results compared, %u differ\n", k->isa, compared, failed);
    return failed != 0;
}
