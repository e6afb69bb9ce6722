# SPDX-License-Identifier: MIT
"""What PyTorch's tracers want of an operator: torch.library.opcheck, torch.compile, torch.export."""
import shutil

import pytest
import softlane.torch as sl
import torch
import torch.nn.functional as F

from conftest import random, same_bits

OPS = torch.ops.softlane
SAMPLES = []
for _grad in (False, True):
    _x = random(5, 4, dtype=torch.float32).requires_grad_(_grad)
    _half = random(5, 4, dtype=torch.bfloat16).requires_grad_(_grad)
    _image = random(2, 4, 3, dtype=torch.float64).requires_grad_(_grad)
    _ids, _weight = torch.tensor([0, 3, -100, 2, 1]), torch.tensor([0.5, 1.0, 1.5, 2.0])
    _soft = torch.softmax(torch.linspace(-1, 2, 20).view(5, 4), 1)
    for _reduction in (0, 1, 2):
        SAMPLES += [(OPS.cross_entropy, (_x, _ids, _weight, _reduction, -100, 0.1)),
                    (OPS.cross_entropy, (_x, _soft, None, _reduction)),
                    (OPS.cross_entropy, (_half, _ids, None, _reduction)),
                    (OPS.cross_entropy, (_image, torch.tensor([[0, 1, 2], [3, 2, 1]]), None, _reduction)),
                    (OPS.bce_with_logits, (_x, _soft, _weight, _weight, _reduction))]
    SAMPLES += [(OPS.cross_entropy, (_x[0], _ids[0])),
                (OPS.softmax, (_image, 1)), (OPS.log_softmax, (_image, -1)),
                (OPS.softmax, (_half, 1, torch.float32)), (OPS.log_softmax, (_half, 0, torch.float32))]
_x, _y = random(5, 4, dtype=torch.float32), random(5, 4, dtype=torch.float32)
for _saves in (0, 1, 2):
    for _reduction in (0, 1, 2):
        SAMPLES += [(OPS._cross_entropy_forward, (_x, _ids, None, _reduction, -100, 0.0, _saves)),
                    (OPS._cross_entropy_forward, (_x, _soft, None, _reduction, -100, 0.0, _saves)),
                    (OPS._bce_with_logits_forward, (_x, _soft, None, None, _reduction, _saves))]
SAMPLES += [(OPS._softmax, (_x, 1, None)), (OPS._log_softmax, (_x, 1, None)),
            (OPS._softmax_backward, (_y, _x, 1)), (OPS._log_softmax_backward, (_y, _x, 1)),
            (OPS._cross_entropy_backward, (torch.ones(()), _x, _ids, None, 1, -100, 0.0, torch.logsumexp(_x, 1))),
            (OPS._cross_entropy_backward, (torch.ones(5), _x, _ids, _weight, 0, -100, 0.0, torch.logsumexp(_x, 1))),
            (OPS._bce_with_logits_backward, (torch.ones(()), _x, _soft, None, None, 1))]


@pytest.mark.parametrize("number", range(len(SAMPLES)))
def test_opcheck(number):
    op, arguments = SAMPLES[number]
    # The operators below autograd are called with nothing that requires a gradient.
    checks = ("test_schema", "test_autograd_registration", "test_faketensor", "test_aot_dispatch_dynamic")
    torch.library.opcheck(op, arguments, test_utils=checks)


def step(x, target, soft, weight):
    """All operators, by torch.nn.functional's names."""
    y = sl.softmax(x, 1)
    return (sl.cross_entropy(x, target, weight, label_smoothing=0.1) + sl.cross_entropy(x * 2, target, reduction="sum")
            + sl.cross_entropy(x, soft) + sl.bce_with_logits(x, soft) * 3
            + (sl.cross_entropy(x, target, reduction="none") * y[:, 0]).mean() + sl.log_softmax(x, 1)[:, 0].mean())


BACKENDS = ["eager", "aot_eager", "inductor"]


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("dtype", (torch.float32, torch.float64, torch.bfloat16, torch.float16))
def test_compile(backend, dtype):
    if backend == "inductor" and not shutil.which("g++"):
        pytest.skip("inductor compiles with g++, which is not here")
    torch._dynamo.reset()
    compiled = torch.compile(step, fullgraph=True, backend=backend)
    for rows in (6, 9, 12):  # from the second size on with symbolic shapes
        x = random(rows, 10, dtype=dtype)
        target, soft = torch.randint(0, 10, (rows,)), torch.rand(rows, 10).to(dtype)
        weight = torch.linspace(0.5, 1.5, 10).to(dtype)
        results = []
        for function in (step, compiled):
            leaf = x.clone().requires_grad_()
            loss = function(leaf, target, soft, weight)
            loss.backward()
            results.append((loss.detach(), leaf.grad))
        places = 4 * torch.finfo(dtype).eps
        for own, wanted in zip(results[1], results[0]):
            assert torch.allclose(own.double(), wanted.double(), rtol=places, atol=places * wanted.double().abs().max())


def test_compiled_operators_have_the_bits_of_eager_ones():
    torch._dynamo.reset()
    x, target = random(64, 1000, dtype=torch.float32), torch.randint(0, 1000, (64,))
    compiled = torch.compile(sl.cross_entropy, fullgraph=True, backend="aot_eager")
    results = []
    for function in (sl.cross_entropy, compiled):
        leaf = x.clone().requires_grad_()
        loss = function(leaf, target)
        loss.backward()
        results.append((loss.detach(), leaf.grad))
    assert same_bits(results[0][0], results[1][0]) and same_bits(results[0][1], results[1][1])


def test_compile_within_patch():
    """Dynamo takes the function that is there: softlane's operator, not PyTorch's."""
    torch._dynamo.reset()
    seen = []

    def backend(graph, inputs):
        seen.extend(str(node.target) for node in graph.graph.nodes)
        return graph

    x, target = random(6, 10, dtype=torch.float32), torch.randint(0, 10, (6,))
    with sl.patch():
        loss = torch.compile(lambda a, t: F.cross_entropy(a, t) + F.softmax(a, 1).sum(), fullgraph=True, backend=backend)(
            x, target)
    assert {"softlane.cross_entropy.default", "softlane.softmax.default"} <= set(seen)
    assert torch.allclose(loss, F.cross_entropy(x, target) + 6)


def test_export():
    class Module(torch.nn.Module):
        def forward(self, x):
            return sl.log_softmax(x, -1)

    x = random(6, 10, dtype=torch.float32)
    program = torch.export.export(Module(), (x,))
    assert any("softlane" in str(node.target) for node in program.graph.nodes)
    assert same_bits(program.module()(x), sl.log_softmax(x, -1))
