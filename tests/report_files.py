#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""table.py, report.py, sweep.py and the rules of peers.py and compare.py on results that are made up: noise is marked and
left out of means, a kernel is printed once, the report and its CSV hold what was measured. Standard library only."""
import csv
import html.parser
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import table  # noqa: E402

CONTEXT = {"cpu": "A <CPU>", "cores": "2", "cache_l1d": "48 KiB", "cache_l2": "2 MiB", "cache_l3": "32 MiB", "isa_in_use": "avx2",
           "isa_avx2": "available", "os": "An OS", "os_kernel": "Linux 1", "governor": "performance", "clock_ghz": "3.00",
           "date": "2026-01-02T03:04:05", "load_avg": [0.5]}
# ns per element of three repetitions; noisy is what spreads by more than 10 %
CALM, NOISY = (1.0, 1.01, 1.02), (1.0, 2.0, 3.0)


def bench(cells, **context):
    """A file of softlane-bench: cells are (name, ns of the repetitions, time over the roof's, level)."""
    runs = []
    for family, (name, times, x_roof, level) in enumerate(cells):
        elements = 1
        for n in name.split("/")[3].split("x"):
            elements *= int(n)
        for i, ns in enumerate(times):
            runs.append({"name": name, "run_name": name, "family_index": family, "run_type": "iteration", "repetition_index": i,
                         "repetitions": len(times), "cpu_time": ns * elements, "ns_per_element": ns, "label": level,
                         "elements": elements, "bytes_per_second": 8 / (ns * 1e-9), "clock_ghz": 3.0,
                         "cycles_per_element": 3 * ns, "x_roof": x_roof, "roof_spread_percent": 1.0})
    return {"context": CONTEXT | context, "benchmarks": runs}


def scaled(times, factor):
    return tuple(factor * t for t in times)


def cells_of(kernel, dtype="f32", noisy=()):
    """Two shapes by four: avx2 takes 1 ns, sse2 2, scalar 8, libm 16."""
    return [(f"{kernel}/{dtype}/{isa}/{shape}", scaled(NOISY if (isa, shape) in noisy else CALM, factor), 2.0 * factor, level)
            for shape, level in (("131x1000", "L2"), ("9000x1000", "DRAM"))
            for isa, factor in (("avx2", 1), ("sse2", 2), ("scalar", 8), ("libm", 16))]


def accuracy(names):
    return {"context": {}, "results": [
        {"name": name, "kernel": name.split("/")[0], "dtype": name.split("/")[1], "isa": name.split("/")[2],
         "fma": name.endswith("avx2"), "max_ulp": 1.25, "bound": "inf" if name.endswith("libm") else 2.5, "mean_ulp": 0.25,
         "results": 10, "worst": {"distribution": "normal", "shape": "1x10", "row": 0, "column": 3, "x": "0x1p0"}}
        for name in names]}


class Links(html.parser.HTMLParser):
    """What a page asks for, its ids, and the texts of its tables."""

    def __init__(self, text):
        super().__init__()
        self.links, self.ids, self.sources = [], set(), []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        of = dict(attributes)
        self.ids.add(of.get("id"))
        if tag == "a":
            self.links.append(of["href"])
        elif "src" in of or (tag == "link" and not of["href"].startswith("data:")):
            self.sources.append(of)


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def file(self, name, content):
        path = self.folder / name
        path.write_text(json.dumps(content), encoding="utf-8")
        return path

    def script(self, name, *arguments):
        done = subprocess.run([sys.executable, ROOT / "scripts" / name, *arguments], capture_output=True, text=True, check=False)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        return done.stdout

    def row(self, text, *starts):
        found = [line.split() for line in text.splitlines() if line.split()[:len(starts)] == list(starts)]
        self.assertEqual(len(found), 1, f"{starts} in\n{text}")
        return found[0]

    def test_rule(self):
        """That of bench/spread.h."""
        self.assertIsNone(table.spread_of([3.0])["spread"])
        self.assertAlmostEqual(table.spread_of([2.0, 1.0])["spread"], 100 * 0.5 / 1.5)
        self.assertAlmostEqual(table.spread_of([4.0, 1.0, 2.0])["spread"], 75)
        self.assertAlmostEqual(table.spread_of([4.0, 3.0, 1.0, 2.0])["spread"], 60)
        self.assertEqual(table.spread_of([5.0] * 8 + [100.0])["spread"], 0)
        self.assertFalse(table.spread_of([1.0, 1.199, 1.0])["noisy"])
        self.assertTrue(table.spread_of([1.0, 1.201, 1.0])["noisy"])
        self.assertFalse(table.spread_of([1.0])["noisy"])

    def test_speeds(self):
        out = self.script("table.py", self.file("b.json", bench(cells_of("softmax", noisy=[("sse2", "131x1000")]))))
        row = self.row(out, "softmax", "f32", "131x1000") if "softmax  f32" in out else self.row(out, "f32", "131x1000")
        self.assertIn("1.01 1% 8.00x", " ".join(row))
        self.assertIn("4.00~ 50% 2.02x~", " ".join(row))
        self.assertIn("8.08 1%", " ".join(row))
        self.assertIn("16.2 1% 0.500x", " ".join(row))  # libm beside scalar
        self.assertIn("1 of 8 times are noisy", out)
        self.assertNotIn("The fastest peer", out)  # libm alone is none
        calm = self.row(out, *row[:row.index("131x1000")], "9000x1000")
        self.assertNotIn("~", " ".join(calm))
        out = self.script("table.py", self.file("c.json", bench(cells_of("softmax"))))
        self.assertNotIn("~", out.split("\n\n")[1])
        self.assertIn("none of 8 times is noisy", out)

    def test_one_repetition(self):
        out = self.script("table.py", self.file("b.json", bench([("softmax/f32/avx2/131x1000", (1.0,), 2.0, "L2")])))
        self.assertNotIn("%  ", out.split("\n\n")[1])

    def test_roof(self):
        content = bench(cells_of("softmax"))
        for run in content["benchmarks"]:
            run["roof_spread_percent"] = 11.0
        self.assertIn("2.00~", self.script("table.py", self.file("b.json", content)))

    def test_each_kernel_once(self):
        """A loss and its gradient take turns in the files, one element type after another."""
        names = [f"{kernel}/{dtype}/avx2" for dtype in ("f32", "f64") for kernel in ("cross_entropy", "cross_entropy+grad")]
        content = bench([cell for name in names for cell in cells_of(*name.split("/")[:2])])
        errors = self.file("a.json", accuracy(names))
        speeds = self.file("b.json", content)
        for part in self.script("table.py", speeds, errors).split("\n\n"):
            for kernel in ("cross_entropy", "cross_entropy+grad"):
                self.assertLessEqual(part.splitlines().count(kernel), 1)
        out = self.script("table.py", speeds, errors)
        self.assertEqual([line for line in out.splitlines() if line.startswith("cross_entropy")],
                         ["cross_entropy", "cross_entropy+grad"] * 2)  # speeds and errors
        rows = [line for line in self.script("table.py", speeds, errors, "--markdown").splitlines() if line.startswith("| cross_e")]
        kernels = [line.split()[1] for line in rows]
        self.assertEqual(kernels, ["cross_entropy"] * 4 + ["cross_entropy+grad"] * 4 + ["cross_entropy"] * 2
                         + ["cross_entropy+grad"] * 2)

    def peers(self):
        """Ratios 2 and 8 without noise, 1 with it."""
        return self.file("p.json", bench([
            ("softmax/f32/avx2/1x1000", CALM, 2.0, "L1"), ("softmax/f32/eigen/1x1000", scaled(CALM, 2), 4.0, "L1"),
            ("softmax/f32/avx2/2x1000", CALM, 2.0, "L1"), ("softmax/f32/eigen/2x1000", scaled(CALM, 8), 4.0, "L1"),
            ("softmax/f32/avx2/3x1000", CALM, 2.0, "L1"), ("softmax/f32/eigen/3x1000", NOISY, 4.0, "L1")]))

    def test_means_of_peers(self):
        out = self.script("table.py", self.peers())
        self.assertIn("ratios: geometric mean 4.00x, minimum 2.00x, below 1 in 0 of 2 cells; 1 noisy cell (~) left out", out)
        all_noisy = self.file("n.json", bench([("softmax/f32/avx2/1x1000", NOISY, 2.0, "L1"),
                                               ("softmax/f32/eigen/1x1000", CALM, 4.0, "L1")]))
        self.assertIn("ratios: geometric mean -, minimum -, below 1 in 0 of 0 cells; 1 noisy", self.script("table.py", all_noisy))

    def test_cells(self):
        cells = self.folder / "cells.txt"
        cells.write_text("softmax/f32/1x1000 9\nsoftmax/f32/2x1000 9\nsoftmax/f32/3x1000 9\nsoftmax/f32/4x1000\n", encoding="utf-8")
        beside = self.file("o.json", {"context": {"runtime": "onnxruntime 1"}, "benchmarks": [
            {"name": f"softmax/f32/{who}/2x1000", "ns_per_element": ns, "call_ns": 0, "max_ulp": 1, "noisy": who != "softlane"}
            for who, ns in (("softlane", 2.0), ("onnxruntime", 2.0))]})
        out = self.script("table.py", self.peers(), "--cells", cells)
        self.assertIn("below 1: 0 of 2 cells; 1 noisy cell (~) left out\ngeometric mean of the ratios: 4.00x", out)
        out = self.script("table.py", self.peers(), "--cells", cells, "--beside", beside)
        self.assertIn("below 1: 0 of 1 cells; 2 noisy cells (~) left out\ngeometric mean of the ratios: 2.00x", out)
        self.assertIn("2.00~", " ".join(next(line for line in out.splitlines() if "onnxruntime " in line and "x1000" in line).split()))

    def test_level(self):
        """The table of a level that is not the CPU's best has no goals, and says who is not in it."""
        cells = self.folder / "cells.txt"
        cells.write_text("softmax/f32/1x1000 9\n", encoding="utf-8")
        runs = [("softmax/f32/sse2/1x1000", CALM, 2.0, "L1"), ("softmax/f32/eigen/1x1000", scaled(CALM, 2), 4.0, "L1"),
                ("softmax/f32/mkl/1x1000", scaled(CALM, 0.5), 4.0, "L1")]
        level = {"level": "sse2", "processes": 3, "left_out": ["xnnpack: for this reason"]}
        out = self.script("table.py", self.file("l.json", bench(runs, **level, best_level=False)), "--cells", cells)
        self.assertIn("level sse2: all limited to it; 3 processes of each kind, in random order\n"
                      "not in this table: xnnpack: for this reason\n", out)
        self.assertIn("below 1: 1 of 1 cells\ngeometric mean of the ratios: 0.50x\nminimum of the ratios:        0.50x\n", out)
        self.assertNotRegex(out, r"goal\n")
        row = next(line.split() for line in out.splitlines() if "1x1000" in line)
        self.assertEqual(row[2:6], ["1x1000", "L1", "mkl", "0.505"])
        out = self.script("table.py", self.file("l.json", bench(runs, **level, best_level=True)), "--cells", cells)
        self.assertRegex(out, r"goal\n")
        self.assertIn("9 yes", out)

    def test_calls(self):
        """ns of a whole call; softlane's is the public function's, whatever its table's entry takes."""
        content = bench([("softmax/f32/public/2x32", CALM, 2.0, "L1"), ("softmax/f32/avx2/2x32", scaled(CALM, 0.1), 2.0, "L1"),
                         ("softmax/f32/xnnpack/2x32", scaled(CALM, 4), 2.0, "L1"), ("softmax/f32/libm/2x32", NOISY, 2.0, "L1"),
                         ("sigmoid/f32/public/1x1", CALM, 2.0, "L1"), ("sigmoid/f32/libm/1x1", scaled(CALM, 4), 2.0, "L1"),
                         ("sigmoid/f32/public/1x4", CALM, 2.0, "L1")], level="avx2", processes=3, left_out=[])
        out = self.script("table.py", self.file("c.json", content), "--calls")
        rows = [line.split() for line in out.splitlines() if "f32 " in line and "x" in line]
        self.assertEqual(rows, [["softmax", "f32", "2x32", "64.6", "128~", "259", "libm", "1.98x~"],
                                ["sigmoid", "f32", "1x1", "1.01", "4.04", "-", "libm", "4.00x"]])
        self.assertIn("below 1: 0 of 1 cells; 1 noisy cell (~) left out\ngeometric mean of the ratios: 4.00x", out)

    def test_threads(self):
        out = self.script("table.py", self.file("t.json", bench([
            ("softmax/f32/avx2/131x1000", CALM, 2.0, "L2"), ("softmax/f32/avx2/131x1000/threads:2", scaled(NOISY, 0.25), 2.0, "L2")])))
        self.assertRegex(out.split("One thread and several")[1], r"131x1000 +L2 +1\.01 +1% +2 +0\.500~ 50% +2\.02x~ +16\.0~")

    def report(self, noisy=(), more=()):
        names = [f"{kernel}/f32/{isa}" for kernel in ("softmax", "sigmoid") for isa in ("avx2", "sse2", "scalar", "libm")]
        first = self.file("b.json", bench(cells_of("softmax", noisy=noisy) + cells_of("sigmoid")))
        sizes = self.file("s.json", bench([(f"softmax/f32/avx2/{shape}", CALM, 2.0, "L1") for shape in
                                           ("1x16", "1x250", "1x1000", "16x1000")], shapes="sizes"))
        out = self.folder / "report.html"
        self.script("report.py", first, "--with", self.file("a.json", accuracy(names)), "--with", sizes, *more, "--out", out)
        return out.read_text(encoding="utf-8")

    def test_report(self):
        page = self.report(noisy=[("avx2", "131x1000"), ("sse2", "131x1000"), ("sse2", "9000x1000")])
        found = Links(page)
        self.assertEqual(found.sources, [])
        self.assertNotRegex(page, r"url\(|@import|https?://(?!www\.w3\.org/2000/svg)")
        for link in found.links:
            self.assertTrue(link[1:] in found.ids if link.startswith("#") else (self.folder / link).is_file(), link)
        self.assertTrue({"report.csv", "b.json", "a.json", "s.json"} <= set(found.links))
        # The answer: of the fastest ISA, without the noisy cell of the two.
        answer = re.search(r'<section id="answer">.*?</section>', page, re.S)[0]
        text = re.sub(r"<[^>]*>", " ", answer)
        self.assertRegex(text, r"avx2 +is the fastest here in 2 of 2 kernels of f32")
        self.assertRegex(" ".join(text.split()), r"softmax 2\.000 ~ avx2 8\.00 16\.00 1\.25 2\.50 2\.00 ~ 2\.00 131x1000 L2")
        self.assertRegex(" ".join(text.split()), r"3 of 20 times are noisy")
        for fact in ("A &lt;CPU&gt;", "An OS", "Linux 1", "performance", "3.00 GHz"):
            self.assertIn(fact, page)
        self.assertIn("<title>softmax f32 avx2 131x1000 L2\n2.000 ns per element\n", page)
        self.assertRegex(page, r"<details><summary>a plot for each element type")  # no peers but libm
        # Speed-ups: of sse2 there is noise alone, which is shown and marked.
        bars = re.search(r'<figure id="bars-f32".*?</figure>', page, re.S)[0]
        self.assertIn("softmax f32 avx2\n8.00 times as fast as scalar; 8.00 to 8.00 in 1 shapes, 1 noisy left out", bars)
        self.assertIn("all noisy", bars)

    def test_csv(self):
        self.report(noisy=[("avx2", "131x1000")])
        with open(self.folder / "report.csv", encoding="utf-8", newline="") as file:
            rows = list(csv.DictReader(file))
        self.assertEqual(len(rows), 20)
        row = next(r for r in rows if (r["kernel"], r["isa"], r["shape"]) == ("softmax", "avx2", "131x1000"))
        self.assertEqual((row["noisy"], float(row["ns_per_element"]), float(row["ns_low"]), float(row["spread_percent"])),
                         ("1", 2.0, 1.5, 50.0))
        row = next(r for r in rows if (r["kernel"], r["isa"], r["shape"]) == ("sigmoid", "sse2", "9000x1000"))
        self.assertEqual((row["noisy"], float(row["speedup_over_scalar"]), float(row["speedup_over_libm"]), row["bound_ulp"]),
                         ("0", 4.0, 8.0, "2.5"))
        self.assertAlmostEqual(float(row["gb_per_s"]), 8 / 2.02)
        self.assertAlmostEqual(float(row["cycles_per_element"]), 6.06)

    def test_report_with_peers(self):
        beside = self.file("o.json", {"context": {"runtime": "onnxruntime 1"}, "benchmarks": [
            {"name": f"softmax/f32/{who}/131x1000", "ns_per_element": 2.0, "ns_low": 1.5, "ns_high": 2.5, "spread_percent": 50.0,
             "call_ns": 13100.0, "max_ulp": 1, "noisy": True} for who in ("softlane", "onnxruntime")]})
        page = self.report(more=["--with", self.peers(), "--with", self.file("e.json", accuracy(["softmax/f32/eigen"])),
                                 "--with", beside])
        self.assertRegex(page, r"<details open><summary>a plot for each element type")
        self.assertIn("<title>softmax f32 onnxruntime 131x1000\n1.900 ns per element\n"
                      "middle half of the repetitions 1.400 to 2.400, spread 50.0 %, noisy</title>", page)
        self.assertEqual(len(re.findall(r'<figure id="error-', page)), 1)

    def test_little(self):
        """One cell, one repetition: there is a page."""
        out = self.folder / "little.html"
        self.script("report.py", self.file("l.json", bench([("softmax/f32/avx2/131x1000", (1.0,), 2.0, "L2")])), "--out", out)
        self.assertIn("1.000", out.read_text(encoding="utf-8"))

    def test_figures(self):
        plots = self.folder / "plots"
        plots.mkdir()
        self.report(more=["--figures", plots])
        self.assertEqual(sorted(path.name for path in plots.iterdir()), ["bars_f32.svg", "size_sigmoid_f32.svg", "size_softmax_f32.svg"])
        for path in plots.iterdir():
            self.assertRegex(path.read_text(encoding="utf-8"), r"(?s)^<svg .*prefers-color-scheme: dark.*</svg>\n$")

    def test_sweep(self):
        out = self.script("sweep.py", self.file("w.json", bench([
            ("softmax/f32/avx2/1x100", CALM, 2.0, "L1"), ("softmax/f32/avx2/1x200", scaled(CALM, 3), 6.0, "L1"),
            ("softmax/f32/avx2/1x300", scaled(NOISY, 9), 60.0, "L1")])), "--out", self.folder / "series.json")
        self.assertIn("1x100 1.010 ns, 1x200 3.030 ns: 3.00x per element\n", out)
        self.assertIn("1x300 18.000~ ns", out)
        self.assertRegex(out, r"2 cliffs above 1\.5x, 1 of them noisy \(~\)")
        series = json.loads((self.folder / "series.json").read_text())["series"][0]
        self.assertEqual(series["noisy"], [False, False, True])
        self.assertEqual(len(series["spread_percent"]), 3)


class Rounds(unittest.TestCase):
    def test_again(self):
        """What measures in Python measures noise again, a bounded number of times."""
        def values(*first, then):
            yield from first
            while True:
                yield from then

        series = {"calm": values(then=[1.0]), "better": values(1.0, 1.5, 2.0, then=[1.5]), "noisy": values(then=[1.0, 2.0, 3.0])}
        times, asked = {name: [] for name in series}, []

        def measure(names):
            asked.append(names)
            for name in names:
                times[name] += [next(series[name]) for _ in range(3)]

        measure(list(series))
        table.measure_again(lambda: [name for name in times if table.spread_of(times[name])["noisy"]], measure)
        self.assertEqual(asked[1:], [["better", "noisy"], ["noisy"]])
        self.assertEqual([len(of) for of in times.values()], [3, 6, 9])


if __name__ == "__main__":
    unittest.main()
