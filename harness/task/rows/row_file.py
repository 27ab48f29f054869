"""Reads rows from a file of any format; every fault carries its file and line."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from harness.errors import Fault, unknown_name
from harness.files.bounded import MIB, RefusedFileError
from harness.task.rows.content import PACKED, content_of, ending_of
from harness.task.rows.delimited import csv_rows
from harness.task.rows.encoding import EncodingFault, decoded
from harness.task.rows.excel import excel_rows
from harness.task.rows.json_rows import json_rows
from harness.task.rows.parquet import parquet_rows
from harness.task.rows.paths import resolve
from harness.task.rows.reading import Reading
from harness.task.rows.row import Row
from harness.task.rows.shapes import (
    CHAT_COLUMNS,
    ShapeError,
    flatten_chat,
    is_article,
    questions_of,
)
from harness.wording.values import nfc

Found = Iterator[tuple[int, Mapping[str, Any]]]
TextReader = Callable[[str, str, Reading, list[Fault]], Found]
OF_TEXT: Mapping[str, TextReader] = {
    ".jsonl": json_rows,
    ".ndjson": json_rows,
    ".json": json_rows,
    ".csv": csv_rows,
    ".tsv": csv_rows,
}
OF_BYTES: Mapping[str, Callable[[bytes, str, Reading, list[Fault]], Found]] = {
    ".parquet": parquet_rows,
    ".xlsx": excel_rows,
}
FORMATS = (*OF_TEXT, *OF_BYTES)
"""Endings of files of rows, in lower case; each may be followed by .gz."""
KNOWN = f"use {', '.join(FORMATS)}, or one of these with {PACKED}"
OTHERWISE = {
    ".xls": "save it as .xlsx or as CSV UTF-8",
    ".ods": "save it as .xlsx or as CSV UTF-8",
    ".zip": "unpack it, and name the file in it",
    ".arrow": "write it as Parquet, e.g. with `to_parquet`",
    ".feather": "write it as Parquet, e.g. with `to_parquet`",
    ".pkl": "write it as Parquet, e.g. with `to_parquet`",
}
"""What to do with formats that are met and not read."""


class _Names(dict[str, str]):
    """Names of columns in form C: one text of each for all rows, where JSON has one a row."""

    def __missing__(self, column: str) -> str:
        """Return the form C of a name that was not met before, and keep it."""
        return self.setdefault(column, nfc(column))


LONGEST_TEXT = 16 * MIB
"""Characters of one text of a row."""


def is_rows_file(path: Path) -> bool:
    """Tell whether a file's name ends as those of rows do."""
    return ending_of(path) in FORMATS


def read_rows(
    path: Path, faults: list[Fault], within: Path | None = None, reading: Reading | None = None
) -> list[Row]:
    """Read all rows of a file of one of the formats `FORMATS`.

    Args:
        path: the file.
        faults: receives what is wrong.
        within: a folder that no link may leave which lies in it.
        reading: how it is to be read; receives what is worth saying of it.
    """
    reading, ending, wrong = reading or Reading(), ending_of(path), len(faults)
    if ending not in FORMATS:
        shown = path.suffix if ending in ("", path.suffix.lower()) else ending
        fix = OTHERWISE.get(ending, KNOWN)
        faults.append(Fault(str(path), f"'{shown}' is not a known format", fix))
        return []
    try:
        content = content_of(path, within, is_text=ending in OF_TEXT)
    except RefusedFileError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}", problem.fix))
        return []
    except OSError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}", _nearby(path)))
        return []
    except ValueError as problem:  # a path with a NUL in it
        faults.append(Fault(ascii(str(path)), f"is not a path: {problem}", "name a file"))
        return []
    if ending in OF_BYTES:
        found = OF_BYTES[ending](content, str(path), reading, faults)
    else:
        text = text_of(content, str(path), reading, faults)
        del content  # a gigabyte need not be held twice
        found = iter(()) if text is None else OF_TEXT[ending](text, str(path), reading, faults)
        del text
    rows = rows_of(found, str(path), reading, faults)
    if not rows and len(faults) == wrong:
        faults.append(Fault(str(path), "has no rows", "add rows"))
    return rows


def text_of(content: bytes, path: str, reading: Reading, faults: list[Fault]) -> str | None:
    """Return the text of a file's bytes, None with a fault where they are no text."""
    read = decoded(content, reading.encoding)
    if isinstance(read, EncodingFault):
        faults.append(Fault(f"{path}:{read.line}", read.what, read.fix))
        return None
    if read.found is not None:
        what = f"read as {read.found} (found; `read: {{encoding: …}}` under `data` names another)"
        reading.say(path, what)
    return read.text


def rows_of(found: Found, file: str, reading: Reading, faults: list[Fault]) -> list[Row]:
    """Return rows in one shape: names in form C, chats and articles flat, paths resolved."""
    names, paths = _Names(), reading.paths
    chats = {*CHAT_COLUMNS, reading.input or "", reading.target or ""}
    rows: list[Row] = []
    nested = 0
    for line, given in found:
        values = {names[column]: value for column, value in given.items()}
        if len(values) < len(given):
            faults.append(Fault(f"{file}:{line}", _same_name(given), "rename one, or remove it"))
            continue
        try:
            several = questions_of(values) if "paragraphs" in values and is_article(values) else ()
            for one in several or (values,):
                if paths:
                    resolve(one, paths)
                # Most rows hold no list at all: of a million rows it counts.
                if list in map(type, one.values()) and any(
                    type(one.get(name)) is list for name in chats
                ):
                    nested += flatten_chat(one, reading) > 0
                rows.append(Row(file, line, one))
        except ShapeError as problem:
            what = str(problem)
            faults.append(Fault(f"{file}:{line}", what, "correct it, or leave out the row"))
    if nested:
        more = "is a chat of several turns" if nested == 1 else "are chats of several turns"
        what = f"{nested:,} of {len(rows):,} rows {more}: the last answer is the target"
        reading.say(file, f"{what}, and what was said before it is the input")
    faults.extend(_too_long(rows))
    return rows


def _same_name(given: Mapping[str, Any]) -> str:
    """Return what is wrong of a row with two columns whose names differ in their encoding alone."""
    names = [nfc(column) for column in given]
    twice = next(name for at, name in enumerate(names) if name in names[:at])
    return f"the column '{twice}' stands twice, in two forms of Unicode"


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
    names = [file.name for file in path.parent.iterdir() if is_rows_file(file)]
    return unknown_name("file there", path.name, names)
