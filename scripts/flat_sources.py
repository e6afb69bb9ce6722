# SPDX-License-Identifier: MIT
"""The files of kernels/ with every #include replaced by what it includes, for some kernels, element types and ISAs."""
import pathlib
import re

import c_pieces

ROOT = pathlib.Path(__file__).resolve().parent.parent


def read(name):
    return (ROOT / name).read_text(encoding="utf-8")


def rows_of(manifest, macro):
    """{name: row} of a manifest, a row as it stands there."""
    return {name: row for row, name in re.findall(rf"^ *({macro}\((\w+),.*\))", read(f"kernels/{manifest}"), re.M)}


KERNELS, DTYPES, ISAS = rows_of("kernels.def", "SL_(?:F32_)?KERNEL"), rows_of("dtypes.def", "DO"), rows_of("isas.def", "SL_ISA")
F32_ALONE = {name for name, row in KERNELS.items() if row.startswith("SL_F32_")}
FLAGS = {name: row.split('"')[1] for name, row in ISAS.items()}  # of the compiler, without which the unit is empty

# How a unit ends: its kernels, and behind the last element type the table.
UNIT_END = """
/* What the table holds: a kernel, and leave() behind it on every way out. */
#define SL_KERNEL(name, sig, ...)                                                                            \\
    static void SL_OF(slot_##name) SL_PARAMS_##sig(T, num)                                                   \\
    {                                                                                                        \\
        name SL_ARGS_##sig;                                                                                  \\
        leave();                                                                                             \\
    }
#if SL_F64 || SL_16_BITS
#define SL_F32_KERNEL(...)
#endif
#include "kernels.def"
#undef SL_KERNEL

#ifdef SL_UNIT_IS_@last
#define SL_SLOT_FUNCTION(name, dt) SL_PASTE(SL_PASTE(name, SL_UNIT_ISA), dt)
const sl_kernels SL_PASTE(sl_table, SL_UNIT_ISA) = {
    .isa = SL_TEXT(SL_UNIT_ISA),
    .needs = SL_NEEDS,
    .fma = SL_FMA,
@slots
};
#endif
"""
# Instead of kernels/dispatch.c, with one instruction set.
ONE_TABLE = """
static const sl_kernels *sl_active(void)
{
    sl_learn_cache();
    return &sl_table_@isa;
}
"""


def has_type(kernel, dtype):
    return dtype == "f32" or kernel not in F32_ALONE


def cut(text, first, last=None):
    """Without the lines from the one that begins with `first` to the next that begins with `last`, or to the end."""
    start = text.index("\n" + first)
    return text[:start + 1] + (text[text.index("\n", text.index("\n" + last, start) + 1) + 1:] if last else "")


