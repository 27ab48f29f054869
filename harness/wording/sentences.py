"""Small parts of sentences."""

from __future__ import annotations

from collections.abc import Sequence


def listed(names: Sequence[str]) -> str:
    """Return names as a list in a sentence: "a, b and c"."""
    *most, last = names
    return f"{', '.join(most)} and {last}" if most else last


def counted(n: int, noun: str) -> str:
    """Return a number and what it counts: "1 row", "1,000 rows"."""
    return f"{n:,} {noun}{'s' * (n != 1)}"
