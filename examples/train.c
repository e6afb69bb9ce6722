/* SPDX-License-Identifier: MIT
 *
 * Trains a linear classifier by gradient descent: three clouds of points in the plane, one per class. One call per step
 * gives the loss and, over the logits themselves, its gradient; what is left to the caller is two small products of
 * matrices.
 */
#include <softlane.h>
#include <stdio.h>

enum { POINTS = 300, CLASSES = 3, INPUTS = 3, STEPS = 200 };

static float points[POINTS][INPUTS]; /* x, y, and 1 for the bias */
static int64_t right_class[POINTS];
static float weights[INPUTS][CLASSES];

/* Uniform in [-1, 1): a linear congruential generator, so that all machines see the same points. */
static float noise(void)
{
    static uint32_t state = 1;
    state = state * 1664525 + 1013904223;
    return (float)(state >> 8) * 0x1p-23f - 1;
}

static void make_points(void)
{
    static const float centres[CLASSES][2] = {{0, 1}, {-0.9f, -0.5f}, {0.9f, -0.5f}};
    for (int i = 0; i < POINTS; i++) {
        right_class[i] = i % CLASSES;
        points[i][0] = centres[i % CLASSES][0] + noise();
        points[i][1] = centres[i % CLASSES][1] + noise();
        points[i][2] = 1;
    }
}

/* logits = points * weights */
static void classify(float logits[POINTS][CLASSES])
{
    for (int i = 0; i < POINTS; i++)
        for (int c = 0; c < CLASSES; c++) {
            logits[i][c] = 0;
            for (int k = 0; k < INPUTS; k++)
                logits[i][c] += points[i][k] * weights[k][c];
        }
}

/* weights -= rate * transposed points * gradient of the logits */
static void descend(float gradient[POINTS][CLASSES], float rate)
{
    for (int i = 0; i < POINTS; i++)
        for (int k = 0; k < INPUTS; k++)
            for (int c = 0; c < CLASSES; c++)
                weights[k][c] -= rate * points[i][k] * gradient[i][c];
}

static int count_right(float logits[POINTS][CLASSES])
{
    int right = 0;
    for (int i = 0; i < POINTS; i++) {
        int best = 0;
        for (int c = 1; c < CLASSES; c++)
            if (logits[i][c] > logits[i][best])
                best = c;
        right += best == right_class[i];
    }
    return right;
}

int main(void)
{
    static float logits[POINTS][CLASSES];
    const sl_shape shape = sl_rows(POINTS, CLASSES);
    float loss = 0, first = 0;
    make_points();
    for (int step = 0; step <= STEPS; step++) {
        classify(logits);
        const int right = count_right(logits);
        /* No options: the mean over the points. The gradient takes the place of the logits. */
        const sl_status status = sl_cross_entropy_f32(*logits, right_class, shape, NULL, &loss, *logits);
        if (status != SL_OK) {
            fprintf(stderr, "%s\n", sl_status_string(status));
            return 1;
        }
        if (step == 0)
            first = loss;
        if (step % 25 == 0)
            printf("step %3d: loss %.4f, %d of %d points right\n", step, loss, right, POINTS);
        descend(logits, 1);
    }
    return loss < first / 2 ? 0 : 1;
}
