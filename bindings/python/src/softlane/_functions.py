# SPDX-License-Identifier: MIT
"""The functions of kernels.def, one maker a signature: Python that takes every form of arguments and says what is wrong with others.

Where C has a fast path (module.c) that is what users see, and these are what it leaves the rest to. Both end in the same C function.
"""
import inspect
import math

import numpy as np

from . import _softlane, _documentation
from ._arguments import (EMPTY_MEAN_ZERO, ERR_OPTION, ERR_OVERLAP, ERR_TARGET, INT64_MAX, INT64_MIN, OK, SAFE_ROWS, SSIZE_MAX,
                         REDUCTIONS, Error, flag, integer, real, reduction as reduction_of)
from ._arrays import (check_plain, checked, class_ids, dtype_of, lay_out, limits, mask_fields, output, overlapping, split,
                      strides_of, wanted)
from ._statistics import RECORD, RowStats, Stats, record_of, records_of

SIGNATURES = {name: signature for name, signature, *_ in _softlane.kernels}
F32_ALONE = {name for name, _, bounds, *_ in _softlane.kernels if _documentation.is_f32_alone(bounds)}
_number_of = {name: number for number, name in enumerate(SIGNATURES)}


def _call(kernel, dtype, fields, names=(), targets="target", refused=None):
    """Runs it. `names`: what users call the fields x, other, second and saved_lse; `targets`: what a status about targets is about;
    `refused`: which options C refuses."""
    status = _softlane.call(_number_of[kernel], dtype, fields)
    if status == OK:
        return
    what = ""
    if status == ERR_OPTION and refused is not None:
        what = refused()
    elif status == ERR_TARGET:
        what = targets
    elif status == ERR_OVERLAP:
        names = dict(names)
        arrays = {names.get(field, field.rpartition(".")[2]): value for field, value in fields.items()
                  if isinstance(value, np.ndarray)}
        written = [names.get(field, field.rpartition(".")[2]) for field in ("out", "second", "loss.lse", "scores.lse")
                   if isinstance(fields.get(field), np.ndarray)]
        what = overlapping(arrays, written)
    raise Error(kernel, status, what)


def _refused_alone(kernel, dtype, options, common):
    """Which of these options C refuses: {what to call it: fields}. It is asked for each by itself, about no rows."""
    nothing = {"shape.outer": 0, "shape.classes": 1, "shape.inner": 1, **common}
    return ", ".join(name for name, fields in options.items()
                     if _softlane.call(_number_of[kernel], dtype, {**nothing, **fields}) == ERR_OPTION)


# --------------------------------------------------------------------------------------------------------- without options

def _map(kernel, wide=False):
    def function(x, out=None):
        dtype, loss = dtype_of("x", x)
        if kernel in F32_ALONE and x.dtype != np.float32:
            raise TypeError(f"x holds {x.dtype}, need float32")
        checked("x", x, x.dtype, x.shape)
        out = output("out", out, loss if wide else x.dtype, x.shape)
        _call(kernel, dtype, {"x": x, "out": out, "n": x.size})
        return out
    return function


def _map_backward(kernel):
    def function(a, dy, out=None):
        dtype, _ = dtype_of("a", a)
        checked("a", a, a.dtype, a.shape)
        checked("dy", dy, a.dtype, a.shape)
        out = output("out", out, a.dtype, a.shape)
        _call(kernel, dtype, {"x": a, "other": dy, "out": out, "n": a.size}, {"x": "a", "other": "dy"})
        return out
    return function


def _row_map(kernel, wide=False):
    def function(x, axis=-1, out=None):
        dtype, loss = dtype_of("x", x)
        shape, axis, _ = split("x", x, axis)
        checked("x", x, x.dtype, x.shape, axis=axis)
        out = output("out", out, loss if wide else x.dtype, x.shape, axis)
        _call(kernel, dtype, {"x": x, "out": out, **shape, **lay_out(axis, out, x=x)})
        return out

    def with_options(x, axis=-1, out=None, **options):
        return public[f"{kernel}_with"](x, axis, out, **options) if options else function(x, axis, out)

    if SIGNATURES.get(f"{kernel}_with") != "ROW_OPTIONS":
        return function
    with_options.__signature__ = inspect.signature(_row_options(kernel))
    return with_options


