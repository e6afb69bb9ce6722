/* SPDX-License-Identifier: MIT
 *
 * The C part of the Python package: common calls from end to end, and the way to the library for all others.
 *
 * A function that Python sees, softlane.softmax say, is one of this file where its signature has a fast path. That takes
 * what is plain: NumPy arrays that are C-contiguous, aligned, in native byte order and of the right types and shapes, and
 * options of the very types that they are documented with. Whatever else it is given, and whatever the library refuses,
 * goes with the same arguments to the Python function of that name (functions.py), which takes it in another form or says
 * what is wrong with it. So messages have one place, and the fast path raises nothing of its own. The library writes nothing
 * when it refuses.
 *
 * Python's limited API of 3.9; arrays by NumPy's C API: the buffer protocol joined the limited API in 3.11 only, and knows no
 * bfloat16. Kernels and element types are those of the manifests.
 */
#define PY_SSIZE_T_CLEAN
#include <Python.h>

#define NPY_NO_DEPRECATED_API NPY_1_7_API_VERSION
#include <numpy/arrayobject.h>
#if defined SOFTLANE_NUMPY_2 && NPY_ABI_VERSION < 0x02000000
#error "A wheel needs headers of NumPy 2"
#endif

#include <math.h>
#include <stddef.h>
#include <string.h>

#include "dtypes.def"
#include "softlane.h"

#ifndef METH_FASTCALL /* joined the limited API in 3.10; 3.9, which no longer changes, has the same */
#define METH_FASTCALL 0x0080
#endif

/* --------------------------------------------------------------------------------------------- calls of any kernel */

/* The arguments of any kernel. */
typedef struct {
    const void *x, *other; /* of gradients y or a, and dy; of losses the logits, and the targets; ids */
    void *out, *second;    /* of losses the loss, and the gradient; of the most probable classes their ids */
    const void *saved_lse;
    size_t n; /* elements; or chosen classes of a row */
    sl_shape shape;
    sl_shard shard;
    sl_loss_options loss;
    sl_softmax_options scores;
    sl_stats *stats;
} call;

#define ARGUMENTS_MAP (c->x, c->out, c->n)
#define ARGUMENTS_MAP_WIDE ARGUMENTS_MAP
#define ARGUMENTS_MAP_BACKWARD (c->x, c->other, c->out, c->n)
#define ARGUMENTS_ROW_MAP (c->x, c->out, c->shape)
#define ARGUMENTS_ROW_WIDE ARGUMENTS_ROW_MAP
#define ARGUMENTS_ROW_FOLD ARGUMENTS_ROW_MAP
#define ARGUMENTS_ROW_OPTIONS (c->x, c->out, c->shape, &c->scores)
#define ARGUMENTS_ROW_BACKWARD (c->x, c->other, c->out, c->shape)
#define ARGUMENTS_CLASS_LOSS (c->x, c->other, c->shape, &c->loss, c->out, c->second)
#define ARGUMENTS_PROB_LOSS ARGUMENTS_CLASS_LOSS
#define ARGUMENTS_ELEMENT_LOSS ARGUMENTS_CLASS_LOSS
#define ARGUMENTS_CLASS_GRAD (c->x, c->other, c->shape, &c->loss, c->saved_lse, c->out)
#define ARGUMENTS_SHARD_GRAD (c->x, c->other, c->shape, c->shard, &c->loss, c->stats, c->out)
#define ARGUMENTS_STATS (c->x, c->n, c->stats)
#define ARGUMENTS_APPLY (c->x, c->out, c->n, c->stats)
#define ARGUMENTS_STATS_ROWS (c->x, c->other, c->shape, c->stats)
#define ARGUMENTS_ROW_AT (c->x, c->shape, c->other, c->n, c->out)
#define ARGUMENTS_ROW_TOP (c->x, c->shape, c->n, c->out, c->second)

#define RUN(dt, T, L, name, sig)                                                                             \
    static sl_status run_##name##_##dt(const call *c) { return sl_##name##_##dt ARGUMENTS_##sig; }
#define SL_KERNEL(name, sig, ...) SL_DTYPES(RUN, name, sig)
#define SL_F32_KERNEL(name, sig, ...) SL_F32(RUN, name, sig)
#include "kernels.def"
#undef SL_KERNEL
#undef RUN

enum {
#define DTYPE(dt, ...) DTYPE_##dt,
    SL_DTYPES(DTYPE, ) DTYPES
#undef DTYPE
};
enum {
#define SL_KERNEL(name, ...) KERNEL_##name,
#include "kernels.def"
#undef SL_KERNEL
    KERNELS
};

#define NUMPY_float NPY_FLOAT
#define NUMPY_double NPY_DOUBLE
#define NUMPY_sl_f16 NPY_HALF
#define NUMPY_sl_bf16 NPY_USHORT /* its bits */
static const struct {
    const char *name;
    int element, loss; /* NumPy's numbers of the types */
} dtypes[] = {
#define DTYPE(dt, T, L, ...) {#dt, NUMPY_##T, NUMPY_##L},
    SL_DTYPES(DTYPE, )
#undef DTYPE
};

/* ------------------------------------------------------------------------------- signatures that have a fast path */

/* The names of their arguments. */
#define NAMES(DO)                                                                                            \
    DO(x), DO(a), DO(y), DO(dy), DO(target), DO(axis), DO(out), DO(keepdims), DO(reduction), DO(grad),       \
        DO(lse), DO(class_weight), DO(pos_weight), DO(label_smoothing), DO(ignore_index), DO(upstream),      \
        DO(safe_rows), DO(empty_mean_zero), DO(z_loss), DO(softcap), DO(divisor), DO(scale), DO(mask),       \
        DO(slope), DO(sink)
