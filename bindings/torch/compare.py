#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Times softlane.torch beside torch.nn.functional in one process, call by call in turn, and measures the memory of both.

Each cell is run in rounds that alternate between the two; the figure is the median of the rounds' times. With gradient: forward,
backward and the gradient given up again, as a training step does. --memory compares one large batch, each in a process of its
own with huge pages: what the process holds at most beyond the logits, and the time. --ways compares ways to the gradient: formed
in the forward call, from saved log-sum-exps, and the first with autograd registered from Python.
"""
import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import time

CELLS = ("cross_entropy 32x10 float32", "cross_entropy 256x10 float32", "cross_entropy 1000x1000 float32",
         "cross_entropy 64x32000 float32", "cross_entropy 64x128256 float32", "cross_entropy 1000x1000 bfloat16",
         "cross_entropy 64x32000 bfloat16", "softmax 32x10 float32", "softmax 1000x1000 float32", "softmax 1000x1000 bfloat16",
         "log_softmax 1000x1000 float32", "bce_with_logits 32x10 float32", "bce_with_logits 1000x1000 float32",
         "bce_with_logits 1000x1000 bfloat16")


def parse():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--threads", type=int, nargs="+", default=[1], metavar="N", help="PyTorch's threads (default: 1)")
    parser.add_argument("--cells", metavar="REGEX", default="", help="only cells with this in 'operator ROWSxCLASSES type'")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each cell (default: 1)")
    parser.add_argument("--memory", metavar="ROWSxCLASSES", help="the memory of cross_entropy with gradient, say 4096x32000")
    parser.add_argument("--ways", action="store_true", help="ways to the gradient, in place of PyTorch")
    parser.add_argument("--alone", help=argparse.SUPPRESS)
    return parser.parse_args()


def inputs(cell):
    operator, shape, dtype = cell.split()
    rows, classes = map(int, shape.split("x"))
    dtype = getattr(torch, dtype)
    x = torch.randn(rows, classes).mul_(4).to(dtype)
    if operator == "cross_entropy":
        return operator, x, torch.randint(0, classes, (rows,))
    return operator, x, torch.rand(rows, classes).to(dtype)


def functions(operator):
    """softlane's and PyTorch's, of logits and targets."""
    if operator == "cross_entropy":
        return sl.cross_entropy, functional.cross_entropy
    if operator == "bce_with_logits":
        return sl.bce_with_logits, functional.binary_cross_entropy_with_logits
    own, theirs = getattr(sl, operator), getattr(functional, operator)
    return lambda x, _: own(x, 1), lambda x, _: theirs(x, 1)


def with_gradient(function, x, target):
    x = x.detach().requires_grad_()
    upstream = torch.rand(x.shape).to(x.dtype) if function(x, target).dim() else None

    def step():
        function(x, target).backward(upstream)
        x.grad = None
    return step


def rounds(calls, seconds):
    """The median time of each call, in microseconds; calls take turns."""
    def run(call, n):
        start = time.perf_counter()
        for _ in range(n):
            call()
        return (time.perf_counter() - start) / n * 1e6

    for call in calls:
        run(call, 3)
    slowest = max(run(call, 3) for call in calls)
    n = max(1, round(2000 / slowest))
    count = min(max(5, round(seconds * 1e6 / (len(calls) * n * slowest))), 201)
    times = [[run(call, n) for call in calls] for _ in range(count)]
    return [statistics.median(column) for column in zip(*times)]


def compare_cells(arguments):
    print("threads  cell                                softlane us   PyTorch us  ratio  +gradient: softlane us   PyTorch us  ratio")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for cell in filter(re.compile(arguments.cells).search, CELLS):
            operator, x, target = inputs(cell)
            both = functions(operator)
            own, theirs = rounds([lambda f=f: f(x, target) for f in both], arguments.seconds)
            own_grad, theirs_grad = rounds([with_gradient(f, x, target) for f in both], arguments.seconds)
            print(f"{threads:7}  {cell:36}{own:11.1f} {theirs:12.1f} {theirs / own:6.2f} {own_grad:24.1f} {theirs_grad:12.1f} "
                  f"{theirs_grad / own_grad:6.2f}", flush=True)


def compare_ways(arguments):
    operators = torch.ops.softlane

    class FromLse(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x, target):
            loss, lse = operators._cross_entropy_forward(x, target, None, 1, -100, 0.0, 1)
            ctx.save_for_backward(x, target, lse)
            return loss

        @staticmethod
        def backward(ctx, upstream):
            x, target, lse = ctx.saved_tensors
            return operators._cross_entropy_backward(upstream, x, target, None, 1, -100, 0.0, lse), None

    @torch.library.custom_op("softlane_ways::loss", mutates_args=())
    def registered(x: torch.Tensor, target: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor]:
        return operators._cross_entropy_forward(x, target, None, 1, -100, 0.0, 2)

    registered.register_autograd(lambda ctx, upstream, _: (ctx.saved_tensors[0] * upstream, None),
                                 setup_context=lambda ctx, inputs, output: ctx.save_for_backward(output[1]))
    ways = (sl.cross_entropy, FromLse.apply, lambda x, target: registered(x, target)[0], functional.cross_entropy)
    print("cross_entropy with gradient, us: in the forward call, from log-sum-exps, registered from Python, PyTorch")
    for threads in arguments.threads:
        torch.set_num_threads(threads)
        for cell in filter(re.compile(arguments.cells).search, CELLS):
            if cell.startswith("cross_entropy"):
                _, x, target = inputs(cell)
                times = rounds([with_gradient(way, x, target) for way in ways], arguments.seconds)
                print(f"{threads} {cell:36}" + "".join(f"{t:12.1f}" for t in times), flush=True)


# ---- memory

def held(what):
    with open("/proc/self/status", encoding="ascii") as status:
        return int(re.search(rf"^{what}:\s+(\d+) kB", status.read(), re.M)[1]) * 1024


def measure_alone(name, shape):
    """Of one of both, in a process of its own."""
    torch.set_num_threads(1)
    _, x, target = inputs(f"cross_entropy {shape} float32")
    own, theirs = functions("cross_entropy")
    x.requires_grad_()

    def step():
        (own if name == "softlane" else theirs)(x, target).backward()
        x.grad = None

    step()
    with open("/proc/self/clear_refs", "w", encoding="ascii") as file:
        file.write("5")  # the peak starts again
    before, times = held("VmRSS"), []
    step()
    peak = held("VmHWM") - before
    for _ in range(7):
        start = time.perf_counter()
        step()
        times.append(time.perf_counter() - start)
    print(json.dumps([peak / (x.numel() * 4), statistics.median(times) * 1e3]))


def compare_memory(shape):
    print(f"cross_entropy with gradient, {shape} float32, one thread; beyond the logits, in their size:")
    for pages, tunables in (("ordinary pages", ""), ("huge pages", "glibc.malloc.hugetlb=1")):
        for name in ("softlane", "PyTorch"):
            run = subprocess.run([sys.executable, __file__, "--memory", shape, "--alone", name], check=True,
                                 capture_output=True, env={**os.environ, "GLIBC_TUNABLES": tunables})
            memory, milliseconds = json.loads(run.stdout)
            print(f"{pages:16}{name:10}{memory:6.2f} {milliseconds:9.1f} ms", flush=True)


def main():
    arguments = parse()
    global torch, functional, sl
    try:
        import softlane.torch as sl
        import torch
        import torch.nn.functional as functional
    except ImportError as error:
        print(f"compare.py: needs softlane.torch ({error})", file=sys.stderr)
        return 2
    torch.manual_seed(1)
    if arguments.alone:
        measure_alone(arguments.alone, arguments.memory)
    elif arguments.memory:
        compare_memory(arguments.memory)
    elif arguments.ways:
        compare_ways(arguments)
    else:
        print(f"softlane {sl.__version__} ({sl.isa()}), PyTorch {torch.__version__}")
        compare_cells(arguments)
    return 0


if __name__ == "__main__":
    sys.exit(main())
