"""How far each arm moved from one run to another, in points, with its paired interval."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import RunsCompared
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

MOST = 24
"""Arms that are drawn; the table has all."""
ROW = 30
"""Pixels an arm."""
LONGEST_NAME = 150
"""Pixels; a longer name is cut."""


@dataclass(frozen=True)
class Moved:
    """One arm's change in points: positive where it scores higher now."""

    arm: str
    value: float
    low: float
    high: float
    verdict: str


def moved(found: RunsCompared) -> tuple[Moved, ...]:
    """Return the numbers of the plot: arms of which any shared row counts."""
    return tuple(
        Moved(
            arm.name,
            100 * arm.change.change,
            100 * arm.change.ci_low,
            100 * arm.change.ci_high,
            arm.verdict,
        )
        for arm in found.arms
        if arm.change is not None
    )


def changes_plot(found: RunsCompared) -> Plot | None:
    """Return the plot; None where nothing counts."""
    lines = moved(found)
    if not lines:
        return None
    most = max(lines, key=lambda line: abs(line.value))
    more = len(lines) - MOST
    return Plot(
        name="changes",
        finding=(
            f"{most.arm} moved most: {most.value:+.1f} points ({most.low:+.1f} to"
            f" {most.high:+.1f}), {most.verdict}."
        ),
        caption=(
            "Right of 0: the second run scores higher. Lines are 95% intervals, paired on the"
            f" shared rows.{f' {more} more arms are in the table.' if more > 0 else ''}"
        ),
        spec=lambda width: _spec(lines[:MOST], width),
        data=Table(
            ("arm", "points", "95% interval", "change"),
            tuple(
                (one.arm, f"{one.value:+.1f}", f"{one.low:+.1f} to {one.high:+.1f}", one.verdict)
                for one in lines
            ),
            caption="Change of each arm's score from the first run to the second",
        ),
        wide=760,
    )


def _shape() -> Spec:
    """Return shapes that say what the colours say."""
    return {
        "field": "change",
        "type": "nominal",
        "scale": {
            "domain": ["better", "worse", "no significant change"],
            "range": ["triangle-up", "triangle-down", "circle"],
        },
        "legend": None,
    }


def _spec(lines: tuple[Moved, ...], width: int) -> Spec:
    names = min(LONGEST_NAME if width > 400 else 100, max(len(a.arm) for a in lines) * 7 + 8)
    low, high = min(0.0, *(a.low for a in lines)), max(0.0, *(a.high for a in lines))
    room = max(0.04 * (high - low), 0.5)
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"domain": [low - room, high + room], "nice": False, "zero": False},
        "axis": {"title": "second run less first, points", "tickCount": max(3, width // 90)},
    }
    y = {
        "field": "arm",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "labelLimit": names, "domain": False, "ticks": False, "grid": True},
    }
    colour = {
        "field": "change",
        "type": "nominal",
        "scale": {
            "domain": ["better", "worse", "no significant change"],
            "range": [sign("good"), sign("bad"), sign("grey")],
        },
        "legend": None,
    }
    rows = [
        {"arm": a.arm, "value": a.value, "low": a.low, "high": a.high, "change": a.verdict}
        for a in lines
    ]
    return {
        "width": width - names - 30,
        "height": ROW * len(lines) + 6,
        "autosize": "none",
        "padding": {"left": names + 12, "right": 18, "top": 6, "bottom": 46},
        "data": {"values": rows},
        "layer": [
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
                "encoding": {"x": x, "y": y, "color": colour, "shape": _shape()},
            },
        ],
    }
