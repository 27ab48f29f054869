"""What each arm's cost is made of, part by part, and what serving costs either way.

Phrases figures that the comparison holds. A part that nobody gave a figure for is "not counted":
never 0, and never of all arms because it is so of one.
"""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis import FITTING_REQUESTS, MACHINE_TIME, ArmResult, Comparison
from harness.wording import numbers

HEADINGS = (
    "arm", "labels", "people's time", "fitting", "fitting again", "serving", "total",
    "1,000 requests, busy", "1,000 requests, reserved",
)  # fmt: skip
LEAST_USD = 1e-4
"""Below this a figure is told from 0, and no more of it."""


def table(rows: Sequence[ArmResult]) -> list[tuple[str, ...]]:
    """Return a line of cells, as `HEADINGS` names them, for each arm that finished.

    Nothing where no arm is known to cost any money.
    """
    finished = [row for row in rows if row.score]
    lines = [_cells(row) for row in finished]
    return lines if any(_costs_money(row) for row in finished) else []


def not_counted(rows: Sequence[ArmResult]) -> list[str]:
    """Return the parts that nobody gave figures for, each with its arms unless it is of all."""
    finished = [row for row in rows if row.score]
    arms: dict[str, list[str]] = {}
    for row in finished:
        for part in row.cost.not_counted:
            arms.setdefault(part, []).append(row.strategy)
    return [
        part if len(names) == len(finished) else f"{part} for {', '.join(names)}"
        for part, names in arms.items()
    ]


def notes(comparison: Comparison, serving: str) -> str:
    """Return what one must know to read the table.

    Args:
        comparison: what the table is of.
        serving: what the task pays for when requests are served, in words.
    """
    traffic = comparison.task["traffic"]
    if not traffic:
        return (
            "The total is of serving 1,000 requests alone, since no traffic is given; the other"
            " parts stand beside it. Busy: paying for the seconds that requests take. What a"
            " machine that is always on (reserved) costs a request is not known without traffic."
        )
    share = numbers.percent(traffic["utilisation"])
    return (
        "The total is the sum of what is counted. 1,000 requests are priced in both ways: busy,"
        " paying for the seconds that they take; reserved, at this traffic on whole machines that"
        f" are always on and used to {share}. This task pays for {serving}: serving, the total and"
        " a limit on money (max_usd_per_1k) are of that."
    )


def _costs_money(row: ArmResult) -> bool:
    parts = row.cost
    known = (parts.labels_usd, parts.people_usd, parts.fitting_usd, parts.serving_usd)
    return any(known)


def _cells(row: ArmResult) -> tuple[str, ...]:
    parts = row.cost
    in_part = {MACHINE_TIME, FITTING_REQUESTS} & set(parts.not_counted)
    return (
        row.strategy,
        _part(parts.labels_usd),
        _part(parts.people_usd),
        _part(parts.fitting_usd, at_least=bool(in_part)),
        _part(parts.refitting_usd, at_least=bool(in_part)),
        _part(parts.serving_usd),
        _money(row.total_usd),
        _money(row.usd_per_1k_busy),
        _money(row.usd_per_1k_reserved),
    )


def _part(value: float | None, at_least: bool = False) -> str:
    """Return a part of a cost; of what is counted only in part, that it is at least so much."""
    if value is None:
        return "not counted"
    return f"at least {_money(value)}" if at_least and value else _money(value)


def _money(value: float | None) -> str:
    small = value is not None and 0 < value < LEAST_USD
    return f"under ${LEAST_USD:.4f}" if small else numbers.usd(value)
