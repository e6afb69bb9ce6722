/* SPDX-License-Identifier: MIT
 *
 * The same linear model, trained with either loss in the same budget, and what it says of images that it has not seen.
 */
#ifndef SL_EXAMPLES_TRAINING_H
#define SL_EXAMPLES_TRAINING_H

#include "digits.h"

enum { SOFTMAX, SIGMOID, LOSSES };
static const char *const loss_names[LOSSES] = {"softmax", "sigmoid"};

enum { MOST_INPUTS = 2 * PIXELS, BATCH = 16, EPOCHS = 24, FOLDS = 5 };

typedef struct {
    int inputs;
    const float *x;      /* [IMAGES][inputs] */
    const int64_t *id;   /* [IMAGES], or NULL: several labels */
    float (*t)[CLASSES]; /* the labels, 0 or 1 each */
    float (*q)[CLASSES]; /* the same as a distribution, for softmax */
} problem;

static inline int fold_start(int fold) { return fold * IMAGES / FOLDS; }

typedef struct {
    float scores[IMAGES][CLASSES];            /* of each image by the model that has not seen its fold */
    float validation_scores[IMAGES][CLASSES]; /* of each image by the model that it was validated with */
    double rate[FOLDS];
    /* By epoch, on the tested fold, the mean over the folds; where there is one right class: */
    double accuracy[EPOCHS + 1], loss[EPOCHS + 1];
} outcome;

/* Three folds are learned from, one chooses the rate by the loss itself, one is tested; in turns. */
void cross_validate(const problem *data, int kind, outcome *out);

/* The mean of -log p of the right class, from the scores of either. Sigmoids are divided by their sum to be a
 * distribution: that is the softmax of their logarithms. */
double log_loss(int kind, int first, int n, float (*scores)[CLASSES]);

#endif
