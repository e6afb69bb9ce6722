# SPDX-License-Identifier: MIT
"""Arguments that are no arrays: what C would take without a question is looked at here; and the exception for the rest."""
import numbers
import operator

import numpy as np

from . import _softlane

INT64_MIN, INT64_MAX = -2**63, 2**63 - 1
SSIZE_MAX = np.iinfo(np.intp).max
SIZE_MAX = 2 * SSIZE_MAX + 1
SAFE_ROWS, EMPTY_MEAN_ZERO = 1, 2
OK, ERR_TARGET, ERR_OPTION, ERR_OVERLAP = 0, 3, 4, 5
REDUCTIONS = ("mean", "sum", "none")


class Error(ValueError):
    """A call that the library refused; nothing was written.

    `function` is its name, `status` softlane.h's number of the reason, `what` the arguments that it is about, as far as that is known.
    """

    def __init__(self, function, status, what=""):
        super().__init__(f"{function}: {_softlane.status_string(status)}{': ' if what else ''}{what}")
        self.function, self.status, self.what = function, status, what

    def __reduce__(self):
        return Error, (self.function, self.status, self.what)


Error.__module__ = "softlane"


def integer(name, value, least, most):
    if isinstance(value, (bool, np.bool_, np.ndarray)) or not hasattr(value, "__index__"):
        raise TypeError(f"{name} is a {type(value).__name__}, need an integer")
    value = operator.index(value)
    if not least <= value <= most:
        raise ValueError(f"{name} is {value}, need an integer from {least} to {most}")
    return value


def real(name, value):
    if isinstance(value, bool) or not isinstance(value, numbers.Real):
        raise TypeError(f"{name} is a {type(value).__name__}, need a number")
    try:
        return float(value)
    except OverflowError:
        raise ValueError(f"{name} is {value}, which float64 does not hold") from None


def flag(name, value):
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is a {type(value).__name__}, need True or False")
    return bool(value)


def text(name, value):
    """For C, where it ends at a zero byte."""
    if not isinstance(value, str):
        raise TypeError(f"{name} is a {type(value).__name__}, need a string")
    return without_zero(name, value)


def without_zero(name, value):
    if ("\0" if isinstance(value, str) else b"\0") in value:
        raise ValueError(f"{name} holds a zero byte")
    return value


def reduction(value):
    """Its number in C."""
    if not isinstance(value, str) or value not in REDUCTIONS:
        raise ValueError(f"reduction is {repr(value) if isinstance(value, str) else f'a {type(value).__name__}'}, need one of "
                         f"{', '.join(REDUCTIONS)}")
    return REDUCTIONS.index(value)
