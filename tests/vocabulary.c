/* SPDX-License-Identifier: MIT
 *
 * Every word of every ISA header does what vocab.h says: bit for bit what its definition in plain C
 * (vocabulary.def) does, on all combinations of special values and on random ones, and nothing beyond the
 * elements it may touch.
 */
#define _DEFAULT_SOURCE /* MAP_ANONYMOUS */
#include "masked_load.h"
#include "vocabulary.h"

#include <float.h>
#include <sys/mman.h>
#include <unistd.h>

#include "workload.h"

static double double_of_bits(uint64_t bits)
{
    double d;
    memcpy(&d, &bits, sizeof d);
    return d;
}

static uint64_t bits_of_double(double d)
{
    uint64_t bits;
    memcpy(&bits, &d, sizeof bits);
    return bits;
}

/* ------------------------------------------------------------------------------------------ definitions */

static float fold_max(const float *lane, size_t width)
{
    float folded[SL_LANES];
    memcpy(folded, lane, width * sizeof *lane);
    for (size_t half = width / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            folded[l] = folded[l] > folded[l + half] ? folded[l] : folded[l + half];
    return folded[0];
}

static double fold_add(const double *lane, size_t width)
{
    double folded[SL_LANES];
    memcpy(folded, lane, width * sizeof *lane);
    for (size_t half = width / 2; half > 0; half /= 2)
        for (size_t l = 0; l < half; l++)
            folded[l] += folded[l + half];
    return folded[0];
}

static size_t count_true(const int *lane, size_t width)
{
    size_t count = 0;
    for (size_t l = 0; l < width; l++)
        count += lane[l] != 0;
    return count;
}

#define TYPE_F float
#define TYPE_N float
#define TYPE_U uint32_t
#define TYPE_W double
#define TYPE_X double
#define TYPE_L uint64_t
#define TYPE_M int
#define ARRAY_N F
#define ARRAY_X W
#define ARRAY_F F
#define ARRAY_U U
#define ARRAY_W W
#define ARRAY_L L
#define ARRAY_M M
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
#undef WORD
#undef FOLD

typedef enum { KIND_F, KIND_U, KIND_W, KIND_L, KIND_M, KIND_N, KIND_X } kind;

static const struct {
    const char *name;
    kind result, a, b, c;
    void (*define)(const lanes *a, const lanes *b, const lanes *c, lanes *result, int fused, size_t width);
} words[WORDS] = {
#define WORD(name, result, a, b, c, ...) {#name, KIND_##result, KIND_##a, KIND_##b, KIND_##c, define_##name},
#define FOLD(name, result, a, ...) {#name, KIND_##result, KIND_##a, KIND_F, KIND_F, define_##name},
#include "vocabulary.def"
#undef WORD
#undef FOLD
};

/* ------------------------------------------------------------------------------------------------ input */

static const float special_floats[] = {
    0.0f,    -0.0f,    1.0f,      -1.0f,      1.5f,          -2.5f,         0.1f,      -0.1f,
    3.0f,    7.0f,     0x1p-149f, -0x1p-149f, FLT_MIN,       -FLT_MIN,      0x1p-127f, 0x1.fp-130f,
    FLT_MAX, -FLT_MAX, 0x1p23f,   -0x1p24f,   0x1.fffffep0f, 0x1.000002p0f, INFINITY,  -INFINITY,
    NAN,     -NAN,     0x1.8p20f, 0x1p100f,   0x1p-100f,     1e-40f,
};
enum { SPECIAL_FLOATS = sizeof special_floats / sizeof *special_floats };

/* Those of f32, and what rounding to f32 turns on: ties, the range's ends, denormal results. */
static const double special_doubles[] = {
    1 + 0x1p-24,
    1 + 0x3p-24,
    1 + 0x1.000002p-24,
    1 - 0x1p-25,
    0x1p-150,
    0x1.8p-150,
    0x1.000001p-150,
    -0x1p-151,
    0x1.8p-149,
    0x1p-126,
    0x1.ffffffp127,
    0x1.fffffefffp127,
    0x1p128,
    -0x1p1000,
    0x1p-1000,
    0x1p-1074,
    0x1.ffffffp-127,
    DBL_MAX,
    0.1,
    -1.0 / 3,
    6755399441055744.0,
};
enum { SPECIAL_DOUBLES = sizeof special_doubles / sizeof *special_doubles };

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
        else if (k == KIND_M)
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
#define SL_ISA(name, arch) BUILT(arch, vocabulary_##name),
#include "isas.def"
#undef SL_ISA
#ifdef SOFTLANE_TEST_SCALAR_FMA
        &vocabulary_scalar_fma,
#endif
    };
    return vocabularies[on->index];
}

static bool lane_equal(kind k, const lanes *got, const lanes *want, size_t l)
{
    switch (k) {
    case KIND_N:
        return got->U[l] == want->U[l] || (isnan(got->F[l]) && isnan(want->F[l]));
    case KIND_X:
        return got->L[l] == want->L[l] || (isnan(got->W[l]) && isnan(want->W[l]));
    case KIND_W:
    case KIND_L:
        return got->L[l] == want->L[l];
    case KIND_M:
        return got->M[l] == want->M[l];
    case KIND_F:
    case KIND_U:
        break;
    }
    return got->U[l] == want->U[l];
}

