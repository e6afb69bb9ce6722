#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Prints what softlane-bench and softlane-accuracy measured as one table: speed beside error beside the roof.

One line per kernel, element type and shape (kernel+grad is a loss with its gradient): CPU time per element on
every ISA (the median of the repetitions), its spread (their interquartile range over the median), and the
speed-up over scalar; then, of the fastest ISA, the time over the roof's and the largest error found. What
spreads by more than 10 % is marked ~, and no mean counts it. A second table has the errors of all ISAs beside their bounds, or
with --markdown those of the two classes of ISAs, and where they were found. Standard library only.
"""

import argparse
import json
import re
import signal
import statistics

import command_line

REFERENCE = "scalar"  # speed-ups are over this ISA
BASELINE = "libm"  # the peer that is measured where none is asked for
NOISE_PERCENT = 10
PEERS = ("libm", "detour", "libmvec", "sleef", "mkl", "eigen", "onednn", "xnnpack", "onnxruntime", "torch")
FAST = {"sigmoid": "sigmoid_fast"}  # kernels with a fast tier


def read_results(path, read, program):
    """The file of a program, and what `read` makes of it; refuses it if that is nothing."""
    try:
        with open(path, encoding="utf-8") as file:
            content = json.load(file)
        if "benchmarks" in content:  # without what an interruption left out
            content["benchmarks"] = [run for run in content["benchmarks"] if "ns_per_element" in run]
        results = read(content)
    except OSError as error:
        command_line.refuse(f"{path}: {error.strerror}")
    except (ValueError, KeyError, TypeError, AttributeError):
        results = None
    if not results:
        command_line.refuse(f"{path}: holds no results of {program}")
    return content, results


def regex(text):
    try:
        return re.compile(text)
    except re.error as error:
        raise argparse.ArgumentTypeError(f"'{text}': {error}")


def spread_of(values):
    """Median, quartiles and spread of repetitions, as bench/spread.h has them; the spread is None of one alone."""
    if len(values) < 2:
        return {"low": values[0], "high": values[0], "spread": None, "noisy": False}
    low, median, high = statistics.quantiles(values, method="inclusive")
    spread = 100 * (high - low) / median
    return {"low": low, "high": high, "spread": spread, "noisy": not spread <= NOISE_PERCENT}


def measure_again(noisy, measure, most=2):
    """Calls measure(names) for what noisy() names, as long as there is any, up to `most` times."""
    for _ in range(most):
        names = noisy()
        if not names:
            return
        measure(names)


def cell_of(repetitions):
    """What is known of a benchmark from its repetitions."""
    cell = {key: statistics.median(r[key] for r in repetitions)
            for key in ("ns_per_element", "x_roof", "bytes_per_second", "cycles_per_element", "clock_ghz")
            if key in repetitions[0]}  # nll has no roof
    cell.update(spread_of([r["ns_per_element"] for r in repetitions]))
    roof = max(r.get("roof_spread_percent", -1) for r in repetitions)
    cell["roof_noisy"] = cell["noisy"] or roof > NOISE_PERCENT
    cell["level"] = repetitions[0]["label"]
    return cell


def mark(*cells, key="noisy"):
    """~ where one of them is noise."""
    return "~" if any(cell.get(key) for cell in cells) else ""


def left_out(noisy):
    """What a line says of the noisy cells that its means do not count."""
    return f"; {noisy} noisy cell{'s' * (noisy != 1)} (~) left out" if noisy else ""


def mean_of(ratios):
    return f"{statistics.geometric_mean(ratios):.2f}x" if ratios else "-"


def least_of(ratios):
    return f"{min(ratios):.2f}x" if ratios else "-"


def read_cells(bench):
    """{(kernel, dtype, shape): {isa: cell}} as they were registered (interleaving shuffles the file)."""
    runs = {}
    for run in sorted(bench["benchmarks"], key=lambda run: run["family_index"]):
        if run["run_type"] == "iteration":
            runs.setdefault(run["run_name"], []).append(run)
    cells = {}
    for name, repetitions in runs.items():
        kernel, dtype, isa, shape, *threads = name.split("/")
        if threads:  # of softlane-bench --threads: print_scaling
            continue
        cells.setdefault((kernel, dtype, shape), {})[isa] = cell_of(repetitions)
    return cells


def isas_of(rows):
    """All ISAs once, in the order of the manifest: best first."""
    return list(dict.fromkeys(isa for by_isa in rows for isa in by_isa))


def read_errors(accuracy):
    """{(kernel, dtype): {isa: result}}"""
    errors = {}
    for result in accuracy["results"]:
        errors.setdefault((result["kernel"], result["dtype"]), {})[result["isa"]] = result
    return errors


def exceeds(result):
    return float(result["max_ulp"]) > float(result["bound"])  # NaN: nothing was compared


def digits(value):
    """Three significant digits, or all of the integer part."""
    value = float(f"{value:.3g}") if value < 1000 else value
    return f"{value:.{max(0, 3 - len(str(int(value))) if value >= 1 else 3)}f}"


def without_peers(by_isa):
    return {isa: cell for isa, cell in by_isa.items() if isa not in PEERS}


def peer_rows(cells, errors, with_spread):
    """One row per cell that a peer has: the fastest peer, and softlane's fastest ISA, of both tiers."""
    def fastest(by_isa):
        return min(by_isa.items(), key=lambda item: item[1]["ns_per_element"], default=(None, None))

    def ulp(kernel, dtype, isa):
        result = errors.get((kernel, dtype), {}).get(isa)
        return f"{float(result['max_ulp']):.3g}" if result else "-"

    for (kernel, dtype, shape), by_isa in cells.items():
        peer, theirs = fastest({isa: cell for isa, cell in by_isa.items() if isa in PEERS})
        isa, ours = fastest(without_peers(by_isa))
        if not peer or not isa:
            continue
        _, fast = fastest(without_peers(cells.get((FAST.get(kernel), dtype, shape), {})))
        best = min(ours["ns_per_element"], fast["ns_per_element"] if fast else float("inf"))
        used = fast if fast and fast["ns_per_element"] == best else ours
        ratio, noise = theirs["ns_per_element"] / best, mark(theirs, used)
        yield ([kernel, dtype, shape, ours["level"], peer, ns_text(theirs, with_spread),
                ulp(kernel, dtype, peer), ns_text(ours, with_spread), ulp(kernel, dtype, isa),
                ns_text(fast, with_spread) if fast else "-", digits(ratio) + "x" + noise,
                digits(ours["x_roof"]) + mark(ours, key="roof_noisy") if "x_roof" in ours else "-"],
               None if noise else ratio)


