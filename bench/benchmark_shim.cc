/* SPDX-License-Identifier: MIT
 *
 * The only C++ of the project. Google Benchmark has no C interface; this is the thinnest one that does.
 */
#include "benchmark_shim.h"

#include "interrupt.h"
#include "progress.h"
#include "spread.h"

#include <benchmark/benchmark.h>

#include <algorithm>
#include <chrono>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <vector>

static benchmark::State &state_of(bm_state *state) { return *reinterpret_cast<benchmark::State *>(state); }

void bm_initialize(int *argc, char **argv, void (*help)(void)) { benchmark::Initialize(argc, argv, help); }

void bm_print_flags(void) { benchmark::PrintDefaultHelp(); }

void bm_context(const char *key, const char *value) { benchmark::AddCustomContext(key, value); }

static const char interruption[] = "interrupted";
static double repetitions_begun, repetitions_expected;
static const char *repetitions_of = "timing"; /* what progress is called */

static void note_repetition()
{
    if (++repetitions_begun == 2)
        progress_begin(repetitions_of); /* the first one sets everything up, which takes longer */
    progress_show((repetitions_begun - 2) / repetitions_expected);
}

/* What was registered: to register it again. */
struct registered {
    bm_function *function;
    void *user;
};
static std::map<std::string, registered> all_registered;

