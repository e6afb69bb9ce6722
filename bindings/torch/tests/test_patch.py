# SPDX-License-Identifier: MIT
"""patch(): what it takes, what it leaves to PyTorch, and that it leaves PyTorch as it was."""
import threading

import pytest
import softlane.torch as sl
import torch
import torch.nn.functional as F
from torch.utils._python_dispatch import TorchDispatchMode

from conftest import TYPES, random, same_bits

NAMES = ("softmax", "log_softmax", "cross_entropy", "binary_cross_entropy_with_logits")
BEFORE = {name: getattr(F, name) for name in NAMES}
IDS = torch.tensor([0, 3, 1, 2, 1])


class Operators(TorchDispatchMode):
    """Notes the operators that are called."""

    def __init__(self):
        super().__init__()
        self.seen = []

    def __torch_dispatch__(self, function, types, arguments=(), keywords=None):
        self.seen.append(str(function))
        return function(*arguments, **(keywords or {}))


def is_taken(call, *inputs):
    """Whether softlane computes it, as its node of the graph says; and that the result is PyTorch's, within rounding."""
    with sl.patch():
        own = call(*inputs)
    theirs = call(*inputs)
    places = 8 * torch.finfo(theirs.dtype).eps
    assert own.dtype == theirs.dtype and own.shape == theirs.shape
    assert torch.allclose(own, theirs, rtol=places, atol=places, equal_nan=True)
    return "softmax_function" in own.grad_fn.name() or "softlane" in own.grad_fn.name()


def leaf(dtype=torch.float32, *shape):
    return random(*(shape or (5, 4)), dtype=dtype).requires_grad_()


@pytest.mark.parametrize("dtype", TYPES)
def test_taken(dtype):
    x, soft = leaf(dtype), torch.rand(5, 4).to(dtype)
    weight = torch.rand(4).to(dtype)
    assert is_taken(lambda: F.softmax(x, 1))
    assert is_taken(lambda: F.log_softmax(x, dim=-1))
    assert is_taken(lambda: F.softmax(x, dim=0, dtype=dtype))
    assert is_taken(lambda: F.cross_entropy(x, IDS, weight, ignore_index=2, reduction="sum", label_smoothing=0.1))
    assert is_taken(lambda: F.cross_entropy(x, soft, weight))
    assert is_taken(lambda: F.binary_cross_entropy_with_logits(x, soft, weight, pos_weight=weight))
    assert is_taken(lambda: torch.nn.CrossEntropyLoss()(x, IDS))
    assert is_taken(lambda: torch.nn.Softmax(1)(x))
    assert is_taken(lambda: torch.nn.BCEWithLogitsLoss(pos_weight=weight)(x, soft))
    wide = dtype in (torch.bfloat16, torch.float16)
    assert is_taken(lambda: F.softmax(x, 1, dtype=torch.float32)) == (wide or dtype == torch.float32)


def test_left_to_pytorch():
    x, soft, full = leaf(), torch.rand(5, 4), torch.rand(5, 4)
    assert not is_taken(lambda: F.softmax(x, 1, dtype=torch.float64))
    assert not is_taken(lambda: F.cross_entropy(x, soft.clone().requires_grad_()))
    assert not is_taken(lambda: F.binary_cross_entropy_with_logits(x, soft, full))
    assert not is_taken(lambda: F.binary_cross_entropy_with_logits(x, soft, torch.ones(4), pos_weight=torch.ones(5, 1)))
    assert not is_taken(lambda: F.binary_cross_entropy_with_logits(x, soft.double()))
    assert not is_taken(lambda: F.binary_cross_entropy_with_logits(x, soft.clone().requires_grad_()))
    with pytest.warns(UserWarning):
        assert not is_taken(lambda: F.cross_entropy(x, IDS, size_average=False))
    with pytest.warns(UserWarning, match="Implicit dimension"):
        assert not is_taken(lambda: F.softmax(x))
    with torch.autocast("cpu", torch.bfloat16):
        assert not is_taken(lambda: F.cross_entropy(x, IDS))
    with Operators() as operators, sl.patch():
        F.cross_entropy(x, IDS)
    assert operators.seen and not any("softlane" in name for name in operators.seen)


