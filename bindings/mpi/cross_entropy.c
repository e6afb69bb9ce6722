/* SPDX-License-Identifier: MIT
 *
 * Cross-entropy of a batch whose vocabulary is split over ranks: statistics of the parts that this rank has, one exchange, the loss
 * from the statistics of the whole rows, and the gradient of this rank's shard.
 *
 * Nothing is written before all ranks have seen that all arguments are right: everything that can be wrong is checked before the
 * exchange, which carries the result of the check.
 */
#include "vocabulary.h"

#include <math.h>
#include <string.h>

/* ---------------------------------------------------------------------------------------- element types */

typedef struct {
    size_t size, loss_size;
    double (*get)(const void *x, size_t i);
    double (*get_loss)(const void *x, size_t i);
    void (*put_loss)(void *y, size_t i, double value);
    sl_status (*stats_rows)(const void *x, const int64_t *target, sl_shape shape, sl_stats *stats);
    sl_status (*grad)(const void *x, const int64_t *target, sl_shape shape, sl_shard shard,
                      const sl_loss_options *options, const sl_stats *stats, void *grad);
    /* Of costs with the other sign: as softlane adds losses up. */
    sl_status (*total)(const void *minus_cost, const int64_t *id, size_t rows, const sl_loss_options *options,
                       void *loss);
} element_type;

#define LOSS_TYPE(dt, L)                                                                                     \
    static double get_loss_##dt(const void *x, size_t i) { return (double)((const L *)x)[i]; }               \
    static void put_loss_##dt(void *y, size_t i, double value) { ((L *)y)[i] = (L)value; }                   \
    static sl_status total_##dt(const void *minus_cost, const int64_t *id, size_t rows,                      \
                                const sl_loss_options *options, void *loss)                                  \
    {                                                                                                        \
        return sl_nll_##dt(minus_cost, id, sl_rows(rows, 1), options, loss, NULL);                           \
    }
LOSS_TYPE(f32, float)
LOSS_TYPE(f64, double)

#define ELEMENT_TYPE(dt, T, L, of_loss, VALUE)                                                               \
    static double get_##dt(const void *x, size_t i)                                                          \
    {                                                                                                        \
        const T a = ((const T *)x)[i];                                                                       \
        return (double)(VALUE);                                                                              \
    }                                                                                                        \
    static sl_status stats_rows_##dt(const void *x, const int64_t *target, sl_shape shape, sl_stats *stats)  \
    {                                                                                                        \
        return sl_softmax_stats_rows_##dt(x, target, shape, stats);                                          \
    }                                                                                                        \
    static sl_status grad_##dt(const void *x, const int64_t *target, sl_shape shape, sl_shard shard,         \
                               const sl_loss_options *options, const sl_stats *stats, void *grad)            \
    {                                                                                                        \
        return sl_cross_entropy_shard_grad_##dt(x, target, shape, shard, options, stats, grad);              \
    }                                                                                                        \
    static const element_type type_##dt = {                                                                  \
        sizeof(T),          sizeof(L),       get_##dt,  get_loss_##of_loss,                                  \
        put_loss_##of_loss, stats_rows_##dt, grad_##dt, total_##of_loss};
ELEMENT_TYPE(f32, float, float, f32, a)
ELEMENT_TYPE(f64, double, double, f64, a)
ELEMENT_TYPE(bf16, sl_bf16, float, f32, sl_f32_of_bf16(a))
ELEMENT_TYPE(f16, sl_f16, float, f32, sl_f32_of_f16(a))

/* ------------------------------------------------------------------------------------------- the call */

typedef struct {
    sl_mpi_vocabulary *v;
    const element_type *type;
    const void *logits;
    const int64_t *target;
    sl_shape shape;
    sl_loss_options o; /* without lse */
    const void *options_at;
    void *lse, *loss, *grad;
} batch;

static bool is_ignored(const batch *b, size_t row)
{
    return b->o.has_ignore_index && b->target[row] == b->o.ignore_index;
}

