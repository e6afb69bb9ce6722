# SPDX-License-Identifier: MIT
"""Which variant runs, and how large the last-level cache is taken to be."""
import os
import typing

from . import _softlane
from ._arguments import OK, SIZE_MAX, Error, integer, text, without_zero


class Isa(typing.NamedTuple):
    """A variant: its name, the features of the CPU that it needs, and whether it is of the class of bits with FMA."""
    name: str
    needs: str
    fma: bool


def isa(name=None):
    """The variant of that name, or the one in use: an Isa. None when it cannot run here."""
    found = _softlane.isa(None if name is None else text("name", name))
    return None if found is None else Isa(*found)


def isas():
    """The names of all variants that softlane knows, best first."""
    return _softlane.isas()


def isa_why_not(name):
    """Why that variant cannot run here, as a string; None when it can."""
    return _softlane.isa_why_not(text("name", name))


def isa_force(name):
    """Uses that variant from now on, in all threads; None: the best one again. ValueError: it cannot run here."""
    if not _softlane.isa_force(None if name is None else text("name", name)):
        raise ValueError(f"{name}: {isa_why_not(name)}")


def cache_bytes():
    """What the last-level cache is taken to hold, in bytes."""
    return _softlane.cache_bytes()


def set_cache_bytes(n):
    """What the last-level cache is taken to hold, from now on; 0: what the system says. Changes speed only."""
    _softlane.set_cache_bytes(integer("n", n, 0, SIZE_MAX))


def tune_load(path):
    """Uses the winners that softlane-tune wrote to that file; None: the automatic choice again. Error: no such file, or
    one of another version or machine."""
    status = _softlane.tune_load(None if path is None else without_zero("path", os.fsencode(path)))
    if status != OK:
        raise Error("tune_load", status, "path")


for _public in Isa, isa, isas, isa_why_not, isa_force, cache_bytes, set_cache_bytes, tune_load:
    _public.__module__ = "softlane"
