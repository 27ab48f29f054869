"""Whether a file is what was recorded of it, by its hash.

A large file's hash takes time: it is taken where nothing is measured, and remembered while this
process lives and the file keeps its place, size and time. Knows no file by name.
"""

from __future__ import annotations

import os
import stat
import time
from pathlib import Path

from harness.files.hashing import sha256_of, sha256_of_file

SETTLED_S = 2.0
"""A hash is remembered of files that were left alone for so long: one that changes twice within a
file system's tick would keep its time."""
_known: dict[tuple[str, int, int, int], str] = {}


def sha256_now(path: Path) -> str | None:
    """Return the hash of a file's bytes; None where there is no regular file or none to read."""
    try:
        found = path.stat()
        if not stat.S_ISREG(found.st_mode):
            return None
        key = (str(path.absolute()), found.st_ino, found.st_size, found.st_mtime_ns)
        if key in _known:
            return _known[key]
        sha256 = sha256_of_file(path)
    except OSError:
        return None
    if time.time() - found.st_mtime > SETTLED_S:
        _known[key] = sha256
    return sha256


def folder_sha256(folder: Path) -> str | None:
    """Return a hash over all files below a folder by their names; None where it is no folder.

    A link to a file counts as the file; one to a folder, and what is neither file nor folder, by
    where it points and what it is.
    """
    if not folder.is_dir():
        return None
    rows = []
    for place, folders, files in os.walk(folder):
        for name in (*folders, *files):
            path = Path(place) / name
            link = os.readlink(path) if path.is_symlink() else None
            if path.is_dir():
                content = None if link is None else f"link to {link}"
            else:
                content = sha256_now(path) or f"no file ({link})"
            rows.append([path.relative_to(folder).as_posix(), content])
    return sha256_of(sorted(rows))


def is_sound(artifact: Path, sha256: str | None) -> bool:
    """Tell whether an artifact is what was recorded of it, or is not there at all.

    Args:
        artifact: its folder.
        sha256: on record; None: an earlier version wrote the record.
    """
    there = artifact.exists() or artifact.is_symlink()
    return not there or sha256 is None or folder_sha256(artifact) == sha256


def is_as_recorded(path: Path, sha256: str | None) -> bool:
    """Tell whether a file is what was recorded of it; one of which nothing was must only be there.

    Args:
        path: the file.
        sha256: on record; None: an earlier version wrote the record.
    """
    return path.is_file() if sha256 is None else sha256_now(path) == sha256
