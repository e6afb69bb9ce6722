#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes one HTML file of what softlane-bench and softlane-accuracy measured: plots and tables in one piece.

Reads the same files as table.py, and through its code. The figures are matplotlib's SVG with three changes:
colours become CSS variables, so that they follow light and dark; names are taken out, since many figures
share a page, and so is what only takes room. Needs Debian's python3-matplotlib.
"""

import argparse
import html
import io
import itertools
import math
import pathlib
import re
import statistics
import sys

import command_line
import table


def refuse(message):
    print(f"report.py: {message}", file=sys.stderr)
    sys.exit(2)


table.refuse = refuse  # what its reading code says is said in this program's name

INK = "#010203"  # becomes currentColor
# (light, dark), of the ISAs and peers in their order; in the figures each stands for a CSS variable.
COLOURS = [("#1f5fa8", "#6cb0ff"), ("#c2540a", "#ff9f57"), ("#2c7d3f", "#67cf83"), ("#7b4a9e", "#c79be8"),
           ("#a11d33", "#ff7b8e"), ("#0a7a80", "#4fd0d6"), ("#7a6a00", "#d9c437"), ("#b03a86", "#f58ccd"),
           ("#5a5a5a", "#b5b5b5"), ("#7c5234", "#d3a37c")]
ITEM_SIZE = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2}
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}


def import_matplotlib():
    """Not before it is needed: --help is not."""
    global matplotlib, plt, FuncFormatter
    try:
        import matplotlib

        matplotlib.use("svg")
        from matplotlib import pyplot as plt
        from matplotlib.ticker import FuncFormatter
    except ImportError as error:
        refuse(f"needs python3-matplotlib ({error})")
    matplotlib.rcParams.update({
        "svg.fonttype": "none", "font.sans-serif": "DejaVu Sans", "font.size": 9, "axes.titlesize": 10,
        "text.color": INK, "axes.edgecolor": INK, "axes.labelcolor": INK, "xtick.color": INK, "ytick.color": INK,
        "grid.color": INK, "grid.alpha": 0.15, "axes.grid": True, "axes.axisbelow": True,
        "axes.spines.top": False, "axes.spines.right": False, "legend.frameon": False, "legend.fontsize": 8,
    })


class Run:
    """What one run measured: the files of softlane-bench, and of softlane-accuracy and peers.py with it."""

    def __init__(self, path, more):
        self.bench, _ = table.read_results(path, table.read_cells, "softlane-bench")
        self.path, self.context = path, self.bench["context"]
        self.cells = {}  # {(kernel, dtype, shape): {isa or peer: cell}}
        self.curves = {}  # the same of shapes that were chosen for their sizes alone
        self.errors, self.bytes, self.spread = {}, {}, {}
        self.add_bench(self.bench)
        for file in more:
            self.add(file)
        self.all_cells = self.curves | self.cells

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
            self.add_bench(table.read_results(path, table.read_cells, "softlane-bench")[0])

    def add_bench(self, bench):
        """Its cells; bytes per call, and the spread of the repetitions, by the name of the benchmark."""
        into = self.curves if bench["context"].get("shapes") in ("sizes", "sweep") else self.cells
        for key, by_isa in table.read_cells(bench).items():
            into[key] = by_isa | into.get(key, {})
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
        """Bytes per call; of a shape that only a peer ran, as many per element as in others of its kernel."""
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
    entries = len(figure.axes[0].get_legend_handles_labels()[0])
    figure.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncol=5 if entries == 5 else 4)


classes = {}  # of the page, by the CSS that elements of many figures have
files = {}  # those of figures that are wanted outside the page, too, by their names
FIGURES = ["size softmax/f32", "size sigmoid/f32", "bars f32"]  # those of README.md


def svg(figure, name):
    matplotlib.rcParams["svg.hashsalt"] = name  # clip paths and markers are named differently in each figure
    if name in files:
        figure.savefig(files[name], facecolor="white", bbox_inches="tight", metadata={"Date": None})
    file = io.StringIO()
    figure.savefig(file, format="svg", transparent=True, bbox_inches="tight", metadata={"Date": None})
    plt.close(figure)
    text = re.sub(r"^.*?(?=<svg)", "", file.getvalue(), flags=re.S)
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.S)
    text = re.sub(r'<g id="[^"]*"', "<g", text).replace(INK, "currentColor")
    text = re.sub(r"\n\s+", "\n", text)
    text = re.sub(r"(?<=[ \"(])\d+\.\d{3,}(?=[ \"\n)])", lambda match: f"{float(match[0]):.2f}", text)
    text = re.sub(r'(<svg [^>]*?)height="[^"]*" ', r"\1", text)
    text = re.sub(r'(<svg [^>]*?)width="[^"]*"', r"\1", text)
    for i, (light, _) in enumerate(COLOURS):
        text = text.replace(light, f"var(--c{i})")
    text = re.sub(r' style="([^"]*)"',
                  lambda match: f' class="{classes.setdefault(match[1], f"f{len(classes)}")}"', text)
    return f"<figure>{text}</figure>"


def tiers(key):
    """The kernel itself, and its fast tier, which is another kernel."""
    fast = table.FAST.get(key[0])
    return [("", key)] + ([(" fast", (fast, key[1]))] if fast else [])


def on_line(points):
    """Of (bytes, ns, shape), the fastest of about each size: of rows of 1000 columns if there are several
    sizes of those, since rows of other widths cost other times."""
    def sizes(among):
        fastest = {}
        for size, ns, _ in sorted(among, key=lambda point: -point[1]):
            fastest[round(math.log2(size))] = size, ns
        return sorted(fastest.values())

    alike = sizes(point for point in points if re.fullmatch(r"\d+x1000", point[2]))
    return alike if len(alike) > 1 else sizes(points)


def draw_caches(axes, context):
    low, high = axes.get_xlim()
    for name, of in (("L1d", "cache_l1d"), ("L2", "cache_l2"), ("L3", "cache_l3")):
        amount, _, unit = context.get(of, "").partition(" ")
        size = float(amount) * UNITS[unit] if unit in UNITS else 0
        if low < size < high:
            axes.axvline(size, color=INK, lw=0.7, alpha=0.5)
            axes.text(size, 1.01, name, transform=axes.get_xaxis_transform(), ha="center", fontsize=8)


def size_figure(key, runs, colour):
    """Time per element against bytes per call; nothing if there is one size only, which tables can say."""
    figure, axes = plt.subplots(figsize=(4.8, 3.2))
    roof, named, sizes = {}, set(), set()
    for (run, style), (tier, of) in itertools.product(zip(runs, ("-", "--")), tiers(key)):
        lines = {}
        for cell_key, by_isa in run.all_cells.items():
            if cell_key[:2] == of:
                size = run.size(cell_key)
                sizes.add(round(math.log2(size)))
                for isa, cell in by_isa.items():
                    lines.setdefault(isa, []).append((size, cell["ns_per_element"], cell_key[2]))
                    if "x_roof" in cell and run is runs[0]:
                        roof.setdefault(size, []).append(cell["ns_per_element"] / cell["x_roof"])
        for isa in sorted(lines, key=list(colour).index):
            look = {"color": colour[isa], "mfc": "none" if tier else colour[isa], "ms": 3}
            axes.plot(*zip(*(point[:2] for point in lines[isa])), marker_of(isa), alpha=0.5, **look)
            axes.plot(*zip(*on_line(lines[isa])), style + marker_of(isa), lw=0.8 if tier else 1.4,
                      label=None if isa + tier in named else isa + tier, **look)
            named.add(isa + tier)
    if len(sizes) < 2:
        plt.close(figure)
        return ""
    if roof:
        axes.plot(*zip(*sorted((size, statistics.median(ns)) for size, ns in roof.items())), ":", color=INK,
                  lw=1.2, label="roof")
    axes.set(xscale="log", yscale="log", xlabel="bytes read and written per call", ylabel="ns per element")
    axes.set_title(f"{key[0]} {key[1]}", pad=14)  # above the names of the caches
    draw_caches(axes, runs[0].context)
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
    shape, _ = max(shapes.items(), key=lambda item: (len(item[1]), item[0][2].endswith("x1000")))
    points = []
    for tier, (kernel, dtype) in tiers(key):
        for isa, cell in run.cells.get((kernel, dtype, shape[2]), {}).items():
            ulp = run.ulp(kernel, dtype, isa, cell)
            if ulp is not None and math.isfinite(ulp):
                points.append((isa, tier, ulp, 1 / cell["ns_per_element"]))
    if len(points) < 2:
        return ""
    figure, axes = plt.subplots(figsize=(4.8, 3.2))
    for isa, tier, ulp, speed in points:
        axes.plot(max(ulp, 0.01), speed, marker_of(isa), color=colour[isa], ms=7, ls="", label=isa + tier,
                  mfc="none" if tier else colour[isa])
    axes.set(xscale="log", yscale="log", xlabel="largest error, ULP", ylabel="elements per ns",
             title=f"{key[0]} {key[1]} {shape[2]}: up and left is better")
    low, high = axes.get_xlim()
    axes.set_xlim(low / 2, high * 2)  # equal errors are not told apart by their last digits
    for axis in (axes.xaxis, axes.yaxis):
        plain_ticks(axis)
    legend_below(figure)
    return svg(figure, "error " + "/".join(key))


def x_figure(key, run, colour):
    """Largest error in each bin of x (softlane-accuracy --by-x); ISAs of the same bits share a line."""
    curves = {}
    for isa, error in run.errors.get(key, {}).items():
        if error.get("ulp_of_x") and isa in colour and isa not in table.PEERS:
            curves.setdefault((tuple(map(tuple, error["ulp_of_x"])), float(error["bound"])), []).append(isa)
    if not curves:
        return ""
    figure, axes = plt.subplots(figsize=(4.8, 3.2))
    for (points, bound), isas in curves.items():
        axes.plot(*zip(*points), color=colour[isas[0]], lw=1, label=", ".join(isas))
        axes.axhline(bound, color=colour[isas[0]], lw=1, ls=":")
    axes.set_xscale("symlog", linthresh=1)
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.set_ylim(bottom=0)
    axes.set(xlabel="x", ylabel="largest error, ULP", title=f"{key[0]} {key[1]}")
    legend_below(figure)
    return svg(figure, "x " + "/".join(key))


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
        kernels = [(row, statistics.geometric_mean(by_isa[isa]))
                   for row, by_isa in enumerate(speedups.values()) if isa in by_isa]
        bars = axes.barh([row + (i - (len(isas) - 1) / 2) * 0.8 / len(isas) for row, _ in kernels],
                         [mean for _, mean in kernels], 0.8 / len(isas), color=colour[isa], label=isa)
        axes.bar_label(bars, [f"{mean:.1f}x" for _, mean in kernels], fontsize=7, padding=2)
    axes.set_yticks(range(len(speedups)), speedups)
    axes.invert_yaxis()
    axes.margins(y=0.01)
    axes.set(xlabel="times as fast as scalar (geometric mean of the shapes)")
    axes.set_title(dtype, pad=20)  # above the legend
    axes.legend(loc="lower center", bbox_to_anchor=(0.5, 1), ncol=4)
    return svg(figure, "bars " + dtype)


def number(value):
    return "" if value is None else f"{value:.3g}" if value < 1000 else f"{value:.0f}"


def html_table(heading, rows):
    head = "".join(f'<th><button type="button">{html.escape(name)}</button></th>' for name in heading)
    body = "".join("<tr>" + "".join(f"<td>{html.escape(cell)}</td>" for cell in row) + "</tr>\n"
                   for row in rows)
    return f'<div class="wide"><table><thead><tr>{head}</tr></thead><tbody>\n{body}</tbody></table></div>'


def speed_table(runs):
    heading = ["kernel", "dtype", "ISA or peer", "shape", "in", "ns/element", "speed-up over scalar, x",
               "over roof, x", "spread, %", "max ULP"] + ["B: ns/element", "A over B, x"] * (len(runs) - 1)
    rows = []
    for (kernel, dtype, shape), by_isa in runs[0].all_cells.items():
        for isa, cell in by_isa.items():
            ns, scalar = cell["ns_per_element"], by_isa.get(table.REFERENCE)
            row = [kernel, dtype, isa, shape, cell["level"], table.digits(ns),
                   number(scalar["ns_per_element"] / ns if scalar else None), number(cell.get("x_roof")),
                   number(runs[0].spread.get((kernel, dtype, isa, shape))),
                   number(runs[0].ulp(kernel, dtype, isa, cell))]
            for other in runs[1:]:
                theirs = other.all_cells.get((kernel, dtype, shape), {}).get(isa)
                row += [table.digits(theirs["ns_per_element"]),
                        number(ns / theirs["ns_per_element"])] if theirs else ["", ""]
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
        lines = [*table.describe(run.bench).splitlines(),
                 f"ISAs: {isas}; in use: {run.context.get('isa_in_use', '?')}",
                 f"load {(run.context.get('load_avg') or [math.nan])[0]:.1f} at the start{noise}"]
        if len(runs) > 1:
            facts.append(f"<h3>{name}: {html.escape(str(run.path))}</h3>")
        facts.append("<ul>" + "".join(f"<li>{html.escape(line)}</li>" for line in lines) + "</ul>")
    return "".join(facts)


STYLE = """
:root { color-scheme: light dark; --ink: #1b1b1b; --paper: #fdfdfc; --line: #d8d8d8; %s }
@media (prefers-color-scheme: dark) { :root { --ink: #e6e6e6; --paper: #17191c; --line: #3b3f45; %s } }
body { font: 16px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto;
       max-width: 80rem; padding: 1rem; }
.parts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%%, 30rem), 1fr)); gap: 1rem;
         margin-top: 1rem; }