def print_peers(print_table, cells, errors):
    others = set(PEERS) - {BASELINE}
    if not any(others & by_isa.keys() for by_isa in cells.values()):
        return
    rows = list(peer_rows(cells, errors, print_table is print_text))
    ratios = [ratio for _, ratio in rows if ratio]
    print("\nThe fastest peer and softlane, ns per element and their spread; ratio = theirs over ours (the fast\n"
          "tier's where there is one):\n")
    print_table(["kernel", "dtype", "shape", "in", "peer", "ns", "ULP", "softlane", "ULP", "fast", "ratio",
                 "x roof"], [row for row, _ in rows], left=5)
    print(f"\nratios: geometric mean {mean_of(ratios)}, minimum {least_of(ratios)}, "
          f"below 1 in {sum(ratio < 1 for ratio in ratios)} of {len(ratios)} cells"
          + left_out(len(rows) - len(ratios)))


def read_goals(path):
    """{(kernel, dtype, shape): goal} of cells.txt; a goal is ns per element, or with an x times the roof."""
    goals = {}
    try:
        with open(path, encoding="utf-8") as file:
            for words in (line.split() for line in file if line.strip() and not line.startswith("#")):
                goals[tuple(words[0].split("/"))] = words[1] if len(words) > 1 else None
    except OSError as error:
        command_line.refuse(f"{path}: {error.strerror}")
    return goals


def verdict(goal, cell):
    reached = cell.get("x_roof", float("inf")) if goal.endswith("x") else cell["ns_per_element"]
    noise = mark(cell, key="roof_noisy" if goal.endswith("x") else "noisy")
    return f"{goal} {'yes' if reached <= float(goal.rstrip('x')) else 'no'}{noise}"


