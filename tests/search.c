/* SPDX-License-Identifier: MIT
 *
 * A directed search for the largest errors: random inputs do not find them (docs/accuracy.md). Every output of every
 * kernel, in every element type and on one instruction set of either class of bits, climbs from inputs that are made for
 * it: rows of a few elements that count, in lanes whose sums meet, the others -inf or 0; results next to a power of two
 * and among the denormals; values that differ by some units in the last place, by a power of two, or not at all. No error
 * may exceed what kernels.def allows on any input.
 *
 * tests/data/witnesses.txt holds the worst inputs so far: each must still have the error that stands there, and the search
 * also starts from them.
 *
 * SOFTLANE_SEARCH_SECONDS=60 searches that long for each output and class instead of a fixed number of steps,
 * SOFTLANE_SEARCH_SEED=7 takes another path, SOFTLANE_SEARCH_ONLY=softmax/f32 names a kernel.
 */
#define _POSIX_C_SOURCE 199309L /* clock_gettime */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "assertions.h"

enum { CLIMBED_COLUMNS = 300, ELEMENTS = 64 };

static double number_from(const char *name, double otherwise)
{
    const char *text = getenv(name);
    char *end;
    if (text == NULL)
        return otherwise;
    const double number = strtod(text, &end);
    if (end == text || *end != '\0' || !(number >= 0)) {
        fprintf(stderr, "%s: no number: '%s'\n", name, text);
        exit(2);
    }
    return number;
}

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ----------------------------------------------------------------------------------------- how bad an input is */

/* Of an output: its worst value, beside what is allowed. */
typedef struct {
    double ulp, allowed;
    size_t at;
} badness;

static double share_of(badness b) { return b.ulp / b.allowed; }

/* The worst input so far with one set of options, as in witnesses.txt. */
typedef struct {
    badness worst;
    char text[1 << 13];
} record;

/* A record is of these options, of a mean, or of where absolute errors count (softlane.h, range). */
enum { MEAN = ALL_OPTIONS + 1, RANGE = 2 * MEAN, RECORDS = 2 * RANGE };

typedef struct {
    const kernel *k;
    const isa *on;
    size_t output;
    generator g;
    double until; /* 0: as many steps as there are */
    size_t steps;
    bool avoids_range; /* where absolute errors count, nothing does: they would hide the others */
    badness worst;     /* of all */
    record *of[RECORDS];
} search;

/* More than all options together may cost. */
static bool is_of_range(const search *s, badness b)
{
    return b.allowed > bound_on_any(s->k, s->on->table, s->output) + 12;
}

/* Of one value at a time, or the worst of all. */
static void measure(const search *s, const workload *w, badness *each, badness *worst)
{
    const kernel *k = s->k;
    const isa *on = s->on;
    const size_t output = s->output;
    const bool is_loss_type = output == RESULT && k->result != T_PER_ELEMENT;
    const double most = is_loss_type ? k->dtype->loss_digits > 24 ? DBL_MAX : FLT_MAX : largest_of(k->dtype);
    expectation e;
    generator g = {1};
    workload_remake_lse(w, &g); /* of these logits */
    run(k, on, &w->c);
    expect(k, &w->c, &e);
    *worst = (badness){0, 1, 0};
    for (size_t i = 0; i < output_count(k, &w->c, output); i++) {
        badness b = {0, bound_on_any(k, on->table, output), i};
        const double got = output_value(k, output, w->c.out[output], i);
        if (got != e.want[output][i] && fabsl(e.want[output][i]) <= most)
            b.ulp = error_of(k, &w->c, output, i, &e);
        if (b.ulp > 0.4)
            b.allowed = allowed_on_any(w, on, output, i, &e);
        if (s->avoids_range && is_of_range(s, b))
            b.ulp = 0;
        if (each != NULL)
            each[i] = b;
        if (share_of(b) > share_of(*worst))
            *worst = b;
    }
    expectation_free(&e);
}

/* What is exact, at the place of the worst value. */
static double exact_at(const workload *w, size_t output, size_t at)
{
    expectation e;
    expect(w->k, &w->c, &e);
    const double value = (double)e.want[output][at];
    expectation_free(&e);
    return value;
}

/* ------------------------------------------------------------------------------------------------- the arrays */

/* An input array of a workload, and which numbers it may hold. */
typedef enum { LOGITS, PROBABILITY, LOG_PROBABILITY, ANY_SIGN, POSITIVE } domain;

typedef struct {
    void *values;
    size_t count;
    bool is_loss_type;
    domain of;
} place;

enum { MOST_PLACES = 5 };

static double get(const workload *w, const place *p, size_t i)
{
    return (p->is_loss_type ? w->k->dtype->get_loss : w->k->dtype->get)(p->values, i);
}

/* As the domain allows: what the header says a bound for, and nothing that overflows. */
static void put(const workload *w, const place *p, size_t i, double value)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const double most = ldexp(1, (3 - dt->min_exp) * 3 / 4);
    if (isnan(value))
        value = 0;
    const double size = fabs(value);
    if (p->of == PROBABILITY)
        value = size > 1 ? 1 : size;
    else if (p->of == LOG_PROBABILITY)
        value = -(size > 1e4 ? 1e4 : size);
    else if (p->of == ANY_SIGN)
        value = size > most ? copysign(most, value) : value;
    else if (p->of == POSITIVE)
        value = size > 0x1p10 ? 0x1p10 : size < 0x1p-10 ? 0x1p-10 : size;
    else if (size > largest_of(dt) && value > 0)
        value = largest_of(dt);
    (p->is_loss_type ? dt->put_loss : dt->put)(p->values, i, value);
    if (p->of == PROBABILITY && get(w, p, i) > 1)
        put(w, p, i, 1);
}

static domain domain_of_x(const kernel *k)
{
    if (takes_probabilities(k) || k->row == SL_COUNT_softmax_backward || k->row == SL_COUNT_sigmoid_backward)
        return PROBABILITY;
    return k->row == SL_COUNT_log_softmax_backward || k->row == SL_COUNT_nll ? LOG_PROBABILITY : LOGITS;
}

