/* SPDX-License-Identifier: MIT
 *
 * Handwritten digits, of which each is one of ten: accuracy, learning curves and calibration with either loss.
 */
#include "story.h"
#include "training.h"

#include <math.h>
#include <stdio.h>

enum { BINS = 10 };

/* How often the likeliest class is right, beside how likely it was said to be. */
static void calibration(const char *name, float (*p)[CLASSES])
{
    double said[BINS] = {0}, right[BINS] = {0}, count[BINS] = {0}, error = 0, mean_said = 0;
    char line[64];
    for (int i = 0; i < IMAGES; i++) {
        const int best = likeliest(p[i]);
        const int bin = (int)fmin(BINS - 1, (double)p[i][best] * BINS);
        said[bin] += p[i][best];
        right[bin] += best == labels[i];
        count[bin]++;
        mean_said += (double)p[i][best] / IMAGES;
    }
    for (int b = 0; b < BINS; b++) {
        error += fabs(said[b] - right[b]) / IMAGES;
        said[b] /= fmax(count[b], 1);
        right[b] /= fmax(count[b], 1);
    }
    snprintf(line, sizeof line, "%s_said", name);
    show(line, BINS, said);
    snprintf(line, sizeof line, "%s_right", name);
    show(line, BINS, right);
    snprintf(line, sizeof line, "%s_count", name);
    show(line, BINS, count);
    snprintf(line, sizeof line, "%s_calibration_error", name);
    SHOW(line, error);
    snprintf(line, sizeof line, "%s_mean_confidence", name);
    SHOW(line, mean_said);
}

void one_right_class(void)
{
    static float one_hot[IMAGES][CLASSES], p[IMAGES][CLASSES];
    static outcome of[LOSSES];
    int right[LOSSES] = {0}, only[LOSSES] = {0};
    for (int i = 0; i < IMAGES; i++)
        one_hot[i][labels[i]] = 1;
    const problem digits = {PIXELS, *images, labels, one_hot, one_hot};
    for (int kind = 0; kind < LOSSES; kind++) {
        char name[64];
        cross_validate(&digits, kind, &of[kind]);
#define OF_LOSS(what, n, values)                                                                             \
    snprintf(name, sizeof name, "digits_%s_%s", loss_names[kind], what);                                     \
    show(name, n, values)
        OF_LOSS("rates", FOLDS, of[kind].rate);
        OF_LOSS("accuracy_by_epoch", EPOCHS + 1, of[kind].accuracy);
        OF_LOSS("log_loss_by_epoch", EPOCHS + 1, of[kind].loss);
        OF_LOSS("early_accuracy", 4, of[kind].accuracy);
    }
    for (int i = 0; i < IMAGES; i++) {
        const bool by[LOSSES] = {likeliest(of[SOFTMAX].scores[i]) == labels[i],
                                 likeliest(of[SIGMOID].scores[i]) == labels[i]};
        for (int kind = 0; kind < LOSSES; kind++) {
            right[kind] += by[kind];
            only[kind] += by[kind] && !by[!kind];
        }
    }
    SHOW("digits_right", right[SOFTMAX], right[SIGMOID]);
    SHOW("digits_right_by_one_only", only[SOFTMAX], only[SIGMOID]);

    call(sl_softmax_f32(*of[SOFTMAX].scores, *p, sl_rows(IMAGES, CLASSES)));
    calibration("digits_softmax", p);
    SHOW("digits_softmax_log_loss", log_loss(SOFTMAX, 0, IMAGES, of[SOFTMAX].scores));

    call(sl_sigmoid_f32(*of[SIGMOID].scores, *p, IMAGES * CLASSES));
    calibration("digits_sigmoid", p);
    double least = CLASSES, most = 0;
    for (int i = 0; i < IMAGES; i++) {
        double sum = 0;
        for (int c = 0; c < CLASSES; c++)
            sum += p[i][c];
        least = fmin(least, sum);
        most = fmax(most, sum);
    }
    SHOW("digits_sigmoid_sum", least, most);
    call(sl_log_sigmoid_f32(*of[SIGMOID].scores, *p, IMAGES * CLASSES));
    SHOW("digits_divided_log_loss", log_loss(SIGMOID, 0, IMAGES, of[SIGMOID].scores));
    call(sl_softmax_f32(*p, *p, sl_rows(IMAGES, CLASSES)));
    calibration("digits_divided", p);
    for (int kind = 0; kind < LOSSES; kind++)
        expect(right[kind] > 0.9 * IMAGES, "a linear model knows nine digits of ten");
}
