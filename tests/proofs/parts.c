/* SPDX-License-Identifier: MIT
 *
 * What one float decides, of every float there is: the largest errors of the kernels' own functions, of the class of bits that this
 * program is compiled for (SL_UNIT_ISA). It prints a line for each figure, its name and an upper bound of it, in units of 2^-24 of
 * the exact value unless the name says otherwise: `_ulp` in ULP, `_abs` in 2^-149; and, behind a #, the float that it is largest at.
 *
 * What the reference may be wrong by (reference.h) is added. Exit code 1 if something is not as the lemmas of docs/accuracy.md
 * have it.
 */
#include <inttypes.h>
#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "reference.h"

#include "kernel/bce.h"
#include "kernel/maps.h"
#include "maths/softcap.h"

static int failures;

static void fail(const char *what, double x)
{
    if (failures++ < 9)
        printf("# FAILED: %s, at %a\n", what, x);
}

SL_STATIC float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

SL_STATIC uint32_t bits_of(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    return bits;
}

SL_STATIC double scaled(double a, double n)
{
    double power = n + (0x1.8p52 + 1023);
    uint64_t bits;
    memcpy(&bits, &power, sizeof bits);
    bits <<= 52;
    memcpy(&power, &bits, sizeof bits);
    return a * power;
}

/* ---- blocks of floats ---- */

typedef struct {
    float x[BLOCK], y[BLOCK];
    double want[BLOCK], more[BLOCK], wide[BLOCK];
    size_t n;
} block;

/* The next floats, from the one with these bits to `last`, of one sign. */
static bool next_block(block *b, uint32_t *bits, uint32_t last, uint32_t sign)
{
    const uint32_t first = *bits;
    if (first > last)
        return false;
    b->n = last - first + 1 < BLOCK ? last - first + 1 : BLOCK;
    for (size_t i = 0; i < BLOCK; i++)
        b->x[i] = float_of(sign | (first + (uint32_t)(i < b->n ? i : b->n - 1)));
    *bits = first + (uint32_t)b->n;
    return true;
}

/* The largest error and where it is. */
typedef struct {
    double error;
    float x;
} worst;

static void note(worst *w, const block *b, const double *error)
{
    const double most = largest_error(error);
    if (most != most)
        fail("no number", (double)b->x[0]);
    if (!(most > w->error))
        return;
    for (size_t i = 0; i < b->n; i++)
        if (error[i] == most)
            *w = (worst){most, b->x[i]};
}

/* What is printed is at least what was found, and what the reference may hide. */
static void print(const char *name, worst w, double reference)
{
    printf("%s %.7f # %a\n", name, w.error + reference + 1e-7, (double)w.x);
}

#define HIDDEN (REFERENCE_ERROR * 0x1p24)

static void widen(const float *from, double *to)
{
    for (size_t i = 0; i < BLOCK; i++)
        to[i] = (double)from[i];
}

static void note_relative(worst *w, const block *b, const double *got, const double *want)
{
    double error[BLOCK];
    errors_relative(got, want, error);
    note(w, b, error);
}

static void note_ulp(worst *w, const block *b, const float *got, const double *want)
{
    double error[BLOCK], wide[BLOCK];
    widen(got, wide);
    errors_ulp(wide, want, error);
    note(w, b, error);
}

/* ---- the exponential in a frame ---- */

#if SL_FMA
#define SCALE 0x1.16747bf7c5b81p+0
#else
#define SCALE 1.0
#endif

typedef struct {
    worst rounded, wide, lost; /* lost: exact values that count as nothing, in 2^-126 */
    double least, most;        /* of those that count */
} exp_figures;

/* What is 0, or among the denormals, counts as nothing: what it should be is noted. */
#define NORMAL 0x1p-126f

static void note_lost(const block *b, const float *y, const double *wide, const double *n, float reference,
                      exp_figures *to)
{
    for (size_t i = 0; i < BLOCK; i++) {
        const double exact = scaled(b->want[i], n[i] + (60 + 126) - (double)reference) * SCALE;
        if ((y[i] < NORMAL || wide[i] == 0) && exact > to->lost.error)
            to->lost = (worst){exact, b->x[i]};
    }
}

static void note_sizes(const float *y, exp_figures *to)
{
    float least = INFINITY, most = 0;
    for (size_t i = 0; i < BLOCK; i++) {
        least = y[i] >= NORMAL && y[i] < least ? y[i] : least;
        most = y[i] > most ? y[i] : most;
    }
    to->least = (double)least < to->least ? (double)least : to->least;
    to->most = (double)most > to->most ? (double)most : to->most;
}

