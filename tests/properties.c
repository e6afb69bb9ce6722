/* SPDX-License-Identifier: MIT
 *
 * What must hold between the calls of a kernel, whatever the shape and the options; on random ones. And what
 * must hold between statistics of the parts of a row (cut_row.h), also when threads compute them.
 */
#define _POSIX_C_SOURCE 200809L
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "cut_row.h"

/* ----------------------------------------------------------------------------------- any shape and options
 * */

/* Up to 200 classes, sometimes thousands; about `MOST_ELEMENTS` elements. */
static sl_shape random_shape(const kernel *k, generator *g)
{
    enum { MOST_ELEMENTS = 6000, MOST_INNER = 40, MOST_ROWS = 40 };
    const size_t classes = next_below(g, 20) == 0 ? 1000 + next_below(g, 4000) : next_below(g, 201);
    const size_t room = MOST_ELEMENTS / (classes + 1) + 1;
    const size_t inner = takes_shape(k, sl_axis(1, 1, 2)) && next_below(g, 2) == 0
                             ? 1 + next_below(g, room < MOST_INNER ? room : MOST_INNER)
                             : 1;
    const size_t outer = 1 + next_below(g, room / inner < MOST_ROWS ? room / inner + 1 : MOST_ROWS);
    return sl_axis(outer, classes, inner);
}

/* A loss without its gradient, and the gradient without the loss, are those of the fused call. */
static void one_output_alone(const isa *on, const workload *w)
{
    for (size_t output = 0; output < OUTPUTS; output++) {
        duplicate alone;
        duplicate_make(&alone, w);
        alone.w.c.out[output] = NULL;
        run(w->k, on, &alone.w.c);
        assert_same_outputs(on, w, &alone.w, output == RESULT ? "gradient alone" : "loss alone");
        duplicate_free(&alone);
    }
}

static bool is_ignored(const workload *w, size_t r)
{
    return w->options.has_ignore_index && ((const int64_t *)w->second)[r] == w->options.ignore_index;
}

/* Whatever an ignored row holds: its gradient is +0, and nothing of it reaches the others. */
static void ignored_rows(const isa *on, const workload *w)
{
    const kernel *k = w->k;
    const sl_shape shape = w->c.shape;
    const void *grad = w->c.out[output_like_x(k)];
    duplicate spoilt;
    duplicate_make(&spoilt, w);
    for (size_t r = 0; r < rows(shape); r++)
        for (size_t c = 0; c < shape.classes && is_ignored(w, r); c++) {
            k->dtype->put((void *)spoilt.w.c.x, element_at(shape, r, c), c % 2 ? INFINITY : NAN);
            if (k->dtype->bits(grad, element_at(shape, r, c)) != 0)
                fail_msg("%s/%s: gradient of an ignored row: %a", k->name, on->name,
                         k->dtype->get(grad, element_at(shape, r, c)));
        }
    run(k, on, &spoilt.w.c);
    assert_same_outputs(on, w, &spoilt.w, "ignored rows hold NaN");
    duplicate_free(&spoilt);
}

/* What one row's gradient is multiplied by, in magnitude: its upstream, and at most all the weight there is.
 * */
static double gradient_magnitude(const workload *w, size_t r)
{
    const sl_loss_options *o = &w->options;
    const sl_ref_dtype *dt = w->k->dtype;
    double most = 1;
    for (size_t c = 0; o->class_weight != NULL && c < w->c.shape.classes; c++)
        most = fmax(most, dt->get_loss(o->class_weight, c));
    const double upstream =
        o->upstream != NULL ? dt->get_loss(o->upstream, o->reduction == SL_NONE ? r : 0) : 1;
    return most * fabs(upstream) / (double)(o->reduction == SL_MEAN ? mean_divisor(w) : 1);
}

/* Softmax and targets both sum to 1. */
static void gradient_rows_sum_to_0(const isa *on, const workload *w)
{
    const kernel *k = w->k;
    const sl_shape shape = w->c.shape;
    const double tolerance = k->dtype->digits > 24 ? 1e-14 : 1e-6;
    for (size_t r = 0; r < rows(shape); r++) {
        sl_real sum = 0;
        for (size_t c = 0; c < shape.classes; c++)
            sum += k->dtype->get(w->c.out[GRADIENT], element_at(shape, r, c));
        const double most = tolerance * gradient_magnitude(w, r);
        if (isfinite(most) && fabsl(sum) > most)
            fail_msg("%s/%s, row %zu of %zu x %zu x %zu: gradient sums to %La, not 0 within %a", k->name,
                     on->name, r, shape.outer, shape.classes, shape.inner, sum, most);
    }
}

