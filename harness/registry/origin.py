"""Whose code a reference to a strategy leads to, told without running any of it.

Ours comes with the harness; other code is a file that a task names, or an installed package. Knows
which of them are named by texts, not what they are.
"""

from __future__ import annotations

import re
import sysconfig
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib import metadata
from importlib.machinery import PathFinder
from pathlib import Path
from typing import Any

from harness.files.hashing import sha256_of, sha256_of_file
from harness.files.python_file import names_file, path_of
from harness.files.reached_code import reached, sha256_of_code
from harness.registry.lookup import GROUP
from harness.registry.source import (
    EVERYTHING,
    FILE,
    LEADS_ANYWHERE,
    holders_of,
    place_in_harness,
    place_of,
    room_of,
    version_of,
)

OURS = frozenset(["harness", "strategies"])
"""Packages of this distribution that hold strategies."""
MODULE = re.compile(r"[A-Za-z_][\w.]*:[A-Za-z_]\w*")


@dataclass(frozen=True)
class Origin:
    """Where somebody else's code lies: in a file, or in an installed package."""

    shown: str
    """As a line names it: the file as the task names it, or the package."""
    file: Path | None = None
    module: str = ""
    """Dotted name, where it is no file."""


def origin_of(reference: str, base: Path) -> Origin | None:
    """Return where code of somebody else's lies that a text names; None: it names none."""
    if names_file(reference):
        file = path_of(reference, base)
        return Origin(reference.rsplit(":", 1)[0], file) if file.is_file() else None
    if MODULE.fullmatch(reference):
        module = reference.split(":", maxsplit=1)[0]
    else:
        module = _entry_points().get(reference, "")
    top = module.split(".")[0]
    if not top or top in OURS or not _is_there(top):
        return None
    return Origin(f"the package {top}", None, module)


def origins_in(value: Any, base: Path) -> Iterator[Origin]:
    """Yield where all code of somebody else's lies that a value of JSON names in any text."""
    if isinstance(value, str):
        if (found := origin_of(value, base)) is not None:
            yield found
    elif isinstance(value, Mapping | list | tuple):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from origins_in(one, base)


def code_sha256(origins: Iterable[Origin]) -> str | None:
    """Hash the code at some places, with all that it reaches and no version pins.

    Returns:
        None where that cannot be told.
    """
    counted: list[Any] = [sysconfig.get_python_version(), _installed_at()]
    for origin in origins:
        top = origin.module.split(".")[0]
        own = {FILE: origin.file} if origin.file else {}
        start = FILE if origin.file else origin.module

        def place(name: str, own: Mapping[str, Path | None] = own) -> Path | None:
            return own.get(name) or place_of(name)

        reach = reached([start], place, room_of, "harness")
        if start not in reach.files:  # its version stands for it, if it has one
            versions = [version_of(name) for name in sorted(holders_of(top))]
            if not versions:
                return None
            counted.append([top, versions])
            continue
        rooms = reach.rooms
        if reach.dynamic or rooms & LEADS_ANYWHERE:
            rooms = EVERYTHING
            around = reach.files[start].parent.glob("*.py")
            counted.append([sha256_of_file(file) for file in sorted(around)])
        counted.append({name: sha256_of_file(file) for name, file in reach.files.items()})
        counted.append({room: sha256_of_code(place_in_harness(room)) for room in sorted(rooms)})
    return sha256_of(counted)


@cache
def _entry_points() -> Mapping[str, str]:
    """Return the module that each installed name leads to."""
    return {point.name: point.module for point in metadata.entry_points(group=GROUP)}


@cache
def _is_there(top: str) -> bool:
    return PathFinder.find_spec(top) is not None


def _installed_at() -> list[int]:
    """Return when packages were last installed or removed."""
    folders = {sysconfig.get_path(name) for name in ("purelib", "platlib")}
    return [Path(folder).stat().st_mtime_ns for folder in sorted(folders) if Path(folder).is_dir()]