class Flat:
    """For chosen rows of the manifests. `system_headers` are those that files have included; they are in no file's text."""

    def __init__(self, kernels, dtypes, isas, has_stats):
        self.kernels, self.dtypes, self.isas, self.has_stats = kernels, dtypes, isas, has_stats
        self.unit_isas = [*isas] + ["scalar"] * (has_stats and "scalar" not in isas)  # kernels/stats.c is a scalar unit
        self.included, self.system_headers, self.known = {"softlane.h"}, set(), {}
        # Conditions with the same answer for all chosen element types.
        for name, true_of in ("SL_F64", {"f64"}), ("SL_IN_ORDER", {"f32", "f64", "f16"}), ("SL_16_BITS", {"bf16", "f16"}):
            truths = {dtype in true_of for dtype in dtypes}
            if len(truths) == 1:
                self.known.update({f"#if {name}": True in truths, f"#if !{name}": False in truths})

    def with_manifests(self, text):
        """The chosen rows in the place of each manifest's #include."""
        rows = "".join(row + "\n" for row in self.kernels.values())
        f32 = ""
        if F32_ALONE & {*self.kernels}:
            rows = f"#ifndef SL_F32_KERNEL\n#define SL_F32_KERNEL SL_KERNEL\n#endif\n{rows}#undef SL_F32_KERNEL\n"
            f32 = f"\n#define SL_F32(DO, ...) {self.dtypes['f32']}\n"
        else:
            text = re.sub(r"^(#if SL_F64.*\n)?#define SL_F32_KERNEL.*\n((?<=\(\.\.\.\)\n)#endif\n)?", "", text, flags=re.M)
        text = text.replace('#include "kernels.def"\n', rows)
        text = text.replace('#include "isas.def"\n', "".join(row + "\n" for row in self.isas.values()))
        dtypes = " \\\n".join("    " + row for row in self.dtypes.values())
        return text.replace('#include "dtypes.def"\n', f"\n#define SL_DTYPES(DO, ...) \\\n{dtypes}\n{f32}")

    def text(self, *paths):
        """Files behind what they include, each once."""
        return "".join(part for path in paths for part in self.parts(path))

    def parts(self, path):
        """What a file includes at its beginning; and the file, with what it includes later in the place of the #include."""
        if path in self.included:
            return "", ""
        if path != "isa/half.h":  # of more than one instruction set
            self.included.add(path)
        text = read(f"kernels/{path}")
        guard = re.search(r"#ifndef (SL_\w+_H)\n#define \1\n(.*)#endif\n", text, re.S)
        intro, text = (text[:guard.start()], guard[2]) if guard else text.split("*/\n", 1)
        intro = intro.split("MIT\n *\n", 1)[-1].removesuffix("*/\n").rstrip(" \n")
        if path == "table.h":  # the header is proved to be that of the whole library
            text = cut(text, "/* The table's slot and")
        elif path == "vocab.h":  # what an instruction set has to supply
            intro = re.sub(r"^ \* An ISA header defines\n.*?(?=^ \* Virtual)", "", intro, flags=re.M | re.S)
        elif path == "dispatch.c":
            intro, text = cut(intro + "\n", " * A tuning").rstrip(), cut(text, "#if ATOMIC_LLONG", "#endif")
        elif path == "stats.c":
            text = cut(text, "SL_CLOSE")
        before, out, depth = "", "", 0
        for line in c_pieces.resolved(self.with_manifests(text), self.known).splitlines(keepends=True):
            depth += line.startswith("#if") - line.startswith("#endif")
            if line.startswith("#include <") and (not depth or path.startswith("isa/")):
                self.system_headers.update([line] * (not depth))
            elif line.startswith("#include SL_TEXT(SL_UNIT_ISA"):
                out += "".join(f"#ifdef SL_UNIT_IS_{isa}\n{self.text(f'isa/{isa}.h')}#endif\n" for isa in self.unit_isas)
            elif line.startswith("#include SL_TEXT(SL_UNIT_TYPE"):
                out += self.elements()
            elif line.startswith('#include "'):
                first, own = self.parts(line.split('"')[1])
                before, out = (before + first, out + own) if out.strip() else (before + first + own, out)
            elif not line.startswith("#define _GNU_SOURCE"):
                out += line
        return before, f"\n/* ==== kernels/{path} ====\n *\n{intro}\n */\n\n{out}\n"

    def elements(self):
        out = ""
        for dtype in self.dtypes:
            arithmetic = self.text("element/arithmetic_f64.h" if dtype == "f64" else "element/arithmetic_f32.h")
            out += f"#if{'' if dtype == 'f64' else 'n'}def SL_UNIT_IS_f64\n{arithmetic}#endif\n"
            out += f"#ifdef SL_UNIT_IS_{dtype}\n{self.text(f'element/{dtype}.h')}#endif\n"
        return out

    def unit(self):
        """kernels/unit.c, and its part of unit_table.c; with statistics kernels/stats.c, too."""
        slots = [f"    .{kernel}_{dtype} = SL_SLOT_FUNCTION(slot_{kernel}, {dtype})," for dtype in self.dtypes for kernel in self.kernels
                 if has_type(kernel, dtype)]
        end = UNIT_END.replace("@slots", "\n".join(slots)).replace("@last", [*self.dtypes][-1])
        text = self.text("isa/isa.h") + "\n#ifdef SL_W\n"
        if self.has_stats:
            text += self.text("maths/exact.h", "maths/log_f64.h") + f"#ifdef SL_UNFUSED\n{self.text('stats.c')}#else\n"
        text += self.text(*re.findall(r'^#include "(kernel/\w+\.h)"', read("kernels/unit.c"), re.M))
        return text + self.with_manifests(end) + "#endif\n" * self.has_stats + "\nSL_CLOSE\n#endif\n"

    def dispatch(self):
        """What gives the table in use."""
        text = self.text("cache.c")
        return text + (self.text("cpu.c", "dispatch.c") if len(self.isas) > 1 else ONE_TABLE.replace("@isa", *self.isas))
