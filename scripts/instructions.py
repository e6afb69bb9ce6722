#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Counts instructions per element, and compares them with those that were counted before.

    scripts/instructions.py PROGRAM GOLDEN                        exit code 1 when a count is off by more than 2 %
    scripts/instructions.py PROGRAM GOLDEN --write                makes GOLDEN anew, of the counts that it can make here
    scripts/instructions.py PROGRAM GOLDEN --qemu qemu-aarch64-static   counts NEON's, of a cross build
    scripts/instructions.py PROGRAM OTHER --at-most 1.03     exit code 1 when a count is more than so many times OTHER's
    scripts/instructions.py SSE2_PROGRAM NEON_PROGRAM --vectors   prints those that work on vectors, side by side
    scripts/instructions.py PEERS_PROGRAM --peers            prints those of NEON beside other people's (scripts/neon_peers)
    scripts/instructions.py NEON_PROGRAM --sve               prints all, of NEON beside SVE's of each vector length

PROGRAM is tests/instructions of a Release build. On the machine itself valgrind's callgrind counts; it knows no AVX-512, so
AVX2, SSE2 and scalar are counted. For other machines qemu logs every instruction, and two runs are compared. Exit code 77
where there is no valgrind, or where GOLDEN is of another compiler: its counts are its own. NEON and SSE2 have registers of
one size, so that their vector instructions tell how good the code is; qemu's disassembler says which these are. Standard library
only.
"""
import argparse
import collections
import pathlib
import re
import shutil
import struct
import subprocess
import sys
import tempfile

import command_line

TOLERANCE = 0.02
X86, AARCH64 = 62, 183  # e_machine of ELF
CELLS = ["softmax", "log_softmax", "cross_entropy", "cross_entropy+grad", "softmax_backward"]
PEER_CELLS = [("softmax", "softmax", shape) for shape in ("99x10", "65x100", "4x1000", "1x4096")] + [
    ("sigmoid", "sigmoid", "1x4095"), ("sigmoid_fast", "sigmoid", "1x4095")]
MAPS = ["sigmoid", "sigmoid_fast", "log_sigmoid", "bce_with_logits", "bce_with_logits+grad"]
SVE_CELLS = [("softmax", "f32", "99x10"), ("softmax", "f32", "4x1000"), ("log_softmax", "f32", "4x1000"),
             ("cross_entropy+grad", "f32", "4x1000"), ("sigmoid", "f32", "1x4095"), ("bce_with_logits", "f32", "1x4095"),
             ("softmax", "f64", "4x1000"), ("softmax", "bf16", "4x1000"), ("softmax", "f16", "4x1000")]
LENGTHS = {"neon": 1, "sve128": 1, "sve256": 2, "sve512": 4}  # of SVE's vectors, in units of 128 bits


def skip(message):
    print(f"skipped: {message}")
    sys.exit(77)


def run(command):
    """Its stdout."""
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        command_line.refuse(f"{command[0]}: {(done.stderr.strip().splitlines() or ['failed'])[-1]}")
    return done.stdout


def cells_of(output):
    return [(name, int(elements)) for name, elements in (line.split() for line in output.splitlines())]


def count_by_callgrind(program, matches):
    """{cell: instructions per element}: one dump after each call of count_cell, and no counting outside."""
    with tempfile.TemporaryDirectory() as directory:
        dumps = pathlib.Path(directory) / "dump"
        cells = cells_of(run(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={dumps}",
                              "--toggle-collect=count_cell", "--dump-after=count_cell", program]))
        counts = {}
        for i, (name, elements) in enumerate(cells):
            text = pathlib.Path(f"{dumps}.{i + 1}").read_text(encoding="utf-8")
            total = re.search(r"^(?:summary|totals): (\d+)", text, re.MULTILINE)
            if matches(name):
                counts[name] = int(total[1]) / elements
        return counts


def count_by_qemu(program, qemu, matches):
    return {name: executed_by_call([qemu, program], name) / elements
            for name, elements in cells_of(run([qemu, program])) if matches(name)}


def executed_by_call(command, cell):
    """All instructions, by qemu's log: what one call more adds."""
    def traced(calls):
        with tempfile.NamedTemporaryFile("rb") as log:
            run([command[0], "-singlestep", "-d", "exec,nochain", "-D", log.name, *command[1:], cell, str(calls)])
            return sum(1 for _ in log)

    return traced(3) - traced(2)


