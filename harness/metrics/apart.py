"""A task's own metric in a process of its own: what it does to that process, it does to no other.

The process imports the function once and scores whatever it is sent, line by line; it is ended when
it takes too long, and lives no longer than the one that asks. Knows nothing of tasks and runs.
"""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
import weakref
from contextlib import suppress
from functools import cache, partial
from pathlib import Path
from typing import Any

from harness.errors import UserError, shortened
from harness.files.guarded import CALL_S
from harness.files.python_file import names_file
from harness.metrics import Array, Items, Metric, each_counts, find, mean_of
from harness.metrics.custom import EVERY_KIND, summary_of

SILENT_S = CALL_S + 30
"""Seconds without a word from the process, after which it is ended; it stops an item itself."""
TELL_EVERY_S = 1.0
MOST_ENDS = 12
"""Processes of one metric that may come to a bad end; then it is asked no more."""


def find_metric_apart(name: str, base: Path | None) -> Metric:
    """Return the metric that a task names; its own function is neither imported nor run here.

    Args:
        name: a built-in one, or `path/to/file.py:function`.
        base: folder that a relative path starts from.

    Raises:
        UnknownNameError: there is no built-in one of that name.
    """
    if not names_file(name):
        return find(name)
    scorer = _scorer(name, base)
    return Metric(name, summary_of(name, base), EVERY_KIND, partial(_worths, scorer), mean_of)


def _worths(scorer: Scorer, items: Items) -> Array:
    return each_counts(scorer.worths(items))


class Scorer:
    """The process of one metric, started when it is first asked.

    Args:
        name: `path/to/file.py:function`.
        base: folder that a relative path starts from.
    """

    def __init__(self, name: str, base: Path | None):
        self.name = name
        self.base = base
        self.problem: str | None = None
        """Why it can score nothing any more: it is not started again."""
        self._process: subprocess.Popen[bytes] | None = None
        self._replies = -1
        self._rest = b""
        self._ends = 0

    def worths(self, items: Items) -> list[float]:
        """Return what each answer is worth.

        Raises:
            UserError: the function failed, returned no number from 0 to 1, or ended its process.
        """
        if self.problem is not None:
            raise UserError(self.problem)
        if self._process is None:
            self._start()
        process = self._process
        assert process is not None
        assert process.stdin is not None
        rows = list(zip(items.ids, items.texts, items.targets, strict=True))
        try:
            with suppress(BrokenPipeError):  # it says in its reply, or by its silence, what it is
                process.stdin.write((json.dumps(rows) + "\n").encode())
                process.stdin.flush()
            reply = self._reply(process, rows[0][0] if rows else "")
        except BaseException:
            self.end()
            raise
        if "fault" in reply:
            raise UserError(str(reply["fault"]))
        found = [float(value) for value in reply["worths"]]
        if len(found) != len(rows) or not all(0 <= value <= 1 for value in found):
            raise self._given_up("its process was changed by the code, and says nothing that holds")
        return found

    def end(self) -> None:
        """End the process, if there is one, and all that it started."""
        if self._process is not None:
            _end(self._process, self._replies)
            self._process = None

    def _start(self) -> None:
        read_end, write_end = os.pipe()
        command = [sys.executable, "-P", "-m", "harness.metrics.scorer", str(write_end)]
        self._process = subprocess.Popen(
            [*command, self.name, str(self.base or Path.cwd())],
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            pass_fds=[write_end],
            start_new_session=True,
            env={**os.environ, "PYTHONUTF8": "1"},
        )
        os.close(write_end)
        self._replies = read_end
        self._rest = b""
        weakref.finalize(self, _end, self._process, read_end)

    def _reply(self, process: subprocess.Popen[bytes], first: str) -> dict[str, Any]:
        """Wait for the line that holds the reply; ids before it say which item is scored."""
        item, heard = f"the item {first!r}", time.monotonic()
        while True:
            line, _, rest = self._rest.partition(b"\n")
            if rest or self._rest.endswith(b"\n"):
                self._rest, heard = rest, time.monotonic()
                with suppress(ValueError):
                    reply = json.loads(line)
                    if isinstance(reply, dict) and reply.keys() & {"fault", "worths"}:
                        return reply
                    item = f"the item {shortened(str(reply), 200)!r}"
                continue
            ready, _, _ = select.select([self._replies], [], [], 1.0)
            some = os.read(self._replies, 1 << 16) if ready else None
            if some == b"":
                how = _ending(process)
                raise self._given_up(f"ended its process with {how} near {item}")
            if time.monotonic() - heard > SILENT_S:
                raise self._given_up(f"has said nothing for {SILENT_S:g} seconds, near {item}")
            self._rest += some or b""

    def _given_up(self, what: str) -> UserError:
        problem = f"metric '{self.name}' {what} → let it return a number from 0 to 1"
        self.end()
        self._ends += 1
        if self._ends >= MOST_ENDS:
            self.problem = problem
        return UserError(problem)


@cache
def _scorer(name: str, base: Path | None) -> Scorer:
    return Scorer(name, base)


def _ending(process: subprocess.Popen[bytes]) -> str:
    with suppress(subprocess.TimeoutExpired):
        code = process.wait(5)
        return f"exit code {code}" if code >= 0 else signal.Signals(-code).name
    return "no word"


def _end(process: subprocess.Popen[bytes], replies: int) -> None:
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    if process.stdin is not None and not process.stdin.closed:
        with suppress(BrokenPipeError):
            process.stdin.close()
        with suppress(OSError):
            os.close(replies)
