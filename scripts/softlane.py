# SPDX-License-Identifier: MIT
"""softlane on NumPy arrays: the functions of softlane.h without their sl_ and their suffix, which copy nothing.

    import numpy, softlane
    logits = numpy.float32([[2, 1, 0], [-1, 4, 1]])
    p = softlane.softmax(logits)                                                     # a new array
    softlane.softmax(logits, axis=0, out=logits)                                     # in place
    y, lse = softlane.softmax(logits, scale=0.5, mask=logits, lse=True)              # sl_softmax_options: softmax_with
    loss, gradient = softlane.cross_entropy(logits, numpy.array([0, 1]), grad=True, label_smoothing=0.1)

Elements are float32, float64, float16, or bfloat16: uint16 arrays of its bits, or ml_dtypes.bfloat16. `axis` is that of
the classes. Arrays must be C-contiguous, plain (no masked arrays) and of the right type: others are refused, since to
convert them is to copy them. What C has strides for may be a slice that they describe: rows, and their masks, of a padded
matrix (logits[:, :50257]), a class axis of a part of an image. Two inputs must then lie alike; a mask has a pitch of its own, or is
one row that is broadcast. Class ids and limits may be of any integer type: if it is not C's they are copied. A status other than
SL_OK is raised as softlane.Error; what softlane.h leaves to C, shapes and types, as ValueError and TypeError. Formulas,
special values and error bounds are in softlane.h. The global interpreter lock is not held.

Kernels and element types come from the manifests kernels.def and dtypes.def, which must lie beside this file, or in kernels/
of the source tree that it is in. `library` has the C functions themselves, which check no types.
The library is the one that the environment variable SOFTLANE_LIBRARY names; else that of the source tree, built by a
preset or by scripts/bench; else the one installed beside this module; else the system's.
"""
import ctypes
import ctypes.util
import math
import numbers
import operator
import os
import pathlib
import re
import typing

import numpy as np

_here = pathlib.Path(__file__).resolve().parent
_needed = ("kernels.def", "dtypes.def")
_manifests = next((d for d in (_here, _here.parent / "kernels") if all((d / name).exists() for name in _needed)), None)
if _manifests is None:
    raise ImportError(f"softlane: softlane.py needs {' and '.join(_needed)} beside it in {_here}: an installation has them "
                      "in share/softlane, the source in kernels/")


# ------------------------------------------------------------------------------------------- what C calls by these names

class _Strides(ctypes.Structure):
    _fields_ = [(name, ctypes.c_ssize_t) for name in ("outer", "classes")]

    def __eq__(self, other):
        return (self.outer, self.classes) == (other.outer, other.classes)


class Shape(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("outer", "classes", "inner")] + [("in", _Strides), ("out", _Strides)]


class _Bits(ctypes.Structure):
    _fields_ = [("bits", ctypes.c_uint16)]


class _LossOptions(ctypes.Structure):
    _fields_ = [("reduction", ctypes.c_int), ("class_weight", ctypes.c_void_p), ("pos_weight", ctypes.c_void_p),
                ("label_smoothing", ctypes.c_double), ("has_ignore_index", ctypes.c_bool),
                ("ignore_index", ctypes.c_int64), ("upstream", ctypes.c_void_p), ("flags", ctypes.c_uint),
                ("lse", ctypes.c_void_p), ("z_loss", ctypes.c_double), ("softcap", ctypes.c_double),
                ("divisor", ctypes.c_double)]


class _Shard(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("first", "classes")]


class _SoftmaxOptions(ctypes.Structure):
    _fields_ = [("scale", ctypes.c_double), ("softcap", ctypes.c_double), ("mask", ctypes.c_void_p),
                ("mask_type", ctypes.c_int), ("mask_stride", ctypes.c_ssize_t), ("slope", ctypes.c_double),
                ("first", ctypes.c_void_p), ("length", ctypes.c_void_p), ("sink", ctypes.c_void_p),
                ("lse", ctypes.c_void_p), ("flags", ctypes.c_uint)]


class _Exact(ctypes.Structure):
    _fields_ = [("top", ctypes.c_int64), ("digit", ctypes.c_int64 * 5)]