def beside_rows(beside):
    """{(kernel, dtype, shape): {who: row}} of a file of peers.py, where one of the peers is softlane."""
    rows = {}
    for run in beside["benchmarks"]:
        kernel, dtype, who, shape = run["name"].split("/")
        height, width = shape.split("x")
        of_call = run["call_ns"] / (int(height) * int(width))
        rows.setdefault((kernel, dtype, shape), {})[who] = {
            "ns_per_element": run["ns_per_element"] - of_call, "call": of_call, "ulp": "-" if run["max_ulp"] is None else f"{run['max_ulp']:.3g}",
            "low": run.get("ns_low", run["ns_per_element"]) - of_call,
            "high": run.get("ns_high", run["ns_per_element"]) - of_call,
            "spread": run.get("spread_percent"), "noisy": bool(run.get("noisy"))}
    return rows


def contests(key, tier, cells, besides, errors, isa):
    """What each peer takes, its ratio to softlane's `tier` of a kernel in the same process, and the noise."""
    kernel, dtype, shape = key
    ours = cells.get((tier, dtype, shape), {}).get(isa)
    for peer, cell in cells.get(key, {}).items():
        if peer in PEERS and ours:
            error = errors.get((kernel, dtype), {}).get(peer)
            yield (cell["ns_per_element"] / ours["ns_per_element"], peer, cell, None,
                   f"{float(error['max_ulp']):.3g}" if error else "-", mark(cell, ours))
    for rows in besides:
        ours = rows.get((tier, dtype, shape), {}).get("softlane")
        for peer, row in rows.get(key, {}).items():
            if peer != "softlane" and ours:
                yield row["ns_per_element"] / ours["ns_per_element"], peer, row, row["call"], row["ulp"], mark(row, ours)


def print_level(context):
    """Of a file of levels.py: to what all were limited, and who could not be."""
    if "level" in context:
        print(f"level {context['level']}: all limited to it; {context['processes']} processes of each kind, in random order")
        for reason in context["left_out"]:
            print(f"not in this table: {reason}")


def print_ratios(ratios, noisy):
    if ratios or noisy:
        print(f"below 1: {sum(ratio < 1 for ratio in ratios)} of {len(ratios)} cells{left_out(noisy)}")
        print(f"geometric mean of the ratios: {mean_of(ratios)}")
        print(f"minimum of the ratios:        {least_of(ratios)}")


def print_cells(print_table, goals, cells, besides, errors, context):
    """One row per cell of cells.txt: the best peer, softlane's tiers, and the goal, which is one for the best ISA."""
    isa, has_goals = context.get("level", context["isa_in_use"]), context.get("best_level", True)
    rows, ratios, noisy, with_spread = [], [], 0, print_table is print_text
    for key, goal in goals.items():
        kernel, dtype, shape = key
        ours = cells.get(key, {}).get(isa)
        if not ours or kernel in FAST.values():
            continue
        fast_key = (FAST.get(kernel), dtype, shape)
        fast = cells.get(fast_key, {}).get(isa)
        tier = fast_key[0] if fast and ours["level"] != "DRAM" else kernel
        best = min(contests(key, tier, cells, besides, errors, isa), default=None, key=lambda of: of[0])
        if best and not best[5]:
            ratios.append(best[0])
        noisy += bool(best and best[5])
        verdicts = [verdict(goal, ours)] if goal else []
        if fast and goals.get(fast_key):
            verdicts.append("fast " + verdict(goals[fast_key], fast))
        error = errors.get((kernel, dtype), {}).get(isa)
        theirs = ["-"] * 4
        if best:
            theirs = [best[1], ns_text(best[2], with_spread), digits(best[3]) if best[3] else "-", best[4]]
        rows.append([kernel, dtype, shape, ours["level"], *theirs, ns_text(ours, with_spread),
                     f"{float(error['max_ulp']):.3g}" if error else "-",
                     ns_text(fast, with_spread) if fast else "-",
                     digits(best[0]) + "x" + best[5] if best else "-",
                     digits(ours["x_roof"]) + mark(ours, key="roof_noisy") if "x_roof" in ours else "-",
                     *([", ".join(verdicts) or "-"] if has_goals else [])])
    if not rows:
        command_line.refuse("--cells: none of them was measured")
    print(f"""
The cells that speed is judged by, ns per element{" and their spread" if with_spread else ""}: the peer that comes nearest, and softlane ({isa}).
ratio = the peer's time over softlane's in the same processes: the fast tier's where there is one and the
data is in a cache, else the default's. ONNX Runtime and PyTorch run beside softlane in Python, interleaved
round by round; of their ns, and of softlane's there, the time of the same call with one element has been
taken off (call, ns per element). Their ULP are of the cell itself, all others the largest of any input.
~: the repetitions spread by more than 10 % (interquartile range / median).
""")
    print_table(["kernel", "dtype", "shape", "in", "peer", "ns", "call", "ULP", "softlane", "ULP", "fast",
                 "ratio", "x roof", *(["goal"] if has_goals else [])], rows, left=5)
    print()
    print_ratios(ratios, noisy)


