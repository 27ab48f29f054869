"""Reads the rows that a task names: a file, several, all that a pattern fits, a set of the hub.

Knows how sources are written; what a file is read by stands in `row_file.py`.
"""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Iterator, Sequence
from pathlib import Path

from harness.errors import Fault
from harness.task.rows.hub import HubRef, hub_rows
from harness.task.rows.reading import Reading
from harness.task.rows.row import Row
from harness.task.rows.row_file import is_rows_file, read_rows, rows_of

Source = str | HubRef
MOST_FILES = 1000
"""That a pattern may fit."""
LIST_THEM = "write a list of paths, each with a pattern in the file's name at most"


def read_sources(
    sources: Sequence[Source], folder: Path, faults: list[Fault], reading: Reading
) -> list[Row]:
    """Read the rows of sources, one after the other.

    Args:
        sources: paths from `folder`, patterns of file names (`part-*.jsonl`), sets of the hub.
        folder: of the task; no link below it may leave it.
        faults: receives what is wrong.
        reading: how files are read; receives what is worth saying of them.
    """
    rows: list[Row] = []
    for source in sources:
        if isinstance(source, HubRef):
            rows += rows_of(hub_rows(source, reading, faults), str(source), reading, faults)
            continue
        for file in files_of(source, folder, faults):
            rows += read_rows(file, faults, folder, reading)
    return rows


def files_of(source: str, folder: Path, faults: list[Fault]) -> Iterator[Path]:
    """Yield the files that a path or a pattern names, those of a pattern in the order of names.

    The order is a person's: part-2 before part-10.
    """
    path = folder / source
    if not re.search(r"[*?\[]", source) or _exists(path):
        yield path
        return
    if re.search(r"[*?\[]", str(path.parent)):
        faults.append(Fault(str(path), "a pattern stands in the name of a folder", LIST_THEM))
        return
    try:
        names = [file.name for file in path.parent.iterdir()]
    except OSError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}", "name a folder"))
        return
    fitting = sorted((n for n in names if fnmatch.fnmatchcase(n, path.name)), key=_in_order)
    if not fitting:
        near = ", ".join(sorted(n for n in names if is_rows_file(Path(n)))[:10]) or "none"
        faults.append(Fault(str(path), f"no file fits this pattern; files of rows there: {near}"))
    if len(fitting) > MOST_FILES:
        what = f"{len(fitting):,} files fit this pattern, more than {MOST_FILES:,}"
        faults.append(Fault(str(path), what, "put them together"))
        return
    yield from (path.parent / name for name in fitting)


def _exists(path: Path) -> bool:
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def _in_order(name: str) -> list[tuple[int, str]]:
    return [
        (int(part), "") if part.isdecimal() and len(part) < 20 else (-1, part)
        for part in re.split(r"(\d+)", name)
    ]
