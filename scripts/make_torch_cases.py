#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Makes tests/data/torch_cases.txt: what PyTorch computes for every kernel and loss option.

The test torch_cases compares softlane with it, so that nobody needs PyTorch to run the tests. PyTorch computes
in float64, forward and by autograd: within a few last places the truth for all element types. The inputs of
most cases are exact in every one of them, so that only results differ.

Of losses a grid over all options comes first, then larger shapes, which fill vector registers, then special
values. Where softlane deliberately differs, the case says why and has softlane's own result beside PyTorch's.

The format is text, for review: a line "case KERNEL OUTERxCLASSESxINNER [OPTION=VALUE ...]", then lines of a
name and numbers in C order, until the next case. The names:
  x                             logits, (log-)probabilities; of a backward kernel the first argument
  dy, target                    the second argument: gradients; class ids or probabilities
  weight, pos_weight, upstream  options of losses
  mask, first, length, sink     options of softmax_with and log_softmax_with; a mask is of every element, or of every class
  result, gradient, lse         PyTorch's; losses have a gradient, softmax_with and log_softmax_with log-sum-exps
  differs                       not numbers but a reason; after it one or more of
  softlane_result, softlane_gradient, softlane_lse

Needs Debian's python3-torch; nothing else in this repository does. Seeded, on one thread and one code path:
running again gives identical bytes.
"""
import argparse
import itertools
import math
import os
import pathlib
import random

import command_line

os.environ["ATEN_CPU_CAPABILITY"] = "default"

FILE = pathlib.Path(__file__).resolve().parent.parent / "tests" / "data" / "torch_cases.txt"

rng = random.Random(1)

# ---------------------------------------------------------------------------------------------------- inputs

nan, inf = math.nan, math.inf
LARGEST_F16, LARGEST_F32, LARGEST_F64 = 65504.0, (2 - 2.0**-23) * 2.0**127, (2 - 2.0**-52) * 2.0**1023
LEAST_F32, LEAST_F64 = 2.0**-149, 2.0**-1074


def coarse(n):
    """Logits in [-8, 8] with 7 binary digits: exact in every element type."""
    return [rng.randint(-127, 127) / 16 for _ in range(n)]


def single(n):
    """Logits that are exact in f32 and f64 only."""
    return torch.tensor(double(n), dtype=torch.float32).tolist()


def double(n):
    return [rng.gauss(0, 4) for _ in range(n)]


def gradients(n):
    return [rng.choice((-1, 1)) * rng.randint(1, 16) / 8 for _ in range(n)]


def weights(n):
    return [rng.randint(1, 16) / 8 for _ in range(n)]


def zeros_and_ones(n):
    return [float(rng.randint(0, 1)) for _ in range(n)]


def probabilities(n):
    return [rng.randint(1, 63) / 64 for _ in range(n)]


def distribution(classes):
    """Sums to 1; now and then a class has nothing."""
    cuts = sorted(rng.randint(0, 64) for _ in range(classes - 1))
    return [(b - a) / 64 for a, b in zip([0, *cuts], [*cuts, 64])]


def class_ids(rows, classes, ignored):
    """One row, not the first, is ignored, if any is to be."""
    ids = [rng.choice([c for c in range(classes) if c != ignored]) for _ in range(rows)]
    if ignored is not None:
        ids[rng.randrange(1, rows)] = ignored
    return ids


def elements(shape, row):
    """In C order, from row(classes), called for every row."""
    outer, classes, inner = shape
    rows = [row(classes) for _ in range(outer * inner)]
    return [rows[o * inner + i][c] for o in range(outer) for c in range(classes) for i in range(inner)]


def tensor(values, shape=None):
    """An inner extent of 1 is no axis for PyTorch."""
    t = torch.tensor(values, dtype=torch.float64)
    return t if shape is None else t.reshape(shape[:2] if shape[2] == 1 else shape)


# ---------------------------------------------------------------------------------------------------- output

lines = []


def numbers(values):
    """The shortest decimals that are these doubles."""
    flat = values.flatten().tolist() if isinstance(values, torch.Tensor) else values
    return [repr(float(value)).removesuffix(".0") for value in flat]


def put_case(kernel, shape, options, arrays, differs):
    """differs: None, or the reason and a dictionary of what softlane gives instead."""
    given = [f"{name}={value}" for name, value in options.items() if value is not None]
    lines.append(" ".join(["case", kernel, "x".join(map(str, shape)), *given]))
    reason, own = differs if differs is not None else (None, {})
    lines.extend(" ".join([name, *numbers(a)]) for name, a in arrays.items() if a is not None)
    if reason is not None:
        lines.append("differs " + reason)
    lines.extend(" ".join(["softlane_" + name, *numbers(a)]) for name, a in own.items())


# ------------------------------------------------------------------------------------------------------ maps

ROWS = {
    "softmax": lambda x: torch.softmax(x, 1),
    "softmax_safe": lambda x: torch.softmax(x, 1),
    "softmax_apply": lambda x: torch.softmax(x, 1),
    "log_softmax": lambda x: torch.log_softmax(x, 1),
    "log_softmax_safe": lambda x: torch.log_softmax(x, 1),
    "logsumexp": lambda x: torch.logsumexp(x, 1),
    "softmax_stats": lambda x: torch.logsumexp(x, 1),
}
# Those whose cases come last, so that those of the others stay as they are.
LATER_ROWS = {
    "softmax_stats_rows": lambda x: torch.logsumexp(x, 1),
    "log_softmax_top": lambda x: torch.topk(torch.log_softmax(x, 1), min(40, x.shape[1]), 1).values,
    "softmax_wide": lambda x: torch.softmax(x, 1),
    "log_softmax_wide": lambda x: torch.log_softmax(x, 1),
}
LATER_ELEMENTS = {"sigmoid_wide": lambda x: torch.sigmoid(x)}
WITHOUT_SHAPE = ("softmax_apply", "softmax_stats", "softmax_stats_rows", "log_softmax_top")
ELEMENTS = {"sigmoid": lambda x: torch.sigmoid(x), "log_sigmoid": lambda x: F.logsigmoid(x)}

# The functions that autograd calls, with what it saves for them: here numbers that are exact in short types.
BACKWARD = {
    "softmax_backward": lambda y, dy: torch._softmax_backward_data(dy, y, 1, torch.float64),
    "log_softmax_backward": lambda y, dy: torch._log_softmax_backward_data(dy, y, 1, torch.float64),
    "sigmoid_backward": lambda y, dy: torch.ops.aten.sigmoid_backward(dy, y),
    "log_sigmoid_backward": lambda x, dy: torch.ops.aten.log_sigmoid_backward(dy, x, torch.exp(-abs(x))),
}
FORWARD = ROWS | ELEMENTS | LATER_ROWS | LATER_ELEMENTS


def map_case(kernel, shape, x, differs=None):
    put_case(kernel, shape, {}, {"x": x, "result": FORWARD[kernel](tensor(x, shape))}, differs)


def backward_case(kernel, shape, saved, dy):
    result = BACKWARD[kernel](tensor(saved, shape), tensor(dy, shape))
    put_case(kernel, shape, {}, {"x": saved, "dy": dy, "result": result}, None)


def logits_to_saved(kernel, x):
    return x if kernel == "log_sigmoid_backward" else FORWARD[kernel.removesuffix("_backward")](x)


def assert_autograd_agrees(kernel, shape):
    n = math.prod(shape)
    x, dy = tensor(double(n), shape).requires_grad_(), tensor(gradients(n), shape)
    FORWARD[kernel.removesuffix("_backward")](x).backward(dy)
    assert torch.equal(x.grad, BACKWARD[kernel](logits_to_saved(kernel, x.detach()), dy)), kernel


SPECIAL_ROWS = [
    [1, nan, 2],
    [1, inf, 2],
    [inf, -inf, 0],
    [-inf, -inf, -inf],
    [-inf, 5, -inf],
    [-inf, 0, 0],
    [20, 0, 0],
    [0, -100, -60],
    [0, -15, -17.5],
    [LARGEST_F16, -LARGEST_F16, 0],
    [LARGEST_F32, -LARGEST_F32, 0],
    [LARGEST_F64, -LARGEST_F64, 0],
    [LARGEST_F32, LARGEST_F32, LARGEST_F32],
    [LEAST_F32, -LEAST_F32, 0],
    [LEAST_F64, -LEAST_F64, -0.0],
]
SPECIAL_ELEMENTS = [nan, inf, -inf, 0, -0.0] + [
    sign * x
    for x in (16, 88, 90, 200, 1000, LARGEST_F16, LARGEST_F32, LARGEST_F64, LEAST_F32, LEAST_F64)
    for sign in (1, -1)]


def row_difference(kernel, row):
    masked = max(row) == -inf
    if masked and kernel == "softmax_safe":
        return "a row of nothing but -inf is masked, not an error", {"result": [0, 0, 0]}
    if masked and kernel == "log_softmax_safe":
        return "a row of nothing but -inf is masked, not an error", {"result": [-inf, -inf, -inf]}
    if kernel in ("logsumexp", "softmax_stats", "softmax_stats_rows") and (masked or max(row) == inf):
        return "NaN where softmax is, so also for +inf and for nothing but -inf", {"result": [nan]}
    return None


def put_row_maps(kernels):
    for kernel in kernels:
        shapes = [(4, 5, 1), (3, 1, 1), (2, 37, 1)]
        if kernel not in WITHOUT_SHAPE:
            shapes += [(2, 3, 3), (2, 1, 3), (1, 3, 19), (0, 3, 1)]
            map_case(kernel, (1, 3, 3), [0, nan, 1, 0, 2, -inf, 0, 3, -inf])
        for shape in shapes:
            map_case(kernel, shape, coarse(math.prod(shape)))
        for inputs in (single, double):
            map_case(kernel, (3, 6, 1), inputs(18))
        for row in SPECIAL_ROWS:
            map_case(kernel, (1, 3, 1), row, row_difference(kernel, row))


def put_chosen():
    chosen = 5  # of each row, as in tests/harness
    for shape, inputs in itertools.product(((4, 5, 1), (3, 1, 1), (2, 37, 1)), (coarse, single, double)):
        x, ids = inputs(math.prod(shape)), class_ids(shape[0] * chosen, shape[1], None)
        result = torch.gather(torch.log_softmax(tensor(x, shape), 1), 1,
                              torch.tensor(ids, dtype=torch.int64).reshape(-1, chosen))
        put_case("log_softmax_at", shape, {}, {"x": x, "ids": ids, "result": result}, None)


def put_later():
    rng.seed(3)
    put_row_maps(LATER_ROWS)
    put_element_maps(LATER_ELEMENTS)
    put_chosen()


def put_element_maps(kernels):
    for kernel in kernels:
        for inputs in (coarse, single, double):
            map_case(kernel, (1, 45, 1), inputs(45))
        for x in SPECIAL_ELEMENTS:
            map_case(kernel, (1, 1, 1), [x])


def put_backward():
    for kernel in BACKWARD:
        by_element = "sigmoid" in kernel
        for shape in [(1, 45, 1)] if by_element else [(4, 5, 1), (3, 1, 1), (2, 37, 1), (2, 3, 3), (1, 3, 19)]:
            assert_autograd_agrees(kernel, shape)
            n = math.prod(shape)
            saved = logits_to_saved(kernel, tensor(coarse(n), shape) / 4)
            backward_case(kernel, shape, torch.round(saved * 64).div(64).flatten().tolist(), gradients(n))
            saved = logits_to_saved(kernel, tensor(coarse(n), shape)).float()
            backward_case(kernel, shape, saved.flatten().tolist(), single(n))

    backward_case("softmax_backward", (1, 3, 1), [1, 0, 0], [2, -1, 0.5])
    backward_case("softmax_backward", (1, 2, 1), [0, 0], [2, -1])
    backward_case("softmax_backward", (2, 2, 1), [0.5, nan, 0.5, 0.5], [1, 0, 1, 0])
    backward_case("softmax_backward", (2, 2, 1), [0.5, 0.5, 0.5, 0.5], [nan, 0, 1, 0])
    backward_case("softmax_backward", (1, 2, 1), [1, 0], [1, inf])
    backward_case("log_softmax_backward", (1, 3, 1), [0, -inf, -inf], [2, -1, 0.5])
    backward_case("log_softmax_backward", (1, 2, 1), [-inf, -inf], [5, -3])
    backward_case("log_softmax_backward", (1, 2, 1), [nan, -inf], [1, 2])
    backward_case("log_softmax_backward", (2, 2, 1), [0, -inf, 0, -inf], [nan, 0, 1, 2])
    for y, dy in [(0, 3), (1, 3), (nan, 1), (0.5, nan), (0.5, inf), (0, inf), (LEAST_F32, 1), (0.5, LARGEST_F32)]:
        backward_case("sigmoid_backward", (1, 1, 1), [y], [dy])
    for x in SPECIAL_ELEMENTS:
        backward_case("log_sigmoid_backward", (1, 1, 1), [x], [1.5])


# -------------------------------------------------------------------------------------- softmax with options

SCORED = {"softmax_with": lambda z: torch.softmax(z, 1), "log_softmax_with": lambda z: torch.log_softmax(z, 1)}
NO_NUMBER = "lse is NaN where the row is, so also for +inf and where all is masked"


def scores(shape, x, scale=None, softcap=None, slope=None, mask=None, mask_type=None, first=None, length=None, sink=None):
    """What the options make of logits, as PyTorch's users write it; the sink is one more column."""
    rows, classes, _ = shape
    z = tensor(x, shape) * (scale or 1)
    if softcap is not None:
        z = softcap * torch.tanh(z / softcap)
    if mask is not None:
        per_row = tensor(mask).reshape(-1, classes)
        z = z.masked_fill(per_row == 0, -inf) if mask_type == "bool" else z + (slope or 1) * per_row
    first = torch.tensor(first or [0] * rows).reshape(rows, 1)
    length = torch.tensor(length).reshape(rows, 1) if length is not None else classes - first
    column = torch.arange(classes)
    z = z.masked_fill((column < first) | (column >= first + length), -inf)
    return z if sink is None else torch.cat([z, tensor(sink).reshape(rows, 1)], 1)


