"""A folder for what only a part of the work needs, gone when that part is over.

Its name says whose it is: the machine with its process namespace, its boot, the process and when
that began. What a killed process left is taken away by the next that makes one on that machine.
"""

from __future__ import annotations

import hashlib
import os
import platform
import re
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from harness.errors import UserError
from harness.files.refusals import TEMPORARY

NAME = re.compile(rf"{TEMPORARY}([0-9a-f]{{8}})-([0-9a-f]{{8}})-(\d+)-(\d+)-")
"""Machine, boot, process, and when it began in ticks since the boot."""


@contextmanager
def temporary_folder(within: Path | None = None) -> Iterator[Path]:
    """Make a new folder for temporary files, and take it away in the end.

    Args:
        within: where; None: where the system keeps temporary files.

    Raises:
        UserError: there is no place for temporary files at all.
    """
    place = within or temporary_place()
    remove_left(place)
    own = f"{TEMPORARY}{_machine()}-{_boot()}-{os.getpid()}-{_began(os.getpid()) or 0}-"
    with TemporaryDirectory(prefix=own, dir=place, ignore_cleanup_errors=True) as folder:
        yield Path(folder)


def temporary_place() -> Path:
    """Return the folder where the system keeps temporary files.

    Raises:
        UserError: there is none.
    """
    try:
        return Path(gettempdir())
    except FileNotFoundError as problem:
        raise UserError(
            f"temporary files can be written nowhere ({problem.strerror})"
            " → set TMPDIR to a folder that you may write to"
        ) from None


def remove_left(place: Path) -> None:
    """Remove the temporary folders in a place that processes of this machine left when they died.

    Those of another machine or container, which may share the place, stay: nobody here can tell
    whether their processes live. Off Linux nobody knows when a process began, and all stay.
    """
    if not Path("/proc/self/stat").exists():
        return
    for folder in place.glob(f"{TEMPORARY}*"):
        named = NAME.match(folder.name)
        if named is None or named[1] != _machine():
            continue
        if named[2] != _boot() or _began(int(named[3])) != int(named[4]):
            shutil.rmtree(folder, ignore_errors=True)


def _began(pid: int) -> int | None:
    """Return when a process began, in ticks since the boot (proc_pid_stat(5)); None: it is gone."""
    try:
        fields = Path(f"/proc/{pid}/stat").read_text(errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
    return None if fields[0] in "ZX" else int(fields[19])


@cache
def _machine() -> str:
    try:
        namespace = os.readlink("/proc/self/ns/pid")
    except OSError:
        namespace = ""
    return hashlib.sha256(f"{platform.node()} {namespace}".encode()).hexdigest()[:8]


@cache
def _boot() -> str:
    try:
        boot = Path("/proc/sys/kernel/random/boot_id").read_text()
    except OSError:
        boot = ""
    return hashlib.sha256(boot.encode()).hexdigest()[:8]
