# SPDX-License-Identifier: MIT
"""patch(): torch.nn.functional's losses and softmax by softlane, where they compute the same."""
from __future__ import annotations

import functools
import threading
import types

import torch
import torch.nn.functional as functional

from . import _C

_REDUCTIONS = {"none": 0, "mean": 1, "sum": 2}
_TYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)
_originals = {name: getattr(functional, name)
              for name in ("softmax", "log_softmax", "cross_entropy", "binary_cross_entropy_with_logits")}


# ---- What src/fits.cc says of plain tensors, for those that a compiler traces.

def _fits_traced(input, *constants):
    return (input.dtype in _TYPES and input.device.type == "cpu" and not torch.is_autocast_enabled("cpu")
            and all(c is None or (c.device.type == "cpu" and not c.requires_grad) for c in constants))


def _fits_traced_cross_entropy(input, target, weight, ignore_index, label_smoothing):
    return (_fits_traced(input, target, weight) and input.dim() >= 2 and target.dim() == input.dim() - 1
            and target.dtype == torch.int64 and 0 <= label_smoothing <= 1
            and (weight is None or (weight.dim() == 1 and weight.dtype == input.dtype)))


def _fits_traced_bce(input, target, weight, pos_weight):
    return (_fits_traced(input, target, pos_weight) and weight is None and target.dtype == input.dtype
            and target.shape == input.shape
            and (pos_weight is None or (pos_weight.dtype == input.dtype and pos_weight.dim() == 1 and input.dim() >= 1
                                        and pos_weight.shape[0] in (1, input.shape[-1]))))


# ---- The functions that stand in. Their parameters are those of torch.nn.functional's.

def _is_wider(input, dtype):
    return dtype is torch.float32 and input.dtype in (torch.bfloat16, torch.float16)


def _map(name, input, dim, stack_level, dtype):
    original = _originals[name]
    if dim is not None and torch.compiler.is_compiling():
        if _fits_traced(input) and (dtype in (None, input.dtype) or _is_wider(input, dtype)):
            return getattr(torch.ops.softlane, name).default(input, dim, dtype)
    elif dim is not None and _C.fits_softmax(input):
        if dtype is None or dtype is input.dtype:
            return getattr(_C, name)(input, dim)
        if _is_wider(input, dtype):
            return getattr(torch.ops.softlane, name).default(input, dim, dtype)
    return original(input, dim, stack_level + 2, dtype)


def _softmax(input, dim=None, _stacklevel=3, dtype=None):
    return _map("softmax", input, dim, _stacklevel, dtype)


def _log_softmax(input, dim=None, _stacklevel=3, dtype=None):
    return _map("log_softmax", input, dim, _stacklevel, dtype)


def _cross_entropy(input, target, weight=None, size_average=None, ignore_index=-100, reduce=None, reduction="mean",
                   label_smoothing=0.0):
    number = _REDUCTIONS.get(reduction)
    if number is not None and size_average is None and reduce is None:
        if torch.compiler.is_compiling():
            if _fits_traced_cross_entropy(input, target, weight, ignore_index, label_smoothing):
                return torch.ops.softlane.cross_entropy.default(input, target, weight, number, ignore_index,
                                                                label_smoothing)
        elif _C.fits_cross_entropy(input, target, weight, ignore_index, label_smoothing):
            return _C.cross_entropy(input, target, weight, number, ignore_index, label_smoothing)
    return _originals["cross_entropy"](input, target, weight, size_average, ignore_index, reduce, reduction,
                                       label_smoothing)


def _binary_cross_entropy_with_logits(input, target, weight=None, size_average=None, reduce=None, reduction="mean",
                                      pos_weight=None):
    number = _REDUCTIONS.get(reduction)
    if number is not None and size_average is None and reduce is None:
        if torch.compiler.is_compiling():
            if _fits_traced_bce(input, target, weight, pos_weight):
                return torch.ops.softlane.bce_with_logits.default(input, target, weight, pos_weight, number)
        elif _C.fits_bce_with_logits(input, target, weight, pos_weight):
            return _C.bce_with_logits(input, target, weight, pos_weight, number)
    return _originals["binary_cross_entropy_with_logits"](input, target, weight, size_average, reduce, reduction,
                                                          pos_weight)


def _stand_in(function, original):
    """The function with the name, signature and source of PyTorch's, and the names that this source uses: torch.jit.script, which
    goes by them, then compiles PyTorch's."""
    own = types.FunctionType(function.__code__, _names, function.__name__, function.__defaults__)
    functools.update_wrapper(own, original, updated=())
    return own


_names = {**vars(functional), **globals()}
_stand_ins = {name: _stand_in(function, _originals[name])
              for name, function in (("softmax", _softmax), ("log_softmax", _log_softmax),
                                     ("cross_entropy", _cross_entropy),
                                     ("binary_cross_entropy_with_logits", _binary_cross_entropy_with_logits))}

_lock = threading.Lock()
_depth = 0


class patch:
    """A context manager: within it torch.nn.functional's cross_entropy, softmax, log_softmax and
    binary_cross_entropy_with_logits are softlane's, and so are the modules of torch.nn that call them.

    What softlane does not compute as PyTorch does goes on to PyTorch: other devices and types, subclasses, targets and weights
    that require a gradient, deprecated arguments, autocast, torch.func's transforms, forward mode, traces by torch.jit.

    The functions are replaced in the module, so for all threads, from the first entry to the last exit: entries nest and may
    overlap, in one thread or several. Names that were imported from torch.nn.functional before stay PyTorch's.
    """

    def __enter__(self) -> patch:
        global _depth
        with _lock:
            _depth += 1
            if _depth == 1:
                for name, function in _stand_ins.items():
                    setattr(functional, name, function)
        return self

    def __exit__(self, *exception) -> None:
        global _depth
        with _lock:
            _depth -= 1
            if _depth == 0:
                for name, function in _stand_ins.items():
                    if getattr(functional, name) is function:  # else somebody has replaced it since
                        setattr(functional, name, _originals[name])
