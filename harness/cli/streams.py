"""Standard streams that stop no command, whatever they lead to.

A character that the terminal cannot show is replaced. A stream that is closed leads nowhere. What
cannot be written because nobody reads it any more (`| head`) is dropped, so that a run goes on to
its report; what cannot be written because a disk is full is dropped too, and the command says so
at its end. Knows nothing of what is printed.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, TextIO

from harness.files.refusals import words_of

if TYPE_CHECKING:
    from typing_extensions import Buffer

NAMES = ("stdin", "stdout", "stderr")


class _Enduring(io.FileIO):
    """A descriptor that takes whatever it is given, and keeps the first error of the system."""

    problem: OSError | None = None

    def write(self, data: Buffer, /) -> int:
        size = memoryview(data).nbytes
        if self.problem is None:
            try:
                return super().write(data)
            except OSError as problem:
                self.problem = problem
        return size


class Streams:
    """The standard streams of this process, made enduring."""

    def __init__(self) -> None:
        for number, name in enumerate(NAMES):
            _open(number)
            if getattr(sys, name) is None:
                mode = "w" if number else "r"
                setattr(sys, name, open(number, mode, encoding="utf-8", closefd=False))  # noqa: SIM115
        self._out = _Enduring(1, "w", closefd=False)
        self._errors = _Enduring(2, "w", closefd=False)
        sys.stdout = _text(self._out, sys.stdout, "replace")
        sys.stderr = _text(self._errors, sys.stderr, "backslashreplace")

    def lost(self) -> str | None:
        """Return why output was lost, in a sentence; None if none was, or nobody reads it."""
        for stream in (sys.stdout, sys.stderr):
            stream.flush()
        problem = self._out.problem
        if problem is None or isinstance(problem, BrokenPipeError):
            return None
        return f"standard output: {words_of(problem)}"


def _open(number: int) -> None:
    """Lead a closed descriptor nowhere, or the next file that is opened would take its place."""
    try:
        os.fstat(number)
    except OSError:
        with suppress(OSError):
            os.open(os.devnull, os.O_RDWR)  # takes the lowest number that is free: this one


def _text(raw: _Enduring, like: TextIO, errors: str) -> TextIO:
    """Return a text stream above a descriptor, with the encoding and buffering that it had."""
    unbuffered = getattr(like, "write_through", False)  # python -u
    return io.TextIOWrapper(
        raw if unbuffered else io.BufferedWriter(raw),
        encoding=like.encoding,
        errors=errors,
        line_buffering=bool(like.line_buffering),
        write_through=unbuffered,
    )
