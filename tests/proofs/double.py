# SPDX-License-Identifier: MIT
"""What the proofs of f64 start from: the constants of the kernels' polynomials, read from the sources; the polynomials' errors, by Sollya; and the
figures that follow from lemmas by hand (docs/accuracy.md). The lemmas are those of lemmas/*.f64.*, first those of PARTS, then the others."""
import math
import re
import subprocess
from fractions import Fraction
from pathlib import Path

import lemmas

MATHS = Path(__file__).resolve().parent.parent.parent / "kernels/maths"
SECONDS = 60  # for Sollya
PARTS = ("exp_reduction", "exp_argument", "reciprocal"), ("exp", "exp_wide", "exp_fast", "log", "log_small", "slope")
W = Fraction(1, 1 << 53)


def number(text):
    """A hexadecimal one of C, as it is."""
    sign, whole, digits, power = re.fullmatch(r"(-?)0x(\w+)(?:\.(\w*))?p([+-]?\d+)", text).groups()
    digits = digits or ""
    return (-1 if sign else 1) * Fraction(int(whole + digits, 16), 16 ** len(digits)) * Fraction(2) ** int(power)


def _found(maths, path, pattern):
    found = re.search(pattern, (maths / path).read_text(encoding="utf-8"))
    if not found:
        raise lemmas.Failure(f"{path}: no {pattern}")
    return found[1]


def constants(maths=MATHS):
    """By the names that operations.ops and the lemmas have."""
    hexadecimal = r"(-?0x[\w.]+p[+-]?\d+)"
    names = {"ln2_hi": _found(maths, "pair_f64.h", "#define W_LN2_HI " + hexadecimal),
             "ln2_lo": _found(maths, "pair_f64.h", "#define W_LN2_LO " + hexadecimal),
             "log2e": _found(maths, "exp_absolute_f64.h", "#define W_LOG2E " + hexadecimal),
             "magic": _found(maths, "exp_absolute_f64.h", "#define W_EXP_MAGIC " + hexadecimal)}
    table = r"static const double {}\[\] = \{{([^}}]*)\}}"
    q = _found(maths, "exp_absolute_f64.h", table.format("q")).replace(",", " ").split()
    q = [_found(maths, "exp_absolute_f64.h", r"return w_fma\(sum, r, w_set1\(" + hexadecimal), *q,
         _found(maths, "exp_absolute_f64.h", r"vw sum = w_set1\(" + hexadecimal)]
    p = _found(maths, "log_f64.h", table.format("p")).replace(",", " ").split()
    p = [_found(maths, "log_f64.h", r"sum = w_fma\(sum, zz, w_set1\(" + hexadecimal), *p]
    names.update({f"c{k}": text for k, text in enumerate(q)} | {f"p{k}": text for k, text in enumerate(p)})
    return names


def sollya(text):
    """The numbers that it prints."""
    ran = subprocess.run(["sollya", "--warnonstderr", "/dev/stdin"], input=text, capture_output=True, text=True, timeout=SECONDS)
    lines = ran.stdout.split()
    if ran.returncode != 0 or not lines or ran.stderr.strip() or not all(re.fullmatch(r"-?[\d.]+(e-?\d+)?", line) for line in lines):
        raise lemmas.Failure(f"Sollya: {ran.stdout}{ran.stderr}\n{text}")
    return [Fraction(line) * (1 + Fraction(1, 1 << 30)) for line in lines]


def polynomials(names, r_most):
    """The relative errors of exp's on |r| <= r_most and of log(1 + f)'s, f up to sqrt 2 - 1 and what makes f larger, and what is missing of ln 2. z =
    f / (2 + f) below 2^-8 by the differences of the coefficients from those of the series, in exact numbers."""
    c = ", ".join(names[f"c{k}"] for k in range(11))
    p = ", ".join(names[f"p{k}"] for k in range(7))
    r_most = lemmas.up(r_most, 40)
    exp, log, ln2 = sollya(f"""prec = 200!; display = decimal!; verbosity = 1!;
c = [|{c}|]; q = 1 + x;
for i from 0 to 10 do q = q + c[i] * x^(i + 2);
r = {r_most.numerator} / {r_most.denominator};
print(sup(supnorm(q, exp(x), [-r; r], relative, 2^-10)));
p = [|{p}|]; q = 2 * x;
for i from 0 to 6 do q = q + p[i] * x^(2 * i + 3);
w = (sqrt(2) - 1) / (sqrt(2) + 1) + 2^-50;
print(sup(supnorm(q, log1p(x) - log1p(-x), [2^-8; w], relative, 2^-10)));
print(sup(abs([{names['ln2_hi']}] + [{names['ln2_lo']}] - log(2))));
quit;
""")
    zz = Fraction(1, 1 << 16)
    near = sum(abs(number(names[f"p{k}"]) - Fraction(2, 2 * k + 3)) * zz**k for k in range(7)) + zz**7
    return {"exp_polynomial": exp, "log_polynomial": max(log, near * zz / 2), "ln2_missing": ln2}


