/* SPDX-License-Identifier: MIT
 *
 * softmax and log-softmax with options (softlane.h): the bits of the functions without options where scores are the logits, limits
 * beyond which nothing is read, pitches, statuses; and a directed search for errors of scores. Options at random, against the
 * oracle, are in the other tests.
 */
#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "assertions.h"
#include "overreach.h"
#include "pages.h"

enum { ROWS = 19 };

static bool has_row_options(const kernel *k) { return k->row_options; }

static const kernel *plain_of(const kernel *k, bool safe)
{
    const bool logs = k->row == SL_COUNT_log_softmax_with;
    return sibling(k, logs   ? safe ? SL_COUNT_log_softmax_safe : SL_COUNT_log_softmax
                      : safe ? SL_COUNT_softmax_safe
                             : SL_COUNT_softmax);
}

static double nothing_of(const kernel *k) { return k->row == SL_COUNT_log_softmax_with ? -INFINITY : 0; }

static void assert_same(const kernel *k, const isa *on, const void *got, const void *want, size_t n,
                        const char *how)
{
    const size_t at = first_difference(k, RESULT, got, want, n);
    if (at < n)
        fail_msg("%s/%s, %s: differs at %zu of %zu: %a, want %a", k->name, on->name, how, at, n,
                 k->dtype->get(got, at), k->dtype->get(want, at));
}

static const size_t widths[] = {1,  2,  5,  10,  16,  17,   31,   32,   33,
                                48, 64, 65, 100, 517, 1000, 4096, 4999, 9001};
enum { WIDTHS = sizeof widths / sizeof *widths };

/* Without options; with those that change no logit; and, row by row, with limits: the bits of the plain functions. */
static void same_bits(const kernel *k, const isa *on)
{
    generator g = {41};
    const sl_ref_dtype *dt = k->dtype;
    for (size_t i = 0; i < WIDTHS; i++)
        for (size_t d = 0; d < distribution_count(); d += effort(1, 3)) {
            const size_t n = widths[i], all = ROWS * n;
            if (n > 1000 && (d + i) % 4 != 0)
                continue;
            const bool safe = d % 2;
            const sl_shape shape = sl_rows(ROWS, n);
            void *x = allocate(all, dt->size), *want = allocate(all, dt->size),
                 *got = allocate(all, dt->size), *lse = allocate(ROWS, dt->loss_size),
                 *want_lse = allocate(ROWS, dt->loss_size);
            float *zeros = allocate(all, sizeof *zeros);
            uint8_t *ones = allocate(all, 1);
            size_t first[ROWS], length[ROWS];
            fill_elements(dt, distribution_at(d), &g, x, shape);
            memset(zeros, 0, all * sizeof *zeros);
            memset(ones, 7, all);
            run(plain_of(k, safe), on, &(call){.x = x, .shape = shape, .out = {want}});
            run(sibling(k, SL_COUNT_logsumexp), on, &(call){.x = x, .shape = shape, .out = {want_lse}});
            const unsigned flags = safe ? SL_SAFE_ROWS : 0;
            const sl_softmax_options same[] = {
                {.flags = flags},
                {.flags = flags, .scale = 1, .slope = 3, .mask = zeros, .mask_type = SL_MASK_F32},
                {.flags = flags, .mask = zeros, .mask_type = SL_MASK_BF16, .mask_stride = (ptrdiff_t)n},
                {.flags = flags, .mask = ones, .mask_type = SL_MASK_BOOL, .mask_stride = (ptrdiff_t)n},
            };
            for (size_t o = 0; o < sizeof same / sizeof *same; o++) {
                run(k, on,
                    &(call){.x = x,
                            .shape = shape,
                            .row_options = &same[o],
                            .out = {got, [LSE] = o % 2 ? lse : NULL}});
                assert_same(k, on, got, want, all, "as without options");
                if (o % 2 && !safe && k->row == SL_COUNT_log_softmax_with)
                    assert_memory_equal(lse, want_lse, ROWS * dt->loss_size);
            }
            memcpy(got, x, all * dt->size);
            run(k, on, &(call){.x = got, .shape = shape, .row_options = &same[1], .out = {got}});
            assert_same(k, on, got, want, all, "in place");
            for (size_t r = 0; r < ROWS; r++) {
                first[r] = next_below(&g, n + 1);
                length[r] = next_below(&g, n - first[r] + 1);
                for (size_t c = 0; c < n; c++)
                    dt->put(want, r * n + c, length[r] == 0 && !safe ? (double)NAN : nothing_of(k));
                if (length[r] == 0)
                    continue;
                void *part = (char *)want + (r * n + first[r]) * dt->size;
                run(plain_of(k, safe), on,
                    &(call){.x = (char *)x + (r * n + first[r]) * dt->size,
                            .shape = sl_rows(1, length[r]),
                            .out = {part}});
                if (isnan(dt->get(part, 0)) && isnan(dt->get(part, length[r] - 1)))
                    for (size_t c = 0; c < n; c++)
                        memcpy((char *)want + (r * n + c) * dt->size, part, dt->size);
            }
            for (size_t r = 0; r < ROWS; r++) /* what must not be looked at */
                for (size_t c = 0; c < n; c++)
                    if (c < first[r] || c - first[r] >= length[r])
                        dt->put(x, r * n + c, (double)NAN);
            const sl_softmax_options limits = {.first = first, .length = length, .flags = flags};
            run(k, on, &(call){.x = x, .shape = shape, .row_options = &limits, .out = {got}});
            assert_same(k, on, got, want, all, "within limits");
            free(x), free(want), free(got), free(lse), free(want_lse), free(zeros), free(ones);
        }
}