def scored_case(shape, x, weights=None, **options):
    """For both functions. weights: those of an attention that has worked out the scores itself."""
    rows, classes, _ = shape
    z = scores(shape, x, **options)
    arrays = {name: options.get(name) for name in ("mask", "first", "length", "sink")}
    given = {"mask": options.get("mask_type"), **{name: options.get(name) for name in ("scale", "softcap", "slope")}}
    for kernel, function in SCORED.items():
        result, lse = function(z)[:, :classes], torch.logsumexp(z, 1)
        if weights is not None:
            assert torch.allclose(torch.softmax(z, 1), weights, rtol=1e-13, atol=0), (shape, options)
            result = weights if kernel == "softmax_with" else result
        infinite = torch.isinf(lse)
        differs = (NO_NUMBER, {"lse": lse.masked_fill(infinite, nan)}) if infinite.any() else None
        put_case(kernel, shape, given, {"x": x, **arrays, "result": result, "lse": lse}, differs)


def some_masked(mask):
    """Elements of a mask at random, but not the first."""
    return [value if i == 0 or rng.random() < 0.7 else -inf for i, value in enumerate(mask)]


def causal(rows, classes):
    return [min(r + 1, classes) for r in range(rows)]


def window(rows, classes, width):
    """The first element of each row, and how many of them there are."""
    length = causal(rows, classes)
    first = [max(0, end - width) for end in length]
    return {"first": first, "length": [end - start for start, end in zip(first, length)]}


