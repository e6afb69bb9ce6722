/* SPDX-License-Identifier: MIT
 *
 * Every word of every ISA header does what vocab.h says: bit for bit what its definition in plain C
 * (vocabulary.def) does, on all combinations of special values and on random ones, and nothing beyond the
 * elements it may touch.
 */
#include "overreach.h"
#include "pages.h"
#include "vocabulary.h"

#include <float.h>
#include <stdlib.h>

#include "bits.h"
#include "distributions.h"

/* ------------------------------------------------------------------------------------------ definitions */

#ifdef _WIN32 /* mingw-w64's rounds twice; what calls it runs where the instruction is */
__attribute__((target("fma"))) static float fused_float(float a, float b, float c)
{
    return __builtin_fmaf(a, b, c);
}
__attribute__((target("fma"))) static double fused_double(double a, double b, double c)
{
    return __builtin_fma(a, b, c);
}
#define fmaf(a, b, c) fused_float(a, b, c)
#define fma(a, b, c) fused_double(a, b, c)
#endif

/* The lanes by halves, each pair (p, q) giving `both`. */
#define FOLD_BY_HALVES(name, type, both)                                                                     \
    static type name(const type *lane, size_t width)                                                         \
    {                                                                                                        \
        type folded[SL_LANES];                                                                               \
        memcpy(folded, lane, width * sizeof *lane);                                                          \
        for (size_t half = width / 2; half > 0; half /= 2)                                                   \
            for (size_t l = 0; l < half; l++) {                                                              \
                const type p = folded[l], q = folded[l + half];                                              \
                folded[l] = both;                                                                            \
            }                                                                                                \
        return folded[0];                                                                                    \
    }
FOLD_BY_HALVES(fold_max, float, p > q ? p : q)
FOLD_BY_HALVES(wide_fold_max, double, p > q ? p : q)
FOLD_BY_HALVES(wide_fold_add, double, p + q)

/* What a term may be, in f64. */
static double term_of(float a) { return 0x1p92f < fabsf(a) ? 0x1p92 : (double)fabsf(a); }
static double fold_terms(const float *lane, size_t width)
{
    double terms[SL_LANES];
    for (size_t l = 0; l < width; l++)
        terms[l] = term_of(lane[l]);
    return wide_fold_add(terms, width);
}

/* Lane k of those of a register and then of their magnitudes. */
static float every_second(const float *lane, size_t k, size_t width)
{
    return k < width ? lane[k] : float_of_bits(bits_of_float(lane[k - width]) & 0x7fffffffu);
}

static uint32_t difference(uint32_t a, uint32_t b) { return a > b ? a - b : 0; }

static size_t count_true(const int *lane, size_t width)
{
    size_t count = 0;
    for (size_t l = 0; l < width; l++)
        count += lane[l] != 0;
    return count;
}

/* IEEE 754: the exponent 0 means that of 1 and no leading one. A NaN keeps its payload and becomes quiet. */
static float float_of_half(uint16_t half)
{
    const uint32_t sign = (half & 0x8000u) << 16, exponent = half >> 10 & 31, significand = half & 1023;
    if (exponent == 31)
        return float_of_bits(sign | (significand ? 0x7fc00000 | significand << 13 : 0x7f800000));
    const double magnitude =
        ldexp(exponent ? 1024 + significand : significand, exponent ? (int)exponent - 25 : -24);
    return sign ? -(float)magnitude : (float)magnitude;
}

/* The nearest one, and of two the even one; beyond the largest, as if there were one more: infinity. */
static uint16_t half_of_float(float a)
{
    const uint16_t sign = bits_of_float(a) >> 16 & 0x8000;
    if (isnan(a))
        return sign | 0x7e00 | (bits_of_float(a) >> 13 & 0x1ff);
    uint16_t below = 0, beyond = 0x7c00;
    while (beyond - below > 1) {
        const uint16_t middle = (uint16_t)((below + beyond) / 2);
        if (float_of_half(middle) <= fabsf(a))
            below = middle;
        else
            beyond = middle;
    }
    const double value = fabs((double)a), upper = beyond == 0x7c00 ? 65536 : (double)float_of_half(beyond);
    const double under = value - (double)float_of_half(below), over = upper - value;
    return sign | (under < over || (under == over && below % 2 == 0) ? below : beyond);
}

