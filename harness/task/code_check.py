"""Has a task's own code tried before the parent imports it, and names its files first.

One process imports all of it and calls what the parent is going to call (code_trial.py), within
limits of time, memory and words. Whatever becomes of that process, the parent goes on: what died,
hung or failed is a fault of the task. Code that was found good is not tried again while it and its
parameters are the same. A task of data alone starts nothing. Knows nothing of runs.
"""

from __future__ import annotations

import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from itertools import chain
from pathlib import Path
from typing import Any

import psutil

from harness.errors import HarnessError, shortened
from harness.files.atomic import atomic_write
from harness.files.cache_folder import cache_folder, room_of
from harness.files.guarded import OURS
from harness.files.hashing import sha256_of
from harness.files.python_file import names_file
from harness.files.temporary_folder import temporary_folder
from harness.machine.memory import total_bytes
from harness.machine.secrets import kept
from harness.registry import Origin, code_sha256, origins_in
from harness.task.code_trial import STACK
from harness.task.schema import TaskFile
from harness.task.task_data import TaskData
from harness.types import TaskInfo

STEP_S = 60.0
"""Seconds for importing, and for each thing that is called; a slow disk gives torch in 20."""
MOST_BYTES = 4 << 30
"""Memory, or half of the machine's if that is less; torch takes half a gibibyte."""
MOST_PRINTED = 1 << 20
"""Bytes that trying all of it may print."""
LOOK_EVERY_S = 0.05
FIRST_ROWS = 20
"""Rows of each split, and documents, for estimates."""
TRIED = "tried"
"""Folder of the cache that says which code was found good."""
STACK_S = 0.5
"""For the stack of code that is about to be stopped."""
FIXES = {
    "importing it": "let importing the file do nothing but define names",
    "scoring two made-up items": "return a number from 0 to 1, and nothing else",
}
FIX = "let it return at once: work belongs into `fit` and `predict`"
Subject = Mapping[str, Any]
"""`metric`, or `use` and `params`; and `key`, what its place in the task file is found by."""


@dataclass(frozen=True)
class Limits:
    """What trying the code may take."""

    step_s: float = STEP_S
    memory_bytes: int = MOST_BYTES
    printed_bytes: int = MOST_PRINTED


class CodeCheck:
    """Names a task's own code, and has it tried.

    Args:
        say: told which code a task is going to run.
        limits: what trying it may take.
    """

    def __init__(self, say: Callable[[str], None], limits: Limits = Limits()):
        self.say = say
        self.limits = limits

    def __call__(
        self, spec: TaskFile, base: Path, data: TaskData, info: TaskInfo
    ) -> dict[tuple[str | int, ...], str]:
        """Try what a task names of somebody else's code.

        Args:
            spec: the task file.
            base: its folder.
            data: all that was read of its data.
            info: what strategies may know of it.

        Returns:
            What is wrong with code and what to do, by the key of the task file that names it.
        """
        subjects, origins = own_code(spec, base)
        if not subjects:
            return {}
        self.say(sentence(origins))
        job = _job(subjects, base, data, info, spec.first_seed)
        mark = _mark(job, origins)
        if mark is not None and mark.is_file():
            return {}
        found = dict(self._faults(job))
        if not found and mark is not None:
            with suppress(HarnessError, OSError):
                atomic_write(room_of(TRIED) / mark.name, "", durable=False)
        return {subjects[number]["key"]: _with_remedy(fault) for number, fault in found.items()}

    def _faults(self, job: dict[str, Any]) -> Iterator[tuple[int, str]]:
        """Yield number and fault of each subject that has one; a new process after each death."""
        left = list(range(len(job["subjects"])))
        while left:
            trial = _Trial({**job, "numbers": left}, self.limits)
            yield from trial.faults.items()
            left = [number for number in left if number not in trial.ended]


