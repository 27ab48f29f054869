"""Plot B: how far each arm is ahead of the choice, or behind it, with one interval a pair."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import Comparison, Difference, ordered, status
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

MOST = 12
"""Arms that are drawn, in the rule's order; the table has all."""
ROW = 30
"""Pixels an arm."""
LONGEST_NAME = 150
"""Pixels; a longer name is cut."""


@dataclass(frozen=True)
class Line:
    """One arm's difference to the choice in points: positive where it scores higher."""

    arm: str
    value: float
    low: float
    high: float
    status: str


@dataclass(frozen=True)
class Differences:
    """What is drawn."""

    choice: str
    margin: float
    """In points."""
    lines: tuple[Line, ...]


def differences(comparison: Comparison) -> Differences | None:
    """Return the numbers of the plot; None where no arm is set against another."""
    choice = comparison.recommendation.choice
    by_arm = {one.strategy: one for one in comparison.differences}
    rows = [row for row in ordered(comparison) if row.strategy in by_arm]
    if choice is None or not rows:
        return None
    lines = tuple(_line(by_arm[row.strategy], status(row, comparison)) for row in rows)
    return Differences(choice, 100 * float(comparison.task["margin"]), lines)


def _line(one: Difference, standing: str) -> Line:
    return Line(one.strategy, 100 * one.value, 100 * one.ci_low, 100 * one.ci_high, standing)


def differences_plot(comparison: Comparison) -> Plot | None:
    """Return plot B."""
    found = differences(comparison)
    if found is None:
        return None
    nearest = max(found.lines, key=lambda line: line.value)
    finding = (
        f"Closest to {found.choice} comes {nearest.arm}: {_points(nearest.value)} points"
        f" ({_points(nearest.low)} to {_points(nearest.high)})."
    )
    more = len(found.lines) - MOST
    table = Table(
        ("arm", "points", "95% interval", "in the rule's words"),
        tuple(
            (a.arm, _points(a.value), f"{_points(a.low)} to {_points(a.high)}", a.status)
            for a in found.lines
        ),
        caption=f"Difference of each arm to {found.choice}",
    )
    return Plot(
        name="differences",
        finding=finding,
        caption=(
            f"Left of 0: worse than {found.choice}. Lines are 95% intervals, each pair by itself;"
            f" shaded: the accepted margin of {found.margin:g} points."
            + (f" {more} more arms are in the table." if more > 0 else "")
        ),
        spec=lambda width: _spec(found, width),
        data=table,
        wide=560,
    )


def _points(value: float) -> str:
    text = f"{value:+.0f}" if abs(value) >= 9.95 else f"{round(value, 1) + 0.0:+.1f}"
    return text.replace("-", "−")


def _spec(found: Differences, width: int) -> Spec:
    lines = found.lines[:MOST]
    names = min(LONGEST_NAME if width > 400 else 100, round(max(len(a.arm) for a in lines) * 7) + 8)
    low = min(0.0, -found.margin, *(line.low for line in lines))
    high = max(0.0, *(line.high for line in lines))
    room = 0.04 * (high - low)
    scale = {"domain": [low - room, high + room], "nice": False, "zero": False}
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": scale,
        "axis": {
            "title": f"difference to {found.choice}, points",
            "tickCount": max(3, width // 90),
        },
    }
    y = {
        "field": "arm",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "labelLimit": names, "domain": False, "ticks": False, "grid": True},
    }
    colour = {
        "field": "status",
        "type": "nominal",
        "scale": {"domain": ["worse", "other"], "range": [sign("bad"), sign("dot")]},
        "legend": None,
    }
    rows = [_row(line, found.margin) for line in lines]
    return {
        "width": width - names - 30,
        "height": ROW * len(lines) + 6,
        "autosize": "none",
        "padding": {"left": names + 12, "right": 18, "top": 6, "bottom": 46},
        "data": {"values": rows},
        "layer": [
            {
                "data": {"values": [{"from": -found.margin, "to": 0}]},
                "mark": {"type": "rect", "color": sign("good"), "opacity": 0.16},
                "encoding": {"x": {**x, "field": "from"}, "x2": {"field": "to"}},
            },
            {
                "data": {"values": [{"at": 0}]},
                "mark": {"type": "rule", "color": sign("ink"), "strokeWidth": 1},
                "encoding": {"x": {**x, "field": "at"}},
            },
            {
                "mark": {"type": "rule", "strokeWidth": 3},
                "encoding": {
                    "x": {**x, "field": "low"},
                    "x2": {"field": "high"},
                    "y": y,
                    "color": colour,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 90, "opacity": 1},
                "encoding": {"x": x, "y": y, "color": colour},
            },
            {
                "transform": [{"filter": "datum.near"}],
                "mark": {"type": "text", "dy": -11, "fontSize": 11, "color": sign("soft")},
                "encoding": {"x": x, "y": y, "text": {"field": "label"}},
            },
        ],
    }


def _row(line: Line, margin: float) -> Spec:
    return {
        "arm": line.arm,
        "value": line.value,
        "low": line.low,
        "high": line.high,
        "label": _points(line.value),
        "near": line.high >= -margin,
        "status": "worse" if line.high < 0 else "other",
    }
