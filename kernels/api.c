/* SPDX-License-Identifier: MIT
 *
 * The public functions: check the arguments, then call the table in use. All checks come before the first
 * write.
 *
 * A function describes its arguments as a list of arrays, and one rule for all then says SIZE, NULL or
 * OVERLAP. There is one macro per signature of kernels.def; what a loss has of its own, the options that it
 * accepts and what its targets must be, stands in TAKES_<loss> and CHECK_TARGET_<loss>.
 */
#include "dispatch.h"

#include <float.h>

sl_shape sl_rows(size_t rows, size_t classes)
{
    return (sl_shape){.outer = rows, .classes = classes, .inner = 1};
}

sl_shape sl_axis(size_t outer, size_t classes, size_t inner)
{
    return (sl_shape){.outer = outer, .classes = classes, .inner = inner};
}

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
    case SL_ERR_FILE:
        return "the tuning file cannot be read or is malformed";
    case SL_ERR_VERSION:
        return "the tuning file, or what was packed, is of another version";
    case SL_ERR_MACHINE:
        return "the tuning file is of another machine";
    case SL_ERR_STRIDE:
        return "a stride is negative or lets elements of an array overlap";
    case SL_ERR_PACKED:
        return "these bytes are no packed statistics, or damaged";
    }
    return "unknown status";
}

/* Returns from the caller unless the call succeeds. */
#define CHECK(call)                                                                                          \
    do {                                                                                                     \
        const sl_status status_ = call;                                                                      \
        if (status_ != SL_OK)                                                                                \
            return status_;                                                                                  \
    } while (0)

/* ---------------------------------------------------------------------------------------------- arrays */

/* Inlined into each function: of a list that the compiler knows little is left, and a short call does not wait for it. */
#define INLINE static inline __attribute__((always_inline))

typedef enum {
    INPUT,
    REPLACED, /* an input that the output REPLACING may lie upon, exactly */
    OUTPUT,
    REPLACING,
} role;

typedef struct {
    const void *at;
    size_t count, size; /* elements, from the first to the last one; bytes of each */
    role role;
    bool shaped; /* the shape's strides are those of its elements; else it is dense */
} array;

#define COUNT_OF(arrays) (sizeof(arrays) / sizeof *(arrays))

/* SIZE_MAX, which is too much for any array, where the product is more. */
INLINE size_t saturating_product(size_t a, size_t b)
{
    size_t product;
    return __builtin_mul_overflow(a, b, &product) ? SIZE_MAX : product;
}

/* A product, since a division would take as long as a short call. */
INLINE size_t bytes_of(const array *a) { return saturating_product(a->count, a->size); }

/* Byte sizes, and that what must be read or written is there. */
INLINE sl_status check_presence(const array *a, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes_of(&a[i]) > PTRDIFF_MAX)
            return SL_ERR_SIZE;
    for (size_t i = 0; i < n; i++)
        if (a[i].count != 0 && a[i].at == NULL)
            return SL_ERR_NULL;
    return SL_OK;
}

INLINE bool overlap(const array *a, const array *b)
{
    const uintptr_t p = (uintptr_t)a->at, q = (uintptr_t)b->at;
    return a->count != 0 && b->count != 0 && p < q + b->count * b->size && q < p + a->count * a->size;
}

/* No output lies upon another argument, unless in place. */
INLINE sl_status check_aliasing(const array *a, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i].role != OUTPUT && a[i].role != REPLACING)
            continue;
        for (size_t k = 0; k < n; k++) {
            const bool in_place = a[i].role == REPLACING && a[k].role == REPLACED && a[i].at == a[k].at;
            if (k != i && !in_place && overlap(&a[i], &a[k]))
                return SL_ERR_OVERLAP;
        }
    }
    return SL_OK;
}

INLINE sl_status check_arrays(const array *a, size_t n, bool options_are_valid)
{
    CHECK(check_presence(a, n));
    return options_are_valid ? check_aliasing(a, n) : SL_ERR_OPTION;
}

/* SIZE_MAX, which is too much for any array, where the sum is more. */
static size_t saturating_sum(size_t a, size_t b) { return a > SIZE_MAX - b ? SIZE_MAX : a + b; }

/* None of either in an empty shape. */
static size_t elements_of(sl_shape s)
{
    if (s.outer == 0 || s.classes == 0 || s.inner == 0)
        return 0;
    return saturating_product(saturating_product(s.outer, s.classes), s.inner);
}