class Stats(ctypes.Structure):
    """Statistics of a part of a row (softmax_stats); Stats() are those of nothing."""
    _fields_ = [("max", ctypes.c_double), ("rest", ctypes.c_double), ("target", ctypes.c_double),
                ("logits", ctypes.c_double), ("count", ctypes.c_uint64), ("_rest", _Exact), ("_logits", _Exact)]

    def __new__(cls):
        return library.sl_stats_empty()

    def __setattr__(self, name, value):
        if name != "target":
            raise AttributeError(f"{name} of statistics is not to be assigned: only target is")
        super().__setattr__(name, _real(name, value))

    def merge(self, other):
        """Makes these the statistics of both parts. Exact: the order does not matter."""
        library.sl_stats_merge(self, _statistics("other", other))

    def logsumexp(self):
        return library.sl_stats_logsumexp(self)

    def pack(self, size=40):
        """As bytes: 40 without logits, or 48, of what softmax_stats has given; 128 of any statistics."""
        packed = ctypes.create_string_buffer(_integer("size", size, 1, 128))
        status = library.sl_stats_pack(self, packed, size)
        if status:
            raise Error("stats_pack", status)
        return packed.raw

    @staticmethod
    def unpack(packed):
        """Statistics of what pack has given."""
        if not isinstance(packed, (bytes, bytearray, memoryview)):
            raise TypeError(f"packed is a {type(packed).__name__}, need bytes")
        stats, text = Stats(), bytes(packed)
        status = library.sl_stats_unpack(text, len(text), stats)
        if status:
            raise Error("stats_unpack", status)
        return stats

    def cross_entropy(self, label_smoothing=0.0):
        """Of the class whose logit was assigned to `target`."""
        smoothing = _real("label_smoothing", label_smoothing)
        if not 0 <= smoothing <= 1:
            raise ValueError(f"label_smoothing is {smoothing}, need a number from 0 to 1")
        return library.sl_stats_cross_entropy(self, smoothing)


class _Kernels(ctypes.Structure):
    """What sl_kernels says of itself; its functions are for C."""
    _fields_ = [("isa", ctypes.c_char_p), ("needs", ctypes.c_char_p), ("fma", ctypes.c_bool)]


class Isa(typing.NamedTuple):
    """A variant: its name, the features of the CPU that it needs, and whether it is of the class of bits with FMA."""
    name: str
    needs: str
    fma: bool


_reductions = ("mean", "sum", "none")
_SAFE_ROWS, _EMPTY_MEAN_ZERO = 1, 2
_ERR_OPTION = 4
_INT64_MIN, _INT64_MAX = -2**63, 2**63 - 1
_SIZE_MAX = ctypes.c_size_t(-1).value
_SSIZE_MAX = _SIZE_MAX // 2
_pointer, _size, _status = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_stats, _options = ctypes.POINTER(Stats), ctypes.POINTER(_LossOptions)
_numpy = {"float": np.float32, "double": np.float64, "sl_f16": np.float16, "sl_bf16": np.uint16}

# By signature class (kernels.def), as kernels/table.h has them.
_loss = (_pointer, _pointer, Shape, _options, _pointer, _pointer)
_parameters = {
    "MAP": (_pointer, _pointer, _size),
    "MAP_BACKWARD": (_pointer, _pointer, _pointer, _size),
    "ROW_MAP": (_pointer, _pointer, Shape),
    "ROW_OPTIONS": (_pointer, _pointer, Shape, ctypes.POINTER(_SoftmaxOptions)),
    "ROW_BACKWARD": (_pointer, _pointer, _pointer, Shape),
    "ROW_FOLD": (_pointer, _pointer, Shape),
    "CLASS_LOSS": _loss,
    "PROB_LOSS": _loss,
    "ELEMENT_LOSS": _loss,
    "CLASS_GRAD": _loss,
    "SHARD_GRAD": (_pointer, _pointer, Shape, _Shard, _options, _pointer, _pointer),
    "STATS": (_pointer, _size, _stats),
    "APPLY": (_pointer, _pointer, _size, _stats),
    "STATS_ROWS": (_pointer, _pointer, Shape, _stats),
    "ROW_AT": (_pointer, Shape, _pointer, _size, _pointer),
    "ROW_TOP": (_pointer, Shape, _size, _pointer, _pointer),
    "ROW_WIDE": (_pointer, _pointer, Shape),
    "MAP_WIDE": (_pointer, _pointer, _size),
}
# The functions that are no kernels: result, parameters.
_others = {
    "f32_of_bf16": (ctypes.c_float, _Bits),
    "f32_of_f16": (ctypes.c_float, _Bits),
    "bf16_of_f32": (_Bits, ctypes.c_float),
    "f16_of_f32": (_Bits, ctypes.c_float),
    "rows": (Shape, _size, _size),
    "axis": (Shape, _size, _size, _size),
    "status_string": (ctypes.c_char_p, _status),
    "loss_defaults": (_LossOptions,),
    "stats_empty": (Stats,),
    "stats_merge": (None, _stats, _stats),
    "stats_pack": (_status, _stats, _pointer, _size),
    "stats_unpack": (_status, _pointer, _size, _stats),
    "stats_logsumexp": (ctypes.c_double, _stats),
    "stats_cross_entropy": (ctypes.c_double, _stats, ctypes.c_double),
    "isa": (ctypes.POINTER(_Kernels), ctypes.c_char_p),
    "isa_count": (_size,),
    "isa_name_at": (ctypes.c_char_p, _size),
    "isa_available": (ctypes.c_bool, ctypes.c_char_p),
    "isa_why_not": (ctypes.c_char_p, ctypes.c_char_p),
    "isa_force": (ctypes.c_bool, ctypes.c_char_p),
    "cache_bytes": (_size,),
    "set_cache_bytes": (None, _size),
    "tune_load": (_status, ctypes.c_char_p),
}
_kernels = re.findall(r"^SL_KERNEL\((\w+),\s*(\w+),", (_manifests / "kernels.def").read_text(), re.MULTILINE)
_dtypes = {name: (np.dtype(_numpy[element]), np.dtype(_numpy[loss])) for name, element, loss in
           re.findall(r"^\s*DO\((\w+),\s*(\w+),\s*(\w+),", (_manifests / "dtypes.def").read_text(), re.MULTILINE)}