/* Likewise for the upper half of a float; all NaNs become one. */
static uint16_t bf16_of_float(float a)
{
    if (isnan(a))
        return 0x7fc0;
    const uint32_t below = bits_of_float(a) >> 16, beyond = below + 1;
    if (isinf(a))
        return (uint16_t)below;
    const double upper = (beyond & 0x7fff) == 0x7f80 ? 0x1p128 : fabs((double)float_of_bits(beyond << 16));
    const double value = fabs((double)a);
    const double under = value - fabs((double)float_of_bits(below << 16)), over = upper - value;
    return (uint16_t)(under < over || (under == over && below % 2 == 0) ? below : beyond);
}

/* The constant of v_min_constant, hidden: an optimiser must not treat the definition as it may the word. */
static const volatile float limit = 0x1p16f;

#define TYPE_F float
#define TYPE_N float
#define TYPE_U uint32_t
#define TYPE_W double
#define TYPE_X double
#define TYPE_L uint64_t
#define TYPE_M int
#define TYPE_T int
#define TYPE_H uint16_t
#define ARRAY_N F
#define ARRAY_X W
#define ARRAY_F F
#define ARRAY_U U
#define ARRAY_W W
#define ARRAY_L L
#define ARRAY_M M
#define ARRAY_T T
#define ARRAY_H H
#define MEMBER_(lanes, array) (lanes)->array
#define MEMBER(lanes, array) MEMBER_(lanes, array)

