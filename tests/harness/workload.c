/* SPDX-License-Identifier: MIT
 *
 * See workload.h.
 */
#include "workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "expectation.h"

/* ------------------------------------------------------------------------------------------ x and second */

/* The result of a forward kernel, exact but for one rounding; y may be x. */
static void fill_forward(const kernel *forward, const void *x, void *y, sl_shape shape)
{
    const call c = {.x = x, .shape = shape, .out = {y}};
    expectation e;
    expect(forward, &c, &e);
    for (size_t i = 0; i < elements(shape); i++)
        forward->dtype->put(y, i, (double)e.want[RESULT][i]);
    expectation_free(&e);
}

/* The kernel whose result another takes as x, or NULL: that one takes logits. */
static const kernel *forward_of(const kernel *k)
{
    static const struct {
        size_t row, forward;
    } takes_results[] = {
        {SL_COUNT_softmax_backward, SL_COUNT_softmax},
        {SL_COUNT_log_softmax_backward, SL_COUNT_log_softmax},
        {SL_COUNT_sigmoid_backward, SL_COUNT_sigmoid},
    };
    for (size_t i = 0; i < sizeof takes_results / sizeof *takes_results; i++)
        if (takes_results[i].row == k->row)
            return sibling(k, takes_results[i].forward);
    return NULL;
}

/* The public function tells: 2 is no probability. */
bool takes_probabilities(const kernel *k)
{
    if (k->second != PROBABILITIES)
        return false;
    double two[1], zero[1], loss[1];
    k->dtype->put(two, 0, 2);
    k->dtype->put(zero, 0, 0);
    const sl_loss_options options = {.reduction = SL_NONE};
    const call c = {.x = two, .second = zero, .shape = sl_rows(1, 1), .options = &options, .out = {loss}};
    return k->check_and_run(&c) == SL_ERR_TARGET;
}

bool is_in_domain(const kernel *k, double x)
{
    const kernel *forward = forward_of(k);
    const bool probability =
        takes_probabilities(k) || (forward != NULL && forward->row != SL_COUNT_log_softmax);
    return !probability || (x >= 0 && x <= 1);
}

void logits_to_input(const kernel *k, void *x, sl_shape shape)
{
    const sl_ref_dtype *dt = k->dtype;
    if (forward_of(k) != NULL)
        fill_forward(forward_of(k), x, x, shape);
    if (!takes_probabilities(k))
        return;
    for (size_t i = 0; i < elements(shape); i++) {
        const double logit = dt->get(x, i);
        dt->put(x, i, isnan(logit) ? 0.5 : 1 / (1 + exp(-logit)));
    }
}

void logits_to_input_by(const kernel *k, const sl_kernels *table, void *x, sl_shape shape)
{
    const kernel *forward = takes_probabilities(k) ? sibling(k, SL_COUNT_sigmoid) : forward_of(k);
    if (forward != NULL)
        forward->run(table, &(call){.x = x, .shape = shape, .out = {x}});
}

/* Gradients: ordinary ones, with some rows of anything, NaN included, that leaves a sum of them finite. */
static void make_dy(workload *w, const distribution *d, generator *g)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const double most = ldexp(1, max_exp_of(dt) * 3 / 4);
    fill_elements(dt, next_below(g, 4) == 0 ? d : distribution_at(0), g, w->second, w->c.shape);
    for (size_t i = 0; i < elements(w->c.shape); i++) {
        const double dy = dt->get(w->second, i);
        if (fabs(dy) > most)
            dt->put(w->second, i, copysign(most, dy));
    }
}

static void make_class_ids(workload *w, generator *g)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const sl_shape shape = w->c.shape;
    int64_t *target = w->second;
    if (shape.classes == 0) /* none can be a target */
        w->options.has_ignore_index = true;
    float *row = allocate(shape.classes, sizeof *row);
    for (size_t r = 0; r < rows(shape) && shape.classes > 0; r++) {
        for (size_t c = 0; c < shape.classes; c++)
            row[c] = (float)dt->get(w->x, element_at(shape, r, c));
        fill_class_ids(g, &target[r], row, sl_rows(1, shape.classes));
    }
    free(row);
    if (!w->options.has_ignore_index)
        return;
    w->options.ignore_index = next_below(g, 2) == 0 ? -100 : 0; /* 0 is a class, too */
    for (size_t r = 0; r < rows(shape); r++)
        if (next_below(g, 4) == 0 || shape.classes == 0)
            target[r] = w->options.ignore_index;
}

