/* SPDX-License-Identifier: MIT
 *
 * See manifest.h. The adapters come first, one block per signature of table.h; the manifests then pick among them.
 */
#include "manifest.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "bits.h"

/* -------------------------------------------------------------------------------------------- adapters */

/* Of each signature: TRAITS_, what it says of a kernel; CALL_, how a call c runs the function f of type T, whose status
 * AS makes of f's value; ORACLE_CALL_, the oracle's parameters. */

#define TRAITS_MAP .result = T_PER_ELEMENT, .by_element = true
#define CALL_MAP(f, stats_of, T, AS) status = AS(f(c->x, c->out[RESULT], elements(c->shape)))
#define ORACLE_CALL_MAP q->x, elements(q->shape), q->want[RESULT], q->scale[RESULT]

#define TRAITS_MAP_BACKWARD .second = DY, .result = T_PER_ELEMENT, .by_element = true
#define CALL_MAP_BACKWARD(f, stats_of, T, AS)                                                                \
    status = AS(f(c->x, c->second, c->out[RESULT], elements(c->shape)))
#define ORACLE_CALL_MAP_BACKWARD q->x, q->second, elements(q->shape), q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_MAP .result = T_PER_ELEMENT
#define CALL_ROW_MAP(f, stats_of, T, AS) status = AS(f(c->x, c->out[RESULT], c->shape))
#define ORACLE_CALL_ROW_MAP q->x, q->shape, q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_OPTIONS .result = T_PER_ELEMENT, .row_options = true
#define CALL_ROW_OPTIONS(f, stats_of, T, AS)                                                                 \
    {                                                                                                        \
        sl_softmax_options o = c->row_options != NULL ? *c->row_options : (sl_softmax_options){0};           \
        o.lse = c->out[LSE];                                                                                 \
        status = AS(f(c->x, c->out[RESULT], c->shape, &o));                                                  \
    }
#define ORACLE_CALL_ROW_OPTIONS q->x, q->shape, q->row_options, q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_BACKWARD .second = DY, .result = T_PER_ELEMENT
#define CALL_ROW_BACKWARD(f, stats_of, T, AS) status = AS(f(c->x, c->second, c->out[RESULT], c->shape))
#define ORACLE_CALL_ROW_BACKWARD q->x, q->second, q->shape, q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_FOLD .result = L_PER_ROW
#define CALL_ROW_FOLD CALL_ROW_MAP
#define ORACLE_CALL_ROW_FOLD ORACLE_CALL_ROW_MAP

#define TRAITS_CLASS_LOSS .second = CLASS_IDS, .result = L_PER_ROW
#define CALL_CLASS_LOSS(f, stats_of, T, AS)                                                                  \
    sl_loss_options with_lse;                                                                                \
    status = AS(f(c->x, c->second, c->shape, options_of(c, &with_lse), c->out[RESULT], c->out[GRADIENT]))
#define ORACLE_CALL_CLASS_LOSS                                                                               \
    q->x, q->ids, q->shape, q->options, q->want[RESULT], q->want[GRADIENT], q->scale[GRADIENT]

#define TRAITS_CLASS_GRAD .second = CLASS_IDS, .result = T_PER_ELEMENT, .lse = true
#define CALL_CLASS_GRAD(f, stats_of, T, AS)                                                                  \
    status = AS(f(c->x, c->second, c->shape, c->options, c->lse, c->out[RESULT]))
#define ORACLE_CALL_CLASS_GRAD q->x, q->ids, q->shape, q->options, q->lse, q->want[RESULT], q->scale[RESULT]

/* Where class i of row r of a matrix is. */
static size_t place_of(sl_shape s, size_t r, size_t i)
{
    const size_t step = s.in.classes > 0 ? (size_t)s.in.classes : 1;
    return r * (s.in.outer > 0 ? (size_t)s.in.outer : s.classes * step) + i * step;
}

static bool is_ignored(const call *c, size_t r)
{
    return c->options != NULL && c->options->has_ignore_index && c->second != NULL &&
           ((const int64_t *)c->second)[r] == c->options->ignore_index;
}