X_MOST = 9500      # of |x|: frames reach to 8192, and 1400 powers of two below their reference
MAGIC_MOST = 16384  # what magic is moved by
REST = 3            # roundings of a quotient that statistics keep: its own, and those of f rest / f (row_statistics.h)
PIECES = tuple(Fraction(2) ** j * (4 + i) / 4 for j in range(-4, 0) for i in range(4)) + (Fraction(1),)  # of the logarithm
FIRST = PIECES[0]


def expm1(x):
    """exp(x) - 1, |x| <= 8, to 2^-60 of itself; lemmas' intervals are a little wider."""
    total, term = Fraction(0), Fraction(1)
    for k in range(1, 60):
        term = lemmas.up(term * x / k)
        total += term
    return total


def log_pieces():
    """(piece, intervals of F and whether k is 1 or more) for each piece of log(1 + F) + k ln 2: k is 0 up to sqrt 2, and 1 up to 2 sqrt 2. The last
    one is all from 1 on."""
    wide, ln2 = Fraction(1, 1 << 30), Fraction(0.6931471805599453)
    least, most = Fraction(-0.2929), Fraction(0.41422)
    pieces = []
    for at, (low, high) in enumerate(zip(PIECES, PIECES[1:])):
        of = []
        if low < ln2 / 2 + wide:
            of.append((expm1(low) - wide, min(expm1(high) + wide, most), False))
        if high > ln2 / 2 - wide:
            of.append((max(expm1(low - ln2) - wide, least), min(expm1(high - ln2) + wide, most), True))
        pieces.append((at, of))
    return pieces + [(len(PIECES) - 1, [(least, most, True)])]


def first_figures(kind, additions, maths=MATHS):
    """What lemmas about exponentials and logarithms are told."""
    names = constants(maths)
    product = kind == "plain"
    figures = {key: number(text) for key, text in names.items()}
    figures["constants"] = "\n".join(f"{key} = {text};" for key, text in names.items() if key != "magic")
    figures |= {"w": W, "fma": not product, "names": names, "x_most": Fraction(X_MOST), "magic_low": figures["magic"] - MAGIC_MOST, "magic_high": figures["magic"] + MAGIC_MOST,
                "x_log2e": "rw(x * log2e)" if product else "x * log2e", "q_square": "rw(q * square)" if product else "q * square",
                "z_a": "rw(z * a)" if product else "z * a", "log_pieces": log_pieces(), "log_pieces_from": expm1(FIRST) + Fraction(1, 1 << 30)}
    figures["n_most"] = lemmas.up(figures["log2e"] * X_MOST) + 2
    figures["low_most"] = figures["n_most"] * figures["ln2_lo"] * 2
    figures["sum_lost"] = additions * W * (1 + Fraction(1, 1 << 20))  # of a sum of positive numbers, relative
    return figures


def add_polynomials(figures):
    """Once |r| is known."""
    if figures["exp_high_lost"] != 0:
        raise lemmas.Failure("exp_reduction.f64.g: x less n ln 2's first part is not exact")
    figures |= polynomials(figures["names"], figures["exp_r_most"])
    # Without FMA n times the second part is rounded, and t p among the denormals, t being 2^-1000.
    figures["exp_lost"] = figures["n_most"] * figures["ln2_missing"] + figures["low_most"] * W + Fraction(1, 1 << 74)


