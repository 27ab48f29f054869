"""What each arm scored, or cost, in the runs of a task, in order of time.

Runs stand at equal distances, whatever time lies between them. Costs are on a logarithmic axis:
those of arms span several powers of ten.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from math import log10

from harness.analysis import PastArm, Timeline
from harness.wording import numbers
from reports.plots.axes import LogAxis
from reports.plots.lines import MOST_LINES, series
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

Words = Callable[[float | None], str]
"""How a value reads."""
TICK = 90
"""Pixels that the day of a run takes below the plot."""
MANY = 60
"""Runs; with more, the dots would hide the lines."""


@dataclass(frozen=True)
class Point:
    """One arm in one run."""

    run: int
    """Its place in time, from 1."""
    value: float
    low: float
    high: float


@dataclass(frozen=True)
class OverTime:
    """What is drawn."""

    labels: tuple[str, ...]
    """Of the runs, in order of time: the day, or the minute where all are of one day."""
    lines: tuple[tuple[str, tuple[Point, ...]], ...]
    """The arms: the chosen one of the newest run first, then by their newest score."""
    breaks: tuple[int, ...] = ()
    """Places of runs that have other test rows than the run before."""


def scores(timeline: Timeline) -> OverTime | None:
    """Return the scores with their intervals; None where no arm has any."""
    found: dict[str, list[Point]] = {}
    for place, run in enumerate(timeline.runs, start=1):
        for arm in run.arms:
            score = arm.score
            if score is not None and score.value is not None:
                low = score.value if score.ci_low is None else score.ci_low
                high = score.value if score.ci_high is None else score.ci_high
                found.setdefault(arm.name, []).append(Point(place, score.value, low, high))
    return _over_time(timeline, found, sorted(found, key=lambda name: -found[name][-1].value))


def costs(timeline: Timeline) -> tuple[OverTime, str] | None:
    """Return costs above nothing, and their unit: dollars, else seconds of machine time."""
    arms = [arm for run in timeline.runs for arm in run.arms]
    unit = "usd" if any(arm.usd is not None for arm in arms) else "s"
    found: dict[str, list[Point]] = {}
    for place, run in enumerate(timeline.runs, start=1):
        for arm in run.arms:
            cost = _cost(arm, unit)
            if cost is not None and cost > 0:
                found.setdefault(arm.name, []).append(Point(place, cost, cost, cost))
    # The same order as by scores: an arm has one colour in both plots.
    by_score = scores(timeline)
    order = [name for name, _ in by_score.lines if name in found] if by_score else list(found)
    made = _over_time(timeline, found, order)
    return None if made is None else (made, unit)


def _cost(arm: PastArm, unit: str) -> float | None:
    if arm.status != "ok":
        return None
    return arm.usd if unit == "usd" else arm.machine_s


def _over_time(
    timeline: Timeline, found: dict[str, list[Point]], order: list[str]
) -> OverTime | None:
    """Return what is drawn: the arm that the newest run chose first, the others in their order."""
    if not found:
        return None
    chosen = {arm.name for arm in timeline.runs[-1].arms if arm.chosen}
    order = sorted(order, key=lambda name: name not in chosen)
    other = set(timeline.other_rows)
    return OverTime(
        _labels([run.when for run in timeline.runs]),
        tuple((name, tuple(found[name])) for name in order),
        tuple(at for at, run in enumerate(timeline.runs, start=1) if run.name in other),
    )


def _labels(moments: Sequence[str]) -> tuple[str, ...]:
    days = [moment[:10] for moment in moments]
    return tuple(m[11:] or m for m in moments) if len(set(days)) == 1 else tuple(days)


def scores_plot(timeline: Timeline, number: int) -> Plot | None:
    """Return the plot of scores over time.

    Args:
        timeline: runs of one task.
        number: of the task on the page.
    """
    found = scores(timeline)
    if found is None:
        return None
    name, points = found.lines[0]
    breaks = " Dashed upright lines: other test rows from here on." if found.breaks else ""
    return Plot(
        name=f"scores_over_time_{number}",
        finding=f"{name}, {timeline.metric}: {_change(points, numbers.score)}.",
        caption=(
            "Runs in order of time, at equal distances. Upright bars are each score's own 95%"
            f" interval.{breaks}{_grey(found)}"
        ),
        spec=lambda width: _spec(found, width, _linear(found, timeline.metric), bars=True),
        data=_table(found, f"{timeline.metric} over time", numbers.score),
        wide=560,
    )


def costs_plot(timeline: Timeline, number: int) -> Plot | None:
    """Return the plot of costs over time; see `scores_plot`."""
    made = costs(timeline)
    if made is None:
        return None
    found, unit = made
    words = numbers.usd if unit == "usd" else numbers.duration
    title = "total cost over the horizon" if unit == "usd" else "machine time over the horizon"
    name, points = found.lines[0]
    return Plot(
        name=f"costs_over_time_{number}",
        finding=f"{name}, {title}: {_change(points, words)}.",
        caption=f"Runs in order of time; the scale of {title} is logarithmic.{_grey(found)}",
        spec=lambda width: _spec(found, width, _logarithmic(found, title, words), bars=False),
        data=_table(found, f"{title}, by run", words),
        wide=560,
    )


def _change(points: Sequence[Point], words: Words) -> str:
    first, last = points[0].value, points[-1].value
    return f"{words(first)} at first, {words(last)} now" if len(points) > 1 else words(last)


def _grey(found: OverTime) -> str:
    more = len(found.lines) - MOST_LINES
    return f" {more} more arms are grey." if more > 0 else ""


def _table(found: OverTime, caption: str, words: Words) -> Table:
    """Return the values of the coloured arms, a run a row; the page's own table has all arms."""
    drawn = found.lines[:MOST_LINES]
    values = [{point.run: words(point.value) for point in points} for _, points in drawn]
    rows = tuple(
        (label, *(of_arm.get(run, numbers.NOT_MEASURED) for of_arm in values))
        for run, label in enumerate(found.labels, start=1)
    )
    return Table(("run of", *(name for name, _ in drawn)), rows, caption=caption)


