"""Tries a task's own code in a process of its own: `python -m harness.task.code_trial JOB TOLD`.

Imports it, calls all that the parent is going to call, and tells in a file, line by line, what it
begins and what it found: if the process dies, the last line says of what. Knows nothing of runs.
The parent's side, with its limits, is code_check.py.
"""

from __future__ import annotations

import builtins
import faulthandler
import json
import os
import signal
import sys
import threading
import time
import traceback
from collections.abc import Iterator, Mapping
from contextlib import suppress
from functools import partial
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from harness import registry
from harness.errors import HarnessError
from harness.metrics import Items
from harness.metrics.custom import find_metric
from harness.types import Document, Example, Query, Split, TaskInfo
from harness.workload import Estimate, Prospect

WATCHED: tuple[ModuleType, ...] = (builtins, json, os, time)
"""Modules that the parent works with; whoever changes them changes the parent."""
LEFT_ALONE = frozenset(["__import__", "environ", "_"])
STACK = signal.SIGUSR1
"""Has the stack printed, whatever the code does."""
_dumps, _exit = json.dumps, os._exit
_open, _write, _close = os.open, os.write, os.close


def main(job_file: str, told_file: str) -> None:
    """Try all subjects of a job, and end, whatever threads and handlers they leave behind."""
    faulthandler.enable()
    faulthandler.register(STACK)
    threading.Thread(target=_end_with_parent, daemon=True).start()
    os._exit = _exit_with_stack  # type: ignore[assignment]
    job = json.loads(Path(job_file).read_text(encoding="utf-8"))
    before = {module: dict(vars(module)) for module in WATCHED}

    def tell(**words: Any) -> None:
        told = _open(told_file, os.O_WRONLY | os.O_APPEND)  # code may close what is open
        _write(told, (_dumps(words) + "\n").encode())
        _close(told)

    for number in job["numbers"]:
        subject = job["subjects"][number]
        tell(begun=number, step="importing it")
        lasting = None
        try:
            steps = _of_metric(subject, job) if "metric" in subject else _of_arm(subject, job)
            for step in steps:
                if lasting := _changed(before):
                    break
                tell(begun=number, step=step)
            fault = lasting = lasting or _changed(before) or _thread_left()
        except ValidationError:
            fault = None  # parameters that it refuses: the parent says it with the right names
        except HarnessError as problem:
            fault = str(problem)
        tell(ended=number, fault=fault)
        if lasting is not None:  # what comes next would be blamed for it: in a new process
            _exit(0)
    tell(done=True)
    for stream in (sys.stdout, sys.stderr):
        with suppress(Exception):
            stream.flush()
    _exit(0)


def _of_arm(subject: Mapping[str, Any], job: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is called next of a strategy; what only costs a forecast is no fault."""
    base = Path(job["base"])
    strategy = registry.find(subject["use"], base)
    yield "its Params"
    params = registry.resolved_params(strategy, subject["params"], base)
    yield "its needs, parts and models"
    registry.profile(strategy, params, base)
    yield "its floors"
    with suppress(HarnessError):
        registry.floors(strategy, params)
    yield "its estimate"
    with suppress(HarnessError):
        registry.estimate(strategy, params, _prospect(job, base))


def _of_metric(subject: Mapping[str, Any], job: Mapping[str, Any]) -> Iterator[str]:
    """Yield what is called next of a metric: of a right answer and of another one."""
    metric = find_metric(subject["metric"], Path(job["base"]))
    yield "scoring two made-up items"
    right, other = job["targets"]
    metric.value(Items([right, other], [(right,), (right,)], ids=["made up 1", "made up 2"]))


def _prospect(job: Mapping[str, Any], base: Path) -> Prospect:
    """Return what an estimate may know, with a task's first rows."""
    rows = {
        name: tuple(Example(Query.from_row(row["query"]), tuple(row["targets"])) for row in some)
        for name, some in job["rows"].items()
    }
    return Prospect(
        task=TaskInfo(**job["info"]),
        train=Split("train", rows["train"]),
        validation=Split("validation", rows["validation"]),
        queries=[Query.from_row(row) for row in job["queries"]],
        documents=tuple(map(Document.from_row, job["documents"])),
        seed=job["seed"],
        part=partial(_part, base),
    )


def _part(base: Path, name: str, given: Mapping[str, Any], prospect: Prospect) -> Estimate:
    strategy = registry.find(name, base)
    return registry.estimate(strategy, registry.resolved_params(strategy, given, base), prospect)


def _changed(before: Mapping[ModuleType, Mapping[str, Any]]) -> str | None:
    """Say which function of another module the code has put its own in place of, if any."""
    for module, names in before.items():
        now = vars(module)
        for name, value in names.items():
            if callable(value) and now.get(name) is not value and name not in LEFT_ALONE:
                whole = name if module is builtins else f"{module.__name__}.{name}"
                if now.get(name) is not _exit_with_stack:
                    return f"it puts something else in place of {whole} → call it by another name"
    return None


def _thread_left() -> str | None:
    left = [thread.name for thread in threading.enumerate() if not thread.daemon]
    left.remove(threading.main_thread().name)
    if not left:
        return None
    return f"it leaves a thread running ({left[0]!r}) → start it in `fit` or `load`"


def _exit_with_stack(code: int) -> None:
    """End as `os._exit` does, but say first from where."""
    with suppress(BaseException):
        traceback.print_stack(sys._getframe(1))
        sys.stderr.flush()
    _exit(code)


def _end_with_parent() -> None:
    os.read(0, 1)  # returns when the parent's end of it closes
    os.killpg(os.getpgrp(), signal.SIGKILL)


if __name__ == "__main__":
    main(*sys.argv[1:])
