"""Scores with their intervals, for all test rows and for parts of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from harness.judge.arm_facts import Change
from harness.judge.comparison import Difference, Score, SliceScore
from harness.judge.evidence import ArmEvidence, Evidence
from harness.judge.intervals import mcnemar, tango, wilson
from harness.judge.resample import (
    acceleration,
    bias_corrected_interval,
    bootstrap,
    effective_units,
    left_out,
)
from harness.judge.seeds import seed_values
from harness.metrics import Metric, by_class, find

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


def score(
    evidence: Evidence, arm: ArmEvidence, metric: Metric, rows: Sequence[int] | None = None
) -> Score:
    """Score one arm on all test rows, or on some of them.

    0/1 values get Wilson's interval; everything else, and what seeds or clusters spread, the
    bias-corrected bootstrap. Where no item counts there is no value, and the reason is said.
    """
    chosen = list(range(len(evidence.truth.ids))) if rows is None else list(rows)
    of_arm = statistics(evidence, arm, metric)[:, chosen]
    n = len(counted_rows(metric, [of_arm]))
    if n == 0:
        return _undefined(metric, _nothing_counts(metric))
    value = estimate(metric, of_arm)
    clusters = [evidence.truth.clusters[row] for row in chosen]
    if metric.binary and _alike(of_arm) and not any(clusters):
        low, high = wilson(int(of_arm[0, :, 0].sum()), n)
        doubt = None
    else:
        low, high = bootstrap_interval(metric, [of_arm], clusters)
        doubt = why_unreliable(metric, of_arm, clusters, evidence.facts.labels)
    if low == high and doubt is None:
        doubt = "no resample differs from the whole, so this interval has no width: do not trust it"
    return Score(
        metric=metric.name,
        value=value,
        ci_low=low,
        ci_high=high,
        n=n,
        unreliable=doubt,
    )


def primary_score(evidence: Evidence, arm: ArmEvidence) -> Score:
    """Score one arm by the task's metric; to be without a value, by citing nothing, is 0."""
    found = score(evidence, arm, evidence.metric)
    if found.value is not None:
        return found
    doubt = f"{arm.name} scores 0: none of its answers says something and cites a document for it"
    return Score(
        metric=found.metric,
        value=0.0,
        ci_low=0.0,
        ci_high=0.0,
        n=len(evidence.truth.ids),
        unreliable=doubt,
    )


def further_score(evidence: Evidence, arm: ArmEvidence, name: str) -> Score:
    """Score one arm by a further metric; of one about citations, an arm without any has none."""
    metric = evidence.find_metric(name)
    if "sources" in metric.needs and not arm.cites:
        return _undefined(metric, "cites nothing")
    if "likelihoods" in metric.needs and not arm.log_likelihoods:
        said = [t.likelihood.error for t in arm.trials if t.likelihood and t.likelihood.error]
        return _undefined(metric, said[0] if said else "gives no likelihoods")
    return score(evidence, arm, metric)


def counted_rows(metric: Metric, of_arms: Sequence[Array]) -> list[int]:
    """Return the positions of the items that count for the metric, in any arm and seed."""
    counts = np.any([metric.counted(of_arm).any(axis=0) for of_arm in of_arms], axis=0)
    return [int(row) for row in np.flatnonzero(counts)]


def _nothing_counts(metric: Metric) -> str:
    if "no_answer" in metric.needs:
        return "none of these questions is without an answer"
    if "evidence" in metric.needs:
        return "none of these rows names evidence"
    return "no answer says something and cites a document for it"


def _undefined(metric: Metric, why: str) -> Score:
    return Score(metric=metric.name, value=None, ci_low=None, ci_high=None, n=0, undefined=why)


def slice_scores(evidence: Evidence, arm: ArmEvidence, metric: Metric) -> tuple[SliceScore, ...]:
    """Score one arm within each value of each slice column, largest slices first."""
    found = []
    for column in evidence.task["data"]["slices"]:
        values = [row[column] for row in evidence.truth.slices]
        for value, _ in Counter(values).most_common():
            rows = [number for number, other in enumerate(values) if other == value]
            part = score(evidence, arm, metric, rows)
            found.append(SliceScore(column=column, value=value, score=part))
    return tuple(found)


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
    if not metric.binary or any(clusters) or not (_alike(first) and _alike(second)):
        return None
    ours, theirs = first[0, :, 0] > 0, second[0, :, 0] > 0
    return int((ours & ~theirs).sum()), int((theirs & ~ours).sum())


def _alike(of_arm: Array) -> bool:
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


def item_metric(metric: Metric) -> Metric:
    """Return the metric for small parts: accuracy in place of macro-F1, else the metric itself."""
    return find("accuracy") if metric.name == "macro_f1" else metric


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
    if seeds < FEW_SEEDS and not _alike(of_arm):
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
