#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Fills in the tables of a page of docs/results/, one machine's, from the last run of scripts/bench there.

A place for one is <!-- table: COMMAND --> ... <!-- end -->, each on a line of its own; what the command prints, run by
bash in the root of the tree, goes between. Standard library only.
"""

import argparse
import pathlib
import re
import subprocess
import sys

import command_line

ROOT = pathlib.Path(__file__).resolve().parent.parent
PLACE = re.compile(r"(^<!-- table: ([^\n]+) -->\n)(.*?)(^<!-- end -->$)", re.M | re.S)


def printed_by(command):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0 or not done.stdout.strip():
        print(f"fill_tables.py: {command}: {'prints nothing' if done.returncode == 0 else 'failed'}", file=sys.stderr)
        sys.exit(2)
    return done.stdout.strip() + "\n"


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("pages", nargs="+", type=pathlib.Path, help="docs/results/MACHINE.md")
    pages = parser.parse_args().pages
    # All commands first: a page is written when every table is there.
    filled = {}
    for page in pages:
        if not page.is_file():
            print(f"fill_tables.py: {page}: no such file", file=sys.stderr)
            sys.exit(2)
        filled[page] = PLACE.subn(lambda m: m[1] + printed_by(m[2]) + m[4], page.read_text(encoding="utf-8"))
    for page, (text, tables) in filled.items():
        if tables:
            page.write_text(text, encoding="utf-8")
            print(f"{page}: {tables} tables")


if __name__ == "__main__":
    command_line.run(main)
