"""Four figures of one arm, each beside its limit: quality, latency, memory, cost.

The cost tells what is already spent on labels from what is still to come.
"""

from __future__ import annotations

from dataclasses import dataclass

from harness.analysis import ArmResult, Comparison, serving_memory
from harness.wording import numbers

WIDE = 0.01
"""Below this an interval is narrow enough for a third decimal."""


@dataclass(frozen=True)
class Tile:
    """One figure: what it is, how much, and what it is held against."""

    label: str
    value: str
    detail: str


def tiles(comparison: Comparison, of: ArmResult) -> tuple[Tile, ...]:
    """Return the tiles of an arm."""
    limits = comparison.task["limits"]
    return (
        _quality(comparison, of),
        Tile(
            "latency p95",
            numbers.duration(of.p95_s),
            _limit(of, "max_p95_ms", numbers.duration((limits["max_p95_ms"] or 0) / 1000)),
        ),
        Tile(
            "serving memory",
            serving_memory(of, comparison.machine),
            _limit(of, "max_serve_memory_gib", f"{limits['max_serve_memory_gib']} GiB"),
        ),
        _cost(comparison, of),
    )


def two_decimals(value: float | None, low: float | None = None, high: float | None = None) -> str:
    """Return a score with two decimals, with three where its interval is narrower than 0.01."""
    if value is None:
        return numbers.NOT_MEASURED
    narrow = low is not None and high is not None and high - low < WIDE
    return f"{value:.3f}" if narrow else f"{value:.2f}"


def spread(low: float | None, high: float | None) -> str:
    """Return an interval in so many decimals as its value has."""
    if low is None or high is None:
        return ""
    return f"{two_decimals(low, low, high)} to {two_decimals(high, low, high)}"


def _quality(comparison: Comparison, of: ArmResult) -> Tile:
    score = of.score
    if score is None:
        raise ValueError(f"{of.strategy} has no score")
    value = two_decimals(score.value, score.ci_low, score.ci_high)
    target = _limit(of, "min_score", f"{comparison.task['limits']['min_score']}", "target")
    return Tile(score.metric, value, f"{spread(score.ci_low, score.ci_high)} · {target}")


def _limit(of: ArmResult, key: str, allowed: str, name: str = "limit") -> str:
    """Return what a figure is held against, and whether it meets it."""
    check = next((check for check in of.checks if check.key == f"limits.{key}"), None)
    return f"{name}: none set" if check is None else f"{name} {allowed}: {check.state}"


def _cost(comparison: Comparison, of: ArmResult) -> Tile:
    """Return the cost over the horizon: what is spent, and what is to come."""
    traffic = comparison.task.get("traffic")
    label = f"cost of {traffic['months']:g} months" if traffic else "cost of 1,000 requests"
    if of.total_usd is None:
        if of.cost.machine_s is None:
            return Tile(label, numbers.NOT_MEASURED, "no price is known")
        return Tile(
            label, numbers.duration(of.cost.machine_s), "of machine time; no price is known"
        )
    spent = of.cost.labels_usd or 0.0
    if not traffic:
        return Tile(
            label, numbers.usd(of.usd_per_1k_busy), f"labels, already spent: {numbers.usd(spent)}"
        )
    to_come = rough_usd(of.total_usd - spent)
    always = always_on(comparison, of)
    return Tile(
        label,
        f"{rough_usd(spent)} + {to_come}",
        "labels, already spent + to come"
        + (f" (always on: {rough_usd(always)})" if always is not None else ""),
    )


def always_on(comparison: Comparison, of: ArmResult) -> float | None:
    """Return what serving costs over the horizon on machines that are always on."""
    traffic = comparison.task.get("traffic")
    if not traffic or of.usd_per_1k_reserved is None:
        return None
    thousands = traffic["requests_per_month"] * traffic["months"] / 1000
    return float(of.usd_per_1k_reserved * thousands)


def rough_usd(value: float) -> str:
    """Return money in two digits or whole dollars: what a first screen can carry."""
    if value >= 10:
        return f"${value:,.0f}"
    return f"${value:.2f}" if value >= 0.01 else ("under $0.01" if value > 0 else "$0")
