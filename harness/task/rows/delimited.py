"""Reads rows from delimited text: commas, tabs, semicolons or bars between the cells.

The delimiter is that of Excel's `sep=` line, or the first of these that the header and the rows
after it hold alike. Names of columns are read without blanks around them; rows of empty cells, as
Excel leaves them, are none.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Iterator
from itertools import islice

from harness.errors import Fault
from harness.wording.values import nfc

DELIMITERS = {",": "a comma", "\t": "a tab", ";": "a semicolon", "|": "a bar"}
LONGEST_CELL = 16 * 2**20
"""Characters."""
MOST_COLUMNS = 1000
TRIED_ROWS = 20
"""Rows whose cells are counted to find the delimiter."""
ESCAPED = 'a quote inside a cell is written \\"'
TWICE = 'write a quote inside a cell twice ("") and put the cell in quotes'


def csv_rows(text: str, path: str, faults: list[Fault]) -> Iterator[tuple[int, dict[str, str]]]:
    """Yield the line and the cells of each row; add what is wrong to `faults`."""
    if re.match(r'\s*[\[{]\s*("|[\[{])', text):
        faults.append(Fault(f"{path}:1", "holds JSON, not delimited text", "name the file .jsonl"))
        return
    named = re.match(r'"?sep=(.)"?\s*?(\r\n|\r|\n)', text)
    text = text[named.end() :] if named else text
    delimiter = named[1] if named else _delimiter(text, tabs_first=path.lower().endswith(".tsv"))
    # The module refuses cells above a limit that all its readers share.
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield from _rows(text, delimiter, path, 1 if named else 0, faults)
    finally:
        csv.field_size_limit(before)


def _rows(
    text: str, delimiter: str, path: str, above: int, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, str]]]:
    reader = csv.reader(_lines(text), delimiter=delimiter, strict=True)
    begun = 0
    try:
        columns = [nfc(name.strip()) for name in next(reader, [])]
        if len(columns) > MOST_COLUMNS:
            what = f"has {len(columns):,} columns, more than {MOST_COLUMNS:,}"
            faults.append(Fault(f"{path}:{above + 1}", what, "leave out those that no key names"))
            return
        for column in sorted(name for name, count in Counter(columns).items() if count > 1):
            where = f"{path}:{above + 1}"
            faults.append(Fault(where, f"the column '{column}' stands twice", "rename one"))
        begun = reader.line_num
        for cells in reader:
            if any(cells):
                if len(cells) == len(columns):
                    yield above + reader.line_num, dict(zip(columns, cells, strict=True))
                else:
                    faults.append(_torn(f"{path}:{above + reader.line_num}", columns, delimiter))
            begun = reader.line_num
    except csv.Error as problem:
        if "field limit" in str(problem):
            what = f"a cell has more than {LONGEST_CELL:,} characters"
            fix = "cut the text; where it is not so long, a quote opens in it and never closes"
            faults.append(Fault(f"{path}:{above + begun + 1}", what, fix))
        elif "unexpected end" in str(problem):
            what = "is not CSV: a quote opens in this row and never closes"
            faults.append(Fault(f"{path}:{above + begun + 1}", what, TWICE))
        else:
            lines = re.split(r"\r\n|\r|\n", text)[begun : reader.line_num]
            why = ESCAPED if any('\\"' in line for line in lines) else str(problem)
            faults.append(Fault(f"{path}:{above + reader.line_num}", f"is not CSV: {why}", TWICE))


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
