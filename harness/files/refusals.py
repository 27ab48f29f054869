"""What the system refuses, in words: which place, why, and what to do about it.

A full disk, missing rights, a folder of somebody else's, too many open files: the fault of neither
the user's task nor the code. Knows the folders that every part may write to (the cache, the hub's,
the temporary one) and nothing of runs and models.
"""

from __future__ import annotations

import errno
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path

FULL = {errno.ENOSPC, errno.EDQUOT}
RIGHTS = {errno.EACCES, errno.EPERM, errno.EROFS}
LIMITS = {
    errno.EMFILE: "raise the limit of open files (ulimit -n)",
    errno.ENFILE: "close other programs: the system has no more open files to give",
    errno.EAGAIN: "raise the limit of processes (ulimit -u), or end other programs",
    errno.ENOMEM: "end other programs, or take a machine with more memory",
    errno.EFBIG: "raise the limit of a file's size (ulimit -f), or use another file system",
    errno.ENAMETOOLONG: "use a folder with a shorter path",
    errno.EIO: "look after the disk: it fails",
    errno.ESTALE: "mount the network file system again",
    errno.ENOLCK: "use a file system that has locks",
    errno.ENOSYS: "use a file system that has locks",
}
"""What lifts each of the system's limits."""
SAYS_FULL = ("no space left on device", "disk quota exceeded", "file write failed")
"""Words of libraries that keep no error number: Rust's (safetensors) and torch's `save`."""
TEMPORARY = "harness-"
"""Begins the names of our temporary folders."""
NEARLY_NOTHING = 2**20
"""Bytes; a folder with less room is named where the system did not say which disk is full."""


def is_refusal(problem: BaseException) -> bool:
    """Tell whether an exception is the system's refusal, rather than a mistake of the code."""
    return isinstance(problem, OSError) and problem.errno in FULL | RIGHTS | LIMITS.keys()


def says_full(problem: BaseException) -> bool:
    """Tell whether an exception says, with or without an error number, that a disk is full."""
    if isinstance(problem, OSError) and problem.errno is not None:
        return problem.errno in FULL
    return any(words in str(problem).lower() for words in SAYS_FULL)


def words_of(problem: Exception, fix: str = "", written: Sequence[Path] = ()) -> str:
    """Return a refusal in one line: the place, the system's words, and the remedy.

    Args:
        problem: what the system, or a library that was refused, raised.
        fix: what to do; by default what follows from the error and the place.
        written: folders that may have been written to, for an error that names none.
    """
    number = problem.errno if isinstance(problem, OSError) else None
    said = (problem.strerror if isinstance(problem, OSError) else None) or str(problem)
    place = _place(problem)
    if says_full(problem):
        if place is None:
            place = next((folder for folder in written if _free(folder) < NEARLY_NOTHING), None)
        room = f" ({_free(place) / 2**20:,.1f} MiB free there now)" if place else ""
        return f"{_named(place)}{said.strip()}{room} → {fix or _more_room(place)}"
    if not fix and number in RIGHTS:
        fix = f"have it made readable and writable for you{_elsewhere(place)}"
    fix = fix or LIMITS.get(number or 0, "")
    return f"{_named(place)}{said.strip()}" + (f" → {fix}" if fix else "")


@contextmanager
def named(path: Path, part: Path | None = None) -> Iterator[None]:
    """Have every error of the block name a path: one of writing does not say what was written.

    Args:
        path: what is named.
        part: a path that it is named in place of, which means nothing to a reader.
    """
    try:
        yield
    except OSError as problem:
        if problem.errno is not None and problem.filename in (None, str(part)):
            problem.filename = str(path)
        raise


def no_room(folder: Path) -> str:
    """Return a remark that the disk of a folder is full, where it is; else nothing."""
    if _free(folder) >= NEARLY_NOTHING:
        return ""
    left = _free(folder) / 2**20
    return f"; the disk is full: {left:.1f} MiB are free in {folder} → {_more_room(folder)}"


def hub_folder() -> Path:
    """Return where the model hub's client keeps what it fetched, by that client's own rule."""
    shared = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(os.environ.get("HF_HOME") or f"{shared}/huggingface".replace("~", _home(), 1))


def _home() -> str:
    return os.path.expanduser("~")  # "~" itself where there is none


def _place(problem: BaseException) -> Path | None:
    name = getattr(problem, "filename", None)
    return Path(os.fsdecode(name)) if isinstance(name, str | bytes) and name else None


def _named(place: Path | None) -> str:
    return f"{place}: " if place else ""


def _free(place: Path) -> float:
    """Return the bytes that are free on the disk of a place, whether or not it exists yet."""
    for folder in (place, *place.absolute().parents):
        with suppress(OSError):
            return shutil.disk_usage(folder).free
    return float("inf")


def _more_room(place: Path | None) -> str:
    return f"free some space there{_elsewhere(place)}" if place else "free some space on the disk"


def _elsewhere(place: Path | None) -> str:
    """Say which variable moves the folder that a place lies in, if one does."""
    if place is None:
        return ""
    variable = ""
    if place.absolute().is_relative_to(hub_folder().absolute()):
        variable = "HF_HOME"
    elif any(part.startswith(TEMPORARY) for part in place.parts):
        variable = "TMPDIR"
    return f", or set {variable} to a folder elsewhere" if variable else ""
