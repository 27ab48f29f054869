"""The arms beside each other: all of them, the chosen one by label and by slice."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis import (
    ArmResult,
    Comparison,
    Score,
    fitting_memory,
    ordered,
    serving_memory,
    status,
)
from harness.wording import numbers
from reports.glossary import DOUBT
from reports.section import Bar, Block, Cell, Item, Items, Reason, Section, Table, Tagged

LEAD = ("latency p95", "serving memory", "preparation", "cost")
"""Headings of the first table that stand open, behind arm, status and score."""
FURTHER = (
    "95% interval", "0 – 1", "p50", "p50 cold", "throughput", "preparation memory", "artifact",
)  # fmt: skip
"""Those that a reader opens; paper shows them too."""


def arms(comparison: Comparison) -> Section:
    """All arms on the same test rows: quality, latency, memory, preparation and cost."""
    arms_in_order = ordered(comparison)
    metric = str(comparison.task["metric"])
    blocks: list[Block] = [
        Table(
            ("arm", "status", metric, *LEAD, *FURTHER),
            tuple(_cells(row, comparison) for row in arms_in_order),
            marked=comparison.recommendation.choice,
            caption="All approaches: quality, latency, memory, preparation, cost",
            lead=3 + len(LEAD),
        ),
    ]
    if lines := list(_beside(arms_in_order)):
        blocks.append(Items(tuple(lines)))
    test_n = comparison.run["data"]["test_n"]
    return Section(
        "all-arms", "C", f"All arms on the same {test_n} test rows", tuple(blocks), weight=1
    )


def chosen(comparison: Comparison) -> ArmResult | None:
    """Return the recommended arm's result."""
    choice = comparison.recommendation.choice
    return next((row for row in comparison.arms if row.strategy == choice), None)


def scored(score: Score) -> str:
    """Return a score with its interval."""
    if score.value is None:
        return numbers.NOT_MEASURED
    return f"{numbers.score(score.value)} ({interval(score)})"


def interval(score: Score) -> str:
    """Return a score's 95% interval, marked where it is not to be trusted."""
    mark = DOUBT if score.unreliable else ""
    return numbers.interval(score.ci_low, score.ci_high) + mark


def _cells(row: ArmResult, comparison: Comparison) -> tuple[Cell, ...]:
    elsewhere = " (measured on another machine)" if row.not_compared else ""
    head = (Tagged(row.strategy, seeds_tag(row)), status(row, comparison) + elsewhere)
    if row.score is None:
        return (*head, Reason(row.error or "no reason recorded"))
    doubt = DOUBT if row.score.unreliable else ""
    return (
        *head,
        f"{numbers.score(row.score.value)}{doubt}",
        numbers.duration(row.p95_s),
        serving_memory(row, comparison.machine),
        numbers.duration(row.fit_wall_s),
        _cost(row),
        interval(row.score),
        _bar(row.score) or "",
        numbers.duration(row.p50_s),
        numbers.duration(row.p50_cold_s),
        numbers.rate(row.throughput_per_s),
        fitting_memory(row, comparison.machine),
        numbers.size(row.artifact_bytes),
    )


def seeds_tag(row: ArmResult) -> str:
    """Return with how many seeds an arm was trained, where its score depends on the seed."""
    if not row.tunes or not row.seeds:
        return ""
    return f"{len(row.seeds)} seed{'s' if len(row.seeds) > 1 else ''}"


def _cost(row: ArmResult) -> str:
    if row.total_usd is None and row.cost.machine_s is not None:
        return f"{numbers.duration(row.cost.machine_s)} of machine time"
    return numbers.usd(row.total_usd)


def _bar(score: Score) -> Bar | None:
    if score.value is None or score.ci_low is None or score.ci_high is None:
        return None
    low, high = 100 * max(0.0, score.ci_low), 100 * min(1.0, score.ci_high)
    return Bar(low, max(high - low, 0.5), 100 * score.value)


def _beside(ordered: list[ArmResult]) -> Iterator[Item]:
    """Yield what is to be said of single arms beside the first table."""
    for row in ordered:
        if row.energy_j is not None:
            joules = numbers.energy(row.energy_j)
            text = f"took {joules} on the GPU for preparation and for answering all test rows"
            yield Item(text, term=row.strategy)
    for row in ordered:
        if row.unanswerable is not None:
            n, share = row.unanswerable.n, row.unanswerable.answered_anyway
            text = f"answered {round(share * n)} of {n} unanswerable questions instead of declining"
            yield Item(text, term=row.strategy)
