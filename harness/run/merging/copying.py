"""Copies what lies in one folder of a run, and nothing that lies elsewhere.

Links to files within the run folder become files, and links to folders stay where they point within
what is copied; any other link, and what is neither file nor folder, is refused. Knows no records.
"""

from __future__ import annotations

import os
import shutil
import stat
from collections.abc import Collection, Iterator
from pathlib import Path

from harness.errors import RunFolderError


def entries(
    place: Path, root: Path, without: Collection[str] = ()
) -> Iterator[tuple[Path, str | None]]:
    """Yield a file or a folder and all below it, folders first, each with where a link points.

    Args:
        place: the file or folder.
        root: the run folder that nothing may lead out of.
        without: names in the folder that are left out.

    Raises:
        RunFolderError: something leads elsewhere, or is neither file nor folder.
    """
    whole = root.resolve()
    if not place.resolve().is_relative_to(whole):
        raise RunFolderError(_leads_out(place, root))
    if not place.is_dir():
        _check_file(place, root)
        yield place, None
        return
    yield place, None
    for name in sorted(os.listdir(place)):
        if name not in without:
            yield from _entry(place / name, place, root)


def _entry(path: Path, unit: Path, root: Path) -> Iterator[tuple[Path, str | None]]:
    """Yield what lies at a path, and below it."""
    if not path.is_symlink():
        if not path.is_dir():
            _check_file(path, root)
            yield path, None
            return
        yield path, None
        for name in sorted(os.listdir(path)):
            yield from _entry(path / name, unit, root)
        return
    link, end = os.readlink(path), path.resolve()
    if not end.is_relative_to(root.resolve()):
        raise RunFolderError(_leads_out(path, root))
    if not path.is_dir():
        _check_file(end, root)
        yield path, None
    elif os.path.isabs(link) or not end.is_relative_to(unit.resolve()):
        fix = "put the folder in its place"
        raise RunFolderError(f"{path} is a link to a folder elsewhere ({link}) → {fix}")
    else:
        yield path, link


def _leads_out(path: Path, root: Path) -> str:
    return f"{path} leads out of {root} → take the link away, or put what it points to in its place"


def _check_file(path: Path, root: Path) -> None:
    try:
        mode = os.stat(path).st_mode
    except OSError as problem:
        why = problem.strerror
        raise RunFolderError(f"{path} cannot be read ({why}) → take it out of {root}") from None
    if not os.access(path, os.R_OK):
        raise RunFolderError(f"{path} cannot be read → have it made readable for you")
    if not stat.S_ISREG(mode):
        raise RunFolderError(f"{path} is neither file nor folder → take it out of {root}")


def copied(place: Path, to: Path, root: Path, without: Collection[str] = ()) -> None:
    """Copy a file or a folder; what stands at its new place already stays.

    Args:
        place: the file or folder.
        to: where it goes; folders above it are made.
        root: as `entries` takes it, like the next.
        without: names in the folder that are left out.
    """
    to.parent.mkdir(parents=True, exist_ok=True)
    for path, link in entries(place, root, without):
        there = to / path.relative_to(place)
        if link is not None:
            if not there.is_symlink():
                there.symlink_to(link)
        elif path.is_dir():
            there.mkdir(exist_ok=True)
        elif not there.exists():
            shutil.copyfile(path, there)
