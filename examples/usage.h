/* SPDX-License-Identifier: MIT
 *
 * What the examples do with their command lines.
 */
#ifndef SL_EXAMPLES_USAGE_H
#define SL_EXAMPLES_USAGE_H

/* -h or --help prints the program's arguments and what it does, and ends it. */
void answer_help(int argc, char **argv, const char *arguments, const char *what);

/* More than `most` arguments, or an unknown option, end the program with 2 and one line. */
void refuse_more(int argc, char **argv, int most, const char *arguments);

#endif
