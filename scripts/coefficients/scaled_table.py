#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds C of kernels/maths/exp_f32.h: the factor for which all eight C * 2^(j/8) lie closest to floats, so that the table of
the exponential needs no low part.

C * 2^(1/8) has the same distances, so [1, 2^(1/8)) is all there is; C itself must lie next to a float f there, and each f
has one best C: where its largest distance upwards is that downwards.
"""
import argparse
import math
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import command_line

TWO23 = 1 << 23  # floats of [1, 2) as integers
ROOTS = [2 ** (j / 8) for j in range(1, 8)]  # error 2^-53, beside distances of 2^-28


def distances(f):
    """The least and the largest relative distance of f * 2^(j/8) from the float next to it; f itself has 0."""
    least = largest = 0.0
    for root in ROOTS:
        exact = f * root
        distance = round(exact) / exact - 1
        least, largest = min(least, distance), max(largest, distance)
    return least, largest


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.parse_args()
    best, least, largest = TWO23, *distances(TWO23)
    for f in range(TWO23 + 1, math.ceil(TWO23 * 2 ** (1 / 8))):
        low, high = distances(f)
        if high - low < largest - least:
            best, least, largest = f, low, high
    c = best / TWO23 * (1 + (least + largest) / 2)
    print(f"C: {c.hex()}  error of the table x 2^24: {(largest - least) / 2 * 2**24:.4f}")


if __name__ == "__main__":
    command_line.run(main)
