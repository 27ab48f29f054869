"""Plot A: each arm's score against what it costs in time, memory or money. Numbers first.

Knows nothing of a page: `points` are the numbers, `score_against` the plot of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from math import log10

from harness.analysis import ArmResult, Comparison, ordered
from harness.wording import numbers
from reports.plots.axes import LogAxis, placed
from reports.plots.palette import sign
from reports.section import Choice, Plot, Spec, Table

MOST_NAMED = 6
"""Arms whose names stand beside their points; further ones are grey and in the table."""
LEFT, RIGHT, TOP, BOTTOM = 48, 16, 14, 46
"""Pixels around a plot's inner part."""


@dataclass(frozen=True)
class Against:
    """What a score is set against."""

    name: str
    label: str
    """What picks it: "latency"."""
    title: str
    """Of its axis, without a unit: its ticks have one."""
    of: Callable[[ArmResult], float | None]
    words: Callable[[float], str]


AGAINST = (
    Against("latency", "latency", "latency p95 of a request", lambda r: r.p95_s, numbers.duration),
    Against(
        "memory", "memory", "memory while serving (peak)",
        lambda r: r.predict_peak_bytes and r.predict_peak_bytes / 2**20,
        lambda mib: f"{numbers.significant(mib)} MiB",
    ),
    Against("cost", "cost", "cost over the horizon", lambda r: r.total_usd, numbers.usd),
    Against("preparation", "preparation", "preparation", lambda r: r.fit_wall_s, numbers.duration),
)  # fmt: skip


@dataclass(frozen=True)
class Point:
    """One arm in the plot.

    Attributes:
        arm: its name.
        x: what it takes, in the unit of the axis.
        y: its score, with its interval from `low` to `high`.
        kind: "chosen", "tuned", "other" or, where it is not named, "further".
        best: no other arm scores more and takes less (it is on the frontier).
    """

    arm: str
    x: float
    y: float
    low: float
    high: float
    kind: str
    tuned: bool
    best: bool = False


@dataclass(frozen=True)
class Points:
    """What is drawn: points, the margin's band, and who has no point."""

    metric: str
    points: tuple[Point, ...]
    band: tuple[float, float] | None
    """From the best score less the margin up to the best score."""
    absent: tuple[str, ...]
    """Arms that finished, for which there is no figure, or 0."""


def points(comparison: Comparison, against: Against) -> Points:
    """Return the numbers of the plot of a comparison."""
    finished = [row for row in ordered(comparison) if row.score and row.score.value is not None]
    shown = [row for row in finished if (against.of(row) or 0.0) > 0]
    made = [_point(row, against, comparison, at) for at, row in enumerate(shown)]
    scores = [row.score.value for row in finished if row.score and row.score.value is not None]
    margin = float(comparison.task["margin"])
    return Points(
        str(comparison.task["metric"]),
        tuple(replace(point, best=_unbeaten(point, made)) for point in made),
        (max(scores) - margin, max(scores)) if scores else None,
        tuple(row.strategy for row in finished if row not in shown),
    )


def _point(row: ArmResult, against: Against, comparison: Comparison, place: int) -> Point:
    score, x = row.score, against.of(row)
    if score is None or score.value is None or x is None:
        raise ValueError(f"{row.strategy} has no point")
    chosen = row.strategy == comparison.recommendation.choice
    kind = "chosen" if chosen else "further" if place >= MOST_NAMED else "other"
    low = score.value if score.ci_low is None else score.ci_low
    high = score.value if score.ci_high is None else score.ci_high
    return Point(row.strategy, float(x), score.value, low, high, kind, bool(row.tunes))


def _unbeaten(point: Point, others: Sequence[Point]) -> bool:
    return not any(
        o.y >= point.y and o.x <= point.x and (o.y, o.x) != (point.y, point.x) for o in others
    )


def score_against(comparison: Comparison) -> Choice | None:
    """Return plot A: a plot for each of what arms take, where any arm has figures."""
    made = [(against, points(comparison, against)) for against in AGAINST]
    plots = tuple(
        (against.label, _plot(comparison, against, found))
        for against, found in made
        if len(found.points) > 1
    )
    return Choice("against", "Score against", plots) if plots else None


def _plot(comparison: Comparison, against: Against, found: Points) -> Plot:
    absent = f" Not drawn: {', '.join(found.absent)} (nothing or unknown)." if found.absent else ""
    return Plot(
        name=f"score_{against.name}",
        finding=_finding(against, found),
        caption=(
            "Green: the choice; diamonds: fine-tuned. Lines are 95% intervals; the band is the"
            f" margin below the best; the dashed line joins arms that no other beats in"
            f" both.{absent}"
        ),
        spec=lambda width: _spec(against, found, width),
        data=Table(
            ("arm", found.metric, "95% interval", against.title),
            tuple(
                (p.arm, numbers.score(p.y), numbers.interval(p.low, p.high), against.words(p.x))
                for p in found.points
            ),
            marked=comparison.recommendation.choice,
            caption=f"{found.metric} against {against.title}",
        ),
        wide=560,
    )


def _finding(against: Against, found: Points) -> str:
    top = max(found.points, key=lambda point: point.y)
    least = min(found.points, key=lambda point: point.x)
    text = f"{top.arm} scores highest ({numbers.score(top.y)}) at {against.words(top.x)}"
    if least.arm == top.arm:
        return f"{text}, which is also the least {against.label}."
    return (
        f"{text}; {least.arm} takes least, {against.words(least.x)}, and scores"
        f" {numbers.score(least.y)}."
    )


