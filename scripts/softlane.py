# SPDX-License-Identifier: MIT
"""softlane on NumPy arrays: the functions of softlane.h without their sl_ and their suffix, which copy nothing.

    import numpy, softlane
    logits = numpy.float32([[2, 1, 0], [-1, 4, 1]])
    p = softlane.softmax(logits)                                                     # a new array
    softlane.softmax(logits, axis=0, out=logits)                                     # in place
    loss, gradient = softlane.cross_entropy(logits, numpy.array([0, 1]), grad=True, label_smoothing=0.1)

Elements are float32, float64, float16, or bfloat16: uint16 arrays of its bits, or ml_dtypes.bfloat16. `axis` is that of
the classes. Arrays must be C-contiguous and of the right type: others are refused, since to convert them is to copy them.
A status other than SL_OK is raised as softlane.Error; what softlane.h leaves to C, shapes and types, as ValueError and
TypeError. Formulas, special values and error bounds are in softlane.h. The global interpreter lock is not held.

Kernels and element types come from the manifests kernels.def and dtypes.def. `library` has the C functions themselves.
The library is the one that the environment variable SOFTLANE_LIBRARY names; else that of the source tree, built by a
preset or by scripts/bench; else the one installed beside this module; else the system's.
"""
import ctypes
import ctypes.util
import math
import operator
import os
import pathlib
import re

import numpy as np

_here = pathlib.Path(__file__).resolve().parent
_manifests = next((d for d in (_here, _here.parent / "kernels") if (d / "kernels.def").exists()), None)
if _manifests is None:
    raise ImportError(f"softlane: no kernels.def in {_here}, nor in {_here.parent / 'kernels'}")


# ------------------------------------------------------------------------------------------- what C calls by these names

class Shape(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in ("outer", "classes", "inner")]


class _Bits(ctypes.Structure):
    _fields_ = [("bits", ctypes.c_uint16)]


class _LossOptions(ctypes.Structure):
    _fields_ = [("reduction", ctypes.c_int), ("class_weight", ctypes.c_void_p), ("pos_weight", ctypes.c_void_p),
                ("label_smoothing", ctypes.c_double), ("has_ignore_index", ctypes.c_bool),
                ("ignore_index", ctypes.c_int64), ("upstream", ctypes.c_void_p), ("flags", ctypes.c_uint)]


class _Exact(ctypes.Structure):
    _fields_ = [("top", ctypes.c_int64), ("digit", ctypes.c_int64 * 5)]


class Stats(ctypes.Structure):
    """Statistics of a part of a row (softmax_stats); Stats() are those of nothing."""
    _fields_ = [("max", ctypes.c_double), ("rest", ctypes.c_double), ("target", ctypes.c_double),
                ("logits", ctypes.c_double), ("count", ctypes.c_uint64), ("_rest", _Exact), ("_logits", _Exact)]

    def __new__(cls):
        return library.sl_stats_empty()

    def merge(self, other):
        """Makes these the statistics of both parts. Exact: the order does not matter."""
        library.sl_stats_merge(self, other)

    def logsumexp(self):
        return library.sl_stats_logsumexp(self)

    def cross_entropy(self, label_smoothing=0.0):
        """Of the class whose logit was assigned to `target`."""
        return library.sl_stats_cross_entropy(self, label_smoothing)


class Isa(ctypes.Structure):
    """What sl_kernels says of itself; its functions are for C."""
    _fields_ = [("_isa", ctypes.c_char_p), ("_needs", ctypes.c_char_p), ("fma", ctypes.c_bool)]
    name = property(lambda self: self._isa.decode())
    needs = property(lambda self: self._needs.decode())


_reductions = ("mean", "sum", "none")
_SAFE_ROWS, _EMPTY_MEAN_ZERO = 1, 2
_pointer, _size, _status = ctypes.c_void_p, ctypes.c_size_t, ctypes.c_int
_stats, _options = ctypes.POINTER(Stats), ctypes.POINTER(_LossOptions)
_numpy = {"float": np.float32, "double": np.float64, "sl_f16": np.float16, "sl_bf16": np.uint16}