/* Ids of classes, those of a shard by chance of a class that is not in it. */
static void make_ids(workload *w, generator *g)
{
    const sl_shape shape = w->c.shape;
    const size_t more = w->k->second == SHARD_IDS ? 2 : 0;
    for (size_t i = 0; i < second_count(w->k, shape); i++)
        ((int64_t *)w->second)[i] = (int64_t)next_below(g, shape.classes + 2 * more) - (int64_t)more;
}

/* For each element; for losses of rows half of the rows sum to 1. */
static void make_probabilities(workload *w, generator *g)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const sl_shape shape = w->c.shape;
    float *row = allocate(shape.classes, sizeof *row);
    for (size_t r = 0; r < rows(shape); r++) {
        fill_probabilities(g, row, shape.classes);
        double sum = 0;
        for (size_t c = 0; c < shape.classes; c++)
            sum += row[c];
        const double divisor = w->k->by_element || sum == 0 || next_below(g, 2) == 0 ? 1 : sum;
        for (size_t c = 0; c < shape.classes; c++)
            dt->put(w->second, element_at(shape, r, c), row[c] / divisor);
    }
    free(row);
}

void workload_remake_second(workload *w, const distribution *d, generator *g)
{
    switch (w->k->second) {
    case NO_SECOND:
        break;
    case DY:
        make_dy(w, d, g);
        break;
    case CLASS_IDS:
        make_class_ids(w, g);
        break;
    case PROBABILITIES:
        make_probabilities(w, g);
        break;
    case SHARD_IDS:
    case CHOSEN_IDS:
        make_ids(w, g);
        break;
    }
}

/* ----------------------------------------------------------------------------------------------- options */

static void make_weights(const sl_ref_dtype *dt, generator *g, void *weights, size_t n)
{
    float *as_float = allocate(n, sizeof *as_float);
    fill_weights(g, as_float, n);
    for (size_t i = 0; i < n; i++)
        dt->put_loss(weights, i, as_float[i] * (1 + next_uniform(g) * 0x1p-24));
    free(as_float);
}

static void make_upstream(const sl_ref_dtype *dt, generator *g, void *upstream, size_t n)
{
    for (size_t i = 0; i < n; i++)
        dt->put_loss(upstream, i, next_below(g, 8) == 0 ? 0 : 4 * next_uniform(g) - 2);
}

static size_t upstream_count(const workload *w)
{
    return w->options.reduction == SL_NONE ? loss_count(w->k, w->c.shape) : 1;
}

/* Of any magnitude that logits and their squares go with. */
static double next_factor(generator *g) { return exp2(8 * next_uniform(g) - 6); }

static void make_options(workload *w, const call_spec *v, generator *g)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const size_t classes = w->c.shape.classes;
    sl_loss_options *o = &w->options;
    *o = (sl_loss_options){
        .reduction = v->reduction,
        .label_smoothing = v->options & SMOOTHING ? v->smoothing : 0,
        .has_ignore_index = v->options & IGNORE,
        .flags = (v->options & SAFE ? SL_SAFE_ROWS : 0) | (v->options & EMPTY_ZERO ? SL_EMPTY_MEAN_ZERO : 0),
    };
    w->class_weight = allocate(classes, dt->loss_size);
    w->pos_weight = allocate(classes, dt->loss_size);
    w->upstream = allocate(upstream_count(w), dt->loss_size);
    make_weights(dt, g, w->class_weight, classes);
    make_weights(dt, g, w->pos_weight, classes);
    make_upstream(dt, g, w->upstream, upstream_count(w));
    o->class_weight = v->options & WEIGHTS ? w->class_weight : NULL;
    o->pos_weight = v->options & POS_WEIGHTS ? w->pos_weight : NULL;
    o->upstream = v->options & UPSTREAM ? w->upstream : NULL;
    o->divisor = v->options & DIVISOR && v->reduction == SL_MEAN ? 1 + 1000 * next_uniform(g) : 0;
    o->z_loss = v->options & Z_LOSS ? 0x1p-4 * next_factor(g) : 0;
    o->softcap = v->options & SOFTCAP ? 30 * next_factor(g) : 0;
}

