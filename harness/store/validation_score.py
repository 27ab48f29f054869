"""What one of several trainings of an arm scores on its validation rows, and which one is shipped.

Knows no metric and no file.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from harness.store.base import Record

if TYPE_CHECKING:
    from harness.store.records import TrialRecord


class ValidationScore(Record):
    """The task's metric on the validation rows of a seed, by what that seed's training serves."""

    value: float | None = None
    """None: `undefined` says why."""
    n: int = 0
    undefined: str | None = None


def validated(trial: TrialRecord) -> ValidationScore | None:
    """Return what a trial scores on its validation rows; None where nobody asked."""
    return trial.serve.validation if trial.serve else None


def shipped(trials: Sequence[TrialRecord]) -> TrialRecord:
    """Return which of an arm's trainings is shipped: the best on validation, the first of equals.

    Each was held against its own validation rows, which it did not learn from. Where one of them
    has no such score, it is the first.

    Args:
        trials: those of one arm, which all ended ok; at least one.
    """
    scores = [None if (found := validated(trial)) is None else found.value for trial in trials]
    known = [score for score in scores if score is not None]
    if len(known) < len(trials):
        return trials[0]
    return trials[scores.index(max(known))]
