/* SPDX-License-Identifier: MIT
 *
 * log1p(exp(-a)) in the unit's arithmetic.
 */
#ifndef SL_MATHS_LOG1P_H
#define SL_MATHS_LOG1P_H

#include "maths/log.h"

#if !SL_F64
#include "maths/log1p_f32.h"
#endif

#endif