@dataclass(frozen=True)
class Upright:
    """The upright axis of a plot."""

    encoding: Spec
    logarithmic: bool


def _linear(found: OverTime, title: str) -> Upright:
    low = min(p.low for _, points in found.lines for p in points)
    high = max(p.high for _, points in found.lines for p in points)
    room = max(0.04 * (high - low), 0.005)
    return Upright(
        {
            "field": "y",
            "type": "quantitative",
            "scale": {"domain": [low - room, high + room], "zero": False, "nice": False},
            "axis": {"title": title, "tickCount": 6, "format": ".2~f"},
        },
        logarithmic=False,
    )


def _logarithmic(found: OverTime, title: str, words: Words) -> Upright:
    up = LogAxis.of([p.value for _, points in found.lines for p in points], words, most=6)
    axis = {"scale": up.scale, "axis": up.axis(title)}
    return Upright({"field": "y", "type": "quantitative", **axis}, logarithmic=True)


def _spec(found: OverTime, width: int, upright: Upright, *, bars: bool) -> Spec:
    scale = log10 if upright.logarithmic else float
    rows = [
        {"arm": name, "x": p.run, "y": scale(p.value), "low": scale(p.low), "high": scale(p.high)}
        for name, points in found.lines
        for p in points
    ]
    x, y, told = _across(found, width), upright.encoding, series([name for name, _ in found.lines])
    size = 40 if len(found.labels) <= MANY else 8
    layers: list[Spec] = [
        {
            "mark": {"type": "line", "strokeWidth": 2, "point": {"size": size}},
            "encoding": {"x": x, "y": y, **told},
        }
    ]
    if bars:
        ends = {"x": x, "y": {**y, "field": "low"}, "y2": {"field": "high"}}
        mark = {"type": "rule", "strokeWidth": 1}
        layers.insert(0, {"mark": mark, "encoding": {**ends, "color": told["color"]}})
    if found.breaks:
        mark = {"type": "rule", "color": sign("soft"), "strokeDash": [4, 4]}
        values = [{"at": at - 0.5} for at in found.breaks]
        layers.insert(
            0,
            {"data": {"values": values}, "mark": mark, "encoding": {"x": {**x, "field": "at"}}},
        )
    return {
        "width": width,
        "height": 300,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": layers,
    }


def _across(found: OverTime, width: int) -> Spec:
    """Return the axis of runs, with as many of their days as there is room for."""
    n = len(found.labels)
    every = -(-n * TICK // max(width - 80, TICK))
    ticks = list(range(1, n + 1, every))
    words = ",".join(f"'{found.labels[at - 1]}'" for at in ticks)
    return {
        "field": "x",
        "type": "quantitative",
        "scale": {"domain": [0.6, n + 0.4], "nice": False, "zero": False},
        "axis": {
            "title": "runs, in order of time",
            "values": ticks,
            "labelExpr": f"[{words}][indexof({ticks}, datum.value)]",
            "grid": False,
        },
    }
