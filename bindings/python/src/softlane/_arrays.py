# SPDX-License-Identifier: MIT
"""Arrays as C takes them: their element type, shape and strides; others are refused, since to convert them is to copy them."""
import math

import numpy as np

from . import _softlane
from ._arguments import INT64_MAX, SSIZE_MAX, integer

DTYPES = _softlane.dtypes  # name, element type, type of losses; in the order of C
BFLOAT16 = [name for name, *_ in DTYPES].index("bf16")
MASKS = {"float32": 1, "float64": 2, "float16": 3, "bfloat16": 4, "uint16": 4, "bool": 5, "uint8": 5}  # sl_mask_type


def check_plain(name, array):
    """It is an array that means what its elements are: a subclass may have a mask, or a unit."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, need a NumPy array")
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, need a plain one: array.filled(value) says what the masked elements are")
    if type(array) is not np.ndarray and not isinstance(array, np.memmap):
        raise TypeError(f"{name} is a {type(array).__name__}, need a plain NumPy array (numpy.asarray)")


def dtype_of(name, array):
    """The number of its element type in C, and the type of its losses."""
    check_plain(name, array)
    for number, (_, element, loss) in enumerate(DTYPES):
        if array.dtype == element:
            return number, loss
    if array.dtype.name == "bfloat16" and array.dtype.itemsize == 2:
        _softlane.bfloat16(array.dtype.num)
        return BFLOAT16, DTYPES[BFLOAT16][2]
    raise TypeError(f"{name} holds {array.dtype}, need float32, float64, float16, bfloat16 or its bits as uint16")


# ------------------------------------------------------------------------------------------------------ shapes and strides

def split(name, array, axis):
    """The fields of its shape for C, the axis from 0 on, and its dimensions without that."""
    axis = integer("axis", axis, -SSIZE_MAX, SSIZE_MAX)
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"{name} has {array.ndim} dimensions: there is no axis {axis}")
    axis %= array.ndim
    before, after = array.shape[:axis], array.shape[axis + 1:]
    return ({"shape.outer": math.prod(before), "shape.classes": array.shape[axis], "shape.inner": math.prod(after)}, axis,
            before + after)


def merged(lengths, strides):
    """The elements from one index of these dimensions, as one, to the next: 0 where there is none, None where they differ."""
    steps = [(length, stride) for length, stride in zip(lengths, strides) if length != 1]
    if any(outer != length * stride for (_, outer), (length, stride) in zip(steps, steps[1:])):
        return None
    return steps[-1][1] if steps else 0


def strides_of(array, axis):
    """Those that C needs, of outer and classes; None if it cannot say where the elements are."""
    if array.flags.c_contiguous or array.size == 0:
        return 0, 0
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        return None
    axis %= array.ndim
    strides = [stride // array.itemsize for stride in array.strides]
    before, after = slice(axis), slice(axis + 1, None)
    inner = math.prod(array.shape[after])
    outer, neighbours = merged(array.shape[before], strides[before]), merged(array.shape[after], strides[after])
    classes = strides[axis] if array.shape[axis] > 1 else inner
    block = (array.shape[axis] - 1) * classes + inner
    if outer is None or (classes != 1 if inner == 1 else neighbours != 1 or classes < inner):
        return None
    if math.prod(array.shape[before]) > 1 and outer < block:
        return None
    return outer, classes


def lay_out(axis, written, **read):
    """The strides for C: those of what is read, which lies alike, and of what is written, if anything is."""
    (first, array), *others = read.items()
    strides = strides_of(array, axis)
    for name, other in others:
        if strides_of(other, axis) != strides:
            raise ValueError(f"{name} has other strides than {first}: numpy.ascontiguousarray makes copies of both that have none")
    fields = {"shape.in.outer": strides[0], "shape.in.classes": strides[1]}
    if written is not None:
        fields["shape.out.outer"], fields["shape.out.classes"] = strides_of(written, axis)
    return fields


# --------------------------------------------------------------------------------------------------- what is read and written

def checked(name, array, dtype, shape, written=False, axis=None):
    """The array, which C may use as it is; of a class axis, by strides."""
    check_plain(name, array)
    if array.dtype != dtype:
        raise TypeError(f"{name} holds {array.dtype}, need {dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, need {shape}")
    fits = array.flags.c_contiguous if axis is None else strides_of(array, axis) is not None
    if not fits or not array.flags.aligned:
        raise ValueError(f"{name} is not C-contiguous and aligned{'' if axis is None else ', nor a slice that C has strides for'}"
                         ": numpy.ascontiguousarray makes a copy that is")
    if written and not array.flags.writeable:
        raise ValueError(f"{name} is read-only")
    return array


def output(name, array, dtype, shape, axis=None):
    return np.empty(shape, dtype) if array is None else checked(name, array, dtype, shape, written=True, axis=axis)


def wanted(name, array, dtype, shape, axis=None):
    """True: a new array; an array: that one; else none."""
    if isinstance(array, (bool, np.bool_)):
        return np.empty(shape, dtype) if array else None
    return None if array is None else output(name, array, dtype, shape, axis)


def class_ids(name, array, rows):
    """As int64, which C takes: of other integer types, a copy."""
    check_plain(name, array)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} holds {array.dtype}, need integers: class ids")
    checked(name, array, array.dtype, rows)
    if array.dtype == np.int64:
        return array
    largest = int(array.max()) if array.size else 0  # NumPy compares uint64 with int64 as float64
    if largest > INT64_MAX:
        raise ValueError(f"{name} holds {largest}, more than an int64 does")
    return array.astype(np.int64, copy=False)


def limits(name, array, rows):
    """As size_t, which C takes: of other integer types, a copy."""
    check_plain(name, array)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} holds {array.dtype}, need integers")
    checked(name, array, array.dtype, rows)
    if array.size and int(array.min()) < 0:
        raise ValueError(f"{name} holds {int(array.min())}")
    return array.astype(np.uintp, copy=False)


def mask_fields(array, shape, axis):
    """What the options say of a mask: for every element, or for every class, also broadcast to the rows."""
    check_plain("mask", array)
    if array.dtype.name not in MASKS:
        raise TypeError(f"mask holds {array.dtype}, need one of {', '.join(MASKS)}")
    if array.shape == shape and array.size and not any(np.moveaxis(array, axis, -1).strides[:-1]):
        array = np.moveaxis(array, axis, -1)[(0,) * (array.ndim - 1)]
    classes = shape[axis]
    per_class = array.shape == (classes,)
    checked("mask", array, array.dtype, array.shape if per_class else shape, axis=-1 if per_class else axis)
    stride = 0 if per_class else strides_of(array, axis)[0] or classes
    return {"scores.mask": array, "scores.mask_type": MASKS[array.dtype.name], "scores.mask_stride": stride}


def overlapping(arrays, written):
    """Of {name: array} two that overlap, as words, of which one is written; "" if there are none."""
    for name in written:
        for other, array in arrays.items():
            if other == name or not np.may_share_memory(arrays[name], array):
                continue
            same = all(getattr(array, what) == getattr(arrays[name], what) for what in ("dtype", "shape", "strides"))
            if not same or array.ctypes.data != arrays[name].ctypes.data or other in written:
                return f"{name} and {other}"
    return ""
