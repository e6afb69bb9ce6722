/* SPDX-License-Identifier: MIT
 *
 * The public functions: check the arguments, then call the table in use. All checks come before the first
 * write.
 */
#include "dispatch.h"

sl_shape sl_rows(size_t rows, size_t classes) { return (sl_shape){rows, classes, 1}; }

sl_shape sl_axis(size_t outer, size_t classes, size_t inner) { return (sl_shape){outer, classes, inner}; }

sl_loss_options sl_loss_defaults(void) { return (sl_loss_options){0}; }

const char *sl_status_string(sl_status status)
{
    switch (status) {
    case SL_OK:
        return "success";
    case SL_ERR_NULL:
        return "a required pointer is NULL";
    case SL_ERR_SIZE:
        return "the size of an array does not fit in memory";
    case SL_ERR_TARGET:
        return "a target is out of range";
    case SL_ERR_OPTION:
        return "an option is out of range or does not belong to this function";
    case SL_ERR_OVERLAP:
        return "an output overlaps another argument";
    }
    return "unknown status";
}

/* Returns from the caller unless the call succeeds. */
#define CHECK(call)                                                                                          \
    do {                                                                                                     \
        sl_status status_ = call;                                                                            \
        if (status_ != SL_OK)                                                                                \
            return status_;                                                                                  \
    } while (0)

/* ---- sizes ---- */

typedef struct {
    size_t rows, elements;
} extent;

/* Of an empty shape all is 0. Every array of the shape then has a byte size that fits in ptrdiff_t. */
static sl_status measure(sl_shape s, size_t element_size, extent *e)
{
    *e = (extent){0, 0};
    if (s.outer == 0 || s.classes == 0 || s.inner == 0)
        return SL_OK;
    size_t most = PTRDIFF_MAX / (element_size > sizeof(int64_t) ? element_size : sizeof(int64_t));
    if (s.inner > most || s.outer > most / s.inner || s.classes > most / s.inner / s.outer)
        return SL_ERR_SIZE;
    *e = (extent){s.outer * s.inner, s.outer * s.inner * s.classes};
    return SL_OK;
}

/* ---- aliasing ---- */

typedef struct {
    const void *at;
    size_t size; /* bytes */
} array;

static bool overlap(array a, array b)
{
    uintptr_t p = (uintptr_t)a.at, q = (uintptr_t)b.at;
    return a.at && b.at && a.size && b.size && p < q + b.size && q < p + a.size;
}

/* y = map of x: apart, or in place. */
static sl_status check_map(const void *x, const void *y, size_t size)
{
    if (size == 0)
        return SL_OK;
    if (!x || !y)
        return SL_ERR_NULL;
    return x != y && overlap((array){x, size}, (array){y, size}) ? SL_ERR_OVERLAP : SL_OK;
}

/* ---- losses ---- */

static sl_status check_options(const sl_loss_options *o)
{
    if ((unsigned)o->reduction > SL_NONE || (o->flags & ~(SL_SAFE_ROWS | SL_EMPTY_MEAN_ZERO)))
        return SL_ERR_OPTION;
    return o->label_smoothing >= 0 && o->label_smoothing <= 1 ? SL_OK : SL_ERR_OPTION;
}

static sl_status check_class_ids(const int64_t *target, size_t rows, size_t classes, const sl_loss_options *o)
{
    for (size_t r = 0; r < rows; r++) {
        bool ignored = o->has_ignore_index && target[r] == o->ignore_index;
        if (!ignored && (target[r] < 0 || (uint64_t)target[r] >= classes))
            return SL_ERR_TARGET;
    }
    return SL_OK;
}

/* Pointers, options and aliasing of a loss whose reduction none has `each` results and `target_size` bytes of
 * targets; `fits` says that no option of another loss is set. */
