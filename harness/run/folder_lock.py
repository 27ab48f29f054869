"""Keeps a run folder in order: one run at a time, one task a folder, no large leftovers."""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil
from filelock import FileLock, Timeout

from harness.errors import RunFolderError
from harness.files.refusals import is_refusal, says_full, words_of
from harness.files.removal import remove
from harness.store.run_folder import ROOMS, RunFolder, folder_bytes

LARGE_ARTIFACT_BYTES = 256 * 2**20
"""Larger artifacts are kept for the chosen arm only; the size of the others is on record."""
END_S = 20.0
"""For what a killed run has left to end: its workers are killed, but hold the lock until then."""
UNNAMED = "another process"
FREED = "free some space there, then run again"


@contextmanager
def opened(path: Path, task_name: str, fresh: bool) -> Iterator[RunFolder]:
    """Lock a run folder for one task; nobody else can run in it meanwhile.

    The system lets go of the lock when its process ends, however it ends.

    Args:
        path: the folder; made if it does not exist.
        task_name: the task that runs.
        fresh: forget everything that was run there before.

    Raises:
        RunFolderError: another process runs there, or another task has; it cannot be written to,
            or its disk is full.
    """
    folder = RunFolder(path)
    # A kept file may name its holder; a file system without locks is refused, not trusted.
    lock = FileLock(folder.lock, timeout=0, preserve_lock_file=True)
    try:
        path.mkdir(parents=True, exist_ok=True)
        if not os.access(path, os.W_OK | os.X_OK):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES))
        _acquire(lock, folder.lock)
    except Timeout:
        fix = "wait for it, or choose another --out"
        raise RunFolderError(f"{path} is in use by {_holder(folder.lock)} → {fix}") from None
    except (OSError, NotImplementedError) as problem:
        if folder.lock.is_dir() or folder.lock.is_symlink():
            what = f"{folder.lock} is not a file"
            raise RunFolderError(f"{what} → take it away, then run again") from None
        why = getattr(problem, "strerror", None) or str(problem)
        raise RunFolderError(
            f"{path} cannot be a run folder ({why}) → choose another --out"
        ) from None
    _HELD.append(folder.lock.resolve())
    try:
        folder.lock.write_text(f"process {os.getpid()}")
        folder.check_places()
        _check_task(folder, task_name, fresh)
        if fresh:
            _forget(folder)
        yield folder
    except OSError as problem:
        if not is_refusal(problem) or not _is_inside(problem, path):
            raise
        said = words_of(problem, FREED if says_full(problem) else "")
        raise RunFolderError(f"{said}; what finished is kept") from problem
    finally:
        _HELD.remove(folder.lock.resolve())
        lock.release()


@contextmanager
def undisturbed(path: Path) -> Iterator[None]:
    """Keep runs out of a run folder while it is read; where it cannot be written to, none is there.

    Raises:
        RunFolderError: one is running there.
    """
    file = RunFolder(path).lock
    lock = FileLock(file, timeout=0, preserve_lock_file=True)
    if file.is_file() and os.access(file, os.W_OK):
        try:
            _acquire(lock, file)
        except Timeout:
            fix = "wait until it has ended"
            raise RunFolderError(f"{path} is in use by {_holder(file)} → {fix}") from None
        except (OSError, NotImplementedError):
            pass  # a file system without locks holds no run either
    try:
        yield
    finally:
        lock.release()


_HELD: list[Path] = []
"""Locks of run folders that this process holds."""


def lock_descriptors() -> list[int]:
    """Return the open files by which this process holds locks of run folders (none off Linux).

    Another process that has them too holds the locks with this one, and when this one is gone.
    """
    found = []
    with suppress(OSError):
        for number in map(int, os.listdir("/proc/self/fd")):
            with suppress(OSError):
                if Path(os.readlink(f"/proc/self/fd/{number}")) in _HELD:
                    found.append(number)
    return found


def _acquire(lock: FileLock, file: Path) -> None:
    """Take a lock; wait for it only where its holder is dead and what it left is ending.

    Raises:
        Timeout: another process holds it.
    """
    try:
        lock.acquire()
    except Timeout:
        if not file.read_text().strip() or _holder(file) != UNNAMED:
            raise
        lock.acquire(timeout=END_S)


def _holder(file: Path) -> str:
    """Return which process holds a lock, as a run names itself in it; who only reads does not."""
    said = file.read_text().strip()
    pid = said.rpartition(" ")[2]
    return UNNAMED if pid.isdecimal() and not psutil.pid_exists(int(pid)) else said or UNNAMED


def _is_inside(problem: OSError, path: Path) -> bool:
    return isinstance(problem.filename, str) and Path(problem.filename).is_relative_to(path)


def _forget(folder: RunFolder) -> None:
    """Delete all that was run in a folder; the records, which name its task, go last."""
    rooms = (folder.path / name for name in ROOMS)
    reports = (folder.comparison, folder.report_md, folder.report_html, folder.row_scores)
    for place in (
        *rooms,
        folder.splits,
        folder.truth,
        folder.documents,
        folder.own_worths,
        *reports,
    ):
        remove(place)
    folder.forget_records()


def drop_large_artifacts(folder: RunFolder, keep: Collection[str]) -> list[str]:
    """Delete the large artifacts of all arms but those to keep; return the arms that lost theirs.

    Args:
        folder: of the run.
        keep: the chosen arm, and those that were named to be run: whoever names one can have its
            artifact made again and keep it.
    """
    dropped = []
    for artifact in sorted(folder.path.glob("trials/*/*/artifact")):
        arm = artifact.parent.parent.name
        if arm not in keep and folder_bytes(artifact) > LARGE_ARTIFACT_BYTES:
            remove(artifact)
            dropped.append(arm)
    return dropped


def _check_task(folder: RunFolder, task_name: str, fresh: bool) -> None:
    """Check that a folder is new, or holds runs of this task.

    Raises:
        RunFolderError: it holds something else.
    """
    others = [p for p in folder.path.iterdir() if p.name not in (".lock", "records.jsonl", *ROOMS)]
    if not folder.holds_records():
        if folder.records.is_file():
            others += [folder.records]  # there is a file of that name, and nothing of ours in it
        if others and not fresh:
            raise RunFolderError(
                f"{folder.path} holds other files ({others[0].name}, …) → choose another --out"
            )
        return
    known = folder.task_name()
    if known not in (None, task_name):
        raise RunFolderError(
            f"{folder.path} holds runs of the task '{known}', not '{task_name}'"
            " → choose another --out"
        )
