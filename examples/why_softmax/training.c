/* SPDX-License-Identifier: MIT
 *
 * See training.h.
 */
#include "training.h"
#include "story.h"

#include <math.h>
#include <string.h>

enum { RATES = 5 };
static const float rates[RATES] = {0.1f, 0.3f, 1, 3, 10};

/* The last input is 1, for the bias. */
typedef float weights_t[MOST_INPUTS + 1][CLASSES];

static void score(const problem *data, float (*w)[CLASSES], int first, int n, float (*scores)[CLASSES])
{
    for (int i = 0; i < n; i++) {
        const float *x = data->x + (size_t)(first + i) * (size_t)data->inputs;
        memcpy(scores[i], w[data->inputs], sizeof scores[i]);
        for (int k = 0; k < data->inputs; k++)
            for (int c = 0; c < CLASSES; c++)
                scores[i][c] += x[k] * w[k][c];
    }
}

/* The mean over rows of the loss; if `grad`, its gradient times `factor`. */
static double loss_of(const problem *data, int kind, int first, int n, float (*scores)[CLASSES], float factor,
                      float (*grad)[CLASSES])
{
    const sl_shape shape = sl_rows((size_t)n, CLASSES);
    const float upstream = factor / (float)n;
    const sl_loss_options options = {.reduction = SL_SUM, .upstream = &upstream};
    float loss, *to = grad ? *grad : NULL;
    if (kind == SIGMOID)
        call(sl_bce_with_logits_f32(*scores, data->t[first], shape, &options, &loss, to));
    else if (data->id)
        call(sl_cross_entropy_f32(*scores, data->id + first, shape, &options, &loss, to));
    else
        call(sl_cross_entropy_soft_f32(*scores, data->q[first], shape, &options, &loss, to));
    return (double)loss / n;
}

double log_loss(int kind, int first, int n, float (*scores)[CLASSES])
{
    static float logarithms[IMAGES][CLASSES];
    float loss;
    if (kind == SIGMOID) {
        call(sl_log_sigmoid_f32(*scores, *logarithms, (size_t)n * CLASSES));
        scores = logarithms;
    }
    call(sl_cross_entropy_f32(*scores, labels + first, sl_rows((size_t)n, CLASSES), NULL, &loss, NULL));
    return loss;
}

static void train_epoch(const problem *data, int kind, float rate, int test, int validation,
                        float (*w)[CLASSES])
{
    float scores[BATCH][CLASSES];
    for (int fold = 0; fold < FOLDS; fold++) {
        if (fold == test || fold == validation)
            continue;
        for (int at = fold_start(fold); at + BATCH <= fold_start(fold + 1); at += BATCH) {
            score(data, w, at, BATCH, scores);
            loss_of(data, kind, at, BATCH, scores, -rate, scores);
            for (int i = 0; i < BATCH; i++) {
                const float *x = data->x + (size_t)(at + i) * (size_t)data->inputs;
                for (int k = 0; k <= data->inputs; k++)
                    for (int c = 0; c < CLASSES; c++)
                        w[k][c] += (k < data->inputs ? x[k] : 1) * scores[i][c];
            }
        }
    }
}

void cross_validate(const problem *data, int kind, outcome *out)
{
    static float scores[IMAGES][CLASSES];
    memset(out, 0, sizeof *out);
    for (int test = 0; test < FOLDS; test++) {
        const int validation = (test + 1) % FOLDS, first = fold_start(test), n = fold_start(test + 1) - first;
        const int at = fold_start(validation), m = fold_start(validation + 1) - at;
        double best = HUGE_VAL, best_accuracy[EPOCHS + 1] = {0}, best_loss[EPOCHS + 1] = {0};
        for (int r = 0; r < RATES; r++) {
            static weights_t w;
            double accuracy[EPOCHS + 1] = {0}, loss[EPOCHS + 1];
            memset(w, 0, sizeof w);
            for (int epoch = 0; epoch <= EPOCHS; epoch++) {
                if (epoch > 0)
                    train_epoch(data, kind, rates[r], test, validation, w);
                score(data, w, first, n, scores);
                loss[epoch] = data->id ? log_loss(kind, first, n, scores) : 0;
                for (int i = 0; data->id && i < n; i++)
                    accuracy[epoch] += (double)(likeliest(scores[i]) == data->id[first + i]) / n;
            }
            score(data, w, at, m, scores);
            const double validated = loss_of(data, kind, at, m, scores, 0, NULL);
            if (validated < best) {
                best = validated;
                out->rate[test] = rates[r];
                memcpy(out->validation_scores[at], scores, (size_t)m * sizeof *scores);
                score(data, w, first, n, out->scores + first);
                memcpy(best_accuracy, accuracy, sizeof accuracy);
                memcpy(best_loss, loss, sizeof loss);
            }
        }
        for (int epoch = 0; epoch <= EPOCHS; epoch++) {
            out->accuracy[epoch] += best_accuracy[epoch] / FOLDS;
            out->loss[epoch] += best_loss[epoch] / FOLDS;
        }
    }
}
