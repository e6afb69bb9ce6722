# SPDX-License-Identifier: MIT
"""The package as a whole: both ways into C agree, whatever they are given; threads, references, processes, documentation, types."""
import ast
import decimal
import doctest
import functools
import gc
import importlib
import inspect
import json
import pathlib
import pickle
import random
import subprocess
import sys
import threading
import time
import unittest
import warnings

import numpy as np

import softlane as sl
from softlane import __main__ as self_check
from softlane import _documentation, _functions, _softlane

FOLDER = pathlib.Path(sl.__file__).resolve().parent
ONES = np.ones(6, np.float32)


def run(script, *arguments, **variables):
    return subprocess.run([sys.executable, "-B", "-c", script, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                          timeout=300, check=False, **variables)


def matrix(dtype=np.float32, rows=4, columns=6):
    return np.random.default_rng(1).normal(0, 2, (rows, columns)).astype(dtype)


def arguments_of(name):
    """Good ones of a function, by name."""
    signature, x = _functions.SIGNATURES[name], matrix()
    if signature in ("MAP", "MAP_WIDE", "ROW_MAP", "ROW_WIDE", "ROW_FOLD", "ROW_OPTIONS", "STATS", "STATS_ROWS"):
        return {"x": x}
    if signature.endswith("BACKWARD"):
        return {"a" if signature == "MAP_BACKWARD" else "y": x, "dy": matrix()}
    if signature.endswith("LOSS"):
        return {"x": np.abs(x) / 10, "target": np.array([0, 5, 2, 1]) if signature == "CLASS_LOSS" else np.full((4, 6), 0.5, np.float32)}
    return {
        "APPLY": {"x": x[0], "stats": sl.softmax_stats(x[0])},
        "CLASS_GRAD": {"x": x, "target": np.array([0, 5, 2, 1]), "lse": sl.logsumexp(x)},
        "SHARD_GRAD": {"x": x, "target": np.array([0, 5, 2, 1]), "stats": sl.softmax_stats_rows(x), "first": 0, "classes": 6},
        "ROW_AT": {"x": x, "ids": np.zeros((4, 2), np.int64)},
        "ROW_TOP": {"x": x, "k": 2},
    }[signature]


def is_written(name, argument):
    return argument in ("out", "grad") or argument == "lse" and name != "cross_entropy_grad" or (name, argument) == ("log_softmax_top", "ids")


def outcome(function, arguments):
    """What a call gives, or raises, in a form that can be compared; and what it has written."""
    arguments = {k: v.copy(order="K") if type(v) is np.ndarray and v.flags.c_contiguous else v for k, v in arguments.items()}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            result = function(**arguments)
        except Exception as error:  # whatever it is
            return type(error).__name__, str(error), None
    parts = result if isinstance(result, tuple) else (result,)
    seen = [(type(p).__name__, getattr(p, "dtype", None), np.shape(p), bytes(p) if isinstance(p, sl.Stats) else np.asarray(p).tobytes()
             if not isinstance(p, sl.RowStats) else [bytes(s) for s in p]) for p in parts]
    return "result", seen, [v.tobytes() for v in arguments.values() if isinstance(v, np.ndarray)]


class Agreement(unittest.TestCase):
    def values(self, generator, name, argument, good):
        """Some value for that argument: often a good one."""
        arrays = (matrix, functools.partial(matrix, np.float64), functools.partial(matrix, np.float16), lambda: matrix().view(np.uint16)[:, :6],
                  lambda: np.zeros((4, 6), np.uint16), lambda: ONES.copy(), lambda: np.ones(4, np.float32), lambda: np.zeros((), np.float32),
                  lambda: np.zeros((0, 6), np.float32), lambda: np.zeros((4, 0), np.float32), lambda: matrix().T, lambda: matrix()[:, ::-1],
                  lambda: matrix()[::2], lambda: matrix(columns=8)[:, :6], lambda: matrix().astype(">f4"), lambda: np.ma.masked_equal(matrix(), 0),
                  lambda: np.array([0, 5, 2, 1]), lambda: np.array([0, 5, 2, 1], np.int8), lambda: np.array([0, 5, 2, 1], np.uint64),
                  lambda: np.array([0, 6, 2, 1]), lambda: np.array([-1, 5, 2, 1], np.int32), lambda: np.array([[0], [1], [2], [3]]),
                  lambda: np.zeros((4, 6), bool), lambda: np.ones((2, 2, 6), np.float32), lambda: np.full((4, 6), object()),
                  lambda: np.zeros((4, 6), "m8[s]"), lambda: np.empty((4, 6), [("a", np.float32)]))
        scalars = (None, True, False, 0, 1, -1, 2, 7, -3, 2**63, -2**70, 0.0, 0.5, 1.0, -0.5, float("nan"), float("inf"), 1e39, "mean", "sum",
                   "none", "x", b"mean", "", [], (), {}, 1j, np.float32(0.5), np.int64(1), np.bool_(True), np.array(1), object, Ellipsis)
        kind = generator.random()
        if kind < 0.5 and good is not None:
            return good
        return generator.choice(arrays)() if kind < 0.75 else generator.choice(scalars)

    def test_the_fast_path_and_python_do_the_same(self):
        """Results, types, what is written and messages, for any arguments whatever."""
        generator, taken, refused = random.Random(7), 0, 0
        options = {"reduction": "none", "label_smoothing": 0.1, "ignore_index": 2, "axis": -1, "grad": True, "scale": 0.5,
                   "out": None, "lse": True, "class_weight": ONES, "upstream": 2.0, "keepdims": True, "z_loss": 0.1}
        for name, function in sl._functions.public.items():
            parameters = list(inspect.signature(function).parameters)
            for _ in range(400):
                arguments = arguments_of(name)
                for argument in generator.sample(parameters, generator.randrange(min(4, len(parameters)) + 1)):
                    good = arguments.get(argument, options.get(argument))
                    arguments[argument] = self.values(generator, name, argument, good)
                got, want = (outcome(f, arguments) for f in (function, _functions.in_python[name]))
                self.assertEqual(got, want, f"{name}({arguments})")
                taken += got[0] == "result"
                refused += got[0] != "result"
                if got[0] != "result":
                    self.assertIn(got[0], ("TypeError", "ValueError", "Error"), f"{name}({arguments}): {got}")
                    self.assertNotIn("\n", got[1])
        self.assertGreater(min(taken, refused), 2000)

    def test_what_the_fast_path_takes(self):
        """Common calls run no line of Python; others do."""
        x, out, ids, weights = matrix(), np.empty((4, 6), np.float32), np.array([0, 5, 2, 1]), np.ones(6, np.float32)
        lse = sl.logsumexp(x)
        frames = []

        def count(call):
            del frames[:]
            sys.setprofile(lambda frame, event, _: frames.append(frame.f_code) if event == "call" else None)
            try:
                call()
            finally:
                sys.setprofile(None)
            return len(frames) - 1  # the lambda itself

        for dtype in np.float32, np.float64, np.float16, np.uint16:
            y = np.abs(x).astype(dtype)
            for call in (lambda: sl.softmax(y), lambda: sl.log_softmax(y, axis=0), lambda: sl.softmax(y, out=y), lambda: sl.sigmoid(y),
                         lambda: sl.logsumexp(y, keepdims=True), lambda: sl.logsumexp(y, 0, keepdims=False), lambda: sl.softmax_wide(y, 0),
                         lambda: sl.softmax_backward(y, y), lambda: sl.log_sigmoid_backward(y, y), lambda: sl.cross_entropy(y, ids, grad=True),
                         lambda: sl.bce_with_logits(y, y, grad=True, reduction="none")):
                self.assertEqual(count(call), 0, (dtype, inspect.getsource(call)))
        for call in (lambda: sl.cross_entropy(x, ids.astype(np.uint8), grad=out, lse=lse, reduction="sum", upstream=2.0, label_smoothing=0.1),
                     lambda: sl.cross_entropy(x, ids, ignore_index=-100, class_weight=weights, safe_rows=True, z_loss=0.1, divisor=3.0),
                     lambda: sl.cross_entropy_grad(x, ids, lse, out=out), lambda: sl.softmax_with(x, scale=0.5, mask=x, lse=lse, slope=2.0),
                     lambda: sl.log_softmax_with(x, mask=weights, softcap=3.0, safe_rows=True, sink=lse)):
            self.assertEqual(count(call), 0, inspect.getsource(call))
        for call in lambda: sl.softmax(x[:, :5]), lambda: sl.softmax(x, np.int64(0)), lambda: sl.cross_entropy(x, ids.astype(np.uint64)):
            self.assertGreater(count(call), 0, inspect.getsource(call))

    def test_any_number_of_arguments(self):
        """Positions, keywords, both and none: no crash, and TypeError."""
        generator, x = random.Random(8), matrix()
        for name, function in sl._functions.public.items():
            names = [*inspect.signature(function).parameters, "nothing", "x", "out"]
            for _ in range(60):
                positional = [generator.choice((x, None, 1, "a")) for _ in range(generator.randrange(7))]
                keywords = {generator.choice(names): generator.choice((x, None, 1)) for _ in range(generator.randrange(3))}
                try:
                    function(*positional, **keywords)
                except (TypeError, ValueError):
                    pass
            self.assertRaises(TypeError, function)
            with self.assertRaisesRegex(TypeError, "nothing"):
                function(**arguments_of(name), nothing=1)
            with self.assertRaises(TypeError):
                function(*[x] * 9)
        self.assertRaises(TypeError, sl.softmax, x, x=x)

    def test_the_c_module_by_itself(self):
        for wrong in ((-1, 0, {}), (0, 9, {}), (99, 0, {}), (0, 0, []), (0, 0, {"y": 1}), (0, 0, {1: 1}), (0, 0, {"x": 1}),
                      (0, 0, {"shape.outer": "1"}), (0, 0, {"shape.outer": -1}), (0, 0, {"loss.z_loss": None})):
            with self.assertRaises((TypeError, ValueError, OverflowError)):
                _softlane.call(*wrong)
        self.assertRaises(ValueError, _softlane.bind, 0, len, b"")
        for function in _softlane.stats_empty, _softlane.stats_logsumexp:
            self.assertRaises(TypeError, function, np.zeros(3))


class Refusals(unittest.TestCase):
    """One line that names the argument, and nothing written."""

    def refuse(self, function, says, *arguments, error=(TypeError, ValueError), written=(), **keywords):
        before = [array.tobytes() for array in written]
        with self.assertRaisesRegex(error, says) as caught:
            function(*arguments, **keywords)
        self.assertNotIn("\n", str(caught.exception))
        self.assertEqual([array.tobytes() for array in written], before)

    def test_outputs(self):
        x, both, frozen = matrix(), np.full(40, 7, np.float32), np.empty((4, 6), np.float32)
        frozen.flags.writeable = False
        self.refuse(sl.softmax, "^out is read-only", x, out=frozen, written=[frozen])
        self.refuse(sl.softmax, r"^out has the shape \(6, 4\)", x, out=np.empty((6, 4), np.float32))
        self.refuse(sl.softmax, "^out holds float64", x, out=np.empty((4, 6)))
        self.refuse(sl.softmax, "^out holds >f4", x, out=np.empty((4, 6), ">f4"))
        self.refuse(sl.softmax, "^out is a masked array", x, out=np.ma.masked_equal(x, 0))
        inside, over = both[:24].reshape(4, 6), both[5:29].reshape(4, 6)
        self.refuse(sl.softmax, "overlaps another argument: out and x$", inside, out=over, error=sl.Error, written=[both])
        self.refuse(sl.sigmoid, "overlaps another argument: out and x$", inside, over, error=sl.Error, written=[both])
        self.refuse(sl.softmax_backward, "out and dy$", x, inside, out=over, error=sl.Error, written=[both])
        self.refuse(sl.cross_entropy, "grad and x$", inside, np.zeros(4, int), grad=over, error=sl.Error, written=[both])
        self.refuse(sl.cross_entropy, "out and lse$", x, np.zeros(4, int), reduction="none", out=both[:4], lse=both[1:5], error=sl.Error,
                    written=[both])
        self.refuse(sl.cross_entropy, "lse and class_weight$", x, np.zeros(4, int), lse=both[:4], class_weight=both[2:8], error=sl.Error,
                    written=[both])
        self.refuse(sl.softmax, "lse and sink$", x, lse=both[:4], sink=both[1:5], error=sl.Error, written=[both])
        self.assertIs(sl.softmax(x, out=x), x)

    def test_inputs(self):
        x, target, out = matrix(), np.array([0, 5, 2, 1]), np.full((4, 6), 7, np.float32)
        for wrong, says in ((x.tolist(), "x is a list, need a NumPy array"), (None, "x is a NoneType"), (x.astype(int), "x holds int64"),
                            (x.astype(">f4"), "x holds >f4"), (x.T, "x is not C-contiguous"), (np.ma.masked_less(x, 0), "x is a masked array"),
                            (x.view(np.recarray), "x is a recarray")):
            self.refuse(sl.softmax, "^" + says, wrong)
        for ids in ([0, 6, 2, 1], [0, -1, 2, 1], [-2**63, 0, 0, 0]):
            for dtype in np.int64, np.int32, np.int8:
                if min(ids) >= np.iinfo(dtype).min:
                    self.refuse(sl.cross_entropy, "a target is out of range: target$", x, np.array(ids, dtype), grad=out, written=[out],
                                error=sl.Error)
        self.refuse(sl.log_softmax_at, "out of range: ids$", x, np.full((4, 1), 6))
        self.refuse(sl.bce, "out of range: x$", x * 9, np.abs(x), error=sl.Error)
        for value in None, "1", 1j, True, [1.0], np.array(1.0):
            for name in "label_smoothing", "z_loss", "softcap", "divisor":
                self.refuse(sl.cross_entropy, f"^{name} is a", x, target, **{name: value}, error=TypeError)
            for name in "scale", "slope", "softcap":
                self.refuse(sl.softmax, f"^{name} is a", x, **{name: value}, error=TypeError)
        nan = float("nan")
        for name in "label_smoothing", "z_loss", "softcap", "divisor":
            self.refuse(sl.cross_entropy, f": {name}=nan", x, target, **{name: nan}, error=sl.Error)
        for name in "scale", "slope", "softcap":
            self.refuse(sl.softmax, f": {name}=nan", x, **{name: nan}, error=sl.Error)
        self.refuse(sl.softmax, ": softcap=-1$", x, softcap=-1.0, error=sl.Error)
        self.refuse(sl.softmax, ": mask$", x, mask=np.zeros((4, 6)), error=sl.Error)
        self.refuse(sl.softmax, ": first, length$", x, length=np.full(4, 7), error=sl.Error)
        self.refuse(sl.softmax, ": axis=0, which is not the last one$", x, 0, scale=0.5, error=sl.Error)
        for value in 2**63, -2**63 - 1:
            self.refuse(sl.cross_entropy, "^ignore_index is ", x, target, ignore_index=value, error=ValueError)
        for name in "scale", "slope":
            self.refuse(sl.softmax, f"^{name} is 0$", x, **{name: 0.0}, error=ValueError)
            self.refuse(sl.softmax_with, f"^{name} is 0$", x, **{name: 0.0}, error=ValueError)
        self.refuse(sl.logsumexp, "^keepdims is a int", x, keepdims=1)
        self.refuse(sl.tune_load, "tune_load: .*: path$", "/no such file", error=sl.Error)

    def test_no_classes(self):
        """Nothing that is not initialised comes out."""
        for dtype in np.float32, np.float64, np.float16:
            x = np.empty((3, 0), dtype)
            np.testing.assert_array_equal(sl.logsumexp(x), np.full(3, -np.inf))
            np.testing.assert_array_equal(sl.logsumexp(x.T, axis=0), np.full(3, -np.inf))
            np.testing.assert_array_equal(sl.softmax(x, lse=True, safe_rows=True)[1], np.full(3, -np.inf))
            self.refuse(sl.cross_entropy, "out of range: target$", x, np.zeros(3, int), error=sl.Error)
            ignored = sl.cross_entropy(x, np.zeros(3, int), ignore_index=0, reduction="none", lse=True)
            np.testing.assert_array_equal(ignored[0], np.zeros(3))
            np.testing.assert_array_equal(sl.cross_entropy_soft(x, x, reduction="none"), np.zeros(3))
            self.assertEqual(sl.softmax_stats_rows(x)[2].logsumexp(), -np.inf)
            self.refuse(sl.log_softmax_at, "out of range: ids$", x, np.zeros((3, 1), int))
            self.assertEqual(sl.log_softmax_top(x, 0)[0].shape, (3, 0))
        self.assertEqual(sl.Stats().logsumexp(), -np.inf)

    def test_keepdims(self):
        x = np.random.default_rng(2).normal(size=(2, 3, 4)).astype(np.float32)
        for axis in range(3):
            kept, out = sl.logsumexp(x, axis, keepdims=True), np.empty(np.where(np.arange(3) == axis, 1, x.shape), np.float32)
            np.testing.assert_array_equal(kept, np.expand_dims(sl.logsumexp(x, axis), axis))
            np.testing.assert_array_equal(kept, np.expand_dims(sl.logsumexp(x, axis, keepdims=False), axis))
            self.assertIs(sl.logsumexp(x, axis, out, keepdims=True), out)
            np.testing.assert_array_equal(out, kept)


class Behaviour(unittest.TestCase):
    def test_threads(self):
        """The same bits from several threads at once, and time for others while a kernel runs."""
        x, target = np.random.default_rng(3).normal(0, 3, (300, 1000)).astype(np.float32), np.arange(300)
        want = sl.softmax(x).tobytes(), sl.cross_entropy(x, target, grad=True)[1].tobytes()
        failures = []

        def work(seed):
            try:
                for i in range(20):
                    small = sl.softmax(x[seed + i][:40].copy())
                    got = sl.softmax(x).tobytes(), sl.cross_entropy(x, target, grad=True)[1].tobytes()
                    if got != want or abs(small.sum() - 1) > 1e-5:
                        failures.append(seed)
            except Exception as error:  # of a thread nobody would see it
                failures.append(error)

        threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        self.assertEqual(failures, [])

    def test_the_lock_is_released(self):
        """A thread counts on while another one is in one call. Python takes the lock from a running thread only after a switch interval,
        which is longer than all of this here."""
        x, before = np.zeros((2000, 20000), np.float32), sys.getswitchinterval()
        counted, started, done = [0], threading.Event(), threading.Event()

        def count():
            started.set()
            while not done.is_set():
                counted[0] += 1
                time.sleep(0)

        sys.setswitchinterval(60)
        try:
            for function in sl.softmax, _functions.in_python["softmax"]:
                done.clear(), started.clear()
                thread = threading.Thread(target=count)
                thread.start()
                started.wait()
                start = counted[0]
                function(x, out=x)
                during = counted[0] - start
                done.set()
                thread.join()
                self.assertGreater(during, 0)
        finally:
            sys.setswitchinterval(before)

    def test_references_and_memory(self):
        """No call keeps an argument, or leaves anything behind."""
        x, out, target, weights = matrix(), np.empty((4, 6), np.float32), np.array([0, 5, 2, 1]), np.ones(6, np.float32)
        small, wrong = target.astype(np.int8), np.array([0, 9, 2, 1])
        option = 0.25 * 3
        calls = [
            lambda: sl.softmax(x), lambda: sl.softmax(x, out=out), lambda: sl.softmax(x[:, :5]), lambda: sl.logsumexp(x, keepdims=True),
            lambda: sl.softmax(x, scale=option, mask=weights, lse=True), lambda: sl.cross_entropy(x, target, label_smoothing=option),
            lambda: sl.cross_entropy(x, small, grad=True, lse=True, class_weight=weights, upstream=option),
            lambda: sl.cross_entropy(x, target, grad=out, reduction="none"), lambda: sl.cross_entropy_grad(x, small, sl.logsumexp(x), out=out),
            lambda: self.assertRaises(sl.Error, sl.cross_entropy, x, wrong, grad=True, lse=True),
            lambda: self.assertRaises(sl.Error, sl.cross_entropy, x, small, label_smoothing=9.0, grad=out),
            lambda: self.assertRaises(ValueError, sl.softmax, x, 7), lambda: sl.bce_with_logits(x, x, pos_weight=weights),
            lambda: sl.softmax_stats_rows(x, target)[1].merge(sl.Stats()), lambda: sl.softmax_apply(x[0], sl.softmax_stats(x[0])),
            lambda: sl.log_softmax_top(x, 2), lambda: sl.isas(), lambda: sl.isa("scalar"), lambda: sl.Stats.unpack(sl.Stats().pack()),
        ]
        kept = x, out, target, weights, small, wrong, option, np.dtype(np.float32), np.dtype(np.float64), None, True, "mean"
        for call in calls:
            for _ in range(3):
                call()
            gc.collect()
            before = [sys.getrefcount(o) for o in kept]
            for _ in range(200):
                call()
            gc.collect()
            after = [sys.getrefcount(o) for o in kept]
            for b, a in zip(before, after):
                self.assertLess(abs(a - b), 50, inspect.getsource(call))
        done = run("""
import resource, numpy as np, softlane as sl
x, t, bad = np.zeros((8, 512), np.float32), np.zeros(8, np.int32), np.full(8, 512)
def work(n):
    for _ in range(n):
        sl.softmax(x); sl.softmax(x, scale=0.5, lse=True); sl.cross_entropy(x, t, grad=True, lse=True); sl.softmax_stats_rows(x)
        try: sl.cross_entropy(x, bad, grad=True, lse=True)
        except sl.Error: pass
work(300)
before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
work(3000)
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before)""")
        self.assertLess(int(done.stdout), 8192, "KiB more after 3000 rounds")

    def test_import_again_and_in_a_subinterpreter(self):
        done = run("""
import gc, sys, weakref, numpy as np
before = []
for _ in range(3):
    for name in [n for n in sys.modules if n.partition(".")[0] == "softlane"]:
        del sys.modules[name]
    kept = name = None
    gc.collect()
    assert [b for b in before if b() is not None] == [], "a module is still there"
    import softlane
    before.append(weakref.ref(softlane._functions))
    before.append(weakref.ref(softlane._softlane))
    kept = softlane.softmax
    assert softlane.softmax(np.zeros((1, 4), np.float32)).tolist() == [[0.25] * 4]
    del softlane
    gc.collect()
    assert kept(np.zeros((1, 2), np.float32)).tolist() == [[0.5] * 2]
print("again")
try:
    import _interpreters as interpreters
except ImportError:
    import _xxsubinterpreters as interpreters
script = '''if True:
    try:
        import numpy
    except ImportError:
        pass  # NumPy does without subinterpreters, and so does what needs it
    else:
        import softlane
        assert softlane.sigmoid(numpy.zeros(3)).tolist() == [0.5] * 3
'''
interpreter = interpreters.create()
failed = interpreters.run_string(interpreter, script)
assert failed is None, failed
interpreters.destroy(interpreter)
import softlane
assert softlane.sigmoid(np.zeros(3)).tolist() == [0.5] * 3
print("and beside")""")
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertIn("again\n", done.stdout)
        self.assertTrue(done.stdout.endswith("and beside\n"), done.stdout)

    def test_pickle(self):
        for name in _functions.public:
            self.assertIs(pickle.loads(pickle.dumps(getattr(sl, name))), getattr(sl, name))

    def test_importing_needs_numpy_alone(self):
        done = run("import sys, json, softlane; print(json.dumps(sorted({n.partition('.')[0] for n in sys.modules})))")
        self.assertFalse({"torch", "scipy", "ml_dtypes", "ctypes.util"} & set(json.loads(done.stdout)))

    def test_self_check(self):
        done = subprocess.run([sys.executable, "-B", "-m", "softlane"], stdout=subprocess.PIPE, text=True, check=False)
        self.assertEqual(done.returncode, 0, done.stdout)
        self.assertEqual(len([line for line in done.stdout.splitlines() if line.endswith(" ok")]), 10, done.stdout)
        self.assertIn(f"softlane {sl.__version__}", done.stdout)
        self.assertRegex(done.stdout, rf"{sl.isa().name} +in use")
        done = run("""
import numpy, softlane, runpy, sys
right, sys.argv = softlane.log_softmax, ["softlane"]
softlane.log_softmax = lambda x: numpy.nextafter(numpy.nextafter(right(x), x.dtype.type(9)), x.dtype.type(9)) * (1 + 9 * numpy.finfo(x.dtype).eps)
runpy.run_module("softlane.__main__", run_name="__main__")""")
        self.assertEqual((done.returncode, done.stdout.count(" WRONG")), (1, 2), done.stdout)
        self.assertTrue(np.isnan(self_check.ulps(np.float32([1, np.nan, 1]), [decimal.Decimal(1)] * 3)))

    def test_examples_run(self):
        """Those of all documentation, by doctest."""
        failed, tried = 0, 0
        documented = [sl, sl.Stats, *_functions.public.values()]
        for one in documented:
            name = getattr(one, "__name__")
            test = doctest.DocTestParser().get_doctest(inspect.getdoc(one), {}, name, None, 0)
            runner = doctest.DocTestRunner(verbose=False)
            runner.run(test)
            failed, tried = failed + runner.failures, tried + runner.tries
        self.assertEqual(failed, 0)
        self.assertGreater(tried, 20)

    def test_documentation(self):
        self.assertEqual(set(_documentation._FUNCTIONS), set(_functions.SIGNATURES))
        for name, function in _functions.public.items():
            for parameter in inspect.signature(function).parameters:
                self.assertRegex(function.__doc__, rf"\b{parameter}\b", name)
            self.assertIn("Raises", function.__doc__)
            self.assertEqual(inspect.signature(function), inspect.signature(_functions.in_python[name]))

    def test_types(self):
        """Those of __init__.pyi are of the functions that there are, with their parameters and defaults."""
        declared, same = {}, {}
        for node in ast.parse((FOLDER / "__init__.pyi").read_text()).body:
            if isinstance(node, ast.FunctionDef):
                declared.setdefault(node.name, []).append(node.args)
            elif isinstance(node, ast.Assign) and isinstance(node.value, ast.Name):
                same[node.targets[0].id] = node.value.id
        declared.update({name: declared[of] for name, of in same.items() if of in declared})
        functions = {name: getattr(sl, name) for name in sl.__all__ if inspect.isroutine(getattr(sl, name))}
        self.assertEqual({name for name in declared if not name.startswith("_")}, set(functions))
        for name, function in functions.items():
            for of in declared[name]:
                defaults = [inspect.Parameter.empty] * (len(of.args) - len(of.defaults)) + of.defaults + of.kw_defaults
                got = [(a.arg, d if d is inspect.Parameter.empty or d is None else ast.literal_eval(d))
                       for a, d in zip(of.args + of.kwonlyargs, defaults)]
                want = [(p.name, p.default) for p in inspect.signature(function).parameters.values()]
                # An overload in which an argument must be given has no default for it.
                self.assertEqual([g if g[1] is not None else w for g, w in zip(got, want)], want, name)
                self.assertEqual(len(got), len(want))
        self.assertTrue((FOLDER / "py.typed").exists())

    def test_reload(self):
        self.assertIs(importlib.reload(sl), sl)
        self.assertEqual(sl.softmax(np.zeros((1, 2), np.float32)).tolist(), [[0.5, 0.5]])


if __name__ == "__main__":
    unittest.main()
