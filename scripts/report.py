#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes one HTML file of what softlane-bench and softlane-accuracy measured: plots and tables, no network needed.

Reads the same files as table.py, and through its code. The figures are matplotlib's SVG with two changes: the
colours become CSS variables, so that they follow light and dark, and names are taken out, since many share a page.
Needs Debian's python3-matplotlib.
"""

import argparse
import html
import io
import math
import pathlib
import re
import statistics
import sys

import table


def refuse(message):
    print(f"report.py: {message}", file=sys.stderr)
    sys.exit(2)


table.refuse = refuse  # what its reading code says is said in this program's name

try:
    import matplotlib

    matplotlib.use("svg")
    from matplotlib import pyplot as plt
    from matplotlib.ticker import FuncFormatter
except ImportError as error:
    refuse(f"needs python3-matplotlib ({error})")

INK = "#010203"  # becomes currentColor
# (light, dark), of the ISAs and peers in their order; in the figures each one stands for a CSS variable.
COLOURS = [("#1f5fa8", "#6cb0ff"), ("#c2540a", "#ff9f57"), ("#2c7d3f", "#67cf83"), ("#7b4a9e", "#c79be8"),
           ("#a11d33", "#ff7b8e"), ("#0a7a80", "#4fd0d6"), ("#7a6a00", "#d9c437"), ("#b03a86", "#f58ccd"),
           ("#5a5a5a", "#b5b5b5"), ("#7c5234", "#d3a37c")]
ITEM_SIZE = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2}
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}

matplotlib.rcParams.update({
    "svg.fonttype": "none", "font.family": "sans-serif", "font.size": 9, "axes.titlesize": 10, "text.color": INK,
    "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK, "grid.color": INK,
    "grid.alpha": 0.15, "axes.grid": True, "axes.axisbelow": True, "axes.spines.top": False,
    "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8,
})


class Run:
    """What one run measured: the files of softlane-bench, and of softlane-accuracy and peers.py with it."""

    def __init__(self, path):
        self.bench, self.cells = table.read_results(path, table.read_cells, "softlane-bench")
        self.path, self.context, self.errors, self.bytes, self.spread = path, self.bench["context"], {}, {}, {}
        self.measure(self.bench)

    def add(self, path):
        content, _ = table.read_results(path, lambda content: content.get("results") or content["benchmarks"],
                                        "softlane-bench, softlane-accuracy or peers.py")
        if "results" in content:
            for key, by_isa in table.read_errors(content).items():
                self.errors[key] = by_isa | self.errors.get(key, {})
        elif "runtime" in content["context"]:
            for key, by_who in table.beside_rows(content).items():
                for who, row in by_who.items():
                    if who != "softlane":
                        self.cells.setdefault(key, {})[who] = {"ns_per_element": row["ns"], "level": "",
                                                               "ulp": float(row["ulp"])}
        else:
            _, cells = table.read_results(path, table.read_cells, "softlane-bench")
            for key, by_isa in cells.items():
                self.cells[key] = by_isa | self.cells.get(key, {})
            self.measure(content)

    def measure(self, bench):
        """Bytes per call, and the spread of the repetitions, by the name of the benchmark."""
        times = {}
        for run in bench["benchmarks"]:
            if run["run_type"] == "iteration":
                times.setdefault(run["run_name"], []).append(run["ns_per_element"])
                if "bytes_per_second" in run:
                    kernel, dtype, _, shape = run["run_name"].split("/")[:4]
                    self.bytes[kernel, dtype, shape] = run["bytes_per_second"] * run["ns_per_element"] * \
                        elements(shape) * 1e-9
        for name, ns in times.items():
            if len(ns) > 1:
                self.spread[tuple(name.split("/"))] = (max(ns) - min(ns)) / statistics.median(ns) * 100

    def size(self, key):
        """Bytes per call; of a shape that only a peer ran, as many per element as in the other shapes of its kernel."""
        if key in self.bytes:
            return self.bytes[key]
        of_element = [size / elements(other[2]) for other, size in self.bytes.items() if other[:2] == key[:2]]
        return elements(key[2]) * (statistics.median(of_element) if of_element else ITEM_SIZE[key[1]])

    def ulp(self, kernel, dtype, isa, cell):
        error = self.errors.get((kernel, dtype), {}).get(isa)
        return float(error["max_ulp"]) if error else cell.get("ulp")


def elements(shape):
    return math.prod(map(int, shape.split("x")))


def bytes_text(size, _=None):
    for unit, factor in reversed(UNITS.items()):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size:.4g} B"


def marker_of(isa):
    return "D" if isa in table.PEERS else "o"


def plain_ticks(axis):
    """Numbers without powers of ten, and those of 2 and 5 between them."""
    axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axis.set_minor_formatter(FuncFormatter(lambda value, _: f"{value:g}" if f"{value:e}"[0] in "25" else ""))


def legend_below(figure):
    figure.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncol=4)


def svg(figure, name):
    matplotlib.rcParams["svg.hashsalt"] = name  # names of clip paths and markers differ between the figures of the page
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    text = re.sub(r"^.*?(?=<svg)", "", file.getvalue(), flags=re.S)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'<g id="[^"]*"', "<g", text).replace(INK, "currentColor")
    text = re.sub(r'<svg ([^>]*?)width="[^"]*"', r"<svg \1", re.sub(r'(<svg [^>]*?)height="[^"]*" ', r"\1", text))
    for i, (light, _) in enumerate(COLOURS):
        text = text.replace(light, f"var(--c{i})")
    return f'<figure data-name="{html.escape(name)}">{text}</figure>'


def size_figure(key, runs, colour):
    """Time per element against bytes per call; the line goes through the fastest shape of about each size.
    None where there is one size only: the table says it all."""
    if len({round(math.log2(runs[0].size(of))) for of in runs[0].cells if of[:2] == key}) < 2:
        return ""
    figure, axes = plt.subplots(figsize=(4.8, 3.2))
    roof, named = {}, set()
    for run, style in zip(runs, ("-", "--")):
        lines = {}
        for cell_key, by_isa in run.cells.items():
            if cell_key[:2] == key:
                for isa, cell in by_isa.items():
                    lines.setdefault(isa, []).append((run.size(cell_key), cell["ns_per_element"]))
                    if "x_roof" in cell and run is runs[0]:
                        roof.setdefault(run.size(cell_key), []).append(cell["ns_per_element"] / cell["x_roof"])
        for isa in sorted(lines, key=list(colour).index):
            nearest = {}
            for size, ns in sorted(lines[isa]):
                bucket = round(math.log2(size))
                nearest[bucket] = min(nearest.get(bucket, (size, math.inf)), (size, ns), key=lambda point: point[1])
            axes.plot(*zip(*sorted(lines[isa])), marker_of(isa), color=colour[isa], ms=3, alpha=0.5)
            axes.plot(*zip(*nearest.values()), style, color=colour[isa], lw=1.4,
                      label=None if isa in named else isa)
            named.add(isa)
    if roof:
        axes.plot(*zip(*sorted((size, statistics.median(ns)) for size, ns in roof.items())), ":", color=INK, lw=1.2,
                  label="roof")
    axes.set(xscale="log", yscale="log", xlabel="bytes read and written per call", ylabel="ns per element",
             title=f"{key[0]} {key[1]}")
    low, high = axes.get_xlim()
    for name, of in (("L1d", "cache_l1d"), ("L2", "cache_l2"), ("L3", "cache_l3")):
        amount, _, unit = runs[0].context.get(of, "").partition(" ")
        if unit in UNITS and low < float(amount) * UNITS[unit] < high:
            axes.axvline(float(amount) * UNITS[unit], color=INK, lw=0.7, alpha=0.5)
            axes.text(float(amount) * UNITS[unit], 1, name + " ", transform=axes.get_xaxis_transform(), ha="right",
                      va="top", fontsize=8)
    axes.set_xscale("log", base=2)
    axes.xaxis.set_major_formatter(FuncFormatter(bytes_text))
    plain_ticks(axes.yaxis)
    axes.tick_params(axis="x", labelrotation=30)
    legend_below(figure)
    return svg(figure, "size " + "/".join(key))


def error_figure(key, run, colour):
    """Elements per ns against max ULP, in the shape that most have: what is up and left is better."""
    shapes = {k: by_isa for k, by_isa in run.cells.items() if k[:2] == key}
    if not shapes:
        return ""
    shape, by_isa = max(shapes.items(), key=lambda item: len(item[1]))
    points = [(isa, run.ulp(*key, isa, cell), 1 / cell["ns_per_element"]) for isa, cell in by_isa.items()]
    # The fast tier is another kernel of the same function.
    fast = run.cells.get((table.FAST.get(key[0]), *shape[1:]), {})
    points += [(isa, run.ulp(table.FAST[key[0]], key[1], isa, cell), 1 / cell["ns_per_element"])
               for isa, cell in fast.items()]
    points = [point for point in points if point[1] is not None and math.isfinite(point[1])]
    if len(points) < 2:
        return ""
    figure, axes = plt.subplots(figsize=(4.8, 3.2))
    for i, (isa, ulp, speed) in enumerate(points):
        tier = " fast" if i >= len(points) - len(fast) and fast and isa in fast else ""
        axes.plot(max(ulp, 0.01), speed, marker_of(isa), color=colour[isa], ms=7, mfc="none" if tier else None, ls="",
                  label=isa + tier)
    axes.set(xscale="log", yscale="log", xlabel="largest error, ULP", ylabel="elements per ns",
             title=f"{key[0]} {key[1]} {shape[2]}: up and left is better")
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    legend_below(figure)
    return svg(figure, "error " + "/".join(key))


def bars_figure(dtype, run, colour):
    """Speed-up over scalar: of each kernel, the geometric mean over the shapes that both have."""
    speedups = {}
    for (kernel, of, _), by_isa in run.cells.items():
        for isa, cell in by_isa.items() if of == dtype and table.REFERENCE in by_isa else ():
            if isa != table.REFERENCE and isa not in table.PEERS:
                speedups.setdefault(kernel, {}).setdefault(isa, []).append(
                    by_isa[table.REFERENCE]["ns_per_element"] / cell["ns_per_element"])
    if not speedups:
        return ""
    isas = sorted({isa for by_isa in speedups.values() for isa in by_isa}, key=list(colour).index)
    figure, axes = plt.subplots(figsize=(4.8, 0.8 + 0.17 * len(speedups) * (len(isas) + 1)))
    for i, isa in enumerate(isas):
        kernels = [(row, statistics.geometric_mean(by_isa[isa])) for row, by_isa in enumerate(speedups.values())
                   if isa in by_isa]
        bars = axes.barh([row + (i - (len(isas) - 1) / 2) * 0.8 / len(isas) for row, _ in kernels],
                         [mean for _, mean in kernels], 0.8 / len(isas), color=colour[isa], label=isa)
        axes.bar_label(bars, [f"{mean:.1f}x" for _, mean in kernels], fontsize=7, padding=2)
    axes.set_yticks(range(len(speedups)), speedups)
    axes.invert_yaxis()
    axes.set(xlabel="times as fast as scalar (geometric mean of the shapes)", title=dtype)
    legend_below(figure)
    return svg(figure, "bars " + "/".join(f"{kernel}/{dtype}" for kernel in speedups))


def number(value, form=".3g"):
    return "" if value is None else format(value, form)


def html_table(heading, rows):
    head = "".join(f'<th><button type="button">{html.escape(name)}</button></th>' for name in heading)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n" for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'


def speed_table(runs):
    heading = ["kernel", "dtype", "ISA or peer", "shape", "in", "ns/element", "speed-up over scalar, x", "over roof, x",
               "spread, %", "max ULP"] + ["B: ns/element", "A over B, x"] * (len(runs) - 1)
    rows = []
    for (kernel, dtype, shape), by_isa in runs[0].cells.items():
        for isa, cell in by_isa.items():
            ns, scalar = cell["ns_per_element"], by_isa.get(table.REFERENCE)
            row = [kernel, dtype, isa, shape, cell["level"], table.digits(ns),
                   number(scalar["ns_per_element"] / ns if scalar else None), number(cell.get("x_roof")),
                   number(runs[0].spread.get((kernel, dtype, isa, shape)), ".1f"),
                   number(runs[0].ulp(kernel, dtype, isa, cell))]
            for other in runs[1:]:
                theirs = other.cells.get((kernel, dtype, shape), {}).get(isa)
                row += [table.digits(theirs["ns_per_element"]), number(ns / theirs["ns_per_element"])] if theirs \
                    else ["", ""]
            rows.append(row)
    return html_table(heading, rows)


def error_table(run):
    return html_table(["kernel", "dtype", "ISA or peer", "max ULP", "bound, ULP", "mean ULP", "worst at"],
                      [[kernel, dtype, isa, number(float(r["max_ulp"])), number(float(r["bound"])),
                        number(float(r["mean_ulp"])), table.witness(r)]
                       for (kernel, dtype), by_isa in run.errors.items() for isa, r in by_isa.items()])


def machine(runs):
    facts = []
    for name, run in zip("AB", runs):
        spread = sorted(run.spread.values())
        noise = f"; repetitions spread by {statistics.median(spread):.1f} % (median), " \
                f"{spread[int(0.95 * (len(spread) - 1))]:.1f} % (95 of 100 stay below)" if spread else ""
        isas = ", ".join(f"{key[4:]} {value}" for key, value in run.context.items()
                         if key.startswith("isa_") and key != "isa_in_use")
        lines = [*table.describe(run.bench).splitlines(), f"ISAs: {isas}; in use: {run.context.get('isa_in_use', '?')}",
                 f"load {run.context.get('load_avg', ['?'])[0]} at the start{noise}"]
        facts.append((f"<h3>{name}: {html.escape(pathlib.Path(run.path).name)}</h3>" if len(runs) > 1 else "") + "<ul>" +
                     "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>")
    return "".join(facts)


STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fdfdfc; --line: #d8d8d8; %s }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #17191c; --line: #3b3f45; %s } }
body { font: 16px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
       max-width: 80rem; padding: 1rem; }
.plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%%, 30rem), 1fr)); gap: 1rem; }
figure { margin: 0; } figure svg { width: 100%%; height: auto; }
.filter { position: sticky; top: 0; background: var(--paper); padding: .5rem 0; z-index: 1; }
.filter input { font: inherit; width: min(100%%, 24rem); box-sizing: border-box; }
.wide { overflow: auto; max-height: 75vh; border: 1px solid var(--line); }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th { position: sticky; top: 0; background: var(--paper); }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th[aria-sort=ascending] button::after { content: " \\2191"; } th[aria-sort=descending] button::after { content: " \\2193"; }
"""

