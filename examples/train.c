/* SPDX-License-Identifier: MIT
 *
 * Trains a small classifier of images, 64 pixels - 64 hidden units - 10 classes, by stochastic gradient descent. One
 * call per step gives the loss and, over the logits themselves, its gradient: the rest is products of matrices.
 */
#include "digits.h"
#include "usage.h"

#include <softlane.h>
#include <stdio.h>
#include <string.h>

enum { HIDDEN = 64, BATCH = 8, EPOCHS = 15 };

static float first[PIXELS * HIDDEN], second[HIDDEN * CLASSES]; /* the weights */
static float hidden[IMAGES * HIDDEN], scores[IMAGES * CLASSES];

/* c += a b, where c is n x m in C order, a n x k and b k x m with the given steps between rows and columns. */
static void add_product(int n, int k, int m, const float *a, int a_row, int a_column, const float *b,
                        int b_row, int b_column, float *c)
{
    for (int i = 0; i < n; i++)
        for (int l = 0; l < k; l++)
            for (int j = 0; j < m; j++)
                c[i * m + j] += a[i * a_row + l * a_column] * b[l * b_row + j * b_column];
}

/* hidden = max(x * first, 0), scores = hidden * second, for n images */
static void forward(int n, const float *x)
{
    memset(hidden, 0, (size_t)n * HIDDEN * sizeof *hidden);
    memset(scores, 0, (size_t)n * CLASSES * sizeof *scores);
    add_product(n, PIXELS, HIDDEN, x, PIXELS, 1, first, HIDDEN, 1, hidden);
    for (int i = 0; i < n * HIDDEN; i++)
        hidden[i] = hidden[i] > 0 ? hidden[i] : 0;
    add_product(n, HIDDEN, CLASSES, hidden, HIDDEN, 1, second, CLASSES, 1, scores);
}

/* The step of the scores, a multiple of their gradient, has taken their place: the weights go along. */
static void descend(const float *x)
{
    float back[BATCH * HIDDEN] = {0};
    add_product(BATCH, CLASSES, HIDDEN, scores, CLASSES, 1, second, 1, CLASSES, back);
    for (int i = 0; i < BATCH * HIDDEN; i++)
        back[i] = hidden[i] > 0 ? back[i] : 0;
    add_product(HIDDEN, BATCH, CLASSES, hidden, 1, HIDDEN, scores, CLASSES, 1, second);
    add_product(PIXELS, BATCH, HIDDEN, x, 1, PIXELS, back, HIDDEN, 1, first);
}

int main(int argc, char **argv)
{
    const float step = -0.1f; /* multiplied into the gradient, for nothing: */
    const sl_loss_options options = {.upstream = &step};
    int right = 0;
    answer_help(argc, argv, FOLDER_OF_DIGITS,
                "Trains a small classifier of handwritten digits by stochastic gradient descent.");
    read_digits(argc, argv);
    for (int i = 0; i < PIXELS * HIDDEN; i++)
        first[i] = noise() / 2;
    for (int i = 0; i < HIDDEN * CLASSES; i++)
        second[i] = noise() / 2;

    for (int epoch = 1; epoch <= EPOCHS; epoch++) {
        float sum = 0, loss;
        for (int at = 0; at + BATCH <= TRAINING; at += BATCH, sum += loss) {
            forward(BATCH, images[at]);
            if (sl_cross_entropy_f32(scores, labels + at, sl_rows(BATCH, CLASSES), &options, &loss, scores) !=
                SL_OK)
                return 1;
            descend(images[at]);
        }
        printf("epoch %2d: loss %.4f\n", epoch, sum / (float)(TRAINING / BATCH));
    }
    forward(IMAGES - TRAINING, images[TRAINING]);
    for (int i = 0, best = 0; i < IMAGES - TRAINING; i++, best = 0) {
        for (int c = 1; c < CLASSES; c++)
            best = scores[i * CLASSES + c] > scores[i * CLASSES + best] ? c : best;
        right += best == labels[TRAINING + i];
    }
    printf("%d of %d new images right\n", right, IMAGES - TRAINING);
    return right < 0.95 * (IMAGES - TRAINING);
}
