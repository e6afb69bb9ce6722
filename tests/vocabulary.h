/* SPDX-License-Identifier: MIT
 *
 * An ISA header's words as functions over arrays, so that code built for the baseline can call them.
 */
#ifndef VOCABULARY_H
#define VOCABULARY_H

#include "vocab.h"

/* SL_LANES values of one kind; truth values are ints that are 0 or 1. */
typedef union {
    float F[SL_LANES];
    uint32_t U[SL_LANES];
    double W[SL_LANES];
    uint64_t L[SL_LANES];
    int M[SL_LANES];
} lanes;

enum {
#define WORD(name, ...) WORD_##name,
#define FOLD(name, ...) WORD_##name,
#include "vocabulary.def"
#undef WORD
#undef FOLD
    WORDS
};

typedef struct {
    size_t width;
    int fused;
    void (*word[WORDS])(const lanes *a, const lanes *b, const lanes *c, lanes *result);
    void (*load_n)(const float *p, size_t n, float fill, float *result); /* `width` results */
    void (*store_n)(float *p, const float *lane, size_t n);
} vocabulary;

#define SL_ISA(name, arch) extern const vocabulary vocabulary_##name;
#include "isas.def"
#undef SL_ISA
extern const vocabulary vocabulary_scalar_fma;

/* The table that t_pick picks from: entries that differ in every byte. */
static const uint32_t picked[8] = {0x00102030, 0x41516171, 0x8292a2b2, 0xc3d3e3f3,
                                   0x04142434, 0x45556575, 0x8696a6b6, 0xc7d7e7f7};

#endif