def _row_backward(kernel):
    def function(y, dy, axis=-1, out=None):
        dtype, _ = dtype_of("y", y)
        shape, axis, _ = split("y", y, axis)
        checked("y", y, y.dtype, y.shape, axis=axis)
        checked("dy", dy, y.dtype, y.shape, axis=axis)
        out = output("out", out, y.dtype, y.shape, axis)
        _call(kernel, dtype, {"x": y, "other": dy, "out": out, **shape, **lay_out(axis, out, y=y, dy=dy)},
              {"x": "y", "other": "dy"})
        return out
    return function


def _row_fold(kernel):
    def function(x, axis=-1, out=None, *, keepdims=False):
        dtype, result = dtype_of("x", x)
        shape, axis, rows = split("x", x, axis)
        checked("x", x, x.dtype, x.shape, axis=axis)
        if flag("keepdims", keepdims):
            rows = (*x.shape[:axis], 1, *x.shape[axis + 1:])
        out = output("out", out, result, rows)
        _call(kernel, dtype, {"x": x, "out": out, **shape, **lay_out(axis, None, x=x)})
        return out
    return function


# ------------------------------------------------------------------------------------------------------- softmax of scores

def _row_options(kernel):
    def function(x, axis=-1, out=None, *, scale=1.0, softcap=0.0, mask=None, slope=1.0, first=None, length=None, sink=None,
                 lse=False, safe_rows=False):
        dtype, loss = dtype_of("x", x)
        shape, axis, rows = split("x", x, axis)
        checked("x", x, x.dtype, x.shape, axis=axis)
        reals = {name: real(name, value) for name, value in (("scale", scale), ("softcap", softcap), ("slope", slope))}
        for name in "scale", "slope":
            if reals[name] == 0:
                raise ValueError(f"{name} is 0")
        fields = {f"scores.{name}": value for name, value in reals.items()}
        fields.update({f"scores.{name}": limits(name, array, rows) for name, array in (("first", first), ("length", length))
                       if array is not None})
        if mask is not None:
            fields.update(mask_fields(mask, x.shape, axis))
        if sink is not None:
            fields["scores.sink"] = checked("sink", sink, loss, rows)
        lse = wanted("lse", lse, loss, rows)
        if lse is not None:
            fields["scores.lse"] = lse
        fields["scores.flags"] = SAFE_ROWS * flag("safe_rows", safe_rows)
        out = output("out", out, x.dtype, x.shape, axis)

        def refused():
            alone = {f"{name}={value:g}": {f"scores.{name}": value} for name, value in reals.items()}
            alone["mask"] = {name: value for name, value in fields.items() if name.startswith("scores.mask")}
            if strides_of(x, axis)[1] > 1 or shape["shape.inner"] != 1:
                return f"axis={axis}, which is not the last one"
            both = {f"scale={reals['scale']:g}, softcap={reals['softcap']:g}": {f"scores.{n}": reals[n] for n in ("scale", "softcap")}}
            return _refused_alone(kernel, dtype, alone, {}) or _refused_alone(kernel, dtype, both, {}) or "first, length"

        _call(kernel, dtype, {"x": x, "out": out, **shape, **lay_out(axis, out, x=x), **fields}, refused=refused)
        return out if lse is None else (out, lse)
    return function


# ------------------------------------------------------------------------------------------------------------------ losses

def _upstream(value, loss, losses):
    """An array, as it is; a number as one for all losses."""
    if isinstance(value, np.ndarray):
        return value
    with np.errstate(over="ignore"):
        number = loss.type(real("upstream", value))
    if np.isinf(number) and not math.isinf(value):
        raise ValueError(f"upstream is {value}, which {loss} does not hold")
    return np.full(losses, number, loss)


def _loss_options(loss, losses, classes, reduction, *, class_weight=None, pos_weight=None, label_smoothing=0.0, ignore_index=None,
                  upstream=None, safe_rows=False, empty_mean_zero=False, z_loss=0.0, softcap=0.0, divisor=0.0):
    """As C takes them."""
    if upstream is not None:
        upstream = _upstream(upstream, loss, losses)
    arrays = {"class_weight": (class_weight, (classes,)), "pos_weight": (pos_weight, (classes,)), "upstream": (upstream, losses)}
    fields = {
        "reduction": reduction,
        "label_smoothing": real("label_smoothing", label_smoothing),
        "has_ignore_index": ignore_index is not None,
        "ignore_index": 0 if ignore_index is None else integer("ignore_index", ignore_index, INT64_MIN, INT64_MAX),
        "flags": SAFE_ROWS * flag("safe_rows", safe_rows) | EMPTY_MEAN_ZERO * flag("empty_mean_zero", empty_mean_zero),
        "z_loss": real("z_loss", z_loss), "softcap": real("softcap", softcap), "divisor": real("divisor", divisor),
        **{name: checked(name, array, loss, of_shape) for name, (array, of_shape) in arrays.items() if array is not None}}
    return {f"loss.{name}": value for name, value in fields.items()}


