"""The plot of one arm's training: losses on its own rows and on rows held back, by step."""

from __future__ import annotations

from harness.analysis import ArmResult, Comparison, ordered
from harness.analysis.schema.measured_curves import LossCurve
from harness.wording import numbers
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

MOST_ARMS = 4
"""Arms whose training is drawn, in the rule's order."""
KINDS = ("training", "validation")


def loss_plots(comparison: Comparison) -> list[Plot]:
    """Return a plot for each arm that logged a training: of its first seed, and its first part."""
    logged = [row for row in ordered(comparison) if row.diagnostics.losses]
    return [_plot(row, row.diagnostics.losses[0], at) for at, row in enumerate(logged[:MOST_ARMS])]


def _plot(row: ArmResult, curve: LossCurve, at: int) -> Plot:
    part = f", part {curve.part}" if curve.part else ""
    return Plot(
        name=f"losses_{at + 1}",
        finding=finding(row.strategy, curve),
        caption=f"{row.strategy}{part}, seed {curve.seed}: loss by training step"
        + (
            ", logarithmic scale; the dashed line is the step that is kept."
            if curve.lowest
            else "."
        ),
        spec=lambda width: _spec(curve, width),
        data=_table(row.strategy, curve),
        wide=560,
    )


def finding(arm: str, curve: LossCurve) -> str:
    """Return what the losses of a training come to, in a sentence."""
    if not curve.validation or curve.lowest is None:
        return f"{arm}: training loss ends at {numbers.score(curve.train[-1][1])}."
    lowest = min(loss for _, loss in curve.validation)
    last_step, last = curve.validation[-1]
    if last_step == curve.lowest:
        return f"{arm}: validation loss still fell at the last step {last_step}, to {lowest:.2f}."
    return (
        f"{arm}: validation loss is lowest at step {curve.lowest} ({lowest:.2f}) and ends at"
        f" {last:.2f} at step {last_step}."
    )


def _table(arm: str, curve: LossCurve) -> Table:
    train = dict(curve.train)
    rows = tuple(
        (f"{step}", numbers.score(train.get(step)), numbers.score(loss))
        for step, loss in curve.validation or [(step, None) for step, _ in curve.train[-10:]]
    )
    return Table(("step", "training loss", "validation loss"), rows, caption=f"Losses of {arm}")


def _spec(curve: LossCurve, width: int) -> Spec:
    both = zip(KINDS, (curve.train, curve.validation), strict=True)
    rows: list[Spec] = [
        {"kind": kind, "step": step, "loss": loss} for kind, line in both for step, loss in line
    ]
    positive = all(row["loss"] > 0 for row in rows)
    x = {
        "field": "step",
        "type": "quantitative",
        "axis": {"title": "training step", "tickCount": 5},
    }
    y = {
        "field": "loss",
        "type": "quantitative",
        "scale": {"type": "log" if positive else "linear", "zero": False},
        "axis": {"title": "loss" + (" (log)" if positive else ""), "tickCount": 4, "format": "~g"},
    }
    key = {
        "title": None,
        "orient": "top",
        "symbolType": "stroke",
        "symbolSize": 300,
        "symbolStrokeWidth": 2,
    }
    domain = {"domain": list(KINDS)}
    kept = [{"step": curve.lowest}] if curve.lowest is not None else []
    return {
        "width": width,
        "height": 260,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": [
            {
                "data": {"values": kept},
                "mark": {"type": "rule", "strokeDash": [4, 4], "color": sign("soft")},
                "encoding": {"x": x},
            },
            {
                "mark": {"type": "line", "strokeWidth": 2, "point": {"size": 18}},
                "encoding": {
                    "x": x,
                    "y": y,
                    "color": {
                        "field": "kind", "type": "nominal", "legend": key,
                        "scale": {**domain, "range": [sign("s1"), sign("s2")]},
                    },
                    "strokeDash": {
                        "field": "kind", "type": "nominal", "legend": key,
                        "scale": {**domain, "range": [[1, 0], [6, 3]]},
                    },
                },
            },
        ],
    }  # fmt: skip
