"""What one score hides: how an arm does label by label, and on questions that have no answer."""

from __future__ import annotations

import numpy as np

from harness.analysis.run_data import ArmEvidence, Evidence
from harness.analysis.schema.scores import ClassScore, Unanswerable
from harness.metrics import by_class, class_counts, declines, unanswerable

MOST_LABELS = 100
"""Labels above which a table of them is not read."""


def class_scores(evidence: Evidence, arm: ArmEvidence) -> tuple[ClassScore, ...]:
    """Return precision and recall of each label over all seeds; nothing for other tasks."""
    labels = list(evidence.info.labels)
    if not 0 < len(labels) <= MOST_LABELS:
        return ()
    seeds = len(arm.predictions)
    sums = np.sum([class_counts(evidence.items(arm, seed)).sum(axis=0) for seed in range(seeds)], 0)
    return tuple(
        ClassScore(
            label=label,
            precision=right / predicted if predicted else None,
            recall=right / actual if actual else None,
            n=round(actual / seeds),
        )
        for label, right, predicted, actual in zip(labels, *by_class(sums), strict=True)
    )


def unanswerable_of(evidence: Evidence, arm: ArmEvidence) -> Unanswerable | None:
    """Return how many questions without an answer got one; None where there are no such.

    An answer that failed is none.
    """
    phrase, targets = evidence.info.no_answer, evidence.truth.targets
    rows = [row for row, accepted in enumerate(targets) if unanswerable(accepted, phrase)]
    if not rows:
        return None
    answered = [
        not seed[row].error and not declines(seed[row].text, phrase)
        for seed in arm.predictions
        for row in rows
    ]
    return Unanswerable(answered_anyway=sum(answered) / len(answered), n=len(rows))
