/* SPDX-License-Identifier: MIT
 *
 * Why softmax goes with categorical cross-entropy and sigmoid with binary cross-entropy: every number of
 * docs/why_softmax.md. Prints lines "name: value...", for people and for scripts/figures.py, which wants the long ones,
 * too (--all).
 *
 * Exponentials, logarithms, losses and gradients are the library's, from end to end; products of matrices and sums are
 * plain C without contraction. So the numbers are the same to the last digit on all CPUs with a fused multiply-add.
 */
#include "digits.h"

#include <math.h>
#include <softlane.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool all, failed;

static void show(const char *name, size_t n, const double *values)
{
    if (n > 12 && !all)
        return;
    printf("%s:", name);
    for (size_t i = 0; i < n; i++)
        printf(" %.9g", values[i]);
    printf("\n");
}

static void show_floats(const char *name, size_t n, const float *values)
{
    double wide[64];
    for (size_t i = 0; i < n; i++)
        wide[i] = values[i];
    show(name, n, wide);
}

#define SHOW(name, ...)                                                                                      \
    show(name, sizeof(double[]){__VA_ARGS__} / sizeof(double), (const double[]){__VA_ARGS__})

static void expect(bool so, const char *what)
{
    if (!so)
        printf("NOT SO: %s\n", what);
    failed |= !so;
}

static void call(sl_status status)
{
    if (status != SL_OK) {
        fprintf(stderr, "%s\n", sl_status_string(status));
        exit(1);
    }
}

static int likeliest(const float *row)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (row[c] > row[best])
            best = c;
    return best;
}

/* ------------------------------------------------------------------------------------ the same logits through both */

enum { THREE = 3 };

static void softmax3(const float *x, float *p) { call(sl_softmax_f32(x, p, sl_rows(1, THREE))); }
static void sigmoid3(const float *x, float *p) { call(sl_sigmoid_f32(x, p, THREE)); }

/* The first float whose sigmoid reaches p: sigmoid never falls, so halving finds it. */
static float logit_of(float p)
{
    float below = -20, x = 20;
    for (float middle; middle = below + (x - below) / 2, middle != below && middle != x;) {
        float y;
        call(sl_sigmoid_f32(&middle, &y, 1));
        if (y < p)
            below = middle;
        else
            x = middle;
    }
    return x;
}

/* Logits whose softmax is {p, q, q} to the last bit: log p and log q, or floats next to them. */
static bool logits_of(float p, float q, float *x)
{
    float from[2] = {logit_of(p), logit_of(q)}, y[THREE];
    call(sl_log_sigmoid_f32(from, from, 2));
    for (int i = -32; i <= 32; i++)
        for (int j = -32; j <= 32; j++) {
            x[0] = from[0] * (1 + (float)i * 0x1p-23f);
            x[1] = x[2] = from[1] * (1 + (float)j * 0x1p-23f);
            softmax3(x, y);
            if (y[0] == p && y[1] == q && y[2] == q)
                return true;
        }
    return false;
}

