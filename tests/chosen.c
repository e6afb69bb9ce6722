/* SPDX-License-Identifier: MIT
 *
 * What the test matrix does not see of kernels that give something for chosen classes, or for rows of a matrix alone: the
 * ids of the largest elements, any number of them, rows with a pitch, that wide results have the bits of f32, statistics of
 * rows against those of single rows and through their packed form, and what these functions refuse.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "cut_row.h"

enum { CANARY = 0x5a };

/* ------------------------------------------------------------------------------------- any type and any table */

/* The functions of an element type, of a table or public. */
typedef struct {
    sl_status (*stats_rows)(const sl_kernels *, const void *, const int64_t *, sl_shape, sl_stats *);
    sl_status (*at)(const sl_kernels *, const void *, sl_shape, const int64_t *, size_t, void *);
    sl_status (*top)(const sl_kernels *, const void *, sl_shape, size_t, void *, int64_t *);
} functions;

#define ADAPT(dt, T, L, ...)                                                                                 \
    static sl_status stats_rows_##dt(const sl_kernels *t, const void *x, const int64_t *target,              \
                                     sl_shape shape, sl_stats *stats)                                        \
    {                                                                                                        \
        if (t == NULL)                                                                                       \
            return sl_softmax_stats_rows_##dt(x, target, shape, stats);                                      \
        t->softmax_stats_rows_##dt(x, target, shape, stats);                                                 \
        return SL_OK;                                                                                        \
    }                                                                                                        \
    static sl_status at_##dt(const sl_kernels *t, const void *x, sl_shape shape, const int64_t *ids,         \
                             size_t k, void *y)                                                              \
    {                                                                                                        \
        if (t == NULL)                                                                                       \
            return sl_log_softmax_at_##dt(x, shape, ids, k, y);                                              \
        t->log_softmax_at_##dt(x, shape, ids, k, y);                                                         \
        return SL_OK;                                                                                        \
    }                                                                                                        \
    static sl_status top_##dt(const sl_kernels *t, const void *x, sl_shape shape, size_t k, void *y,         \
                              int64_t *ids)                                                                  \
    {                                                                                                        \
        if (t == NULL)                                                                                       \
            return sl_log_softmax_top_##dt(x, shape, k, y, ids);                                             \
        t->log_softmax_top_##dt(x, shape, k, y, ids);                                                        \
        return SL_OK;                                                                                        \
    }
SL_DTYPES(ADAPT, )
#undef ADAPT

static const functions functions_of[] = {
#define ENTRY(dt, ...) {stats_rows_##dt, at_##dt, top_##dt},
    SL_DTYPES(ENTRY, )
#undef ENTRY
};

static const functions *of(const kernel *k) { return &functions_of[k->dtype - sl_ref_dtypes]; }

/* ------------------------------------------------------------------------------------------- rows with a pitch */

/* Rows whose elements are few and small numbers by chance, so that many are equal; the padding between rows is NaN. */
typedef struct {
    sl_shape shape;
    size_t pitch;
    void *x, *dense;
} padded;

static void padded_make(padded *p, const kernel *k, sl_shape shape, size_t more, generator *g)
{
    const sl_ref_dtype *dt = k->dtype;
    p->pitch = shape.classes + more;
    p->dense = allocate(elements(shape), dt->size);
    p->x = allocate(shape.outer * p->pitch, dt->size);
    p->shape = shape;
    if (more > 0)
        p->shape.in.outer = (ptrdiff_t)p->pitch;
    if (next_below(g, 3) == 0)
        for (size_t i = 0; i < elements(shape); i++)
            dt->put(p->dense, i, (double)next_below(g, 7) - 3);
    else
        fill_elements(dt, distribution_at(next_below(g, distribution_count())), g, p->dense, shape);
    for (size_t i = 0; i < shape.outer * p->pitch; i++)
        dt->put(p->x, i, NAN);
    for (size_t r = 0; r < shape.outer; r++)
        memcpy((char *)p->x + r * p->pitch * dt->size, (char *)p->dense + r * shape.classes * dt->size,
               shape.classes * dt->size);
}

static void padded_free(padded *p)
{
    free(p->x);
    free(p->dense);
}

static sl_shape random_rows(const kernel *k, generator *g)
{
    const size_t classes = next_below(g, 4) == 0 ? next_below(g, share(k, 9000, 3000)) : next_below(g, 90);
    return sl_rows(1 + next_below(g, classes > 200 ? 4 : 37), classes);
}

