/* SPDX-License-Identifier: MIT
 *
 * The clock that this core runs at, which no file tells where a machine is virtual or changes its clock.
 */
#ifndef SL_BENCH_CLOCK_RATE_H
#define SL_BENCH_CLOCK_RATE_H

/* Cycles per ns of this thread's CPU time, counted by a chain of additions that depend on each other: one cycle each.
 * Takes about 0.2 ms. 0 if not known: on
 * architectures for which it is not written. */
double clock_rate_ghz(void);

#endif