/* A limit that ends with the last readable element, of logits and of the mask. */
static void limits_at_a_guard_page(const kernel *k, const isa *on)
{
    skip_where_loads_overreach(on);
    const size_t page = page_size(), size = k->dtype->size;
    char *x = guarded_pages_new(page), *mask = guarded_pages_new(page);
    static const size_t sizes[] = {
        [SL_MASK_F32] = 4, [SL_MASK_F16] = 2, [SL_MASK_BF16] = 2, [SL_MASK_BOOL] = 1};
    void *y = allocate(2000, size);
    for (size_t length = 0; length <= 200; length += effort(1, 7))
        for (int type = SL_MASK_F32; type <= SL_MASK_BOOL; type++)
            for (int end = 0; type != SL_MASK_F64 && end < 2; end++) {
                const size_t first = 500, classes = 1500;
                char *at = end ? x + page - length * size : x,
                     *mask_at = end ? mask + page - length * sizes[type] : mask;
                const sl_softmax_options o = {.first = &first,
                                              .length = &length,
                                              .softcap = length % 3 == 0 ? 20 : 0,
                                              .mask = mask_at - first * sizes[type],
                                              .mask_type = (sl_mask_type)type};
                run(k, on,
                    &(call){
                        .x = at - first * size, .shape = sl_rows(1, classes), .row_options = &o, .out = {y}});
            }
    free(y);
    guarded_pages_free(x, page);
    guarded_pages_free(mask, page);
}