/* The element of a row; whether softmax makes the row NaN. */
static double element(const padded *p, const kernel *k, size_t r, size_t c)
{
    return k->dtype->get(p->dense, r * p->shape.classes + c);
}

static bool is_nan_row(const padded *p, const kernel *k, size_t r)
{
    double max = -INFINITY;
    bool nan = false;
    for (size_t c = 0; c < p->shape.classes; c++) {
        nan = nan || isnan(element(p, k, r, c));
        max = fmax(max, element(p, k, r, c));
    }
    return nan || isinf(max);
}

/* ---------------------------------------------------------------------------------------------------- the largest */

/* k values and ids of each row: each id once, in order, and no other class goes before the last one. */
static void assert_largest(const isa *on, const padded *p, const kernel *k, size_t many, const int64_t *ids)
{
    const size_t n = p->shape.classes;
    bool *is_chosen_class = allocate_zeroed(n + 1, sizeof *is_chosen_class);
    for (size_t r = 0; r < p->shape.outer; r++) {
        const int64_t *id = ids + r * many;
        const bool nan = is_nan_row(p, k, r);
        memset(is_chosen_class, 0, n);
        for (size_t i = 0; i < many; i++) {
            if (nan ? id[i] != (int64_t)i : (uint64_t)id[i] >= n || is_chosen_class[id[i]])
                fail_msg("%s/%s, %zu columns, row %zu, k %zu: id %zu is %lld", k->name, on->name, n, r, many,
                         i, (long long)id[i]);
            is_chosen_class[id[i]] = true;
            if (nan || i == 0)
                continue;
            const double before = element(p, k, r, (size_t)id[i - 1]), here = element(p, k, r, (size_t)id[i]);
            if (!(before > here || (before == here && id[i - 1] < id[i])))
                fail_msg("%s/%s, %zu columns, row %zu, k %zu: %lld (%a) stands before %lld (%a)", k->name,
                         on->name, n, r, many, (long long)id[i - 1], before, (long long)id[i], here);
        }
        for (size_t c = 0; c < n && !nan && many > 0; c++) {
            const double last = element(p, k, r, (size_t)id[many - 1]), here = element(p, k, r, c);
            if (!is_chosen_class[c] && (here > last || (here == last && (int64_t)c < id[many - 1])))
                fail_msg("%s/%s, %zu columns, row %zu, k %zu: %zu (%a) is missing", k->name, on->name, n, r,
                         many, c, here);
        }
    }
    free(is_chosen_class);
}

static void largest(const kernel *k, const isa *on)
{
    generator g = {41};
    for (size_t repeat = 0; repeat < share(k, 400, 40); repeat++) {
        padded p;
        const sl_shape shape = random_rows(k, &g);
        padded_make(&p, k, shape, next_below(&g, 2) * next_below(&g, 40), &g);
        const size_t many = next_below(
                         &g,
                         (next_below(&g, 2) ? shape.classes : (shape.classes < 70 ? shape.classes : 70)) + 1),
                     all = shape.outer * many, size = k->dtype->loss_size;
        void *y = allocate(all + 1, size), *same = allocate(all + 1, size);
        int64_t *ids = allocate(all + 1, sizeof *ids);
        memset(y, CANARY, (all + 1) * size);
        memset(ids, CANARY, (all + 1) * sizeof *ids);
        of(k)->top(on->table, p.x, p.shape, many, y, ids);
        assert_largest(on, &p, k, many, ids);
        for (size_t i = 0; i < sizeof *ids; i++)
            assert_int_equal(((unsigned char *)(ids + all))[i], CANARY);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(((unsigned char *)y)[all * size + i], CANARY);
        of(k)->at(on->table, p.dense, shape, ids, many, same); /* dense rows go by groups */
        if (memcmp(y, same, all * size) != 0)
            fail_msg("%s/%s, %zu x %zu, k %zu: other values than log_softmax_at", k->name, on->name,
                     shape.outer, shape.classes, many);
        free(y);
        free(same);
        free(ids);
        padded_free(&p);
    }
}

static bool gives_largest(const kernel *k) { return k->row == SL_COUNT_log_softmax_top; }

