"""Dotted paths into the lists and objects of a row: `answers.0.text`.

A number is a place in a list, counted from 0; a name is a key. A name below a list is looked up in
each of its items, and gives a list. A column whose own name is the whole path goes before.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

ABSENT = object()
"""What a path leads to that a row does not have."""


def resolve(values: dict[str, Any], paths: Iterable[str]) -> None:
    """Add to a row what its paths lead to, under the paths' own texts; nothing for absent ones."""
    for path in paths:
        if path not in values and (value := value_at(values, path.split("."))) is not ABSENT:
            values[path] = value


def value_at(value: Any, parts: list[str]) -> Any:
    """Return what lies at a path; None where it leads through null or past the end of a list."""
    for at, part in enumerate(parts):
        if value is None:
            return None
        if isinstance(value, dict):
            if part not in value:
                return ABSENT
            value = value[part]
        elif isinstance(value, list) and part.isdecimal():
            value = value[int(part)] if len(part) < 10 and int(part) < len(value) else None
        elif isinstance(value, list):
            found = [value_at(item, parts[at:]) for item in value]
            return ABSENT if any(item is ABSENT for item in found) else found
        else:
            return ABSENT
    return value
