# SPDX-License-Identifier: MIT
"""What all scripts of this folder have in common: --version, how they refuse what they are given, and that it is told when what
they print cannot be written.

    parser = argparse.ArgumentParser(...)
    command_line.add_version(parser)
    ...
    command_line.run(main)
"""
import errno
import io
import os
import pathlib
import re
import sys

HEADER = pathlib.Path(__file__).resolve().parent.parent / "include" / "softlane.h"


def version():
    return re.search(r'^#define SOFTLANE_VERSION "(.*)"$', HEADER.read_text(encoding="utf-8"), re.M)[1]


class NotWritten(OSError):
    """Of the standard output, which no other OSError is."""


class _Output(io.FileIO):
    def write(self, data):
        try:
            return super().write(data)
        except OSError as error:
            raise NotWritten(error.errno, error.strerror) from None


def _check_stdout():
    """From now on a failure to write to it raises NotWritten. A closed one cannot be written."""
    raw = _Output(os.open(os.devnull, os.O_RDONLY) if sys.stdout is None else sys.stdout.fileno(), "w", closefd=False)
    encoding, errors = (sys.stdout.encoding, sys.stdout.errors) if sys.stdout else ("utf-8", "strict")
    sys.stdout = io.TextIOWrapper(io.BufferedWriter(raw), encoding=encoding, errors=errors, line_buffering=raw.isatty())


def _leave(status):
    """With nothing more to be written."""
    sys.stderr.flush()
    os._exit(status)


def refuse(message):
    print(f"{pathlib.Path(sys.argv[0]).name}: {message}", file=sys.stderr)
    sys.exit(2)


def add_version(parser):
    parser.add_argument("--version", action="version", version=f"{parser.prog} {version()}")


def run(main):
    """Calls main, and exits with what it returns or exits with; with 2 and one line on stderr when a file, or the standard
    output, cannot be read or written."""
    name = pathlib.Path(sys.argv[0]).name
    _check_stdout()
    try:
        try:
            status = main()
        except SystemExit as leaving:
            status = leaving.code
        sys.stdout.flush()
    except NotWritten as error:
        if error.errno == errno.EPIPE:  # a reader like head may leave early
            _leave(128 + 13)
        print(f"{name}: the standard output could not be written to its end: {error.strerror}", file=sys.stderr)
        _leave(2)
    except OSError as error:
        print(f"{name}: {f'{error.filename}: ' if error.filename else ''}{error.strerror or error}", file=sys.stderr)
        status = 2
    sys.exit(status)
