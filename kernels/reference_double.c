/* SPDX-License-Identifier: MIT
 *
 * The oracle in double. It judges f32, bf16 and f16, and has 29 digits more than they.
 */
#define REAL double
#define LEAST_NORMAL FLT_MIN
#define REF(kernel) sl_ref_##kernel##_double
#define SOFT_TARGET_UNIT 0x1p-10
#include "reference.inc"