_loss_keywords = [p for p in inspect.signature(_loss_options).parameters.values() if p.kind is p.KEYWORD_ONLY]


def _refused_loss_options(kernel, dtype, fields):
    """Which of these options, and their values."""
    options = {name[5:]: value for name, value in fields.items() if name.startswith("loss.")}
    divisor, flags = options["divisor"], options["flags"]
    alone = {name: {f"loss.{name}": options[name]} for name in ("pos_weight", "lse") if options.get(name) is not None}
    alone.update({f"{name}={options[name]:g}": {f"loss.{name}": options[name]}
                  for name in ("label_smoothing", "z_loss", "softcap") if options[name]})
    alone["ignore_index"] = {f"loss.{name}": options[name] for name in ("has_ignore_index", "ignore_index")}
    alone["safe_rows"] = {"loss.flags": flags & SAFE_ROWS}
    alone["empty_mean_zero"] = {"loss.flags": flags & EMPTY_MEAN_ZERO}
    alone[f"divisor={divisor:g}"] = {"loss.divisor": divisor, "loss.reduction": REDUCTIONS.index("mean")}
    common = {"loss.reduction": REDUCTIONS.index("sum"), "shard.classes": 1}
    if SIGNATURES[kernel].endswith("LOSS"):
        common["out"] = np.empty(1, np.float64)
    refused = _refused_alone(kernel, dtype, alone, common)
    if divisor and options["reduction"] != REDUCTIONS.index("mean"):
        refused += ", " * bool(refused) + "divisor, which only a mean has"
    return refused


def _with_keywords(function):
    """Its signature with the options of losses in the place of its **options, which can be no others."""
    parameters = [p for p in inspect.signature(function).parameters.values() if p.kind is not p.VAR_KEYWORD]
    function.__signature__ = inspect.Signature(parameters + _loss_keywords)
    return function


def _check_keywords(kernel, options):
    for name in options.keys() - {p.name for p in _loss_keywords}:
        raise TypeError(f"{kernel}() got an unexpected keyword argument '{name}'")


def _loss_of(kernel, ids, per_element):
    def function(x, target, axis=-1, *, reduction="mean", out=None, grad=None, lse=None, **options):
        _check_keywords(kernel, options)
        dtype, loss = dtype_of("x", x)
        shape, axis, rows = split("x", x, axis)
        checked("x", x, x.dtype, x.shape, axis=axis)
        target = class_ids("target", target, rows) if ids else checked("target", target, x.dtype, x.shape, axis=axis)
        number = reduction_of(reduction)
        losses = () if reduction != "none" else x.shape if per_element else rows
        fields = _loss_options(loss, losses, shape["shape.classes"], number, **options)
        result = output("out", out, loss, losses)
        grad = wanted("grad", grad, x.dtype, x.shape, axis)
        lse = wanted("lse", lse, loss, rows)
        fields["loss.lse"] = lse
        strides = lay_out(axis, grad, **({"x": x} if ids else {"x": x, "target": target}))
        _call(kernel, dtype, {"x": x, "other": target, "out": result, "second": grad, **shape, **strides, **fields},
              {"other": "target", "second": "grad"}, "target" if SIGNATURES[kernel] == "CLASS_LOSS" else "x",
              lambda: _refused_loss_options(kernel, dtype, fields))
        result = result[()] if out is None else out  # a mean or a sum is a number
        more = [array for array in (grad, lse) if array is not None]
        return (result, *more) if more else result
    return _with_keywords(function)


def _class_grad(kernel):
    def function(x, target, lse, axis=-1, *, reduction="mean", out=None, **options):
        _check_keywords(kernel, options)
        dtype, loss = dtype_of("x", x)
        shape, axis, rows = split("x", x, axis)
        checked("x", x, x.dtype, x.shape, axis=axis)
        target, lse = class_ids("target", target, rows), checked("lse", lse, loss, rows)
        number = reduction_of(reduction)
        fields = _loss_options(loss, rows if reduction == "none" else (), shape["shape.classes"], number, **options)
        out = output("out", out, x.dtype, x.shape, axis)
        _call(kernel, dtype, {"x": x, "other": target, "saved_lse": lse, "out": out, **shape, **lay_out(axis, out, x=x), **fields},
              {"other": "target", "saved_lse": "lse"}, refused=lambda: _refused_loss_options(kernel, dtype, fields))
        return out
    return _with_keywords(function)


