# SPDX-License-Identifier: MIT
"""Statistics of rows, or of parts of them, in the bytes that C has them in."""
import collections.abc

import numpy as np

from . import _softlane
from ._arguments import Error, OK, integer, real

# sl_stats. What comes behind `count` are its exact sums, which are C's own.
RECORD = np.dtype([(name, np.float64) for name in ("max", "rest", "target", "logits")] + [("count", np.uint64)] +
                  [("exact", np.int64, 12)])
assert RECORD.itemsize == _softlane.stats_bytes, "softlane.h has changed"


def _member(name, text):
    def assign(self, value):
        self._record[name] = real(name, value)

    return property(lambda self: self._record[name][0].item(), assign if name == "target" else None, doc=text)


class Stats:
    """Statistics of a part of a row, from softmax_stats; Stats() are those of nothing.

    Statistics of the parts of a row, merged in any order, are those of the row, to the last bit. `target` may be assigned: the
    logit of the target's class, in the part that holds it.

        >>> import numpy as np, softlane
        >>> row = np.float32([2, 1, 0, -1])
        >>> whole = softlane.softmax_stats(row[:1])
        >>> whole.merge(softlane.softmax_stats(row[1:]))
        >>> whole.target = row[0]
        >>> whole.count, round(whole.logsumexp(), 4), round(whole.cross_entropy(), 4)
        (4, 2.4402, 0.4402)
    """
    __slots__ = ("_record",)

    def __init__(self):
        object.__setattr__(self, "_record", np.empty(1, RECORD))
        _softlane.stats_empty(self._record)

    @classmethod
    def _of(cls, record):
        stats = object.__new__(cls)
        object.__setattr__(stats, "_record", record)
        return stats

    max = _member("max", "The largest logit; -inf of nothing; NaN where there was a NaN or a +inf.")
    rest = _member("rest", "The sum of exp(x - max) without one maximum.")
    target = _member("target", "The logit of the target's class; 0 until it is set.")
    logits = _member("logits", "The sum of the logits.")
    count = _member("count", "How many logits.")

    def __setattr__(self, name, value):
        if name != "target":
            raise AttributeError(f"{name} of statistics is not to be assigned: only target is")
        super().__setattr__(name, value)

    def __repr__(self):
        return f"Stats(count={self.count}, max={self.max}, logsumexp={self.logsumexp()})"

    def __bytes__(self):
        return self._record.tobytes()

    def __reduce__(self):
        return _of_bytes, (bytes(self),)

    def merge(self, other):
        """Makes these the statistics of both parts. Exact: the order does not matter."""
        _softlane.stats_merge(self._record, record_of("other", other))

    def logsumexp(self):
        """log(sum(exp(x))) of all logits: a float; -inf of nothing."""
        return _softlane.stats_logsumexp(self._record)

    def pack(self, size=40):
        """As bytes that mean the same on any machine: 40 without logits, or 48, of what softmax_stats has given; 128 of any
        statistics. Error: they do not fit into so many."""
        packed = _softlane.stats_pack(self._record, integer("size", size, 1, 128))
        if isinstance(packed, int):
            raise Error("stats_pack", packed, "size")
        return packed

    @staticmethod
    def unpack(packed):
        """Statistics of what pack has given. Error: it is something else, or damaged."""
        if not isinstance(packed, (bytes, bytearray, memoryview)):
            raise TypeError(f"packed is a {type(packed).__name__}, need bytes")
        stats = Stats()
        status = _softlane.stats_unpack(bytes(packed), stats._record)
        if status != OK:
            raise Error("stats_unpack", status, "packed")
        return stats

    def cross_entropy(self, label_smoothing=0.0):
        """Of the class whose logit was assigned to `target`: a float."""
        smoothing = real("label_smoothing", label_smoothing)
        if not 0 <= smoothing <= 1:
            raise ValueError(f"label_smoothing is {smoothing}, need a number from 0 to 1")
        return _softlane.stats_cross_entropy(self._record, smoothing)


Stats.__module__ = "softlane"


def _of_bytes(packed):
    return Stats._of(np.frombuffer(packed, RECORD, 1).copy())


class RowStats(collections.abc.Sequence):
    """Statistics of rows, from softmax_stats_rows: a sequence of Stats, which are those of this sequence, no copies."""
    __slots__ = ("_records",)

    def __init__(self, records):
        self._records = records

    def __len__(self):
        return len(self._records)

    def __getitem__(self, i):
        if isinstance(i, slice):
            return RowStats(self._records[i])
        i = range(len(self))[i]
        return Stats._of(self._records[i:i + 1])


RowStats.__module__ = "softlane"


def record_of(name, value):
    if not isinstance(value, Stats):
        raise TypeError(f"{name} is a {type(value).__name__}, need softlane.Stats")
    return value._record


def records_of(name, values, count):
    """Those of so many rows, one behind the other."""
    if isinstance(values, RowStats):
        records = np.ascontiguousarray(values._records)
    elif isinstance(values, collections.abc.Iterable):
        each = [record_of(name, one) for one in values]
        records = np.concatenate(each) if each else np.empty(0, RECORD)
    else:
        raise TypeError(f"{name} is a {type(values).__name__}, need a sequence of softlane.Stats")
    if len(records) != count:
        raise ValueError(f"{name} has {len(records)} of them, need {count}: one for each row")
    return records
