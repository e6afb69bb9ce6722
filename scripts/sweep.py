#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Cost as work grows: makes series of what softlane-bench --sweep measured, and lists the cliffs in them.

    build/bench/bench/softlane-bench --sweep --benchmark_filter='/f32/(avx512|public)/' --benchmark_out=sweep.json \\
        --benchmark_out_format=json
    scripts/sweep.py sweep.json --out series.json

A cliff is where an element takes more than 1.5 times what it takes at the neighbouring smaller size, or a whole row longer
than 1.5 times a longer row; except where the machine's roof rises by as much, or the level of the data changes: that is a cache's
border. The last lines say what a public function with one element takes over the table's entry (goal: 10 ns). Standard library only.
"""
import argparse
import json
import pathlib
import statistics
import sys

import command_line

CLIFF = 1.5
CALL_NS = 10


def refuse(message):
    print(f"sweep.py: {message}", file=sys.stderr)
    sys.exit(2)


def read_points(path):
    """The ISA in use, and {(kernel, dtype, isa): {(rows, columns): (ns, roof's ns or None, level)}}, ns per element, medians."""
    points, in_use = {}, None
    try:
        runs, content = {}, json.loads(path.read_text(encoding="utf-8"))
        in_use = content["context"]["isa_in_use"]
        for run in content["benchmarks"]:
            if run["run_type"] == "iteration":
                runs.setdefault(run["run_name"], []).append(run)
        for name, repetitions in runs.items():
            kernel, dtype, isa, shape = name.split("/")[:4]
            rows, columns = (int(n) for n in shape.split("x"))
            ns = statistics.median(r["ns_per_element"] for r in repetitions)
            roof = min(r["ns_per_element"] / r["x_roof"] for r in repetitions) if "x_roof" in repetitions[0] else None
            points.setdefault((kernel, dtype, isa), {})[rows, columns] = ns, roof, repetitions[0]["label"]
    except OSError as error:
        refuse(f"{path}: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        points = {}
    if not points:
        refuse(f"{path}: holds no results of softlane-bench --sweep")
    return in_use, points


def series_of(points):
    """(what grows, [(size, shape)]) for the three series of a sweep: sizes of one row, columns in cache, rows of 1000."""
    yield "columns of one row", sorted((columns, (rows, columns)) for rows, columns in points if rows == 1)
    yield "columns, in the L2", sorted((columns, (rows, columns)) for rows, columns in points if rows > 1 and columns != 1000)
    yield "rows of 1000 columns", sorted((rows, (rows, columns)) for rows, columns in points if rows > 1 and columns == 1000)


def cliffs(growing, line, points):
    for (_, small), (_, large) in zip(line, line[1:]):
        (ns, roof, level), (next_ns, next_roof, next_level) = points[small], points[large]
        rise = next_ns / ns
        of_roof = next_roof / roof if roof and next_roof else 1
        if rise > CLIFF and rise / of_roof > CLIFF and level == next_level:
            yield small, ns, large, next_ns, f"{rise:.2f}x per element"
        longer = ns * small[1] / (next_ns * large[1])
        if growing.startswith("columns") and longer > CLIFF and level == next_level:
            yield small, ns, large, next_ns, f"the shorter row takes {longer:.2f}x as long"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    command_line.add_version(parser)
    parser.add_argument("sweep", metavar="SWEEP.json", type=pathlib.Path)
    parser.add_argument("--out", metavar="FILE", type=pathlib.Path, help="the series, ready to plot")
    arguments = parser.parse_args()
    in_use, all_points = read_points(arguments.sweep)

    found, series = 0, []
    for (kernel, dtype, isa), points in all_points.items():
        for growing, line in series_of(points):
            if len(line) < 2:
                continue
            series.append({"kernel": kernel, "dtype": dtype, "isa": isa, "grows": growing, "size": [n for n, _ in line],
                           "shape": [list(shape) for _, shape in line],
                           **{key: [points[shape][i] for _, shape in line]
                              for i, key in enumerate(("ns_per_element", "roof_ns_per_element", "level"))}})
            for small, ns, large, next_ns, what in cliffs(growing, line, points):
                found += 1
                print(f"{kernel}/{dtype}/{isa}: {small[0]}x{small[1]} {ns:.3f} ns, {large[0]}x{large[1]} {next_ns:.3f} ns: "
                      f"{what}")
    print(f"{len(series)} series, {found} cliffs above {CLIFF}x")
    if arguments.out:
        arguments.out.write_text(json.dumps({"series": series}), encoding="utf-8")

    calls = {}
    for (kernel, dtype, isa), points in all_points.items():
        if (1, 1) in points:
            calls.setdefault((kernel, dtype), {})[isa] = points[1, 1][0]
    overheads = {key: by_isa["public"] - by_isa[in_use]
                 for key, by_isa in calls.items() if "public" in by_isa and in_use in by_isa}
    for (kernel, dtype), ns in overheads.items():
        print(f"sl_{kernel}_{dtype}: {ns:.1f} ns over the table's entry{f' (goal: {CALL_NS} ns)' if ns > CALL_NS else ''}")
    if overheads:
        print(f"calls: median {statistics.median(overheads.values()):.1f} ns, largest {max(overheads.values()):.1f} ns")


if __name__ == "__main__":
    command_line.run(main)
