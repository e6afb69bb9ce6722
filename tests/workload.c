/* SPDX-License-Identifier: MIT
 *
 * See workload.h.
 */
#include "workload.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ------------------------------------------------------------------------------------- elements of any type
 * */

/* As FLT_MAX_EXP: IEEE formats are balanced. */
static int max_exp(const sl_ref_dtype *dt) { return 3 - dt->min_exp; }

double largest_of(const sl_ref_dtype *dt) { return ldexp(1 - ldexp(1, -dt->digits), max_exp(dt)); }

void put_bits(const sl_ref_dtype *dt, void *x, size_t i, uint64_t bits)
{
    memcpy((char *)x + i * dt->size, &bits, dt->size); /* little-endian */
}

static uint64_t infinity_bits(const sl_ref_dtype *dt)
{
    const int exponent_bits = (int)dt->size * 8 - dt->digits;
    return ((UINT64_C(1) << exponent_bits) - 1) << (dt->digits - 1);
}

void put_infinity(const sl_ref_dtype *dt, void *x, size_t i) { put_bits(dt, x, i, infinity_bits(dt)); }

void put_nan(const sl_ref_dtype *dt, void *x, size_t i, bool negative, uint64_t payload)
{
    const uint64_t sign = (uint64_t)negative << (dt->size * 8 - 1),
                   most = (UINT64_C(1) << (dt->digits - 1)) - 1;
    payload &= most;
    put_bits(dt, x, i, sign | infinity_bits(dt) | (payload != 0 ? payload : most));
}

/* How a row of floats becomes one of another type. */
typedef struct {
    double stretch;      /* for ordinary values: 1, or the ratio of the logarithms of the least numbers */
    double exponent_low; /* the same for the exponents of tiny values */
    double exponent_high;
    double largest;
    enum { NO_DIGITS, DIGITS_OF_ROW, DIGITS_OF_ELEMENT } more;
    double digits; /* of the row */
} conversion;

static double low_digits(generator *g) { return 1 + (next_uniform(g) - 0.5) * 0x1p-24; }

static conversion next_conversion(const sl_ref_dtype *dt, generator *g)
{
    const double low = (dt->min_exp - dt->digits) / -149.0;
    return (conversion){
        .stretch = low == 1 || next_below(g, 2) == 0 ? 1 : low,
        .exponent_low = low,
        .exponent_high = max_exp(dt) / 128.0,
        .largest = largest_of(dt),
        .more = dt->digits <= 24 ? NO_DIGITS : next_below(g, 3),
        .digits = low_digits(g),
    };
}

static double convert(const conversion *to, generator *g, float from)
{
    if (!isfinite(from) || from == 0)
        return from;
    int exponent;
    double value = frexp(from, &exponent);
    if (exponent > 20)
        value = ldexp(value, (int)(exponent * to->exponent_high));
    else if (exponent < -20)
        value = ldexp(value, (int)(exponent * to->exponent_low));
    else
        value = to->stretch * from;
    if (to->more != NO_DIGITS)
        value *= to->more == DIGITS_OF_ROW ? to->digits : low_digits(g);
    return fabs(value) > to->largest ? copysign(to->largest, value) : value;
}

void fill_elements(const sl_ref_dtype *dt, const distribution *d, generator *g, void *x, sl_shape shape)
{
    float *row = allocate(shape.classes, sizeof *row);
    for (size_t r = 0; r < rows(shape); r++) {
        const conversion to = next_conversion(dt, g);
        d->fill(g, row, shape.classes);
        for (size_t c = 0; c < shape.classes; c++)
            dt->put(x, element_at(shape, r, c), convert(&to, g, row[c]));
    }
    free(row);
}

/* Elements of a shape as rows of a matrix: [row][class]. To be freed. */
static void *as_rows(const void *from, sl_shape shape, size_t size)
{
    char *to = allocate(elements(shape), size);
    for (size_t r = 0; r < rows(shape); r++)
        for (size_t c = 0; c < shape.classes; c++)
            memcpy(to + (r * shape.classes + c) * size, (const char *)from + element_at(shape, r, c) * size,
                   size);
    return to;
}