enum {
    END,
#define NAME(name) name##_
    NAMES(NAME),
#undef NAME
    NAME_COUNT
};

typedef struct state state;
typedef struct kernel kernel;
typedef PyObject *taker(const state *s, const kernel *k, PyObject *const *given);
static taker take_plain, take_scores, take_loss, take_grad;

enum {
    ELEMENTS = 1, /* no axis */
    WIDE = 2,     /* results are of the loss's type */
    FOLD = 4,     /* one result per row */
    IDS = 8,      /* targets are class ids */
};
typedef struct {
    taker *take; /* NULL: there is only a Python function */
    int traits, positional;
    unsigned char names[20]; /* in their order, as far as they are known here; up to END */
} signature;

#define LOSS_OPTIONS                                                                                         \
    reduction_, out_, class_weight_, pos_weight_, label_smoothing_, ignore_index_, upstream_, safe_rows_,    \
        empty_mean_zero_, z_loss_, softcap_, divisor_
#define SIGNATURE(take, traits, positional, ...)                                                             \
    {                                                                                                        \
        take, traits, positional, { __VA_ARGS__ }                                                            \
    }
#define SIGNATURE_MAP SIGNATURE(take_plain, ELEMENTS, 2, x_, out_)
#define SIGNATURE_MAP_WIDE SIGNATURE(take_plain, ELEMENTS | WIDE, 2, x_, out_)
#define SIGNATURE_MAP_BACKWARD SIGNATURE(take_plain, ELEMENTS, 3, a_, dy_, out_)
#define SIGNATURE_ROW_MAP SIGNATURE(take_plain, 0, 3, x_, axis_, out_)
#define SIGNATURE_ROW_WIDE SIGNATURE(take_plain, WIDE, 3, x_, axis_, out_)
#define SIGNATURE_ROW_FOLD SIGNATURE(take_plain, WIDE | FOLD, 3, x_, axis_, out_, keepdims_)
#define SIGNATURE_ROW_BACKWARD SIGNATURE(take_plain, 0, 4, y_, dy_, axis_, out_)
#define SIGNATURE_ROW_OPTIONS                                                                                \
    SIGNATURE(take_scores, 0, 3, x_, axis_, out_, scale_, softcap_, mask_, slope_, sink_, lse_, safe_rows_)
#define SIGNATURE_CLASS_LOSS SIGNATURE(take_loss, IDS, 3, x_, target_, axis_, grad_, lse_, LOSS_OPTIONS)
#define SIGNATURE_PROB_LOSS SIGNATURE(take_loss, 0, 3, x_, target_, axis_, grad_, lse_, LOSS_OPTIONS)
#define SIGNATURE_ELEMENT_LOSS                                                                               \
    SIGNATURE(take_loss, ELEMENTS, 3, x_, target_, axis_, grad_, lse_, LOSS_OPTIONS)
#define SIGNATURE_CLASS_GRAD SIGNATURE(take_grad, IDS, 4, x_, target_, lse_, axis_, LOSS_OPTIONS)
#define SIGNATURE_NONE SIGNATURE(NULL, 0, 0, END)
#define SIGNATURE_SHARD_GRAD SIGNATURE_NONE
#define SIGNATURE_STATS SIGNATURE_NONE
#define SIGNATURE_APPLY SIGNATURE_NONE
#define SIGNATURE_STATS_ROWS SIGNATURE_NONE
#define SIGNATURE_ROW_AT SIGNATURE_NONE
#define SIGNATURE_ROW_TOP SIGNATURE_NONE