def distances(rows, classes):
    """Of ALiBi, which slope makes biases."""
    return [float(c - r) for r in range(rows) for c in range(classes)]


def attention_weights(q, k, **options):
    """The attention over values that are the identity."""
    function = getattr(F, "scaled_dot_product_attention", None)
    if function is not None:
        return function(q, k, torch.eye(len(k), dtype=torch.float64), **options)
    q, k = q.unsqueeze(0), k.unsqueeze(0)  # PyTorch 1.13 wants a batch and has a result more
    return F._scaled_dot_product_attention(q, k, torch.eye(k.shape[1], dtype=torch.float64).unsqueeze(0), **options)[0][0]


def put_attention():
    depth = 16  # whose scale is exact, as are the products
    for rows, keys in ((4, 5), (7, 37), (20, 20)):
        q, k = (tensor([rng.randint(-4, 4) / 4 for _ in range(n * depth)]).reshape(n, depth) for n in (rows, keys))
        shape, x, scale = (rows, keys, 1), (q @ k.T).flatten().tolist(), depth**-0.5
        scored_case(shape, x, attention_weights(q, k), scale=scale)
        scored_case(shape, x, attention_weights(q, k, is_causal=True), scale=scale, length=causal(rows, keys))
        bias = elements(shape, coarse)
        scored_case(shape, x, attention_weights(q, k, attn_mask=tensor(bias).reshape(rows, keys)), scale=scale, mask=bias,
                    mask_type="f32")
        keep = elements(shape, lambda n: [1.0, *zeros_and_ones(n - 1)])
        scored_case(shape, x, attention_weights(q, k, attn_mask=tensor(keep).reshape(rows, keys) != 0), scale=scale, mask=keep,
                    mask_type="bool")


