#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Writes chosen kernels as two files for other projects: a header, and one C file that needs nothing else.

The C file compiles with plain `cc -O2` (gcc or clang) and gives the same bits as the library. With several ISAs it
chooses one at run time; scalar must be among them, for CPUs that have none of the others. With one there is no
dispatch, and the CPU must have it.

  scripts/export.py --kernel softmax --isa avx512,avx2,neon,scalar --out DIR
  scripts/export.py --all --out DIR --prefix my
  scripts/export.py --fastest tuning.json --out DIR
"""

# How it works. The C file begins with the functions that check arguments and choose an instruction set. Behind them is the text
# of kernels/unit.c with the headers that it includes in place, of which the chosen kernels' alone. The file includes itself once
# for each instruction set and element type, as the library compiles unit.c, with each name of a unit made its own by a macro.
# What a kernel does not need the compiler drops.

import argparse
import json
import pathlib
import re
import subprocess
import sys

import command_line

ROOT = pathlib.Path(__file__).resolve().parent.parent
MARK = "Written by softlane's scripts/export.py"
WORD = re.compile(r"[A-Za-z_]\w*")
CALL = re.compile(r"([A-Z]\w*)\(([^()]*)\)")  # of a macro, a line of its own
COMMENT_OR_STRING = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:[^"\\\n]|\\.)*"', re.S)
STATS = ("softmax_stats", "softmax_apply")  # kernels with functions beside them, in kernels/stats.c


def refuse(message):
    print(f"export.py: {message}", file=sys.stderr)
    sys.exit(2)


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def rows_of(manifest, macro):
    """{name: row} of a manifest, a row as it stands there."""
    return {row[1]: row[0] for row in re.finditer(rf"^{macro}\((\w+),.*\)$", read(f"kernels/{manifest}"), re.M)}


def dtype_rows():
    return {row[1]: row[0] for row in re.finditer(r"DO\((\w+), \w+, \w+, __VA_ARGS__\)", read("kernels/dtypes.def"))}


def softlane_version():
    return re.search(r'SOFTLANE_VERSION "(.*)"', read("include/softlane.h"))[1]


def replaced(text, pattern, replacement, flags=re.M):
    """As re.sub, of what must be there: an export that misses a change of the sources fails instead of being wrong."""
    text, count = re.subn(pattern, lambda _: replacement, text, flags=flags)
    if not count:
        raise SystemExit(f"export.py: the sources no longer have {pattern!r}")
    return text


# ---------------------------------------------------------------------------------------------------------- tunings


class Tuning:
    """What softlane-tune has written (kernels/machine_tuning.h), read as strictly as the library does; but the machine need
    not be this one. `winners` has for a kernel and an element type where each ISA begins to win."""

    MOST_BYTES, FROMS = 1 << 16, (0, *(1 << digit for digit in range(9, 24)))
    LINE = ("kernel", "dtype", "tier", "isa", "from")

    def __init__(self, path):
        self.path, self.winners = path, {}
        try:
            if not path.is_file():
                self.refuse("no file")
            text = path.read_bytes()
            if len(text) > self.MOST_BYTES:
                self.refuse(f"larger than {self.MOST_BYTES >> 10} KiB")
            whole = json.loads(text.decode("ascii"), object_pairs_hook=lambda pairs: pairs)
        except OSError as error:
            self.refuse(error.strerror)
        except (ValueError, RecursionError):
            self.refuse("not JSON")
        if b"\\" in text:
            self.refuse("has escapes in strings")
        version, machine, lines = self.fields(whole, ("version", "machine", "winners"))
        if version != softlane_version():
            self.refuse(f"not of softlane {softlane_version()}")
        self.machine = self.fields(machine, ("cpu", "isas", "caches"))
        if not all(isinstance(text, str) and re.fullmatch("[ -~]*", text) for text in self.machine):
            self.refuse("no machine that softlane-tune would write")
        isas = [isa for isa in self.machine[1].split() if isa in rows_of("isas.def", "SL_ISA")]
        if not isinstance(lines, list) or not lines:
            self.refuse("has no winners")
        order = [(kernel, dtype) for kernel in rows_of("kernels.def", "SL_KERNEL") for dtype in dtype_rows()]
        last = (-1, -1)
        for line in lines:
            kernel, dtype, tier, isa, first = self.fields(line, self.LINE)
            is_fast = isinstance(kernel, str) and kernel.endswith("_fast")
            slot = ({"default": kernel, "fast": f"{kernel}_fast"}.get(str(tier)), dtype)
            if is_fast or slot not in order or isa not in isas or type(first) is not int or first not in self.FROMS:
                self.refuse(f"no winner that softlane-tune would write: {dict(line)}")
            if (order.index(slot), first) <= last:
                self.refuse(f"the winners are not in order: {dict(line)}")
            last = (order.index(slot), first)
            self.winners.setdefault(slot, []).append((first, isa))

    def refuse(self, why):
        refuse(f"--fastest: {self.path}: {why}")

    def fields(self, pairs, keys):
        """The values of a JSON object with these keys in this order."""
        if not isinstance(pairs, list) or [pair[0] if isinstance(pair, tuple) else None for pair in pairs] != list(keys):
            self.refuse(f"no object with the keys {', '.join(keys)} in this order")
        return [value for _, value in pairs]

    def macro(self, kernel, dtype):
        """C that gives the row of isas.def which wins, by the elements of a call, n."""
        steps = self.winners.get((kernel, dtype), [])
        if not steps or steps[0][0]:
            steps = [(0, "automatic"), *steps]
        last = f"row_{steps[-1][1]}"
        if len(steps) == 1:
            return f"(void)(n), {last}"
        return "".join(f"(n) < {end} ? row_{isa} : " for (_, isa), (end, _) in zip(steps, steps[1:])) + last


# ------------------------------------------------------------------------------------------------------- pruning C


def bare(text):
    """Without comments and strings."""
    return COMMENT_OR_STRING.sub(" ", text)


def items(text):
    """The file-scope items of C text, each with the comments before it and the blank lines after it."""
    found, item, depth, conditions, in_comment, continued = [], [], 0, 0, False, False
    for line in text.splitlines(keepends=True):
        code = re.sub(r"/\*.*?\*/", "", line)
        if not in_comment and not item and not line.strip() and found:
            found[-1] += line
            continue
        item.append(line)
        if in_comment:
            if "*/" not in line:
                continue
            in_comment, code = False, line.split("*/", 1)[1]
        elif "/*" in code:
            in_comment, code = True, code.split("/*", 1)[0]
        code = re.sub(r'"(?:[^"\\]|\\.)*"', "", code).strip()
        directive = continued or code.startswith("#")
        if re.match(r"#\s*if", code):
            conditions += 1
        elif re.match(r"#\s*endif", code):
            conditions -= 1
        continued = directive and code.endswith("\\")
        if not directive:
            depth += sum(map(code.count, "({[")) - sum(map(code.count, ")}]"))
        ends = directive and not continued or code.endswith((";", "}")) or not line.strip() or CALL.fullmatch(code)
        if ends and not depth and not conditions and not in_comment and not continued:
            found.append("".join(item))
            item = []
    return found + ["".join(item)] * bool(item)


DEFINITIONS = (
    r"^\#\s*define\s+(\w+)",
    r"^(?:static|sl_\w+|const \w+|size_t|bool|void|double|float)\b[^;{}=()]*?[ *](\w+)[(\[]",
    r"^}[ *]*(\w+);",
    r"^typedef [^{}]*?[ *](\w+);",
    r"^static [^;=()]*?[ *](\w+)(?:\[\w*\])? = ",
)


def defined(item):
    """Names that an item defines at file scope."""
    code = bare(item)
    names = {match for pattern in DEFINITIONS for match in re.findall(pattern, code, re.M)}
    for values in re.findall(r"^(?:typedef )?enum (?:\w+ )?{(.*?)}", code, re.M | re.S):
        names.update(WORD.findall(values))
    names.update(re.findall(r"^ *static \w+ (\w+_)##", code, re.M))
    return names


def key(name):
    """One for the words of both arithmetics, of all element types, and for the names that stand for any."""
    return re.sub(r"^[vwc]_|_(f32|f64|bf16|f16)$", "", name)


def pruned(text, roots, endings=()):
    """Without the items that the roots do not reach. Over-approximates: goes by words. `endings` are what is pasted to
    names that end in _."""
    every = items(text)
    defines = [{key(name) for name in defined(item)} for item in every]
    where = {}
    for index, names in enumerate(defines):
        for name in names:
            where.setdefault(name, set()).add(index)
    kept, todo = set(), set().union(*(where.get(key(root), set()) for root in roots))
    while todo:
        index = todo.pop()
        kept.add(index)
        code = bare(every[index])
        words = {key(word) for word in WORD.findall(code)} - {"define", "if", "else", "endif"}
        words.update(key(word + ending) for word in re.findall(r"(\w+_)##", code) for ending in endings)
        todo.update(at for word in words for at in where.get(word, ()) if at not in kept)
    out = ""
    for index, item in enumerate(every):
        words = {key(word) for word in WORD.findall(bare(item))}
        is_used = index in kept or (not defines[index] and words and
                                    any(at in kept for word in words for at in where.get(word, ())))
        if is_used or not words:  # comments that stand alone
            out += item
        elif item.endswith("\n\n") and out and not out.endswith("\n\n"):
            out += "\n"
    # headings of what is gone
    return re.sub(r"^/\* -{4,} [^\n]* \*/\n\n(?=/\* -{4,}|\Z)", "", out, flags=re.M)


# ---------------------------------------------------------------------------------------------------------- sources


def without_preamble(text):
    """Without licence line (there is one for the whole file) and includes; an opening comment stays."""
    text = replaced(text, r"^/\* SPDX-License-Identifier: MIT(?: \*/|\n \*\n)", "/*\n")
    text = re.sub(r"\A/\*\n(?! \*)", "", text)
    return re.sub(r"(^#include (?!.*\.def).*\n)+", "", text, flags=re.M)


def guarded(text):
    """What is between the guards of a header."""
    return re.search(r"#ifndef SL_\w+_H\n#define SL_\w+_H\n(.*)#endif\n", text, re.S)[1]


INCLUDE = re.compile(r'#include "(\w+/\w+\.h)"\n')


class Flat:
    """Headers of kernels/ with what they include before them, each once. A header that is included under a condition
    comes in the place of its #include, behind what it includes itself."""

    def __init__(self, done):
        self.done, self.parts = set(done), []

    def add(self, path):
        if path not in self.done:
            self.done.add(path)
            self.parts.append(self.text(path))

    def text(self, path):
        out, depth = "", 0
        text = guarded(read(f"kernels/{path}"))
        comment = re.match(r"/\* SPDX-License-Identifier: MIT\n \*\n(.*? \*/\n)", read(f"kernels/{path}"), re.S)
        for line in text.splitlines(keepends=True):
            include = INCLUDE.fullmatch(line)
            depth += bool(re.match(r"#\s*if", line)) - bool(re.match(r"#\s*endif", line))
            if include and not depth:
                self.add(include[1])
            elif include and include[1] not in self.done:
                self.done.add(include[1])
                out += self.text(include[1])
            elif not include and line != '#include "vocab.h"\n':
                out += line
        return (f"/*\n{comment[1]}" if comment else "") + out