/* A log-sum-exp of each row, as a forward call would have it, or larger. It needs no libm. */
void workload_remake_lse(const workload *w, generator *g)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const sl_shape shape = w->c.shape;
    if (!takes_lse(w->k))
        return;
    for (size_t r = 0; r < rows(shape); r++) {
        double top = -(double)INFINITY;
        bool nan = false;
        for (size_t c = 0; c < shape.classes; c++) {
            const double x = dt->get(w->x, element_at(shape, r, c));
            nan = nan || isnan(x);
            top = x > top ? x : top;
        }
        if (w->options.softcap != 0)
            top = top < -w->options.softcap  ? -w->options.softcap
                  : top > w->options.softcap ? w->options.softcap
                                             : top;
        const double more = next_below(g, 4) == 0 ? exp2(-30 * next_uniform(g)) : 8 * next_uniform(g);
        dt->put_loss(w->lse, r, nan ? (double)NAN : next_below(g, 16) == 0 ? top : top + more);
    }
}

unsigned accepted_options(const kernel *k)
{
    if (!takes_options(k))
        return 0;
    static const double one = 1;
    double loss[1], lse[1];
    unsigned accepted = 0;
    for (unsigned option = 1; option <= ALL_OPTIONS; option <<= 1) {
        const sl_loss_options options = {
            .reduction = option == DIVISOR ? SL_MEAN : SL_SUM,
            .divisor = option == DIVISOR,
            .z_loss = option == Z_LOSS,
            .softcap = option == SOFTCAP,
            .lse = option == TAKES_LSE ? lse : NULL,
            .class_weight = option == WEIGHTS ? &one : NULL,
            .pos_weight = option == POS_WEIGHTS ? &one : NULL,
            .label_smoothing = option == SMOOTHING,
            .has_ignore_index = option == IGNORE,
            .upstream = option == UPSTREAM ? &one : NULL,
            .flags = option == SAFE         ? SL_SAFE_ROWS
                     : option == EMPTY_ZERO ? SL_EMPTY_MEAN_ZERO
                                            : 0,
        };
        const call nothing = {.shape = sl_rows(0, 1), .options = &options, .out = {loss}};
        if (k->check_and_run(&nothing) == SL_OK)
            accepted |= option;
    }
    return accepted;
}

call_spec random_call_spec(const kernel *k, generator *g)
{
    if (k->row_options)
        return (call_spec){
            .name = "random",
            .options = (unsigned)(next_below(g, MASK_F32) + MASK_F32 * next_below(g, SL_MASK_BOOL + 1)),
            .wants = {true, next_below(g, 2) == 0},
        };
    const size_t outputs = 1 + next_below(g, 3);
    return (call_spec){
        .name = "random",
        .reduction = (sl_reduction)next_below(g, 3),
        .options = (unsigned)next_below(g, ALL_OPTIONS + 1) & accepted_options(k),
        .smoothing = next_below(g, 4) == 0 ? 1 : next_uniform(g),
        .wants = {outputs & 1, outputs & 2},
    };
}

/* -------------------------------------------------------------------------------------- options of softmax */

static size_t mask_size(const workload *w)
{
    static const size_t sizes[] = {
        [SL_MASK_F32] = 4, [SL_MASK_F64] = 8, [SL_MASK_F16] = 2, [SL_MASK_BF16] = 2, [SL_MASK_BOOL] = 1};
    return sizes[w->row_options.mask_type];
}

static size_t mask_count(const workload *w)
{
    const sl_shape shape = w->c.shape;
    return w->row_options.mask_stride == 0 ? shape.classes : elements(shape);
}