def own_code(spec: TaskFile, base: Path) -> tuple[list[Subject], list[Origin]]:
    """Return the arms and metrics of a task that lead to somebody else's code, and to which."""
    subjects: list[Subject] = []
    found: list[Origin] = []
    for position, arm in enumerate(spec.strategies):
        if places := list(chain(origins_in(arm.use, base), origins_in(arm.params, base))):
            subjects.append({"use": arm.use, "params": arm.params, "key": ("strategies", position)})
            found += places
    for key, name in [("metric", spec.metric), *(("also", name) for name in spec.also)]:
        if names_file(name) and (places := list(origins_in(name, base))):
            subjects.append({"metric": name, "key": (key, name)})
            found += places
    return subjects, list(dict.fromkeys(found))


def sentence(origins: Sequence[Origin]) -> str:
    """Return the line that names a task's own code."""
    shown = list(dict.fromkeys(origin.shown for origin in origins))
    return shortened(f"This task runs code of its own: {', '.join(shown)}")


def _job(
    subjects: Sequence[Subject], base: Path, data: TaskData, info: TaskInfo, seed: int
) -> dict[str, Any]:
    """Return what the process is told: no target of a test row."""
    rows = {name: data.splits[name][:FIRST_ROWS] for name in ("train", "validation")}
    known = [target for some in rows.values() for row in some for target in row.targets]
    targets = list(dict.fromkeys([*known, *data.labels, "an answer", "another answer"]))[:2]
    return {
        "base": str(base.resolve()),
        "subjects": subjects,
        "info": asdict(info),
        "rows": {name: [asdict(row) for row in some] for name, some in rows.items()},
        "queries": [asdict(row.query) for row in data.splits["test"][:FIRST_ROWS]],
        "documents": [asdict(document) for document in data.corpus.documents[:FIRST_ROWS]],
        "targets": targets,
        "seed": seed,
    }


def _mark(job: Mapping[str, Any], origins: Sequence[Origin]) -> Path | None:
    """Return the file that says, once it exists, that all of this was found good."""
    with suppress(HarnessError, OSError):
        if (code := code_sha256(origins)) is not None:
            return cache_folder() / TRIED / sha256_of([code, _ours_sha256(), job])
    return None


def _ours_sha256() -> str:
    """Hash what decides how code is tried."""
    from harness.files.reached_code import sha256_of_code

    home = Path(OURS)
    names = ("strategy.py", "types", "workload.py", "registry", "metrics/custom.py", "task")
    return sha256_of([sha256_of_code(home / name) for name in names])


