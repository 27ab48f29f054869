"""The command line: reads words, has the command do its work, and returns its exit code.

0 done · 2 the user's mistake · 3 no arm finished, or --gate and the choice misses a criterion, or
merge found two answers to one question · 130 interrupted. A command imports what it needs, so that
the others stay quick.
"""

from __future__ import annotations

import argparse
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from harness.cli import begin, look_ahead, look_back
from harness.cli.exit_codes import INTERRUPTED, MISTAKE
from harness.cli.merging import merge_folders
from harness.cli.parser import parsed
from harness.cli.plain import complain
from harness.cli.run_task import run_task
from harness.errors import HarnessError
from harness.files.refusals import is_refusal, words_of


def run_command(words: Sequence[str]) -> int:
    """Run one command.

    Args:
        words: the command line without the program's name.

    Returns:
        The exit code.
    """
    if odd := next(filter(_not_text, (*words, os.getcwd())), None):
        shown = os.fsencode(odd).decode("utf-8", "backslashreplace")
        complain(f"error: {shown}: is not UTF-8 text → rename the file or folder")
        return MISTAKE
    arguments = parsed(words)
    command = COMMANDS[arguments.command]
    with suppress(ValueError):  # not the main thread: whoever runs us there handles signals
        signal.signal(signal.SIGTERM, signal.default_int_handler)  # stop as tidily as on Ctrl-C
    try:
        return command(arguments)
    except HarnessError as problem:
        complain(f"error: {problem}" if "\n" not in str(problem) else str(problem))
        return MISTAKE
    except SystemExit as leaving:  # raised by a task's own code, and 0 would say that all is well
        complain(f"error: code of the task ended the command ({leaving!r})")
        return MISTAKE
    except KeyboardInterrupt:
        complain("interrupted; what finished stays and is reused")
        return INTERRUPTED
    except OSError as problem:
        if not is_refusal(problem):
            raise
        complain(f"error: {words_of(problem)}")
        return MISTAKE


def _not_text(word: str) -> bool:
    """Tell whether a name holds bytes that are no UTF-8: records could not name it."""
    return not word.isascii() and bool(re.search("[\ud800-\udfff]", word))


COMMANDS: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "run": run_task,
    "report": look_back.report,
    "compare": look_back.compare_folders,
    "history": look_back.history,
    "merge": merge_folders,
    "check": look_ahead.check,
    "plan": look_ahead.plan,
    "predict": look_back.predict,
    "record": begin.record,
    "list": begin.list_what_there_is,
    "new": begin.new,
    "schema": begin.schema,
}
"""What does the work of each command, by its name in parser.py."""
