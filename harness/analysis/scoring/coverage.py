"""When an interval is not to be trusted: where simulated coverage leaves 93 to 97 %."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from harness.analysis.scoring.values import Array, alike
from harness.metrics import Metric, by_class
from harness.stats.bootstrap import effective_units

BY_CLASS = ("macro_f1", "balanced_accuracy", "precision", "recall")
"""Metrics in which each label weighs the same, however few its rows."""
FEW_PER_CLASS = 10
"""Items in a class below which the interval of such a metric is not to be trusted."""
FEW_SEEDS = 5
"""Seeds, where they differ: with 4 simulated coverage is .926 to .974, with 2 down to .886."""
FEW_CLUSTERS = 30
"""Clusters of one size that the rows are worth: with 10 to 20 coverage falls to .907."""
FEW_ROWS = 30
"""Rows; with 20 coverage falls to .778."""
FEW_UNLIKE = 5
"""Rows worth something else than most are; where 30 rows have 2 or 3, coverage is .868."""


def why_unreliable(
    metric: Metric, of_arm: Array, clusters: Sequence[str | None], labels: Iterable[str] = ()
) -> str | None:
    """Return why a bootstrap interval is not to be trusted, if so.

    The bounds are those at which simulated coverage leaves 93 to 97 % (benchmarks/README.md).

    Args:
        metric: what is scored.
        of_arm: [seeds, items, k].
        clusters: of the items.
        labels: of a choice, in the order of the class counts.
    """
    if metric.name in BY_CLASS and (doubt := _few_of_a_class(metric, of_arm, labels)):
        return doubt
    seeds, n = of_arm.shape[:2]
    if seeds < FEW_SEEDS and not alike(of_arm):
        return (
            f"{seeds} seeds say little of how much seeds differ: with fewer than {FEW_SEEDS} the"
            f" interval of {metric.name} is not to be trusted"
        )
    units = effective_units(clusters, n)
    if any(clusters) and units < FEW_CLUSTERS:
        return (
            f"the rows are worth {units:.0f} clusters of one size: with fewer than {FEW_CLUSTERS}"
            f" the interval of {metric.name} is not to be trusted"
        )
    if n < FEW_ROWS:
        return f"with fewer than {FEW_ROWS} rows the interval of {metric.name} is not to be trusted"
    if (differing := _unlike_most(of_arm)) < FEW_UNLIKE:
        return (
            f"all but {differing} of {n} rows are worth the same: with fewer than {FEW_UNLIKE} that"
            f" differ the interval of {metric.name} is not to be trusted"
        )
    return None


def _unlike_most(of_arm: Array) -> int:
    """Return how many items are worth something else than most are."""
    by_item = np.moveaxis(of_arm, 1, 0).reshape(of_arm.shape[1], -1)
    _, counts = np.unique(by_item, axis=0, return_counts=True)
    return int(len(by_item) - counts.max())


def _few_of_a_class(metric: Metric, of_arm: Array, labels: Iterable[str]) -> str | None:
    _, _, actual = by_class(of_arm[0].sum(axis=0))
    counts = {label: int(count) for label, count in zip(labels, actual, strict=True) if count}
    label, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest >= FEW_PER_CLASS:
        return None
    few = sum(count < FEW_PER_CLASS for count in counts.values())
    return (
        f"{few} of {len(counts)} labels have fewer than {FEW_PER_CLASS} test rows"
        f" ('{label}' has {fewest}): the interval of {metric.name} is not to be trusted"
    )