class _Trial:
    """One process, watched until it ends: what it found, and what became of it."""

    def __init__(self, job: Mapping[str, Any], limits: Limits):
        self.job = job
        self.limits = limits
        self.faults: dict[int, str] = {}
        self.ended: set[int] = set()
        self.returncode = 0
        self._printed = bytearray()
        self._printed_bytes = 0
        with temporary_folder() as folder:
            (folder / "job.json").write_text(json.dumps(job), encoding="utf-8")
            (folder / "told").touch()
            with _started(folder) as process:
                how = self._watch(process, folder / "told")
            self.returncode = process.returncode
            self._read(folder / "told", how)

    def _watch(self, process: subprocess.Popen[bytes], told: Path) -> str | None:
        """Wait for the end; return what went wrong, None if the process ended by itself."""
        assert process.stdout is not None
        handle, output = os.pidfd_open(process.pid), process.stdout.fileno()
        poller = select.poll()
        poller.register(handle, select.POLLIN)
        poller.register(output, select.POLLIN)
        memory = min(self.limits.memory_bytes, total_bytes() // 2)
        size, since = -1, time.monotonic()
        try:
            while True:
                ready = {place for place, _ in poller.poll(LOOK_EVERY_S * 1000)}
                if output in ready:
                    self._take(output, poller)
                if handle in ready:
                    while output in {place for place, _ in poller.poll(0)}:
                        self._take(output, poller)
                    return None
                if (now := told.stat().st_size) != size:
                    size, since = now, time.monotonic()
                how = None
                if time.monotonic() - since > self.limits.step_s:
                    how = f"takes longer than {self.limits.step_s:g} seconds"
                elif _tree_bytes(process.pid) > memory:
                    how = f"takes more than {memory / 2**30:.3g} GiB of memory"
                elif self._printed_bytes > self.limits.printed_bytes:
                    how = f"prints more than {self.limits.printed_bytes >> 10} KiB"
                if how is not None:
                    self._have_stack(process, output, poller)
                    return how
        finally:
            os.close(handle)

    def _have_stack(
        self, process: subprocess.Popen[bytes], output: int, poller: select.poll
    ) -> None:
        """Have the process print its stack, so that the fault can name a line."""
        self._printed.clear()
        with suppress(ProcessLookupError):
            process.send_signal(STACK)
        until = time.monotonic() + STACK_S
        while time.monotonic() < until and b"File " not in self._printed:
            if output in {place for place, _ in poller.poll(LOOK_EVERY_S * 1000)}:
                self._take(output, poller)

    def _take(self, output: int, poller: select.poll) -> None:
        """Take what was printed: its end is kept, all is counted."""
        some = os.read(output, 1 << 16)
        if not some:
            poller.unregister(output)
        self._printed_bytes += len(some)
        self._printed += some
        del self._printed[: -(1 << 15)]

    def _read(self, told: Path, how: str | None) -> None:
        """Read what the process told, and make a fault of its death."""
        number, step, done = self.job["numbers"][0], "importing it", False
        for line in told.read_text(encoding="utf-8", errors="replace").splitlines():
            try:
                words = json.loads(line)
                number, step = words.get("begun", number), words.get("step", step)
                done = words.get("done", False)
                if "ended" in words:
                    self.ended.add(words["ended"])
                    if words["fault"]:
                        self.faults[words["ended"]] = str(words["fault"])
            except (ValueError, TypeError, AttributeError):
                break  # the code wrote there: what was begun last has done it
        if how is None and (done or number in self.ended):
            return
        self.ended.add(number)
        fix = FIXES.get(step, FIX)
        self.faults[number] = f"{_name(self.job, number)}: {step} {how or self._death}{self._line}"
        self.faults[number] += f" → {fix}"

    @property
    def _death(self) -> str:
        """Return how the process ended by itself."""
        code = self.returncode
        if code < 0:
            with suppress(ValueError):
                return f"ends the process with {signal.Signals(-code).name}"
        return f"ends the process with exit code {code}"

    @property
    def _line(self) -> str:
        """Return where the code was, by the stack that was printed last: " (own.py:12)"."""
        text = self._printed.decode("utf-8", "replace")
        places = re.findall(r'File "([^"<]+)", line (\d+)', text)
        # faulthandler begins with the latest call, a traceback ends with it
        own = [place for place in places if not place[0].startswith((OURS, sys.base_prefix))]
        if not own:
            return ""
        latest = own[0] if "most recent call first" in text else own[-1]
        return f" ({os.path.basename(latest[0])}:{latest[1]})"


def _with_remedy(fault: str) -> str:
    """Return a fault with what to do: what its words do not say is to be corrected in the code."""
    says = any(words in fault for words in (" → ", "did you mean", "known: "))
    return fault if says else f"{fault} → correct the code there"


def _name(job: Mapping[str, Any], number: int) -> str:
    subject = job["subjects"][number]
    return f"metric '{subject['metric']}'" if "metric" in subject else str(subject["use"])


@contextmanager
def _started(folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Start the process; in the end nothing of it or of what it started is left."""
    command = [sys.executable, "-P", "-m", "harness.task.code_trial"]
    process = subprocess.Popen(
        [*command, str(folder / "job.json"), str(folder / "told")],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
        env={**kept(os.environ), "PYTHONUTF8": "1"},
    )
    try:
        yield process
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        for stream in (process.stdin, process.stdout):
            if stream is not None:
                stream.close()


def _tree_bytes(pid: int) -> int:
    """Return the resident memory of a process and of all that it started."""
    found = 0
    with suppress(psutil.Error):
        process = psutil.Process(pid)
        for one in (process, *process.children(recursive=True)):
            with suppress(psutil.Error):
                found += one.memory_info().rss
    return found
