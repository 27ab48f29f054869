"""`python -m harness`: sees to whose `strategies` and `reports` are imported, then runs the CLI."""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import NoReturn

BUG, MISTAKE = 1, 2
PLACELESS = {"-h", "--help", "list"}
"""Words of commands that read no path."""


def main() -> None:
    """Run the command line and exit with its code.

    `python -m` puts the working directory first on the path. Where the installed harness lies
    elsewhere, a user's own folder called `strategies` or `reports` would shadow ours: drop it.
    """
    here = Path(__file__).resolve().parent.parent
    if _working_directory() != here:
        sys.path = [p for p in sys.path if p != "" and os.path.realpath(p) != os.getcwd()]
    from harness.cli.commands import run_command
    from harness.cli.plain import complain
    from harness.cli.streams import Streams

    streams = Streams()
    try:
        code = run_command(sys.argv[1:])
    except SystemExit as leaving:  # argparse: help, or a word that it does not know
        code = leaving.code if isinstance(leaving.code, int) else 0
    except BaseException:  # a bug of ours; a hook of the task's own code decides nothing
        sys.__excepthook__(*sys.exc_info())
        code = BUG
    if lost := streams.lost():
        complain(f"error: {lost}")
        code = code or MISTAKE
    sys.exit(code)


def main_and_end() -> NoReturn:
    """Run the command line and end the process with its code, which nothing changes any more.

    What a task's own code registered for the end of the process (`atexit`), and threads of its own
    that never end, would otherwise decide the code, or keep a finished command from ending.
    """
    try:
        main()
        code = BUG  # it never returns
    except SystemExit as leaving:
        code = leaving.code if isinstance(leaving.code, int) else BUG
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError, ValueError, AttributeError):
            stream.flush()
    os._exit(code)


def _working_directory() -> Path:
    """Return the working directory; end where it is gone and a path may start from it."""
    try:
        return Path.cwd()
    except OSError as problem:  # deleted, or not ours to read
        if not PLACELESS & set(sys.argv[1:]):
            why = f"the working directory: {problem.strerror}"
            print(f"error: {why} → change into one that exists", file=sys.stderr)
            sys.exit(MISTAKE)
        os.chdir(os.sep)
        return Path.cwd()


if __name__ == "__main__":
    main_and_end()
