/* SPDX-License-Identifier: MIT
 *
 * The oracle in long double. It judges f64, and has 11 digits more on x86-64, 60 more on AArch64.
 */
#define REAL long double
#define LEAST_NORMAL DBL_MIN
#define REF(kernel) sl_ref_##kernel##_long
#define SOFT_TARGET_UNIT 1
#include "reference.inc"