/* Errors of those that count. */
static void note_errors(worst *w, const block *b, const double *got, const double *n, float reference)
{
    double error[BLOCK], move[BLOCK], want[BLOCK];
    for (size_t i = 0; i < BLOCK; i++) {
        move[i] = (double)reference - 60 - n[i];
        want[i] = b->want[i] * SCALE;
    }
    errors_scaled(got, move, want, (double)NORMAL, error);
    note(w, b, error);
}

/* In every frame that a row with such an element may have: that of the element, if it is the maximum, and all above, as long as it is
 * not cut off. In another frame it has the same digits. */
static void exps_of_block(block *b, exp_figures *to)
{
    double n[BLOCK], wide[BLOCK];
    float y[BLOCK];
    const float low = b->x[0] < b->x[b->n - 1] ? b->x[0] : b->x[b->n - 1];
    const float first = c_frame_of(low < -FRAME_MAX ? -FRAME_MAX : low).reference,
                last = c_frame_of(FRAME_MAX).reference;
    reference_exp(b->x, BLOCK, b->want, n);
    for (float reference = first; reference <= last && reference - first <= 256; reference += 64) {
        const c_vframe f = c_frame_set1((c_frame){reference, 0});
        const double move = ldexp(1, (int)(reference - first));
        int lost = 0, other = 0;
        for (size_t i = 0; i < BLOCK; i += SL_W) {
            const vf x = v_load(b->x + i);
            v_store(y + i, c_exp_in_frame(x, f, c_exp_table_load()));
            w_store(wide + i, c_exp_in_frame_wide(x, f, c_exp_table_load()));
        }
        for (size_t i = 0; i < BLOCK; i++)
            lost |= (y[i] < NORMAL) | (wide[i] == 0);
        if (lost)
            note_lost(b, y, wide, n, reference, to);
        note_sizes(y, to);
        if (reference == first) {
            memcpy(b->y, y, sizeof y);
            memcpy(b->wide, wide, sizeof wide);
            widen(y, b->more);
            note_errors(&to->rounded, b, b->more, n, reference);
            note_errors(&to->wide, b, wide, n, reference);
            continue;
        }
        for (size_t i = 0; i < BLOCK; i++)
            other |= ((y[i] >= NORMAL) & ((double)y[i] * move != (double)b->y[i])) |
                     ((wide[i] >= (double)NORMAL) & (wide[i] * move != b->wide[i]));
        if (other)
            fail("another frame has other digits", (double)b->x[0]);
    }
}

/* |x| < 2^-30 has the exponential of 0 but for a factor of 1 + x, which the form that is not rounded has, too. */
static void tiny_exponentials(const exp_figures *all)
{
    const c_vframe f = c_frame_set1((c_frame){0, 0});
    const float one = first_num(c_exp_in_frame(c_set1(0), f, c_exp_table_load()));
    const double wide = first_lane(c_exp_in_frame_wide(c_set1(0), f, c_exp_table_load()));
    if (fabs((double)one / (SCALE * 0x1p60) - 1) * 0x1p24 + 0x1p-6 > all->rounded.error ||
        fabs(wide / (SCALE * 0x1p60) - 1) * 0x1p24 + 1e-6 > all->wide.error)
        fail("the exponential of 0 is worse than all others", 0);
    block b;
    for (int sign = 0; sign < 2; sign++)
        for (uint32_t bits = 0; next_block(&b, &bits, bits_of(0x1p-30f), (uint32_t)sign << 31);) {
            int same = 1;
            for (size_t i = 0; i < BLOCK; i += SL_W) {
                const vf x = v_load(b.x + i);
                v_store(b.y + i, c_exp_in_frame(x, f, c_exp_table_load()));
                w_store(b.wide + i, c_exp_in_frame_wide(x, f, c_exp_table_load()));
            }
            for (size_t i = 0; i < BLOCK; i++)
                same &= (b.y[i] == one) & (fabs(b.wide[i] / wide - 1 - (double)b.x[i]) < 0x1p-50);
            if (!same)
                fail("a tiny x has another exponential than 0", b.x[0]);
        }
}