# ------------------------------------------------------------------------------------------------------------ the library

def _load():
    named = os.environ.get("SOFTLANE_LIBRARY")
    if named:
        try:
            return ctypes.CDLL(named)
        except OSError as error:
            raise ImportError(f"softlane: SOFTLANE_LIBRARY: {error}") from None
    if _here == _manifests:  # PREFIX/share/softlane
        prefix = _here.parent.parent
        found = [p for folder in ("lib", "lib64", "lib/*") for p in sorted(prefix.glob(f"{folder}/libsoftlane.so*"))]
    else:
        build = _here.parent / "build"
        found = [build / preset / "libsoftlane.so" for preset in ("", "release", "bench", "clang")]
    for path in found:
        if path.exists():
            return ctypes.CDLL(str(path))
    of_system = ctypes.util.find_library("softlane")
    if of_system is None:
        raise ImportError("softlane: no libsoftlane.so is built or installed; SOFTLANE_LIBRARY may name one")
    return ctypes.CDLL(of_system)


library = _load()
try:
    for _name, (_result, *_taken) in _others.items():
        _function = getattr(library, f"sl_{_name}")
        _function.restype, _function.argtypes = _result, _taken
    for _name, _signature in _kernels:
        for _dtype in _dtypes:
            _function = getattr(library, f"sl_{_name}_{_dtype}")
            _function.restype, _function.argtypes = _status, _parameters[_signature]
except AttributeError as _error:
    raise ImportError(f"softlane: {_error}: library, softlane.py and manifests are not of one version") from None


class Error(ValueError):
    """A call that the library refused; nothing was written."""

    def __init__(self, function, status, what=""):
        super().__init__(f"{function}: {library.sl_status_string(status).decode()}{': ' if what else ''}{what}")
        self.function, self.status, self.what = function, status, what

    def __reduce__(self):
        return Error, (self.function, self.status, self.what)


# ------------------------------------------------------------------------------------- what C would take without a question

def _integer(name, value, least, most):
    if isinstance(value, (bool, np.bool_, np.ndarray)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is a {type(value).__name__}, need an integer")
    value = operator.index(value)
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}, need an integer from {least} to {most}")
    return value


def _real(name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is a {type(value).__name__}, need a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is {value}, which float64 does not hold") from None


def _flag(name, value):
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is a {type(value).__name__}, need True or False")
    return bool(value)


def _text(name, value):
    """For C, where it ends at a zero byte."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is a {type(value).__name__}, need a string")
    return _without_zero(name, value.encode())


def _without_zero(name, text):
    if b"\0" in text:
        raise ValueError(f"{name} holds a zero byte")
    return text


def _statistics(name, value):
    if not isinstance(value, Stats):
        raise TypeError(f"{name} is a {type(value).__name__}, need softlane.Stats")
    return value


# ------------------------------------------------------------------------------------------------------ arrays as pointers

def _check_plain(name, array):
    """It is an array that means what its elements are: a subclass may have a mask, or a unit."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, need a NumPy array")
    if isinstance(array, np.ma.MaskedArray):
        raise TypeError(f"{name} is a masked array, need a plain one: array.filled(value) says what the masked elements are")
    if type(array) is not np.ndarray and not isinstance(array, np.memmap):
        raise TypeError(f"{name} is a {type(array).__name__}, need a plain NumPy array (numpy.asarray)")


