"""Two arms, or one before and after, on the same items: differences with their intervals."""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from harness.analysis.run_data import Evidence
from harness.analysis.schema.diagnostics import Change
from harness.analysis.schema.scores import Difference
from harness.analysis.scoring.values import (
    Array,
    alike,
    bootstrap_interval,
    counted_rows,
    estimate,
    statistics,
)
from harness.metrics import Metric
from harness.stats.intervals import mcnemar, tango


def differences(evidence: Evidence, choice: str | None) -> tuple[Difference, ...]:
    """Compare every other arm with the chosen one on the same items, each pair by itself.

    0/1 values of a single seed get Tango's score interval, everything else the bias-corrected
    paired bootstrap. These are not simultaneous: the verdict rests on contest.py's bounds.
    """
    arms = {arm.name: arm for arm in evidence.arms if arm.status == "ok"}
    if choice not in arms:
        return ()
    metric = evidence.metric
    chosen = statistics(evidence, arms.pop(choice), metric)
    clusters = evidence.truth.clusters
    found = []
    for arm in arms.values():
        of_arm = statistics(evidence, arm, metric)
        value, low, high = paired_difference(metric, of_arm, chosen, clusters)
        table = paired_table(metric, of_arm, chosen, clusters)
        found.append(
            Difference(
                strategy=arm.name,
                metric=metric.name,
                value=value,
                ci_low=low,
                ci_high=high,
                mcnemar_p=None if table is None else mcnemar(*table),
            )
        )
    return tuple(found)


def paired_difference(
    metric: Metric, first: Array, second: Array, clusters: Sequence[str | None]
) -> tuple[float, float, float]:
    """Return (first − second) on the same items, with its 95 % interval.

    Args:
        metric: how items are scored.
        first: [seeds, items, k] additive statistics.
        second: likewise, for the same items.
        clusters: the cluster of each item, if any.
    """
    value = estimate(metric, first) - estimate(metric, second)
    if table := paired_table(metric, first, second, clusters):
        low, high = tango(*table, len(counted_rows(metric, [first])))
    else:
        low, high = bootstrap_interval(metric, [first, second], clusters)
    return value, low, high


def change_between(
    metric: Metric, before: Array, after: Array, clusters: Sequence[str | None] = ()
) -> Change:
    """Return a figure before and after, with its change on the same items.

    Where no item differs, the change may still be 3/n of the metric's range: what no differing
    item in n allows (the rule of three, Hanley 1983).

    Args:
        metric: finishes the statistics.
        before: [seeds, items, k] additive statistics.
        after: likewise, for the same items; as many seeds, or others.
        clusters: the cluster of each item, if any.
    """
    value, low, high = paired_difference(
        metric, after, before, clusters or [None] * before.shape[1]
    )
    n = len(counted_rows(metric, [before, after]))
    if low == high and isfinite(metric.highest):
        reach = min(3 / n, 1.0) * (metric.highest - metric.lowest)
        low, high = value - reach, value + reach
    return Change(
        metric=metric.name,
        before=estimate(metric, before),
        after=estimate(metric, after),
        change=value,
        ci_low=low,
        ci_high=high,
        n=n,
    )


def paired_table(
    metric: Metric, first: Array, second: Array, clusters: Sequence[str | None]
) -> tuple[int, int] | None:
    """Return on how many items only the first arm is right, and on how many only the second.

    None where items are not just right or wrong: another metric, seeds that differ, or clusters.
    """
    if not metric.binary or any(clusters) or not (alike(first) and alike(second)):
        return None
    ours, theirs = first[0, :, 0] > 0, second[0, :, 0] > 0
    return int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
