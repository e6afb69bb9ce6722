/* SPDX-License-Identifier: MIT
 *
 * Google Benchmark for C: the little of it that softlane-bench needs. All its flags keep working.
 */
#ifndef SL_BENCH_BENCHMARK_SHIM_H
#define SL_BENCH_BENCHMARK_SHIM_H

#include <stdbool.h>
#include <stddef.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct bm_state bm_state;
typedef void bm_function(bm_state *state, void *user);

/* Takes the flags it knows out of argv. --help calls `help` and exits. */
void bm_initialize(int *argc, char **argv, void (*help)(void));
void bm_print_flags(void);
void bm_context(const char *key, const char *value);
/* `user` must outlive bm_run. */
void bm_register(const char *name, bm_function *function, void *user);
/* Runs what the flags select; *ran is how many benchmarks that was. An interruption ends it after the repetition
 * that runs: the others have no figures in the file, and are not printed. If it is known how many repetitions there
 * are (0: it is not), progress is shown on stderr, and what Google Benchmark has to say there goes to stdout.
 * Returns the file of --benchmark_out if that could not be written to its end, else NULL. */
const char *bm_run(size_t repetitions, size_t *ran);
void bm_shutdown(void);

/* Inside a benchmark. The loop over bm_keep_running is what is timed. */
bool bm_keep_running(bm_state *state);
/* A figure of this run, reported beside its times. */
void bm_counter(bm_state *state, const char *name, double value);
void bm_label(bm_state *state, const char *label);

#ifdef __cplusplus
}
#endif
#endif
