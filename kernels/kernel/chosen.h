/* SPDX-License-Identifier: MIT
 *
 * Log-probabilities of chosen classes, or of the most probable ones: (x_c - m) - log_sum as log-softmax has them, and its
 * bounds, but of L (log_softmax.h).
 *
 * The k largest elements of a row are a heap in the results themselves, the least of them on top: it is the one to beat. Whole
 * registers are compared with it; few elements win once it is large. Then the heap is sorted in place.
 */
#ifndef SL_KERNEL_CHOSEN_H
#define SL_KERNEL_CHOSEN_H

#include "reduce/log_sum.h"

/* Up to SL_W rows; log_sum is NaN of a row that is NaN. */
typedef struct {
    num max[SL_W], log_sum[SL_W];
} chosen_rows;

SL_NOINLINE void chosen_read(log_sum_rows *rows, const T *x, sl_shape shape, size_t n, chosen_rows *of)
{
    const row_group group = {.x = x, .classes = shape.classes, .pitch = pitch_in(shape), .n = n};
    row_stats s;
    log_sum_of_rows(rows, &group, &s);
    c_store(of->max, c_keep(c_lt(c_set1((num)-INFINITY), s.max), s.max));
    c_store(of->log_sum, log_sum_of(&s, NAN_ROWS));
}

SL_INLINE reg log_probability(reg x, num max, num log_sum)
{
    return c_canonical(c_sub(c_sub(x, c_set1(max)), c_set1(log_sum)));
}

SL_STATIC void log_softmax_at(const T *x, const sl_shape *shape, const int64_t *ids, size_t k, num *y)
{
    const size_t many = rows_at_once(*shape), pitch = pitch_in(*shape);
    log_sum_rows rows;
    chosen_rows of;
    T picked[SL_W];
    log_sum_rows_init(&rows, shape->classes, EMIT_LOG);
    store(picked, c_set1(0));
    for (size_t r = 0; k != 0 && r < shape->outer; r++, ids += k, y += k) {
        if (r % many == 0)
            chosen_read(&rows, x + r * pitch, *shape, least(many, shape->outer - r), &of);
        SL_ROLLED
        for (size_t i = 0; i < k; i += SL_W) {
            const size_t n = least(SL_W, k - i);
            SL_ROLLED
            for (size_t l = 0; l < n; l++)
                picked[l] = x[r * pitch + (size_t)ids[i + l]];
            keep_some(y + i, log_probability(load(picked), of.max[r % many], of.log_sum[r % many]), n);
        }
    }
}

/* ---- the k largest ---- */

/* Elements in the heap are integers of the same order, of which compilers make comparisons without branches: these could not be
 * predicted. */
#if SL_F64
typedef int64_t rank;
#define RANK_BITS INT64_MAX
#else
typedef int32_t rank;
#define RANK_BITS INT32_MAX
#endif

SL_INLINE rank rank_of_bits(rank bits) { return bits < 0 ? bits ^ RANK_BITS : bits; }

SL_INLINE rank rank_of(num x)
{
    rank bits;
    x += 0; /* of two zeros neither is larger */
    memcpy(&bits, &x, sizeof bits);
    return rank_of_bits(bits);
}

