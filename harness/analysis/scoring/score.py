"""What an arm scores, with a 95% interval, and when such an interval is not to be trusted.

A share of right answers has Wilson's interval; everything else, and what seeds or clusters spread,
the bias-corrected bootstrap. Compares no arms.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import numpy as np

from harness.analysis.run_data import ArmData, Array, RunData
from harness.analysis.schema.scores import Score
from harness.errors import UserError
from harness.metrics import Metric, by_class, find
from harness.stats.bootstrap import (
    Resamples,
    acceleration,
    bias_corrected_interval,
    bootstrap,
    effective_units,
)
from harness.stats.intervals import wilson
from harness.stats.seeds import seed_values

BY_CLASS = ("macro_f1", "balanced_accuracy", "precision", "recall")
"""Metrics in which each label weighs the same, however few its rows."""
FEW_PER_CLASS = 10
"""Items in a class below which the interval of such a metric is not to be trusted."""
FEW_SEEDS = 3
"""Seeds, where they differ: with 3 simulated coverage is .925 to .976, where items differ in how
hard they are; with 2 down to .833."""
FEW_CLUSTERS = 30
"""Clusters of one size that the rows are worth: with 10 to 20 coverage falls to .907."""
FEW_ROWS = 30
"""Rows; with 20 coverage falls to .778."""
FEW_UNLIKE = 5
"""Rows worth something else than most are; where 30 rows have 2 or 3, coverage is .868."""


def score(run: RunData, arm: ArmData, metric: Metric, rows: Sequence[int] | None = None) -> Score:
    """Score one arm on all test rows, or on some of them.

    Where no item counts there is no value, and `undefined` gives the reason.
    """
    of_arm = run.statistics(arm, metric)
    if rows is not None:
        of_arm = of_arm[:, list(rows)]
    n = len(counted_rows(metric, [of_arm]))
    if n == 0:
        return _undefined(metric, _nothing_counts(metric))
    value = estimate(metric, of_arm)
    chosen = range(len(run.gold.ids)) if rows is None else rows
    clusters = [run.gold.clusters[row] for row in chosen]
    if metric.binary and alike(of_arm) and not any(clusters):
        low, high = wilson(int(of_arm[0, :, 0].sum()), n)
        doubt = None
    else:
        low, high = bootstrap_interval(metric, [of_arm], run.resamples(rows))
        doubt = why_unreliable(metric, of_arm, clusters, run.task.answer.labels)
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


def primary_score(run: RunData, arm: ArmData) -> Score:
    """Score one arm by the task's metric; one without a value, because it cites nothing, has 0."""
    found = score(run, arm, run.metric)
    if found.value is not None:
        return found
    doubt = f"{arm.name} scores 0: none of its answers says something and cites a document for it"
    return Score(
        metric=found.metric,
        value=0.0,
        ci_low=0.0,
        ci_high=0.0,
        n=len(run.gold.ids),
        unreliable=doubt,
    )


def further_score(run: RunData, arm: ArmData, name: str) -> Score:
    """Score one arm by a further metric; an arm that lacks what the metric needs has no value."""
    if (why := run.why_unscored(arm, name)) is not None:
        return _undefined(run.find_metric(name), why)
    try:
        return _further_score(run, arm, run.find_metric(name))
    except UserError as problem:  # of a task's own function; the primary one's ends the report
        return Score(
            metric=name, value=None, ci_low=None, ci_high=None, n=0, undefined=str(problem)
        )


def _further_score(run: RunData, arm: ArmData, metric: Metric) -> Score:
    if "sources" in metric.needs and not arm.cites:
        return _undefined(metric, "cites nothing")
    if "likelihoods" in metric.needs and not arm.log_likelihoods:
        said = [t.likelihood.error for t in arm.trials if t.likelihood and t.likelihood.error]
        return _undefined(metric, said[0] if said else "gives no likelihoods")
    return score(run, arm, metric)


def item_metric(metric: Metric) -> Metric:
    """Return the metric for small parts: accuracy in place of macro-F1, else the metric itself."""
    return find("accuracy") if metric.name == "macro_f1" else metric


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
    metric: Metric, of_arms: Sequence[Array], resamples: Resamples
) -> tuple[float, float]:
    """Return the 95% interval of one arm's value, or of the first arm's less the second's.

    Args:
        metric: how items are scored.
        of_arms: one or two of [seeds, items, k].
        resamples: of those items.
    """
    signs = (1, -1)[: len(of_arms)]
    both = list(zip(signs, of_arms, strict=True))
    resampled = np.tensordot(signs, bootstrap(metric, of_arms, resamples), axes=1)
    without = sum(sign * resamples.left_out(metric, of_arm) for sign, of_arm in both)
    low, high = bias_corrected_interval(
        sum(sign * estimate(metric, of_arm) for sign, of_arm in both),
        resampled,
        resamples.units,
        acceleration(np.asarray(without), float(resampled.var())),
    )
    # What seeds add may reach past the ends of the scale.
    span = metric.highest - metric.lowest
    ends = (metric.lowest, metric.highest) if len(of_arms) == 1 else (-span, span)
    return max(low, ends[0]), min(high, ends[1])


def why_unreliable(
    metric: Metric, of_arm: Array, clusters: Sequence[str | None], labels: Iterable[str] = ()
) -> str | None:
    """Return why a bootstrap interval is not to be trusted, if so.

    The bounds are those at which simulated coverage leaves 93 to 97% (benchmarks/README.md).

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
        most = f"all but {differing} of {n}" if differing else f"all {n}"
        return (
            f"{most} rows are worth the same: with fewer than {FEW_UNLIKE} that differ the interval"
            f" of {metric.name} is not to be trusted"
        )
    return None


def _unlike_most(of_arm: Array) -> int:
    """Return how many items are worth something else than most are."""
    by_item = np.moveaxis(of_arm, 1, 0).reshape(of_arm.shape[1], -1)  # [items, seeds · k]
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


def _nothing_counts(metric: Metric) -> str:
    if "no_answer" in metric.needs:
        return "none of these questions is without an answer"
    if "evidence" in metric.needs:
        return "none of these rows names gold documents"
    return "no answer says something and cites a document for it"


def _undefined(metric: Metric, why: str) -> Score:
    return Score(metric=metric.name, value=None, ci_low=None, ci_high=None, n=0, undefined=why)
