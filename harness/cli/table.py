"""How wide a table of text is on a screen."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

GAP = 2
"""Spaces between columns."""


def table_width(rows: Sequence[Sequence[str]]) -> int:
    """Return the characters of a line of a table, in the cells that a terminal gives them."""
    from rich.cells import cell_len

    widest = [max(map(cell_len, column)) for column in zip(*rows, strict=True)]
    return sum(widest) + GAP * (len(widest) - 1)


def fitting(
    columns: Sequence[tuple[str, Sequence[str]]],
    left_out_first: Iterable[str],
    width: int | None,
) -> list[tuple[str, ...]]:
    """Return the rows of a table that fits, the headings first; no cell is ever cut.

    Args:
        columns: heading and cells of each.
        left_out_first: headings of columns that give way, in this order.
        width: of the screen in characters; None: there is no limit.
    """
    kept = list(columns)
    for heading in left_out_first:
        rows = zip(*([name, *cells] for name, cells in kept), strict=True)
        if width is None or table_width([*rows]) <= width:
            break
        kept = [column for column in kept if column[0] != heading]
    headings, cells_of = zip(*kept, strict=True)
    return [headings, *zip(*cells_of, strict=True)]
