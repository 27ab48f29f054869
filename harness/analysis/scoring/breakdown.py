"""Scores within the rows that share a column's value: where an arm does well and where badly.

Several are compared at once, so the lowest and the highest of them are so by chance too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from harness.analysis.run_data import ArmEvidence, Evidence
from harness.analysis.schema.comparison import Row
from harness.analysis.schema.scores import Score, SliceScore
from harness.analysis.scoring.score import score
from harness.metrics import Metric

FEWEST_IN_SLICE = 10
"""Rows below which a slice is not called the worst."""


def slice_scores(evidence: Evidence, arm: ArmEvidence, metric: Metric) -> tuple[SliceScore, ...]:
    """Score one arm within each value of each slice column, largest slices first."""
    found = []
    for column in evidence.task["data"]["slices"]:
        values = [row[column] for row in evidence.truth.slices]
        for value, _ in Counter(values).most_common():
            rows = [number for number, other in enumerate(values) if other == value]
            part = score(evidence, arm, metric, rows)
            found.append(SliceScore(column=column, value=value, score=part))
    return tuple(found)


def worst_slice(slices: Sequence[SliceScore]) -> SliceScore | None:
    """Return the slice with the lowest score; None where fewer than two are large enough."""
    large = [s for s in slices if s.score.n >= FEWEST_IN_SLICE and s.score.value is not None]
    return min(large, key=lambda s: s.score.value or 0.0) if len(large) > 1 else None


def ahead_in(rows: Sequence[Row], row: Row, own: SliceScore) -> tuple[str, Score] | None:
    """Return the arm with the highest score in a slice of one arm, and that score.

    None where no other arm is ahead of that one there.
    """
    found, best = None, own.score.value or 0.0
    for other in rows:
        for part in other.slices:
            same = other is not row and (part.column, part.value) == (own.column, own.value)
            if same and part.score.value is not None and part.score.value > best:
                found, best = (other.strategy, part.score), part.score.value
    return found
