/* SPDX-License-Identifier: MIT
 *
 * Several labels at once, each true or not for itself: of a handwritten digit, whether it is even, prime, above 4, or
 * drawn with a loop. Binary cross-entropy trains a linear model, sigmoid gives its probabilities.
 */
#include "digits.h"
#include "usage.h"

#include <softlane.h>
#include <stdio.h>

enum { LABELS = 4, BATCH = 8, EPOCHS = 20 };
static const char *const names[LABELS] = {"even", "prime", "above 4", "loop"};
static const char *const digits_with[LABELS] = {"02468", "2357", "56789", "0689"};

static float weights[PIXELS][LABELS], bias[LABELS];

static void forward(int n, float (*x)[PIXELS], float (*scores)[LABELS])
{
    for (int i = 0; i < n; i++)
        for (int l = 0; l < LABELS; l++) {
            scores[i][l] = bias[l];
            for (int k = 0; k < PIXELS; k++)
                scores[i][l] += x[i][k] * weights[k][l];
        }
}

static void descend(int n, float (*x)[PIXELS], float (*gradient)[LABELS])
{
    for (int i = 0; i < n; i++)
        for (int l = 0; l < LABELS; l++) {
            bias[l] -= gradient[i][l];
            for (int k = 0; k < PIXELS; k++)
                weights[k][l] -= gradient[i][l] * x[i][k];
        }
}

int main(int argc, char **argv)
{
    static float truth[IMAGES][LABELS], scores[IMAGES][LABELS], p[IMAGES][LABELS];
    const int testing = IMAGES - TRAINING;
    float rate = 0.5f, pos_weight[LABELS], loss = 0;
    int failed = 0;
    answer_help(argc, argv, FOLDER_OF_DIGITS,
                "Trains a linear model that gives a handwritten digit several labels: even, prime, above 4, "
                "with a loop.");
    read_digits(argc, argv);
    for (int l = 0; l < LABELS; l++) {
        float is = 0;
        for (int i = 0; i < IMAGES; i++)
            for (const char *digit = digits_with[l]; *digit; digit++)
                truth[i][l] += labels[i] == *digit - '0';
        for (int i = 0; i < TRAINING; i++)
            is += truth[i][l];
        pos_weight[l] = (TRAINING - is) / is; /* a rare label counts more where it is true */
    }

    const sl_loss_options options = {.pos_weight = pos_weight, .upstream = &rate}; /* the mean by default */
    for (int at = 0; at + BATCH <= EPOCHS * TRAINING; at += BATCH) {
        const int first = at % (TRAINING - BATCH);
        forward(BATCH, images + first, scores);
        if (sl_bce_with_logits_f32(*scores, truth[first], sl_rows(BATCH, LABELS), &options, &loss, *scores) !=
            SL_OK)
            return 1;
        descend(BATCH, images + first, scores);
    }

    forward(testing, images + TRAINING, scores);
    if (sl_sigmoid_f32(*scores, *p, (size_t)testing * LABELS) != SL_OK)
        return 1;
    for (int l = 0; l < LABELS; l++) {
        int right = 0;
        for (int i = 0; i < testing; i++)
            right += (p[i][l] > 0.5f) == (truth[TRAINING + i][l] > 0.5f);
        printf("%-8s %d of %d new images right; of the first, a %d: p = %.3f\n", names[l], right, testing,
               (int)labels[TRAINING], p[0][l]);
        failed |= right < 0.85 * testing;
    }
    return failed;
}