static size_t places_of(const workload *w, place to[MOST_PLACES])
{
    const kernel *k = w->k;
    const sl_loss_options *o = &w->options;
    size_t n = 0;
    to[n++] = (place){w->x, elements(w->c.shape), false, domain_of_x(k)};
    if (k->second == DY || k->second == PROBABILITIES)
        to[n++] = (place){w->second, elements(w->c.shape), false, k->second == DY ? ANY_SIGN : PROBABILITY};
    if (o->class_weight != NULL)
        to[n++] = (place){w->class_weight, w->c.shape.classes, true, POSITIVE};
    if (o->pos_weight != NULL)
        to[n++] = (place){w->pos_weight, w->c.shape.classes, true, POSITIVE};
    if (o->upstream != NULL)
        to[n++] = (place){w->upstream, k->by_element && o->reduction == SL_NONE ? elements(w->c.shape) : 1,
                          true, ANY_SIGN};
    return n;
}

static void copy_arrays(workload *to, const workload *from)
{
    place a[MOST_PLACES], b[MOST_PLACES];
    const size_t n = places_of(from, b);
    places_of(to, a);
    for (size_t p = 0; p < n; p++)
        memcpy(a[p].values, b[p].values,
               b[p].count * (b[p].is_loss_type ? from->k->dtype->loss_size : from->k->dtype->size));
    if (second_is_ids(from->k))
        memcpy(to->second, from->second, second_count(from->k, from->c.shape) * sizeof(int64_t));
}

/* ------------------------------------------------------------------------------------------ values and changes */

/* What does not count: a masked logit, a weight of 1, else 0. */
static double nothing(domain of) { return of == LOGITS ? -(double)INFINITY : of == POSITIVE ? 1 : 0; }

/* A magnitude of the type, by its exponent: mostly near 1. */
static double magnitude(generator *g, const sl_ref_dtype *dt)
{
    const double low = dt->min_exp - dt->digits, kind = next_uniform(g);
    const double exponent = kind < 0.6   ? -8 * next_uniform(g)
                            : kind < 0.8 ? -dt->digits * 2 * next_uniform(g)
                                         : low * next_uniform(g);
    return ldexp(1 + next_uniform(g), (int)exponent);
}

/* A logit that counts beside this one, and by chance one that is among the denormals. */
static double logit_beside(generator *g, const sl_ref_dtype *dt, double top)
{
    const double deepest = (dt->digits - dt->min_exp) * 0.6931472, kind = next_uniform(g);
    const double below = kind < 0.4   ? 3 * next_uniform(g)
                         : kind < 0.6 ? 20 * next_uniform(g)
                         : kind < 0.9 ? deepest * next_uniform(g)
                                      : deepest - 8 * next_uniform(g);
    return top - below;
}

static double top_logit(generator *g, const sl_ref_dtype *dt)
{
    const double kind = next_uniform(g);
    const double size = kind < 0.3   ? 40 * next_uniform(g)
                        : kind < 0.5 ? 100 * next_uniform(g)
                        : kind < 0.8 ? 250 * next_uniform(g)
                                     : magnitude(g, dt);
    return next_below(g, 2) ? -size : size;
}

static double fresh(generator *g, const workload *w, const place *p, double top)
{
    const sl_ref_dtype *dt = w->k->dtype;
    switch (p->of) {
    case LOGITS:
        return w->k->by_element ? top_logit(g, dt) : logit_beside(g, dt, top);
    case PROBABILITY:
        if (w->k->by_element && w->k->second == PROBABILITIES && next_below(g, 4) == 0)
            return (double)next_below(g, 2);
        return next_below(g, 3) == 0 ? next_uniform(g) : next_below(g, 8) == 0 ? 1 : magnitude(g, dt);
    case LOG_PROBABILITY:
        return next_below(g, 4) == 0 ? 100 * next_uniform(g) : 4 * next_uniform(g);
    case ANY_SIGN: {
        const double size = next_below(g, 4) == 0 ? 1 / magnitude(g, dt) : magnitude(g, dt);
        return next_below(g, 2) ? -size : size;
    }
    case POSITIVE:
        return ldexp(1 + next_uniform(g), (int)next_below(g, 8) - 4);
    }
    return 0;
}

/* Some units in the last place further. */
static double by_ulps(const sl_ref_dtype *dt, double value, int64_t ulps)
{
    int exponent;
    frexp(value, &exponent);
    exponent = exponent < dt->min_exp ? dt->min_exp : exponent;
    return value + ldexp((double)ulps, exponent - dt->digits);
}

/* How exponentials are formed and added (exp_f32.h, vocab.h): in f32 with FMA they are scaled by a constant; without it, sums
 * have fewer lanes. */
typedef struct {
    size_t lanes;
    double log_scale;
} exp_form;

static exp_form exp_form_of(const sl_ref_dtype *dt, bool fma)
{
    if (dt->digits > 24)
        return (exp_form){16, 0};
    return fma ? (exp_form){16, 0.08400825} : (exp_form){4, 0};
}

/* A logit near this one whose exponential has a significand just above 1, where a rounding costs most. */
static double just_above_power(generator *g, double log_scale, double logit)
{
    const double ln2 = 0.6931471805599453;
    return round((logit + log_scale) / ln2) * ln2 - log_scale +
           ldexp(next_uniform(g), -3 - (int)next_below(g, 8));
}

static double changed(generator *g, const workload *w, const place *p, double value, double top)
{
    const sl_ref_dtype *dt = w->k->dtype;
    if (!isfinite(value) || value == 0)
        return fresh(g, w, p, top);
    switch (next_below(g, 9)) {
    case 8:
        return p->of == LOGITS ? just_above_power(g, exp_form_of(dt, next_below(g, 2)).log_scale, value)
                               : -value;
    case 0:
    case 1:
        return by_ulps(dt, value, (int64_t)next_below(g, 17) - 8);
    case 2:
    case 3:
    case 4:
        return value * (1 + ldexp(next_uniform(g) - 0.5, -(int)next_below(g, (size_t)dt->digits)));
    case 5:
        return next_below(g, 2) ? value * 2 : value / 2;
    case 6: /* exponentials keep their reduced argument */
        return p->of == LOGITS ? value + 0.0866433976 * ((double)next_below(g, 33) - 16) : -value;
    default:
        return fresh(g, w, p, top);
    }
}

/* ---- rows ---- */