static void exponentials(void)
{
    exp_figures all = {.least = INFINITY};
    block b;
    for (int sign = 0; sign < 2; sign++)
        for (uint32_t bits = bits_of(0x1p-30f);
             next_block(&b, &bits, bits_of(sign ? FRAME_MAX + 140 : FRAME_MAX), (uint32_t)sign << 31);)
            exps_of_block(&b, &all);
    tiny_exponentials(&all);
    print("exp_rounded", all.rounded, HIDDEN);
    print("exp_wide", all.wide, HIDDEN);
    print("exp_lost_in_2^-126", all.lost, 0x1p-20);
    printf("exp_least_log2 %.3f\nexp_most_log2 %.3f\n", floor(log2(all.least) * 1000) / 1000,
           ceil(log2(all.most) * 1000) / 1000);
}

/* ---- maps: the whole kernel ---- */

typedef struct {
    const char *name;
    reg (*value)(reg x, reg dy, int rare);
    int (*is_rare)(const reg *x, size_t registers);
} map_of;

static void map_block(block *b, map_of of)
{
    const reg nothing = c_set1(0);
    for (size_t i = 0; i < BLOCK; i += SL_W) {
        const reg x = c_load(b->x + i);
        c_store(b->y + i, of.is_rare(&x, 1) ? of.value(x, nothing, RARE) : of.value(x, nothing, COMMON));
    }
}

/* Beyond [2^-27, 105] results need no reference: x itself is enough. */
#define FAR_FROM 105.0f
#define NEAR_TO 0x1p-27f

/* Of [2^-27, 105]; want[i] is that of x. */
static void map_middle(map_of of, worst *w, int sign, void (*exact)(block *b, int sign))
{
    block b;
    for (uint32_t bits = bits_of(NEAR_TO); next_block(&b, &bits, bits_of(FAR_FROM), (uint32_t)sign << 31);) {
        map_block(&b, of);
        exact(&b, sign);
        note_ulp(w, &b, b.y, b.want);
    }
}

/* Where the function is at + slope x: errors of a block, all of whose results are the same, or its x, need no look at each. */
static void note_end(worst *w, block *b, double at, double slope)
{
    int same = 1, is_x = 1;
    for (size_t i = 0; i < BLOCK; i++) {
        same &= b->y[i] == b->y[0];
        is_x &= b->y[i] == b->x[i];
    }
    if (is_x && at == 0 && slope == 1)
        return;
    if (same && (slope == 0 || fabs((double)b->x[0]) < NEAR_TO))
        b->n = 1;
    for (size_t i = 0; i < (b->n == 1 ? 1 : BLOCK); i++)
        b->want[i] = at + slope * (double)b->x[i];
    if (b->n > 1) {
        note_ulp(w, b, b->y, b->want);
        return;
    }
    const double unit = at == 0 ? 0x1p-149 : 0x1p-24; /* of 0, or of a number in [1/2, 1] */
    const double error = (fabs((double)b->y[0] - at) + fabs(slope) * (double)NEAR_TO) / unit;
    if (!(error <= w->error))
        *w = (worst){error, b->x[0]};
}

/* Outside of [2^-27, 105]: below, where it is at_0 + slope x, and above. */
static void map_ends(map_of of, worst *w, int sign, double at_0, double slope, double far, double far_slope)
{
    block b;
    for (uint32_t bits = 0; next_block(&b, &bits, bits_of(NEAR_TO) - 1, (uint32_t)sign << 31);) {
        map_block(&b, of);
        note_end(w, &b, at_0, slope);
    }
    for (uint32_t bits = bits_of(FAR_FROM); next_block(&b, &bits, 0x7f7fffff, (uint32_t)sign << 31);) {
        map_block(&b, of);
        note_end(w, &b, far, far_slope);
    }
}

static void exact_sigmoid(block *b, int sign)
{
    reference_exp_minus(b->x, BLOCK, b->more);
    for (size_t i = 0; i < BLOCK; i++)
        b->want[i] = (sign ? b->more[i] : 1) / (1 + b->more[i]);
}

/* What is below the smallest normal number is to be 0. */
static void exact_sigmoid_fast(block *b, int sign)
{
    exact_sigmoid(b, sign);
    for (size_t i = 0; i < BLOCK; i++)
        b->want[i] = b->want[i] < 0x1p-126 ? 0 : b->want[i];
}

static void exact_log_sigmoid(block *b, int sign)
{
    reference_log1p_exp(b->x, BLOCK, b->want, b->more);
    for (size_t i = 0; i < BLOCK; i++)
        b->want[i] = -(b->want[i] + (sign ? -(double)b->x[i] : 0));
}

