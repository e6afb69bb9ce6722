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

# The C file is the files of kernels/ with every #include replaced by what it includes: first the functions that check arguments
# and choose an instruction set, then a unit as kernels/unit.c has it. It includes itself once for each instruction set and
# element type, as the library compiles unit.c once for each, and macros make the names of each unit its own. What no chosen
# function needs is left out, piece by piece (c_pieces.py).

import argparse
import pathlib
import re
import subprocess
import sys

import c_pieces
import command_line
import flat_sources
import tuning_file
from flat_sources import DTYPES, F32_ALONE, FLAGS, ISAS, KERNELS, ROOT, has_type, read

MARK = "Written by softlane's scripts/export.py"
ARCHITECTURES = (("SL_X86_64", "x86-64", "__x86_64__", "immintrin.h"), ("SL_AARCH64", "AArch64", "__aarch64__", "arm_neon.h"),
                 ("SL_WASM32", "WebAssembly", "__wasm32__", "wasm_simd128.h"))


def refuse(message):
    print(f"export.py: {message}", file=sys.stderr)
    sys.exit(2)


class Export:
    def __init__(self, kernels, dtypes, isas, prefix, tuning):
        self.prefix, self.tuning = prefix, tuning
        # in the order of the manifests
        self.kernels = {name: row for name, row in KERNELS.items() if name in kernels}
        self.dtypes = {name: row for name, row in DTYPES.items() if name in dtypes and any(has_type(kernel, name) for kernel in kernels)}
        self.isas = {name: row for name, row in ISAS.items() if name in isas}
        self.name = ("softlane" if prefix == "sl" else prefix) + (f"_{kernels[0]}" if len(kernels) == 1 else "")
        signatures = {name: re.split(r"\W+", row)[2] for name, row in KERNELS.items()}
        chosen = {signatures[name] for name in self.kernels}
        self.unchosen = {*KERNELS, *DTYPES, *ISAS, *signatures.values()} - {*self.kernels, *self.dtypes, *self.isas, *chosen}
        self.has_losses = any(signature.endswith(("_LOSS", "_GRAD")) for signature in chosen)
        self.has_stats = bool(chosen & {"STATS", "STATS_ROWS", "APPLY", "SHARD_GRAD"})
        self.has_stats_type = "CLASS_GRAD" in chosen  # whose unit is that of shards, too
        self.flat = flat_sources.Flat(self.kernels, self.dtypes, self.isas, self.has_stats)

    def opening(self, what):
        fastest = ""
        if self.tuning:
            cpu, isas, caches = (text.replace("*/", "* /") for text in self.tuning.machine)
            fastest = f" *   fastest on     {cpu} ({isas}; caches {caches or 'unknown'}), by softlane-tune\n"
        return (f"/* SPDX-License-Identifier: MIT\n *\n * softlane {command_line.version()}, commit {commit()}: {what}.\n"
                f" *   kernels        {', '.join(self.kernels)}\n *   element types  {', '.join(self.dtypes)}\n"
                f" *   ISAs           {', '.join(self.isas)}\n{fastest} * {MARK}.\n")

    def renamed(self, text):
        if self.prefix == "sl":
            return text
        upper = self.prefix.upper()
        own = re.search(rf"\b({self.prefix}_|{upper}_(?!(H|API|VERSION)\b))\w*", c_pieces.bare(text))
        if own:
            refuse(f"--prefix: '{self.prefix}' begins names that are no public ones: {own[0]}")
        text = re.sub(r"\bsl_", self.prefix + "_", text)
        text = re.sub(r"\bSL_", upper + "_", text)
        return re.sub(r"\bSOFTLANE_(?=(H|API|VERSION)\b)", upper + "_SOFTLANE_", text)

    def header(self):
        """The header, and the names that it declares."""
        intro, text = read("include/softlane.h").split("#ifndef SOFTLANE_H\n#define SOFTLANE_H\n", 1)
        text = re.sub(rf"^    SL_SLOTS\((?!{'|'.join(self.dtypes)},).*\n", "", text, flags=re.M)
        slots = re.findall(rf"^    (void \(\*(?:{'|'.join(self.kernels)})_##dt\)[^;]*;)", text, re.M)
        macro = "".join(" \\\n    " + re.sub(r"\s*\\\n\s*", " ", slot) for slot in slots)
        text = re.sub(r"^(#define SL_SLOTS\(.*?\)) *\\\n.*?\n\n", lambda match: f"{match[1]}{macro}\n\n", text, flags=re.M | re.S)
        text = re.sub(rf"^    void \(\*(?:{'|'.join(F32_ALONE - {*self.kernels}) or ' '})_f32\).*\n", "", text, flags=re.M)
        pieces = c_pieces.pieces_of(text)
        starts = ("sl_isa",) * (len(self.isas) > 1) + ("sl_stats",) * self.has_stats
        public = {name for piece in pieces for name in piece.names if name.startswith(starts)}
        public.update(f"sl_{kernel}_{dtype}" for kernel in self.kernels for dtype in self.dtypes if has_type(kernel, dtype))
        public.update("SOFTLANE_VERSION sl_kernels sl_rows sl_axis sl_status_string sl_cache_bytes sl_set_cache_bytes".split())
        public.update(("SL_PACKED_PART",) * self.has_stats)
        public.update(("sl_stats",) * self.has_stats_type)
        public.update(("sl_loss_defaults", "SL_SAFE_ROWS", "SL_EMPTY_MEAN_ZERO") * self.has_losses)
        public.update(("SL_SAFE_ROWS",) * any(name.endswith("_with") for name in self.kernels))
        public.update(name for dtype in self.dtypes for name in (f"sl_f32_of_{dtype}", f"sl_{dtype}_of_f32"))
        text = "".join(piece.text() for piece in c_pieces.needed(pieces, public))
        intro = self.opening("chosen kernels, for use without the library") + intro.split("MIT\n", 1)[1]
        return self.renamed(f"{intro}#ifndef SOFTLANE_H\n#define SOFTLANE_H\n{text}"), public

    def library(self):
        """The pieces before the units."""
        pieces = [piece for piece in c_pieces.pieces_of(self.flat.dispatch()) if not piece.names & {"SL_SLOT", "sl_active_for"}]
        text = "\n#define sl_active_for(slot, elements) sl_active()\n"
        if self.tuning:
            at = next(at for at, piece in enumerate(pieces) if "choose" in piece.names)
            pieces[at:at + 1] = c_pieces.pieces_of(tuning_file.CHOOSE)
            text = self.flat.with_manifests(tuning_file.FASTEST)
            text += "".join(self.tuning.macro(kernel, dtype) for kernel in self.kernels for dtype in self.dtypes if has_type(kernel, dtype))
        return pieces + c_pieces.pieces_of(text + self.flat.text("api.c", "convert.c", "vocab.h", "isa/pair.h", "isa/partial.h"))

    def passes(self):
        """Includes the file itself for each unit."""
        units = [(f"UNIT {isa}_{dtype}", f"UNIT_ISA {isa}", f"UNIT_IS_{isa}", f"UNIT_IS_{dtype}")
                 for isa in self.isas for dtype in self.dtypes]
        units += [("UNIT unfused", "UNIT_IS_scalar", "UNFUSED")] * self.has_stats
        return "".join("".join(f"#define SL_{macro}\n" for macro in unit) + f'#include "{self.name}.c"\n\n' for unit in units)

    def source(self, public):
        refusals, arithmetic = self.flat.text("arithmetic.h").split("#endif\n", 1)
        library = self.library()
        unit = [piece for piece in c_pieces.pieces_of(self.flat.unit())
                if not piece.names & {"SL_UNIT_ISA", "SL_UNIT_TYPE", "SL_UNFUSED"} and not piece.body.startswith("#undef")]
        for piece in library:  # only the header's functions are seen from outside
            is_hidden = any(name.startswith("sl_") and name not in public for name in piece.names)
            if is_hidden and not piece.is_macro and not piece.body.startswith(("static", "typedef")):
                piece.body = "static " + piece.body.removeprefix("extern ")
        pieces = c_pieces.needed(library + unit, {*public, *self.kernels, "SL_PASTE"}, self.unchosen)
        library, unit = [piece for piece in pieces if piece in library], [piece for piece in pieces if piece in unit]
        macros = {name for piece in unit if piece.is_macro for name in piece.names}
        names = {name for piece in unit if not piece.is_macro for name in piece.names if not name.startswith(("sl_", "SL_"))}
        for piece in unit:  # words that are macros in one instruction set and functions in another
            if piece.is_macro and piece.names & names:
                piece.body = f"#undef {min(piece.names)}\n{piece.body}"
        chosen = [row for row in ARCHITECTURES if any(row[0] in isa for isa in self.isas.values())]
        if len(self.isas) == 1:
            refusals += "".join(f'#elif !defined({macro})\n#error "made for {name} alone"\n' for _, name, macro, _ in chosen)
        intrinsics = "".join(f"#if defined({macro})\n#include <{header}>\n#endif\n" for _, _, macro, header in chosen)
        passed = ["UNIT", "UNIT_ISA", *(f"UNIT_IS_{name}" for name in (*self.flat.unit_isas, *self.dtypes)), "UNFUSED"]

        def suffixed(words):
            return "".join(f"#define {name} SL_OF({name})\n" for name in sorted(words))

        def unnamed(words):  # whoever includes the file has such names, too
            return "".join(f"#undef {name}\n" for name in sorted(words))

        text = f"""{self.opening(f"the kernels of {self.name}.h")} *
 * This file includes itself, once for each instruction set and element type (SL_UNIT). In the library these are separate files;
 * here each name of theirs gets the unit's name as a suffix.
 */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE /* sched_getcpu */
#endif
#include <float.h>

{refusals[refusals.index("#if"):]}#else /* to the end of this file */
#ifndef SL_UNIT
#include "{self.name}.h"

{arithmetic}
{"".join(sorted(self.flat.system_headers - {"#include <float.h>" + chr(10)}))}
{intrinsics}{"".join(piece.text() for piece in library)}
/* ---- the units ---- */

#define SL_OF(name) SL_PASTE(name, SL_UNIT)

/* Names that each unit has. */
{suffixed(names - macros)}
{self.passes()}{unnamed(names - macros)}#else /* a unit */

{suffixed(names & macros)}
{"".join(piece.text() for piece in unit)}
{unnamed(macros)}
{"".join(f"#undef SL_{name}" + chr(10) for name in passed)}#endif
#endif
"""
        return self.renamed(re.sub(r"\n{3,}", "\n\n", text))


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


