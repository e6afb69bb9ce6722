/* SPDX-License-Identifier: MIT
 *
 * What the programs about threads compute, in parts that any thread may take. Each program brings its own way to run parts in parallel.
 */
#ifndef SL_EXAMPLES_PARTS_H
#define SL_EXAMPLES_PARTS_H

#include <stddef.h>

/* Part i of some work. */
typedef void part_of_work(void *work, size_t i);

/* Runs parts 0 to parts - 1 by so many threads, in any order, and returns when all are done. */
typedef void run_parts(size_t threads, size_t parts, part_of_work *run, void *work);

enum { MOST_THREADS = 4 };

/* What these programs do: one long row, a matrix of rows, and a mean loss with its gradient, by 1 to MOST_THREADS threads; it prints what
 * they have computed. Or, if the argument is `times`, a table of times by one and by two threads. Returns the exit code: 1 if bits depend
 * on the number of threads. */
int run_example(int argc, char **argv, const char *name, const char *how, run_parts *in_parallel);

#endif
