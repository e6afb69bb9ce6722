#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes one HTML file of what softlane-bench and softlane-accuracy measured: the answer, plots and tables in one piece.

Reads the same files as table.py, and through its code. Beside the page it writes all speeds as CSV. Standard library only.
"""

import argparse
import csv
import html
import io
import itertools
import math
import os
import pathlib
import re
import statistics
import urllib.parse

import command_line
import table
from plot import Axis, Plot



# (light, dark), of the ISAs and peers in their order: the CSS variables --c0, --c1 ...
COLOURS = [("#1f5fa8", "#6cb0ff"), ("#c2540a", "#ff9f57"), ("#2c7d3f", "#67cf83"), ("#7b4a9e", "#c79be8"),
           ("#a11d33", "#ff7b8e"), ("#0a7a80", "#4fd0d6"), ("#7a6a00", "#d9c437"), ("#b03a86", "#f58ccd"),
           ("#5a5a5a", "#b5b5b5"), ("#7c5234", "#d3a37c"), ("#4b5d16", "#b3cf6b"), ("#33337a", "#a3a3f5")]
ITEM_SIZE = {"f64": 8, "f32": 4, "f16": 2, "bf16": 2}
UNITS = {"KiB": 2**10, "MiB": 2**20, "GiB": 2**30}
FIGURES = ("size softmax/f32", "size sigmoid/f32", "bars f32")  # those of README.md, by --figures


# --------------------------------------------------------------------------------------------------------------- the runs

class Run:
    """What one run measured: the files of softlane-bench, and of softlane-accuracy and peers.py with it."""

    def __init__(self, path, more):
        self.bench, _ = table.read_results(path, table.read_cells, "softlane-bench")
        self.path, self.context, self.files = path, self.bench["context"], [path, *more]
        self.cells = {}  # {(kernel, dtype, shape): {isa or peer: cell}}
        self.curves = {}  # the same of shapes that were chosen for their sizes alone
        self.errors, self.bytes = {}, {}
        self.add_bench(self.bench)
        for file in more:
            self.add(file)
        both = self.cells | {of: by_isa for of, by_isa in self.curves.items() if of not in self.cells}
        keys = list(dict.fromkeys(of[:2] for of in both))
        self.all_cells = dict(sorted(both.items(), key=lambda item: keys.index(item[0][:2])))  # stable

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
                        self.cells.setdefault(key, {})[who] = {
                            "ns_per_element": row["ns_per_element"], "level": "", "ulp": float(row["ulp"]), "low": row["low"],
                            "high": row["high"], "spread": row["spread"], "noisy": row["noisy"]}
        else:
            self.add_bench(table.read_results(path, table.read_cells, "softlane-bench")[0])

    def add_bench(self, bench):
        """Its cells, and the bytes per call."""
        into = self.curves if bench["context"].get("shapes") in ("sizes", "sweep") else self.cells
        for key, by_isa in table.read_cells(bench).items():
            into[key] = by_isa | into.get(key, {})
            for cell in by_isa.values():
                if "bytes_per_second" in cell:
                    self.bytes[key] = cell["bytes_per_second"] * cell["ns_per_element"] * elements(key[2]) * 1e-9

    def size(self, key):
        """Bytes per call; of a shape that only a peer ran, as many per element as in others of its kernel."""
        if key in self.bytes:
            return self.bytes[key]
        of_element = [size / elements(other[2]) for other, size in self.bytes.items() if other[:2] == key[:2]]
        return elements(key[2]) * (statistics.median(of_element) if of_element else ITEM_SIZE[key[1]])

    def error(self, kernel, dtype, isa):
        return self.errors.get((kernel, dtype), {}).get(isa)

    def ulp(self, kernel, dtype, isa, cell):
        error = self.error(kernel, dtype, isa)
        return float(error["max_ulp"]) if error else cell.get("ulp")

    def noisy(self):
        """How many times are, and how many there are."""
        cells = [cell for by_isa in self.all_cells.values() for cell in by_isa.values()]
        return sum(cell["noisy"] for cell in cells), len(cells)

    def has_peers(self):
        return any(isa in table.PEERS and isa != table.BASELINE for by_isa in self.all_cells.values() for isa in by_isa)


def elements(shape):
    return math.prod(map(int, shape.split("x")))


def bytes_text(size):
    for unit, factor in reversed(UNITS.items()):
        if size >= factor:
            return f"{size / factor:.4g} {unit}"
    return f"{size:.4g} B"


def ratios_over(run, key, isa, other):
    """How much faster an ISA is than another, in each shape of a kernel that both have: all, and without noise."""
    pairs = [(by_isa[other], by_isa[isa]) for of, by_isa in run.cells.items()
             if of[:2] == key and isa in by_isa and other in by_isa]
    ratio = [theirs["ns_per_element"] / ours["ns_per_element"] for theirs, ours in pairs]
    return ratio, [r for r, pair in zip(ratio, pairs) if not table.mark(*pair)]


def mean(values, calm):
    """The geometric mean of the calm ones. Where all are noise it is of all, and marked."""
    if not values:
        return None, ""
    return statistics.geometric_mean(calm or values), "" if calm else "~"


# ------------------------------------------------------------------------------------------------------------ the figures

STANDALONE = {}  # files that figures are written to, too, by their names


def figure(plot, name, wide=False):
    if name in STANDALONE:
        style = f"<style>{CSS_COLOURS}{CSS_PLOT}svg {{ background: var(--paper); color: var(--ink); }}</style>"
        STANDALONE[name].write_text(plot.svg(style) + "\n", encoding="utf-8")
    css = ' class="wide"' if wide else ""
    return f'<figure id="{identifier(name)}"{css}>{HINT if wide else ""}<div class="drawing">{plot.svg()}</div></figure>'


def identifier(name):
    return re.sub(r"[^a-z0-9_]+", "-", name.lower().replace("+", "-with-"))


def tiers(key):
    """The kernel itself, and its fast tier, which is another kernel."""
    fast = table.FAST.get(key[0])
    return [("", key)] + ([(" fast", (fast, key[1]))] if fast else [])


def on_line(points):
    """Of points, the fastest of about each size: of rows of 1000 columns (and single shorter rows) if there are several
    sizes of those, since rows of other widths cost other times. Noise is left out where enough is left."""
    def sizes(among):
        fastest = {}
        for point in sorted(among, key=lambda point: -point["ns"]):
            fastest[round(math.log2(point["size"]))] = point
        return sorted(fastest.values(), key=lambda point: point["size"])

    calm = [point for point in points if not point["noisy"]]
    points = calm if len(calm) > 1 else points
    alike = [point for point in points if re.fullmatch(r"\d+x1000", point["shape"])]
    short = [point for point in points if re.fullmatch(r"1x\d{1,3}", point["shape"])]
    return sizes(alike + short) if len(sizes(alike)) > 1 else sizes(points)


def name_of(kernel, dtype, isa, shape, level):
    return f"{kernel} {dtype} {isa} {shape}" + (f" {level}" if level else "")


def value_of(cell):
    lines = [f"{cell['ns_per_element']:.3f} ns per element"]
    if cell["spread"] is not None:
        lines.append(f"middle half of the repetitions {cell['low']:.3f} to {cell['high']:.3f}, spread {cell['spread']:.1f} %"
                     + (", noisy" if cell["noisy"] else ""))
    return lines


def dot_css(isa, tier, cell):
    return " ".join(["dot"] + ["peer"] * (isa in table.PEERS) + ["fast"] * bool(tier) + ["noisy"] * cell["noisy"])


def size_figure(key, runs, colour):
    """Time per element against bytes per call; nothing if there is one size only, which tables can say."""
    lines, roof = {}, {}
    for (number, run), (tier, of) in itertools.product(enumerate(runs), tiers(key)):
        for cell_key, by_isa in run.all_cells.items():
            if cell_key[:2] != of:
                continue
            size = run.size(cell_key)
            for isa, cell in by_isa.items():
                lines.setdefault((number, tier, isa), []).append(
                    {"size": size, "ns": cell["ns_per_element"], "low": cell["low"], "high": cell["high"],
                     "shape": cell_key[2], "noisy": cell["noisy"], "cell": cell, "css": dot_css(isa, tier, cell),
                     "title": "\n".join([name_of(*of, isa, cell_key[2], cell["level"]), *value_of(cell)])})
                if "x_roof" in cell and number == 0:
                    roof.setdefault(size, []).append(cell["ns_per_element"] / cell["x_roof"])
    points = [point for line in lines.values() for point in line]
    if len({round(math.log2(point["size"])) for point in points}) < 2:
        return ""
    roof_line = sorted((size, statistics.median(ns)) for size, ns in roof.items())
    plot = Plot(f"{key[0]} {key[1]}", Axis("bytes", [p["size"] for p in points], "bytes read and written per call", bytes_text),
                Axis("log", [p[at] for p in points for at in ("ns", "low", "high")] + [ns for _, ns in roof_line],
                     "ns per element"))
    for name, of in (("L1d", "cache_l1d"), ("L2", "cache_l2"), ("L3", "cache_l3")):
        amount, _, unit = runs[0].context.get(of, "").partition(" ")
        if unit in UNITS:
            plot.upright(float(amount) * UNITS[unit], name)
    if roof_line:
        plot.parts.append(plot.line(roof_line, "roof", "the roof: a plain read or copy of as many bytes"))
    for number, tier, isa in sorted(lines, key=lambda of: (of[0], of[1], list(colour).index(of[2]))):
        line, among = on_line(lines[number, tier, isa]), lines[number, tier, isa]
        parts = [plot.band([(p["size"], p["low"], p["high"]) for p in line]),
                 plot.line([(p["size"], p["ns"]) for p in line], "line second" if number else "line")]
        parts += [plot.dot(p["size"], p["ns"], p["title"], p["css"], size=2.2,
                           whisker=plot.whisker(p["size"], p["low"], p["high"])) for p in among]
        plot.series(colour[isa], parts, None if number else isa + tier, "fast" if tier else "")
    return figure(plot, "size " + "/".join(key))


def shape_of_all(run, key, with_peers=False):
    """The shape that a kernel is shown by: the one that most have, in the L2, of 1000 columns where there is one."""
    shapes = {of: by_isa for of, by_isa in run.cells.items() if of[:2] == key} or \
             {of: by_isa for of, by_isa in run.all_cells.items() if of[:2] == key}
    def count(by_isa):
        return len(by_isa if with_peers else table.without_peers(by_isa))

    return max(shapes, default=None, key=lambda of: (count(shapes[of]), next(iter(shapes[of].values()))["level"] == "L2",
                                                     of[2].endswith("x1000")))


def error_figure(dtype, keys, run, colour):
    """Elements per ns against max ULP, every kernel in one shape: what is up and left is better."""
    dots, links = {}, []
    for key in keys:
        of = shape_of_all(run, key, with_peers=True) if key[1] == dtype else None
        for isa, cell in run.all_cells[of].items() if of else ():
            ulp = run.ulp(*key, isa, cell)
            if ulp is None or not math.isfinite(ulp):
                continue
            speed = [1 / cell[of_what] for of_what in ("ns_per_element", "high", "low")]
            title = "\n".join([name_of(*key, isa, of[2], cell["level"]), f"{speed[0]:.3f} elements per ns, {ulp:.3g} ULP",
                               *value_of(cell)])
            dots.setdefault(isa, []).append((max(ulp, 0.01), *speed, title, dot_css(isa, key[0] in table.FAST.values(), cell)))
            if isa not in table.PEERS:
                links.append((key[0], max(ulp, 0.01), speed[0]))
    flat = [dot for of_isa in dots.values() for dot in of_isa]
    if len(flat) < 2:
        return ""
    plot = Plot(f"{dtype}: up and left is better", Axis("log", [d[0] for d in flat], "largest error, ULP", room=0.08),
                Axis("log", [v for d in flat for v in d[1:4]], "elements per ns"), 960, 520, right=150)
    for kernel in dict.fromkeys(link[0] for link in links):
        points = sorted(((ulp, speed) for name, ulp, speed in links if name == kernel), key=lambda point: point[1])
        plot.parts.append(f'<g class="link" data-f="{kernel} {dtype}">{plot.line(points, "thin")}</g>')
    plot.parts.append(labels(plot, links, dtype))
    for isa in sorted(dots, key=list(colour).index):
        plot.series(colour[isa], [plot.dot(ulp, speed, title, css, plot.whisker(ulp, low, high), 4)
                                  for ulp, speed, low, high, title, css in dots[isa]], isa)
    return figure(plot, "error " + dtype, wide=True)


def labels(plot, links, dtype):
    """The kernels' names in a column at the right, the one with the fastest dot first. Pointed at, they show their dots."""
    fastest = {}
    for name, _, speed in links:
        fastest[name] = max(speed, fastest.get(name, 0))
    names = sorted(fastest, key=lambda name: -fastest[name])
    step = min(16, (plot.height - plot.top - 20) / len(names))
    return "".join(f'<g class="link" data-f="{name} {dtype}"><text class="name" x="{plot.width - plot.right + 8}" '
                   f'y="{plot.top + 10 + i * step:.1f}">{html.escape(name)}</text></g>' for i, name in enumerate(names))


