"""Scores with their intervals, for all test rows and for parts of them."""

from __future__ import annotations

from collections.abc import Sequence

from harness.analysis.run_data import ArmEvidence, Evidence
from harness.analysis.schema.scores import Score
from harness.analysis.scoring.coverage import why_unreliable
from harness.analysis.scoring.values import (
    alike,
    bootstrap_interval,
    counted_rows,
    estimate,
    statistics,
)
from harness.metrics import Metric, find
from harness.stats.intervals import wilson


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
    if metric.binary and alike(of_arm) and not any(clusters):
        low, high = wilson(int(of_arm[0, :, 0].sum()), n)
        doubt = None
    else:
        low, high = bootstrap_interval(metric, [of_arm], clusters)
        doubt = why_unreliable(metric, of_arm, clusters, evidence.info.labels)
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


def _nothing_counts(metric: Metric) -> str:
    if "no_answer" in metric.needs:
        return "none of these questions is without an answer"
    if "evidence" in metric.needs:
        return "none of these rows names evidence"
    return "no answer says something and cites a document for it"


def _undefined(metric: Metric, why: str) -> Score:
    return Score(metric=metric.name, value=None, ci_low=None, ci_high=None, n=0, undefined=why)


def item_metric(metric: Metric) -> Metric:
    """Return the metric for small parts: accuracy in place of macro-F1, else the metric itself."""
    return find("accuracy") if metric.name == "macro_f1" else metric
