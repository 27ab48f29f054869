"""Reads new inputs to be answered: rows without targets."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from harness.errors import Fault, TaskError, UserError
from harness.task.row_files import Row, read_rows
from harness.task.splits import groups_of
from harness.types import Query


def read_inputs(file: Path | None, data: dict[str, Any]) -> list[Query]:
    """Read inputs: JSONL or CSV rows by the task's columns, else one text a line.

    Who asks without a column of groups is of no group.

    Args:
        file: where they are; standard input if None.
        data: the `data` part of the task, for the names of columns.

    Raises:
        UserError: the file cannot be read, or a row lacks a column.
    """
    faults: list[Fault] = []
    if file is not None and file.suffix in (".jsonl", ".csv"):
        rows = read_rows(file, faults)
    else:
        try:
            text = sys.stdin.read() if file is None else file.read_text(encoding="utf-8")
        except (OSError, UnicodeDecodeError) as problem:
            raise UserError(f"{file or 'standard input'} cannot be read: {problem}") from problem
        lines = [line for line in text.split("\n") if line.strip()]
        rows = [Row(f"line {i}", _line_values(line, data)) for i, line in enumerate(lines, start=1)]
    queries = []
    for number, row in enumerate(rows, start=1):
        missing = [c for c in (data["input"], *data["visible"]) if row.values.get(c) is None]
        faults += [Fault(row.where, f"there is no '{column}'") for column in missing]
        fields = {column: row.values.get(column) for column in data["visible"]}
        row_id = str(row.values.get(data["id"] or "id", number))
        groups = groups_of(row, data.get("groups"), faults)
        queries.append(Query(row_id, str(row.values.get(data["input"])), fields, groups))
    if faults:
        raise TaskError(faults)
    return queries


def _line_values(line: str, data: dict[str, Any]) -> dict[str, Any]:
    if line.lstrip().startswith("{"):
        try:
            values = json.loads(line)
        except ValueError:
            values = None
        if isinstance(values, dict):
            return values
    return {data["input"]: line}