/* A number of a mask; often 0 or -inf, and sometimes a whole row of that. */
static void put_mask(void *mask, sl_mask_type type, size_t i, double value)
{
    static const size_t rows_of_type[] = {[SL_MASK_F32] = SL_COUNT_f32,
                                          [SL_MASK_F64] = SL_COUNT_f64,
                                          [SL_MASK_F16] = SL_COUNT_f16,
                                          [SL_MASK_BF16] = SL_COUNT_bf16};
    if (type == SL_MASK_BOOL)
        ((uint8_t *)mask)[i] = value == -INFINITY ? 0 : 1 + i % 255;
    else
        sl_ref_dtypes[rows_of_type[type]].put(mask, i, value);
}

static void make_mask(workload *w, generator *g)
{
    const size_t classes = w->c.shape.classes, n = mask_count(w);
    w->row_options.mask = w->mask = allocate(n, mask_size(w));
    for (size_t i = 0, kind = 0; i < n; i++) {
        if (i % classes == 0)
            kind = next_below(g, 8);
        const size_t of = next_below(g, 4);
        put_mask(w->mask, w->row_options.mask_type, i,
                 kind == 0 || of == 0   ? -INFINITY
                 : kind == 1 || of == 1 ? 0
                                        : 20 * next_uniform(g) - 15);
    }
}

static void make_limits(workload *w, generator *g)
{
    const size_t n = rows(w->c.shape), classes = w->c.shape.classes;
    size_t *first = allocate(n, sizeof *first), *length = allocate(n, sizeof *length);
    for (size_t r = 0; r < n; r++) {
        first[r] = next_below(g, 2) == 0 ? 0 : next_below(g, classes + 1);
        length[r] = next_below(g, 4) == 0 ? classes - first[r] : next_below(g, classes - first[r] + 1);
    }
    w->row_options.first = w->first = first;
    w->row_options.length = w->length = length;
}

static void make_row_options(workload *w, const call_spec *v, generator *g)
{
    static const double scales[] = {0.125, -0.5, 0.7, 1, 0x1p-20}, caps[] = {30, 50, 1, 0.01, 1e4};
    sl_softmax_options *o = &w->row_options;
    const sl_ref_dtype *dt = w->k->dtype;
    *o = (sl_softmax_options){
        .scale = v->options & SCALE ? scales[next_below(g, 5)] : 0,
        .softcap = v->options & SCORE_CAP ? caps[next_below(g, 5)] : 0,
        .slope = v->options & SLOPE ? 4 * next_uniform(g) - 1 : 0,
        .mask_type = (sl_mask_type)(v->options / MASK_F32),
        .flags = v->options & SAFE_ROWS ? SL_SAFE_ROWS : 0,
    };
    if (o->mask_type == SL_MASK_F64 && dt->loss_digits < 53)
        o->mask_type = SL_MASK_F32;
    if (o->mask_type != SL_MASK_NONE) {
        o->mask_stride = v->options & SHARED_MASK ? 0 : (ptrdiff_t)w->c.shape.classes;
        make_mask(w, g);
    }
    if (v->options & LIMITS)
        make_limits(w, g);
    if (v->options & SINK) {
        o->sink = w->sink = allocate(rows(w->c.shape), dt->loss_size);
        for (size_t r = 0; r < rows(w->c.shape); r++)
            dt->put_loss(w->sink, r, next_below(g, 16) == 0 ? -INFINITY : 40 * next_uniform(g) - 25);
    }
}

/* ---------------------------------------------------------------------------------------------- workload */

