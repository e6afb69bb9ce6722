/* SPDX-License-Identifier: MIT
 *
 * The same three logits through both functions: those for which sigmoid gives 0.7 0.6 0.8, those for which softmax gives
 * 0.90 0.05 0.05, to the last bit, and that none give both.
 */
#include "story.h"

#include <math.h>
#include <string.h>

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

void same_logits(void)
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