def put_option_sets(shape, inputs):
    rows, classes, _ = shape
    n = math.prod(shape)
    for mask_type in ("f32", "f16", "bf16"):
        scored_case(shape, inputs(n), mask=coarse(n), mask_type=mask_type)
    scored_case(shape, inputs(n), scale=80**-0.5, mask=coarse(n), mask_type="f32")
    scored_case(shape, inputs(n), scale=-0.5, mask=coarse(classes), mask_type="f32")
    scored_case(shape, inputs(n), scale=0.125, mask=elements(shape, lambda n: some_masked([0.0] * n)), mask_type="f32")
    scored_case(shape, inputs(n), mask=some_masked(coarse(classes)), mask_type="f16", slope=0.25)
    scored_case(shape, inputs(n), mask=elements(shape, lambda n: [1.0, *zeros_and_ones(n - 1)]), mask_type="bool")
    scored_case(shape, inputs(n), scale=2, mask=[1.0, *zeros_and_ones(classes - 1)], mask_type="bool")
    scored_case(shape, inputs(n), length=causal(rows, classes))
    scored_case(shape, inputs(n), scale=0.125, **window(rows, classes, 2))
    scored_case(shape, inputs(n), first=[rng.randrange(classes) for _ in range(rows)])
    scored_case(shape, inputs(n), scale=16**-0.5, softcap=50, length=causal(rows, classes))  # Gemma
    scored_case(shape, inputs(n), softcap=0.75, mask=coarse(n), mask_type="f32")
    scored_case(shape, inputs(n), scale=0.125, sink=coarse(rows), **window(rows, classes, 3))  # gpt-oss
    scored_case(shape, inputs(n), scale=0.125, slope=2.0**-3, mask=distances(rows, classes), mask_type="f32",
                length=causal(rows, classes))
    scored_case(shape, inputs(n), scale=0.7, softcap=30, slope=-1.5, mask=elements(shape, lambda n: some_masked(coarse(n))),
                mask_type="f32", sink=coarse(rows), **window(rows, classes, 4))