static sl_status check_loss(const float *logits, const void *target, size_t target_size, sl_shape s, extent e,
                            const sl_loss_options *o, bool fits, const float *loss, size_t each,
                            const float *grad)
{
    size_t results = o->reduction == SL_NONE ? each : 1;
    if ((results && !loss) || (e.elements && (!logits || !target)))
        return SL_ERR_NULL;
    CHECK(check_options(o));
    if (!fits || grad)
        return SL_ERR_OPTION;
    array out = {loss, results * sizeof *loss};
    array in[] = {
        {logits, e.elements * sizeof *logits},
        {target, target_size},
        {o->class_weight, s.classes * sizeof(float)},
        {o->pos_weight, s.classes * sizeof(float)},
    };
    for (size_t i = 0; i < sizeof in / sizeof in[0]; i++)
        if (overlap(out, in[i]))
            return SL_ERR_OVERLAP;
    return SL_OK;
}

/* ---- the functions ---- */

#define ROW_MAP(name)                                                                                        \
    sl_status sl_##name##_f32(const float *x, float *y, sl_shape shape)                                      \
    {                                                                                                        \
        extent e;                                                                                            \
        CHECK(measure(shape, sizeof *x, &e));                                                                \
        CHECK(check_map(x, y, e.elements * sizeof *x));                                                      \
        if (e.elements)                                                                                      \
            sl_active()->name##_f32(x, y, shape);                                                            \
        return SL_OK;                                                                                        \
    }

#define MAP(name)                                                                                            \
    sl_status sl_##name##_f32(const float *x, float *y, size_t n)                                            \
    {                                                                                                        \
        if (n > PTRDIFF_MAX / sizeof *x)                                                                     \
            return SL_ERR_SIZE;                                                                              \
        CHECK(check_map(x, y, n * sizeof *x));                                                               \
        if (n)                                                                                               \
            sl_active()->name##_f32(x, y, n);                                                                \
        return SL_OK;                                                                                        \
    }

ROW_MAP(softmax)
ROW_MAP(log_softmax)
MAP(sigmoid)
MAP(log_sigmoid)

sl_status sl_logsumexp_f32(const float *x, float *lse, sl_shape shape)
{
    extent e;
    CHECK(measure(shape, sizeof *x, &e));
    if (e.elements == 0)
        return SL_OK;
    if (!x || !lse)
        return SL_ERR_NULL;
    if (overlap((array){x, e.elements * sizeof *x}, (array){lse, e.rows * sizeof *lse}))
        return SL_ERR_OVERLAP;
    sl_active()->logsumexp_f32(x, lse, shape);
    return SL_OK;
}

sl_status sl_cross_entropy_f32(const float *logits, const int64_t *target, sl_shape shape,
                               const sl_loss_options *options, float *loss, float *grad)
{
    sl_loss_options o = options ? *options : sl_loss_defaults();
    extent e;
    CHECK(measure(shape, sizeof *logits, &e));
    CHECK(
        check_loss(logits, target, e.rows * sizeof *target, shape, e, &o, !o.pos_weight, loss, e.rows, grad));
    CHECK(check_class_ids(target, e.rows, shape.classes, &o));
    sl_active()->cross_entropy_f32(logits, target, shape, &o, loss, grad);
    return SL_OK;
}

sl_status sl_bce_with_logits_f32(const float *logits, const float *target, sl_shape shape,
                                 const sl_loss_options *options, float *loss, float *grad)
{
    sl_loss_options o = options ? *options : sl_loss_defaults();
    extent e;
    CHECK(measure(shape, sizeof *logits, &e));
    bool fits = o.label_smoothing == 0 && !o.has_ignore_index && !(o.flags & SL_SAFE_ROWS);
    CHECK(
        check_loss(logits, target, e.elements * sizeof *target, shape, e, &o, fits, loss, e.elements, grad));
    sl_active()->bce_with_logits_f32(logits, target, shape, &o, loss, grad);
    return SL_OK;
}