/* Rows in ascending order, of which every element goes into the heap, and all of them are wanted. */
static void sorted_rows(const kernel *k, const isa *on)
{
    const size_t n = effort(3000, 500);
    generator g = {42};
    padded p;
    padded_make(&p, k, sl_rows(2, n), 0, &g);
    for (size_t c = 0; c < n; c++) {
        k->dtype->put(p.dense, c, (double)(c / 2) / 64);
        k->dtype->put(p.dense, n + c, -(double)(c / 2) / 64);
    }
    memcpy(p.x, p.dense, 2 * n * k->dtype->size);
    void *y = allocate(2 * n, k->dtype->loss_size);
    int64_t *ids = allocate(2 * n, sizeof *ids);
    of(k)->top(on->table, p.x, p.shape, n, y, ids);
    assert_largest(on, &p, k, n, ids);
    free(y);
    free(ids);
    padded_free(&p);
}

/* --------------------------------------------------------------------------------------------------- chosen ids */

/* Of f32 and f64 the very results of log_softmax; of 16 bits those of f32, which log_softmax_wide has. */
static void chosen_ids(const kernel *k, const isa *on)
{
    generator g = {43};
    for (size_t repeat = 0; repeat < share(k, 400, 40); repeat++) {
        padded p;
        sl_shape shape = random_rows(k, &g);
        shape.classes += shape.classes == 0;
        padded_make(&p, k, shape, next_below(&g, 2) * next_below(&g, 40), &g);
        const size_t many = next_below(&g, 70), size = k->dtype->loss_size;
        int64_t *ids = allocate(shape.outer * many + 1, sizeof *ids);
        char *y = allocate(shape.outer * many + 1, size), *all = allocate(elements(shape), size);
        for (size_t i = 0; i < shape.outer * many; i++)
            ids[i] = (int64_t)next_below(&g, shape.classes);
        of(k)->at(on->table, p.x, p.shape, ids, many, y);
        sibling(k, SL_COUNT_log_softmax_wide)
            ->run(on->table, &(call){.x = p.dense, .shape = shape, .out = {all}});
        for (size_t i = 0; i < shape.outer * many; i++)
            if (memcmp(y + i * size, all + (i / many * shape.classes + (size_t)ids[i]) * size, size) != 0)
                fail_msg("%s/%s, %zu x %zu, k %zu: value %zu is %a", k->name, on->name, shape.outer,
                         shape.classes, many, i, k->dtype->get_loss(y, i));
        free(ids);
        free(y);
        free(all);
        padded_free(&p);
    }
}

static bool takes_ids(const kernel *k) { return k->row == SL_COUNT_log_softmax_at; }

/* --------------------------------------------------------------------------------------------------- wide results */

/* The bits that f32 has of the widened elements. */
static void as_f32(const kernel *k, const isa *on)
{
    const size_t rows_of[] = {SL_COUNT_softmax, SL_COUNT_log_softmax, SL_COUNT_sigmoid};
    const size_t which = k->row - SL_COUNT_softmax_wide;
    const kernel *same = &kernels[rows_of[which] * SL_DTYPE_COUNT + SL_COUNT_f32];
    generator g = {44};
    for (size_t repeat = 0; repeat < share(k, 2000, 200); repeat++) {
        const sl_shape rows_only = random_rows(k, &g),
                       shape = next_below(&g, 3) == 0 && rows_only.classes < 90
                                   ? sl_axis(1 + next_below(&g, 3), rows_only.classes, 1 + next_below(&g, 90))
                                   : rows_only;
        const size_t n = elements(shape);
        void *x = allocate(n, k->dtype->size);
        float *wide = allocate(n, sizeof *wide), *y = allocate(n, sizeof *y),
              *want = allocate(n, sizeof *want);
        fill_elements(k->dtype, distribution_at(next_below(&g, distribution_count())), &g, x, shape);
        for (size_t i = 0; i < n; i++)
            wide[i] = (float)k->dtype->get(x, i);
        run(k, on, &(call){.x = x, .shape = shape, .out = {y}});
        run(same, on, &(call){.x = wide, .shape = shape, .out = {want}});
        const size_t at = first_difference(k, RESULT, y, want, n);
        if (at < n)
            fail_msg("%s/%s, %zu x %zu x %zu: value %zu is %a, of f32 %a", k->name, on->name, shape.outer,
                     shape.classes, shape.inner, at, y[at], want[at]);
        free(x);
        free(wide);
        free(y);
        free(want);
    }
}

