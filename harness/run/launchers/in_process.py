"""Does each job in the interpreter that asks for it: for tests of logic, and for a debugger.

The same job, the same inputs, the same files, without the second or more that a fresh interpreter
takes. Nothing is isolated, so no measured run uses it.
"""

from __future__ import annotations

import os
import random
import signal
import sys
import time
import traceback
from collections.abc import Callable, Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import partial
from pathlib import Path

from harness.files.atomic import atomic_write
from harness.files.python_file import imported_anew
from harness.machine.describe import this_machine
from harness.run.job import JOB, PRINTED, RESULT, Inputs, Job, Workspace
from harness.run.launchers.base import (
    Begun,
    Tick,
    clear,
    environment_of,
    handed_over,
    placed,
    silent_end,
    taken_account,
    unheard,
)
from harness.run.worker.measure import Ruler
from harness.run.worker.process import work
from harness.store.records import WorkerResult


class InProcessLauncher:
    """A `Launcher` without processes: see `Launcher.isolated` for what that means.

    What a job writes past Python's own streams, to the descriptors 1 and 2, is not caught. One job
    at a time: the working directory and the environment are the whole interpreter's.

    Args:
        root: the folder that jobs' paths start from.
        tick: called once, before a job begins.
    """

    isolated = False
    slots = 1

    def __init__(self, root: Path, tick: Tick = lambda: None):
        self.root = root.resolve()
        self.tick = tick

    def run(self, job: Job, inputs: Inputs, begun: Begun = unheard) -> WorkerResult:
        """Do a job here and now."""
        begun(None)
        with handed_over(inputs) as folder:
            workspace = Workspace(job, self.root, folder)
            atomic_write(workspace.folder / JOB, job.model_dump_json(indent=1))
            (workspace.folder / RESULT).unlink(missing_ok=True)
            self.tick()
            with (
                (workspace.folder / PRINTED).open("w", encoding="utf-8") as printed,
                redirect_stdout(printed),
                redirect_stderr(printed),
                _as_it_was(),
            ):
                allowed = environment_of(job)
                os.environ.clear()
                os.environ.update(allowed)
                ending = _ending(workspace)
            clear(workspace.folder / PRINTED, job)
            result = taken_account(workspace) or silent_end(ending, workspace.folder / PRINTED)
            return placed(result, job, this_machine(job.device))

    def close(self) -> None:
        """Nothing is held from one job to the next."""


def _ending(workspace: Workspace) -> str:
    """Do a job; return how its process would have ended."""
    os.chdir(workspace.inputs)
    ruler = Ruler(alone=False)
    ruler.record_start(time.monotonic())
    try:
        # As a fresh interpreter does, from the file: what is not in there is not known.
        job = Job.model_validate_json((workspace.folder / JOB).read_text(encoding="utf-8"))
        work(Workspace(job, workspace.root, workspace.inputs), ruler)
    except SystemExit as leaving:
        if not isinstance(leaving.code, int | None):
            print(leaving.code, file=sys.stderr)
            return "exit code 1"
        return f"exit code {leaving.code or 0}"
    except KeyboardInterrupt:
        raise
    except BaseException:
        traceback.print_exc()
        return "exit code 1"
    return "exit code 0"


@contextmanager
def _as_it_was() -> Iterator[None]:
    """Put back what a job may change in an interpreter, and have it know of no earlier job."""
    folder, environment = Path.cwd(), dict(os.environ)
    handlers = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    put_back = list(_random_states())
    if lm := sys.modules.get("harness.lm"):
        lm.forget_loaded_models()
    try:
        with imported_anew():
            yield
    finally:
        os.chdir(folder)
        os.environ.clear()
        os.environ.update(environment)
        for number, handler in handlers.items():
            if signal.getsignal(number) is not handler:
                signal.signal(number, handler)
        for one in put_back:
            one()


def _random_states() -> Iterator[Callable[[], object]]:
    """Yield what puts each library's random numbers back where they are now."""
    yield partial(random.setstate, random.getstate())
    if numpy := sys.modules.get("numpy"):
        yield partial(numpy.random.set_state, numpy.random.get_state())
    if torch := sys.modules.get("torch"):
        yield partial(torch.set_rng_state, torch.get_rng_state())