/* Errors beyond 105 are less than 2^-151, a quarter of the smallest number. */
static void whole_sigmoid(map_of of, void (*exact)(block *b, int sign))
{
    worst w = {0, 0};
    for (int sign = 0; sign < 2; sign++) {
        map_middle(of, &w, sign, exact);
        map_ends(of, &w, sign, 0.5, 0.25, sign ? 0 : 1, 0);
    }
    print(of.name, w, 0x1p-20);
}

static void sigmoid_map(void)
{
    whole_sigmoid((map_of){"sigmoid_ulp", sigmoid_value, sigmoid_is_rare}, exact_sigmoid);
}

static void sigmoid_fast_map(void)
{
    whole_sigmoid((map_of){"sigmoid_fast_ulp", sigmoid_fast_value, sigmoid_fast_is_rare}, exact_sigmoid_fast);
}

/* Of all floats, whether the result is the float that is nearest. The reference decides where it is not too near to a middle, else
 * the one of 113 digits. */
static void sigmoid_exact_map(void)
{
    const map_of of = {"sigmoid_exact_ulp", sigmoid_exact_value, sigmoid_exact_is_rare};
    const uint32_t infinite = 0x7f800000;
    uint64_t floats = 0, near = 0, wrong = 0;
    block b;
    for (int sign = 0; sign < 2; sign++)
        for (uint32_t bits = 0; next_block(&b, &bits, 0x7fffffff, (uint32_t)sign << 31);) {
            double error[BLOCK];
            map_block(&b, of);
            floats += b.n;
            widen(b.y, b.wide);
            exact_sigmoid(&b, sign);
            errors_ulp(b.wide, b.want, error);
            for (size_t i = 0; i < b.n; i++) {
                const bool is_number = (bits_of(b.x[i]) & 0x7fffffff) <= infinite;
                if (is_number ? error[i] < 0.5 - 0x1p-20 : b.y[i] != b.y[i])
                    continue;
                near++;
                if (is_number && fabs((double)b.x[i]) <= 700 && reference_is_sigmoid(b.x[i], b.y[i]))
                    continue;
                wrong++;
                fail("sigmoid is not correctly rounded", (double)b.x[i]);
            }
        }
    printf("# sigmoid_exact: %" PRIu64 " of %" PRIu64 " floats are wrong; %" PRIu64 " took 113 digits\n",
           wrong, floats, near);
    if (wrong == 0)
        printf("%s 0.5\n", of.name);
}

static void log_sigmoid_map(void)
{
    const map_of of = {"log_sigmoid_ulp", log_sigmoid_value, never_rare};
    worst w = {0, 0};
    for (int sign = 0; sign < 2; sign++) {
        map_middle(of, &w, sign, exact_log_sigmoid);
        map_ends(of, &w, sign, -0x1.62e42fefa39efp-1, 0.5, 0, sign);
    }
    print(of.name, w, 0x1p-20);
}

/* ---- parts of kernels of two arguments ---- */

/* Relative errors of b.wide, as form() has it, from 2^-40 to `end`. Below, where the function differs from its value at 0 by less than
 * 2^-39, so does the form: OF_TINY is more than that. */
#define TINY 0x1p-40f
#define OF_TINY (0x1p-37 * 0x1p24)
static void sweep(worst *w, int sign, float end, void (*form)(block *b), void (*exact)(block *b, int sign))
{
    block b;
    double at = NAN;
    for (uint32_t bits = bits_of(TINY); next_block(&b, &bits, bits_of(end), (uint32_t)sign << 31);) {
        form(&b);
        at = at == at ? at : b.wide[0];
        exact(&b, sign);
        note_relative(w, &b, b.wide, b.want);
    }
    for (uint32_t bits = 0; next_block(&b, &bits, bits_of(TINY), (uint32_t)sign << 31);) {
        int near = 1;
        form(&b);
        for (size_t i = 0; i < BLOCK; i++)
            near &= fabs(b.wide[i] - at) < 0x1p-39;
        if (!near)
            fail("a tiny x has another result than 0", (double)b.x[0]);
    }
}

/* L = log(1 + exp(-a)), a >= 0, as one number or two. */
static double log1p_low[BLOCK];

static void form_log1p(block *b)
{
    const c_tables tables = c_tables_load();
    for (size_t i = 0; i < BLOCK; i += SL_W) {
        const c_log1p_parts l = c_log1p_exp_minus(v_load(b->x + i), tables);
        v_store(b->y + i, l.high);
        w_store(log1p_low + i, v_widen(l.low));
    }
    for (size_t i = 0; i < BLOCK; i++)
        b->wide[i] = (double)b->y[i] + log1p_low[i];
}