/* Of the whole row. Statistics that the call makes are of so many rows at most: a test may have a shape beyond all memory. */
enum { MOST_ROWS = 1 << 20, MOST_ELEMENTS = 1 << 28 };
#define TRAITS_SHARD_GRAD .second = CLASS_IDS, .result = T_PER_ELEMENT, .matrix = true, .stats = true
#define CALL_SHARD_GRAD(f, stats_of, T, AS)                                                                  \
    const sl_shape shape = c->shape;                                                                         \
    sl_stats *own = NULL;                                                                                    \
    if (c->stats == NULL && c->x != NULL && rows(shape) < MOST_ROWS && shape.classes < MOST_ROWS &&          \
        (uint64_t)rows(shape) * shape.classes < MOST_ELEMENTS) {                                             \
        own = allocate(rows(shape), sizeof *own);                                                            \
        T *row = allocate(shape.classes, sizeof *row);                                                       \
        for (size_t r = 0; r < rows(shape); r++) {                                                           \
            if (is_ignored(c, r)) { /* it is not read */                                                     \
                own[r] = sl_stats_empty();                                                                   \
                continue;                                                                                    \
            }                                                                                                \
            for (size_t i = 0; i < shape.classes; i++)                                                       \
                row[i] = ((const T *)c->x)[place_of(shape, r, i)];                                           \
            (void)stats_of(row, shape.classes, &own[r]);                                                     \
        }                                                                                                    \
        free(row);                                                                                           \
    }                                                                                                        \
    status = AS(f(c->x, c->second, shape, c->shard.classes != 0 ? c->shard : (sl_shard){0, shape.classes},   \
                  c->options, own != NULL ? own : c->stats, c->out[RESULT]));                                \
    free(own)
#define ORACLE_CALL_SHARD_GRAD q->x, q->ids, q->shape, q->options, q->want[RESULT], q->scale[RESULT]

#define TRAITS_PROB_LOSS .second = PROBABILITIES, .result = L_PER_ROW
#define CALL_PROB_LOSS CALL_CLASS_LOSS
#define ORACLE_CALL_PROB_LOSS                                                                                \
    q->x, q->second, q->shape, q->options, q->want[RESULT], q->want[GRADIENT], q->scale[GRADIENT]

#define TRAITS_ELEMENT_LOSS .second = PROBABILITIES, .result = L_PER_ELEMENT, .by_element = true
#define CALL_ELEMENT_LOSS CALL_PROB_LOSS
#define ORACLE_CALL_ELEMENT_LOSS ORACLE_CALL_PROB_LOSS

/* Kernels of one row, once for each. */
#define EACH_ROW for (size_t r = 0, n = c->shape.classes; status == SL_OK && r < rows(c->shape); r++)

#define TRAITS_STATS .result = STATS_PER_ROW, .one_row = true
#define CALL_STATS(f, stats_of, T, AS)                                                                       \
    EACH_ROW status = AS(f((const T *)c->x + r * n, n, (sl_stats *)c->out[RESULT] + r))
#define ORACLE_CALL_STATS ORACLE_CALL_MAP

#define TRAITS_APPLY .result = T_PER_ELEMENT, .one_row = true, .stats = true
#define CALL_APPLY(f, stats_of, T, AS)                                                                       \
    EACH_ROW                                                                                                 \
    {                                                                                                        \
        const T *x = (const T *)c->x + r * n;                                                                \
        sl_stats own;                                                                                        \
        if (c->stats == NULL) {                                                                              \
            own = sl_stats_empty();                                                                          \
            (void)stats_of(x, n, &own);                                                                      \
        }                                                                                                    \
        status = AS(f(x, (T *)c->out[RESULT] + r * n, n, c->stats != NULL ? &c->stats[r] : &own));           \
    }
#define ORACLE_CALL_APPLY ORACLE_CALL_MAP

#define TRAITS_STATS_ROWS .second = SHARD_IDS, .result = STATS_PER_ROW, .rows_only = true
#define CALL_STATS_ROWS(f, stats_of, T, AS) status = AS(f(c->x, c->second, c->shape, c->out[RESULT]))
#define ORACLE_CALL_STATS_ROWS ORACLE_CALL_ROW_MAP

enum { FEW_CHOICES = 5, MANY_CHOICES = 40 };

#define TRAITS_ROW_AT .second = CHOSEN_IDS, .result = L_PER_CHOICE, .rows_only = true
#define CALL_ROW_AT(f, stats_of, T, AS)                                                                      \
    status = AS(f(c->x, c->shape, c->second, choices_of(CHOSEN_IDS, c->shape), c->out[RESULT]))
