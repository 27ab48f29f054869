"""The plot of forecasts: the range of preparation and serving time, with what was measured."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

from harness.analysis import Comparison, ordered
from harness.wording import numbers
from reports.plots.axes import LogAxis
from reports.plots.by_arm import MOST, arms_axis, frame
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

LEAST_S = 0.1
"""Below this a time is drawn at this: nobody plans by it, and 0 has no logarithm."""


@dataclass(frozen=True)
class Foreseen:
    """The whole time of one arm: forecast from `low_s` to `high_s`, and measured."""

    arm: str
    low_s: float
    high_s: float
    measured_s: float | None

    @property
    def inside(self) -> bool | None:
        """Whether what was measured lies in the range."""
        if self.measured_s is None:
            return None
        return max(self.low_s, 0) <= self.measured_s <= self.high_s


def foreseen(comparison: Comparison) -> list[Foreseen]:
    """Return the numbers of the plot: preparation and serving together, in the rule's order."""
    found = []
    for row in ordered(comparison):
        one = row.foresight
        if one is None:
            continue
        ends = (
            one.fit_wall_low_s,
            one.serve_wall_low_s,
            one.fit_wall_high_s,
            one.serve_wall_high_s,
        )
        if any(end is None for end in ends):
            continue
        low, high = (ends[0] or 0) + (ends[1] or 0), (ends[2] or 0) + (ends[3] or 0)
        whole = (
            None
            if one.serve_wall_s is None or row.fit_wall_s is None
            else one.serve_wall_s + row.fit_wall_s
        )
        found.append(Foreseen(row.strategy, low, high, whole))
    return found[:MOST]


def forecast_plot(comparison: Comparison) -> Plot | None:
    """Return the plot; None where no time was forecast."""
    found = foreseen(comparison)
    if not found:
        return None
    known = [one for one in found if one.inside is not None]
    inside = sum(bool(one.inside) for one in known)
    return Plot(
        name="forecasts",
        finding=f"{inside} of {len(known)} arms took as long as forecast.",
        caption="Preparation and serving together: bars are forecast ranges, dots what was measured"
        " (red: outside its range).",
        spec=lambda width: _spec(found, width),
        data=Table(
            ("arm", "forecast", "measured"),
            tuple(
                (o.arm, numbers.span(o.low_s, o.high_s), numbers.duration(o.measured_s))
                for o in found
            ),
            caption="Time forecast and measured",
        ),
        wide=560,
    )


def _spec(found: list[Foreseen], width: int) -> Spec:
    arms = [one.arm for one in found]
    times = [t for one in found for t in (one.low_s, one.high_s, one.measured_s) if t is not None]
    axis = LogAxis.of([max(t, LEAST_S) for t in times], numbers.duration, most=max(3, width // 100))
    rows = [
        {
            "arm": one.arm,
            "low": log10(max(one.low_s, LEAST_S)),
            "high": log10(max(one.high_s, LEAST_S)),
            "inside": "outside" if one.inside is False else "inside",
            **({} if one.measured_s is None else {"x": log10(max(one.measured_s, LEAST_S))}),
        }
        for one in found
    ]
    x = {
        "type": "quantitative",
        "scale": axis.scale,
        "axis": axis.axis("time, preparation and serving"),
    }
    y = arms_axis(arms, width)
    colour = {
        "field": "inside", "type": "nominal", "legend": None,
        "scale": {"domain": ["inside", "outside"], "range": [sign("ink"), sign("bad")]},
    }  # fmt: skip
    return {
        **frame(arms, width),
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "height": 9, "color": sign("bar")},
                "encoding": {"x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y},
            },
            {
                "transform": [{"filter": "isValid(datum.x)"}],
                "mark": {"type": "point", "filled": True, "size": 70, "opacity": 1},
                "encoding": {"x": {**x, "field": "x"}, "y": y, "color": colour},
            },
        ],
    }
