/* SPDX-License-Identifier: MIT
 *
 * OpenMP: a loop over parts. What they compute is in parts.c.
 */
#include "check_output.h"
#include "parts.h"
#include "usage.h"

static void in_parallel(size_t threads, size_t parts, part_of_work *run, void *work)
{
#pragma omp parallel for schedule(dynamic) num_threads((int)threads)
    for (size_t i = 0; i < parts; i++)
        run(work, i);
}

int main(int argc, char **argv)
{
    answer_help(argc, argv, "",
                "One long row, rows, and a mean by one to four threads of OpenMP, to the same bits.");
    refuse_more(argc, argv, 0, "");
    check_output_at_exit("threads_openmp");
    return compare_threads(in_parallel);
}