struct kernel {
    const char *name, *signature_name, *bounds;
    signature signature;
    sl_status (*run[DTYPES])(const call *c); /* NULL where there is none of the type */
};
static const kernel kernels[] = {
#define RUN(dt, T, L, name) run_##name##_##dt,
#define SL_KERNEL(name, sig, reads, writes, bounds, ...)                                                     \
    {#name, #sig, #bounds, SIGNATURE_##sig, {SL_DTYPES(RUN, name)}},
#define SL_F32_KERNEL(name, sig, reads, writes, bounds, ...)                                                 \
    {#name, #sig, #bounds, SIGNATURE_##sig, {SL_F32(RUN, name)}},
#include "kernels.def"
#undef SL_KERNEL
#undef RUN
};

struct state {
    int bfloat16;                 /* NumPy's number of ml_dtypes.bfloat16; -1 before it was seen */
    PyObject *names[NAME_COUNT];  /* interned, as names in calls are */
    PyObject *reductions[3];      /* of sl_reduction */
    PyObject *functions[KERNELS]; /* Python's, for all that the fast path leaves */
    PyObject *texts[KERNELS];     /* their documentation, as bytes */
    PyMethodDef methods[KERNELS];
};

/* ---------------------------------------------------------------------------------------- what the fast path takes */

/* Calls of fewer elements are over before another thread could make use of the global interpreter lock. */
enum { QUICK = 2048 };

static sl_status run(const kernel *k, int dtype, const call *c, size_t elements)
{
    if (elements < QUICK)
        return k->run[dtype](c);
    PyThreadState *thread = PyEval_SaveThread();
    const sl_status status = k->run[dtype](c);
    PyEval_RestoreThread(thread);
    return status;
}

static PyArrayObject *array(PyObject *o) { return (PyArrayObject *)o; }
static void *data(PyObject *o) { return PyArray_DATA(array(o)); }
static int is_none(PyObject *o) { return o == NULL || o == Py_None; }

/* An array, no subclass, whose elements C finds one behind the other. */
static int is_plain(PyObject *o, int written)
{
    return o != NULL && PyArray_CheckExact(o) &&
           (written ? PyArray_ISCARRAY(array(o)) : PyArray_ISCARRAY_RO(array(o)));
}

static int fits(PyObject *o, int dimensions, const npy_intp *lengths, int type, int written)
{
    if (!is_plain(o, written) || PyArray_TYPE(array(o)) != type || PyArray_NDIM(array(o)) != dimensions)
        return 0;
    for (int i = 0; i < dimensions; i++)
        if (PyArray_DIMS(array(o))[i] != lengths[i])
            return 0;
    return 1;
}

/* A new reference to what is to be written: to `given`, or to a new array. NULL: it does not fit, or an exception. */
static PyObject *output(PyObject *given, int dimensions, const npy_intp *lengths, PyArray_Descr *type)
{
    if (!is_none(given)) {
        if (!fits(given, dimensions, lengths, type->type_num, 1))
            return NULL;
        Py_INCREF(given);
        return given;
    }
    Py_INCREF(type);
    return PyArray_Empty(dimensions, lengths, type, 0);
}

static PyObject *output_of(PyObject *given, int dimensions, const npy_intp *lengths, int type)
{
    PyArray_Descr *descr = PyArray_DescrFromType(type);
    PyObject *o = output(given, dimensions, lengths, descr);
    Py_DECREF(descr);
    return o;
}

/* What functions of an array x have in common. */
typedef struct {
    call c;
    PyArrayObject *x;
    int dtype, axis;
    int dimensions, row_dimensions;
    const npy_intp *lengths;
    npy_intp rows[NPY_MAXDIMS]; /* the lengths without that of the class axis */
    PyObject *ids;              /* a reference to class ids, as int64; NULL where there are none */
    union {
        float f32;
        double f64;
    } loss, upstream;
} job;

static int read_x(const state *s, const kernel *k, PyObject *const *given, job *j)
{
    PyObject *x = given[k->signature.names[0]], *axis = given[axis_];
    if (!is_plain(x, 0))
        return 0;
    const int type = PyArray_TYPE(array(x));
    for (j->dtype = 0; type != dtypes[j->dtype].element;)
        if (++j->dtype == DTYPES) {
            if (type != s->bfloat16)
                return 0;
            j->dtype = DTYPE_bf16;
            break;
        }
    memset(&j->c, 0, sizeof j->c);
    j->ids = NULL;
    j->x = array(x);
    j->dimensions = PyArray_NDIM(j->x);
    j->lengths = PyArray_DIMS(j->x);
    j->c.x = PyArray_DATA(j->x);
    j->c.n = (size_t)PyArray_SIZE(j->x);
    if (k->run[j->dtype] == NULL)
        return 0;
    if (k->signature.names[1] == out_) /* functions of elements, which have no axis */
        return 1;

    long a = -1;
    if (axis != NULL) {
        int overflow;
        if (!PyLong_CheckExact(axis))
            return 0;
        a = PyLong_AsLongAndOverflow(axis, &overflow);
        if (overflow)
            return 0;
    }
    if (a < -j->dimensions || a >= j->dimensions)
        return 0;
    j->axis = (int)(a < 0 ? a + j->dimensions : a);
    j->row_dimensions = 0;
    j->c.shape.outer = j->c.shape.inner = 1;
    j->c.shape.classes = (size_t)j->lengths[j->axis];
    for (int i = 0; i < j->dimensions; i++)
        if (i != j->axis) {
            *(i < j->axis ? &j->c.shape.outer : &j->c.shape.inner) *= (size_t)j->lengths[i];
            j->rows[j->row_dimensions++] = j->lengths[i];
        }
    return 1;
}

static int loss_type(const job *j) { return dtypes[j->dtype].loss; }

/* Each of these is false where the option is to be looked at by Python. */

static int read_real(PyObject *given, double *to)
{
    if (given != NULL) {
        if (!PyFloat_CheckExact(given))
            return 0;
        *to = PyFloat_AsDouble(given);
    }
    return 1;
}

static int read_flag(PyObject *given, unsigned bit, unsigned *to)
{
    if (given == Py_True)
        *to |= bit;
    return given == NULL || given == Py_True || given == Py_False;
}

static int read_array(PyObject *given, int dimensions, const npy_intp *lengths, int type, const void **to)
{
    if (is_none(given))
        return 1;
    if (!fits(given, dimensions, lengths, type, 0))
        return 0;
    *to = data(given);
    return 1;
}

/* Class ids are few: of another type than C's they are copied. Those of uint64 may be none of C's, which Python looks at. */
static int read_ids(PyObject *given, job *j)
{
    const int type = is_plain(given, 0) ? PyArray_TYPE(array(given)) : NPY_NOTYPE;
    if (!PyTypeNum_ISINTEGER(type) || type == NPY_ULONG || type == NPY_ULONGLONG ||
        !fits(given, j->row_dimensions, j->rows, type, 0))
        return 0;
    Py_INCREF(given);
    j->ids = type == NPY_INT64 ? given : PyArray_Cast(array(given), NPY_INT64);
    if (type != NPY_INT64)
        Py_DECREF(given);
    if (j->ids != NULL)
        j->c.other = data(j->ids);
    return j->ids != NULL;
}

/* None and False: it is not wanted; True: a new array; an array: that one. */
static int read_wanted(PyObject *given, int dimensions, const npy_intp *lengths, PyArray_Descr *type,
                       PyObject **array_of, void **to)
{
    if (is_none(given) || given == Py_False)
        return 1;
    *array_of = output(given == Py_True ? NULL : given, dimensions, lengths, type);
    if (*array_of == NULL)
        return 0;
    *to = data(*array_of);
    return 1;
}

/* ------------------------------------------------------------------- the takers: NULL without an exception is for Python */

/* Functions of elements, and those of rows that have no options. */
static PyObject *take_plain(const state *s, const kernel *k, PyObject *const *given)
{
    const int traits = k->signature.traits, second = k->signature.names[1];
    PyObject *out;
    job j;
    if (!read_x(s, k, given, &j))
        return NULL;
    if (second == dy_) {
        if (!fits(given[dy_], j.dimensions, j.lengths, PyArray_TYPE(j.x), 0))
            return NULL;
        j.c.other = data(given[dy_]);
    }
    if (traits & FOLD) {
        if (given[keepdims_] == Py_True) {
            memcpy(j.rows, j.lengths, (size_t)j.dimensions * sizeof *j.rows);
            j.rows[j.axis] = 1;
            j.row_dimensions = j.dimensions;
        } else if (given[keepdims_] != NULL && given[keepdims_] != Py_False) {
            return NULL;
        }
        out = output_of(given[out_], j.row_dimensions, j.rows, loss_type(&j));
    } else if (traits & WIDE) {
        out = output_of(given[out_], j.dimensions, j.lengths, loss_type(&j));
    } else {
        out = output(given[out_], j.dimensions, j.lengths, PyArray_DESCR(j.x));
    }
    if (out == NULL)
        return NULL;
    j.c.out = data(out);
    if (run(k, j.dtype, &j.c, j.c.n) != SL_OK)
        Py_CLEAR(out);
    return out;
}

/* softmax and log_softmax of scores. Limits of rows are Python's. */
static PyObject *take_scores(const state *s, const kernel *k, PyObject *const *given)
{
    static const struct {
        int type;
        sl_mask_type mask;
    } masks[] = {{NPY_FLOAT, SL_MASK_F32},   {NPY_DOUBLE, SL_MASK_F64}, {NPY_HALF, SL_MASK_F16},
                 {NPY_USHORT, SL_MASK_BF16}, {NPY_BOOL, SL_MASK_BOOL},  {NPY_UBYTE, SL_MASK_BOOL}};
    PyObject *out = NULL, *lse = NULL, *result = NULL, *mask = given[mask_];
    job j;
    if (!read_x(s, k, given, &j))
        return NULL;
    sl_softmax_options *o = &j.c.scores;
    o->scale = o->slope = 1;
    if (!read_real(given[scale_], &o->scale) || !read_real(given[softcap_], &o->softcap) ||
        !read_real(given[slope_], &o->slope) || o->scale == 0 || o->slope == 0 ||
        !read_flag(given[safe_rows_], SL_SAFE_ROWS, &o->flags) ||
        !read_array(given[sink_], j.row_dimensions, j.rows, loss_type(&j), &o->sink))
        return NULL;
    if (!is_none(mask)) {
        if (!is_plain(mask, 0))
            return NULL;
        const int type = PyArray_TYPE(array(mask));
        for (size_t i = 0; i < sizeof masks / sizeof *masks; i++)
            if (masks[i].type == type)
                o->mask_type = masks[i].mask;
        if (fits(mask, j.dimensions, j.lengths, type, 0))
            o->mask_stride = (ptrdiff_t)j.c.shape.classes;
        else if (!fits(mask, 1, &j.lengths[j.axis], type, 0))
            return NULL;
        if (o->mask_type == SL_MASK_NONE)
            return NULL;
        o->mask = data(mask);
    }
    PyArray_Descr *type = PyArray_DescrFromType(loss_type(&j));
    if (read_wanted(given[lse_], j.row_dimensions, j.rows, type, &lse, &o->lse) &&
        (out = output(given[out_], j.dimensions, j.lengths, PyArray_DESCR(j.x))) != NULL) {
        j.c.out = data(out);
        if (run(k, j.dtype, &j.c, j.c.n) == SL_OK) {
            result = lse != NULL ? PyTuple_Pack(2, out, lse) : out;
            if (lse == NULL)
                out = NULL; /* the reference goes with it */
        }
    }
    Py_DECREF(type);
    Py_XDECREF(out);
    Py_XDECREF(lse);
    return result;
}

/* What losses and their gradients have in common; `losses` are the dimensions of SL_NONE's. */
static int read_loss(const state *s, const kernel *k, PyObject *const *given, job *j, int dimensions,
                     const npy_intp *losses)
{
    sl_loss_options *o = &j->c.loss;
    PyObject *target = given[target_], *ignored = given[ignore_index_], *upstream = given[upstream_];
    const npy_intp classes = j->lengths[j->axis];
    if (!(k->signature.traits & IDS)) {
        if (!fits(target, j->dimensions, j->lengths, PyArray_TYPE(j->x), 0))
            return 0;
        j->c.other = data(target);
    }
    if (given[reduction_] != NULL) {
        int r = 0;
        while (given[reduction_] != s->reductions[r])
            if (++r == 3)
                return 0;
        o->reduction = (sl_reduction)r;
    }
    if (!is_none(ignored)) {
        int overflow;
        if (!PyLong_CheckExact(ignored))
            return 0;
        o->ignore_index = PyLong_AsLongLongAndOverflow(ignored, &overflow);
        o->has_ignore_index = true;
        if (overflow)
            return 0;
    }
    if (upstream != NULL && PyFloat_CheckExact(upstream) && o->reduction != SL_NONE) {
        const double u = PyFloat_AsDouble(upstream);
        if (loss_type(j) == NPY_DOUBLE)
            j->upstream.f64 = u;
        else
            j->upstream.f32 = (float)u;
        if (loss_type(j) != NPY_DOUBLE && isinf(j->upstream.f32) && !isinf(u))
            return 0;
        o->upstream = &j->upstream;
    } else if (!read_array(upstream, o->reduction == SL_NONE ? dimensions : 0, losses, loss_type(j),
                           &o->upstream)) {
        return 0;
    }
    return read_array(given[class_weight_], 1, &classes, loss_type(j), &o->class_weight) &&
           read_array(given[pos_weight_], 1, &classes, loss_type(j), &o->pos_weight) &&
           read_real(given[label_smoothing_], &o->label_smoothing) &&
           read_flag(given[safe_rows_], SL_SAFE_ROWS, &o->flags) &&
           read_flag(given[empty_mean_zero_], SL_EMPTY_MEAN_ZERO, &o->flags) &&
           read_real(given[z_loss_], &o->z_loss) && read_real(given[softcap_], &o->softcap) &&
           read_real(given[divisor_], &o->divisor) &&
           (!(k->signature.traits & IDS) || read_ids(target, j)); /* last, so that who fails holds none */
}

/* The loss (a mean or a sum is a number), its gradient and the log-sum-exps, as far as they are wanted. */
static PyObject *take_loss(const state *s, const kernel *k, PyObject *const *given)
{
    PyObject *out = NULL, *grad = NULL, *lse = NULL, *result = NULL;
    job j;
    if (!read_x(s, k, given, &j))
        return NULL;
    const int by_element = k->signature.traits & ELEMENTS;
    const int dimensions = by_element ? j.dimensions : j.row_dimensions;
    const npy_intp *losses = by_element ? j.lengths : j.rows;
    if (!read_loss(s, k, given, &j, dimensions, losses))
        return NULL;
    const int one = j.c.loss.reduction != SL_NONE, number = one && is_none(given[out_]);
    PyArray_Descr *type = PyArray_DescrFromType(loss_type(&j));
    if (read_wanted(given[grad_], j.dimensions, j.lengths, PyArray_DESCR(j.x), &grad, &j.c.second) &&
        read_wanted(given[lse_], j.row_dimensions, j.rows, type, &lse, &j.c.loss.lse) &&
        (number || (out = output(given[out_], one ? 0 : dimensions, losses, type)) != NULL)) {
        j.c.out = number ? (void *)&j.loss : data(out);
        if (run(k, j.dtype, &j.c, j.c.n) == SL_OK &&
            (!number || (out = PyArray_Scalar(&j.loss, type, NULL)))) {
            if (grad == NULL && lse == NULL) {
                result = out;
                out = NULL; /* the reference goes with it */
            } else if (grad != NULL && lse != NULL) {
                result = PyTuple_Pack(3, out, grad, lse);
            } else {
                result = PyTuple_Pack(2, out, grad != NULL ? grad : lse);
            }
        }
    }
    Py_DECREF(type);
    Py_XDECREF(out);
    Py_XDECREF(grad);
    Py_XDECREF(lse);
    Py_XDECREF(j.ids);
    return result;
}

/* The gradient from saved log-sum-exps. */
static PyObject *take_grad(const state *s, const kernel *k, PyObject *const *given)
{
    PyObject *out = NULL;
    job j;
    if (!read_x(s, k, given, &j) || !fits(given[lse_], j.row_dimensions, j.rows, loss_type(&j), 0) ||
        !read_loss(s, k, given, &j, j.row_dimensions, j.rows))
        return NULL;
    if ((out = output(given[out_], j.dimensions, j.lengths, PyArray_DESCR(j.x))) != NULL) {
        j.c.saved_lse = data(given[lse_]);
        j.c.out = data(out);
        if (run(k, j.dtype, &j.c, j.c.n) != SL_OK)
            Py_CLEAR(out);
    }
    Py_XDECREF(j.ids);
    return out;
}

/* Which argument is which; false where a name is unknown, or there are too many. */
static int match(const state *s, const signature *of, PyObject *const *arguments, Py_ssize_t n,
                 PyObject *keywords, PyObject **given)
{
    if (n > of->positional)
        return 0;
    for (Py_ssize_t i = 0; i < n; i++)
        given[of->names[i]] = arguments[i];
    const Py_ssize_t named = keywords != NULL ? PyTuple_Size(keywords) : 0;
    for (Py_ssize_t i = 0; i < named; i++) {
        const PyObject *keyword = PyTuple_GetItem(keywords, i);
        const unsigned char *name = of->names;
        while (*name != END && s->names[*name] != keyword)
            name++;
        if (*name == END || given[*name] != NULL)
            return 0;
        given[*name] = arguments[n + i];
    }
    return 1;
}

static PyObject *call_python(PyObject *function, PyObject *const *arguments, Py_ssize_t n, PyObject *keywords)
{
    const Py_ssize_t named = keywords != NULL ? PyTuple_Size(keywords) : 0;
    PyObject *tuple, *dict, *result = NULL;
    if (function == NULL) { /* garbage collection has taken the module apart */
        PyErr_SetString(PyExc_RuntimeError, "softlane is gone");
        return NULL;
    }
    tuple = PyTuple_New(n);
    dict = PyDict_New();
    for (Py_ssize_t i = 0; tuple != NULL && i < n; i++) {
        Py_INCREF(arguments[i]);
        PyTuple_SetItem(tuple, i, arguments[i]);
    }
    for (Py_ssize_t i = 0; dict != NULL && i < named; i++)
        if (PyDict_SetItem(dict, PyTuple_GetItem(keywords, i), arguments[n + i]) < 0)
            Py_CLEAR(dict);
    if (tuple != NULL && dict != NULL)
        result = PyObject_Call(function, tuple, dict);
    Py_XDECREF(tuple);
    Py_XDECREF(dict);
    return result;
}

static PyObject *enter(PyObject *module, int i, PyObject *const *arguments, Py_ssize_t n, PyObject *keywords)
{
    const state *s = PyModule_GetState(module);
    PyObject *given[NAME_COUNT] = {NULL}, *result = NULL;
    if (match(s, &kernels[i].signature, arguments, n, keywords, given))
        result = kernels[i].signature.take(s, &kernels[i], given);
    if (result != NULL || PyErr_Occurred() != NULL)
        return result;
    return call_python(s->functions[i], arguments, n, keywords);
}

#define SL_KERNEL(name, ...)                                                                                 \
    static PyObject *enter_##name(PyObject *module, PyObject *const *arguments, Py_ssize_t n,                \
                                  PyObject *keywords)                                                        \
    {                                                                                                        \
        return enter(module, KERNEL_##name, arguments, n, keywords);                                         \
    }
#include "kernels.def"
#undef SL_KERNEL

/* ------------------------------------------------------------------------------------- what the Python functions call */

/* bind(i, function, text): the function of kernel i that has a fast path and leaves the rest to `function`. */
static PyObject *bind(PyObject *module, PyObject *arguments)
{
    static PyObject *(*const entries[])(PyObject *, PyObject *const *, Py_ssize_t, PyObject *) = {
#define SL_KERNEL(name, ...) enter_##name,
#include "kernels.def"
#undef SL_KERNEL
    };
    state *s = PyModule_GetState(module);
    PyObject *function, *text;
    int i;
    if (!PyArg_ParseTuple(arguments, "iOS:bind", &i, &function, &text))
        return NULL;
    if (i < 0 || i >= KERNELS || s->functions[i] != NULL || kernels[i].signature.take == NULL) {
        PyErr_SetString(PyExc_ValueError, "bind: no kernel that has a fast path, or one that is bound");
        return NULL;
    }
    Py_INCREF(function);
    Py_INCREF(text);
    s->functions[i] = function;
    s->texts[i] = text;
    s->methods[i] = (PyMethodDef){kernels[i].name, (PyCFunction)(void (*)(void))entries[i],
                                  METH_FASTCALL | METH_KEYWORDS, PyBytes_AsString(text)};
    PyObject *of = PyUnicode_FromString("softlane");
    PyObject *bound = of != NULL ? PyCFunction_NewEx(&s->methods[i], module, of) : NULL;
    Py_XDECREF(of);
    return bound;
}

typedef enum { ARRAY, SIZE, OFFSET, REAL, NUMBER, INT64, BOOL } field_type;
static const struct {
    const char *name;
    field_type type;
    size_t at;
} fields[] = {
#define FIELD(type, member)                                                                                  \
    {                                                                                                        \
#member, type, offsetof(call, member)                                                                \
    }
    FIELD(ARRAY, x),
    FIELD(ARRAY, other),
    FIELD(ARRAY, out),
    FIELD(ARRAY, second),
    FIELD(ARRAY, saved_lse),
    FIELD(ARRAY, stats),
    FIELD(SIZE, n),
    FIELD(SIZE, shape.outer),
    FIELD(SIZE, shape.classes),
    FIELD(SIZE, shape.inner),
    FIELD(OFFSET, shape.in.outer),
    FIELD(OFFSET, shape.in.classes),
    FIELD(OFFSET, shape.out.outer),
    FIELD(OFFSET, shape.out.classes),
    FIELD(SIZE, shard.first),
    FIELD(SIZE, shard.classes),
    FIELD(NUMBER, loss.reduction),
    FIELD(ARRAY, loss.class_weight),
    FIELD(ARRAY, loss.pos_weight),
    FIELD(REAL, loss.label_smoothing),
    FIELD(BOOL, loss.has_ignore_index),
    FIELD(INT64, loss.ignore_index),
    FIELD(ARRAY, loss.upstream),
    FIELD(NUMBER, loss.flags),
    FIELD(ARRAY, loss.lse),
    FIELD(REAL, loss.z_loss),
    FIELD(REAL, loss.softcap),
    FIELD(REAL, loss.divisor),
    FIELD(REAL, scores.scale),
    FIELD(REAL, scores.softcap),
    FIELD(ARRAY, scores.mask),
    FIELD(NUMBER, scores.mask_type),
    FIELD(OFFSET, scores.mask_stride),
    FIELD(REAL, scores.slope),
    FIELD(ARRAY, scores.first),
    FIELD(ARRAY, scores.length),
    FIELD(ARRAY, scores.sink),
    FIELD(ARRAY, scores.lse),
    FIELD(NUMBER, scores.flags),
#undef FIELD
};

/* The field of that name becomes that value; false with an exception. */
static int set_field(call *c, PyObject *name, PyObject *value)
{
    size_t i = 0;
    while (!PyUnicode_Check(name) || PyUnicode_CompareWithASCIIString(name, fields[i].name) != 0)
        if (++i == sizeof fields / sizeof *fields) {
            PyErr_Format(PyExc_ValueError, "call: no field %R", name);
            return 0;
        }
    void *to = (char *)c + fields[i].at;
    switch (fields[i].type) {
    case ARRAY:
        if (value != Py_None && !PyArray_Check(value)) {
            PyErr_Format(PyExc_TypeError, "call: %R is no array", name);
            return 0;
        }
        *(void **)to = value == Py_None ? NULL : data(value);
        break;
    case SIZE:
        *(size_t *)to = PyLong_AsSize_t(value);
        break;
    case OFFSET:
        *(ptrdiff_t *)to = PyLong_AsSsize_t(value);
        break;
    case REAL:
        *(double *)to = PyFloat_AsDouble(value);
        break;
    case NUMBER:
        *(int *)to = (int)PyLong_AsLong(value);
        break;
    case INT64:
        *(int64_t *)to = PyLong_AsLongLong(value);
        break;
    case BOOL:
        *(bool *)to = value == Py_True;
        break;
    }
    return PyErr_Occurred() == NULL;
}
_Static_assert(sizeof(sl_reduction) == sizeof(int) && sizeof(sl_mask_type) == sizeof(int),
               "NUMBER is an int");

/* call(kernel, dtype, fields): the status. Nothing is checked but what C cannot take. */
static PyObject *call_kernel(PyObject *module, PyObject *arguments)
{
    PyObject *given, *name, *value;
    Py_ssize_t position = 0;
    call c = {0};
    int k, dtype;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "iiO:call", &k, &dtype, &given))
        return NULL;
    if (k < 0 || k >= KERNELS || dtype < 0 || dtype >= DTYPES || kernels[k].run[dtype] == NULL ||
        !PyDict_Check(given)) {
        PyErr_SetString(PyExc_ValueError, "call: no such kernel or element type, or no fields");
        return NULL;
    }
    while (PyDict_Next(given, &position, &name, &value))
        if (!set_field(&c, name, value))
            return NULL;
    return PyLong_FromLong((long)run(&kernels[k], dtype, &c, QUICK));
}

