"""How arms' parameters were chosen: what was tried, what it took, what the choice is worth."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.analysis import ArmResult, Comparison, EffortResult, ordered
from harness.wording import numbers
from reports.section import Block, Item, Items, Section, Table, Text

MOST_SHOWN = 6
"""Trials of an arm that are listed, the best first; comparison.json has all."""
UNITS = {
    "trials": "trials",
    "minutes": "minutes",
    "usd": "dollars of what hosted models charge",
}
"""What each key of `effort` is in."""
HEADINGS = (
    "arm", "defaults", "best", "chosen", "test", "optimism", "best of 1, 3, all", "trials",
    "took", "unspent",
)  # fmt: skip


def effort(comparison: Comparison) -> Section | None:
    """Defaults and best on validation rows, the test score, and what choosing took."""
    searched = [(row, row.effort) for row in ordered(comparison) if row.effort is not None]
    asked = comparison.task.get("effort", "none")
    if not searched and asked == "none":
        return None
    blocks: list[Block] = [Text(_given(asked), small=True)]
    if searched:
        blocks += [
            Table(HEADINGS, tuple(_line(row, found) for row, found in searched)),
            Text(
                "Defaults, best and chosen are scores on validation rows; a choice flatters its own"
                " score by the optimism (estimated by choosing on resampled rows and scoring on the"
                " others). Best of k: what k of these trials, drawn at random, would reach on"
                " average. Preparation and its cost hold all of it.",
                small=True,
            ),
            Items(tuple(Item(found.why, row.strategy) for row, found in searched)),
            Table(
                ("arm", "parameters", "rows", "score", "took"),
                tuple(line for row, found in searched for line in _tried(row, found)),
            ),
        ]
    left = [row.strategy for row in ordered(comparison) if row.score and row.effort is None]
    if left:
        blocks.append(Text(f"Nothing was chosen for: {', '.join(left)}.", small=True))
    title = "Effort: how parameters were chosen"
    return Section("effort", "G", title, tuple(blocks), _finding(searched), closed=True)


def _finding(searched: list[tuple[ArmResult, EffortResult]]) -> str:
    """Return how many trials were made, and how many arms left their defaults."""
    if not searched:
        return ""
    tried = sum(len(found.tried) for _, found in searched)
    changed = sum(bool(found.changed) for _, found in searched)
    return f"{tried} trials for {len(searched)} arms; {changed} of them left their defaults."


def _given(asked: Any) -> str:
    """Say what the task gives each family."""
    if not isinstance(asked, Mapping):
        return "The task gives no effort: every arm has its defaults, or what its entry says."
    given = [
        f"{asked[key]:g} {words}" for key, words in UNITS.items() if asked.get(key) is not None
    ]
    return (
        f"Each family of arms may spend {', '.join(given)} on choosing parameters on validation"
        " rows; its arms share that equally. The defaults are trial 1, and stay unless another set"
        " leads them by more than one standard error."
    )


def _line(row: ArmResult, found: EffortResult) -> tuple[str, ...]:
    chosen = "defaults" if not found.changed else numbers.score(found.chosen_score)
    best = [found.expected_best[k - 1] for k in _counts(found)]
    return (
        f"{row.strategy} ({found.family})",
        numbers.score(found.default_score),
        numbers.score(found.best_score),
        chosen,
        numbers.score(row.score.value if row.score else None),
        numbers.NOT_MEASURED if found.optimism is None else f"{found.optimism:+.3f}",
        ", ".join(map(numbers.score, best)) or numbers.NOT_MEASURED,
        f"{len(found.tried)}" + (f" ({found.failed} failed)" if found.failed else ""),
        numbers.duration(found.wall_s)
        + (f", {numbers.usd(found.usd)}" if found.usd is not None else ""),
        _unspent(found),
    )


def _counts(found: EffortResult) -> list[int]:
    """Return for how many trials the expected best is shown."""
    n = len(found.expected_best)
    return sorted({k for k in (1, 3, n) if 1 <= k <= n})


def _unspent(found: EffortResult) -> str:
    """Return what is left of each limit, and what ended the search."""
    parts = []
    if (trials := found.most_trials - len(found.tried)) > 0:
        parts.append(f"{trials} trials")
    if found.most_s is not None and found.most_s > found.wall_s:
        parts.append(numbers.duration(found.most_s - found.wall_s))
    if found.most_usd is not None and found.usd is not None and found.most_usd > found.usd:
        parts.append(numbers.usd(found.most_usd - found.usd))
    ended = {
        "space": "nothing was left to try",
        "minutes": "another trial would take longer than the minutes left",
        "usd": "another trial would charge more than the money left",
    }.get(found.ended)
    return (", ".join(parts) or "nothing") + (f"; {ended}" if ended and parts else "")


def _tried(row: ArmResult, found: EffortResult) -> list[tuple[str, ...]]:
    """Return the trials that got furthest and scored highest, and how many more there are."""
    order = sorted(found.tried, key=lambda one: (-one.rows, -(one.score or 0.0)))
    lines: list[tuple[str, ...]] = [
        (
            row.strategy,
            ", ".join(f"{name} {value}" for name, value in one.changed.items()) or "defaults",
            f"{one.rows}",
            f"failed: {one.error}" if one.error else numbers.score(one.score),
            numbers.duration(one.wall_s),
        )
        for one in order[:MOST_SHOWN]
    ]
    more = len(order) - MOST_SHOWN
    return lines + ([(row.strategy, f"and {more} more", "", "", "")] if more > 0 else [])
