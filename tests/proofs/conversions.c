/* SPDX-License-Identifier: MIT
 *
 * Every float, stored as the unit's element of 16 bits (SL_UNIT_TYPE), and every such element loaded: the first is to be rounded to
 * nearest, ties to even, denormals kept, and the second exact. Exit code 1 if one is not.
 */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "reference.h"

#include "element/element.h"

#ifdef SL_IS_F16
enum { DIGITS = 11, LEAST = -14 };
#define OVERFLOWS 0x1p16
#else
enum { DIGITS = 8, LEAST = -126 };
#define OVERFLOWS 0x1p128
#endif

/* By what the bits say. */
static double value_of(uint16_t bits)
{
    const int fraction = bits & ((1 << (DIGITS - 1)) - 1), exponent = (bits & 0x7fff) >> (DIGITS - 1);
    const int most = (1 << (16 - DIGITS)) - 1;
    const double sign = bits & 0x8000 ? -1 : 1;
    if (exponent == most)
        return fraction ? NAN : sign * (double)INFINITY;
    const int whole = exponent ? fraction | 1 << (DIGITS - 1) : fraction;
    return sign * ldexp(whole, (exponent ? exponent : 1) - 1 + LEAST - DIGITS + 1);
}

static double values[65536];

static int stores(void)
{
    static float x[BLOCK];
    static T y[BLOCK];
    static double want[BLOCK];
    int wrong = 0;
    for (uint64_t first = 0; first < UINT64_C(1) << 32 && wrong < 9; first += BLOCK) {
        for (uint32_t i = 0; i < BLOCK; i++) {
            const uint32_t bits = (uint32_t)first + i;
            memcpy(x + i, &bits, sizeof bits);
        }
        for (size_t i = 0; i < BLOCK; i += SL_W)
            store(y + i, v_load(x + i));
        rounded_to(x, DIGITS, LEAST, want);
        int different = 0;
        for (size_t i = 0; i < BLOCK; i++) {
            const double got = values[y[i].bits];
            const int over = !(fabs(want[i]) < OVERFLOWS), nan = x[i] != x[i];
            different |= nan ? got == got : over ? fabs(got) != (double)INFINITY : got != want[i];
            different |= !nan && !signbit(got) != !signbit(x[i]);
        }
        if (different && wrong++ < 9)
            printf("# FAILED: not rounded to nearest, in the block from %a\n", (double)x[0]);
    }
    return wrong;
}

static int loads(void)
{
    int wrong = 0;
    for (uint32_t bits = 0; bits < 65536; bits += SL_W) {
        T x[SL_W];
        float y[SL_W];
        for (uint32_t l = 0; l < SL_W; l++)
            x[l].bits = (uint16_t)(bits + l);
        v_store(y, load(x));
        for (uint32_t l = 0; l < SL_W; l++) {
            const double want = values[bits + l];
            wrong += want == want ? (double)y[l] != want || !signbit(y[l]) != !signbit(want) : y[l] == y[l];
        }
    }
    return wrong;
}

SL_CLOSE

int main(int count, char **names)
{
    if (count > 1 && strcmp(names[1], SL_TEXT(SL_UNIT_TYPE)) != 0) {
        fprintf(stderr, "conversions: it is of %s\n", SL_TEXT(SL_UNIT_TYPE));
        return 2;
    }
    for (uint32_t bits = 0; bits < 65536; bits++)
        values[bits] = value_of((uint16_t)bits);
    const int wrong = stores() + loads();
    printf("%s: all floats rounded to nearest: %s\n", SL_TEXT(SL_UNIT_TYPE), wrong ? "no" : "yes");
    return wrong != 0;
}
