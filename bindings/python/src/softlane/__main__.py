# SPDX-License-Identifier: MIT
"""python -m softlane: version, variants, caches, and a check of ten functions against exact results. Exit code 1: one is wrong."""
import argparse
import ast
import decimal
import sys

import numpy as np

import softlane
from softlane import _softlane

DIGITS = decimal.Context(prec=60)


def exact_rows(rows):
    """Of each row exp(x), and the sum of it, as decimals."""
    for row in rows.tolist():
        e = [DIGITS.exp(decimal.Decimal(x)) for x in row]
        yield e, sum(e, start=decimal.Decimal(0))


def log(value):
    return DIGITS.ln(value)


def sigmoid(x):
    return DIGITS.divide(1, 1 + DIGITS.exp(-decimal.Decimal(x)))


def ulps(got, want):
    """The largest error, in units of the last place of the exact result."""
    errors = []
    digits, least = (24, -126) if got.dtype == np.float32 else (53, -1022)
    for value, exact in zip(got.ravel().tolist(), want):
        exponent = np.frexp(float(exact))[1] - 1
        unit = decimal.Decimal(2) ** (max(int(exponent), least) - digits + 1)
        errors.append(float(abs(DIGITS.subtract(decimal.Decimal(value), exact)) / unit))
    return float(np.max(errors))  # NaN if one is


def checks():
    """What is checked: the function's name, the type, its result, the exact one."""
    random = np.random.default_rng(1)
    for dtype in np.float32, np.float64:
        x = random.normal(0, 4, (40, 100)).astype(dtype)
        target = random.integers(0, 100, 40)
        rows = list(exact_rows(x))
        chosen = x[np.arange(40), target].tolist()
        yield "softmax", dtype, softlane.softmax(x), [DIGITS.divide(e, s) for row, s in rows for e in row]
        yield "log_softmax", dtype, softlane.log_softmax(x), [decimal.Decimal(v) - log(s) for row, (_, s) in zip(x.tolist(), rows)
                                                             for v in row]
        yield "logsumexp", dtype, softlane.logsumexp(x), [log(s) for _, s in rows]
        yield "sigmoid", dtype, softlane.sigmoid(x), [sigmoid(v) for v in x.ravel().tolist()]
        yield "cross_entropy", dtype, softlane.cross_entropy(x, target, reduction="none"), [
            log(s) - decimal.Decimal(v) for (_, s), v in zip(rows, chosen)]


def main():
    parser = argparse.ArgumentParser(prog="python -m softlane", description="What softlane is here, and whether it computes as it should.")
    parser.add_argument("--version", action="version", version=f"softlane {softlane.__version__}")
    parser.parse_args()
    in_use = softlane.isa()
    print(f"softlane {softlane.__version__}, NumPy {np.__version__}, Python {sys.version.split()[0]}")
    for name in softlane.isas():
        why_not = softlane.isa_why_not(name)
        print(f"  {name:<8} {why_not or ('in use' if name == in_use.name else 'available')}")
    print(f"last-level cache {softlane.cache_bytes() / 2**20:g} MiB: larger outputs than half of it are stored past the caches")
    bounds = {name: ast.literal_eval(bounds) for name, _, bounds, *_ in _softlane.kernels}
    failed = 0
    for name, dtype, got, want in checks():
        error = ulps(got, want)
        bound = bounds[name][(0 if dtype is np.float32 else 2) + (not in_use.fma)]
        failed += not error <= bound
        print(f"  {name:<14} {dtype.__name__}  {error:.3f} ULP of {bound}  {'ok' if error <= bound else 'WRONG'}")
    sys.exit(1 if failed else 0)


if __name__ == "__main__":
    main()
