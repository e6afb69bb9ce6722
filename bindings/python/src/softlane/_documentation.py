# SPDX-License-Identifier: MIT
"""The functions' documentation: what each one computes, and what those of a signature have in common."""
import ast

_ELEMENTS = "float32, float64, float16, or bfloat16 (ml_dtypes.bfloat16, or its bits as uint16)"
_ROWS = (f"  x: array of {_ELEMENTS}.\n"
         "    C-contiguous, or a slice that is a run of rows or of planes: logits[:, :50257], image[:, 3:30].\n"
         "  axis: that of the classes.\n")
_OUT = "  out: where the result goes, which is returned: {0}.\n    Default: a new array.\n"
_LIKE_X = _OUT.format("of the shape and type of x; C-contiguous or such a\n    slice; x itself, or one that overlaps nothing")
_PER_ROW = "the shape of x without that axis"
_L = "float32 (float64 if x is)"

# What comes behind the formula. Types of losses, weights and log-sum-exps are called L there.
_LOSS_OPTIONS = f"""\
  class_weight: array of L, one for each class.
  pos_weight: the same; bce_with_logits only.
  label_smoothing: from 0 to 1; cross_entropy and cross_entropy_soft only.
  ignore_index: rows of this target do not count: an int64, or None; cross_entropy and nll only.
  upstream: gradient of the loss: a number, or an array of L and the shape of the losses.
  safe_rows: rows of nothing but -inf have loss 0 instead of NaN; cross_entropy and cross_entropy_soft only.
  empty_mean_zero: a mean over nothing is 0 instead of NaN.
  z_loss, softcap: what squares of log-sum-exps cost; what logits are capped at, 0 for not; the cross_entropies only.
  divisor: what a mean divides by, 0 for what it is about.
L is {_L}.
"""
_GRAD_OPTIONS = '  reduction: of the loss: "mean", "sum" or "none".\n' + _LOSS_OPTIONS
_GRAD = "  grad: True for a new array, or the array for the gradient: of the shape and type of x, which may be x.\n"
_LSE_OUT = "  lse: True for a new array, or the array for the log-sum-exps: of L, one for each row; the cross_entropies only.\n"
_IDS = "  target: array of integers of any type, one class for each row: {0}. int64 is not copied.\n"
_LOSS = """\
  reduction: "mean", "sum" or "none", which gives one loss for each {0}.
  out: where the loss goes: of L and the shape of the losses, () for a mean or a sum. Default: a number, or a new array.
""" + _GRAD + _LSE_OUT + _LOSS_OPTIONS + "Returns the loss, and behind it grad and lse, as far as they are wanted.\n"

