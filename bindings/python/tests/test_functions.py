# SPDX-License-Identifier: MIT
"""The functions on NumPy arrays: PyTorch's cases (tests/data) through them, by all their names and options; arrays are used in
place, or refused."""
import math
import os
import pathlib
import pickle
import re
import sys
import unittest
import unittest.mock

import numpy as np

import softlane as sl
from softlane import _functions

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "scripts"))


def bf16(values):
    """Their bits, rounded to nearest even; NaN stays one."""
    bits = np.asarray(values, np.float64).astype(np.float32).view(np.uint32).astype(np.uint64)
    return np.where(bits & 0x7FFFFFFF > 0x7F800000, 0x7FC0, (bits + 0x7FFF + (bits >> 16 & 1)) >> 16).astype(np.uint16)


def values(array):
    """As float64, exactly."""
    if array.dtype == np.uint16:
        return (array.astype(np.uint32) << 16).view(np.float32).astype(np.float64)
    return np.asarray(array, np.float64)


# Element type, how to store it, its losses, and how near PyTorch's float64 a result must be: relative to it, and absolute.
# This is no test of accuracy.
TYPES = {
    "f32": (np.float32, np.float32, 1e-6, 1e-6),
    "f64": (np.float64, np.float64, 1e-13, 1e-13),
    "f16": (np.float16, np.float32, 1e-3, 1e-6),
    "bf16": (bf16, np.float32, 4e-3, 1e-6),
}
RANGE = {"f32": 3.4e38, "f64": 1.8e308, "f16": 65504, "bf16": 3.38e38}


def store(dtype, numbers, shape):
    with np.errstate(over="ignore"):
        return np.ascontiguousarray(TYPES[dtype][0](numbers).reshape(shape))


def torch_cases():
    """Title, kernel, shape, options, lines of numbers."""
    case = None
    for line in (ROOT / "tests" / "data" / "torch_cases.txt").read_text().splitlines():
        name, _, rest = line.partition(" ")
        if name == "case":
            if case:
                yield case
            kernel, shape, *options = rest.split()
            case = (rest, kernel, tuple(map(int, shape.split("x"))), dict(o.split("=") for o in options), {})
        elif name != "#":
            case[4][name] = rest if name == "differs" else np.array([float(v) for v in rest.split()])
    yield case


SIGNATURES = _functions.SIGNATURES


def row_options(dtype, rows, options, lines):
    """Of softmax_with, as keywords."""
    keywords = {name: float(options[name]) for name in ("scale", "softcap", "slope") if name in options}
    keywords |= {name: lines[name].astype(np.int64) for name in ("first", "length") if name in lines}
    if "mask" in lines:
        mask = lines["mask"] != 0 if options["mask"] == "bool" else store(options["mask"], lines["mask"], -1)
        keywords["mask"] = mask if len(mask) == len(lines["x"]) // max(rows, 1) else mask.reshape(rows, -1)
    if "sink" in lines:
        keywords["sink"] = lines["sink"].astype(TYPES[dtype][1])
    return keywords


def call(dtype, kernel, shape, options, lines):
    """A case's results by the module, under the names of PyTorch's lines."""
    outer, classes, inner = shape
    signature = SIGNATURES[kernel]
    function = getattr(sl, kernel)
    x = store(dtype, lines["x"], shape)
    if signature in ("STATS", "APPLY"):  # of one row
        rows = np.ascontiguousarray(np.moveaxis(x, 1, 2)).reshape(outer * inner, classes)
        of_rows = [sl.Stats() for _ in rows]
        for row, stats in zip(rows, of_rows):
            for part in np.array_split(row, 3):
                stats.merge(sl.softmax_stats(part))
        if signature == "STATS":
            return {"result": np.array([stats.logsumexp() for stats in of_rows])}
        applied = np.array([function(row, stats) for row, stats in zip(rows, of_rows)], x.dtype)
        return {"result": np.moveaxis(applied.reshape(outer, inner, classes), 2, 1)}
    if signature in ("STATS_ROWS", "ROW_AT", "ROW_TOP"):
        rows = x.reshape(outer, classes)
        if signature == "STATS_ROWS":
            return {"result": np.array([stats.logsumexp() for stats in function(rows)])}
        if signature == "ROW_AT":
            return {"result": function(rows, lines["ids"].astype(np.int64).reshape(outer, -1))}
        return {"result": function(rows, min(40, classes))[0]}
    if signature == "ROW_OPTIONS":
        return dict(zip(("result", "lse"), function(x.reshape(outer, classes), lse=True, **row_options(dtype, outer, options, lines))))
    if not signature.endswith("LOSS"):
        arguments = [x, store(dtype, lines["dy"], shape)] if signature.endswith("BACKWARD") else [x]
        return {"result": function(*arguments, **({"axis": 1} if signature.startswith("ROW") else {}))}

    loss = TYPES[dtype][1]
    reduction = options["reduction"]
    keywords = {"reduction": reduction, "axis": -2, "grad": True}
    if "smoothing" in options:
        keywords["label_smoothing"] = float(options["smoothing"])
    if "ignore" in options:
        keywords["ignore_index"] = int(options["ignore"])
    for keyword, line in ("class_weight", "weight"), ("pos_weight", "pos_weight"):
        if line in lines:
            keywords[keyword] = lines[line].astype(loss)
    if "upstream" in lines:
        one_each = shape if signature == "ELEMENT_LOSS" else (outer, inner)
        keywords["upstream"] = (lines["upstream"].astype(loss).reshape(one_each) if reduction == "none"
                                else float(lines["upstream"][0]))
    target = (lines["target"].astype(np.int64).reshape(outer, inner) if signature == "CLASS_LOSS"
              else store(dtype, lines["target"], shape))
    return dict(zip(("result", "gradient"), function(x, target, **keywords)))


