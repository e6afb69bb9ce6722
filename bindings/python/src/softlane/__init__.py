# SPDX-License-Identifier: MIT
"""softmax, sigmoid and the losses that belong to them on NumPy arrays, by SIMD kernels with error bounds.

    >>> import numpy as np, softlane
    >>> logits = np.float32([[2, 1, 0], [-1, 4, 1]])
    >>> p = softlane.softmax(logits)                                    # a new array
    >>> q = softlane.softmax(logits, axis=0, out=p)                     # into an array: q is p
    >>> y, lse = softlane.softmax(logits, scale=0.5, lse=True)          # scores; log-sum-exps
    >>> loss, gradient = softlane.cross_entropy(logits, np.array([0, 1]), grad=True, label_smoothing=0.1)
    >>> print(f"{loss:.4f}")
    0.4146

Elements are float32, float64, float16, or bfloat16: ml_dtypes.bfloat16, or uint16 arrays of its bits. `axis` is that of
the classes. Arrays must be C-contiguous, plain (no masked arrays) and of the right type: others are refused, since to
convert them is to copy them. What C has strides for may be a slice that they describe: rows, and their masks, of a padded
matrix (logits[:, :50257]), a class axis of a part of an image. Two inputs must then lie alike; a mask has a pitch of its own, or is
one row that is broadcast. Class ids and limits may be of any integer type: if it is not C's they are copied.

A call that the library refuses raises softlane.Error; what it leaves to C, shapes and types, ValueError and TypeError. The
global interpreter lock is released while a kernel runs, but for calls of less than a microsecond. Formulas, special values and error
bounds are in softlane.h.
"""
from . import _functions, _softlane
from ._arguments import Error
from ._statistics import RowStats, Stats
from ._variants import Isa, cache_bytes, isa, isa_force, isa_why_not, isas, set_cache_bytes, tune_load

__version__ = _softlane.version
globals().update(_functions.public)
__all__ = ["Error", "Isa", "RowStats", "Stats", "cache_bytes", "isa", "isa_force", "isa_why_not", "isas", "set_cache_bytes",
           "tune_load", *_functions.public]
