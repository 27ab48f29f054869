"""Reads rows from files of JSON and of delimited text; every fault carries its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from harness.errors import Fault, unknown_name
from harness.files.yaml_source import not_utf8
from harness.task.csv_rows import csv_rows
from harness.task.json_rows import json_rows
from harness.wording.values import nfc, value_text


@dataclass(frozen=True, slots=True)
class Row:
    """One raw row and where it stands; names of columns are in Unicode's form C."""

    file: str
    line: int
    values: dict[str, Any]

    @property
    def where(self) -> str:
        """Its place as faults have it."""
        return f"{self.file}:{self.line}"


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


def read_rows(path: Path, faults: list[Fault]) -> list[Row]:
    """Read all rows of a file of one of the formats `FORMATS`; add what is wrong to `faults`."""
    reader = FORMATS.get(path.suffix.lower())
    if reader is None:
        known = f"use {', '.join(FORMATS)}"
        faults.append(Fault(str(path), f"'{path.suffix}' is not a known format", known))
        return []
    try:
        text = path.read_bytes().decode("utf-8-sig")
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
    if not rows and len(faults) == wrong:
        faults.append(Fault(str(path), "has no rows", "add rows"))
    return rows


def _nearby(path: Path) -> str:
    """Return what to write for a file that is not there: the names of those that are."""
    if not path.parent.is_dir():
        return "paths start from the task file's folder"
    names = [file.name for file in path.parent.iterdir() if file.suffix.lower() in FORMATS]
    return unknown_name("file there", path.name, names)


def as_text(value: Any) -> str | None:
    """Return a text, a number or a boolean as its file writes it; None for anything else.

    JSON's true is the text "true", and 1.10 is "1.10".
    """
    if type(value) is str:  # nearly all are: of a million rows it counts
        return value
    if not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    return value_text(value)