static void random_calls(const kernel *k, const isa *on)
{
    const size_t calls = share(k, 240, 18);
    generator g = {21};
    for (size_t i = 0; i < calls; i++) {
        call_spec v = takes_options(k) ? random_call_spec(k, &g) : *call_spec_at(k, 0);
        v.wants[RESULT] = true;
        v.wants[GRADIENT] = is_loss(k);
        workload w;
        duplicate scratch;
        workload_make(&w, k, &v, random_shape(k, &g), distribution_at(next_below(&g, distribution_count())),
                      &g);
        run(k, on, &w.c);
        duplicate_make(&scratch, &w);
        assert_same_in_place(on, &w, &scratch.w);
        duplicate_free(&scratch);
        if (has_shape(k))
            assert_same_as_rows(on, &w);
        if (is_loss(k))
            one_output_alone(on, &w);
        if (k->second == CLASS_IDS)
            ignored_rows(on, &w);
        if (k->row == SL_COUNT_cross_entropy && k->dtype->digits >= 24 && w.options.z_loss == 0 &&
            w.options.softcap == 0)
            gradient_rows_sum_to_0(on, &w);
        workload_free(&w);
    }
}

/* ------------------------------------------------------------------------------------- partial statistics */

static void cut_rows(const kernel *k, const isa *on)
{
    generator g = {22};
    for (size_t i = 0; i < share(k, 1500, 60); i++) {
        const distribution *d = distribution_at(i % distribution_count());
        const size_t n = 1 + (i % 50 == 0 ? next_below(&g, 20000) : next_below(&g, 200));
        void *x = allocate(n, k->dtype->size);
        fill_elements(k->dtype, d, &g, x, sl_rows(1, n));
        assert_any_cut_will_do(k, on, d->name, x, n, &g);
        free(x);
    }
}

/* ------------------------------------------------------------------------------------------------ threads */

enum { CHUNK = 4096 };

/* A row that several threads work on, chunk by chunk, each taking the next. */
typedef struct {
    const kernel *k, *apply;
    const isa *on;
    const char *x;
    char *y;
    size_t n, next;
    sl_stats whole;
    pthread_mutex_t lock;
    pthread_barrier_t all_merged;
} shared_row;

/* The next chunk's first element, or n. */
static size_t take_chunk(shared_row *s)
{
    pthread_mutex_lock(&s->lock);
    const size_t first = s->next < s->n ? s->next : s->n;
    s->next += CHUNK;
    pthread_mutex_unlock(&s->lock);
    return first;
}

static size_t chunk_size(const shared_row *s, size_t first)
{
    return s->n - first < CHUNK ? s->n - first : CHUNK;
}

static void *work(void *on)
{
    shared_row *s = on;
    const size_t size = s->k->dtype->size;
    for (size_t first = take_chunk(s); first < s->n; first = take_chunk(s)) {
        sl_stats part;
        stats_of(s->k, s->on, s->x, first, chunk_size(s, first), &part);
        pthread_mutex_lock(&s->lock);
        sl_stats_merge(&s->whole, &part);
        pthread_mutex_unlock(&s->lock);
    }
    if (pthread_barrier_wait(&s->all_merged) == PTHREAD_BARRIER_SERIAL_THREAD)
        s->next = 0;
    pthread_barrier_wait(&s->all_merged);
    for (size_t first = take_chunk(s); first < s->n; first = take_chunk(s))
        s->apply->run(s->on->table, &(call){.x = s->x + first * size,
                                            .shape = sl_rows(1, chunk_size(s, first)),
                                            .out = {s->y + first * size},
                                            .stats = &s->whole});
    return NULL;
}

static void run_threads(shared_row *s, unsigned count)
{
    enum { MOST_THREADS = 8 };
    pthread_t threads[MOST_THREADS];
    s->next = 0;
    s->whole = sl_stats_empty();
    pthread_mutex_init(&s->lock, NULL);
    pthread_barrier_init(&s->all_merged, NULL, count);
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, work, s), 0);
    for (unsigned i = 0; i < count; i++)
        pthread_join(threads[i], NULL);
    pthread_mutex_destroy(&s->lock);
    pthread_barrier_destroy(&s->all_merged);
}