static double largest_in(const workload *w)
{
    double top = -(double)INFINITY;
    for (size_t i = 0; i < elements(w->c.shape); i++)
        top = fmax(top, w->k->dtype->get(w->x, i));
    return isfinite(top) ? top : 0;
}

/* A main term of the sum, and one as far behind it as there are lanes, which is added to it first and is about half its last
 * place: in the first positions or, for what keeps the maximum of every place out of the sum, in the next ones, below such a
 * maximum. One more that may be the result; and two small terms which move the sum so far that the result, the quotient of that
 * one and the sum, or else the logarithm of the sum, comes to just below a power of two. */
static void fill_sum(generator *g, workload *w, const place *x, size_t at[5], bool has_maximum, exp_form form)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const size_t n = w->c.shape.classes, lanes = form.lanes, lane = next_below(g, lanes), block = 2 * lanes,
                 first = has_maximum && n > 32 ? block : 0;
    const double digits = fmax(dt->digits, 24) * 0.6931472,
                 term = just_above_power(g, form.log_scale, top_logit(g, dt)),
                 least = term - digits + 2 * (next_uniform(g) - 0.6);
    double sum = 0; /* in units of the main term */
    for (size_t i = first; i + lane < n; i += block) {
        sum += 1 + exp(least - term);
        if (n < 3 * block)
            break;
    }
    at[0] = (lane + first) % n;
    at[1] = (lane + first + lanes) % n;
    at[2] = next_below(g, n);
    at[3] = next_below(g, n);
    at[4] = first > 0 ? lane : next_below(g, n);
    const double power = ldexp(1, -(int)next_below(g, next_below(g, 2) ? 4 : (size_t)dt->digits));
    const bool by_quotient = first == 0 || next_below(g, 2);
    if (first > 0)
        put(w, x, lane, by_quotient ? term : term + log(sum / expm1(power)) + next_uniform(g) / 64);
    const size_t result = first > 0 ? at[2] : at[4];
    if (by_quotient)
        put(w, x, result, just_above_power(g, form.log_scale, logit_beside(g, dt, term)));
    const bool has_two = !by_quotient || first == 0; /* terms to move the sum by */
    const double other = fmax(DBL_MIN, exp(get(w, x, by_quotient ? result : lane) - term)),
                 all = sum + (by_quotient && first > 0),
                 wanted = by_quotient ? ldexp(other, (int)ceil(log2(all / other))) : expm1(power) * other,
                 missing = wanted - all,
                 small = has_two ? ldexp(next_uniform(g), -(int)next_below(g, 10)) : 1;
    put(w, x, at[3], missing > 0 ? term + log(missing * small) : term - digits * next_uniform(g));
    if (has_two)
        put(w, x, at[2], missing > 0 ? term + log(missing * (1 - small)) : term - digits * next_uniform(g));
    for (size_t i = 0; i + lane < n; i += block) {
        if (i >= first)
            put(w, x, lane + i, term);
        if (lane + i + lanes < n)
            put(w, x, lane + i + lanes, least);
        if (i >= first && n < 3 * block)
            break;
    }
}

/* Logits whose exponentials are the most too small, or too large: exp_f32.h over all floats in [4, 256) of either sign, exp_f64.h
 * over 10^8 samples next to where it errs most; of FMA's the last two of these make a result next to the denormals. By class of
 * bits, without FMA first. */
enum { WORST = 12 };
typedef struct {
    double below[WORST], above[WORST];
} worst_logits;

static const worst_logits worst_f32[2] = {
    {{-0x1.77ae78p+2, -0x1.779bd8p+2, -0x1.76cb88p+2, -0x1.769da2p+2, 0x1.6f6e1ep+6, -0x1.769e46p+2,
      -0x1.df6c08p+5, 0x1.ab3b66p+4, -0x1.769bb4p+2, -0x1.8c3df6p+5, 0x1.ab9118p+4, -0x1.77d28ap+2},
     {0x1.4ce4ecp+2, -0x1.4cb264p+2, -0x1.2e359p+5, 0x1.4cd282p+2, 0x1.4ccb98p+2, 0x1.4cd1f2p+2,
      0x1.2e3cbap+5, 0x1.23d118p+7, 0x1.23d1p+7, 0x1.2e37ep+5, -0x1.9153c6p+7, 0x1.2e378cp+5}},
    {{0x1.14d248p+5, 0x1.74cd92p+7, 0x1.b06ae4p+7, -0x1.631292p+6, 0x1.e7170cp+4, -0x1.bc6f4p+4,
      0x1.fd54d6p+4, 0x1.e20578p+5, 0x1.78dbe6p+6, 0x1.b3331p+7, 0x1.ed1c58p+5, -0x1.3a0882p+2},
     {-0x1.add54p+7, 0x1.33c5e6p+2, 0x1.33d386p+2, 0x1.36721cp+7, -0x1.d27b2p+4, 0x1.779aa6p+7, 0x1.4b5862p+3,
      0x1.8c9412p+2, 0x1.20029ep+5, 0x1.2b1938p+5, 0x1.f0217p+6, -0x1.e55f36p+6}},
};
static const worst_logits worst_f64[2] = {
    {{-0x1.05a70af5b1a6cp+8, -0x1.3c6a537922ddep+8, 0x1.ad10c789ab357p+7, 0x1.3dfbbfa606b31p+9,
      -0x1.1ec96efa7c85ap+9, 0x1.a93fefb707e4cp+8, -0x1.d85fe64524e57p+8, -0x1.a6c79e9a06ee9p+6,
      -0x1.9dca5d6115d9bp+7, -0x1.0368a621bf6bdp+9, 0x1.159bd82fa246dp+8, 0x1.3f8b115e8dfa2p+7},
     {0x1.a40e181ffcde9p+6, -0x1.ae6f590baf981p+7, -0x1.40ed07e658085p+7, 0x1.2ee92654fe6ebp+7,
      0x1.1e71de92a8b7bp+9, -0x1.a9efb53575129p+8, 0x1.fdd073ce02f83p+8, 0x1.35aaa7198d9f8p+9,
      0x1.a0eecec3c0afap+8, -0x1.0dfb15efdee72p+8, 0x1.c70d7ca971dd8p+8, -0x1.e0b098f43cf8bp+8}},
    {{-0x1.3c6a7e957ca5p+8, -0x1.05a9b90d60cf5p+8, 0x1.0b61f5e70a019p+9, -0x1.9dccb72fb2e51p+7,
      0x1.229ab8fc23e94p+9, 0x1.e867ef30cec3p+1, -0x1.1ec9f00f44d41p+9, -0x1.97906a54821f8p+5,
      0x1.595cebdf51e05p+9, -0x1.558bc37482bcfp+9, -0x1.6adc86c932ed3p+8, 0x1.3b8e6b044db7bp+9},
     {0x1.04f89bd51fc83p+8, 0x1.3bbaa7ae71f8ap+8, -0x1.e0b22bebc72c7p+8, 0x1.82c8a33c6f49ap+6,
      0x1.5533d41c52e93p+9, 0x1.6a2cbe2c4fe8cp+8, 0x1.920db2ca74702p+5, 0x1.cf5e9b9bdcb12p+8,
      -0x1.732c6a3986143p+8, 0x1.0310a6b502a37p+9, -0x1.2045515b802d6p+2, -0x1.2f96637baea9cp+6}},
};