figure { margin: 0; } figure svg { width: 100%%; height: auto; }
.filter { position: sticky; top: 0; background: var(--paper); padding: .5rem 0; z-index: 1; }
.filter input { font: inherit; width: min(100%%, 24rem); box-sizing: border-box; }
nav a { color: inherit; margin-right: .8rem; white-space: nowrap; }
h2 { scroll-margin-top: 3rem; }
.wide { grid-column: 1 / -1; min-width: 0; overflow: auto; max-height: 75vh; border: 1px solid var(--line); }
table { border-collapse: collapse; font-size: .85rem; font-variant-numeric: tabular-nums; }
td, th { padding: .15rem .6rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
th { position: sticky; top: 0; background: var(--paper); }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0;
            cursor: pointer; }
th[aria-sort=ascending] button::after { content: " \\2191"; }
th[aria-sort=descending] button::after { content: " \\2193"; }
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


PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>softlane: report</title><style>{style}</style></head>
<body><h1>softlane: what was measured</h1>
<nav>{links}</nav><div class="filter">
<input id="filter" type="search" placeholder="filter: softmax f32 avx2" aria-label="filter"></div>
{body}<script>{script}</script></body></html>
"""


def page(runs):
    first = runs[0]
    isas = list(dict.fromkeys(isa for run in runs for by_isa in run.all_cells.values() for isa in by_isa))
    isas.sort(key=lambda isa: isa in table.PEERS)  # stable: the order of the manifest, then the peers
    colour = {isa: COLOURS[i % len(COLOURS)][0] for i, isa in enumerate(isas)}
    keys = list(dict.fromkeys(key[:2] for key in first.all_cells))
    with_tiers = [key for key in keys if key[0] not in table.FAST.values()]
    of_first = " Of run A." if len(runs) > 1 else ""
    sections = [
        ("The machine and the run", machine(runs), []),
        ("Time per element against size",
         "Dots are shapes; lines go through rows of 1000 columns where there are several sizes of them, else "
         "through the fastest shape of about each size. Thin, hollow: the fast tier. Dotted: the roof, a "
         "plain read or copy of the same bytes. Upright: the caches." +
         (" Dashed: run B." if len(runs) > 1 else ""),
         [size_figure(key, runs, colour) for key in with_tiers]),
        ("Speed-up over scalar", "The geometric mean over the shapes." + of_first,
         [bars_figure(dtype, first, colour) for dtype in dict.fromkeys(dtype for _, dtype in keys)]),
        ("Speed against error",
         "Up and left is better. Hollow: the fast tier; diamonds: other libraries." + of_first,
         [error_figure(key, first, colour) for key in with_tiers]),
        ("Error against x",
         "Element kernels: the largest error in each of 300 bins of x. Dotted: the bound." + of_first,
         [x_figure(key, first, colour) for key in keys]),
        ("All speeds", "CPU time, the median of the repetitions. Click a heading to sort.",
         [speed_table(runs)]),
        ("All errors", "In ULP of the result's type." + of_first,
         [error_table(first)] if first.errors else []),
    ]
    body, links = "", ""
    for i, (title, text, parts) in enumerate(sections):
        if i == 0 or any(parts):
            body += (f'<h2 id="s{i}">{title}</h2>\n<div>{text}</div>\n'
                     f'<div class="parts">{"".join(parts)}</div>\n')
            links += f'<a href="#s{i}">{title}</a>\n'
    style = STYLE % tuple(" ".join(f"--c{i}: {pair[dark]};" for i, pair in enumerate(COLOURS))
                          for dark in (0, 1))
    style += "\n".join(f".{name} {{ {css} }}" for css, name in classes.items())
    return PAGE.format(style=style, links=links, body=body, script=SCRIPT)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    command_line.add_version(parser)
    parser.add_argument("bench", metavar="A.json", help="from softlane-bench --benchmark_out=A.json")
    parser.add_argument("other", metavar="B.json", nargs="?", help="another run, to be laid over the first")
    parser.add_argument("--with", metavar="FILE", action="append", default=[], dest="more",
                        help="more of A, may be repeated: from softlane-accuracy, peers.py, or "
                             "softlane-bench --sizes, --sweep or --cells")
    parser.add_argument("--with-b", metavar="FILE", action="append", default=[], help="the same, of B")
    parser.add_argument("--out", metavar="FILE", default="results/report.html", help="default: %(default)s")
    parser.add_argument("--figures", metavar="DIR", type=pathlib.Path, help="the README's figures, as files")
    arguments = parser.parse_args()
    import_matplotlib()
    if arguments.figures and not arguments.figures.is_dir():
        refuse(f"--figures: {arguments.figures}: no such directory")
    if arguments.figures:
        files.update({name: arguments.figures / re.sub(r"[ /]", "_", f"{name}.svg") for name in FIGURES})
    if arguments.with_b and not arguments.other:
        refuse("--with-b: there is no B.json")
    runs = [Run(arguments.bench, arguments.more)]
    if arguments.other:
        runs.append(Run(arguments.other, arguments.with_b))
    text = page(runs)
    try:
        pathlib.Path(arguments.out).write_text(text, encoding="utf-8")
    except OSError as error:
        refuse(f"--out: {arguments.out}: {error.strerror}")
    print(f"{arguments.out}: {len(text.encode()) / 1e6:.1f} MB, to be opened in a browser")


if __name__ == "__main__":
    command_line.run(main)
