"""Two arms, or one before and after, on the same items: differences and what the rows can show.

Each pair is taken by itself. The verdict rests on wider bounds, which allow for all pairs together
(harness.stats.mcb).
"""

from __future__ import annotations

from collections.abc import Sequence
from math import isfinite

from harness.analysis.run_data import Array, RunData
from harness.analysis.schema.comparison import ArmResult, Recommendation
from harness.analysis.schema.diagnostics import Change
from harness.analysis.schema.scores import Difference, Resolution
from harness.analysis.scoring.score import alike, bootstrap_interval, counted_rows, estimate
from harness.metrics import Metric
from harness.stats import power
from harness.stats.bootstrap import Resamples
from harness.stats.intervals import mcnemar, tango
from harness.stats.mcb import MultipleComparisons


def differences(run: RunData, choice: str | None) -> tuple[Difference, ...]:
    """Compare every other arm with the chosen one on the same items, each pair by itself.

    0/1 values of a single seed get Tango's score interval, everything else the bias-corrected
    paired bootstrap.
    """
    arms = {arm.name: arm for arm in run.finished}
    if choice not in arms:
        return ()
    metric, resamples = run.metric, run.resamples()
    chosen = run.statistics(arms.pop(choice), metric)
    found = []
    for arm in arms.values():
        of_arm = run.statistics(arm, metric)
        value, low, high = paired_difference(metric, of_arm, chosen, resamples)
        table = paired_table(metric, of_arm, chosen, run.gold.clusters)
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
    metric: Metric, first: Array, second: Array, resamples: Resamples
) -> tuple[float, float, float]:
    """Return (first − second) on the same items, with its 95% interval.

    Args:
        metric: how items are scored.
        first: [seeds, items, k] additive statistics.
        second: likewise, for the same items.
        resamples: of those items.
    """
    value = estimate(metric, first) - estimate(metric, second)
    if table := paired_table(metric, first, second, resamples.clusters or ()):
        low, high = tango(*table, len(counted_rows(metric, [first])))
    else:
        low, high = bootstrap_interval(metric, [first, second], resamples)
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
    resamples = Resamples(before.shape[1], clusters or None)
    value, low, high = paired_difference(metric, after, before, resamples)
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


def resolution(
    run: RunData,
    arms: Sequence[ArmResult],
    comparisons: MultipleComparisons | None,
    found: Recommendation,
) -> Resolution | None:
    """Return how small a difference of the two best-scoring arms the test set can show.

    They are taken among those that meet every limit, or, where fewer than two do, among all.

    Args:
        run: the records.
        arms: every arm's result.
        comparisons: of the arms that finished.
        found: the verdict, whose bounds are wider than those of a pair by itself.

    Returns:
        None where fewer than two arms finished.
    """
    finished = [arm for arm in arms if arm.score and arm.score.value is not None]
    finished.sort(key=lambda arm: -(arm.score.value or 0.0) if arm.score else 0.0)
    feasible = [arm for arm in finished if not arm.misses]
    leading = [arm.strategy for arm in (feasible if len(feasible) > 1 else finished)[:2]]
    if comparisons is None or len(leading) < 2:
        return None
    data = {arm.name: arm for arm in run.arms}
    metric, clusters = run.metric, run.gold.clusters
    first, second = (run.statistics(data[name], metric) for name in leading)
    value, low, high = paired_difference(metric, first, second, run.resamples())
    n, discordance = comparisons.n, None
    error = comparisons.standard_error(*leading)
    if table := paired_table(metric, first, second, clusters):
        discordance = sum(table) / n
        error = power.standard_error(discordance, n)
    separated = low > 0 or high < 0
    competing = [arm.strategy for arm in feasible] if len(feasible) > 1 else []
    return Resolution(
        first=leading[0],
        second=leading[1],
        difference=value,
        discordance=discordance,
        smallest_difference=max(comparisons.floor, power.smallest_difference(error)),
        smallest_margin=max(comparisons.floor, power.smallest_margin(error)),
        separated=separated,
        compared=len(competing) or None,
        significant=_significant(comparisons, leading, competing, found) if competing else None,
        rows_to_separate=n if separated else _more_than(n, power.rows_to_show(value, error, n)),
        n=n,
    )


def _significant(
    comparisons: MultipleComparisons,
    leading: Sequence[str],
    competing: Sequence[str],
    found: Recommendation,
) -> bool:
    """Tell whether the two leading arms differ significantly by the verdict's own bounds."""
    first, second = leading
    if found.choice in leading and {first, second} - {found.choice} <= set(found.tied_with):
        return False
    if comparisons.gaps(competing)[second].significant:
        return True
    low, high = comparisons.differences(first, competing)[second]
    return not low <= 0 <= high


def _more_than(n: int, rows: int | None) -> int | None:
    return None if rows is None else max(n + 1, rows)