def call_text(cell, shape):
    """ns of a whole call."""
    height, width = shape.split("x")
    return digits(cell["ns_per_element"] * int(height) * int(width)) + mark(cell)


def print_calls(print_table, cells):
    """One row per small call: softlane's public function, which checks its arguments, and every peer that has it."""
    rows, ratios, noisy = [], [], 0
    names = [peer for peer in PEERS if any(peer in by_isa for by_isa in cells.values())]
    for (kernel, dtype, shape), by_isa in cells.items():
        ours = by_isa.get("public")
        theirs = [(cell["ns_per_element"], peer) for peer, cell in by_isa.items() if peer in PEERS]
        if not ours or not theirs:
            continue
        ns, peer = min(theirs)
        ratio, noise = ns / ours["ns_per_element"], mark(ours, by_isa[peer])
        noisy += bool(noise)
        ratios += [] if noise else [ratio]
        rows.append([kernel, dtype, shape, call_text(ours, shape),
                     *(call_text(by_isa[name], shape) if name in by_isa else "-" for name in names),
                     peer, digits(ratio) + "x" + noise])
    if not rows:
        command_line.refuse("--calls: no public function beside a peer was measured")
    print("""
Small calls, ns of a whole one: softlane's public functions, checks and dispatch included, and the peers;
libm is a plain loop at -O3, compiled for the level. ratio = the fastest peer's time over softlane's.
~: the repetitions spread by more than 10 % (interquartile range / median).
""")
    print_table(["kernel", "dtype", "shape", "softlane", *names, "fastest", "ratio"], rows, left=3)
    print()
    print_ratios(ratios, noisy)


def scaling_rows(bench, with_spread):
    """One row per cell that one thread and several ran: both on the wall, bandwidth, the roof of as many."""
    runs = {}
    for run in sorted(bench["benchmarks"], key=lambda run: run["family_index"]):
        if run["run_type"] == "iteration":
            name, _, threads = run["run_name"].partition("/threads:")
            runs.setdefault(name, {}).setdefault(int(threads or 1), []).append(run)
    for name, by_threads in runs.items():
        for threads in by_threads.keys() - {1}:
            one, several = cell_of(by_threads[1]), cell_of(by_threads[threads])
            kernel, dtype, isa, shape = name.split("/")
            row = [kernel, dtype, isa, shape, one["level"], ns_text(one, with_spread),
                   str(threads), ns_text(several, with_spread),
                   digits(one["ns_per_element"] / several["ns_per_element"]) + "x" + mark(one, several)]
            yield row + ([digits(several["bytes_per_second"] / 1e9) + mark(several),
                          digits(one["x_roof"]) + mark(one, key="roof_noisy"),
                          digits(several["x_roof"]) + mark(several, key="roof_noisy")]
                         if "x_roof" in several else ["-"] * 3)


def print_scaling(print_table, bench):
    rows = list(scaling_rows(bench, print_table is print_text))
    if rows:
        print("\nOne thread and several, ns per element (several: on the wall); x roof = over as many\n"
              "threads' read or copy:\n")
        print_table(["kernel", "dtype", "isa", "shape", "in", "ns", "threads", "ns", "scaling", "GB/s",
                     "x roof of 1", "x roof"], rows, left=5)


def ns_text(cell, with_spread):
    """ns per element, and the spread of the repetitions where that is wanted and known."""
    text = f"{digits(cell['ns_per_element'])}{mark(cell):1}"
    if with_spread:
        text += "    " if cell["spread"] is None else f"{cell['spread']:>3.0f}%"
    return text