def put_special_scores():
    for row in SPECIAL_ROWS:
        shape = (1, 3, 1)
        scored_case(shape, row, scale=1)
        scored_case(shape, row, sink=[0.5])
        scored_case(shape, row, softcap=2)
        for at, kept in itertools.product(range(3), (-inf, 0)):
            only = [kept if c == at else -inf for c in range(3)]
            scored_case(shape, row, mask=only, mask_type="f32")
        for keep in itertools.product((0, 1), repeat=3):
            scored_case(shape, row, mask=keep, mask_type="bool")
        for first, length in ((0, 0), (3, 0), (0, 2), (1, 1), (1, 2), (2, 1)):
            scored_case(shape, row, first=[first], length=[length])
    scored_case((2, 2, 1), [1, 2, 3, 4], mask=[-inf, -inf], mask_type="f32", sink=[2, -inf])
    scored_case((3, 2, 1), [1, 2, 3, 4, 5, 6], length=[0, 1, 2], sink=[2, nan, inf])
    scored_case((1, 2, 1), [1, 2], mask=[inf, 0], mask_type="f32")
    scored_case((1, 2, 1), [1, 2], mask=[nan, 0], mask_type="f32")
    scored_case((0, 3, 1), [], scale=2)


def put_scores():
    rng.seed(4)
    for shape, inputs in (((3, 5, 1), coarse), ((2, 1, 1), coarse), ((2, 37, 1), coarse), ((18, 3, 1), coarse),
                          ((3, 7, 1), single), ((2, 33, 1), double)):
        put_option_sets(shape, inputs)
    put_attention()
    put_special_scores()


