/* SPDX-License-Identifier: MIT
 *
 * A strict reader of NumPy's .npy files, for arrays that people bring from their own model: little-endian
 * float16, float32, float64 and uint8 (1-D or 2-D) and int64 (1-D), C order, format versions 1.0 and 2.0. Everything
 * else is refused with the reason; the file is taken to be hostile.
 */
#ifndef SL_BENCH_NPY_H
#define SL_BENCH_NPY_H

#include <stdbool.h>
#include <stddef.h>

/* A type, or a set of them. */
enum npy_type {
    NPY_F16 = 1,
    NPY_F32 = 2,
    NPY_F64 = 4,
    NPY_I64 = 8,
    NPY_U8 = 16,
    NPY_FLOATS = NPY_F16 | NPY_F32 | NPY_F64,
};

struct npy {
    enum npy_type type;  /* one */
    unsigned dimensions; /* 1 or 2 */
    size_t shape[2];     /* a 1-D array of n elements is {1, n}: one row */
    void *data;          /* shape[0] * shape[1] elements; free() it */
};

/* Reads `path`, which must hold one of `types`. On failure returns false, leaves *array alone and puts
 * "<path>: <reason>" into error[size]; it may quote from the file. */
bool npy_read(const char *path, enum npy_type types, struct npy *array, char *error, size_t size);

#endif