def names_of_unit(text):
    """What a unit defines at file scope. The sources are formatted: a definition begins with a line."""
    code = bare(text)
    names = set(re.findall(r"^(?:SL_INLINE|SL_NOINLINE|SL_STATIC|static)\b[^;{}=()]*?[ *](\w+)\(", code, re.M))
    names.update(re.findall(r"^static const \w+ (\w+)\[", code, re.M))
    names.update(re.findall(r"^typedef [^{};()]*?[ *](\w+);", code, re.M))
    names.update(re.findall(r"^typedef [^{};]*?\(\*(\w+)\)\(", code, re.M))
    names.update(re.findall(r"^} ?(\w+);", code, re.M))
    for values in re.findall(r"^enum {(.*?)}", code, re.M | re.S):
        names.update(re.findall(r"[A-Z]\w*", values))
    for name in re.findall(r"^ *SL_PAIRED_\d\(\w+, (\w+)", code, re.M):
        names.update((name, name + "_half"))
    for name in re.findall(r"^ *SL_PARTIAL\((\w+)", code, re.M):
        names.update((name + "_load_n", name + "_store_n"))
    names.update(re.findall(r"^ *SL_MASKED_FMA\(\w+, \w+, (\w+)", code, re.M))
    return sorted(name for name in names if not name.startswith("sl_"))


