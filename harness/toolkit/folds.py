"""Deals labelled rows to folds: each row is held out once, every label is spread over the folds.

Own dealing, since scikit-learn's StratifiedKFold warns of labels with fewer rows than folds and
refuses where all have. Knows nothing of classifiers.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Sequence
from statistics import median_low

FEWEST = 2


def dealt(answers: Sequence[str], most: int, seed: int) -> list[list[int]]:
    """Return the places of the rows of each fold.

    There are as many folds as the label in the middle has rows, `most` at the most: with three
    rows a label three folds leave two of them to learn from.

    Args:
        answers: the label of each row.
        most: folds, at least two.
        seed: decides which row of a label is dealt where.

    Returns:
        Disjoint folds that hold every place once, no two of which differ by more than one row; none
        where most labels have a single row: held out, it would be a label that nobody has seen.
    """
    if not answers:
        return []
    count = min(most, median_low(Counter(answers).values()))
    if count < FEWEST:
        return []
    draw = random.Random(seed)
    by_label: dict[str, list[int]] = defaultdict(list)
    for place, answer in enumerate(answers):
        by_label[answer].append(place)
    # One label after another is dealt out where the last one stopped, so folds are of one size.
    order: list[int] = []
    for answer in sorted(by_label):
        draw.shuffle(by_label[answer])
        order += by_label[answer]
    return [sorted(order[fold::count]) for fold in range(count)]
