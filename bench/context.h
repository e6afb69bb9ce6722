/* SPDX-License-Identifier: MIT
 *
 * What a figure depends on besides the kernel, as key and value, for the context block of every JSON file.
 */
#ifndef SL_BENCH_CONTEXT_H
#define SL_BENCH_CONTEXT_H

#include "topology.h"

typedef void context_visitor(const char *key, const char *value, void *user);

void context_visit(const struct topology *topology, context_visitor *visit, void *user);

#endif
