"""The plot of what test rows can show: the smallest difference of the leading arms by rows.

The difference that n rows detect with 80% power falls with the square root of n; the point that is
measured is that of this test set (harness/stats says how). Further points are read off that law.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10, sqrt

from harness.analysis import Comparison, Resolution
from harness.wording import numbers
from reports.plots.axes import LogAxis
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

STEPS = 25
"""Points of the curve."""
SHOWN = (0.25, 0.5, 1, 2, 4, 8, 16)
"""Multiples of the rows there are, in the table."""


@dataclass(frozen=True)
class Power:
    """What is drawn, in points (hundredths of a score)."""

    first: str
    second: str
    n: int
    """Test rows there are."""
    smallest: float
    """Difference that they detect with 80% power."""
    difference: float
    """What the two leading arms differ by."""
    needed: int | None
    """Rows that would show it; None: enough, or never."""
    margin: float

    def at(self, rows: float) -> float:
        """Return the difference that so many rows detect."""
        return self.smallest * sqrt(self.n / rows)


def power(found: Resolution, margin: float) -> Power | None:
    """Return the numbers of the plot; None where there is nothing to draw."""
    if found.smallest_difference <= 0 or found.n < 1:
        return None
    needed = None if found.separated else found.rows_to_separate
    return Power(
        found.first, found.second, found.n, 100 * found.smallest_difference,
        100 * abs(found.difference), needed, 100 * margin,
    )  # fmt: skip


def power_plot(comparison: Comparison) -> Plot | None:
    """Return the plot; None where fewer than two arms finished."""
    if comparison.resolution is None:
        return None
    found = power(comparison.resolution, float(comparison.task["margin"]))
    if found is None:
        return None
    rows = tuple(
        (numbers.count(found.n * times), f"{found.at(found.n * times):.1f}") for times in SHOWN
    )
    return Plot(
        name="power",
        finding=_finding(found),
        caption=(
            f"Smallest difference between {found.first} and {found.second} that test rows detect"
            " with 80% power; it falls with the square root of the rows. The level line is how far"
            " they differ here."
        ),
        spec=lambda width: _spec(found, width),
        data=Table(("test rows", "points"), rows, caption="Smallest difference by test rows"),
        wide=560,
    )


def _finding(found: Power) -> str:
    text = (
        f"{numbers.count(found.n)} test rows detect {found.smallest:.1f} points between"
        f" {found.first} and {found.second}, which differ by {found.difference:.1f}"
    )
    if found.needed is None:
        return f"{text}."
    return f"{text}; about {numbers.count(found.needed)} rows would show that."


def _spec(found: Power, width: int) -> Spec:
    far = max(found.n * 8, min(found.needed or 0, found.n * 100) * 1.5)
    near = max(found.n / 4, 2)
    step = (far / near) ** (1 / (STEPS - 1))
    curve = [
        {"x": log10(rows), "y": found.at(rows)} for rows in (near * step**k for k in range(STEPS))
    ]
    axis = LogAxis.of([near, far], numbers.count, most=max(3, width // 90))
    top = max(found.at(near), found.difference) * 1.08
    x = {"field": "x", "type": "quantitative", "scale": axis.scale, "axis": axis.axis("test rows")}
    y = {
        "field": "y", "type": "quantitative", "scale": {"domain": [0, top], "nice": False},
        "axis": {"title": "points", "tickCount": 5},
    }  # fmt: skip
    filled = {"filled": True, "color": sign("ink"), "opacity": 1}
    marks = [{"x": log10(found.n), "y": found.smallest, "text": "you are here"}]
    if found.needed and found.needed <= far:
        marks.append({"x": log10(found.needed), "y": found.at(found.needed), "text": "needed"})
    return {
        "width": width,
        "height": 260,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": curve},
        "layer": [
            {
                "data": {"values": [{"y": found.difference}]},
                "mark": {"type": "rule", "strokeDash": [6, 3], "color": sign("s2")},
                "encoding": {"y": y},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2, "color": sign("s1")},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": marks},
                "mark": {"type": "point", "size": 90, **filled},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": marks},
                "mark": {"type": "text", "align": "left", "dx": 9, "dy": -9, "color": sign("ink")},
                "encoding": {"x": x, "y": y, "text": {"field": "text"}},
            },
        ],
    }  # fmt: skip
