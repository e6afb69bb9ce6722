# SPDX-License-Identifier: MIT
"""Results and gradients against PyTorch's in float64, for every type, option and layout."""
import itertools

import pytest
import softlane.torch as sl
import torch
import torch.nn.functional as F

from conftest import TYPES, assert_close, random, same_bits

REDUCTIONS = ("none", "mean", "sum")
CLASSES = 7
SHAPES = ((5, CLASSES), (CLASSES,), (3, CLASSES, 4), (2, CLASSES, 3, 5))


def targets_for(shape, dtype, soft, ignored=None):
    if soft:
        return torch.softmax(random(*shape), 0 if len(shape) == 1 else 1).to(dtype)
    rows = shape[:0] if len(shape) == 1 else (*shape[:1], *shape[2:])
    target = torch.randint(0, CLASSES, rows)
    if ignored is not None and target.numel() > 1:
        target.view(-1)[1] = ignored
    return target


def gradients(function, x, upstream):
    """The result, and the gradient of x."""
    x = x.detach().requires_grad_()
    result = function(x)
    return result.detach(), torch.autograd.grad(result, x, upstream.to(result.dtype).expand(result.shape))[0]


def assert_as_torch(own, theirs, x, terms=1.0):
    """own(x) against theirs(x in float64), both with their gradients for a random upstream gradient, which are differences of
    numbers of the size of `terms` times the latter."""
    upstream = (torch.rand(theirs(x.double()).shape, dtype=torch.float64) + 0.5).to(x.dtype)
    result, grad = gradients(own, x, upstream)
    wanted, wanted_grad = gradients(theirs, x.double(), upstream.double())
    assert result.dtype == x.dtype and grad.dtype == x.dtype
    assert result.shape == wanted.shape and grad.shape == x.shape
    assert_close(result, wanted)
    assert_close(grad, wanted_grad, terms)
    assert same_bits(own(x), result)  # without a gradient


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("soft", (False, True))
def test_cross_entropy(dtype, shape, soft):
    for reduction, weighted, smoothing, ignored in itertools.product(REDUCTIONS, (False, True), (0.0, 0.2), (-100, 3)):
        if soft and ignored != -100:
            continue
        target = targets_for(shape, dtype, soft, ignored)
        weight = (torch.rand(CLASSES) + 0.5).to(dtype) if weighted else None
        options = {"reduction": reduction, "label_smoothing": smoothing, "ignore_index": ignored}
        assert_as_torch(
            lambda x: sl.cross_entropy(x, target, weight, **options),
            lambda x: F.cross_entropy(x, target.double() if soft else target, None if weight is None else weight.double(),
                                      **options),
            random(*shape, dtype=dtype), terms=1 / target.numel() if reduction == "mean" else 1)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("rows, classes", ((300, 1000), (3, 100000), (70000, 3)))
