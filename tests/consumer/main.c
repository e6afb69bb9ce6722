/* SPDX-License-Identifier: MIT
 *
 * Uses softlane as a stranger would: public header, public functions, one library.
 */
#include <softlane.h>

#include <stdio.h>

int main(void)
{
    const float logits[] = {2.0f, 1.0f, 0.1f};
    float probabilities[3];
    sl_status status = sl_softmax_f32(logits, probabilities, sl_rows(1, 3));
    printf("softlane %s, %s: %s: %g %g %g\n", SOFTLANE_VERSION, sl_isa(NULL)->isa, sl_status_string(status),
           probabilities[0], probabilities[1], probabilities[2]);
    return status != SL_OK || !(probabilities[0] > 0.65f && probabilities[0] < 0.67f);
}
