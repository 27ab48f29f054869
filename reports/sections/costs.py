"""What the cost is made of, and what would change the choice: other prices, volumes, limits."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.analysis import ArmResult, Comparison, CostPart, Flip, ordered
from harness.wording import numbers
from reports.plots.cost_curve import cost_curve
from reports.plots.cost_parts import cost_parts
from reports.section import Block, Items, Section, Table, Text, items

LEAST_USD = 1e-4
"""Below this a figure is told from 0, and no more of it."""
FAR = 10.0
"""A price or a volume that would have to change by more than this factor is not read out."""


def costs(comparison: Comparison) -> Section | None:
    """What each arm's cost is made of, as bars: spent, to come, per use, always on."""
    drawn = cost_parts(comparison)
    if drawn is None:
        return None
    return Section("cost-parts", "D", "What the cost is made of", (drawn,), drawn.finding)


def components(comparison: Comparison) -> Section | None:
    """Each component of every arm's cost, with what it means and what is missing."""
    rows = ordered(comparison)
    lines = table(rows)
    choice = comparison.recommendation.choice
    blocks: list[Block] = []
    if lines:
        serving = paid_for(comparison.task["traffic"])
        cells = Table(headings(rows), tuple(lines), marked=choice, caption="Components of the cost")
        blocks += [cells, Text(notes(comparison, serving), small=True)]
    blocks.append(Text(f"Cost: {comparison.cost_basis}", small=True, linked=True))
    if missing := not_counted(rows):
        blocks.append(Text(f"Not counted: {'; '.join(missing)}.", small=True))
    finding = f"Not counted: {'; '.join(missing)}." if missing else "Every component is counted."
    return Section(
        "cost-components",
        "D",
        "Every component and its source",
        tuple(blocks),
        finding,
        closed=True,
    )


def changes(comparison: Comparison) -> Section:
    """What would change the choice, where two arms break even, and cost against volume."""
    found = comparison.recommendation
    near = [flip for flip in found.flips if not _far(flip)]
    lines = [flip.text for flip in near] or [_unchanged(comparison)]
    if further := len(found.flips) - len(near):
        lines.append(f"Changes by more than a factor of {FAR:g}, not named here: {further}.")
    blocks: list[Block] = [items(*lines)]
    if found.break_even:
        serving = paid_for(comparison.task["traffic"])
        blocks += [Text(f"Break-even, paying for {serving}:"), _break_even(comparison)]
    if comparison.cost_curve and (drawn := cost_curve(comparison.cost_curve)):
        blocks.append(drawn)
    return Section(
        "changes", "D", "What would change the choice", tuple(blocks), lines[0], closed=True
    )


def _far(flip: Flip) -> bool:
    """Tell whether a price, a volume or a limit would have to change beyond what may happen."""
    if flip.value is None or not flip.now or (flip.key or "").startswith("score."):
        return False
    return not 1 / FAR <= flip.value / flip.now <= FAR


def _break_even(comparison: Comparison) -> Items:
    return items(*(pair.text for pair in comparison.recommendation.break_even))


def _unchanged(comparison: Comparison) -> str:
    """Say what was tried, where nothing of it would change the choice."""
    tried = comparison.recommendation.tried
    if tried is None or comparison.recommendation.flips:
        return "Nothing that was tried." if tried is None else "Nothing that is near."
    if not tried:
        return "Nothing could be tried: no limit, price, traffic or other arm is there to change."
    return f"Nothing that was tried: {', '.join(tried)}."


def headings(rows: Sequence[ArmResult]) -> tuple[str, ...]:
    """Return what the cells of `table` are."""
    each_way = ("1,000 requests, pay per use", "1,000 requests, always on")
    return ("arm", *_components(rows), "total", *each_way)


def table(rows: Sequence[ArmResult]) -> list[tuple[str, ...]]:
    """Return a line of cells, as `headings` names them, for each arm that finished.

    Nothing where no arm is known to cost any money.
    """
    finished = [row for row in rows if row.score]
    lines = [_cells(row, _components(rows)) for row in finished]
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
            " components stand beside it. Pay per use: paying for the seconds that requests take."
            " What a machine that is always on costs a request is not known without traffic."
        )
    share = numbers.percent(traffic["utilisation"])
    return (
        "The total is the sum of what is counted. 1,000 requests are priced in both ways. Pay per"
        " use: paying for the seconds that they take. Always on: at this traffic, on whole machines"
        f" that are always on and used to {share}. This task pays for {serving}: serving, the total"
        " and a limit on money (max_usd_per_1k) are of that."
    )


def _components(rows: Sequence[ArmResult]) -> list[str]:
    """Return the names of all components, in the order of the comparison."""
    return list(dict.fromkeys(part.name for row in rows for part in row.cost.components))


def _costs_money(row: ArmResult) -> bool:
    return any(part.usd for part in row.cost.components)


def _cells(row: ArmResult, components: Sequence[str]) -> tuple[str, ...]:
    parts = {part.name: part for part in row.cost.components}
    return (
        row.strategy,
        *(_part(parts.get(name)) for name in components),
        _money(row.total_usd),
        _money(row.usd_per_1k_busy),
        _money(row.usd_per_1k_reserved),
    )


def _part(part: CostPart | None) -> str:
    """Return a component's figure; of what is counted only in part, that it is at least so much."""
    if part is None or part.usd is None:
        return "not counted"
    return f"at least {_money(part.usd)}" if part.at_least and part.usd else _money(part.usd)


def _money(value: float | None) -> str:
    small = value is not None and 0 < value < LEAST_USD
    return f"under ${LEAST_USD:.4f}" if small else numbers.usd(value)


def paid_for(traffic: Mapping[str, Any] | None) -> str:
    """Return what is paid for when requests are served."""
    if traffic and traffic["serving"] == "reserved":
        return f"machines that are always on and used to {numbers.percent(traffic['utilisation'])}"
    return "the seconds that requests take"