def add_sums(figures, together, quotient):
    """What rows make of an exponential's error. A sum carries along what its additions lose, in one lane at most k 2^-53, and loses of that
    as much again."""
    lost = figures["sum_lost"] ** 2
    figures["exp_wide"] = max(figures["exp_wide_near"], figures["exp_wide_far"])
    rounded = figures["exp_rounded"] * W
    own = {at: figures[f"log_lost{at}"] + figures["log_polynomial"] * Fraction(0.3467) + 1100 * figures["ln2_missing"] for at in range(len(PIECES))}
    figures["log_quotient"] = together(quotient(together(rounded, lost), figures["exp_wide"] * W), Fraction(1, 1 << 74))
    figures["log_own"] = max(*(own[at] / PIECES[at] for at in own), (figures["log_small"] * W + figures["log_polynomial"]))
    figures["sigmoid_relative"] = together(figures["exp_wide"] * W, W, 0 if figures["fma"] else W, Fraction(1, 1 << 90))
    figures["log_own_most"] = max(own.values())
    figures["log_intervals"] = ((FIRST / 2, FIRST), *zip(PIECES, PIECES[1:]), (PIECES[-1], 2 * PIECES[-1]))

    def error_of(wrong_of):
        """Of the logarithm of 1 + q, q with this error, from `low` to `high`: absolute."""
        def error(low, high):
            wrong = wrong_of(low, high)
            if high <= FIRST:
                return high * (wrong + figures["log_small"] * W + figures["log_polynomial"])
            met = [at for at in own if PIECES[at] < high and (at + 1 == len(PIECES) or PIECES[at + 1] > low)]
            return wrong * (1 + wrong) * one_less_exp(high) + max(own[at] for at in met)
        return error
    figures["log_error"] = error_of(lambda low, high: figures["log_quotient"])
    figures["log_error_of_rest"] = error_of(lambda low, high: together(figures["log_quotient"], REST * W))
    figures["log_error_of_exp"] = error_of(lambda low, high: figures["exp_wide_near" if is_near(low, high) else "exp_wide"] * W)
    end = Fraction(7, 10)  # above log 2
    figures["log_sigmoid_cases"] = [(low, min(high, end), "") for low, high in figures["log_intervals"] if low < end] + [(0, 0, k) for k in (-1, 0, 1)]
    figures["binade"] = lambda x: x.numerator.bit_length() - x.denominator.bit_length()
    factor = figures.get("reciprocal", Fraction(1, 1 << 75))
    whole = together(max(rounded, figures["exp_wide"] * W), lost)
    figures["quotient"] = quotient
    figures["factors"] = {"gradient": quotient(Fraction(1, 1 << 74), whole),
                          "rows": quotient(factor, together(rounded, lost)),
                          "apply": quotient(factor, together(rounded, figures["log_quotient"], REST * W))}


def is_near(low, high):
    """Whether exp(-a) of all log(1 + exp(-a)) from low to high has |r| below 1/4."""
    if low < FIRST:
        return False
    log2 = [math.log(math.expm1(float(x))) / math.log(2) for x in (low, high)]
    n = round(log2[1])
    return all(abs(x - n) * math.log(2) < 0.2499 for x in log2)


def one_less_exp(x):
    """At least 1 - exp(-x)."""
    return 1 if x > 8 else lemmas.up(1 - 1 / (1 + expm1(Fraction(x)) * (1 + Fraction(1, 1 << 40))))


def c_header():
    """The constants and pieces, for double.c."""
    lines = [f"static const double {name} = {text};" for name, text in constants().items()]
    return "\n".join(lines) + f"\nstatic const double pieces[] = {{{', '.join(repr(float(piece)) for piece in PIECES)}}};\n"


def check_samples(text, proven, figures):
    """Lines about what is not as proven: of what double.c prints, in its units."""
    wrong, known = [], {**{name: entry["bound"] for name, entry in proven.items()}, "exp_wide": figures["exp_wide"]}
    found = re.findall(r"^(\w+) ([\d.e+-]+) # (\S+)", text, re.M)
    for name, value, at in found:
        if not Fraction(value) <= known[name] + (0 if name.startswith("log_lost") else Fraction(1, 1 << 8)):
            wrong.append(f"{name}: {value} at {at}, proven {float(known[name])}")
    return wrong if found else ["no samples"]


def check_assumed(log_f64, proven, figures):
    """What is not as the lemmas of f32 take it for granted: the relative error of a logarithm, rounded, and of the quotients of log.h, rounded."""
    log, quotient = figures["log_own"] + W, proven["inverse"]["bound"] + 2 * W
    return [f"{what} in f64: 2^{math.log2(error):.2f}" for what, error, most in
            (("logarithms", log, log_f64), ("quotients", quotient, Fraction(1, 1 << 44))) if error > most]
