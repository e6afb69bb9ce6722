/* SPDX-License-Identifier: MIT
 *
 * A strict reader of NumPy's .npy files, for arrays that people bring from their own model: little-endian
 * float32 (1-D or 2-D) and int64 (1-D), C order, format versions 1.0 and 2.0. Everything else is refused with
 * the reason; the file is taken to be hostile.
 */
#ifndef SL_BENCH_NPY_H
#define SL_BENCH_NPY_H

#include <stdbool.h>
#include <stddef.h>

enum npy_type { NPY_F32, NPY_I64 };

struct npy {
    enum npy_type type;
    unsigned dimensions; /* 1 or 2 */
    size_t shape[2];     /* a 1-D array of n elements is {1, n}: one row */
    void *data;          /* shape[0] * shape[1] elements; free() it */
};

/* Reads `path`, which must hold `type`. On failure returns false, leaves *array alone and puts
 * "<path>: <reason>" into error[size]; it may quote from the file. */
bool npy_read(const char *path, enum npy_type type, struct npy *array, char *error, size_t size);

#endif