/* Of the rows that fill_sum makes, with the worst exponentials there are: as many equal main terms as a power of two, all too
 * small, beside one result that is too large; where a kernel keeps a maximum out of its sum, most main terms are in the sum
 * all the same. at[2] is the result. */
static bool fill_worst_sum(generator *g, workload *w, const place *x, size_t at[5], bool fma)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const exp_form form = exp_form_of(dt, fma);
    const worst_logits *worst = (dt->digits > 24 ? worst_f64 : worst_f32) + fma;
    const size_t n = w->c.shape.classes, lanes = form.lanes, lane = next_below(g, lanes);
    size_t terms = 1;
    double term = 0, result = 1;
    if (n < 33 || dt->digits < 24)
        return false;
    while (terms * 4 * lanes <= n)
        terms *= 2;
    const double deepest = next_below(g, 4) == 0 ? -dt->min_exp * 0.6931472 : 3.3 * dt->digits;
    for (int tries = 0; tries < 20 && (result > term || result < term - deepest); tries++) {
        term = worst->below[next_below(g, WORST)];
        result = worst->above[next_below(g, WORST)];
    }
    if (result > term)
        return false;
    /* just below half the last place of the main term, scaled as in just_above_power */
    const double binades = (term + form.log_scale) / 0.6931471805599453,
                 least = (floor(binades) - dt->digits) * 0.6931471805599453 - form.log_scale -
                         ldexp(next_uniform(g), -3 - (int)next_below(g, 10));
    const double share = exp(result - term), wanted = ldexp(share, (int)ceil(log2((double)terms / share))),
                 missing = wanted - (double)terms - share,
                 small = ldexp(next_uniform(g), -(int)next_below(g, 16));
    for (size_t i = 0; i < terms; i++) {
        put(w, x, lane + 2 * lanes * i, term);
        if (lane + 2 * lanes * i + lanes < n)
            put(w, x, lane + 2 * lanes * i + lanes, least);
    }
    for (size_t i = 0; i < 3; i++) /* three lanes of their own */
        at[2 + i] = (lane + 1 + i) % lanes;
    at[0] = lane;
    at[1] = lane + lanes;
    put(w, x, at[2], result);
    put(w, x, at[3], missing > 0 ? term + log(missing * (1 - small)) : term - 60);
    put(w, x, at[4], missing > 0 ? term + log(missing * small) : term - 60);
    return true;
}

/* Moves all logits so that the maximum is as far below 0 as the log-sum-exp is above. */
static void balance(workload *w, size_t output, const place *x)
{
    const double c = (largest_in(w) + exact_at(w, output, 0)) / 2;
    for (size_t i = 0; isfinite(c) && i < x->count; i++)
        put(w, x, i, get(w, x, i) - c);
}

static bool is_log_sum(const kernel *k)
{
    return k->row == SL_COUNT_logsumexp || k->row == SL_COUNT_softmax_stats ||
           k->row == SL_COUNT_softmax_stats_rows;
}

/* Elements that count: some in lanes whose sums are added first, some anywhere. */
static void fill_row(generator *g, workload *w, bool fma)
{
    place all[MOST_PLACES];
    const size_t n = w->c.shape.classes, places = places_of(w, all);
    const double top = top_logit(g, w->k->dtype);
    const exp_form form = exp_form_of(w->k->dtype, fma);
    size_t at[8], count = 1 + next_below(g, 6);
    at[0] = next_below(g, n);
    for (size_t i = 1; i < count; i++)
        at[i] =
            next_below(g, 2) ? (at[next_below(g, i)] + form.lanes * next_below(g, 4)) % n : next_below(g, n);
    const bool by_sum = all[0].of == LOGITS && n > 4 && next_below(g, 2);
    for (size_t i = 0; i < n; i++)
        put(w, &all[0], i, nothing(all[0].of));
    if (by_sum) {
        count = 5;
        if (next_below(g, 2) || !fill_worst_sum(g, w, &all[0], at, fma))
            fill_sum(g, w, &all[0], at, next_below(g, 4) > 0, form);
    }
    if (is_log_sum(w->k) && next_below(g, 2))
        balance(w, RESULT, &all[0]);
    for (size_t p = by_sum; p < places; p++) {
        const bool by_column = all[p].count == n; /* or an upstream gradient */
        const double scale = fresh(g, w, &all[p], top);
        for (size_t i = 0; i < all[p].count && p > 0; i++)
            put(w, &all[p], i, by_column ? nothing(all[p].of) : fresh(g, w, &all[p], top));
        for (size_t i = 0; by_column && i < count; i++)
            put(w, &all[p], at[i],
                i == 0 && all[p].of == LOGITS               ? top
                : i > 0 && next_below(g, 3) == 0            ? get(w, &all[p], at[next_below(g, i)])
                : all[p].of == ANY_SIGN && next_below(g, 3) ? scale * (1 - next_uniform(g) / 8)
                                                            : fresh(g, w, &all[p], top));
    }
    if (w->options.label_smoothing > 0) { /* masked, a class would make a smoothed loss infinite */
        const double little = largest_in(w) - w->k->dtype->digits * (1 + 4 * next_uniform(g));
        for (size_t i = 0; i < n; i++)
            if (get(w, &all[0], i) == nothing(LOGITS))
                put(w, &all[0], i, little);
    }
    if (w->k->second == CLASS_IDS)
        *(int64_t *)w->second = (int64_t)at[next_below(g, count)];
}