def heading(text):
    return f"/* {'-' * (100 - len(text))} {text} */\n\n"


# What an export of a tuning has instead of kernels/tune.c.
CHOOSE = """\
/* Above its digit, as bits: which rows may win, of the choice's class of bits. None where SOFTLANE_ISA has made it. */
enum { ROWS_SHIFT = 8 };

static unsigned choose(void)
{
    const unsigned by_name = named();
    const size_t row = best();
    unsigned rows = 0;
    if (by_name)
        return by_name;
    for (size_t i = 0; i < ISA_COUNT; i++)
        rows |= (unsigned)(!why_not(i) && isas[i].table->fma == isas[row].table->fma) << i;
    return rows << ROWS_SHIFT | ((unsigned)row + 1);
}
"""
FASTEST = """
enum {
#define SL_ISA(name, arch) row_##name,
#include "isas.def"
#undef SL_ISA
    row_automatic
};

static const sl_kernels *sl_active_or(unsigned row)
{
    const sl_kernels *table = atomic_load_explicit(&forced, memory_order_acquire);
    if (table)
        return table;
    return row < ISA_COUNT && made() >> (ROWS_SHIFT + row) & 1 ? isas[row].table : chosen();
}

/* What softlane-tune has found the fastest for n elements. */
"""


class Export:
    def __init__(self, kernels, dtypes, isas, prefix, tuning, commit):
        self.prefix, self.tuning, self.commit = prefix, tuning, commit
        every, types, sets = rows_of("kernels.def", "SL_KERNEL"), dtype_rows(), rows_of("isas.def", "SL_ISA")
        # in the order of the manifests
        self.kernels = {name: row for name, row in every.items() if name in kernels}
        self.dtypes = {name: row for name, row in types.items() if name in dtypes}
        self.isas = {name: row for name, row in sets.items() if name in isas}
        self.all_kernels, self.all_dtypes = list(every), list(types)
        self.signatures = {re.split(r",\s*", row)[1] for row in self.kernels.values()}
        self.has_losses = any(signature.endswith("_LOSS") for signature in self.signatures)
        self.has_stats = any(name in self.kernels for name in STATS)
        self.has_16 = any(name in self.dtypes for name in ("bf16", "f16"))
        self.has_dispatch = len(self.isas) > 1
        self.name = ("softlane" if prefix == "sl" else prefix) + (f"_{kernels[0]}" if len(kernels) == 1 else "")

    def manifests(self, text):
        """Manifests in the place of their #include."""
        text = text.replace('#include "kernels.def"\n', "".join(row + "\n" for row in self.kernels.values()))
        return text.replace('#include "isas.def"\n', "".join(row + "\n" for row in self.isas.values()))

    def renamed(self, text):
        if self.prefix == "sl":
            return text
        upper = self.prefix.upper()
        own = re.search(rf"\b({self.prefix}_|{upper}_(?!(H|API|VERSION)\b))\w*", bare(text))
        if own:
            refuse(f"--prefix: '{self.prefix}' begins names that are no public ones: {own[0]}")
        text = re.sub(r"\bsl_", self.prefix + "_", text)
        text = re.sub(r"\bSL_", upper + "_", text)
        return re.sub(r"\bSOFTLANE_(?=(H|API|VERSION)\b)", upper + "_SOFTLANE_", text)

    def opening(self, what):
        fastest = ""
        if self.tuning:
            cpu, isas, caches = (text.replace("*/", "* /") for text in self.tuning.machine)
            fastest = f" *   fastest on     {cpu} ({isas}; caches {caches or 'unknown'}), by softlane-tune\n"
        return (f"/* SPDX-License-Identifier: MIT\n *\n * softlane {softlane_version()}, commit {self.commit}: {what}.\n"
                f" *   kernels        {', '.join(self.kernels)}\n *   element types  {', '.join(self.dtypes)}\n"
                f" *   ISAs           {', '.join(self.isas)}\n{fastest} * {MARK}.\n")

    # ---- the header

    def is_foreign(self, statement):
        """Whether it declares a function of a kernel or type that is not chosen."""
        match = re.search(rf"\bsl_({'|'.join(self.all_kernels)})_({'|'.join(self.all_dtypes)})\(", bare(statement))
        if match:
            return match[1] not in self.kernels or match[2] not in self.dtypes
        match = re.search(r"\bsl_(\w+)_of_(\w+)\(", bare(statement))
        return bool(match) and not {match[1], match[2]} <= {"f32", *self.dtypes}

    def header(self):
        text = read("include/softlane.h")
        text = replaced(text, r"^/\* Applies what softlane-tune has .*?^SOFTLANE_API sl_status sl_tune_load.*?\n\n", "",
                        re.M | re.S)
        text = replaced(text, r"/\* these three: sl_tune_load \*/", "/* these three: of the library alone */")
        intro, rest = text.split("#ifndef SOFTLANE_H\n", 1)
        intro = self.opening("chosen kernels, for use without the library") + intro.split("MIT\n", 1)[1]
        sections = re.split(r"(?=^/\* -{4,} .* \*/\n)", rest, flags=re.M)
        return self.renamed(intro + "#ifndef SOFTLANE_H\n" + "".join(map(self.section, sections)))

    def section(self, text):
        kept, had_kernels, has_kernels, kept_last = "", False, False, True
        for block in re.split(r"(?<=\n)\n+(?=\S)", text):
            if block.startswith("/* Common") or re.match(r"/\* -{4,}", block):
                kept += block + "\n"
                continue
            if "#define SL_SLOTS" in block:
                block = self.slots(block)
            elif "typedef struct sl_kernels" in block:
                block = re.sub(r"^    SL_SLOTS\((\w+),.*\n", lambda m: m[0] if m[1] in self.dtypes else "", block,
                               flags=re.M)
            elif not self.has_dispatch and re.search(r"\bsl_isa(_\w+)?\(|SOFTLANE_ISA", block):
                continue
            else:
                declared = items(block)
                own = [item for item in declared if not self.is_foreign(item)]
                functions = [item for item in declared if re.search(
                    rf"\bsl_({'|'.join(self.all_kernels)})_({'|'.join(self.all_dtypes)})\(", bare(item))]
                had_kernels |= bool(functions)
                has_kernels |= any(item in own for item in functions)
                if len(own) < len(declared):
                    if not any(WORD.search(bare(item)) for item in own):
                        continue
                    # The comment stands before the first function, which may be gone.
                    comment = re.match(r"(/\*.*?\*/\n)", declared[0], re.S)
                    block = "".join(own)
                    if comment and declared[0] not in own:
                        block = comment[1] + block
            kept += block + "\n"
        return "" if had_kernels and not has_kernels else kept

    def chosen_slots(self, text):
        """{kernel: parameters} of the struct, in its order."""
        macro = re.sub(r"\s*\\\n\s*", " ", text.split("#define SL_SLOTS(dt, T, L)", 1)[1])
        slots = re.findall(r"void \(\*(\w+?)_##dt\)(\(.*?\));", macro)
        return {name: parameters for name, parameters in slots if name in self.kernels}

    def slots(self, block):
        head = block.split("#define SL_SLOTS(dt, T, L)", 1)[0]
        lines = [f"    void (*{name}_##dt){parameters};" for name, parameters in self.chosen_slots(block).items()]
        return head + "#define SL_SLOTS(dt, T, L) \\\n" + " \\\n".join(lines) + "\n"

    # ---- the C file

    def tables(self):
        """table.h without its checks, which are of the whole library."""
        text = guarded(read("kernels/table.h"))
        text = text[:text.index("/* The table's slot and")]
        text = re.sub(r"^#include (?!.*\.def).*\n\n?", "", text, flags=re.M)
        parameters, rest = text.split("/* Architectures:", 1)
        parameters = pruned(parameters, [start + signature for signature in self.signatures
                                         for start in ("SL_PARAMS_", "SL_ARGS_")])
        dtypes = re.search(r"^/\*.*?\*/\n", read("kernels/dtypes.def"), re.S)[0]
        dtypes += "#define SL_DTYPES(DO, ...) \\\n" + " \\\n".join("    " + row for row in self.dtypes.values()) + "\n\n"
        if self.has_dispatch:
            return dtypes + parameters + self.manifests("/* Architectures:" + rest)
        return dtypes + parameters + "".join(f"extern const sl_kernels sl_table_{isa};\n\n" for isa in self.isas)

    def checks(self):
        text = without_preamble(read("kernels/api.c"))
        for size in ("call_size(arrays)", "c.logits.count"):
            table = f"sl_active_or(SL_FASTEST_##name##_##dt({size}))" if self.tuning else "sl_active()"
            text = replaced(text, re.escape(f"sl_active_for(SL_SLOT(name, dt), {size})"), table)
        text, rows = text.split(heading_of(text, "all of kernels.def"), 1)
        roots = ["sl_rows", "sl_axis", "sl_status_string"] + ["DEFINE_" + signature for signature in self.signatures]
        roots += ["sl_loss_defaults"] * self.has_losses
        roots += [start + kernel for kernel in self.kernels for start in ("TAKES_", "CHECK_TARGET_")]
        return pruned(text, roots, [*self.kernels, *self.dtypes, ""]) + self.manifests(rows)

    def dispatch(self):
        if not self.has_dispatch:
            return "".join(f"static const sl_kernels *sl_active(void)\n{{\n    sl_learn_cache();\n"
                           f"    return &sl_table_{isa};\n}}\n\n" for isa in self.isas)
        text = without_preamble(read("kernels/dispatch.c"))
        text = replaced(text, r"\n \* A tuning \(tune\.c\) .*?\n \*/", "\n */", re.S)
        text = "".join(item for item in items(text)
                       if not re.search("(?i:tuning)|ATOMIC_LLONG|sl_active_for", bare(item)))
        cpu = without_preamble(read("kernels/cpu.c")).replace("#if defined(__linux__)\n#endif\n\n", "")
        if self.tuning:
            text = replaced(text, r"^static unsigned choose\(void\)\n.*?^}\n", CHOOSE, re.M | re.S) + FASTEST
            text += "".join(f"#define SL_FASTEST_{kernel}_{dtype}(n) ((unsigned)({self.tuning.macro(kernel, dtype)}))\n"
                            for kernel in self.kernels for dtype in self.dtypes)
        return cpu + "\n" + self.manifests(text) + "\n"

    def functions(self, is_streaming):
        """All that is not of a unit, in one scope: nothing but the header's functions is seen from outside."""
        cache = re.sub(r"^#define _POSIX_C_SOURCE.*\n", "", without_preamble(read("kernels/cache.c")), flags=re.M)
        atomics = re.search(r"^/\* Atomic operations.*?^#endif\n", read("kernels/dispatch.h"), re.M | re.S)[0]
        streams = re.search(r"^static inline int sl_streams.*?^}\n", read("kernels/cache.h"), re.M | re.S)[0]
        text = self.tables() + atomics + "\n" + cache + "\n" + (streams + "\n") * is_streaming + self.dispatch() + self.checks() + "\n"
        for name in ("sl_learn_cache", "sl_cpu_lacks", "sl_active", "sl_last_level_bytes"):
            text = re.sub(rf"^(?=(?:const |void |_Atomic|SL_ATOMICS_IN_PLACE void )[^;{{=\n]*\b{name}\b)", "static ", text, flags=re.M)
        return text + (without_preamble(read("kernels/convert.c")) + "\n" if self.has_16 else "")

    def vocabulary(self, isa):
        """isa/<isa>.h; pair.h and partial.h stand before all units."""
        text = guarded(read(f"kernels/isa/{isa}.h"))
        half = guarded(read("kernels/isa/half.h")).replace('#include "isa/isa.h"\n', "")
        text = text.replace('#include "isa/half.h"\n', half)
        text = re.sub(r"^#ifdef __clang__\n#include .*\n#endif\n|^#include .*\n", "", text, flags=re.M)
        return re.sub(r"^#undef SL_(HALF|PAIRED_\d|PARTIAL)\n", "", text, flags=re.M)

    def unit(self):
        """unit.c with its headers in place, and before them what each instruction set and element type has of its own."""
        isas = [*self.isas] + ["scalar"] * (self.has_stats and "scalar" not in self.isas)
        vocabularies = "".join(f"#ifdef SL_UNIT_IS_{isa}\n{self.vocabulary(isa)}#endif\n\n" for isa in isas)
        own = ["isa/isa.h", *(f"element/{name}.h" for name in ("arithmetic_f32", "arithmetic_f64", *self.all_dtypes))]
        flat = Flat(own)
        if self.has_stats:
            flat.add("maths/exact.h")
            flat.add("maths/log_f64.h")
            flat.parts.append(f"#ifdef SL_UNFUSED\n{without_preamble(read('kernels/stats.c'))}#else\n".replace("SL_CLOSE\n", ""))
        elements = ""
        for arithmetic, condition in (("f64", "defined"), ("f32", "!defined")):
            if any((dtype == "f64") == (arithmetic == "f64") for dtype in self.dtypes):
                elements += f"#if {condition}(SL_UNIT_IS_f64)\n{flat.text(f'element/arithmetic_{arithmetic}.h')}#endif\n"
        elements += "".join(f"#ifdef SL_UNIT_IS_{dtype}\n{flat.text(f'element/{dtype}.h')}#endif\n" for dtype in self.dtypes)
        flat.done.add("element/element.h")
        flat.parts.append(flat.text("element/element.h").replace("#include SL_TEXT(SL_UNIT_TYPE.h)\n", elements))
        for path in re.findall(r'^#include "(kernel/\w+\.h)"', read("kernels/unit.c"), re.M):
            if any(re.search(rf"^SL_STATIC void {kernel}\(", read(f"kernels/{path}"), re.M) for kernel in self.kernels):
                flat.add(path)
        text = vocabularies + guarded(read("kernels/isa/isa.h")).split("#ifdef SL_W", 1)[0] + "".join(flat.parts)
        text = re.sub(r"^#include .*\n|^#ifndef SL_UNIT_\w+\n#define .*\n#endif\n", "", text, flags=re.M)
        text = re.sub(r"^#define SL_UN(FUSED|IT_ISA .*)\n", "", text, flags=re.M)
        names = names_of_unit(text)
        slots = [f"    .{kernel}_{dtype} = SL_SLOT(slot_{kernel}, {dtype}),\n" for dtype in self.dtypes for kernel in self.kernels]
        text += self.manifests(UNIT_END).replace("@slots\n", "".join(slots))
        text += "#endif\n" * self.has_stats + "\nSL_CLOSE\n\n"
        macros = sorted(set(re.findall(r"^# *define (\w+)", text, re.M)))
        # Macros in some units and functions in others: functions again behind each unit.
        both = [name for name in names if name in macros]
        text = re.sub(rf"^#define ({'|'.join(both)})\b", r"#undef \1\n\g<0>", text, flags=re.M)
        return names, (text + "".join(f"#undef {name}\n" for name in macros) +
                       "".join(f"#define {name} SL_OF({name})\n" for name in both))

    def passes(self, isa, architecture, itself):
        """The units of an instruction set."""
        condition = {"SL_X86_64": "defined(__x86_64__)", "SL_AARCH64": "defined(__aarch64__)"}.get(architecture)
        out = f"#if {condition}\n" if condition else ""
        out += f"#define SL_UNIT_ISA {isa}\n#define SL_UNIT_IS_{isa}\n"
        for dtype in self.dtypes:
            out += "#define SL_UNIT_IS_LAST\n" if dtype == [*self.dtypes][-1] else ""
            out += f"#define SL_UNIT {isa}_{dtype}\n#define SL_UNIT_IS_{dtype}\n{itself}#undef SL_UNIT\n#undef SL_UNIT_IS_{dtype}\n"
        out += f"#undef SL_UNIT_IS_LAST\n#undef SL_UNIT_ISA\n#undef SL_UNIT_IS_{isa}\n"
        return out + ("#endif\n\n" if condition else "\n")

    def arithmetic(self):
        """arithmetic.h: what it refuses, which is to be the compiler's only error, open at its end; and the rest."""
        text = guarded(read("kernels/arithmetic.h"))
        refusals, rest = text.lstrip("\n").split("#endif\n", 1)
        return refusals, rest

    def source(self):
        names, unit = self.unit()
        itself = f'#include "{self.name}.c"\n'
        vocab = guarded(read("kernels/vocab.h")).replace('#include "arithmetic.h"\n#include "cache.h"\n#include "table.h"\n', "")
        vocab = re.sub(r"^#include .*\n\n?", "", vocab, flags=re.M)
        contract = re.search(r"^ \* THE CONTRACT.*?\*/\n", read("kernels/vocab.h"), re.M | re.S)[0]
        out = self.opening("the kernels of " + self.name + ".h")
        out += (" *\n * This file includes itself, once for each instruction set and element type (SL_UNIT). In the library these are\n"
                " * separate files; here each name of theirs gets the unit's name as a suffix.\n */\n")
        architectures = [re.search(r", (\w+)\)", row)[1] for row in self.isas.values()]
        refusals, arithmetic = self.arithmetic()
        out += "#ifndef _POSIX_C_SOURCE\n#define _POSIX_C_SOURCE 200809L\n#endif\n" + refusals
        if not self.has_dispatch:
            out += {"SL_X86_64": "#elif !defined(__x86_64__)\n#error \"made for x86-64 alone\"\n",
                    "SL_AARCH64": "#elif !defined(__aarch64__)\n#error \"made for AArch64 alone\"\n",
                    "SL_ANY": ""}[architectures[0]]
        out += f'#else /* to the end of this file */\n#ifndef SL_UNIT\n#include "{self.name}.h"\n\n' + arithmetic
        out += "\n#include <errno.h>\n#include <math.h> /* INFINITY, NAN: constants only */\n#include <stdatomic.h>\n#include <stdlib.h>\n"
        out += "#include <string.h>\n#include <unistd.h>\n\n"
        if "SL_X86_64" in architectures:
            out += "#if defined(__x86_64__)\n#include <immintrin.h>\n#endif\n"
        if "SL_AARCH64" in architectures:
            out += "#if defined(__aarch64__)\n#include <arm_neon.h>\n#endif\n"
        if self.has_dispatch:
            out += "#if defined(__x86_64__) || defined(__i386__)\n#include <cpuid.h>\n"
            out += "#elif defined(__aarch64__) && defined(__linux__)\n#include <sys/auxv.h>\n#endif\n"
        is_streaming = "sl_streams" in unit
        out += "\n" + heading("functions") + self.functions(is_streaming) + heading("vocabulary") + "/*\n" + contract + vocab
        for name in ("pair.h", "partial.h"):
            out += guarded(read(f"kernels/isa/{name}")).replace('#include "vocab.h"\n', "")
        out += "\n/* Names of a unit, which are another unit's, too. */\n#define SL_OF(name) SL_PASTE(name, SL_UNIT)\n"
        out += "".join(f"#define {name} SL_OF({name})\n" for name in names) + "\n" + heading("units")
        for isa, row in self.isas.items():
            out += self.passes(isa, re.search(r", (\w+)\)", row)[1], itself)
        if self.has_stats:
            out += (f"#define SL_UNIT unfused\n#define SL_UNIT_IS_scalar\n#define SL_UNFUSED\n{itself}#undef SL_UNIT\n"
                    "#undef SL_UNIT_IS_scalar\n#undef SL_UNFUSED\n\n")
        out += "/* For who includes this file. */\n" + "".join(f"#undef {name}\n" for name in names) + "\n"
        out += "#else\n" + heading("a unit") + unit + "#endif\n#endif\n"
        return self.renamed(re.sub(r"\n{3,}", "\n\n", out))