/* Also of no classes: what there is one of for each row is there then, too. */
static size_t rows_of(sl_shape s) { return saturating_product(s.outer, s.inner); }

/* --------------------------------------------------------------------------------------------- strides */

/* Out of line and seldom: a dense call asks this and nothing else. */
#define SELDOM static __attribute__((noinline, cold))

INLINE bool has_strides(const sl_shape *s)
{
    return (s->in.outer | s->in.classes | s->out.outer | s->out.classes) != 0;
}

/* How the elements of a shape lie: strides in effect, 0 where there is nothing to go to; elements from the first to the last. */
typedef struct {
    size_t outer, classes, span;
} extent;

/* n parts, of `part` elements each. */
static size_t span_of(size_t n, size_t stride, size_t part)
{
    return saturating_sum(saturating_product(n - 1, stride), part);
}

static sl_status extent_of(const sl_shape *s, const sl_strides *given, extent *e)
{
    *e = (extent){0, 0, 0};
    if (given->outer < 0 || given->classes < 0)
        return SL_ERR_STRIDE;
    if (s->outer == 0 || s->classes == 0 || s->inner == 0)
        return SL_OK;
    const size_t classes = given->classes != 0 ? (size_t)given->classes : s->inner;
    const size_t outer = given->outer != 0 ? (size_t)given->outer : saturating_product(s->classes, classes);
    const size_t block = span_of(s->classes, classes, s->inner);
    if ((s->classes > 1 && classes < s->inner) || (s->outer > 1 && outer < block))
        return SL_ERR_STRIDE;
    *e = (extent){s->outer > 1 ? outer : 0, s->classes > 1 ? classes : 0, span_of(s->outer, outer, block)};
    return SL_OK;
}

/* Of what is read, and of what is written. */
typedef struct {
    extent in, out;
} extents;

static const extent *extent_for(const extents *e, const array *a)
{
    return a->role == OUTPUT || a->role == REPLACING ? &e->out : &e->in;
}

/* The shape's strides, which become those in effect: a kernel goes to nothing that is not there. And what is not yet known of the
 * arrays: the spans of those that go by them. */
static sl_status lay_out(array *a, size_t n, sl_shape *shape, extents *e)
{
    CHECK(extent_of(shape, &shape->in, &e->in));
    CHECK(extent_of(shape, &shape->out, &e->out));
    shape->in = (sl_strides){(ptrdiff_t)e->in.outer, (ptrdiff_t)e->in.classes};
    shape->out = (sl_strides){(ptrdiff_t)e->out.outer, (ptrdiff_t)e->out.classes};
    for (size_t i = 0; i < n; i++)
        if (a[i].shaped && a[i].count != 0)
            a[i].count = extent_for(e, &a[i])->span;
    return SL_OK;
}

/* How far d is from the last of n multiples that is not beyond it, or from the next one; SIZE_MAX: there is none. */
static size_t off_multiple(size_t d, size_t stride, size_t n, size_t next)
{
    const size_t k = stride != 0 ? d / stride + next : next;
    if (k >= n)
        return SIZE_MAX;
    return next != 0 ? k * stride - d : d - k * stride;
}

/* Whether elements of two arrays meet that lie alike, the second one so many bytes behind the first. Parts that do not overlap
 * each other meet their neighbours' at most. */
static bool meet(const sl_shape *s, const extent *e, size_t size, size_t distance)
{
    for (size_t i = 0; i < 4; i++) {
        const size_t of_block = off_multiple(distance, e->outer * size, s->outer, i / 2);
        if (off_multiple(of_block, e->classes * size, s->classes, i % 2) < s->inner * size)
            return true;
    }
    return false;
}

static bool lie_alike(const extent *a, const extent *b)
{
    return a->outer == b->outer && a->classes == b->classes;
}

/* As check_aliasing; arrays that lie alike may interleave. */
static sl_status check_strided_aliasing(const array *a, size_t n, const sl_shape *shape, const extents *e)
{
    for (size_t i = 0; i < n; i++) {
        if (a[i].role != OUTPUT && a[i].role != REPLACING)
            continue;
        for (size_t k = 0; k < n; k++) {
            if (k == i || !overlap(&a[i], &a[k]))
                continue;
            const uintptr_t p = (uintptr_t)a[i].at, q = (uintptr_t)a[k].at;
            const bool alike = a[i].shaped && a[k].shaped && a[i].size == a[k].size &&
                               lie_alike(&e->out, extent_for(e, &a[k]));
            const bool in_place = a[i].role == REPLACING && a[k].role == REPLACED && p == q;
            if (!alike || (!in_place && meet(shape, &e->out, a[i].size, p < q ? q - p : p - q)))
                return SL_ERR_OVERLAP;
        }
    }
    return SL_OK;
}