def refuse_flags(option, isa):
    if FLAGS[isa]:
        refuse(f"{option}: {isa} needs the compiler flags {FLAGS[isa]}, and an export compiles without any")


class Parser(argparse.ArgumentParser):
    def error(self, message):
        refuse(message)


def main():
    parser = Parser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("--kernel", metavar="NAMES", help="separated by commas; the rows of kernels/kernels.def")
    parser.add_argument("--all", action="store_true", help="every kernel")
    parser.add_argument("--dtype", metavar="NAMES", help="element types (default: all)")
    parser.add_argument("--isa", metavar="NAMES", help="instruction sets (default: all that need no compiler flags)")
    parser.add_argument("--fastest", metavar="FILE", type=pathlib.Path, help="of softlane-tune: what it lists (but for other "
                        "--kernel, --all, --dtype), and for each size the winner where the CPU has it")
    parser.add_argument("--prefix", default="sl", help="what names begin with instead of sl_, so that two exports fit into "
                        "one program (default: sl)")
    parser.add_argument("--out", type=pathlib.Path, required=True, metavar="DIR", help="where the two files go")
    arguments = parser.parse_args()
    every, types, sets = list(KERNELS), list(DTYPES), list(ISAS)
    try:
        tuning = tuning_file.Tuning(arguments.fastest, command_line.version(), every, types, sets) if arguments.fastest else None
    except tuning_file.Malformed as error:
        refuse(f"--fastest: {arguments.fastest}: {error}")
    listed = tuning.winners if tuning else dict.fromkeys((kernel, dtype) for kernel in every for dtype in types)
    if arguments.kernel and arguments.all or not (arguments.kernel or arguments.all or tuning):
        refuse("either --kernel or --all is needed")
    kernels = (every if arguments.all else chosen("--kernel", arguments.kernel, every) if arguments.kernel
               else list(dict.fromkeys(kernel for kernel, _ in listed)))
    dtypes = (chosen("--dtype", arguments.dtype, types) if arguments.dtype is not None
              else list(dict.fromkeys(dtype for _, dtype in listed)))
    isas = chosen("--isa", arguments.isa, sets) if arguments.isa is not None else [isa for isa in sets if not FLAGS[isa]]
    without = [kernel for kernel in kernels if not any(has_type(kernel, dtype) for dtype in dtypes)]
    if arguments.kernel and without:
        refuse(f"--dtype: {without[0]} is of f32 alone")
    kernels = [kernel for kernel in kernels if kernel not in without]
    for isa in isas:
        refuse_flags("--isa", isa)
    if len(isas) > 1 and "scalar" not in isas:
        refuse("--isa: several need scalar among them, for CPUs that have none of the others")
    if tuning and len(isas) == 1:
        refuse("--isa: one alone leaves --fastest nothing to choose")
    for (kernel, dtype), winners in tuning.winners.items() if tuning else ():
        for _, isa in winners if kernel in kernels and dtype in dtypes else ():
            refuse_flags("--fastest", isa)
            if isa not in isas:
                refuse(f"--isa: '{isa}' is missing, which {arguments.fastest} has for {kernel}/{dtype}")
    if not re.fullmatch(r"[a-z][a-z0-9_]+", arguments.prefix):  # one letter: X_OK is POSIX's
        refuse(f"--prefix: '{arguments.prefix}' is not two or more of a-z, 0-9 and _")

    export = Export(kernels, dtypes, isas, arguments.prefix, tuning)
    header, public = export.header()
    files = {arguments.out / f"{export.name}.h": header, arguments.out / f"{export.name}.c": export.source(public)}
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