SL_INLINE num number_of(rank a)
{
    num x;
    rank bits = rank_of_bits(a);
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* A heap of n elements with their ids, the last in order on top. The order: the largest first, then the lowest id. */
typedef struct {
    num *at; /* of ranks */
    int64_t *id;
    size_t n;
} top_heap;

SL_INLINE rank top_rank(top_heap h, size_t i)
{
    rank a;
    memcpy(&a, h.at + i, sizeof a);
    return a;
}

SL_INLINE void top_put(top_heap h, size_t i, rank a, int64_t id)
{
    memcpy(h.at + i, &a, sizeof a);
    h.id[i] = id;
}

SL_INLINE size_t comes_behind(rank a, int64_t a_id, rank b, int64_t b_id)
{
    return (size_t)((a < b) | ((a == b) & (a_id > b_id)));
}

/* Puts an element into the hole at i, or below. */
SL_NOINLINE void top_sink(top_heap h, size_t i, rank a, int64_t id)
{
    for (size_t child = 2 * i + 1; child < h.n; child = 2 * i + 1) {
        const size_t next = least(child + 1, h.n - 1);
        child += comes_behind(top_rank(h, next), h.id[next], top_rank(h, child), h.id[child]);
        if (!comes_behind(top_rank(h, child), h.id[child], a, id))
            break;
        top_put(h, i, top_rank(h, child), h.id[child]);
        i = child;
    }
    top_put(h, i, a, id);
}

/* Those of n elements, which begin with that of class c, that beat the top. An equal one has a higher id, and does not. Returns
 * the element on top. */
SL_NOINLINE num top_insert(top_heap h, const T *x, size_t n, size_t c)
{
    num row[SL_W], top = number_of(top_rank(h, 0));
    SL_ROLLED
    for (size_t i = 0; i < n; i += SL_W) {
        reg a = load_some(x + i, n - i, (num)-INFINITY);
        if (!c_any(c_lt(c_set1(top), a)))
            continue;
        c_store(row, a);
        SL_ROLLED
        for (size_t l = 0; l < SL_W; l++)
            if (row[l] > top) {
                top_sink(h, 0, rank_of(row[l]), (int64_t)(c + i + l));
                top = number_of(top_rank(h, 0));
            }
    }
    return top;
}

/* Leaves the elements in their order, as they are. */
SL_NOINLINE void top_sort(top_heap h)
{
    const size_t n = h.n;
    for (; h.n > 1;) {
        h.n--;
        const rank last = top_rank(h, h.n);
        const int64_t id = h.id[h.n];
        top_put(h, h.n, top_rank(h, 0), h.id[0]);
        top_sink(h, 0, last, id);
    }
    for (size_t i = 0; i < n; i++)
        h.at[i] = number_of(top_rank(h, i));
}

SL_NOINLINE void top_select(top_heap h, const T *x, size_t classes)
{
    enum { STEP = 4 * SL_W };
    num row[SL_W];
    SL_ROLLED
    for (size_t i = 0; i < h.n; i++) {
        if (i % SL_W == 0)
            c_store(row, load_some(x + i, h.n - i, 0));
        top_put(h, i, rank_of(row[i % SL_W]), (int64_t)i);
    }
    for (size_t i = h.n / 2; i-- > 0;)
        top_sink(h, i, top_rank(h, i), h.id[i]);
    num top = number_of(top_rank(h, 0));
    size_t c = h.n;
    for (; c + STEP <= classes; c += STEP) {
        reg max = load(x + c);
        SL_UNROLL
        for (size_t j = SL_W; j < STEP; j += SL_W)
            max = c_larger(load(x + c + j), max);
        if (c_any(c_lt(c_set1(top), max)))
            top = top_insert(h, x + c, STEP, c);
    }
    if (c < classes)
        top_insert(h, x + c, classes - c, c);
    top_sort(h);
}

SL_STATIC void log_softmax_top(const T *x, const sl_shape *shape, size_t k, num *y, int64_t *ids)
{
    const size_t many = rows_at_once(*shape), pitch = pitch_in(*shape);
    log_sum_rows rows;
    chosen_rows of;
    log_sum_rows_init(&rows, shape->classes, EMIT_LOG);
    for (size_t r = 0; k != 0 && r < shape->outer; r++, ids += k, y += k) {
        if (r % many == 0)
            chosen_read(&rows, x + r * pitch, *shape, least(many, shape->outer - r), &of);
        const num log_sum = of.log_sum[r % many];
        if (log_sum == log_sum)
            top_select((top_heap){y, ids, k}, x + r * pitch, shape->classes);
        for (size_t i = 0; log_sum != log_sum && i < k; i++) {
            y[i] = 0;
            ids[i] = (int64_t)i;
        }
        SL_ROLLED
        for (size_t i = 0; i < k; i += SL_W) {
            reg a = k - i >= SL_W ? c_load(y + i) : c_load_n(y + i, k - i, 0);
            keep_some(y + i, log_probability(a, of.max[r % many], log_sum), k - i);
        }
    }
}

#endif