def _dtype_of(name, array):
    """The name of its element type in the manifest, and the types of its losses."""
    _check_plain(name, array)
    for dtype, (element, loss) in _dtypes.items():
        if array.dtype == element or (dtype == "bf16" and array.dtype.name == "bfloat16" and array.dtype.itemsize == 2):
            return dtype, loss
    raise TypeError(f"{name} holds {array.dtype}, need float32, float64, float16, bfloat16 or its bits as uint16")


def _merged(lengths, strides):
    """The elements from one index of these dimensions, as one, to the next: 0 where there is none, None where they differ."""
    steps = [(length, stride) for length, stride in zip(lengths, strides) if length != 1]
    if any(outer != length * stride for (_, outer), (length, stride) in zip(steps, steps[1:])):
        return None
    return steps[-1][1] if steps else 0


def _strides_of(array, axis):
    """Those that C needs; None if it cannot say where the elements are."""
    if array.flags.c_contiguous or array.size == 0:
        return _Strides(0, 0)
    if any(stride < 0 or stride % array.itemsize for stride in array.strides):
        return None
    strides = [stride // array.itemsize for stride in array.strides]
    before, after = slice(axis), slice(axis + 1, None)
    inner = math.prod(array.shape[after])
    outer, neighbours = _merged(array.shape[before], strides[before]), _merged(array.shape[after], strides[after])
    classes = strides[axis] if array.shape[axis] > 1 else inner
    block = (array.shape[axis] - 1) * classes + inner
    if outer is None or (classes != 1 if inner == 1 else neighbours != 1 or classes < inner):
        return None
    if math.prod(array.shape[before]) > 1 and outer < block:
        return None
    return _Strides(outer, classes)


def _checked(name, array, dtype, shape, written=False, axis=None):
    """The array, which C may use as it is; of a class axis, by strides."""
    _check_plain(name, array)
    if array.dtype != dtype:
        raise TypeError(f"{name} holds {array.dtype}, need {dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, need {shape}")
    fits = array.flags.c_contiguous if axis is None else _strides_of(array, axis % array.ndim) is not None
    if not fits or not array.flags.aligned:
        raise ValueError(f"{name} is not C-contiguous and aligned{'' if axis is None else ', nor a slice that C has strides for'}"
                         ": numpy.ascontiguousarray makes a copy that is")
    if written and not array.flags.writeable:
        raise ValueError(f"{name} is read-only")
    return array


def _output(name, array, dtype, shape, axis=None):
    return np.empty(shape, dtype) if array is None else _checked(name, array, dtype, shape, written=True, axis=axis)


def _lay_out(shape, axis, written, **read):
    """The strides of a shape for C: those of what is read, which lies alike, and of what is written, if anything is."""
    (first, array), *others = read.items()
    strides = _strides_of(array, axis % array.ndim)
    for name, other in others:
        if _strides_of(other, axis % other.ndim) != strides:
            raise ValueError(f"{name} has other strides than {first}: numpy.ascontiguousarray makes copies of both that have none")
    setattr(shape, "in", strides)
    if written is not None:
        shape.out = _strides_of(written, axis % written.ndim)


def _class_ids(name, array, rows):
    """As int64, which C takes: of other integer types, a copy."""
    _check_plain(name, array)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} holds {array.dtype}, need integers: class ids")
    _checked(name, array, array.dtype, rows)
    if array.dtype == np.int64:
        return array
    largest = int(array.max()) if array.size else 0  # NumPy compares uint64 with int64 as float64
    if largest > _INT64_MAX:
        raise ValueError(f"{name} holds {largest}, more than an int64 does")
    return array.astype(np.int64, copy=False)


def _upstream(value, loss, losses):
    """An array, as it is; a number as one for all losses."""
    if isinstance(value, np.ndarray):
        return value
    with np.errstate(over="ignore"):
        number = loss.type(_real("upstream", value))
    if np.isinf(number) and not math.isinf(value):
        raise ValueError(f"upstream is {value}, which {loss} does not hold")
    return np.full(losses, number, loss)