/* bfloat16(number): NumPy's, which knows that type from ml_dtypes, once it is imported. */
static PyObject *set_bfloat16(PyObject *module, PyObject *number)
{
    const long n = PyLong_AsLong(number);
    if (PyErr_Occurred() != NULL)
        return NULL;
    ((state *)PyModule_GetState(module))->bfloat16 = (int)n;
    Py_RETURN_NONE;
}

/* Statistics are arrays of as many bytes as they have. */
static int as_stats(PyObject *o, void *to)
{
    if (!is_plain(o, 1) || (size_t)PyArray_NBYTES(array(o)) < sizeof(sl_stats)) {
        PyErr_SetString(PyExc_TypeError, "no array that holds statistics");
        return 0;
    }
    *(sl_stats **)to = data(o);
    return 1;
}

static PyObject *stats_empty(PyObject *module, PyObject *o)
{
    sl_stats *stats;
    (void)module;
    if (!as_stats(o, &stats))
        return NULL;
    *stats = sl_stats_empty();
    Py_RETURN_NONE;
}

static PyObject *stats_merge(PyObject *module, PyObject *arguments)
{
    sl_stats *into, *from;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O&O&:stats_merge", as_stats, &into, as_stats, &from))
        return NULL;
    sl_stats_merge(into, from);
    Py_RETURN_NONE;
}

