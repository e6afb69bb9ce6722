#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""scripts/levels.py: to what processes are limited, in which order they start, what becomes of their files, who stays out and why,
which arguments are refused; with programs that are stubs. bench/peers/limit_cpu.c on this CPU, with the softlane-info of the
folder SOFTLANE_PROGRAMS. Standard library only."""
import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import levels  # noqa: E402

# Each program writes down how it was called: level, what limits it, and its arguments.
STUB = """#!/usr/bin/python3
import json, os, re, sys
with open(os.environ["CALLS"], "a") as file:
    json.dump([os.path.basename(sys.argv[0]), {name: os.environ.get(name) for name in
        ("SOFTLANE_ISA", "ONEDNN_MAX_CPU_ISA", "LD_PRELOAD", "OMP_NUM_THREADS")}, sys.argv[1:]], file)
    file.write("\\n")
flag = dict(word.split("=", 1) for word in sys.argv[1:] if "=" in word)
"""
INFO = STUB + """
for isa in os.environ["ISAS"].split():
    print(f"isa  {isa}  available")
"""
BENCH = STUB + """
isas = ["public"] if "--public" in sys.argv else [os.environ["SOFTLANE_ISA"]]
names = [f"softmax/f32/{who}/65x1000" for who in isas + os.environ["PEERS"].split()]
if "--benchmark_list_tests" in sys.argv:
    print("\\n".join(names))
else:
    with open(flag["--benchmark_out"], "w") as file:
        json.dump({"context": {"isa_in_use": isas[0]}, "benchmarks": [
            {"name": name, "run_name": name, "run_type": "iteration", "family_index": i, "label": "L1", "ns_per_element": 1.0 + i}
            for i, name in enumerate(names) if re.search(flag["--benchmark_filter"], name)]}, file)
