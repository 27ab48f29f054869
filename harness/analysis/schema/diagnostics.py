"""Diagnostics of an arm besides score, time and cost: the nouns.

`None` in place of one of them: it does not concern the arm, was switched off (`diagnostics` in the
task file), or the run is older than it. `undefined` says why a figure is missing that should be
there.
"""

from __future__ import annotations

from typing import Any

from harness.analysis.schema import Conclusion
from harness.analysis.schema.measured_curves import LossCurve
from harness.analysis.schema.scores import Score


class Change(Conclusion):
    """A figure before and after on the same items, with the 95% interval of the difference."""

    metric: str
    """Its name."""
    before: float
    """The figure before."""
    after: float
    """The figure after."""
    change: float
    """after − before."""
    ci_low: float
    """Lower end of the 95% interval of the difference."""
    ci_high: float
    """Upper end."""
    n: int
    """Items."""


class Forgetting(Conclusion):
    """What a model says to the general probe before tuning, and as the arm serves it after."""

    bits_per_byte: Change | None = None
    """Of short passages; more is worse: −Σ log2 p / bytes."""
    choice_accuracy: Change | None = None
    """Of four-way questions: the option whose text is likeliest after the question is the answer;
    by chance 0.25."""
    undefined: str | None = None
    """Why there are no figures."""
    note: str | None = None
    """What besides tuning is in the change."""


class Perturbation(Conclusion):
    """What a perturbation of the input does to the score."""

    name: str
    """What is done to the input."""
    score: Change | None = None
    """Before: as the test rows are; after: perturbed. Of the task's metric, accuracy in place of
    macro-F1."""
    changed: int = 0
    """Rows of the sample that the perturbation really changes."""
    undefined: str | None = None
    """Why there is no figure."""


class Calibration(Conclusion):
    """Whether answers are right as often as their probabilities say."""

    expected_error: float | None = None
    """Expected calibration error, in ten bins of equal mass (see calibration.py)."""
    error_by_chance: float | None = None
    """What it would be on average if the probabilities were right: so few rows cannot show less."""
    brier: float | None = None
    """Mean squared difference between an answer's probability and 1 if it is right, else 0."""
    n: int = 0
    """Answers with a probability."""
    undefined: str | None = None
    """Why there is no figure."""


class Overfitting(Conclusion):
    """What the training curves show: rising validation loss under falling training loss."""

    flagged: bool = False
    """Whether it is seen."""
    step: int | None = None
    """The step with the lowest validation loss."""
    last_step: int | None = None
    """The last one of the training."""
    validation_loss: tuple[float, float] | None = None
    """At `step` and at the last evaluation."""
    train_loss: tuple[float, float] | None = None
    """Mean over the steps since the evaluation before, at the same two."""
    falling_from: float | None = None
    """Where the validation loss was still falling when training ended: its lowest but for the last
    two evaluations."""
    seed: int | None = None
    """Of the training; null: there is one alone."""
    part: str | None = None
    """Which part of a composed arm was trained; None: the arm itself."""
    undefined: str | None = None
    """Why nothing can be said."""


class AnswerOrder(Conclusion):
    """Whether answers stay the same when their queries are asked in another order."""

    changed: int = 0
    """Answers that were others then, over all seeds."""
    asked: int = 0
    """Answers that were asked for again."""
    largest_logprob_change: float | None = None
    """Of any label, in natural logarithms; None: no probabilities were given."""
    undefined: str | None = None
    """Why it was not looked for."""


class FloorResult(Conclusion):
    """An arm beside a cheap strategy that it is not below where it works."""

    strategy: str
    """The cheap strategy's name."""
    params: dict[str, Any]
    """Its parameters."""
    description: str
    """What it does: "copying the nearest training row"."""
    meaning: str
    """What it means to be below it: "its prompt does not work here"."""
    arm: str | None = None
    """The arm whose answers these are; None: they were made for this comparison alone."""
    score: Score | None = None
    """What it scores."""
    difference: Change | None = None
    """Before: the floor's score; after: the arm's, on the same rows."""
    below: bool | None = None
    """Whether the arm's score is below the floor's; None: not known."""
    undefined: str | None = None
    """Why there is no score."""


class ArmDiagnostics(Conclusion):
    """All of them for one arm."""

    forgetting: Forgetting | None = None
    """What tuning changed of what the model says elsewhere."""
    robustness: tuple[Perturbation, ...] = ()
    """What perturbed inputs do to the score."""
    robustness_undefined: str | None = None
    """Why they were not measured."""
    calibration: Calibration | None = None
    """Whether its probabilities are right."""
    overfitting: Overfitting | None = None
    """What its training curves show."""
    losses: tuple[LossCurve, ...] = ()
    """One a seed and part that logged its training; none in comparisons of earlier versions."""
    order: AnswerOrder | None = None
    """Whether the order of queries changes answers."""
    seeds: tuple[int, ...] = ()
    """Under which forgetting and robustness were measured: of an arm with several, the first alone.
    Empty: under none, or an earlier version wrote the comparison."""
    wall_s: float | None = None
    """What measuring forgetting and robustness took, in none of the arm's other figures."""
