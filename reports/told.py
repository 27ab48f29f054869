"""Phrases what is told of arms besides score, time and cost: one short text a cell."""

from __future__ import annotations

from harness.analysis import ArmResult, Change, CitedAnswer
from harness.wording import numbers

MOST_SOURCES = 5
"""Documents that are named beside an answer; of more, how many there are."""


def concerned(rows: list[ArmResult]) -> list[ArmResult]:
    """Return the rows of which something was measured that tuning may have changed."""
    return [
        row
        for row in rows
        if row.diagnostics.forgetting
        or row.diagnostics.robustness
        or row.diagnostics.robustness_undefined
    ]


def calibrated(rows: list[ArmResult]) -> list[ArmResult]:
    """Return the rows whose arms give probabilities."""
    return [row for row in rows if row.diagnostics.calibration]


def trained(rows: list[ArmResult]) -> list[ArmResult]:
    """Return the rows whose arms have logged their training."""
    return [row for row in rows if row.diagnostics.overfitting]


def change(found: Change) -> str:
    """A figure before and after, and its change with the interval."""
    both = f"{numbers.score(found.before)} → {numbers.score(found.after)}"
    return f"{both} ({found.change:+.3f}: {found.ci_low:+.3f} to {found.ci_high:+.3f})"


def forgetting(row: ArmResult) -> list[tuple[str, str]]:
    """What the general probe shows, and its figures."""
    found = row.diagnostics.forgetting
    if found is None:
        return []
    if found.undefined:
        return [("general probe", f"{numbers.NOT_MEASURED} ({found.undefined})")]
    lines = []
    if found.bits_per_byte:
        name = f"general text, bits per byte (less is better, {found.bits_per_byte.n} passages)"
        lines.append((name, change(found.bits_per_byte)))
    if found.choice_accuracy:
        name = f"general knowledge, accuracy ({found.choice_accuracy.n} four-way questions)"
        lines.append((name, change(found.choice_accuracy)))
    return lines + ([("general probe", found.note)] if found.note else [])


def robustness(row: ArmResult) -> list[tuple[str, str]]:
    """What each perturbation does to the score."""
    if row.diagnostics.robustness_undefined:
        why = row.diagnostics.robustness_undefined
        return [("perturbed inputs", f"{numbers.NOT_MEASURED} ({why})")]
    lines = []
    for found in row.diagnostics.robustness:
        if found.score is None:
            lines.append((found.name, f"{numbers.NOT_MEASURED} ({found.undefined})"))
            continue
        of = f"{found.changed} of {found.score.n} rows changed"
        lines.append((f"{found.name}, {found.score.metric} ({of})", change(found.score)))
    return lines


def calibration(row: ArmResult) -> str:
    """How far an arm's probabilities can be believed."""
    found = row.diagnostics.calibration
    if found is None or found.undefined or found.expected_error is None:
        return f"{numbers.NOT_MEASURED} ({found.undefined if found else 'gives none'})"
    return (
        f"off by {numbers.score(found.expected_error)} on average; right probabilities would show"
        f" about {numbers.score(found.error_by_chance)} on {found.n} rows; Brier"
        f" score {numbers.score(found.brier)}"
    )


def overfitting(row: ArmResult) -> str:
    """What the training curves show."""
    found = row.diagnostics.overfitting
    if found is None or found.validation_loss is None or found.train_loss is None:
        return f"{numbers.NOT_MEASURED} ({found.undefined if found else 'logs no training'})"
    lowest, last = map(numbers.score, found.validation_loss)
    part = f"in its part {found.part}, " if found.part else ""
    if found.flagged:
        begin, end = map(numbers.score, found.train_loss)
        return (
            f"{part}trained past its best step {found.step}, whose weights built-in tuning keeps:"
            f" validation loss {lowest} → {last} until step {found.last_step}, training loss"
            f" {begin} → {end}"
        )
    end = f"{last} at the end" + (", still falling" if found.falling_from is not None else "")
    return f"{part}no overfitting seen (validation loss {lowest} at its lowest, {end})"


def citation(found: CitedAnswer) -> tuple[str, str, str]:
    """A question's id, its answer and what the answer cites."""
    if found.answer is None:
        return found.item, "failed", numbers.NOT_MEASURED
    more = len(found.sources) - MOST_SOURCES
    named = ", ".join(found.sources[:MOST_SOURCES]) + (f" and {more} more" if more > 0 else "")
    return found.item, found.answer, named or "none"
