#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Cost as work grows: makes series of what softlane-bench --sweep measured, and lists the cliffs in them.

    build/bench/bench/softlane-bench --sweep --benchmark_filter='/f32/(avx512|public)/' --benchmark_out=sweep.json \\
        --benchmark_out_format=json
    scripts/sweep.py sweep.json --out series.json

A cliff is where an element takes more than 1.5 times what it takes at the neighbouring smaller size, or a whole row longer
than 1.5 times a longer row; except where the machine's roof rises by as much, or the level of the data changes: that is a cache's
border. Times that spread by more than 10 % are marked ~ (table.py). The last lines say what a public function with one element takes over the table's entry (goal: 10 ns). Standard library only.
"""
import argparse
import json
import pathlib
import statistics

import command_line
import table

CLIFF = 1.5
CALL_NS = 10


def read_points(path):
    """The ISA in use, and {(kernel, dtype, isa): {(rows, columns): point}}, ns per element, medians."""
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
            cell = table.cell_of(repetitions)
            roof = min(r["ns_per_element"] / r["x_roof"] for r in repetitions) if "x_roof" in repetitions[0] else None
            points.setdefault((kernel, dtype, isa), {})[rows, columns] = {
                "ns_per_element": cell["ns_per_element"], "roof_ns_per_element": roof, "level": cell["level"],
                "spread_percent": cell["spread"], "noisy": cell["noisy"]}
    except OSError as error:
        command_line.refuse(f"{path}: {error.strerror}")
    except (ValueError, KeyError, TypeError):
        points = {}
    if not points:
        command_line.refuse(f"{path}: holds no results of softlane-bench --sweep")
    return in_use, points


def series_of(points):
    """(what grows, [(size, shape)]) for the three series of a sweep: sizes of one row, columns in cache, rows of 1000."""
    yield "columns of one row", sorted((columns, (rows, columns)) for rows, columns in points if rows == 1)
    yield "columns, in the L2", sorted((columns, (rows, columns)) for rows, columns in points if rows > 1 and columns != 1000)
    yield "rows of 1000 columns", sorted((rows, (rows, columns)) for rows, columns in points if rows > 1 and columns == 1000)


def cliffs(growing, line, points):
    """(the smaller one, the larger one, what is steep between them)"""
    for (_, small), (_, large) in zip(line, line[1:]):
        one, other = points[small], points[large]
        rise = other["ns_per_element"] / one["ns_per_element"]
        roofs = one["roof_ns_per_element"], other["roof_ns_per_element"]
        of_roof = roofs[1] / roofs[0] if all(roofs) else 1
        same_level = one["level"] == other["level"]
        if rise > CLIFF and rise / of_roof > CLIFF and same_level:
            yield small, large, f"{rise:.2f}x per element"
        longer = small[1] / (rise * large[1])
        if growing.startswith("columns") and longer > CLIFF and same_level:
            yield small, large, f"the shorter row takes {longer:.2f}x as long"


def place(shape, points):
    return f"{shape[0]}x{shape[1]} {points[shape]['ns_per_element']:.3f}{table.mark(points[shape])} ns"


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    command_line.add_version(parser)
    parser.add_argument("sweep", metavar="SWEEP.json", type=pathlib.Path)
    parser.add_argument("--out", metavar="FILE", type=pathlib.Path, help="the series, ready to plot")
    arguments = parser.parse_args()
    in_use, all_points = read_points(arguments.sweep)

    found, noisy, series = 0, 0, []
    for (kernel, dtype, isa), points in all_points.items():
        for growing, line in series_of(points):
            if len(line) < 2:
                continue
            series.append({"kernel": kernel, "dtype": dtype, "isa": isa, "grows": growing, "size": [n for n, _ in line],
                           "shape": [list(shape) for _, shape in line],
                           **{key: [points[shape][key] for _, shape in line] for key in points[line[0][1]]}})
            for small, large, what in cliffs(growing, line, points):
                found += 1
                noisy += bool(table.mark(points[small], points[large]))
                print(f"{kernel}/{dtype}/{isa}: {place(small, points)}, {place(large, points)}: {what}")
    print(f"{len(series)} series, {found} cliffs above {CLIFF}x" + (f", {noisy} of them noisy (~)" if noisy else ""))
    if arguments.out:
        arguments.out.write_text(json.dumps({"series": series}), encoding="utf-8")

    calls = {}
    for (kernel, dtype, isa), points in all_points.items():
        if (1, 1) in points:
            calls.setdefault((kernel, dtype), {})[isa] = points[1, 1]
    overheads = {key: (by_isa["public"]["ns_per_element"] - by_isa[in_use]["ns_per_element"],
                       table.mark(by_isa["public"], by_isa[in_use]))
                 for key, by_isa in calls.items() if "public" in by_isa and in_use in by_isa}
    for (kernel, dtype), (ns, noise) in overheads.items():
        print(f"sl_{kernel}_{dtype}: {ns:.1f}{noise} ns over the table's entry{f' (goal: {CALL_NS} ns)' if ns > CALL_NS else ''}")
    calm = [ns for ns, noise in overheads.values() if not noise]
    if calm:
        print(f"calls: median {statistics.median(calm):.1f} ns, largest {max(calm):.1f} ns"
              + table.left_out(len(overheads) - len(calm)))


if __name__ == "__main__":
    command_line.run(main)
