/* SPDX-License-Identifier: MIT
 *
 * The only C++ of the project. Google Benchmark has no C interface; this is the thinnest one that does.
 */
#include "benchmark_shim.h"

#include "interrupt.h"
#include "progress.h"

#include <benchmark/benchmark.h>

#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>
#include <sstream>
#include <string>

static benchmark::State &state_of(bm_state *state) { return *reinterpret_cast<benchmark::State *>(state); }

/* Of a flag of Google Benchmark, which keeps it to itself: NULL if neither the command line nor the environment
 * has it. */
static const char *flag_value(int argc, char **argv, const char *flag, const char *variable)
{
    const char *value = std::getenv(variable);
    const size_t length = std::strlen(flag);
    for (int i = 1; i < argc; i++)
        if (std::strncmp(argv[i], flag, length) == 0)
            value = argv[i] + length;
    return value;
}

static std::string out_file, out_format; /* --benchmark_out, --benchmark_out_format */

void bm_initialize(int *argc, char **argv, void (*help)(void))
{
    const char *file = flag_value(*argc, argv, "--benchmark_out=", "BENCHMARK_OUT");
    const char *format = flag_value(*argc, argv, "--benchmark_out_format=", "BENCHMARK_OUT_FORMAT");
    out_file = file ? file : "";
    out_format = format ? format : "json";
    benchmark::Initialize(argc, argv, help);
}

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

/* Google Benchmark writes the file of --benchmark_out and never asks whether that went well. This one does. */
template <class Reporter> class asking : public Reporter
{
    bool *is_whole;

  public:
    template <class... Arguments>
    explicit asking(bool *whole, Arguments... arguments) : Reporter(arguments...), is_whole(whole)
    {
    }

    void Finalize() override
    {
        Reporter::Finalize();
        *is_whole = this->GetOutputStream().flush().good();
    }
};

static benchmark::BenchmarkReporter *file_reporter(bool *is_whole)
{
#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* CSV */
    if (out_file.empty())
        return nullptr;
    if (out_format == "csv")
        return new asking<benchmark::CSVReporter>(is_whole);
    if (out_format == "console")
        return new asking<benchmark::ConsoleReporter>(is_whole, benchmark::ConsoleReporter::OO_None);
    return new asking<benchmark::JSONReporter>(is_whole);
#pragma GCC diagnostic pop
}

const char *bm_run(size_t repetitions, size_t *ran)
{
    bool is_whole = true;
    const std::unique_ptr<benchmark::BenchmarkReporter> reporter(file_reporter(&is_whole));
    without_left_out buffer(std::cout);
    std::streambuf *const out = std::cout.rdbuf(&buffer), *const err = std::cerr.rdbuf();
    interrupt_catch();
    repetitions_expected = (double)repetitions;
    if (repetitions)
        std::cerr.rdbuf(out);
    *ran = benchmark::RunSpecifiedBenchmarks(nullptr, reporter.get());
    if (repetitions)
        progress_clear();
    std::cout.flush();
    std::cout.rdbuf(out);
    std::cerr.rdbuf(err);
    return is_whole ? nullptr : out_file.c_str();
}

void bm_shutdown(void) { benchmark::Shutdown(); }

bool bm_keep_running(bm_state *state) { return state_of(state).KeepRunning(); }

void bm_counter(bm_state *state, const char *name, double value)
{
    state_of(state).counters[name] = benchmark::Counter(value);
}

void bm_label(bm_state *state, const char *label) { state_of(state).SetLabel(label); }