# By signature class (kernels.def), as kernels/table.h has them.
_loss = (_pointer, _pointer, Shape, _options, _pointer, _pointer)
_parameters = {
    "MAP": (_pointer, _pointer, _size),
    "MAP_BACKWARD": (_pointer, _pointer, _pointer, _size),
    "ROW_MAP": (_pointer, _pointer, Shape),
    "ROW_BACKWARD": (_pointer, _pointer, _pointer, Shape),
    "ROW_FOLD": (_pointer, _pointer, Shape),
    "CLASS_LOSS": _loss,
    "PROB_LOSS": _loss,
    "ELEMENT_LOSS": _loss,
    "STATS": (_pointer, _size, _stats),
    "APPLY": (_pointer, _pointer, _size, _stats),
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
    "stats_logsumexp": (ctypes.c_double, _stats),
    "stats_cross_entropy": (ctypes.c_double, _stats, ctypes.c_double),
    "isa": (ctypes.POINTER(Isa), ctypes.c_char_p),
    "isa_count": (_size,),
    "isa_name_at": (ctypes.c_char_p, _size),
    "isa_available": (ctypes.c_bool, ctypes.c_char_p),
    "isa_why_not": (ctypes.c_char_p, ctypes.c_char_p),
    "isa_force": (ctypes.c_bool, ctypes.c_char_p),
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
        return ctypes.CDLL(named)
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
for _name, (_result, *_taken) in _others.items():
    _function = getattr(library, f"sl_{_name}")
    _function.restype, _function.argtypes = _result, _taken
for _name, _signature in _kernels:
    for _dtype in _dtypes:
        _function = getattr(library, f"sl_{_name}_{_dtype}")
        _function.restype, _function.argtypes = _status, _parameters[_signature]


class Error(ValueError):
    """A call that the library refused; nothing was written."""

    def __init__(self, function, status):
        super().__init__(f"{function}: {library.sl_status_string(status).decode()}")
        self.status = status


# ------------------------------------------------------------------------------------------------------ arrays as pointers

def _dtype_of(name, array):
    """The name of its element type in the manifest, and the types of its losses."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, need a NumPy array")
    for dtype, (element, loss) in _dtypes.items():
        if array.dtype == element or (dtype == "bf16" and array.dtype.name == "bfloat16"):
            return dtype, loss
    raise TypeError(f"{name} holds {array.dtype}, need float32, float64, float16, bfloat16 or its bits as uint16")


def _checked(name, array, dtype, shape, written=False):
    """The array, which C may use as it is."""
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} is a {type(array).__name__}, need a NumPy array")
    if array.dtype != dtype:
        raise TypeError(f"{name} holds {array.dtype}, need {dtype}")
    if array.shape != shape:
        raise ValueError(f"{name} has the shape {array.shape}, need {shape}")
    if not array.flags.c_contiguous or not array.flags.aligned:
        raise ValueError(f"{name} is not C-contiguous and aligned: numpy.ascontiguousarray makes a copy that is")
    if written and not array.flags.writeable:
        raise ValueError(f"{name} is read-only")
    return array


def _output(name, array, dtype, shape):
    return np.empty(shape, dtype) if array is None else _checked(name, array, dtype, shape, written=True)


def _split(name, array, axis):
    """The array's shape for C, and its dimensions without the class axis."""
    axis = operator.index(axis)
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

def _map(kernel):
    def function(x, out=None):
        dtype, _ = _dtype_of("x", x)
        _checked("x", x, x.dtype, x.shape)
        out = _output("out", out, x.dtype, x.shape)
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


def _row_map(kernel):
    def function(x, axis=-1, out=None):
        dtype, _ = _dtype_of("x", x)
        shape, _ = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape)
        out = _output("out", out, x.dtype, x.shape)
        _call(kernel, dtype, x, out, shape)
        return out
    return function


def _row_backward(kernel):
    def function(y, dy, axis=-1, out=None):
        dtype, _ = _dtype_of("y", y)
        shape, _ = _split("y", y, axis)
        _checked("y", y, y.dtype, y.shape)
        _checked("dy", dy, y.dtype, y.shape)
        out = _output("out", out, y.dtype, y.shape)
        _call(kernel, dtype, y, dy, out, shape)
        return out
    return function


