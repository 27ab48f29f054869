"""One raw row and the text of its values; knows nothing of how files are read."""

from __future__ import annotations

from dataclasses import dataclass
from math import isfinite
from typing import Any

from harness.wording.values import value_text


@dataclass(frozen=True, slots=True)
class Row:
    """One raw row and where it stands; names of columns are in Unicode's form C."""

    file: str
    line: int
    values: dict[str, Any]

    @property
    def where(self) -> str:
        """Its place as faults have it."""
        return f"{self.file}:{self.line}"


def as_text(value: Any) -> str | None:
    """Return a text, a number or a boolean as its file writes it; None for anything else.

    JSON's true is the text "true", and 1.10 is "1.10".
    """
    if type(value) is str:  # nearly all are: of a million rows it counts
        return value
    if not isinstance(value, (str, int, float)):
        return None
    if isinstance(value, float) and not isfinite(value):
        return None
    return value_text(value)
