/* SPDX-License-Identifier: MIT
 *
 * One head of causal attention, with ALiBi and a sink, the keys in blocks: softmax of each block with its log-sum-exp, and from
 * these what each block's result counts. Against a plain loop in double.
 */
#include "usage.h"

#include <math.h>
#include <softlane.h>
#include <stdio.h>

enum { QUERIES = 96, KEYS = 96, WIDTH = 32, BLOCK = 40 };
static const float slope = 0.0625f, sink = 0.5f;

static float query[QUERIES][WIDTH], key[KEYS][WIDTH], value[KEYS][WIDTH], result[QUERIES][WIDTH];

/* Between -1 and 1. */
static float next_number(void)
{
    static unsigned state = 1;
    state = state * 1664525 + 1013904223;
    return (float)(state >> 8) * 0x1p-23f - 1;
}

static void fill(float (*rows)[WIDTH], int n)
{
    for (int r = 0; r < n; r++)
        for (int c = 0; c < WIDTH; c++)
            rows[r][c] = 2 * next_number();
}

/* Products of all queries with some keys; distances, which ALiBi makes less of; and how many of these keys a query sees. */
static void block_of(int from, int n, float *scores, float *distances, size_t *seen)
{
    for (int q = 0; q < QUERIES; q++) {
        const int keys = q + 1 - from;
        seen[q] = (size_t)(keys < 0 ? 0 : keys < n ? keys : n);
        for (int k = 0; k < n; k++) {
            float sum = 0;
            for (int c = 0; c < WIDTH; c++)
                sum += query[q][c] * key[from + k][c];
            scores[q * BLOCK + k] = sum;
            distances[q * BLOCK + k] = (float)(from + k - q);
        }
    }
}

/* A block's result joins what there is with the part that it has of both sums. */
static void join(int from, int n, const float *p, const float *lse, float *all)
{
    for (int q = 0; q < QUERIES; q++) {
        const float most = fmaxf(all[q], lse[q]);
        const float sum = most + logf(expf(all[q] - most) + expf(lse[q] - most));
        const float before = expf(all[q] - sum), now = expf(lse[q] - sum);
        for (int c = 0; c < WIDTH; c++) {
            float of_block = 0;
            for (int k = 0; k < n; k++)
                of_block += p[q * BLOCK + k] * value[from + k][c];
            result[q][c] = before * result[q][c] + now * of_block;
        }
        all[q] = sum;
    }
}

static sl_status attend(void)
{
    static float scores[QUERIES * BLOCK], distances[QUERIES * BLOCK], lse[QUERIES], all[QUERIES];
    static size_t seen[QUERIES];
    for (int q = 0; q < QUERIES; q++)
        all[q] = sink; /* a sum that begins with it, and no result */
    for (int from = 0; from < KEYS; from += BLOCK) {
        const int n = KEYS - from < BLOCK ? KEYS - from : BLOCK;
        const sl_softmax_options options = {.scale = 1 / sqrt(WIDTH),
                                            .mask = distances,
                                            .mask_type = SL_MASK_F32,
                                            .mask_stride = BLOCK,
                                            .slope = slope,
                                            .length = seen,
                                            .lse = lse,
                                            .flags = SL_SAFE_ROWS}; /* a query may see no key of a block */
        sl_shape shape = sl_rows(QUERIES, (size_t)n);
        shape.in.outer = shape.out.outer = BLOCK;
        block_of(from, n, scores, distances, seen);
        const sl_status status = sl_softmax_with_f32(scores, scores, shape, &options);
        if (status != SL_OK)
            return status;
        join(from, n, scores, lse, all);
    }
    return SL_OK;
}

/* The largest difference from the textbook. */
static double worst_error(void)
{
    double worst = 0;
    for (int q = 0; q < QUERIES; q++) {
        double e[KEYS], sum = exp((double)sink);
        for (int k = 0; k <= q; k++) {
            double score = 0;
            for (int c = 0; c < WIDTH; c++)
                score += (double)query[q][c] * key[k][c];
            sum += e[k] = exp(score / sqrt(WIDTH) + (double)slope * (k - q));
        }
        for (int c = 0; c < WIDTH; c++) {
            double exact = 0;
            for (int k = 0; k <= q; k++)
                exact += e[k] / sum * value[k][c];
            worst = fmax(worst, fabs(result[q][c] - exact));
        }
    }
    return worst;
}

int main(int argc, char **argv)
{
    answer_help(argc, argv, "", "One head of causal attention, with ALiBi and a sink, the keys in blocks.");
    refuse_more(argc, argv, 0, "");
    fill(query, QUERIES);
    fill(key, KEYS);
    fill(value, KEYS);
    const sl_status status = attend();
    if (status != SL_OK) {
        fprintf(stderr, "%s\n", sl_status_string(status));
        return 1;
    }
    const double worst = worst_error();
    printf("%d queries, %d keys in blocks of %d: off by at most %.1e, by %s\n", QUERIES, KEYS, BLOCK, worst,
           sl_isa(NULL)->isa);
    return !(worst < 2e-6);
}