def _split(name, array, axis):
    """The array's shape for C, and its dimensions without the class axis."""
    axis = _integer("axis", axis, -_SSIZE_MAX, _SSIZE_MAX)
    if not -array.ndim <= axis < array.ndim:
        raise ValueError(f"{name} has {array.ndim} dimensions: there is no axis {axis}")
    axis %= array.ndim
    before, after = array.shape[:axis], array.shape[axis + 1:]
    return Shape(math.prod(before), array.shape[axis], math.prod(after)), before + after


def _call(kernel, dtype, *arguments):
    status = getattr(library, f"sl_{kernel}_{dtype}")(
        *(a.ctypes.data if isinstance(a, np.ndarray) else a for a in arguments))
    if status:
        raise Error(kernel, status)


# -------------------------------------------------------------------------------- one maker of functions a signature class

def _map(kernel, wide=False):
    def function(x, out=None):
        dtype, loss = _dtype_of("x", x)
        _checked("x", x, x.dtype, x.shape)
        out = _output("out", out, loss if wide else x.dtype, x.shape)
        _call(kernel, dtype, x, out, x.size)
        return out
    return function


def _map_backward(kernel):
    def function(a, dy, out=None):
        dtype, _ = _dtype_of("a", a)
        _checked("a", a, a.dtype, a.shape)
        _checked("dy", dy, a.dtype, a.shape)
        out = _output("out", out, a.dtype, a.shape)
        _call(kernel, dtype, a, dy, out, a.size)
        return out
    return function


def _row_map(kernel, wide=False):
    def function(x, axis=-1, out=None, **options):
        if options and not wide:
            return _with_options(kernel)(x, axis, out, **options)
        dtype, loss = _dtype_of("x", x)
        shape, _ = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape, axis=axis)
        out = _output("out", out, loss if wide else x.dtype, x.shape, axis)
        _lay_out(shape, axis, out, x=x)
        _call(kernel, dtype, x, out, shape)
        return out
    return function


def _with_options(kernel):
    """That of the same name with options, where there is one."""
    with_options = globals().get(f"{kernel}_with")
    if with_options is None:
        raise TypeError(f"{kernel} takes no options")
    return with_options


_masks = {"float32": 1, "float64": 2, "float16": 3, "bfloat16": 4, "uint16": 4, "bool": 5, "uint8": 5}


def _mask(array, shape, axis):
    """What the options say of a mask: for every element, or for every class, also broadcast to the rows."""
    _check_plain("mask", array)
    if array.dtype.name not in _masks:
        raise TypeError(f"mask holds {array.dtype}, need one of {', '.join(_masks)}")
    if array.shape == shape and array.size and not any(np.moveaxis(array, axis, -1).strides[:-1]):
        array = np.moveaxis(array, axis, -1)[(0,) * (array.ndim - 1)]
    classes = shape[axis]
    per_class = array.shape == (classes,)
    _checked("mask", array, array.dtype, array.shape if per_class else shape, axis=-1 if per_class else axis)
    stride = 0 if per_class else _strides_of(array, axis % array.ndim).outer or classes
    return {"mask": array.ctypes.data, "mask_type": _masks[array.dtype.name], "mask_stride": stride}


def _limit(name, array, rows):
    """As size_t, which C takes: of other integer types, a copy."""
    _check_plain(name, array)
    if array.dtype.kind not in "iu":
        raise TypeError(f"{name} holds {array.dtype}, need integers")
    _checked(name, array, array.dtype, rows)
    if array.size and int(array.min()) < 0:
        raise ValueError(f"{name} holds {int(array.min())}")
    return array.astype(np.uintp, copy=False)