static void compare_word(const isa *on, size_t i, const lanes *a, const lanes *b, const lanes *c)
{
    const vocabulary *v = vocabulary_of(on);
    lanes got, want;
    memset(&got, 0x55, sizeof got);
    v->word[i](a, b, c, &got);
    words[i].define(a, b, c, &want, v->fused, v->width);
    for (size_t l = 0; l < SL_LANES; l++)
        if (!lane_equal(words[i].result, &got, &want, l)) {
            const bool wide =
                words[i].result == KIND_W || words[i].result == KIND_X || words[i].result == KIND_L;
            fail_msg(
                "isa/%s.h: %s, lane %zu: a = %08x or %016llx, b = %08x or %016llx: got %0*llx, want %0*llx",
                on->name, words[i].name, l, a->U[l], (unsigned long long)a->L[l], b->U[l],
                (unsigned long long)b->L[l], wide ? 16 : 8, (unsigned long long)(wide ? got.L[l] : got.U[l]),
                wide ? 16 : 8, (unsigned long long)(wide ? want.L[l] : want.U[l]));
        }
}

static void words_on_random_values(const isa *on)
{
    generator g = {17};
    for (size_t i = 0; i < WORDS; i++)
        for (size_t repeat = 0; repeat < effort(20000, 300); repeat++) {
            lanes a, b, c;
            fill_argument(&a, words[i].a, &g);
            fill_argument(&b, words[i].b, &g);
            fill_argument(&c, words[i].c, &g);
            compare_word(on, i, &a, &b, &c);
        }
}

/* Every pair, and for the three-operand words every triple, of special floats. */
static void words_on_special_floats(const isa *on)
{
    for (size_t i = 0; i < WORDS; i++) {
        if (words[i].a != KIND_F)
            continue;
        const size_t thirds = i == WORD_v_fma || i == WORD_v_fnma ? SPECIAL_FLOATS : 1;
        for (size_t first = 0; first < SPECIAL_FLOATS * SPECIAL_FLOATS * thirds; first += SL_LANES) {
            lanes a, b, c;
            for (size_t l = 0; l < SL_LANES; l++) {
                const size_t n = first + l;
                a.F[l] = special_floats[n % SPECIAL_FLOATS];
                b.F[l] = special_floats[n / SPECIAL_FLOATS % SPECIAL_FLOATS];
                c.F[l] = special_floats[n / SPECIAL_FLOATS / SPECIAL_FLOATS % SPECIAL_FLOATS];
            }
            compare_word(on, i, &a, &b, &c);
        }
    }
}

static void width_divides_the_lanes(const isa *on)
{
    const vocabulary *v = vocabulary_of(on);
    assert_true(v->width > 0 && SL_LANES % v->width == 0);
    assert_true(v->fused == on->table->fma);
}

/* One page between two inaccessible ones: its first and last elements can be reached, nothing beyond. */
static float *page_new(size_t *floats)
{
    const size_t page = (size_t)sysconf(_SC_PAGESIZE);
    char *all = mmap(NULL, 3 * page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    assert_true(all != MAP_FAILED);
    assert_int_equal(mprotect(all + page, page, PROT_READ | PROT_WRITE), 0);
    *floats = page / sizeof(float);
    return (float *)(all + page);
}

static void page_free(float *page, size_t floats)
{
    const size_t size = floats * sizeof *page;
    munmap((char *)page - size, 3 * size);
}

static void partial_loads(const isa *on)
{
    skip_where_masked_loads_fault(on);
    const vocabulary *v = vocabulary_of(on);
    size_t floats;
    float *page = page_new(&floats), lane[SL_LANES];
    for (size_t i = 0; i < floats; i++)
        page[i] = float_of_bits(0x7f812345u + (uint32_t)i); /* signalling NaNs: a load is a copy */
    for (size_t n = 0; n <= v->width; n++)
        for (int at_end = 0; at_end < 2; at_end++) {
            const float *p = at_end ? page + floats - n : page;
            v->load_n(p, n, -7.5f, lane);
            for (size_t l = 0; l < v->width; l++)
                assert_int_equal(bits_of(lane[l]), l < n ? bits_of(p[l]) : bits_of(-7.5f));
        }
    for (size_t n = v->width; n <= v->width + 40; n += 3) { /* more than a register holds */
        v->load_n(page + floats - v->width, n, -7.5f, lane);
        assert_memory_equal(lane, page + floats - v->width, v->width * sizeof *lane);
    }
    v->load_n(page + floats - v->width, SIZE_MAX, -7.5f, lane);
    assert_memory_equal(lane, page + floats - v->width, v->width * sizeof *lane);
    page_free(page, floats);
}

static void partial_stores(const isa *on)
{
    const vocabulary *v = vocabulary_of(on);
    size_t floats;
    float *page = page_new(&floats), lane[SL_LANES];
    for (size_t l = 0; l < SL_LANES; l++)
        lane[l] = float_of_bits(0x7f812345u + (uint32_t)l);
    const size_t counts[] = {v->width + 1, v->width + 32, SIZE_MAX};
    for (size_t i = 0; i <= v->width + sizeof counts / sizeof *counts; i++)
        for (int at_end = 0; at_end < 2; at_end++) {
            const size_t n = i <= v->width ? i : counts[i - v->width - 1],
                         stored = n < v->width ? n : v->width;
            float *p = at_end ? page + floats - stored : page;
            memset(page, 0xa5, floats * sizeof *page);
            v->store_n(p, lane, n);
            for (size_t f = 0; f < floats; f++) {
                const bool written = page + f >= p && page + f < p + stored;
                assert_int_equal(bits_of(page[f]), written ? bits_of(lane[page + f - p]) : 0xa5a5a5a5u);
            }
        }
    page_free(page, floats);
}

int main(void)
{
    const topic topics[] = {
        {.name = "width divides the lanes", .each_isa = width_divides_the_lanes},
        {.name = "words on special floats", .each_isa = words_on_special_floats},
        {.name = "words on random values", .each_isa = words_on_random_values},
        {.name = "partial loads", .each_isa = partial_loads},
        {.name = "partial stores", .each_isa = partial_stores},
    };
    return ladder_climb("vocabulary", topics, sizeof topics / sizeof *topics);
}
