"""Accuracy among the surest answers: what is gained if unsure rows are left to people."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import Comparison
from harness.analysis.schema.weaknesses import CoveragePoint
from harness.wording import numbers
from reports.plots.arms_shown import shown_first
from reports.plots.lines import MOST_LINES, series
from reports.section import Plot, Spec, Table

HALF = 0.5
"""The share at which the finding is told."""


@dataclass(frozen=True)
class Coverage:
    """What is drawn: each arm's points, the first arm first."""

    lines: tuple[tuple[str, tuple[CoveragePoint, ...]], ...]


def coverage(comparison: Comparison) -> Coverage | None:
    """Return the numbers of the plot; None where no arm gives probabilities."""
    rows = [row for row in shown_first(comparison) if row.sureness and row.sureness.coverage]
    lines = tuple((row.strategy, row.sureness.coverage) for row in rows if row.sureness)
    return Coverage(lines) if lines else None


def coverage_plot(comparison: Comparison) -> Plot | None:
    """Return the plot of accuracy against coverage."""
    found = coverage(comparison)
    if found is None:
        return None
    name, points = found.lines[0]
    half = min(points, key=lambda point: abs(point.coverage - HALF))
    return Plot(
        name="coverage",
        finding=(
            f"If {name} answers only the surest {numbers.percent(half.coverage)} of the rows,"
            f" {numbers.percent(half.accuracy)} of these are right; of all it answers,"
            f" {numbers.percent(points[-1].accuracy)}."
        ),
        caption=(
            "Each arm answers its surest rows, and leaves the others to people. Right end: all rows"
            " are answered."
        ),
        spec=lambda width: _spec(found, width),
        data=_table(found),
        wide=560,
    )


def _table(found: Coverage) -> Table:
    rows = tuple(
        (
            name,
            numbers.percent(point.coverage),
            numbers.percent(point.accuracy),
            numbers.percent(point.least),
        )
        for name, points in found.lines
        for point in points
    )
    heads = ("arm", "rows answered", "of these right", "from a probability of")
    return Table(heads, rows, caption="Accuracy against coverage")


def _spec(found: Coverage, width: int) -> Spec:
    drawn = found.lines[:MOST_LINES]
    rows = [
        {"arm": name, "coverage": point.coverage, "accuracy": point.accuracy}
        for name, points in drawn
        for point in points
    ]
    low = min(point.accuracy for _, points in drawn for point in points)
    x = {
        "field": "coverage",
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": {"title": "share of rows answered", "format": ".0%", "tickCount": 5},
    }
    y = {
        "field": "accuracy",
        "type": "quantitative",
        "scale": {"domain": [max(0.0, low - 0.05), 1], "zero": False, "nice": False},
        "axis": {"title": "of these right", "format": ".0%", "tickCount": 5},
    }
    return {
        "width": width,
        "height": 320,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "mark": {"type": "line", "strokeWidth": 2},
        "encoding": {"x": x, "y": y, **series([name for name, _ in drawn])},
    }
