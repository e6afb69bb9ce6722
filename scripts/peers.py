#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times softlane and a runtime that comes with Python (ONNX Runtime or PyTorch) on the same buffers in one process.

Every cell of a list (kernel/dtype/ROWSxCOLUMNS) is run by both, one thread each, in rounds that alternate between them;
the figure is the median of a round's CPU time. What spreads by more than 10 % (interquartile range / median) is measured again
up to twice, and marked if it still does. Through Python a call costs more than in C, and differently for each: so
the same call with one element is timed, too, and reported beside the time, which contains it. Errors are those of the
results of this very run, in ULP as in softlane.h, against NumPy in float64 (f64: long double).

The JSON has the form of softlane-bench's, KERNEL/DTYPE/PEER/SHAPE where PEER is "softlane" or the runtime's name. Needs NumPy
and what --runtime names (for onnxruntime: onnx, too).
"""
import argparse
import functools
import importlib
import json
import mmap
import os
import pathlib
import re
import statistics
import sys
import time

import command_line

import table

ROOT = pathlib.Path(__file__).resolve().parent.parent
ROUND_NS = 2_000_000
PERIOD = 1 << 20  # elements of an input that are drawn; then the same again
ERROR_ELEMENTS = 1 << 20  # so many of a cell, in whole rows, are compared with the reference


# -------------------------------------------------------------------------------------------------------- element types

def import_numpy():
    """Not before it is needed: --help is not."""
    global np
    try:
        import numpy as np
    except ImportError as error:
        command_line.refuse(f"needs NumPy ({error})")


def widen(dtype, array):
    """As floats that NumPy computes with."""
    return (array.astype(np.uint32) << 16).view(np.float32) if dtype == "bf16" else array


def narrow(dtype, array):
    """float32 values as elements, rounded to nearest even."""
    if dtype != "bf16":
        return array.astype(STORED[dtype])
    bits = array.view(np.uint32)
    return ((bits + 0x7FFF + ((bits >> 16) & 1)) >> 16).astype(np.uint16)


STORED = {"f32": "float32", "f64": "float64", "f16": "float16", "bf16": "uint16"}
LEAST_EXPONENT = {"f32": -126, "f64": -1022, "f16": -14, "bf16": -126}
DIGITS = {"f32": 24, "f64": 53, "f16": 11, "bf16": 8}


def loss_type(dtype):
    return dtype if dtype == "f64" else "f32"


# ------------------------------------------------------------------------------------------------------------ the buffers

class Cell:
    """One cell's name, shape and arrays: x, second (targets as probabilities), target (class ids), y, loss."""

    def __init__(self, name, memory, shape=None):
        self.kernel, self.dtype, text = name.split("/")
        self.rows, self.columns = shape or (int(n) for n in text.split("x"))
        self.base, _, gradient = self.kernel.partition("+")
        self.gradient = bool(gradient)
        x, second, y = memory
        shape = (self.rows, self.columns)
        self.x, self.second, self.y = (part[:self.rows * self.columns * np.dtype(STORED[self.dtype]).itemsize]
                                       .view(STORED[self.dtype]).reshape(shape) for part in (x, second, y))
        self.loss = np.zeros(self.rows if self.base == "logsumexp" else 1, STORED[loss_type(self.dtype)])
        self.target = None

    def fill(self, held):
        """held: {array: (dtype, elements)} that the arrays hold from a cell before; inputs of one type start alike."""
        inputs = {"x": lambda random: 3 * random.standard_normal(PERIOD, np.float32)}
        if self.base == "bce_with_logits":
            inputs["second"] = lambda random: random.random(PERIOD, np.float32)
        for name, draw in inputs.items():
            flat = getattr(self, name).reshape(-1)
            dtype, elements = held.get(name, (None, 0))
            if dtype == self.dtype and elements >= flat.size:
                continue
            values = narrow(self.dtype, draw(np.random.default_rng(1)))
            for i in range(0, flat.size, PERIOD):
                flat[i:i + PERIOD] = values[:flat.size - i]
            held[name] = self.dtype, flat.size
        self.target = np.random.default_rng(2).integers(0, self.columns, self.rows, np.int64)

    def output(self):
        """What the kernel writes; of a loss with its gradient, the gradient."""
        return self.loss if self.base in LOSSES + ("logsumexp",) and not self.gradient else self.y


