"""Metrics of free-text answers."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.metrics.answers import normalise_answer
from harness.metrics.metric import Array, Metric, Targets, mean_of


def matches(texts: Sequence[str | None], targets: Targets, labels: Sequence[str]) -> Array:
    """Return [n, 2]: 1 where the normalised text equals a normalised target, and 1 for counting."""
    right = [
        text is not None
        and normalise_answer(text) in {normalise_answer(target) for target in accepted}
        for text, accepted in zip(texts, targets, strict=True)
    ]
    return np.column_stack([np.array(right, dtype=float), np.ones(len(right))])


EXACT_MATCH = Metric(
    "exact_match",
    "share of answers equal to an accepted one, by SQuAD's normalisation",
    frozenset({"text", "choice"}),
    matches,
    mean_of,
    binary=True,
)