class Functions(unittest.TestCase):
    def test_all_functions_are_there(self):
        """Those of softlane.h, but for what Python says otherwise."""
        otherwise = {"f32_of_bf16": "ml_dtypes", "f32_of_f16": "numpy", "bf16_of_f32": "ml_dtypes", "f16_of_f32": "numpy", "rows": "axis=",
                     "axis": "axis=", "status_string": "Error", "loss_defaults": "keywords", "stats_empty": "Stats()",
                     "isa_count": "isas()", "isa_name_at": "isas()", "isa_available": "isa_why_not()"}
        header = (ROOT / "include" / "softlane.h").read_text()
        names = set(re.findall(r"^SOFTLANE_API [^(]*?sl_(\w+)\(", header, re.MULTILINE))
        names = {re.sub("_(f32|f64|bf16|f16)$", "", name) if name not in otherwise else name for name in names}
        self.assertLess(set(otherwise), names)
        for name in names - set(otherwise):
            of = sl.Stats if name.startswith("stats_") else sl
            self.assertTrue(callable(getattr(of, name.removeprefix("stats_"))), name)
        self.assertEqual(set(sl.__all__) - set(dir(sl)), set())
        self.assertEqual({name for name in vars(sl) if not name.startswith("_")}, set(sl.__all__))

    def test_variant(self):
        self.assertEqual(sl.isa().name, os.environ.get("SOFTLANE_EXPECT_ISA", sl.isa().name))
        print(f"ISA in use: {sl.isa().name}")

    def test_results_are_pytorchs(self):
        compared = dict.fromkeys(TYPES, 0)
        for title, kernel, shape, options, lines in torch_cases():
            for dtype, (_, _, relative, absolute) in TYPES.items():
                inputs = [lines[k] for k in ("x", "dy", "target") if k in lines]
                if not all(np.array_equal(values(store(dtype, i, -1)), i, equal_nan=True) for i in inputs):
                    continue  # the type does not hold them
                if SIGNATURES[kernel] == "ROW_OPTIONS":  # scores have errors of their own
                    relative, absolute = 8 * relative, 8 * absolute
                for name, got in call(dtype, kernel, shape, options, lines).items():
                    want = lines.get(f"softlane_{name}", lines[name])
                    got = values(got).ravel()
                    with np.errstate(invalid="ignore"):
                        near = np.abs(got - want) <= relative * np.abs(want) + absolute
                    too_large = np.isinf(got) & (np.abs(want) > RANGE[dtype])
                    same = (got == want) | (np.isnan(got) & np.isnan(want))
                    self.assertTrue(np.all(near | same | too_large), f"{dtype}: {title}: {name}\n{got}\n{want}")
                    compared[dtype] += got.size
        print("compared with PyTorch:", compared)
        self.assertGreater(min(compared.values()), 1000)

    def test_outputs_are_written_in_place(self):
        x = np.random.default_rng(1).normal(size=(4, 7, 3)).astype(np.float32)
        for axis in range(3):
            p, y = sl.softmax(x, axis=axis), x.copy()
            self.assertIs(sl.softmax(y, axis=axis, out=y), y)
            self.assertEqual(y.tobytes(), p.tobytes())
            np.testing.assert_allclose(p.sum(axis=axis), 1, rtol=1e-6)
        out = np.empty((4, 3), np.float32)
        self.assertIs(sl.logsumexp(x, axis=1, out=out), out)
        np.testing.assert_allclose(out, np.log(np.exp(x.astype(np.float64)).sum(axis=1)), rtol=1e-6)
        target = np.zeros((4, 3), np.int64)
        loss, gradient = sl.cross_entropy(x, target, axis=1, grad=True)
        y, total = x.copy(), np.empty((), np.float32)
        got = sl.cross_entropy(y, target, axis=1, out=total, grad=y)
        self.assertIs(got[0], total)
        self.assertIs(got[1], y)
        self.assertEqual((total[()], y.tobytes()), (loss, gradient.tobytes()))
        self.assertEqual(sl.cross_entropy(x, target, axis=1), loss)

    def test_options_of_softmax(self):
        random = np.random.default_rng(2)
        x, mask = random.normal(size=(2, 5, 7)), random.normal(size=(2, 5, 7))
        keep, sink = random.random((2, 5, 7)) < 0.7, random.normal(size=(2, 5))
        first, length = np.minimum(np.arange(5), 3) * np.ones((2, 1), int), np.full((2, 5), 4)
        inside = (np.arange(7) >= first[..., None]) & (np.arange(7) < (first + length)[..., None])
        for dtype, (_, loss, relative, absolute) in TYPES.items():
            stored = store(dtype, x, x.shape)
            exact, s = values(stored), loss(sink)
            cases = (
                ({}, exact),
                ({"scale": 0.5, "mask": np.float32(mask), "slope": 2.0}, 0.5 * exact + 2 * np.float32(mask)),
                ({"mask": np.float16(mask)}, exact + np.float16(mask)),
                ({"mask": bf16(mask)}, exact + values(bf16(mask))),
                ({"mask": np.float32(mask[0, 0])}, exact + np.float32(mask[0, 0])),
                ({"mask": keep, "safe_rows": True}, np.where(keep, exact, -np.inf)),
                ({"softcap": 2.0, "scale": 3.0}, 2 * np.tanh(1.5 * exact)),
                ({"first": first, "length": length}, np.where(inside, exact, -np.inf)),
                ({"sink": s, "lse": True}, exact),
            )
            for options, z in cases:
                e = np.exp(z)
                total = e.sum(axis=-1) + (np.exp(np.float64(s)) if "sink" in options else 0)
                got = sl.softmax(stored, **options) if options else sl.softmax_with(stored)
                if "lse" in options:
                    got, lse = got
                    np.testing.assert_allclose(lse, np.log(total), rtol=1e-5, atol=1e-6)
                with np.errstate(invalid="ignore", divide="ignore"):
                    want = np.where(total[..., None] > 0, e / total[..., None], 0)
                    want_log = z - np.log(total)[..., None]
                np.testing.assert_allclose(values(got), want, rtol=4 * relative, atol=4 * absolute, err_msg=str(options))
                logs = sl.log_softmax(stored, **options) if options else sl.log_softmax_with(stored)
                logs = values(logs[0] if "lse" in options else logs)
                np.testing.assert_allclose(np.exp(logs), want, rtol=0.02, atol=1e-3, err_msg=str(options))
                self.assertTrue(np.all(np.isneginf(logs) == np.isneginf(want_log) | (total == 0)[..., None]), options)
        x = np.zeros((4, 6), np.float32)
        out, lse = np.empty_like(x), np.empty(4, np.float32)
        self.assertIs(sl.softmax(x, out=out, lse=lse)[1], lse)
        for wrong, options in (
            (TypeError, {"mask": x.astype(np.int32)}),
            (TypeError, {"mask": x.tolist()}),
            (ValueError, {"mask": x[:, :3]}),
            (ValueError, {"mask": np.zeros((3, 6), np.float32)}),
            (TypeError, {"sink": np.zeros(4)}),
            (ValueError, {"sink": np.zeros(3, np.float32)}),
            (TypeError, {"first": np.zeros(4)}),
            (ValueError, {"length": np.full(4, -1)}),
            (ValueError, {"length": np.zeros(3, int)}),
            (sl.Error, {"length": np.full(4, 7)}),
            (sl.Error, {"softcap": -1.0}),
            (sl.Error, {"scale": float("nan")}),
            (sl.Error, {"mask": np.zeros((4, 6))}),
            (ValueError, {"scale": 0}),
            (TypeError, {"scale": "1"}),
            (TypeError, {"lse": "yes"}),
            (TypeError, {"safe_rows": 1}),
            (TypeError, {"temperature": 2}),
        ):
            with self.assertRaises(wrong, msg=str(options)):
                sl.softmax(x, **options)
        with self.assertRaises(TypeError):
            sl.softmax_safe(x, scale=2.0)

    def test_what_it_would_have_to_copy_is_refused(self):
        x = np.zeros((4, 6), np.float32)
        ids = np.zeros(4, np.int64)
        frozen = np.zeros((4, 6), np.float32)
        frozen.flags.writeable = False
        unaligned = np.zeros(4 * 6 * 4 + 1, np.uint8)[1:].view(np.float32).reshape(4, 6)
        for wrong, arguments in (
            (TypeError, ([[1.0, 2.0]],)),
            (TypeError, (x.astype(np.int32),)),
            (TypeError, (x.astype(">f4"),)),
            (TypeError, (x.astype(object),)),
            (TypeError, (np.float32(1),)),
            (TypeError, (np.ma.masked_equal(x, 1),)),
            (TypeError, (x.view(np.recarray),)),
            (TypeError, (x, 0.0)),
            (TypeError, (x, True)),
            (TypeError, (x, None)),
            (ValueError, (x, 2**70)),
            (ValueError, (x, -3)),
            (TypeError, (x, -1, np.ma.masked_equal(x, 1))),
            (TypeError, (x, -1, x.astype(">f4"))),
            (ValueError, (x, -1, np.broadcast_to(x[:1], (4, 6)))),
            (TypeError, (x, -1, [])),
            (ValueError, (x.T,)),
            (ValueError, (x[:, ::2],)),
            (ValueError, (unaligned,)),
            (ValueError, (x, 2)),
            (ValueError, (np.zeros((), np.float32),)),
            (TypeError, (x, -1, np.zeros((4, 6)))),
            (ValueError, (x, -1, np.zeros((6, 4), np.float32))),
            (ValueError, (x, -1, frozen)),
        ):
            with self.assertRaises(wrong, msg=str(arguments)):
                sl.softmax(*arguments)
        for wrong, arguments, keywords in (
            (ValueError, (x, ids[:3]), {}),
            (ValueError, (x, np.zeros(8, np.int64)[::2]), {}),
            (ValueError, (x, np.zeros(8, np.int32)[::2]), {}),
            (TypeError, (x, ids), {"class_weight": np.ones(6)}),
            (ValueError, (x, ids), {"class_weight": np.ones(5, np.float32)}),
            (ValueError, (x, ids), {"reduction": "median"}),
            (ValueError, (x, ids), {"grad": x.T}),
        ):
            with self.assertRaises(wrong, msg=str(keywords)):
                sl.cross_entropy(*arguments, **keywords)

    def test_every_argument_of_every_function_is_checked(self):
        """One after the other is something else; outputs lie over inputs by half."""
        for kernel, signature in SIGNATURES.items():
            function, both = getattr(sl, kernel), np.full(5 * 6, 0.5, np.float32)
            x = both[:24].reshape(4, 6)
            if signature in ("STATS", "APPLY"):
                x = x[0]
            arguments = {"x": x}
            if signature in ("ROW_AT", "STATS_ROWS"):
                name = "ids" if signature == "ROW_AT" else "target"
                arguments[name] = np.zeros((4, 2) if name == "ids" else 4, np.int64)
            elif signature == "ROW_TOP":
                arguments |= {"k": 2, "ids": np.empty((4, 2), np.int64)}
            if signature.endswith("BACKWARD"):
                first = "a" if signature == "MAP_BACKWARD" else "y"
                arguments = {first: x, "dy": x.copy()}
            elif signature.endswith("LOSS"):
                arguments |= {"target": np.zeros(4, np.int64) if signature == "CLASS_LOSS" else x.copy(), "reduction": "none"}
                arguments |= {"class_weight": np.ones(6, np.float32), "grad": np.empty_like(x),
                              "upstream": np.ones(4 if signature != "ELEMENT_LOSS" else (4, 6), np.float32)}
            elif signature == "APPLY":
                arguments["stats"] = sl.softmax_stats(x)
            elif signature == "CLASS_GRAD":
                arguments |= {"target": np.zeros(4, np.int64), "lse": np.ones(4, np.float32)}
            elif signature == "SHARD_GRAD":
                arguments |= {"target": np.zeros(4, np.int64), "stats": [sl.softmax_stats(row) for row in x],
                              "first": 2, "classes": 9}
            if signature not in ("STATS", "STATS_ROWS"):
                result = function(**arguments)
                arguments["out"] = np.empty_like(result[0] if isinstance(result, tuple) else result)
            function(**arguments)
            for name, array in arguments.items():
                if not isinstance(array, np.ndarray):
                    continue
                frozen = array.copy()
                frozen.flags.writeable = False
                wrong = [array.tolist(), array.astype(object), array.astype(array.dtype.newbyteorder()),
                         array.astype(np.complex64), array.astype(bool), np.ma.masked_equal(array, 7), array.view(np.recarray),
                         array[..., np.newaxis], array[:0], np.repeat(array, 2, axis=-1)[..., ::2], array.tobytes(), "array"]
                if name == "target" and array.dtype == np.int64 or name == "ids" and signature == "ROW_AT":
                    del wrong[2]  # which is taken
                if signature == "ROW_AT" and name == "ids":
                    wrong = [a for a in wrong if not isinstance(a, np.ndarray) or a.ndim != 2 or a.shape[0] != 4]
                if name in ("out", "grad") or signature == "ROW_TOP" and name == "ids":
                    wrong.append(frozen)
                if len(arguments) > 1:
                    wrong.append(np.array(array.flat[0]))
                if ((name in ("x", "a", "y", "dy", "target") or (name, signature) == ("lse", "CLASS_GRAD")) and signature != "STATS_ROWS"
                        or name == "x"):
                    wrong.append(None)
                if len(arguments) == 1:  # any length is one
                    wrong = [a for a in wrong if not isinstance(a, np.ndarray) or a.dtype != x.dtype or type(a) is not np.ndarray
                             or not a.flags.c_contiguous]
                for value in wrong:
                    with self.assertRaises((TypeError, ValueError), msg=f"{kernel}: {name}={value!r}") as caught:
                        function(**{**arguments, name: value})
                    self.assertNotIsInstance(caught.exception, sl.Error)
            for name in "out", "grad":
                if name in arguments and arguments[name].size <= x.size:
                    over = both[3:3 + arguments[name].size].reshape(arguments[name].shape)
                    with self.assertRaises(sl.Error, msg=f"{kernel}: {name}") as caught:
                        function(**{**arguments, name: over})
                    self.assertEqual(caught.exception.status, 5)  # SL_ERR_OVERLAP

    def test_statistics_in_bytes(self):
        rows = np.float32([[1, 2, -3], [0.5, 4, 0]])
        parts = sl.softmax_stats_rows(rows, np.array([1, 7]))
        self.assertEqual([stats.target for stats in parts], [2, 0])
        merged = sl.Stats()
        for stats in parts:
            same = sl.Stats.unpack(stats.pack())
            self.assertEqual((same.max, same.rest, same.target, same.count), (stats.max, stats.rest, stats.target, stats.count))
            self.assertTrue(math.isnan(same.logits))
            self.assertEqual(sl.Stats.unpack(stats.pack(48)).logits, stats.logits)
            merged.merge(stats)
        self.assertEqual(sl.Stats.unpack(merged.pack(128)).logsumexp(), merged.logsumexp())
        for refused in (lambda: merged.pack(), lambda: merged.pack(41), lambda: sl.Stats.unpack(bytes(40))):
            self.assertRaises(sl.Error, refused)
        self.assertRaises(TypeError, sl.Stats.unpack, "text")

    def test_most_probable_classes(self):
        x = np.float32([[[1, 3, 3, -2], [0, -1, -1, 5]]])
        y, ids = sl.log_softmax_top(x, 3)
        np.testing.assert_array_equal(ids, [[[1, 2, 0], [3, 0, 1]]])
        np.testing.assert_array_equal(y, sl.log_softmax_at(x, ids))
        np.testing.assert_array_equal(y, np.take_along_axis(sl.log_softmax(x), ids, -1))
        self.assertRaises(ValueError, sl.log_softmax_top, x, 5)

    def test_gradients_by_themselves(self):
        """From a saved log-sum-exp, and of shards: what the fused call gives."""
        rng = np.random.default_rng(5)
        x, ids = rng.normal(0, 3, (5, 40)).astype(np.float32), rng.integers(0, 40, 5)
        weights = rng.uniform(0.5, 2, 40).astype(np.float32)
        for options in ({}, {"label_smoothing": 0.1, "class_weight": weights}, {"z_loss": 0.25, "divisor": 7.0},
                        {"reduction": "none", "upstream": np.float32([1, 2, 3, 4, 5])}, {"ignore_index": int(ids[0])}):
            with self.subTest(**options):
                loss, grad, lse = sl.cross_entropy(x, ids, grad=True, lse=True, **options)
                plain = np.where(ids == options.get("ignore_index", -1), 0, sl.logsumexp(x))
                np.testing.assert_array_equal(lse, plain)
                np.testing.assert_allclose(sl.cross_entropy_grad(x, ids, lse, **options), grad, rtol=1e-5, atol=1e-7)
                parts = [np.ascontiguousarray(part) for part in np.split(x, [7, 23], axis=1)]
                stats = [sl.Stats() for _ in x]
                for part in parts:
                    for row, whole in zip(part, stats):
                        whole.merge(sl.softmax_stats(row))
                shards = [sl.cross_entropy_shard_grad(part, ids, stats, first, 40, **options)
                          for part, first in zip(parts, (0, 7, 23))]
                np.testing.assert_allclose(np.concatenate(shards, axis=1), grad, rtol=1e-5, atol=1e-7)
        for wrong in {"first": 0, "classes": 6}, {"first": 1, "classes": 7, "softcap": 1.0}, {"first": 1, "classes": 7, "z_loss": -1.0}:
            with self.assertRaises(ValueError):
                sl.cross_entropy_shard_grad(parts[0], ids % 7, stats, **wrong)
        with self.assertRaisesRegex(sl.Error, "z_loss=-1"):
            sl.cross_entropy(x, ids, z_loss=-1.0)
        with self.assertRaisesRegex(sl.Error, "divisor"):
            sl.cross_entropy(x, ids, reduction="sum", divisor=2.0)

    def test_slices_that_have_strides(self):
        """Results are those of a contiguous copy, and nothing beside the slice is written."""
        whole = np.random.default_rng(5).standard_normal((3, 40, 5, 8)).astype(np.float32)
        for name, cut, axis in (
            ("padded rows", lambda a: a[..., :6], -1),
            ("columns", lambda a: a[..., 2:7], 3),
            ("some rows", lambda a: a[1, 3::4, 2, :7], -1),
            ("classes of an image", lambda a: a[:, 3:33], 1),
            ("a part of an image", lambda a: a[:, 5:25, 2:3, 1:6], 1),
            ("one row", lambda a: a[0, 0, 0, 1:], 0),
        ):
            x = cut(whole)
            copy = np.ascontiguousarray(x)
            over = whole.copy()
            before = over.copy()
            out = cut(over)
            self.assertFalse(x.flags.c_contiguous and name != "one row", name)
            for function in sl.softmax, sl.log_softmax_safe:
                want = function(copy, axis)
                np.testing.assert_array_equal(function(x, axis), want, name)
                np.testing.assert_array_equal(function(copy, axis, out), want, name)
                over[...] = before
                self.assertIs(function(out, axis, out), out)  # in place
                np.testing.assert_array_equal(out, want, name)
                cut(before)[...] = want
                np.testing.assert_array_equal(over, before, name)
                before[...], over[...] = whole, whole
            np.testing.assert_array_equal(sl.logsumexp(x, axis), sl.logsumexp(copy, axis))
            np.testing.assert_array_equal(sl.softmax_backward(x, x, axis), sl.softmax_backward(copy, copy, axis))
            ids = np.zeros(np.delete(x.shape, axis), np.int64)
            want, gradient = sl.cross_entropy(copy, ids, axis, grad=True)
            self.assertEqual(sl.cross_entropy(x, ids, axis, grad=out)[0], want)
            np.testing.assert_array_equal(out, gradient)
            self.assertEqual(sl.bce_with_logits(x, x, axis), sl.bce_with_logits(copy, copy, axis))
            if name != "one row":
                with self.assertRaisesRegex(ValueError, "other strides"):
                    sl.softmax_backward(x, copy, axis)
        x = whole[0, 0]
        for wrong in x[:, ::2], x[::-1], x.T, np.broadcast_to(x[:1], x.shape), whole[:2, :3, :, 0], whole[:, ::2, :, :4][..., ::2]:
            with self.assertRaises(ValueError):
                sl.softmax(wrong)
            with self.assertRaises(ValueError):
                sl.bce_with_logits(wrong, wrong)

    def test_rows_of_a_padded_matrix(self):
        """The functions of rows alone: as of a contiguous copy, nothing else read or written; and masks with a pitch."""
        rng = np.random.default_rng(6)
        whole, over = np.full((3, 4, 48), np.nan, np.float32), np.full((3, 4, 50), 7, np.float32)
        whole[..., 2:42] = rng.normal(0, 3, (3, 4, 40))
        x, out = whole[..., 2:42], over[..., 5:45]
        copy, ids = np.ascontiguousarray(x), rng.integers(0, 40, (3, 4))
        chosen = rng.integers(0, 40, (3, 4, 5))

        def stats_of(*arguments):
            return [bytes(stats) for stats in sl.softmax_stats_rows(*arguments)]

        self.assertEqual(stats_of(x, ids), stats_of(copy, ids))
        self.assertEqual(stats_of(x), stats_of(copy))
        np.testing.assert_array_equal(sl.log_softmax_at(x, chosen), sl.log_softmax_at(copy, chosen))
        for got, want in zip(sl.log_softmax_top(x, 7), sl.log_softmax_top(copy, 7)):
            np.testing.assert_array_equal(got, want)
        mask = np.full((3, 4, 64), np.nan, np.float32)
        mask[..., :40] = rng.normal(size=(3, 4, 40))
        keep = rng.random((3, 4, 44)) < 0.8
        for function in sl.softmax, sl.log_softmax:
            for given, dense in ((mask[..., :40], None), (keep[..., 4:], None), (mask[:1, :1, :40], mask[0, 0, :40]),
                                 (mask[1, 2, :40], None)):
                given = np.broadcast_to(given, x.shape) if dense is not None else given
                dense = np.ascontiguousarray(given) if dense is None else dense
                want, lse = function(copy, mask=dense, scale=0.5, lse=True, safe_rows=True)
                got = function(x, out=out, mask=given, scale=0.5, lse=True, safe_rows=True)
                self.assertIs(got[0], out)
                np.testing.assert_array_equal(out, want)
                np.testing.assert_array_equal(got[1], lse)
                self.assertTrue(np.all(over[..., :5] == 7) and np.all(over[..., 45:] == 7))
        column = np.ascontiguousarray(mask[0, :, :40, np.newaxis])  # an axis of 1 behind the classes
        np.testing.assert_array_equal(sl.softmax(copy[0, :, :, np.newaxis], 1, mask=column)[..., 0], sl.softmax(copy[0], mask=column[..., 0]))
        for wrong in np.repeat(keep, 2, axis=-1)[..., :80:2], mask[..., 39::-1], np.broadcast_to(mask[:, :1, :40], x.shape), keep[:, :2, 4:]:
            with self.assertRaises(ValueError):
                sl.softmax(x, mask=wrong)
        for wrong in whole[..., ::2], whole[..., ::-1], np.broadcast_to(x[:, :1], x.shape), np.broadcast_to(x[:1], x.shape):
            for function in (sl.softmax, sl.softmax_with, sl.softmax_stats_rows, lambda a: sl.log_softmax_top(a, 2),
                             lambda a: sl.log_softmax_at(a, chosen)):
                with self.assertRaisesRegex(ValueError, "contiguous"):
                    function(wrong)

    def test_statuses_are_raised(self):
        both = np.zeros(13, np.float32)
        with self.assertRaisesRegex(sl.Error, "^softmax: ") as caught:
            sl.softmax(both[:12].reshape(2, 6), out=both[1:].reshape(2, 6))
        self.assertEqual(caught.exception.status, 5)  # SL_ERR_OVERLAP
        x = np.zeros((2, 3), np.float32)
        for target, keywords in ([0, 3], {}), ([0, 1], {"label_smoothing": 2.0}), ([0, 1], {"pos_weight": x[0]}):
            with self.assertRaises(sl.Error):
                sl.cross_entropy(x, np.array(target), **keywords)

    def test_option_errors_name_the_option(self):
        x, ids = np.zeros((2, 3), np.float32), np.array([0, 1])
        p, weights = np.zeros((2, 3), np.float32), np.ones(3, np.float32)
        status = {"pos_weight": weights, "label_smoothing": 0.5, "ignore_index": 1, "safe_rows": True}
        for function, target, keywords in (
            (sl.cross_entropy, ids, ("pos_weight",)),
            (sl.cross_entropy_soft, p, ("pos_weight", "ignore_index")),
            (sl.nll, ids, ("pos_weight", "label_smoothing", "safe_rows")),
            (sl.bce_with_logits, p, ("label_smoothing", "ignore_index", "safe_rows")),
            (sl.bce, p, tuple(status)),
        ):
            for keyword in status:
                given = {keyword: status[keyword]}
                if keyword not in keywords:
                    function(x, target, **given)
                    continue
                with self.assertRaisesRegex(sl.Error, f"^{function.__name__}: an option .*: {keyword}") as caught:
                    function(x, target, **given)
                self.assertEqual(caught.exception.status, 4)  # SL_ERR_OPTION
            refused = {keyword: status[keyword] for keyword in keywords}
            with self.assertRaises(sl.Error) as caught:
                function(x, target, **refused)
            for keyword in keywords:
                self.assertIn(keyword, str(caught.exception))
        again = pickle.loads(pickle.dumps(caught.exception))
        self.assertEqual((str(again), again.status), (str(caught.exception), 4))
        for value in -0.1, 1.5, float("nan"), float("inf"):
            with self.assertRaisesRegex(sl.Error, f"label_smoothing={value:g}"):
                sl.cross_entropy(x, ids, label_smoothing=value)
        for wrong, keyword, value in (
            (ValueError, "ignore_index", 2**64),
            (ValueError, "ignore_index", 2**63),
            (ValueError, "ignore_index", -2**63 - 1),
            (ValueError, "ignore_index", np.uint64(2**63)),
            (TypeError, "ignore_index", 0.0),
            (TypeError, "ignore_index", np.float64(1)),
            (TypeError, "ignore_index", True),
            (TypeError, "ignore_index", "1"),
            (TypeError, "ignore_index", np.array(1)),
            (TypeError, "label_smoothing", "0.1"),
            (TypeError, "label_smoothing", None),
            (TypeError, "label_smoothing", True),
            (TypeError, "label_smoothing", 0.1j),
            (ValueError, "label_smoothing", 10**400),
            (TypeError, "safe_rows", "no"),
            (TypeError, "safe_rows", 1),
            (TypeError, "empty_mean_zero", None),
            (TypeError, "class_weight", [1.0, 1.0, 1.0]),
            (TypeError, "class_weight", np.ma.masked_equal(weights, 0)),
            (TypeError, "class_weight", weights.astype(">f4")),
            (ValueError, "class_weight", np.ones(6, np.float32)[::2]),
            (TypeError, "upstream", "2"),
            (TypeError, "upstream", [1.0]),
            (TypeError, "upstream", 1j),
            (TypeError, "upstream", True),
            (TypeError, "upstream", np.ma.masked),
            (TypeError, "upstream", np.array(1.0)),
            (ValueError, "upstream", 1e39),
            (ValueError, "upstream", 10**400),
            (ValueError, "reduction", None),
            (ValueError, "reduction", np.array(["mean"])),
            (TypeError, "grad", 1),
            (TypeError, "grad", np.ma.masked_equal(x, 1)),
            (TypeError, "out", x.tolist()),
        ):
            with self.assertRaisesRegex(wrong, keyword, msg=f"{keyword}={value!r}"):
                sl.cross_entropy(x, ids, **{keyword: value})
        for least_most in -2**63, 2**63 - 1, np.int8(-100), np.uint64(5):
            self.assertAlmostEqual(sl.cross_entropy(x, ids, ignore_index=least_most), np.log(3), places=6)
        self.assertEqual(sl.cross_entropy(x, ids, reduction="sum", ignore_index=0), sl.cross_entropy(x[1:], ids[1:]))
        self.assertFalse(np.isfinite(sl.cross_entropy(x, ids, upstream=np.inf, grad=np.True_)[1]).any())

    def test_class_ids_of_all_integer_types(self):
        x = np.random.default_rng(5).normal(size=(4, 6)).astype(np.float32)
        ids = np.array([5, 0, 3, 2])
        want = sl.cross_entropy(x, ids)
        for dtype in "i1", "<i2", "<i4", "<i8", "u1", "<u2", "<u4", "<u8", ">i4", ">i8", ">u8", "=i8":
            target = ids.astype(dtype)
            self.assertEqual(sl.cross_entropy(x, target), want, dtype)
            self.assertEqual(sl.nll(x, target), sl.nll(x, ids), dtype)
            self.assertEqual(target.tobytes(), ids.astype(dtype).tobytes())
        negative = ids.astype(np.int8)
        negative[2] = -100
        self.assertRaises(sl.Error, sl.cross_entropy, x, negative)
        self.assertEqual(sl.cross_entropy(x, negative, ignore_index=-100), sl.cross_entropy(x[[0, 1, 3]], ids[[0, 1, 3]]))
        large = ids.astype(np.uint64)
        for value in 2**63, 2**64 - 1:  # which wrapped are ids to be ignored, or negative ones
            large[2] = value
            for keywords in {}, {"ignore_index": value - 2**64}:
                with self.assertRaisesRegex(ValueError, f"target holds {value}"):
                    sl.cross_entropy(x, large, **keywords)
        large[2] = 2**63 - 1
        self.assertRaises(sl.Error, sl.cross_entropy, x, large)
        for target in (ids.astype(bool), ids.astype(np.float32), ids.astype(np.float64), ids.astype(complex),
                       ids.astype(object), ids.astype("m8[s]"), ids.astype(str), ids.tolist(), np.int64(1),
                       np.ma.masked_equal(ids, 3), np.ma.masked_equal(ids.astype(np.int32), 3)):
            with self.assertRaisesRegex(TypeError, "target"):
                sl.cross_entropy(x, target)
        with self.assertRaisesRegex(TypeError, "masked"):
            sl.cross_entropy_soft(x, np.ma.masked_equal(x, 0))

    def test_what_c_would_take_without_a_question_is_refused(self):
        row = np.arange(4, dtype=np.float32)
        stats = sl.softmax_stats(row)
        before = bytes(stats)
        for value in None, 0, {}, [stats], row, sl.RowStats(stats._record), sl:
            with self.assertRaisesRegex(TypeError, "need softlane.Stats"):
                stats.merge(value)
            with self.assertRaisesRegex(TypeError, "need softlane.Stats"):
                sl.softmax_apply(row, value)
        for name, value in ("count", -1), ("max", 1.0), ("_rest", 0), ("other", 1):
            with self.assertRaisesRegex(AttributeError, name):
                setattr(stats, name, value)
        for value in None, "1", 1j, True, row:
            with self.assertRaisesRegex(TypeError, "target"):
                stats.target = value
            with self.assertRaisesRegex(TypeError, "label_smoothing"):
                stats.cross_entropy(value)
        for value in -0.1, 1.1, float("nan"):
            with self.assertRaisesRegex(ValueError, "label_smoothing"):
                stats.cross_entropy(value)
        self.assertEqual(bytes(stats), before)
        twice = sl.softmax_stats(row)
        twice.merge(twice)
        self.assertEqual(twice.count, 8)
        self.assertEqual(bytes(pickle.loads(pickle.dumps(stats))), before)

        for wrong, value in ((ValueError, -1), (ValueError, 2**64), (TypeError, 1.0), (TypeError, None), (TypeError, True),
                             (TypeError, "1"), (TypeError, np.array(1))):
            with self.assertRaisesRegex(wrong, "^n is", msg=repr(value)):
                sl.set_cache_bytes(value)
        sl.set_cache_bytes(np.int32(1 << 20))
        self.assertEqual(sl.cache_bytes(), 1 << 20)
        sl.set_cache_bytes(0)
        self.assertGreaterEqual(sl.cache_bytes(), 1 << 16)
        for function in sl.isa, sl.isa_why_not, sl.isa_force:
            for value in 1, b"scalar", ["scalar"], np.array(["scalar"]):
                self.assertRaises(TypeError, function, value)
            self.assertRaises(ValueError, function, "scalar\0, or another")
        self.assertRaises(TypeError, sl.isa_why_not, None)
        self.assertRaises(TypeError, sl.tune_load, 1)
        self.assertRaises(ValueError, sl.tune_load, "/dev/null\0")
        self.assertRaises(sl.Error, sl.tune_load, pathlib.Path("/no such file"))

    def test_a_variant_prints_itself_and_is_fixed(self):
        for name in filter(sl.isa, sl.isas()):
            self.assertEqual(str(sl.isa(name)), f"Isa(name={name!r}, needs={sl.isa(name).needs!r}, fma={sl.isa(name).fma})")
        with self.assertRaises(AttributeError):
            sl.isa().fma = False  # of the library's constants
        self.assertEqual(sl.isa(sl.isa().name), sl.isa())

    def test_flags(self):
        x, target = np.full((1, 3), -np.inf, np.float32), np.array([1])
        self.assertTrue(np.isnan(sl.cross_entropy(x, target)))
        self.assertEqual(sl.cross_entropy(x, target, safe_rows=True), 0)
        nothing = {"ignore_index": 1}
        self.assertTrue(np.isnan(sl.cross_entropy(x, target, **nothing)))
        self.assertEqual(sl.cross_entropy(x, target, empty_mean_zero=True, **nothing), 0)

    def test_16_bit_types(self):
        x = np.random.default_rng(2).normal(size=(5, 9))
        half = sl.softmax(x.astype(np.float16))
        self.assertEqual(half.dtype, np.float16)
        bits = sl.softmax(bf16(x))
        self.assertEqual(bits.dtype, np.uint16)
        self.assertEqual(sl.cross_entropy(bf16(x), np.zeros(5, np.int64)).dtype, np.float32)
        try:
            import ml_dtypes
        except ImportError:
            self.skipTest("no ml_dtypes; bfloat16 is tested as its bits")
        named = sl.softmax(x.astype(ml_dtypes.bfloat16))
        self.assertEqual(named.dtype, ml_dtypes.bfloat16)
        self.assertEqual(named.tobytes(), bits.tobytes())

    def test_exact_sigmoid(self):
        x = np.random.default_rng(6).normal(0, 9, 4000).astype(np.float32)
        with np.errstate(over="ignore"):
            want = (1 / (1 + np.exp(-x.astype(np.float64)))).astype(np.float32)
        for name in (name for name in sl.isas() if sl.isa_why_not(name) is None):
            sl.isa_force(name)
            self.assertEqual(sl.sigmoid_exact(x).tobytes(), want.tobytes(), name)
        sl.isa_force(None)
        for other in x.astype(np.float64), x.astype(np.float16), bf16(x):
            self.assertRaisesRegex(TypeError, "need float32$", sl.sigmoid_exact, other)

    def test_statistics(self):
        row = np.random.default_rng(3).normal(size=1000).astype(np.float32)
        whole = sl.Stats()
        self.assertEqual((whole.count, whole.max), (0, -np.inf))
        for part in np.split(row, [100, 700]):
            whole.merge(sl.softmax_stats(part))
        whole.target = row[42]
        self.assertEqual(whole.count, 1000)
        self.assertAlmostEqual(whole.cross_entropy(), sl.cross_entropy(row, np.array(42)), places=6)
        np.testing.assert_allclose(sl.softmax_apply(row, whole), sl.softmax(row), rtol=1e-6)

    def test_cells_beside_others(self):
        """peers.py calls what is in cells.txt, or leaves it out."""
        import peers
        peers.import_numpy()
        lines = (ROOT / "scripts" / "cells.txt").read_text().splitlines()
        kernels = {line.split()[0].rsplit("/", 1)[0] for line in lines if line and not line.startswith("#")}
        memory = [np.zeros(1024, np.uint8) for _ in range(3)]
        called = set()
        for kernel in kernels:
            cell = peers.Cell(f"{kernel}/2x16", memory)
            cell.fill({})
            call = peers.softlane_call(sl, cell)
            if call:
                self.assertIsNotNone(call(), kernel)
                called.add(cell.base)
        self.assertLessEqual({"softmax", "log_softmax", "logsumexp", "sigmoid", "cross_entropy", "bce_with_logits"}, called)

    def test_variants_give_the_same_bits(self):
        x = np.random.default_rng(4).normal(size=(3, 100)).astype(np.float32)
        seen = {}
        for name in sl.isas():
            if sl.isa(name) is None:
                self.assertTrue(sl.isa_why_not(name))
                self.assertRaises(ValueError, sl.isa_force, name)
                continue
            sl.isa_force(name)
            self.assertEqual(sl.isa().name, name)
            bits = sl.softmax(x).tobytes()
            self.assertEqual(seen.setdefault(sl.isa().fma, bits), bits, name)
        sl.isa_force(None)
        self.assertRaises(ValueError, sl.isa_force, "abacus")


class InPython(Functions):
    """The same by the Python functions alone, which take what the fast path leaves."""

    @classmethod
    def setUpClass(cls):
        for of in (sl, _functions.in_python), (_functions, {"public": _functions.in_python}):
            patch = unittest.mock.patch.multiple(of[0], **of[1])
            patch.start()
            cls.addClassCleanup(patch.stop)


if __name__ == "__main__":
    unittest.main()
