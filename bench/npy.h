/* SPDX-License-Identifier: MIT
 *
 * A strict reader of NumPy's .npy files, for arrays that people bring from their own model: little-endian floats
 * and integers, bfloat16 as it is saved from ml_dtypes ('<V2') or as its bits ('<u2'), 1-D or 2-D, in C order, format
 * versions 1.0, 2.0 and 3.0. Everything else is refused with the reason; the file is taken to be hostile.
 */
#ifndef SL_BENCH_NPY_H
#define SL_BENCH_NPY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A type, or a set of them. NPY_BF16 is no set's: a file does not say that its two bytes are a bfloat16. */
enum npy_type {
    NPY_F16 = 1,
    NPY_F32 = 2,
    NPY_F64 = 4,
    NPY_I8 = 8,
    NPY_I16 = 16,
    NPY_I32 = 32,
    NPY_I64 = 64,
    NPY_U8 = 128,
    NPY_U16 = 256,
    NPY_U32 = 512,
    NPY_U64 = 1024,
    NPY_BF16 = 2048,
    NPY_FLOATS = NPY_F16 | NPY_F32 | NPY_F64,
    NPY_INTEGERS = NPY_I8 | NPY_I16 | NPY_I32 | NPY_I64 | NPY_U8 | NPY_U16 | NPY_U32 | NPY_U64,
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

/* Element i of an array of integers. False: it is larger than an int64_t can be; *value is INT64_MAX then. */
bool npy_integer(const struct npy *array, size_t i, int64_t *value);

#endif
