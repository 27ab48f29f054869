"""Which arms a plot shows first: the choice, the best tuned one, then the others by score."""

from __future__ import annotations

from harness.analysis import ArmResult, Comparison


def shown_first(comparison: Comparison) -> list[ArmResult]:
    """Return the arms that finished: the chosen one, the best tuned one, then by score."""
    rows = sorted(
        (row for row in comparison.arms if row.score is not None),
        key=lambda row: -(row.score.value or 0.0 if row.score else 0.0),
    )
    choice = comparison.recommendation.choice
    first = [row for row in rows if row.strategy == choice]
    tuned = [row for row in rows if row.tunes and row not in first][:1]
    return [*first, *tuned, *(row for row in rows if row not in (*first, *tuned))]


def first_arm(comparison: Comparison) -> ArmResult | None:
    """Return the chosen arm; where none is chosen, the best that finished."""
    rows = shown_first(comparison)
    choice = comparison.recommendation.choice
    by_score = sorted(rows, key=lambda row: -(row.score.value or 0.0 if row.score else 0.0))
    return next((row for row in rows if row.strategy == choice), next(iter(by_score), None))
