/* SPDX-License-Identifier: MIT
 *
 * Softmax and sigmoid of the logits of a classifier: range, sum, and what one class's logit does to the others.
 */
#include "story.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

void comparison(void)
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
