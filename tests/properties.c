/* SPDX-License-Identifier: MIT
 *
 * What must hold between the calls of a kernel, whatever the shape and the options; on random ones. And what
 * must hold between the statistics of the parts of a row, however it is cut, and whoever merges them.
 */
#define _POSIX_C_SOURCE 200809L
#include <float.h>
#include <math.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "workload.h"

/* ----------------------------------------------------------------------------------- any shape and options
 * */

/* Up to 200 classes, sometimes thousands; about `MOST_ELEMENTS` elements. */
static sl_shape random_shape(const kernel *k, generator *g)
{
    enum { MOST_ELEMENTS = 6000, MOST_INNER = 40, MOST_ROWS = 40 };
    const size_t classes = next_below(g, 20) == 0 ? 1000 + next_below(g, 4000) : next_below(g, 201);
    const size_t room = MOST_ELEMENTS / (classes + 1) + 1;
    const size_t inner =
        has_shape(k) && next_below(g, 2) == 0 ? 1 + next_below(g, room < MOST_INNER ? room : MOST_INNER) : 1;
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
    duplicate spoilt;
    duplicate_make(&spoilt, w);
    for (size_t r = 0; r < rows(shape); r++)
        for (size_t c = 0; c < shape.classes && is_ignored(w, r); c++) {
            k->dtype->put((void *)spoilt.w.c.x, element_at(shape, r, c), c % 2 ? INFINITY : NAN);
            if (k->dtype->bits(w->c.out[GRADIENT], element_at(shape, r, c)) != 0)
                fail_msg("%s/%s: gradient of an ignored row: %a", k->name, on->name,
                         k->dtype->get(w->c.out[GRADIENT], element_at(shape, r, c)));
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
        variant v = is_loss(k) ? random_variant(k, &g) : *variant_at(k, 0);
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
        if (k->row == SL_COUNT_cross_entropy && k->dtype->digits >= 24)
            gradient_rows_sum_to_0(on, &w);
        workload_free(&w);
    }
}

/* ------------------------------------------------------------------------------------- partial statistics */

static bool is_stats(const kernel *k) { return k->row == SL_COUNT_softmax_stats; }

static void stats_of(const kernel *k, const isa *on, const void *x, size_t first, size_t n, sl_stats *stats)
{
    *stats = sl_stats_empty(); /* of no elements none are written */
    k->run(on->table,
           &(call){.x = (const char *)x + first * k->dtype->size, .shape = sl_rows(1, n), .out = {stats}});
}

static sl_stats merged(sl_stats into, const sl_stats *from)
{
    sl_stats_merge(&into, from);
    return into;
}

static bool same_double(double a, double b) { return memcmp(&a, &b, sizeof a) == 0; }

static void assert_same_stats(const char *what, const sl_stats *a, const sl_stats *b)
{
    if (same_double(a->max, b->max) && same_double(a->rest, b->rest) && same_double(a->target, b->target) &&
        same_double(a->logits, b->logits) && a->count == b->count &&
        same_double(sl_stats_logsumexp(a), sl_stats_logsumexp(b)) &&
        same_double(sl_stats_cross_entropy(a, 0.1), sl_stats_cross_entropy(b, 0.1)))
        return;
    fail_msg("%s: max %a, rest %a, target %a, logits %a, count %llu; max %a, rest %a, target %a, logits %a, "
             "count %llu",
             what, a->max, a->rest, a->target, a->logits, (unsigned long long)a->count, b->max, b->rest,
             b->target, b->logits, (unsigned long long)b->count);
}

/* Parts of a row: part i is the elements from cut[i] to cut[i + 1]. */
enum { MOST_PARTS = 12 };
typedef struct {
    size_t count, cut[MOST_PARTS + 1];
    sl_stats of[MOST_PARTS];
} parts;

