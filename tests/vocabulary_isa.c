/* SPDX-License-Identifier: MIT
 *
 * The words of one ISA header as functions. Compiled once per ISA, with VOCABULARY_ISA=avx2, say, and
 * VOCABULARY_HEADER="isa/avx2.h".
 */
#include "vocabulary.h"

#include VOCABULARY_HEADER

#define PASTE_(a, b) a##b
#define PASTE(a, b) PASTE_(a, b)

#ifdef SL_W

/* A register at element i of each kind, from and to arrays. Truth comes from a comparison and goes into a
 * selection. */
#define LOAD_F(from) v_load((from)->F + i)
#define LOAD_U(from) v_bits(v_load((from)->F + i))
#define LOAD_W(from) w_load((from)->W + i)
#define LOAD_L(from) w_bits(w_load((from)->W + i))
#define LOAD_M(from) v_nle(truth_of((from)->M + i), v_set1(0))
#define LOAD_T(from) w_nle(v_widen(truth_of((from)->T + i)), w_set1(0))
#define LOAD_H(from) h_load((from)->H + i)
#define STORE_F(x) v_store(result->F + i, x)
#define STORE_N STORE_F
#define STORE_U(x) v_store(result->F + i, v_float(x))
#define STORE_W(x) w_store(result->W + i, x)
#define STORE_X STORE_W
#define STORE_L(x) w_store(result->W + i, w_float(x))
#define STORE_M(x) store_truth(result->M + i, v_select(x, v_set1(1), v_set1(0)))
#define STORE_T(x) store_truth(result->T + i, v_narrow(w_select(x, w_set1(1), w_set1(0))))
#define STORE_H(x) h_store(result->H + i, x)
#define TYPE_F vf
#define TYPE_U vu
#define TYPE_W vw
#define TYPE_L wu
#define TYPE_M vm
#define TYPE_T wm
#define TYPE_H vu

SL_INLINE vf truth_of(const int *from)
{
    float lane[SL_W];
    for (size_t l = 0; l < SL_W; l++)
        lane[l] = from[l] ? 1.0f : 0.0f;
    return v_load(lane);
}

SL_INLINE void store_truth(int *to, vf truth)
{
    float lane[SL_W];
    v_store(lane, truth);
    for (size_t l = 0; l < SL_W; l++)
        to[l] = lane[l] == 1.0f;
}

/* What words leave in memory. */
SL_INLINE vf streamed(vf a)
{
    _Alignas(64) float lane[SL_W];
    v_stream(lane, a);
    stream_end();
    return v_load(lane);
}

SL_INLINE vw streamed_wide(vw a)
{
    _Alignas(64) double lane[SL_W];
    w_stream(lane, a);
    stream_end();
    return w_load(lane);
}

SL_INLINE vu streamed_half(vu a)
{
    _Alignas(64) uint16_t lane[SL_W];
    h_stream(lane, a);
    stream_end();
    return h_load(lane);
}

/* Two u16 from each lane as they lie in memory, and back. */
SL_INLINE void take_apart(vu a, uint16_t half[2 * SL_W])
{
    float lane[SL_W];
    v_store(lane, v_float(a));
    for (size_t l = 0; l < SL_W; l++) {
        uint32_t bits;
        memcpy(&bits, lane + l, sizeof bits);
        half[2 * l] = (uint16_t)bits;
        half[2 * l + 1] = (uint16_t)(bits >> 16);
    }
}

SL_INLINE vu join(const uint16_t half[2 * SL_W])
{
    float lane[SL_W];
    for (size_t l = 0; l < SL_W; l++) {
        const uint32_t bits = half[2 * l] | (uint32_t)half[2 * l + 1] << 16;
        memcpy(lane + l, &bits, sizeof bits);
    }
    return v_bits(v_load(lane));
}

SL_INLINE vu loaded_two(vu a)
{
    uint16_t half[2 * SL_W];
    take_apart(a, half);
    return hh_load(half);
}

SL_INLINE vu stored_two(vu a)
{
    uint16_t half[2 * SL_W];
    hh_store(half, a);
    return join(half);
}

SL_INLINE vu streamed_two(vu a)
{
    _Alignas(64) uint16_t half[2 * SL_W];
    hh_stream(half, a);
    stream_end();
    return join(half);
}

/* The first n by a partial word, the others as they are, for every n; a word that takes others leaves wrong bits. */
SL_INLINE vu partly_loaded_two(vu a)
{
    uint16_t half[2 * SL_W], part[2 * SL_W];
    take_apart(a, half);
    for (size_t n = 0; n <= 2 * SL_W; n++) {
        take_apart(hh_load_n(half, n, 0x7e01), part);
        for (size_t i = 0; i < 2 * SL_W; i++)
            if (part[i] != (i < n ? half[i] : 0x7e01))
                half[i] ^= 1;
    }
    return join(half);
}

SL_INLINE vu partly_stored_two(vu a)
{
    uint16_t half[2 * SL_W], part[2 * SL_W];
    take_apart(a, half);
    for (size_t n = 0; n <= 2 * SL_W; n++) {
        memset(part, 0x3c, sizeof part);
        hh_store_n(part, join(half), n);
        for (size_t i = 0; i < 2 * SL_W; i++)
            if (part[i] != (i < n ? half[i] : 0x3c3c))
                half[i] ^= 1;
    }
    return join(half);
}

SL_INLINE vf loaded_f16(vu a)
{
    uint16_t lane[SL_W];
    h_store(lane, a);
    return v_load_f16(lane);
}

