/* SPDX-License-Identifier: MIT
 *
 * See assertions.h.
 */
#include "assertions.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

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
    if (is_loss(k) && k->result == L_PER_ELEMENT && want->options.reduction != SL_NONE)
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
    if (w->options.divisor != 0)
        return w->options.divisor;
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
    /* capped logits are off by up to 5 ULP; what f32 makes of them is in f64 */
    if (o->softcap != 0)
        more += output == LSE ? 4 : output == RESULT && k->dtype->digits > 24 ? 3 : 0;
    return bound_of(k, on->table, output) + more;
}

/* More of the same for options that cost more roundings: with a weight of positive targets three instead of one; for
 * losses of rows all do in f64, in f32 those of the gradient that are not in f64. */
static double cost_of_options(const workload *w, size_t output)
{
    const sl_loss_options *o = &w->options;
    const bool of_loss = output == RESULT && is_loss(w->k), smooth = o->label_smoothing > 0,
               weights = o->class_weight != NULL, mean = !of_loss && o->reduction == SL_MEAN;
    if (is_loss(w->k) && w->k->by_element)
        return 2 * (output == RESULT && o->pos_weight != NULL);
    if (!takes_options(w->k) || output == LSE || w->k->dtype->digits < 24 ||
        (of_loss && w->k->dtype->digits == 24))
        return 0;
    if (w->k->row == SL_COUNT_nll)
        return w->k->dtype->digits == 24 ? 0 : mean;
    if (w->k->dtype->digits == 24)
        return 2 * smooth + weights + mean;
    const int more = 2 * (o->z_loss > 0);
    return more + (of_loss ? 3 * smooth + weights : 4 * smooth + 2 * weights + 2 * mean);
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

/* At least 2 z |lse| of row r. */
static double pull_of_row(const workload *w, size_t r)
{
    const sl_shape shape = w->c.shape;
    double most = log((double)shape.classes) + 8;
    for (size_t c = 0; c < shape.classes && w->options.z_loss != 0; c++) {
        const double x = fabs(w->k->dtype->get(w->x, element_at(shape, r, c)));
        most = isfinite(x) ? fmax(most, x + log((double)shape.classes) + 8) : most;
    }
    return w->options.z_loss != 0 ? 2 * w->options.z_loss * most : 0;
}

/* What multiplies q_c, which may have been rounded among the denormals: sum_c (m - x_c) of row r. */
static sl_real gaps_of_row(const workload *w, size_t r)
{
    const sl_shape shape = w->c.shape;
    sl_real sum = 0;
    double top = -(double)INFINITY;
    if (w->k->second != PROBABILITIES)
        return 0;
    for (size_t c = 0; c < shape.classes; c++)
        top = fmax(top, w->k->dtype->get(w->x, element_at(shape, r, c)));
    for (size_t c = 0; c < shape.classes; c++) {
        const sl_real gap = top - (sl_real)w->k->dtype->get(w->x, element_at(shape, r, c));
        sum += isfinite(gap) ? gap : 0;
    }
    return sum;
}

/* |p - t| / max(p (1 - p), 1e-12) */
static double quotient_of_bce(const workload *w, size_t i)
{
    const double p = w->k->dtype->get(w->x, i), t = w->k->dtype->get(w->second, i);
    return 1 + fabs(p - t) / fmax(p * (1 - p), 1e-12);
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
    const size_t of_row = output == RESULT ? results_per_row(k, shape) : output == LSE ? 1 : 0;
    const size_t r = of_row > 0   ? i / of_row
                     : block == 0 ? i
                                  : i / block * shape.inner + i % shape.inner,
                 c = block == 0 ? 0 : i / shape.inner % shape.classes;
    if (output == LSE || k->row == SL_COUNT_log_softmax || k->row == SL_COUNT_log_softmax_safe ||
        k->row == SL_COUNT_log_softmax_wide || k->row == SL_COUNT_log_softmax_at ||
        k->row == SL_COUNT_log_softmax_top || k->row == SL_COUNT_logsumexp ||
        k->row == SL_COUNT_softmax_stats || k->row == SL_COUNT_softmax_stats_rows ||
        k->row == SL_COUNT_log_softmax_with)
        return n * cut;
    if (k->row == SL_COUNT_softmax_backward && dt->long_arithmetic)
        return n * least * fabs(dt->get(w->x, i));
    if (!takes_options(k))
        return 0;
    if (k->by_element) {
        const sl_loss_options *o = &w->options;
        const double p = o->pos_weight != NULL ? fabs(dt->get_loss(o->pos_weight, c)) : 1,
                     x = fabs(dt->get(w->x, i));
        if (output == RESULT && (o->class_weight != NULL || o->pos_weight != NULL))
            return ((sl_real)fmin(x, largest_of(dt)) + fmax(1, p)) * fmax(1, weight_at(w, c)) * least;
        /* u / divisor and u w are rounded before p, or the quotient of bce, multiplies them */
        const double entry = k->row == SL_COUNT_bce ? quotient_of_bce(w, i) : fmax(1, p);
        return output == GRADIENT && dt->long_arithmetic ? (sl_real)fmax(1, weight_at(w, c)) * entry * least
                                                         : 0;
    }
    if (k->row == SL_COUNT_nll)
        return output == GRADIENT && dt->long_arithmetic ? weight_at(w, c) * least : 0;
    const double whole = weight_of_row(w, r) + pull_of_row(w, r);
    const sl_real u = upstream_at(w, r);
    if (!dt->long_arithmetic) {
        if (output == RESULT && is_loss(k))
            return 0;
        if (w->options.softcap != 0) /* what multiplies a factor may be as little as 1 - tanh^2 */
            return u * whole * n * cut + (weight_at(w, c) + whole) * least;
        /* the rest of statistics; what not even a raised frame holds (raise.h); and u (1 - s) t_c */
        return u * whole * n * (k->row == SL_COUNT_cross_entropy_shard_grad ? cut : ldexpl(1, -242)) +
               (k->second == PROBABILITIES && w->options.class_weight != NULL ? weight_at(w, c) * least : 0);
    }
    if (output == RESULT && is_loss(k))
        return n * whole * cut + (2 * whole + gaps_of_row(w, r)) * least;
    /* 1 - p of the target is an f64, before u multiplies it */
    return u * whole * (n * cut + least) + (weight_at(w, c) + whole) * least;
}

double allowed_on_any(const workload *w, const isa *on, size_t output, size_t i, const expectation *e)
{
    const kernel *k = w->k;
    const bool is_t = output_is_t(k, output);
    const double ulp = sl_ref_ulp(0, absolute_error(w, output, i), e->scale[output][i],
                                  is_t ? k->dtype->digits : k->dtype->loss_digits,
                                  is_t ? k->dtype->min_exp : k->dtype->loss_min_exp);
    const double more = allowed_error(w, on, output) - bound_of(k, on->table, output);
    return bound_on_any(k, on->table, output) + more + cost_of_options(w, output) + (isfinite(ulp) ? ulp : 0);
}

bool is_judged_by_oracle(const workload *w, size_t output)
{
    if (!is_loss(w->k) || w->options.reduction == SL_NONE)
        return true;
    return output == LSE || (output == GRADIENT && (w->options.reduction == SL_SUM || mean_divisor(w) != 0));
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
    single.options.divisor = 0;
    single.options.upstream = NULL;
    single.c.out[GRADIENT] = single.c.out[LSE] = NULL;
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