_SIGNATURES = {
    "MAP": f"  x: array of {_ELEMENTS}, C-contiguous.\n" + _OUT.format("of the shape and type of x, which may be x"),
    "MAP_WIDE": f"  x: array of {_ELEMENTS}, C-contiguous.\n" + _OUT.format(f"of the shape of x and {_L}"),
    "MAP_BACKWARD": f"  a, dy: arrays of one shape and type, {_ELEMENTS}; C-contiguous.\n" +
                    _OUT.format("of their shape and type, which may be one of them"),
    "ROW_MAP": _ROWS + _LIKE_X,
    "ROW_WIDE": _ROWS + _OUT.format(f"of the shape of x and {_L}"),
    "ROW_BACKWARD": _ROWS.replace("  x: array", "  y, dy: arrays of one shape and type, which lie alike:").replace("array of ", "") +
                    _OUT.format("of their shape and type, which may be one of them"),
    "ROW_FOLD": _ROWS + _OUT.format(f"{_PER_ROW}, {_L}") + "  keepdims: that axis stays, with the length 1.\n",
    "ROW_OPTIONS": _ROWS + _LIKE_X + f"""\
Options are for an axis that is the last one.
  scale, softcap: s = scale x, or softcap tanh(scale x / softcap); a softcap of 0 is none.
  mask: z = s + slope mask; of the shape of x, or one row, of float32, float64 (for float64), float16, bfloat16, uint16 (bits
    of bfloat16); or bool or uint8, where 0 masks the element. Its rows may have a pitch.
  first, length: arrays of integers, one for each row: elements outside of first to first + length are masked.
  sink: array of L, one for each row: one more score, which has no result.
  lse: True for a new array, or the array for log(sum(exp(z))) of each row: of L. It is returned behind the result.
  safe_rows: rows that are masked throughout give 0 (log_softmax: -inf) instead of NaN.
L is {_L}.
""",
    "CLASS_LOSS": _ROWS + _IDS.format(_PER_ROW) + _LOSS.format("row"),
    "PROB_LOSS": _ROWS + "  target: array of the shape and type of x, which lies as x does.\n" +
                 _LOSS.format("row"),
    "ELEMENT_LOSS": _ROWS + "  target: array of the shape and type of x, which lies as x does.\n" +
                    _LOSS.format("element"),
    "CLASS_GRAD": _ROWS + _IDS.format(_PER_ROW) + f"  lse: array of {_L}, one for each row, as cross_entropy gives it.\n" +
                  _GRAD_OPTIONS + _LIKE_X,
    "SHARD_GRAD": _ROWS.replace("  axis: that of the classes.\n", "    Its last axis has the classes `first` to `first` + their number.\n") +
                  _IDS.format("of all classes; " + _PER_ROW) +
                  "  stats: a sequence of Stats of the whole rows: merged from softmax_stats_rows of each shard.\n"
                  "  first, classes: the shard's first class, and how many there are in all.\n" +
                  _GRAD_OPTIONS.replace("one for each class", "one for each of all classes") + _LIKE_X,
    "STATS": f"  x: array of {_ELEMENTS}, C-contiguous: a row, or a part of one.\nReturns Stats.\n",
    "APPLY": f"  x: array of {_ELEMENTS}, C-contiguous: a part of a row.\n  stats: Stats of the whole row.\n" +
             _OUT.format("of the shape and type of x, which may be x"),
    "STATS_ROWS": _ROWS.replace("  axis: that of the classes.\n", "") +
                  "  target: None, or array of integers, one for each row: Stats.target becomes the logit of that class, and stays 0 if\n"
                  "    it is not in these rows.\nReturns a sequence of Stats, one for each row.\n",
    "ROW_AT": _ROWS.replace("  axis: that of the classes.\n", "") +
              "  ids: array of integers: the shape of x, but for any number of classes of each row.\n" + _OUT.format(f"the shape of ids, {_L}"),
    "ROW_TOP": _ROWS.replace("  axis: that of the classes.\n", "") +
               f"  k: how many, at most as many as there are.\n  out, ids: where they go, arrays of {_L} and of int64: the shape\n"
               "    of x, but for k elements of each row. Default: new arrays.\nReturns both.\n",
}