def _row_options(kernel):
    def function(x, axis=-1, out=None, *, scale=1.0, softcap=0.0, mask=None, slope=1.0, first=None, length=None, sink=None,
                 lse=False, safe_rows=False):
        dtype, loss = _dtype_of("x", x)
        shape, rows = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape, axis=axis)
        fields = {name: _real(name, value) for name, value in (("scale", scale), ("softcap", softcap), ("slope", slope))}
        for name in ("scale", "slope"):
            if fields[name] == 0:
                raise ValueError(f"{name} is 0")
        limits = {name: _limit(name, array, rows) for name, array in (("first", first), ("length", length))
                  if array is not None}  # which live as long as the call
        fields.update({name: array.ctypes.data for name, array in limits.items()})
        if mask is not None:
            fields.update(_mask(mask, x.shape, axis))
        if sink is not None:
            fields["sink"] = _checked("sink", sink, loss, rows).ctypes.data
        if isinstance(lse, (bool, np.bool_)):
            lse = np.empty(rows, loss) if lse else None
        else:
            lse = _output("lse", lse, loss, rows)
        if lse is not None:
            fields["lse"] = lse.ctypes.data
        out = _output("out", out, x.dtype, x.shape, axis)
        _lay_out(shape, axis, out, x=x)
        _call(kernel, dtype, x, out, shape, _SoftmaxOptions(flags=_SAFE_ROWS * _flag("safe_rows", safe_rows), **fields))
        return out if lse is None else (out, lse)
    return function


def _row_backward(kernel):
    def function(y, dy, axis=-1, out=None):
        dtype, _ = _dtype_of("y", y)
        shape, _ = _split("y", y, axis)
        _checked("y", y, y.dtype, y.shape, axis=axis)
        _checked("dy", dy, y.dtype, y.shape, axis=axis)
        out = _output("out", out, y.dtype, y.shape, axis)
        _lay_out(shape, axis, out, y=y, dy=dy)
        _call(kernel, dtype, y, dy, out, shape)
        return out
    return function


def _row_fold(kernel):
    def function(x, axis=-1, out=None):
        dtype, result = _dtype_of("x", x)
        shape, rows = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape, axis=axis)
        out = _output("out", out, result, rows)
        _lay_out(shape, axis, None, x=x)
        _call(kernel, dtype, x, out, shape)
        return out
    return function


def _refused_options(kernel, dtype, options):
    """Which of these options, and their values. The library is asked for each by itself, about no elements."""
    reductions = {"divisor": "mean"}
    alone = {
        "pos_weight": {"pos_weight": options.pos_weight},
        "label_smoothing": {"label_smoothing": options.label_smoothing},
        "ignore_index": {"has_ignore_index": options.has_ignore_index, "ignore_index": options.ignore_index},
        "safe_rows": {"flags": options.flags & _SAFE_ROWS},
        "empty_mean_zero": {"flags": options.flags & _EMPTY_MEAN_ZERO},
        "lse": {"lse": options.lse},
        "z_loss": {"z_loss": options.z_loss},
        "softcap": {"softcap": options.softcap},
        "divisor": {"divisor": options.divisor},
    }
    result = ctypes.c_double()
    function = getattr(library, f"sl_{kernel}_{dtype}")
    refused = []
    for name, fields in alone.items():
        reduction = reductions.get(name, "sum") if options.divisor else "sum"
        one = _LossOptions(reduction=_reductions.index(reduction), **fields)
        shard = (_Shard(0, 1),) if _signature_of[kernel] == "SHARD_GRAD" else ()
        if function(None, None, Shape(0, 1, 1), *shard, one, ctypes.addressof(result), None) == _ERR_OPTION:
            value = getattr(options, name, None)
            refused.append(f"{name}={value:g}" if isinstance(value, float) else name)
    if options.divisor and options.reduction != _reductions.index("mean"):
        refused.append("divisor, which only a mean has")
    return ", ".join(refused)


def _checked_call(kernel, dtype, options, *arguments):
    """Says which options are refused, if some are."""
    try:
        _call(kernel, dtype, *arguments)
    except Error as error:
        if error.status != _ERR_OPTION:
            raise
        raise Error(kernel, _ERR_OPTION, _refused_options(kernel, dtype, options)) from None


def _options_of(loss, losses, classes, reduction, *, class_weight=None, pos_weight=None, label_smoothing=0.0,
                ignore_index=None, upstream=None, safe_rows=False, empty_mean_zero=False, z_loss=0.0, softcap=0.0,
                divisor=0.0):
    """As C takes them, and the arrays that they point to."""
    if upstream is not None:
        upstream = _upstream(upstream, loss, losses)
    arrays = {"class_weight": (class_weight, (classes,)), "pos_weight": (pos_weight, (classes,)), "upstream": (upstream, losses)}
    options = _LossOptions(
        reduction=_reductions.index(reduction), label_smoothing=_real("label_smoothing", label_smoothing),
        has_ignore_index=ignore_index is not None,
        ignore_index=0 if ignore_index is None else _integer("ignore_index", ignore_index, _INT64_MIN, _INT64_MAX),
        flags=(_SAFE_ROWS * _flag("safe_rows", safe_rows) | _EMPTY_MEAN_ZERO * _flag("empty_mean_zero", empty_mean_zero)),
        z_loss=_real("z_loss", z_loss), softcap=_real("softcap", softcap), divisor=_real("divisor", divisor),
        **{name: _checked(name, array, loss, of_shape).ctypes.data
           for name, (array, of_shape) in arrays.items() if array is not None})
    return options, arrays