void *copy_of(const void *from, size_t bytes)
{
    void *to = allocate(bytes, 1);
    return from == NULL ? to : memcpy(to, from, bytes);
}

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

/* Gradients: ordinary ones, with some rows of anything, NaN included, that leaves a sum of them finite. */
static void make_dy(workload *w, const distribution *d, generator *g)
{
    const sl_ref_dtype *dt = w->k->dtype;
    const double most = ldexp(1, max_exp(dt) * 3 / 4);
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

static size_t loss_count(const kernel *k, sl_shape shape)
{
    return k->result == L_PER_ELEMENT ? elements(shape) : rows(shape);
}

static size_t upstream_count(const workload *w)
{
    return w->options.reduction == SL_NONE ? loss_count(w->k, w->c.shape) : 1;
}

static void make_options(workload *w, const variant *v, generator *g)
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
}

variant random_variant(const kernel *k, generator *g)
{
    const size_t outputs = 1 + next_below(g, 3);
    return (variant){
        .name = "random",
        .reduction = (sl_reduction)next_below(g, 3),
        .options = (unsigned)next_below(g, ALL_OPTIONS + 1) & accepted_options(k),
        .smoothing = next_below(g, 4) == 0 ? 1 : next_uniform(g),
        .wants = {outputs & 1, outputs & 2},
    };
}

/* ---------------------------------------------------------------------------------------------- workload */

void workload_make(workload *w, const kernel *k, const variant *v, sl_shape shape, const distribution *d,
                   generator *g)
{
    *w = (workload){.k = k, .c = {.shape = shape, .options = is_loss(k) ? &w->options : NULL}};
    make_options(w, v, g);
    w->c.x = w->x = allocate(elements(shape), k->dtype->size);
    w->c.second = w->second = allocate(second_count(k, shape), second_size(k));
    fill_elements(k->dtype, d, g, w->x, shape);
    logits_to_input(k, w->x, shape);
    if (k->second == DY)
        make_dy(w, d, g);
    else if (k->second == CLASS_IDS)
        make_class_ids(w, g);
    else if (k->second == PROBABILITIES)
        make_probabilities(w, g);
    for (size_t output = 0; output < OUTPUTS; output++)
        if (is_loss(k) ? v->wants[output] : output == RESULT)
            w->c.out[output] = w->out[output] =
                allocate(output_count(k, &w->c, output), output_size(k, output));
}