/* The bytes, or the status why not. */
static PyObject *stats_pack(PyObject *module, PyObject *arguments)
{
    char packed[SL_PACKED_ANY];
    sl_stats *stats;
    Py_ssize_t size;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O&n:stats_pack", as_stats, &stats, &size))
        return NULL;
    if (size < 0 || (size_t)size > sizeof packed)
        return PyLong_FromLong(SL_ERR_OPTION);
    const sl_status status = sl_stats_pack(stats, packed, (size_t)size);
    return status == SL_OK ? PyBytes_FromStringAndSize(packed, size) : PyLong_FromLong((long)status);
}

static PyObject *stats_unpack(PyObject *module, PyObject *arguments)
{
    char *packed;
    Py_ssize_t size;
    sl_stats *stats;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "y#O&:stats_unpack", &packed, &size, as_stats, &stats))
        return NULL;
    return PyLong_FromLong((long)sl_stats_unpack(packed, (size_t)size, stats));
}

static PyObject *stats_logsumexp(PyObject *module, PyObject *o)
{
    sl_stats *stats;
    (void)module;
    return as_stats(o, &stats) ? PyFloat_FromDouble(sl_stats_logsumexp(stats)) : NULL;
}

static PyObject *stats_cross_entropy(PyObject *module, PyObject *arguments)
{
    sl_stats *stats;
    double label_smoothing;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "O&d:stats_cross_entropy", as_stats, &stats, &label_smoothing))
        return NULL;
    return PyFloat_FromDouble(sl_stats_cross_entropy(stats, label_smoothing));
}