# ---------------------------------------------------------------------------------------------------- losses

def of_torch(name):
    return lambda *arguments, **options: getattr(F, name)(*arguments, **options)


BINARY = {"bce_with_logits": of_torch("binary_cross_entropy_with_logits"), "bce": of_torch("binary_cross_entropy")}
CATEGORICAL = {"cross_entropy": of_torch("cross_entropy"), "cross_entropy_soft": of_torch("cross_entropy"),
               "nll": of_torch("nll_loss")}
LOSSES = CATEGORICAL | BINARY


def loss_case(kernel, shape, x, target, reduction="none", weight=None, pos_weight=None, smoothing=None,
              ignore=None, upstream=None, differs=None):
    outer, classes, inner = shape
    logits = tensor(x, shape).requires_grad_()
    options = {"reduction": reduction}
    per_class = (classes,) if inner == 1 else (classes, 1)  # what spreads over the other axes
    if weight is not None:
        options["weight"] = tensor(weight)
    if weight is not None and kernel in BINARY:  # PyTorch's is of each element
        options["weight"] = tensor(weight).reshape(per_class).expand(logits.shape)
    if pos_weight is not None:
        options["pos_weight"] = tensor(pos_weight).reshape(per_class)
    if smoothing is not None:
        options["label_smoothing"] = smoothing
    if ignore is not None:
        options["ignore_index"] = ignore
    if kernel in ("cross_entropy", "nll"):
        targets = torch.tensor(target, dtype=torch.int64).reshape((outer, inner)[:1 if inner == 1 else 2])
    else:
        targets = tensor(target, shape)
    loss = LOSSES[kernel](logits, targets, **options)
    loss.backward(torch.ones_like(loss) if upstream is None else tensor(upstream).reshape(loss.shape))
    put_case(kernel, shape, {"reduction": reduction, "smoothing": smoothing, "ignore": ignore},
             {"x": x, "target": target, "weight": weight, "pos_weight": pos_weight, "upstream": upstream,
              "result": loss.detach(), "gradient": logits.grad}, differs)