#define WORD(name, result_kind, kind_a, kind_b, kind_c, expression, definition)                              \
    static void define_##name(const lanes *a_, const lanes *b_, const lanes *c_, lanes *result, int fused,   \
                              size_t width)                                                                  \
    {                                                                                                        \
        (void)fused, (void)width;                                                                            \
        for (size_t i = 0; i < SL_LANES; i++) {                                                              \
            const TYPE_##kind_a a = a_->kind_a[i];                                                           \
            const TYPE_##kind_b b = b_->kind_b[i];                                                           \
            const TYPE_##kind_c c = c_->kind_c[i];                                                           \
            (void)a, (void)b, (void)c;                                                                       \
            MEMBER(result, ARRAY_##result_kind)[i] = definition;                                             \
        }                                                                                                    \
    }
#define FOLD(name, result_kind, kind_a, expression, definition)                                              \
    static void define_##name(const lanes *a_, const lanes *b_, const lanes *c_, lanes *result, int fused,   \
                              size_t width)                                                                  \
    {                                                                                                        \
        (void)fused, (void)b_, (void)c_;                                                                     \
        for (size_t i = 0; i < SL_LANES; i++) {                                                              \
            const TYPE_##kind_a *lane = a_->kind_a + i / width * width;                                      \
            MEMBER(result, ARRAY_##result_kind)[i] = definition;                                             \
        }                                                                                                    \
    }
#include "vocabulary.def"

typedef enum { KIND_F, KIND_U, KIND_W, KIND_L, KIND_M, KIND_T, KIND_H, KIND_N, KIND_X } kind;

static const struct {
    const char *name;
    kind result, a, b, c;
    void (*define)(const lanes *a, const lanes *b, const lanes *c, lanes *result, int fused, size_t width);
} words[WORDS] = {
#define WORD(name, result, a, b, c, ...) {#name, KIND_##result, KIND_##a, KIND_##b, KIND_##c, define_##name},
#define FOLD(name, result, a, ...) {#name, KIND_##result, KIND_##a, KIND_F, KIND_F, define_##name},
#include "vocabulary.def"
};

/* ------------------------------------------------------------------------------------------------ input */

#define SIGNALLING_NANF __builtin_nansf("")
#define SIGNALLING_NAN __builtin_nans("")

static const float special_floats[] = {
    0.0f,     -0.0f,     1.0f,          -1.0f,           1.5f,     -2.5f,     0.1f,        -0.1f,   3.0f,
    7.0f,     0x1p-149f, -0x1p-149f,    FLT_MIN,         -FLT_MIN, 0x1p-127f, 0x1.fp-130f, FLT_MAX, -FLT_MAX,
    0x1p23f,  -0x1p24f,  0x1.fffffep0f, 0x1.000002p0f,   INFINITY, -INFINITY, NAN,         -NAN,    0x1.8p20f,
    0x1p100f, 0x1p-100f, 1e-40f,        SIGNALLING_NANF,
};
enum { SPECIAL_FLOATS = sizeof special_floats / sizeof *special_floats };

/* Beside those of f32: what rounding to f32 turns on (ties, the range's ends, denormal results), f64's own
 * ends. */
static const double special_doubles[] = {
    1 + 0x1p-24,     1 + 0x3p-24, 1 + 0x1.000002p-24, 1 - 0x1p-25, 0x1p-150,       0x1.8p-150,
    0x1.000001p-150, -0x1p-151,   0x1.8p-149,         0x1p-126,    0x1.ffffffp127, 0x1.fffffefffp127,
    0x1p128,         -0x1p1000,   0x1p-1000,          0x1p-1074,   -0x1.8p-1060,   DBL_MIN,
    0x1.ffffffp-127, DBL_MAX,     -DBL_MAX,           0.1,         -1.0 / 3,       6755399441055744.0,
    SIGNALLING_NAN,
};
enum { SPECIAL_DOUBLES = sizeof special_doubles / sizeof *special_doubles };

static double special_double(size_t i)
{
    return i < SPECIAL_DOUBLES ? special_doubles[i] : (double)special_floats[i - SPECIAL_DOUBLES];
}

static float some_float(generator *g)
{
    switch (next_below(g, 4)) {
    case 0:
        return special_floats[next_below(g, SPECIAL_FLOATS)];
    case 1:
        return float_of_bits((uint32_t)(next_bits(g) >> 32));
    default:
        return (float)((next_uniform(g) - 0.5) * (double)(UINT64_C(1) << next_below(g, 30)));
    }
}

static double some_double(generator *g)
{
    switch (next_below(g, 5)) {
    case 0:
        return special_doubles[next_below(g, SPECIAL_DOUBLES)];
    case 1:
        return double_of_bits(next_bits(g));
    case 2: /* half way between two floats, or next to it */
        return (double)next_float(g) * (1 + 0x1p-24 + ((double)next_below(g, 3) - 1) * 0x1p-52);
    case 3:
        return some_float(g);
    default:
        return next_uniform(g) - 0.5;
    }
}

static void fill(lanes *to, kind k, generator *g)
{
    const size_t odds = next_below(g, 3); /* all false, all true, mixed: folds of truth want all of them */
    for (size_t l = 0; l < SL_LANES; l++)
        if (k == KIND_F)
            to->F[l] = some_float(g);
        else if (k == KIND_W)
            to->W[l] = some_double(g);
        else if (k == KIND_M || k == KIND_T)
            to->M[l] = odds < 2 ? (int)odds ^ (next_below(g, 32) == 0) : (int)next_below(g, 2);
        else
            to->L[l] = next_bits(g);
}

static void fill_u32(lanes *to, generator *g)
{
    for (size_t l = 0; l < SL_LANES; l++)
        to->U[l] = (uint32_t)next_bits(g) >> next_below(g, 32);
}

static void fill_argument(lanes *to, kind k, generator *g)
{
    if (k == KIND_U)
        fill_u32(to, g);
    else
        fill(to, k, g);
}

/* ------------------------------------------------------------------------------------------------ tests */

static const vocabulary *vocabulary_of(const isa *on)
{
    static const vocabulary *const vocabularies[] = {
#define BUILT_0(v) NULL
#define BUILT_1(v) &v
#define BUILT_(arch, v) BUILT_##arch(v)
#define BUILT(arch, v) BUILT_(arch, v)
#define SL_ISA(name, arch, flags) BUILT(arch, vocabulary_##name),
#include "isas.def"
#undef SL_ISA
#ifdef SOFTLANE_TEST_SCALAR_FMA
        &vocabulary_scalar_fma,
#endif
    };
    return vocabularies[on->index];
}

static uint64_t lane_bits(kind k, const lanes *from, size_t l)
{
    switch (k) {
    case KIND_F:
    case KIND_N:
    case KIND_U:
        break;
    case KIND_W:
    case KIND_X:
    case KIND_L:
        return from->L[l];
    case KIND_M:
    case KIND_T:
        return (uint64_t)from->M[l];
    case KIND_H:
        return from->H[l];
    }
    return from->U[l];
}

static bool lane_equal(kind k, const lanes *got, const lanes *want, size_t l)
{
    if (k == KIND_N && isnan(want->F[l]))
        return isnan(got->F[l]);
    if (k == KIND_X && isnan(want->W[l]))
        return isnan(got->W[l]);
    return lane_bits(k, got, l) == lane_bits(k, want, l);
}

static void compare_word(const isa *on, size_t i, const lanes *a, const lanes *b, const lanes *c)
{
    const vocabulary *v = vocabulary_of(on);
    lanes got, want;
    memset(&got, 0x55, sizeof got);
    v->word[i](a, b, c, &got);
    words[i].define(a, b, c, &want, v->fused, v->width);
    for (size_t l = 0; l < SL_LANES; l++)
        if (!lane_equal(words[i].result, &got, &want, l))
            fail_msg("isa/%s.h: %s(%#llx, %#llx, %#llx), lane %zu: got %#llx, want %#llx", on->name,
                     words[i].name, (unsigned long long)lane_bits(words[i].a, a, l),
                     (unsigned long long)lane_bits(words[i].b, b, l),
                     (unsigned long long)lane_bits(words[i].c, c, l), l,
                     (unsigned long long)lane_bits(words[i].result, &got, l),
                     (unsigned long long)lane_bits(words[i].result, &want, l));
}

static void words_on_random_values(const isa *on)
{
    generator g = {17};
    for (size_t i = 0; i < WORDS; i++)
        for (size_t repeat = 0; repeat < effort(10000, 300); repeat++) {
            lanes a, b, c;
            fill_argument(&a, words[i].a, &g);
            fill_argument(&b, words[i].b, &g);
            fill_argument(&c, words[i].c, &g);
            compare_word(on, i, &a, &b, &c);
        }
}

/* Every pair, and for the three-operand words every triple, of special values. */
static void words_on_special_values(const isa *on)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i].a != KIND_F && words[i].a != KIND_W)
            continue;
        const bool wide = words[i].a == KIND_W;
        const bool ternary = i == WORD_v_fma || i == WORD_v_fnma || i == WORD_w_fma || i == WORD_w_fnma;
        const size_t specials = SPECIAL_FLOATS + (wide ? SPECIAL_DOUBLES : 0);
        for (size_t first = 0; first < specials * specials * (ternary ? specials : 1); first += SL_LANES) {
            lanes operand[3];
            for (size_t l = 0; l < SL_LANES; l++)
                for (size_t o = 0, n = first + l; o < 3; o++, n /= specials)
                    if (wide)
                        operand[o].W[l] = special_double(n % specials);
                    else
                        operand[o].F[l] = special_floats[n % specials];
            compare_word(on, i, &operand[0], &operand[1], &operand[2]);
        }
    }
}