SCRIPT = """
const filter = document.getElementById("filter");
filter.addEventListener("input", () => {
    const words = filter.value.toLowerCase().split(/\\s+/);
    const has = text => words.every(word => text.toLowerCase().includes(word));
    document.querySelectorAll("tbody tr").forEach(row =>
        row.hidden = !has([...row.cells].map(cell => cell.textContent).join(" ")));
    document.querySelectorAll("figure").forEach(figure => figure.hidden = !has(figure.textContent));
});
document.querySelectorAll("th").forEach(head => head.addEventListener("click", () => {
    const up = head.ariaSort != "ascending", body = head.closest("table").tBodies[0];
    head.parentNode.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => row.cells[head.cellIndex].textContent;
    const compare = (a, b) => a - b || a.localeCompare(b, "en", {numeric: true});
    body.append(...[...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return x == "" || y == "" ? (x == "") - (y == "") : up ? compare(x, y) : compare(y, x);
    }));
}));
"""


def page(runs):
    isas = [isa for isa in dict.fromkeys(isa for run in runs for by_isa in run.cells.values() for isa in by_isa)]
    isas.sort(key=lambda isa: isa in table.PEERS)  # stable: the order of the manifest, then the peers
    colour = {isa: COLOURS[i % len(COLOURS)][0] for i, isa in enumerate(isas)}
    keys = list(dict.fromkeys(key[:2] for key in runs[0].cells))
    style = STYLE % tuple(" ".join(f"--c{i}: {pair[dark]};" for i, pair in enumerate(COLOURS)) for dark in (0, 1))
    sections = [
        ("The machine and the run", machine(runs)),
        ("Time per element against size", "<p>Each point is a shape, the line goes through the fastest of about its "
         "size. Dotted: the roof, a plain read or copy of the same bytes." +
         (" Dashed: run B." if len(runs) > 1 else "") + "</p>", [size_figure(key, runs, colour) for key in keys]),
        ("Speed-up over scalar", "",
         [bars_figure(dtype, runs[0], colour) for dtype in dict.fromkeys(dtype for _, dtype in keys)]),
        ("Speed against error", "<p>Diamonds are other libraries, hollow points the fast tier.</p>",
         [error_figure(key, runs[0], colour) for key in keys]),
        ("All speeds", "<p>Click a heading to sort. CPU time, the median of the repetitions.</p>" + speed_table(runs)),
        ("All errors", error_table(runs[0])),
    ]
    body = "".join(f"<section><h2>{title}</h2>{text}" + (f'<div class="plots">{"".join(plots[0])}</div>' if plots else "")
                   + "</section>\n" for title, text, *plots in sections if not plots or any(plots[0]))
    return (f'<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8"><meta name="viewport" '
            f'content="width=device-width, initial-scale=1"><link rel="icon" href="data:,"><title>softlane: report</title>'
            f'<style>{style}</style></head>\n<body><h1>softlane: what was measured</h1>\n<div class="filter"><input '
            f'id="filter" type="search" placeholder="filter: softmax f32 avx512" aria-label="filter"></div>\n{body}'
            f"<script>{SCRIPT}</script></body></html>\n")


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("bench", metavar="A.json", help="from softlane-bench --benchmark_out=A.json")
    parser.add_argument("other", metavar="B.json", nargs="?", help="another run, to be laid over the first")
    parser.add_argument("--with", metavar="FILE", action="append", default=[], dest="more",
                        help="more of A: from softlane-accuracy, softlane-bench --cells or peers.py; may be repeated")
    parser.add_argument("--out", metavar="FILE", default="results/report.html", help="default: %(default)s")
    arguments = parser.parse_args()
    runs = [Run(path) for path in (arguments.bench, arguments.other) if path]
    for path in arguments.more:
        runs[0].add(path)
    text = page(runs)
    try:
        pathlib.Path(arguments.out).write_text(text, encoding="utf-8")
    except OSError as error:
        refuse(f"--out: {arguments.out}: {error.strerror}")
    print(f"{arguments.out}: {len(text.encode()) / 1e6:.1f} MB, to be opened in a browser")


if __name__ == "__main__":
    main()