static PyObject *status_string(PyObject *module, PyObject *number)
{
    const long status = PyLong_AsLong(number);
    (void)module;
    return PyErr_Occurred() == NULL ? PyUnicode_FromString(sl_status_string((sl_status)status)) : NULL;
}

/* isa(name or None): its name, needs and class of bits, or None. */
static PyObject *isa(PyObject *module, PyObject *arguments)
{
    const char *name;
    (void)module;
    if (!PyArg_ParseTuple(arguments, "z:isa", &name))
        return NULL;
    const sl_kernels *table = sl_isa(name);
    if (table == NULL)
        Py_RETURN_NONE;
    return Py_BuildValue("(ssO)", table->isa, table->needs, table->fma ? Py_True : Py_False);
}

static PyObject *isas(PyObject *module, PyObject *unused)
{
    PyObject *names = PyList_New(0);
    (void)module, (void)unused;
    for (size_t i = 0; names != NULL && i < sl_isa_count(); i++) {
        PyObject *name = PyUnicode_FromString(sl_isa_name_at(i));
        if (name == NULL || PyList_Append(names, name) < 0)
            Py_CLEAR(names);
        Py_XDECREF(name);
    }
    return names;
}

static PyObject *isa_why_not(PyObject *module, PyObject *arguments)
{
    const char *name;
    (void)module;
    return PyArg_ParseTuple(arguments, "s:isa_why_not", &name) ? Py_BuildValue("z", sl_isa_why_not(name))
                                                               : NULL;
}