def x_figure(key, run, colour):
    """Largest error in each bin of x (softlane-accuracy --by-x); ISAs of the same bits share a line."""
    curves = {}
    for isa, error in run.errors.get(key, {}).items():
        if error.get("ulp_of_x") and isa in colour and isa not in table.PEERS:
            curves.setdefault((tuple(map(tuple, error["ulp_of_x"])), float(error["bound"])), []).append(isa)
    if not curves:
        return ""
    xs = [x for points, _ in curves for x, _ in points]
    ys = [y for points, bound in curves for y in (*(float(y) for _, y in points), bound)]
    plot = Plot(f"{key[0]} {key[1]}", Axis("asinh", xs, "x"), Axis("linear", [0, *ys], "largest error, ULP", low=0))
    for (points, bound), isas in curves.items():
        worst = max(points, key=lambda point: float(point[1]))
        title = f"{key[0]} {key[1]} {', '.join(isas)}\nat most {float(worst[1]):.3f} ULP, near x = {worst[0]:.4g}"
        plot.series(colour[isas[0]], [
            plot.line([(x, float(y)) for x, y in points if math.isfinite(float(y))], "line dot", title),
            plot.line([(plot.x.low, bound), (plot.x.high, bound)], "bound",
                      f"{key[0]} {key[1]} {', '.join(isas)}\nbound {bound:g} ULP")], ", ".join(isas))
    return figure(plot, "x " + "/".join(key))


