/* SPDX-License-Identifier: MIT
 *
 * The loss of one image and the cost, its mean over all, as surfaces over two weights, and the way down by gradients.
 */
#include "story.h"

#include <math.h>
#include <string.h>

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

void loss_and_cost(void)
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
