"""The final table: one line an arm, best understood first, whole at any width.

Order and status are the rule's (analysis/standing.py). Where the screen is narrow, the columns that
matter least are left out; no cell is ever cut. All that the terminal takes from a comparison, it
takes here. Knows nothing of screens but their width.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from harness.analysis import (
    ArmResult,
    Comparison,
    fitting_memory,
    ordered,
    serving_memory,
    status,
)
from harness.cli.table import fitting
from harness.wording import numbers

MARK = ">"
"""Stands before the chosen arm, in any encoding."""


@dataclass(frozen=True)
class Column:
    """A column, and how it makes an arm's cell."""

    heading: str
    cell: Callable[[ArmResult, Comparison], str]


LEFT_OUT_FIRST = (
    "artifact", "preparation memory", "throughput", "p95", "preparation", "serving memory", "p50",
    "95% interval", "machine time", "cost",
)  # fmt: skip
"""The order in which columns give way; arm, status and score always stay."""


def result_table(comparison: Comparison, width: int | None) -> list[tuple[str, ...]]:
    """Return the table's rows, the headings first.

    Args:
        comparison: what was found.
        width: of the screen in characters; None: there is no limit.
    """
    arms = ordered(comparison)
    finished = [arm for arm in arms if arm.status == "ok"]
    # Money and seconds never share a column: seconds are not what an arm costs.
    needless = set()
    if all(arm.total_usd is None for arm in finished):
        needless.add("cost")
    elif all(arm.total_usd is not None for arm in finished):
        needless.add("machine time")
    columns = [
        (column.heading, [column.cell(arm, comparison) for arm in arms])
        for column in COLUMNS
        if column.heading not in needless
    ]
    return fitting(columns, LEFT_OUT_FIRST, width)


def _name(arm: ArmResult, comparison: Comparison) -> str:
    mark = MARK if arm.strategy == comparison.recommendation.choice else " "
    return f"{mark} {arm.strategy}"


def _interval(arm: ArmResult, comparison: Comparison) -> str:
    score = arm.score
    return numbers.interval(score.ci_low, score.ci_high) if score else numbers.NOT_MEASURED


def _score(arm: ArmResult, comparison: Comparison) -> str:
    return numbers.score(arm.score.value if arm.score else None)


COLUMNS = (
    Column("arm", _name),
    Column("status", status),
    Column("score", _score),
    Column("95% interval", _interval),
    Column("p50", lambda arm, _: numbers.duration(arm.p50_s)),
    Column("p95", lambda arm, _: numbers.duration(arm.p95_s)),
    Column("throughput", lambda arm, _: numbers.rate(arm.throughput_per_s)),
    Column("preparation", lambda arm, _: numbers.duration(arm.fit_wall_s)),
    Column("preparation memory", lambda arm, found: fitting_memory(arm, found.machine)),
    Column("serving memory", lambda arm, found: serving_memory(arm, found.machine)),
    Column("artifact", lambda arm, _: numbers.size(arm.artifact_bytes)),
    Column("cost", lambda arm, _: numbers.usd(arm.total_usd)),
    Column("machine time", lambda arm, _: numbers.duration(arm.cost.machine_s)),
)