def _spec(against: Against, found: Points, width: int) -> Spec:
    inner, height = width - LEFT - RIGHT, 300
    axis = LogAxis.of((p.x for p in found.points), against.words, most=max(3, inner // 75))
    low, high = _span(found)
    places = _labels(found, axis, (low, high), (inner, height))
    drawn = [{**_row(p), **place} for p, place in zip(found.points, places, strict=True)]
    x = {
        "field": "x",
        "type": "quantitative",
        "scale": axis.scale,
        "axis": axis.axis(against.title),
    }
    y = {
        "field": "y",
        "type": "quantitative",
        "scale": {"domain": [low, high], "nice": False, "zero": False},
        "axis": {"title": found.metric, "tickCount": 5, "format": ".2~f", "titleX": -36},
    }
    layers = [*_band(found, y), _frontier(x, y), *_marks(x, y), *_names(drawn, x, y)]
    return {
        "width": inner,
        "height": height,
        "autosize": "none",
        "padding": {"left": LEFT, "right": RIGHT, "top": TOP, "bottom": BOTTOM},
        "data": {"values": drawn},
        "layer": layers,
    }


def _span(found: Points) -> tuple[float, float]:
    """Return the ends of the axis of scores: all intervals, in steps of tenths where it is wide."""
    low = min(point.low for point in found.points)
    high = max([point.high for point in found.points] + [found.band[1] if found.band else 0.0])
    room = 0.06 * max(high - low, 0.05)
    return (0.0 if 0 <= low < 0.15 else low - room), (1.0 if 0.85 < high <= 1 else high + room)


def _row(point: Point) -> Spec:
    return {
        "arm": point.arm,
        "x": log10(point.x),
        "y": point.y,
        "low": point.low,
        "high": point.high,
        "kind": point.kind,
        "tuned": "fine-tuned" if point.tuned else "not fine-tuned",
        "best": point.best,
    }


def _labels(
    found: Points, axis: LogAxis, span: tuple[float, float], size: tuple[int, int]
) -> list[Spec]:
    """Return where each arm's name stands; nowhere for arms that are not named."""
    named = [point for point in found.points if point.kind != "further"]
    places = placed(
        [
            (
                (log10(p.x) - axis.low) / (axis.high - axis.low) * size[0],
                (span[1] - p.y) / (span[1] - span[0]) * size[1],
                p.arm,
            )
            for p in named
        ],
        *size,
    )
    by_arm = {p.arm: place for p, place in zip(named, places, strict=True) if place}
    return [
        {"dx": place.dx, "dy": place.dy, "align": place.align}
        if (place := by_arm.get(point.arm))
        else {}
        for point in found.points
    ]


def _band(found: Points, y: Spec) -> list[Spec]:
    if found.band is None or found.band[0] == found.band[1]:
        return []
    low, high = found.band
    return [
        {
            "data": {"values": [{"low": low, "high": high}]},
            "mark": {"type": "rect", "color": sign("good"), "opacity": 0.12, "clip": True},
            "encoding": {"y": {**y, "field": "low"}, "y2": {"field": "high"}},
        }
    ]


def _frontier(x: Spec, y: Spec) -> Spec:
    return {
        "transform": [{"filter": "datum.best"}],
        "mark": {
            "type": "line", "interpolate": "step-after", "strokeDash": [4, 4], "strokeWidth": 1,
            "color": sign("grey"),
        },
        "encoding": {"x": x, "y": y, "order": {"field": "x"}},
    }  # fmt: skip


def _marks(x: Spec, y: Spec) -> list[Spec]:
    colour = {
        "field": "kind",
        "type": "nominal",
        "scale": {
            "domain": ["chosen", "other", "further"],
            "range": [sign("good"), sign("dot"), sign("grey")],
        },
        "legend": None,
    }
    shape = {
        "field": "tuned",
        "type": "nominal",
        "scale": {
            "domain": ["not fine-tuned", "fine-tuned"],
            "range": ["circle", "diamond"],
        },
        "legend": None,
    }
    return [
        {
            "mark": {"type": "rule", "strokeWidth": 1.5},
            "encoding": {
                "x": x,
                "y": {**y, "field": "low"},
                "y2": {"field": "high"},
                "color": colour,
            },
        },
        {
            "mark": {"type": "point", "filled": True, "size": 110, "opacity": 1},
            "encoding": {"x": x, "y": y, "color": colour, "shape": shape},
        },
        {
            "transform": [{"filter": "datum.kind == 'chosen'"}],
            "mark": {
                "type": "point",
                "filled": False,
                "size": 330,
                "color": sign("good"),
                "opacity": 1,
            },
            "encoding": {"x": x, "y": y, "shape": shape},
        },
    ]


def _names(drawn: Sequence[Spec], x: Spec, y: Spec) -> list[Spec]:
    """Return a layer of text for each place of a name: a mark's offset is one for all its texts."""
    places = {(row["dx"], row["dy"], row["align"]) for row in drawn if "dx" in row}
    return [
        {
            "transform": [{"filter": f"datum.dx == {dx} && datum.dy == {dy}"}],
            "mark": {
                "type": "text", "dx": dx, "dy": dy, "align": align, "baseline": "middle",
                "fontSize": 12, "color": sign("ink"),
            },
            "encoding": {"x": x, "y": y, "text": {"field": "arm"}},
        }
        for dx, dy, align in sorted(places)
    ]  # fmt: skip
