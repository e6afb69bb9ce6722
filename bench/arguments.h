/* SPDX-License-Identifier: MIT
 *
 * What the three programs share about their command lines: bad input is refused with one line on stderr that
 * names it, and exit code 2, before anything is written.
 */
#ifndef SL_BENCH_ARGUMENTS_H
#define SL_BENCH_ARGUMENTS_H

#include <stdbool.h>

/* Call first: the name that refusals start with. */
void arguments_program(const char *name);

__attribute__((format(printf, 1, 2))) _Noreturn void refuse(const char *format, ...);

/* If argv[*i] is `flag VALUE` or `flag=VALUE` puts VALUE into *value, moves *i to its last word and returns
 * true. */
bool argument_value(const char *flag, int *i, int argc, char **argv, const char **value);

/* What is wrong with SOFTLANE_ISA, which the library could only ignore, and which names there are; NULL: nothing. */
const char *arguments_wrong_isa(void);

/* Refuses it. */
void arguments_check_environment(void);

#endif
