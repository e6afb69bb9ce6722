/* SPDX-License-Identifier: MIT
 *
 * What this CPU, and the OS on it, can run.
 */
#ifndef SL_CPU_H
#define SL_CPU_H

#include <stdbool.h>

/* NULL when every feature of the comma-separated list is usable, else an English phrase that names the first
 * one that is not: "the CPU lacks avx2". An unknown feature is a missing one. */
const char *sl_cpu_lacks(const char *features);

#endif