def bars_figure(dtype, run, colour):
    """Speed-up over scalar: of each kernel, the geometric mean over the shapes that both have, and from least to most."""
    kernels = list(dict.fromkeys(of[0] for of in run.cells if of[1] == dtype))
    isas = [isa for isa in colour if isa != table.REFERENCE and isa not in table.PEERS]
    rows = {}
    for kernel, isa in itertools.product(kernels, isas):
        every, calm = ratios_over(run, (kernel, dtype), isa, table.REFERENCE)
        if every:
            rows.setdefault(kernel, []).append((isa, *mean(every, calm), calm or every, len(every) - len(calm)))
    if not rows:
        return ""
    bar, gap = 9, 7
    height = sum(len(of) * bar + gap for of in rows.values()) + Plot.top + Plot.bottom
    most = max(max(of) for row in rows.values() for _, _, _, of, _ in row)
    plot = Plot(dtype, Axis("linear", [0, most], "times as fast as scalar (geometric mean of the shapes)", low=0, room=0.1),
                NoAxis(), 480, height)
    plot.left = 150
    plot.parts.clear()
    plot.frame()
    at, zero, groups = plot.top, plot.px(0), {}
    for kernel, row in rows.items():
        plot.parts.append(f'<text class="of" data-f="{kernel} {dtype}" x="{plot.left - 6}" '
                          f'y="{at + len(row) * bar / 2 + 3.5:.1f}" text-anchor="end">{html.escape(kernel)}</text>')
        for isa, ratio, noise, of, noisy in row:
            end, middle = plot.px(ratio), at + bar / 2
            title = html.escape(f"{kernel} {dtype} {isa}\n{ratio:.2f} times as fast as scalar; {min(of):.2f} to {max(of):.2f} in "
                                f"{len(of)} shapes" + (f", {noisy} noisy left out" if noisy and not noise else
                                                       ", all noisy" if noise else ""))
            groups.setdefault(isa, []).append(
                f'<g class="dot"><title>{title}</title><path class="bar" d="M{zero:.1f} {at:.1f}H{end:.1f}v{bar - 1}H{zero:.1f}z"/>'
                f'<path class="least" d="M{plot.px(min(of)):.1f} {middle:.1f}H{plot.px(max(of)):.1f}"/>'
                f'<text x="{plot.px(max(of)) + 4:.1f}" y="{at + bar - 1.5:.1f}">{ratio:.1f}x{noise}</text></g>')
            at += bar
        at += gap
    for isa in isas:
        plot.series(colour[isa], groups.get(isa, []), isa)
    return figure(plot, "bars " + dtype)


class NoAxis:
    label, ticks, low, high = "", (), 0, 1

    @staticmethod
    def place(_):
        return 0


# ------------------------------------------------------------------------------------------------------------- the tables

class Column:
    """decimals: of a number; None: text. wide: left out on a narrow screen, where the first column says it."""

    def __init__(self, name, decimals=None, wide=False, title=""):
        self.name, self.decimals, self.wide, self.title = name, decimals, wide, title

    @property
    def css(self):
        return " ".join(["num"] * (self.decimals is not None) + ["w"] * self.wide)

    def text(self, value):
        if value is None:
            return ""
        if self.decimals is None:
            return html.escape(value)
        return f"{value:.{self.decimals}f}"


def noise_mark(noisy):
    return '<i class="noise" title="spreads by more than 10 %">~</i>' if noisy else ""


def html_table(columns, rows, caption, found=""):
    """Rows of (values, marks, narrow, words): the columns that are noisy, what stands below the name on a narrow screen, and
    words that the filter finds beside the row's text."""
    head = "".join(f'<th scope="col" class="{c.css}"><button type="button" title="{html.escape(c.title)}">{html.escape(c.name)}'
                   '</button></th>' for c in columns)
    body = []
    for values, marks, narrow, words in rows:
        cells = []
        for i, (column, value) in enumerate(zip(columns, values)):
            text = column.text(value) + noise_mark(i in marks)
            css = f' class="{column.css}"' if column.css else ""
            cells.append(f'<td{css}>{text}</td>' if i else
                         f'<th scope="row"{f" data-s={chr(34)}{narrow}{chr(34)}" if narrow else ""}>{text.replace("_", "_<wbr>")}</th>')
        body.append(f'<tr{f" data-f={chr(34)}{words}{chr(34)}" if words else ""}>{"".join(cells)}</tr>\n')
    return (f'<div class="table{found}">{HINT}'
            f'<div class="scroll" tabindex="0" role="region" aria-label="{html.escape(caption)}"><table>'
            f'<thead><tr>{head}</tr></thead><tbody>\n{"".join(body)}</tbody></table></div></div>')


HINT = '<p class="hint">more to the right: scroll &rarr;</p>'
ANSWER = [Column("kernel"), Column("ns/element", 3, title="of the fastest ISA, in the shape beside it"), Column("fastest"),
          Column("over scalar", 2, title="times as fast as scalar: geometric mean of the shapes"),
          Column("over libm", 2, title="times as fast as the textbook formula in C with libm"),
          Column("max ULP", 2, title="largest error found"), Column("bound", 2, title="ULP"),
          Column("roof, cache", 2, title="time over that of a plain read or copy of the same bytes, in caches"),
          Column("roof, memory", 2, title="the same from memory"), Column("shape"), Column("in")]