LOSSES = ("cross_entropy", "bce_with_logits")
ROWS = ("softmax", "log_softmax", "logsumexp")


def reserve(names):
    """Memory for the largest cell, on huge pages where there are any; arrays at different offsets in their pages."""
    size = 0
    for name in names:
        _, dtype, shape = name.split("/")
        rows, columns = (int(n) for n in shape.split("x"))
        size = max(size, rows * columns * np.dtype(STORED[dtype]).itemsize)
    arrays = []
    for offset in (0, 1024, 2048):
        pages = mmap.mmap(-1, size + 4096)
        if hasattr(mmap, "MADV_HUGEPAGE"):
            pages.madvise(mmap.MADV_HUGEPAGE)
        arrays.append(np.frombuffer(pages, np.uint8)[offset:offset + size])
    return arrays


# ---------------------------------------------------------------------------------------------------------- the reference

def reference(cell, rows):
    """The exact result of the first `rows` rows, and of losses of all."""
    real = np.longdouble if cell.dtype == "f64" else np.float64
    x = widen(cell.dtype, cell.x[:rows]).astype(real)
    if cell.base in ("sigmoid", "sigmoid_fast"):
        return 1 / (1 + np.exp(-x))
    if cell.base == "bce_with_logits":
        t = widen(cell.dtype, cell.second[:rows]).astype(real)
        if cell.gradient:
            return ((1 - t) / (1 + np.exp(-x)) - t / (1 + np.exp(x))) / cell.x.size
        return np.mean(t * np.logaddexp(0, -x) + (1 - t) * np.logaddexp(0, x), keepdims=True)
    index = np.arange(len(x))
    largest = x.argmax(1)
    largest_x = x[index, largest]
    e = np.exp(x - largest_x[:, None])
    e[index, largest] = 0
    rest = e.sum(1)
    log_sum = np.log1p(rest)
    e[index, largest] = 1
    if cell.base == "logsumexp":
        return largest_x + log_sum
    if cell.base == "log_softmax":
        return (x - largest_x[:, None]) - log_sum[:, None]
    if cell.base == "softmax":
        return e / (1 + rest)[:, None]
    target = cell.target[:rows]
    if not cell.gradient:
        return np.mean((largest_x - x[index, target]) + log_sum, keepdims=True)
    e[index, target] = 0
    e[index, target] = -e.sum(1)  # not p - 1, which cancels
    return e / (1 + rest)[:, None] / cell.rows