def test_cross_entropy_of_many_chunks(dtype, rows, classes):
    target = torch.randint(0, classes, (rows,))
    target[rows // 2] = -100
    weight = (torch.rand(classes) + 0.5).to(dtype)
    x = random(rows, classes, dtype=dtype)
    for reduction, smoothing in (("mean", 0.0), ("sum", 0.1), ("none", 0.0)):
        if reduction == "sum" and dtype == torch.float16:
            continue  # is more than the largest float16
        assert_as_torch(lambda a: sl.cross_entropy(a, target, weight, reduction=reduction, label_smoothing=smoothing),
                        lambda a: F.cross_entropy(a, target, weight.double(), reduction=reduction,
                                                  label_smoothing=smoothing), x,
                        terms=1 / rows if reduction == "mean" else 1)


@pytest.mark.parametrize("dtype", TYPES)
def test_cross_entropy_of_a_large_image(dtype):
    """Chunks within blocks."""
    x, target = random(2, 5, 40000, dtype=dtype), torch.randint(0, 5, (2, 40000))
    for reduction in REDUCTIONS if dtype != torch.float16 else ("none", "mean"):
        assert_as_torch(lambda a: sl.cross_entropy(a, target, reduction=reduction),
                        lambda a: F.cross_entropy(a, target, reduction=reduction), x,
                        terms=1 / target.numel() if reduction == "mean" else 1)


def test_class_ids_of_bytes():
    x, target = random(5, 4, dtype=torch.float32), torch.tensor([0, 1, 2, 3, 1], dtype=torch.uint8)
    assert same_bits(sl.cross_entropy(x, target), sl.cross_entropy(x, target.long()))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("name", ("softmax", "log_softmax"))
@pytest.mark.parametrize("shape", ((), (1,), (6,), (4, 33), (3, 5, 7), (2, 3, 4, 5), (2, 40000), (3, 5, 40000), (0, 4), (4, 0)))
def test_softmax(name, shape, dtype):
    own, theirs = getattr(sl, name), getattr(torch, name)
    for dim in range(-max(len(shape), 1), max(len(shape), 1)):
        x = random(*shape, dtype=dtype)
        if x.numel() == 0:
            assert own(x, dim).shape == x.shape
            continue
        assert_as_torch(lambda a: own(a, dim), lambda a: theirs(a, dim), x)


@pytest.mark.parametrize("dtype", (torch.bfloat16, torch.float16))
@pytest.mark.parametrize("name", ("softmax", "log_softmax"))
def test_softmax_in_float32(name, dtype):
    own, theirs = getattr(sl, name), getattr(torch, name)
    x = random(4, 33, dtype=dtype).requires_grad_()
    result = own(x, 1, dtype=torch.float32)
    wanted = theirs(x.double(), 1)
    upstream = random(4, 33, dtype=torch.float32)
    (grad,), (wanted_grad,) = torch.autograd.grad(result, x, upstream), torch.autograd.grad(wanted, x, upstream.double())
    assert result.dtype == torch.float32 and grad.dtype == dtype
    assert_close(result.detach(), wanted.detach())
    assert_close(grad, wanted_grad, scale=1.0)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("weights", ((None, None), ((7,), None), (None, (7,)), ((7,), (7,)), ((), (1,)), ((5, 1), (5, 1)),
                                     (None, (3, 1, 1))))
def test_bce_with_logits(dtype, weights):
    shape = (3, 5, 7)
    weight, pos_weight = [None if s is None else (torch.rand(s) + 0.5).to(dtype) for s in weights]
    target = torch.rand(shape).to(dtype)
    for reduction in REDUCTIONS:
        assert_as_torch(
            lambda x: sl.bce_with_logits(x, target, weight, pos_weight=pos_weight, reduction=reduction),
            lambda x: F.binary_cross_entropy_with_logits(
                x, target.double(), None if weight is None else weight.double(), reduction=reduction,
                pos_weight=None if pos_weight is None else pos_weight.double()),
            random(*shape, dtype=dtype), terms=1 / 105 if reduction == "mean" else 1)


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("weighted", (False, True))
def test_bce_with_logits_of_many_chunks(dtype, weighted):
    x, target = random(3, 4, 50000, dtype=dtype), torch.rand(3, 4, 50000).to(dtype)
    weight = torch.rand(4, 1).to(dtype) if weighted else None
    for reduction in REDUCTIONS if dtype != torch.float16 else ("none", "mean"):
        assert_as_torch(
            lambda a: sl.bce_with_logits(a, target, weight, reduction=reduction),
            lambda a: F.binary_cross_entropy_with_logits(a, target.double(), None if weight is None else weight.double(),
                                                         reduction=reduction), x, terms=1 / 600000 if reduction == "mean" else 1)


# ---- layouts: the bits are those of contiguous input

LAYOUTS = {
    "padded rows": lambda x: torch.cat([x, x], 1)[:, :x.shape[1]],
    "transposed": lambda x: x.t().contiguous().t(),
    "every second row": lambda x: torch.stack([x, x], 1)[:, 0],
    "every second class": lambda x: torch.stack([x, x], 2)[:, :, 0],
    "reversed and back": lambda x: x.flip(0).flip(0),
}


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("dtype", TYPES)
def test_layouts_of_matrices(layout, dtype):
    x, target = random(6, 40, dtype=dtype), torch.randint(0, 40, (6,))
    other, upstream = LAYOUTS[layout](x), random(6, 40, dtype=dtype)
    assert torch.equal(x, other)
    functions = [lambda a: sl.softmax(a, 1), lambda a: sl.softmax(a, 0), lambda a: sl.log_softmax(a, 1),
                 lambda a: sl.cross_entropy(a, target), lambda a: sl.cross_entropy(a, target, reduction="none"),
                 lambda a: sl.cross_entropy(a, torch.softmax(x, 1)), lambda a: sl.bce_with_logits(a, torch.sigmoid(x))]
    for function in functions:
        for own, wanted in zip(gradients(function, other, upstream[:, 0] if function(x).dim() == 1 else upstream[0, 0]
                                         if function(x).dim() == 0 else upstream),
                               gradients(function, x, upstream[:, 0] if function(x).dim() == 1 else upstream[0, 0]
                                         if function(x).dim() == 0 else upstream)):
            assert same_bits(own, wanted)


def test_rows_that_are_one_row():
    """What expand() makes, for inputs and for gradients."""
    one, target = random(1, 40, dtype=torch.float32), torch.randint(0, 40, (6,))
    x, dense = one.expand(6, 40), one.expand(6, 40).contiguous()
    assert same_bits(sl.softmax(x, 1), sl.softmax(dense, 1))
    assert same_bits(sl.cross_entropy(x, target), sl.cross_entropy(dense, target))
    assert same_bits(sl.bce_with_logits(x, torch.sigmoid(x)), sl.bce_with_logits(dense, torch.sigmoid(dense)))


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("reduction", REDUCTIONS)
def test_logits_with_classes_last_in_memory(dtype, reduction):
    """(N, d, C).transpose(1, 2), as language models have them."""
    x, target = random(3, 5, 40, dtype=dtype), torch.randint(0, 40, (3, 5))
    upstream = torch.rand(3, 5).to(dtype) if reduction == "none" else torch.tensor(1, dtype=dtype)
    loss, grad = gradients(lambda a: sl.cross_entropy(a.transpose(1, 2), target, reduction=reduction), x, upstream)
    wanted, wanted_grad = gradients(lambda a: sl.cross_entropy(a.view(15, 40), target.view(15), reduction=reduction), x,
                                    upstream.flatten() if reduction == "none" else upstream)
    assert loss.shape == (target.shape if reduction == "none" else ())
    assert same_bits(loss.flatten(), wanted.flatten()) and same_bits(grad, wanted_grad)


# ---- special values

def test_confident_rows_keep_their_digits():
    """Where PyTorch's float32 loses them all."""
    x, target = torch.tensor([[20.0, 0.0, 0.0]]), torch.tensor([0])
    wanted = F.cross_entropy(x.double(), target)
    assert abs(sl.cross_entropy(x, target).item() / wanted.item() - 1) < 3e-7


def test_ignored_rows():
    x = random(3, 4, dtype=torch.float32)
    x[1] = torch.nan
    loss, grad = gradients(lambda a: sl.cross_entropy(a, torch.tensor([0, -100, 2])), x, torch.tensor(1.0))
    assert loss.isfinite() and grad.isfinite().all() and not grad[1].any()


@pytest.mark.parametrize("dtype", TYPES)
def test_nothing_left(dtype):
    """Means over nothing are NaN and sums 0, as in PyTorch."""
    ignored = torch.tensor([-100, -100])
    for x, target in ((random(2, 3, dtype=dtype), ignored), (random(0, 3, dtype=dtype), ignored[:0])):
        for reduction in REDUCTIONS:
            own, grad = gradients(lambda a: sl.cross_entropy(a, target, reduction=reduction), x, torch.tensor(1.0))
            wanted = F.cross_entropy(x, target, reduction=reduction)
            assert torch.equal(own.isnan(), wanted.isnan()) and torch.equal(own.nan_to_num(), wanted.nan_to_num())
            assert grad.shape == x.shape and not grad.nan_to_num().any()
    empty = random(0, 3, dtype=dtype)
    assert sl.bce_with_logits(empty, empty).isnan() and sl.bce_with_logits(empty, empty, reduction="sum") == 0
    assert sl.bce_with_logits(empty, empty, reduction="none").shape == (0, 3)
    none = random(2, 0, dtype=dtype)
    assert torch.equal(sl.cross_entropy(none, ignored, reduction="none"), torch.zeros(2, dtype=dtype))


def test_weights_that_sum_to_nothing():
    """Over one chunk and over several, the mean is NaN."""
    for rows in (4, 4000):
        x, target = random(rows, 40, dtype=torch.float32), torch.zeros(rows, dtype=torch.int64)
        weight = torch.ones(40)
        weight[0] = 0
        loss, grad = gradients(lambda a: sl.cross_entropy(a, target, weight), x, torch.tensor(1.0))
        assert loss.isnan() and grad.isnan().all()


def test_weights_whose_sum_is_negative():
    x, target, weight = random(4000, 40, dtype=torch.float32), torch.randint(0, 40, (4000,)), -torch.rand(40) - 0.5
    assert_as_torch(lambda a: sl.cross_entropy(a, target, weight), lambda a: F.cross_entropy(a, target, weight.double()), x,
                    terms=1 / 4000)


def test_float16_gradients_survive_a_loss_scale():
    """A 32768th of a 8192nd of a probability of 2^-12 is no float16; with a loss scale it is."""
    x, target = torch.zeros(8192, 4096, dtype=torch.float16).requires_grad_(), torch.zeros(8192, dtype=torch.int64)
    sl.cross_entropy(x, target).backward(torch.tensor(32768.0, dtype=torch.float16))
    assert torch.all(x.grad[:, 1:] == 2.0**15 / 8192 / 4096)
