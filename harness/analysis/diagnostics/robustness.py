"""What typos, casing, noise and reordered options do to a score, on the same rows."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from harness.analysis.run_data import ArmData, Perturbed, RunData
from harness.analysis.schema.diagnostics import Perturbation
from harness.analysis.scoring.paired import change_between
from harness.analysis.scoring.score import counted_rows, item_metric
from harness.probes.perturbations import OF_TEXTS, REORDERED
from harness.types import Prediction


def robustness_of(run: RunData, arm: ArmData) -> tuple[tuple[Perturbation, ...], str | None]:
    """Score an arm with and without each perturbation.

    Returns:
        What each perturbation does; and why nothing is known of any of them, if so.
    """
    asked = [trial.robustness for trial in arm.trials if trial.robustness is not None]
    if not asked:
        return (), None
    reasons = [result.error or result.status for result in asked if result.status != "ok"]
    if reasons:
        return (), reasons[0]
    answered = {
        place: perturbed
        for place, perturbed in enumerate(arm.files.perturbed)
        if perturbed is not None and arm.trials[place].robustness is not None
    }
    if len(answered) < len(asked):
        return (), "its answers to perturbed queries are not in the run folder"
    names = [*OF_TEXTS, *([REORDERED] if len(run.task.answer.labels) > 1 else [])]
    return tuple(_perturbation(run, arm, answered, name) for name in names), None


def _perturbation(
    run: RunData, arm: ArmData, found: Mapping[int, Perturbed], name: str
) -> Perturbation:
    """Score an arm with and without one perturbation, under the seeds that were asked.

    Args:
        run: the records.
        arm: whose answers.
        found: what it answered when perturbed, by the place of the seed among the arm's.
        name: of the perturbation.
    """
    seeds = list(found)
    answers = [perturbed.answers.get(name, {}) for perturbed in found.values()]
    changed = len(answers[0])
    if changed == 0:
        none = "shows no list of options" if name == REORDERED else "changes none of these texts"
        return Perturbation(name=name, undefined=none)
    sample = set(found[seeds[0]].sample)
    rows = [place for place, row_id in enumerate(run.gold.ids) if row_id in sample]
    metric = item_metric(run.metric)
    before = run.statistics(arm, metric)[seeds][:, rows]
    pairs = zip([arm.predictions[seed] for seed in seeds], answers, strict=True)
    of_seeds = [[_answer(run, row, *of_seed) for row in rows] for of_seed in pairs]
    after = np.stack([run.statistics_of(metric, given, rows) for given in of_seeds])
    if not counted_rows(metric, [before, after]):
        return Perturbation(name=name, changed=changed, undefined="no row of the sample counts")
    clusters = [run.gold.clusters[row] for row in rows]
    change = change_between(metric, before, after, clusters)
    return Perturbation(name=name, score=change, changed=changed)


def _answer(
    run: RunData, row: int, own: tuple[Prediction, ...], answers: Mapping[str, Prediction]
) -> Prediction:
    """Return the answer to a test row; a row that the perturbation does not change keeps its."""
    return answers.get(run.gold.ids[row], own[row])
