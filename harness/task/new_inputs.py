"""Reads new inputs to be answered: rows without targets, or one text a line.

Rows and their columns are read by what reads a task's rows: an input means the same in both.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from harness.errors import Fault, RunFolderError, TaskError
from harness.files.bounded import RefusedFileError
from harness.task.columns import reading_of
from harness.task.rows import KNOWN, Reading, Row, is_rows_file, read_rows
from harness.task.rows.content import content_of
from harness.task.rows.json_rows import json_rows
from harness.task.rows.row_file import rows_of, text_of
from harness.task.schema import Data
from harness.task.splits import new_queries
from harness.types import Query

STDIN = "standard input"


def read_inputs(
    file: Path | None, data: dict[str, Any], say: Callable[[str], object] = lambda said: None
) -> list[Query]:
    """Read inputs from a file of rows, or from a text file or standard input line by line.

    Who asks without a column of groups is of no group.

    Args:
        file: where they are; standard input if None.
        data: the `data` part of the task, for the names of columns.
        say: is told what was found of the file, e.g. its encoding and its delimiter.

    Raises:
        RunFolderError: `data` is not what any version wrote.
        TaskError: the file cannot be read, or a row is not what the task's rows are.
    """
    faults: list[Fault] = []
    try:
        columns = Data(**{key: data[key] for key in Data.model_fields if key in data})
    except (ValidationError, TypeError):
        raise RunFolderError("the task on record names no columns → run the task again") from None
    reading = reading_of(columns)
    if file is None or file.suffix.lower() == ".txt":
        rows = _lines(file, reading, faults)
    elif is_rows_file(file):
        rows = read_rows(file, faults, reading=reading)
    else:
        fix = f"{KNOWN}, or .txt with one text a line"
        rows, what = [], f"'{file.suffix}' is not a known format"
        faults.append(Fault(str(file), what, fix))
    queries = new_queries(rows, columns, faults)
    if faults:
        raise TaskError(faults)
    for found in reading.findings():
        say(found)
    return queries


def _lines(file: Path | None, reading: Reading, faults: list[Fault]) -> list[Row]:
    """Read a text from each line that is not blank; JSON objects, also in one array, are rows."""
    name = STDIN if file is None else str(file)
    text = _text(file, name, reading, faults)
    if text is None:
        return []
    if re.match(r"\s*\[\s*\{", text):  # one array of rows
        return rows_of(json_rows(text, name, reading, faults), name, reading, faults)
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    numbered = [(number, line) for number, line in enumerate(lines, start=1) if line.strip()]
    mistakes: list[Fault] = []
    found = {
        number: list(json_rows(line, f"{name}:{number}", reading, mistakes))
        for number, line in numbered
        if line.lstrip().startswith("{")
    }
    column = reading.input or "input"
    if not any(found.values()):
        return [Row(name, number, {column: line}) for number, line in numbered]

    # Where one line is a row, a line that begins like one and is none is a mistake, not a text.
    faults += [replace(fault, where=fault.where.removesuffix(":1")) for fault in mistakes]
    values = (
        (number, row)
        for number, line in numbered
        for _, row in found.get(number, [(1, {column: line})])
    )
    return rows_of(values, name, reading, faults)


def _text(file: Path | None, name: str, reading: Reading, faults: list[Fault]) -> str | None:
    try:
        content = _stdin() if file is None else content_of(file, None, is_text=True)
    except RefusedFileError as problem:
        faults.append(Fault(name, f"cannot be read: {problem.strerror}", problem.fix))
        return None
    except OSError as problem:
        faults.append(Fault(name, f"cannot be read: {problem.strerror}"))
        return None
    return content if isinstance(content, str) else text_of(content, name, reading, faults)


def _stdin() -> bytes | str:
    stream = getattr(sys.stdin, "buffer", None)  # what stands in for it may have no bytes
    return str(sys.stdin.read()) if stream is None else stream.read()
