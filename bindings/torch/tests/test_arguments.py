# SPDX-License-Identifier: MIT
"""What does not fit is refused by one line that names the argument, whether it comes by the function or by torch.ops."""
import pytest
import softlane.torch as sl
import torch

X = torch.zeros(4, 3)
IDS = torch.tensor([0, 1, 2, 0])


def without(op, *arguments):
    return lambda: getattr(torch.ops.softlane, op)(*arguments)


REFUSED = {
    "target: too large": (IndexError, "cross_entropy: target 3 of row 1 is out of bounds",
                          lambda: sl.cross_entropy(X, torch.tensor([0, 3, 0, 0]))),
    "target: negative": (IndexError, "cross_entropy: target -1 of row 2 is out of bounds",
                         lambda: sl.cross_entropy(X, torch.tensor([0, 1, -1, 0]))),
    "target: no classes": (IndexError, "target 0 of row 0 is out of bounds",
                           lambda: sl.cross_entropy(torch.zeros(4, 0), IDS * 0)),
    "target: in a later chunk": (IndexError, "target 77 of row 5999",
                                 lambda: sl.cross_entropy(torch.zeros(6000, 77), torch.full((6000,), 76).index_fill(
                                     0, torch.tensor([5999]), 77))),
    "target: shape": (RuntimeError, "cross_entropy: target must have the shape",
                      lambda: sl.cross_entropy(X, torch.tensor([0, 1]))),
    "target: int32": (TypeError, "cross_entropy: target must be int64", lambda: sl.cross_entropy(X, IDS.int())),
    "target: type of probabilities": (TypeError, "target, of probabilities", lambda: sl.cross_entropy(X, X.double())),
    "target: gradient": (RuntimeError, "cross_entropy: target requires a gradient",
                         lambda: sl.cross_entropy(X, X.clone().requires_grad_())),
    "input: integer": (TypeError, "cross_entropy: input must be float32", lambda: sl.cross_entropy(X.int(), IDS)),
    "input: scalar": (RuntimeError, "cross_entropy: input must have", lambda: sl.cross_entropy(torch.zeros(()), IDS[0])),
    "input: no tensor": (TypeError, "input", lambda: sl._C.cross_entropy(1, IDS, None, 1, -100, 0.0)),
    "weight: length": (RuntimeError, "cross_entropy: weight must have", lambda: sl.cross_entropy(X, IDS, torch.ones(4))),
    "weight: type": (TypeError, "cross_entropy: weight must be floating",
                     lambda: sl.cross_entropy(X, IDS, torch.ones(3, dtype=torch.int64))),
    "weight: gradient": (RuntimeError, "cross_entropy: weight requires a gradient",
                         lambda: sl.cross_entropy(X, IDS, torch.ones(3, requires_grad=True))),
    "label_smoothing": (ValueError, "cross_entropy: label_smoothing", lambda: sl.cross_entropy(X, IDS, label_smoothing=1.5)),
    "label_smoothing: NaN": (ValueError, "cross_entropy: label_smoothing",
                             lambda: sl.cross_entropy(X, IDS, label_smoothing=float("nan"))),
    "reduction": (ValueError, "cross_entropy: reduction", lambda: sl.cross_entropy(X, IDS, reduction="average")),
    "reduction: list": (ValueError, "bce_with_logits: reduction", lambda: sl.bce_with_logits(X, X, reduction=[])),
    "reduction: number": (ValueError, "cross_entropy: reduction", without("cross_entropy", X, IDS, None, 3)),
    "bce target: shape": (ValueError, "bce_with_logits: target must have the shape",
                          lambda: sl.bce_with_logits(X, torch.zeros(3, 4))),
    "bce target: type": (TypeError, "bce_with_logits: target must have the type",
                         lambda: sl.bce_with_logits(X, X.double())),
    "bce target: gradient": (RuntimeError, "bce_with_logits: target requires a gradient",
                             lambda: sl.bce_with_logits(X, X.clone().requires_grad_())),
    "bce weight": (RuntimeError, "bce_with_logits: weight must be", lambda: sl.bce_with_logits(X, X, torch.ones(4))),
    "bce weight: all elements": (RuntimeError, "bce_with_logits: weight must be", lambda: sl.bce_with_logits(X, X, X)),
    "bce pos_weight": (RuntimeError, "bce_with_logits: pos_weight has more dimensions",
                       lambda: sl.bce_with_logits(X, X, pos_weight=torch.ones(1, 4, 3))),
    "bce pos_weight: axis": (RuntimeError, "pos_weight must be along the axis of weight",
                             lambda: sl.bce_with_logits(X, X, torch.ones(3), pos_weight=torch.ones(4, 1))),
    "softmax input": (TypeError, "softmax: input must be float32", lambda: sl.softmax(X.int(), 1)),
    "softmax dim": (IndexError, "Dimension out of range", lambda: sl.softmax(X, 2)),
    "softmax dtype": (TypeError, "softmax: dtype", lambda: sl.softmax(X, 1, dtype=torch.float64)),
    "log_softmax dtype": (TypeError, "log_softmax: dtype", lambda: sl.log_softmax(X, 1, dtype=torch.bfloat16)),
    "device": (NotImplementedError, "meta|softlane", lambda: torch.ops.softlane._softmax_backward(
        X.to_sparse(), X.to_sparse(), 1)),
    "arguments": (TypeError, "takes 6 arguments", lambda: sl._C.cross_entropy(X, IDS)),
}


@pytest.mark.parametrize("what", REFUSED)
def test_refused(what):
    error, message, call = REFUSED[what]
    with pytest.raises(error, match=message) as raised:
        call()
    assert "\n" not in str(raised.value).split("\nException raised from")[0] or what == "device"


def test_an_error_leaves_nothing_behind():
    """The next call works, by one thread and by several."""
    x, bad = torch.zeros(6000, 77), torch.full((6000,), 100)
    with pytest.raises(IndexError):
        sl.cross_entropy(x, bad)
    assert torch.isclose(sl.cross_entropy(x, bad * 0), torch.tensor(77.0).log())
