"""What every arm that finished answered to every test row, and what each answer is worth.

Of an arm that was trained several times it is the training that is shipped. Holds no text of its
own and reads no file; what may be shown of it is another's matter.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from math import exp, isfinite
from typing import Literal

import numpy as np

from harness.analysis.run_data import ArmData, RunData
from harness.analysis.scoring.score import BY_CLASS
from harness.metrics import Metric, declines, find, read_choice, unanswerable
from harness.store.validation_score import shipped
from harness.types import Prediction

State = Literal["ok", "failed", "declined"]


@dataclass(frozen=True, slots=True)
class Answered:
    """One answer, and what is known of it."""

    given: Prediction
    score: float | None
    """By the metric of single rows; None: the row does not count for it."""
    state: State
    label: str | None = None
    """What was read of it, where answers are choices."""
    sure: float | None = None
    """The probability of that label."""
    right_trainings: int | None = None
    """How many of the arm's trainings are worth the highest score here; None: there is one."""


@dataclass(frozen=True)
class ArmRows:
    """The answers of one arm, in the order of the gold rows."""

    arm: ArmData
    place: int
    """Of the training among the arm's seeds."""
    answers: tuple[Answered, ...]

    @property
    def name(self) -> str:
        """The arm's name."""
        return self.arm.name

    @property
    def seed(self) -> int:
        """The seed of that training."""
        return self.arm.trials[self.place].seed


@dataclass(frozen=True)
class RowTable:
    """All rows of a run by all arms that finished."""

    run: RunData
    metric: Metric
    """That says what one row is worth: accuracy where the task's weighs labels alike."""
    arms: tuple[ArmRows, ...]

    def of(self, name: str | None) -> ArmRows | None:
        """Return an arm's answers; None: it did not finish."""
        return next((arm for arm in self.arms if arm.name == name), None)

    def is_right(self, answer: Answered) -> bool:
        """Tell whether an answer is worth the highest score there is."""
        return answer.score is not None and answer.score >= self.metric.highest - 1e-9

    @cached_property
    def unanswerable(self) -> tuple[bool, ...]:
        """Which rows have no answer that would be right."""
        phrase = self.run.task.answer.no_answer
        return tuple(unanswerable(accepted, phrase) for accepted in self.run.gold.targets)


def row_table(run: RunData) -> RowTable:
    """Return the answers of all arms that finished."""
    metric = row_metric(run)
    return RowTable(run, metric, tuple(_arm(run, arm, metric) for arm in run.finished))


def row_metric(run: RunData) -> Metric:
    """Return the metric that says what a single row is worth."""
    return find("accuracy") if run.metric.name in BY_CLASS else run.metric


def _arm(run: RunData, arm: ArmData, metric: Metric) -> ArmRows:
    place = [trial.trial_id for trial in arm.trials].index(shipped(arm.trials).trial_id)
    statistics = run.statistics(arm, metric)  # [seeds, items, k]
    with np.errstate(invalid="ignore", divide="ignore"):
        worths = np.asarray(metric.finish(statistics), dtype=float)  # [seeds, items]
    best = worths >= metric.highest - 1e-9
    several = len(arm.predictions) > 1
    answers = tuple(
        _answered(run, given, float(worth), int(right) if several else None)
        for given, worth, right in zip(
            arm.predictions[place], worths[place], best.sum(axis=0), strict=True
        )
    )
    return ArmRows(arm, place, answers)


def _answered(run: RunData, given: Prediction, worth: float, right: int | None) -> Answered:
    task = run.task.answer
    label = sure = None
    state: State = "failed" if given.error else "ok"
    if state == "ok" and task.kind == "choice":
        label = read_choice(given.text, list(task.labels))
        logprob = None if label is None else (given.label_logprobs or {}).get(label)
        sure = None if logprob is None else min(1.0, exp(logprob))
    if state == "ok" and declines(given.text, task.no_answer):
        state = "declined"
    return Answered(given, worth if isfinite(worth) else None, state, label, sure, right)
