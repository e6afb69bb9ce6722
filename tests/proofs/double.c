/* SPDX-License-Identifier: MIT
 *
 * The f64 functions that the lemmas are about. Their operations (operations.ops, generated: operations.h), with the constants that double.py has
 * read (generated: constants.h), are compared with the kernels' own functions bit by bit. And their errors are sampled, next to where lemmas
 * have them the largest: no sample may exceed what is proven. The samples' reference is libm's long double, good to 2^-63; it proves nothing.
 *
 * Prints a line for each figure: its name and the largest error found, in 2^-53 of the exact value, `_ulp` in ULP, or, of `log_lost`, absolute.
 */
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel/maps.h"
#include "maths/factor.h"
#include "maths/log.h"
SL_CLOSE

#include "constants.h"
#include "operations.h"
#include "random.h"
#include "softlane.h"

#if LDBL_MANT_DIG < 64
#error "long double has no more digits than double"
#endif

static double sign(void) { return next() % 2 ? 1 : -1; }

static unsigned failed, compared;

static void compare(const char *what, double want, double got, double x)
{
    uint64_t a, b;
    memcpy(&a, &want, sizeof a);
    memcpy(&b, &got, sizeof b);
    compared++;
    if (a != b && !(want != want && got != got) && failed++ < 9)
        printf("%s of %a: the model has %a, the kernel %a\n", what, x, want, got);
}

typedef struct {
    long double error;
    double x;
} worst;

static void note(worst *w, long double error, double x)
{
    if (!(error <= w->error))
        *w = (worst){error, x};
}

static long double ulp_of(long double y)
{
    int e;
    frexpl(y, &e);
    return ldexpl(1, (e < -1021 ? -1021 : e) - DBL_MANT_DIG);
}

/* ---- exponentials ---- */

typedef struct {
    double n, high, r, q;
} exp_start;

static exp_start start_of(double x, double start)
{
    const double n = do_exp_n(x, start, log2e).n;
    const of_exp_r of = do_exp_r(x, n, ln2_hi, ln2_lo);
    return (exp_start){n, of.high, of.r, do_exp_q(of.r, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10).q};
}

/* In the frame of a maximum, and what it is by the model. */
static void in_frame(double x, double max, worst *w)
{
    const c_frame frame = c_frame_of(max);
    const c_vframe f = c_frame_set1(frame);
    const double got = first_lane(c_exp_in_frame(w_set1(x), f, c_exp_table_load()));
    const exp_start e = start_of(x, magic + (W_FRAME_BIAS - frame.reference));
    if (frame.shift != 0 || got == 0)
        return;
    compare("exp", ldexp(do_exp_rounded(e.r, e.q).e, (int)(e.n + W_FRAME_BIAS - frame.reference)), got, x);
    note(w, fabsl(ldexpl(got, (int)(frame.reference - W_FRAME_BIAS)) / expl(x) - 1) * 0x1p53L, x);
}

/* In two parts, exp(x) 2^-bias. */
static void in_parts(double x, int bias, worst *w)
{
    const w_exp_parts parts = w_exp_absolute(w_set1(x), w_set1(magic - bias));
    const w_acc sum = w_exp_sum(parts);
    const double n = do_exp_n(x, magic - bias, log2e).n, high = do_exp_r(x, n, ln2_hi, ln2_lo).high;
    const of_exp_low low = do_exp_low(n, ln2_lo, high);
    const double q = do_exp_q(low.r, c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10).q;
    const of_exp_wide of = do_exp_wide(high, low.low, low.r, q);
    compare("exp in parts", of.p, first_lane(parts.p), x);
    compare("exp in parts, the second", of.p_low, first_lane(parts.p_low), x);
    const long double got = (long double)first_lane(sum.sum) + (long double)first_lane(sum.lost);
    note(w, fabsl(ldexpl(got, bias) / expl(x) - 1) * 0x1p53L, x);
}