@pytest.mark.parametrize("call", (lambda: F.cross_entropy(torch.zeros(5, 4), IDS.int()),
                                  lambda: F.cross_entropy(torch.zeros(5, 4), IDS[:3]),
                                  lambda: F.cross_entropy(torch.zeros(5, 4), IDS, torch.ones(3)),
                                  lambda: F.cross_entropy(torch.zeros(5, 4), IDS, torch.ones(4, requires_grad=True)),
                                  lambda: F.cross_entropy(torch.zeros(5, 4), IDS, reduction="average"),
                                  lambda: F.cross_entropy(torch.zeros(5, 4), [0, 1, 2, 3, 0]),
                                  lambda: F.cross_entropy(torch.zeros(5, 4), IDS, label_smoothing=2.0),
                                  lambda: F.cross_entropy(None, IDS),
                                  lambda: F.softmax("x", 1),
                                  lambda: F.softmax(torch.zeros(5, 4), 7),
                                  lambda: F.binary_cross_entropy_with_logits(torch.zeros(5, 4), torch.zeros(4, 5))))
def test_errors_are_those_of_pytorch(call):
    with pytest.raises(Exception) as wanted:
        call()
    with sl.patch(), pytest.raises(wanted.type):
        call()


def test_a_target_out_of_range_is_an_index_error_in_both():
    for function in (lambda: F.cross_entropy(torch.zeros(5, 4), IDS + 3),):
        with pytest.raises(IndexError):
            function()
        with sl.patch(), pytest.raises(IndexError, match="target"):
            function()


def test_subclasses_and_overrides_are_left_to_pytorch():
    class Own(torch.Tensor):
        pass

    seen = []

    class Mode(torch.overrides.TorchFunctionMode):
        def __torch_function__(self, function, types, arguments=(), keywords=None):
            seen.append(function)
            return function(*arguments, **(keywords or {}))

    with sl.patch():
        assert type(F.softmax(torch.zeros(5, 4).as_subclass(Own), 1)) is Own
        with Mode():
            F.softmax(torch.zeros(5, 4), 1)
    assert seen


def test_functional_transforms_are_left_to_pytorch():
    x = random(3, 5, 4)
    with sl.patch():
        own = torch.func.vmap(torch.func.hessian(lambda a: F.cross_entropy(a, IDS)))(x)
    assert torch.equal(own, torch.func.vmap(torch.func.hessian(lambda a: F.cross_entropy(a, IDS)))(x))


def test_traces_are_those_of_pytorch():
    with sl.patch():
        traced = torch.jit.trace(lambda a: F.softmax(a, 1), torch.zeros(5, 4))
    assert "aten::softmax" in str(traced.graph) and "softlane" not in str(traced.graph)


def test_scripts_are_those_of_pytorch():
    with sl.patch():
        scripted = torch.jit.script(torch.nn.CrossEntropyLoss())
    x = random(5, 4)
    assert torch.equal(scripted(x, IDS), F.cross_entropy(x, IDS))


def is_as_before():
    return all(getattr(F, name) is BEFORE[name] for name in NAMES)


def test_leaves_pytorch_as_it_was():
    assert is_as_before()
    with sl.patch():
        assert not is_as_before()
        with sl.patch():
            pass
        assert F.softmax is not BEFORE["softmax"]
    assert is_as_before()
    with pytest.raises(ZeroDivisionError), sl.patch():
        raise ZeroDivisionError
    assert is_as_before()


def test_leaves_what_others_have_put_there():
    def own(*arguments, **keywords):
        return 7

    with sl.patch():
        F.softmax = own
    assert F.softmax is own
    F.softmax = BEFORE["softmax"]
    assert is_as_before()


def test_threads_may_overlap():
    inside, leave = threading.Barrier(9), threading.Event()

    def work():
        with sl.patch():
            inside.wait()
            leave.wait()

    workers = [threading.Thread(target=work) for _ in range(8)]
    for worker in workers:
        worker.start()
    inside.wait()
    with sl.patch():
        leave.set()
        for worker in workers:
            worker.join()
        assert not is_as_before()
    assert is_as_before()


def test_gradients_within_patch():
    x = leaf()
    with sl.patch():
        own, = torch.autograd.grad(F.cross_entropy(x, IDS), x)
    assert same_bits(own, torch.autograd.grad(sl.cross_entropy(x, IDS), x)[0])