SELDOM sl_status check_strided_arrays(array *a, size_t n, sl_shape *shape, bool options_are_valid)
{
    extents e;
    CHECK(lay_out(a, n, shape, &e));
    CHECK(check_presence(a, n));
    return options_are_valid ? check_strided_aliasing(a, n, shape, &e) : SL_ERR_OPTION;
}

/* -------------------------------------------------------------------------------------- maps and folds */

/* A function without options; it has something to do unless `work` is 0. x is its first array, whose elements a tuning goes
 * by. */
#define FUNCTION(dt, name, parameters, work, call, ...)                                                      \
    sl_status sl_##name##_##dt parameters                                                                    \
    {                                                                                                        \
        const array arrays[] = {__VA_ARGS__};                                                                \
        CHECK(check_arrays(arrays, COUNT_OF(arrays), true));                                                 \
        if ((work) != 0)                                                                                     \
            sl_active_for(SL_SLOT(name, dt), arrays[0].count)->name##_##dt call;                             \
        return SL_OK;                                                                                        \
    }

/* The same with a shape. ROW_FUNCTION_IF: OPTION unless `valid`, and last of all the status of `targets`. */
#define ROW_FUNCTION(dt, name, parameters, ...)                                                              \
    ROW_FUNCTION_IF(dt, name, parameters, true, SL_OK, __VA_ARGS__)
#define ROW_FUNCTION_IF(dt, name, parameters, valid, targets, work, arguments, ...)                          \
    SELDOM sl_status strided_##name##_##dt parameters                                                        \
    {                                                                                                        \
        const size_t elements = elements_of(shape);                                                          \
        array arrays[] = {__VA_ARGS__};                                                                      \
        CHECK(check_strided_arrays(arrays, COUNT_OF(arrays), &shape, valid));                                \
        CHECK(targets);                                                                                      \
        if ((work) != 0)                                                                                     \
            sl_active_for(SL_SLOT(name, dt), elements)->name##_##dt arguments;                               \
        return SL_OK;                                                                                        \
    }                                                                                                        \
    sl_status sl_##name##_##dt parameters                                                                    \
    {                                                                                                        \
        if (has_strides(&shape))                                                                             \
            return strided_##name##_##dt arguments;                                                          \
        const size_t elements = elements_of(shape);                                                          \
        const array arrays[] = {__VA_ARGS__};                                                                \
        CHECK(check_arrays(arrays, COUNT_OF(arrays), valid));                                                \
        CHECK(targets);                                                                                      \
        if ((work) != 0)                                                                                     \
            sl_active_for(SL_SLOT(name, dt), elements)->name##_##dt arguments;                               \
        return SL_OK;                                                                                        \
    }

#define DEFINE_MAP(dt, T, L, name)                                                                           \
    FUNCTION(dt, name, SL_PARAMS_MAP(T, L), n, (x, y, n), {x, n, sizeof(T), REPLACED, false},                \
             {y, n, sizeof(T), REPLACING, false})

#define DEFINE_MAP_BACKWARD(dt, T, L, name)                                                                  \
    FUNCTION(dt, name, SL_PARAMS_MAP_BACKWARD(T, L), n, (a, dy, dx, n), {a, n, sizeof(T), REPLACED, false},  \
             {dy, n, sizeof(T), REPLACED, false}, {dx, n, sizeof(T), REPLACING, false})

/* An array of the shape's elements; so many it has. */
#define ELEMENTS(at, role)                                                                                   \
    {                                                                                                        \
        at, elements, sizeof *(at), role, true                                                               \
    }

#define DEFINE_ROW_MAP(dt, T, L, name)                                                                       \
    ROW_FUNCTION(dt, name, SL_PARAMS_ROW_MAP(T, L), elements, (x, y, shape), ELEMENTS(x, REPLACED),          \
                 ELEMENTS(y, REPLACING))

#define DEFINE_ROW_BACKWARD(dt, T, L, name)                                                                  \
    ROW_FUNCTION(dt, name, SL_PARAMS_ROW_BACKWARD(T, L), elements, (y, dy, dx, shape),                       \
                 ELEMENTS(y, REPLACED), ELEMENTS(dy, REPLACED), ELEMENTS(dx, REPLACING))

