"""Reads rows from files of JSON and of delimited text; every fault carries its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import Fault, unknown_name
from harness.files.bounded import (
    MIB,
    RefusedFileError,
    check_links,
    check_regular,
    has_short_lines,
    read_bounded,
)
from harness.files.yaml_source import not_utf8
from harness.task.rows.delimited import csv_rows
from harness.task.rows.json_rows import json_rows
from harness.task.rows.row import Row
from harness.wording.values import nfc

Reader = Callable[[str, str, list[Fault]], Iterator[tuple[int, Mapping[str, Any]]]]
FORMATS: Mapping[str, Reader] = {
    ".jsonl": json_rows,
    ".json": json_rows,
    ".csv": csv_rows,
    ".tsv": csv_rows,
}
"""What reads a file of rows, by its ending in lower case."""


class _Names(dict[str, str]):
    """Names of columns in form C: one text of each for all rows, where JSON has one a row."""

    def __missing__(self, column: str) -> str:
        """Return the form C of a name that was not met before, and keep it."""
        return self.setdefault(column, nfc(column))


MOST_BYTES = 1024 * MIB
"""Of a file of rows, all of which are held in memory."""
LONGEST_LINE = 64 * MIB
"""Bytes of a line; a file may have all its rows on one, in one JSON array."""
LONGEST_TEXT = 16 * MIB
"""Characters of one text of a row."""


def read_rows(path: Path, faults: list[Fault], within: Path | None = None) -> list[Row]:
    """Read all rows of a file of one of the formats `FORMATS`.

    Args:
        path: the file.
        faults: receives what is wrong.
        within: a folder that no link may leave which lies in it.
    """
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        known = f"use {', '.join(FORMATS)}"
        faults.append(Fault(str(path), f"'{path.suffix}' is not a known format", known))
        return []
    try:
        text = _text(path, within)
    except RefusedFileError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}", problem.fix))
        return []
    except OSError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}", _nearby(path)))
        return []
    except UnicodeDecodeError as problem:
        faults.append(not_utf8(path, problem))
        return []
    except ValueError as problem:  # a path with a NUL in it
        faults.append(Fault(ascii(str(path)), f"is not a path: {problem}", "name a file"))
        return []
    wrong = len(faults)
    file, names = str(path), _Names()
    rows = [
        Row(file, line, {names[column]: value for column, value in values.items()})
        for line, values in reader(text, file, faults)
    ]
    faults.extend(_too_long(rows))
    if not rows and len(faults) == wrong:
        faults.append(Fault(str(path), "has no rows", "add rows"))
    return rows


def _text(path: Path, within: Path | None) -> str:
    """Return what stands in a file, once nothing in it is longer than memory allows."""
    if within is not None:
        check_links(path, within)
    check_regular(path)
    if not has_short_lines(path, LONGEST_LINE):
        why = f"it has a line of more than {LONGEST_LINE // MIB} MiB"
        raise RefusedFileError(path, why, "write one row a line")
    return read_bounded(path, MOST_BYTES).decode("utf-8-sig")


def _too_long(rows: list[Row]) -> Iterator[Fault]:
    for row in rows:
        for column, value in row.values.items():
            if isinstance(value, str) and len(value) > LONGEST_TEXT:
                what = f"'{column}' has {len(value):,} characters, more than {LONGEST_TEXT:,}"
                yield Fault(row.where, what, "cut the text, or leave out the row")


def _nearby(path: Path) -> str:
    """Return what to write for a file that is not there: the names of those that are."""
    if not path.parent.is_dir():
        return "paths start from the task file's folder"
    names = [file.name for file in path.parent.iterdir() if file.suffix.lower() in FORMATS]
    return unknown_name("file there", path.name, names)