/* Of all sizes, and next to where |r| is the largest. */
static double some_x(double most)
{
    const double n = rint((uniform() - 0.5) * 2 * most / ln2_hi);
    const double near = next() % 2 ? 1e-3 : 1e-6;
    switch (next() % 4) {
    case 0:
        return (uniform() - 0.5) * 2 * most;
    case 1:
        return ldexp(uniform() - 0.5, -(int)(next() % 60));
    default:
        return (n + sign() * 0.5) * 0x1.62e42fefa39efp-1 + sign() * uniform() * near;
    }
}

enum { SAMPLES = 1000000 };

static void exponentials(void)
{
    worst rounded = {0, 0}, wide = {0, 0};
    for (int i = 0; i < SAMPLES; i++) {
        const double max = some_x(i % 4 == 0 ? 8000 : 300), x = max - (i % 3 == 0 ? 0 : uniform() * 600);
        in_frame(x, max, &rounded);
        in_parts(i % 2 ? some_x(i % 4 == 1 ? 600 : 20) : 850 + some_x(540), i % 2 ? 0 : 1200, &wide);
    }
    printf("exp_rounded %.6Lf # %a\nexp_wide %.6Lf # %a\n", rounded.error, rounded.x, wide.error, wide.x);
}

/* ---- logarithms ---- */

/* log(s + c), c a multiple of 2^-10 ULP of s, by pieces of the result. */
static void logarithm(double s, double c, worst *of)
{
    const w_acc got = log_of_sum(w_set1(s), w_set1(c));
    int k;
    double m = frexp(s, &k);
    for (; m < 0x1.6a09e667f3bcdp-1; k--)
        m *= 2;
    m = m >= 0x1.6a09e667f3bcdp+0 ? m / 2 : m;
    k = (int)lrint(log2(s / m));
    const of_log_split start = do_log_split(m, ldexp(c, -k));
    const of_log_high high = do_log_high(start.f, k, ln2_hi);
    const double less = do_log_rest(start.f, k, ln2_lo, p0, p1, p2, p3, p4, p5, p6).less;
    const of_log_end end = do_log_end(high.high, do_log_join(high.carry, start.lost, less).rest);
    compare("log", end.log, first_lane(got.sum), s);
    compare("log, the second part", end.log_low, first_lane(got.lost), s);
    const long double exact = logl((long double)s + (long double)c);
    const long double wrong =
        fabsl((long double)first_lane(got.sum) - exact + (long double)first_lane(got.lost));
    for (size_t at = 0; at < sizeof pieces / sizeof *pieces; at++)
        if (exact >= pieces[at] && (at + 1 == sizeof pieces / sizeof *pieces || exact < pieces[at + 1]))
            note(of + at, wrong, s);
    if (exact > 0 && exact < pieces[0])
        note(of + sizeof pieces / sizeof *pieces, wrong / exact * 0x1p53L, s);
}

static void logarithms(void)
{
    enum { PIECES = sizeof pieces / sizeof *pieces };
    worst of[PIECES + 1] = {{0, 0}};
    for (int i = 0; i < 2 * SAMPLES; i++) {
        const double q = i % 2   ? uniform()
                         : i % 4 ? uniform() * 30
                                 : ldexp(uniform(), (int)(next() % 60) - 40);
        int e;
        frexp(1 + q, &e);
        logarithm(1 + q, ldexp((double)(next() % 1025) - 512, e - 63), of);
    }
    for (size_t at = 0; at < PIECES; at++)
        printf("log_lost%zu %.10Lg # %a\n", at, of[at].error, of[at].x);
    printf("log_small %.6Lf # %a\n", of[PIECES].error, of[PIECES].x);
}

/* ---- sums: 1 / S and products ---- */