static void same_logits(void)
{
    static const float wanted[THREE] = {0.7f, 0.6f, 0.8f}, winner[THREE] = {0.9f, 0.05f, 0.05f};
    float for_sigmoid[THREE], for_softmax[THREE], y[THREE];
    for (int c = 0; c < THREE; c++)
        for_sigmoid[c] = logit_of(wanted[c]);
    sigmoid3(for_sigmoid, y);
    expect(memcmp(y, wanted, sizeof y) == 0, "sigmoid gives 0.7 0.6 0.8 to the last bit");
    show_floats("logits_for_sigmoid", THREE, for_sigmoid);
    show_floats("their_sigmoid", THREE, y);
    SHOW("their_sigmoid_sum", (double)y[0] + y[1] + y[2]);
    softmax3(for_sigmoid, y);
    show_floats("their_softmax", THREE, y);

    expect(logits_of(winner[0], winner[1], for_softmax), "softmax gives 0.9 0.05 0.05 to the last bit");
    softmax3(for_softmax, y);
    show_floats("logits_for_softmax", THREE, for_softmax);
    show_floats("those_softmax", THREE, y);
    SHOW("those_softmax_sum", (double)y[0] + y[1] + y[2]);
    sigmoid3(for_softmax, y);
    show_floats("those_sigmoid", THREE, y);

    /* Softmax leaves a constant free: does one bring sigmoid to the other three numbers? No: it moves all three logits
     * together, and their distances are not those that sigmoid needs. */
    SHOW("distances_for_sigmoid", for_sigmoid[0] - for_sigmoid[1], for_sigmoid[1] - for_sigmoid[2]);
    SHOW("distances_for_softmax", for_softmax[0] - for_softmax[1], for_softmax[1] - for_softmax[2]);
    enum { CONSTANTS = 161 };
    double constant[CONSTANTS], sigmoids[2 * CONSTANTS], softmaxes[2 * CONSTANTS], least = 1, at = 0;
    for (int i = 0; i < CONSTANTS; i++) {
        constant[i] = -4 + i * 0.0625;
        float x[THREE], p[THREE];
        double most = 0;
        for (int c = 0; c < THREE; c++)
            x[c] = for_softmax[c] + (float)constant[i];
        softmax3(x, p);
        sigmoid3(x, y);
        for (int c = 0; c < THREE; c++)
            most = fmax(most, fabs((double)y[c] - wanted[c]));
        for (int c = 0; c < 2; c++) {
            sigmoids[2 * i + c] = y[c];
            softmaxes[2 * i + c] = p[c];
        }
        if (most < least) {
            least = most;
            at = constant[i];
        }
    }
    show("constant", CONSTANTS, constant);
    show("sigmoid_by_constant", 2 * (size_t)CONSTANTS, sigmoids);
    show("softmax_by_constant", 2 * (size_t)CONSTANTS, softmaxes);
    SHOW("nearest_constant", at, least);
    expect(least > 0.1, "no logits give both");
}

/* --------------------------------------------------------------------- the comparison, on the logits of a classifier */

static void comparison(void)
{
    static float p[2][IMAGES][CLASSES], q[2][IMAGES][CLASSES], raised[IMAGES][CLASSES];
    static const char *const names[2] = {"softmax", "sigmoid"};
    memcpy(raised, logits, sizeof raised);
    for (int i = 0; i < IMAGES; i++)
        raised[i][0] += 1;
    call(sl_softmax_f32(*logits, *p[0], sl_rows(IMAGES, CLASSES)));
    call(sl_sigmoid_f32(*logits, *p[1], IMAGES * CLASSES));
    call(sl_softmax_f32(*raised, *q[0], sl_rows(IMAGES, CLASSES)));
    call(sl_sigmoid_f32(*raised, *q[1], IMAGES * CLASSES));
    for (int f = 0; f < 2; f++) {
        double least = 1, most = 0, least_sum = CLASSES, most_sum = 0, moved = 0;
        int several = 0, none = 0;
        for (int i = 0; i < IMAGES; i++) {
            double sum = 0;
            int above_half = 0;
            for (int c = 0; c < CLASSES; c++) {
                least = fmin(least, p[f][i][c]);
                most = fmax(most, p[f][i][c]);
                sum += p[f][i][c];
                above_half += p[f][i][c] > 0.5f;
                if (c > 0)
                    moved = fmax(moved, fabs((double)q[f][i][c] - p[f][i][c]));
            }
            least_sum = fmin(least_sum, sum);
            most_sum = fmax(most_sum, sum);
            several += above_half > 1;
            none += above_half == 0;
        }
        char name[64];
#define OF_BOTH(what, ...)                                                                                   \
    snprintf(name, sizeof name, "%s_%s", names[f], what);                                                    \
    SHOW(name, __VA_ARGS__)
        OF_BOTH("range", least, most);
        OF_BOTH("sum", least_sum, most_sum);
        OF_BOTH("moved_by_another_logit", moved);
        OF_BOTH("rows_with_several_above_half", several);
        OF_BOTH("rows_with_none_above_half", none);
        expect(f == 0 ? most_sum - least_sum < 1e-5 && several == 0 : moved == 0, "the comparison");
    }
}