def _reduction(reduction):
    if not isinstance(reduction, str) or reduction not in _reductions:
        raise ValueError(f"reduction is {reduction!r}, need one of {', '.join(_reductions)}")
    return reduction


def _wanted(name, array, dtype, shape, axis=None):
    """True: a new array; an array: that one; else none."""
    if isinstance(array, (bool, np.bool_)):
        return np.empty(shape, dtype) if array else None
    return None if array is None else _output(name, array, dtype, shape, axis)


def _loss_of(kernel, ids, per_element):
    def function(x, target, axis=-1, *, reduction="mean", out=None, grad=None, lse=None, **options):
        dtype, loss = _dtype_of("x", x)
        shape, rows = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape, axis=axis)
        target = _class_ids("target", target, rows) if ids else _checked("target", target, x.dtype, x.shape, axis=axis)
        losses = () if _reduction(reduction) != "none" else x.shape if per_element else rows
        taken, _kept = _options_of(loss, losses, shape.classes, reduction, **options)
        result = _output("out", out, loss, losses)
        grad = _wanted("grad", grad, x.dtype, x.shape, axis)
        lse = _wanted("lse", lse, loss, rows)
        taken.lse = None if lse is None else lse.ctypes.data
        _lay_out(shape, axis, grad, **({"x": x} if ids else {"x": x, "target": target}))
        _checked_call(kernel, dtype, taken, x, target, shape, taken, result, grad)
        result = result[()] if out is None else out  # a mean or a sum is a number
        more = [array for array in (grad, lse) if array is not None]
        return (result, *more) if more else result
    return function


def _class_grad(kernel):
    def function(x, target, lse, axis=-1, *, reduction="mean", out=None, **options):
        dtype, loss = _dtype_of("x", x)
        shape, rows = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape, axis=axis)
        target, lse = _class_ids("target", target, rows), _checked("lse", lse, loss, rows)
        losses = rows if _reduction(reduction) == "none" else ()
        taken, _kept = _options_of(loss, losses, shape.classes, reduction, **options)
        out = _output("out", out, x.dtype, x.shape, axis)
        _lay_out(shape, axis, out, x=x)
        _checked_call(kernel, dtype, taken, x, target, shape, taken, lse, out)
        return out
    return function


def _shard_grad(kernel):
    def function(x, target, stats, first, classes, *, reduction="mean", out=None, **options):
        dtype, loss = _dtype_of("x", x)
        shape, rows = _split("x", x, -1)
        _checked("x", x, x.dtype, x.shape, axis=-1)
        target = _class_ids("target", target, rows)
        first, classes = _integer("first", first, 0, _SSIZE_MAX), _integer("classes", classes, 0, _SSIZE_MAX)
        stats = [_statistics("stats", one) for one in stats]
        if len(stats) != shape.outer:
            raise ValueError(f"stats has {len(stats)} of them, need {shape.outer}: one for each row")
        if first + shape.classes > classes:
            raise ValueError(f"classes {first} to {first + shape.classes} are no shard of {classes}")
        losses = rows if _reduction(reduction) == "none" else ()
        taken, _kept = _options_of(loss, losses, classes, reduction, **options)
        of_rows = (Stats * len(stats)).from_buffer_copy(b"".join(bytes(one) for one in stats))
        out = _output("out", out, x.dtype, x.shape, -1)
        _lay_out(shape, -1, out, x=x)
        _checked_call(kernel, dtype, taken, x, target, shape, _Shard(first, classes), taken,
                      ctypes.addressof(of_rows) if stats else None, out)
        return out
    return function


def _stats_of(kernel):
    def function(x):
        dtype, _ = _dtype_of("x", x)
        _checked("x", x, x.dtype, x.shape)
        stats = Stats()
        _call(kernel, dtype, x, x.size, stats)
        return stats
    return function


def _apply(kernel):
    def function(x, stats, out=None):
        dtype, _ = _dtype_of("x", x)
        _checked("x", x, x.dtype, x.shape)
        out = _output("out", out, x.dtype, x.shape)
        _call(kernel, dtype, x, out, x.size, _statistics("stats", stats))
        return out
    return function


