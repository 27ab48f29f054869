"""Reads JSON as its file writes it: numbers keep their digits, no key stands twice in an object."""

from __future__ import annotations

import json
from typing import Any


class WrittenFloat(float):
    """A number with a point or an exponent that remembers its text: "1.10", "1e5"."""

    def __new__(cls, text: str | float) -> WrittenFloat:
        """Read a number; a float for `text` is written as Python writes it."""
        number = super().__new__(cls, text)
        number.__dict__["text"] = str(text)
        return number

    def __str__(self) -> str:
        """Return the number as its file writes it."""
        return str(self.__dict__["text"])


class DuplicateKeyError(ValueError):
    """An object that has a key twice: which value counts is anybody's guess."""

    def __init__(self, key: str):
        self.key = key
        super().__init__(f"the key {json.dumps(key, ensure_ascii=False)} stands twice in it")


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        keys = [key for key, _ in pairs]
        raise DuplicateKeyError(next(key for at, key in enumerate(keys) if key in keys[:at]))
    return found


DECODER = json.JSONDecoder(object_pairs_hook=_object, parse_float=WrittenFloat)


def parsed(text: str) -> Any:
    """Return the value that a text holds.

    Raises:
        DuplicateKeyError: an object has a key twice.
        ValueError: it is not JSON, or holds a number of more digits than Python reads.
        RecursionError: it is nested too deeply.
    """
    return DECODER.decode(text)


def plain(value: Any) -> Any:
    """Return a value with numbers as Python's own: what other processes get of it through JSON."""
    if isinstance(value, dict):
        return {key: plain(part) for key, part in value.items()}
    if isinstance(value, list):
        return [plain(part) for part in value]
    return float(value) if isinstance(value, WrittenFloat) else value
