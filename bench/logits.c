/* SPDX-License-Identifier: MIT */
#include "logits.h"

#include "arguments.h"
#include "npy.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

const char logits_help[] =
    "  --logits FILE.npy    run on these logits: little-endian float16, float32 or float64, C order, rows x\n"
    "                       classes or one row; types that cannot hold them get them rounded\n"
    "  --targets FILE.npy   their class ids (int64, one per row); without it the losses are left out\n";

static struct npy read_array(const char *flag, const char *path, enum npy_type types)
{
    char error[512];
    struct npy array;
    if (!npy_read(path, types, &array, error, sizeof error))
        refuse("%s: %s", flag, error);
    if (array.shape[0] == 0 || array.shape[1] == 0)
        refuse("%s: %s: holds no elements", flag, path);
    return array;
}

static const sl_ref_dtype *dtype_of(const struct npy *array)
{
    return &sl_ref_dtypes[array->type == NPY_F16   ? SL_COUNT_f16
                          : array->type == NPY_F32 ? SL_COUNT_f32
                                                   : SL_COUNT_f64];
}

static void load_logits(const char *path, struct logits *l)
{
    struct npy array = read_array("--logits", path, NPY_FLOATS);
    const size_t n = array.shape[0] * array.shape[1];
    double *x = calloc(n, sizeof *x);
    if (!x)
        refuse("--logits: out of memory");
    for (size_t i = 0; i < n; i++)
        x[i] = dtype_of(&array)->get(array.data, i);
    free(array.data);
    *l = (struct logits){sl_rows(array.shape[0], array.shape[1]), x, NULL};
}

static void load_targets(const char *path, struct logits *l)
{
    struct npy array = read_array("--targets", path, NPY_I64);
    int64_t *target = array.data;
    const size_t rows = l->shape.outer, classes = l->shape.classes;
    if (array.shape[1] != rows)
        refuse("--targets: %s: holds %zu class ids for %zu rows of logits", path, array.shape[1], rows);
    for (size_t r = 0; r < rows; r++)
        if (target[r] < 0 || (uint64_t)target[r] >= classes)
            refuse("--targets: %s: class id %" PRId64 " at %zu is not in [0, %zu)", path, target[r], r,
                   classes);
    l->target = target;
}

void logits_load(const char *logits, const char *targets, struct logits *l)
{
    load_logits(logits, l);
    if (targets) {
        load_targets(targets, l);
        return;
    }
    fprintf(stderr, "note: without --targets these are left out:");
    for (size_t k = 0; k < KERNELS; k += SL_DTYPE_COUNT)
        if (!logits_suit(l, &kernels[k]))
            fprintf(stderr, " %s", kernels[k].name);
    fprintf(stderr, "\n");
}

bool logits_suit(const struct logits *l, const struct kernel *k) { return l->target || !kernel_is_loss(k); }

void logits_put(const struct logits *l, const sl_ref_dtype *dtype, void *to)
{
    static bool noted[SL_DTYPE_COUNT];
    const size_t n = elements_of(l->shape);
    size_t rounded = 0;
    for (size_t i = 0; i < n; i++) {
        dtype->put(to, i, l->x[i]);
        rounded += dtype->get(to, i) != l->x[i] && !isnan(l->x[i]);
    }
    if (rounded && !noted[dtype - sl_ref_dtypes])
        fprintf(stderr, "note: in %s %zu of these %zu logits are rounded\n", dtype->name, rounded, n);
    noted[dtype - sl_ref_dtypes] = true;
}

void logits_put_one_hot(const struct logits *l, const sl_ref_dtype *dtype, void *to)
{
    for (size_t r = 0; r < l->shape.outer; r++)
        for (size_t c = 0; c < l->shape.classes; c++)
            dtype->put(to, r * l->shape.classes + c, l->target[r] == (int64_t)c);
}