#define DEFINE_ROW_FOLD(dt, T, L, name)                                                                      \
    ROW_FUNCTION(dt, name, SL_PARAMS_ROW_FOLD(T, L), rows_of(shape), (x, lse, shape), ELEMENTS(x, INPUT),    \
                 {lse, rows_of(shape), sizeof(L), OUTPUT, false})

#define DEFINE_STATS(dt, T, L, name)                                                                         \
    FUNCTION(dt, name, SL_PARAMS_STATS(T, L), 1, (x, n, stats), {x, n, sizeof(T), INPUT, false},             \
             {stats, 1, sizeof *stats, OUTPUT, false})

/* Contiguous rows, with a pitch or not, and results without strides. */
static bool are_plain_rows(sl_shape s)
{
    return s.inner == 1 && s.in.classes <= 1 && s.out.outer == 0 && s.out.classes == 0;
}

#define DEFINE_STATS_ROWS(dt, T, L, name)                                                                    \
    ROW_FUNCTION_IF(dt, name, SL_PARAMS_STATS_ROWS(T, L), are_plain_rows(shape), SL_OK, shape.outer,         \
                    (x, target, shape, stats), ELEMENTS(x, INPUT),                                           \
                    {target, target != NULL ? shape.outer : 0, sizeof *target, INPUT, false},                \
                    {stats, shape.outer, sizeof *stats, OUTPUT, false})

/* n ids, each of a class. */
static sl_status check_chosen(const int64_t *ids, size_t n, size_t classes)
{
    for (size_t i = 0; i < n; i++)
        if ((uint64_t)ids[i] >= classes) /* or negative */
            return SL_ERR_TARGET;
    return SL_OK;
}

/* k of each row. */
#define CHOSEN(at, role)                                                                                     \
    {                                                                                                        \
        at, saturating_product(shape.outer, k), sizeof *(at), role, false                                    \
    }

#define DEFINE_ROW_AT(dt, T, L, name)                                                                        \
    ROW_FUNCTION_IF(dt, name, SL_PARAMS_ROW_AT(T, L), are_plain_rows(shape),                                 \
                    check_chosen(ids, shape.outer *k, shape.classes), shape.outer *k, (x, shape, ids, k, y), \
                    ELEMENTS(x, INPUT), CHOSEN(ids, INPUT), CHOSEN(y, OUTPUT))

#define DEFINE_ROW_TOP(dt, T, L, name)                                                                       \
    ROW_FUNCTION_IF(dt, name, SL_PARAMS_ROW_TOP(T, L), are_plain_rows(shape) && k <= shape.classes, SL_OK,   \
                    shape.outer * k, (x, shape, k, y, ids), ELEMENTS(x, INPUT), CHOSEN(y, OUTPUT),           \
                    CHOSEN(ids, OUTPUT))

/* What is as large as its input may be that. */
#define REPLACING_IF(is_same_type) ((is_same_type) ? REPLACING : OUTPUT)

#define DEFINE_ROW_WIDE(dt, T, L, name)                                                                      \
    ROW_FUNCTION(dt, name, SL_PARAMS_ROW_WIDE(T, L), elements, (x, y, shape), ELEMENTS(x, REPLACED),         \
                 ELEMENTS(y, REPLACING_IF(sizeof(T) == sizeof(L))))

#define DEFINE_MAP_WIDE(dt, T, L, name)                                                                      \
    FUNCTION(dt, name, SL_PARAMS_MAP_WIDE(T, L), n, (x, y, n), {x, n, sizeof(T), REPLACED, false},           \
             {y, n, sizeof(L), REPLACING_IF(sizeof(T) == sizeof(L)), false})

#define DEFINE_APPLY(dt, T, L, name)                                                                         \
    FUNCTION(dt, name, SL_PARAMS_APPLY(T, L), n, (x, y, n, stats), {x, n, sizeof(T), REPLACED, false},       \
             {y, n, sizeof(T), REPLACING, false}, {stats, 1, sizeof *stats, INPUT, false})

/* ---------------------------------------------------------------------------------- softmax with options */

/* 0, or a normal number of an arithmetic whose smallest and largest are these. */
static bool is_usable(double a, double least, double most)
{
    const double magnitude = a < 0 ? -a : a;
    return a == 0 || (magnitude >= least && magnitude <= most);
}

typedef struct {
    array x, y;
    sl_shape *shape;
    const sl_softmax_options *options, *options_at; /* a copy; where the caller has them, or NULL */
    size_t loss_size;
} scored_call;

