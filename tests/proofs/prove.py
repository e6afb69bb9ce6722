#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Proves the bounds that kernels.def states on any input, in both classes of bits. Of f32, what one float decides by trying all floats
(parts.c), everything else by Gappa, from these figures (lemmas/); of f64 all by Gappa and Sollya (double.py). What is assumed beside that stands in docs/accuracy.md,
"Proofs". The operations that Gappa is told are compared with the kernels bit by bit (operations.ops, model.c).

Prints a line for every bound. Exit code 1 when one is not proven, or is exceeded."""
import argparse
import concurrent.futures
import hashlib
import math
import os
import re
import subprocess
import sys
import time
from fractions import Fraction
from pathlib import Path

HERE = Path(__file__).resolve().parent
ROOT = HERE.parent.parent
sys.path[:0] = [str(HERE), str(ROOT / "scripts")]
import command_line
import double
import lemmas
import mutations
import operations

CLASSES = ("fma", "plain")
COLUMN = {"f32": {"fma": 0, "plain": 1}, "f64": {"fma": 2, "plain": 3}}
U = Fraction(1, 1 << 24)
STRICT = ["-std=c11", "-Wall", "-Wextra", "-Wno-unused-function", "-Werror", "-ffp-contract=off", f"-I{ROOT / 'include'}",
          f"-I{ROOT / 'kernels'}", f"-I{ROOT / 'tests/proofs'}"]
MOST = 1 << 28  # elements of a row: softlane.h


class Failed(Exception):
    pass


def run(command, **options):
    ran = subprocess.run([str(word) for word in command], capture_output=True, text=True, **options)
    if ran.returncode != 0:
        raise Failed(f"{' '.join(map(str, command[:4]))} ...: exit code {ran.returncode}\n{ran.stdout}{ran.stderr}")
    return ran.stdout


# ---- constants of the sources

def constant(path, name):
    found = re.search(rf"^#define {name} (\d+)", (ROOT / path).read_text(encoding="utf-8"), re.M)
    if not found:
        raise Failed(f"{path}: no {name}")
    return int(found[1])


def lanes_of(kind):
    """Lanes of a sum of exponentials, and elements that one addition takes."""
    path = "kernels/element/arithmetic_f32.h"
    text = (ROOT / path).read_text(encoding="utf-8")
    found = re.search(r"#if SL_FMA\n#define SL_EXP_LANES SL_LANES\n#define SL_BLOCK \d+\n#else\n#define SL_EXP_LANES (\d+)", text)
    if not found:
        raise Failed(f"{path}: no SL_EXP_LANES")
    return constant("kernels/vocab.h", "SL_LANES") if kind == "fma" else int(found[1])


def bounds_of_manifest():
    """(kernel, gradient or not): what any input may have, of each column."""
    rows = {}
    for line in (ROOT / "kernels/kernels.def").read_text(encoding="utf-8").splitlines():
        found = re.match(r"SL_(?:F32_)?KERNEL\((\w+),.*?\d, \d, (\(.*?\)),\s*(\(.*?\)),\s*(\(.*?\)),\s*(\(.*?\))\)$", line)
        if found:
            name, tested, any_input, gradient, any_gradient = found.groups()
            for key, pair in (((name, False), (tested, any_input)), ((name, True), (gradient, any_gradient))):
                rows[key] = [[Fraction(number) for number in text.strip("()").split(",")] for text in pair]
    return rows


def worst_found(stated):
    """(kernel/type, class, output): the largest error of witnesses without options. Where it is more than what is stated, the absolute
    errors of softlane.h, range, are part of it (tests/search.c sees to that): those are left out."""
    worst = {}
    for line in (ROOT / "tests/data/witnesses.txt").read_text(encoding="utf-8").splitlines():
        if line.startswith("#") or re.search(r" (weights|pos|upstream|smoothing|mean|z|softcap) ", line + " "):
            continue
        name, kind, output, _, error, *_ = line.split()
        for of in ("fma", "no-fma") if kind == "both" else (kind,):
            key = name, "fma" if of == "fma" else "plain", output
            kernel = name.partition("/")[0], output == "gradient"
            element = name.partition("/")[2]
            if element in COLUMN and kernel in stated and float(error) <= stated[kernel][1][COLUMN[element][key[1]]]:
                worst[key] = max(worst.get(key, 0), float(error))
    return worst


# ---- what one float decides

def units_of(kind):
    """The instruction set whose words parts.c is compiled with, and flags."""
    machine = os.uname().machine
    if machine == "x86_64":
        return ("avx2" if kind == "fma" else "sse2"), []
    if kind == "fma":
        return {"aarch64": "neon"}.get(machine, "scalar"), []
    raise Failed(f"no class without FMA on {machine}")


def compiler():
    return os.environ.get("CC", "gcc")


def key_of(program, flags):
    """A hash of all that the figures come from: the sources without comments, and the compiler."""
    digest = hashlib.sha256(run([compiler(), "--version"]).encode())
    for source in (program, "reference.c"):
        digest.update(run([compiler(), "-E", "-P", *flags, *STRICT, HERE / source]).encode())
    return digest.hexdigest()


SECTIONS = ("sigmoid_map", "sigmoid_fast_map", "sigmoid_exact_map", "log_sigmoid_map", "exponentials", "log1p", "logarithms", "sigmoid", "soft", "times_exp", "slope", "expm1",
            "bce")


def write_operations(kind, build):
    """The folder with the operations that lemmas are about, in C."""
    folder = build / kind
    folder.mkdir(exist_ok=True)
    (folder / "operations.h").write_text(operations.c_header(operations.read(HERE / "operations.ops", kind)))
    return folder


def build_parts(kind, build):
    """The program, and a hash of all that its figures come from."""
    isa, flags = units_of(kind)
    flags = [*flags, f"-I{write_operations(kind, build)}"]
    key = key_of("parts.c", [f"-DSL_UNIT_ISA={isa}", *flags])
    program, reference = build / f"parts.{kind}", build / f"reference.{kind}.o"
    run([compiler(), "-O3", "-march=native", *STRICT, "-c", HERE / "reference.c", "-o", reference])
    run([compiler(), "-O2", f"-DSL_UNIT_ISA={isa}", *flags, *STRICT, HERE / "parts.c", reference, "-lm", "-o", program])
    return program, key


def run_section(program, key, section):
    """What it prints of one part. It is kept beside that hash."""
    kept = program.with_suffix(f"{program.suffix}.{section}.txt")
    if not (kept.exists() and kept.read_text().startswith(f"# {key}\n")):
        text = run([program, section])
        kept.write_text(f"# {key}\n{text}")
    return kept.read_text()


def check_conversions(build, kind, element):
    """That all floats are rounded to elements of 16 bits, as what lemmas say of these takes for granted."""
    isa, flags = units_of(kind)
    options = [f"-DSL_UNIT_ISA={isa}", f"-DSL_UNIT_TYPE={element}", *flags]
    program, reference = build / f"conversions.{kind}.{element}", build / f"reference.{kind}.o"
    run([compiler(), "-O2", *options, *STRICT, HERE / "conversions.c", reference, "-lm", "-o", program])
    return f"{kind}: {run_section(program, key_of('conversions.c', options), element).splitlines()[-1]}"


def run_parts(build, jobs):
    """Figures of parts.c, by class."""
    programs = {kind: build_parts(kind, build) for kind in CLASSES}
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        texts = {(kind, section): pool.submit(run_section, *programs[kind], section) for section in SECTIONS for kind in reversed(CLASSES)}
        checks = [pool.submit(check_conversions, build, kind, element) for kind in CLASSES for element in ("bf16", "f16")]
        for check in checks:
            print(check.result())
        return {kind: "".join(texts[kind, section].result() for section in SECTIONS) for kind in CLASSES}


def figures_of(text):
    return {name: Fraction(value) for name, value in re.findall(r"^(\w\S*) (-?[\d.]+)", text, re.M)}


def rounding(additions):
    """Of so many f64 additions of positive numbers, relative: k 2^-53 / (1 - k 2^-53)."""
    total = Fraction(additions, 1 << 53)
    return total / (1 - total)


def together(*errors):
    """The relative error of a product whose factors have these."""
    product = Fraction(1)
    for error in errors:
        product *= 1 + error
    return product - 1


def quotient(above, below):
    return (1 + above) / (1 - below) - 1


def exp_above(x):
    """An upper bound of exp(-x), x > 0, by 1 / its series."""
    term = total = Fraction(1)
    for k in range(1, 60):
        term = term * x / k
        total += term
    return 1 / total


def figures_from(kind, parts):
    """What lemmas are told: figures of parts as relative errors, and what follows from them by hand (docs/accuracy.md)."""
    figures = {name.replace("-", "_").replace("^", "_"): value for name, value in parts.items()}
    for name in ("exp_rounded", "exp_wide", "log1p", "sigmoid", "sigmoid_slope", "times_exp", "log_of_p",
                 "log_of_1_p", "sigmoid_soft", "expm1", *(name for name in ("share", "log1p_low", "log1p_near") if name in figures)):
        figures[name] *= U
    lanes = lanes_of(kind)
    short = constant("kernels/vocab.h", "SL_SHORT")

    def sums(elements):
        """An element's exponential, without FMA a pair of them in f32, the additions of its lane and those of the folding and the end."""
        pair = 2 if kind == "plain" else 1
        additions = -(-elements // (pair * lanes)) + lanes.bit_length() + 4
        return together(figures["exp_rounded"], U if kind == "plain" else 0, rounding(additions))
    short_sum = together(figures["exp_rounded"], rounding(short + 8))
    few = rounding(4)
    figures["sum_long"], figures["sum_short"] = sums(MOST), short_sum
    figures["log_quotient"] = together(quotient(sums(MOST), figures["exp_wide"]), few)
    figures["sum_quotient"] = figures["log_quotient"]
    figures["log_f64"] = Fraction(1, 1 << 45)
    figures["log_sum"] = together(figures["log_quotient"] / (1 - figures["log_quotient"]), figures["log_f64"])
    figures["apply_sum"] = together(figures["exp_rounded"], figures["log_quotient"], few)
    figures["one_less_exp"] = {k: 1 - 1 / sum_of_exp(Fraction(2) ** k) for k in range(-2, 9)}
    lane = -(-MOST // constant("kernels/vocab.h", "SL_LANES")) + 16
    figures["sums"] = {"dot": rounding(lane), "lanes": rounding(lane)}
    figures["sum_2_31"] = sums(1 << 31)
    figures["together"] = together
    split = Fraction(1, 1 << 46)  # of a factor in two parts
    figures["gradient_factors"] = {"long": quotient(together(few, split), figures["sum_long"]),
                                   "known": quotient(together(few, split), figures["exp_wide"]),
                                   "shard": quotient(together(few, split), together(figures["exp_wide"], figures["log_quotient"]))}
    share = together(max(figures["log_quotient"], quotient(figures["exp_wide"], figures["sum_long"])), few)
    figures["others"] = {"long": share, "known": Fraction(1, 1 << 45), "shard": share}
    return figures


def sum_of_exp(x):
    """At least exp(x)."""
    term = total = Fraction(1)
    k = 0
    while term > Fraction(1, 1 << 60) or k < 2 * x:
        k += 1
        term = lemmas.up(term * x / k)
        total += term
    return total + 2 * term


def add_factors(kind, figures):
    """Factors 1 / sum of softmax. With FMA the reciprocal has an error that Gappa proves, and its last part, of a sum 2^k, is rounded to
    multiples of 2^-149: by 2^(k - 150) of the whole."""
    def own(elements):
        if kind == "plain":
            return rounding(2)
        largest = Fraction(2) ** 93 * elements if figures["exp_most_log2"] < 93 else None
        return together(figures["reciprocal"], largest / (1 << 150))
    figures["factors"] = {"long": quotient(own(MOST), figures["sum_long"]), "short": quotient(own(32), figures["sum_short"]),
                          "apply": quotient(own(MOST), figures["apply_sum"]),
                          "longest": quotient(own(1 << 31), figures["sum_2_31"])}


# ---- lemmas

def prove_group(templates, kind, figures, build, jobs, log, proven):
    """The figures of some lemmas, into `proven`."""
    functions = operations.read(HERE / "operations.ops", kind)
    work = []
    for template in templates:
        for index, (figure, names) in enumerate(lemmas.cases(template, figures)):
            path = build / f"{template.path.stem}.{index}.g"
            work.append((figure, template, (template, figures, names, kind, functions, path)))
    with concurrent.futures.ThreadPoolExecutor(jobs) as pool:
        started = time.monotonic()
        for (figure, template, _), answer in zip(work, pool.map(lambda one: attempt(*one[2]), work)):
            bound, failure, seconds = answer
            entry = proven.setdefault(figure, {"bound": Fraction(0), "scripts": set(), "failures": [], "seconds": 0.0})
            entry["scripts"].add(template.path.name)
            entry["seconds"] += seconds
            if failure:
                entry["failures"].append(failure)
            else:
                entry["bound"] = max(entry["bound"], bound)
    log(f"{kind}: {len(work)} goals, {time.monotonic() - started:.0f} s")


def templates_of(kind, element):
    """The lemmas of a class and f32 or f64: these have f64 in their names."""
    templates = [lemmas.read(path) for path in sorted((HERE / "lemmas").glob("*.g")) if (".f64." in path.name) == (element == "f64")]
    return [template for template in templates if kind in template.classes]


def prove_all(kind, figures, build, jobs, log):
    """Every lemma's figure, in an order in which they name each other."""
    templates = templates_of(kind, "f32")
    first = [template for template in templates if template.path.stem == "reciprocal"]
    proven = {}
    prove_group(first, kind, figures, build, jobs, log, proven)
    if first:
        if proven["reciprocal"]["failures"]:
            raise Failed(proven["reciprocal"]["failures"][0])
        figures["reciprocal"] = proven["reciprocal"]["bound"]
    add_factors(kind, figures)
    prove_group([template for template in templates if template not in first], kind, figures, build, jobs, log, proven)
    return proven


def prove_double(kind, build, jobs, log):
    """The same of f64, whose parts are lemmas, too; and the figures."""
    templates = templates_of(kind, "f64")
    figures = double.first_figures(kind, additions_of_double())
    figures["together"] = together
    proven = {}
    for stage in double.PARTS:
        prove_group([one for one in templates if one.path.name.split(".")[0] in stage], kind, figures, build, jobs, log, proven)
        for figure, entry in proven.items():
            if entry["failures"]:
                raise Failed(f"{figure}: {entry['failures'][0]}")
            figures[figure] = entry["bound"]
        if stage is double.PARTS[0]:
            double.add_polynomials(figures)
    double.add_sums(figures, together, quotient)
    named = {name for stage in double.PARTS for name in stage}
    prove_group([one for one in templates if one.path.name.split(".")[0] not in named], kind, figures, build, jobs, log, proven)
    return proven, figures


def attempt(*arguments):
    started = time.monotonic()
    try:
        return lemmas.prove(*arguments), None, time.monotonic() - started
    except lemmas.Failure as failure:
        return None, str(failure), time.monotonic() - started


# ---- bounds

def read_bounds():
    """(kernel, output, what options add, classes, figures): which figures a bound follows from."""
    for number, line in enumerate((HERE / "bounds.txt").read_text(encoding="utf-8").splitlines(), 1):
        words = line.split("#")[0].split()
        if not words:
            continue
        output, _, more = words[1].partition("+") if len(words) > 3 else ("", "", "")
        if output not in ("result", "gradient") or words[2] not in (*CLASSES, "both"):
            raise Failed(f"bounds.txt:{number}: no bound")
        yield words[0], output, Fraction(more or 0), CLASSES if words[2] == "both" else (words[2],), words[3:]


def table_on(page, rows, write):
    """Whether the page has this table, between two comments; or after it has got it."""
    head = ("kernel", "output", "class", "stated", "tested", "found", "proven", "by")
    lines = ["| " + " | ".join(row) + " |" for row in (head, ("---", "---", "---") + ("---:",) * 4 + ("---",), *rows)]
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition("<!-- proven -->\n")
    _, end, after = rest.partition("<!-- /proven -->")
    if not begin or not end:
        raise Failed(f"{page}: no <!-- proven --> and <!-- /proven -->")
    new = before + begin + "\n".join(lines) + "\n" + end + after
    if write:
        page.write_text(new, encoding="utf-8")
    return write or new == text


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("--build", type=Path, default=ROOT / "build/proofs", help="where scripts for Gappa and figures go")
    parser.add_argument("--library", type=Path, help="libsoftlane.a, whose kernels the lemmas' operations are compared with")
    parser.add_argument("--check", type=Path, metavar="PAGE", help="fails where the table on this page is not this one")
    parser.add_argument("--write", type=Path, metavar="PAGE", help="puts the table into this page")
    parser.add_argument("--mutations", action="store_true", help="also tries changes that must be found")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="programs at once")
    given = parser.parse_args()
    given.build.mkdir(parents=True, exist_ok=True)
    try:
        return prove(given)
    except (Failed, lemmas.Failure) as failure:
        print(f"prove.py: {failure}", file=sys.stderr)
        return 1


def compare_models(given):
    """The operations that lemmas are about, against the library's kernels, bit by bit."""
    for kind in CLASSES:
        folder = write_operations(kind, given.build)
        isa, _ = units_of(kind)
        flags = ["-mfma"] if kind == "fma" and os.uname().machine == "x86_64" else []
        (folder / "constants.h").write_text(double.c_header())
        run([compiler(), "-O1", *flags, *STRICT, f"-I{folder}", HERE / "model.c", given.library, "-lm", "-o", folder / "model"])
        print(run([folder / "model", isa]).strip())


def sample_double(given, kind):
    """The operations of f64 against the kernels', bit by bit, and samples of errors."""
    folder, (isa, _) = given.build / kind, units_of(kind)
    flags = ["-mfma"] if kind == "fma" and os.uname().machine == "x86_64" else []
    run([compiler(), "-O1", *flags, "-DSL_UNIT_TYPE=f64", *STRICT, f"-I{folder}", HERE / "double.c", given.library, "-lm", "-o",
         folder / "double"])
    return run([folder / "double", isa])


def additions_of_double():
    return -(-MOST // constant("kernels/vocab.h", "SL_LANES")) + 16


def mutated_double(given, figures):
    """softmax's figure of f64 with a coefficient changed."""
    folder = given.build / "mutated_double"
    folder.mkdir(exist_ok=True)
    changed = {**figures, **double.first_figures("fma", additions_of_double(), mutations.coefficient(ROOT, given.build / "mutated"))}
    double.add_polynomials(changed)
    proven = {}
    templates = {template.path.stem: template for template in templates_of("fma", "f64")}
    prove_group([templates["exp.f64"]], "fma", changed, folder, given.jobs, print, proven)
    changed["exp_rounded"] = proven["exp_rounded"]["bound"]
    double.add_sums(changed, together, quotient)
    prove_group([templates["softmax.f64.fma"]], "fma", changed, folder, given.jobs, print, proven)
    return proven["softmax_rows"]["bound"]


def try_mutations(given, figures, of_double):
    """Whether each change is found. The number of those that are not."""
    missed = 0
    scratch, isa = given.build / "mutated", units_of("fma")[0]
    common = (ROOT, HERE, scratch, [*STRICT, f"-I{given.build / 'fma'}"], compiler(), isa, run)
    functions = operations.read(HERE / "operations.ops", "fma")
    softmax = lemmas.read(HERE / "lemmas/softmax.fma.g")

    def largest(template, of, operations_of=functions, gives="softmax_long"):
        return max(lemmas.prove(template, of, names, "fma", operations_of, given.build / "mutated.g")
                   for figure, names in lemmas.cases(template, of) if figure == gives)
    parts = {**figures["parts"], "exp_rounded": mutations.table_entry(*common, figures_of)}
    changed = figures_from("fma", parts)
    changed["reciprocal"] = figures["reciprocal"]
    add_factors("fma", changed)
    bound = largest(softmax, changed)
    stated = bounds_of_manifest()["softmax", False][1][0]
    missed += bound <= stated
    print(f"mutation: an entry of the table of exp one unit higher: softmax {float(bound):.2f}, stated {float(stated):.2f}")
    backward = lemmas.read(HERE / "lemmas/softmax_backward.g")
    stated = bounds_of_manifest()["softmax_backward", False][1][0]
    try:
        bound = largest(backward, figures, mutations.without_rest(functions), "softmax_backward")
        missed += bound <= stated
        print(f"mutation: half of the dot product's rest left out: softmax_backward {float(bound):.2f}, stated {float(stated):.2f}")
    except lemmas.Failure as failure:
        print(f"mutation: half of the dot product's rest left out: {failure}")
    bound, stated = mutated_double(given, of_double), bounds_of_manifest()["softmax", False][1][COLUMN["f64"]["fma"]]
    missed += bound <= stated
    print(f"mutation: a coefficient of exp in f64 2^-49 larger: softmax {float(bound):.2f}, stated {float(stated):.2f}")
    if given.library:
        ran = mutations.operation(*common, given.library, given.build / "fma")
        missed += ran.returncode == 0
        print(f"mutation: a product that is rounded: {ran.stdout.strip().splitlines()[-1]}")
    try:
        largest(mutations.hint(softmax), figures)
        missed += 1
    except lemmas.Failure as failure:
        print(f"mutation: a false step of a proof: {failure}")
    return missed


def prove(given):
    started = time.monotonic()
    stated = bounds_of_manifest()
    found = worst_found(stated)
    parts = run_parts(given.build, given.jobs)
    print(f"all floats: {time.monotonic() - started:.0f} s")
    if given.library:
        compare_models(given)
    bad = 0
    proven, figures, of_double = {}, {}, {}
    for kind in CLASSES:
        folder = given.build / kind
        folder.mkdir(exist_ok=True)
        figures[kind] = figures_from(kind, figures_of(parts[kind]))
        figures[kind]["parts"] = figures_of(parts[kind])
        proven["f32", kind] = prove_all(kind, figures[kind], folder, given.jobs, print)
        proven["f64", kind], of_double[kind] = prove_double(kind, folder, given.jobs, print)
        for element in COLUMN:
            for figure, entry in proven[element, kind].items():
                for failure in entry["failures"][:3]:
                    print(f"{kind} {figure}: {failure}")
                bad += len(entry["failures"])
        wrong = double.check_assumed(figures[kind]["log_f64"], proven["f64", kind], of_double[kind])
        if given.library:
            text = sample_double(given, kind)
            print(text.splitlines()[-1])
            wrong += double.check_samples(text, proven["f64", kind], of_double[kind])
        for line in wrong:
            print(f"{kind} {line}")
        bad += len(wrong)
    rows = []
    print(f"{'kernel':26} {'output':9} {'class':6} {'stated':>7} {'tested':>7} {'found':>7} {'proven':>8}  by")
    for row, output, more, classes, names in read_bounds():
        kernel, _, element = row.partition("/")
        element = element or "f32"
        for kind in classes:
            tested, any_input = (stated_of[COLUMN[element][kind]] + more for stated_of in stated[kernel, output == "gradient"])
            bound, scripts = Fraction(0), set()
            worst = None if more else found.get((f"{kernel}/{element}", kind, output))
            shown = [f"{float(any_input):.2f}", "" if more else f"{float(tested):.2f}", "" if worst is None else f"{worst:.2f}"]
            if names == ["-"]:
                rows.append((row, output, kind, *shown, "", "by analysis"))
                print(f"{row:26} {output:9} {kind:6} {' '.join(f'{text:>7}' for text in shown)} {'-':>8}  by analysis")
                continue
            for name in names:
                if name in proven[element, kind]:
                    bound = max(bound, proven[element, kind][name]["bound"])
                    scripts |= proven[element, kind][name]["scripts"]
                elif element == "f32" and name in figures[kind]:
                    bound = max(bound, figures[kind][name])
                    scripts.add("parts.c")
                else:
                    raise Failed(f"bounds.txt: no figure {name} of class {kind}")
            holds = bound <= any_input
            output_shown = f"{output}, options" if more else output
            bad += not holds
            rows.append((row, output_shown, kind, *shown, f"{math.ceil(bound * 100) / 100:.2f}", ", ".join(sorted(scripts))))
            print(f"{row:26} {output:9} {kind:6} {float(any_input):7.2f} {float(tested):7.2f} "
                  f"{'-' if worst is None else format(worst, '.3f'):>7} {float(bound):8.4f}  {' '.join(sorted(scripts))}"
                  f"{'' if holds else '  NOT PROVEN'}")
    if max(proven["f32", kind]["reference"]["bound"] for kind in CLASSES) > Fraction(1, 1 << 26):
        print("the reference's exponential is worse than reference.h says")
        bad += 1
    for kind in CLASSES:
        bound, most = proven["f32", kind]["narrowed"]["bound"], Fraction(51, 100)
        bad += bound > most
        rows.append(("results of 16 bits", "all", kind, "0.51", "0.51", "", f"{math.ceil(bound * 1000) / 1000:.3f}",
                     "narrow.g, conversions.c"))
        print(f"{'results of 16 bits':26} {'all':9} {kind:6} {0.51:7.2f} {0.51:7.2f} {'':>7} {float(bound):8.4f}  narrow.g conversions.c")
    if given.mutations:
        bad += try_mutations(given, figures["fma"], of_double["fma"])
    page = given.check or given.write
    if page and not table_on(page, rows, given.write is not None):
        print(f"{page}: its table is not this one (--write)")
        bad += 1
    print(f"{time.monotonic() - started:.0f} s; {bad} failures")
    return 1 if bad else 0


if __name__ == "__main__":
    command_line.run(main)
