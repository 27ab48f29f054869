"""What typos, casing, noise and reordered options do to a score: before and after, on one line."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import Change, Comparison
from harness.wording import numbers
from reports.plots.arms_shown import shown_first
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

MOST_LINES = 24
"""Of arms and changes of the input that are drawn; the table has all."""
ROW = 26
"""Pixels a line."""


@dataclass(frozen=True)
class Robustness:
    """What is drawn: arm, change of the input, the score before and after."""

    lines: tuple[tuple[str, str, Change], ...]


def robustness(comparison: Comparison) -> Robustness | None:
    """Return the numbers of the plot; None where nothing was perturbed."""
    found = tuple(
        (row.strategy, one.name, one.score)
        for row in shown_first(comparison)
        for one in row.diagnostics.robustness
        if one.score is not None
    )
    return Robustness(found) if found else None


def robustness_plot(comparison: Comparison) -> Plot | None:
    """Return the plot of robustness."""
    found = robustness(comparison)
    if found is None:
        return None
    arm, name, worst = min(found.lines, key=lambda line: line[2].change)
    if worst.change < 0:
        finding = (
            f"{name} costs {arm} most: {numbers.score(worst.before)} →"
            f" {numbers.score(worst.after)} ({worst.metric}, {worst.n} rows)."
        )
    else:
        finding = "No change of the input costs any arm points on these rows."
    return Plot(
        name="robustness",
        finding=finding,
        caption="Open: the rows as they are. Filled: the same rows changed. Red: the score falls.",
        spec=lambda width: _spec(found, width),
        data=_table(found),
        wide=560,
    )


def _table(found: Robustness) -> Table:
    rows = tuple(
        (
            arm,
            name,
            numbers.score(one.before),
            numbers.score(one.after),
            f"{one.change:+.3f} ({one.ci_low:+.3f} to {one.ci_high:+.3f})",
            f"{one.n}",
        )
        for arm, name, one in found.lines
    )
    heads = ("arm", "change of the input", "before", "after", "difference (95% interval)", "rows")
    return Table(heads, rows, caption="Scores before and after a change of the input")


def _spec(found: Robustness, width: int) -> Spec:
    lines = found.lines[:MOST_LINES]
    rows = [
        {
            "line": f"{arm}, {name}",
            "before": one.before,
            "after": one.after,
            "falls": "falls" if one.change < 0 else "holds",
        }
        for arm, name, one in lines
    ]
    x = {
        "type": "quantitative",
        "scale": {"zero": False},
        "axis": {"title": lines[0][2].metric, "tickCount": max(3, width // 120)},
    }
    y = {
        "field": "line",
        "type": "nominal",
        "sort": None,
        "axis": {"title": None, "labelLimit": 220 if width > 400 else 120, "ticks": False},
    }
    colour = {
        "field": "falls",
        "type": "nominal",
        "legend": None,
        "scale": {"domain": ["falls", "holds"], "range": [sign("bad"), sign("good")]},
    }
    before, after = {**x, "field": "before"}, {**x, "field": "after"}
    point = {"type": "point", "size": 70, "opacity": 1}
    return {
        "width": width,
        "height": max(60, ROW * len(lines)),
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "rule", "strokeWidth": 2},
                "encoding": {"x": before, "x2": {"field": "after"}, "y": y, "color": colour},
            },
            {
                "mark": {**point, "fill": sign("paper"), "filled": False},
                "encoding": {"x": before, "y": y, "color": colour},
            },
            {
                "mark": {**point, "filled": True},
                "encoding": {"x": after, "y": y, "color": colour},
            },
        ],
    }
