"""What typos, casing, noise and reordered options do to a score, on the same rows."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from harness.analysis.read_run import Perturbed
from harness.analysis.run_data import ArmEvidence, Evidence
from harness.analysis.schema.diagnostics import Perturbation
from harness.analysis.scoring.paired import change_between
from harness.analysis.scoring.score import item_metric
from harness.analysis.scoring.values import counted_rows, statistics
from harness.probes.perturbations import OF_TEXTS, REORDERED
from harness.types import Prediction


def robustness_of(
    evidence: Evidence, arm: ArmEvidence
) -> tuple[tuple[Perturbation, ...], str | None]:
    """Score an arm with and without each perturbation.

    Returns:
        What each perturbation does; and why nothing is known of any of them, if so.
    """
    results = [trial.robustness for trial in arm.trials]
    asked = [result for result in results if result is not None]
    if not asked:
        return (), None
    reasons = [result.error or result.status for result in asked if result.status != "ok"]
    if reasons:
        return (), reasons[0]
    found = [perturbed for perturbed in arm.files.perturbed if perturbed is not None]
    if len(found) < len(results):
        return (), "its answers to perturbed queries are not in the run folder"
    names = [*OF_TEXTS, *([REORDERED] if len(evidence.info.labels) > 1 else [])]
    return tuple(_perturbation(evidence, arm, found, name) for name in names), None


def _perturbation(
    evidence: Evidence, arm: ArmEvidence, found: list[Perturbed], name: str
) -> Perturbation:
    answers = [perturbed.answers.get(name, {}) for perturbed in found]
    changed = len(answers[0])
    if changed == 0:
        none = "shows no list of options" if name == REORDERED else "changes none of these texts"
        return Perturbation(name=name, undefined=none)
    sample = set(found[0].sample)
    rows = [place for place, row_id in enumerate(evidence.truth.ids) if row_id in sample]
    metric = item_metric(evidence.metric)
    pairs = zip(arm.predictions, answers, strict=True)
    other = replace(
        arm, predictions=tuple(tuple(_answered(evidence, *of_seed)) for of_seed in pairs)
    )
    before, after = (statistics(evidence, one, metric)[:, rows] for one in (arm, other))
    if not counted_rows(metric, [before, after]):
        return Perturbation(name=name, changed=changed, undefined="no row of the sample counts")
    clusters = [evidence.truth.clusters[row] for row in rows]
    change = change_between(metric, before, after, clusters)
    return Perturbation(name=name, score=change, changed=changed)


def _answered(
    evidence: Evidence, own: tuple[Prediction, ...], answers: Mapping[str, Prediction]
) -> Iterator[Prediction]:
    """Yield an arm's answers; rows that a perturbation does not change keep theirs."""
    for row_id, given in zip(evidence.truth.ids, own, strict=True):
        yield answers.get(row_id, given)