static void exact_log1p(block *b, int sign)
{
    (void)sign;
    reference_log1p_exp(b->x, BLOCK, b->want, b->more);
}

static void log1p_parts(void)
{
    worst near = {0, 0}, far = {0, 0}, relative = {0, 0}, absolute = {0, 0}, share = {0, 0};
    block b;
    double error[BLOCK];
    const float half = 0x1.bb32p-2f;       /* up to there L is above 1/2 */
    const float denormal = 0x1.5d589ep+6f; /* up to there exp(-a) is above 2^-126 */
    for (uint32_t bits = bits_of(TINY); next_block(&b, &bits, bits_of(denormal), 0);) {
        form_log1p(&b);
        exact_log1p(&b, 0);
        errors_ulp(b.wide, b.want, error);
        note(b.x[b.n - 1] <= half ? &near : &far, &b, error);
        if (b.x[b.n - 1] > half)
            note_relative(&relative, &b, b.wide, b.want);
    }
    sweep(&absolute, 0, TINY, form_log1p, exact_log1p); /* below that: as there */
    absolute = (worst){0, 0};
    for (uint32_t bits = bits_of(denormal); next_block(&b, &bits, 0x7f7fffff, 0);) {
        int nothing = 1;
        form_log1p(&b);
        for (size_t i = 0; i < BLOCK; i++)
            nothing &= b.wide[i] == 0;
        if (nothing && b.x[0] > 110)
            continue;
        exact_log1p(&b, 0);
        for (size_t i = 0; i < BLOCK; i++)
            error[i] = fabs(b.wide[i] - b.want[i]) * 0x1p149;
        note(&absolute, &b, error);
    }
    for (uint32_t bits = 0; next_block(&b, &bits, bits_of(denormal), 0);) {
        form_log1p(&b);
        for (size_t i = 0; i < BLOCK; i++)
            error[i] = b.wide[i] > 0 ? fabs(log1p_low[i]) / b.wide[i] : 0;
        note(&share, &b, error);
    }
    print("log1p_near_ulp", near, HIDDEN + OF_TINY); /* L > 1/2, and a little more */
    print("log1p_ulp", far, HIDDEN);
    print("log1p", relative, HIDDEN); /* of the same */
    print("log1p_abs", absolute, 0x1p-20);
    print("log1p_low_share", share, 0); /* of the sum of both, not in units */
}

/* sigmoid(x) = value root^2, as log_sigmoid_backward and gradients take it. Beyond 207 nothing is left of any product. */
static void form_sigmoid(block *b)
{
    const c_tables tables = c_tables_load();
    for (size_t i = 0; i < BLOCK; i += SL_W) {
        const vf x = v_load(b->x + i);
        const c_scaled s = c_sigmoid_of(x, c_sigmoid_is_wide(&x, 1), tables);
        const vw root = v_widen(s.root);
        w_store(b->wide + i, w_mul(w_mul(v_widen(s.value), root), root));
    }
}

static void sigmoid_parts(void)
{
    worst w = {0, 0};
    for (int sign = 0; sign < 2; sign++)
        sweep(&w, sign, 207, form_sigmoid, exact_sigmoid);
    print("sigmoid", w, HIDDEN + OF_TINY);
}

/* y (1 - y) for y in [0, 1]. */
static void sigmoid_slopes(void)
{
    worst w = {0, 0};
    block b;
    const vf one = v_set1(1);
    for (uint32_t bits = 1; next_block(&b, &bits, bits_of(1) - 1, 0);) {
        for (size_t i = 0; i < BLOCK; i += SL_W) /* with dy = 1 */
            v_store(b.y + i, sigmoid_backward_value(v_load(b.x + i), one, COMMON));
        widen(b.y, b.wide);
        for (size_t i = 0; i < BLOCK; i++)
            b.want[i] = (double)b.x[i] * (1 - (double)b.x[i]);
        note_relative(&w, &b, b.wide, b.want);
    }
    print("sigmoid_slope", w, 0x1p-28);
}

/* exp(y) as log_softmax_backward takes it, in f64, -207 <= y <= 0. */
static void form_times_exp(block *b)
{
    const c_tables tables = c_tables_load();
    for (size_t i = 0; i < BLOCK; i += SL_W) {
        const vf y = v_load(b->x + i);
        w_store(b->wide + i, c_times_exp(w_set1(1), y, c_times_exp_is_far(&y, 1), tables));
    }
}

