/* SPDX-License-Identifier: MIT
 *
 * Threads that each stay on a core of their own and run a part of a benchmark's every call. They wait spinning: a call
 * of some microseconds would else be measured with the time to wake a thread.
 */
#ifndef SL_BENCH_THREADS_H
#define SL_BENCH_THREADS_H

/* Called with part = 0 ... parts - 1, each on its own thread; part 0 on the caller's. */
typedef void threads_part(unsigned part, unsigned parts, void *user);

/* Starts what is missing to `count` threads. Refuses what the system refuses. */
void threads_start(unsigned count);

/* Runs all parts and returns when they are done; parts <= the threads there are. */
void threads_run(unsigned parts, threads_part *run, void *user);

#endif
