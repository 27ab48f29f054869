"""Reads documents from files of rows with `id`, `title`, `text` and `allow`, or columns that stand
for these.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.errors import Fault, shown, unknown_name
from harness.task.rows import Reading, Row, as_text, read_rows
from harness.task.rows.content import ending_of
from harness.task.rows_schema import Documents
from harness.types import Document

LISTS = (".json", ".jsonl", ".ndjson")
"""Files that can write a list, so that a text for `allow` is a mistake."""
ONE_TEXT = "write one text, or leave out the row"


@dataclass(frozen=True)
class Table:
    """What documents' columns are called, and how their files are read."""

    names: Documents
    reading: Reading

    @property
    def columns(self) -> tuple[str, ...]:
        """All that may be named."""
        return (self.names.id, self.names.title, self.names.text, self.names.allow)


def read_table(
    file: Path, name: str, faults: list[Fault], table: Table | None = None
) -> list[tuple[str, Document]]:
    """Read a document from each row; only `text` is required.

    Args:
        file: of rows.
        name: a row without an id gets this name and the row's number.
        faults: receives everything that is wrong with a row.
        table: names of the columns, and how the file is read.

    Returns:
        The place of each document, and the document. A `text` of null is an empty text.
    """
    table = table or Table(Documents(file=str(file)), Reading())
    names = table.names
    reading = replace(table.reading, input=None, target=None, columns=table.columns)
    documents = []
    for number, row in enumerate(read_rows(file, faults, reading=reading), start=1):
        row_faults: list[Fault] = []
        document = Document(
            _text(row, names.id, row_faults) or f"{name}-{number}",
            _text(row, names.title, row_faults),
            _text(row, names.text, row_faults),
            _allow(row, names.allow, ending_of(file) not in LISTS, row_faults),
        )
        if names.text not in row.values:
            what = unknown_name("column", names.text, row.values)
            fix = f"write `corpus: {{file: {file.name}, text: COLUMN}}` under `data`"
            row_faults.append(Fault(row.where, what, fix))
        faults += row_faults
        if not row_faults:
            documents.append((row.where, document))
    for what in reading.findings():
        file_name, _, said = what.partition(": ")
        table.reading.say(file_name, said)
    return documents


def _text(row: Row, column: str, faults: list[Fault]) -> str:
    value = row.values.get(column)
    text = "" if value is None else as_text(value)
    if text is None:
        faults.append(Fault(row.where, f"'{column}' must be a text, not {shown(value)}", ONE_TEXT))
    return text or ""


def _allow(row: Row, column: str, may_be_text: bool, faults: list[Fault]) -> tuple[str, ...] | None:
    """Return the groups that may read a document; None means everybody, and is the default."""
    value: Any = row.values.get(column)
    if may_be_text and isinstance(value, str):
        names = tuple(name.strip() for name in value.split(";") if name.strip())
        return names or None
    if value is None:
        return None
    if isinstance(value, list) and all(isinstance(name, str) and name.strip() for name in value):
        return tuple(name.strip() for name in value)
    what = f"'{column}' must be a list of texts, not {shown(value)}"
    faults.append(Fault(row.where, what, 'write e.g. ["staff"]; leave it out for everybody'))
    return None
