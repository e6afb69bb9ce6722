#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the speed of two builds or commits of softlane: which cells became slower?

    scripts/compare.py HEAD~1 HEAD --filter '^softmax/f32/avx2/'
    scripts/compare.py build/before build/after --cells scripts/cells.txt --filter /avx512/ --rounds 11

A and B are build trees, softlane-bench programs, or git commits, which are built in build/compare. The two run in turn, several
rounds, so that a machine's slow minutes hit both. Where Google Benchmark's tools/compare.py is installed with SciPy (Debian:
libbenchmark-tools, python3-scipy) it makes the report; else one line for each cell has the medians of the rounds, their ratio
and the p-value of the Mann-Whitney U test; cells that spread by more than 10 % are measured again up to twice, and marked ~
and left out of the mean if they still do. Exit code 1 when a cell of B is slower by more than --threshold with p < 0.05.
"""
import argparse
import json
import os
import pathlib
import re
import statistics
import subprocess
import sys

import command_line
import table

ROOT = pathlib.Path(__file__).resolve().parent.parent
GOOGLE = pathlib.Path("/usr/share/benchmark/compare.py")
SIGNIFICANT = 0.05


def run(command, **options):
    done = subprocess.run(command, capture_output=True, text=True, check=False, **options)
    if done.returncode != 0:
        command_line.refuse(f"{command[0]}: {((done.stderr or done.stdout).strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


def program_of(text):
    """The softlane-bench that A or B means."""
    path = pathlib.Path(text)
    for program in (path, path / "softlane-bench", path / "bench/softlane-bench"):
        if program.is_file() and os.access(program, os.X_OK):
            return program.resolve()
    if path.exists():
        command_line.refuse(f"'{text}' holds no softlane-bench")
    found = subprocess.run(["git", "rev-parse", "--verify", "--quiet", text + "^{commit}"], cwd=ROOT, capture_output=True,
                           text=True, check=False)
    if found.returncode != 0:
        command_line.refuse(f"'{text}' is neither a build nor a commit")
    commit = found.stdout.strip()[:12]
    tree = ROOT / "build/compare" / commit
    program = tree / "build/bench/softlane-bench"
    if not program.exists():
        print(f"building {text} ({commit}) ...", flush=True)
        tree.mkdir(parents=True, exist_ok=True)
        archive = tree / "source.tar"
        run(["git", "archive", "--output", str(archive), commit], cwd=ROOT)
        run(["tar", "xf", archive.name], cwd=tree)
        archive.unlink()
        run(["cmake", "-S", ".", "-B", "build", "-G", "Ninja", "-DCMAKE_BUILD_TYPE=Release", "-DSOFTLANE_BUILD_TESTS=OFF",
             "-DSOFTLANE_BUILD_BENCH=ON"], cwd=tree)
        run(["cmake", "--build", "build", "--target", "softlane-bench"], cwd=tree)
    return program


def measure(program, flags, out):
    run([str(program), *flags, f"--benchmark_out={out}", "--benchmark_out_format=json"])
    return json.loads(out.read_text(encoding="utf-8"))


def add_round(whole, content):
    """Appends the runs of a round to those before, as further repetitions of them."""
    runs = [run for run in content["benchmarks"] if run["run_type"] == "iteration"]
    if whole is None:
        return {**content, "benchmarks": runs}
    whole["benchmarks"] += runs
    return whole


def times_of(content):
    times = {}
    for run_ in content["benchmarks"]:
        times.setdefault(run_["run_name"], []).append(run_["ns_per_element"])
    return times


def u_test(a, b):
    """Two-sided p-value of the Mann-Whitney U test, by the normal approximation with ties and continuity corrected."""
    both = sorted(a + b)
    rank, ties = {}, 0
    for value in set(both):
        equal = both.count(value)
        rank[value] = both.index(value) + (equal + 1) / 2
        ties += equal ** 3 - equal
    n, m = len(a), len(b)
    u = sum(rank[value] for value in a) - n * (n + 1) / 2
    variance = n * m / 12 * (n + m + 1 - ties / ((n + m) * (n + m - 1)))
    if variance <= 0:
        return 1.0
    return min(1.0, 2 * statistics.NormalDist().cdf(-max(0.0, abs(u - n * m / 2) - 0.5) / variance ** 0.5))


def is_noisy(times):
    return table.spread_of(times)["noisy"]


def google_can():
    return GOOGLE.exists() and subprocess.run(["/usr/bin/python3", "-c", "import scipy"], capture_output=True,
                                              check=False).returncode == 0


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    command_line.add_version(parser)
    parser.add_argument("a", metavar="A", help="build tree, softlane-bench, or commit: before")
    parser.add_argument("b", metavar="B", help="the same: after")
    parser.add_argument("--filter", metavar="REGEX", default=".", help="of names like softmax/f32/avx2/81x1000")
    parser.add_argument("--cells", metavar="FILE", help="shapes of this file (softlane-bench --cells; both must know it)")
    parser.add_argument("--rounds", type=int, default=9, help="how often each of them runs (9; at least 4)")
    parser.add_argument("--threshold", type=float, default=0.05, help="a slow-down that counts (0.05: 5 %%)")
    arguments = parser.parse_args()
    if arguments.rounds < 4:
        command_line.refuse("--rounds: the U test needs at least 4")
    programs = [program_of(arguments.a), program_of(arguments.b)]
    flags = ["--benchmark_min_time=0.02", "--benchmark_repetitions=1"]
    if arguments.cells:
        flags += ["--cells", arguments.cells]
    directory = ROOT / "build/compare"
    directory.mkdir(parents=True, exist_ok=True)
    outs = [directory / "a.json", directory / "b.json"]
    wholes = [None, None]

    def measure_rounds(filter_):
        for r in range(arguments.rounds):
            for side in (0, 1) if r % 2 == 0 else (1, 0):
                wholes[side] = add_round(wholes[side], measure(programs[side], [*flags, f"--benchmark_filter={filter_}"],
                                                               outs[side]))

    def both_times():
        times = [times_of(whole) for whole in wholes]
        return {name: [times[0][name], times[1][name]] for name in times[0] if name in times[1]}

    def noisy_names():
        return [name for name, sides in both_times().items() if any(map(is_noisy, sides))]

    def measure_names(names):
        print(f"{len(names)} cells spread by more than 10 %: measuring them again ...", flush=True)
        measure_rounds("^(" + "|".join(map(re.escape, names)) + ")$")

    measure_rounds(arguments.filter)
    table.measure_again(noisy_names, measure_names)
    for out, whole in zip(outs, wholes):
        out.write_text(json.dumps(whole, indent=1), encoding="utf-8")

    both = both_times()
    common = list(both)
    if not common:
        command_line.refuse(f"--filter: '{arguments.filter}' matches no benchmark that both have")
    if google_can():
        print(run(["/usr/bin/python3", str(GOOGLE), "--display_aggregates_only", "benchmarks", *map(str, outs)]))
    width = max(map(len, common))
    print(f"{'ns per element, spread':<{width}}  {'A':>13}  {'B':>13}  {'B/A':>7}  {'p':>6}")
    slower, ratios = 0, []
    for name, sides in both.items():
        a, b = map(statistics.median, sides)
        p = u_test(*sides)
        noise = "~" if any(map(is_noisy, sides)) else ""
        worse = b / a > 1 + arguments.threshold and p < SIGNIFICANT
        slower += worse
        ratios += [] if noise else [b / a]
        texts = [f"{statistics.median(of):.4f} {table.spread_of(of)['spread']:3.0f}%" for of in sides]
        print(f"{name:<{width}}  {texts[0]:>13}  {texts[1]:>13}  {b / a:6.3f}{noise:1}  {p:6.4f}{'  slower' if worse else ''}")
    mean = f"{statistics.geometric_mean(ratios):.3f}" if ratios else "-"
    print(f"{len(common)} cells, geometric mean of B/A {mean}{table.left_out(len(common) - len(ratios))}, {slower} slower by more "
          f"than {100 * arguments.threshold:g} % (p < {SIGNIFICANT})")
    sys.exit(1 if slower else 0)


if __name__ == "__main__":
    command_line.run(main)
