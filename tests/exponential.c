/* SPDX-License-Identifier: MIT
 *
 * The f32 exponentials that rows are made of, of every float that a frame may hold (exp_f32.h): their largest errors, from
 * which the bounds of softmax, log-softmax and the losses are derived, and their order, which softmax keeps. In plain C, so in
 * one class of bits; its other instruction sets are compared with it (identity.c).
 */
#include "maths/exp.h"
SL_CLOSE

#include <math.h>
#include <string.h>

#include "test_matrix.h"

/* Of results rounded to f32 and not rounded, in 2^-24 of the exact value; and what they are multiplied by. */
#if SL_FMA
static const double most = 1.0594, most_wide = 0.1135, scale = 0x1.16747bf7c5b81p+0;
#else
static const double most = 1.3689, most_wide = 0.1373, scale = 1;
#endif
/* The ends of the last frames in which x is not less a shift. */
static const float lowest = -394, highest = 256;

typedef struct {
    float x;
    double error;
} worst;

static void note(worst *w, float x, double got, double want)
{
    const double error = fabs(got / want - 1) * 0x1p24;
    if (!(error <= w->error))
        *w = (worst){x, error};
}

static float float_of(uint32_t bits)
{
    float x;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* One in so many floats from 2^-27 on, of one sign. */
static void walk_away_from_0(float sign, uint32_t one_in, worst *rounded, worst *wide)
{
    double last = sign < 0 ? INFINITY : 0, into = 0, out_of = 0;
    float reference = NAN; /* of the frame that those two factors are of */
    for (uint32_t bits = 0x32000000; float_of(bits) <= (sign < 0 ? -lowest : highest); bits += one_in) {
        const float x = sign * float_of(bits), top = x < -highest ? -highest : x;
        const c_frame frame = c_frame_of(top);
        const c_vframe f = c_frame_set1(frame);
        if (frame.reference != reference) {
            reference = frame.reference;
            into = scale * ldexp(1, FRAME_BIAS - (int)reference);
            out_of = ldexp(1, (int)reference);
        }
        const double want = exp((double)x) * into;
        const double got = c_exp_in_frame(x, f, c_exp_table_load());
        note(rounded, x, got, want);
        note(wide, x, c_exp_in_frame_wide(x, f, c_exp_table_load()), want);
        const double value = got * out_of;
        if (sign < 0 ? value > last : value < last)
            fail_msg("not in order at %a", x);
        last = value;
    }
}

static void every_float(void)
{
    worst rounded = {0, 0}, wide = {0, 0};
    const uint32_t one_in = (uint32_t)effort(1, 997);
    walk_away_from_0(-1, one_in, &rounded, &wide);
    walk_away_from_0(1, one_in, &rounded, &wide);
    print_message("rounded: %.4f x 2^-24 at %a; not rounded: %.4f at %a\n", rounded.error, rounded.x,
                  wide.error, wide.x);
    assert_true(rounded.error <= most && wide.error <= most_wide);
}

/* No float is left out of a frame's range: what counts is positive, and what does not is 0. */
static void ends_of_frames(void)
{
    for (int reference = -384; reference <= 384; reference += 64) {
        const c_vframe f = c_frame_set1((c_frame){(float)reference, 0});
        const float cut = f.cut, high = f.high;
        assert_true(c_exp_in_frame(cut, f, c_exp_table_load()) == 0);
        assert_true(c_exp_in_frame(-INFINITY, f, c_exp_table_load()) == 0);
        assert_true(c_exp_in_frame_wide(cut, f, c_exp_table_load()) == 0);
        assert_true(c_exp_in_frame(cut + 1, f, c_exp_table_load()) > 0);
        assert_true(c_exp_predicted(INFINITY, UNSHIFTED, f, c_exp_table_load()) ==
                    c_exp_in_frame(high, f, c_exp_table_load()));
        assert_true(isfinite(c_exp_in_frame(high, f, c_exp_table_load())));
        assert_true(isnan(c_exp_predicted(NAN, UNSHIFTED, f, c_exp_table_load())));
        assert_true(isnan(c_exp_in_frame_wide(NAN, f, c_exp_table_load())));
    }
    assert_true(c_exp_in_frame(0, c_frame_set1((c_frame){0, 0}), c_exp_table_load()) ==
                (float)(scale * 0x1p60));
}

int main(void)
{
    const topic topics[] = {{.name = "every float in its frame", .once = every_float},
                            {.name = "the ends of frames", .once = ends_of_frames}};
    return run_test_matrix("exponential", topics, sizeof topics / sizeof *topics);
}
