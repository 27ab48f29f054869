"""The plot of memory: peaks of preparation and serving of each arm, against the limits."""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import Comparison, ordered
from harness.wording import numbers
from reports.plots.by_arm import MOST, arms_axis, frame
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table

KINDS = {"serving": "s1", "preparation": "s2"}
MIB = 2**20


@dataclass(frozen=True)
class Peak:
    """One arm's peaks in bytes; None: not measured."""

    arm: str
    serving: int | None
    preparation: int | None


def peaks(comparison: Comparison) -> list[Peak]:
    """Return the numbers of the plot, in the rule's order."""
    rows = [row for row in ordered(comparison) if row.score]
    found = [Peak(r.strategy, r.predict_peak_bytes, r.fit_peak_bytes) for r in rows]
    return [peak for peak in found if peak.serving or peak.preparation][:MOST]


def memory_plot(comparison: Comparison) -> Plot | None:
    """Return the plot; None where no memory was measured."""
    found = peaks(comparison)
    if not found:
        return None
    limits = comparison.task["limits"]
    allowed = {
        "serving": limits.get("max_serve_memory_gib"),
        "preparation": limits.get("max_fit_memory_gib"),
    }
    said = [f"{kind} {gib:g} GiB" for kind, gib in allowed.items() if gib]
    most = max(found, key=lambda peak: max(peak.serving or 0, peak.preparation or 0))
    return Plot(
        name="memory",
        finding=(
            f"{found[0].arm} serves in {numbers.size(found[0].serving)}; the most memory is taken"
            f" by {most.arm}, {numbers.size(max(most.serving or 0, most.preparation or 0))}."
        ),
        caption="Peak memory of each arm's own process."
        + (f" Dashed lines are limits: {', '.join(said)}." if said else " No limit is set."),
        spec=lambda width: _spec(found, allowed, width),
        data=Table(
            ("arm", *KINDS),
            tuple((p.arm, numbers.size(p.serving), numbers.size(p.preparation)) for p in found),
            caption="Peak memory",
        ),
        wide=560,
    )


def _spec(found: list[Peak], allowed: dict[str, float | None], width: int) -> Spec:
    arms = [peak.arm for peak in found]
    rows: list[Spec] = [
        {"arm": peak.arm, "kind": kind, "mib": size / MIB}
        for peak in found
        for kind, size in (("serving", peak.serving), ("preparation", peak.preparation))
        if size
    ]
    limits: list[Spec] = [{"kind": kind, "mib": gib * 1024} for kind, gib in allowed.items() if gib]
    most = max(row["mib"] for row in [*rows, *limits])
    x = {
        "field": "mib", "type": "quantitative", "scale": {"domain": [0, most * 1.05]},
        "axis": {"title": "peak memory, MiB", "tickCount": max(3, width // 110), "format": ",.0f"},
    }  # fmt: skip
    domain = {"domain": list(KINDS), "range": [sign(colour) for colour in KINDS.values()]}
    key = {"title": None, "orient": "top"}
    colour = {"field": "kind", "type": "nominal", "scale": domain, "legend": key}
    return {
        **frame(arms, width, 32, 34),
        "data": {"values": rows},
        "layer": [
            {
                "mark": {"type": "bar", "height": 10},
                "encoding": {
                    "x": x, "y": arms_axis(arms, width), "color": colour,
                    "yOffset": {"field": "kind", "type": "nominal", "sort": list(KINDS)},
                },
            },
            {
                "data": {"values": limits},
                "mark": {"type": "rule", "strokeDash": [6, 3], "strokeWidth": 2},
                "encoding": {"x": x, "color": colour},
            },
        ],
    }  # fmt: skip
