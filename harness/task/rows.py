"""Reads rows from JSONL and CSV files; every fault carries its file and line."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.errors import Fault


@dataclass(frozen=True)
class Row:
    """One raw row and where it stands."""

    where: str
    values: dict[str, Any]


def read_rows(path: Path, faults: list[Fault]) -> list[Row]:
    """Read all rows of a .jsonl or .csv file; add what is wrong with it to `faults`."""
    readers = {".jsonl": _jsonl, ".csv": _csv}
    if path.suffix not in readers:
        faults.append(
            Fault(str(path), f"'{path.suffix}' is not a known format", "use .jsonl or .csv")
        )
        return []
    try:
        rows = list(readers[path.suffix](path, faults))
    except OSError as problem:
        faults.append(Fault(str(path), f"cannot be read: {problem.strerror}"))
        return []
    except UnicodeDecodeError as problem:
        fix = "save it as UTF-8"
        faults.append(Fault(str(path), f"is not UTF-8 text at byte {problem.start}", fix))
        return []
    if not rows and not any(fault.where.startswith(str(path)) for fault in faults):
        faults.append(Fault(str(path), "has no rows"))
    return rows


def _jsonl(path: Path, faults: list[Fault]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig") as stream:
        for number, line in enumerate(stream, start=1):
            if not line.strip():
                continue
            where = f"{path}:{number}"
            try:
                values = json.loads(line)
            except json.JSONDecodeError as problem:
                faults.append(Fault(where, f"is not JSON: {problem.msg} at column {problem.colno}"))
                continue
            if isinstance(values, dict):
                yield Row(where, values)
            else:
                faults.append(Fault(where, "is not a JSON object", 'write {"id": …, "text": …}'))


def _csv(path: Path, faults: list[Fault]) -> Iterator[Row]:
    with path.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            for values in reader:
                where = f"{path}:{reader.line_num}"
                if None in values or None in values.values():
                    faults.append(
                        Fault(where, f"does not have {len(reader.fieldnames or ())} columns")
                    )
                    continue
                yield Row(where, dict(values))
        except csv.Error as problem:
            faults.append(Fault(f"{path}:{reader.line_num}", f"is not CSV: {problem}"))
