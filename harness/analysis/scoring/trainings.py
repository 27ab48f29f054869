"""The trainings of an arm that was trained several times, each scored by itself.

The arm's own score is the mean over them, with what they differ by in its interval (score.py); here
stands what that mean hides. Weighs no arm against another.
"""

from __future__ import annotations

import numpy as np

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.schema.trainings import Training, Trainings
from harness.analysis.scoring.score import primary_score
from harness.metrics import Metric
from harness.store.validation_score import shipped, validated
from harness.wording import numbers

ALLOWED_SHARE = 0.02
"""Of the metric's range, by which trainings may differ (standard deviation) where the task has no
margin: a choice of ours, the standard error of an accuracy of 0.85 on 310 rows, so that no more is
asked of trainings than such a test set shows."""
NOT_VALIDATED = "no validation score is on record for each of them"
GIVEN = ("train", "validation")


def trainings_of(run: RunData, arm: ArmData) -> Trainings | None:
    """Return the trainings of an arm that finished; None where there is one alone."""
    if len(arm.trainings) < 2:
        return None
    metric, margin = run.metric, run.task.margin
    each = tuple(_training(run, arm, one) for one in arm.trainings)
    scores = [one.validation for one in each]
    return Trainings(
        each=each,
        spread=float(np.std([one.score.value or 0.0 for one in each], ddof=1)),
        allowed=margin or ALLOWED_SHARE * _range(metric),
        by_margin=margin > 0,
        shipped=shipped(arm.trials).seed,
        unchosen=NOT_VALIDATED if None in scores else None,
    )


def trainings_text(name: str, found: Trainings) -> str:
    """Return an arm's trainings in a sentence: scores, spread, and what would be shipped."""
    low, high = (numbers.score(value) for value in found.range)
    one = found.of_shipped
    interval = numbers.interval(one.score.ci_low, one.score.ci_high)
    why = "the first" if found.unchosen else f"best on validation ({numbers.score(one.validation)})"
    return (
        f"{name}: {len(found.each)} trainings score {low} to {high} (SD"
        f" {numbers.score(found.spread)}). You would ship seed {one.seed}, {why}:"
        f" {numbers.score(one.score.value)} ({interval})"
    )


def _training(run: RunData, arm: ArmData, alone: ArmData) -> Training:
    [trial] = alone.trials
    found = validated(trial)
    rows = {plan.seed: plan.rows_sha256 for plan in run.header.trials if plan.arm == arm.name}
    given = {split: run.header.data.sha256.get(split) for split in GIVEN}
    own = rows.get(trial.seed) or given
    return Training(
        seed=trial.seed,
        score=primary_score(run, alone),
        cut_anew=any(own.get(split) != given[split] for split in GIVEN),
        validation=found.value if found else None,
        validation_n=found.n if found and found.value is not None else None,
    )


def _range(metric: Metric) -> float:
    return float(metric.highest - metric.lowest)
