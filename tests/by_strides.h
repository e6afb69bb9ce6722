/* SPDX-License-Identifier: MIT
 *
 * A call by strides gives the bits of the dense call on a dense copy. What lies between rows or classes is poisoned (NaN of
 * inputs, a canary of outputs) and stays as it was; or it lies in inaccessible pages.
 */
#ifndef BY_STRIDES_H
#define BY_STRIDES_H

#include "assertions.h"
#include "pages.h"

/* Where runs of neighbouring elements lie: contiguous rows, or what is inner. Where they begin or end pages, pages without
 * elements are inaccessible during the call. */
typedef enum { ANYWHERE, RUNS_BEGIN_PAGES, RUNS_END_PAGES } position;

/* Gives up the test when an output differs from want's, a dense call that has been run, or when anything between elements has
 * changed. The shape is not empty. In place with the strides of what is read. */
void assert_same_by_strides(const isa *on, const workload *want, sl_strides in, sl_strides out, position at);

#endif