/* Moves a value so that the output comes to just below a power of two, along the secant. */
static void aim(generator *g, workload *w, size_t output, size_t at, const place *p, size_t i)
{
    const double value = get(w, p, i), was = fabs(exact_at(w, output, at));
    if (!isfinite(was) || was == 0 || !isfinite(value) || value == 0)
        return;
    int exponent;
    frexp(was, &exponent);
    const double wanted =
        ldexp(1 - ldexp(next_uniform(g), -(int)next_below(g, (size_t)w->k->dtype->digits + 6)),
              exponent - (next_below(g, 4) == 0));
    const double probe = value * (1 + 0x1p-8);
    put(w, p, i, probe);
    double from = value, at_from = was, to = get(w, p, i), at_to = fabs(exact_at(w, output, at));
    for (int step = 0; step < 2 && isfinite(at_to) && at_to != at_from; step++) {
        const double next = to + (wanted - at_to) * (to - from) / (at_to - at_from);
        if (!isfinite(next) || fabs(next - value) > 4 * fabs(value) + 4)
            break;
        put(w, p, i, next);
        from = to;
        at_from = at_to;
        to = get(w, p, i);
        at_to = fabs(exact_at(w, output, at));
    }
}

/* A place in this array, mostly of a value that counts. */
static size_t one_that_counts(generator *g, const workload *w, const place *p)
{
    size_t i = next_below(g, p->count);
    if (next_below(g, 48) > 0)
        for (int tries = 0; tries < 200 && get(w, p, i) == nothing(p->of); tries++)
            i = next_below(g, p->count);
    return i;
}

/* Changes a value or two; then, as often as not, moves another so that the output stays below a power of two. */
static void change_row(generator *g, workload *w, size_t output, size_t at)
{
    place all[MOST_PLACES];
    const size_t places = places_of(w, all);
    const double top = largest_in(w);
    for (size_t changes = next_below(g, 4) ? 1 : next_below(g, 3); changes > 0; changes--) {
        const place *p = &all[next_below(g, 2) ? 0 : next_below(g, places)];
        const size_t i = one_that_counts(g, w, p);
        const double value = get(w, p, i);
        if (next_below(g, 12) == 0)
            put(w, p, i, nothing(p->of));
        else if (next_below(g, 16) == 0)
            put(w, p, i, get(w, p, one_that_counts(g, w, p)));
        else
            put(w, p, i, changed(g, w, p, value, top));
    }
    if (next_below(g, 2)) {
        const place *p = &all[next_below(g, 3) ? 0 : next_below(g, places)];
        aim(g, w, output, at, p, one_that_counts(g, w, p));
    }
    if (is_log_sum(w->k) && next_below(g, 4) == 0)
        balance(w, output, &all[0]);
    if (w->k->second == CLASS_IDS && next_below(g, 40) == 0)
        *(int64_t *)w->second = (int64_t)next_below(g, w->c.shape.classes);
}

/* ------------------------------------------------------------------------------------------------- the search */

static bool goes_on(const search *s, size_t step)
{
    return s->until > 0 ? now() < s->until : step < s->steps;
}

/* ---- an input as text ---- */

static void say_array(char *to, size_t size, const char *name, const workload *w, const place *p,
                      double usual)
{
    size_t length = strlen(to);
    bool named = false;
    for (size_t i = 0, end; i < p->count; i = end) {
        const double value = get(w, p, i);
        for (end = i + 1; end < p->count && get(w, p, end) == value; end++)
            continue;
        if (value == usual || length + 60 > size)
            continue;
        if (!named)
            length += (size_t)snprintf(to + length, size - length, " %s", name);
        named = true;
        if (end == i + 1)
            length += (size_t)snprintf(to + length, size - length, " %zu:%a", i, value);
        else
            length += (size_t)snprintf(to + length, size - length, " %zu-%zu:%a", i, end - 1, value);
    }
}

static void say_input(record *of, const workload *w)
{
    const sl_loss_options *o = &w->options;
    place all[MOST_PLACES];
    const size_t places = places_of(w, all);
    char *const to = of->text;
    const size_t size = sizeof of->text;
    snprintf(to, size, "columns %zu", w->c.shape.classes);
    for (size_t p = 0; p < places; p++)
        say_array(to, size,
                  all[p].values == w->x              ? "x"
                  : all[p].values == w->second       ? "second"
                  : all[p].values == w->class_weight ? "weights"
                  : all[p].values == w->pos_weight   ? "pos"
                                                     : "upstream",
                  w, &all[p], nothing(all[p].of));
    size_t length = strlen(to);
    if (w->k->second == CLASS_IDS)
        length += (size_t)snprintf(to + length, size - length, " target %lld",
                                   (long long)*(const int64_t *)w->second);
    if (o->label_smoothing != 0)
        length += (size_t)snprintf(to + length, size - length, " smoothing %a", o->label_smoothing);
    if (o->reduction == SL_MEAN)
        snprintf(to + length, size - length, " mean");
}

static record **record_of(search *s, const workload *w, badness b)
{
    const sl_loss_options *o = &w->options;
    return &s->of[(o->class_weight != NULL ? WEIGHTS : 0) | (o->pos_weight != NULL ? POS_WEIGHTS : 0) |
                  (o->upstream != NULL ? UPSTREAM : 0) | (o->label_smoothing > 0 ? SMOOTHING : 0) |
                  (o->reduction == SL_MEAN ? MEAN : 0) | (is_of_range(s, b) ? RANGE : 0)];
}

static bool is_new(search *s, const workload *w, badness b)
{
    const record *of = *record_of(s, w, b);
    return b.ulp > 0 && (of == NULL || share_of(b) > share_of(of->worst));
}

static void note(search *s, const workload *w, badness b)
{
    record **of = record_of(s, w, b);
    if (!is_new(s, w, b))
        return;
    if (*of == NULL)
        *of = allocate(1, sizeof **of);
    (*of)->worst = b;
    say_input(*of, w);
    if (share_of(b) > share_of(s->worst))
        s->worst = b;
}

