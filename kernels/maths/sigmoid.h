/* SPDX-License-Identifier: MIT
 *
 * sigmoid: with E = exp(|x|) = t (1 + p),   q = 1 / (1 + E),   y = x < 0 ? q : 1 - q.
 *
 * The numerator is exactly 1, so only the denominator needs more digits than the result. For larger |x| (or a
 * NaN) the sum 1 + E is rounded and its error joins the low part; for huge |x| the 1 is left out and E scaled by
 * root^2, a power of two that is itself too small for the format: the result, or its product with a large gradient,
 * underflows gradually when it is scaled back. Without FMA q is the rounded quotient of the rounded sum; with it,
 * one residual step of the division uses both parts of the denominator.
 *
 * f32: D = (1 + t) + t p, whose first part is exact for moderate |x|; both ways give the same bits there. t p is
 * good to 0.07 x 2^-24 of D (exp_f32.h), the residual 1 - q (1 + t) is rounded at |p| < 2^-4: 0.03 x 2^-24. So q has
 * 0.5 + 0.1 ULP, and where it is denormal or taken from 1 it is finer than the result by a binade: 0.5 + 0.6 / 2.
 *   bound 1.0: of all floats the worst is 0.7929, at x = -0x1.5d8ff2p+6.
 *   No FMA: y = 1 / ((1 + t) + t p) with exp(-x) = t (1 + p), without a table (exp_f32.h). p has 2^-25, the sum adds 2^-24, an
 *   ULP where q's significand is near 2, and so does 1 + t from t = 2^24 on. Bound 2.5: of all floats the worst is 2.4436, at
 *   x = -0x1.0a47d2p+4, and all are in order.
 *
 * f64: E is rounded first, in two parts good to 0.243 x 2^-53 (no FMA: 0.293), so that the residual is exact, and a denormal
 * result is rounded once: 0.5 + 0.243.
 *   bound 0.75, found 0.6431 at x = -0x1.cc49d9c111457p+4. No FMA: 2.5, found 1.67.
 */
#ifndef SL_MATHS_SIGMOID_H
#define SL_MATHS_SIGMOID_H

#include "element/element.h"

#if SL_F64
#include "maths/sigmoid_f64.h"
#else
#include "maths/sigmoid_f32.h"
#endif

#endif