#define ORACLE_CALL_ROW_AT                                                                                   \
    q->x, q->shape, q->ids, choices_of(CHOSEN_IDS, q->shape), q->want[RESULT], q->scale[RESULT]

/* The ids are for chosen.c. */
#define TRAITS_ROW_TOP .result = L_PER_CHOICE, .rows_only = true
#define CALL_ROW_TOP(f, stats_of, T, AS)                                                                     \
    int64_t *ids = some_ids(c->shape);                                                                       \
    status = AS(f(c->x, c->shape, choices_of(NO_SECOND, c->shape), c->out[RESULT], ids));                    \
    free(ids)
#define ORACLE_CALL_ROW_TOP q->x, q->shape, choices_of(NO_SECOND, q->shape), q->want[RESULT], q->scale[RESULT]

#define TRAITS_ROW_WIDE .result = L_PER_ELEMENT
#define CALL_ROW_WIDE CALL_ROW_MAP
#define ORACLE_CALL_ROW_WIDE ORACLE_CALL_ROW_MAP

#define TRAITS_MAP_WIDE .result = L_PER_ELEMENT, .by_element = true
#define CALL_MAP_WIDE CALL_MAP
#define ORACLE_CALL_MAP_WIDE ORACLE_CALL_MAP

static size_t choices_of(second_kind second, sl_shape shape)
{
    if (second == CHOSEN_IDS)
        return shape.classes > 0 ? FEW_CHOICES : 0;
    return shape.classes < MANY_CHOICES ? shape.classes : MANY_CHOICES;
}

/* NULL where they do not fit into memory. */
static int64_t *some_ids(sl_shape shape)
{
    const size_t k = choices_of(NO_SECOND, shape);
    return shape.outer < PTRDIFF_MAX / sizeof(int64_t) / MANY_CHOICES
               ? malloc(shape.outer * k * sizeof(int64_t) + 1)
               : NULL;
}

/* Those of the call, with its lse if that is wanted. */
static const sl_loss_options *options_of(const call *c, sl_loss_options *with_lse)
{
    if (c->out[LSE] == NULL)
        return c->options;
    *with_lse = *c->options;
    with_lse->lse = c->out[LSE];
    return with_lse;
}

/* A table's function has no status. */
#define NO_STATUS(value) ((value), SL_OK)
#define ITS_STATUS(value) (value)

#define ADAPT(dt, T, L, name, sig)                                                                           \
    static bool name##_##dt##_is_in(const sl_kernels *t) { return t->name##_##dt != NULL; }                  \
    static void run_##name##_##dt(const sl_kernels *t, const call *c)                                        \
    {                                                                                                        \
        sl_status status = SL_OK;                                                                            \
        CALL_##sig(t->name##_##dt, t->softmax_stats_##dt, T, NO_STATUS);                                     \
        (void)status;                                                                                        \
    }                                                                                                        \
    static sl_status check_and_run_##name##_##dt(const call *c)                                              \
    {                                                                                                        \
        sl_status status = SL_OK;                                                                            \
        CALL_##sig(sl_##name##_##dt, sl_softmax_stats_##dt, T, ITS_STATUS);                                  \
        return status;                                                                                       \
    }
#define EVALUATE(name, sig)                                                                                  \
    static void evaluate_##name##_double(const oracle_call *q)                                               \
    {                                                                                                        \
        sl_ref_##name##_double(ORACLE_CALL_##sig);                                                           \
    }                                                                                                        \
    static void evaluate_##name##_long(const oracle_call *q) { sl_ref_##name##_long(ORACLE_CALL_##sig); }
#define SL_KERNEL(name, sig, ...) SL_DTYPES(ADAPT, name, sig) EVALUATE(name, sig)
#define SL_F32_KERNEL(name, sig, ...) SL_F32(ADAPT, name, sig) EVALUATE(name, sig)
#include "kernels.def"
#undef SL_KERNEL

#define BRACED(...)                                                                                          \
    {                                                                                                        \
        __VA_ARGS__                                                                                          \
    }