static bool is_wider(const kernel *k)
{
    return k->row >= SL_COUNT_softmax_wide && k->row <= SL_COUNT_sigmoid_wide && k->dtype->digits < 24;
}

/* ------------------------------------------------------------------------------------------------- row statistics */

static bool gives_stats_of_rows(const kernel *k) { return k->row == SL_COUNT_softmax_stats_rows; }

/* All bits of softmax_stats, private ones included, and the target's logit. */
static void as_single_rows(const kernel *k, const isa *on)
{
    const kernel *single = sibling(k, SL_COUNT_softmax_stats);
    generator g = {45};
    for (size_t repeat = 0; repeat < share(k, 600, 60); repeat++) {
        padded p;
        const sl_shape shape = random_rows(k, &g);
        padded_make(&p, k, shape, next_below(&g, 2) * next_below(&g, 40), &g);
        int64_t *target = allocate(shape.outer, sizeof *target);
        sl_stats *got = allocate(shape.outer, sizeof *got);
        const bool has_target = next_below(&g, 2);
        for (size_t r = 0; r < shape.outer; r++)
            target[r] = (int64_t)next_below(&g, shape.classes + 3) - 1;
        of(k)->stats_rows(on->table, p.x, has_target ? target : NULL, p.shape, got);
        for (size_t r = 0; r < shape.outer; r++) {
            sl_stats want;
            stats_of(single, on, p.dense, r * shape.classes, shape.classes, &want);
            if (has_target && (uint64_t)target[r] < shape.classes)
                want.target = element(&p, k, r, (size_t)target[r]);
            if (isnan(want.target))
                want.target = NAN;
            if (memcmp(&want, &got[r], sizeof want) != 0) {
                assert_same_stats("rows against single rows", &got[r], &want);
                fail_msg("%s/%s, %zu x %zu, row %zu: other private bits", k->name, on->name, shape.outer,
                         shape.classes, r);
            }
        }
        free(target);
        free(got);
        padded_free(&p);
    }
}

/* ---------------------------------------------------------------------------------------------- the packed form */

static void assert_unpacks(const sl_stats *stats, size_t size)
{
    unsigned char packed[SL_PACKED_ANY + 1];
    memset(packed, CANARY, sizeof packed);
    assert_int_equal(sl_stats_pack(stats, packed, size), SL_OK);
    assert_int_equal(packed[size], CANARY);
    sl_stats got;
    assert_int_equal(sl_stats_unpack(packed, size, &got), SL_OK);
    sl_stats want = *stats;
    if (size == SL_PACKED_PART && want.count > 0) { /* its logits are not known */
        want.logits = got.logits;
        want.exact_logits = got.exact_logits;
        assert_true(isnan(got.logits));
    }
    assert_memory_equal(&got, &want, sizeof want);
}

/* Statistics of parts of rows, packed and unpacked, merge to the bits of those that stayed. */
static void packed_parts(const kernel *k, const isa *on)
{
    generator g = {46};
    for (size_t repeat = 0; repeat < share(k, 600, 60); repeat++) {
        padded p;
        sl_shape shape = random_rows(k, &g);
        padded_make(&p, k, shape, 0, &g);
        sl_stats *parts = allocate(shape.outer, sizeof *parts), merged = sl_stats_empty(), of_packed = merged;
        of(k)->stats_rows(on->table, p.x, NULL, shape, parts);
        for (size_t r = 0; r < shape.outer; r++) {
            unsigned char packed[SL_PACKED_PART_LOGITS];
            sl_stats part;
            assert_unpacks(&parts[r], SL_PACKED_PART);
            assert_unpacks(&parts[r], SL_PACKED_PART_LOGITS);
            assert_unpacks(&parts[r], SL_PACKED_ANY);
            assert_int_equal(sl_stats_pack(&parts[r], packed, sizeof packed), SL_OK);
            assert_int_equal(sl_stats_unpack(packed, sizeof packed, &part), SL_OK);
            sl_stats_merge(&merged, &parts[r]);
            sl_stats_merge(&of_packed, &part);
            assert_unpacks(&merged, SL_PACKED_ANY);
        }
        assert_memory_equal(&of_packed, &merged, sizeof merged);
        free(parts);
        padded_free(&p);
    }
}

