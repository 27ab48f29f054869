"""A set of parameters that is tried in a search: what came of it, and what it took.

Knows nothing of strategies and of what comes next.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.store.search_record import By, SearchTrial, packed


@dataclass
class Candidate:
    """A set of parameters that is tried, and what came of it so far."""

    number: int
    by: By
    changed: dict[str, Any]
    statistics: NDArray[Any] = field(default_factory=lambda: np.zeros((0, 0)))
    """[n, k] of the rows that it answered."""
    prepared_s: float = 0.0
    prepared_usd: float | None = 0.0
    wall_s: float = 0.0
    """In all, preparation included; so are the dollars."""
    usd: float | None = 0.0
    error: str | None = None
    equivalents: Mapping[str, Sequence[Any]] = field(default_factory=dict)
    """See `Strategy.equivalents`; known when it has answered."""

    @property
    def rows(self) -> int:
        """How many rows it answered."""
        return len(self.statistics)

    def record(self, score: float | None) -> SearchTrial:
        """Return what stays of it."""
        return SearchTrial(
            number=self.number,
            changed=self.changed,
            by=self.by,
            rows=self.rows,
            score=score,
            wall_s=self.wall_s,
            prepared_s=self.prepared_s,
            usd=self.usd,
            error=self.error,
            statistics=packed(self.statistics),
        )


@dataclass(frozen=True)
class Cost:
    """Seconds and dollars that something takes; dollars are None where a charge is not known."""

    seconds: float = 0.0
    usd: float | None = 0.0

    def __add__(self, other: Cost) -> Cost:
        usd = None if self.usd is None or other.usd is None else self.usd + other.usd
        return Cost(self.seconds + other.seconds, usd)

    def times(self, count: float) -> Cost:
        """Return what so many of it take."""
        return Cost(count * self.seconds, None if self.usd is None else count * self.usd)

    @classmethod
    def of(cls, one: Candidate, upto: int | None = None) -> Cost:
        """Return what a candidate took, with answers to the first rows alone where these count."""
        whole = cls(one.wall_s, one.usd)
        if upto is None or one.rows <= upto:
            return whole
        prepared = cls(one.prepared_s, one.prepared_usd)
        return prepared + cls.of_rows(one, upto)

    @classmethod
    def of_rows(cls, one: Candidate, rows: int) -> Cost:
        """Return what a candidate would take to answer so many rows, by those that it did."""
        if not one.rows:
            return cls()
        usd = None if one.usd is None or one.prepared_usd is None else one.usd - one.prepared_usd
        return cls(one.wall_s - one.prepared_s, usd).times(rows / one.rows)

    @classmethod
    def mean(cls, each: Sequence[Cost]) -> Cost:
        """Return the mean of several."""
        total = cls()
        for one in each:
            total += one
        return total.times(1 / len(each))
