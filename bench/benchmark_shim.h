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

struct bm_options {
    /* How many there will be, or 0. If known, progress is shown on stderr, and what Google Benchmark has to say there goes
     * to stdout. */
    size_t repetitions;
    /* How often a benchmark is measured again whose times spread (spread.h), and for how long all of them at most: this share
     * of the time that the first round took. */
    unsigned again;
    double again_share;
    /* Print one line for a benchmark, that of its median repetition, instead of one for each repetition. */
    bool medians;
    /* The counter whose spread counts; its least values are the best. */
    const char *times;
    /* The file of results, or NULL, and its format: "json", "csv" or "console". */
    const char *out, *format;
};

struct bm_result {
    size_t ran, noisy; /* benchmarks */
    bool written;      /* the file of results, or there is none to write */
};

/* Runs what the flags select. An interruption ends it after the repetition that runs: the others have no figures in the
 * file, and are not printed.
 *
 * Benchmarks that spread are measured again, all repetitions of them, the worst first. All repetitions of all rounds count.
 * In the file each gets the counters "spread_percent" and "noisy" (0 or 1) of its benchmark; what was measured again has no
 * aggregates. Google Benchmark must have been given a --benchmark_out (/dev/null will do): without one it takes no other
 * reporter. */
struct bm_result bm_run(const struct bm_options *options);
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