static PyObject *isa_force(PyObject *module, PyObject *arguments)
{
    const char *name;
    (void)module;
    return PyArg_ParseTuple(arguments, "z:isa_force", &name) ? PyBool_FromLong(sl_isa_force(name)) : NULL;
}

static PyObject *cache_bytes(PyObject *module, PyObject *unused)
{
    (void)module, (void)unused;
    return PyLong_FromSize_t(sl_cache_bytes());
}

static PyObject *set_cache_bytes(PyObject *module, PyObject *number)
{
    const size_t bytes = PyLong_AsSize_t(number);
    (void)module;
    if (PyErr_Occurred() != NULL)
        return NULL;
    sl_set_cache_bytes(bytes);
    Py_RETURN_NONE;
}

static PyObject *tune_load(PyObject *module, PyObject *name)
{
    const char *path = NULL;
    (void)module;
    if (name != Py_None && (path = PyBytes_AsString(name)) == NULL)
        return NULL;
    return PyLong_FromLong((long)sl_tune_load(path));
}

static PyMethodDef functions[] = {
    {"bind", bind, METH_VARARGS, NULL},
    {"call", call_kernel, METH_VARARGS, NULL},
    {"bfloat16", set_bfloat16, METH_O, NULL},
    {"stats_empty", stats_empty, METH_O, NULL},
    {"stats_merge", stats_merge, METH_VARARGS, NULL},
    {"stats_pack", stats_pack, METH_VARARGS, NULL},
    {"stats_unpack", stats_unpack, METH_VARARGS, NULL},
    {"stats_logsumexp", stats_logsumexp, METH_O, NULL},
    {"stats_cross_entropy", stats_cross_entropy, METH_VARARGS, NULL},
    {"status_string", status_string, METH_O, NULL},
    {"isa", isa, METH_VARARGS, NULL},
    {"isas", isas, METH_NOARGS, NULL},
    {"isa_why_not", isa_why_not, METH_VARARGS, NULL},
    {"isa_force", isa_force, METH_VARARGS, NULL},
    {"cache_bytes", cache_bytes, METH_NOARGS, NULL},
    {"set_cache_bytes", set_cache_bytes, METH_O, NULL},
    {"tune_load", tune_load, METH_O, NULL},
    {NULL, NULL, 0, NULL},
};