def option_grid(kernel):
    """Every combination of the options of a loss, as dictionaries."""
    axes = {"reduction": ("mean", "sum", "none"), "weight": (False, True), "upstream": (False, True)}
    if kernel in ("cross_entropy", "nll"):
        axes["ignore"] = (None, -100, 1)
    if kernel in ("cross_entropy", "cross_entropy_soft"):
        axes["smoothing"] = (None, 0.1, 1)
    if kernel == "cross_entropy_soft":
        axes["targets"] = (distribution, probabilities)
    if kernel in BINARY:
        axes["targets"] = (zeros_and_ones, probabilities)
    if kernel == "bce_with_logits":
        axes["pos_weight"] = (False, True)
    return [dict(zip(axes, values)) for values in itertools.product(*axes.values())]


def grid_case(kernel, shape, options, inputs):
    outer, classes, inner = shape
    options = dict(options)
    targets = options.pop("targets", None)
    for name in ("weight", "pos_weight"):
        options[name] = weights(classes) if options.get(name) else None
    if options["upstream"]:
        losses = math.prod(shape) if kernel in BINARY else outer * inner
        options["upstream"] = gradients(losses if options["reduction"] == "none" else 1)
    else:
        options["upstream"] = None
    target = elements(shape, targets) if targets else class_ids(outer * inner, classes, options["ignore"])
    x = (probabilities if kernel == "bce" else inputs)(math.prod(shape))
    loss_case(kernel, shape, x, target, **options)


def put_option_grids():
    for kernel in LOSSES:
        grid = option_grid(kernel)
        for options, shape in itertools.product(grid, ((3, 3, 1), (2, 3, 2))):
            grid_case(kernel, shape, options, coarse)
        for inputs, shape in itertools.product((coarse, single, double), ((2, 37, 1), (1, 3, 19), (3, 2, 5))):
            grid_case(kernel, shape, rng.choice(grid), inputs)


WEIGHT_0 = "a weight of 0 takes its class out even at infinite cost; PyTorch: 0 * inf"
TARGET_0 = "a target of 0 takes its class out even at infinite cost; PyTorch: 0 * inf"
IGNORED = "an ignored row is not read; PyTorch: 0 * NaN in its gradient"
INFINITY = "the limit; PyTorch: 0 * inf or inf - inf"
CLAMP = "the denominator is clamped at 1e-12; PyTorch: at 1e-12 rounded to f32"
LOG_2 = math.log(2)


def put_special_categorical():
    def case(kernel, rows, ids, reduction="none", **options):
        """Of class ids, for cross_entropy_soft as probabilities."""
        classes = len(rows[0])
        soft = [float(c == i) for i in ids for c in range(classes)]
        loss_case(kernel, (len(rows), classes, 1), sum(rows, []), soft if kernel.endswith("soft") else ids,
                  reduction, **options)

    def one_hot_difference(row, at):
        logp = torch.log_softmax(tensor(row), 0)
        others_are_impossible = any(logp[c] == -inf for c in range(3) if c != at)
        return (TARGET_0, {"result": -logp[at]}) if others_are_impossible else None

    for row, at in itertools.product(SPECIAL_ROWS, (0, 1)):
        case("cross_entropy", [row], [at])
        case("cross_entropy_soft", [row], [at], differs=one_hot_difference(row, at))
    for kernel in CATEGORICAL:
        for reduction in ("mean", "sum"):
            case(kernel, [[0, nan, 0], [0, 1, 2]], [1, 1], reduction)
            loss_case(kernel, (0, 3, 1), [], [], reduction)
        case(kernel, [[5], [-LARGEST_F32], [0]], [0, 0, 0])
        case(kernel, [[0, 0, 0]], [2], weight=[4, 1, 0])
        case(kernel, [[0, 0, -inf]], [2], weight=[4, 1, 0], differs=(WEIGHT_0, {"result": [0]}))
        case(kernel, [[1, 0, 2], [2, 0, 2]], [2, 2], "mean", weight=[4, 1, 0])
    for kernel in ("cross_entropy", "cross_entropy_soft"):
        case(kernel, [[0, -inf, 0]], [0], smoothing=0.5)
        case(kernel, [[0, 0, -inf]], [0], smoothing=0.5, weight=[1, 1, 0],
             differs=(WEIGHT_0, {"result": [LOG_2 * 5 / 6]}))
    for reduction in ("mean", "sum", "none"):
        for kernel in ("cross_entropy", "nll"):
            case(kernel, [[0, 1, 2], [3, 0, 0]], [-100, -100], reduction, ignore=-100)
            case(kernel, [[0, 1, 2], [3, 0, 0]], [1, 1], reduction, ignore=1, weight=[4, 1, 0])
        scale = 0.25 if reduction == "mean" else 0.5
        case("cross_entropy", [[0, 0], [nan, inf], [0, 0]], [0, 1, 0], reduction, ignore=1,
             differs=(IGNORED, {"gradient": [-scale, scale, 0, 0, -scale, scale]}))
        case("nll", [[-1, -2], [nan, inf], [-2, nan]], [0, 1, 0], reduction, ignore=1)
    case("nll", [[0, -inf]], [1])