static int by_size(const void *a, const void *b)
{
    const size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Some of them may be empty. */
static void cut_anywhere(parts *p, size_t n, generator *g)
{
    p->count = 1 + next_below(g, MOST_PARTS);
    for (size_t i = 1; i < p->count; i++)
        p->cut[i] = next_below(g, n + 1);
    p->cut[0] = 0;
    p->cut[p->count] = n;
    qsort(p->cut, p->count + 1, sizeof *p->cut, by_size);
}

/* Any two, then any two of what there is then, until one is left: any order, any association. */
static sl_stats merge_anyhow(const parts *p, generator *g)
{
    sl_stats left[MOST_PARTS];
    memcpy(left, p->of, sizeof left);
    for (size_t n = p->count; n > 1; n--) {
        const size_t from = next_below(g, n);
        const sl_stats taken = left[from];
        left[from] = left[n - 1];
        const size_t into = next_below(g, n - 1);
        left[into] = next_below(g, 2) ? merged(left[into], &taken) : merged(taken, &left[into]);
    }
    return left[0];
}

/* A row, what is exactly true of it, and its parts. */
typedef struct {
    const kernel *k, *apply, *cross_entropy;
    const isa *on;
    const char *distribution;
    size_t n;
    void *x;
    int64_t target;
    parts cut;
    sl_stats whole;
} cut_row;

static void assert_close(const cut_row *r, const char *what, double got, sl_real want, sl_real scale,
                         double bound)
{
    const sl_ref_dtype *dt = r->k->dtype;
    const double ulp = sl_ref_ulp(got, want, scale, dt->loss_digits, dt->loss_min_exp);
    if (!(ulp <= bound))
        fail_msg("%s/%s, %s of %zu elements in %zu parts, %s: %.3f ULP: got %a, want %La", r->k->name,
                 r->on->name, what, r->n, r->cut.count, r->distribution, ulp, got, want);
}

static void logsumexp_is_close(const cut_row *r)
{
    expectation e;
    sl_stats unused;
    expect(r->k, &(call){.x = r->x, .shape = sl_rows(1, r->n), .out = {&unused}}, &e);
    assert_close(r, "log-sum-exp", sl_stats_logsumexp(&r->whole), e.want[RESULT][0], e.scale[RESULT][0],
                 bound_of(r->k, r->on, RESULT));
    expectation_free(&e);
}

static sl_real magnitude_of(const cut_row *r)
{
    sl_real sum = 0;
    for (size_t i = 0; i < r->n; i++)
        sum += fabsl((sl_real)r->k->dtype->get(r->x, i));
    return sum;
}

/* With smoothing the mean of the logits is taken away from the log-sum-exp, which can cancel. */
static void cross_entropy_is_close(const cut_row *r, double smoothing)
{
    double unused[1];
    const sl_loss_options options = {.reduction = SL_NONE, .label_smoothing = smoothing};
    expectation e;
    /* f64 logits may have no sum */
    if (smoothing > 0 && r->k->dtype->long_arithmetic && magnitude_of(r) > DBL_MAX)
        return;
    expect(
        r->cross_entropy,
        &(call){
            .x = r->x, .second = &r->target, .shape = sl_rows(1, r->n), .options = &options, .out = {unused}},
        &e);
    const sl_real want = e.want[RESULT][0], away = smoothing * magnitude_of(r) / (sl_real)r->n;
    const sl_real scale = r->k->dtype->long_arithmetic ? fmaxl(fabsl(want), away) : want;
    assert_close(r, "cross-entropy", sl_stats_cross_entropy(&r->whole, smoothing), want, scale,
                 bound_of(r->cross_entropy, r->on, RESULT));
    expectation_free(&e);
}

static void softmax_is_close(const cut_row *r)
{
    const size_t size = r->k->dtype->size;
    char *y = allocate(r->n, size);
    for (size_t i = 0; i < r->cut.count; i++) {
        const size_t first = r->cut.cut[i], n = r->cut.cut[i + 1] - first;
        run(r->apply, r->on,
            &(call){.x = (char *)r->x + first * size,
                    .shape = sl_rows(1, n),
                    .out = {y + first * size},
                    .stats = &r->whole});
    }
    const call c = {.x = r->x, .shape = sl_rows(1, r->n), .out = {y}};
    expectation e;
    expect(r->apply, &c, &e);
    for (size_t i = 0; i < r->n; i++) {
        const double ulp = error_of(r->apply, &c, RESULT, i, &e);
        if (!(ulp <= bound_of(r->apply, r->on, RESULT)))
            fail_msg("%s/%s, %s, element %zu of %zu: %.3f ULP: got %a, want %La", r->apply->name, r->on->name,
                     r->distribution, i, r->n, ulp, output_value(r->apply, RESULT, y, i), e.want[RESULT][i]);
    }
    expectation_free(&e);
    free(y);
}

static void check_cut_row(cut_row *r, generator *g)
{
    const kernel *k = r->k;
    parts *p = &r->cut;
    cut_anywhere(p, r->n, g);
    for (size_t i = 0; i < p->count; i++) {
        stats_of(k, r->on, r->x, p->cut[i], p->cut[i + 1] - p->cut[i], &p->of[i]);
        if (p->cut[i] <= (size_t)r->target && (size_t)r->target < p->cut[i + 1])
            p->of[i].target = k->dtype->get(r->x, (size_t)r->target);
    }
    r->whole = merge_anyhow(p, g);
    for (size_t again = 0; again < 3; again++) {
        const sl_stats other = merge_anyhow(p, g);
        assert_same_stats("merged in another order", &r->whole, &other);
    }
    const sl_stats empty = sl_stats_empty(), before = merged(empty, &r->whole),
                   after = merged(r->whole, &empty);
    assert_same_stats("merged into the empty one", &r->whole, &before);
    assert_same_stats("merged with the empty one", &r->whole, &after);
    assert_true(r->whole.count == r->n);

    logsumexp_is_close(r);
    cross_entropy_is_close(r, 0);
    cross_entropy_is_close(r, next_below(g, 8) == 0 ? 1 : next_uniform(g));
    softmax_is_close(r);
}

static void cut_rows(const kernel *k, const isa *on)
{
    generator g = {22};
    for (size_t i = 0; i < share(k, 1500, 60); i++) {
        const distribution *d = distribution_at(i % distribution_count());
        const size_t n = 1 + (i % 50 == 0 ? next_below(&g, 20000) : next_below(&g, 200));
        cut_row r = {.k = k,
                     .apply = sibling(k, SL_COUNT_softmax_apply),
                     .cross_entropy = sibling(k, SL_COUNT_cross_entropy),
                     .on = on,
                     .distribution = d->name,
                     .n = n,
                     .x = allocate(n, k->dtype->size),
                     .target = (int64_t)next_below(&g, n)};
        fill_elements(k->dtype, d, &g, r.x, sl_rows(1, n));
        check_cut_row(&r, &g);
        free(r.x);
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

int main(void)
{
    const topic topics[] = {
        {.name = "random shapes and options", .rung = random_calls},
        {.name = "rows cut anywhere, merged anyhow", .rung = cut_rows, .applies_to = is_stats},
        {.name = "1, 2, 3 and 8 threads", .rung = threads, .applies_to = is_stats},
    };
    return ladder_climb("properties", topics, sizeof topics / sizeof *topics);
}