/* ------------------------------------------------------------------------------- the same model, trained with either */

enum { SOFTMAX, SIGMOID, LOSSES };
static const char *const loss_names[LOSSES] = {"softmax", "sigmoid"};

/* A linear model; its last input is 1, for the bias. */
enum { MOST_INPUTS = 2 * PIXELS, BATCH = 16, EPOCHS = 24, FOLDS = 5, RATES = 5 };
static const float rates[RATES] = {0.1f, 0.3f, 1, 3, 10};
typedef float weights_t[MOST_INPUTS + 1][CLASSES];

typedef struct {
    int inputs;
    const float *x;      /* [IMAGES][inputs] */
    const int64_t *id;   /* [IMAGES], or NULL: several labels */
    float (*t)[CLASSES]; /* the labels, 0 or 1 each */
    float (*q)[CLASSES]; /* the same as a distribution, for softmax */
} problem;

static int fold_start(int fold) { return fold * IMAGES / FOLDS; }

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

/* The mean of -log p of the right class, from the scores of either. Sigmoids are divided by their sum to be a
 * distribution: that is the softmax of their logarithms. */
static double log_loss(int kind, int first, int n, float (*scores)[CLASSES])
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

typedef struct {
    float scores[IMAGES][CLASSES];            /* of each image by the model that has not seen its fold */
    float validation_scores[IMAGES][CLASSES]; /* of each image by the model that it was validated with */
    double rate[FOLDS];
    /* By epoch, on the tested fold, the mean over the folds; where there is one right class: */
    double accuracy[EPOCHS + 1], loss[EPOCHS + 1];
} outcome;

/* Cross-validation: three folds are learned from, one chooses the rate by the loss itself, one is tested. */
static void cross_validate(const problem *data, int kind, outcome *out)
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

/* ------------------------------------------------------------------------------------------------- one right class */

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

static void one_right_class(void)
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

/* -------------------------------------------------------------------------------------------------- several labels */

/* Two images side by side; each half is empty now and then. To be named: the set of the digits in it. */
static float pairs[IMAGES][2 * PIXELS], sets[IMAGES][CLASSES], distributions[IMAGES][CLASSES];

static void make_pairs(void)
{
    for (int fold = 0; fold < FOLDS; fold++) {
        const int first = fold_start(fold),
                  n = fold_start(fold + 1) - first; /* both halves are of the same fold */
        for (int i = first; i < first + n; i++) {
            float labels_in_it = 0;
            for (int half = 0; half < 2; half++) {
                const int other = first + (int)((noise() + 1) / 2 * (float)n), from = half ? other : i;
                if (noise() < -0.5f)
                    continue;
                for (int k = 0; k < PIXELS; k++)
                    pairs[i][k / 8 * 16 + half * 8 + k % 8] = images[from][k];
                sets[i][labels[from]] = 1;
            }
            for (int c = 0; c < CLASSES; c++)
                labels_in_it += sets[i][c];
            for (int c = 0; c < CLASSES; c++)
                distributions[i][c] = labels_in_it > 0 ? sets[i][c] / labels_in_it : 0;
        }
    }
}

static bool is_set(const float *p, float threshold, const float *set)
{
    for (int c = 0; c < CLASSES; c++)
        if ((p[c] > threshold) != (set[c] > 0))
            return false;
    return true;
}

static int labels_in(const float *set)
{
    int n = 0;
    for (int c = 0; c < CLASSES; c++)
        n += set[c] > 0;
    return n;
}

/* Told how many labels there are: are the likeliest so many the set? */
static bool ranked_first(const float *p, const float *set)
{
    float least_in = HUGE_VALF, most_out = -1;
    for (int c = 0; c < CLASSES; c++)
        if (set[c] > 0)
            least_in = fminf(least_in, p[c]);
        else
            most_out = fmaxf(most_out, p[c]);
    return least_in > most_out;
}

