#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Times softlane and its peers at each level, an instruction set that all of them are limited to.

A level is one of avx512, avx2 and sse2, as far as the CPU has it. Those of bench/peers are compiled for it; oneDNN, MKL,
PyTorch and glibc are limited by their variables; what has none (XNNPACK, ONNX Runtime) by a CPU that answers CPUID as one of
that level would (bench/peers/limit_cpu.c). Where that cannot be done they stay out of the levels below the CPU's own, and the
tables say so. At sse2 peers that choose by themselves have SSE4.2.

Every process measures softlane beside the peers that it holds, on one thread; there are several of each, of all levels, and
all are started in random order. What they measured is put together, so that a spread is one of processes, too. It takes
ten minutes. Written to --out, for scripts/table.py:

  cells_LEVEL.json            the cells of scripts/cells.txt, by softlane-bench --peers
  cells_LEVEL_accuracy.json   the errors of those, on any input
  beside_LEVEL_RUNTIME.json   the same cells by a runtime of Python, and softlane beside it
  calls_LEVEL.json            the small calls of scripts/calls.txt

Needs a build with SOFTLANE_PEERS (scripts/bench --peers makes one) and installs nothing. Standard library only.
"""
import argparse
import json
import os
import pathlib
import random
import re
import signal
import subprocess
import sys

import command_line
import peers
import table

ROOT = pathlib.Path(__file__).resolve().parent.parent
# What is set for a process of a level, beside the CPU that it sees.
LIMITS = {
    "avx512": {"ONEDNN_MAX_CPU_ISA": "AVX512_CORE", "ATEN_CPU_CAPABILITY": "avx512", "MKL_ENABLE_INSTRUCTIONS": "AVX512"},
    "avx2": {"ONEDNN_MAX_CPU_ISA": "AVX2", "ATEN_CPU_CAPABILITY": "avx2", "MKL_ENABLE_INSTRUCTIONS": "AVX2",
             "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ"},
    "sse2": {"ONEDNN_MAX_CPU_ISA": "SSE41", "ATEN_CPU_CAPABILITY": "default", "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
             "GLIBC_TUNABLES": "glibc.cpu.hwcaps=-AVX512F,-AVX512VL,-AVX512BW,-AVX512DQ,-AVX2,-AVX,-FMA"},
}
ONE_THREAD = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "MKL_THREADING_LAYER": "SEQUENTIAL"}
CHOOSE_BY_CPUID = ("xnnpack", "onnxruntime")
OTHER_LIBRARIES = [name for name in table.PEERS if name not in (*peers.RUNTIMES, "detour")]
INTERRUPTED = {signal.SIGINT: 130, signal.SIGTERM: 143}


def environment(level, limiter, base=None):
    """That of a process: limiter is what to preload, or None."""
    env = {**(os.environ if base is None else base), **ONE_THREAD, **LIMITS[level], "SOFTLANE_ISA": level}
    if limiter:
        env.update(LD_PRELOAD=str(limiter), SOFTLANE_LEVEL=level)
    return env


def isas_seen(build, env):
    """Those that softlane can use there; None when the program does not start."""
    done = subprocess.run([build / "bench/softlane-info"], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        return None
    return re.findall(r"^(?:isa)? +(\w+) +(?:in use|available)", done.stdout, re.M)


def limiter_of(build, level, best):
    """What limits a process of that level to it, seen to work; None: nothing does, or nothing need."""
    limiter = build / "bench/peers/limit_cpu.so"
    wider = set(list(LIMITS)[:list(LIMITS).index(level)])
    if level == best or not limiter.is_file():
        return None
    seen = isas_seen(build, environment(level, limiter))
    return limiter if seen and level in seen and not wider & set(seen) else None


class Kind:
    """Processes that do the same: a level and what they measure, "cells" and "calls" in C or a runtime of Python."""

    def __init__(self, level, what, command, env, folder):
        self.level, self.what, self.command, self.env = level, what, command, env
        self.in_python = what in peers.RUNTIMES
        self.out = folder / (f"beside_{level}_{what}.json" if self.in_python else f"{what}_{level}.json")
        self.results = []

    def command_into(self, part):
        """Errors are those of the first process: others would find the same."""
        if not self.in_python:
            return [*self.command, f"--benchmark_out={part}"]
        return [*self.command, "--out", part, *(["--no-errors"] if self.results else [])]

    def take(self, part):
        """What a process has written, if that is a file of results; an interrupted one may have left less."""
        try:
            result = json.loads(part.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return False
        part.unlink()
        result["benchmarks"] = [run for run in result["benchmarks"] if "ns_per_element" in run]
        if result["benchmarks"]:
            self.results.append(result)
        return bool(result["benchmarks"])


def listed(bench, flags, env):
    done = subprocess.run([bench, *flags, "--benchmark_list_tests"], env=env, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        command_line.refuse(f"{bench}: {(done.stderr or done.stdout).strip().splitlines()[-1]}")
    return done.stdout.split()


def cell_of(name):
    kernel, dtype, _, shape = name.split("/")
    return kernel, dtype, shape


def chosen(names, isa, without, filter_):
    """Of these names softlane's isa and the peers but for those, where the filter lets one through: softlane's beside it, too."""
    names = [name for name in names if name.split("/")[2] in (isa, *table.PEERS) and name.split("/")[2] not in without]
    cells = {cell_of(name) for name in names if re.search(filter_, name)}
    return [name for name in names if cell_of(name) in cells and (name.split("/")[2] == isa or re.search(filter_, name))]


def names_regex(names):
    return "^(" + "|".join(map(re.escape, names)) + ")$"


def kinds_of_level(level, best, arguments, pythons):
    """What is to run there, and {peer: why it stays out}."""
    limiter = limiter_of(arguments.build, level, best)
    env = environment(level, limiter)
    out = {peer: "chooses by CPUID, which this CPU or system does not let be limited" for peer in CHOOSE_BY_CPUID
           if level != best and not limiter}
    bench = arguments.build / "bench/softlane-bench"
    kinds = []
    for what, isa, seconds, more in (("cells", level, 0.02, []), ("calls", "public", 0.005, ["--public"])):
        flags = ["--peers", level, "--cells", ROOT / f"scripts/{what}.txt", *more]
        names = listed(bench, flags, env)
        built = {name.split("/")[2] for name in names}
        out.update({peer: "was not found when softlane-bench was built" for peer in OTHER_LIBRARIES if peer not in built | out.keys()})
        names = chosen(names, isa, out, arguments.filter)
        if what == "calls" and all(f"/{isa}/" in name for name in names):
            continue  # there is nothing beside it
        if names:
            flags += [f"--benchmark_filter={names_regex(names)}", "--benchmark_repetitions=1", f"--benchmark_min_time={seconds}",
                      "--again=0", "--benchmark_enable_random_interleaving=true", "--benchmark_out_format=json"]
            kinds.append(Kind(level, what, [bench, *flags], env, arguments.out))
    for runtime in peers.RUNTIMES:
        if runtime not in pythons:
            out.setdefault(runtime, "is not installed, or was not asked for")
        names = chosen([f"{kernel}/{dtype}/{who}/{shape}" for kernel, dtype, shape in table.read_goals(ROOT / "scripts/cells.txt")
                        for who in (level, runtime)], level, out, arguments.filter)
        if runtime not in out and names:
            cells = [re.sub(r"/[^/]+(/[^/]+)$", r"/[a-z]+\1", re.escape(name)) for name in names if f"/{level}/" in name]
            command = [pythons[runtime], ROOT / "scripts/peers.py", "--runtime", runtime, "--filter", f"^({'|'.join(cells)})$", "--rounds", "2", "--again", "0"]
            kinds.append(Kind(level, runtime, command, env, arguments.out))
    return kinds, out


def in_random_order(kinds, processes, generator):
    """[(kind, which of its processes)]"""
    order = [(kind, i) for kind in kinds for i in range(processes)]
    generator.shuffle(order)
    return order


def merged(results):
    """One file of several of a kind: of C all repetitions, of Python the figures of all rounds."""
    whole = {**results[0], "benchmarks": []}
    by_name = {}
    for result in results:
        for run in result["benchmarks"]:
            if run.get("run_type") != "iteration":
                continue
            if "rounds_ns" not in run:
                whole["benchmarks"].append(run)
            elif run["name"] in by_name:
                of = by_name[run["name"]]
                of["max_ulp"] = run["max_ulp"] if of["max_ulp"] is None else of["max_ulp"]
                of.update(peers.figures_of(of["rounds_ns"] + run["rounds_ns"], of["calls_ns"] + run["calls_ns"], of["elements"]))
            else:
                by_name[run["name"]] = dict(run)
    whole["benchmarks"] += by_name.values()
    return whole


class Processes:
    """Runs one after the other; a signal ends the one that runs, and is remembered."""

    def __init__(self):
        self.child, self.interrupted = None, 0
        for number in INTERRUPTED:
            signal.signal(number, self.interrupt)

    def interrupt(self, number, _):
        self.interrupted = self.interrupted or INTERRUPTED[number]
        if self.child:
            self.child.terminate()

    def run(self, command, env, log):
        """Its exit code; the end of what it printed is shown if that is not 0."""
        with open(log, "w", encoding="utf-8") as file:
            self.child = subprocess.Popen(command, env=env, stdin=subprocess.DEVNULL, stdout=file, stderr=subprocess.STDOUT)
            status = self.child.wait()
        self.child = None
        if status != 0 and not self.interrupted:
            print("\n".join(log.read_text(encoding="utf-8", errors="replace").splitlines()[-10:]), file=sys.stderr)
        return status


def find_errors(kinds, arguments, running):
    """Of what each level timed in C, on any input; no time is measured, so one process will do."""
    exceeded = False
    for kind in kinds:
        if kind.what != "cells" or not kind.results or running.interrupted:
            continue
        out = arguments.out / f"cells_{kind.level}_accuracy.json"
        out.unlink(missing_ok=True)
        print(f"{kind.level}: errors ...", flush=True)
        variants = {run["name"].rsplit("/", 1)[0] for result in kind.results for run in result["benchmarks"]}
        status = running.run([arguments.build / "bench/softlane-accuracy", "--peers", kind.level, "--json", out, "--filter",
                              names_regex(sorted(variants))], kind.env, out.with_suffix(".log"))
        if status not in (0, 1) and not running.interrupted:
            command_line.refuse(f"softlane-accuracy: exit code {status}, see {out.with_suffix('.log')}")
        exceeded |= status == 1
    return exceeded


def list_of(text, known, flag):
    names = text.split(",")
    for name in names:
        if name not in known:
            command_line.refuse(f"{flag}: '{name}' is none of {', '.join(known)}")
    return [name for name in known if name in names]


def can_import(python, *modules):
    try:
        return subprocess.run([python, "-c", "import " + ", ".join(modules)], capture_output=True, check=False).returncode == 0
    except OSError:
        return False


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.error = command_line.refuse
    command_line.add_version(parser)
    parser.add_argument("--levels", default=",".join(LIMITS), metavar="LEVEL,...", help="of these only (default: %(default)s)")
    parser.add_argument("--processes", default="3", metavar="N", help="so many of each kind (default: %(default)s)")
    parser.add_argument("--filter", default=".", metavar="REGEX", help="only these KERNEL/TYPE/PEER/SHAPE")
    parser.add_argument("--seed", metavar="N", help="the order of another run again, which says its seed")
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build/bench", help="default: build/bench")
    parser.add_argument("--out", type=pathlib.Path, default=ROOT / "results", help="folder of the results (default: results)")
    parser.add_argument("--onnxruntime", metavar="PYTHON", help="a Python that has ONNX Runtime, onnx and NumPy")
    parser.add_argument("--torch", metavar="PYTHON", help="a Python that has PyTorch and NumPy")
    arguments = parser.parse_args()
    arguments.levels = list_of(arguments.levels, list(LIMITS), "--levels")
    for flag, least in (("processes", 1), ("seed", 0)):
        text = getattr(arguments, flag)
        if text is not None:
            if not re.fullmatch(r"\d{1,9}", text) or int(text) < least:
                command_line.refuse(f"--{flag}: '{text}' is not a number from {least} on")
            setattr(arguments, flag, int(text))
    try:
        re.compile(arguments.filter)
    except re.error as error:
        command_line.refuse(f"--filter: '{arguments.filter}': {error}")
    for program in ("softlane-bench", "softlane-accuracy", "softlane-info"):
        if not os.access(arguments.build / "bench" / program, os.X_OK):
            command_line.refuse(f"--build: {arguments.build} holds no {program}")
    if not arguments.out.is_dir():
        command_line.refuse(f"--out: {arguments.out} is not a folder")
    return arguments


def main():
    arguments = parse()
    seen = isas_seen(arguments.build, {name: value for name, value in os.environ.items() if name != "SOFTLANE_ISA"}) or []
    known = [level for level in LIMITS if level in seen]
    levels = [level for level in arguments.levels if level in known]
    if not levels:
        command_line.refuse(f"--levels: this CPU has none of {', '.join(arguments.levels)}")
    pythons = {}
    for runtime, modules in (("onnxruntime", ("onnxruntime", "onnx", "numpy")), ("torch", ("torch", "numpy"))):
        python = getattr(arguments, runtime)
        if python and not can_import(python, *modules):
            print(f"{runtime}: {python} cannot import {', '.join(modules)}; it stays out", file=sys.stderr)
        elif python:
            pythons[runtime] = python

    kinds, left_out = [], {}
    for level in levels:
        of_level, left_out[level] = kinds_of_level(level, known[0], arguments, pythons)
        kinds += of_level
    if not any(kind.what == "cells" for kind in kinds):
        command_line.refuse(f"--filter: '{arguments.filter}' matches no cell")
    seed = random.SystemRandom().randrange(10**9) if arguments.seed is None else arguments.seed
    order = in_random_order(kinds, arguments.processes, random.Random(seed))
    print(f"{len(order)} processes of {len(kinds)} kinds in random order (--seed {seed})", flush=True)

    running, failed = Processes(), set()
    for number, (kind, i) in enumerate(order, 1):
        if running.interrupted or kind in failed:
            continue
        name = f"{kind.level} {kind.what}"
        print(f"{number} of {len(order)}: {name}", flush=True)
        part = kind.out.with_name(f"{kind.out.stem}_part.json")
        part.unlink(missing_ok=True)
        status = running.run(kind.command_into(part), kind.env, part.with_suffix(".log"))
        if not kind.take(part) and not running.interrupted:
            if not kind.in_python:
                command_line.refuse(f"{name}: exit code {status}, see {part.with_suffix('.log')}")
            failed.add(kind)
            left_out[kind.level][kind.what] = f"failed, see {part.with_suffix('.log')}"

    for kind in kinds:
        kind.out.unlink(missing_ok=True)
        if kind.results:
            whole = merged(kind.results)
            whole["context"]["left_out"] = [f"{peer}: {why}" for peer, why in left_out[kind.level].items()
                                            if kind.what != "calls" or peer in OTHER_LIBRARIES]
            whole["context"].update(level=kind.level, best_level=kind.level == known[0], processes=len(kind.results), seed=seed)
            kind.out.write_text(json.dumps(whole, indent=1), encoding="utf-8")
    exceeded = find_errors(kinds, arguments, running)
    return running.interrupted or int(exceeded)


if __name__ == "__main__":
    command_line.run(main)
