"""What a metric is: additive statistics for each item, and a function that finishes their sum.

Every metric here is `finish(sum of statistics over items)`. A resample of the test items is then
a row of counts, ten thousand resamples one matrix product, and any metric (a mean, macro-F1,
corpus BLEU) is bootstrapped exactly by the same three lines.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]
"""Of float64; of counts, the smallest whole numbers that hold them."""
Need = Literal["evidence", "documents", "no_answer", "sources", "likelihoods"]


@dataclass(frozen=True)
class Items:
    """What a metric may know of the items it scores. Sequences have one entry an item, in order;
    those that a metric does not use may be empty.
    """

    texts: Sequence[str | None]
    """The answers; None is an item that failed: it is worth nothing under every metric."""
    targets: Sequence[tuple[str, ...]]
    """The accepted answers of each; any is right."""
    labels: Sequence[str] = ()
    """The labels of a choice, not one an item."""
    ids: Sequence[str] = ()
    sources: Sequence[tuple[str, ...] | None] = ()
    """Ids of the documents that an answer cites, the most telling first; None: it cannot cite."""
    source_texts: Sequence[tuple[str, ...]] = ()
    """The texts of those documents."""
    evidence: Sequence[tuple[str, ...]] = ()
    """Ids of the documents that hold the right answer; empty where nobody named them."""
    no_answer: str | None = None
    """What to say to a question that has no answer."""
    schema: Mapping[str, Any] | None = None
    """The JSON schema of an answer, where answers are JSON objects."""
    log_likelihoods: Sequence[float] = ()
    """Of each item's first target, natural; empty where an arm gives none."""


@dataclass(frozen=True)
class Metric:
    """A way of scoring answers against targets; higher is better, but for the marked ones."""

    name: str
    summary: str
    answers: frozenset[str]
    """The answer kinds it scores."""
    statistics: Callable[[Items], Array]
    """Items → [n, k], one row of additive statistics an item."""
    finish: Callable[[Array], Array]
    """[…, k] sums over items → […] values."""
    binary: bool = False
    """True where each item that counts is worth 0 or 1, the value is their mean, and which items
    count does not depend on the answers."""
    lowest: float = 0.0
    highest: float = 1.0
    needs: frozenset[Need] = frozenset()
    """What a task (or, for "sources" and "likelihoods", an arm) must have for it to be defined."""
    lower_is_better: bool = False
    """Such a metric is reported beside others and never the one that decides."""

    def value(self, items: Items) -> float:
        """Return the metric over all items; NaN where it is undefined (no item counts)."""
        return float(self.finish(self.statistics(items).sum(axis=0)))

    def counted(self, statistics: Array) -> NDArray[np.bool_]:
        """Tell from statistics [..., n, k] which items count: of a mean, not always all of them."""
        if self.finish is not mean_of:
            return np.ones(statistics.shape[:-1], dtype=bool)
        return np.asarray(statistics[..., 1] > 0)


def mean_of(sums: Array) -> Array:
    """Finish [sum of values, number of items] into a mean; NaN where no item counts."""
    with np.errstate(invalid="ignore", divide="ignore"):
        return sums[..., 0] / sums[..., 1]


def each_counts(values: Sequence[float]) -> Array:
    """Return [n, 2]: the value of each item, and 1 for counting."""
    return np.column_stack([np.array(values, dtype=float), np.ones(len(values))])


def some_count(values: Sequence[float | None]) -> Array:
    """Return [n, 2]: the value of each item and 1, and zeros where there is no value."""
    rows = [(0.0, 0.0) if value is None else (value, 1.0) for value in values]
    return np.array(rows, dtype=float).reshape(len(rows), 2)
