"""The plot of total cost against volume. Nothing is computed here that the comparison lacks.

Both axes are logarithmic: costs of arms and volumes of tasks span several powers of ten.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10

from harness.analysis import CostCurve
from harness.wording import numbers
from reports.plots.axes import LogAxis
from reports.plots.lines import series
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table


@dataclass(frozen=True)
class Line:
    """One arm's totals, at the volumes where they are above nothing."""

    arm: str
    points: tuple[tuple[float, float], ...]
    """Requests a month with the total."""


@dataclass(frozen=True)
class Totals:
    """What is drawn."""

    unit: str
    """usd, or s of machine time."""
    here: float
    """The task's own requests a month."""
    lines: tuple[Line, ...]

    def text(self, total: float) -> str:
        """Return a total in words."""
        return numbers.usd(total) if self.unit == "usd" else numbers.duration(total)


def totals(curve: CostCurve) -> Totals:
    """Return the numbers of the plot."""
    volumes = curve.requests_per_month
    lines = tuple(
        Line(
            line.strategy,
            tuple((v, t) for v, t in zip(volumes, line.totals, strict=True) if t > 0),
        )
        for line in curve.lines
    )
    return Totals(curve.unit, volumes[len(volumes) // 2], lines)


def cost_curve(curve: CostCurve) -> Plot | None:
    """Return the plot of a cost curve; None where no arm costs anything at any volume."""
    found = totals(curve)
    if not any(line.points for line in found.lines):
        return None
    what = "dollars" if found.unit == "usd" else "machine time"
    tenfolds = _tenfolds(curve)
    rows = tuple(
        (line.strategy, *(found.text(line.totals[at]) for at in tenfolds)) for line in curve.lines
    )
    volumes = curve.requests_per_month
    return Plot(
        name="cost_curve",
        finding=_finding(found, curve),
        caption=(
            f"Total {what} over the horizon, by requests a month; both scales are logarithmic. The"
            f" upright line is this task: {numbers.count(found.here)} requests a month."
        ),
        spec=lambda width: _spec(found, what, width),
        data=Table(
            ("arm", *(numbers.count(volumes[at]) for at in tenfolds)),
            rows,
            caption="Total cost by requests a month",
        ),
        wide=760,
    )


def _tenfolds(curve: CostCurve) -> Sequence[int]:
    """Return the places of every tenfold of the task's own volume."""
    volumes = curve.requests_per_month
    steps = round(log10(volumes[-1] / volumes[0]))
    return range(0, len(volumes), (len(volumes) - 1) // steps)


def _finding(found: Totals, curve: CostCurve) -> str:
    middle = len(curve.requests_per_month) // 2
    least = min(curve.lines, key=lambda line: line.totals[middle])
    most = max(curve.lines, key=lambda line: line.totals[middle])
    at = f"At {numbers.count(found.here)} requests a month"
    if least is most:
        return f"{at} {least.strategy} costs {found.text(least.totals[middle])}."
    return (
        f"{at} {least.strategy} costs least, {found.text(least.totals[middle])};"
        f" {most.strategy} most, {found.text(most.totals[middle])}."
    )


def _spec(found: Totals, what: str, width: int) -> Spec:
    volumes = [v for line in found.lines for v, _ in line.points]
    costs = [t for line in found.lines for _, t in line.points]
    across = LogAxis.of(volumes, numbers.count, most=max(3, width // 110))
    up = LogAxis.of(costs, found.text, most=6)
    x = {
        "field": "x", "type": "quantitative", "scale": across.scale,
        "axis": across.axis("requests a month"),
    }  # fmt: skip
    y = {"field": "y", "type": "quantitative", "scale": up.scale, "axis": up.axis(f"total {what}")}
    rows = [
        {"arm": line.arm, "x": log10(volume), "y": log10(total)}
        for line in found.lines
        for volume, total in line.points
    ]
    return {
        "width": width,
        "height": 300,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": [
            {
                "data": {"values": [{"at": log10(found.here)}]},
                "mark": {"type": "rule", "color": sign("soft"), "strokeDash": [4, 4]},
                "encoding": {"x": {**x, "field": "at"}},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2},
                "encoding": {"x": x, "y": y, **series([line.arm for line in found.lines])},
            },
        ],
    }