void workload_free(workload *w)
{
    free(w->x);
    free(w->second);
    free(w->class_weight);
    free(w->pos_weight);
    free(w->upstream);
    free(w->out[RESULT]);
    free(w->out[GRADIENT]);
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
        {&w->options.class_weight, w->options.class_weight, shape.classes * loss_size, loss_size, OUTPUTS},
        {&w->options.pos_weight, w->options.pos_weight, shape.classes * loss_size, loss_size, OUTPUTS},
        {&w->options.upstream, w->options.upstream, upstream_count(w) * loss_size, loss_size, OUTPUTS},
        {&w->c.out[RESULT], w->c.out[RESULT], output_count(k, &w->c, RESULT) * output_size(k, RESULT),
         output_size(k, RESULT), RESULT},
        {&w->c.out[GRADIENT], w->c.out[GRADIENT], elements(shape) * size, size, GRADIENT},
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

void assert_same_outputs(const isa *on, const workload *want, const workload *got, const char *how)
{
    const kernel *k = want->k;
    for (size_t output = 0; output < OUTPUTS; output++) {
        if (want->c.out[output] == NULL || got->c.out[output] == NULL)
            continue;
        const size_t n = output_count(k, &want->c, output);
        const size_t i = first_difference(k, output, want->c.out[output], got->c.out[output], n);
        if (i == n)
            continue;
        const sl_shape shape = want->c.shape;
        fail_msg("%s/%s, %s, reduction %d, smoothing %g, flags %u%s%s%s%s: %zu x %zu x %zu, %s %zu of %zu: "
                 "got %a (%llx), "
                 "want %a (%llx)",
                 k->name, on->name, how, want->options.reduction, want->options.label_smoothing,
                 want->options.flags, want->options.class_weight != NULL ? ", weights" : "",
                 want->options.pos_weight != NULL ? ", positive weights" : "",
                 want->options.has_ignore_index ? ", ignore" : "",
                 want->options.upstream != NULL ? ", upstream" : "", shape.outer, shape.classes, shape.inner,
                 output == RESULT ? "result" : "gradient", i, n,
                 output_value(k, output, got->c.out[output], i),
                 (unsigned long long)output_bits(k, output, got->c.out[output], i),
                 output_value(k, output, want->c.out[output], i),
                 (unsigned long long)output_bits(k, output, want->c.out[output], i));
    }
}

void assert_same_in_place(const isa *on, const workload *want, workload *scratch)
{
    const kernel *k = want->k;
    const size_t like_x = output_like_x(k), bytes = elements(want->c.shape) * k->dtype->size;
    if (like_x == OUTPUTS || want->c.out[like_x] == NULL)
        return;
    void *x = (void *)scratch->c.x, *apart = scratch->c.out[like_x];
    scratch->c.out[like_x] = x;
    run(k, on, &scratch->c);
    assert_same_outputs(on, want, scratch, "in place");
    if (k->second == DY) {
        memcpy(x, want->c.x, bytes);
        scratch->c.out[like_x] = (void *)scratch->c.second;
        run(k, on, &scratch->c);
        assert_same_outputs(on, want, scratch, "in place of dy");
    }
    scratch->c.out[like_x] = apart;
}

/* Every array that has a value per element, as rows. (Of others, those with as many values have classes or
 * rows of 1, and transposing them changes nothing.) */
static void transpose(duplicate *d, const workload *from)
{
    const sl_shape shape = from->c.shape;
    duplicate_make(d, from);
    for (size_t i = 0; i < d->count; i++) {
        array *a = &d->arrays[i];
        if (a->bytes != elements(shape) * a->size)
            continue;
        void *in_rows = as_rows(a->at, shape, a->size);
        free((void *)a->at);
        a->at = in_rows;
        array_move(a, in_rows);
    }
    d->w.c.shape = sl_rows(rows(shape), shape.classes);
}

void assert_same_as_rows(const isa *on, const workload *want)
{
    const kernel *k = want->k;
    duplicate in_rows, got;
    transpose(&got, want);
    transpose(&in_rows, want);
    run(k, on, &in_rows.w.c);
    if (k->result == L_PER_ELEMENT && want->options.reduction != SL_NONE)
        got.w.c.out[RESULT] = NULL; /* sums over elements run in the order of the array */
    assert_same_outputs(on, &in_rows.w, &got.w, "strided");
    duplicate_free(&got);
    duplicate_free(&in_rows);
}

sl_real mean_divisor(const workload *w)
{
    const kernel *k = w->k;
    const bool weighted = k->second == CLASS_IDS && w->options.class_weight != NULL;
    const size_t losses = loss_count(k, w->c.shape);
    sl_real divisor = 0;
    for (size_t i = 0; i < losses; i++) {
        const int64_t id = k->second == CLASS_IDS ? ((const int64_t *)w->c.second)[i] : 0;
        if (!w->options.has_ignore_index || id != w->options.ignore_index)
            divisor += weighted ? k->dtype->get_loss(w->options.class_weight, (size_t)id) : 1;
    }
    return divisor;
}

/* ----------------------------------------------------------------------------------------- how good it is */

double allowed_error(const workload *w, const isa *on, size_t output)
{
    const kernel *k = w->k;
    const sl_loss_options *o = &w->options;
    double more = 0;
    if (is_loss(k) && k->by_element && (output == RESULT || k->dtype->digits >= 24)) {
        more += (o->class_weight != NULL) + (o->pos_weight != NULL);
        more += output == GRADIENT && (o->upstream != NULL || o->reduction == SL_MEAN);
    }
    return bound_of(k, on, output) + more;
}

/* More of the same for options that cost more roundings: with a weight of positive targets three instead of one; for
 * losses of rows all do in f64, in f32 those of the gradient that are not in f64. */
static double cost_of_options(const workload *w, size_t output)
{
    const sl_loss_options *o = &w->options;
    const bool smooth = o->label_smoothing > 0, weights = o->class_weight != NULL,
               mean = output == GRADIENT && o->reduction == SL_MEAN;
    if (is_loss(w->k) && w->k->by_element)
        return 2 * (output == RESULT && o->pos_weight != NULL);
    if (!is_loss(w->k) || w->k->dtype->digits < 24 || (output == RESULT && w->k->dtype->digits == 24))
        return 0;
    if (w->k->row == SL_COUNT_nll)
        return w->k->dtype->digits == 24 ? 0 : mean;
    if (w->k->dtype->digits == 24)
        return 2 * smooth + weights + mean;
    return output == RESULT ? 3 * smooth + weights : 4 * smooth + 2 * weights + 2 * mean;
}

/* The weight of class c, and sum_c q_c of row r, in magnitude. */
static double weight_at(const workload *w, size_t c)
{
    return w->options.class_weight != NULL ? fabs(w->k->dtype->get_loss(w->options.class_weight, c)) : 1;
}

static double weight_of_row(const workload *w, size_t r)
{
    const sl_shape shape = w->c.shape;
    const double s = w->options.label_smoothing;
    double sum = 0;
    for (size_t c = 0; c < shape.classes; c++) {
        const double hard = w->k->second == CLASS_IDS
                                ? ((const int64_t *)w->second)[r] == (int64_t)c
                                : fabs(w->k->dtype->get(w->second, element_at(shape, r, c)));
        sum += weight_at(w, c) * ((1 - s) * hard + s / (double)shape.classes);
    }
    return sum;
}

static double upstream_at(const workload *w, size_t i)
{
    const sl_loss_options *o = &w->options;
    const double u =
        o->upstream != NULL ? w->k->dtype->get_loss(o->upstream, o->reduction == SL_NONE ? i : 0) : 1;
    return fabs(o->reduction == SL_MEAN ? u / (double)mean_divisor(w) : u);
}

/* The absolute errors that softlane.h counts beside the ULP, see "range" there: of terms that are cut off, and of factors
 * that were rounded among the denormals before others multiplied them. */
static sl_real absolute_error(const workload *w, size_t output, size_t i)
{
    const kernel *k = w->k;
    const sl_ref_dtype *dt = k->dtype;
    const sl_shape shape = w->c.shape;
    const sl_real n = (sl_real)shape.classes, cut = ldexpl(1, dt->long_arithmetic ? -1144 : -153),
                  least = ldexpl(1, dt->long_arithmetic ? -1074 : -149);
    const size_t block = shape.classes * shape.inner;
    const bool of_row = !k->by_element && (output == RESULT && k->result != T_PER_ELEMENT);
    const size_t r = of_row || block == 0 ? i : i / block * shape.inner + i % shape.inner,
                 c = block == 0 ? 0 : i / shape.inner % shape.classes;
    if (k->row == SL_COUNT_log_softmax || k->row == SL_COUNT_log_softmax_safe ||
        k->row == SL_COUNT_logsumexp || k->row == SL_COUNT_softmax_stats)
        return n * cut;
    if (k->row == SL_COUNT_softmax_backward && dt->long_arithmetic)
        return n * least * fabs(dt->get(w->x, i));
    if (!is_loss(k))
        return 0;
    if (k->by_element) {
        const sl_loss_options *o = &w->options;
        const double p = o->pos_weight != NULL ? fabs(dt->get_loss(o->pos_weight, c)) : 1,
                     x = fabs(dt->get(w->x, i));
        if (output == RESULT && (o->class_weight != NULL || o->pos_weight != NULL))
            return ((sl_real)fmin(x, largest_of(dt)) + fmax(1, p)) * fmax(1, weight_at(w, c)) * least;
        return output == GRADIENT && dt->long_arithmetic ? (sl_real)weight_at(w, c) * fmax(1, p) * least : 0;
    }
    if (k->row == SL_COUNT_nll)
        return output == GRADIENT && dt->long_arithmetic ? weight_at(w, c) * least : 0;
    const double whole = weight_of_row(w, r);
    if (output == RESULT)
        return n * whole * cut + (dt->long_arithmetic ? 2 * whole * least : 0);
    const double u = upstream_at(w, r);
    /* 1 - p of the target is an f64, before u multiplies it */
    return u * whole * (n * cut + (dt->long_arithmetic ? least : 0)) + (weight_at(w, c) + whole) * least;
}

double allowed_on_any(const workload *w, const isa *on, size_t output, size_t i, const expectation *e)
{
    const kernel *k = w->k;
    const bool is_t = output == GRADIENT || k->result == T_PER_ELEMENT;
    const double ulp = sl_ref_ulp(0, absolute_error(w, output, i), e->scale[output][i],
                                  is_t ? k->dtype->digits : k->dtype->loss_digits,
                                  is_t ? k->dtype->min_exp : k->dtype->loss_min_exp);
    const double more = allowed_error(w, on, output) - bound_of(k, on, output);
    return bound_on_any(k, on, output) + more + cost_of_options(w, output) + (isfinite(ulp) ? ulp : 0);
}

bool is_judged_by_oracle(const workload *w, size_t output)
{
    if (!is_loss(w->k) || w->options.reduction == SL_NONE)
        return true;
    return output == GRADIENT && (w->options.reduction == SL_SUM || mean_divisor(w) != 0);
}

/* What a reduction of these single losses should give. */
static sl_real reduced(const workload *single, const workload *w)
{
    sl_real sum = 0;
    for (size_t i = 0; i < output_count(single->k, &single->c, RESULT); i++)
        sum += single->k->dtype->get_loss(single->c.out[RESULT], i);
    if (w->options.reduction == SL_SUM)
        return sum;
    const sl_real divisor = mean_divisor(w);
    return divisor != 0 ? sum / divisor : w->options.flags & SL_EMPTY_MEAN_ZERO ? 0 : NAN;
}

void assert_sum_of_losses(const isa *on, const workload *w)
{
    const kernel *k = w->k;
    const sl_ref_dtype *dt = k->dtype;
    const bool is_mean = w->options.reduction == SL_MEAN;
    workload single;
    workload_copy(&single, w);
    single.options.reduction = SL_NONE;
    single.options.upstream = NULL;
    single.c.out[GRADIENT] = NULL;
    single.c.out[RESULT] = allocate(output_count(k, &single.c, RESULT), output_size(k, RESULT));
    run(k, on, &single.c);
    const sl_real want = reduced(&single, w);
    sl_real sum = 0, magnitude = 0;
    for (size_t i = 0; i < output_count(k, &single.c, RESULT); i++) {
        const double loss = dt->get_loss(single.c.out[RESULT], i);
        sum += loss;
        magnitude += fabs(loss);
    }
    /* of both signs: what f64 loses on the way may be all that is left */
    const sl_real more = fabsl(sum) == magnitude ? 0
                                                 : ldexpl(magnitude, dt->loss_digits > 24 ? -60 : -30) /
                                                       fabsl(is_mean ? mean_divisor(w) : 1);
    const double got = dt->get_loss(w->c.out[RESULT], 0);
    const double ulp = sl_ref_ulp(got, want, want, dt->loss_digits, dt->loss_min_exp);
    const double bound = dt->loss_digits > 24 && is_mean ? 2.0 : 0.51;
    if (!(ulp <= bound) && !(fabsl(got - want) <= more))
        fail_msg("%s/%s, %s of losses, %zu x %zu x %zu: %.3f ULP: got %a, want %La", k->name, on->name,
                 is_mean ? "mean" : "sum", w->c.shape.outer, w->c.shape.classes, w->c.shape.inner, ulp, got,
                 want);
    free(single.c.out[RESULT]);
}