static void register_function(const std::string &name, bm_function *function, void *user)
{
    benchmark::IterationCount iterations = 0;
    benchmark::RegisterBenchmark(name.c_str(), [function, user, iterations](benchmark::State &state) mutable {
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

void bm_register(const char *name, bm_function *function, void *user)
{
    all_registered[name] = {function, user};
    register_function(name, function, user);
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

using benchmark::BenchmarkReporter;
using runs = std::vector<BenchmarkReporter::Run>;

static bool is_repetition(const BenchmarkReporter::Run &run, const char *times)
{
    return run.run_type == BenchmarkReporter::Run::RT_Iteration && run.counters.count(times) != 0;
}

/* A benchmark and all its repetitions, of every round. */
struct measured {
    runs all;
    struct spread spread;
    unsigned rounds;

    /* Judges them, and writes the judgement into each. */
    void judge(const char *times)
    {
        std::vector<double> values;
        for (const auto &run : all)
            if (is_repetition(run, times))
                values.push_back(run.counters.at(times));
        if (values.empty()) {
            spread = {0, 0, 0, -1};
            return;
        }
        spread = spread_of(values.data(), values.size());
        for (auto &run : all)
            if (is_repetition(run, times) && values.size() > 1) {
                run.counters["spread_percent"] = benchmark::Counter(spread.percent);
                run.counters["noisy"] = benchmark::Counter(spread_is_noise(spread) ? 1 : 0);
            }
    }
};

/* Keeps what Google Benchmark would write into its file. */
class collector : public BenchmarkReporter
{
    const char *times;

  public:
    std::map<std::string, measured> of_name;
    std::map<std::string, int64_t> order; /* in which they were registered */

    explicit collector(const char *times_) : times(times_) {}

    bool ReportContext(const Context &) override { return true; }

    void ReportRuns(const runs &report) override
    {
        for (const auto &run : report) {
            const std::string name = run.run_name.str();
            measured &of = of_name[name];
            if (of.rounds == 0) {
                order.emplace(name, run.family_index);
                of.all.push_back(run);
            } else if (is_repetition(run, times)) {
                add(of, run);
            }
        }
    }

    /* The repetitions of a round of its own are those after the ones that there are. */
    void add(measured &of, BenchmarkReporter::Run run)
    {
        auto aggregate = [](const BenchmarkReporter::Run &r) { return r.run_type == r.RT_Aggregate; };
        of.all.erase(std::remove_if(of.all.begin(), of.all.end(), aggregate), of.all.end());
        run.family_index = order[run.run_name.str()];
        run.repetition_index = (int64_t)of.all.size();
        of.all.push_back(run);
        for (auto &each : of.all)
            each.repetitions = (int64_t)of.all.size();
    }

    void end_round()
    {
        for (auto &of : of_name) {
            of.second.rounds++;
            of.second.judge(times);
        }
    }

    /* The worst first. */
    std::vector<std::string> noisy() const
    {
        std::vector<std::string> names;
        for (const auto &of : of_name)
            if (spread_is_noise(of.second.spread))
                names.push_back(of.first);
        std::sort(names.begin(), names.end(), [this](const std::string &a, const std::string &b) {
            return of_name.at(a).spread.percent > of_name.at(b).spread.percent;
        });
        return names;
    }

    std::vector<const runs *> in_order() const
    {
        std::vector<std::pair<int64_t, const runs *>> sorted;
        for (const auto &of : of_name)
            sorted.emplace_back(order.at(of.first), &of.second.all);
        std::sort(sorted.begin(), sorted.end());
        std::vector<const runs *> result;
        for (const auto &each : sorted)
            result.push_back(each.second);
        return result;
    }
};

/* Shows results as they come, with their spread. One context and one end for all rounds. */
class display : public BenchmarkReporter
{
    BenchmarkReporter *const to = benchmark::CreateDefaultDisplayReporter(); /* which keeps it */
    const bm_options &options;
    bool begun = false, goes_on = true;

  public:
    explicit display(const bm_options &options_) : options(options_) {}

    bool ReportContext(const Context &context) override
    {
        if (!begun) {
            to->SetOutputStream(&GetOutputStream());
            to->SetErrorStream(&GetErrorStream());
            begun = true;
            goes_on = to->ReportContext(context);
        }
        return goes_on;
    }

    void ReportRuns(const runs &report) override
    {
        measured of = {report, {}, 0};
        of.judge(options.times);
        for (auto &run : of.all)
            if (run.counters.count("noisy") != 0) {
                if (spread_is_noise(of.spread))
                    run.report_label += " noisy";
                run.counters.erase("noisy");
            }
        if (!options.medians)
            to->ReportRuns(of.all);
        else if (of.all.front().run_type == Run::RT_Iteration)
            to->ReportRuns(median(of));
    }

    void Finalize() override {}

    void end()
    {
        if (begun)
            to->Finalize();
    }

    runs median(const measured &of) const
    {
        runs sorted;
        for (const auto &run : of.all)
            if (is_repetition(run, options.times))
                sorted.push_back(run);
        if (sorted.empty())
            return of.all;
        std::sort(sorted.begin(), sorted.end(), [this](const Run &a, const Run &b) {
            return a.counters.at(options.times) < b.counters.at(options.times);
        });
        Run run = sorted[(sorted.size() - 1) / 2];
        run.repetitions = 1; /* else its name would have an ending */
        return {run};
    }
};

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wdeprecated-declarations" /* CSV */
static std::unique_ptr<BenchmarkReporter> file_reporter(const std::string &format)
{
    if (format == "csv")
        return std::unique_ptr<BenchmarkReporter>(new benchmark::CSVReporter);
    if (format == "console")
        return std::unique_ptr<BenchmarkReporter>(
            new benchmark::ConsoleReporter(benchmark::ConsoleReporter::OO_None));
    return std::unique_ptr<BenchmarkReporter>(new benchmark::JSONReporter);
}
#pragma GCC diagnostic pop

using seconds = std::chrono::duration<double>;
static double now() { return seconds(std::chrono::steady_clock::now().time_since_epoch()).count(); }

/* Measures again what spreads. */
static void measure_again(display *shown, collector *collected, const bm_options &options,
                          double first_seconds)
{
    const double each = first_seconds / (double)collected->of_name.size();
    double left = first_seconds * options.again_share;
    for (unsigned round = 0; round < options.again && !interrupted(); round++) {
        std::vector<std::string> names = collected->noisy();
        const size_t affordable = std::max((size_t)1, (size_t)(left / each));
        if (names.empty() || left <= 0)
            return;
        if (names.size() > affordable)
            names.resize(affordable);
        std::cerr << "softlane-bench: measuring " << names.size() << " of " << collected->of_name.size()
                  << " benchmarks again, which spread by more than 10 %" << std::endl;
        benchmark::ClearRegisteredBenchmarks();
        for (const auto &name : names)
            register_function(name, all_registered[name].function, all_registered[name].user);
        repetitions_begun = 0;
        repetitions_expected = (double)(names.size() * (options.repetitions / collected->of_name.size()));
        repetitions_of = "timing again";
        const double start = now();
        benchmark::RunSpecifiedBenchmarks(shown, collected, ".");
        left -= now() - start;
        if (options.repetitions)
            progress_clear();
        collected->end_round();
    }
}

struct bm_result bm_run(const struct bm_options *options)
{
    without_left_out buffer(std::cout);
    std::streambuf *const out = std::cout.rdbuf(&buffer), *const err = std::cerr.rdbuf();
    struct bm_result result = {0, 0, true};
    interrupt_catch();
    repetitions_expected = (double)options->repetitions;
    if (options->repetitions)
        std::cerr.rdbuf(out);

    /* Written in the end; but its head, with the date and the load, is of now. */
    std::ostringstream content;
    std::unique_ptr<BenchmarkReporter> writer = file_reporter(options->format ? options->format : "json");
    writer->SetOutputStream(&content);
    writer->SetErrorStream(&std::cerr);
    BenchmarkReporter::Context context;
    context.name_field_width = 10; /* which nobody else sets */
    for (const auto &each : all_registered)
        context.name_field_width = std::max(context.name_field_width, each.first.size());
    writer->ReportContext(context);

    collector collected(options->times);
    display shown(*options);
    const double start = now();
    result.ran = benchmark::RunSpecifiedBenchmarks(&shown, &collected);
    if (options->repetitions)
        progress_clear();
    if (!collected.of_name.empty()) {
        collected.end_round();
        measure_again(&shown, &collected, *options, now() - start);
        result.noisy = collected.noisy().size();
        for (const runs *each : collected.in_order())
            writer->ReportRuns(*each);
        writer->Finalize();
    }
    shown.end();
    if (result.noisy)
        std::cerr
            << "softlane-bench: " << result.noisy << " of " << collected.of_name.size()
            << " benchmarks are noisy: their times spread by more than 10 % (interquartile range / median)"
            << std::endl;
    std::cout.flush();
    std::cout.rdbuf(out);
    std::cerr.rdbuf(err);
    if (options->out && !collected.of_name.empty()) {
        std::ofstream file(options->out, std::ios::trunc);
        file << content.str();
        file.close();
        result.written = !file.fail();
    }
    return result;
}

void bm_shutdown(void) { benchmark::Shutdown(); }

bool bm_keep_running(bm_state *state) { return state_of(state).KeepRunning(); }

void bm_counter(bm_state *state, const char *name, double value)
{
    state_of(state).counters[name] = benchmark::Counter(value);
}

void bm_label(bm_state *state, const char *label) { state_of(state).SetLabel(label); }