def _shard_grad(kernel):
    def function(x, target, stats, first, classes, *, reduction="mean", out=None, **options):
        _check_keywords(kernel, options)
        dtype, loss = dtype_of("x", x)
        shape, axis, rows = split("x", x, -1)
        checked("x", x, x.dtype, x.shape, axis=axis)
        target = class_ids("target", target, rows)
        first, classes = integer("first", first, 0, SSIZE_MAX), integer("classes", classes, 0, SSIZE_MAX)
        records = records_of("stats", stats, shape["shape.outer"])
        end = first + shape["shape.classes"]
        if end > classes:
            raise ValueError(f"classes {first} to {end} are no shard of {classes}")
        number = reduction_of(reduction)
        fields = _loss_options(loss, rows if reduction == "none" else (), classes, number, **options)
        out = output("out", out, x.dtype, x.shape, axis)
        _call(kernel, dtype, {"x": x, "other": target, "stats": records, "out": out, "shard.first": first, "shard.classes": classes,
                              **shape, **lay_out(axis, out, x=x), **fields},
              {"other": "target"}, refused=lambda: _refused_loss_options(kernel, dtype, fields))
        return out
    return _with_keywords(function)


# ---------------------------------------------------------------------------------------------- statistics, chosen classes

def _stats_of(kernel):
    def function(x):
        dtype, _ = dtype_of("x", x)
        checked("x", x, x.dtype, x.shape)
        stats = Stats()
        _call(kernel, dtype, {"x": x, "n": x.size, "stats": stats._record})
        return stats
    return function


def _apply(kernel):
    def function(x, stats, out=None):
        dtype, _ = dtype_of("x", x)
        checked("x", x, x.dtype, x.shape)
        out = output("out", out, x.dtype, x.shape)
        _call(kernel, dtype, {"x": x, "out": out, "n": x.size, "stats": record_of("stats", stats)})
        return out
    return function


def _rows_of(x):
    """Its element type and that of its losses, the fields of its rows, and its dimensions without the class axis, which is the last."""
    dtype, loss = dtype_of("x", x)
    shape, axis, rows = split("x", x, -1)
    checked("x", x, x.dtype, x.shape, axis=axis)
    return dtype, loss, {"x": x, **shape, **lay_out(axis, None, x=x)}, rows


def _stats_of_rows(kernel):
    def function(x, target=None):
        dtype, _, fields, rows = _rows_of(x)
        if target is not None:
            fields["other"] = class_ids("target", target, rows)
        records = np.empty(fields["shape.outer"], RECORD)
        _call(kernel, dtype, {**fields, "stats": records})
        return RowStats(records)
    return function


def _at(kernel):
    def function(x, ids, out=None):
        dtype, loss, fields, rows = _rows_of(x)
        check_plain("ids", ids)
        k = ids.shape[-1] if ids.ndim else 0
        ids = class_ids("ids", ids, (*rows, k))
        out = output("out", out, loss, (*rows, k))
        _call(kernel, dtype, {**fields, "other": ids, "n": k, "out": out}, {"other": "ids"}, "ids")
        return out
    return function


def _top(kernel):
    def function(x, k, out=None, ids=None):
        dtype, loss, fields, rows = _rows_of(x)
        k = integer("k", k, 0, fields["shape.classes"])
        out = output("out", out, loss, (*rows, k))
        ids = output("ids", ids, np.dtype(np.int64), (*rows, k))
        _call(kernel, dtype, {**fields, "n": k, "out": out, "second": ids}, {"second": "ids"})
        return out, ids
    return function


# ---------------------------------------------------------------------------------------------------------- all of the above

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


def _make(number, name, signature, bounds, is_fast):
    """The function that users see, and the one in Python."""
    function = _makers[signature](name)
    function.__name__ = function.__qualname__ = name
    function.__module__ = "softlane"
    function.__doc__ = _documentation.of(name, signature, bounds)
    if not is_fast:
        return function, function
    declared = f"{name}($module, {str(inspect.signature(function))[1:]}\n--\n\n"
    return _softlane.bind(number, function, (declared + function.__doc__).encode()), function


public, in_python = {}, {}
for _number, (_name, *_more) in enumerate(_softlane.kernels):
    public[_name], in_python[_name] = _make(_number, _name, *_more)
