/* SPDX-License-Identifier: MIT
 *
 * See cut_row.h.
 */
#include "cut_row.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

bool is_stats(const kernel *k) { return k->row == SL_COUNT_softmax_stats; }

void stats_of(const kernel *k, const isa *on, const void *x, size_t first, size_t n, sl_stats *stats)
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

/* Bit for bit, and NaN as one. */
static bool same_double(double a, double b)
{
    return memcmp(&a, &b, sizeof a) == 0 || (isnan(a) && isnan(b));
}

void assert_same_stats(const char *what, const sl_stats *a, const sl_stats *b)
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
    const void *x;
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
                 bound_of(r->k, r->on->table, RESULT));
    expectation_free(&e);
}

static sl_real magnitude_of(const cut_row *r)
{
    sl_real sum = 0;
    for (size_t i = 0; i < r->n; i++)
        sum += fabsl((sl_real)r->k->dtype->get(r->x, i));
    return sum;
}

/* With smoothing the mean of the logits is taken away from the log-sum-exp, which can cancel. In f64 the two
 * exponentials and the quotient that merging costs are not below the last place. */
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
                 r->k->dtype->long_arithmetic ? 5 : bound_of(r->cross_entropy, r->on->table, RESULT));
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
        if (!(ulp <= bound_of(r->apply, r->on->table, RESULT)))
            fail_msg("%s/%s, %s, element %zu of %zu: %.3f ULP: got %a, want %La", r->apply->name, r->on->name,
                     r->distribution, i, r->n, ulp, output_value(r->apply, RESULT, y, i), e.want[RESULT][i]);
    }
    expectation_free(&e);
    free(y);
}

static void check(cut_row *r, generator *g)
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

void assert_any_cut_will_do(const kernel *k, const isa *on, const char *distribution, const void *x, size_t n,
                            generator *g)
{
    cut_row r = {.k = k,
                 .apply = sibling(k, SL_COUNT_softmax_apply),
                 .cross_entropy = sibling(k, SL_COUNT_cross_entropy),
                 .on = on,
                 .distribution = distribution,
                 .n = n,
                 .x = x,
                 .target = (int64_t)next_below(g, n)};
    check(&r, g);
}
