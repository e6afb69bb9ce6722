# SPDX-License-Identifier: MIT
"""Derivatives: by finite differences, graphs that are kept, and what has no derivative."""
import warnings

import pytest
import softlane.torch as sl
import torch

from conftest import TYPES, random, same_bits

IDS = torch.tensor([0, 3, -100, 2, 1])
WEIGHT = torch.tensor([0.5, 1.0, 1.5, 2.0], dtype=torch.float64)
PROBABILITIES = torch.softmax(torch.linspace(-1, 2, 20, dtype=torch.float64).view(5, 4), 1)

LOSSES = {}
for _reduction in ("none", "mean", "sum"):
    LOSSES[f"ids, {_reduction}"] = lambda x, r=_reduction: sl.cross_entropy(x, IDS, WEIGHT.to(x.dtype), reduction=r,
                                                                          label_smoothing=0.1)
    LOSSES[f"probabilities, {_reduction}"] = lambda x, r=_reduction: sl.cross_entropy(x, PROBABILITIES.to(x.dtype),
                                                                                    reduction=r)
    LOSSES[f"bce, {_reduction}"] = lambda x, r=_reduction: sl.bce_with_logits(
        x, PROBABILITIES.to(x.dtype), WEIGHT.to(x.dtype), pos_weight=WEIGHT.flip(0).to(x.dtype), reduction=r)


def leaf(*shape, dtype=torch.float64):
    return random(*shape, dtype=dtype).requires_grad_()


@pytest.mark.parametrize("loss", LOSSES)
def test_gradients_of_losses(loss):
    assert torch.autograd.gradcheck(LOSSES[loss], leaf(5, 4))
    assert torch.autograd.gradcheck(lambda x: LOSSES[loss](x) * 3, leaf(5, 4))


@pytest.mark.parametrize("function", (sl.softmax, sl.log_softmax))
def test_gradients_of_softmax(function):
    for dim in (0, 1, 2):
        assert torch.autograd.gradcheck(lambda x: function(x, dim), leaf(3, 4, 2))
        assert torch.autograd.gradgradcheck(lambda x: function(x, dim), leaf(3, 4, 2))


@pytest.mark.parametrize("loss", LOSSES)
def test_second_derivative_of_a_loss_is_an_error(loss):
    x = leaf(5, 4)
    grad, = torch.autograd.grad(LOSSES[loss](x).sum(), x, create_graph=True)
    assert same_bits(grad.detach(), torch.autograd.grad(LOSSES[loss](x).sum(), x)[0])
    for differentiate in (lambda: grad.pow(2).sum().backward(retain_graph=True),
                          lambda: torch.autograd.grad(grad.sum(), x, allow_unused=True)):
        with pytest.raises(RuntimeError, match="its gradient has no derivative"):
            differentiate()


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("loss", LOSSES)
def test_graphs_that_are_kept(loss, dtype):
    """Each backward call gives the same gradient, also where the one before was overwritten."""
    x = leaf(5, 4, dtype=dtype)
    hidden = x * 1
    hidden.retain_grad()
    result = LOSSES[loss](hidden)
    upstream = torch.full_like(result, 0.5)
    result.backward(upstream, retain_graph=True)
    first = hidden.grad.clone()
    for last in (False, True):
        hidden.grad.fill_(7)
        hidden.grad = None
        result.backward(upstream, retain_graph=not last)
        assert same_bits(hidden.grad, first)
    with pytest.raises(RuntimeError, match="second time"):
        result.backward(upstream)


def test_upstream_gradients():
    """One, another, an expanded one, none."""
    x, target = leaf(5, 4, dtype=torch.float32), IDS
    one, = torch.autograd.grad(sl.cross_entropy(x, target), x)
    for factor in (0.5, -4.0, 0.0):
        grad, = torch.autograd.grad(sl.cross_entropy(x, target) * factor, x)
        assert torch.equal(grad, one * factor)
    rows, = torch.autograd.grad(sl.cross_entropy(x, target, reduction="none").sum(), x)
    whole, = torch.autograd.grad(sl.cross_entropy(x, target, reduction="sum"), x)
    assert torch.allclose(rows, whole, rtol=1e-6, atol=1e-7)
    y = sl.softmax(x, 1)
    assert torch.autograd.grad(y.sum(), x)[0].abs().max() < 1e-6