def answer_of(run, key):
    """A row of ANSWER: the fastest ISA here is the one with the largest speed-up over scalar."""
    kernel, dtype = key
    of_kernel = {of: by_isa for of, by_isa in run.cells.items() if of[:2] == key}
    isas = list(dict.fromkeys(isa for by_isa in of_kernel.values() for isa in by_isa if isa not in table.PEERS))
    shape = shape_of_all(run, key)
    if not isas or not shape or not set(isas) & run.all_cells[shape].keys():
        return None
    speedup = {isa: mean(*ratios_over(run, key, isa, table.REFERENCE)) for isa in isas}
    if any(ratio for ratio, _ in speedup.values()):
        fastest = max(isas, key=lambda isa: speedup[isa][0] or 0)
    else:  # there is no scalar
        fastest = min(isas, key=lambda isa: run.all_cells[shape].get(isa, {}).get("ns_per_element", math.inf))
    cell = run.all_cells[shape].get(fastest) or next(by_isa[fastest] for by_isa in of_kernel.values() if fastest in by_isa)
    libm = mean(*ratios_over(run, key, fastest, table.BASELINE))
    roofs = []
    for from_memory in (False, True):
        cells = [by_isa[fastest] for by_isa in of_kernel.values() if "x_roof" in by_isa.get(fastest, {})
                 and (by_isa[fastest]["level"] == "DRAM") == from_memory]
        roofs.append(mean([c["x_roof"] for c in cells], [c["x_roof"] for c in cells if not c["roof_noisy"]]))
    error = run.error(kernel, dtype, fastest)
    values = [kernel, cell["ns_per_element"], fastest, speedup[fastest][0], libm[0],
              float(error["max_ulp"]) if error else None, bound_of(error),
              roofs[0][0], roofs[1][0], shape[2], cell["level"]]
    noisy = dict(zip((1, 3, 4, 7, 8), (cell["noisy"], speedup[fastest][1], libm[1], roofs[0][1], roofs[1][1])))
    return values, {i for i, is_noisy in noisy.items() if is_noisy}, "", dtype


def answer(run):
    """What there is to know, in a few sentences; and a table for each element type, of which one is shown."""
    dtypes = list(dict.fromkeys(of[1] for of in run.cells)) or list(dict.fromkeys(of[1] for of in run.all_cells))
    rows = {dtype: [row for key in dict.fromkeys(of[:2] for of in run.cells if of[1] == dtype) if (row := answer_of(run, key))]
            for dtype in dtypes}
    rows = {dtype: of for dtype, of in rows.items() if of}
    if not rows:
        return "", ""
    first = next(iter(rows))
    isas = [row[0][2] for row in rows[first]]
    winner = max(dict.fromkeys(isas), key=isas.count)
    over = [row[0][3] for row in rows[first] if row[0][2] == winner and row[0][3]]
    every = [row for of in rows.values() for row in of]
    exceeded = [row[0][0] + " " + row[3] for row in every if row[0][5] is not None and row[0][6] is not None and not row[0][5] <= row[0][6]]
    known = [row for row in every if row[0][5] is not None]
    noisy, count = run.noisy()
    text = (f"<b>{winner}</b> is the fastest here in {isas.count(winner)} of {len(isas)} kernels of {first}"
            + (f", <b>{statistics.geometric_mean(over):.1f} times</b> as fast as scalar in the geometric mean" if over else "") + ". "
            + (f"Errors exceed the bound: {html.escape(', '.join(exceeded))}. " if exceeded else
               "All errors found are within their bounds. " if known else "")
            + (f'<a href="#speeds" data-filter="noisy">{noisy} of {count} times</a> are noisy (~): their repetitions spread by more '
               "than 10 %, also after measuring again; no mean counts them." if noisy else f"None of {count} times is noisy."))
    pickers, parts = "", ""
    for dtype, of in rows.items():
        checked = " checked" if dtype == first else ""
        pickers += f'<input type="radio" name="type" id="type-{dtype}"{checked}><label for="type-{dtype}">{dtype}</label>'
        parts += html_table(ANSWER, of, f"the answer, {dtype}", f" tab tab-{dtype}")
    css = ", ".join(f"#type-{dtype}:checked ~ .tab-{dtype}" for dtype in rows) + " { display: block; }"
    return text, f"<style>{css}</style><div class=\"tabs\">{pickers}{parts}</div>"


def speed_columns(runs):
    columns = [Column("kernel"), Column("ns/element", 3, title="CPU time: the median of the repetitions"),
               Column("dtype", wide=True), Column("ISA or peer", wide=True), Column("shape", wide=True), Column("in", wide=True),
               Column("spread, %", 1, title="interquartile range over median"),
               Column("over scalar", 2, title="times as fast as scalar"), Column("over libm", 2, title="times as fast as libm"),
               Column("x roof", 2, title="time over that of a plain read or copy of the same bytes"),
               Column("GB/s", 1, title="of what must be read and written"),
               Column("cycles/element", 2, title="ns times the clock, counted after each repetition"),
               Column("max ULP", 2)]
    for _ in runs[1:]:
        columns += [Column("B: ns/element", 3), Column("A over B", 2, title="above 1: B is faster")]
    return columns


def speed_rows(runs):
    for (kernel, dtype, shape), by_isa in runs[0].all_cells.items():
        scalar, libm = by_isa.get(table.REFERENCE), by_isa.get(table.BASELINE)
        for isa, cell in by_isa.items():
            ns, rate = cell["ns_per_element"], cell.get("bytes_per_second")
            values = [kernel, ns, dtype, isa, shape, cell["level"], cell["spread"],
                      scalar and scalar["ns_per_element"] / ns, libm and libm["ns_per_element"] / ns, cell.get("x_roof"),
                      rate and rate / 1e9, cell.get("cycles_per_element"),
                      runs[0].ulp(kernel, dtype, isa, cell)]
            marks = {1} if cell["noisy"] else set()
            marks |= {i for i, other in ((7, scalar), (8, libm)) if other and (other["noisy"] or cell["noisy"])}
            marks |= {9} if "x_roof" in cell and cell["roof_noisy"] else set()
            for other in runs[1:]:
                theirs = other.all_cells.get((kernel, dtype, shape), {}).get(isa)
                values += [theirs["ns_per_element"], ns / theirs["ns_per_element"]] if theirs else [None, None]
                marks |= {len(values) - 2} if theirs and theirs["noisy"] else set()
                marks |= {len(values) - 1} if theirs and table.mark(theirs, cell) else set()
            yield values, marks, f"{dtype} {isa} {shape} {cell['level']}", "noisy" * cell["noisy"]


