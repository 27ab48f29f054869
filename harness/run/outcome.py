"""What a job left behind, looked at before anything is made of it.

A worker runs somebody else's code, which may write whatever it likes where its account, its answers
and its artifact are expected. An account that says "ok" over answers that are not there, are of
other rows or cannot be read is a failure with its reason; pipes, devices and links that lead out of
an artifact are taken for no artifact. Knows nothing of scores.
"""

from __future__ import annotations

import os
import stat
from collections.abc import Collection, Iterator
from contextlib import suppress
from math import isfinite
from pathlib import Path
from typing import Any

from harness.errors import shortened
from harness.files.hashing import sha256_of_file
from harness.run.job import WRITTEN, Job
from harness.store.predictions_file import each_prediction
from harness.store.records import Note, WorkerResult
from harness.store.run_folder import read_jsonl

MOST_NOTES = 100
"""Of one job that are kept; the others are counted."""
MOST_WORDS = 2000
"""Bytes of an error and of a note."""
KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


def examined(job: Job, root: Path, result: WorkerResult, asked: Collection[str]) -> WorkerResult:
    """Return an account that stands for what was left behind, with words of bounded length.

    Args:
        job: what was to be done.
        root: what its paths start from.
        result: the account.
        asked: ids of the rows that were to be answered, where it was about these.
    """
    result = _short(result)
    _sweep(root / job.folder)
    if result.status != "ok":
        return result
    try:
        problem = next(_problems(job, root, result, asked), None)
    except (OSError, ValueError, TypeError, KeyError, AttributeError, RecursionError) as unreadable:
        problem = f"what it left cannot be read ({type(unreadable).__name__}: {unreadable})"
    if problem is None:
        return result
    return result.model_copy(update={"status": "failed", "error": shortened(problem, MOST_WORDS)})


def _sweep(folder: Path) -> None:
    """Take pipes, devices and links out of a job's folder: who reads one may wait for ever."""
    with suppress(OSError):
        for entry in os.scandir(folder):
            if not entry.is_file(follow_symlinks=False) and not entry.is_dir(follow_symlinks=False):
                os.unlink(entry.path)


def _short(result: WorkerResult) -> WorkerResult:
    """Return an account whose words are bounded; what is more is counted."""
    notes = [
        note.model_copy(
            update={"kind": shortened(note.kind, 200), "text": shortened(note.text, MOST_WORDS)}
        )
        for note in result.notes[:MOST_NOTES]
    ]
    if (more := len(result.notes) - MOST_NOTES) > 0:
        notes.append(Note(kind="notes", text=f"{more} more notes are not kept"))
    error = None if result.error is None else shortened(result.error, MOST_WORDS)
    return result.model_copy(update={"notes": tuple(notes), "error": error})


def _problems(job: Job, root: Path, result: WorkerResult, asked: Collection[str]) -> Iterator[str]:
    """Yield why an account that says "ok" is not true."""
    phases = {measurement.phase for measurement in result.measurements}
    if job.kind == "fit":
        yield from _of_artifact(root / job.artifact)
        if "fit" not in phases:
            yield "its account says nothing of a fit: the code wrote it itself"
        return
    written = root / job.folder / WRITTEN[job.kind]
    if not _is_file(written):
        yield f"it left no {written.name}"
    if job.kind in ("serve", "floor"):
        yield from _of_answers(written, result, asked)
        if job.kind == "serve" and not {"load", "latency", "predict"} <= phases:
            yield "its account says nothing of serving: the code wrote it itself"
    elif job.kind == "likelihood":
        yield from _of_likelihoods(read_jsonl(written), asked)
    else:
        rows = read_jsonl(written)
        if not all(isinstance(row, dict) for row in rows):
            yield f"{written.name} holds something else than rows"


def _of_answers(written: Path, result: WorkerResult, asked: Collection[str]) -> Iterator[str]:
    if result.predictions_sha256 != sha256_of_file(written):
        yield f"{written.name} is not what its account says: it was changed afterwards"
    answered = set()
    for number, (row_id, _) in enumerate(each_prediction(written), start=1):
        answered.add(row_id)
        if len(answered) < number:
            yield f"{written.name} answers a row twice"
    if answered != set(asked):
        yield f"{written.name} does not hold one answer for each of {len(asked)} test rows"


def _of_likelihoods(rows: list[dict[str, Any]], asked: Collection[str]) -> Iterator[str]:
    found = {row["id"]: float(row["log_likelihood"]) for row in rows}
    if set(found) != set(asked) or not all(map(isfinite, found.values())):
        yield f"it did not leave one finite likelihood for each of {len(asked)} test rows"


def _of_artifact(artifact: Path) -> Iterator[str]:
    """Yield what is no artifact: nothing but files and folders can be loaded elsewhere."""
    if artifact.is_symlink() or not artifact.is_dir():
        yield "it took its artifact's folder away → write below it, and leave it where it is"
        return
    home = artifact.resolve()
    for folder, names, files in os.walk(artifact):
        for name in (*names, *files):
            path = Path(folder) / name
            kind = KINDS.get(stat.S_IFMT(os.lstat(path).st_mode))
            shown = path.relative_to(artifact)
            if kind is not None:
                yield f"its artifact holds {kind} ({shown}) → write plain files"
            elif path.is_symlink() and not _leads_into(path, home):
                yield f"its artifact holds a link that leads out of it ({shown}) → copy the file"


def _leads_into(link: Path, home: Path) -> bool:
    """Tell whether a link leads to a place below a folder; one that leads in a circle does not."""
    with suppress(OSError, RuntimeError):
        return link.resolve().is_relative_to(home)
    return False


def _is_file(path: Path) -> bool:
    """Tell whether a path is a plain file, and no link to one."""
    with suppress(OSError):
        return stat.S_ISREG(os.lstat(path).st_mode)
    return False