void workload_make(workload *w, const kernel *k, const call_spec *v, sl_shape shape, const distribution *d,
                   generator *g)
{
    *w = (workload){.k = k,
                    .c = {.shape = shape,
                          .options = takes_options(k) ? &w->options : NULL,
                          .row_options = k->row_options ? &w->row_options : NULL}};
    if (k->row_options)
        make_row_options(w, v, g);
    else
        make_options(w, v, g);
    w->c.x = w->x = allocate(elements(shape), k->dtype->size);
    w->c.second = w->second = allocate(second_count(k, shape), second_size(k));
    fill_elements(k->dtype, d, g, w->x, shape);
    logits_to_input(k, w->x, shape);
    workload_remake_second(w, d, g);
    if (takes_lse(k))
        w->c.lse = w->lse = allocate(rows(shape), k->dtype->loss_size);
    workload_remake_lse(w, g);
    const bool wants[OUTPUTS] = {is_loss(k) || k->row_options ? v->wants[RESULT] : true,
                                 is_loss(k) && v->wants[GRADIENT],
                                 k->row_options ? v->wants[GRADIENT] : (v->options & TAKES_LSE) != 0};
    for (size_t output = 0; output < OUTPUTS; output++)
        if (wants[output])
            w->c.out[output] = w->out[output] =
                allocate(output_count(k, &w->c, output), output_size(k, output));
}

void workload_free(workload *w)
{
    free(w->x);
    free(w->second);
    free(w->lse);
    free(w->class_weight);
    free(w->pos_weight);
    free(w->upstream);
    free(w->mask);
    free(w->first);
    free(w->length);
    free(w->sink);
    free(w->out[RESULT]);
    free(w->out[GRADIENT]);
    free(w->out[LSE]);
}

size_t workload_arrays(workload *w, array arrays[MOST_ARRAYS])
{
    const kernel *k = w->k;
    const sl_shape shape = w->c.shape;
    const size_t size = k->dtype->size, loss_size = k->dtype->loss_size;
    const array all[MOST_ARRAYS] = {
        {&w->c.x, w->c.x, elements(shape) * size, size, OUTPUTS},
        {&w->c.second, k->second != NO_SECOND ? w->c.second : NULL, second_count(k, shape) * second_size(k),
         second_size(k), OUTPUTS},
        {&w->c.lse, w->c.lse, rows(shape) * loss_size, loss_size, OUTPUTS},
        {&w->options.class_weight, w->options.class_weight, shape.classes * loss_size, loss_size, OUTPUTS},
        {&w->options.pos_weight, w->options.pos_weight, shape.classes * loss_size, loss_size, OUTPUTS},
        {&w->options.upstream, w->options.upstream, upstream_count(w) * loss_size, loss_size, OUTPUTS},
        {&w->c.out[RESULT], w->c.out[RESULT], output_count(k, &w->c, RESULT) * output_size(k, RESULT),
         output_size(k, RESULT), RESULT},
        {&w->c.out[GRADIENT], w->c.out[GRADIENT], elements(shape) * size, size, GRADIENT},
        {&w->c.out[LSE], w->c.out[LSE], rows(shape) * loss_size, loss_size, LSE},
        {&w->row_options.mask, w->row_options.mask, mask_count(w) * mask_size(w), mask_size(w), OUTPUTS},
        {&w->row_options.first, w->row_options.first, rows(shape) * sizeof(size_t), sizeof(size_t), OUTPUTS},
        {&w->row_options.length, w->row_options.length, rows(shape) * sizeof(size_t), sizeof(size_t),
         OUTPUTS},
        {&w->row_options.sink, w->row_options.sink, rows(shape) * loss_size, loss_size, OUTPUTS},
    };
    size_t n = 0;
    for (size_t i = 0; i < MOST_ARRAYS; i++)
        if (all[i].at != NULL)
            arrays[n++] = all[i];
    return n;
}

void array_move(const array *a, void *to) { memcpy(a->pointer, &to, sizeof to); }

void workload_copy(workload *to, const workload *from)
{
    *to = *from;
    if (to->c.options != NULL)
        to->c.options = &to->options;
    if (to->c.row_options != NULL)
        to->c.row_options = &to->row_options;
}

void duplicate_make(duplicate *d, const workload *from)
{
    workload_copy(&d->w, from);
    d->count = workload_arrays(&d->w, d->arrays);
    for (size_t i = 0; i < d->count; i++) {
        d->arrays[i].at = copy_of(d->arrays[i].at, d->arrays[i].bytes);
        array_move(&d->arrays[i], (void *)d->arrays[i].at);
    }
}

void duplicate_free(duplicate *d)
{
    for (size_t i = 0; i < d->count; i++)
        free((void *)d->arrays[i].at);
}