/* Each bit of the bytes is looked at. */
static void damaged(void)
{
    static const size_t sizes[] = {SL_PACKED_PART, SL_PACKED_PART_LOGITS, SL_PACKED_ANY};
    const float x[] = {1, 2, -3, 0.5F};
    sl_stats stats, untouched;
    unsigned char packed[SL_PACKED_ANY];
    memset(&untouched, CANARY, sizeof untouched);
    assert_int_equal(sl_softmax_stats_f32(x, 4, &stats), SL_OK);
    for (size_t s = 0; s < 3; s++) {
        assert_int_equal(sl_stats_pack(&stats, packed, sizes[s]), SL_OK);
        for (size_t bit = 0; bit < 8 * sizes[s]; bit++) {
            sl_stats got = untouched;
            packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
            const sl_status status = sl_stats_unpack(packed, sizes[s], &got);
            assert_int_equal(status, bit / 8 == 2 ? SL_ERR_VERSION : SL_ERR_PACKED);
            assert_memory_equal(&got, &untouched, sizeof got);
            packed[bit / 8] ^= (unsigned char)(1 << bit % 8);
        }
        for (size_t other = 0; other < 3; other++) { /* of another length */
            sl_stats got = untouched;
            if (sizes[other] < sizes[s]) {
                assert_int_equal(sl_stats_unpack(packed, sizes[other], &got), SL_ERR_PACKED);
            }
        }
    }
}

static void packing_refuses(void)
{
    const float x[] = {1, 2, -3, 0.5F}, y[] = {-40, -40.25F, -43}; /* far apart: no f64 holds both sums */
    sl_stats stats, more, none = sl_stats_empty();
    unsigned char packed[SL_PACKED_ANY];
    memset(packed, CANARY, sizeof packed);
    assert_int_equal(sl_softmax_stats_f32(x, 4, &stats), SL_OK);
    assert_int_equal(sl_softmax_stats_f32(y, 3, &more), SL_OK);
    assert_int_equal(sl_stats_pack(NULL, packed, SL_PACKED_PART), SL_ERR_NULL);
    assert_int_equal(sl_stats_pack(&stats, NULL, SL_PACKED_PART), SL_ERR_NULL);
    assert_int_equal(sl_stats_pack(&stats, packed, 0), SL_ERR_OPTION);
    assert_int_equal(sl_stats_pack(&stats, packed, 41), SL_ERR_OPTION);
    assert_int_equal(sl_stats_unpack(NULL, SL_PACKED_PART, &stats), SL_ERR_NULL);
    assert_int_equal(sl_stats_unpack(packed, SL_PACKED_PART, NULL), SL_ERR_NULL);
    assert_int_equal(sl_stats_unpack(packed, 39, &stats), SL_ERR_OPTION);
    assert_int_equal(sl_stats_unpack(packed, SL_PACKED_PART, &stats), SL_ERR_PACKED);
    assert_unpacks(&none, SL_PACKED_PART);
    sl_stats_merge(&stats, &none);
    assert_unpacks(&stats, SL_PACKED_PART_LOGITS);
    sl_stats_merge(&stats, &more); /* two numbers are one no more */
    assert_int_equal(sl_stats_pack(&stats, packed, SL_PACKED_PART), SL_ERR_OPTION);
    for (size_t i = 0; i < sizeof packed; i++)
        assert_int_equal(packed[i], CANARY);
    assert_unpacks(&stats, SL_PACKED_ANY);
}

/* ----------------------------------------------------------------------------------------------- what is refused */