static size_t size_of_mask(const sl_softmax_options *o)
{
    switch (o->mask_type) {
    case SL_MASK_F32:
        return 4;
    case SL_MASK_F64:
        return 8;
    case SL_MASK_BOOL:
        return 1;
    default:
        return 2;
    }
}

/* The shape has the strides in effect. */
static sl_status check_softmax_options(const scored_call *c)
{
    const sl_softmax_options *o = c->options;
    const bool wide = c->loss_size == sizeof(double);
    const double least = wide ? DBL_MIN : FLT_MIN, most = wide ? DBL_MAX : FLT_MAX;
    const double scale = o->scale == 0 ? 1 : o->scale;
    const double steep =
        scale /
        (o->softcap == 0 ? scale : o->softcap); /* no division by 0, whatever compilers compute first */
    const bool usable = is_usable(o->scale, least, most) && is_usable(o->slope, least, most) &&
                        is_usable(o->softcap, least, most) && is_usable(steep, least, most) &&
                        o->softcap >= 0 && steep != 0;
    const bool mask =
        (unsigned)o->mask_type <= SL_MASK_BOOL && (wide || o->mask_type != SL_MASK_F64) &&
        (o->mask != NULL) == (o->mask_type != SL_MASK_NONE) &&
        (o->mask_stride == 0 || (o->mask_stride > 0 && (size_t)o->mask_stride >= c->shape->classes));
    const bool shape = c->shape->inner <= 1 && c->shape->in.classes <= 1 && c->shape->out.classes <= 1;
    return usable && mask && shape && (o->flags & ~SL_SAFE_ROWS) == 0 ? SL_OK : SL_ERR_OPTION;
}

static sl_status check_limits(const sl_softmax_options *o, sl_shape s)
{
    for (size_t r = 0; r < rows_of(s) && (o->first != NULL || o->length != NULL); r++) {
        const size_t first = o->first != NULL ? o->first[r] : 0,
                     length = o->length != NULL ? o->length[r] : 0;
        if (first > s.classes || length > s.classes - first)
            return SL_ERR_OPTION;
    }
    return SL_OK;
}

static sl_status check_scored(const scored_call *c)
{
    const sl_softmax_options *o = c->options;
    const size_t rows = rows_of(*c->shape), classes = c->shape->classes;
    const size_t mask_stride = o->mask_stride > 0 ? (size_t)o->mask_stride : 0;
    const bool has_mask = o->mask != NULL && c->x.count != 0;
    array arrays[] = {
        c->x,
        c->y,
        {o->mask, has_mask ? span_of(rows, mask_stride, classes) : 0, size_of_mask(o), INPUT, false},
        {o->first, o->first != NULL ? rows : 0, sizeof *o->first, INPUT, false},
        {o->length, o->length != NULL ? rows : 0, sizeof *o->length, INPUT, false},
        {o->sink, o->sink != NULL ? rows : 0, c->loss_size, INPUT, false},
        {o->lse, o->lse != NULL ? rows : 0, c->loss_size, OUTPUT, false},
        {c->options_at, c->options_at != NULL ? 1 : 0, sizeof *c->options_at, INPUT, false},
    };
    extents e;
    CHECK(lay_out(arrays, COUNT_OF(arrays), c->shape, &e));
    CHECK(check_presence(arrays, COUNT_OF(arrays)));
    CHECK(check_softmax_options(c));
    CHECK(check_limits(o, *c->shape));
    return check_strided_aliasing(arrays, COUNT_OF(arrays), c->shape, &e);
}

#define DEFINE_ROW_OPTIONS(dt, T, L, name)                                                                   \
    sl_status sl_##name##_##dt SL_PARAMS_ROW_OPTIONS(T, L)                                                   \
    {                                                                                                        \
        const sl_softmax_options o = options != NULL ? *options : (sl_softmax_options){0};                   \
        const size_t elements = elements_of(shape);                                                          \
        const scored_call c = {.x = ELEMENTS(x, REPLACED),                                                   \
                               .y = ELEMENTS(y, REPLACING),                                                  \
                               .shape = &shape,                                                              \
                               .options = &o,                                                                \
                               .options_at = options,                                                        \
                               .loss_size = sizeof(L)};                                                      \
        CHECK(check_scored(&c));                                                                             \
        if (elements != 0 || (o.lse != NULL && rows_of(shape) != 0))                                         \
            sl_active_for(SL_SLOT(name, dt), elements)->name##_##dt(x, y, shape, &o);                        \
        return SL_OK;                                                                                        \
    }

