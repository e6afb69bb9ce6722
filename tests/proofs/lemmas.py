# SPDX-License-Identifier: MIT
"""Lemmas: templates of Gappa's scripts. What a template says of itself stands in lines that begin with #!

    #! class fma                of one class of bits (fma, plain, both)
    #! for k in range(-126, 3)  once for each; more of these are nested. What follows may name k
    #! let d = sum_long + 2*u   a name for a number
    #! unit 2**(k - 23)         what the goal's bounds are divided by
    #! gives softmax_@{rows}    the figure: the largest bound of all cases that give it
    #! nonzero s                an obligation: s is not 0, which Gappa may assume and is asked to prove

In the text @{...} is a number that Python computes from figures found before, and rounds up in magnitude; `@ops name` stands for the
operations of operations.ops. Every template has one goal, whose bounds are asked for (`in ?`).
"""
import itertools
import re
import subprocess
from dataclasses import dataclass, field
from fractions import Fraction

import operations

ASSUMED = re.compile(r"Warning: the expression (.*) has been assumed to be nonzero")
NEEDLESS = re.compile(r"Warning: no need for the rewriting at ")  # Gappa has it itself
BOUNDS = re.compile(r" in \[(\S+?)(?: \{[^}]*\})?, (\S+?)(?: \{[^}]*\})?\]\s*$", re.M)
GOAL = re.compile(r"->\s*(.+?)\s+in \?\s*}", re.S)
SECONDS = 60


class Failure(Exception):
    pass


def up(number, bits=80):
    """At least as large in magnitude, with so many digits."""
    number = Fraction(number)
    if number == 0:
        return number
    power = abs(number).numerator.bit_length() - abs(number).denominator.bit_length()
    unit = Fraction(2) ** (power - bits)
    digits = -((-abs(number)) // unit)
    return (digits if number > 0 else -digits) * unit


def text_of(number):
    """For Gappa: an integer times a power of two. A text is itself."""
    if isinstance(number, str):
        return number
    number = up(number)
    power = number.denominator.bit_length() - 1
    if number.denominator != 1 << power:
        raise Failure(f"not a multiple of a power of two: {number}")
    return f"{number.numerator}b-{power}" if power else str(number.numerator)


def number_of(text):
    """What Gappa prints."""
    digits, b, power = text.partition("b")
    return Fraction(digits) * (Fraction(2) ** int(power) if b else 1)


@dataclass
class Template:
    path: object
    classes: tuple = ("fma", "plain")
    loops: list = field(default_factory=list)
    lets: list = field(default_factory=list)
    unit: str = "1"
    gives: str = ""
    nonzero: tuple = ()
    body: str = ""


def read(path):
    template = Template(path)
    lines = []
    for line in path.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#!"):
            lines.append(line)
            continue
        word, _, rest = line[2:].strip().partition(" ")
        if word == "class":
            template.classes = ("fma", "plain") if rest == "both" else (rest,)
        elif word == "for":
            template.loops.append(tuple(rest.split(" in ", 1)))
        elif word == "let":
            template.lets.append(tuple(rest.split(" = ", 1)))
        elif word in ("unit", "gives"):
            setattr(template, word, rest)
        elif word == "nonzero":
            template.nonzero += (rest,)
        else:
            raise Failure(f"{path.name}: no such line: {line}")
    template.body = "\n".join(lines)
    if not template.gives or not GOAL.search(template.body):
        raise Failure(f"{path.name}: gives no figure, or has no goal")
    return template


def cases(template, figures):
    """(figure, names) of each case."""
    def nested(loops, names):
        if not loops:
            for name, text in template.lets:
                names = {**names, name: evaluate(template, text, figures, names)}
            yield names
            return
        (name, values), *others = loops
        for value in evaluate(template, values, figures, names):
            of = name.split(", ")
            yield from nested(others, {**names, **(dict(zip(of, value)) if len(of) > 1 else {name: value})})
    for names in nested(template.loops, {}):
        yield fill(template, template.gives, figures, names, str), names


def evaluate(template, text, figures, names):
    known = {**figures, **names, "up": up, "F": Fraction, "u": Fraction(1, 1 << 24), "range": range, "max": max, "min": min, "str": str, "text": text_of}
    try:
        return eval(text, {"__builtins__": {}, **known})  # a file of the project, not input
    except (NameError, TypeError, SyntaxError, KeyError, ZeroDivisionError) as error:
        raise Failure(f"{template.path.name}: {text}: {error}") from None


def fill(template, text, figures, names, to_text):
    return re.sub(r"@\{(.+?)\}", lambda at: to_text(evaluate(template, at[1], figures, names)), text)


def script(template, figures, names, kind, functions):
    """The whole text for Gappa."""
    def spliced(at):
        if at[1] not in functions:
            raise Failure(f"{template.path.name}: no operations {at[1]} of class {kind}")
        return operations.gappa(functions[at[1]])
    body = re.sub(r"^@ops (\w+)$", spliced, template.body, flags=re.M)
    body = fill(template, body, figures, names, text_of)
    return "@rn = float<ieee_32, ne>;\n@rw = float<ieee_64, ne>;\n" + body + "\n"


def ask(path, text, obligations):
    """The largest magnitude of the goal. Anything that Gappa says beside it is a failure."""
    answer = path.with_suffix(".said")
    if path.exists() and answer.exists() and path.read_text(encoding="utf-8") == text:
        said = answer.read_text(encoding="utf-8")  # the same text has the same answer
    else:
        answer.unlink(missing_ok=True)
        path.write_text(text, encoding="utf-8")
        try:
            ran = subprocess.run(["gappa", str(path)], capture_output=True, text=True, timeout=SECONDS)
        except subprocess.TimeoutExpired:
            raise Failure(f"{path}: no answer in {SECONDS} s") from None
        said = ran.stderr + ran.stdout
        if ran.returncode == 0:
            answer.write_text(said, encoding="utf-8")
    for line in said.splitlines():
        assumed = ASSUMED.match(line)
        if assumed and assumed[1].strip("()") in obligations or assumed and assumed[1] in obligations:
            continue
        if NEEDLESS.match(line):
            continue
        if "arning" in line or "rror" in line:
            raise Failure(f"{path}: {line}")
    found = BOUNDS.search(said)
    if not found:
        raise Failure(f"{path}: no bound: {said.strip()}")
    return number_of(found[1]), number_of(found[2])


def prove(template, figures, names, kind, functions, path):
    """The figure of one case: in units."""
    text = script(template, figures, names, kind, functions)
    low, high = ask(path, text, template.nonzero)
    for name in template.nonzero:
        goal = GOAL.sub(f"-> {name} in ? }}", text, count=1)
        least, most = ask(path.with_suffix(f".nonzero{template.nonzero.index(name)}.g"), goal, template.nonzero)
        if least <= 0 <= most:
            raise Failure(f"{path}: {name} may be 0")
    return max(abs(low), abs(high)) / Fraction(evaluate(template, template.unit, figures, names))


def sequence(iterable):
    return list(itertools.chain(iterable))