/* ---- conversions ---- */

static void every_half_to_float(const isa *on)
{
    for (uint32_t first = 0; first < 0x10000; first += SL_LANES) {
        lanes a;
        for (uint32_t l = 0; l < SL_LANES; l++)
            a.U[l] = 0x5a5a0000 | (first + l); /* the upper half does not count */
        compare_word(on, WORD_v_of_f16, &a, &a, &a);
        lanes halves;
        for (uint32_t l = 0; l < SL_LANES; l++)
            halves.H[l] = (uint16_t)(first + l);
        compare_word(on, WORD_v_load_f16, &halves, &a, &a);
    }
}

/* Near every half, and near the midpoint between it and the next, of both signs. */
static void floats_near_halves(const isa *on)
{
    for (uint16_t half = 0; half < 0x7c00; half += (uint16_t)effort(1, 7)) {
        const float value = float_of_half(half), next = half < 0x7bff ? float_of_half(half + 1) : 65536;
        lanes a;
        for (uint32_t l = 0; l < SL_LANES; l++)
            a.U[l] = (bits_of_float(l % 2 ? value : (value + next) / 2) + l / 2 % 4 - 2) ^ (l & 8) << 28;
        compare_word(on, WORD_h_of_f32, &a, &a, &a);
        compare_word(on, WORD_v_store_f16, &a, &a, &a);
        compare_word(on, WORD_v_stream_f16, &a, &a, &a);
    }
}