/* The threshold that finds the most sets of a fold. */
static float best_threshold(float (*p)[CLASSES], int fold)
{
    float best = 0.5f;
    int best_found = -1;
    for (int step = 1; step < 100; step++) {
        int found = 0;
        for (int i = fold_start(fold); i < fold_start(fold + 1); i++)
            found += is_set(p[i], (float)step / 100, sets[i]);
        if (found > best_found) {
            best_found = found;
            best = (float)step / 100;
        }
    }
    return best;
}

static void several_labels(void)
{
    static outcome of[LOSSES];
    static float p[IMAGES][CLASSES], validated[IMAGES][CLASSES];
    double found_of[LOSSES] = {0};
    make_pairs();
    double sizes[THREE] = {0};
    for (int i = 0; i < IMAGES; i++)
        sizes[labels_in(sets[i])]++;
    SHOW("pairs_with_no_one_two_labels", sizes[0], sizes[1], sizes[2]);
    const problem digits = {2 * PIXELS, *pairs, NULL, sets, distributions};
    for (int kind = 0; kind < LOSSES; kind++) {
        double at_half[THREE] = {0}, tuned[THREE] = {0}, told[THREE] = {0}, thresholds[FOLDS];
        double wrong_labels = 0;
        char name[64];
        cross_validate(&digits, kind, &of[kind]);
        if (kind == SOFTMAX) {
            call(sl_softmax_f32(*of[kind].scores, *p, sl_rows(IMAGES, CLASSES)));
            call(sl_softmax_f32(*of[kind].validation_scores, *validated, sl_rows(IMAGES, CLASSES)));
        } else {
            call(sl_sigmoid_f32(*of[kind].scores, *p, IMAGES * CLASSES));
            call(sl_sigmoid_f32(*of[kind].validation_scores, *validated, IMAGES * CLASSES));
        }
        for (int fold = 0; fold < FOLDS; fold++) {
            const float threshold = best_threshold(validated, (fold + 1) % FOLDS);
            thresholds[fold] = threshold;
            for (int i = fold_start(fold); i < fold_start(fold + 1); i++) {
                const int size = labels_in(sets[i]);
                at_half[size] += is_set(p[i], 0.5f, sets[i]);
                tuned[size] += is_set(p[i], threshold, sets[i]);
                told[size] += ranked_first(p[i], sets[i]);
                found_of[kind] += is_set(p[i], threshold, sets[i]);
                for (int c = 0; c < CLASSES; c++)
                    wrong_labels += (p[i][c] > threshold) != (sets[i][c] > 0);
            }
        }
#define OF_PAIRS(what, n, values)                                                                            \
    snprintf(name, sizeof name, "pairs_%s_%s", loss_names[kind], what);                                      \
    show(name, n, values)
        OF_PAIRS("rates", FOLDS, of[kind].rate);
        OF_PAIRS("thresholds", FOLDS, thresholds);
        OF_PAIRS("sets_found_at_half", THREE, at_half);
        OF_PAIRS("sets_found_at_tuned_threshold", THREE, tuned);
        OF_PAIRS("sets_found_when_told_the_number", THREE, told);
        OF_PAIRS("wrong_labels", 1, &wrong_labels);
        /* One pair of each size, to look at: the last ones. */
        for (int size = 0; size < THREE; size++) {
            int last = IMAGES - 1;
            while (last > 0 && labels_in(sets[last]) != size)
                last--;
            snprintf(name, sizeof name, "pairs_%s_of_%d_labels", loss_names[kind], size);
            show_floats(name, CLASSES, p[last]);
            if (kind == SOFTMAX) {
                double pixels[2 * PIXELS];
                for (int k = 0; k < 2 * PIXELS; k++)
                    pixels[k] = pairs[last][k];
                snprintf(name, sizeof name, "pair_of_%d_labels", size);
                show(name, 2 * PIXELS, pixels);
                snprintf(name, sizeof name, "set_of_%d_labels", size);
                show_floats(name, CLASSES, sets[last]);
            }
        }
    }
    expect(found_of[SIGMOID] > found_of[SOFTMAX], "sigmoid finds more sets");
}

/* ------------------------------------------------------------------------------------------- surface and level curve */

