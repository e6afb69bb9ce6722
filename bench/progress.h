/* SPDX-License-Identifier: MIT
 *
 * How far long work has come, on stderr where that is a terminal; nothing anywhere else.
 */
#ifndef SL_BENCH_PROGRESS_H
#define SL_BENCH_PROGRESS_H

#ifdef __cplusplus
extern "C" {
#endif

void progress_begin(const char *what);
/* done: the part of the work, from 0 to 1. At most once a second. */
void progress_show(double done);
/* Takes the line away, until there is more to show. */
void progress_clear(void);

#ifdef __cplusplus
}
#endif
#endif
