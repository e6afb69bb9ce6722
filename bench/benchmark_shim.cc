/* SPDX-License-Identifier: MIT
 *
 * The only C++ of the project. Google Benchmark has no C interface; this is the thinnest one that does.
 */
#include "benchmark_shim.h"

#include <benchmark/benchmark.h>

static benchmark::State &state_of(bm_state *state) { return *reinterpret_cast<benchmark::State *>(state); }

void bm_initialize(int *argc, char **argv, void (*help)(void)) { benchmark::Initialize(argc, argv, help); }

void bm_print_flags(void) { benchmark::PrintDefaultHelp(); }

void bm_context(const char *key, const char *value) { benchmark::AddCustomContext(key, value); }

void bm_register(const char *name, bm_function *function, void *user)
{
    benchmark::RegisterBenchmark(name, [function, user](benchmark::State &state) {
        function(reinterpret_cast<bm_state *>(&state), user);
    });
}

size_t bm_run(void) { return benchmark::RunSpecifiedBenchmarks(); }

void bm_shutdown(void) { benchmark::Shutdown(); }

bool bm_keep_running(bm_state *state) { return state_of(state).KeepRunning(); }

void bm_counter(bm_state *state, const char *name, double value)
{
    state_of(state).counters[name] = benchmark::Counter(value);
}

void bm_label(bm_state *state, const char *label) { state_of(state).SetLabel(label); }
