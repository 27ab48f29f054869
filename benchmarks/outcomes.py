"""Holds what papers report against what the cuts came to."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from benchmarks.findings import Findings, Value
from benchmarks.papers import DIRECTIONS, Direction

SAME = 0.05
"""Two arms are the same if their difference is shown to be smaller than this."""
Found = Literal["as reported", "the other way", "not shown"]


@dataclass(frozen=True)
class Outcome:
    """What became of a direction on one cut."""

    direction: Direction
    cut: str
    metric: str
    difference: Value
    with_care: Value | None = None
    """The difference from the arm with care, where the direction names one and it finished."""

    @property
    def found(self) -> Found:
        """Say whether the interval of the difference agrees with the paper."""
        return _found(self.direction, self.difference)

    @property
    def found_with_care(self) -> Found | None:
        """Say the same of the arm with care; None: not known."""
        return _found(self.direction, self.with_care) if self.with_care else None


def _found(direction: Direction, difference: Value) -> Found:
    low, high = difference.ci_low, difference.ci_high
    if direction.relation == "the same as":
        if low >= -SAME and high <= SAME:
            return "as reported"
        return "the other way" if low > 0 or high < 0 else "not shown"
    if low > 0:
        return "as reported"
    return "the other way" if high < 0 else "not shown"


def tested(findings: Mapping[str, Findings]) -> Iterator[Outcome]:
    """Hold every direction against the cuts where both arms finished."""
    for direction in DIRECTIONS:
        for cut in direction.cuts:
            if cut not in findings:
                continue
            found = findings[cut]
            if difference := _between(found, direction.arm, direction.than):
                care = direction.with_care and _between(found, direction.arm, direction.with_care)
                yield Outcome(direction, cut, found.metric, difference, care or None)


def _between(findings: Findings, arm: str, than: str) -> Value | None:
    """Return how an arm's score differs from another's, kept either way round; None: not kept."""
    if there := findings.differences.get(than, {}).get(arm):
        return there
    back = findings.differences.get(arm, {}).get(than)
    if back is None:
        return None
    return Value(value=-back.value, ci_low=-back.ci_high, ci_high=-back.ci_low)