static double height(double x, double y) { return x * x + y * y; }

static void surface(void)
{
    enum { SIDE = 41, RAYS = 65 };
    double axis[SIDE], z[SIDE * SIDE], circle[2 * RAYS], away = 0;
    for (int i = 0; i < SIDE; i++)
        axis[i] = -1.5 + i * 3.0 / (SIDE - 1);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++)
            z[i * SIDE + j] = height(axis[j], axis[i]);
    /* From the middle outwards along a ray until the height is 1. */
    for (int i = 0; i < RAYS; i++) {
        const double t = -1 + 2.0 * i / (RAYS - 1), turn = i % 2 ? -1 : 1;
        const double dx = turn * (1 - t * t) / (1 + t * t), dy = 2 * t / (1 + t * t);
        double near = 0, far = 2;
        for (int halving = 0; halving < 60; halving++) {
            const double middle = (near + far) / 2;
            if (height(middle * dx, middle * dy) < 1)
                near = middle;
            else
                far = middle;
        }
        circle[2 * i] = far * dx;
        circle[2 * i + 1] = far * dy;
        away = fmax(away, fabs(far - 1));
    }
    show("surface_axis", SIDE, axis);
    show("surface_height", (size_t)SIDE * SIDE, z);
    show("level_curve", 2 * (size_t)RAYS, circle);
    SHOW("level_curve_radius_minus_1", away);
    SHOW("surface_range", 0, height(axis[0], axis[0]));
    expect(away < 1e-15, "the level curve z = 1 is the circle of radius 1");
}

/* --------------------------------------------------------------------------------------------------- the chain rule */

/* Units in the last place of a type with this many digits. */
static double ulp(double exact, int digits)
{
    int exponent;
    frexp(exact, &exponent);
    return ldexp(1, exponent - digits);
}

