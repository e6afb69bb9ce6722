/* SPDX-License-Identifier: MIT
 *
 * Trains the last layer of a language model with 50 257 words, whose logits lie in rows of 50 304: so long that products of
 * matrices have whole registers. The loss has a z-loss and capped logits. Its log-sum-exps are saved, and the gradient is made from
 * them in place of the logits. Losses and gradients have the very bits that a dense copy gives; the padding holds NaN, and keeps it.
 */
#include "usage.h"

#include <math.h>
#include <softlane.h>
#include <stdio.h>
#include <string.h>

enum { ROWS = 4, HIDDEN = 8, WORDS = 50257, PADDED = 50304, STEPS = 8 };

static float weights[WORDS * HIDDEN], logits[ROWS * PADDED], dense[ROWS * WORDS], grad[ROWS * WORDS];

static float noise(void)
{
    static uint32_t state = 1;
    state = state * 1664525u + 1013904223u;
    return (float)(state >> 8) * 0x1p-24f - 0.5f;
}

/* logits = hidden * weights, into the padded rows and, as a copy, into dense ones */
static void forward(const float hidden[ROWS][HIDDEN])
{
    for (int r = 0; r < ROWS; r++) {
        for (int w = 0; w < PADDED; w++)
            logits[r * PADDED + w] = NAN;
        for (int w = 0; w < WORDS; w++) {
            float sum = 0;
            for (int h = 0; h < HIDDEN; h++)
                sum += hidden[r][h] * weights[w * HIDDEN + h];
            logits[r * PADDED + w] = dense[r * WORDS + w] = sum;
        }
    }
}

/* weights -= step * hidden * gradient, which has taken the place of the logits */
static void descend(const float hidden[ROWS][HIDDEN], float step)
{
    for (int r = 0; r < ROWS; r++)
        for (int w = 0; w < WORDS; w++)
            for (int h = 0; h < HIDDEN; h++)
                weights[w * HIDDEN + h] -= step * hidden[r][h] * logits[r * PADDED + w];
}

/* Whether the padded rows have the bits of the dense ones, and their padding is as it was. */
static int is_same(void)
{
    for (int r = 0; r < ROWS; r++) {
        if (memcmp(logits + r * PADDED, grad + r * WORDS, WORDS * sizeof *grad) != 0)
            return 0;
        for (int w = WORDS; w < PADDED; w++)
            if (!isnan(logits[r * PADDED + w]))
                return 0;
    }
    return 1;
}

int main(int argc, char **argv)
{
    const int64_t target[ROWS] = {7, 50256, 0, 40000};
    sl_shape padded = sl_rows(ROWS, WORDS);
    float hidden[ROWS][HIDDEN], lse[ROWS], first = 0, loss = 0, of_dense;
    answer_help(argc, argv, "",
                "Trains a padded vocabulary with z-loss and a softcap, and compares with a dense copy.");
    refuse_more(argc, argv, 0, "");
    padded.in.outer = padded.out.outer = PADDED;
    for (int r = 0; r < ROWS; r++)
        for (int h = 0; h < HIDDEN; h++)
            hidden[r][h] = 4 * noise();
    for (int w = 0; w < WORDS * HIDDEN; w++)
        weights[w] = noise();

    for (int step = 0; step < STEPS; step++) {
        sl_loss_options options = {.z_loss = 1e-4, .softcap = 30, .lse = lse};
        forward(hidden);
        if (sl_cross_entropy_f32(logits, target, padded, &options, &loss, NULL) != SL_OK)
            return 1;
        options.lse = NULL;
        if (sl_cross_entropy_f32(dense, target, sl_rows(ROWS, WORDS), &options, &of_dense, NULL) != SL_OK ||
            memcmp(&loss, &of_dense, sizeof loss) != 0)
            return 1;
        if (sl_cross_entropy_grad_f32(dense, target, sl_rows(ROWS, WORDS), &options, lse, grad) != SL_OK ||
            sl_cross_entropy_grad_f32(logits, target, padded, &options, lse, logits) != SL_OK || !is_same())
            return 1;
        first = step == 0 ? loss : first;
        printf("step %d: loss %.4f\n", step + 1, loss);
        descend(hidden, 4);
    }
    return loss < first ? 0 : 1;
}
