"""What the cost is made of, and what would change the choice: other prices, volumes, limits."""

from __future__ import annotations

from harness.analysis import Comparison
from reports import costs as parts
from reports.criteria import paid_for
from reports.curve import plot
from reports.section import Block, Items, Section, Table, Text, items
from reports.sections.arms import by_score


def costs(comparison: Comparison) -> Section | None:
    """Each component of every arm's cost."""
    rows = by_score(comparison)
    lines = parts.table(rows)
    if not lines:
        return None
    choice = comparison.recommendation.choice
    serving = paid_for(comparison.task["traffic"])
    blocks = (
        Table(parts.headings(rows), tuple(lines), marked=choice),
        Text(parts.notes(comparison, serving), small=True),
    )
    return Section("What the cost is made of", blocks)


def changes(comparison: Comparison) -> Section:
    """What would change the choice, where two arms break even, and cost against volume."""
    found = comparison.recommendation
    flips = [flip.text for flip in found.flips] or [_unchanged(comparison)]
    blocks: list[Block] = [items(*flips)]
    if found.break_even:
        serving = paid_for(comparison.task["traffic"])
        blocks += [Text(f"Break-even, paying for {serving}:"), _break_even(comparison)]
    if comparison.cost_curve and comparison.cost_curve.lines:
        blocks.append(plot(comparison.cost_curve))
    return Section("What would change the choice", tuple(blocks))


def _break_even(comparison: Comparison) -> Items:
    return items(*(pair.text for pair in comparison.recommendation.break_even))


def _unchanged(comparison: Comparison) -> str:
    """Say what was tried, where nothing of it would change the choice."""
    tried = comparison.recommendation.tried
    if tried is None:
        return "Nothing that was tried."
    if not tried:
        return "Nothing could be tried: no limit, price, traffic or other arm is there to change."
    return f"Nothing that was tried: {', '.join(tried)}."
