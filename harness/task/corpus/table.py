"""Reads documents from rows: .jsonl and .csv files with `id`, `title`, `text` and `allow`."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from harness.errors import Fault, shown, unknown_name
from harness.task.rows import Row, as_text, read_rows
from harness.types import Document

ONE_TEXT = "write one text, or leave out the row"


def read_table(file: Path, name: str, faults: list[Fault]) -> list[tuple[str, Document]]:
    """Read a document from each row; only `text` is required.

    Args:
        file: a .jsonl or .csv file.
        name: a row without an id gets this name and the row's number.
        faults: receives everything that is wrong with a row.

    Returns:
        The place of each document, and the document. A `text` of null is an empty text.
    """
    documents = []
    for number, row in enumerate(read_rows(file, faults), start=1):
        row_faults: list[Fault] = []
        document = Document(
            _text(row, "id", row_faults) or f"{name}-{number}",
            _text(row, "title", row_faults),
            _text(row, "text", row_faults),
            _allow(row, file.suffix.lower() == ".csv", row_faults),
        )
        if "text" not in row.values:
            what = unknown_name("column", "text", row.values)
            row_faults.append(Fault(row.where, what, "call the column of documents' texts `text`"))
        faults += row_faults
        if not row_faults:
            documents.append((row.where, document))
    return documents


def _text(row: Row, column: str, faults: list[Fault]) -> str:
    value = row.values.get(column)
    text = "" if value is None else as_text(value)
    if text is None:
        faults.append(Fault(row.where, f"'{column}' must be a text, not {shown(value)}", ONE_TEXT))
    return text or ""


def _allow(row: Row, is_csv: bool, faults: list[Fault]) -> tuple[str, ...] | None:
    """Return the groups that may read a document; None means everybody, and is the default."""
    value: Any = row.values.get("allow")
    if is_csv:
        names = tuple(name.strip() for name in (value or "").split(";") if name.strip())
        return names or None
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value):
        return tuple(name.strip() for name in value)
    what = f"'allow' must be a list of texts, not {shown(value)}"
    faults.append(Fault(row.where, what, 'write e.g. ["staff"]; leave it out for everybody'))
    return None
