#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes a page that runs softlane's kernels in a browser: one file, which needs no server.

  examples/browser/build.py --out page.html

The kernels are what scripts/export.py writes, compiled by clang for WebAssembly: once with SIMD128 beside plain C, once with
plain C alone, for engines that refuse SIMD128. Needs clang 19, lld and wasi-libc (Debian: clang-19, lld-19, wasi-libc,
libclang-rt-19-dev-wasm32).
"""
import argparse
import base64
import pathlib
import subprocess
import sys
import tempfile

HERE = pathlib.Path(__file__).resolve().parent
SCRIPTS = HERE.parent.parent / "scripts"
KERNELS = "softmax,sigmoid,cross_entropy"
MODULES = {"simd128": "simd128,scalar", "scalar": "scalar"}  # by the name in the page: the instruction sets of each
FLAGS = "--target=wasm32-wasi -std=c11 -O2 -Wall -Wextra -DPAGE -nostartfiles -Wl,--no-entry".split()


def build(compiler, isas, folder):
    """The module's bytes."""
    subprocess.run([SCRIPTS / "export.py", "--kernel", KERNELS, "--dtype", "f32", "--isa", isas, "--out", folder], check=True)
    module = folder / "kernels.wasm"
    one = [] if "," in isas else [f'-DONE_ISA="{isas}"']
    subprocess.run([compiler, *FLAGS, *one, f"-I{folder}", HERE / "kernels.c", folder / "softlane.c", "-o", module], check=True)
    return module.read_bytes()


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="FILE", help="the page")
    parser.add_argument("--compiler", default="clang-19", help="clang with WebAssembly (default: clang-19)")
    arguments = parser.parse_args()
    page = (HERE / "page.html").read_text(encoding="utf-8")
    for name, isas in MODULES.items():
        with tempfile.TemporaryDirectory() as folder:
            try:
                module = build(arguments.compiler, isas, pathlib.Path(folder))
            except (OSError, subprocess.CalledProcessError) as error:
                sys.exit(f"build.py: {error}")
        page = page.replace(f"@{name}@", base64.b64encode(module).decode())
    try:
        arguments.out.write_text(page, encoding="utf-8")
    except OSError as error:
        sys.exit(f"build.py: {error}")


if __name__ == "__main__":
    main()
