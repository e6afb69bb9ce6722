# SPDX-License-Identifier: MIT
"""Losses, results and gradients have the same bits for any number of threads."""
import pytest
import softlane.torch as sl
import torch

from conftest import TYPES, random, same_bits

SHAPES = ((64, 4000), (1001, 300), (100003, 3), (5, 60000), (1, 100), (2, 5, 40000), (3, 300, 33, 17))


def everything(x, target, soft, reduction):
    """Of each operator the result, and the gradient for an upstream gradient that is not 1."""
    results = []
    weight = torch.linspace(0.5, 1.5, x.shape[1]).to(x.dtype)
    for function in (lambda a: sl.cross_entropy(a, target, weight, reduction=reduction),
                     lambda a: sl.cross_entropy(a, target, reduction=reduction, label_smoothing=0.1),
                     lambda a: sl.cross_entropy(a, soft, reduction=reduction),
                     lambda a: sl.bce_with_logits(a, soft, reduction=reduction),
                     lambda a: sl.softmax(a, 1), lambda a: sl.log_softmax(a, 1)):
        leaf = x.detach().requires_grad_()
        result = function(leaf)
        result.backward(torch.full_like(result, 0.75))
        results += [result.detach(), leaf.grad]
    return results


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", SHAPES)
@pytest.mark.parametrize("reduction", ("none", "mean", "sum"))
def test_bits_do_not_depend_on_threads(shape, dtype, reduction, threads):
    x = random(*shape, dtype=dtype)
    target = torch.randint(0, shape[1], (shape[0], *shape[2:]))
    target.view(-1)[0] = -100 if target.numel() > 1 else 0
    soft = torch.rand(shape).to(dtype)
    threads(1)
    wanted = everything(x, target, soft, reduction)
    for n in (2, 3, 4):
        threads(n)
        for own, one in zip(everything(x, target, soft, reduction), wanted):
            assert same_bits(own, one)


def test_rows_do_not_depend_on_their_neighbours():
    """So gradients of a part are those of the whole, where the upstream gradient is what the mean divides by."""
    x, target = random(300, 1000, dtype=torch.float32), torch.randint(0, 1000, (300,))
    whole, part = x.clone().requires_grad_(), x[7:94].clone().requires_grad_()
    sl.cross_entropy(whole, target, reduction="sum").backward()
    sl.cross_entropy(part, target[7:94], reduction="sum").backward()
    assert same_bits(whole.grad[7:94], part.grad)
