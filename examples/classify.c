/* SPDX-License-Identifier: MIT
 *
 * From the logits of a classifier to probabilities, to its choice among the classes, and to the loss.
 */
#include "digits.h"
#include "usage.h"

#include <softlane.h>
#include <stdio.h>

static int likeliest(const float *row)
{
    int best = 0;
    for (int c = 1; c < CLASSES; c++)
        if (row[c] > row[best])
            best = c;
    return best;
}

int main(int argc, char **argv)
{
    static float p[IMAGES][CLASSES];
    const sl_shape shape = sl_rows(IMAGES, CLASSES);
    int right = 0, doubtful = 0;
    float loss = 0;
    answer_help(argc, argv, FOLDER_OF_DIGITS,
                "From the logits of a classifier to probabilities, to its choice among the classes, and to "
                "the loss.");
    read_digits(argc, argv);

    sl_status status = sl_softmax_f32(*logits, *p, shape);
    if (status == SL_OK)
        status = sl_cross_entropy_f32(*logits, labels, shape, NULL, &loss, NULL);
    if (status != SL_OK) {
        fprintf(stderr, "%s\n", sl_status_string(status));
        return 1;
    }

    for (int i = 0; i < IMAGES; i++) {
        right += likeliest(p[i]) == labels[i];
        if (p[i][likeliest(p[i])] < p[doubtful][likeliest(p[doubtful])])
            doubtful = i;
    }
    printf("%d of %d images right, mean loss %.4f, by %s\n", right, IMAGES, loss, sl_isa(NULL)->isa);
    printf("least sure of a %d:", (int)labels[doubtful]);
    for (int c = 0; c < CLASSES; c++)
        printf(" %.3f", p[doubtful][c]);
    printf("\n");
    return right < 0.95 * IMAGES;
}
