#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the programs (in the folder SOFTLANE_PROGRAMS), the examples (SOFTLANE_EXAMPLES) and the scripts have in common: -h and
--version; one line on stderr and exit code 2 when what they write cannot be written. And softlane-accuracy and
softlane-bench on logits of all kinds: what is refused, what is not compared. Standard library only."""
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
DATA = ROOT / "tests" / "data"
PROGRAMS = pathlib.Path(os.environ["SOFTLANE_PROGRAMS"])
EXAMPLES = os.environ.get("SOFTLANE_EXAMPLES")
VERSION = re.search(r'^#define SOFTLANE_VERSION "(.*)"$', (ROOT / "include" / "softlane.h").read_text(), re.M)[1]
FULL = pathlib.Path("/dev/full")
THIRD_PARTY = ("numpy", "matplotlib", "selenium", "sklearn", "torch", "onnxruntime", "scipy")


def scripts():
    for path in sorted([*(ROOT / "scripts").iterdir(), *(ROOT / "scripts" / "coefficients").iterdir()]):
        if path.is_file() and path.read_bytes().startswith(b"#!"):
            yield path


def further_examples():
    """Those of these examples that were built: not every compiler has OpenMP, nor every machine OpenBLAS."""
    names = "threads", "threads_pool", "threads_openmp", "linear_cross_entropy"
    return [name for name in names if (pathlib.Path(EXAMPLES) / f"example_{name}").exists()]


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def npy(self, name, descr, shape, data, version=1, fortran=False):
        """A file in the folder, of bytes or of numbers that struct packs by `descr`."""
        if not isinstance(data, bytes):
            code = {"f2": "e", "f4": "f", "f8": "d", "i1": "b", "i2": "h", "i4": "i", "i8": "q", "u1": "B", "u2": "H",
                    "u4": "I", "u8": "Q"}[descr[-2:]]
            data = struct.pack(f"{'>' if descr[0] == '>' else '<'}{len(data)}{code}", *data)
        header = f"{{'descr': '{descr}', 'fortran_order': {fortran}, 'shape': {shape}, }}\n".encode()
        length = struct.pack("<H" if version == 1 else "<I", len(header))
        path = self.folder / name
        path.write_bytes(b"\x93NUMPY" + bytes([version, 0]) + length + header + data)
        return path

    def cells(self):
        path = self.folder / "cells.txt"
        path.write_text("softmax/f32/4x100\n")
        return path

    def run_it(self, command, **options):
        options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | options
        return subprocess.run([str(word) for word in command], text=True, check=False, timeout=120, **options)

    def program(self, name, *flags, **options):
        return self.run_it([PROGRAMS / f"softlane-{name}", *flags], **options)

    def bench(self, *flags, **options):
        return self.program("bench", "--cells", self.cells(), "--benchmark_filter=scalar", "--benchmark_min_time=0.001",
                            "--benchmark_repetitions=1",
                            *flags, **options)

    def assert_told(self, done, name, what="the standard output could not be written to its end"):
        """Exit code 2, and the last line on stderr is the only one that the program says as such."""
        self.assertEqual(done.returncode, 2, done.stderr)
        said = [line for line in done.stderr.splitlines() if line.startswith(f"{name}: ")]
        self.assertEqual(said, done.stderr.splitlines()[-1:], done.stderr)
        self.assertIn(what, said[0])
        self.assertNotIn("Traceback", done.stderr)


class Flags(Folder):
    def check(self, command, name, **options):
        for flag in "-h", "--help", "--version":
            done = self.run_it([*command, flag], **options)
            self.assertEqual((done.returncode, done.stderr), (0, ""), f"{name} {flag}")
            if flag == "--version":
                self.assertEqual(done.stdout, f"{name} {VERSION}\n")
            else:
                self.assertRegex(done.stdout, "^usage: .*" + re.escape(pathlib.Path(name).name), flag)
                self.assertRegex(done.stdout, r"(?s)-h, --help.*--version")

    def test_programs(self):
        for program in "info", "bench", "accuracy", "tune":
            self.check([PROGRAMS / f"softlane-{program}"], f"softlane-{program}")

    def test_scripts(self):
        """Without what they need for their work."""
        for module in THIRD_PARTY:
            (self.folder / f"{module}.py").write_text(f"raise ImportError('{module} is not here')\n")
        environment = {**os.environ, "PYTHONPATH": str(self.folder), "PYTHONDONTWRITEBYTECODE": "1"}
        found = list(scripts())
        self.assertGreater(len(found), 18)
        for path in found:
            is_python = "python" in path.read_text().splitlines()[0]
            name = path.name if is_python else f"scripts/{path.name}"
            with self.subTest(name):
                self.check([sys.executable, path] if is_python else [path], name, env=environment, cwd=self.folder)


class Detours(Folder):
    def test_errors(self):
        """Kernels that take statistics, of a table that has none."""
        done = self.program("accuracy", "--filter", "^cross_entropy_shard_grad/f32/detour$")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("cross_entropy_shard_grad/f32/detour", done.stdout)


@unittest.skipUnless(FULL.exists(), "no /dev/full")
class Full(Folder):
    """On a device that has no room left."""

    def of_programs(self, **options):
        for flag in "-h", "--version":
            for program in "info", "bench", "accuracy", "tune":
                yield f"softlane-{program}", self.program(program, flag, **options)
        yield "softlane-info", self.program("info", **options)
        yield "softlane-accuracy", self.program("accuracy", "--filter", "^softmax/f32/scalar", "--logits",
                                                DATA / "digits_logits.npy", **options)
        yield "softlane-tune", self.program("tune", "--quick", "--filter", "^sigmoid/f16", **options)
        yield "softlane-bench", self.bench(**options)

    def test_programs(self):
        with FULL.open("w") as full:
            for name, done in self.of_programs(stdout=full):
                self.assert_told(done, name)

    def test_closed(self):
        for name, done in self.of_programs(stdout=None, preexec_fn=lambda: os.close(1)):
            self.assert_told(done, name)

    def test_files(self):
        logits = ("--filter", "^softmax/f32/scalar", "--logits", DATA / "digits_logits.npy")
        what = "/dev/full: could not be written to its end"
        self.assert_told(self.program("accuracy", *logits, "--json", FULL), "softlane-accuracy", f"--json: {what}")
        self.assert_told(self.program("tune", "--quick", "--filter", "^sigmoid/f16", "--out", FULL), "softlane-tune",
                         f"--out: {what}")
        for form in "json", "csv", "console":
            done = self.bench(f"--benchmark_out={FULL}", f"--benchmark_out_format={form}")
            self.assert_told(done, "softlane-bench", f"--benchmark_out: {what}")
        done = self.bench(env={**os.environ, "BENCHMARK_OUT": str(FULL)})
        self.assert_told(done, "softlane-bench", f"--benchmark_out: {what}")

    def test_a_file_never_takes_a_closed_stream_for_its_own(self):
        out = self.folder / "out.json"
        self.bench(f"--benchmark_out={out}", stdout=None, preexec_fn=lambda: os.close(1))
        self.assertEqual([run["name"] for run in json.loads(out.read_text())["benchmarks"]], ["softmax/f32/scalar/4x100"])
        done = self.program("info", stderr=None, preexec_fn=lambda: os.close(2))
        self.assertEqual((done.returncode, done.stdout.split()[0]), (0, "softlane"))

    def test_stderr(self):
        with FULL.open("w") as full:
            flags = ("--filter", "^softmax/f32/scalar", "--logits", DATA / "digits_logits.npy")
            self.assertEqual(self.program("accuracy", *flags, stderr=full).returncode, 2)  # has a note
            self.assertEqual(self.program("info", stderr=full).returncode, 0)

    def test_files_of_benchmark(self):
        """That are written as ever."""
        for form, line in ("json", '"name": "softmax/f32/scalar/4x100",'), ("csv", '"softmax/f32/scalar/4x100",'), \
                ("console", "softmax/f32/scalar/4x100 "):
            out = self.folder / form
            done = self.bench(f"--benchmark_out={out}", f"--benchmark_out_format={form}")
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertIn(line, out.read_text())

    def test_examples(self):
        if not EXAMPLES:
            self.skipTest("no examples built")
        on_digits = "classify", "train", "multi_label"
        for name in "isa_compare", *on_digits, *further_examples():
            command = [pathlib.Path(EXAMPLES) / f"example_{name}", *([DATA] if name in on_digits else [])]
            with FULL.open("w") as full:
                done = self.run_it(command, stdout=full)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertRegex(done.stderr, f"{name}: the standard output could not be written")

    def test_examples_usage(self):
        if not EXAMPLES:
            self.skipTest("no examples built")
        for name in "isa_compare", "classify", "train", "multi_label", "why_softmax", *further_examples():
            program = pathlib.Path(EXAMPLES) / f"example_{name}"
            for flag in "-h", "--help":
                done = self.run_it([program, flag])
                self.assertEqual((done.returncode, done.stderr), (0, ""))
                self.assertTrue(done.stdout.startswith(f"usage: example_{name}"), done.stdout)
            for arguments in ["--nonsense"], ["a", "b"]:
                done = self.run_it([program, *arguments])
                self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), done.stderr)

    def test_sizes_of_an_example(self):
        if not EXAMPLES or "linear_cross_entropy" not in further_examples():
            self.skipTest("built without OpenBLAS")
        program = pathlib.Path(EXAMPLES) / "example_linear_cross_entropy"
        self.assertEqual(self.run_it([program, "9", "4", "100", "2"]).returncode, 0)
        for sizes in "0 4 100 1", "9 4 100 10", "9 x 100 2", "9 4 -1 2", "9 4 100", "9 4 100 2 2", "1000000 4 16000000 2":
            done = self.run_it([program, *sizes.split()])
            self.assertEqual((done.returncode, done.stdout, len(done.stderr.splitlines())), (2, "", 1), done.stderr)

    def test_scripts(self):
        environment = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
        bench = self.folder / "bench.json"
        self.bench(f"--benchmark_out={bench}")
        for path in scripts():
            is_python = "python" in path.read_text().splitlines()[0]
            commands = [[*([sys.executable] if is_python else []), path, flag] for flag in ("--help", "--version")]
            if path.name in ("sweep.py", "table.py"):
                commands.append([sys.executable, path, bench])
            for command in commands:
                with FULL.open("w") as full:
                    done = self.run_it(command, stdout=full, env=environment)
                self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
                self.assertIn("No space left on device", done.stderr)
                self.assertNotEqual(done.returncode, 0, command)
        # their files
        done = self.run_it([sys.executable, ROOT / "scripts" / "sweep.py", bench, "--out", FULL], env=environment)
        self.assertEqual((done.returncode, done.stderr), (2, "sweep.py: No space left on device\n"))
        # a reader that leaves early
        done = self.run_it(["bash", "-c", f"'{ROOT}/scripts/export.py' --help | true"], env=environment)
        self.assertEqual(done.stderr, "")


class NotCompared(Folder):
    """NaN where the oracle has NaN, too."""

    def accuracy(self, logits, which="softmax/f32/scalar", *flags):
        out = self.folder / "out.json"
        done = self.program("accuracy", "--filter", f"^{which}$", "--logits", logits, "--json", out, *flags)
        lines = [line for line in done.stdout.splitlines() if line.startswith(which)]
        self.assertEqual(done.returncode, 0, done.stderr)
        return done, lines[0], json.loads(out.read_text())["results"][0]

    def test_overflow(self):
        done, line, result = self.accuracy(self.npy("big.npy", "<f4", (2, 4), [1e38] * 8), "softmax/f16/scalar")
        self.assertIn("in f16 8 of these 8 logits are too large and become infinite", done.stderr)
        self.assertNotIn("rounded", done.stderr)
        self.assertNotIn("0.000", line)
        self.assertRegex(line, r"f16/scalar +- +0\.51 +-  8 of 8 not compared: NaN, as the oracle's, the first at inf, "
                               r"logits, 2x4 \[0,0\]$")
        self.assertEqual((result["max_ulp"], result["mean_ulp"]), ("nan", "nan"))
        self.assertEqual((result["results"], result["not_compared"]), (8, 8))
        _, line, result = self.accuracy(self.folder / "big.npy")
        self.assertNotIn("not compared", line)
        self.assertEqual((result["max_ulp"], result["not_compared"]), (0, 0))
        self.assertNotIn("first_not_compared", result)

    def test_some(self):
        numbers = [0.1 * i for i in range(12)]
        numbers[6] = float("nan")
        _, line, result = self.accuracy(self.npy("some.npy", "<f8", (3, 4), numbers), "softmax/f64/scalar")
        self.assertRegex(line, r"scalar +\d\.\d+ .*; 4 of 12 not compared: NaN, as the oracle's, the first at .*\[1,0\]$")
        self.assertEqual((result["results"], result["not_compared"]), (12, 4))
        self.assertTrue(0 < result["mean_ulp"] <= result["max_ulp"] < 4)
        self.assertEqual((result["first_not_compared"]["row"], result["first_not_compared"]["column"]), (1, 0))

    def test_nothing_but(self):
        for name, value, sigmoids in ("nan", float("nan"), 6), ("-inf", -float("inf"), 0):
            path = self.npy("all.npy", "<f4", (2, 3), [value] * 6)
            for which, count, of in ("softmax/f32/scalar", 6, 6), ("logsumexp/f32/scalar", 2, 2), \
                    ("sigmoid/f32/scalar", sigmoids, 6):
                _, line, result = self.accuracy(path, which)
                if which.startswith("logsumexp") and name == "-inf":
                    count = result["not_compared"]  # -inf or NaN, as the header has it
                self.assertEqual((result["results"], result["not_compared"]), (of, count), which)
                self.assertEqual("not compared" in line, count > 0)


class Logits(Folder):
    WHICH = ("--filter", "^(softmax|cross_entropy|cross_entropy[+]grad|nll|bce)/f32/scalar$")
    X = [((7 * i) % 13 - 6) / 4 for i in range(20)]  # short enough for any type

    def accuracy(self, *flags):
        done = self.program("accuracy", *self.WHICH, *flags)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def refused(self, what, *flags):
        for command in ("accuracy", *self.WHICH), ("bench", "--benchmark_filter=softmax/f32/scalar"):
            done = self.program(*command, *flags)
            self.assertEqual((done.returncode, done.stdout), (2, ""), done.stderr)
            self.assertEqual(len(done.stderr.splitlines()), 1, done.stderr)
            self.assertIn(what, done.stderr)

    def test_all_kinds_are_the_same(self):
        bf16 = b"".join(struct.pack("<f", x)[2:] for x in self.X)
        want = self.accuracy("--logits", self.npy("x", "<f4", (5, 4), self.X))
        for name, flags, arguments in (
            ("f2", (), ("<f2", (5, 4), self.X)),
            ("f8", (), ("<f8", (5, 4), self.X)),
            ("native", (), ("=f4", (5, 4), self.X)),
            ("version 2", (), ("<f4", (5, 4), self.X, 2)),
            ("version 3", (), ("<f4", (5, 4), self.X, 3)),
            ("bits", ("--dtype", "bf16"), ("<u2", (5, 4), bf16)),
            ("void", ("--dtype=bf16",), ("<V2", (5, 4), bf16)),
            ("plain void", ("--dtype=bf16",), ("|V2", (5, 4), bf16)),
        ):
            with self.subTest(name):
                self.assertEqual(self.accuracy(*flags, "--logits", self.npy("file", *arguments)), want)

    def test_targets(self):
        logits = ("--logits", self.npy("x", "<f4", (5, 4), self.X))
        ids = [3, 0, 2, 1, 3]
        want = self.accuracy(*logits, "--targets", self.npy("ids", "<i8", "(5,)", ids))
        self.assertIn("cross_entropy+grad/f32/scalar", want)
        for descr in "|i1", "<i2", "=i4", "<i4", "|u1", "<u2", "<u4", "<u8":
            self.assertEqual(self.accuracy(*logits, "--targets", self.npy("ids", descr, "(5,)", ids)), want, descr)
        ignoring = self.npy("ignoring", "<i4", "(5,)", [3, -100, 2, -100, 3])
        done = self.program("accuracy", *self.WHICH, *logits, "--targets", ignoring, "--ignore-index", "-100")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("note: 2 of these 5 rows are ignored\n", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 6)
        done = self.program("bench", *logits, "--targets", ignoring, "--ignore-index=-100", "--benchmark_min_time=0.001",
                            "--benchmark_filter=^(nll|cross_entropy.*|bce)/f32/scalar")
        self.assertEqual(done.returncode, 0, done.stderr)
        # What is measured again, because it was noisy, has another line.
        self.assertEqual(len({line.split()[0] for line in done.stdout.splitlines() if " ns " in line}), 8)
        self.refused("class id -100 at 1 is not in [0, 4)", *logits, "--targets", ignoring)
        self.refused("class id 3 at 0 is not in [0, 3), nor the one that is ignored", "--logits",
                     self.npy("narrow", "<f4", (5, 3), self.X[:15]), "--targets", ignoring, "--ignore-index", "-100")
        large = self.npy("large", "<u8", "(5,)", [0, 0, 2**64 - 100, 0, 0])
        for flags in (), ("--ignore-index", "-100"), ("--ignore-index", str(2**63 - 1)):
            self.refused("class id above 9223372036854775807 at 2", *logits, "--targets", large, *flags)

    def test_refused_targets(self):
        logits = ("--logits", self.npy("x", "<f4", (5, 4), self.X))
        for what, *arguments in (
            ("holds type '<f4'", "<f4", "(5,)", [0.0] * 5),
            ("holds type '|b1'", "|b1", "(5,)", bytes(5)),
            ("has 2 dimensions, need 1", "<i8", (1, 5), [0] * 5),
            ("is big-endian ('>i8')", ">i8", "(5,)", [0] * 5),
            ("holds 4 class ids for 5 rows", "<i8", "(4,)", [0] * 4),
            ("holds no elements", "<i8", "(0,)", []),
        ):
            self.refused(what, *logits, "--targets", self.npy("ids", *arguments))
        ids = ("--targets", self.npy("ids", "<i8", "(5,)", [0] * 5))
        for text in "", "x", "1.0", " 1", "1 ", str(2**63), str(-2**63 - 1), "0x1":
            self.refused("is not an integer of 64 bits", *logits, *ids, "--ignore-index", text)
        self.accuracy(*logits, *ids, "--ignore-index", str(-2**63))
        self.refused("--ignore-index needs --targets", *logits, "--ignore-index", "1")
        self.refused("--targets needs --logits", *ids)
        self.refused("--dtype needs --logits", "--dtype", "bf16")

    def test_refused_logits(self):
        for what, *arguments in (
            ("is big-endian ('>f4'), need little-endian ('<f4')", ">f4", (5, 4), self.X),
            ("is in Fortran order", "<f4", (5, 4), self.X, 1, True),
            ("version 4.0", "<f4", (5, 4), self.X, 4),
            ("add --dtype bf16", "<V2", (5, 4), bytes(40)),
            ("holds type '<u2'", "<u2", (5, 4), bytes(40)),
            ("holds no elements", "<f4", (0, 4), []),
            ("holds no elements", "<f4", (4, 0), []),
            ("is truncated", "<f4", (5, 4), self.X[:19]),
        ):
            self.refused(what, "--logits", self.npy("file", *arguments))
        self.refused("holds type '<f4', need '<V2' or '<u2'", "--dtype", "bf16", "--logits",
                     self.npy("file", "<f4", (5, 4), self.X))
        self.refused("--dtype: 'f16' is not bf16", "--dtype", "f16", "--logits", self.folder / "file")
        (self.folder / "empty").write_bytes(b"")
        self.refused("is not a .npy file", "--logits", self.folder / "empty")
        self.refused("No such file", "--logits", self.folder / "none")


if __name__ == "__main__":
    unittest.main()
