/* SPDX-License-Identifier: MIT
 *
 * Merging partial statistics, and what they say of the whole row. Plain arithmetic that never fuses, so that
 * the bits are those of every machine.
 */
#define SL_UNFUSED
#define SL_UNIT_ISA scalar
#include "maths/exact.h"
#include "maths/log_f64.h"

static exact_sum rest_of(const sl_stats *s)
{
    exact_sum e;
    memcpy(&e, &s->exact_rest, sizeof e);
    return e;
}

static exact_sum logits_of(const sl_stats *s)
{
    exact_sum e;
    memcpy(&e, &s->exact_logits, sizeof e);
    return e;
}

sl_stats sl_stats_empty(void) { return stats_of_nothing(); }

/* So large that different maxima are at least 1024 apart, and the smaller one's exponential is 0: what exact_exp does not
 * take. */
static bool is_huge(double m) { return m > 0x1p62 || m < -0x1p62; }

/* Only one part has a target. A zero of both is -0 if one of them is. */
static double target_of_both(double a, double b)
{
    return a == 0 && b == 0 ? exact_double(exact_bits(a) | exact_bits(b)) : a + b;
}

static const exact_sum nothing = {EXACT_NOTHING, {0}};

/* Completes statistics that have a maximum, a target and a count. rest and logits are a function of the exact sums and max alone,
 * so that merging nothing changes nothing; any NaN is the canonical one. */
static void round_stats(sl_stats *s, exact_sum rest, exact_sum logits)
{
    const exact_power e = exact_exp(exact_exponent_of(s->max));
    const bool number = s->max == s->max;
    if (!number) /* nothing of what has been added before: that depends on the order */
        rest = nothing;
    s->rest = number ? exact_value(&rest, e.n) / e.f : (double)NAN;
    s->logits = exact_value(&logits, 0);
    s->target = s->target == s->target ? s->target : (double)NAN;
    stats_keep(s, rest, logits);
}

void sl_stats_merge(sl_stats *into, const sl_stats *from)
{
    const sl_stats *more = from->max > into->max ? from : into, *less = more == from ? into : from;
    exact_sum rest = rest_of(more), logits = logits_of(into), other = rest_of(less),
              of_from = logits_of(from);
    if (less->max > -(double)INFINITY &&
        (less->max == more->max || !(is_huge(less->max) || is_huge(more->max)))) {
        exact_power e = exact_exp(less->max);
        exact_merge(&rest, &other);
        exact_sum one = exact_of(e.f, e.n);
        exact_merge(&rest, &one);
    }
    exact_merge(&logits, &of_from);
    sl_stats both = {
        .max = more->max == more->max && less->max == less->max ? more->max : (double)NAN,
        .target = target_of_both(into->target, from->target),
        .count = into->count + from->count,
    };
    round_stats(&both, rest, logits);
    *into = both;
}

/* log(sum_c exp(x_c - max)); NaN where softmax is. */
static double log_sum(const sl_stats *s)
{
    return s->max > -(double)INFINITY ? w_acc_value(log1p_wide(w_acc_of(s->rest))) : (double)NAN;
}

double sl_stats_logsumexp(const sl_stats *s)
{
    return s->count == 0 ? -(double)INFINITY : s->max + log_sum(s);
}

double sl_stats_cross_entropy(const sl_stats *s, double label_smoothing)
{
    double cost = 0;
    if (label_smoothing < 1)
        cost += SL_ROUNDED((1 - label_smoothing) * ((s->max - s->target) + log_sum(s)));
    if (label_smoothing > 0)
        cost += SL_ROUNDED(label_smoothing * ((s->max - s->logits / (double)(int64_t)s->count) + log_sum(s)));
    return cost;
}

/* ------------------------------------------------------------------------------------------- the packed form
 *
 * Words of 8 bytes, the lowest byte first:
 *
 *   tag                "SL", from the lowest byte on, the version, the number of words, and 32 bits of a hash of the others
 *   max, target        f64
 *   count
 *   rest               as an f64 v: v 2^n, n that of exp(max)
 *   logits             as an f64, if there is room
 *   or, of many words  the exact sums of both, each as top and digits
 */
enum { PACKED_VERSION = 1, PACKED_WORDS = SL_PACKED_ANY / 8, SUM_WORDS = 1 + EXACT_DIGITS };
#define PACKED_NAME 0x4c53

static bool is_packed_size(size_t size)
{
    return size == SL_PACKED_PART || size == SL_PACKED_PART_LOGITS || size == SL_PACKED_ANY;
}

static void put_word(unsigned char *to, uint64_t word)
{
    for (int i = 0; i < 8; i++)
        to[i] = (unsigned char)(word >> 8 * i);
}