def time_text(cell, reference, with_spread):
    """Median, spread, and the speed-up over the reference; as wide in every row of a column."""
    text = ns_text(cell, with_spread)
    if reference and reference is not cell:
        ratio = digits(reference["ns_per_element"] / cell["ns_per_element"]) + "x"
        text += f" {ratio:>5}{mark(reference, cell):1}"
    return text


def print_noise(cells):
    every = [cell for by_isa in cells.values() for cell in by_isa.values()]
    noisy = sum(cell["noisy"] for cell in every)
    print(f"\n{noisy} of {len(every)} times are noisy (~)" if noisy else
          f"\nnone of {len(every)} times is noisy (~)")


def speed_rows(cells, isas, errors, with_spread):
    for (kernel, dtype, shape), all_of_it in cells.items():
        by_isa = without_peers(all_of_it)
        if not by_isa:
            continue
        fastest = min(by_isa, key=lambda isa: by_isa[isa]["ns_per_element"])
        row = [kernel, dtype, shape, by_isa[fastest]["level"]]
        row += [time_text(all_of_it[isa], by_isa.get(REFERENCE), with_spread) if isa in all_of_it else "-"
                for isa in isas]
        error = errors.get((kernel, dtype), {}).get(fastest)
        row.append(digits(by_isa[fastest]["x_roof"]) + mark(by_isa[fastest], key="roof_noisy")
                   if "x_roof" in by_isa[fastest] else "-")
        row.append("-" if not error else f"{float(error['max_ulp']):.2f}" + ("!" if exceeds(error) else ""))
        yield row


def measured_of_bound(result):
    if float(result["bound"]) == float("inf"):  # a peer
        return f"{float(result['max_ulp']):.3g}"
    return f"{float(result['max_ulp']):.2f} of {float(result['bound']):g}" + ("!" if exceeds(result) else "")


def error_rows(errors, isas):
    for (kernel, dtype), by_isa in errors.items():
        row = [kernel, dtype]
        for isa in isas:
            result = by_isa.get(isa)
            row.append(measured_of_bound(result) if result else "-")
        yield row


def witness(result):
    """Where the error was found. Of a row: distribution, shape and place in it; all can be made again."""
    worst = result["worst"]
    if not float(result["max_ulp"]):
        return "-"
    if worst["distribution"] in ("all floats", "bit patterns"):
        return worst["x"] + (f", {worst['second']}" if "second" in worst else "")
    return f"{worst['distribution']} {worst['shape']} [{worst['row']}, {worst['column']}]"


def class_rows(errors):
    """One row per kernel and element type: for each class of ISAs its error of the bound, and where."""
    for (kernel, dtype), by_isa in errors.items():
        by_class = {}
        for result in by_isa.values():
            if float(result["bound"]) < float("inf"):
                by_class.setdefault(result["fma"], result)
        yield [kernel, dtype, *(cell for fma in (True, False) for cell in (
            [measured_of_bound(by_class[fma]), witness(by_class[fma])] if fma in by_class else ["-", "-"]))]


def by_kernel(rows):
    """Rows of one kernel together: the manifest has a loss and its gradient in turn, one element type after another."""
    kernels = list(dict.fromkeys(row[0] for row in rows))
    return sorted(rows, key=lambda row: kernels.index(row[0]))


def print_text(heading, rows, left):
    """Columns as wide as they need to be, the first `left` of them aligned left. A kernel of several rows is
    named above them, to save the width of a column."""
    rows = [heading, *by_kernel(list(rows))]
    named_above = len({row[0] for row in rows}) < len(rows)
    widths = [max(len(row[i]) for row in rows) for i in range(len(heading))]
    for previous, row in zip([rows[0], *rows], rows):
        cells = [row[i].ljust(widths[i]) if i < left else row[i].rjust(widths[i]) for i in range(len(row))]
        if named_above:
            if row[0] != previous[0]:
                print(row[0])
            cells[0] = ""
        print("  ".join(cells).rstrip())


def print_markdown(heading, rows, left):
    print("| " + " | ".join(heading) + " |")
    print("|" + "|".join("---" if i < left else "---:" for i in range(len(heading))) + "|")
    for row in by_kernel(list(rows)):
        print("| " + " | ".join(re.sub(" +", " ", cell.strip()) for cell in row) + " |")


