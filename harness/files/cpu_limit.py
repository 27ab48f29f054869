"""Ends work on what others wrote after so much time of the CPU, wherever in it the time goes.

Parsers and regular expressions have no limit of their own, and some texts keep them busy for hours.
The time is the CPU's: a busy machine takes none of it. Only the main thread of a process can be
interrupted, on systems with interval timers; anywhere else there is no limit.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType
from typing import Any

AGAIN_S = 0.2
"""After that it is raised again: a library may catch everything."""


class OverdueError(Exception):
    """The work took more than its time."""


class _Stop(BaseException):
    """Raised in the midst of the work; no `except Exception` there catches it."""


@contextmanager
def cpu_limit(seconds: float) -> Iterator[None]:
    """Let a block take so many seconds of the CPU's time. Blocks do not nest.

    Raises:
        OverdueError: it took more.
    """
    if threading.current_thread() is not threading.main_thread() or not hasattr(
        signal, "setitimer"
    ):
        yield
        return

    def stop(_number: int, _frame: FrameType | None) -> Any:
        raise _Stop

    before = signal.signal(signal.SIGPROF, stop)
    if signal.getsignal(signal.SIGPROF) is not stop:  # somebody keeps handlers as they are
        yield
        return
    try:
        try:
            signal.setitimer(signal.ITIMER_PROF, seconds, AGAIN_S)
            yield
        finally:
            signal.setitimer(signal.ITIMER_PROF, 0)
    except _Stop:
        raise OverdueError(f"it takes more than {seconds:g} s") from None
    finally:
        signal.signal(signal.SIGPROF, before or signal.SIG_DFL)