/* The element of an element kernel, as a workload of its own. */
static void note_element(search *s, const workload *w, badness b)
{
    if (!is_new(s, w, b))
        return;
    workload one;
    place from[MOST_PLACES], to[MOST_PLACES];
    generator g = {1};
    call_spec v = {"", w->options.reduction, 0, 0, {true, true}};
    v.options = (w->options.class_weight != NULL ? WEIGHTS : 0) |
                (w->options.pos_weight != NULL ? POS_WEIGHTS : 0) |
                (w->options.upstream != NULL ? UPSTREAM : 0);
    workload_make(&one, w->k, &v, sl_rows(1, 1), distribution_at(0), &g);
    const size_t places = places_of(w, from);
    places_of(&one, to);
    for (size_t p = 0; p < places; p++)
        (to[p].is_loss_type ? w->k->dtype->put_loss : w->k->dtype->put)(
            to[p].values, 0, get(w, &from[p], from[p].count > 1 ? b.at : 0));
    b.at = 0;
    note(s, &one, b);
    workload_free(&one);
}

/* ---- climbing ---- */

/* Where to start: one of the ways to call the kernel that give this output, one loss per row or element; as often as not
 * without options, else with any of them. */
static call_spec next_call_spec(search *s)
{
    call_spec v = *call_spec_at(s->k, 0);
    if (is_loss(s->k) && next_below(&s->g, 2))
        v = random_call_spec(s->k, &s->g);
    v.options &= ~(unsigned)(IGNORE | SAFE | EMPTY_ZERO | DIVISOR | Z_LOSS | SOFTCAP | TAKES_LSE);
    v.smoothing = v.options & SMOOTHING ? v.smoothing : 0;
    s->avoids_range = next_below(&s->g, 4) > 0;
    if (is_loss(s->k) && (v.reduction == SL_SUM || s->output == RESULT))
        v.reduction = SL_NONE;
    for (size_t output = 0; output < OUTPUTS; output++)
        v.wants[output] = output == s->output;
    return v;
}

static const size_t widths[] = {1, 2, 3, 5, 16, 17, 32, 33, 33, 33, 40, 48, 64, 64, 64, 64, 256, 288};

static void climb_row(search *s, workload *best, size_t steps)
{
    badness b, here;
    workload tried;
    generator g = {1};
    call_spec v = {"",
                   best->options.reduction,
                   0,
                   best->options.label_smoothing,
                   {s->output == RESULT, s->output == GRADIENT}};
    v.options = (best->options.class_weight != NULL ? WEIGHTS : 0) |
                (best->options.upstream != NULL ? UPSTREAM : 0) |
                (best->options.label_smoothing > 0 ? SMOOTHING : 0);
    workload_make(&tried, s->k, &v, best->c.shape, distribution_at(0), &g);
    measure(s, best, NULL, &here);
    note(s, best, here);
    for (size_t stale = 0; steps > 0 && stale < 1500; steps--, stale++) {
        copy_arrays(&tried, best);
        change_row(&s->g, &tried, s->output, here.at);
        measure(s, &tried, NULL, &b);
        if (share_of(b) < share_of(here))
            continue;
        stale = share_of(b) > share_of(here) ? 0 : stale;
        here = b;
        copy_arrays(best, &tried);
        note(s, best, here);
    }
    workload_free(&tried);
}

/* Of a few starts the best one climbs on. */
static void search_rows(search *s)
{
    enum { STARTS = 12, FIRST = 60 };
    for (size_t step = 0; goes_on(s, step);) {
        const call_spec v = next_call_spec(s);
        const size_t n = widths[next_below(&s->g, sizeof widths / sizeof *widths)];
        workload best, start;
        workload_make(&best, s->k, &v, sl_rows(1, n), distribution_at(0), &s->g);
        workload_make(&start, s->k, &v, sl_rows(1, n), distribution_at(0), &s->g);
        badness of_best = {-1, 1, 0}, b;
        for (size_t i = 0; i < STARTS && goes_on(s, step); i++) {
            fill_row(&s->g, &start, s->on->table->fma);
            climb_row(s, &start, FIRST);
            measure(s, &start, NULL, &b);
            if (share_of(b) > share_of(of_best)) {
                of_best = b;
                copy_arrays(&best, &start);
            }
            step += FIRST;
        }
        for (size_t i = 0; i < 10 && share_of(of_best) > 0 && goes_on(s, step); i++) {
            climb_row(s, &best, 300);
            step += 300;
        }
        workload_free(&best);
        workload_free(&start);
    }
}

/* Brings every element's output to just below a power of two, along the secant, by its own value in this place. */
static void aim_elements(generator *g, workload *w, size_t output, const place *p)
{
    double wanted[ELEMENTS], from[ELEMENTS], at_from[ELEMENTS];
    expectation e;
    expect(w->k, &w->c, &e);
    for (size_t i = 0; i < ELEMENTS; i++) {
        int exponent;
        at_from[i] = fabs((double)e.want[output][i]);
        frexp(at_from[i], &exponent);
        wanted[i] = ldexp(1 - ldexp(next_uniform(g), -(int)next_below(g, (size_t)w->k->dtype->digits + 6)),
                          exponent - (next_below(g, 4) == 0));
        from[i] = get(w, p, i);
        put(w, p, i, from[i] * (1 + 0x1p-8));
    }
    expectation_free(&e);
    for (int step = 0; step < 4; step++) {
        expect(w->k, &w->c, &e);
        for (size_t i = 0; i < ELEMENTS; i++) {
            const double to = get(w, p, i), at_to = fabs((double)e.want[output][i]),
                         next = to + (wanted[i] - at_to) * (to - from[i]) / (at_to - at_from[i]);
            if (!isfinite(next) || fabs(next - to) > fabs(to))
                continue;
            put(w, p, i, next);
            from[i] = to;
            at_from[i] = at_to;
        }
        expectation_free(&e);
    }
}

/* Anew, or as the best one. */
static void restart_element(search *s, workload *w, const place *places, size_t count, size_t i, size_t best)
{
    const bool anew = next_below(&s->g, 2);
    for (size_t p = 0; p < count; p++)
        if (places[p].count > 1)
            put(w, &places[p], i, anew ? fresh(&s->g, w, &places[p], 0) : get(w, &places[p], best));
}