def describe(bench):
    """Where the figures come from, from the context that softlane-bench wrote."""
    context = bench["context"]
    caches = ", ".join(f"{name} {context.get(key, '?')}"
                       for name, key in (("L1d", "cache_l1d"), ("L2", "cache_l2"), ("L3", "cache_l3")))
    return (f"{context.get('cpu', '?')}, one core; {caches}\n"
            f"softlane {context.get('softlane_version', '?')} ({context.get('softlane_commit', '?')}), "
            f"{context.get('compiler', '?')} {context.get('compiler_flags', '')}, "
            f"{context.get('date', '?')[:10]}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    command_line.add_version(parser)
    parser.add_argument("bench", metavar="BENCH.json", help="from softlane-bench --benchmark_out=BENCH.json")
    parser.add_argument("accuracy", metavar="ACCURACY.json", nargs="?",
                        help="from softlane-accuracy --json ACCURACY.json")
    parser.add_argument("--markdown", action="store_true", help="tables in Markdown, for docs/results")
    parser.add_argument("--only", metavar="REGEX", type=regex, default=".",
                        help="leave out speeds of other kernel/dtype/shape")
    parser.add_argument("--cells", metavar="CELLS.txt", help="one line for each of these cells instead")
    parser.add_argument("--beside", metavar="PEERS.json", nargs="+", action="extend", default=[],
                        help="with --cells: from peers.py --out or levels.py")
    parser.add_argument("--calls", action="store_true", help="whole calls of public functions instead (levels.py)")
    parser.add_argument("--variants", action="store_true",
                        help="print a regular expression for the kernel/dtype/isa in BENCH.json instead")
    arguments = parser.parse_args()

    bench, cells = read_results(arguments.bench, read_cells, "softlane-bench")
    if arguments.variants:
        print("^(" + "|".join(re.escape(f"{kernel}/{dtype}/{isa}") for kernel, dtype, isa in dict.fromkeys(
            (kernel, dtype, isa) for (kernel, dtype, _), by_isa in cells.items() for isa in by_isa)) + ")$")
        return

    cells = {key: by_isa for key, by_isa in cells.items() if arguments.only.search("/".join(key))}
    if not cells:
        command_line.refuse(f"--only: '{arguments.only.pattern}' matches nothing in {arguments.bench}")
    errors = {}
    if arguments.accuracy:
        _, errors = read_results(arguments.accuracy, read_errors, "softlane-accuracy")
    print_table = print_markdown if arguments.markdown else print_text
    if arguments.cells:
        besides = [read_results(path, beside_rows, "peers.py") for path in arguments.beside]
        print(describe(bench))
        print_level(bench["context"])
        for content, _ in besides:
            print("beside " + content["context"]["runtime"])
        print_cells(print_table, read_goals(arguments.cells), cells, [rows for _, rows in besides], errors, bench["context"])
        return
    if arguments.calls:
        print(describe(bench))
        print_level(bench["context"])
        print_calls(print_table, cells)
        return
    print(describe(bench))
    spread = "" if arguments.markdown else ", their spread (interquartile range / median)"
    print(f"ns per element, CPU time: the median of the repetitions{spread};\n"
          "speed-up over scalar. Of the fastest ISA: x roof = time over that of a plain read or copy of the same\n"
          "bytes; max ULP = largest error found, on any input. libm: the textbook formulas in C.\n"
          "~: spreads by more than 10 %, also after measuring again.\n")
    isas = [isa for isa in isas_of(cells.values()) if isa not in PEERS or isa == BASELINE]
    print_table(["kernel", "dtype", "shape", "in", *isas, "x roof", "max ULP"],
                speed_rows(cells, isas, errors, with_spread=not arguments.markdown), left=4)
    print_noise(cells)
    print_peers(print_table, cells, errors)
    print_scaling(print_table, bench)
    if errors:
        print("\nLargest error in ULP of its bound (! where it exceeds it):\n")
        if arguments.markdown:
            print_table(["kernel", "dtype", "FMA", "at", "no FMA", "at"], class_rows(errors), left=2)
        else:
            isas = isas_of(errors.values())  # the peers', too
            print_table(["kernel", "dtype", *isas], error_rows(errors, isas), left=2)


if __name__ == "__main__":
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)  # a reader like head may leave early
    command_line.run(main)
