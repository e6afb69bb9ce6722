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
    int T[SL_LANES];
    uint16_t H[SL_LANES];
} lanes;

enum {
#define WORD(name, ...) WORD_##name,
#define FOLD(name, ...) WORD_##name,
#include "vocabulary.def"
    WORDS
};

enum {
#define PARTIAL(kind, ...) PARTIAL_##kind,
#include "vocabulary.def"
    PARTIALS
};

typedef struct {
    size_t width;
    int fused;
    void (*word[WORDS])(const lanes *a, const lanes *b, const lanes *c, lanes *result);
    struct { /* of one register; fill is lane 0 of `filler` */
        void (*load)(const void *from, size_t n, const lanes *filler, lanes *result);
        void (*store)(void *to, const lanes *from, size_t n);
    } partial[PARTIALS];
} vocabulary;

#define SL_ISA(name, ...) extern const vocabulary vocabulary_##name;
#include "isas.def"
#undef SL_ISA
extern const vocabulary vocabulary_scalar_fma;

/* The table that t_pick picks from: entries that differ in every byte. */
static const uint32_t picked[8] = {0x00102030, 0x41516171, 0x8292a2b2, 0xc3d3e3f3,
                                   0x04142434, 0x45556575, 0x8696a6b6, 0xc7d7e7f7};

#endif