/* ---------------------------------------------------------------------------------------------- losses */

/* The options that not every loss accepts. */
enum {
    POS_WEIGHT = 1,
    LABEL_SMOOTHING = 2,
    IGNORE_INDEX = 4,
    SAFE_ROWS = 8,
    LSE = 16,
    Z_LOSS = 32,
    SOFTCAP = 64
};

#define TAKES_cross_entropy (LABEL_SMOOTHING | IGNORE_INDEX | SAFE_ROWS | LSE | Z_LOSS | SOFTCAP)
#define TAKES_cross_entropy_soft (LABEL_SMOOTHING | SAFE_ROWS | LSE | Z_LOSS | SOFTCAP)
#define TAKES_cross_entropy_grad (LABEL_SMOOTHING | IGNORE_INDEX | SAFE_ROWS | Z_LOSS | SOFTCAP)
#define TAKES_cross_entropy_shard_grad (LABEL_SMOOTHING | IGNORE_INDEX | SAFE_ROWS | Z_LOSS)
#define TAKES_nll IGNORE_INDEX
#define TAKES_bce_with_logits POS_WEIGHT
#define TAKES_bce 0

static bool is_at_least_0(double a) { return a >= 0 && a <= DBL_MAX; }

static bool is_softcap(double a) { return a == 0 || (a >= 0x1p-30 && a <= 0x1p30); }

static sl_status check_options(const sl_loss_options *o, unsigned takes)
{
    const unsigned has =
        (o->pos_weight != NULL ? POS_WEIGHT : 0) | (o->label_smoothing != 0 ? LABEL_SMOOTHING : 0) |
        (o->has_ignore_index ? IGNORE_INDEX : 0) | (o->flags & SL_SAFE_ROWS ? SAFE_ROWS : 0) |
        (o->lse != NULL ? LSE : 0) | (o->z_loss != 0 ? Z_LOSS : 0) | (o->softcap != 0 ? SOFTCAP : 0);
    const bool in_range = (unsigned)o->reduction <= SL_NONE && o->label_smoothing >= 0 &&
                          o->label_smoothing <= 1 && (o->flags & ~(SL_SAFE_ROWS | SL_EMPTY_MEAN_ZERO)) == 0 &&
                          (o->has_ignore_index || o->ignore_index == 0) && is_at_least_0(o->z_loss) &&
                          is_softcap(o->softcap) && is_at_least_0(o->divisor) &&
                          (o->divisor == 0 || o->reduction == SL_MEAN);
    return in_range && (has & ~takes) == 0 ? SL_OK : SL_ERR_OPTION;
}

/* All but the values of the targets. The counts are those of the reduction none. */
typedef struct {
    array logits, target, known; /* known: what a gradient by itself is made from; of a loss nothing */
    sl_shape *shape;
    size_t classes;                              /* of the whole row */
    const sl_loss_options *options, *options_at; /* a copy; where the caller has them, or NULL */
    unsigned takes;
    bool is_outside;         /* a shard that is no part of its row */
    const void *loss, *grad; /* either may be NULL when the other is not */
    size_t losses, loss_size;
} loss_call;

enum { LOSS_ARRAYS = 10 };

INLINE size_t arrays_of(const loss_call *c, array arrays[LOSS_ARRAYS])
{
    const sl_loss_options *o = c->options;
    const size_t losses = o->reduction == SL_NONE ? c->losses : 1;
    const size_t classes = c->logits.count == 0 ? 0 : c->classes;
    const bool is_loss = c->known.size == 0;
    size_t n = 0; /* only those that there are */
    arrays[n++] = c->logits;
    arrays[n++] = c->target;
    if (!is_loss)
        arrays[n++] = c->known;
    if (c->loss != NULL || (is_loss && c->grad == NULL))
        arrays[n++] = (array){c->loss, losses, c->loss_size, OUTPUT, false};
    if (c->grad != NULL || !is_loss)
        arrays[n++] = (array){c->grad, c->logits.count, c->logits.size, REPLACING, true};
    if (o->lse != NULL)
        arrays[n++] = (array){o->lse, rows_of(*c->shape), c->loss_size, OUTPUT, false};
    if (o->class_weight != NULL)
        arrays[n++] = (array){o->class_weight, classes, c->loss_size, INPUT, false};
    if (o->pos_weight != NULL)
        arrays[n++] = (array){o->pos_weight, classes, c->loss_size, INPUT, false};
    if (o->upstream != NULL)
        arrays[n++] = (array){o->upstream, losses, c->loss_size, INPUT, false};
    if (c->options_at != NULL)
        arrays[n++] = (array){c->options_at, 1, sizeof *c->options_at, INPUT, false};
    return n;
}

