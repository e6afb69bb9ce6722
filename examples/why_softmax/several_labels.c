/* SPDX-License-Identifier: MIT
 *
 * Two images side by side, of which each may be missing: the set of the digits in them, with either loss.
 */
#include "story.h"
#include "training.h"

#include <math.h>
#include <stdio.h>

enum { SIZES = 3 }; /* a set has none, one or two */

/* To be named are the sets, or the distributions that softmax takes for them. */
static float pairs[IMAGES][2 * PIXELS], sets[IMAGES][CLASSES], distributions[IMAGES][CLASSES];

static void make_pairs(void)
{
    for (int fold = 0; fold < FOLDS; fold++) {
        /* Both halves are of the same fold. */
        const int first = fold_start(fold), n = fold_start(fold + 1) - first;
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

void several_labels(void)
{
    static outcome of[LOSSES];
    static float p[IMAGES][CLASSES], validated[IMAGES][CLASSES];
    double found_of[LOSSES] = {0};
    make_pairs();
    double sizes[SIZES] = {0};
    for (int i = 0; i < IMAGES; i++)
        sizes[labels_in(sets[i])]++;
    SHOW("pairs_with_no_one_two_labels", sizes[0], sizes[1], sizes[2]);
    const problem digits = {2 * PIXELS, *pairs, NULL, sets, distributions};
    for (int kind = 0; kind < LOSSES; kind++) {
        double at_half[SIZES] = {0}, tuned[SIZES] = {0}, told[SIZES] = {0}, thresholds[FOLDS];
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
        OF_PAIRS("sets_found_at_half", SIZES, at_half);
        OF_PAIRS("sets_found_at_tuned_threshold", SIZES, tuned);
        OF_PAIRS("sets_found_when_told_the_number", SIZES, told);
        OF_PAIRS("wrong_labels", 1, &wrong_labels);
        /* One pair of each size, to look at: the last ones. */
        for (int size = 0; size < SIZES; size++) {
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