_FUNCTIONS = {
    "softmax": ("exp(x) / sum(exp(x)) along an axis.", """
    >>> import numpy as np, softlane
    >>> softlane.softmax(np.float32([[2, 1, 0], [0, 0, 0]])).round(4)
    array([[0.6652, 0.2447, 0.09  ],
           [0.3333, 0.3333, 0.3333]], dtype=float32)
"""),
    "log_softmax": ("x - log(sum(exp(x))) along an axis; also next to 0 all digits are right.", """
    >>> import numpy as np, softlane
    >>> print(softlane.log_softmax(np.float32([20, 0, 0]))[0])
    -4.1223074e-09
"""),
    "softmax_safe": ("As softmax, but rows of nothing but -inf give zeros.", ""),
    "log_softmax_safe": ("As log_softmax, but rows of nothing but -inf give -inf.", ""),
    "softmax_backward": ("y (dy - sum(y dy)) along an axis: the gradient of softmax, whose result was y.", ""),
    "log_softmax_backward": ("dy - exp(y) sum(dy) along an axis: the gradient of log_softmax, whose result was y.", ""),
    "logsumexp": ("log(sum(exp(x))) along an axis; -inf of no classes.", """
    >>> import numpy as np, softlane
    >>> softlane.logsumexp(np.float64([[1000, 1000], [0, -1000]]), keepdims=True)
    array([[1000.69314718],
           [   0.        ]])
"""),
    "sigmoid": ("1 / (1 + exp(-x)).", ""),
    "sigmoid_fast": ("1 / (1 + exp(-x)) where a few ULP do not matter; a result below the least normal number is 0.", ""),
    "sigmoid_exact": ("The float32 that is nearest to 1 / (1 + exp(-x)).", """
    >>> import numpy as np, softlane
    >>> softlane.sigmoid_exact(np.float32([0, -90, 20]))
    array([5.00000e-01, 8.19401e-40, 1.00000e+00], dtype=float32)
"""),
    "log_sigmoid": ("log(1 / (1 + exp(-x))).", ""),
    "sigmoid_backward": ("dy a (1 - a): the gradient of sigmoid, whose result was a.", ""),
    "log_sigmoid_backward": ("dy / (1 + exp(a)): the gradient of log_sigmoid, whose argument was a.", ""),
    "cross_entropy": ("log(sum(exp(x))) - x of the target's class: logits x, class ids.", """
    >>> import numpy as np, softlane
    >>> logits = np.float32([[2, 1, 0], [-1, 4, 1]])
    >>> loss, gradient = softlane.cross_entropy(logits, np.array([0, 1]), grad=True)
    >>> print(f"{loss:.4f}")
    0.2313
    >>> gradient.round(4)
    array([[-0.1674,  0.1224,  0.045 ],
           [ 0.0032, -0.0268,  0.0236]], dtype=float32)
"""),
    "cross_entropy_soft": ("sum(target (log(sum(exp(x))) - x)) along an axis: logits x, a probability for every class.", ""),
    "nll": ("-x of the target's class: log-probabilities x, class ids.", ""),
    "bce_with_logits": ("Binary cross-entropy of logits x, for each element: target softplus(-x) + (1 - target) softplus(x).", ""),
    "bce": ("Binary cross-entropy of probabilities x, for each element: -target log(x) - (1 - target) log(1 - x), logarithms cut at\n"
            "-100. Prefer bce_with_logits.", ""),
    "softmax_stats": ("Statistics of a row, or of a part of one, which can be merged.", ""),
    "softmax_apply": ("exp(x) / sum(exp(whole row)) for a part of a row.", ""),
    "softmax_with": ("Softmax of scores z, which are made of x by these options: exp(z) / (sum(exp(z)) + exp(sink)).", """
    >>> import numpy as np, softlane
    >>> causal = np.tri(3, dtype=bool)
    >>> softlane.softmax(np.zeros((3, 3), np.float32), mask=causal).round(4)
    array([[1.    , 0.    , 0.    ],
           [0.5   , 0.5   , 0.    ],
           [0.3333, 0.3333, 0.3333]], dtype=float32)
"""),
    "log_softmax_with": ("The logarithm of softmax_with.", ""),
    "softmax_stats_rows": ("Statistics of each row, which can be merged with those of its other parts.", ""),
    "log_softmax_at": ("Log-probabilities of chosen classes of each row.", ""),
    "log_softmax_top": ("The k largest log-probabilities of each row, the largest first, and their classes.", """
    >>> import numpy as np, softlane
    >>> y, ids = softlane.log_softmax_top(np.float32([[1, 3, 0]]), 2)
    >>> ids
    array([[1, 0]])
"""),
    "softmax_wide": ("Softmax with results of the type of losses: float32 for 16-bit elements.", ""),
    "log_softmax_wide": ("log_softmax with results of the type of losses: float32 for 16-bit elements.", ""),
    "sigmoid_wide": ("Sigmoid with results of the type of losses: float32 for 16-bit elements.", ""),
    "cross_entropy_grad": ("The gradient of cross_entropy from its saved log-sum-exps.", ""),
    "cross_entropy_shard_grad": ("The gradient of cross_entropy for a shard of the classes, from statistics of the whole rows.", ""),
}

_ERRORS = """\
Raises TypeError and ValueError for arguments of a wrong kind, type or shape, for read-only outputs and for arrays that would have to
be copied; softlane.Error, a ValueError, for what C refuses: {0}options out of range, outputs
that overlap other arguments. Nothing is written then.
"""


def is_f32_alone(bounds):
    return len(ast.literal_eval(bounds)) == 2


def of(name, signature, bounds):
    """The text for a kernel; bounds: those of the manifest."""
    summary, example = _FUNCTIONS[name]
    targets = "targets out of range, " if signature.startswith("CLASS") or signature in ("SHARD_GRAD", "ROW_AT") else ""
    text = _SIGNATURES[signature]
    if name in ("softmax", "log_softmax"):
        text = _SIGNATURES["ROW_OPTIONS"]
    if is_f32_alone(bounds):
        return f"{summary}\n{example}\n{text}\n{_ERRORS.format(targets)}\nOf float32 alone; correctly rounded.\n"
    fma, without, f64, f64_without, half = ast.literal_eval(bounds)
    error = (f"Largest error in tests, in ULP: float32 {fma} (without FMA {without}), float64 {f64} ({f64_without}), 16 bits {half};\n"
             "of what, and formulas in full: softlane.h.\n")
    return f"{summary}\n{example}\n{text}\n{_ERRORS.format(targets)}\n{error}"
