"""A file of one JSON object that has its rows in a list inside: which list, and where it begins.

An object that has a column of the task is a row itself, and so is one that holds a chat.
"""

from __future__ import annotations

import re
from typing import Any

from harness.errors import Fault, unknown_name
from harness.files.json_text import DECODER
from harness.task.rows.reading import Reading
from harness.task.rows.shapes import CHAT_COLUMNS

BLANKS = re.compile(r"[ \t\n\r]*")
SHOWN = 5
"""Lists that a fault names."""


def one_object(text: str, reading: Reading) -> dict[str, Any] | None:
    """Return the one object that a text holds; None where it holds more, less, or one row."""
    start = BLANKS.match(text).end()  # type: ignore[union-attr]  # it matches always
    line_end = text.find("\n", start)
    if line_end >= 0 and text[line_end:].strip() and _is_object(text[start:line_end]):
        return None  # an object a line: of a gigabyte only the first is read here
    try:
        value, end = DECODER.raw_decode(text, start)
    except (ValueError, RecursionError):
        return None
    if not isinstance(value, dict) or text[end:].strip():
        return None
    if reading.rows is not None:
        return value
    columns = {part for column in reading.columns for part in (column, column.split(".")[0])}
    is_row = any(key in value for key in (*columns, *CHAT_COLUMNS, "paragraphs"))
    return value if not is_row and lists_of(value) else None


def _is_object(line: str) -> bool:
    try:
        return isinstance(DECODER.decode(line), dict)
    except (ValueError, RecursionError):
        return False


def lists_of(value: dict[str, Any]) -> list[str]:
    """Return the keys whose values are lists of objects."""
    return [
        key
        for key, part in value.items()
        if isinstance(part, list) and part and all(isinstance(item, dict) for item in part)
    ]


def rows_key(value: dict[str, Any], reading: Reading, path: str, faults: list[Fault]) -> str | None:
    """Return the key, or the dotted path, of the list of rows; None with a fault."""
    names = lists_of(value)
    if reading.rows is not None:
        found: Any = value
        for key in reading.rows.split("."):
            found = found.get(key) if isinstance(found, dict) else None
        if isinstance(found, list):
            return reading.rows
        what = unknown_name("list of rows", reading.rows, names)
        faults.append(Fault(f"{path}:1", what, "name one: `read: {rows: …}` under `data`"))
        return None
    if len(names) == 1:
        return names[0]
    listed = ", ".join(f"'{name}'" for name in names[:SHOWN])
    fix = f"name one: `read: {{rows: {names[0]}}}` under `data`"
    faults.append(Fault(f"{path}:1", f"is one JSON object with several lists: {listed}", fix))
    return None


def place_of(text: str, keys: list[str]) -> int:
    """Return where the value begins that lies at `keys` in the object of a text that is valid."""
    at = text.index("{")
    for key in keys:
        at = BLANKS.match(text, at + 1).end()  # type: ignore[union-attr]
        while True:
            name, at = DECODER.raw_decode(text, at)
            at = BLANKS.match(text, BLANKS.match(text, at).end() + 1).end()  # type: ignore[union-attr]
            if name == key:
                break
            _, at = DECODER.raw_decode(text, at)
            at = BLANKS.match(text, BLANKS.match(text, at).end() + 1).end()  # type: ignore[union-attr]
    return at