/* One long row: the same statistics and the same softmax, whoever computes which chunk. */
static void threads(const kernel *k, const isa *on)
{
    static const unsigned counts[] = {2, 3, 8};
    const size_t n = effort(40, 12) * CHUNK + 77, size = k->dtype->size;
    generator g = {23};
    for (size_t d = 1; d <= 5; d += 2) { /* normal 3, uniform +-30, offset 100 */
        char *x = allocate(n, size), *alone = allocate(n, size), *y = allocate(n, size);
        fill_elements(k->dtype, distribution_at(d), &g, x, sl_rows(1, n));
        shared_row s = {
            .k = k, .apply = sibling(k, SL_COUNT_softmax_apply), .on = on, .x = x, .y = alone, .n = n};
        run_threads(&s, 1);
        const sl_stats one = s.whole;
        s.y = y;
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            memset(y, 0, n * size);
            run_threads(&s, counts[i]);
            assert_same_stats("with more threads", &one, &s.whole);
            assert_true(memcmp(alone, y, n * size) == 0);
        }
        free(x);
        free(alone);
        free(y);
    }
}

/* ------------------------------------------------------------------------- rows and vocabularies in parts */

static bool has_options(const kernel *k) { return takes_options(k) && !k->by_element; }

static const void *from_row(const void *array, size_t row, size_t bytes)
{
    return array != NULL ? (const char *)array + row * bytes : NULL;
}

/* Some rows of a call for all of them. */
static void rows_from(const workload *w, size_t first, size_t n, workload *part)
{
    const kernel *k = w->k;
    const size_t row = w->c.shape.classes * k->dtype->size;
    workload_copy(part, w);
    part->c.shape.outer = n;
    part->c.x = from_row(w->c.x, first, row);
    part->c.second = from_row(w->c.second, first, k->second == CLASS_IDS ? sizeof(int64_t) : row);
    part->c.lse = from_row(w->c.lse, first, k->dtype->loss_size);
    part->c.out[LSE] = (void *)from_row(w->c.out[LSE], first, k->dtype->loss_size);
    const size_t like_x = output_like_x(k);
    part->c.out[like_x] = (void *)from_row(w->c.out[like_x], first, row);
}

/* 1 to 7 parts of the rows with the divisor of all: the gradient of one call for all, and the shares of the losses add up. */
static void rows_in_parts(const kernel *k, const isa *on)
{
    generator g = {24};
    for (size_t i = 0; i < share(k, 200, 24); i++) {
        const size_t outer = 1 + next_below(&g, 40), classes = 1 + next_below(&g, i % 5 == 0 ? 500 : 60);
        call_spec v = random_call_spec(k, &g);
        workload w;
        v.reduction = SL_MEAN;
        v.options |= DIVISOR;
        v.wants[RESULT] = v.wants[GRADIENT] = true;
        workload_make(&w, k, &v, sl_rows(outer, classes), distribution_at(next_below(&g, 3)), &g);
        run(k, on, &w.c);
        duplicate parts;
        duplicate_make(&parts, &w);
        const size_t like_x = output_like_x(k), count = 1 + i % 7;
        memset(parts.w.c.out[like_x], 0, elements(w.c.shape) * k->dtype->size);
        double sum = 0, magnitude = 0;
        for (size_t p = 0, first = 0, next; p < count; p++, first = next) {
            next = outer * (p + 1) / count;
            workload part;
            rows_from(&parts.w, first, next - first, &part);
            if (next == first)
                continue;
            run(k, on, &part.c);
            if (is_loss(k))
                sum += k->dtype->get_loss(part.c.out[RESULT], 0);
            if (is_loss(k))
                magnitude += fabs(k->dtype->get_loss(part.c.out[RESULT], 0));
        }
        if (is_loss(k)) {
            const double loss = k->dtype->get_loss(w.c.out[RESULT], 0);
            assert_true(!(fabs(sum - loss) > 8 * ldexp(magnitude, 1 - k->dtype->loss_digits)));
            parts.w.c.out[RESULT] = NULL;
        }
        assert_same_outputs(on, &w, &parts.w, "rows in parts, with a divisor");
        duplicate_free(&parts);
        workload_free(&w);
    }
}