def read_golden(path, compiler, read=float):
    """{name: what `read` makes of the rest of its line}; skips the test where they are of another compiler."""
    counts, theirs = {}, None
    for line in path.read_text(encoding="utf-8").splitlines():
        if line.startswith("# compiler: "):
            theirs = line.removeprefix("# compiler: ")
            if theirs != compiler:
                skip(f"{path.name} is of {theirs}, this is {compiler}")
        elif line and not line.startswith("#"):
            name, rest = line.split(" ", 1)
            counts[name] = read(rest)
    if theirs is None:
        raise ValueError("names no compiler")
    return counts


def write_golden(path, how, compiler, lines):
    path.write_text("\n".join([f"# {how}", f"# compiler: {compiler}", *lines]) + "\n", encoding="utf-8")


def compare(counts, golden, at_most):
    """Prints what is off, or, with `at_most`, what is more than so many times as many; whether all is well."""
    off = []
    for name in counts.keys() | golden.keys():
        new, old = counts.get(name), golden.get(name)
        if new is None or old is None:
            off.append((float("inf"), f"{name}: {'not counted any more' if new is None else 'new'}"))
        elif new / old > at_most if at_most else abs(new / old - 1) > TOLERANCE:
            off.append((new / old, f"{name}: {old:.3f} -> {new:.3f} ({100 * (new / old - 1):+.1f} %)"))
    for _, line in sorted(off, reverse=True):
        print(line)
    most = f"more than {at_most:g} times the other's" if at_most else f"off by more than {100 * TOLERANCE:.0f} %"
    print(f"{len(counts)} cells counted, {len(off)} {most}")
    return not off


def machine(program):
    try:
        with open(program, "rb") as file:
            head = file.read(20)
    except OSError as error:
        command_line.refuse(f"{program}: {error.strerror}")
    found = struct.unpack("<H", head[18:20])[0] if head[:4] == b"\x7fELF" else None
    if found not in (X86, AARCH64):
        command_line.refuse(f"{program}: not a program of x86-64 or AArch64")
    return found


class Program:
    """tests/instructions, run by qemu, which names each instruction when it first meets it and logs each that it executes."""

    def __init__(self, path):
        self.path = path
        arm = machine(path) == AARCH64
        self.isa = "neon" if arm else "sse2"
        self.run = ["qemu-aarch64-static"] if arm else ["qemu-x86_64-static", "-cpu", "max"]
        if arm and not pathlib.Path("/lib/ld-linux-aarch64.so.1").exists():
            self.run += ["-L", "/usr/aarch64-linux-gnu"]
        if not shutil.which(self.run[0]):
            command_line.refuse(f"no {self.run[0]}")
        # a register of vectors among the operands; not the scalar ones, which AArch64 names by size
        self.register = re.compile(r"\bv\d+\.|\bq\d+\b" if arm else r"%xmm")
        self.scalar = re.compile(r"^$" if arm else r"^v?(\w+s[sd]|mov[dq]|u?comis[sd])\b")

    def executed(self, cell, calls):
        """The instructions on vectors that are executed in all, and the elements of a call."""
        command = self.run + ["-singlestep", "-d", "in_asm,exec,nochain", "-D", "/dev/stderr", self.path, cell, str(calls)]
        count, vectors = collections.Counter(), set()
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            for line in run.stderr:
                if line.startswith("Trace"):
                    count[line.split("/", 2)[1].lstrip("0")] += 1
                elif line.startswith("0x"):
                    place, text = line[2:].split(":", 1)
                    named = re.match(r"\s*(?:[0-9a-f]{8}|(?:[0-9a-f]{2} )+)\s*([a-z]\S*)\s*(.*)", text)
                    if named and self.register.search(named[2]) and not self.scalar.match(named[1]):
                        vectors.add(place.lstrip("0"))
            elements = run.stdout.read().split()
        if run.returncode:
            command_line.refuse(f"{self.path} {cell}: exit code {run.returncode}")
        return sum(count[place] for place in vectors), int(elements[1])

    def per_element(self, kernel, shape, isa=None):
        cell = f"{kernel}/f32/{isa or self.isa}/{shape}"
        once, elements = self.executed(cell, 1)
        return (self.executed(cell, 3)[0] - once) / 2 / elements