"""
FAILS = STUB + "print('no memory'); sys.exit(3)\n"


class Rules(unittest.TestCase):
    def test_limits(self):
        for level, onednn, aten, mkl in (("avx512", "AVX512_CORE", "avx512", "AVX512"), ("avx2", "AVX2", "avx2", "AVX2"),
                                         ("sse2", "SSE41", "default", "SSE4_2")):
            env = levels.environment(level, None, {"SOFTLANE_ISA": "scalar", "HOME": "/h"})
            self.assertEqual((env["ONEDNN_MAX_CPU_ISA"], env["ATEN_CPU_CAPABILITY"], env["MKL_ENABLE_INSTRUCTIONS"]),
                             (onednn, aten, mkl))
            self.assertEqual((env["SOFTLANE_ISA"], env["OMP_NUM_THREADS"], env["HOME"]), (level, "1", "/h"))
            self.assertNotIn("LD_PRELOAD", env)
        self.assertNotIn("GLIBC_TUNABLES", levels.environment("avx512", None, {}))
        self.assertNotIn("-AVX2,", levels.environment("avx2", None, {})["GLIBC_TUNABLES"])
        self.assertIn("-AVX2,-AVX,-FMA", levels.environment("sse2", None, {})["GLIBC_TUNABLES"])
        env = levels.environment("avx2", "/x/limit.so", {})
        self.assertEqual((env["LD_PRELOAD"], env["SOFTLANE_LEVEL"]), ("/x/limit.so", "avx2"))

    def test_random_order(self):
        kinds = list(range(12))
        orders = [levels.in_random_order(kinds, 3, random.Random(seed)) for seed in (1, 1, 2)]
        self.assertEqual(sorted(orders[0]), [(kind, i) for kind in kinds for i in range(3)])
        self.assertEqual(orders[0], orders[1])
        self.assertNotEqual(orders[0], orders[2])
        self.assertNotEqual(orders[0], sorted(orders[0]))

    def test_chosen(self):
        names = [f"softmax/f32/{who}/{shape}" for shape in ("1x8", "2x8") for who in ("avx2", "sse2", "eigen", "xnnpack")]
        self.assertEqual(levels.chosen(names, "avx2", {}, "eigen/1x8"), ["softmax/f32/avx2/1x8", "softmax/f32/eigen/1x8"])
        self.assertEqual(levels.chosen(names, "avx2", {"xnnpack": "why"}, "1x8"), ["softmax/f32/avx2/1x8", "softmax/f32/eigen/1x8"])
        self.assertEqual(levels.chosen(names, "avx2", {}, "/sse2/"), [])

    def test_merged(self):
        """Of C all repetitions are kept, of Python the median and the spread are those of all rounds."""
        def in_c(ns):
            return {"context": {"a": ns}, "benchmarks": [{"name": "n", "run_type": "iteration", "ns_per_element": ns},
                                                         {"name": "n_mean", "run_type": "aggregate", "ns_per_element": 9}]}

        def in_python(rounds, ulp):
            return {"context": {}, "benchmarks": [{"name": "n", "run_type": "iteration", "elements": 10, "max_ulp": ulp, **
                                                   levels.peers.figures_of(rounds, [5.0], 10)}]}

        whole = levels.merged([in_c(1), in_c(2)])
        self.assertEqual([run["ns_per_element"] for run in whole["benchmarks"]], [1, 2])
        self.assertEqual(whole["context"], {"a": 1})
        run, = levels.merged([in_python([10.0, 10.0], None), in_python([20.0, 20.0, 20.0], 3.5)])["benchmarks"]
        self.assertEqual((run["repetitions"], run["ns_per_element"], run["ns_low"], run["noisy"], run["max_ulp"]),
                         (5, 2.0, 1.0, True, 3.5))


class Runs(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.out, self.calls = self.folder / "out", self.folder / "calls"
        (self.folder / "bench/peers").mkdir(parents=True)
        self.out.mkdir()
        self.calls.touch()
        for name, text in (("softlane-info", INFO), ("softlane-bench", BENCH), ("softlane-accuracy", STUB)):
            self.stub(f"bench/{name}", text)

    def stub(self, name, text):
        (self.folder / name).write_text(text, encoding="utf-8")
        (self.folder / name).chmod(0o755)

    def run_levels(self, *arguments, isas="avx2 sse2 scalar", built="libm eigen xnnpack"):
        return subprocess.run([sys.executable, ROOT / "scripts/levels.py", "--build", self.folder, "--out", self.out, *arguments],
                              capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL,
                              env={**os.environ, "ISAS": isas, "PEERS": built, "CALLS": str(self.calls), "PYTHONDONTWRITEBYTECODE": "1"})

    def called(self, name):
        return [call for call in map(json.loads, self.calls.read_text().splitlines()) if call[0] == name]

    def file(self, name):
        return json.loads((self.out / name).read_text(encoding="utf-8"))

    def test_run(self):
        done = self.run_levels("--processes", "2", "--seed", "5")
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertIn("8 processes of 4 kinds in random order (--seed 5)", done.stdout)
        timed = [call for call in self.called("softlane-bench") if "--benchmark_list_tests" not in call[2]]
        self.assertEqual(len(timed), 8)
        for _, env, arguments in timed:
            level = arguments[arguments.index("--peers") + 1]
            self.assertEqual((env["SOFTLANE_ISA"], env["ONEDNN_MAX_CPU_ISA"], env["OMP_NUM_THREADS"]),
                             (level, levels.LIMITS[level]["ONEDNN_MAX_CPU_ISA"], "1"))
        context = self.file("cells_avx2.json")["context"]
        self.assertEqual((context["level"], context["best_level"], context["processes"]), ("avx2", True, 2))
        self.assertEqual(len(self.file("cells_avx2.json")["benchmarks"]), 8)
        self.assertFalse(self.file("calls_sse2.json")["context"]["best_level"])
        self.assertEqual(sorted(path.name for path in self.out.glob("*.json")),
                         ["calls_avx2.json", "calls_sse2.json", "cells_avx2.json", "cells_sse2.json"])

    def test_who_stays_out(self):
        """Without CPUID faulting what chooses by CPUID is measured at the CPU's own level only."""
        self.assertEqual(self.run_levels("--processes", "1").returncode, 0)
        left_out = self.file("cells_avx2.json")["context"]["left_out"]
        self.assertFalse([text for text in left_out if text.startswith("xnnpack")])
        self.assertIn("mkl: was not found when softlane-bench was built", left_out)
        self.assertIn("torch: is not installed, or was not asked for", left_out)
        left_out = self.file("cells_sse2.json")["context"]["left_out"]
        for peer in "xnnpack", "onnxruntime":
            self.assertIn(f"{peer}: chooses by CPUID, which this CPU or system does not let be limited", left_out)
        self.assertFalse([run["name"] for run in self.file("cells_sse2.json")["benchmarks"] if "xnnpack" in run["name"]])
        self.assertFalse([text for text in self.file("calls_sse2.json")["context"]["left_out"] if text.startswith("torch")])

    def test_a_python_without_the_runtime(self):
        done = self.run_levels("--processes", "1", "--levels", "avx2", "--torch", self.folder / "none")
        self.assertEqual(done.returncode, 0)
        self.assertRegex(done.stderr, r"^torch: .*none cannot import torch, numpy; it stays out\n$")

    def test_failure(self):
        self.stub("bench/softlane-accuracy", FAILS)
        done = self.run_levels("--processes", "1", "--levels", "avx2")
        self.assertEqual(done.returncode, 2)
        self.assertEqual(done.stderr.splitlines()[0], "no memory")
        self.assertRegex(done.stderr.splitlines()[1], "^levels.py: softlane-accuracy: exit code 3, see ")

    def test_refused(self):
        for arguments, what in ((["--levels", "avx3"], "--levels: 'avx3' is none of avx512, avx2, sse2"),
                                (["--levels", "avx512"], "--levels: this CPU has none of avx512"),
                                (["--processes", "0"], "--processes: '0' is not a number from 1 on"),
                                (["--seed", "x"], "--seed: 'x' is not a number from 0 on"),
                                (["--filter", "("], "--filter: '('"), (["--filter", "nothing"], "--filter: 'nothing' matches no cell"),
                                (["--out", "/none"], "--out: /none is not a folder"), (["--build", "/none"], "--build: /none holds no"),
                                (["--nonsense"], "unrecognized arguments: --nonsense"), (["--seed"], "--seed: expected one")):
            done = self.run_levels(*arguments)
            self.assertEqual((done.returncode, len(done.stderr.splitlines())), (2, 1), done.stderr)
            self.assertIn(what, done.stderr)
        self.assertEqual(list(self.out.iterdir()), [])


