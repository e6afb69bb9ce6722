#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Vector instructions per element, as they are executed: of two programs whose CPUs need not be this one.

  vector_instructions.py SSE2_PROGRAM NEON_PROGRAM

Both are tests/instructions of a build; qemu-user runs them one instruction at a time and says where each one is, the
disassembler says which of them work on vectors. A call's count is half the difference of a run with three calls and one
with one call. NEON and SSE2 have registers of one size, so their counts can be set side by side.
"""
import argparse
import collections
import re
import shutil
import struct
import subprocess
import sys

import command_line

X86, AARCH64 = 62, 183  # e_machine of ELF
CELLS = ["softmax", "log_softmax", "cross_entropy", "cross_entropy+grad", "softmax_backward"]
MAPS = ["sigmoid", "sigmoid_fast", "log_sigmoid", "bce_with_logits", "bce_with_logits+grad"]


def refuse(message):
    print(f"vector_instructions.py: {message}", file=sys.stderr)
    sys.exit(2)


def machine(program):
    try:
        with open(program, "rb") as file:
            head = file.read(20)
    except OSError as error:
        refuse(f"{program}: {error.strerror}")
    found = struct.unpack("<H", head[18:20])[0] if head[:4] == b"\x7fELF" else None
    if found not in (X86, AARCH64):
        refuse(f"{program}: not a program of x86-64 or AArch64")
    return found


class Program:
    def __init__(self, path):
        self.path = path
        arm = machine(path) == AARCH64
        self.isa = "neon" if arm else "sse2"
        self.run = ["qemu-aarch64-static", "-L", "/usr/aarch64-linux-gnu"] if arm else ["qemu-x86_64-static", "-cpu", "max"]
        objdump = "aarch64-linux-gnu-objdump" if arm else "objdump"
        for tool in self.run[0], objdump:
            if not shutil.which(tool):
                refuse(f"no {tool}")
        # a register of vectors among the operands; not the scalar ones, which qemu's log of AArch64 names by size
        register = re.compile(r"\bv\d+\.|\bq\d+\b" if arm else r"%xmm")
        scalar = re.compile(r"^$" if arm else r"^v?(\w+s[sd]|mov[dq]|u?comis[sd])\b")
        self.vector, self.start = set(), None
        text = subprocess.run([objdump, "-d", "--no-show-raw-insn", path], check=True, capture_output=True, text=True).stdout
        for line in text.splitlines():
            head = re.match(r"([0-9a-f]+) <count_cell>:", line)
            if head:
                self.start = int(head[1], 16)
            found = re.match(r"\s*([0-9a-f]+):\s+(\S+)\s*(.*)", line)
            if found and register.search(found[3]) and not scalar.match(found[2]):
                self.vector.add(int(found[1], 16))

    def executed(self, cell, calls):
        """How often each address below the program's load address was executed, and the elements of a call."""
        command = self.run + ["-singlestep", "-d", "exec,nochain", "-D", "/dev/stderr", self.path, cell, str(calls)]
        count, elements, bias = collections.Counter(), None, None
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
            for line in run.stderr:
                if line.startswith("Trace"):
                    place = line.split("/", 2)[1]
                    count[place] += 1
                    if bias is None and line.rstrip().endswith(" count_cell"):
                        bias = int(place, 16) - self.start
            elements = run.stdout.read().split()
        if run.returncode or bias is None:
            refuse(f"{self.path} {cell}: exit code {run.returncode}, or no call of count_cell")
        return sum(n for place, n in count.items() if int(place, 16) - bias in self.vector), int(elements[1])

    def per_element(self, kernel, shape):
        cell = f"{kernel}/f32/{self.isa}/{shape}"
        once, elements = self.executed(cell, 1)
        return (self.executed(cell, 3)[0] - once) / 2 / elements


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("sse2", metavar="SSE2_PROGRAM")
    parser.add_argument("neon", metavar="NEON_PROGRAM")
    arguments = parser.parse_args()
    sse2, neon = Program(arguments.sse2), Program(arguments.neon)
    print("| kernel | shape | sse2 | neon | neon / sse2 |\n|---|---|---:|---:|---:|")
    for kernel, shape in [(k, s) for k in CELLS for s in ("99x10", "4x1000")] + [(k, "1x4095") for k in MAPS]:
        of_sse2, of_neon = sse2.per_element(kernel, shape), neon.per_element(kernel, shape)
        print(f"| {kernel} | {shape} | {of_sse2:.2f} | {of_neon:.2f} | {of_neon / of_sse2:.2f} |", flush=True)


if __name__ == "__main__":
    command_line.run(main)
