# SPDX-License-Identifier: MIT
"""softlane's kernels as PyTorch operators for the CPU: softmax, log_softmax, cross_entropy, bce_with_logits.

    import softlane.torch as sl
    loss = sl.cross_entropy(logits, target, label_smoothing=0.1)
    loss.backward()

    with sl.patch():            # torch.nn.functional's, and the modules of torch.nn that call them
        train(model)

The functions have the arguments of torch.nn.functional's and give results of the same type and shape. They are operators of
PyTorch's dispatcher (torch.ops.softlane): autograd, torch.compile and torch.export know them. Tensors are on the CPU and of float32,
float64, bfloat16 or float16; what does not fit is a RuntimeError, TypeError, ValueError or IndexError that names the argument.
"""
from __future__ import annotations

from typing import Optional

import torch as _torch

from . import _C
from . import _fake  # noqa: F401, registers
from ._patch import patch

__all__ = ["softmax", "log_softmax", "cross_entropy", "bce_with_logits", "patch", "isa", "__version__"]
__version__: str = _C.softlane_version

_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}


def _reduction(name: str, op: str) -> int:
    try:
        return _REDUCTIONS[name]
    except (KeyError, TypeError):
        raise ValueError(f"softlane.{op}: reduction must be 'none', 'mean' or 'sum', not {name!r}") from None


def softmax(input: _torch.Tensor, dim: int, *, dtype: Optional[_torch.dtype] = None) -> _torch.Tensor:
    """exp(x_c) / sum_k exp(x_k) along `dim`.

    dtype: that of the input, or torch.float32 for one of 16 bits, which is then not rounded to 16 bits.
    """
    if dtype is None and not _torch.compiler.is_compiling() and _C.are_plain(input):
        return _C.softmax(input, dim)
    return _torch.ops.softlane.softmax.default(input, dim, dtype)


def log_softmax(input: _torch.Tensor, dim: int, *, dtype: Optional[_torch.dtype] = None) -> _torch.Tensor:
    """x_c - log(sum_k exp(x_k)) along `dim`. dtype: as softmax."""
    if dtype is None and not _torch.compiler.is_compiling() and _C.are_plain(input):
        return _C.log_softmax(input, dim)
    return _torch.ops.softlane.log_softmax.default(input, dim, dtype)


def cross_entropy(input: _torch.Tensor, target: _torch.Tensor, weight: Optional[_torch.Tensor] = None, *,
                  ignore_index: int = -100, reduction: str = "mean", label_smoothing: float = 0.0) -> _torch.Tensor:
    """The cross-entropy of logits (N, C), (N, C, d1, ...) or (C,).

    target: class ids of int64 or uint8, (N,), (N, d1, ...) or (); or probabilities of the input's shape and type.
    weight: of each class. ignore_index: rows with this id cost nothing; of probabilities it means nothing.
    A gradient exists for `input` only, and once.
    """
    number = _reduction(reduction, "cross_entropy")
    if not _torch.compiler.is_compiling() and _C.are_plain(input, target, weight):
        return _C.cross_entropy(input, target, weight, number, ignore_index, label_smoothing)
    return _torch.ops.softlane.cross_entropy.default(input, target, weight, number, ignore_index, label_smoothing)


def bce_with_logits(input: _torch.Tensor, target: _torch.Tensor, weight: Optional[_torch.Tensor] = None, *,
                    pos_weight: Optional[_torch.Tensor] = None, reduction: str = "mean") -> _torch.Tensor:
    """The binary cross-entropy of logits, element by element.

    target: numbers in [0, 1] of the input's shape and type. weight, pos_weight: one number, or one for each class; of both the
    classes are along the same axis, as broadcasting lays them. A gradient exists for `input` only, and once.
    """
    number = _reduction(reduction, "bce_with_logits")
    if not _torch.compiler.is_compiling() and _C.are_plain(input, target, weight, pos_weight):
        return _C.bce_with_logits(input, target, weight, pos_weight, number)
    return _torch.ops.softlane.bce_with_logits.default(input, target, weight, pos_weight, number)


def isa() -> str:
    """The instruction set in use, as softlane.h names it."""
    return _C.isa()