def _row_fold(kernel):
    def function(x, axis=-1, out=None):
        dtype, result = _dtype_of("x", x)
        shape, rows = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape)
        out = _output("out", out, result, rows)
        _call(kernel, dtype, x, out, shape)
        return out
    return function


def _loss_of(kernel, ids, per_element):
    def function(x, target, axis=-1, *, reduction="mean", class_weight=None, pos_weight=None, label_smoothing=0.0,
                 ignore_index=None, upstream=None, safe_rows=False, empty_mean_zero=False, out=None, grad=None):
        dtype, loss = _dtype_of("x", x)
        shape, rows = _split("x", x, axis)
        _checked("x", x, x.dtype, x.shape)
        _checked("target", target, *((np.dtype(np.int64), rows) if ids else (x.dtype, x.shape)))
        if reduction not in _reductions:
            raise ValueError(f"reduction is {reduction!r}, need one of {', '.join(_reductions)}")
        losses = () if reduction != "none" else x.shape if per_element else rows

        if upstream is not None and not isinstance(upstream, np.ndarray):
            upstream = np.full(losses, upstream, loss)
        arrays = {"class_weight": (class_weight, (shape.classes,)), "pos_weight": (pos_weight, (shape.classes,)),
                  "upstream": (upstream, losses)}
        options = _LossOptions(
            reduction=_reductions.index(reduction), label_smoothing=label_smoothing,
            has_ignore_index=ignore_index is not None, ignore_index=ignore_index or 0,
            flags=_SAFE_ROWS * bool(safe_rows) | _EMPTY_MEAN_ZERO * bool(empty_mean_zero),
            **{name: _checked(name, array, loss, of_shape).ctypes.data
               for name, (array, of_shape) in arrays.items() if array is not None})

        result = _output("out", out, loss, losses)
        if grad is not None and grad is not False:
            grad = _output("grad", None if grad is True else grad, x.dtype, x.shape)
        else:
            grad = None
        _call(kernel, dtype, x, target, shape, options, result, grad)
        result = result[()] if out is None else out  # a mean or a sum is a number
        return result if grad is None else (result, grad)
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
        _call(kernel, dtype, x, out, x.size, stats)
        return out
    return function


_makers = {
    "MAP": _map,
    "MAP_BACKWARD": _map_backward,
    "ROW_MAP": _row_map,
    "ROW_BACKWARD": _row_backward,
    "ROW_FOLD": _row_fold,
    "CLASS_LOSS": lambda kernel: _loss_of(kernel, ids=True, per_element=False),
    "PROB_LOSS": lambda kernel: _loss_of(kernel, ids=False, per_element=False),
    "ELEMENT_LOSS": lambda kernel: _loss_of(kernel, ids=False, per_element=True),
    "STATS": _stats_of,
    "APPLY": _apply,
}
for _name, _signature in _kernels:
    _function = _makers[_signature](_name)
    _function.__name__ = _function.__qualname__ = _name
    _function.__doc__ = f"sl_{_name}_{{{','.join(_dtypes)}}} of softlane.h"
    globals()[_name] = _function


# --------------------------------------------------------------------------------------------------------------- variants

def isa(name=None):
    """The variant of that name, or the one in use: name, needs, fma. None when it cannot run here."""
    table = library.sl_isa(None if name is None else name.encode())
    return table.contents if table else None


def isas():
    """The names of all variants that softlane knows, best first."""
    return [library.sl_isa_name_at(i).decode() for i in range(library.sl_isa_count())]


def isa_why_not(name):
    """Why that variant cannot run here; None when it can."""
    reason = library.sl_isa_why_not(name.encode())
    return None if reason is None else reason.decode()


def isa_force(name):
    """Uses that variant from now on, in all threads; None: the best one again."""
    if not library.sl_isa_force(None if name is None else name.encode()):
        raise ValueError(f"{name}: {isa_why_not(name)}")


def set_cache_bytes(n):
    """What the last-level cache is taken to hold; 0: what the system says."""
    library.sl_set_cache_bytes(n)


def tune_load(path):
    """Uses the winners that softlane-tune wrote to that file; None: the automatic choice again."""
    status = library.sl_tune_load(None if path is None else os.fsencode(path))
    if status:
        raise Error("tune_load", status)