def csv_text(runs):
    """Every speed of every run, all digits."""
    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(["run", "kernel", "dtype", "isa", "shape", "elements", "level", "ns_per_element", "ns_low", "ns_high",
                     "spread_percent", "noisy", "speedup_over_scalar", "speedup_over_libm", "x_roof", "roof_noisy", "gb_per_s",
                     "cycles_per_element", "clock_ghz", "max_ulp", "bound_ulp"])
    for name, run in zip("AB", runs):
        for (kernel, dtype, shape), by_isa in run.all_cells.items():
            for isa, cell in by_isa.items():
                ns, rate, error = cell["ns_per_element"], cell.get("bytes_per_second"), run.error(kernel, dtype, isa)
                over = [by_isa[other]["ns_per_element"] / ns if other in by_isa else None
                        for other in (table.REFERENCE, table.BASELINE)]
                writer.writerow([name, kernel, dtype, isa, shape, elements(shape), cell["level"], ns, cell["low"], cell["high"],
                                 cell["spread"], int(cell["noisy"]), *over, cell.get("x_roof"),
                                 int(cell["roof_noisy"]) if "x_roof" in cell else None, rate and rate / 1e9,
                                 cell.get("cycles_per_element"), cell.get("clock_ghz"), run.ulp(kernel, dtype, isa, cell),
                                 bound_of(error)])
    return file.getvalue()


def bound_of(error):
    """None of a peer, for which nobody promises anything."""
    bound = float(error["bound"]) if error else math.inf
    return bound if bound < math.inf else None


def error_table(run):
    columns = [Column("kernel"), Column("max ULP", 2), Column("bound, ULP", 2), Column("dtype", wide=True),
               Column("ISA or peer", wide=True), Column("mean ULP", 3), Column("worst at")]
    rows = [([kernel, float(r["max_ulp"]), bound_of(r), dtype, isa, float(r["mean_ulp"]), table.witness(r)], (),
             f"{dtype} {isa}", "") for (kernel, dtype), by_isa in run.errors.items() for isa, r in by_isa.items()]
    return html_table(columns, rows, "all errors")


def machine(runs, out):
    """What each run was made on, and its files."""
    text = ""
    for name, run in zip("AB", runs):
        of = run.context.get
        spread = sorted(cell["spread"] for by_isa in run.all_cells.values() for cell in by_isa.values()
                        if cell["spread"] is not None)
        clocks = [cell["clock_ghz"] for by_isa in run.all_cells.values() for cell in by_isa.values() if "clock_ghz" in cell]
        isas = ", ".join(f"{key[4:]} {value}" for key, value in run.context.items()
                         if key.startswith("isa_") and key != "isa_in_use")
        noisy, count = run.noisy()
        seen = (f"{statistics.median(clocks):.2f} GHz (median of all repetitions; {min(clocks):.2f} to {max(clocks):.2f})" if clocks
                else f"{of('clock_ghz')} GHz at the start" if of("clock_ghz", "unknown") != "unknown" else "not known")
        facts = [("CPU", f"{of('cpu', '?')}, {of('cores', '?')} cores, measured on CPU {of('bound_to_cpu', '?')}"),
                 ("caches", ", ".join(f"{cache} {of(key, '?')}" for cache, key in
                                      (("L1d", "cache_l1d"), ("L2", "cache_l2"), ("L3", "cache_l3")))),
                 ("clock seen", seen + ", counted by a chain of additions that depend on each other, one cycle each"),
                 ("governor", of("governor", "not known")), ("OS", of("os", "not known")),
                 ("kernel", of("os_kernel", "not known")),
                 ("ISAs", f"{isas}; in use: {of('isa_in_use', '?')}"),
                 ("softlane", f"{of('softlane_version', '?')} ({of('softlane_commit', '?')}), "
                              f"{of('compiler', '?')} {of('compiler_flags', '')}"),
                 ("when", f"{of('date', '?')}, load {(of('load_avg') or [math.nan])[0]:.1f} at the start"),
                 ("spread", f"{statistics.median(spread):.1f} % (median), {spread[int(0.95 * (len(spread) - 1))]:.1f} % "
                            f"(95 of 100 stay below); {noisy} of {count} times noisy" if spread else "not known: one repetition")]
        rows = "".join(f"<dt>{name_}</dt><dd>{html.escape(value)}</dd>" for name_, value in facts)
        links = ", ".join(link(file, out) for file in dict.fromkeys(run.files))
        if len(runs) > 1:
            text += f"<h3>{name}: {html.escape(str(run.path))}</h3>"
        text += f"<dl>{rows}<dt>files</dt><dd>{links}</dd></dl>"
    return text


def link(file, out):
    """To a file, from the page."""
    path = os.path.relpath(os.path.abspath(file), os.path.dirname(os.path.abspath(out)))
    return f'<a href="{html.escape(urllib.parse.quote(path))}">{html.escape(os.path.basename(file))}</a>'


# --------------------------------------------------------------------------------------------------------------- the page

def colour_variables(dark):
    return " ".join(f"--c{i}: {pair[dark]};" for i, pair in enumerate(COLOURS))


CSS_COLOURS = f"""
:root {{ color-scheme: light dark; --ink: #1b1b1b; --soft: #5c5f63; --paper: #fdfdfc; --shade: #f1f2f0; --line: #d8d8d8;
         --accent: #1f5fa8; {colour_variables(0)} }}
@media (prefers-color-scheme: dark) {{
:root {{ --ink: #e6e6e6; --soft: #a2a7ad; --paper: #17191c; --shade: #202327; --line: #3b3f45; --accent: #6cb0ff;
         {colour_variables(1)} }} }}
"""

CSS_PLOT = "".join(f".c{i} {{ --c: var(--c{i}); }}\n" for i in range(len(COLOURS))) + """
svg { font: 10.5px system-ui, sans-serif; } svg text { fill: currentColor; } svg .title { font-size: 12.5px; font-weight: 600; }
.grid { stroke: currentColor; opacity: .13; } .cache { stroke: currentColor; opacity: .45; stroke-width: .7; }
.line, .roof, .bound, .thin, .whisker, .least { fill: none; } .line { stroke: var(--c); stroke-width: 1.5; }
.fast .line { stroke-width: .9; } .second { stroke-dasharray: 6 3; }
.roof { stroke: currentColor; stroke-dasharray: 1.5 3; stroke-width: 1.4; } .bound { stroke: var(--c); stroke-dasharray: 1.5 3; }
.band { fill: var(--c); opacity: .16; } .whisker { stroke: var(--c); opacity: .6; } .bar { fill: var(--c); }
.least { stroke: currentColor; opacity: .65; stroke-width: .9; } .thin { stroke: currentColor; opacity: .22; stroke-width: .8; }
.dot circle, .dot path { fill: var(--c); stroke: transparent; stroke-width: 6; }
.dot path.line { fill: none; stroke: var(--c); stroke-width: 1.5; }
.dot.fast circle, .fast .dot circle, .dot.fast path { fill: var(--paper); stroke: var(--c); stroke-width: 1.1; }
.dot.noisy path { fill: none; stroke: var(--c); stroke-width: 1.2; }
.dot .whisker { stroke: var(--c); stroke-width: 1; fill: none; } .dot .least { stroke: currentColor; stroke-width: .9; fill: none; }
.dot path.line.dot { fill: none; }
"""