#define ENTRY(dt, T, L, kernel_name, sig, arrays_read, arrays_written, result_bounds, result_any,            \
              gradient_bounds, gradient_any)                                                                 \
    {TRAITS_##sig,                                                                                           \
     .name = #kernel_name "/" #dt,                                                                           \
     .operation = #kernel_name,                                                                              \
     .index = SL_SLOT(kernel_name, dt),                                                                      \
     .row = SL_COUNT_##kernel_name,                                                                          \
     .dtype = &sl_ref_dtypes[SL_COUNT_##dt],                                                                 \
     .reads = arrays_read,                                                                                   \
     .writes = arrays_written,                                                                               \
     .bounds = {BRACED result_bounds, BRACED gradient_bounds},                                               \
     .any = {BRACED result_any, BRACED gradient_any},                                                        \
     .is_in = kernel_name##_##dt##_is_in,                                                                    \
     .run = run_##kernel_name##_##dt,                                                                        \
     .check_and_run = check_and_run_##kernel_name##_##dt,                                                    \
     .oracle = {evaluate_##kernel_name##_double, evaluate_##kernel_name##_long}},

const kernel kernels[KERNELS] = {
#define SL_KERNEL(...) SL_DTYPES(ENTRY, __VA_ARGS__)
#define SL_F32_KERNEL(...) SL_F32(ENTRY, __VA_ARGS__)
#include "kernels.def"
#undef SL_KERNEL
};

const kernel *sibling(const kernel *k, size_t row)
{
    return &kernels[row * SL_DTYPE_COUNT + k->index % SL_DTYPE_COUNT];
}

bool takes_options(const kernel *k) { return k->second == CLASS_IDS || k->second == PROBABILITIES; }

bool is_loss(const kernel *k) { return takes_options(k) && k->result != T_PER_ELEMENT; }

bool takes_lse(const kernel *k) { return k->lse; }

bool takes_stats(const kernel *k) { return k->stats; }

bool is_by_element(const kernel *k) { return k->by_element; }

bool has_shape(const kernel *k) { return !k->one_row && !k->rows_only && !k->row_options; }

bool takes_shape(const kernel *k, sl_shape shape) { return (has_shape(k) && !k->matrix) || shape.inner == 1; }

bool takes_strides(const kernel *k) { return has_shape(k) && (takes_options(k) || !k->by_element); }

size_t choices(const kernel *k, sl_shape shape)
{
    return k->result == L_PER_CHOICE ? choices_of(k->second, shape) : 0;
}

bool second_is_ids(const kernel *k)
{
    return k->second == CLASS_IDS || k->second == SHARD_IDS || k->second == CHOSEN_IDS;
}

bool second_is_required(const kernel *k) { return k->second != NO_SECOND && k->second != SHARD_IDS; }

size_t second_size(const kernel *k) { return second_is_ids(k) ? sizeof(int64_t) : k->dtype->size; }

size_t second_count(const kernel *k, sl_shape shape)
{
    switch (k->second) {
    case NO_SECOND:
        break;
    case CLASS_IDS:
    case SHARD_IDS:
        return rows(shape);
    case CHOSEN_IDS:
        return rows(shape) * choices(k, shape);
    case DY:
    case PROBABILITIES:
        return elements(shape);
    }
    return 0;
}

size_t loss_count(const kernel *k, sl_shape shape)
{
    return k->result == L_PER_ELEMENT ? elements(shape) : rows(shape);
}

void know_rows(const kernel *k, const sl_kernels *table, call *c, sl_stats *room)
{
    const size_t of = takes_stats(k) ? SL_COUNT_softmax_stats : SL_COUNT_logsumexp;
    if (!takes_stats(k) && !takes_lse(k))
        return;
    sibling(k, of)->run(table, &(call){.x = c->x, .shape = c->shape, .out = {room}});
    c->stats = takes_stats(k) ? room : NULL;
    c->lse = takes_lse(k) ? room : NULL;
}

/* -------------------------------------------------------------------------------------------- outputs */

size_t output_like_x(const kernel *k)
{
    if (is_loss(k))
        return GRADIENT;
    const bool is_wide = k->result == L_PER_ELEMENT && k->dtype->size == k->dtype->loss_size;
    return k->result == T_PER_ELEMENT || is_wide ? RESULT : OUTPUTS;
}

static output_kind kind_of(const kernel *k, size_t output)
{
    return output == RESULT ? k->result : output == LSE ? L_PER_ROW : T_PER_ELEMENT;
}

size_t results_per_row(const kernel *k, sl_shape shape)
{
    const bool of_rows = k->result == L_PER_ROW || k->result == STATS_PER_ROW;
    return k->result == L_PER_CHOICE ? choices(k, shape) : of_rows && !k->by_element ? 1 : 0;
}

bool output_is_t(const kernel *k, size_t output) { return kind_of(k, output) == T_PER_ELEMENT; }

static sl_reduction reduction_of(const call *c)
{
    return c->options != NULL ? c->options->reduction : SL_MEAN;
}

size_t output_count(const kernel *k, const call *c, size_t output)
{
    if (output == RESULT && is_loss(k) && reduction_of(c) != SL_NONE)
        return 1;
    switch (kind_of(k, output)) {
    case T_PER_ELEMENT:
    case L_PER_ELEMENT:
        return elements(c->shape);
    case L_PER_CHOICE:
        return rows(c->shape) * choices(k, c->shape);
    case STATS_PER_ROW:
    case L_PER_ROW:
        break;
    }
    return rows(c->shape);
}

size_t output_size(const kernel *k, size_t output)
{
    switch (kind_of(k, output)) {
    case T_PER_ELEMENT:
        return k->dtype->size;
    case STATS_PER_ROW:
        return sizeof(sl_stats);
    case L_PER_ELEMENT:
    case L_PER_CHOICE:
    case L_PER_ROW:
        break;
    }
    return k->dtype->loss_size;
}

double output_value(const kernel *k, size_t output, const void *values, size_t i)
{
    switch (kind_of(k, output)) {
    case T_PER_ELEMENT:
        return k->dtype->get(values, i);
    case STATS_PER_ROW:
        return sl_stats_logsumexp((const sl_stats *)values + i);
    case L_PER_ELEMENT:
    case L_PER_CHOICE:
    case L_PER_ROW:
        break;
    }
    return k->dtype->get_loss(values, i);
}

uint64_t output_bits(const kernel *k, size_t output, const void *values, size_t i)
{
    const size_t size = output_size(k, output);
    const char *at = (const char *)values + i * size;
    return load_bits(at, size < sizeof(uint64_t) ? size : sizeof(uint64_t));
}

static bool same_stats(const sl_stats *a, const sl_stats *b)
{
    const double of_a[] = {a->max, a->rest, a->target, a->logits},
                 of_b[] = {b->max, b->rest, b->target, b->logits};
    return memcmp(of_a, of_b, sizeof of_a) == 0 && a->count == b->count;
}

size_t first_difference(const kernel *k, size_t output, const void *a, const void *b, size_t n)
{
    const size_t size = output_size(k, output);
    if (memcmp(a, b, n * size) == 0)
        return n;
    for (size_t i = 0; i < n; i++) {
        if (memcmp((const char *)a + i * size, (const char *)b + i * size, size) == 0)
            continue;
        if (kind_of(k, output) == STATS_PER_ROW) {
            if (same_stats((const sl_stats *)a + i, (const sl_stats *)b + i))
                continue;
        } else if (k->by_element && isnan(output_value(k, output, a, i)) &&
                   isnan(output_value(k, output, b, i))) {
            continue;
        }
        return i;
    }
    return n;
}

/* --------------------------------------------------------------------------------------------- bounds */

static double column_of(const kernel *k, const sl_kernels *table, const double *bounds)
{
    enum { F32, F32_NO_FMA, F64, F64_NO_FMA, STORAGE };
    const int digits = k->dtype->digits;
    if (table->needs == NULL)
        return INFINITY;
    if (digits < FLT_MANT_DIG)
        return bounds[STORAGE];
    if (digits == FLT_MANT_DIG)
        return bounds[table->fma ? F32 : F32_NO_FMA];
    return bounds[table->fma ? F64 : F64_NO_FMA];
}

/* A log-sum-exp beside a loss is that of logsumexp. */
static const kernel *bounded_as(const kernel *k, size_t output)
{
    return output == LSE && !k->row_options ? sibling(k, SL_COUNT_logsumexp) : k;
}

/* Of the manifest: softmax with options has those of its log-sum-exp where others have a gradient's. */
static size_t column(const kernel *k, size_t output)
{
    return output != LSE ? output : k->row_options ? GRADIENT : RESULT;
}

double bound_of(const kernel *k, const sl_kernels *table, size_t output)
{
    return column_of(k, table, bounded_as(k, output)->bounds[column(k, output)]);
}

double bound_on_any(const kernel *k, const sl_kernels *table, size_t output)
{
    return column_of(k, table, bounded_as(k, output)->any[column(k, output)]);
}
