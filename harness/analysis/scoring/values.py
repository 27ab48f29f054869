"""A metric's value of an arm, from its statistics, and the bootstrap interval of such values."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from harness.analysis.run_data import ArmEvidence, Evidence
from harness.metrics import Metric
from harness.stats.bootstrap import (
    acceleration,
    bias_corrected_interval,
    bootstrap,
    effective_units,
    left_out,
)
from harness.stats.seeds import seed_values

Array = NDArray[np.float64]


def statistics(evidence: Evidence, arm: ArmEvidence, metric: Metric) -> Array:
    """Return [seeds, items, k]: the metric's additive statistics of one arm."""
    return np.stack(
        [metric.statistics(evidence.items(arm, seed)) for seed in range(len(arm.predictions))]
    )


def estimate(metric: Metric, of_arm: Array) -> float:
    """Return the metric's value: the mean over seeds of its value over all items.

    A seed in which nothing counts (no answer cites anything) is worth 0. Rounded, or three seeds
    of 0.95 would average to less than a limit of 0.95.
    """
    return round(float(np.mean(seed_values(metric, of_arm))), 12)


def counted_rows(metric: Metric, of_arms: Sequence[Array]) -> list[int]:
    """Return the positions of the items that count for the metric, in any arm and seed."""
    counts = np.any([metric.counted(of_arm).any(axis=0) for of_arm in of_arms], axis=0)
    return [int(row) for row in np.flatnonzero(counts)]


def alike(of_arm: Array) -> bool:
    """Tell whether every seed did the same on every item, as one seed does."""
    return bool((of_arm == of_arm[:1]).all())


def bootstrap_interval(
    metric: Metric,
    of_arms: Sequence[Array],
    clusters: Sequence[str | None] | None = None,
    counts: Array | None = None,
) -> tuple[float, float]:
    """Return the 95 % interval of one arm's value, or of that of the first less the second's.

    Args:
        metric: how items are scored.
        of_arms: one or two of [seeds, items, k].
        clusters: the cluster of each item, if any.
        counts: resamples that are drawn already, as for `bootstrap`.
    """
    signs = (1, -1)[: len(of_arms)]
    both = list(zip(signs, of_arms, strict=True))
    resampled = np.tensordot(signs, bootstrap(metric, of_arms, clusters, counts), axes=1)
    without = sum(sign * left_out(metric, of_arm, clusters) for sign, of_arm in both)
    low, high = bias_corrected_interval(
        sum(sign * estimate(metric, of_arm) for sign, of_arm in both),
        resampled,
        effective_units(clusters, of_arms[0].shape[1]),
        acceleration(np.asarray(without), float(resampled.var())),
    )
    # What seeds add may reach past the ends of the scale.
    span = metric.highest - metric.lowest
    ends = (metric.lowest, metric.highest) if len(of_arms) == 1 else (-span, span)
    return max(low, ends[0]), min(high, ends[1])
