/* SPDX-License-Identifier: MIT
 *
 * From the logits of a classifier to probabilities, and to the loss against the right classes.
 */
#include <softlane.h>
#include <stdio.h>

int main(void)
{
    float logits[2][3] = {{2, 1, 0}, {-1, 4, 1}}, p[2][3], loss;
    int64_t right_class[2] = {0, 1};
    sl_shape shape = sl_rows(2, 3);
    sl_status status = sl_softmax_f32(*logits, *p, shape);
    if (status == SL_OK)
        status = sl_cross_entropy_f32(*logits, right_class, shape, NULL, &loss, NULL);
    if (status != SL_OK) {
        fprintf(stderr, "%s\n", sl_status_string(status));
        return 1;
    }
    for (int row = 0; row < 2; row++)
        printf("p = %.3f %.3f %.3f\n", p[row][0], p[row][1], p[row][2]);
    printf("mean loss %.4f, by %s\n", loss, sl_isa(NULL)->isa);
    return 0;
}