static bool is_weighted(const batch *b) { return b->o.class_weight != NULL && b->o.label_smoothing > 0; }

static size_t pitch_of(const batch *b, sl_strides s)
{
    return s.outer != 0 ? (size_t)s.outer : b->shape.classes;
}

/* --------------------------------------------------------------------------------------------- checks */

typedef struct {
    const void *at;
    size_t bytes;
    bool is_written;
} array;

static size_t bytes_of_rows(const batch *b, sl_strides s)
{
    if (b->shape.outer == 0 || b->shape.classes == 0)
        return 0;
    return ((b->shape.outer - 1) * pitch_of(b, s) + b->shape.classes) * b->type->size;
}

static bool overlap(const array *a, const array *b)
{
    const uintptr_t p = (uintptr_t)a->at, q = (uintptr_t)b->at;
    return a->at != NULL && b->at != NULL && a->bytes != 0 && b->bytes != 0 && p < q + b->bytes &&
           q < p + a->bytes;
}

/* All but the gradient with the logits, which the library checks. */
static sl_status check_aliasing(const batch *b)
{
    enum { LOGITS, GRAD };
    const size_t rows = b->shape.outer, loss = b->type->loss_size,
                 losses = (b->o.reduction == SL_NONE ? rows : 1) * loss;
    const array arrays[] = {
        {b->logits, bytes_of_rows(b, b->shape.in), false},
        {b->grad, bytes_of_rows(b, b->shape.out), true},
        {b->loss, losses, true},
        {b->lse, rows * loss, true},
        {b->target, rows * sizeof *b->target, false},
        {b->o.class_weight, b->v->layout.classes * loss, false},
        {b->o.upstream, losses, false},
        {b->options_at, sizeof b->o, false},
    };
    for (size_t i = 0; i < sizeof arrays / sizeof *arrays; i++)
        for (size_t k = 0; k < sizeof arrays / sizeof *arrays; k++)
            if (arrays[i].is_written && i != k && !(i == GRAD && k == LOGITS) &&
                overlap(&arrays[i], &arrays[k]))
                return SL_ERR_OVERLAP;
    return SL_OK;
}

/* The library checks its arguments before it writes, the targets last. So with a target that is no class it says what else is wrong,
 * and writes nothing. */
static sl_status check_by_library(const batch *b)
{
    sl_shape shape = b->shape;
    void *grad = b->grad;
    if (grad == NULL) { /* in place, where all that can be wrong is wrong with the logits */
        shape.out = shape.in;
        memcpy(&grad, &b->logits, sizeof grad);
    }
    b->v->id[0] = b->o.has_ignore_index && b->o.ignore_index == -1 ? -2 : -1;
    const sl_status status =
        b->type->grad(b->logits, b->v->id, shape, sl_mpi_shard_of(b->v), &b->o, b->v->whole, grad);
    return status == SL_ERR_TARGET ? SL_OK : status;
}

static sl_status check_targets(const batch *b)
{
    for (size_t r = 0; r < b->shape.outer; r++)
        if (!is_ignored(b, r) && (uint64_t)b->target[r] >= b->v->layout.classes) /* or negative */
            return SL_ERR_TARGET;
    return SL_OK;
}

static sl_status check(const batch *b)
{
    if (b->shape.outer > b->v->layout.most_rows)
        return SL_ERR_SIZE;
    sl_status status = check_by_library(b);
    if (status == SL_ERR_STRIDE || status == SL_ERR_SIZE)
        return status;
    if ((b->target == NULL && b->shape.outer != 0) || (b->loss == NULL && b->grad == NULL))
        return SL_ERR_NULL;
    if (status == SL_OK && b->shape.classes != b->v->own.classes)
        status = SL_ERR_OPTION;
    if (status == SL_OK)
        status = check_aliasing(b);
    return status != SL_OK ? status : check_targets(b);
}

/* ------------------------------------------------------------------------------- what ranks must agree on */

/* Values as numbers, so that the order of bytes in memory does not matter. Four chains, which do not wait for each other. */
typedef struct {
    uint64_t chain[4];
    size_t n;
} hash;

