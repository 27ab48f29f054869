"""Reads rows from delimited text: commas, tabs, semicolons or bars between the cells.

The delimiter is the one that the task names, or that of Excel's `sep=` line, or the first of these
that the header and the rows after it hold alike; one that the file's ending does not say is told.
Names of columns are read without blanks around them; rows of empty cells, as
Excel leaves them, are none.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

from harness.errors import Fault
from harness.task.rows.content import ending_of
from harness.task.rows.reading import Reading
from harness.wording.values import nfc

DELIMITERS = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar"}
LONGEST_CELL = 16 * 2**20
"""Characters."""
MOST_COLUMNS = 1000
TRIED_ROWS = 20
"""Rows whose cells are counted to find the delimiter."""
ESCAPED = 'a quote inside a cell is written \\"'
TWICE = 'write a quote inside a cell twice ("") and put the cell in quotes'


def csv_rows(
    text: str, path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line and the cells of each row; add what is wrong to `faults`."""
    if re.match(r'\s*[\[{]\s*("|[\[{])', text):
        faults.append(Fault(f"{path}:1", "holds JSON, not delimited text", "name the file .jsonl"))
        return
    if (zero := text.find("\0")) >= 0:
        what = "holds a NUL, which no text has"
        fix = "remove it, or name the encoding, e.g. `read: {encoding: utf-16}` under `data`"
        faults.append(Fault(f"{path}:{1 + text.count(chr(10), 0, zero)}", what, fix))
        return
    named = re.match(r'"?sep=(.)"?\s*?(\r\n|\r|\n)', text)
    text = text[named.end() :] if named else text
    given = reading.delimiter or (named[1] if named else None)
    delimiter = given or _delimiter(text, tabs_first=ending_of(Path(path)) == ".tsv")
    if given is None and delimiter != (usual := _usual(path)):
        mark = f"{DELIMITERS[delimiter]} stands between the cells, not {DELIMITERS[usual]}"
        reading.say(path, f"{mark} (found; `read: {{delimiter: …}}` under `data` names another)")
    # The module refuses cells above a limit that all its readers share.
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield from _rows(text, delimiter, _Table(path, 1 if named else 0, reading), faults)
    finally:
        csv.field_size_limit(before)


def _usual(path: str) -> str:
    return "\t" if ending_of(Path(path)) == ".tsv" else ","


def header_of(
    first: list[str], where: str, reading: Reading, faults: list[Fault]
) -> list[str] | None:
    """Return the names of a table's columns; None, with a fault, where they cannot be used.

    Args:
        first: the cells of its first row.
        where: its place.
        reading: says whether these are the names; else columns are called 1, 2, 3, …
        faults: receives what is wrong.
    """
    columns = [nfc(name.strip()) for name in first]
    if len(columns) > MOST_COLUMNS:
        what = f"has {len(columns):,} columns, more than {MOST_COLUMNS:,}"
        faults.append(Fault(where, what, "leave out those that no key names"))
        return None
    if not reading.header:
        return [str(number) for number in range(1, len(columns) + 1)]
    twice = sorted(name for name, count in Counter(columns).items() if count > 1)
    for column in twice:
        what = f"the column '{column}' stands twice" if column else "two columns have no name"
        faults.append(Fault(where, what, "rename one, or remove it"))
    return None if twice else columns


class _Table(NamedTuple):
    """Where a table stands: its file, the lines above it, and how it is read."""

    path: str
    above: int
    reading: Reading

    def place(self, line: int) -> str:
        return f"{self.path}:{self.above + line}"


def _rows(
    text: str, delimiter: str, table: _Table, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    begun = 0
    columns: list[str] | None = None
    try:
        for cells in reader:
            if columns is None and any(cells):
                columns = header_of(cells, table.place(reader.line_num), table.reading, faults)
                if columns is None:
                    return
                if table.reading.header:
                    begun = reader.line_num
                    continue
            if columns is not None and any(cells):
                if len(cells) == len(columns):
                    yield table.above + reader.line_num, dict(zip(columns, cells, strict=True))
                else:
                    faults.append(_torn(table.place(reader.line_num), columns, delimiter))
            begun = reader.line_num
    except csv.Error as problem:
        faults.append(_no_csv(problem, text, (begun, reader.line_num), table))


def _no_csv(problem: csv.Error, text: str, lines: tuple[int, int], table: _Table) -> Fault:
    """Return the fault of a row that begins after the first of two lines and ends at the other."""
    begun, reached = lines
    if "field limit" in str(problem):
        what = f"a cell has more than {LONGEST_CELL:,} characters"
        fix = "cut the text; where it is not so long, a quote opens in it and never closes"
        return Fault(table.place(begun + 1), what, fix)
    if "unexpected end" in str(problem):
        what = "is not CSV: a quote opens in this row and never closes"
        return Fault(table.place(begun + 1), what, TWICE)
    row = re.split(r"\r\n|\r|\n", text)[begun:reached]
    why = ESCAPED if any('\\"' in line for line in row) else str(problem)
    return Fault(table.place(reached), f"is not CSV: {why}", TWICE)


def _lines(text: str) -> Iterator[str]:
    """Yield lines with their ends; no copy of the whole text is made meanwhile."""
    start = 0
    for end in _END.finditer(text):
        yield text[start : end.end()]
        start = end.end()
    if start < len(text):
        yield text[start:]


_END = re.compile(r"\r\n|\r|\n")


def _torn(where: str, columns: list[str], delimiter: str) -> Fault:
    what = f"does not have {len(columns)} columns, as the header has"
    mark = DELIMITERS.get(delimiter, f"a '{delimiter}'")
    return Fault(where, what, f"put cells that hold {mark} in quotes, and write empty cells too")


def _delimiter(text: str, *, tabs_first: bool) -> str:
    """Return the first delimiter that the header holds and the rows hold as often, else a comma."""
    order = sorted(DELIMITERS, key=lambda mark: mark != "\t") if tabs_first else list(DELIMITERS)
    header = re.sub(r'"[^"]*"', "", re.split(r"[\r\n]", text.lstrip("\r\n"), maxsplit=1)[0])
    held = [mark for mark in order if mark in header]
    return next((mark for mark in held if _fits(text, mark)), held[0] if held else order[0])


def _fits(text: str, mark: str) -> bool:
    reader = csv.reader(_lines(text), delimiter=mark)
    try:
        sizes = {len(cells) for cells in islice(reader, TRIED_ROWS) if any(cells)}
    except csv.Error:
        return False
    return len(sizes) == 1