class Limiter(unittest.TestCase):
    def test_limit(self):
        """Softlane, which chooses by CPUID, sees no more than the level."""
        if os.uname().machine != "x86_64" or not shutil.which("cc") or not os.environ.get("SOFTLANE_PROGRAMS"):
            self.skipTest("no x86-64, no compiler or no programs")
        with tempfile.TemporaryDirectory() as folder:
            build = pathlib.Path(folder)
            (build / "bench/peers").mkdir(parents=True)
            (build / "bench/softlane-info").symlink_to(pathlib.Path(os.environ["SOFTLANE_PROGRAMS"]) / "softlane-info")
            subprocess.run(["cc", "-D_GNU_SOURCE", "-O2", "-Wall", "-Wextra", "-Werror", "-shared", "-fPIC",
                            ROOT / "bench/peers/limit_cpu.c", "-o", build / "bench/peers/limit_cpu.so"], check=True)
            plain = {name: value for name, value in os.environ.items() if name != "SOFTLANE_ISA"}
            seen = levels.isas_seen(build, plain)
            if levels.isas_seen(build, {**plain, "SOFTLANE_LEVEL": "sse2", "LD_PRELOAD": str(build / "bench/peers/limit_cpu.so")}) is None:
                self.skipTest("no CPUID faulting here")
            for level in [level for level in levels.LIMITS if level in seen][1:]:
                limiter = levels.limiter_of(build, level, "avx512")
                self.assertIsNotNone(limiter)
                self.assertEqual(levels.isas_seen(build, levels.environment(level, limiter)), seen[seen.index(level):])


if __name__ == "__main__":
    unittest.main()