static void products(void)
{
    for (int i = 0; i < SAMPLES; i++) {
        const double sum = ldexp(1 + uniform(), (int)(next() % 800) - 150),
                     e = ldexp(1 + uniform(), -(int)(next() % 900));
        const double lost = sum * ldexp(uniform() - 0.5, -30);
        const c_factor f = c_reciprocal_of((w_acc){w_set1(sum), w_set1(lost)});
        const double got = first_lane(c_times(w_set1(e), f));
#if SL_FMA
        const of_reciprocal_f64 want = do_reciprocal_f64(sum, lost);
        compare("1 / S", want.high, first_lane(f.high), sum);
        compare("1 / S, the second part", want.low, first_lane(f.low), sum);
        compare("product", do_product_f64(e, want.high, want.low).y, got, e);
#else
        compare("product",
                do_product_f64(e, first_lane(w_upper_half(w_set1(e))), first_lane(f.high), first_lane(f.low),
                               0x1p-60)
                    .y,
                got, e);
#endif
    }
}

/* ---- kernels ---- */

static void log_softmaxes(const sl_kernels *k)
{
    enum { N = 40 };
    double x[N], y[N];
    for (int round = 0; round < SAMPLES / 100; round++) {
        size_t top = 0;
        for (size_t i = 0; i < N; i++) {
            x[i] = (uniform() - 0.5) * (round % 2 ? 4 : 60);
            top = x[i] > x[top] ? i : top;
        }
        k->log_softmax_f64(x, y, sl_rows(1, N));
        for (size_t i = 0; i < N; i++)
            compare("log_softmax", do_log_entry_f64(x[i], x[top], -y[top]).y, y[i], x[i]);
    }
}

static void elements(const sl_kernels *k)
{
    enum { N = 64 };
    double x[N], y[N], z[N], l[N], p[N], dy[N], dx[N];
    worst sigmoid_ulp = {0, 0}, fast_ulp = {0, 0}, log_ulp = {0, 0}, slope_ulp = {0, 0};
    for (int round = 0; round < SAMPLES / N; round++) {
        for (size_t i = 0; i < N; i++) {
            x[i] = some_x(round % 4 == 0 ? 740 : 40);
            p[i] = round % 2 ? uniform() : ldexp(uniform(), -(int)(next() % 40));
            dy[i] = ldexp(uniform() - 0.5, (int)(next() % 60) - 30);
        }
        k->sigmoid_f64(x, y, N);
        k->sigmoid_fast_f64(x, z, N);
        k->log_sigmoid_f64(x, l, N);
        k->sigmoid_backward_f64(p, dy, dx, N);
        for (size_t i = 0; i < N; i++) {
            const long double e = expl(-fabsl(x[i])), exact = (x[i] < 0 ? e : 1) / (1 + e);
            const long double log = -(log1pl(e) + (x[i] < 0 ? -(long double)x[i] : 0));
            const long double slope = (long double)dy[i] * p[i] * (1 - (long double)p[i]);
            note(&sigmoid_ulp, fabsl(y[i] - exact) / ulp_of(exact), x[i]);
            if (exact > 0x1p-1021L)
                note(&fast_ulp, fabsl(z[i] - exact) / ulp_of(exact), x[i]);
            note(&log_ulp, fabsl(l[i] - log) / ulp_of(log), x[i]);
            note(&slope_ulp, fabsl(dx[i] - slope) / ulp_of(slope), p[i]);
            compare("sigmoid_backward", dy[i] * do_slope_f64(p[i]).slope, dx[i], p[i]);
        }
    }
    printf(
        "sigmoid %.6Lf # %a\nsigmoid_fast %.6Lf # %a\nlog_sigmoid %.6Lf # %a\nsigmoid_backward %.6Lf # %a\n",
        sigmoid_ulp.error, sigmoid_ulp.x, fast_ulp.error, fast_ulp.x, log_ulp.error, log_ulp.x,
        slope_ulp.error, slope_ulp.x);
}

int main(int count, char **names)
{
    const sl_kernels *k = sl_isa(count > 1 ? names[1] : NULL);
    if (k == NULL || k->fma != SL_FMA) {
        fprintf(stderr, "double: no instruction set of this class: %s\n", count > 1 ? names[1] : "");
        return 2;
    }
    exponentials();
    logarithms();
    products();
    log_softmaxes(k);
    elements(k);
    printf("# %s: %u results of f64 compared, %u differ\n", k->isa, compared, failed);
    return failed != 0;
}
