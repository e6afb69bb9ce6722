/* SPDX-License-Identifier: MIT
 *
 * OpenMP: a loop over parts. What they compute is in parts.c.
 */
#include "parts.h"

static void in_parallel(size_t threads, size_t parts, part_of_work *run, void *work)
{
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t i = 0; i < parts; i++)
        run(work, i);
}

int main(int argc, char **argv) { return run_example(argc, argv, "threads_openmp", "OpenMP", in_parallel); }
