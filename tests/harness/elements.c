/* SPDX-License-Identifier: MIT
 *
 * See elements.h.
 */
#include "elements.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"

static void *or_exit(void *p, size_t count, size_t size)
{
    if (p == NULL) {
        fprintf(stderr, "out of memory: %zu x %zu bytes\n", count, size);
        exit(2);
    }
    return p;
}

void *allocate(size_t count, size_t size) { return or_exit(malloc(count * size + 1), count, size); }

void *allocate_zeroed(size_t count, size_t size) { return or_exit(calloc(count + 1, size), count, size); }

void *copy_of(const void *from, size_t bytes)
{
    void *to = allocate(bytes, 1);
    return from == NULL ? to : memcpy(to, from, bytes);
}

/* As FLT_MAX_EXP: IEEE formats are balanced. */
int max_exp_of(const sl_ref_dtype *dt) { return 3 - dt->min_exp; }

double largest_of(const sl_ref_dtype *dt) { return ldexp(1 - ldexp(1, -dt->digits), max_exp_of(dt)); }

void put_bits(const sl_ref_dtype *dt, void *x, size_t i, uint64_t bits)
{
    store_bits((char *)x + i * dt->size, dt->size, bits);
}

static uint64_t infinity_bits(const sl_ref_dtype *dt)
{
    const int exponent_bits = (int)dt->size * 8 - dt->digits;
    return ((UINT64_C(1) << exponent_bits) - 1) << (dt->digits - 1);
}

void put_infinity(const sl_ref_dtype *dt, void *x, size_t i) { put_bits(dt, x, i, infinity_bits(dt)); }

void put_nan(const sl_ref_dtype *dt, void *x, size_t i, bool negative, uint64_t payload)
{
    const uint64_t sign = (uint64_t)negative << (dt->size * 8 - 1),
                   most = (UINT64_C(1) << (dt->digits - 1)) - 1;
    payload &= most;
    put_bits(dt, x, i, sign | infinity_bits(dt) | (payload != 0 ? payload : most));
}

/* How a row of floats becomes one of another type. */
typedef struct {
    double stretch;      /* for ordinary values: 1, or the ratio of the logarithms of the least numbers */
    double exponent_low; /* the same for the exponents of tiny values */
    double exponent_high;
    double largest;
    enum { NO_DIGITS, DIGITS_OF_ROW, DIGITS_OF_ELEMENT } more;
    double digits; /* of the row */
} conversion;

static double low_digits(generator *g) { return 1 + (next_uniform(g) - 0.5) * 0x1p-24; }

static conversion next_conversion(const sl_ref_dtype *dt, generator *g)
{
    const double low = (dt->min_exp - dt->digits) / -149.0;
    return (conversion){
        .stretch = low == 1 || next_below(g, 2) == 0 ? 1 : low,
        .exponent_low = low,
        .exponent_high = max_exp_of(dt) / 128.0,
        .largest = largest_of(dt),
        .more = dt->digits <= 24 ? NO_DIGITS : next_below(g, 3),
        .digits = low_digits(g),
    };
}

static double convert(const conversion *to, generator *g, float from)
{
    if (!isfinite(from) || from == 0)
        return from;
    int exponent;
    double value = frexp(from, &exponent);
    if (exponent > 20)
        value = ldexp(value, (int)(exponent * to->exponent_high));
    else if (exponent < -20)
        value = ldexp(value, (int)(exponent * to->exponent_low));
    else
        value = to->stretch * from;
    if (to->more != NO_DIGITS)
        value *= to->more == DIGITS_OF_ROW ? to->digits : low_digits(g);
    return fabs(value) > to->largest ? copysign(to->largest, value) : value;
}

void fill_elements(const sl_ref_dtype *dt, const distribution *d, generator *g, void *x, sl_shape shape)
{
    float *row = allocate(shape.classes, sizeof *row);
    for (size_t r = 0; r < rows(shape); r++) {
        const conversion to = next_conversion(dt, g);
        d->fill(g, row, shape.classes);
        for (size_t c = 0; c < shape.classes; c++)
            dt->put(x, element_at(shape, r, c), convert(&to, g, row[c]));
    }
    free(row);
}