/* Rows at a pitch, of x and of y, are as dense ones; between them nothing is written. */
static void pitches(const kernel *k, const isa *on)
{
    generator g = {42};
    const size_t size = k->dtype->size;
    for (size_t i = 0; i < WIDTHS; i++) {
        const size_t n = widths[i], in = n + 3, out = n + 1 + i % 2 * 5;
        workload w;
        workload_make(&w, k, call_spec_at(k, i), sl_rows(ROWS, n), distribution_at(distribution_count() - 1),
                      &g);
        run(k, on, &w.c);
        char *x = allocate(ROWS * in, size), *y = allocate(ROWS * in, size);
        for (int in_place = 0; in_place < 2; in_place++) {
            const size_t pitch = in_place ? in : out;
            char *to = in_place ? x : y;
            memset(x, 0x5a, ROWS * in * size);
            memset(y, 0x5a, ROWS * in * size);
            for (size_t r = 0; r < ROWS; r++)
                memcpy(x + r * in * size, (const char *)w.c.x + r * n * size, n * size);
            call c = w.c;
            c.x = x;
            c.shape.in.outer = (ptrdiff_t)in;
            c.shape.out.outer = (ptrdiff_t)(in_place ? in : out);
            c.out[RESULT] = to;
            if (pitch > in)
                continue;
            run(k, on, &c);
            for (size_t r = 0; r < ROWS; r++) {
                assert_same(k, on, to + r * pitch * size, (char *)w.c.out[RESULT] + r * n * size, n,
                            "at a pitch");
                for (size_t b = n * size; b < pitch * size; b++)
                    assert_int_equal(to[r * pitch * size + b], 0x5a);
            }
        }
        free(x);
        free(y);
        workload_free(&w);
    }
}

/* ------------------------------------------------------------------------------------------------- statuses */

static void assert_refused(const kernel *k, sl_shape shape, sl_softmax_options o, sl_status want)
{
    const size_t n = 200;
    char *x = allocate(n, 8), *y = allocate(n, 8);
    memset(x, 0, n * 8);
    memset(y, 0x5a, n * 8);
    const sl_status got = k->check_and_run(&(call){.x = x, .shape = shape, .row_options = &o, .out = {y}});
    if (got != want)
        fail_msg("%s: '%s' instead of '%s'", k->name, sl_status_string(got), sl_status_string(want));
    for (size_t b = 0; got != SL_OK && b < n * 8; b++)
        assert_int_equal(y[b], 0x5a);
    free(x);
    free(y);
}

/* Results between the rows of x, or upon their ends. */
static void interleaving(const kernel *k)
{
    const size_t size = k->dtype->size;
    char *both = allocate(8 * 8, size);
    const sl_softmax_options plain = {0};
    sl_shape shape = sl_rows(8, 4);
    shape.in.outer = shape.out.outer = 8;
    memset(both, 0, 64 * size);
    assert_int_equal(
        k->check_and_run(&(call){.x = both, .shape = shape, .row_options = &plain, .out = {both + 4 * size}}),
        SL_OK);
    assert_int_equal(
        k->check_and_run(&(call){.x = both, .shape = shape, .row_options = &plain, .out = {both + 3 * size}}),
        SL_ERR_OVERLAP);
    free(both);
}