static void shapes_that_are_no_rows(const kernel *k)
{
    double x[64] = {0}, y[64], ids[64] = {0};
    sl_stats stats[8];
    static const struct {
        sl_shape shape;
        sl_status status;
    } cases[] = {
        {{.outer = 2, .classes = 3, .inner = 2}, SL_ERR_OPTION},
        {{.outer = 2, .classes = 3, .inner = 0}, SL_ERR_OPTION},
        {{.outer = 2, .classes = 3, .inner = 1, .in = {.outer = 2}}, SL_ERR_STRIDE},
        {{.outer = 2, .classes = 3, .inner = 1, .in = {.outer = -3}}, SL_ERR_STRIDE},
        {{.outer = 2, .classes = 3, .inner = 1, .in = {.classes = 2}}, SL_ERR_OPTION},
        {{.outer = 2, .classes = 3, .inner = 1, .out = {.outer = 3}}, SL_ERR_OPTION},
        {{.outer = 2, .classes = 3, .inner = 1, .in = {.outer = 3, .classes = 1}}, SL_OK},
        {{.outer = 2, .classes = 3, .inner = 1, .in = {.outer = PTRDIFF_MAX}}, SL_ERR_SIZE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const sl_shape shape = cases[i].shape;
        const sl_status want = cases[i].status;
        assert_int_equal(of(k)->stats_rows(NULL, x, NULL, shape, stats), want);
        assert_int_equal(of(k)->at(NULL, x, shape, (int64_t *)(void *)ids, 2, y), want);
        assert_int_equal(of(k)->top(NULL, x, shape, 2, y, (int64_t *)(void *)ids), want);
    }
}

static void ids_and_counts(const kernel *k)
{
    double x[64] = {0}, y[64];
    int64_t ids[8] = {0, 2, 1, 2, 0, 0, 0, 0};
    const sl_shape shape = sl_rows(2, 3);
    assert_int_equal(of(k)->at(NULL, x, shape, ids, 2, y), SL_OK);
    for (size_t i = 0; i < 4; i++) {
        const int64_t was = ids[i];
        ids[i] = 3;
        assert_int_equal(of(k)->at(NULL, x, shape, ids, 2, y), SL_ERR_TARGET);
        ids[i] = -1;
        assert_int_equal(of(k)->at(NULL, x, shape, ids, 2, y), SL_ERR_TARGET);
        ids[i] = was;
    }
    assert_int_equal(of(k)->at(NULL, x, sl_rows(2, 0), ids, 2, y), SL_ERR_TARGET);
    assert_int_equal(of(k)->at(NULL, x, shape, NULL, 0, NULL), SL_OK);
    assert_int_equal(of(k)->at(NULL, x, shape, NULL, 2, y), SL_ERR_NULL);
    assert_int_equal(of(k)->at(NULL, x, shape, ids, SIZE_MAX, y), SL_ERR_SIZE);
    assert_int_equal(of(k)->at(NULL, x, shape, ids, 2, ids), SL_ERR_OVERLAP);
    assert_int_equal(of(k)->top(NULL, x, shape, 3, y, ids), SL_OK);
    assert_int_equal(of(k)->top(NULL, x, shape, 4, y, ids), SL_ERR_OPTION);
    assert_int_equal(of(k)->top(NULL, x, sl_rows(2, 0), 1, y, ids), SL_ERR_OPTION);
    assert_int_equal(of(k)->top(NULL, x, shape, 0, NULL, NULL), SL_OK);
    assert_int_equal(of(k)->top(NULL, x, shape, 2, y, NULL), SL_ERR_NULL);
    assert_int_equal(of(k)->top(NULL, x, shape, 2, NULL, ids), SL_ERR_NULL);
    assert_int_equal(of(k)->top(NULL, x, shape, SIZE_MAX, y, ids), SL_ERR_SIZE);
    assert_int_equal(of(k)->top(NULL, x, shape, 2, ids, ids), SL_ERR_OVERLAP);
    assert_int_equal(of(k)->top(NULL, x, shape, 2, x, ids), SL_ERR_OVERLAP);
    assert_int_equal(of(k)->top(NULL, x, shape, 2, y, (int64_t *)(void *)x), SL_ERR_OVERLAP);
}

int main(void)
{
    const topic topics[] = {
        {.name = "the largest, and their ids", .cell = largest, .applies_to = gives_largest},
        {.name = "the largest of rows in order", .cell = sorted_rows, .applies_to = gives_largest},
        {.name = "chosen ids as log-softmax", .cell = chosen_ids, .applies_to = takes_ids},
        {.name = "wide results as f32", .cell = as_f32, .applies_to = is_wider},
        {.name = "statistics as of single rows", .cell = as_single_rows, .applies_to = gives_stats_of_rows},
        {.name = "packed statistics", .cell = packed_parts, .applies_to = gives_stats_of_rows},
        {.name = "damaged packed statistics", .once = damaged},
        {.name = "what packing refuses", .once = packing_refuses},
        {.name = "shapes that are no rows",
         .each_kernel = shapes_that_are_no_rows,
         .applies_to = gives_largest},
        {.name = "ids and counts", .each_kernel = ids_and_counts, .applies_to = gives_largest},
    };
    return run_test_matrix("chosen", topics, sizeof topics / sizeof *topics);
}
