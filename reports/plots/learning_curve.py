"""The plot of scores against labels, with bands and crossovers, on a logarithmic axis of labels.

Nothing is computed here that the comparison does not hold.
"""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

from harness.analysis import LearningCurve
from harness.analysis.schema.curve import CurveLine, CurvePoint
from harness.wording import numbers
from reports.plots.axes import LogAxis
from reports.plots.lines import MOST_LINES, series
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table


@dataclass(frozen=True)
class Learned:
    """What is drawn: lines with bands, and ranges in which one arm overtakes another."""

    metric: str
    sizes: tuple[int, ...]
    """Every size that any arm has a point at, ascending."""
    lines: tuple[tuple[str, tuple[tuple[int, CurvePoint], ...]], ...]
    """The arms that learn first, the better first: each with its points by size."""
    ranges: tuple[tuple[float, float, str], ...]
    """Crossovers of drawn arms that are known at both ends, with their words."""


def learned(curve: LearningCurve) -> Learned:
    """Return the numbers of the plot."""
    found = {point.labels_n for line in curve.lines for point in line.points}
    sizes = tuple(sorted(found | {curve.labels_n}))
    by_score = sorted(curve.lines, key=lambda line: -line.points[-1].value)
    shown = sorted(by_score, key=lambda line: not line.learns)
    names = {line.strategy for line in shown[:MOST_LINES]}
    return Learned(
        curve.metric,
        sizes,
        tuple((line.strategy, tuple(_measured(line, sizes))) for line in shown),
        tuple(
            (one.low, one.high, one.text)
            for one in curve.crossovers
            if one.low is not None and one.high is not None and {one.first, one.second} <= names
        ),
    )


def _measured(line: CurveLine, sizes: tuple[int, ...]) -> list[tuple[int, CurvePoint]]:
    found = ((size, point_at(line, size)) for size in sizes)
    return [(size, point) for size, point in found if point is not None]


def point_at(line: CurveLine, size: int) -> CurvePoint | None:
    """Return an arm's point at a size; one that needs no labels has the same at all."""
    if not line.learns:
        return line.points[-1]
    return next((point for point in line.points if point.labels_n == size), None)


def learning_curve_plot(curve: LearningCurve) -> Plot:
    """Return the plot of learning curves, with its data as a table."""
    found = learned(curve)
    headings = ("arm", *(f"{size:,} labels" for size in found.sizes))
    rows = tuple(
        (line.strategy, *(_cell(line, size) for size in found.sizes)) for line in curve.lines
    )
    crossed = curve.crossovers
    return Plot(
        name="learning_curve",
        finding=crossed[0].text if crossed else f"{curve.metric} by number of labels",
        caption=(
            f"{curve.metric} by number of labels (logarithmic scale), with 95% bands. A level line"
            " needs no labels; shaded stretches of the axis: where one arm overtakes another."
        ),
        spec=lambda width: _spec(found, width),
        data=Table(headings, rows, caption=f"{curve.metric} by number of labels"),
        wide=760,
    )


def _cell(line: CurveLine, size: int) -> str:
    point = point_at(line, size)
    if point is None:
        return numbers.NOT_MEASURED
    failed = f", {point.failed} failed" if point.failed else ""
    span = f"{numbers.score(point.ci_low)} to {numbers.score(point.ci_high)}"
    return f"{numbers.score(point.value)} ({span}{failed})"


def _spec(found: Learned, width: int) -> Spec:
    rows: list[Spec] = [
        {"arm": name, "x": log10(size), "y": p.value, "low": p.ci_low, "high": p.ci_high}
        for name, points in found.lines
        for size, p in points
    ]
    low, high = min(row["low"] for row in rows), max(row["high"] for row in rows)
    low -= 0.04 * max(high - low, 0.01)
    axis = _axis(found)
    x = {
        "field": "x",
        "type": "quantitative",
        "scale": axis.scale,
        "axis": axis.axis("labels (train and validation)"),
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [low, max(high, low + 0.01)], "zero": False, "nice": False},
        "axis": {"title": found.metric, "tickCount": 6, "format": ".2~f"},
    }
    told = series([name for name, _ in found.lines])
    ranges = [{"from": log10(a), "to": log10(b), "at": low} for a, b, _ in found.ranges]
    return {
        "width": width,
        "height": 300,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "area", "opacity": 0.12},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "low"},
                    "y2": {"field": "high"},
                    "color": told["color"],
                },
            },
            {
                "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 40}},
                "encoding": {"x": x, "y": y, **told},
            },
            *([_ranges(ranges, x, y)] if ranges else []),
        ],
    }


def _ranges(ranges: list[Spec], x: Spec, y: Spec) -> Spec:
    return {
        "data": {"values": ranges},
        "mark": {"type": "rule", "strokeWidth": 7, "opacity": 0.5, "color": sign("soft")},
        "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}, "y": {**y, "field": "at"}},
    }


def _axis(found: Learned) -> LogAxis:
    """Return the axis of labels, whose ticks are the sizes."""
    whole = LogAxis.of(map(float, found.sizes), numbers.count, most=6)
    ticks = tuple(log10(size) for size in found.sizes)
    return LogAxis(whole.low, whole.high, ticks, tuple(f"{size:,}" for size in found.sizes))