static void statuses(const kernel *k)
{
    static const float mask[64];
    static const size_t zeros[8], fours[8] = {4, 4, 4, 4, 4, 4, 4, 4}, fives[8] = {4, 4, 4, 5},
                                  huge[8] = {SIZE_MAX, SIZE_MAX};
    const bool wide = k->dtype->loss_digits > 24;
    const sl_shape shape = sl_rows(8, 4);
    const sl_softmax_options bad[] = {{.scale = NAN},
                                      {.scale = INFINITY},
                                      {.scale = -INFINITY},
                                      {.scale = wide ? 0x1p-1023 : 0x1p-127},
                                      {.scale = wide ? INFINITY : 0x1p128},
                                      {.slope = NAN},
                                      {.slope = -INFINITY},
                                      {.softcap = NAN},
                                      {.softcap = INFINITY},
                                      {.softcap = -1},
                                      {.softcap = 0x1p-100, .scale = wide ? 0x1p1000 : 0x1p100},
                                      {.softcap = 0x1p100, .scale = wide ? 0x1p-1000 : 0x1p-100},
                                      {.mask = mask},
                                      {.mask_type = SL_MASK_F32},
                                      {.mask = mask, .mask_type = (sl_mask_type)(SL_MASK_BOOL + 1)},
                                      {.mask = mask, .mask_type = (sl_mask_type)-1},
                                      {.mask = mask, .mask_type = SL_MASK_F32, .mask_stride = -4},
                                      {.mask = mask, .mask_type = SL_MASK_F32, .mask_stride = 3},
                                      {.mask_stride = 3},
                                      {.length = fives},
                                      {.first = fives},
                                      {.first = fours, .length = fives},
                                      {.length = huge},
                                      {.first = huge},
                                      {.first = fours, .length = huge},
                                      {.flags = 2},
                                      {.flags = 0x80000000u | SL_SAFE_ROWS}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_refused(k, shape, bad[i], SL_ERR_OPTION);
    const sl_softmax_options good[] = {{.scale = -0.0, .softcap = 0, .slope = -0.0},
                                       {.scale = -2, .slope = -3, .softcap = 1e-3},
                                       {.mask = mask, .mask_type = SL_MASK_F32, .mask_stride = 4},
                                       {.first = zeros, .length = fours},
                                       {.first = fours, .length = zeros},
                                       {.first = fours},
                                       {.length = zeros},
                                       {.flags = SL_SAFE_ROWS}};
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_refused(k, shape, good[i], SL_OK);
    assert_refused(k, shape, (sl_softmax_options){.mask = mask, .mask_type = SL_MASK_F64},
                   wide ? SL_OK : SL_ERR_OPTION);
    assert_refused(k, sl_axis(2, 4, 2), (sl_softmax_options){0}, SL_ERR_OPTION);
    sl_shape strided = shape;
    strided.in.classes = 2;
    assert_refused(k, strided, (sl_softmax_options){0}, SL_ERR_OPTION);
    strided = shape;
    strided.out.outer = 3;
    assert_refused(k, strided, (sl_softmax_options){0}, SL_ERR_STRIDE);
    strided.out.outer = -4;
    assert_refused(k, strided, (sl_softmax_options){0}, SL_ERR_STRIDE);
    assert_refused(k, sl_rows(SIZE_MAX / 2, 4), (sl_softmax_options){0}, SL_ERR_SIZE);
    interleaving(k);
}

/* No rows and no classes; of these the log-sum-exp is that of the sink. */
static void empty(const kernel *k)
{
    char sink[8] = {0}, lse[8] = {0};
    k->dtype->put_loss(sink, 0, 3);
    sl_softmax_options o = {0};
    assert_int_equal(k->check_and_run(&(call){.shape = sl_rows(0, 7), .row_options = &o}), SL_OK);
    assert_int_equal(k->check_and_run(&(call){.shape = sl_rows(7, 0), .row_options = &o}), SL_OK);
    assert_int_equal(
        k->check_and_run(&(call){.shape = sl_rows(1, 0), .row_options = &o, .out = {[LSE] = lse}}), SL_OK);
    assert_true(k->dtype->get_loss(lse, 0) == -INFINITY);
    o.sink = sink;
    assert_int_equal(
        k->check_and_run(&(call){.shape = sl_rows(1, 0), .row_options = &o, .out = {[LSE] = lse}}), SL_OK);
    assert_true(k->dtype->get_loss(lse, 0) == 3);
}

/* ---------------------------------------------------------------------------------------------------- errors */

static double next_number(generator *g, double range) { return (2 * next_uniform(g) - 1) * range; }

/* Hill climbing from random calls: one number of the call is replaced, and the change stays if it makes the worst error larger.
 * Constants are such that f32 does not hold them. */
static void directed_search(const kernel *k, const isa *on)
{
    enum { MOST_CLASSES = 40 };
    generator g = {43 + k->index};
    const sl_ref_dtype *dt = k->dtype;
    double worst[OUTPUTS] = {0};
    for (size_t start = 0; start < share(k, 60, 6); start++) {
        const size_t n = 1 + next_below(&g, MOST_CLASSES);
        double x[MOST_CLASSES], best = -1;
        float mask[MOST_CLASSES];
        char stored[MOST_CLASSES * 8], y[MOST_CLASSES * 8], lse[8], sink[8];
        sl_softmax_options o = {.scale = next_number(&g, 3) + 0x1p-40,
                                .slope = next_number(&g, 3) + 0x1p-40,
                                .softcap = start % 3 == 0 ? 5 * next_uniform(&g) + 0.1 : 0,
                                .mask = start % 2 ? mask : NULL,
                                .mask_type = start % 2 ? SL_MASK_F32 : SL_MASK_NONE,
                                .sink = start % 5 == 0 ? sink : NULL};
        const double range = ldexp(1, (int)next_below(&g, 8) - 2);
        for (size_t c = 0; c < n; c++) {
            x[c] = next_number(&g, range);
            mask[c] = (float)next_number(&g, range);
        }
        dt->put_loss(sink, 0, next_number(&g, range));
        for (size_t step = 0; step < effort(400, 80); step++) {
            const size_t c = next_below(&g, n);
            const double x_before = x[c];
            const float mask_before = mask[c];
            const sl_softmax_options before = o;
            switch (step ? next_below(&g, 5) : 5) {
            case 0:
                x[c] = next_number(&g, range);
                break;
            case 1:
                mask[c] = (float)next_number(&g, range);
                break;
            case 2:
                x[c] *= 1 + next_number(&g, 0x1p-18);
                break;
            case 3:
                o.scale *= 1 + next_number(&g, 0x1p-20);
                break;
            case 4:
                o.slope *= 1 + next_number(&g, 0x1p-20);
                o.softcap *= 1 + next_number(&g, 0x1p-20);
                break;
            default:
                break;
            }
            for (size_t i = 0; i < n; i++)
                dt->put(stored, i, x[i]);
            const call call_of = {
                .x = stored, .shape = sl_rows(1, n), .row_options = &o, .out = {y, [LSE] = lse}};
            expectation e;
            run(k, on, &call_of);
            expect(k, &call_of, &e);
            double most = 0;
            for (size_t output = 0; output < OUTPUTS; output++)
                for (size_t i = 0; output != GRADIENT && i < output_count(k, &call_of, output); i++) {
                    const double error = error_of(k, &call_of, output, i, &e);
                    if (!(error <= bound_on_any(k, on->table, output)))
                        fail_msg("%s/%s: %.3f ULP of %s %zu of %zu", k->name, on->name, error,
                                 output == RESULT ? "result" : "log-sum-exp", i, n);
                    worst[output] = fmax(worst[output], error);
                    most = fmax(most, sl_ref_ulp(output_value(k, output, call_of.out[output], i),
                                                 e.want[output][i], e.scale[output][i], 24, -125));
                }
            expectation_free(&e);
            if (most >= best) {
                best = most;
                continue;
            }
            x[c] = x_before;
            mask[c] = mask_before;
            o = before;
        }
    }
    print_message("%s/%s: beyond errors of scores %.3f ULP, of log-sum-exp %.3f\n", k->name, on->name,
                  worst[RESULT], worst[LSE]);
}

int main(void)
{
    const topic topics[] = {
        {.name = "the bits of softmax", .cell = same_bits, .applies_to = has_row_options},
        {.name = "limits at a guard page", .cell = limits_at_a_guard_page, .applies_to = has_row_options},
        {.name = "pitches", .cell = pitches, .applies_to = has_row_options},
        {.name = "statuses", .each_kernel = statuses, .applies_to = has_row_options},
        {.name = "empty", .each_kernel = empty, .applies_to = has_row_options},
        {.name = "directed search", .cell = directed_search, .applies_to = has_row_options},
    };
    return run_test_matrix("softmax_options", topics, sizeof topics / sizeof *topics);
}