static void any_float_to_half(const isa *on)
{
    generator g = {18};
    for (size_t repeat = 0; repeat < effort(10000, 1000); repeat++) {
        lanes a;
        for (size_t l = 0; l < SL_LANES; l++)
            a.U[l] = (uint32_t)next_bits(&g);
        compare_word(on, WORD_h_of_f32, &a, &a, &a);
        compare_word(on, WORD_v_store_f16, &a, &a, &a);
        compare_word(on, WORD_v_stream_f16, &a, &a, &a);
    }
}

static void judge_public(uint32_t bits)
{
    const float a = float_of_bits(bits);
    if (sl_f16_of_f32(a).bits != half_of_float(a) || sl_bf16_of_f32(a).bits != bf16_of_float(a))
        fail_msg("%08x: as f16 got %04x, want %04x; as bf16 got %04x, want %04x", bits, sl_f16_of_f32(a).bits,
                 half_of_float(a), sl_bf16_of_f32(a).bits, bf16_of_float(a));
}

static void public_conversions(void)
{
    generator g = {19};
    for (uint32_t i = 0; i < 0x10000; i++) {
        const uint16_t bits = (uint16_t)i;
        const float half = sl_f32_of_f16((sl_f16){bits});
        if (bits_of_float(half) != bits_of_float(float_of_half(bits)))
            fail_msg("f16 %04x: got %a, want %a", bits, half, float_of_half(bits));
        const uint32_t quiet = (i & 0x7fff) > 0x7f80 ? 0x400000 : 0; /* of a NaN, as of f16's */
        assert_int_equal(bits_of_float(sl_f32_of_bf16((sl_bf16){bits})), i << 16 | quiet);
        for (uint32_t near = 0; near < 3;
             near++) { /* a bf16, the midpoint after it, a half, the one after that */
            judge_public((i << 16) + near - 1);
            judge_public((i << 16) + 0x8000 + near - 1);
            judge_public(bits_of_float(float_of_half(bits)) + near - 1);
            judge_public(bits_of_float((float_of_half(bits) + float_of_half((uint16_t)(bits + 1))) / 2) +
                         near - 1);
        }
        judge_public((uint32_t)next_bits(&g));
    }
}

static void width_divides_the_lanes(const isa *on)
{
    const vocabulary *v = vocabulary_of(on);
    assert_true(v->width > 0 && SL_LANES % v->width == 0);
    assert_true(v->fused == on->table->fma);
}

/* ---- partial loads and stores ---- */