STYLE = CSS_COLOURS + CSS_PLOT + """
* { box-sizing: border-box; }
body { font: 16px/1.45 system-ui, sans-serif; color: var(--ink); background: var(--paper); margin: 0 auto; max-width: 84rem;
       padding: .8rem 1rem 3rem; }
h1 { font-size: 1.45rem; margin: 0; } h2 { font-size: 1.2rem; margin: 0 0 .2rem; } section { padding-top: 1.1rem; } h3 { font-size: 1rem; margin: 1rem 0 .3rem; }
p { margin: .3rem 0; max-width: 82rem; } .on { color: var(--soft); } a { color: var(--accent); }
.bar-top { position: sticky; top: 0; background: var(--paper); border-bottom: 1px solid var(--line); z-index: 3; padding: .4rem 0;
           margin: .4rem 0; display: flex; flex-wrap: wrap; gap: .2rem 1.2rem; align-items: baseline; }
.bar-top nav { display: flex; gap: 1rem; overflow-x: auto; white-space: nowrap; scrollbar-width: thin; max-width: 100%; }
nav a { text-decoration: none; } nav a:hover { text-decoration: underline; }
.filter { display: flex; flex-wrap: wrap; gap: .2rem .7rem; align-items: baseline; flex: 1 1 18rem; font-size: .85rem; }
.filter input { font: inherit; font-size: .95rem; flex: 1 1 11rem; max-width: 20rem; min-width: 0; padding: .15rem .4rem; color: inherit;
                background: var(--shade); border: 1px solid var(--line); border-radius: 4px; }
#nothing, .nothing { color: var(--c4); font-weight: 600; }
section, h3, figure, details, .table { scroll-margin-top: 3rem; }
.sub { font-size: .85rem; margin: .2rem 0; display: flex; flex-wrap: wrap; gap: .1rem .8rem; }
.parts { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 25rem), 1fr)); gap: 1rem; margin-top: .6rem; }
figure { margin: 0; min-width: 0; } figure svg { width: 100%; height: auto; display: block; }
figure.wide { grid-column: 1 / -1; } figure.wide .drawing { overflow-x: auto; } figure.wide svg { min-width: 44rem; }
.link .name { cursor: default; } figure.dim .dot:not(.lit) { opacity: .12; } figure.dim .link:not(.lit) { opacity: .25; }
figure.dim .lit .thin { opacity: .9; } figure.dim .lit .name { font-weight: 700; }
figure:target { outline: 2px solid var(--accent); outline-offset: 4px; }
details > summary { cursor: pointer; padding: .3rem 0; font-weight: 600; }
.scroll { overflow: auto; max-height: 75vh; border: 1px solid var(--line); border-radius: 4px; width: fit-content; max-width: 100%; }
.tab .scroll { max-height: none; } .tab td, .tab th { padding-top: .03rem; padding-bottom: .03rem; } .tabs { margin-top: .5rem; } .tabs .tab { display: none; }
.tabs > input { position: absolute; opacity: 0; } .tabs > label { display: inline-block; padding: .05rem .8rem; cursor: pointer;
      border: 1px solid var(--line); border-radius: 4px; margin: 0 .3rem .4rem 0; font-size: .9rem; }
.tabs > input:checked + label { background: var(--accent); color: var(--paper); border-color: var(--accent); }
.tabs > input:focus-visible + label { outline: 2px solid var(--ink); }
table { border-collapse: separate; border-spacing: 0; font-size: .85rem; font-variant-numeric: tabular-nums; }
td, th { padding: .1rem .7rem; border-bottom: 1px solid var(--line); text-align: left; white-space: nowrap; }
tbody th { font-weight: 600; position: sticky; left: 0; background: var(--paper); z-index: 1; }
tbody tr:nth-child(2n) > * { background: var(--shade); } .num { text-align: right; }
thead th { position: sticky; top: 0; background: var(--paper); z-index: 2; } thead th:first-child { left: 0; z-index: 3; }
th button { font: inherit; font-weight: 600; color: inherit; background: none; border: 0; padding: 0; cursor: pointer; }
th[aria-sort=ascending] button::after { content: " \\2191"; } th[aria-sort=descending] button::after { content: " \\2193"; }
.noise { display: inline-block; width: 0; font-style: normal; color: var(--c4); font-weight: 700; }
.hint { display: none; color: var(--soft); font-size: .85rem; } .more > .hint { display: block; }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .1rem 1rem; font-size: .9rem; margin: .4rem 0; }
dt { color: var(--soft); } dd { margin: 0; overflow-wrap: anywhere; }
#tip { position: fixed; z-index: 9; pointer-events: none; background: var(--ink); color: var(--paper); font-size: .8rem; padding: .25rem .5rem;
       border-radius: 4px; white-space: pre-line; max-width: min(22rem, 90vw); }
[hidden], .empty .table, .empty .tabs, .empty .sub, .empty details { display: none !important; } svg .off { display: none; }
@media (max-width: 600px) {
  body { padding: .5rem .6rem 2rem; font-size: 15px; } h1 { font-size: 1.2rem; } .w { display: none; }
  td, th { padding: .15rem .6rem; } tbody th { white-space: normal; max-width: 10rem; min-width: 8rem; }
  section, h3, figure, details, .table { scroll-margin-top: 4.6rem; }
  tbody th[data-s]::after { content: attr(data-s); display: block; font-weight: 400; font-size: .8rem; color: var(--soft); }
  dl { grid-template-columns: 1fr; } dd { margin-bottom: .3rem; } figure svg { font-size: 12px; } .bar-top { gap: .3rem; }
  .filter { flex-basis: 100%; } .bar-top nav { font-size: .9rem; gap: .8rem; }
}
@media print { .bar-top, .hint { display: none; } .scroll { max-height: none; } }
"""

