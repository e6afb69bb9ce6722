#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What scripts/test and scripts/bench do before they build anything: arguments, filters, packages, folders that cannot be
written to; how they show that they live; the filters of the pages, on machines with other caches; the limit of
scripts/run_docs.py; how scripts/export.py reads the sources. A copy of the scripts is run with a PATH of its own, in which dpkg, apt-get and cmake write down how
they were called. SOFTLANE_PROGRAMS is the folder of the programs. Standard library only."""
import json
import os
import pathlib
import pty
import re
import shutil
import subprocess
import sys
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "scripts"))
import c_pieces

PROGRAMS = pathlib.Path(os.environ["SOFTLANE_PROGRAMS"])
TOOLS = "basename bash cat cut dirname env flock grep head ls mkdir mktemp nproc rm sed sleep sort tail tee touch tr true uname wc".split()
NOBODY = 65534
STUB = """#!/bin/sh
echo "$(basename "$0") $*" >>"$CALLS"
"""
# What apt-get says of itself where it is asked for what it would do.
APT_GET = STUB + """case "$*" in
    *--print-uris*) echo "Need to get 213 MB of archives."; echo "After this operation, 1,023 MB of additional disk space will be used." ;;
esac
"""
X86_64 = os.uname().machine == "x86_64"


class Scripts(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.tree = pathlib.Path(folder.name) / "tree"
        self.bin = pathlib.Path(folder.name) / "bin"
        self.calls = pathlib.Path(folder.name) / "calls"
        shutil.copytree(ROOT / "scripts", self.tree / "scripts")
        for name in ("kernels", "include", "bench", "tests"):
            (self.tree / name).symlink_to(ROOT / name)
        self.bin.mkdir()
        for tool in TOOLS:
            (self.bin / tool).symlink_to(shutil.which(tool))
        self.stub("cmake", STUB + "exit 1\n")
        self.stub("dpkg", STUB + "[ \"$1\" != --print-architecture ] || echo amd64\n")
        self.stub("dpkg-query", "#!/bin/sh\necho installed all\n")
        self.stub("apt-cache", "#!/bin/sh\necho Package: something\n")
        self.stub("apt-get", APT_GET)
        self.calls.touch()
        for path in (folder.name, self.tree, self.calls):
            os.chmod(path, 0o777)

    def stub(self, name, text):
        (self.bin / name).write_text(text)
        (self.bin / name).chmod(0o755)

    def nothing_is_installed(self):
        self.stub("dpkg-query", "#!/bin/sh\nexit 1\n")
        (self.bin / "cmake").unlink()

    def run_script(self, name, *arguments, as_nobody=False):
        """(exit code, stdout, stderr)"""
        user = {"user": NOBODY, "group": NOBODY, "extra_groups": []} if as_nobody and os.geteuid() == 0 else {}
        done = subprocess.run([self.tree / "scripts" / name, *arguments], cwd="/", stdin=subprocess.DEVNULL, text=True,
                              capture_output=True, env={"PATH": str(self.bin), "CALLS": str(self.calls)}, **user)
        return done.returncode, done.stdout, done.stderr

    def called(self):
        return self.calls.read_text().splitlines()

    def refused(self, name, *arguments):
        """What it says; before anything is installed or built."""
        status, said, why = self.run_script(name, *arguments)
        self.assertEqual((status, said), (2, ""), (arguments, why))
        self.assertTrue(why.startswith(f"scripts/{name}: "), why)
        self.assertEqual(self.called(), [])
        return why

    def listed(self, *arguments):
        status, said, why = self.run_script("test", *arguments, "--list")
        self.assertEqual((status, why), (0, ""))
        return [line.split()[0] for line in said.splitlines()]

    # ------------------------------------------------------------------------------------------------ arguments

    def test_wrong_arguments(self):
        for arguments in (["--leg"], ["--leg", "bad"], ["--quick", "--leg", ""], ["--leg=bad"], ["--fuzz"], ["--fuzz", "0"],
                          ["--fuzz=x"], ["--lanes"], ["--lanes=0"], ["--lanes", "x"], ["--quick=1"], ["--no-install="], ["-x"], ["style"]):
            self.assertEqual(self.refused("test", *arguments).count("\n"), 1)
        self.assertIn(" style coefficients proofs release ", self.refused("test", "--leg", "bad"))
        for arguments in (["--filter"], ["--peers=x"], ["--only-peers"], ["-x"], ["softmax"]):
            self.assertEqual(self.refused("bench", *arguments).count("\n"), 1)

    def test_help_and_version(self):
        version = re.search(r'#define SOFTLANE_VERSION "(.*)"', (ROOT / "include/softlane.h").read_text()).group(1)
        for name in ("test", "bench"):
            self.assertEqual(self.run_script(name, "--version"), (0, f"scripts/{name} {version}\n", ""))
            long = self.run_script(name, "--help")
            self.assertEqual(long[0::2], (0, ""))
            self.assertIn(f"usage: scripts/{name} ", long[1])
            self.assertEqual(self.run_script(name, "-h"), long)
        self.assertEqual(self.called(), [])

    def test_legs(self):
        everything, quick = self.listed(), self.listed("--quick")
        self.assertIn("trixie", everything)
        self.assertEqual(quick, [leg for leg in everything if leg in quick])
        self.assertTrue({"style", "release", "docs"} <= set(quick))
        self.assertFalse({"nehalem", "aarch64", "trixie"} & set(quick))
        self.assertEqual(self.listed("--quick", "--leg", "style"), ["style"])
        self.assertEqual(self.listed("--leg", "style", "--quick"), ["style"])
        self.assertEqual(self.listed("--quick", "--leg=aarch64", "--leg", "style", "--leg", "style"), ["aarch64", "style"])
        self.assertEqual(self.listed("--leg", "trixie"), ["trixie"])

    def test_default_legs(self):
        """On request only: neither --quick nor the run without arguments."""
        self.nothing_is_installed()
        for arguments, without in (([], {"trixie", "avx512"}), (["--quick"], {"trixie", "avx512", "nehalem", "aarch64"})):
            status, said, _ = self.run_script("test", "--no-install", *arguments)
            ran = {line.split()[1] for line in said.splitlines() if line.startswith("==== ")} - {"summary"}
            self.assertEqual(status, 0)
            self.assertFalse(ran & without)
            if not arguments:
                self.assertEqual(ran, set(self.listed()) - without)
            self.assertIn("style", ran)

    # ---------------------------------------------------------------------------------------------------- lanes

    def test_failed_legs(self):
        """In any number of lanes each leg says all that it has to say in one piece, and one that fails fails the run."""
        for lanes in "1", "2", "9":
            self.calls.write_text("")
            status, said, _ = self.run_script("test", "--no-install", "--lanes", lanes, "--leg", "install", "--leg", "mpi", "--leg", "torch")
            self.assertEqual(status, 1)
            legs = dict(re.findall(r"^==== (\w+) .*\n((?:(?!====).*\n)*)", said, re.M))
            self.assertEqual(set(legs), {"install", "mpi", "torch"})
            self.assertIn("SKIPPED: no PyTorch", legs["torch"])
            self.assertEqual(re.findall(r"^(\w+) +\d+ s, +\d+ s of CPUs  (\w+)$", said.partition("==== summary\n")[2], re.M),
                             [("FAILED", "install"), ("FAILED", "mpi"), ("SKIPPED", "torch")])
            self.assertTrue(said.endswith("legs: 0 passed, 2 failed, 1 skipped\n"), said)
            self.assertEqual(len([call for call in self.called() if call.startswith("cmake ")]), 2)

    def test_ended_lanes(self):
        """No leg outlives the script."""
        self.stub("cmake", STUB + "echo $$ >>\"$CALLS.pids\"; exec sleep 60\n")
        pids = pathlib.Path(f"{self.calls}.pids")
        with subprocess.Popen([self.tree / "scripts/test", "--no-install", "--leg", "install", "--leg", "nehalem"], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env={"PATH": str(self.bin), "CALLS": str(self.calls)}) as run:
            while not (pids.exists() and pids.read_text().count("\n") == 2):
                self.assertIsNone(run.poll())
                time.sleep(0.05)
            run.terminate()
            run.communicate()
        self.assertNotEqual(run.returncode, 0)
        ended = time.monotonic() + 30
        for pid in pids.read_text().split():
            while pathlib.Path(f"/proc/{pid}").exists():
                self.assertLess(time.monotonic(), ended)
                time.sleep(0.05)

    # -------------------------------------------------------------------------------------------------- filters

    def test_filters_that_match_nothing(self):
        for text in ("softmaxx", "softmax/f23", "softmax/f32/avx3", "^avx2", "bce$", "nll+grad", "softmax/f32/131x1000",
                     "threads:2", "x1000x$", "/f32/sleef/", "softmax/f32/avx2/1y", "avx2/f32"):
            why = self.refused("bench", "--filter", text)
            self.assertIn(f"'{text}' matches no name", why)
            for words in (r"kernels: .*softmax .*cross_entropy\+grad ", "types: f32 f64 bf16 f16", "isas: .*avx2 .*scalar"):
                self.assertRegex(why, words)
        self.assertIn(r"written \+", self.refused("bench", "--filter=nll+grad"))

    def test_filters_that_are_none(self):
        for text in ("(", ")", "[", "*", "a{2", "(a))", "\\"):
            self.assertEqual(self.refused("bench", "--filter", text),
                             f"scripts/bench: --filter: '{text}' is not a POSIX extended regular expression\n")

    def test_filters_that_may_match(self):
        """Nobody knows the shapes before the build: the first thing that happens is cmake."""
        for text in ("", ".", "softmax/f32/.*/131x1000", "^softmax/f32/.*x1000$", "nll\\+grad", "-softmax", "1x1048575",
                     "^(softmax|sigmoid(_fast)?)/f32/.*/([0-9]{1,3}x10+|1x[0-9]{4,6})$", "f16/(avx2|sse2)/[1-9][0-9]*x10",
                     "/[^/]*x21x1024$", "[[:alpha:]]+/bf16/[[:alnum:]]+/[[:digit:]]+x1000", "[]x]10", "/....x1000$", "avx2/1"):
            self.calls.write_text("")
            status, _, why = self.run_script("bench", "--filter", text)
            self.assertEqual(status, 2, (text, why))
            self.assertTrue(self.called()[-1].startswith("cmake "), (text, why))
        self.calls.write_text("")
        self.run_script("bench", "--peers", "--filter", "/f32/sleef/")
        self.assertTrue(self.called()[-1].startswith("cmake "))

    def test_filters_of_the_pages(self):
        """Whatever the caches are: names with sizes of one machine match nothing on the next."""
        filters = {}
        for page in (ROOT / "README.md", ROOT / "CONTRIBUTING.md", ROOT / "scripts" / "bench", *(ROOT / "docs").glob("*.md")):
            for found in re.finditer(r"--(?:benchmark_)?filter[= ]('[^']+'|[\^/][^\s`]+)", page.read_text(encoding="utf-8")):
                filters.setdefault(found.group(1).strip("'"), page.name)
        self.assertGreater(len(filters), 5)
        isas = re.findall(r"^SL_ISA\((\w+),", (ROOT / "kernels/isas.def").read_text(), re.M)
        for l2, l3 in (("size=1048576", "l3:1(size=33554432) "), ("size=524288", "l3:1(size=8388608) "), ("size=2097152", "")):
            machine = f"pack:1 {l3}l2:1({l2}) l1d:1(size=32768) core:1 pu:1"
            names = set()
            for flags in ([], ["--full"], ["--sizes"]):
                listed = subprocess.run([PROGRAMS / "softlane-bench", "--benchmark_list_tests", *flags], text=True, check=True,
                                        stdout=subprocess.PIPE, env={**os.environ, "HWLOC_SYNTHETIC": machine}).stdout
                for name in listed.split():
                    kernel, dtype, isa, shape = name.split("/")
                    names |= {f"{kernel}/{dtype}/{any_isa}/{shape}" for any_isa in {isa, *isas}}
            for text, page in filters.items():
                self.assertTrue(any(re.search(text, name) for name in names), f"{page}: {text} on {machine}")

    # ------------------------------------------------------------------------------------------------- packages

    def test_no_install(self):
        self.nothing_is_installed()
        status, said, why = self.run_script("test", "--no-install", "--leg", "style", "--leg", "trixie")
        self.assertEqual(status, 0, why)
        self.assertIn("SKIPPED: missing: build-essential clang shellcheck\n", said)
        self.assertIn("SKIPPED: missing: debootstrap\n", said)
        self.assertIn("legs: 0 passed, 0 failed, 2 skipped\n", said)
        self.assertEqual(len(re.findall("^packages: missing: ", why, re.M)), 1)
        status, said, why = self.run_script("bench", "--no-install")
        self.assertEqual(status, 2)
        self.assertRegex(why, r"^packages: missing: .*cmake ninja-build.*\nscripts/bench: packages are missing, see above\n$")
        self.assertFalse([call for call in self.called() if not call.startswith("dpkg --print")])

    def test_neither_root_nor_sudo(self):
        if not X86_64:
            self.skipTest("the leg is made for x86-64")
        self.nothing_is_installed()
        status, said, why = self.run_script("test", "--leg", "aarch64", "--leg", "aarch64-clang", as_nobody=True)
        self.assertEqual((status, said), (2, ""))
        commands = [line.strip() for line in why.splitlines() if line.startswith("    ")]
        self.assertEqual(commands[:2], ["dpkg --add-architecture arm64", "apt-get update"])
        self.assertEqual(len(commands), 3)
        self.assertRegex(commands[2], r"^apt-get install --no-install-recommends .*cmake .*libcmocka-dev:arm64")
        words = commands[2].split()
        self.assertEqual(len(words), len(set(words)))
        self.assertFalse([call for call in self.called() if not call.startswith("dpkg --print")])
        # They work as they are.
        self.calls.write_text("")
        subprocess.run(["sh", "-e", "-c", "\n".join(commands)], check=True,
                       env={"PATH": f"{self.bin}:/usr/bin:/bin", "CALLS": str(self.calls)})
        self.assertEqual(self.called(), commands)

    def test_install(self):
        """How much it will be is said before it is done; what this release has not got is left out."""
        self.nothing_is_installed()
        self.stub("sudo", '#!/bin/sh\n[ "$1" != -n ] || shift\nexec "$@"\n')
        self.stub("apt-cache", '#!/bin/sh\ncase "$*" in *clang-format-14*) exit 100 ;; esac\necho Package: something\n')
        self.stub("apt-get", APT_GET + "echo 'apt-get: no network'; exit 100\n")
        status, said, why = self.run_script("test", "--leg", "style", as_nobody=True)
        self.assertEqual(status, 2)
        self.assertEqual([line for line in said.splitlines() if line.startswith("packages: ")],
                         ["packages: to install: build-essential clang shellcheck", "packages: Need to get 213 MB of archives.",
                          "packages: After this operation, 1,023 MB of additional disk space will be used."])
        self.assertIn("packages: apt-get could not install build-essential clang shellcheck; --no-install does without", why)
        calls = [call for call in self.called() if call.startswith("apt-get ")]
        self.assertEqual(len(calls), 3)
        self.assertEqual(calls[0], "apt-get update")
        self.assertIn("--print-uris", calls[1])
        self.assertRegex(calls[2], "^apt-get .*--yes .* build-essential clang shellcheck$")

    # -------------------------------------------------------------------------------------------------- folders

    def test_results_cannot_be_written(self):
        (self.tree / "results").touch()  # a file there stops root, too
        self.assertEqual(self.refused("bench"), f"scripts/bench: cannot write to {self.tree}/results\n")
        (self.tree / "build").mkdir(exist_ok=True)
        shutil.rmtree(self.tree / "build")
        (self.tree / "build").touch()
        self.assertEqual(self.refused("test", "--leg", "style"), f"scripts/test: cannot write to {self.tree}/build/test\n")

    def test_results_of_another_user(self):
        (self.tree / "results").mkdir()
        os.chmod(self.tree / "results", 0o777)
        (self.tree / "results" / "bench.json").touch(0o444)
        status, said, why = self.run_script("bench", as_nobody=True)
        self.assertEqual((status, said, why), (2, "", f"scripts/bench: cannot write to {self.tree}/results\n"))

    # ---------------------------------------------------------------------------------------------------- steps

    def step(self, command):
        return ["bash", "-c", f'source "{ROOT}/scripts/steps.sh"; step "a step" "{self.calls}" {command}']

    def test_step_in_a_pipe(self):
        done = subprocess.run(self.step("echo fine"), capture_output=True, text=True)
        self.assertRegex(done.stdout, r"^a step: \d+ s\n$")
        self.assertEqual((done.returncode, done.stderr), (0, "a step ...\n"))
        done = subprocess.run(self.step("sh -c 'echo not fine; exit 7'"), capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (7, ""))
        self.assertRegex(done.stderr, r"^a step \.\.\.\na step: FAILED after \d+ s \(exit code 7\); .* ends with\nnot fine\n$")

    def test_step_on_a_terminal(self):
        master, terminal = pty.openpty()
        with subprocess.Popen(self.step("sh -c 'echo [12/138] something; sleep 3'"), stdout=subprocess.DEVNULL,
                              stderr=terminal) as process:
            os.close(terminal)
            shown = b""
            try:
                while part := os.read(master, 4096):
                    shown += part
            except OSError:  # how a terminal says that nobody writes to it any more
                pass
        os.close(master)
        self.assertEqual(process.returncode, 0)
        self.assertRegex(shown.decode(), r"\r\x1b\[Ka step: 1 s  \[12/138\] something")

    # ------------------------------------------------------------------------------------------------- programs

    def test_minimum_time(self):
        """With and without a suffix, whatever Google Benchmark wants; and no word about it."""
        cells = self.tree / "cells.txt"
        cells.write_text("sigmoid/f32/1x100\n")
        for value in ("0.001", "0.001s", "1e-3"):
            out = self.tree / "out.json"
            done = subprocess.run([PROGRAMS / "softlane-bench", "--cells", cells, "--benchmark_filter=/scalar/",
                                   f"--benchmark_min_time={value}", "--benchmark_repetitions=1", f"--benchmark_out={out}"], capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
            self.assertNotIn("min_time", done.stderr + done.stdout)
            self.assertEqual([run["name"] for run in json.loads(out.read_text())["benchmarks"]], ["sigmoid/f32/scalar/1x100"])

    def test_limit_of_a_block(self):
        page = self.tree / "page.md"
        page.write_text("<!-- run -->\n```sh\nsleep 1000 | sleep 1000\n```\n\n<!-- run -->\n```sh\ntrue\n```\n")
        done = subprocess.run([ROOT / "scripts" / "run_docs.py", "--build", PROGRAMS.parent, "--scratch", self.tree / "docs",
                               "--limit", "1", page], capture_output=True, text=True)
        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertRegex(done.stdout, r"(?m)^FAILED .*page\.md:2: run sh: not done after 1 s: .*--limit SECONDS")
        self.assertRegex(done.stdout, r"(?m)^ok .*page\.md:7: run sh, \d+ s$")


class Pieces(unittest.TestCase):
    """Of the sources that an export has."""

    def pieces(self):
        for path in (*ROOT.glob("kernels/**/*.[ch]"), ROOT / "include" / "softlane.h"):
            text = path.read_text(encoding="utf-8")
            yield path, text, c_pieces.pieces_of(text)

    def test_no_line_is_lost(self):
        for path, text, pieces in self.pieces():
            with self.subTest(path.name):
                self.assertEqual(re.sub(r"\n\n+", "\n\n", text), "".join(piece.text() for piece in pieces).lstrip("\n"))

    def test_definitions_have_names(self):
        starts = ("SL_INLINE ", "SL_NOINLINE ", "SL_STATIC ", "SL_PAIRED_", "SL_PARTIAL(", "SL_MASKED_FMA(", "static ", "typedef ", "enum ")
        for path, _, pieces in self.pieces():
            for piece in pieces:
                if piece.body.startswith(starts):
                    with self.subTest(path.name, piece=piece.body):
                        self.assertTrue(piece.names)

    def test_what_is_needed(self):
        pieces = c_pieces.pieces_of("""/* ---- of both ---- */

/* Both return a number. */
static int unused(void) { return 0; }
static int inner(void) { return 1; }

#if CONDITION
static int unused_too(void) { return unused(); }
#else
#endif

/* ---- of nothing ---- */

enum { FIRST, SECOND = 2 };
typedef int (*callback)(void);

#define CALL_one inner
#define CALL_two unused
static int outer(callback f) { return f() + CALL(CALL_##name); }
""")
        self.assertEqual("".join(piece.text() for piece in c_pieces.needed(pieces, {"outer"}, {"two"})), """
/* ---- of both ---- */

/* Both return a number. */
static int inner(void) { return 1; }

/* ---- of nothing ---- */

typedef int (*callback)(void);

#define CALL_one inner
static int outer(callback f) { return f() + CALL(CALL_##name); }
""")


if __name__ == "__main__":
    unittest.main()
