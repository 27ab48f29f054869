"""Reads rows from JSONL and CSV files; every fault carries its file and line."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from pathlib import Path
from typing import Any

from harness.errors import Fault
from harness.files.yaml_source import not_utf8


@dataclass(frozen=True)
class Row:
    """One raw row and where it stands."""

    where: str
    values: dict[str, Any]


def read_rows(path: Path, faults: list[Fault]) -> list[Row]:
    """Read all rows of a .jsonl or .csv file; add what is wrong with it to `faults`."""
    if path.suffix.lower() not in FORMATS:
        fix = f"use {' or '.join(FORMATS)}"
        faults.append(Fault(str(path), f"'{path.suffix}' is not a known format", fix))
        return []
    try:
        rows = list(FORMATS[path.suffix.lower()](path, faults))
    except OSError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}"))
        return []
    except UnicodeDecodeError as problem:
        faults.append(not_utf8(path, problem))
        return []
    except ValueError as problem:  # a path with a NUL in it
        faults.append(Fault(ascii(str(path)), f"is not a path: {problem}"))
        return []
    if not rows and not any(fault.where.startswith(str(path)) for fault in faults):
        faults.append(Fault(str(path), "has no rows"))
    return rows


def as_text(value: Any) -> str | None:
    """Return a text or a number as text; None for anything else."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    return str(value)


def _jsonl(path: Path, faults: list[Fault]) -> Iterator[Row]:
    lines = enumerate(io.StringIO(path.read_text("utf-8-sig")), start=1)
    yield from json_rows(str(path), lines, faults)


def json_rows(name: str, lines: Iterable[tuple[int, str]], faults: list[Fault]) -> Iterator[Row]:
    """Yield the row of each line of JSON that is not blank.

    Args:
        name: of the file, for places.
        lines: each with its number.
        faults: receives what is wrong with a line.
    """
    for number, line in lines:
        if not line.strip():
            continue
        where = f"{name}:{number}"
        try:
            values = json.loads(line)
            if "\\u" in line:
                json.dumps(values, ensure_ascii=False).encode()
        except json.JSONDecodeError as problem:
            faults.append(Fault(where, f"is not JSON: {problem.msg} at column {problem.colno}"))
            continue
        except UnicodeEncodeError:
            faults.append(Fault(where, "holds half of a surrogate pair", "write valid Unicode"))
            continue
        except (RecursionError, ValueError) as problem:
            faults.append(Fault(where, f"is not JSON that can be read: {problem}"))
            continue
        if isinstance(values, dict):
            yield Row(where, values)
        else:
            faults.append(Fault(where, "is not a JSON object", 'write {"id": …, "text": …}'))


def _csv(path: Path, faults: list[Fault]) -> Iterator[Row]:
    stream = io.StringIO(path.read_bytes().decode("utf-8-sig"), newline="")
    reader = csv.DictReader(stream, strict=True)
    # The module refuses cells above a limit that all its readers share; none is as long as a file.
    before = csv.field_size_limit(max(len(stream.getvalue()), csv.field_size_limit()))
    try:
        columns = list(reader.fieldnames or ())
        for column in sorted({name for name in columns if columns.count(name) > 1}):
            faults.append(Fault(f"{path}:1", f"the column '{column}' stands twice", "rename one"))
        for values in reader:
            where = f"{path}:{reader.line_num}"
            if None in values or None in values.values():
                faults.append(Fault(where, f"does not have {len(columns)} columns"))
                continue
            yield Row(where, dict(values))
    except csv.Error as problem:
        faults.append(Fault(f"{path}:{reader.reader.line_num}", f"is not CSV: {problem}"))
    finally:
        csv.field_size_limit(before)


FORMATS: Mapping[str, Callable[[Path, list[Fault]], Iterator[Row]]] = {
    ".jsonl": _jsonl,
    ".csv": _csv,
}
"""What reads a file of rows, by its ending in lower case."""