def largest_error(cell):
    """ULP of the result in the cell's output, and what it is: every cell of it would take longer than all timing."""
    whole = cell.base in LOSSES and not cell.gradient
    rows = cell.rows if whole else min(cell.rows, max(1, ERROR_ELEMENTS // cell.columns))
    if whole and cell.x.size > 1 << 24:
        step = max(1, ERROR_ELEMENTS // cell.columns)
        parts = [(min(step, cell.rows - i), part_of(cell, i, step)) for i in range(0, cell.rows, step)]
        want = np.array([sum(n * reference(part, n)[0] for n, part in parts) / cell.rows])
    else:
        want = reference(cell, rows)
    dtype = loss_type(cell.dtype) if cell.output() is cell.loss else cell.dtype
    got = widen(dtype, cell.output()[:rows]).astype(want.dtype)
    _, exponent = np.frexp(want)
    unit = np.ldexp(want.dtype.type(1), np.maximum(exponent - 1, LEAST_EXPONENT[dtype]) - DIGITS[dtype] + 1)
    return float(np.max(np.abs(got - want) / unit))


def part_of(cell, first, rows):
    part = object.__new__(Cell)
    part.__dict__ = {**cell.__dict__, "x": cell.x[first:first + rows], "second": cell.second[first:first + rows],
                     "target": cell.target[first:first + rows]}
    return part


# ---------------------------------------------------------------------------------------------------------- the contenders

def load_softlane(folder):
    """The package softlane: the one in that folder, or the one that is installed."""
    if folder:
        sys.path.insert(0, str(folder))
    try:
        return importlib.import_module("softlane")
    except ImportError as error:
        command_line.refuse(f"{'--softlane' if folder else 'softlane'}: {error}")


def softlane_call(softlane, cell):
    """A call of its function, into the buffers."""
    if cell.base not in ROWS + LOSSES and not cell.base.startswith("sigmoid"):
        return None
    function = getattr(softlane, cell.base)
    if cell.base.startswith("sigmoid"):
        return functools.partial(function, cell.x, cell.y)
    if cell.base in LOSSES:
        targets = cell.target if cell.base == "cross_entropy" else cell.second
        return functools.partial(function, cell.x, targets, out=cell.loss.reshape(()), grad=cell.y if cell.gradient else None)
    return functools.partial(function, cell.x, -1, cell.output())


class OnnxRuntime:
    """A model of one operator, made in memory, whose inputs and outputs are bound to the buffers."""
    name = "onnxruntime"
    operators = {"softmax": "Softmax", "log_softmax": "LogSoftmax", "sigmoid": "Sigmoid", "logsumexp": "ReduceLogSumExp",
                 "cross_entropy": "SoftmaxCrossEntropyLoss"}

    def __init__(self):
        import onnx
        import onnxruntime
        self.onnx, self.runtime = onnx, onnxruntime
        self.version = onnxruntime.__version__
        self.types = {"f32": onnx.TensorProto.FLOAT, "f64": onnx.TensorProto.DOUBLE, "f16": onnx.TensorProto.FLOAT16}
        onnxruntime.set_default_logger_severity(4)

    def prepare(self, cell):
        operator = self.operators.get(cell.kernel)
        if operator is None or cell.dtype not in self.types:
            return None
        make, element = self.onnx.helper, self.types[cell.dtype]
        inputs = {"x": cell.x}
        attributes = {"axis": 1} if operator in ("Softmax", "LogSoftmax") else {}
        if operator == "ReduceLogSumExp":
            attributes = {"axes": [1], "keepdims": 0}
        elif operator == "SoftmaxCrossEntropyLoss":
            attributes, inputs["target"] = {"reduction": "mean"}, cell.target
        output = cell.output()
        if output.dtype != cell.x.dtype:
            return None  # a result of another type than softlane's
        shape = [] if operator == "SoftmaxCrossEntropyLoss" else list(output.shape)
        value = make.make_tensor_value_info
        graph = make.make_graph(
            [make.make_node(operator, list(inputs), ["y"], **attributes)], "cell",
            [value(name, element if name == "x" else self.onnx.TensorProto.INT64, array.shape)
             for name, array in inputs.items()], [value("y", element, shape)])
        model = make.make_model(graph, opset_imports=[make.make_opsetid("", 13)], ir_version=8)
        options = self.runtime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        try:
            session = self.runtime.InferenceSession(model.SerializeToString(), options, providers=["CPUExecutionProvider"])
        except Exception as error:  # its own classes of exceptions have no public base
            if "NOT_IMPLEMENTED" in str(error):
                return None  # no kernel of this type
            raise
        binding = session.io_binding()
        for name, array in inputs.items():
            binding.bind_input(name, "cpu", 0, array.dtype, array.shape, array.ctypes.data)
        binding.bind_output("y", "cpu", 0, output.dtype, shape, output.ctypes.data)
        return functools.partial(session.run_with_iobinding, binding)


class Torch:
    """Its functions on tensors that share the buffers; a loss is allocated by PyTorch, as it always is."""
    name = "torch"

    def __init__(self):
        import torch
        self.torch, self.version = torch, torch.__version__
        self.version += f" ({torch.backends.cpu.get_cpu_capability()})"
        torch.set_num_threads(1)

    def tensor(self, dtype, array):
        if dtype == "bf16":
            return self.torch.from_numpy(array.view(np.int16)).view(self.torch.bfloat16)
        return self.torch.from_numpy(array)

    def prepare(self, cell):
        torch, functional = self.torch, self.torch.nn.functional
        x, second, y = (self.tensor(cell.dtype, array) for array in (cell.x, cell.second, cell.y))
        if cell.kernel in ("softmax", "log_softmax"):
            return functools.partial(getattr(torch, "_" + cell.kernel), x, 1, False, out=y)
        if cell.kernel == "sigmoid":
            return functools.partial(torch.sigmoid, x, out=y)
        if cell.kernel == "logsumexp" and cell.loss.dtype == cell.x.dtype:
            return functools.partial(torch.logsumexp, x, 1, out=torch.from_numpy(cell.loss))
        if cell.base not in LOSSES or cell.loss.dtype != cell.x.dtype:
            return None
        function, target = ((functional.cross_entropy, torch.from_numpy(cell.target)) if cell.base == "cross_entropy"
                            else (functional.binary_cross_entropy_with_logits, second))
        loss = torch.from_numpy(cell.loss)
        if not cell.gradient:
            def forward():
                with torch.no_grad():
                    self.result = function(x, target)

            forward.finish = lambda: loss.copy_(self.result)
            return forward
        x.requires_grad_()

        def both():
            self.result, = torch.autograd.grad(function(x, target), x)

        both.finish = lambda: y.copy_(self.result)
        return both


RUNTIMES = {runtime.name: runtime for runtime in (OnnxRuntime, Torch)}


# ------------------------------------------------------------------------------------------------------------- the timing

def round_of(call, calls):
    """ns of CPU time of one call."""
    start = time.thread_time_ns()
    for _ in range(calls):
        call()
    return (time.thread_time_ns() - start) / calls


def measure(contenders, rounds, again):
    """{name: ns of a call, each round's}; who comes first changes with the round. Both again if one of them is noisy, so often
    at most."""
    calls = {}
    for name, call in contenders.items():
        call()
        calls[name] = max(1, int(ROUND_NS / max(round_of(call, 1), 1)))
    times = {name: [] for name in contenders}
    order = list(contenders)

    def run_rounds(_):
        for r in range(rounds):
            for name in order if r % 2 else reversed(order):
                times[name].append(round_of(contenders[name], calls[name]))

    run_rounds(order)
    table.measure_again(lambda: [name for name in order if table.spread_of(times[name])["noisy"]], run_rounds, again)
    return times


def contenders_of(cell, softlane, runtime):
    contenders = {"softlane": softlane_call(softlane, cell), runtime.name: runtime.prepare(cell)}
    try:
        if contenders[runtime.name]:
            contenders[runtime.name]()
    except RuntimeError as error:
        if "not implemented" not in str(error):
            raise
        contenders[runtime.name] = None  # PyTorch says so when it is called
    return {name: call for name, call in contenders.items() if call}


def errors_of(cell, contenders):
    errors = {}
    for who, call in contenders.items():
        cell.output().fill(0)
        call()
        getattr(call, "finish", lambda: None)()
        errors[who] = largest_error(cell)
    return errors


def figures_of(rounds_ns, calls_ns, elements):
    """What a file says of a cell: from ns of a call in each round, and of the same call with one element."""
    ns, spread = statistics.median(rounds_ns), table.spread_of(rounds_ns)
    return {"repetitions": len(rounds_ns), "cpu_time": ns, "ns_per_element": ns / elements, "ns_low": spread["low"] / elements,
            "ns_high": spread["high"] / elements, "spread_percent": spread["spread"], "noisy": spread["noisy"],
            "call_ns": statistics.median(calls_ns), "rounds_ns": rounds_ns, "calls_ns": calls_ns}


def measure_cell(name, memory, held, softlane, runtime, options):
    cell = Cell(name, memory)
    cell.fill(held)
    contenders = contenders_of(cell, softlane, runtime)
    if runtime.name not in contenders and cell.base != "sigmoid_fast":
        return
    errors = errors_of(cell, contenders) if options.errors else {}
    times = measure(contenders, options.rounds, options.again)
    least = Cell(name, memory, (1, 1))
    least.fill(held)
    empty = measure(contenders_of(least, softlane, runtime), options.rounds, options.again)
    for who, rounds_ns in times.items():
        yield {"name": f"{cell.kernel}/{cell.dtype}/{who}/{cell.rows}x{cell.columns}", "run_type": "iteration",
               "time_unit": "ns", "elements": cell.x.size, **figures_of(rounds_ns, empty[who], cell.x.size),
               "max_ulp": errors.get(who), "label": ""}


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", maxsplit=1)[0])
    command_line.add_version(parser)
    parser.add_argument("--runtime", choices=RUNTIMES, default="onnxruntime")
    parser.add_argument("--cells", default=ROOT / "scripts/cells.txt", type=pathlib.Path,
                        help="lines of kernel/dtype/ROWSxCOLUMNS")
    parser.add_argument("--softlane", type=pathlib.Path, metavar="FOLDER", help="where the package softlane lies; else it is installed")
    parser.add_argument("--filter", default=".", help="regular expression: only these kernel/dtype/peer/shape")
    parser.add_argument("--rounds", type=int, default=9)
    parser.add_argument("--again", type=int, default=2, metavar="N", help="measure what is noisy up to N times again (2)")
    parser.add_argument("--no-errors", action="store_false", dest="errors", help="times only")
    parser.add_argument("--out", type=pathlib.Path, help="JSON; else a line for each figure is all there is")
    arguments = parser.parse_args()
    import_numpy()
    try:
        text, wanted = arguments.cells.read_text(encoding="utf-8"), re.compile(arguments.filter)
    except OSError as error:
        command_line.refuse(f"--cells: {arguments.cells}: {error.strerror}")
    except re.error as error:
        command_line.refuse(f"--filter: '{arguments.filter}': {error}")
    if arguments.rounds < 1:
        command_line.refuse("--rounds: at least 1")
    if arguments.again < 0:
        command_line.refuse("--again: at least 0")
    names = [line.split()[0] for line in text.splitlines() if line.strip() and not line.startswith("#")]
    for name in names:
        if not re.fullmatch(r"[a-z_]+(\+grad)?/(f32|f64|bf16|f16)/[1-9]\d*x[1-9]\d*", name):
            command_line.refuse(f"--cells: '{name}' is not kernel/dtype/ROWSxCOLUMNS")

    def matches(name):
        kernel, dtype, shape = name.split("/")
        return any(wanted.search(f"{kernel}/{dtype}/{who}/{shape}") for who in ("softlane", arguments.runtime))

    names = [name for name in names if matches(name)]
    if not names:
        command_line.refuse(f"--filter: '{arguments.filter}' matches no cell")
    softlane = load_softlane(arguments.softlane)
    try:
        runtime = RUNTIMES[arguments.runtime]()
    except ImportError as error:
        command_line.refuse(f"--runtime {arguments.runtime}: {error}")

    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    memory = reserve(names)
    results, held = [], {}
    for name in names:
        for result in measure_cell(name, memory, held, softlane, runtime, arguments):
            result["run_name"], result["family_index"] = result["name"], len(results)
            results.append(result)
            print(f"{result['name']:<48} {result['ns_per_element']:9.4f}{'~' if result['noisy'] else ' '}ns, spread "
                  f"{result['spread_percent'] or 0:.0f} %, a call {result['call_ns']:8.0f} ns, "
                  f"{'-' if result['max_ulp'] is None else format(result['max_ulp'], '.3g'):>9} ULP", flush=True)
    if arguments.out:
        context = {"runtime": f"{runtime.name} {runtime.version}", "numpy": np.__version__}
        arguments.out.write_text(json.dumps({"context": context, "benchmarks": results}, indent=1), encoding="utf-8")


if __name__ == "__main__":
    command_line.run(main)