static void change_elements(search *s, workload *w, const place *places, size_t count, bool aims)
{
    const place *p = &places[next_below(&s->g, count)];
    if (aims && p->count > 1) {
        aim_elements(&s->g, w, s->output, p);
        return;
    }
    for (size_t i = 0; i < ELEMENTS; i++)
        for (size_t changes = 1 + next_below(&s->g, 2); changes > 0; changes--) {
            p = &places[next_below(&s->g, count)];
            if (p->count > 1)
                put(w, p, i, changed(&s->g, w, p, get(w, p, i), 0));
        }
}

/* Elements do not know of each other: each climbs by itself, with an upstream gradient that all may share. */
static void search_elements(search *s)
{
    enum { ROUNDS = 500, STALE = 80 };
    for (size_t step = 0; goes_on(s, step);) {
        const call_spec v = next_call_spec(s);
        workload best, tried;
        place of_best[MOST_PLACES], of_tried[MOST_PLACES];
        badness here[ELEMENTS], b[ELEMENTS], worst;
        size_t stale[ELEMENTS] = {0};
        workload_make(&best, s->k, &v, sl_rows(1, ELEMENTS), distribution_at(0), &s->g);
        workload_make(&tried, s->k, &v, sl_rows(1, ELEMENTS), distribution_at(0), &s->g);
        const size_t places = places_of(&best, of_best);
        places_of(&tried, of_tried);
        for (size_t p = 0; p < places; p++)
            for (size_t i = 0; i < of_best[p].count; i++)
                put(&best, &of_best[p], i, fresh(&s->g, &best, &of_best[p], 0));
        measure(s, &best, here, &worst);
        note_element(s, &best, worst);
        for (size_t round = 0; round < ROUNDS && goes_on(s, step); round++, step += ELEMENTS / 8) {
            copy_arrays(&tried, &best);
            change_elements(s, &tried, of_tried, places, next_below(&s->g, 4) == 0);
            for (size_t i = 0; i < ELEMENTS; i++)
                if (stale[i] > STALE)
                    restart_element(s, &tried, of_tried, places, i, worst.at);
            measure(s, &tried, b, &worst);
            note_element(s, &tried, worst);
            for (size_t i = 0; i < ELEMENTS; i++) {
                const bool anew = stale[i] > STALE;
                stale[i] = anew || share_of(b[i]) > share_of(here[i]) ? 0 : stale[i] + 1;
                if (!anew && share_of(b[i]) < share_of(here[i]))
                    continue;
                here[i] = b[i];
                for (size_t p = 0; p < places; p++)
                    if (of_best[p].count > 1)
                        put(&best, &of_best[p], i, get(&tried, &of_tried[p], i));
            }
        }
        workload_free(&best);
        workload_free(&tried);
    }
}

/* ------------------------------------------------------------------------------------------------- witnesses */

/* A line of witnesses.txt:
 *
 *   kernel/dtype class output at error columns n [x i:value ...] [second ...] [weights ...] [pos ...] [upstream ...]
 *   [target t] [smoothing s] [mean]
 *
 * class: fma, no-fma or both; output: result or gradient; at: which of its values. Values that are not named are -inf as
 * logits, 1 as weights, else 0. */
typedef struct {
    const kernel *k;
    bool on_class[2]; /* of ISAs without FMA, and with */
    size_t output, at;
    double error;
    workload w;
} witness;

static const kernel *kernel_named(const char *name)
{
    for (size_t k = 0; k < KERNELS; k++)
        if (strcmp(kernels[k].name, name) == 0)
            return &kernels[k];
    return NULL;
}

static const char *word_after(const char *line, const char *word)
{
    const size_t length = strlen(word);
    for (const char *at = strstr(line, word); at != NULL; at = strstr(at + 1, word))
        if (at > line && at[-1] == ' ' && (at[length] == ' ' || at[length] == '\0'))
            return at + length;
    return NULL;
}

/* "3:0x1p-4 7-9:1 16-63/32:0", the last of which is 16 and 48 */
static void read_values(const char *line, const char *name, const workload *w, const place *p)
{
    for (size_t i = 0; i < p->count; i++)
        put(w, p, i, nothing(p->of));
    const char *at = word_after(line, name);
    while (at != NULL) {
        size_t first = 0, last = 0, step = 1;
        int length = 0;
        sscanf(at, " %zu-%zu:%n", &first, &last, &length);
        if (length == 0)
            sscanf(at, " %zu-%zu/%zu:%n", &first, &last, &step, &length);
        if (length == 0 && sscanf(at, " %zu:%n", &first, &length) == 1)
            last = first;
        if (length == 0)
            return;
        char *end;
        const double value = strtod(at + length, &end);
        assert_true(end != at + length && last < p->count && step > 0);
        for (size_t i = first; i <= last; i += step) {
            (p->is_loss_type ? w->k->dtype->put_loss : w->k->dtype->put)(p->values, i, value);
            if (get(w, p, i) != value)
                fail_msg("no number of its type: %s", line);
        }
        at = end;
    }
}

static bool read_witness(const char *line, witness *to)
{
    char name[64], class[16], output[16];
    const char *columns = word_after(line, "columns"), *target = word_after(line, "target"),
               *smoothing = word_after(line, "smoothing");
    if (line[0] == '#' || line[0] == '\n')
        return false;
    if (sscanf(line, "%63s %15s %15s %zu %lf", name, class, output, &to->at, &to->error) != 5 ||
        columns == NULL || (to->k = kernel_named(name)) == NULL)
        fail_msg("witnesses.txt: %s", line);
    to->on_class[0] = strcmp(class, "fma") != 0;
    to->on_class[1] = strcmp(class, "no-fma") != 0;
    to->output = strcmp(output, "gradient") == 0 ? GRADIENT : RESULT;
    call_spec v = {"witness",
                   word_after(line, "mean") != NULL ? SL_MEAN : SL_NONE,
                   (word_after(line, "weights") != NULL ? WEIGHTS : 0) |
                       (word_after(line, "pos") != NULL ? POS_WEIGHTS : 0) |
                       (word_after(line, "upstream") != NULL ? UPSTREAM : 0) |
                       (smoothing != NULL ? SMOOTHING : 0),
                   smoothing != NULL ? strtod(smoothing, NULL) : 0,
                   {to->output == RESULT, to->output == GRADIENT}};
    generator g = {1};
    workload_make(&to->w, to->k, &v, sl_rows(1, strtoull(columns, NULL, 10)), distribution_at(0), &g);
    place all[MOST_PLACES];
    const size_t places = places_of(&to->w, all);
    for (size_t p = 0; p < places; p++)
        read_values(line,
                    all[p].values == to->w.x              ? "x"
                    : all[p].values == to->w.second       ? "second"
                    : all[p].values == to->w.class_weight ? "weights"
                    : all[p].values == to->w.pos_weight   ? "pos"
                                                          : "upstream",
                    &to->w, &all[p]);
    if (to->k->second == CLASS_IDS)
        *(int64_t *)to->w.second = target != NULL ? strtoll(target, NULL, 10) : 0;
    return true;
}

