#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Finds the coefficients of kernels/maths/sigmoid_exact.h: s (o0 + z (o1 + z)) / (c0 + z (c1 + z c2)), z = s^2, which is tanh(s / 2) at
z = 0 and at four more z, those of Chebyshev's polynomial for |s| <= width ln2 / 2.

Rounded to f64, with c0 = 2 o0. Of the widths 1, 1.001, 1.002 and so on it is the first with which the kernel, without FMA, gives the
float next to sigmoid(-0x1.250c02p-10), as no other float's is so near to the middle between two. (With FMA it gives that, too, and
neither gives a wrong one for any float: tests/proofs/parts.c.)
"""
import argparse
import struct
import sys
from decimal import Decimal, getcontext
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
import command_line

getcontext().prec = 80
LN2 = Decimal(2).ln()
PI = Decimal("3.14159265358979323846264338327950288419716939937510582097494459230781640628620899")
HARDEST, RIGHT = float.fromhex("-0x1.250c02p-10"), float.fromhex("0x1.ffb6bep-2")


def cos(x):
    term = total = Decimal(1)
    for k in range(2, 120, 2):
        term = -term * x * x / (k * (k - 1))
        total += term
    return total


def solved(rows):
    """The x of rows of coefficients, each with its right side behind them, by elimination."""
    n = len(rows)
    for i in range(n):
        pivot = max(range(i, n), key=lambda k: abs(rows[k][i]))
        rows[i], rows[pivot] = rows[pivot], rows[i]
        for k in range(n):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [a - factor * b for a, b in zip(rows[k], rows[i])]
    return [row[-1] / row[i] for i, row in enumerate(rows)]


def coefficients(width):
    rows = []
    for i in range(5):
        z = (width * LN2 / 2) ** 2 * (1 - cos(PI * (2 * i + 1) / 10)) / 2 if i else Decimal(0)
        s = z.sqrt()
        slope = 1 / s - 2 / (s * (s.exp() + 1)) if i else Decimal(1) / 2  # tanh(s / 2) / s
        rows.append([-z, Decimal(-1), slope * z * z, slope * z, slope, z * z])
    o1, _, c2, c1, c0 = (float(x) for x in solved(rows))
    return o1, c0 / 2, c2, c1, c0


def sigmoid(x, o1, o0, c2, c1, c0):
    """As the kernel without FMA, for |x| <= ln2 / 2."""
    z = x * x
    p, q = ((z + o1) * z + o0) * x, (z * c2 + c1) * z + c0
    return struct.unpack("<f", struct.pack("<f", (q + p) / ((q - p) + (q + p))))[0]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.parse_args()
    width = Decimal(1)
    while sigmoid(HARDEST, *coefficients(width)) != RIGHT:
        width += Decimal("0.001")
    print(f"width {width}:", *(f"{name} {x.hex()}" for name, x in zip(("o1", "o0", "c2", "c1", "c0"), coefficients(width))))


if __name__ == "__main__":
    command_line.run(main)
