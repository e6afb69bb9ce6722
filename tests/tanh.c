/* SPDX-License-Identifier: MIT
 *
 * tanh of every float, and of many f64 (maths/tanh.h): its largest error, its sign. In plain C, of the class of bits
 * that this program is built for; other instruction sets are compared with it (identity.c, by way of the kernels).
 */
#include "maths/tanh.h"
SL_CLOSE

#include <math.h>
#include <string.h>

#include "test_matrix.h"

static const double most = 2.6; /* ULP */

#if SL_F64
typedef uint64_t bits;
typedef long double wider;
#define exact_tanh tanhl
enum { DIGITS = 53, MIN_EXP = -1021 };
#define TOP 0x7ff0000000000000u
#else
typedef uint32_t bits;
typedef double wider;
#define exact_tanh tanh
enum { DIGITS = 24, MIN_EXP = -125 };
#define TOP 0x7f800000u
#endif

static num number_of(bits b)
{
    num x;
    memcpy(&x, &b, sizeof x);
    return x;
}

/* From 0 to infinity by steps of at most `step` numbers. */
static void every_number(void)
{
    const bits step = SL_F64 ? TOP / effort(30000000, 300000) : effort(7, 997);
    generator g = {1};
    double worst = 0;
    num at = 0;
    for (bits b = 0; b<TOP; b += step> 1 ? 1 + (bits)next_below(&g, 2 * step - 1) : 1) {
        const num x = number_of(b), y = c_tanh(x);
        const wider want = exact_tanh((wider)x);
        const double error = sl_ref_ulp(y, want, want, DIGITS, MIN_EXP);
        if (!(error <= worst)) {
            worst = error;
            at = x;
        }
        if (c_tanh(-x) != -y)
            fail_msg("at %a: %a, and %a of -x", (double)x, (double)y, (double)c_tanh(-x));
    }
    print_message("%.4f ULP at %a\n", worst, (double)at);
    assert_true(worst <= most);
}

/* Where f64 results are not tiny or 1, a finer walk. */
static void where_it_curves(void)
{
    generator g = {2};
    double worst = 0;
    num at = 0;
    for (size_t i = effort(30000000, 300000); i-- > 0;) {
        const num x =
            (num)ldexp(1 + next_uniform(&g) + next_uniform(&g) * 0x1p-24, -(int)next_below(&g, 6) + 4);
        const wider want = exact_tanh((wider)x);
        const double error = sl_ref_ulp(c_tanh(x), want, want, DIGITS, MIN_EXP);
        if (!(error <= worst)) {
            worst = error;
            at = x;
        }
    }
    print_message("%.4f ULP at %a\n", worst, (double)at);
    assert_true(worst <= most);
}

static void special(void)
{
    assert_true(isnan(c_tanh((num)NAN)));
    assert_true(c_tanh((num)INFINITY) == 1 && c_tanh((num)-INFINITY) == -1);
    assert_true(c_tanh(c_largest_finite) == 1);
    assert_true(c_tanh(0) == 0 && !signbit(c_tanh(0)) && c_tanh((num)-0.0) == 0 &&
                signbit(c_tanh((num)-0.0)));
}

int main(void)
{
#if SL_FMA && defined(__x86_64__)
    if (!__builtin_cpu_supports("fma"))
        return 77;
#endif
    const topic topics[] = {{.name = "every number", .once = every_number},
                            {.name = "where it curves", .once = where_it_curves},
                            {.name = "special values", .once = special}};
    return run_test_matrix("tanh", topics, sizeof topics / sizeof *topics);
}