static sl_status check_loss_options(const loss_call *c)
{
    CHECK(check_options(c->options, c->takes));
    return c->is_outside ? SL_ERR_OPTION : SL_OK;
}

SELDOM sl_status check_strided_loss(const loss_call *c)
{
    array arrays[LOSS_ARRAYS];
    extents e;
    const size_t n = arrays_of(c, arrays);
    CHECK(lay_out(arrays, n, c->shape, &e));
    CHECK(check_presence(arrays, n));
    CHECK(check_loss_options(c));
    return check_strided_aliasing(arrays, n, c->shape, &e);
}

static sl_status check_loss(const loss_call *c)
{
    array arrays[LOSS_ARRAYS];
    const size_t n = arrays_of(c, arrays);
    CHECK(check_presence(arrays, n));
    CHECK(check_loss_options(c));
    return check_aliasing(arrays, n);
}

/* A class id for every row. */
static sl_status check_class_ids(const int64_t *target, size_t rows, size_t classes, const sl_loss_options *o)
{
    for (size_t r = 0; r < rows; r++) {
        const bool is_ignored = o->has_ignore_index && target[r] == o->ignore_index;
        if (!is_ignored && (uint64_t)target[r] >= classes) /* or negative */
            return SL_ERR_TARGET;
    }
    return SL_OK;
}

/* What is read, as runs of neighbours: all in one where it is dense, else rows or classes. */
typedef struct {
    size_t outer, classes, length;
    size_t to_outer, to_class; /* elements from run to run */
} runs;

static __attribute__((unused)) runs runs_of(const sl_shape *s)
{
    if (!has_strides(s))
        return (runs){1, 1, elements_of(*s), 0, 0};
    extent e; /* they have been checked */
    (void)extent_of(s, &s->in, &e);
    if (e.span == 0)
        return (runs){0, 0, 0, 0, 0};
    if (e.classes == s->inner)
        return (runs){s->outer, 1, s->classes * s->inner, e.outer, 0};
    return (runs){s->outer, s->classes, s->inner, e.outer, e.classes};
}

/* Numbers in [0, 1], which a NaN is not; of the 16-bit formats by their bits. Without an early exit compilers
 * make vectors of it. */
#define IS_OUTSIDE_f32(p) !(((p) >= 0) & ((p) <= 1))
#define IS_OUTSIDE_f64(p) IS_OUTSIDE_f32(p)
#define IS_OUTSIDE_16(bits, one) (((bits) > (one)) & ((bits) != 0x8000))
#define IS_OUTSIDE_bf16(p) IS_OUTSIDE_16((p).bits, 0x3f80)
#define IS_OUTSIDE_f16(p) IS_OUTSIDE_16((p).bits, 0x3c00)
#define CHECK_PROBABILITIES(is_outside)                                                                      \
    do {                                                                                                     \
        const runs all = runs_of(&shape);                                                                    \
        int outside = 0;                                                                                     \
        for (size_t b = 0; b < all.outer; b++)                                                               \
            for (size_t k = 0; k < all.classes; k++)                                                         \
                for (size_t i = 0; i < all.length; i++)                                                      \
                    outside |= is_outside(x[b * all.to_outer + k * all.to_class + i]);                       \
        if (outside)                                                                                         \
            return SL_ERR_TARGET;                                                                            \
    } while (0)

#define CHECK_TARGET_cross_entropy(dt) CHECK(check_class_ids(target, rows_of(shape), shape.classes, &o))
#define CHECK_TARGET_cross_entropy_soft(dt)
#define CHECK_TARGET_cross_entropy_grad(dt) CHECK_TARGET_cross_entropy(dt)
#define CHECK_TARGET_cross_entropy_shard_grad(dt)                                                            \
    CHECK(check_class_ids(target, rows_of(shape), shard.classes, &o))
#define CHECK_TARGET_nll(dt) CHECK(check_class_ids(target, rows_of(shape), shape.classes, &o))
#define CHECK_TARGET_bce_with_logits(dt)
#define CHECK_TARGET_bce(dt) CHECK_PROBABILITIES(IS_OUTSIDE_##dt)

