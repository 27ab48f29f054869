"""What arms score in each slice, with intervals: the chosen arm beside others."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import Comparison, Score
from harness.wording import numbers
from reports.plots.arms_shown import shown_first
from reports.plots.palette import SERIES, SHAPES, sign
from reports.section import Plot, Spec, Table

MOST_ARMS = 3
"""That are drawn: an interval each, three to a slice; the table has all."""
MOST_SLICES = 16
"""That are drawn, those with most rows; the table has all."""
BAND = 20
"""Pixels for an arm within a slice."""


@dataclass(frozen=True)
class Slices:
    """What is drawn."""

    metric: str
    arms: tuple[str, ...]
    """Of all arms with slices, the first arm first."""
    slices: tuple[tuple[str, int, tuple[Score | None, ...]], ...]
    """Name, rows and each arm's score."""


def slices(comparison: Comparison) -> Slices | None:
    """Return the numbers of the plot; None where rows have no slices."""
    rows = [row for row in shown_first(comparison) if row.slices]
    if not rows:
        return None
    scores = [{(one.column, one.value): one.score for one in row.slices} for row in rows]
    found = tuple(
        (
            f"{one.column}: {one.value}",
            one.score.n,
            tuple(of_arm.get((one.column, one.value)) for of_arm in scores),
        )
        for one in rows[0].slices
    )
    return Slices(rows[0].slices[0].score.metric, tuple(row.strategy for row in rows), found)


def slices_plot(comparison: Comparison) -> Plot | None:
    """Return the plot of scores by slice."""
    found = slices(comparison)
    if found is None:
        return None
    drawn = ", ".join(found.arms[:MOST_ARMS])
    return Plot(
        name="slices",
        finding=_finding(found),
        caption=(
            f"{found.metric} with 95% intervals of {drawn}. Short slices have wide intervals: each"
            " is by itself, so one that stands out may do so by chance."
        ),
        spec=lambda width: _spec(found, width),
        data=_table(found),
        wide=760,
    )


def _finding(found: Slices) -> str:
    known = [(s[0].value, name) for name, _, s in found.slices if s[0] and s[0].value is not None]
    if not known:
        return f"{found.metric} by slice"
    (low, worst), (high, best) = min(known), max(known)
    return (
        f"{found.arms[0]} scores from {numbers.score(low)} ({worst}) to"
        f" {numbers.score(high)} ({best})."
    )


def _table(found: Slices) -> Table:
    rows = tuple((name, f"{n}", *map(_cell, scores)) for name, n, scores in found.slices)
    heads = ("slice", "rows", *found.arms)
    return Table(heads, rows, caption=f"{found.metric} by slice, with 95% intervals")


def _cell(score: Score | None) -> str:
    if score is None or score.value is None:
        return numbers.NOT_MEASURED
    return f"{numbers.score(score.value)} ({numbers.interval(score.ci_low, score.ci_high)})"


def _spec(found: Slices, width: int) -> Spec:
    largest = sorted(found.slices, key=lambda one: -one[1])[:MOST_SLICES]
    shown = [one for one in found.slices if one in largest]
    arms = found.arms[:MOST_ARMS]
    rows = [
        {
            "slice": f"{name} ({n})",
            "arm": arm,
            "value": score.value,
            "low": score.ci_low,
            "high": score.ci_high,
        }
        for name, n, scores in shown
        for arm, score in zip(arms, scores, strict=False)
        if score is not None and score.value is not None
    ]
    colours = [sign(SERIES[at]) for at in range(len(arms))]
    key: Spec = {"title": None, "orient": "top", "labelLimit": 110}
    names: Spec = {"scale": {"domain": list(arms), "range": colours}, "legend": key}
    x = {
        "field": "value",
        "type": "quantitative",
        "scale": {"zero": False},
        "axis": {"title": found.metric, "tickCount": max(3, width // 120)},
    }
    y = {
        "field": "slice",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "labelLimit": 190 if width > 400 else 110, "ticks": False},
    }
    shape: Spec = {"field": "arm", "type": "nominal", "legend": key}
    shape["scale"] = {"domain": list(arms), "range": list(SHAPES[: len(arms)])}
    each: Spec = {"yOffset": {"field": "arm", "sort": list(arms)}}
    each["color"] = {"field": "arm", "type": "nominal", **names}
    return {
        "width": width,
        "height": max(80, len(shown) * (BAND * len(arms) + 8)),
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {
                    "x": {**x, "field": "low"}, "x2": {"field": "high"}, "y": y, **each,
                },
            },
            {
                "mark": {"type": "point", "filled": True, "size": 60, "opacity": 1},
                "encoding": {"x": x, "y": y, **each, "shape": shape},
            },
        ],
    }  # fmt: skip
