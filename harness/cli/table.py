"""How wide a table of text is on a screen."""

from __future__ import annotations

from collections.abc import Sequence

GAP = 2
"""Spaces between columns."""


def table_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the characters of a line of a table, in the cells that a terminal gives them."""
    from rich.cells import cell_len

    widest = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return sum(widest) + GAP * (len(widest) - 1)