static void chain_rule(void)
{
    /* Two classes, target probabilities t: h(f, g) = -(t0 log f + t1 log g), f and g the softmax of x and 0. */
    const double x[2] = {1.5, 0}, t[2] = {0.7, 0.3}, step = 0x1p-17;
    double p[2], grad[2], around[2];
    call(sl_softmax_f64(x, p, sl_rows(1, 2)));
    const double dh_df = -t[0] / p[0], df_dx = p[0] * (1 - p[0]), dh_dg = -t[1] / p[1], dg_dx = -p[0] * p[1];
    const double chain = dh_df * df_dx + dh_dg * dg_dx;
    call(sl_cross_entropy_soft_f64(x, t, sl_rows(1, 2), NULL, NULL, grad));
    for (int side = 0; side < 2; side++) {
        const double moved[2] = {side ? x[0] + step : x[0] - step, 0};
        call(sl_cross_entropy_soft_f64(moved, t, sl_rows(1, 2), NULL, &around[side], NULL));
    }
    SHOW("chain_terms", dh_df, df_dx, dh_dg, dg_dx);
    SHOW("chain_sum", chain);
    SHOW("chain_p_minus_t", p[0] - t[0]);
    SHOW("chain_fused", grad[0]);
    SHOW("chain_difference_quotient", (around[1] - around[0]) / (2 * step));
    SHOW("chain_from_fused_in_ulp", fabs(chain - grad[0]) / ulp(grad[0], 53));
    expect(fabs(chain - grad[0]) <= 8 * ulp(grad[0], 53), "the chain rule on two classes");

    /* The logits of the digits, in f32: the whole Jacobian; p - y; one call. The exact gradient is the fused one of f64. */
    static float p32[IMAGES][CLASSES], one_call[IMAGES][CLASSES];
    static double x64[IMAGES][CLASSES], p64[IMAGES][CLASSES], exact[IMAGES][CLASSES];
    static double doubt[IMAGES], of_chain[IMAGES], of_difference[IMAGES], of_one_call[IMAGES];
    const sl_shape shape = sl_rows(IMAGES, CLASSES);
    const sl_loss_options sum = {.reduction = SL_SUM};
    double others = 0, others_one_call = 0, target_chain = 0, target_difference = 0, target_one_call = 0;
    double others_f64 = 0, absolute_f64 = 0, least = 1;
    for (int i = 0; i < IMAGES; i++)
        for (int c = 0; c < CLASSES; c++)
            x64[i][c] = logits[i][c];
    call(sl_softmax_f32(*logits, *p32, shape));
    call(sl_softmax_f64(*x64, *p64, shape));
    call(sl_cross_entropy_f32(*logits, labels, shape, &sum, NULL, *one_call));
    call(sl_cross_entropy_f64(*x64, labels, shape, &sum, NULL, *exact));
    for (int i = 0; i < IMAGES; i++) {
        const int64_t right = labels[i];
        for (int c = 0; c < CLASSES; c++) {
            float dx = 0;
            double dx64 = 0;
            for (int k = 0; k < CLASSES; k++) { /* dh/dx_c = sum over k of dh/dp_k dp_k/dx_c */
                const float dh_dp = k == right ? -1 / p32[i][k] : 0;
                const double dh_dp64 = k == right ? -1 / p64[i][k] : 0;
                dx += dh_dp * (p32[i][k] * ((float)(k == c) - p32[i][c]));
                dx64 += dh_dp64 * (p64[i][k] * ((k == c) - p64[i][c]));
            }
            const double unit = ulp(exact[i][c], 24);
            const double error = fabs(dx - exact[i][c]) / unit,
                         fused = fabs(one_call[i][c] - exact[i][c]) / unit;
            absolute_f64 = fmax(absolute_f64, fabs(dx64 - exact[i][c]) / ulp(1, 53));
            if (c != right) {
                others = fmax(others, error);
                others_one_call = fmax(others_one_call, fused);
                others_f64 = fmax(others_f64, fabs(dx64 - exact[i][c]) / ulp(exact[i][c], 53));
            } else {
                const float difference = p32[i][c] - 1;
                doubt[i] = -exact[i][c];
                of_chain[i] = error;
                of_difference[i] = fabs(difference - exact[i][c]) / unit;
                of_one_call[i] = fused;
                target_chain = fmax(target_chain, error);
                target_difference = fmax(target_difference, of_difference[i]);
                target_one_call = fmax(target_one_call, fused);
                least = fmin(least, doubt[i]);
            }
        }
    }
    SHOW("jacobian_f64_other_classes_ulp", others_f64);
    SHOW("jacobian_f64_all_in_ulp_of_1", absolute_f64);
    SHOW("f32_other_classes_ulp_jacobian_and_one_call", others, others_one_call);
    SHOW("f32_right_class_ulp_jacobian_difference_and_one_call", target_chain, target_difference,
         target_one_call);
    SHOW("right_class_least_doubt", least);
    /* Surer still, and p - 1 is nothing at all. */
    const float sure[THREE] = {20, 0, 0};
    float p_sure[THREE], grad_sure[THREE];
    softmax3(sure, p_sure);
    call(sl_cross_entropy_f32(sure, &(int64_t){0}, sl_rows(1, THREE), NULL, NULL, grad_sure));
    SHOW("sure_p_minus_1_and_one_call", p_sure[0] - 1, grad_sure[0]);
    show("doubt", IMAGES, doubt);
    show("ulp_of_jacobian", IMAGES, of_chain);
    show("ulp_of_difference", IMAGES, of_difference);
    show("ulp_of_one_call", IMAGES, of_one_call);
    expect(others_f64 <= 16 && absolute_f64 <= 8, "the Jacobian agrees with the fused kernel");
    expect(target_one_call <= 4 && others_one_call <= 4, "the fused kernel keeps its bound");
}

/* ------------------------------------------------------------------------------------- loss and cost over two weights */

/* Threes and eights by two numbers: the ink at the left, which closes the loops of an 8, and the ink at the top. */
typedef struct {
    int n;
    double x[IMAGES][2];
    int64_t id[IMAGES]; /* 0: an 8, 1: a 3 */
} pictures;

