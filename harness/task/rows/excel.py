"""Reads rows from a sheet of an Excel workbook (.xlsx); a formula is the value that Excel kept.

Lines are the sheet's. Numbers, truth values and dates are written as those of Parquet are; rows of
empty cells are none. What the workbook says of its sizes is checked before anything is unpacked.
"""

from __future__ import annotations

import io
import warnings
import zipfile
from collections.abc import Iterator
from datetime import datetime, time
from typing import Any

from harness.errors import Fault, unknown_name
from harness.files.bounded import MIB
from harness.task.rows.delimited import header_of
from harness.task.rows.parquet import TooMuchError, plain_value
from harness.task.rows.reading import Reading
from harness.wording.values import value_text

MOST_UNPACKED = 256 * MIB
"""Bytes of all parts of a workbook, which are XML: five to ten times what the rows need."""
MOST_LINES = 1_048_576
"""Of a sheet: Excel's own limit."""
MOST_CELLS = 30_000_000
"""Of a sheet, empty ones counted: 28 columns of Excel's most lines."""
INSTALL = "pip install 'worth-tuning[excel]', or save the sheet as CSV UTF-8"
SAVE_ANEW = "open it in Excel and save it anew, or save the sheet as CSV UTF-8"


def excel_rows(
    content: bytes, path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield the line and the cells of each row; add what is wrong to `faults`."""
    try:
        import openpyxl
    except ImportError:
        faults.append(Fault(path, "Excel files need openpyxl, which is not installed", INSTALL))
        return
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as parts:
            if sum(part.file_size for part in parts.infolist()) > MOST_UNPACKED:
                what = f"is larger than {MOST_UNPACKED // MIB} MiB once it is unpacked"
                faults.append(Fault(path, what, "save the sheet as CSV UTF-8"))
                return
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of styles and extensions that it does not know
            book = openpyxl.load_workbook(io.BytesIO(content), read_only=True, data_only=True)
            sheet = _sheet(book, path, reading, faults)
            if sheet is not None:
                yield from _rows(sheet, path, reading, faults)
    except TooMuchError as problem:
        faults.append(Fault(path, str(problem), "save the sheet as CSV UTF-8"))
    except Exception as problem:  # what a broken archive or XML raises there is of all kinds
        why = str(problem).split("\n", maxsplit=1)[0]
        faults.append(Fault(path, f"is not an Excel file that can be read: {why}", SAVE_ANEW))


def _sheet(book: Any, path: str, reading: Reading, faults: list[Fault]) -> Any:
    """Return the sheet that the task names, or the only one with cells; None with a fault."""
    sheets = book.worksheets
    names = [sheet.title for sheet in sheets]
    wanted = reading.sheet
    if isinstance(wanted, int):
        if 1 <= wanted <= len(sheets):
            return sheets[wanted - 1]
        what = f"has {len(sheets)} sheets, and none has the number {wanted}"
        faults.append(Fault(path, what, f"write a number from 1 to {len(sheets)}"))
        return None
    if wanted is not None:
        if wanted in names:
            return sheets[names.index(wanted)]
        fix = "name one of them: `read: {sheet: …}` under `data`"
        faults.append(Fault(path, unknown_name("sheet", wanted, names), fix))
        return None
    filled = [sheet for sheet in sheets if _has_cells(sheet)]
    if len(filled) > 1:
        listed = ", ".join(f"'{sheet.title}'" for sheet in filled)
        fix = f"name one: `read: {{sheet: {filled[0].title}}}` under `data`"
        faults.append(Fault(path, f"has several sheets with cells: {listed}", fix))
        return None
    if filled and len(sheets) > 1:
        reading.say(path, f"read from the sheet '{filled[0].title}', the only one with cells")
    return filled[0] if filled else None


def _lines(sheet: Any) -> Iterator[tuple[Any, ...]]:
    """Yield the cells of each line.

    Raises:
        TooMuchError: there are too many: one cell far to the right makes its line that wide.
    """
    sheet.reset_dimensions()  # what the sheet says of them may be wrong by any factor
    total = 0
    for cells in sheet.iter_rows(values_only=True, max_row=MOST_LINES):
        total += len(cells)
        if total > MOST_CELLS:
            raise TooMuchError(f"has more than {MOST_CELLS:,} cells, empty ones counted")
        yield cells


def _has_cells(sheet: Any) -> bool:
    return any(any(cell is not None for cell in cells) for cells in _lines(sheet))


def _rows(
    sheet: Any, path: str, reading: Reading, faults: list[Fault]
) -> Iterator[tuple[int, dict[str, Any]]]:
    columns: list[str] | None = None
    for line, cells in enumerate(_lines(sheet), start=1):
        if all(cell is None or cell == "" for cell in cells):
            continue
        if columns is None:
            width = 1 + max(at for at, cell in enumerate(cells) if cell is not None)
            first = ["" if cell is None else value_text(_plain(cell)) for cell in cells[:width]]
            columns = header_of(first, f"{path}:{line}", reading, faults)
            if columns is None:
                return
            if reading.header:
                continue
        if any(cell is not None for cell in cells[len(columns) :]):
            what = f"has a cell beyond the {len(columns)} columns that the header names"
            faults.append(Fault(f"{path}:{line}", what, "name its column, or empty the cell"))
            continue
        values = [_plain(cell) for cell in cells[: len(columns)]]
        values += [None] * (len(columns) - len(values))
        yield line, dict(zip(columns, values, strict=True))


def _plain(cell: Any) -> Any:
    """Return a cell as JSON would have it; midnight is how a sheet keeps a day."""
    if isinstance(cell, datetime) and cell.tzinfo is None and cell.time() == time():
        return cell.date().isoformat()
    return plain_value(cell)