def _rows_of(x):
    """Its element type and that of its losses, its shape for C, and its dimensions without the class axis, which is the last."""
    dtype, loss = _dtype_of("x", x)
    shape, rows = _split("x", x, -1)
    _checked("x", x, x.dtype, x.shape, axis=-1)
    _lay_out(shape, -1, None, x=x)
    return dtype, loss, shape, rows


def _stats_of_rows(kernel):
    def function(x, target=None):
        dtype, _, shape, rows = _rows_of(x)
        target = None if target is None else _class_ids("target", target, rows)
        stats = (Stats * shape.outer)()
        _call(kernel, dtype, x, target, shape, stats)
        return stats
    return function


def _at(kernel):
    def function(x, ids, out=None):
        dtype, loss, shape, rows = _rows_of(x)
        _check_plain("ids", ids)
        k = ids.shape[-1] if ids.ndim else 0
        ids = _class_ids("ids", ids, (*rows, k))
        out = _output("out", out, loss, (*rows, k))
        _call(kernel, dtype, x, shape, ids, k, out)
        return out
    return function


def _top(kernel):
    def function(x, k, out=None, ids=None):
        dtype, loss, shape, rows = _rows_of(x)
        k = _integer("k", k, 0, shape.classes)
        out = _output("out", out, loss, (*rows, k))
        ids = _output("ids", ids, np.dtype(np.int64), (*rows, k))
        _call(kernel, dtype, x, shape, k, out, ids)
        return out, ids
    return function


_makers = {
    "MAP": _map,
    "MAP_BACKWARD": _map_backward,
    "ROW_MAP": _row_map,
    "ROW_OPTIONS": _row_options,
    "ROW_BACKWARD": _row_backward,
    "ROW_FOLD": _row_fold,
    "CLASS_LOSS": lambda kernel: _loss_of(kernel, ids=True, per_element=False),
    "PROB_LOSS": lambda kernel: _loss_of(kernel, ids=False, per_element=False),
    "ELEMENT_LOSS": lambda kernel: _loss_of(kernel, ids=False, per_element=True),
    "CLASS_GRAD": _class_grad,
    "SHARD_GRAD": _shard_grad,
    "STATS": _stats_of,
    "APPLY": _apply,
    "STATS_ROWS": _stats_of_rows,
    "ROW_AT": _at,
    "ROW_TOP": _top,
    "ROW_WIDE": lambda kernel: _row_map(kernel, wide=True),
    "MAP_WIDE": lambda kernel: _map(kernel, wide=True),
}
_signature_of = dict(_kernels)
for _name, _signature in _kernels:
    _function = _makers[_signature](_name)
    _function.__name__ = _function.__qualname__ = _name
    _function.__doc__ = f"sl_{_name}_{{{','.join(_dtypes)}}} of softlane.h"
    globals()[_name] = _function


# --------------------------------------------------------------------------------------------------------------- variants

def isa(name=None):
    """The variant of that name, or the one in use: name, needs, fma. None when it cannot run here."""
    table = library.sl_isa(None if name is None else _text("name", name))
    if not table:
        return None
    says = table.contents
    return Isa(says.isa.decode(), says.needs.decode(), says.fma)


def isas():
    """The names of all variants that softlane knows, best first."""
    return [library.sl_isa_name_at(i).decode() for i in range(library.sl_isa_count())]


def isa_why_not(name):
    """Why that variant cannot run here; None when it can."""
    reason = library.sl_isa_why_not(_text("name", name))
    return None if reason is None else reason.decode()


def isa_force(name):
    """Uses that variant from now on, in all threads; None: the best one again."""
    if not library.sl_isa_force(None if name is None else _text("name", name)):
        raise ValueError(f"{name}: {isa_why_not(name)}")


def cache_bytes():
    """What the last-level cache is taken to hold."""
    return library.sl_cache_bytes()


def set_cache_bytes(n):
    """What the last-level cache is taken to hold; 0: what the system says."""
    library.sl_set_cache_bytes(_integer("n", n, 0, _SIZE_MAX))


def tune_load(path):
    """Uses the winners that softlane-tune wrote to that file; None: the automatic choice again."""
    status = library.sl_tune_load(None if path is None else _without_zero("path", os.fsencode(path)))
    if status:
        raise Error("tune_load", status)
