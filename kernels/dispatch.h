/* SPDX-License-Identifier: MIT
 *
 * The table in use.
 */
#ifndef SL_DISPATCH_H
#define SL_DISPATCH_H

#include "table.h"

/* Never NULL: scalar runs everywhere. */
const sl_kernels *sl_active(void);

#endif
