#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Speed and error of softlane beside what NumPy's users call today, as the table of README.md.

Each function runs on the same arrays by NumPy (the usual two lines), SciPy, scikit-learn where it has it, and softlane, in rounds that
take turns; the figure is the median of the rounds' times by the clock of the process, the error the largest of this very run, in
ULP of the exact result, which is computed in long double (of 64 bits or more), with log1p of a row's other exponentials. In
the second half of the rows one class stands out by 30: the model is sure of it. Needs NumPy, SciPy and softlane; scikit-learn if it is there.
"""
import argparse
import functools
import platform
import statistics
import sys
import time

import numpy as np
import scipy
from scipy import special

import softlane

try:
    import sklearn
    from sklearn.metrics import log_loss
except ImportError:
    sklearn = None

ELEMENTS = 1 << 20  # so many of a result, in whole rows, are compared with the exact one
LONG = np.longdouble


# ------------------------------------------------------------------------------------------------- NumPy, in the usual lines

def numpy_softmax(x):
    e = np.exp(x - x.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def numpy_log_softmax(x):
    z = x - x.max(axis=1, keepdims=True)
    return z - np.log(np.exp(z).sum(axis=1, keepdims=True))


def numpy_logsumexp(x):
    m = x.max(axis=1)
    return m + np.log(np.exp(x - m[:, None]).sum(axis=1))


def mean_of(log_softmax, x, target):
    return -log_softmax(x)[np.arange(len(x)), target].mean()


def gradient_of(softmax, x, target):
    p = softmax(x)
    p[np.arange(len(x)), target] -= 1
    return p / len(x)


def scipy_softmax(x):
    return special.softmax(x, axis=1)


def scipy_log_softmax(x):
    return special.log_softmax(x, axis=1)


# ---------------------------------------------------------------------------------------------------------------------- exact

def parts(x):
    """In long double: each row's maximum, the logarithm of its sum of exponentials beyond that, and x without the maximum."""
    x = x.astype(LONG)
    at = x.argmax(axis=1)
    m = x[np.arange(len(x)), at][:, None]
    e = np.exp(x - m)
    e[np.arange(len(x)), at] = 0
    return m, np.log1p(e.sum(axis=1, keepdims=True)), x - m


def exact_softmax(x):
    _, rest, z = parts(x)
    return np.exp(z - rest)


def exact_log_softmax(x):
    _, rest, z = parts(x)
    return z - rest


def exact_gradient(x, target, rows):
    p, at = exact_softmax(x), (np.arange(len(x)), target)
    p[at] = 0
    p[at] = -p.sum(axis=1)
    return p / rows


def softplus(x):
    x = x.astype(LONG)
    return np.maximum(x, 0) + np.log1p(np.exp(-abs(x)))


def exact_sigmoid(x):
    return 1 / (1 + np.exp(-x.astype(LONG)))


def ulps(got, want, dtype):
    digits, least = (24, -126) if dtype == np.float32 else (53, -1022)
    want = np.asarray(want)
    _, exponent = np.frexp(want)
    unit = np.ldexp(LONG(1), np.maximum(exponent - 1, least) - digits + 1)
    return float(np.max(np.abs(np.asarray(got).astype(LONG) - want) / unit))


# ---------------------------------------------------------------------------------------------------------------------- cells

class Cell:
    def __init__(self, name, shape, contenders, exact):
        self.name, self.shape, self.contenders, self.exact = name, shape, contenders, exact


