#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Compares the machine code of the library's units with its budget.

    scripts/code_size.py LIBRARY GOLDEN             exit code 1 when a size is off by more than 3 %
    scripts/code_size.py LIBRARY GOLDEN --write     makes GOLDEN anew

LIBRARY is libsoftlane.a of a Release build. Of each unit, an instruction set and an element type, the bytes of all functions
count, and those of the largest one. Exit code 77 where GOLDEN is of another compiler. Standard library only.
"""
import argparse
import pathlib
import re
import subprocess
import sys

import command_line
import instructions

TOLERANCE = 0.03
FUNCTION = re.compile(r"^[0-9a-f]+ ([0-9a-f]+) [tT] (.+)$")


def sizes_of(library, nm):
    """{unit: (bytes of all functions, bytes of the largest, its name)}"""
    done = subprocess.run([nm, "--print-size", library], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        command_line.refuse(f"{library}: {(done.stderr.strip().splitlines() or ['nm fails'])[-1]}")
    sizes, unit = {}, None
    for line in done.stdout.splitlines():
        if line.endswith(":"):
            unit = line.split(".")[0]
        elif function := FUNCTION.match(line):
            size = int(function[1], 16)
            total, largest, name = sizes.get(unit, (0, 0, ""))
            sizes[unit] = (total + size, *max((largest, name), (size, function[2])))
    return {unit: size for unit, size in sizes.items() if re.fullmatch(r"[a-z0-9]+_b?f\d+", unit)}


def read_sizes(text):
    """The bytes of all functions, and of the largest."""
    total, largest, _ = text.split()
    return int(total), int(largest)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    command_line.add_version(parser)
    parser.add_argument("library", metavar="LIBRARY")
    parser.add_argument("golden", metavar="GOLDEN", type=pathlib.Path)
    parser.add_argument("--compiler", default="unknown", help="that LIBRARY was made with: name and major version, flags")
    parser.add_argument("--nm", default="nm", help="to list symbols with (nm)")
    parser.add_argument("--write", action="store_true", help="make GOLDEN anew")
    arguments = parser.parse_args()
    try:
        golden = {} if arguments.write else instructions.read_golden(arguments.golden, arguments.compiler, read_sizes)
    except (OSError, ValueError) as error:
        command_line.refuse(f"{arguments.golden}: {error}")
    sizes = sizes_of(arguments.library, arguments.nm)
    if not sizes:
        command_line.refuse(f"{arguments.library}: holds no units")
    if arguments.write:
        instructions.write_golden(
            arguments.golden, "Bytes of machine code, all functions and the largest one: cmake --build BUILD --target code_size_golden",
            arguments.compiler, (f"{unit} {total} {largest} {name}" for unit, (total, largest, name) in sorted(sizes.items())))
    off = [f"{unit}: {golden.get(unit)} -> {sizes.get(unit)}" for unit in sorted(sizes.keys() | golden.keys())
           if not arguments.write and (unit not in sizes or unit not in golden or
                                       any(abs(new / old - 1) > TOLERANCE for new, old in zip(sizes[unit], golden[unit])))]
    print(*off, sep="\n", end="\n" if off else "")
    largest, name, unit = max((largest, name, unit) for unit, (_, largest, name) in sizes.items())
    print(f"{len(sizes)} units, {sum(size[0] for size in sizes.values())} bytes; largest function {name} of {unit}, {largest}; "
          f"{len(off)} off by more than {100 * TOLERANCE:.0f} %")
    sys.exit(bool(off))


if __name__ == "__main__":
    command_line.run(main)
