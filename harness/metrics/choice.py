"""Metrics of choices among labels."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from harness.metrics.metric import Array, Items, Metric, each_counts, mean_of
from harness.metrics.reading import read_choice


def right_or_wrong(items: Items) -> Array:
    """Return [n, 2]: 1 where the label read from the text is accepted, and 1 for counting."""
    return each_counts(
        [
            text is not None and read_choice(text, items.labels) in accepted
            for text, accepted in zip(items.texts, items.targets, strict=True)
        ]
    )


def class_counts(items: Items) -> Array:
    """Return [n, 3 L]: for each label whether the item is its true positive, predicted, actual.

    An answer that names no label is predicted for none and a miss for its true one. Where several
    targets are accepted, the predicted one counts as the true one if it is among them.
    """
    position = {label: number for number, label in enumerate(items.labels)}
    counts = np.zeros((len(items.texts), 3, len(position)), dtype=np.uint8)  # 500 labels: 1,500 B
    for row, (text, accepted) in enumerate(zip(items.texts, items.targets, strict=True)):
        predicted = None if text is None else read_choice(text, items.labels)
        actual = predicted if predicted in accepted else accepted[0]
        counts[row, 2, position[str(actual)]] = 1
        if predicted is not None:
            counts[row, 1, position[predicted]] = 1
            counts[row, 0, position[predicted]] = predicted == actual
    return counts.reshape(len(counts), 3 * len(position))


def by_class(sums: Array) -> tuple[Array, Array, Array]:
    """Return true positives, predicted and actual items, [..., L] each."""
    counts = sums.reshape(*sums.shape[:-1], 3, -1)
    return counts[..., 0, :], counts[..., 1, :], counts[..., 2, :]


def _share(part: Array, whole: Array) -> Array:
    """Return part / whole, and 0 where the whole is nothing: scikit-learn's zero_division=0."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(whole > 0, part / whole, 0.0)


def _mean_over(values: Array, counted: Array | NDArray[np.bool_]) -> Array:
    """Return the mean of values over the classes that are counted; NaN where none is."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((values * counted).sum(axis=-1) / counted.sum(axis=-1))


def macro_f1(sums: Array) -> Array:
    """Finish class counts into the mean F1 over the labels that occur, actual or predicted.

    F1 = 2 TP / (predicted + actual); the same set of labels as scikit-learn's
    f1_score(average="macro") takes by default.
    """
    right, predicted, actual = by_class(sums)
    return _mean_over(_share(2 * right, predicted + actual), predicted + actual > 0)


def macro_precision(sums: Array) -> Array:
    """Finish class counts into the mean over occurring labels of TP / predicted."""
    right, predicted, actual = by_class(sums)
    return _mean_over(_share(right, predicted), predicted + actual > 0)


def macro_recall(sums: Array) -> Array:
    """Finish class counts into the mean over occurring labels of TP / actual."""
    right, predicted, actual = by_class(sums)
    return _mean_over(_share(right, actual), predicted + actual > 0)


def balanced_accuracy(sums: Array) -> Array:
    """Finish class counts into the mean over actual labels of TP / actual."""
    right, _, actual = by_class(sums)
    return _mean_over(_share(right, actual), actual > 0)


def weighted_f1(sums: Array) -> Array:
    """Finish class counts into the mean F1 over labels, each weighing its actual items."""
    right, predicted, actual = by_class(sums)
    return _mean_over(_share(2 * right, predicted + actual), actual)


def micro_f1(sums: Array) -> Array:
    """Finish class counts into F1 over all items together.

    With one label an item it is the accuracy, unless answers named no label.
    """
    right, predicted, actual = (part.sum(axis=-1) for part in by_class(sums))
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray(2 * right / (predicted + actual))


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
FROM_CLASS_COUNTS = tuple(
    Metric(name, summary, CHOICE, class_counts, finish)
    for name, summary, finish in (
        ("balanced_accuracy", "mean over true labels of the share found", balanced_accuracy),
        ("micro_f1", "F1 over all items together", micro_f1),
        (
            "precision",
            "mean over labels of the share of answers that are right",
            macro_precision,
        ),
        ("recall", "mean over labels of the share of its items that are found", macro_recall),
        ("weighted_f1", "mean over labels of F1, each weighing its items", weighted_f1),
    )
)