/* Calls f for each. */
static void each_witness(void (*f)(witness *, void *), void *with)
{
    char line[1 << 13];
    FILE *file = fopen(SOFTLANE_WITNESSES, "r");
    assert_non_null(file);
    while (fgets(line, sizeof line, file) != NULL) {
        witness w;
        line[strcspn(line, "\n")] = '\0';
        if (line[0] == '\0' || !read_witness(line, &w))
            continue;
        f(&w, with);
        workload_free(&w.w);
    }
    fclose(file);
}

/* The first of a class that can run here. */
static bool isa_of_class(bool fma, isa *to)
{
    for (size_t i = 0; i < isa_count(); i++) {
        *to = isa_at(i);
        if (to->table != NULL && is_asked_for(to) && to->table->fma == fma)
            return true;
    }
    return false;
}

static void check_witness(witness *w, void *failures)
{
    for (size_t fma = 0; fma < 2; fma++) {
        isa on;
        expectation e;
        if (!w->on_class[fma] || !isa_of_class(fma, &on))
            continue;
        run(w->k, &on, &w->w.c);
        expect(w->k, &w->w.c, &e);
        const double error = error_of(w->k, &w->w.c, w->output, w->at, &e),
                     allowed = allowed_on_any(&w->w, &on, w->output, w->at, &e);
        print_message("%s/%s%s: %.6g ULP, tested bound %.4g, on any input %.4g\n", w->k->name, on.name,
                      w->output == GRADIENT ? ", gradient" : "", error, bound_of(w->k, on.table, w->output),
                      allowed);
        if (fabs(error - w->error) > 0.006 * fmax(1, w->error) || !(error <= allowed)) {
            print_error("%s/%s: error %.6g, %.6g in witnesses.txt, allowed %.6g: got %a, want %La\n",
                        w->k->name, on.name, error, w->error, allowed,
                        output_value(w->k, w->output, w->w.c.out[w->output], w->at),
                        e.want[w->output][w->at]);
            ++*(size_t *)failures;
        }
        expectation_free(&e);
    }
}

static void witnesses(void)
{
    size_t failures = 0;
    each_witness(check_witness, &failures);
    assert_int_equal(failures, 0);
}

/* ------------------------------------------------------------------------------------------------ the searches */

/* Climbs from a witness of this output. */
static void climb_from(witness *w, void *with)
{
    search *s = with;
    if (w->k != s->k || w->output != s->output || !w->on_class[s->on->table->fma] ||
        w->w.c.shape.classes > CLIMBED_COLUMNS)
        return;
    if (s->k->by_element) {
        badness b;
        measure(s, &w->w, NULL, &b);
        note(s, &w->w, b);
    } else {
        climb_row(s, &w->w, effort(300, 30));
    }
}

/* A line of witnesses.txt for each; in short runs only for the worst of all. */
static void say_records(search *s)
{
    for (size_t i = 0; i < RECORDS; i++) {
        record *of = s->of[i];
        if (of != NULL && (s->until > 0 || share_of(of->worst) == share_of(s->worst)))
            printf("%s %s %s %zu %.4f %s\n", s->k->name, s->on->table->fma ? "fma" : "no-fma",
                   s->output == GRADIENT ? "gradient" : "result", of->worst.at, of->worst.ulp, of->text);
        free(of);
    }
}

static void search_output(const kernel *k, const isa *on, size_t output)
{
    const double seconds = number_from("SOFTLANE_SEARCH_SECONDS", 0);
    search *s = allocate(1, sizeof *s);
    *s = (search){.k = k,
                  .on = on,
                  .output = output,
                  .g = {(uint64_t)number_from("SOFTLANE_SEARCH_SEED", 0) * 1000003 + 31 + output},
                  .steps = share(k, 12000, 600),
                  .worst = {0, 1, 0}};
    const double start = now();
    s->until = seconds > 0 ? start + seconds : 0;
    if (k->by_element)
        search_elements(s);
    else
        search_rows(s);
    const badness from_nothing = s->worst;
    s->avoids_range = false;
    each_witness(climb_from, s);
    printf("%s/%s%s: %.4f ULP, tested bound %g, on any input %g (here %.4g); %.2f s; from nothing %.4f\n",
           k->name, on->name, output == GRADIENT ? ", gradient" : "", s->worst.ulp,
           bound_of(k, on->table, output), bound_on_any(k, on->table, output), s->worst.allowed,
           now() - start, from_nothing.ulp);
    say_records(s);
    if (!(s->worst.ulp <= s->worst.allowed))
        fail_msg("%s/%s%s: %.4f ULP of %.4f allowed on any input", k->name, on->name,
                 output == GRADIENT ? ", gradient" : "", s->worst.ulp, s->worst.allowed);
    free(s);
}

static void search_kernel(const kernel *k)
{
    const char *only = getenv("SOFTLANE_SEARCH_ONLY");
    if (only != NULL && strcmp(only, k->name) != 0)
        return;
    for (size_t fma = 2; fma-- > 0;) {
        isa on;
        if (!isa_of_class(fma, &on))
            continue;
        search_output(k, &on, RESULT);
        if (is_loss(k))
            search_output(k, &on, GRADIENT);
    }
}

int main(void)
{
    const topic topics[] = {
        {.name = "the worst inputs so far", .once = witnesses},
        {.name = "directed search", .each_kernel = search_kernel},
    };
    return run_test_matrix("search", topics, sizeof topics / sizeof *topics);
}