/* --------------------------------------------------------------------------------------------------------- the module */

/* Adds a tuple or another value, whose reference goes with it. */
static int add(PyObject *module, const char *name, PyObject *value)
{
    const int status = value != NULL ? PyObject_SetAttrString(module, name, value) : -1;
    Py_XDECREF(value);
    return status;
}

static int fill(PyObject *module)
{
    static const char *const names[] = {NULL,
#define NAME(name) #name
                                        NAMES(NAME)
#undef NAME
    };
    static const char *const reductions[] = {"mean", "sum", "none"};
    state *s = PyModule_GetState(module);
    PyObject *of_kernels = PyTuple_New(KERNELS), *of_dtypes = PyTuple_New(DTYPES);
    s->bfloat16 = -1;
    for (int i = 1; i < NAME_COUNT; i++)
        if ((s->names[i] = PyUnicode_InternFromString(names[i])) == NULL)
            return -1;
    for (int i = 0; i < 3; i++)
        if ((s->reductions[i] = PyUnicode_InternFromString(reductions[i])) == NULL)
            return -1;
    if (of_kernels == NULL || of_dtypes == NULL || _import_array() < 0)
        return -1;
    for (int i = 0; i < KERNELS; i++)
        PyTuple_SetItem(of_kernels, i,
                        Py_BuildValue("(sssO)", kernels[i].name, kernels[i].signature_name, kernels[i].bounds,
                                      kernels[i].signature.take != NULL ? Py_True : Py_False));
    for (int i = 0; i < DTYPES; i++)
        PyTuple_SetItem(of_dtypes, i,
                        Py_BuildValue("(sNN)", dtypes[i].name, PyArray_DescrFromType(dtypes[i].element),
                                      PyArray_DescrFromType(dtypes[i].loss)));
    if (add(module, "kernels", of_kernels) < 0 || add(module, "dtypes", of_dtypes) < 0)
        return -1;
    return PyErr_Occurred() == NULL && PyModule_AddStringConstant(module, "version", SOFTLANE_VERSION) == 0 &&
                   PyModule_AddIntConstant(module, "stats_bytes", (long)sizeof(sl_stats)) == 0
               ? 0
               : -1;
}

static int traverse(PyObject *module, visitproc visit, void *arg)
{
    state *s = PyModule_GetState(module);
    for (int i = 0; s != NULL && i < KERNELS; i++)
        Py_VISIT(s->functions[i]);
    return 0;
}

static int clear(PyObject *module)
{
    state *s = PyModule_GetState(module);
    for (int i = 0; s != NULL && i < KERNELS; i++)
        Py_CLEAR(s->functions[i]);
    return 0;
}

static void release(void *module)
{
    state *s = PyModule_GetState(module);
    if (s == NULL)
        return;
    (void)clear(module);
    for (int i = 0; i < KERNELS; i++)
        Py_CLEAR(s->texts[i]);
    for (int i = 0; i < NAME_COUNT; i++)
        Py_CLEAR(s->names[i]);
    for (int i = 0; i < 3; i++)
        Py_CLEAR(s->reductions[i]);
}

static PyModuleDef_Slot slots[] = {
    {Py_mod_exec, fill},
#ifdef Py_GIL_DISABLED /* a build of its own: such a Python has no limited API */
    {Py_mod_gil, Py_MOD_GIL_NOT_USED},
#endif
    {0, NULL},
};

static PyModuleDef definition = {
    .m_base = PyModuleDef_HEAD_INIT,
    .m_name = "softlane._softlane",
    .m_doc = "The C part of softlane. Its functions check next to nothing.",
    .m_size = sizeof(state),
    .m_methods = functions,
    .m_slots = slots,
    .m_traverse = traverse,
    .m_clear = clear,
    .m_free = release,
};

PyMODINIT_FUNC PyInit__softlane(void) { return PyModuleDef_Init(&definition); }