static void hash_word(hash *h, uint64_t word)
{
    uint64_t *c = &h->chain[h->n++ % 4];
    *c = (*c ^ word) * 0x9e3779b97f4a7c15u;
    *c ^= *c >> 32;
}

static void hash_double(hash *h, double a)
{
    uint64_t bits;
    memcpy(&bits, &a, sizeof bits);
    hash_word(h, bits);
}

static uint64_t hash_value(const hash *h)
{
    hash all = {{h->n}, 0};
    for (int i = 0; i < 4; i++) {
        all.n = 0;
        hash_word(&all, h->chain[i]);
    }
    return all.chain[0];
}

static void hash_losses(hash *h, const batch *b, const void *values, size_t n)
{
    hash_word(h, values != NULL);
    for (size_t i = 0; values != NULL && i < n; i++)
        hash_double(h, b->type->get_loss(values, i));
}

static void say_arguments(record *r, const batch *b)
{
    const sl_loss_options *o = &b->o;
    const size_t rows = b->shape.outer;
    hash options = {{0}, 0}, weights = {{0}, 0}, targets = {{0}, 0};
    hash_word(&options, (uint64_t)o->reduction);
    hash_double(&options, o->label_smoothing);
    hash_word(&options, o->has_ignore_index);
    hash_word(&options, (uint64_t)o->ignore_index);
    hash_word(&options, o->flags);
    hash_double(&options, o->z_loss);
    hash_double(&options, o->divisor);
    hash_losses(&weights, b, o->class_weight, b->v->layout.classes);
    hash_losses(&weights, b, o->upstream, o->reduction == SL_NONE ? rows : 1);
    for (size_t i = 0; i < rows; i++)
        hash_word(&targets, (uint64_t)b->target[i]);
    const uint64_t of[ABOUT_COUNT] = {
        [ABOUT_ROWS] = rows,
        [ABOUT_TYPE] = b->type == &type_f32    ? 1
                       : b->type == &type_f64  ? 2
                       : b->type == &type_bf16 ? 3
                                               : 4,
        [ABOUT_OPTIONS] = hash_value(&options),
        [ABOUT_WEIGHTS] = hash_value(&weights),
        [ABOUT_TARGETS] = hash_value(&targets),
    };
    for (int i = 0; i < ABOUT_COUNT; i++)
        r->about[i].hash = (int64_t)of[i];
}

/* ---------------------------------------------------------------------------------------- statistics */

/* The statistics of classes first to first + n of the shard, in v->of_part: of rows that are not ignored, neighbours in one call. */
static sl_status statistics_of_part(const batch *b, size_t first, size_t n)
{
    sl_mpi_vocabulary *v = b->v;
    const size_t rows = b->shape.outer, pitch = pitch_of(b, b->shape.in);
    sl_shape shape = sl_rows(0, n);
    shape.in.outer = (ptrdiff_t)pitch;
    for (size_t r = 0; r < rows; r++) {
        v->of_part[r] = sl_stats_empty();
        v->id[r] = is_ignored(b, r) ? -1 : b->target[r] - (int64_t)(v->own.first + first);
    }
    for (size_t r = 0; r < rows; r += shape.outer + 1) {
        shape.outer = 0;
        while (r + shape.outer < rows && !is_ignored(b, r + shape.outer))
            shape.outer++;
        const char *x = (const char *)b->logits + (r * pitch + first) * b->type->size;
        const sl_status status =
            shape.outer != 0 ? b->type->stats_rows(x, v->id + r, shape, v->of_part + r) : SL_OK;
        if (status != SL_OK)
            return status;
    }
    return SL_OK;
}

