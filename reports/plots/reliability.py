"""How often answers of a probability are right: on the diagonal, probabilities mean what they say.

Bins with few answers have wide intervals; they are drawn for the arm that a reader meets first.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import Comparison
from harness.analysis.schema.weaknesses import ReliabilityBin
from harness.wording import numbers
from reports.plots.arms_shown import shown_first
from reports.plots.lines import MOST_LINES, series
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table


@dataclass(frozen=True)
class Reliability:
    """What is drawn: each arm's bins, the first arm first."""

    lines: tuple[tuple[str, tuple[ReliabilityBin, ...]], ...]


def reliability(comparison: Comparison) -> Reliability | None:
    """Return the numbers of the plot; None where no arm has bins."""
    rows = [row for row in shown_first(comparison) if row.sureness and row.sureness.bins]
    lines = tuple((row.strategy, row.sureness.bins) for row in rows if row.sureness)
    return Reliability(lines) if lines else None


def reliability_plot(comparison: Comparison) -> Plot | None:
    """Return the plot of reliability."""
    found = reliability(comparison)
    if found is None:
        return None
    name, bins = found.lines[0]
    surest = bins[-1]
    return Plot(
        name="reliability",
        finding=(
            f"{name}: {numbers.percent(surest.right)} of its surest {surest.n} answers are right;"
            f" it said {numbers.percent(surest.sure)}."
        ),
        caption=(
            "Answers in groups of much the same probability. On the dashed line, they are right as"
            f" often as they say; below it, less often. Lines of {name}: 95% intervals."
        ),
        spec=lambda width: _spec(found, width),
        data=_table(found),
        wide=560,
    )


def _table(found: Reliability) -> Table:
    rows = tuple(
        (name, _percent(one.sure), _percent(one.right), _interval(one), f"{one.n}")
        for name, bins in found.lines
        for one in bins
    )
    heads = ("arm", "mean probability", "right", "95% interval", "answers")
    return Table(heads, rows, caption="Probability against share of right answers")


def _percent(share: float) -> str:
    return numbers.percent(share)


def _interval(one: ReliabilityBin) -> str:
    return f"{numbers.percent(one.ci_low)} to {numbers.percent(one.ci_high)}"


def _spec(found: Reliability, width: int) -> Spec:
    drawn = found.lines[:MOST_LINES]
    rows = [
        {"arm": name, "sure": one.sure, "right": one.right, "low": one.ci_low, "high": one.ci_high}
        for name, bins in drawn
        for one in bins
    ]
    first = [row for row in rows if row["arm"] == drawn[0][0]]
    told = series([name for name, _ in drawn])
    x, y = _share("sure", "probability that the arm gives"), _share("right", "share that is right")
    diagonal = [{"sure": 0, "right": 0}, {"sure": 1, "right": 1}]
    return {
        "width": width,
        "height": 320,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": [
            {
                "data": {"values": diagonal},
                "mark": {"type": "line", "color": sign("soft"), "strokeDash": [3, 3]},
                "encoding": {"x": x, "y": y},
            },
            {
                "data": {"values": first},
                "mark": {"type": "rule", "strokeWidth": 1, "opacity": 0.6},
                "encoding": {
                    "x": x,
                    "y": {**y, "field": "low"},
                    "y2": {"field": "high"},
                    "color": told["color"],
                },
            },
            {
                "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 30}},
                "encoding": {"x": x, "y": y, **told},
            },
        ],
    }


def _share(field: str, title: str) -> Spec:
    return {
        "field": field,
        "type": "quantitative",
        "scale": {"domain": [0, 1]},
        "axis": {"title": title, "format": ".0%", "tickCount": 5},
    }
