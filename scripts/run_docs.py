#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""Runs what README.md and docs/*.md say can be run, as written, in a copy of the tree.

A block of code is marked by a comment on the line before it, which does not show:

  <!-- run -->           sh: run by bash. c: compiled with warnings as errors, linked with softlane, and run
  <!-- run NAME.c -->    c: the same, and the file stays, for later blocks of the page
  <!-- help -->          sh: commands that take too long for a test. Each program must print a --help that has all the
                         flags used here
  <!-- output -->        any: what the block before it prints; "..." stands for anything

Blocks of a page run one after the other in the root of the same copy. Programs come from a build of this tree, which
stands in for build/bench. What is installed without --prefix goes into a folder beside the copy (DESTDIR), and is found
there.

run_docs.py --tables PAGE... fills in the tables of pages of docs/results/, one machine's, from the last run of scripts/bench
there. A place for one is <!-- table: COMMAND --> ... <!-- end -->, each on a line of its own; what the command prints, run by
bash in the root of the tree, goes between. Standard library only.
"""

import argparse
import glob
import os
import pathlib
import re
import shlex
import shutil
import signal
import subprocess
import sys
import time

import command_line

ROOT = pathlib.Path(__file__).resolve().parent.parent
BLOCK = re.compile(r"^(?:<!-- *(run|help|output)(?: +([\w.-]+))? *-->\n)?```(\w*)\n(.*?)^```$", re.M | re.S)
PLACE = re.compile(r"(^<!-- table: ([^\n]+) -->\n)(.*?)(^<!-- end -->$)", re.M | re.S)
LIMIT = 3600  # seconds that a block may take: for one that hangs, not for a machine that is slow


class Failed(Exception):
    pass


def copy_tree(to):
    """What git knows or would add; of an unpacked archive, all but build and results."""
    shutil.rmtree(to, ignore_errors=True)
    listed = subprocess.run(["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"], cwd=ROOT,
                            stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
    if listed.returncode == 0:
        for name in filter(None, listed.stdout.decode().split("\0")):
            if (ROOT / name).is_file():
                (to / name).parent.mkdir(parents=True, exist_ok=True)
                shutil.copy2(ROOT / name, to / name)
    else:
        shutil.copytree(ROOT, to, ignore=lambda folder, _: ["build", "results"] if folder == str(ROOT) else [])


def environment(scratch, built):
    """As a user has it after installing: what DESTDIR has caught is found."""
    env = {name: value for name, value in os.environ.items() if not name.startswith("SOFTLANE_")}
    prefix = scratch / "installed" / "usr" / "local"
    libraries = [str(path) for path in (prefix / "lib", *prefix.glob("lib/*-linux-gnu"), built)]
    env.update(DESTDIR=str(scratch / "installed"), CPATH=f"{prefix / 'include'}:{ROOT / 'include'}",
               LIBRARY_PATH=":".join(libraries), LD_LIBRARY_PATH=":".join(libraries),
               PKG_CONFIG_PATH=str(prefix / "lib" / "pkgconfig"), CMAKE_PREFIX_PATH=str(prefix),
               CMAKE_BUILD_PARALLEL_LEVEL=str(os.cpu_count()))
    if shutil.which("ninja"):
        env["CMAKE_GENERATOR"] = "Ninja"
    return env


def run(command, limit, **options):
    """As subprocess.run, which would leave what the command has started."""
    with subprocess.Popen(command, start_new_session=True, **options) as process:
        try:
            output, _ = process.communicate(timeout=limit)
        except subprocess.TimeoutExpired:
            raise Failed(f"not done after {limit:g} s: it hangs, or --limit SECONDS is too little here") from None
        finally:
            if process.returncode is None:
                os.killpg(process.pid, signal.SIGKILL)
        return process.returncode, output


def shell(script, tree, env):
    """What it prints."""
    if "--prefix" in script:
        env = {name: value for name, value in env.items() if name != "DESTDIR"}
    status, output = run(["bash", "-euo", "pipefail", "-c", script], LIMIT, cwd=tree, env=env, stdin=subprocess.DEVNULL,
                         stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if status != 0:
        raise Failed(f"exit code {status}\n{output[-2000:]}")
    return output


def run_c(code, name, tree, env):
    (tree / name).write_text(code)
    program = f"build/docs-{pathlib.Path(name).stem}"
    return shell(f"mkdir -p build && ${{CC:-cc}} -std=c11 -O2 -Wall -Wextra -Werror {shlex.quote(name)} -o {program} "
                 f"-lsoftlane -lm && {program}", tree, env)


def commands(script):
    """The words of each command, without comments and variables set for it."""
    for line in script.replace("\\\n", " ").splitlines():
        for command in re.split(r"&&|;|\|", line):
            words = shlex.split(command, comments=True)
            while words and re.match(r"\w+=", words[0]):
                words = words[1:]
            if words:
                yield words


def check_help(script, tree, env):
    said = ""
    for words in commands(script):
        text = shell(f"{shlex.quote(words[0])} --help", tree, env)
        for flag in (word.split("=")[0] for word in words[1:] if word.startswith("--")):
            if not re.search(re.escape(flag) + r"(?![\w-])", text):
                raise Failed(f"{words[0]} --help does not have {flag}")
        said += text
    return said


def check_output(printed, expected):
    pattern = ".*".join(re.escape(part.strip("\n")) for part in expected.split("..."))
    if not re.fullmatch(r"\s*" + pattern + r"\s*", printed, re.S):
        raise Failed(f"prints\n{printed}instead of\n{expected}")


def run_page(path, tree, env):
    """Prints a line for each marked block; returns how many passed, failed and are not marked."""
    passed = failed = unmarked = 0
    text, printed = path.read_text(encoding="utf-8"), None
    for block in BLOCK.finditer(text):
        how, name, language, code = block.groups()
        started = time.monotonic()
        place = f"{os.path.relpath(path, ROOT)}:{text.count(chr(10), 0, block.start(3)) + 1}"
        if not how:
            unmarked += 1
            continue
        try:
            if how == "output":
                if printed is None:
                    raise Failed("there is no block before it that ran")
                check_output(printed, code)
            elif how == "run" and language == "c":
                printed = None
                printed = run_c(code, name or "block.c", tree, env)
            elif language == "sh" and not name:
                printed = None
                printed = shell(code, tree, env) if how == "run" else check_help(code, tree, env)
            else:
                raise Failed(f"'{how}' is not for a block of '{language}'")
            passed += 1
            print(f"ok      {place}: {how} {language}, {time.monotonic() - started:.0f} s", flush=True)
        except Failed as failure:
            failed += 1
            print(f"FAILED  {place}: {how} {language}: {failure}", flush=True)
    if len(re.findall(r"^<!-- *(?:run|help|output)\b", text, re.M)) != passed + failed:
        failed += 1
        print(f"FAILED  {os.path.relpath(path, ROOT)}: a mark has no block")
    return passed, failed, unmarked


def printed_by(command):
    done = subprocess.run(["bash", "-euo", "pipefail", "-c", command], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    if done.returncode != 0 or not done.stdout.strip():
        command_line.refuse(f"{command}: {'prints nothing' if done.returncode == 0 else 'failed'}")
    return done.stdout.strip() + "\n"


def fill_tables(pages):
    """All commands first: a page is written when every table is there."""
    filled = {page: PLACE.subn(lambda m: m[1] + printed_by(m[2]) + m[4], page.read_text(encoding="utf-8")) for page in pages}
    for page, (text, tables) in filled.items():
        if tables:
            page.write_text(text, encoding="utf-8")
            print(f"{page}: {tables} tables")


def seconds(text):
    number = float(text)
    if not 0 < number < float("inf"):
        raise argparse.ArgumentTypeError(f"'{text}' is not a number of seconds")
    return number


def main():
    global LIMIT
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    command_line.add_version(parser)
    parser.add_argument("--build", type=pathlib.Path, default=ROOT / "build" / "bench",
                        help="a build of this tree with the measuring programs (default: build/bench)")
    parser.add_argument("--scratch", type=pathlib.Path, default=ROOT / "build" / "docs",
                        help="where the copy goes; emptied first (default: build/docs)")
    parser.add_argument("--limit", type=seconds, default=LIMIT, metavar="SECONDS",
                        help="how long a block may take before it is ended as one that hangs (default: %(default)s)")
    parser.add_argument("--tables", action="store_true", help="fill in the tables of these pages instead")
    parser.add_argument("pages", nargs="*", type=pathlib.Path, help="only these (default: README.md docs/*.md)")
    arguments = parser.parse_args()
    LIMIT = arguments.limit
    if arguments.tables and not arguments.pages:
        command_line.refuse("--tables: of which pages?")
    built, scratch = arguments.build.resolve(), arguments.scratch.resolve()
    if not arguments.tables and not (built / "CMakeCache.txt").is_file():
        command_line.refuse(f"--build: {arguments.build} holds no build")
    pages = [page.resolve() for page in arguments.pages] or [
        ROOT / "README.md", *map(pathlib.Path, sorted(glob.glob(f"{ROOT}/docs/*.md")))]
    for page in pages:
        if not page.is_file():
            command_line.refuse(f"{page} is not a file")
    if arguments.tables:
        fill_tables(arguments.pages)
        return

    shutil.rmtree(scratch, ignore_errors=True)
    tree = scratch / "tree"
    copy_tree(tree)
    (tree / "build").mkdir()
    (tree / "build" / "bench").symlink_to(built)
    env = environment(scratch, built)
    sums = [sum(column) for column in zip(*(run_page(page, tree, env) for page in pages))]
    print(f"{sums[2]} blocks are not marked\n{sums[0]} passed, {sums[1]} failed")
    sys.exit(sums[1] > 0)


if __name__ == "__main__":
    command_line.run(main)