/* Of the images from `first` on; the model has the logits {w . x, 0}. */
static double cost(const pictures *set, int first, int n, const double *w, double *gradient)
{
    static double z[IMAGES][2];
    double mean;
    for (int i = 0; i < n; i++) {
        z[i][0] = w[0] * set->x[first + i][0] + w[1] * set->x[first + i][1];
        z[i][1] = 0;
    }
    call(sl_cross_entropy_f64(*z, set->id + first, sl_rows((size_t)n, 2), NULL, &mean, gradient ? *z : NULL));
    if (gradient)
        for (int k = 0; k < 2; k++) {
            gradient[k] = 0;
            for (int i = 0; i < n; i++)
                gradient[k] += z[i][0] * set->x[first + i][k];
        }
    return mean;
}

static void standardise(pictures *set, int k)
{
    double mean = 0, square = 0;
    for (int i = 0; i < set->n; i++)
        mean += set->x[i][k] / set->n;
    for (int i = 0; i < set->n; i++)
        square += (set->x[i][k] - mean) * (set->x[i][k] - mean) / set->n;
    for (int i = 0; i < set->n; i++)
        set->x[i][k] = (set->x[i][k] - mean) / sqrt(square);
}

static void loss_and_cost(void)
{
    enum { SIDE = 41, STEPS = 40 };
    static pictures set;
    double axis[SIDE], one[SIDE * SIDE], mean[SIDE * SIDE], path[2 * (STEPS + 1)], costs[STEPS + 1];
    for (int i = 0; i < IMAGES; i++)
        if (labels[i] == 3 || labels[i] == 8) {
            double ink[2] = {0};
            for (int k = 0; k < PIXELS; k++) {
                ink[0] += k % 8 == 2 && k / 8 > 0 && k / 8 < 7 ? images[i][k] : 0;
                ink[1] += k / 8 < 2 ? images[i][k] : 0;
            }
            memcpy(set.x[set.n], ink, sizeof ink);
            set.id[set.n++] = labels[i] == 3;
        }
    standardise(&set, 0);
    standardise(&set, 1);

    for (int i = 0; i < SIDE; i++)
        axis[i] = -6 + i * 12.0 / (SIDE - 1);
    for (int i = 0; i < SIDE; i++)
        for (int j = 0; j < SIDE; j++) {
            const double w[2] = {axis[j], axis[i]};
            one[i * SIDE + j] = cost(&set, 0, 1, w, NULL);
            mean[i * SIDE + j] = cost(&set, 0, set.n, w, NULL);
        }
    double w[2] = {-4, 4}, gradient[2] = {0};
    const double rate = 4;
    for (int step = 0; step <= STEPS; step++) {
        path[2 * step] = w[0];
        path[2 * step + 1] = w[1];
        costs[step] = cost(&set, 0, set.n, w, gradient);
        w[0] -= rate * gradient[0];
        w[1] -= rate * gradient[1];
    }
    SHOW("pictures_of_3_and_8", set.n);
    SHOW("picture_of_the_loss", set.x[0][0], set.x[0][1], (double)set.id[0]);
    show("weight_axis", SIDE, axis);
    show("loss_of_one", (size_t)SIDE * SIDE, one);
    show("cost_of_all", (size_t)SIDE * SIDE, mean);
    show("descent_path", 2 * (STEPS + 1), path);
    show("descent_cost", STEPS + 1, costs);
    SHOW("descent_first_and_last_cost", costs[0], costs[STEPS]);
    SHOW("descent_end", path[2 * STEPS], path[2 * STEPS + 1]);
    SHOW("descent_last_gradient", gradient[0], gradient[1]);
    bool falls = true;
    for (int step = 0; step < STEPS; step++)
        falls &= costs[step + 1] <= costs[step];
    expect(falls, "every step goes down");
}

int main(int argc, char **argv)
{
    if (argc > 1 && strcmp(argv[1], "--all") == 0) {
        all = true;
        argv[1] = argv[0];
        argv++;
        argc--;
    }
    read_digits(argc, argv);
    printf("# %s\n", sl_isa(NULL)->isa);
    same_logits();
    comparison();
    one_right_class();
    several_labels();
    surface();
    chain_rule();
    loss_and_cost();
    return failed;
}
