"""Calls code that somebody else wrote, so that nothing it raises goes further than the call.

What it raises, `sys.exit` and KeyboardInterrupt included, becomes one error with the place; it is
stopped after a while; and working directory, signal handlers and standard streams are as before.
Not covered: what ends the whole process (`os._exit`, a segfault) or stays in C code for ever. Who
must survive that has it tried in a process of its own first (harness/task/code_check.py).
"""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType

from harness.errors import HarnessError, StrategyError, shortened

CALL_S = 60.0
"""Seconds that one call may take; whatever is longer belongs into `fit` or `predict`."""
AGAIN_S = 1.0
"""After which code that caught the end of its time is told again."""
MOST_WORDS = 500
"""Bytes of what an exception says."""
OURS = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
Renew = Callable[[], None]


class _TooLongError(BaseException):
    """A call's time is over."""


class _InterruptedError(KeyboardInterrupt):
    """The user's Ctrl-C, or SIGTERM; code that raises KeyboardInterrupt does not raise this."""


@contextmanager
def guarded(
    doing: str,
    raises: type[Exception] = StrategyError,
    passing: type[BaseException] = HarnessError,
    limit_s: float = CALL_S,
) -> Iterator[Renew]:
    """Turn whatever the block raises into one error; stop it after a while; put things back.

    Args:
        doing: what is called, as the error begins: "own.py:Fast: `needs`".
        raises: the error's class.
        passing: an exception that passes as it is, as those of ours do (`HarnessError`).
        limit_s: wall-clock limit; it holds in the main thread alone.

    Yields:
        What begins the time anew.

    Raises:
        KeyboardInterrupt: the user interrupted it.
        HarnessError: as the block raised it.
    """
    with _as_it_was(), _limited(limit_s) as (renew, interrupted):
        try:
            yield renew
        except _InterruptedError:
            pass
        except (HarnessError, passing):
            raise
        except BaseException as problem:
            if not interrupted:
                raise raises(f"{doing}: {reason_of(problem, limit_s)}") from problem
    if interrupted:
        raise KeyboardInterrupt


def reason_of(problem: BaseException, limit_s: float = CALL_S) -> str:
    """Return in one line what code raised and where, whatever its own words do."""
    if isinstance(problem, _TooLongError):
        said = f"stopped after {limit_s:g} seconds"
    else:
        said = shown_safely(problem)
    exits = ", which would end the whole command → return or raise instead"
    return f"{said}{_place(problem)}{exits if isinstance(problem, SystemExit) else ''}"


def shown_safely(problem: object) -> str:
    """Return an exception, or anything, as `repr` does; its own words may fail or be endless."""
    try:
        said = repr(problem)
    except BaseException:
        said = type(problem).__name__
    return shortened("\\n".join(said.splitlines()), MOST_WORDS)


def _place(problem: BaseException) -> str:
    """Return where in foreign code an exception was raised: " (own.py:12)"."""
    with suppress(Exception):
        if isinstance(problem, SyntaxError) and problem.filename:
            return f" ({os.path.basename(problem.filename)}:{problem.lineno})"
        for frame in reversed(traceback.extract_tb(problem.__traceback__)):
            if not frame.filename.startswith((OURS, "<")):
                return f" ({os.path.basename(frame.filename)}:{frame.lineno})"
    return ""


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Put back working directory, signal handlers and streams; what is printed goes to stderr."""
    folder = os.open(".", os.O_PATH | os.O_DIRECTORY)
    streams = sys.stdin, sys.stdout, sys.stderr
    numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGALRM)
    handlers = {number: signal.getsignal(number) for number in numbers}
    sys.stdout = sys.stderr
    try:
        yield
    finally:
        sys.stdin, sys.stdout, sys.stderr = streams
        with suppress(OSError):  # code that closes all descriptors
            os.fchdir(folder)
            os.close(folder)
        if threading.current_thread() is threading.main_thread():
            for number, handler in handlers.items():
                if signal.getsignal(number) is not handler:
                    signal.signal(number, handler or signal.SIG_DFL)


@contextmanager
def _limited(limit_s: float) -> Iterator[tuple[Renew, list[int]]]:
    """Raise in the block when its time is over, and when the user interrupts it.

    Yields:
        What begins the time anew; and the signals by which the user interrupted.
    """
    interrupted: list[int] = []
    if threading.current_thread() is not threading.main_thread():
        yield (lambda: None), interrupted
        return

    def stop(number: int, frame: FrameType | None) -> None:
        interrupted.append(number)
        raise _InterruptedError

    def end(number: int, frame: FrameType | None) -> None:
        raise _TooLongError

    for number in (signal.SIGINT, signal.SIGTERM):
        if signal.getsignal(number) is signal.default_int_handler:
            signal.signal(number, stop)
    signal.signal(signal.SIGALRM, end)
    if signal.getsignal(signal.SIGALRM) is not end:  # nobody may set handlers here
        yield (lambda: None), interrupted
        return
    begin = time.monotonic()
    around_s, again_s = signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)

    def renew() -> None:
        signal.setitimer(signal.ITIMER_REAL, limit_s, AGAIN_S)

    try:
        yield renew, interrupted
    finally:
        left_s = around_s - (time.monotonic() - begin)
        signal.setitimer(signal.ITIMER_REAL, max(left_s, 0.001) if around_s else 0, again_s)