/* Puts the sum of w_c x_c in the place of that of x_c. A class of weight 0 adds nothing, whatever its logit. */
static sl_status weigh_logits(const batch *b, size_t first, size_t n)
{
    sl_mpi_vocabulary *v = b->v;
    for (size_t r = 0; r < b->shape.outer; r++) {
        sl_stats of_products;
        const size_t at = r * pitch_of(b, b->shape.in) + first;
        for (size_t i = 0; i < n && !is_ignored(b, r); i++) {
            const double w = b->type->get_loss(b->o.class_weight, v->own.first + first + i);
            v->product[i] = w != 0 ? w * b->type->get(b->logits, at + i) : 0;
        }
        const sl_status status = sl_softmax_stats_f64(v->product, is_ignored(b, r) ? 0 : n, &of_products);
        if (status != SL_OK)
            return status;
        v->of_part[r].logits = of_products.logits;
        v->of_part[r].exact_logits = of_products.exact_logits;
    }
    return SL_OK;
}

/* Of all parts of this rank, merged. */
static sl_status statistics(const batch *b)
{
    sl_mpi_vocabulary *v = b->v;
    const size_t rows = b->shape.outer, part = v->layout.part;
    for (size_t r = 0; r < rows; r++)
        v->whole[r] = sl_stats_empty();
    for (size_t i = 0; i < v->own_parts; i++) {
        const size_t first = i * part, left = v->own.classes - first, n = left < part ? left : part;
        sl_status status = statistics_of_part(b, first, n);
        if (status == SL_OK && is_weighted(b))
            status = weigh_logits(b, first, n);
        if (status != SL_OK)
            return status;
        for (size_t r = 0; r < rows; r++)
            sl_stats_merge(&v->whole[r], &v->of_part[r]);
    }
    return SL_OK;
}

/* ---------------------------------------------------------------------------------------------- results */

/* A sum in two doubles: one rounding in the end. */
typedef struct {
    double high, low;
} sum;

static void add(sum *s, double a)
{
    const double high = s->high + a, part = high - s->high;
    s->low += (s->high - (high - part)) + (a - part);
    s->high = high;
}

static double weight_of(const batch *b, size_t class)
{
    return b->o.class_weight != NULL ? b->type->get_loss(b->o.class_weight, class) : 1;
}

static double weight_of_classes(const batch *b)
{
    sum s = {0, 0};
    for (size_t c = 0; is_weighted(b) && c < b->v->layout.classes; c++)
        add(&s, weight_of(b, c));
    return s.high + s.low;
}

static double weight_of_rows(const batch *b)
{
    sum s = {0, 0};
    for (size_t r = 0; r < b->shape.outer; r++)
        if (!is_ignored(b, r))
            add(&s, weight_of(b, (size_t)b->target[r]));
    return s.high + s.low;
}

/* Of a row that SL_SAFE_ROWS is for. */
static bool is_safe(const batch *b, size_t row)
{
    return (b->o.flags & SL_SAFE_ROWS) != 0 && b->v->whole[row].max == -(double)INFINITY;
}

static double lse_of_row(const batch *b, size_t row)
{
    if (is_ignored(b, row))
        return 0;
    return is_safe(b, row) ? -(double)INFINITY : sl_stats_logsumexp(&b->v->whole[row]);
}

/* s / classes * sum_c w_c (lse - x_c), from the weighted mean of the logits */
static double smoothing_cost(const batch *b, sl_stats of_row, double weights)
{
    const double s = b->o.label_smoothing;
    if (!is_weighted(b))
        return s * sl_stats_cross_entropy(&of_row, 1);
    const double share = s / (double)b->v->layout.classes;
    if (weights == 0)
        return -share * of_row.logits;
    of_row.logits /= weights;
    of_row.count = 1;
    return share * weights * sl_stats_cross_entropy(&of_row, 1);
}

static double cost_of_row(const batch *b, size_t row, double weights)
{
    if (is_ignored(b, row) || is_safe(b, row))
        return 0;
    const sl_stats *whole = &b->v->whole[row];
    const double lse = sl_stats_logsumexp(whole),
                 own = (1 - b->o.label_smoothing) * weight_of(b, (size_t)b->target[row]);
    if (!(lse > -(double)INFINITY)) /* NaN, whatever the weights */
        return (double)NAN;
    double cost = own != 0 ? own * sl_stats_cross_entropy(whole, 0) : 0;
    if (b->o.label_smoothing > 0)
        cost += smoothing_cost(b, *whole, weights);
    return b->o.z_loss > 0 ? cost + b->o.z_loss * lse * lse : cost;
}