SL_INLINE vu stored_f16(vf a)
{
    uint16_t lane[SL_W];
    v_store_f16(lane, a);
    return h_load(lane);
}

SL_INLINE vu streamed_f16(vf a)
{
    _Alignas(64) uint16_t lane[SL_W];
    v_stream_f16(lane, a);
    stream_end();
    return h_load(lane);
}

SL_INLINE vw loaded_wide(vf a)
{
    float lane[SL_W];
    v_store(lane, a);
    return v_load_wide(lane);
}

/* What a term may be. */
SL_INLINE vf term_of(vf a) { return v_min(v_set1(0x1p92f), v_abs(a)); }
#if SL_FMA
SL_INLINE vw sum_of_terms_of(vf a, vf b)
{
    return w_sum_of_terms(w_add_terms(w_add_terms(w_set1(0), term_of(a)), term_of(b)));
}
SL_INLINE double fold_of_terms_of(vf a) { return w_fold_terms(w_add_terms(w_set1(0), term_of(a))); }
#else
SL_INLINE vw sum_of_terms_of(vf a, vf b) { return w_add(v_widen(term_of(a)), v_widen(term_of(b))); }
SL_INLINE double fold_of_terms_of(vf a) { return w_fold_add(v_widen(term_of(a))); }
#endif

/* Column k of rows (a, b, c, a), which lie 5 apart. */
enum { STEP = 5 };
#define TRANSPOSED(type, number, load, store, load_statement, store_statement, loaded, stored)               \
    SL_INLINE type loaded(type a, type b, type c, size_t k)                                                  \
    {                                                                                                        \
        const type columns[4] = {a, b, c, a};                                                                \
        number lane[SL_W], rows[SL_W * STEP];                                                                \
        type q[4];                                                                                           \
        for (size_t column = 0; column < 4; column++) {                                                      \
            store(lane, columns[column]);                                                                    \
            for (size_t l = 0; l < SL_W; l++)                                                                \
                memcpy(rows + l * STEP + column, lane + l, sizeof *lane);                                    \
        }                                                                                                    \
        load_statement;                                                                                      \
        return q[k];                                                                                         \
    }                                                                                                        \
    SL_INLINE type stored(type a, type b, type c, size_t k)                                                  \
    {                                                                                                        \
        const type columns[4] = {a, b, c, a};                                                                \
        number lane[SL_W], rows[SL_W * STEP];                                                                \
        store_statement;                                                                                     \
        for (size_t l = 0; l < SL_W; l++)                                                                    \
            memcpy(lane + l, rows + l * STEP + k, sizeof *lane);                                             \
        return load(lane);                                                                                   \
    }
TRANSPOSED(vf, float, v_load, v_store, v_load_transposed(rows, STEP, q),
           v_store_transposed(rows, STEP, columns), v_loaded_transposed, v_stored_transposed)
TRANSPOSED(vw, double, w_load, w_store, w_load_transposed(rows, STEP, q),
           w_store_transposed(rows, STEP, columns), w_loaded_transposed, w_stored_transposed)

#define WORD(name, result_kind, kind_a, kind_b, kind_c, expression, definition)                              \
    static void word_##name(const lanes *a_, const lanes *b_, const lanes *c_, lanes *result)                \
    {                                                                                                        \
        for (size_t i = 0; i < SL_LANES; i += SL_W) {                                                        \
            const TYPE_##kind_a a = LOAD_##kind_a(a_);                                                       \
            const TYPE_##kind_b b = LOAD_##kind_b(b_);                                                       \
            const TYPE_##kind_c c = LOAD_##kind_c(c_);                                                       \
            (void)a, (void)b, (void)c;                                                                       \
            STORE_##result_kind(expression);                                                                 \
        }                                                                                                    \
    }
#define FOLD(name, result_kind, kind_a, expression, definition)                                              \
    static void word_##name(const lanes *a_, const lanes *b_, const lanes *c_, lanes *result)                \
    {                                                                                                        \
        (void)b_, (void)c_;                                                                                  \
        for (size_t i = 0; i < SL_LANES; i += SL_W) {                                                        \
            const TYPE_##kind_a a = LOAD_##kind_a(a_);                                                       \
            STORE_##result_kind(expression);                                                                 \
        }                                                                                                    \
    }
#define PARTIAL(kind, element, load, store)                                                                  \
    static void load_##kind(const void *from, size_t n, const lanes *filler, lanes *result)                  \
    {                                                                                                        \
        enum { i = 0 };                                                                                      \
        const element *p = from;                                                                             \
        const element fill = filler->kind[0];                                                                \
        STORE_##kind(load);                                                                                  \
    }                                                                                                        \
    static void store_##kind(void *to, const lanes *from, size_t n)                                          \
    {                                                                                                        \
        enum { i = 0 };                                                                                      \
        element *p = to;                                                                                     \
        const TYPE_##kind a = LOAD_##kind(from);                                                             \
        store;                                                                                               \
    }
#include "vocabulary.def"

const vocabulary PASTE(vocabulary_, VOCABULARY_ISA) = {
    .width = SL_W,
    .fused = SL_FMA,
    .word =
        {
#define WORD(name, ...) word_##name,
#define FOLD(name, ...) word_##name,
#include "vocabulary.def"
        },
    .partial =
        {
#define PARTIAL(kind, ...) {load_##kind, store_##kind},
#include "vocabulary.def"
        },
};

SL_CLOSE
#else /* without the flags of its row */
const vocabulary PASTE(vocabulary_, VOCABULARY_ISA) = {0};
#endif