def cells_of(shape, dtype, random):
    rows, columns = shape
    x = random.normal(0, 3, shape)
    x[rows // 2:, 0] += 30
    x, target = np.ascontiguousarray(x, dtype), random.integers(0, columns, rows)
    target[rows // 2:] = 0
    few = max(1, min(rows, ELEMENTS // columns))
    last = slice(rows - few, None)
    tail, out, grad = x[last], np.empty_like(x), np.empty_like(x)
    yield Cell("softmax", shape, {
        "NumPy": functools.partial(numpy_softmax, x), "SciPy": functools.partial(scipy_softmax, x),
        "softlane": functools.partial(softlane.softmax, x), "softlane, out=": functools.partial(softlane.softmax, x, out=out),
    }, lambda: exact_softmax(tail))
    yield Cell("log_softmax", shape, {
        "NumPy": functools.partial(numpy_log_softmax, x), "SciPy": functools.partial(scipy_log_softmax, x),
        "softlane": functools.partial(softlane.log_softmax, x), "softlane, out=": functools.partial(softlane.log_softmax, x, out=out),
    }, lambda: exact_log_softmax(tail))
    yield Cell("logsumexp", shape, {
        "NumPy": functools.partial(numpy_logsumexp, x), "SciPy": functools.partial(special.logsumexp, x, axis=1),
        "softlane": functools.partial(softlane.logsumexp, x),
    }, lambda: sum(parts(tail)[:2])[:, 0])

    def exact_loss():
        each = [-exact_log_softmax(x[i:i + few])[np.arange(len(x[i:i + few])), target[i:i + few]] for i in range(0, rows, few)]
        return np.concatenate(each).mean()

    loss = {
        "NumPy": functools.partial(mean_of, numpy_log_softmax, x, target), "SciPy": functools.partial(mean_of, scipy_log_softmax, x, target),
        "softlane": functools.partial(softlane.cross_entropy, x, target),
    }
    if sklearn:
        labels = np.arange(columns)
        loss["scikit-learn"] = lambda: log_loss(target, scipy_softmax(x), labels=labels)
    yield Cell("cross_entropy", shape, loss, exact_loss)
    yield Cell("its gradient", shape, {
        "NumPy": functools.partial(gradient_of, numpy_softmax, x, target), "SciPy": functools.partial(gradient_of, scipy_softmax, x, target),
        "softlane": lambda: softlane.cross_entropy(x, target, grad=True)[1],
        "softlane, out=": lambda: softlane.cross_entropy(x, target, grad=grad)[1],
    }, lambda: exact_gradient(tail, target[last], rows))


def cells_of_elements(count, dtype, random):
    x = random.normal(0, 10, count).astype(dtype)
    target, out = random.integers(0, 2, count).astype(dtype), np.empty_like(x)
    yield Cell("sigmoid", (count,), {
        "NumPy": lambda: 1 / (1 + np.exp(-x)), "SciPy": functools.partial(special.expit, x),
        "softlane": functools.partial(softlane.sigmoid, x), "softlane, out=": functools.partial(softlane.sigmoid, x, out),
    }, lambda: exact_sigmoid(x))
    yield Cell("log_sigmoid", (count,), {
        "NumPy": lambda: -np.logaddexp(0, -x), "SciPy": functools.partial(special.log_expit, x),
        "softlane": functools.partial(softlane.log_sigmoid, x), "softlane, out=": functools.partial(softlane.log_sigmoid, x, out),
    }, lambda: -softplus(-x))
    bce = {
        "NumPy": lambda: np.mean(np.logaddexp(0, x) - target * x),
        "SciPy": lambda: -np.mean(target * special.log_expit(x) + (1 - target) * special.log_expit(-x)),
        "softlane": functools.partial(softlane.bce_with_logits, x, target),
    }
    if sklearn:
        bce["scikit-learn"] = lambda: log_loss(target, special.expit(x))
    yield Cell("bce_with_logits", (count,), bce, lambda: np.mean(np.where(target == 1, softplus(-x), softplus(x))))


def measure(cell, dtype, rounds):
    """{who: (median ns of a call, error)}"""
    errors, calls = {}, {}
    want = cell.exact()
    for who, call in cell.contenders.items():
        with np.errstate(all="ignore"):
            got = call()
        errors[who] = ulps(got[-len(want):] if np.ndim(got) else got, want, dtype)
        start = time.process_time_ns()
        call()
        calls[who] = max(1, int(5e6 / max(time.process_time_ns() - start, 1)))
    times = {who: [] for who in calls}
    for r in range(rounds):
        for who in list(calls)[::1 if r % 2 else -1]:
            start = time.process_time_ns()
            for _ in range(calls[who]):
                cell.contenders[who]()
            times[who].append((time.process_time_ns() - start) / calls[who])
    return {who: (statistics.median(times[who]), errors[who]) for who in calls}


def text_of_error(error):
    return f"{error:.2f}" if error < 100 else f"{error:.1e}"


def main():
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--version", action="version", version=f"softlane {softlane.__version__}")
    parser.add_argument("--dtype", choices=("float32", "float64"), default="float32")
    parser.add_argument("--rounds", type=int, default=7)
    arguments = parser.parse_args()
    if arguments.rounds < 1:
        parser.error("--rounds: at least 1")
    dtype, random = np.dtype(arguments.dtype), np.random.default_rng(1)
    columns = ("NumPy", "SciPy", "scikit-learn", "softlane", "softlane, out=")
    with np.errstate(all="ignore"):
        versions = [f"NumPy {np.__version__}", f"SciPy {scipy.__version__}"] + ([f"scikit-learn {sklearn.__version__}"] if sklearn else [])
        print(f"Python {platform.python_version()}, {', '.join(versions)}; softlane {softlane.__version__}, {softlane.isa().name}; "
              f"{dtype.name}. Milliseconds, and errors in ULP.\n")
        print(f"| function | shape | {' | '.join(columns)} | SciPy / softlane |\n|---|---|{'---|' * len(columns)}---:|")
        makers = [functools.partial(cells_of, shape) for shape in ((1000, 1000), (64, 32000), (100000, 10))]
        for maker in [*makers, functools.partial(cells_of_elements, 1000000)]:
            for cell in maker(dtype, random):
                found = measure(cell, dtype, arguments.rounds)
                figures = [f"{found[who][0] / 1e6:.3g} ms, {text_of_error(found[who][1])}" if who in found else "" for who in columns]
                print(f"| {cell.name} | {'x'.join(map(str, cell.shape))} | {' | '.join(figures)} | "
                      f"{found['SciPy'][0] / found['softlane'][0]:.1f}x |", flush=True)


if __name__ == "__main__":
    sys.exit(main())
