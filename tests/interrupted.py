#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Ctrl-C and SIGTERM end the measuring programs (in the folder SOFTLANE_PROGRAMS) with a file of what was
measured until then. Progress is shown on a terminal, and nothing of it in a pipe. Standard library only."""
import json
import os
import pathlib
import pty
import signal
import statistics
import subprocess
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
PROGRAMS = pathlib.Path(os.environ["SOFTLANE_PROGRAMS"])
REPETITIONS = 1000


class Interrupted(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.json = self.folder / "out.json"

    def bench(self, *flags):
        """A run that takes far longer than this test."""
        cells = self.folder / "cells.txt"
        cells.write_text("".join(f"softmax/f32/{rows}x1000\n" for rows in range(1, 101)))
        return [PROGRAMS / "softlane-bench", "--cells", cells, "--benchmark_filter=/scalar/",
                "--progress=1000", f"--benchmark_out={self.json}", "--benchmark_out_format=json", *flags]

    def said_in_a_pipe(self, command):
        """What it prints when it gets SIGINT as soon as it has printed a result."""
        said, asked = [], False
        with open(self.folder / "stderr", "w+", encoding="utf-8") as errors:
            with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True) as process:
                for line in process.stdout:
                    said.append(line)
                    if not asked and line.startswith("softmax/"):
                        process.send_signal(signal.SIGINT)
                        asked = True
            errors.seek(0)
            self.assertEqual(errors.read(),
                             f"{command[0].name}: interrupted; its results are those until then\n")
        self.assertEqual(process.returncode, 128 + signal.SIGINT)
        return said

    def progress_on_a_terminal(self, command):
        """The same on stderr, with SIGTERM as soon as there is any."""
        master, terminal = pty.openpty()
        shown = b""
        with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=terminal) as process:
            os.close(terminal)
            try:
                while part := os.read(master, 4096):
                    if b"left" in part and b"left" not in shown:
                        process.send_signal(signal.SIGTERM)
                    shown += part
            except OSError:  # how a terminal says that nobody writes to it any more
                pass
        os.close(master)
        self.assertEqual(process.returncode, 128 + signal.SIGTERM)
        return shown.decode()

    def test_bench_in_a_pipe(self):
        said = self.said_in_a_pipe(self.bench("--benchmark_min_time=0.5", "--benchmark_repetitions=1"))
        runs = json.loads(self.json.read_text())["benchmarks"]
        measured = [run["name"] for run in runs if "ns_per_element" in run]
        self.assertEqual([line.split()[0] for line in said if line.startswith("softmax/")], measured)
        self.assertTrue(0 < len(measured) < len(runs) == 100)

    def test_bench_on_a_terminal(self):
        shown = self.progress_on_a_terminal(self.bench(
            "--benchmark_min_time=0.01", f"--benchmark_repetitions={REPETITIONS}",
            "--benchmark_enable_random_interleaving=true"))
        self.assertRegex(shown, r"\rtiming +\[#* +\] +\d+ %, \d+:\d\d left")
        of_name = {}
        for run in json.loads(self.json.read_text())["benchmarks"]:
            of_name.setdefault(run["run_name"], []).append(run)
        self.assertEqual(len(of_name), 100)
        counts = set()
        for runs in of_name.values():
            measured = [run["ns_per_element"] for run in runs
                        if run["run_type"] == "iteration" and "ns_per_element" in run]
            counts.add(len(measured))
            for run in runs:
                if run.get("aggregate_name") == "median":  # of what was measured, and nothing else
                    self.assertAlmostEqual(run["ns_per_element"], statistics.median(measured))
        self.assertTrue(0 < max(counts) < REPETITIONS)
        table = subprocess.run([ROOT / "scripts" / "table.py", self.json], stdout=subprocess.PIPE, text=True,
                               check=True)
        self.assertEqual(table.stdout.count("x1000 "), sum(any("ns_per_element" in run for run in runs)
                                                          for runs in of_name.values()))

    def test_accuracy_in_a_pipe(self):
        said = self.said_in_a_pipe([PROGRAMS / "softlane-accuracy", "--json", self.json])
        self.assertEqual([line.split()[0] for line in said[1:]],
                         [result["name"] for result in json.loads(self.json.read_text())["results"]])

    def test_accuracy_on_a_terminal(self):
        shown = self.progress_on_a_terminal(
            [PROGRAMS / "softlane-accuracy", "--exhaustive", "--filter", "^sigmoid/f32/"])
        self.assertRegex(shown, r"\rsigmoid/f32 +\[#* +\] +\d+ %, \d+:\d\d left")


if __name__ == "__main__":
    unittest.main()
