/* SPDX-License-Identifier: MIT
 *
 * What the programs share about their command lines: bad input is refused with one line on stderr that names it,
 * and exit code 2, before anything is written. Output that cannot be written is told alike (check_output.h).
 */
#ifndef SL_BENCH_ARGUMENTS_H
#define SL_BENCH_ARGUMENTS_H

#include <stdbool.h>

/* Call first: the name that refusals start with. Has the output checked at exit. */
void arguments_program(const char *name);

__attribute__((format(printf, 1, 2))) _Noreturn void refuse(const char *format, ...);

/* -h, --help and --version: prints what was asked for, and exits. Returns for any other argument. */
void argument_help_or_version(const char *argument, void (*print_help)(void));

/* If argv[*i] is `flag VALUE` or `flag=VALUE` puts VALUE into *value, moves *i to its last word and returns
 * true. */
bool argument_value(const char *flag, int *i, int argc, char **argv, const char **value);

/* What is wrong with SOFTLANE_ISA, which the library could only ignore, and which names there are; NULL: nothing. */
const char *arguments_wrong_isa(void);

/* Refuses it. */
void arguments_check_environment(void);

#endif