/* What they move: signalling NaNs, because it is a copy. */
static const struct {
    size_t size;
    uint64_t first;
} partials[PARTIALS] = {
    [PARTIAL_F] = {sizeof(float), 0x7f812345},
    [PARTIAL_W] = {sizeof(double), 0x7ff0123456789abc},
    [PARTIAL_H] = {sizeof(uint16_t), 0x7c01},
};

static void number(void *elements, size_t size, uint64_t first, size_t count)
{
    for (size_t i = 0; i < count; i++)
        store_bits((char *)elements + i * size, size, first + i);
}

/* 0 .. width, then more than a register holds. */
enum { MORE = 5 };
static size_t element_count(size_t i, size_t width)
{
    const size_t more[MORE] = {width + 1, width + 2, width + 32, (size_t)UINT32_MAX + 2, SIZE_MAX};
    return i <= width ? i : more[i - width - 1];
}

static void partial_loads(const isa *on)
{
    skip_where_loads_overreach(on);
    const vocabulary *v = vocabulary_of(on);
    const size_t whole = page_size();
    char *page = guarded_pages_new(whole);
    for (size_t kind = 0; kind < PARTIALS; kind++) {
        const size_t size = partials[kind].size;
        lanes filler, got, want;
        number(page, size, partials[kind].first, whole / size);
        number(&filler, size, 0x3123456789abcdef, 1);
        for (size_t i = 0; i <= v->width + MORE; i++)
            for (int at_end = 0; at_end < 2; at_end++) {
                const size_t n = element_count(i, v->width), loaded = n < v->width ? n : v->width;
                const char *p = at_end ? page + whole - loaded * size : page;
                for (size_t l = 0; l < v->width; l++)
                    memcpy((char *)&want + l * size, l < n ? p + l * size : (char *)&filler, size);
                v->partial[kind].load(p, n, &filler, &got);
                if (memcmp(&got, &want, v->width * size) != 0)
                    fail_msg("isa/%s.h: %zu of %zu elements of %zu bytes", on->name, n, v->width, size);
            }
    }
    guarded_pages_free(page, whole);
}

static void partial_stores(const isa *on)
{
    const vocabulary *v = vocabulary_of(on);
    const size_t whole = page_size();
    char *page = guarded_pages_new(whole), *want = allocate(whole, 1);
    for (size_t kind = 0; kind < PARTIALS; kind++) {
        const size_t size = partials[kind].size;
        lanes from;
        number(&from, size, partials[kind].first, SL_LANES);
        for (size_t i = 0; i <= v->width + MORE; i++)
            for (int at_end = 0; at_end < 2; at_end++) {
                const size_t n = element_count(i, v->width), stored = n < v->width ? n : v->width;
                const size_t at = at_end ? whole - stored * size : 0;
                memset(page, 0xa5, whole);
                memset(want, 0xa5, whole);
                memcpy(want + at, &from, stored * size);
                v->partial[kind].store(page + at, &from, n);
                if (memcmp(page, want, whole) != 0)
                    fail_msg("isa/%s.h: %zu of %zu elements of %zu bytes", on->name, n, v->width, size);
            }
    }
    free(want);
    guarded_pages_free(page, whole);
}

int main(void)
{
    const topic topics[] = {
        {.name = "width divides the lanes", .each_isa = width_divides_the_lanes},
        {.name = "words on special values", .each_isa = words_on_special_values},
        {.name = "words on random values", .each_isa = words_on_random_values},
        {.name = "every half to float", .each_isa = every_half_to_float},
        {.name = "floats near halves", .each_isa = floats_near_halves},
        {.name = "any float to half", .each_isa = any_float_to_half},
        {.name = "public conversions", .once = public_conversions},
        {.name = "partial loads", .each_isa = partial_loads},
        {.name = "partial stores", .each_isa = partial_stores},
    };
    return run_test_matrix("vocabulary", topics, sizeof topics / sizeof *topics);
}