static bool is_of_shards(const kernel *k) { return k->row == SL_COUNT_cross_entropy_shard_grad; }

/* Shards of any size have the entries of the whole rows. */
static void shards(const kernel *k, const isa *on)
{
    generator g = {25};
    for (size_t i = 0; i < share(k, 300, 30); i++) {
        const size_t outer = 1 + next_below(&g, 6), classes = 1 + next_below(&g, i % 5 == 0 ? 2000 : 100),
                     size = k->dtype->size;
        const call_spec v = random_call_spec(k, &g);
        workload w;
        workload_make(&w, k, &v, sl_rows(outer, classes),
                      distribution_at(next_below(&g, distribution_count())), &g);
        sl_stats *stats = allocate(outer, sizeof *stats);
        know_rows(k, on->table, &w.c, stats);
        run(k, on, &w.c);
        for (size_t first = 0, n; first < classes; first += n) {
            n = 1 + next_below(&g, classes - first);
            char *x = allocate(outer * n, size), *y = allocate(outer * n, size);
            for (size_t r = 0; r < outer; r++)
                memcpy(x + r * n * size, (const char *)w.c.x + (r * classes + first) * size, n * size);
            call c = w.c;
            c.x = x;
            c.shape = sl_rows(outer, n);
            c.shard = (sl_shard){first, classes};
            c.out[RESULT] = y;
            run(k, on, &c);
            for (size_t r = 0; r < outer; r++)
                if (memcmp(y + r * n * size, (const char *)w.c.out[RESULT] + (r * classes + first) * size,
                           n * size) != 0)
                    fail_msg("%s/%s: classes %zu to %zu of %zu have other entries in row %zu", k->name,
                             on->name, first, first + n, classes, r);
            free(x);
            free(y);
        }
        free(stats);
        workload_free(&w);
    }
}

static bool gives_lse(const kernel *k) { return (accepted_options(k) & TAKES_LSE) != 0; }

/* The log-sum-exps beside a loss are those of logsumexp, of every row that counts. */
static void lse_is_logsumexp(const kernel *k, const isa *on)
{
    generator g = {26};
    for (size_t i = 0; i < share(k, 300, 30); i++) {
        call_spec v = random_call_spec(k, &g);
        v.options = (v.options | TAKES_LSE) & ~(unsigned)(SOFTCAP | SAFE);
        workload w;
        workload_make(&w, k, &v, random_shape(k, &g), distribution_at(next_below(&g, distribution_count())),
                      &g);
        const size_t n = rows(w.c.shape);
        double *lse = allocate(n, sizeof *lse);
        run(k, on, &w.c);
        const kernel *plain = sibling(k, SL_COUNT_logsumexp);
        run(plain, on, &(call){.x = w.c.x, .shape = w.c.shape, .out = {lse}});
        for (size_t r = 0; r < n; r++) {
            const bool ignored =
                w.options.has_ignore_index && ((const int64_t *)w.c.second)[r] == w.options.ignore_index;
            const uint64_t want = ignored ? 0 : output_bits(plain, RESULT, lse, r);
            if (output_bits(k, LSE, w.c.out[LSE], r) != want)
                fail_msg("%s/%s: the log-sum-exp of row %zu of %zu x %zu x %zu is %a", k->name, on->name, r,
                         w.c.shape.outer, w.c.shape.classes, w.c.shape.inner,
                         output_value(k, LSE, w.c.out[LSE], r));
        }
        free(lse);
        workload_free(&w);
    }
}

int main(void)
{
    const topic topics[] = {
        {.name = "random shapes and options", .cell = random_calls},
        {.name = "rows cut anywhere, merged anyhow", .cell = cut_rows, .applies_to = is_stats},
        {.name = "1, 2, 3 and 8 threads", .cell = threads, .applies_to = is_stats},
        {.name = "rows in parts with the divisor of all", .cell = rows_in_parts, .applies_to = has_options},
        {.name = "shards of rows", .cell = shards, .applies_to = is_of_shards},
        {.name = "log-sum-exps beside losses", .cell = lse_is_logsumexp, .applies_to = gives_lse},
    };
    return run_test_matrix("properties", topics, sizeof topics / sizeof *topics);
}
