"""The plot of latencies: which share of single requests is answered within which time."""

from __future__ import annotations

from dataclasses import dataclass
from math import log10

from harness.analysis import ArmResult, Comparison, ordered
from harness.wording import numbers
from reports.plots.axes import LogAxis
from reports.plots.lines import MOST_LINES, series
from reports.plots.palette import sign
from reports.section import Plot, Spec, Table


@dataclass(frozen=True)
class Line:
    """One arm's latencies in one state: warm or cold."""

    arm: str
    state: str
    n: int
    """Requests that were measured."""
    points: tuple[tuple[float, float], ...]
    """Seconds with the share of requests that took no longer."""


def lines(comparison: Comparison) -> list[Line]:
    """Return the lines of the plot, the chosen arm's first."""
    found = []
    for row in ordered(comparison):
        if row.latencies is None:
            continue
        both = (
            ("warm", row.latencies.warm_s, row.latencies.warm_n),
            ("cold", row.latencies.cold_s, row.latencies.cold_n),
        )
        found += [Line(row.strategy, state, n, _shares(walls)) for state, walls, n in both if walls]
    return found


def _shares(walls_s: tuple[float, ...]) -> tuple[tuple[float, float], ...]:
    last = len(walls_s) - 1  # of one request alone all are answered within its time
    shares = [at / last for at in range(len(walls_s))] if last else [1.0]
    return tuple((wall, share) for wall, share in zip(walls_s, shares, strict=True) if wall > 0)


def latency_plot(comparison: Comparison) -> Plot | None:
    """Return the plot; None where no latency is on record."""
    found = [line for line in lines(comparison) if line.points]
    if not found:
        return None
    limit = comparison.task["limits"].get("max_p95_ms")
    rows = tuple(
        (li.arm, li.state, f"{li.n}", *(numbers.duration(_at(li, q)) for q in (0.5, 0.95, 1)))
        for li in found
    )
    most = max(line.n for line in found)
    return Plot(
        name="latency",
        finding=_finding(next(r for r in comparison.arms if r.strategy == found[0].arm)),
        caption=(
            f"Share of single requests answered within a time, up to {most} requests an arm. Thick:"
            " with the constant prompt kept in memory; thin: cold, with nothing kept."
            + (f" The upright line is the limit on p95: {limit:g} ms." if limit else "")
        ),
        spec=lambda width: _spec(found, limit, width),
        data=Table(
            ("arm", "state", "requests", "p50", "p95", "slowest"),
            rows,
            caption="Latency of requests",
        ),
        wide=560,
    )


def _at(line: Line, share: float) -> float:
    """Return the time within which so many of the requests were answered."""
    return next(wall for wall, got in line.points if got >= share - 1e-9)


def _finding(first: ArmResult) -> str:
    text = f"{first.strategy} answers 95% of requests within {numbers.duration(first.p95_s)}"
    if first.p50_cold_s is None:
        return f"{text}."
    return f"{text}, half of cold ones within {numbers.duration(first.p50_cold_s)}."


def _spec(found: list[Line], limit_ms: float | None, width: int) -> Spec:
    arms = list(dict.fromkeys(line.arm for line in found))
    drawn = [line for line in found if line.arm in arms[: 2 * MOST_LINES]]
    rows = [
        {"arm": li.arm, "state": li.state, "line": li.arm + li.state, "x": log10(wall), "y": share}
        for li in drawn
        for wall, share in li.points
    ]  # fmt: skip
    walls = [wall for line in drawn for wall, _ in line.points]
    at = [limit_ms / 1000] if limit_ms else []
    axis = LogAxis.of([*walls, *at], numbers.duration, most=max(3, width // 90))
    x = {
        "field": "x",
        "type": "quantitative",
        "scale": axis.scale,
        "axis": axis.axis("latency of a request"),
    }
    y = {
        "field": "y", "type": "quantitative", "scale": {"domain": [0, 1]},
        "axis": {"title": "share of requests", "format": ".0%", "tickCount": 5},
    }  # fmt: skip
    told = series(arms)
    encoding: Spec = {"x": x, "y": y, "detail": {"field": "line"}, **told}
    return {
        "width": width,
        "height": 280,
        "autosize": {"type": "fit", "contains": "padding"},
        "data": {"values": rows},
        "layer": [
            {
                "data": {"values": [{"x": log10(one)} for one in at]},
                "mark": {"type": "rule", "color": sign("bad"), "strokeDash": [6, 3]},
                "encoding": {"x": x},
            },
            *(
                {
                    "transform": [{"filter": f"datum.state == '{state}'"}],
                    "mark": {"type": "line", "strokeWidth": thick, "opacity": opacity},
                    "encoding": encoding,
                }
                for state, thick, opacity in (("cold", 1, 0.7), ("warm", 2.5, 1))
            ),
        ],
    }