UNIT_END = """
/* What the table holds: a kernel, and leave() behind it on every way out. */
#define SL_KERNEL(name, sig, ...)                                                                            \\
    static void SL_OF(slot_##name) SL_PARAMS_##sig(T, num)                                                   \\
    {                                                                                                        \\
        name SL_ARGS_##sig;                                                                                  \\
        leave();                                                                                             \\
    }
#include "kernels.def"
#undef SL_KERNEL

#ifdef SL_UNIT_IS_LAST
#define SL_SLOT(name, dt) SL_PASTE(SL_PASTE(name, SL_UNIT_ISA), dt)
const sl_kernels SL_PASTE(sl_table, SL_UNIT_ISA) = {
    .isa = SL_TEXT(SL_UNIT_ISA),
    .needs = SL_NEEDS,
    .fma = SL_FMA,
@slots
};
#endif
"""


def heading_of(text, title):
    return re.search(rf"^/\* -+ {re.escape(title)} \*/\n", text, re.M)[0]


def commit():
    done = subprocess.run(["git", "-C", ROOT, "rev-parse", "HEAD"], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
    if done.returncode:
        return "unknown"
    changed = subprocess.run(["git", "-C", ROOT, "status", "--porcelain", "--", "kernels", "include"],
                             stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True).stdout
    return done.stdout.strip() + (" (changed)" if changed else "")


def chosen(option, text, every):
    names = (text.lower() if option == "--isa" else text).split(",")
    for name in names:
        if name not in every:
            refuse(f"{option}: no '{name}' (there are {', '.join(every)})")
    return list(dict.fromkeys(names))


class Parser(argparse.ArgumentParser):
    def error(self, message):
        refuse(message)


def main():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("--kernel", metavar="NAMES", help="separated by commas; the rows of kernels/kernels.def")
    parser.add_argument("--all", action="store_true", help="every kernel")
    parser.add_argument("--dtype", metavar="NAMES", help="element types (default: all)")
    parser.add_argument("--isa", metavar="NAMES", help="instruction sets (default: all)")
    parser.add_argument("--fastest", metavar="FILE", type=pathlib.Path, help="of softlane-tune: what it lists (but for other "
                        "--kernel, --all, --dtype), and for each size the winner where the CPU has it")
    parser.add_argument("--prefix", default="sl", help="what names begin with instead of sl_, so that two exports fit into "
                        "one program (default: sl)")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR", help="where the two files go")
    arguments = parser.parse_args()
    every, types, sets = list(rows_of("kernels.def", "SL_KERNEL")), list(dtype_rows()), list(rows_of("isas.def", "SL_ISA"))
    tuning = Tuning(arguments.fastest) if arguments.fastest else None
    listed = tuning.winners if tuning else dict.fromkeys((kernel, dtype) for kernel in every for dtype in types)
    if arguments.kernel and arguments.all or not (arguments.kernel or arguments.all or tuning):
        refuse("either --kernel or --all is needed")
    kernels = (every if arguments.all else chosen("--kernel", arguments.kernel, every) if arguments.kernel
               else list(dict.fromkeys(kernel for kernel, _ in listed)))
    dtypes = (chosen("--dtype", arguments.dtype, types) if arguments.dtype is not None
              else list(dict.fromkeys(dtype for _, dtype in listed)))
    isas = chosen("--isa", arguments.isa, sets) if arguments.isa is not None else sets
    if len(isas) > 1 and "scalar" not in isas:
        refuse("--isa: several need scalar among them, for CPUs that have none of the others")
    if tuning and len(isas) == 1:
        refuse("--isa: one alone leaves --fastest nothing to choose")
    for (kernel, dtype), winners in tuning.winners.items() if tuning else ():
        for _, isa in winners if kernel in kernels and dtype in dtypes else ():
            if isa not in isas:
                refuse(f"--isa: '{isa}' is missing, which {arguments.fastest} has for {kernel}/{dtype}")
    if not re.fullmatch(r"[a-z][a-z0-9_]+", arguments.prefix):  # one letter: X_OK is POSIX's
        refuse(f"--prefix: '{arguments.prefix}' is not two or more of a-z, 0-9 and _")

    export = Export(kernels, dtypes, isas, arguments.prefix, tuning, commit())
    files = {arguments.out / (export.name + ".h"): export.header(), arguments.out / (export.name + ".c"): export.source()}
    for path in files:
        try:
            if path.exists() and MARK not in path.read_text(encoding="utf-8"):
                refuse(f"--out: {path} is another file")
        except (OSError, UnicodeDecodeError):
            refuse(f"--out: {path} is another file")
    try:
        arguments.out.mkdir(parents=True, exist_ok=True)
        for path, text in files.items():
            path.write_text(text, encoding="utf-8")
    except OSError as error:
        refuse(f"--out: {error.filename}: {error.strerror}")


if __name__ == "__main__":
    command_line.run(main)
