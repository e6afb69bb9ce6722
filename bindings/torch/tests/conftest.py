# SPDX-License-Identifier: MIT
"""What the tests share: element types, their tolerances, and a bit-wise comparison."""
import pytest
import torch

TYPES = (torch.float32, torch.float64, torch.bfloat16, torch.float16)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(1)


@pytest.fixture
def threads():
    """Sets the number of threads; afterwards it is what it was."""
    before = torch.get_num_threads()
    yield torch.set_num_threads
    torch.set_num_threads(before)


def same_bits(a, b):
    if a.dtype != b.dtype or a.shape != b.shape:
        return False
    integer = {2: torch.int16, 4: torch.int32, 8: torch.int64}[a.element_size()]
    return torch.equal(a.contiguous().view(integer), b.contiguous().view(integer))


def random(*shape, dtype=torch.float64):
    return (4 * torch.randn(shape, dtype=torch.float64)).to(dtype)


# Units of the last place of the largest number beside it. PyTorch's own errors in float64 are the larger part there.
# A saved log-sum-exp is rounded, and every probability that is made of it is off by that.
PLACES = {torch.float32: 12, torch.float64: 60, torch.bfloat16: 2, torch.float16: 2}


def assert_close(got, wanted, scale=0.0):
    """Of numbers in `got`'s type against float64; `scale`: of terms that may cancel in them."""
    assert torch.equal(got.isnan(), wanted.isnan())
    if got.numel() == 0:
        return
    got, wanted, dtype = got.double().nan_to_num(nan=0.0), wanted.double().nan_to_num(nan=0.0), got.dtype
    unit = max(wanted.abs().max().item(), scale, torch.finfo(dtype).tiny) * torch.finfo(dtype).eps
    assert (got - wanted).abs().max().item() <= PLACES[dtype] * unit