def test_logits_may_change_after_a_reduced_loss():
    """The gradient is there already; elsewhere PyTorch notices."""
    x = leaf(5, 4, dtype=torch.float32)
    wanted, = torch.autograd.grad(sl.cross_entropy(x * 1, IDS), x)
    hidden = x * 1
    loss = sl.cross_entropy(hidden, IDS)
    hidden.detach().zero_()
    assert same_bits(torch.autograd.grad(loss, x)[0], wanted)
    hidden = x * 1
    loss = sl.cross_entropy(hidden, IDS, reduction="none")
    hidden.data.mul_(1)
    hidden.detach().zero_()
    with pytest.raises(RuntimeError, match="modified by an inplace operation"):
        torch.autograd.grad(loss.sum(), x)


def test_no_gradient_is_formed_where_none_is_wanted():
    x = leaf(5, 4)
    with torch.no_grad():
        assert not sl.cross_entropy(x, IDS).requires_grad
    assert not sl.cross_entropy(x.detach(), IDS).requires_grad
    with torch.inference_mode():
        assert sl.cross_entropy(x, IDS).isfinite() and sl.softmax(x, 1).isfinite().all()


def test_memory_of_a_reduced_loss():
    """One array of the size of the logits, from forward to backward, and none beyond."""
    x = torch.randn(64, 4096).requires_grad_()
    hidden = x * 1
    loss = sl.cross_entropy(hidden, torch.zeros(64, dtype=torch.int64)) * 0.5
    saved = loss.grad_fn.next_functions[0][0]
    loss.backward()
    assert saved is not None and x.grad is not None
    # What was formed in the forward call is the gradient itself: a leaf takes it without a copy.
    leaf_of = torch.randn(64, 4096).requires_grad_()
    grads = []
    leaf_of.register_hook(lambda g: grads.append(g.data_ptr()))
    sl.cross_entropy(leaf_of, torch.zeros(64, dtype=torch.int64)).backward()
    assert grads[0] == leaf_of.grad.data_ptr()


def test_functional_transforms():
    """Without a gradient PyTorch calls in a loop, and says so; with one, it has an error for operators like these."""
    x, target, batch = random(5, 4), IDS.clamp(min=0), random(3, 5, 4)
    with pytest.raises(RuntimeError, match="functorch"):
        torch.func.grad(lambda a: sl.cross_entropy(a, target))(x)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        ids = torch.randint(0, 4, (3, 5))
        losses = torch.func.vmap(lambda a, t: sl.cross_entropy(a, t))(batch, ids)
        assert torch.equal(losses, torch.stack([sl.cross_entropy(a, t) for a, t in zip(batch, ids)]))
        assert torch.equal(torch.func.vmap(lambda a: sl.softmax(a, 1))(batch), sl.softmax(batch, 2))


@pytest.mark.parametrize("function", (lambda a: sl.softmax(a, 1), lambda a: sl.log_softmax(a, 1),
                                      lambda a: sl.cross_entropy(a, IDS), lambda a: sl.bce_with_logits(a, PROBABILITIES)))
def test_forward_mode_is_an_error(function):
    x = random(5, 4)
    with torch.autograd.forward_ad.dual_level():
        dual = torch.autograd.forward_ad.make_dual(x, torch.ones_like(x))
        with pytest.raises(RuntimeError, match="no derivative in forward mode"):
            function(dual)
    with pytest.raises(RuntimeError, match="forward mode|functorch"):
        torch.func.jvp(function, (x,), (torch.ones_like(x),))
