/* SPDX-License-Identifier: MIT
 *
 * The only C++ of the project. Google Benchmark has no C interface; this is the thinnest one that does.
 */
#include "benchmark_shim.h"

#include "interrupt.h"
#include "progress.h"

#include <benchmark/benchmark.h>

#include <iostream>
#include <sstream>
#include <string>

static benchmark::State &state_of(bm_state *state) { return *reinterpret_cast<benchmark::State *>(state); }

void bm_initialize(int *argc, char **argv, void (*help)(void)) { benchmark::Initialize(argc, argv, help); }

void bm_print_flags(void) { benchmark::PrintDefaultHelp(); }

void bm_context(const char *key, const char *value) { benchmark::AddCustomContext(key, value); }

static const char interruption[] = "interrupted";
static double repetitions_begun, repetitions_expected;

static void note_repetition()
{
    if (++repetitions_begun == 2)
        progress_begin("timing"); /* the first one sets everything up, which takes longer */
    progress_show((repetitions_begun - 2) / repetitions_expected);
}

void bm_register(const char *name, bm_function *function, void *user)
{
    benchmark::IterationCount iterations = 0;
    benchmark::RegisterBenchmark(name, [function, user, iterations](benchmark::State &state) mutable {
        if (interrupted()) {
            /* Begun, for Google Benchmark insists on as many iterations in all repetitions of a benchmark. */
            state.KeepRunning();
            state.SkipWithError(interruption);
            return;
        }
        /* Called for each repetition, and before the first with fewer iterations, to find out how many. */
        if (repetitions_expected && (iterations == 0 || iterations == state.max_iterations))
            note_repetition();
        iterations = state.max_iterations;
        function(reinterpret_cast<bm_state *>(&state), user);
    });
}

/* Passes lines on to a stream, except for those of benchmarks that an interruption has left out, of which
 * there may be a thousand. */
class without_left_out : public std::stringbuf
{
    std::ostream to;

    int sync() override
    {
        std::istringstream lines(str());
        for (std::string line; std::getline(lines, line);)
            if (line.find(std::string("ERROR OCCURRED: '") + interruption) == std::string::npos)
                to << line << '\n';
        str("");
        return to.flush() ? 0 : -1;
    }

  public:
    explicit without_left_out(std::ostream &stream) : to(stream.rdbuf()) {}
};

size_t bm_run(size_t repetitions)
{
    without_left_out buffer(std::cout);
    std::streambuf *const out = std::cout.rdbuf(&buffer), *const err = std::cerr.rdbuf();
    interrupt_catch();
    repetitions_expected = (double)repetitions;
    if (repetitions)
        std::cerr.rdbuf(out);
    const size_t ran = benchmark::RunSpecifiedBenchmarks();
    if (repetitions)
        progress_clear();
    std::cout.flush();
    std::cout.rdbuf(out);
    std::cerr.rdbuf(err);
    return ran;
}

void bm_shutdown(void) { benchmark::Shutdown(); }

bool bm_keep_running(bm_state *state) { return state_of(state).KeepRunning(); }

void bm_counter(bm_state *state, const char *name, double value)
{
    state_of(state).counters[name] = benchmark::Counter(value);
}

void bm_label(bm_state *state, const char *label) { state_of(state).SetLabel(label); }