/* The sum, or the mean, as the library has it of as many losses. */
static sl_status total_loss(const batch *b)
{
    sl_mpi_vocabulary *v = b->v;
    const size_t rows = b->shape.outer;
    double divisor = b->o.divisor > 0 ? b->o.divisor : weight_of_rows(b);
    sl_loss_options o = {.reduction = b->o.reduction};
    if (o.reduction == SL_MEAN && divisor == 0) {
        b->type->put_loss(b->loss, 0, b->o.flags & SL_EMPTY_MEAN_ZERO ? 0 : (double)NAN);
        return SL_OK;
    }
    const bool is_minus = o.reduction == SL_MEAN && divisor < 0;
    if (o.reduction == SL_MEAN)
        o.divisor = fabs(divisor);
    memset(v->id, 0, rows * sizeof *v->id);
    for (size_t r = 0; r < rows; r++)
        b->type->put_loss(v->cost, r,
                          is_minus ? b->type->get_loss(v->cost, r) : -b->type->get_loss(v->cost, r));
    return b->type->total(v->cost, v->id, rows, &o, b->loss);
}

static sl_status finish(const batch *b)
{
    sl_mpi_vocabulary *v = b->v;
    const double weights = weight_of_classes(b);
    for (size_t r = 0; b->lse != NULL && r < b->shape.outer; r++)
        b->type->put_loss(b->lse, r, lse_of_row(b, r));
    for (size_t r = 0; b->loss != NULL && r < b->shape.outer; r++)
        b->type->put_loss(b->o.reduction == SL_NONE ? b->loss : v->cost, r, cost_of_row(b, r, weights));
    sl_status status = b->loss != NULL && b->o.reduction != SL_NONE ? total_loss(b) : SL_OK;
    if (status == SL_OK && b->grad != NULL)
        status = b->type->grad(b->logits, b->target, b->shape, sl_mpi_shard_of(v), &b->o, v->whole, b->grad);
    return status;
}

static sl_mpi_status cross_entropy(batch *b, const sl_loss_options *options)
{
    if (b->v == NULL)
        return SL_ERR_NULL;
    b->o = options != NULL ? *options : sl_loss_defaults();
    b->options_at = options;
    b->lse = b->o.lse;
    b->o.lse = NULL;
    record own = record_of(b->v->rank);
    sl_status status = check(b);
    if (status == SL_OK)
        say_arguments(&own, b);
    if (status == SL_OK)
        status = statistics(b);
    say_status(&own, (sl_mpi_status)status);
    const sl_mpi_status all = exchange(b->v, &own, b->shape.outer);
    return all != SL_OK ? all : (sl_mpi_status)finish(b);
}

#define DEFINE_CROSS_ENTROPY(dt, T, L)                                                                       \
    sl_mpi_status sl_mpi_cross_entropy_##dt(sl_mpi_vocabulary *v, const T *logits, const int64_t *target,    \
                                            sl_shape shape, const sl_loss_options *options, L *loss,         \
                                            T *grad)                                                         \
    {                                                                                                        \
        return cross_entropy(&(batch){.v = v,                                                                \
                                      .type = &type_##dt,                                                    \
                                      .logits = logits,                                                      \
                                      .target = target,                                                      \
                                      .shape = shape,                                                        \
                                      .loss = loss,                                                          \
                                      .grad = grad},                                                         \
                             options);                                                                       \
    }
DEFINE_CROSS_ENTROPY(f32, float, float)
DEFINE_CROSS_ENTROPY(f64, double, double)
DEFINE_CROSS_ENTROPY(bf16, sl_bf16, float)
DEFINE_CROSS_ENTROPY(f16, sl_f16, float)
