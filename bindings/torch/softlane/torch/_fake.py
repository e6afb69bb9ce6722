# SPDX-License-Identifier: MIT
"""What the operators below autograd return, without data: shapes and types, for torch.compile and torch.export."""
import torch

_SAVES_LSE, _SAVES_GRADIENT = 1, 2
_NONE = 0


def _loss_type(dtype):
    return torch.float64 if dtype == torch.float64 else torch.float32


def _register(name):
    return torch.library.register_fake(f"softlane::{name}")


def _map(input, dim, dtype):
    return torch.empty(input.shape, dtype=dtype or input.dtype, device=input.device)


def _map_backward(grad_output, output, dim):
    return torch.empty(output.shape, dtype=output.dtype, device=output.device)


for _name in ("softmax", "log_softmax"):
    _register(f"_{_name}")(_map)
    _register(f"_{_name}_backward")(_map_backward)


def _row_shape(input):
    return input.shape[:0] if input.dim() == 1 else (*input.shape[:1], *input.shape[2:])


@_register("_cross_entropy_forward")
def _cross_entropy_forward(input, target, weight, reduction, ignore_index, label_smoothing, saves):
    rows = _row_shape(input)
    loss = input.new_empty(rows if reduction == _NONE else ())
    if saves == _SAVES_GRADIENT:
        return loss, input.new_empty(input.shape)
    if saves == _SAVES_LSE and not target.is_floating_point():
        return loss, input.new_empty(rows, dtype=_loss_type(input.dtype))
    return loss, input.new_empty((0,))


@_register("_cross_entropy_backward")
def _cross_entropy_backward(grad_output, input, target, weight, reduction, ignore_index, label_smoothing, lse):
    return input.new_empty(input.shape)


@_register("_bce_with_logits_forward")
def _bce_with_logits_forward(input, target, weight, pos_weight, reduction, saves):
    loss = input.new_empty(input.shape if reduction == _NONE else ())
    return loss, input.new_empty(input.shape if saves == _SAVES_GRADIENT else (0,))


@_register("_bce_with_logits_backward")
def _bce_with_logits_backward(grad_output, input, target, weight, pos_weight, reduction):
    return input.new_empty(input.shape)
