/* SPDX-License-Identifier: MIT
 *
 * --benchmark_min_time is a number of seconds. From 1.8 on Google Benchmark wants "0.5s", and warns of "0.5" once per
 * benchmark; versions before that refuse the s.
 */
#ifndef SL_BENCH_MINIMUM_TIME_H
#define SL_BENCH_MINIMUM_TIME_H

/* Writes the flag as the version that this was built with wants it, from either spelling. "20x", a number of iterations, is
 * passed on as it is. */
void minimum_time_adapt(int argc, char **argv);

#endif
