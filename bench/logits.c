/* SPDX-License-Identifier: MIT */
#include "logits.h"

#include "arguments.h"
#include "npy.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

const char logits_help[] =
    "  --logits FILE.npy    run on these logits (little-endian float32, C order, rows x classes or one row)\n"
    "  --targets FILE.npy   their class ids (int64, one per row); without it the losses are left out\n";

static struct npy read_array(const char *flag, const char *path, enum npy_type type)
{
    char error[512];
    struct npy array;
    if (!npy_read(path, type, &array, error, sizeof error))
        refuse("%s: %s", flag, error);
    if (array.shape[0] == 0 || array.shape[1] == 0)
        refuse("%s: %s: holds no elements", flag, path);
    return array;
}

static float *one_hot(const int64_t *target, size_t rows, size_t classes)
{
    float *p = calloc(rows * classes, sizeof *p);
    if (!p)
        refuse("--targets: out of memory");
    for (size_t r = 0; r < rows; r++)
        p[r * classes + (size_t)target[r]] = 1;
    return p;
}

static void load_targets(const char *path, struct workload *w)
{
    struct npy array = read_array("--targets", path, NPY_I64);
    const int64_t *target = array.data;
    size_t rows = w->shape.outer, classes = w->shape.classes;
    if (array.shape[1] != rows)
        refuse("--targets: %s: holds %zu class ids for %zu rows of logits", path, array.shape[1], rows);
    for (size_t r = 0; r < rows; r++)
        if (target[r] < 0 || (uint64_t)target[r] >= classes)
            refuse("--targets: %s: class id %" PRId64 " at %zu is not in [0, %zu)", path, target[r], r,
                   classes);
    w->target_class = target;
    w->target_prob = one_hot(target, rows, classes);
}

void logits_load(const char *logits, const char *targets, struct workload *w)
{
    struct npy array = read_array("--logits", logits, NPY_F32);
    w->shape = sl_rows(array.shape[0], array.shape[1]);
    w->x = array.data;
    if (targets) {
        load_targets(targets, w);
        return;
    }
    fprintf(stderr, "note: without --targets these are left out:");
    for (size_t k = 0; k < kernel_count; k++)
        if (!workload_suits(&kernels[k], w))
            fprintf(stderr, " %s", kernels[k].name);
    fprintf(stderr, "\n");
}
