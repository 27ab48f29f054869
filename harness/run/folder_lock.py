"""Custody of a run folder: one run at a time, one task a folder, no large leftovers."""

from __future__ import annotations

import fcntl
import json
import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from harness.errors import RunFolderError
from harness.store.run_folder import RunFolder, folder_bytes

LARGE_ARTIFACT_BYTES = 256 * 2**20
"""Artifacts above this are kept for the chosen arm only; of the rest the size is on record."""


@contextmanager
def opened(path: Path, task_name: str, fresh: bool) -> Iterator[RunFolder]:
    """Hold a run folder for one task; nobody else can run in it meanwhile.

    Args:
        path: the folder; made if it does not exist.
        task_name: the task that runs.
        fresh: forget everything that was run there before.

    Raises:
        RunFolderError: another process runs there, or another task has.
    """
    folder = RunFolder(path)
    try:
        path.mkdir(parents=True, exist_ok=True)
    except OSError as problem:
        what = f"{path} cannot be a run folder ({problem.strerror})"
        raise RunFolderError(f"{what} → choose another --out") from None
    with folder.lock.open("a+") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            lock.seek(0)
            holder = lock.read().strip() or "another process"
            fix = "wait for it, or choose another --out"
            raise RunFolderError(f"{path} is in use by {holder} → {fix}") from None
        lock.truncate(0)
        lock.write(f"process {os.getpid()}")
        lock.flush()
        _check_owner(folder, task_name)
        if fresh:
            for name in ("trials", "untuned"):
                shutil.rmtree(path / name, ignore_errors=True)
            reports = (folder.comparison, folder.report_md, folder.report_html)
            # Last what tells whose folder it is.
            for file in (folder.truth, folder.documents, *reports, folder.records):
                file.unlink(missing_ok=True)
        yield folder


def drop_large_artifacts(folder: RunFolder, keep: str | None) -> list[str]:
    """Delete large artifacts of all arms but `keep`; returns the arms that lost theirs."""
    dropped = []
    for artifact in sorted(folder.path.glob("trials/*/*/artifact")):
        arm = artifact.parent.parent.name
        if arm != keep and folder_bytes(artifact) > LARGE_ARTIFACT_BYTES:
            shutil.rmtree(artifact)
            dropped.append(arm)
    return dropped


def _check_owner(folder: RunFolder, task_name: str) -> None:
    strangers = [
        p
        for p in folder.path.iterdir()
        if p.name not in (".lock", "records.jsonl", "trials", "untuned")
    ]
    if not folder.records.is_file():
        if strangers:
            raise RunFolderError(
                f"{folder.path} holds other files ({strangers[0].name}, …) → choose another --out"
            )
        return
    try:
        owner = json.loads(folder.records.read_bytes().split(b"\n", 1)[0])["task"]["name"]
    except (ValueError, KeyError, TypeError):
        return  # damaged: reading it says so, unless --fresh does away with it
    if owner != task_name:
        raise RunFolderError(
            f"{folder.path} holds runs of the task '{owner}', not '{task_name}'"
            " → choose another --out"
        )