static uint64_t get_word(const unsigned char *from)
{
    uint64_t word = 0;
    for (int i = 0; i < 8; i++)
        word |= (uint64_t)from[i] << 8 * i;
    return word;
}

/* Of so many words, whose first one has no hash in it. */
static uint64_t tag_of(const uint64_t *words, size_t n)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (size_t i = 1; i < n; i++) {
        hash = (hash ^ words[i]) * 0x9e3779b97f4a7c15u;
        hash ^= hash >> 32;
    }
    return PACKED_NAME | (uint64_t)PACKED_VERSION << 16 | (uint64_t)n << 24 | hash << 32;
}

static bool is_same_sum(exact_sum a, exact_sum b) { return memcmp(&a, &b, sizeof a) == 0; }

static void put_sum(uint64_t *to, exact_sum s)
{
    to[0] = (uint64_t)s.top;
    for (size_t i = 0; i < EXACT_DIGITS; i++)
        to[1 + i] = (uint64_t)s.digit[i];
}

static exact_sum get_sum(const uint64_t *from)
{
    exact_sum s = {(int64_t)from[0], {0}};
    for (size_t i = 0; i < EXACT_DIGITS; i++)
        s.digit[i] = (int64_t)from[1 + i];
    return s;
}

/* Digits that further ones may be added to, at a place that a number may have. */
static bool is_valid_sum(exact_sum s)
{
    for (size_t i = 0; i < EXACT_DIGITS; i++)
        if (s.digit[i] > (int64_t)1 << 62 || s.digit[i] < -((int64_t)1 << 62))
            return false;
    if (s.top == EXACT_NO_NUMBER)
        return s.digit[0] >= EXACT_PLUS_INF && s.digit[0] <= EXACT_NAN;
    return s.top == EXACT_NOTHING || (s.top > -((int64_t)1 << 59) && s.top < (int64_t)1 << 59);
}

sl_status sl_stats_pack(const sl_stats *stats, void *packed, size_t size)
{
    if (stats == NULL || packed == NULL)
        return SL_ERR_NULL;
    if (!is_packed_size(size))
        return SL_ERR_OPTION;
    const exact_sum rest = rest_of(stats), logits = logits_of(stats);
    const int64_t n = exact_exp(exact_exponent_of(stats->max)).n;
    const double of_rest = exact_value(&rest, n), of_logits = exact_value(&logits, 0);
    const size_t words = size / 8;
    uint64_t to[PACKED_WORDS] = {0, exact_bits(stats->max), exact_bits(stats->target), stats->count,
                                 exact_bits(of_rest)};
    if (size == SL_PACKED_ANY) {
        put_sum(to + 4, rest);
        put_sum(to + 4 + SUM_WORDS, logits);
    } else if (!is_same_sum(rest, exact_of(of_rest, n))) {
        return SL_ERR_OPTION;
    }
    if (size == SL_PACKED_PART_LOGITS) {
        to[5] = exact_bits(of_logits);
        if (!is_same_sum(logits, exact_of(of_logits, 0)))
            return SL_ERR_OPTION;
    }
    to[0] = tag_of(to, words);
    for (size_t i = 0; i < words; i++)
        put_word((unsigned char *)packed + 8 * i, to[i]);
    return SL_OK;
}

sl_status sl_stats_unpack(const void *packed, size_t size, sl_stats *stats)
{
    if (stats == NULL || packed == NULL)
        return SL_ERR_NULL;
    if (!is_packed_size(size))
        return SL_ERR_OPTION;
    const size_t words = size / 8;
    uint64_t from[PACKED_WORDS] = {0};
    for (size_t i = 0; i < words; i++)
        from[i] = get_word((const unsigned char *)packed + 8 * i);
    if ((from[0] & 0xffff) != PACKED_NAME)
        return SL_ERR_PACKED;
    if ((from[0] >> 16 & 0xff) != PACKED_VERSION)
        return SL_ERR_VERSION;
    if (from[0] != tag_of(from, words))
        return SL_ERR_PACKED;
    sl_stats s = {.max = exact_double(from[1]), .target = exact_double(from[2]), .count = from[3]};
    exact_sum rest, logits;
    if (size == SL_PACKED_ANY) {
        rest = get_sum(from + 4);
        logits = get_sum(from + 4 + SUM_WORDS);
    } else {
        rest = exact_of(exact_double(from[4]), exact_exp(exact_exponent_of(s.max)).n);
        logits = exact_of(size == SL_PACKED_PART_LOGITS ? exact_double(from[5])
                          : s.count == 0                ? 0
                                                        : (double)NAN,
                          0);
    }
    if (!(s.max < (double)INFINITY || s.max != s.max) || !is_valid_sum(rest) || !is_valid_sum(logits))
        return SL_ERR_PACKED;
    round_stats(&s, rest, logits);
    *stats = s;
    return SL_OK;
}

SL_CLOSE
