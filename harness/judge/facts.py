"""Gathers what is told of one arm besides score, time and cost, as the task file asks for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness import numbers
from harness.judge.arm_facts import ArmFacts, Overfitting
from harness.judge.calibration import calibration_of
from harness.judge.comparison import Row, SliceScore
from harness.judge.evidence import ArmEvidence, Evidence
from harness.judge.forgetting import forgetting_of
from harness.judge.overfitting import overfitting_of
from harness.judge.robustness import robustness_of

FEWEST_IN_SLICE = 10
"""Rows below which a slice is not called the worst."""


def facts_of(evidence: Evidence, arm: ArmEvidence) -> ArmFacts:
    """Return the facts of an arm that ended ok, those that are switched on."""
    found = ArmFacts(wall_s=_wall_s(arm))
    if wanted(evidence, "forgetting"):
        found = found.model_copy(update={"forgetting": forgetting_of(arm)})
    if wanted(evidence, "robustness"):
        each, why_not = robustness_of(evidence, arm)
        update = {"robustness": each, "robustness_undefined": why_not}
        found = found.model_copy(update=update)
    if wanted(evidence, "calibration"):
        found = found.model_copy(update={"calibration": calibration_of(evidence, arm)})
    if wanted(evidence, "overfitting"):
        seeds = [trial.seed for trial in arm.trials]
        curves = overfitting_of(arm.files.train_logs, seeds)
        found = found.model_copy(update={"overfitting": curves})
    return found


def wanted(evidence: Evidence, name: str) -> bool:
    """Tell whether the task file asks for a fact; one older than the key asks for all."""
    return bool(evidence.task.get("facts", {}).get(name, True))


def worst_slice(slices: Sequence[SliceScore]) -> SliceScore | None:
    """Return the slice with the lowest score; None where fewer than two are large enough."""
    large = [s for s in slices if s.score.n >= FEWEST_IN_SLICE and s.score.value is not None]
    return min(large, key=lambda s: s.score.value or 0.0) if len(large) > 1 else None


def findings_of(rows: Sequence[Row], choice: str | None) -> Iterator[str]:
    """Yield what the facts of the arms come to, in plain words."""
    for row in rows:
        if row.facts.overfitting is not None and row.facts.overfitting.flagged:
            yield _overfitting_text(row, row.facts.overfitting)
    for row in rows:
        if row.strategy == choice and row.worst_slice is not None:
            yield _worst_slice_text(row, row.worst_slice)


def _overfitting_text(row: Row, found: Overfitting) -> str:
    losses = found.validation_loss, found.train_loss
    validation, trained = (" to ".join(map(numbers.score, pair or ())) for pair in losses)
    seed = f" (seed {found.seed})" if len(row.seeds) > 1 else ""
    return (
        f"{row.strategy}{seed} trained past its best step {found.step}: until step"
        f" {found.last_step} its validation loss rises from {validation} while its training loss"
        f" falls from {trained}; built-in tuning keeps the weights of step {found.step}"
    )


def _worst_slice_text(row: Row, worst: SliceScore) -> str:
    large = sum(s.score.n >= FEWEST_IN_SLICE for s in row.slices)
    score = worst.score
    interval = numbers.interval(score.ci_low, score.ci_high)
    return (
        f"{row.strategy} does worst where {worst.column} is '{worst.value}': {score.metric}"
        f" {numbers.score(score.value)} (95 % interval {interval}) on {score.n} rows. It is the"
        f" lowest of {large} slices of at least {FEWEST_IN_SLICE} rows, and the lowest of several"
        " is low by chance too."
    )


def _wall_s(arm: ArmEvidence) -> float | None:
    results = [result for t in arm.trials for result in (t.probe, t.robustness) if result]
    walls = [m.wall_s for result in results for m in result.measurements]
    return sum(walls) if walls else None
