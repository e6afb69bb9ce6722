/* SPDX-License-Identifier: MIT
 *
 * The exponential in the unit's arithmetic.
 */
#ifndef SL_MATHS_EXP_H
#define SL_MATHS_EXP_H

#include "element/element.h"

/* Whether x is less its frame's shift. */
enum { UNSHIFTED, SHIFTED };

/* Which arguments a function is compiled for: those that its hot loop has, or any. */
enum { COMMON, RARE };

#if SL_F64
#include "maths/exp_f64.h"
#else
#include "maths/exp_f32.h"
#endif

#endif
