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

    @property
    def found(self) -> Found:
        """Say whether the interval of the difference agrees with the paper."""
        low, high = self.difference.ci_low, self.difference.ci_high
        if self.direction.relation == "the same as":
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
            others = findings[cut].differences.get(direction.than, {})
            if direction.arm in others:
                yield Outcome(direction, cut, findings[cut].metric, others[direction.arm])