/* The kernel is called for empty shapes, too: a mean or a sum over nothing is a result. */
#define LOSS(dt, T, L, name, parameters, targets, shaped, loss_count)                                        \
    sl_status sl_##name##_##dt parameters                                                                    \
    {                                                                                                        \
        const sl_loss_options o = options != NULL ? *options : sl_loss_defaults();                           \
        const size_t elements = elements_of(shape);                                                          \
        const loss_call c = {                                                                                \
            .logits = ELEMENTS(x, REPLACED),                                                                 \
            .target = {target, targets, sizeof *target, INPUT, shaped},                                      \
            .shape = &shape,                                                                                 \
            .classes = shape.classes,                                                                        \
            .options = &o,                                                                                   \
            .options_at = options,                                                                           \
            .takes = TAKES_##name,                                                                           \
            .loss = loss,                                                                                    \
            .grad = grad,                                                                                    \
            .losses = loss_count,                                                                            \
            .loss_size = sizeof *loss,                                                                       \
        };                                                                                                   \
        CHECK(has_strides(&shape) ? check_strided_loss(&c) : check_loss(&c));                                \
        CHECK_TARGET_##name(dt);                                                                             \
        sl_active_for(SL_SLOT(name, dt), elements)->name##_##dt(x, target, shape, &o, loss, grad);           \
        return SL_OK;                                                                                        \
    }

static bool is_no_part(sl_shape shape, sl_shard shard)
{
    return shape.inner != 1 || shape.in.classes > 1 || shape.out.classes > 1 ||
           shape.classes > shard.classes || shard.first > shard.classes - shape.classes;
}

/* A gradient by itself, of rows of so many classes in all; without elements there is nothing to do. */
#define GRAD(dt, T, L, name, parameters, all_classes, outside, call, ...)                                    \
    sl_status sl_##name##_##dt parameters                                                                    \
    {                                                                                                        \
        const sl_loss_options o = options != NULL ? *options : sl_loss_defaults();                           \
        const size_t elements = elements_of(shape);                                                          \
        const loss_call c = {                                                                                \
            .logits = ELEMENTS(x, REPLACED),                                                                 \
            .target = {target, rows_of(shape), sizeof *target, INPUT, false},                                \
            .known = __VA_ARGS__,                                                                            \
            .shape = &shape,                                                                                 \
            .classes = all_classes,                                                                          \
            .options = &o,                                                                                   \
            .options_at = options,                                                                           \
            .takes = TAKES_##name,                                                                           \
            .is_outside = outside,                                                                           \
            .grad = grad,                                                                                    \
            .losses = rows_of(shape),                                                                        \
            .loss_size = sizeof(L),                                                                          \
        };                                                                                                   \
        CHECK(has_strides(&shape) ? check_strided_loss(&c) : check_loss(&c));                                \
        CHECK_TARGET_##name(dt);                                                                             \
        if (elements != 0)                                                                                   \
            sl_active_for(SL_SLOT(name, dt), elements)->name##_##dt call;                                    \
        return SL_OK;                                                                                        \
    }

#define DEFINE_CLASS_GRAD(dt, T, L, name)                                                                    \
    GRAD(dt, T, L, name, SL_PARAMS_CLASS_GRAD(T, L), shape.classes, false,                                   \
         (x, target, shape, &o, lse, grad), {lse, rows_of(shape), sizeof *lse, INPUT, false})

#define DEFINE_SHARD_GRAD(dt, T, L, name)                                                                    \
    GRAD(dt, T, L, name, SL_PARAMS_SHARD_GRAD(T, L), shard.classes, is_no_part(shape, shard),                \
         (x, target, shape, shard, &o, stats, grad), {stats, rows_of(shape), sizeof *stats, INPUT, false})

#define DEFINE_CLASS_LOSS(dt, T, L, name)                                                                    \
    LOSS(dt, T, L, name, SL_PARAMS_CLASS_LOSS(T, L), rows_of(shape), false, rows_of(shape))
#define DEFINE_PROB_LOSS(dt, T, L, name)                                                                     \
    LOSS(dt, T, L, name, SL_PARAMS_PROB_LOSS(T, L), elements, true, rows_of(shape))
#define DEFINE_ELEMENT_LOSS(dt, T, L, name)                                                                  \
    LOSS(dt, T, L, name, SL_PARAMS_ELEMENT_LOSS(T, L), elements, true, elements)

/* ------------------------------------------------------------------------------------- all of kernels.def */

#define SL_KERNEL(name, sig, ...) SL_DTYPES(DEFINE_##sig, name)
#define SL_F32_KERNEL(name, sig, ...) SL_F32(DEFINE_##sig, name)
#include "kernels.def"
#undef SL_KERNEL
