/* SPDX-License-Identifier: MIT
 *
 * See scored.h.
 */
#include "scored.h"

#include "arguments.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char scored_help[] = "  --options LIST       softmax_with and log_softmax_with: with these options, "
                           "and beside them the detour, a loop and\n"
                           "                       softmax (f32): some of scale, softcap, slope, causal, "
                           "sink, lse and one of f32, f16, bf16, bool\n"
                           "                       (masks), separated by commas\n";

static struct {
    bool is_on, causal, sink, lse;
    sl_softmax_options options;
} chosen;

static void choose(const char *word)
{
    static const char *const masks[] = {
        [SL_MASK_F32] = "f32", [SL_MASK_F16] = "f16", [SL_MASK_BF16] = "bf16", [SL_MASK_BOOL] = "bool"};
    for (size_t type = 0; type < sizeof masks / sizeof *masks; type++)
        if (masks[type] != NULL && strcmp(word, masks[type]) == 0) {
            chosen.options.mask_type = (sl_mask_type)type;
            return;
        }
    if (strcmp(word, "scale") == 0)
        chosen.options.scale = 0.125;
    else if (strcmp(word, "softcap") == 0)
        chosen.options.softcap = 30;
    else if (strcmp(word, "slope") == 0)
        chosen.options.slope = 0.5;
    else if (strcmp(word, "causal") == 0)
        chosen.causal = true;
    else if (strcmp(word, "sink") == 0)
        chosen.sink = true;
    else if (strcmp(word, "lse") == 0)
        chosen.lse = true;
    else
        refuse("--options: '%s' is none of scale, softcap, slope, causal, sink, lse, f32, f16, bf16, bool",
               word);
}

void scored_choose(const char *words)
{
    char copy[128];
    if (strlen(words) >= sizeof copy)
        refuse("--options: too long");
    strcpy(copy, words);
    chosen.is_on = true;
    for (char *word = strtok(copy, ","); word != NULL; word = strtok(NULL, ","))
        choose(word);
}

/* One of every 8 elements is masked. */
static void *make_mask(sl_mask_type type, size_t n)
{
    char *mask = allocate(n, sizeof(float));
    for (size_t i = 0; i < n; i++) {
        const bool masked = i * 2654435761u % 8 == 0;
        const float value = masked ? -INFINITY : -(float)(i % 64) / 32;
        if (type == SL_MASK_F32)
            ((float *)(void *)mask)[i] = value;
        else if (type == SL_MASK_F16)
            ((sl_f16 *)(void *)mask)[i] = sl_f16_of_f32(value);
        else if (type == SL_MASK_BF16)
            ((sl_bf16 *)(void *)mask)[i] = sl_bf16_of_f32(value);
        else
            mask[i] = !masked;
    }
    return mask;
}

const sl_softmax_options *scored_options(const kernel *k, sl_shape shape, void **lse)
{
    static void *mask, *sink, *sums;
    static size_t *length;
    sl_softmax_options *o = &chosen.options;
    const size_t n = shape.outer;
    free(mask), free(sink), free(sums), free(length);
    mask = o->mask_type != SL_MASK_NONE ? make_mask(o->mask_type, elements(shape)) : NULL;
    length = allocate(n, sizeof *length);
    sink = allocate(n, sizeof(double));
    sums = allocate(n, sizeof(double));
    for (size_t r = 0; r < n; r++) {
        length[r] = (r + 1) * shape.classes /
                    n; /* as bottom-right causal limits, where there are fewer rows than columns */
        k->dtype->put_loss(sink, r, 1);
    }
    o->mask = mask;
    o->mask_stride = mask != NULL ? (ptrdiff_t)shape.classes : 0;
    o->length = chosen.causal ? length : NULL;
    o->sink = chosen.sink ? sink : NULL;
    *lse = chosen.lse ? sums : NULL;
    return o;
}

/* ---------------------------------------------------------------------------------------------- the detour */

static float mask_of(const sl_softmax_options *o, size_t i)
{
    switch (o->mask_type) {
    case SL_MASK_F32:
        return ((const float *)o->mask)[i];
    case SL_MASK_F16:
        return sl_f32_of_f16(((const sl_f16 *)o->mask)[i]);
    case SL_MASK_BF16:
        return sl_f32_of_bf16(((const sl_bf16 *)o->mask)[i]);
    case SL_MASK_BOOL:
        return ((const uint8_t *)o->mask)[i] ? 0 : -INFINITY;
    default:
        return 0;
    }
}

/* Scores, masked ones as -inf and a sink as one more column, in an array of their own. */
static const float *scores_of(const float *x, sl_shape s, const sl_softmax_options *o)
{
    static float *z;
    static size_t room;
    const size_t columns = s.classes + (o->sink != NULL);
    const float scale = o->scale != 0 ? (float)o->scale : 1, slope = o->slope != 0 ? (float)o->slope : 1,
                cap = (float)o->softcap;
    if (room < s.outer * columns) {
        free(z);
        room = s.outer * columns;
        z = allocate(room, sizeof *z);
    }
    for (size_t r = 0; r < s.outer; r++) {
        const size_t n = o->length != NULL ? o->length[r] : s.classes;
        float *row = z + r * columns;
        if (cap > 0)
            for (size_t c = 0; c < n; c++)
                row[c] = cap * tanhf(x[r * s.classes + c] * (scale / cap));
        else
            for (size_t c = 0; c < n; c++)
                row[c] = x[r * s.classes + c] * scale;
        if (o->mask_type == SL_MASK_F32) /* which compilers make vectors of */
            for (size_t c = 0; c < n; c++)
                row[c] += slope * ((const float *)o->mask)[r * s.classes + c];
        else if (o->mask != NULL)
            for (size_t c = 0; c < n; c++)
                row[c] += slope * mask_of(o, r * s.classes + c);
        for (size_t c = n; c < s.classes; c++)
            row[c] = -INFINITY;
        if (o->sink != NULL)
            row[s.classes] = ((const float *)o->sink)[r];
    }
    return z;
}

static void detour(const float *x, float *y, sl_shape s, const sl_softmax_options *o, bool logs)
{
    const sl_kernels *best = sl_isa(NULL);
    const float *z = scores_of(x, s, o);
    const sl_shape of_scores = sl_rows(s.outer, s.classes + (o->sink != NULL));
    float *to = o->sink != NULL ? (float *)z : y;
    if (o->lse != NULL)
        best->logsumexp_f32(z, o->lse, of_scores);
    (logs ? best->log_softmax_safe_f32 : best->softmax_safe_f32)(z, to, of_scores);
    for (size_t r = 0; o->sink != NULL && r < s.outer; r++)
        memcpy(y + r * s.classes, z + r * (s.classes + 1), s.classes * sizeof *y);
}

static void detour_softmax(const float *x, float *y, sl_shape s, const sl_softmax_options *o)
{
    detour(x, y, s, o, false);
}

static void detour_log_softmax(const float *x, float *y, sl_shape s, const sl_softmax_options *o)
{
    detour(x, y, s, o, true);
}

const sl_kernels *scored_detour(void)
{
    static const sl_kernels table = {
        .isa = "detour", .softmax_with_f32 = detour_softmax, .log_softmax_with_f32 = detour_log_softmax};
    return chosen.is_on ? &table : NULL;
}