def print_vectors(sse2, neon):
    print("| kernel | shape | sse2 | neon | neon / sse2 |\n|---|---|---:|---:|---:|")
    for kernel, shape in [(k, s) for k in CELLS for s in ("99x10", "4x1000")] + [(k, "1x4095") for k in MAPS]:
        of_sse2, of_neon = sse2.per_element(kernel, shape), neon.per_element(kernel, shape)
        print(f"| {kernel} | {shape} | {of_sse2:.2f} | {of_neon:.2f} | {of_neon / of_sse2:.2f} |", flush=True)


def print_peers(program):
    """A peer has one sigmoid, beside which both of ours stand."""
    print("| kernel | shape | softlane | xnnpack | sleef | softlane / the better one |\n|---|---|---:|---:|---:|---:|")
    for kernel, theirs, shape in PEER_CELLS:
        ours = program.per_element(kernel, shape)
        peers = [program.per_element(theirs, shape, peer) for peer in ("xnnpack", "sleef")]
        print(f"| {kernel} | {shape} | {ours:.2f} | {peers[0]:.2f} | {peers[1]:.2f} | {ours / min(peers):.2f} |", flush=True)


def print_sve(program):
    print("| kernel | type | shape | neon | sve128 | sve256 | sve512 | sve256 / neon |\n|---|---|---|---:|---:|---:|---:|---:|")
    for kernel, dtype, shape in SVE_CELLS:
        rows, classes = map(int, shape.split("x"))
        counts = [executed_by_call([*program.run, "-cpu", f"max,sve-max-vq={length}", program.path], f"{kernel}/{dtype}/{isa}/{shape}")
                  / (rows * classes) for isa, length in LENGTHS.items()]
        texts = " | ".join(f"{count:.2f}" for count in counts)
        print(f"| {kernel} | {dtype} | {shape} | {texts} | {counts[2] / counts[0]:.2f} |", flush=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    command_line.add_version(parser)
    parser.add_argument("program", metavar="PROGRAM")
    parser.add_argument("golden", metavar="GOLDEN", type=pathlib.Path, nargs="?")
    parser.add_argument("--compiler", default="unknown", help="that PROGRAM was made with: name and major version, flags")
    parser.add_argument("--qemu", metavar="QEMU", help="run and count by this qemu-user")
    parser.add_argument("--filter", metavar="REGEX", default=".", help="only these cells")
    parser.add_argument("--at-most", metavar="RATIO", type=float, help="fewer are as good, and so are RATIO times as many")
    parser.add_argument("--write", action="store_true", help="make GOLDEN anew")
    parser.add_argument("--vectors", action="store_true", help="PROGRAM is of SSE2, GOLDEN another program, of NEON")
    parser.add_argument("--peers", action="store_true", help="PROGRAM is tests/instructions_peers, and there is no GOLDEN")
    parser.add_argument("--sve", action="store_true", help="PROGRAM is of AArch64, and there is no GOLDEN")
    arguments = parser.parse_args()
    if (arguments.peers or arguments.sve) == bool(arguments.golden):
        command_line.refuse("needs a GOLDEN" if not arguments.golden else "--peers and --sve need no GOLDEN")
    if arguments.sve:
        print_sve(Program(arguments.program))
        return
    if arguments.peers:
        print_peers(Program(arguments.program))
        return
    if arguments.vectors:
        print_vectors(Program(arguments.program), Program(arguments.golden))
        return
    try:
        matches = re.compile(arguments.filter).search
        golden = {} if arguments.write else read_golden(arguments.golden, arguments.compiler)
    except re.error as error:
        command_line.refuse(f"--filter: '{arguments.filter}': {error}")
    except (OSError, ValueError) as error:
        command_line.refuse(f"{arguments.golden}: {error}")
    tool = arguments.qemu or "valgrind"
    if not shutil.which(tool):
        skip(f"no {tool}")
    if arguments.qemu:
        counts = count_by_qemu(arguments.program, arguments.qemu, matches)
    else:
        counts = count_by_callgrind(arguments.program, matches)
    if not counts:
        command_line.refuse(f"--filter: '{arguments.filter}' matches no cell")
    if arguments.write:
        write_golden(arguments.golden,
                     "Instructions per element: scripts/instructions.py PROGRAM tests/golden/instructions.txt --write",
                     arguments.compiler, (f"{name} {count:.4f}" for name, count in counts.items()))
        print(f"{arguments.golden}: {len(counts)} cells")
    elif not compare(counts, {name: count for name, count in golden.items() if matches(name)}, arguments.at_most):
        sys.exit(1)


if __name__ == "__main__":
    command_line.run(main)