static void exact_exps(block *b, int sign)
{
    (void)sign;
    reference_value(b->x, BLOCK, b->want);
}

static void times_exp(void)
{
    worst w = {0, 0};
    sweep(&w, 1, 207, form_times_exp, exact_exps);
    print("times_exp", w, HIDDEN + OF_TINY);
}

/* Logarithms of p and 1 - p for the loss of probabilities, cut at -100. */
static void logarithms(void)
{
    worst of_p = {0, 0}, of_other = {0, 0};
    block b;
    double got[BLOCK];
    for (uint32_t bits = 1; next_block(&b, &bits, bits_of(1) - 1, 0);) {
        for (size_t i = 0; i < BLOCK; i += SL_W) {
            const vf p = v_load(b.x + i);
            w_store(got + i, c_log_of_parts(c_log_parts_of(p)));
            w_store(b.wide + i, c_log_of_parts(c_log_parts_of_other(p)));
        }
        reference_logs(b.x, BLOCK, b.want, b.more);
        for (size_t i = 0; i < BLOCK; i++) {
            b.want[i] = b.want[i] > -100 ? b.want[i] : -100;
            b.more[i] = b.more[i] > -100 ? b.more[i] : -100;
        }
        note_relative(&of_p, &b, got, b.want);
        note_relative(&of_other, &b, b.wide, b.more);
    }
    print("log_of_p", of_p, HIDDEN);
    print("log_of_1-p", of_other, HIDDEN);
}

/* sigmoid(-|x|) where terms may cancel, in f64; relative up to 130 (FMA; no FMA: 700), beyond it is below 2^-187. */
static void form_soft(block *b)
{
#if SL_FMA
    const c_tables tables = c_tables_load();
#endif
    for (size_t i = 0; i < BLOCK; i += SL_W) {
        const vf x = v_load(b->x + i);
#if SL_FMA
        w_store(b->wide + i, c_soft_grad(x, w_set1(1), w_set1(0), tables));
#else
        exp_parts e;
        vf a = v_abs(x);
        exps_of_sigmoids(&a, 1, &e);
        w_store(b->wide + i, w_abs(c_signed_sigmoid(x, e))); /* negative from -0 on */
#endif
    }
}

static void soft_parts(void)
{
    worst w = {0, 0};
    sweep(&w, 1, SL_FMA ? 130 : 700, form_soft, exact_sigmoid);
    print("sigmoid_soft", w, HIDDEN + OF_TINY);
}

/* m = exp(x) - 1, x in [0, 86], which tanh and capped logits are made of. */
static void expm1s(void)
{
    worst w = {0, 0};
    block b;
    for (uint32_t bits = bits_of(0x1p-30f); next_block(&b, &bits, bits_of(CAP_MOST), 0);) {
        for (size_t i = 0; i < BLOCK; i += SL_W)
            v_store(b.y + i, expm1_positive(v_load(b.x + i)));
        widen(b.y, b.wide);
        reference_expm1(b.x, BLOCK, b.want);
        note_relative(&w, &b, b.wide, b.want);
    }
    print("expm1", w, HIDDEN);
}

#include "parts_bce.h"

SL_CLOSE

/* What of all this: every part, or those that are named. */
static const struct {
    const char *name;
    void (*run)(void);
} sections[] = {{"exponentials", exponentials},
                {"sigmoid_map", sigmoid_map},
                {"sigmoid_fast_map", sigmoid_fast_map},
                {"sigmoid_exact_map", sigmoid_exact_map},
                {"log_sigmoid_map", log_sigmoid_map},
                {"log1p", log1p_parts},
                {"sigmoid", sigmoid_parts},
                {"slope", sigmoid_slopes},
                {"times_exp", times_exp},
                {"logarithms", logarithms},
                {"soft", soft_parts},
                {"expm1", expm1s},
                {"bce", bce_parts}};

int main(int count, char **names)
{
    int known = count == 1;
    for (size_t k = 0; k < sizeof sections / sizeof *sections; k++) {
        int wanted = count == 1;
        for (int i = 1; i < count; i++)
            wanted |= strcmp(names[i], sections[k].name) == 0;
        known |= wanted;
        if (wanted)
            sections[k].run();
        fflush(stdout);
    }
    if (!known) {
        fprintf(stderr, "parts: no part '%s'\n", names[1]);
        return 2;
    }
    return failures != 0;
}
