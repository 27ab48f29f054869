"""Scores with their intervals, for all test rows and for parts of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from math import isfinite

import numpy as np
from numpy.typing import NDArray

from harness.judge.arm_facts import Change
from harness.judge.comparison import Difference, Score, SliceScore
from harness.judge.evidence import ArmEvidence, Evidence
from harness.judge.intervals import tango, wilson
from harness.judge.resample import bias_corrected_interval, bootstrap
from harness.metrics import Metric, find

FEW_PER_CLASS = 10
"""Items in a class below which macro-F1's interval is not to be trusted."""
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
    by_seed = [metric.finish(of_seed.sum(axis=0)) for of_seed in of_arm]
    return round(float(np.mean(np.nan_to_num(by_seed))), 12)


def score(
    evidence: Evidence, arm: ArmEvidence, metric: Metric, rows: Sequence[int] | None = None
) -> Score:
    """Score one arm on all test rows, or on some of them.

    0/1 values of a single seed get Wilson's interval; everything else the bias-corrected
    bootstrap, over seeds and clusters too where there are several. Where no item counts there is
    no value, and the reason is said.
    """
    chosen = list(range(len(evidence.truth.ids))) if rows is None else list(rows)
    of_arm = statistics(evidence, arm, metric)[:, chosen]
    n = len(counted_rows(metric, [of_arm]))
    if n == 0:
        return _undefined(metric, _nothing_counts(metric))
    value = estimate(metric, of_arm)
    clusters = [evidence.truth.clusters[row] for row in chosen]
    if metric.binary and len(of_arm) == 1 and not any(clusters):
        low, high = wilson(int(of_arm[0, :, 0].sum()), n)
    else:
        low, high = bias_corrected_interval(value, bootstrap(metric, [of_arm], clusters)[0])
    doubt = _doubt(evidence, metric, chosen)
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
        found.append(
            Difference(strategy=arm.name, metric=metric.name, value=value, ci_low=low, ci_high=high)
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
    if metric.binary and len(first) == len(second) == 1 and not any(clusters):
        ours, theirs = first[0, :, 0] > 0, second[0, :, 0] > 0
        only_ours, only_theirs = int((ours & ~theirs).sum()), int((theirs & ~ours).sum())
        low, high = tango(only_ours, only_theirs, len(counted_rows(metric, [first])))
    else:
        resampled = bootstrap(metric, [first, second], clusters)
        low, high = bias_corrected_interval(value, resampled[0] - resampled[1])
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


def item_metric(metric: Metric) -> Metric:
    """Return the metric for small parts: accuracy in place of macro-F1, else the metric itself."""
    return find("accuracy") if metric.name == "macro_f1" else metric


def _doubt(evidence: Evidence, metric: Metric, rows: Sequence[int]) -> str | None:
    if metric.name != "macro_f1":
        return None
    counts = Counter(evidence.truth.targets[row][0] for row in rows)
    label, fewest = min(counts.items(), key=lambda item: item[1])
    if fewest >= FEW_PER_CLASS:
        return None
    few = sum(count < FEW_PER_CLASS for count in counts.values())
    return (
        f"{few} of {len(counts)} labels have fewer than {FEW_PER_CLASS} test rows"
        f" ('{label}' has {fewest}): the interval of macro-F1 is not to be trusted"
    )
