/* SPDX-License-Identifier: MIT
 *
 * What a program printed has to have arrived: a full disk shows when the last of it is written, or never.
 */
#ifndef SL_BENCH_CHECK_OUTPUT_H
#define SL_BENCH_CHECK_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Call first. However the program exits from now on: if not all that it printed could be written it says so on
 * stderr, in one line that starts with this name, and its exit code is 2. A standard stream that is closed stays
 * so for the program: no file that it opens takes the stream's place. */
void check_output_at_exit(const char *program);

/* Closes a file; whether all of it was written. */
bool close_whole(FILE *file);

#ifdef __cplusplus
}
#endif
#endif
