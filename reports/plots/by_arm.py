"""What plots with one line an arm share: room for names on the left, and the axis of arms."""

from __future__ import annotations

from collections.abc import Sequence

from reports.section import Spec

ROW = 30
"""Pixels an arm."""
MOST = 12
"""Arms that are drawn, in the rule's order; the table has all."""


def names_width(names: Sequence[str], width: int) -> int:
    """Return the pixels that names take on the left; a longer one is cut."""
    most = 150 if width > 400 else 104
    return min(most, round(max(map(len, names)) * 7) + 8)


def frame(names: Sequence[str], width: int, row: int = ROW, top: int = 6) -> Spec:
    """Return size and padding of a plot with one line an arm."""
    left = names_width(names, width)
    return {
        "width": width - left - 32,
        "height": row * len(names) + 6,
        "autosize": "none",
        "padding": {"left": left + 12, "right": 20, "top": top, "bottom": 46},
    }


def arms_axis(names: Sequence[str], width: int) -> Spec:
    """Return the encoding of arms, in the order in which they are given."""
    axis = {
        "title": None, "labelLimit": names_width(names, width), "domain": False, "ticks": False,
        "grid": True,
    }  # fmt: skip
    return {"field": "arm", "type": "nominal", "sort": list(names), "axis": axis}
