"""What a reader must know of the figures of a run, in sentences: doubts, failures, what stands out.

None of it enters the verdict.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from harness.analysis.decision.verdict import listed
from harness.analysis.performance.busy_machine import busy_machine
from harness.analysis.run_data import Evidence
from harness.analysis.schema.comparison import Row
from harness.analysis.schema.diagnostics import Change, Overfitting
from harness.analysis.schema.scores import SliceScore
from harness.analysis.scoring.breakdown import FEWEST_IN_SLICE, ahead_in
from harness.wording import numbers


def findings_of(evidence: Evidence, rows: Sequence[Row], choice: str | None) -> Iterator[str]:
    """Yield what is found of all arms, the gravest first.

    Args:
        evidence: of the run.
        rows: what was judged of each arm.
        choice: the arm that is recommended, if one is.
    """
    yield from _doubts(rows)
    for row in rows:
        if row.failed_items:
            yield f"{row.failed_items} answers of {row.strategy} failed and score zero"
    yield from busy_machine(evidence)
    yield from _trained_once(evidence)
    for row in rows:
        if row.facts.overfitting is not None:
            yield from _of_curves(row, row.facts.overfitting)
        yield from _forgotten(row)
        yield from _fragile(row, evidence.task["margin"])
        if row.strategy == choice and row.worst_slice is not None:
            yield _worst_slice_text(rows, row, row.worst_slice)


def _doubts(rows: Sequence[Row]) -> Iterator[str]:
    """Yield why intervals are not to be trusted, each reason once with the arms it concerns."""
    reasons: dict[str, list[str]] = {}
    for row in rows:
        if row.score and row.score.unreliable:
            reasons.setdefault(row.score.unreliable, []).append(row.strategy)
    for reason, names in reasons.items():
        yield f"{listed(names)}: {reason}"


def _trained_once(evidence: Evidence) -> Iterator[str]:
    """Say of which tuned arms one training alone is known."""
    names = [
        arm.name
        for arm in evidence.arms
        if arm.status == "ok" and arm.plan.tunes and not arm.plan.replays and len(arm.trials) == 1
    ]
    if names:
        yield (
            f"{listed(names)}: trained with one seed, so how far a score moves from one training to"
            " the next is in no interval here → give more `seeds`, five or more"
        )


def _of_curves(row: Row, found: Overfitting) -> Iterator[str]:
    which = [f"part {found.part}"] if found.part else []
    which += [f"seed {found.seed}"] if len(row.seeds) > 1 else []
    name = row.strategy + (f" ({', '.join(which)})" if which else "")
    losses = found.validation_loss, found.train_loss
    validation, trained = (" to ".join(map(numbers.score, pair or ())) for pair in losses)
    if found.flagged:
        yield (
            f"{name} trained past its best step {found.step}: until step"
            f" {found.last_step} its validation loss rises from {validation} while its training"
            f" loss falls from {trained}; built-in tuning keeps the weights of step {found.step}"
        )
    if found.falling_from is not None and found.validation_loss is not None:
        begin, end = found.falling_from, found.validation_loss[1]
        yield (
            f"{name} may not have been trained to its end: its validation loss still"
            f" fell, from {numbers.score(begin)} to {numbers.score(end)}, when training ended at"
            f" step {found.last_step} → try more epochs"
        )


def _forgotten(row: Row) -> Iterator[str]:
    """Say what tuning is shown to have made a model worse at, besides the task."""
    found = row.facts.forgetting
    if found is None:
        return
    text, choice = found.bits_per_byte, found.choice_accuracy
    if text is not None and text.ci_low > 0:
        yield (
            f"{row.strategy} forgot: of general text a byte takes it {_both(text)} bits (fewer is"
            " better)"
        )
    if choice is not None and choice.ci_high < 0:
        yield f"{row.strategy} forgot: of general questions it answers {_both(choice)} right"


def _fragile(row: Row, margin: float) -> Iterator[str]:
    """Say under what changes of the input an arm is shown to lose more than the margin."""
    for one in row.facts.robustness:
        if one.score is not None and one.score.ci_high < -margin:
            yield (
                f"{row.strategy} is sensitive to {one.name}: {one.score.metric} {_both(one.score)}"
                f" on {one.score.n} test rows"
            )


def _both(change: Change) -> str:
    return f"{numbers.score(change.after)} instead of {numbers.score(change.before)}"


def _worst_slice_text(rows: Sequence[Row], row: Row, worst: SliceScore) -> str:
    large = sum(s.score.n >= FEWEST_IN_SLICE for s in row.slices)
    score, ahead = worst.score, ahead_in(rows, row, worst)
    interval = numbers.interval(score.ci_low, score.ci_high)
    others = ""
    if ahead is not None:
        name, best = ahead
        beside = numbers.interval(best.ci_low, best.ci_high)
        figures = f"{numbers.score(best.value)} ({beside})"
        others = f" The highest score on those rows is that of {name}: {figures}."
    return (
        f"{row.strategy} does worst where {worst.column} is '{worst.value}': {score.metric}"
        f" {numbers.score(score.value)} (95 % interval {interval}) on {score.n} rows. It is the"
        f" lowest of {large} slices of at least {FEWEST_IN_SLICE} rows, and the lowest of several"
        f" is low by chance too.{others}"
    )
