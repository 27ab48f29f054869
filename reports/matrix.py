"""A table whose cells are shaded by their values: a confusion matrix, scores of many by many.

It is HTML and no drawing, so that its figures are read aloud, copied and printed, and a cell can
lead to the rows that it counts. All texts are escaped by the template.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from harness.wording.visible import on_one_line
from reports.templating import template

DARKEST = 45
"""Percent of colour in a cell: text on it keeps a contrast of 4.5."""
LONGEST = 40
"""Characters of a heading; a longer one is cut."""


@dataclass(frozen=True)
class Shaded:
    """One cell."""

    text: str
    share: float = 0.0
    """Of the darkest shade, 0 to 1."""
    good: bool = False
    """Shaded as good, not as an error."""
    rows: str = ""
    """Which rows it counts, as the browser over all rows takes it; made of numbers alone."""
    label: str = ""
    """What the cell says, for whoever hears it."""


def matrix(
    corner: str, heads: Sequence[str], lines: Sequence[tuple[str, Sequence[Shaded]]], caption: str
) -> Markup:
    """Return a table of shaded cells.

    Args:
        corner: what rows and columns are.
        heads: of the columns.
        lines: heading and cells of each row.
        caption: what it holds.
    """
    drawn = template("matrix.html.j2").render(
        corner=corner,
        heads=list(map(_short, heads)),
        lines=[{"head": _short(head), "cells": list(map(_cell, cells))} for head, cells in lines],
        caption=on_one_line(caption),
    )
    return Markup(drawn)  # noqa: S704 - a template that escapes


def _cell(cell: Shaded) -> dict[str, str]:
    return {
        "text": cell.text,
        "share": f"{DARKEST * min(1.0, max(0.0, cell.share)):.0f}",
        "colour": "good" if cell.good else "bad",
        "rows": cell.rows,
        "label": on_one_line(cell.label),
    }


def _short(text: str) -> str:
    line = on_one_line(text)
    return line if len(line) <= LONGEST else line[: LONGEST - 1] + "…"
