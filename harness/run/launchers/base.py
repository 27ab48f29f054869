"""What a launcher promises: it has one job done somewhere, and brings back what came of it.

Knows nothing of tasks, trials and records.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial, reduce
from pathlib import Path
from typing import Protocol

from pydantic import ValidationError

from harness.errors import shortened
from harness.files.atomic import atomic_file
from harness.files.refusals import no_room
from harness.files.temporary_folder import temporary_folder
from harness.machine.secrets import kept, values_of, without
from harness.run.job import RESULT, Inputs, Job, Workspace
from harness.store.machine import Hardware, Machine
from harness.store.records import Status, WorkerResult
from harness.store.run_folder import write_jsonl

Tick = Callable[[], None]
Begun = Callable[[str | None], None]
"""Told when a job has its place and begins: the name of its node, None: this machine."""
LAST_WORDS = 3
MOST_ACCOUNT = 1 << 26
"""Bytes of a worker's account."""
MOST_PRINTED = 1 << 20
"""Bytes of what a job printed that are kept, the first ones; the others are counted."""
MOST_ON_DISK = 1 << 26
"""Bytes of it that may lie on the disk while the job prints."""
MOST_LAST_WORDS = 500


def unheard(node: str | None) -> None:
    """Have nobody told that a job begins."""


class Launcher(Protocol):
    """Does the jobs of one root. The contract as a test: tests/support/launcher_contract.py.

    A launcher guarantees, wherever it works:

    - **What a job sees.** The job, its `folder` and `artifact`, the artifacts of `finished`, and a
      folder of its own with its inputs, which is its working directory. No input lies in the root.
    - **What it does not see.** Of the environment's secrets it has those alone that
      `own_secrets` names (`harness/machine/secrets.py`), and these stand neither in its account
      nor in what it printed.
    - **What survives.** What the job left in its folder and under its artifact is below the root
      when `run` returns, with the job itself (`JOB`) and all it printed (`PRINTED`). Its inputs are
      gone, and nothing that it started lives on.
    - **How it ends.** `run` returns an account whatever happens: the worker's own, or one in its
      place that says why there is none, with what it ran on (`hardware`). It raises nothing that
      the job raised. An account that lay there before is never taken for the job's.
    - **Who runs beside it.** Up to `slots` jobs at once; one that is measured (`Job.alone`) has its
      machine to itself, and waits until it has. When the waiting is over `begun` is called, and
      again where a job is begun again on another node.
    - **Interrupted** (KeyboardInterrupt, from the caller, `tick` or `begun`), it stops the job,
      takes the inputs away and passes the interrupt on. What the job wrote until then stays.
    """

    isolated: bool
    """Whether each job has a fresh interpreter to itself. Then its figures are of nothing else, a
    crash ends it alone, and it is stopped at its limits: `timeout`, or `out_of_memory` at more than
    `memory_bytes`. Otherwise limits are not enforced, memory is not measured, and what the job
    changed in the interpreter is put back: working directory, environment, standard streams, signal
    handlers, random states and modules of the user's own files."""
    slots: int
    """Jobs that may be run at the same time, each from a thread of the caller's."""

    def run(self, job: Job, inputs: Inputs, begun: Begun = unheard) -> WorkerResult:
        """Have a job done.

        Args:
            job: what to do. Its folder exists; the artifact too, which a fit finds empty.
            inputs: the rows that it may see.
            begun: told when it begins, from the thread that called.

        Returns:
            How it went and what it took.
        """

    def close(self) -> None:
        """Give back what it holds: there are no more jobs."""


NewLauncher = Callable[[Path, Tick], Launcher]
"""Makes the launcher of a root, which may call its second argument about twice a second, from the
threads that run jobs."""


def placed(
    result: WorkerResult, job: Job, machine: Machine, neighbours: int = 0, share: float = 1.0
) -> WorkerResult:
    """Return an account with what the job ran on (see `Hardware`)."""
    on = Hardware(
        machine=machine, device=job.device, dtype=job.dtype, neighbours=neighbours, share=share
    )
    return result.model_copy(update={"hardware": on})


@contextmanager
def handed_over(inputs: Inputs) -> Iterator[Path]:
    """Lay inputs down in a temporary folder, and take them away in the end."""
    with temporary_folder() as folder:
        for name, rows in inputs.items():
            write_jsonl(folder / f"{name}.jsonl", rows)
        yield folder


def taken_account(workspace: Workspace) -> WorkerResult | None:
    """Return the worker's own account, taking it away; None if it left none.

    One that says what cannot be, such as a negative time, is a failed one.
    """
    path = workspace.folder / RESULT
    if not path.exists() and not path.is_symlink():
        return None
    result = _read(path)
    with suppress(OSError):
        path.unlink()
    for key in _keys(workspace.job):
        error = None if result.error is None else without(key, result.error)
        notes = tuple(
            note.model_copy(update={"text": without(key, note.text)}) for note in result.notes
        )
        result = result.model_copy(update={"error": error, "notes": notes})
    return result


def _read(account: Path) -> WorkerResult:
    found = os.lstat(account)
    if not stat.S_ISREG(found.st_mode) or found.st_size > MOST_ACCOUNT:
        return stopped("failed", "where the worker's account belongs, the code put something else")
    try:
        return WorkerResult.model_validate_json(account.read_bytes())
    except ValidationError as problem:
        error = problem.errors()[0]
        field = ".".join(map(str, error["loc"]))
        return stopped("failed", f"the worker's account cannot be read ({field}: {error['msg']})")


def cut(printed: Path, beyond: int = MOST_PRINTED) -> int:
    """Cut what a job printed to `MOST_PRINTED`, now or while it prints.

    A writer that appends goes on at the new end. What it writes at that moment may go uncounted.

    Args:
        printed: the file.
        beyond: size up to which nothing is cut.

    Returns:
        How many bytes are gone.
    """
    size = printed.stat().st_size
    if size <= beyond:
        return 0
    os.truncate(printed, MOST_PRINTED)
    return size - MOST_PRINTED


def environment_of(job: Job) -> dict[str, str]:
    """Return this process's environment without the secrets that a job is not to have."""
    return kept(os.environ, job.own_secrets, job.other_secrets)


def clear(printed: Path, job: Job) -> None:
    """Take a job's own secrets out of all that it printed."""
    keys = _keys(job)
    opened = partial(open, encoding="utf-8", errors="surrogateescape", newline="")
    with opened(printed) as lines:
        if not any(without(key, line) != line for line in lines for key in keys):
            return
    with atomic_file(printed) as part, opened(printed) as lines, opened(part, "w") as cleared:
        for line in lines:
            cleared.write(reduce(lambda text, key: without(key, text), keys, line))


def _keys(job: Job) -> list[str]:
    return values_of(os.environ, job.own_secrets)


def silent_end(ending: str, printed: Path) -> WorkerResult:
    """Return the account of a worker that gave none.

    Args:
        ending: how it ended: "exit code 7".
        printed: the file of all that it printed.
    """
    words = printed.read_text(encoding="utf-8", errors="replace").strip().splitlines()[-LAST_WORDS:]
    last = f"; its last words: {shortened(' / '.join(words), MOST_LAST_WORDS)}" if words else ""
    full = no_room(printed.parent)
    return stopped("failed", f"the worker ended with {ending} and no result{last}{full}")


def stopped(status: Status, error: str) -> WorkerResult:
    """Return an account in place of the worker's own."""
    return WorkerResult(status=status, error=error)