def put_special_binary():
    limits = {(inf, 1): 0, (-inf, 0): 0, (-inf, 1): inf, (-inf, 0.5): inf}
    for x, t in itertools.product([*SPECIAL_ELEMENTS, 40, -40], (0, 0.5, 1)):
        limit = limits.get((x, t))
        loss_case("bce_with_logits", (1, 1, 1), [x], [t],
                  differs=None if limit is None else (INFINITY, {"result": [limit]}))
    loss_case("bce_with_logits", (1, 4, 1), [1, 0, -3, 0.5], [-1, 2, 1.5, nan])
    loss_case("bce_with_logits", (1, 2, 1), [LARGEST_F32, -LARGEST_F32], [0, 1], weight=[0.125, 0.125],
              pos_weight=[1, 8])
    loss_case("bce_with_logits", (1, 2, 1), [inf, inf], [0, 0], weight=[0, 1],
              differs=(WEIGHT_0, {"result": [0, inf]}))
    loss_case("bce_with_logits", (1, 1, 1), [-inf], [1], pos_weight=[0], differs=(WEIGHT_0, {"result": [0]}))

    for p, t in itertools.product((0, LEAST_F64, LEAST_F32, 2.0**-40, 2.0**-20, 1 - 2.0**-24, 1 - 2.0**-53, 1),
                                  (0, 0.5, 1, -1, nan)):
        limit = (p - t) / 1e-12  # of a gradient whose denominator is clamped
        differs = (CLAMP, {"gradient": [limit]}) if p * (1 - p) < 1e-12 and abs(limit) > 1e-6 else None
        loss_case("bce", (1, 1, 1), [p], [t], differs=differs)
    loss_case("bce", (1, 2, 1), [0, 1], [1, 1], weight=[0, 0])
    for kernel, reduction in itertools.product(BINARY, ("mean", "sum")):
        loss_case(kernel, (0, 3, 1), [], [], reduction)
    loss_case("bce_with_logits", (1, 2, 1), [nan, 0], [1, 1], "mean")


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("--out", type=pathlib.Path, default=FILE,
                        help="output file (default: tests/data/torch_cases.txt)")
    out = parser.parse_args().out
    global torch, F
    try:
        import torch
        import torch.nn.functional as F
    except ImportError as error:
        command_line.refuse(f"needs python3-torch ({error})")

    torch.set_num_threads(1)
    put_row_maps(ROWS)
    put_element_maps(ELEMENTS)
    put_backward()
    put_option_grids()
    put_special_categorical()
    put_special_binary()
    put_later()
    put_scores()
    header = [f"# Results of PyTorch {torch.__version__} in float64. Made, and described, by "
              "scripts/make_torch_cases.py."]
    text = "\n".join(header + lines) + "\n"
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_text(text)
    cases = sum(line.startswith("case ") for line in lines)
    print(f"{cases} cases, {sum(line.startswith('differs ') for line in lines)} of them different by intention, "
          f"{len(text)} bytes")


if __name__ == "__main__":
    command_line.run(main)
