"""Metrics of choices among labels."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from harness.metrics.answers import read_choice
from harness.metrics.metric import Array, Metric, Targets, mean_of


def right_or_wrong(texts: Sequence[str | None], targets: Targets, labels: Sequence[str]) -> Array:
    """Return [n, 2]: 1 where the label read from the text is accepted, and 1 for counting."""
    right = [
        text is not None and read_choice(text, labels) in accepted
        for text, accepted in zip(texts, targets, strict=True)
    ]
    return np.column_stack([np.array(right, dtype=float), np.ones(len(right))])


def class_counts(texts: Sequence[str | None], targets: Targets, labels: Sequence[str]) -> Array:
    """Return [n, 3 L]: for each label whether the item is its true positive, predicted, actual.

    An answer that names no label is predicted for none and a miss for its true one. Where several
    targets are accepted, the predicted one counts as the true one if it is among them.
    """
    position = {label: number for number, label in enumerate(labels)}
    counts = np.zeros((len(texts), 3, len(labels)))
    for row, (text, accepted) in enumerate(zip(texts, targets, strict=True)):
        predicted = None if text is None else read_choice(text, labels)
        actual = predicted if predicted in accepted else accepted[0]
        counts[row, 2, position[str(actual)]] = 1
        if predicted is not None:
            counts[row, 1, position[predicted]] = 1
            counts[row, 0, position[predicted]] = predicted == actual
    return np.asarray(counts.reshape(len(texts), 3 * len(labels)), dtype=np.float64)


def macro_f1(sums: Array) -> Array:
    """Finish class counts into the mean F1 over the labels that occur, actual or predicted.

    F1 = 2 TP / (predicted + actual); the same set of labels as scikit-learn's
    f1_score(average="macro") takes by default.
    """
    counts = sums.reshape(*sums.shape[:-1], 3, -1)
    true_positive, predicted, actual = counts[..., 0, :], counts[..., 1, :], counts[..., 2, :]
    occurs = predicted + actual
    with np.errstate(invalid="ignore", divide="ignore"):
        f1 = np.where(occurs > 0, 2 * true_positive / occurs, 0.0)
        return np.asarray(f1.sum(axis=-1) / (occurs > 0).sum(axis=-1))


CHOICE = frozenset({"choice"})
ACCURACY = Metric(
    "accuracy", "share of items whose label is right", CHOICE, right_or_wrong, mean_of, binary=True
)
MACRO_F1 = Metric(
    "macro_f1",
    "mean over labels of F1, each label weighing the same",
    CHOICE,
    class_counts,
    macro_f1,
)