SCRIPT = """
const filter = document.getElementById("filter"), nothing = document.getElementById("nothing");
const found = document.getElementById("found"), all = (of, what) => [...of.querySelectorAll(what)];
const rows = all(document, "tbody tr"), figures = all(document, "figure"), sections = all(document, "section");
const first = node => node.querySelector("title").textContent.split("\\n")[0].toLowerCase();
rows.forEach(row => row.words = ([...row.cells].filter(cell => !cell.classList.contains("num")).map(cell => cell.textContent)
    .join(" ") + " " + (row.dataset.f || "")).toLowerCase());
figures.forEach(figure => {
    figure.dots = all(figure, ".dot").filter(dot => dot.querySelector("title"));
    figure.dots.forEach(dot => dot.words = first(dot) + (dot.classList.contains("noisy") ? " noisy" : ""));
    figure.series = all(figure, ".series");
    figure.others = all(figure, "[data-f]");
});
let opened = null;  /* what was, when the filter was empty */
const show = () => {
    const words = filter.value.toLowerCase().split(/\\s+/).filter(word => word && word != "-");
    if (words.length && !opened) opened = all(document, "details").map(part => [part, part.open]);
    if (!words.length && opened) { opened.forEach(([part, open]) => part.open = open); opened = null; }
    const has = text => words.every(word => word[0] == "-" ? !text.includes(word.slice(1)) : text.includes(word));
    rows.forEach(row => row.hidden = !has(row.words));
    figures.forEach(figure => {
        const left = figure.dots.filter(dot => { const is = has(dot.words); dot.classList.toggle("off", !is); return is; });
        figure.series.forEach(of => of.classList.toggle("off", !of.querySelector(".dot:not(.off)")));
        figure.others.forEach(of => of.classList.toggle("off",
            !left.some(dot => dot.words.startsWith(of.dataset.f.toLowerCase() + " "))));
        figure.hidden = words.length > 0 && left.length == 0;
    });
    sections.forEach(section => {
        const parts = all(section, "tbody tr, figure"), left = parts.filter(part => !part.hidden).length;
        const note = section.querySelector(".nothing");
        if (note) note.hidden = !parts.length || left > 0;
        section.classList.toggle("empty", parts.length > 0 && left == 0);
        if (words.length) all(section, "details").forEach(part =>
            part.open = all(part, "tbody tr, figure").some(inner => !inner.hidden));
    });
    const tabs = all(document, ".tab"), some = tab => tab.querySelector("tbody tr:not([hidden])");
    const shown = tabs.findIndex(tab => getComputedStyle(tab).display != "none"), other = tabs.findIndex(some);
    if (shown >= 0 && !some(tabs[shown]) && other >= 0) all(document, ".tabs > input")[other].checked = true;
    const left = rows.filter(row => !row.hidden).length, plots = figures.filter(figure => !figure.hidden).length;
    nothing.hidden = left + plots > 0;
    nothing.textContent = "nothing is left: no row and no plot matches " + filter.value.trim();
    found.hidden = !words.length || left + plots == 0;
    found.textContent = `${left} of ${rows.length} rows, ${plots} of ${figures.length} plots`;
};
filter.addEventListener("input", show);
all(document, "[data-filter]").forEach(link => link.addEventListener("click", () => {
    filter.value = link.dataset.filter;
    show();
}));
all(document, "thead th").forEach(head => head.addEventListener("click", () => {
    const up = head.ariaSort != "ascending", body = head.closest("table").tBodies[0];
    head.parentNode.querySelectorAll("th").forEach(other => other.removeAttribute("aria-sort"));
    head.setAttribute("aria-sort", up ? "ascending" : "descending");
    const value = row => row.cells[head.cellIndex].textContent.replace("~", "");
    const compare = (a, b) => a - b || a.localeCompare(b, "en", {numeric: true});
    body.append(...[...body.rows].sort((a, b) => {
        const [x, y] = [value(a), value(b)];
        return x == "" || y == "" ? (x == "") - (y == "") : up ? compare(x, y) : compare(y, x);
    }));
}));
const open_target = () => {
    const target = location.hash && document.getElementById(location.hash.slice(1));
    for (let at = target; at; at = at.parentElement) if (at.tagName == "DETAILS") at.open = true;
    if (target) target.scrollIntoView();
};
addEventListener("hashchange", open_target);
open_target();
const hint = () => all(document, ".table, figure.wide").forEach(part => {
    const scroll = part.querySelector(".scroll, .drawing");
    part.classList.toggle("more", scroll.scrollWidth > scroll.clientWidth + 1);
});
addEventListener("resize", hint);
all(document, ".tabs > input").forEach(input => input.addEventListener("change", hint));
all(document, "details").forEach(part => part.addEventListener("toggle", hint));
hint();
const pick = of => {
    const figure = of && of.closest("figure.wide"), kernel = figure && (of.dataset.f || of.words || "").split(" ")[0].toLowerCase();
    figures.forEach(each => {
        if (each != figure && !each.classList.contains("dim")) return;
        each.classList.toggle("dim", each == figure);
        each.dots.forEach(dot => dot.classList.toggle("lit", each == figure && dot.words.split(" ")[0] == kernel));
        each.others.forEach(part => part.classList.toggle("lit", each == figure && part.dataset.f.split(" ")[0] == kernel));
    });
};
const tip = document.getElementById("tip");
let at = null;
const leave = () => { if (at) at.querySelector("title").textContent = tip.textContent; at = null; tip.hidden = true; };
addEventListener("pointerover", event => {
    const near = what => event.target.closest && event.target.closest(what), dot = near("figure .dot");
    pick(near("figure.wide .dot, figure.wide .link"));
    if (dot == at) return;
    leave();
    const title = dot && dot.querySelector("title");
    if (!title) return;
    at = dot;
    tip.textContent = title.textContent;
    title.textContent = "";  /* or the browser would show it once more */
    tip.hidden = false;
    const box = tip.getBoundingClientRect();
    tip.style.left = Math.max(4, Math.min(event.clientX + 12, innerWidth - box.width - 4)) + "px";
    tip.style.top = (event.clientY + 16 + box.height > innerHeight ? event.clientY - box.height - 10 : event.clientY + 16) + "px";
});
addEventListener("scroll", leave, true);
"""

PAGE = """<!DOCTYPE html>
<html lang="en"><head><meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>softlane: report</title><style>{style}</style></head>
<body><h1>softlane on {cpu}</h1><p class="on">{on} &middot; data: {data}</p>
<div class="bar-top"><nav aria-label="sections">{links}</nav><div class="filter">
<input id="filter" type="search" placeholder="softmax f32 -sse2" aria-label="filter: words to have, -words to leave out">
<span id="found" role="status" hidden></span><span id="nothing" role="status" hidden></span></div></div>
{body}<div id="tip" hidden></div><script>{script}</script></body></html>
"""


