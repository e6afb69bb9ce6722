/* SPDX-License-Identifier: MIT
 *
 * What the functions of one float are compared with: in double, without libm. Each is good to 2^-48 of itself (REFERENCE_ERROR);
 * the reasons stand beside it, and lemmas/reference.g has the exponential's.
 */
#ifndef SL_PROOFS_REFERENCE_H
#define SL_PROOFS_REFERENCE_H

#include <stdbool.h>
#include <stddef.h>

enum { BLOCK = 1024 };
#define REFERENCE_ERROR 0x1p-48

/* exp(x) = 2^power fraction, fraction in [0.7, 1.42], for |x| <= 2^14. */
void reference_exp(const float *x, size_t n, double *fraction, double *power);

/* exp(x) for |x| <= 700. */
void reference_value(const float *x, size_t n, double *y);

/* exp(x) - 1 for 0 <= x <= 700. */
void reference_expm1(const float *x, size_t n, double *y);

/* exp(-|x|); |x| is cut at 700. */
void reference_exp_minus(const float *x, size_t n, double *y);

/* Whether y is the float that is nearest to 1 / (1 + exp(-x)), |x| <= 700, which is good to 2^-100 here. x is not 0, so no sigmoid lies
 * in the middle between two floats. */
bool reference_is_sigmoid(float x, float y);

/* log(1 + exp(-|x|)), and exp(-|x|); |x| is cut at 700. */
void reference_log1p_exp(const float *x, size_t n, double *log1p, double *exp);

/* log(p) for 0 < p <= 1, and log(1 - p) for 0 <= p < 1; where there is none, 0. */
void reference_logs(const float *p, size_t n, double *log, double *log_of_other);

/* BLOCK floats rounded to so many digits, those below 2^least to multiples of 2^(least - digits + 1), to nearest even. */
void rounded_to(const float *x, int digits, int least, double *y);

/* ---- errors, of BLOCK results ---- */

/* In 2^-24 of the exact value, and in its ULP; 2^n got / want - 1 in 2^-24, where got is at least `least`. */
void errors_relative(const double *got, const double *want, double *error);
void errors_ulp(const double *got, const double *want, double *error);
void errors_scaled(const double *got, const double *n, const double *want, double least, double *error);

/* The largest, or NaN if there is one. */
double largest_error(const double *error);

#endif
