/* SPDX-License-Identifier: MIT */
#include "logits.h"

#include "arguments.h"
#include "npy.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char logits_help[] =
    "  --logits FILE.npy    run on these logits: little-endian float16, float32, float64 or (--dtype) "
    "bfloat16,\n"
    "                       C order, rows x classes or one row; types that cannot hold them get them "
    "rounded\n"
    "  --dtype bf16         FILE's elements of two bytes are bfloat16 (ml_dtypes, or bits in uint16): .npy "
    "files\n"
    "                       do not say so\n"
    "  --targets FILE.npy   their class ids (any integers, one per row); without it the losses are left out\n"
    "  --ignore-index N     rows with this target are ignored; losses of probabilities get a target of zeros "
    "there\n";

bool logits_argument(struct logits_flags *flags, int *i, int argc, char **argv)
{
    return argument_value("--logits", i, argc, argv, &flags->logits) ||
           argument_value("--dtype", i, argc, argv, &flags->dtype) ||
           argument_value("--targets", i, argc, argv, &flags->targets) ||
           argument_value("--ignore-index", i, argc, argv, &flags->ignore_index);
}

void logits_check_flags(const struct logits_flags *flags)
{
    if (flags->targets && !flags->logits)
        refuse("--targets needs --logits");
    if (flags->dtype && !flags->logits)
        refuse("--dtype needs --logits");
    if (flags->dtype && strcmp(flags->dtype, "bf16") != 0)
        refuse("--dtype: '%s' is not bf16, the only type that a file does not name", flags->dtype);
    if (flags->ignore_index && !flags->targets)
        refuse("--ignore-index needs --targets");
}

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
    return &sl_ref_dtypes[array->type == NPY_F16    ? SL_COUNT_f16
                          : array->type == NPY_BF16 ? SL_COUNT_bf16
                          : array->type == NPY_F32  ? SL_COUNT_f32
                                                    : SL_COUNT_f64];
}

static void load_logits(const struct logits_flags *flags, struct logits *l)
{
    struct npy array = read_array("--logits", flags->logits, flags->dtype ? NPY_BF16 : NPY_FLOATS);
    const size_t n = array.shape[0] * array.shape[1];
    double *x = allocate(n, sizeof *x);
    for (size_t i = 0; i < n; i++)
        x[i] = dtype_of(&array)->get(array.data, i);
    free(array.data);
    *l = (struct logits){.shape = sl_rows(array.shape[0], array.shape[1]), .x = x};
}

static void read_ignore_index(const char *text, struct logits *l)
{
    char *end;
    errno = 0;
    const long long number = strtoll(text, &end, 10);
    if (end == text || *end || isspace((unsigned char)*text) || errno == ERANGE)
        refuse("--ignore-index: '%s' is not an integer of 64 bits", text);
    l->has_ignore_index = true;
    l->ignore_index = number;
}

static void load_targets(const char *path, struct logits *l)
{
    struct npy array = read_array("--targets", path, NPY_INTEGERS);
    const size_t rows = l->shape.outer, classes = l->shape.classes;
    size_t ignored = 0;
    if (array.dimensions != 1)
        refuse("--targets: %s: has %u dimensions, need 1", path, array.dimensions);
    if (array.shape[1] != rows)
        refuse("--targets: %s: holds %zu class ids for %zu rows of logits", path, array.shape[1], rows);
    l->target = allocate(rows, sizeof *l->target);
    for (size_t r = 0; r < rows; r++) {
        const bool fits = npy_integer(&array, r, &l->target[r]);
        if (fits && l->has_ignore_index && l->target[r] == l->ignore_index)
            ignored++;
        else if (!fits || l->target[r] < 0 || (uint64_t)l->target[r] >= classes)
            refuse("--targets: %s: class id %s%" PRId64 " at %zu is not in [0, %zu)%s", path,
                   fits ? "" : "above ", l->target[r], r, classes,
                   l->has_ignore_index ? ", nor the one that is ignored" : "");
    }
    free(array.data);
    if (l->has_ignore_index)
        fprintf(stderr, "note: %zu of these %zu rows are ignored\n", ignored, rows);
}

void logits_load(const struct logits_flags *flags, struct logits *l)
{
    load_logits(flags, l);
    if (flags->ignore_index)
        read_ignore_index(flags->ignore_index, l);
    if (flags->targets) {
        load_targets(flags->targets, l);
        return;
    }
    fprintf(stderr, "note: without --targets these are left out:");
    for (size_t k = 0; k < KERNELS; k += SL_DTYPE_COUNT)
        if (!logits_suit(l, &kernels[k]))
            fprintf(stderr, " %s", kernels[k].operation);
    fprintf(stderr, "\n");
}

bool logits_suit(const struct logits *l, const kernel *k) { return l->target || !is_loss(k); }

void logits_put(const struct logits *l, const sl_ref_dtype *dtype, void *to)
{
    static bool noted[SL_DTYPE_COUNT];
    const size_t n = elements(l->shape);
    size_t rounded = 0, overflown = 0;
    for (size_t i = 0; i < n; i++) {
        dtype->put(to, i, l->x[i]);
        const double put = dtype->get(to, i);
        overflown += isinf(put) && isfinite(l->x[i]);
        rounded += isfinite(put) && put != l->x[i];
    }
    if (rounded && !noted[dtype - sl_ref_dtypes])
        fprintf(stderr, "note: in %s %zu of these %zu logits are rounded\n", dtype->name, rounded, n);
    if (overflown && !noted[dtype - sl_ref_dtypes])
        fprintf(stderr, "note: in %s %zu of these %zu logits are too large and become infinite\n",
                dtype->name, overflown, n);
    noted[dtype - sl_ref_dtypes] = true;
}

void logits_put_one_hot(const struct logits *l, const sl_ref_dtype *dtype, void *to)
{
    for (size_t r = 0; r < l->shape.outer; r++)
        for (size_t c = 0; c < l->shape.classes; c++)
            dtype->put(to, r * l->shape.classes + c, l->target[r] == (int64_t)c);
}