def by_type(prefix, keys, figures):
    """Figures of (kernel, dtype), an element type in one piece that can be folded; all but the first are. And links to them."""
    of_type = {}
    for key, text in zip(keys, figures):
        if text:
            of_type.setdefault(key[1], []).append((key[0], text))
    parts = ""
    for i, (dtype, found) in enumerate(of_type.items()):
        links = " ".join(f'<a href="#{identifier(f"{prefix} {kernel}/{dtype}")}">{html.escape(kernel)}</a>' for kernel, _ in found)
        parts += (f'<details id="{prefix}-{dtype}"{" open" * (i == 0)}><summary>{dtype}: {len(found)} kernels</summary>'
                  f'<nav class="sub" aria-label="{dtype}">{links}</nav>'
                  f'<div class="parts">{"".join(text for _, text in found)}</div></details>')
    return '<nav class="sub" aria-label="element types">' + " ".join(
        f'<a href="#{prefix}-{dtype}">{dtype}</a>' for dtype in of_type) + "</nav>" + parts if of_type else ""


def page(runs, out):
    run = runs[0]
    isas = list(dict.fromkeys(isa for of in runs for by_isa in of.all_cells.values() for isa in by_isa))
    isas.sort(key=lambda isa: isa in table.PEERS)  # stable: the order of the manifest, then the peers
    colour = {isa: i % len(COLOURS) for i, isa in enumerate(isas)}
    keys = list(dict.fromkeys(key[:2] for key in run.all_cells))
    dtypes = list(dict.fromkeys(dtype for _, dtype in keys))
    with_tiers = [key for key in keys if key[0] not in table.FAST.values()]
    of_first = " Of run A." if len(runs) > 1 else ""
    text, tables = answer(run)
    errors = "".join(error_figure(dtype, keys, run, colour) for dtype in dtypes)
    bars = "".join(bars_figure(dtype, run, colour) for dtype in dtypes)
    columns = speed_columns(runs)
    sections = [
        ("answer", "Answer", "The answer", text + of_first, tables),
        ("machine", "Machine", "The machine and the run", "", machine(runs, out)),
        ("size", "Time against size", "Time against size",
         "Dots are shapes, their bars and the bands the middle half of the repetitions; crosses are noisy. Lines go through rows of "
         "1000 columns and single shorter rows where there are several sizes of them, else through the fastest shape of about each "
         "size. Thin, hollow: the fast tier. Dotted: the roof, a plain read or copy of the same bytes. Upright: the caches."
         + (" Dashed: run B." if len(runs) > 1 else ""),
         by_type("size", with_tiers, [size_figure(key, runs, colour) for key in with_tiers])),
        ("speed-up", "Speed-up", "Speed-up over scalar", "The geometric mean over the shapes, and the range that they are in; noisy times left "
         "out." + of_first, f'<div class="parts">{bars}</div>' if bars else ""),
        ("error", "Speed against error", "Speed against error", "One dot for each kernel and ISA, in a shape that fits the L2; a line joins those of a kernel. "
         "Hollow: the fast tier; diamonds: other libraries; bars: the middle half of the repetitions." + of_first,
         f'<details{" open" * run.has_peers()}><summary>a plot for each element type</summary><div class="parts">{errors}</div>'
         '</details>' if errors else ""),
        ("x", "Error against x", "Error against x", "Element kernels: the largest error in each of 300 bins of x. Dotted: the bound." + of_first,
         by_type("x", keys, [x_figure(key, run, colour) for key in keys])),
        ("speeds", "Speeds", "All speeds", "CPU time: the median of the repetitions. GB/s count what must be read and written; cycles are the time "
         "times the clock that was counted after each repetition. Click a heading to sort.",
         html_table(columns, speed_rows(runs), "all speeds")),
        ("errors", "Errors", "All errors", "In ULP of the result's type." + of_first, error_table(run) if run.errors else ""),
    ]
    body = links = ""
    for name, short, title, text, parts in sections:
        if parts:
            body += (f'<section id="{name}"><h2>{title}</h2>\n<p>{text}</p>\n<p class="nothing" hidden>Nothing here matches the '
                     f'filter.</p>\n{parts}</section>\n')
            links += f'<a href="#{name}">{short}</a>\n'
    of = run.context.get
    csv_file = pathlib.Path(out).with_suffix(".csv")
    return PAGE.format(
        style=STYLE, links=links, body=body, script=SCRIPT, cpu=html.escape(of("cpu", "an unknown CPU")),
        on=html.escape(f"{of('os', '?')}, softlane {of('softlane_version', '?')} ({of('softlane_commit', '?')}), "
                       f"{of('compiler', '?')}, {of('date', '?')[:10]}"),
        data=", ".join([link(csv_file, out), *(link(file, out) for of_run in runs for file in dict.fromkeys(of_run.files))]))


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    command_line.add_version(parser)
    parser.add_argument("bench", metavar="A.json", help="from softlane-bench --benchmark_out=A.json")
    parser.add_argument("other", metavar="B.json", nargs="?", help="another run, to be laid over the first")
    parser.add_argument("--with", metavar="FILE", action="append", default=[], dest="more",
                        help="more of A, may be repeated: from softlane-accuracy, peers.py, or "
                             "softlane-bench --sizes, --sweep or --cells")
    parser.add_argument("--with-b", metavar="FILE", action="append", default=[], help="the same, of B")
    parser.add_argument("--out", metavar="FILE", default="results/report.html",
                        help="default: %(default)s; all speeds go into a .csv beside it")
    parser.add_argument("--figures", metavar="DIR", type=pathlib.Path, help="the README's figures, as files")
    arguments = parser.parse_args()
    if arguments.figures and not arguments.figures.is_dir():
        command_line.refuse(f"--figures: {arguments.figures}: no such directory")
    if arguments.figures:
        STANDALONE.update({name: arguments.figures / re.sub(r"[ /]", "_", f"{name}.svg") for name in FIGURES})
    if arguments.with_b and not arguments.other:
        command_line.refuse("--with-b: there is no B.json")
    runs = [Run(arguments.bench, arguments.more)]
    if arguments.other:
        runs.append(Run(arguments.other, arguments.with_b))
    out = pathlib.Path(arguments.out)
    text = page(runs, out)
    try:
        out.write_text(text, encoding="utf-8")
        out.with_suffix(".csv").write_text(csv_text(runs), encoding="utf-8")
    except OSError as error:
        command_line.refuse(f"--out: {arguments.out}: {error.strerror}")
    print(f"{out}: {len(text.encode()) / 1e6:.1f} MB, to be opened in a browser; {out.with_suffix('.csv').name} beside it")


if __name__ == "__main__":
    command_line.run(main)
