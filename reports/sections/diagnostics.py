"""What one score does not say: cited answers, training, robustness, calibration."""

from __future__ import annotations

from harness.analysis import ArmResult, Change, CitedAnswer, Comparison, Score, ordered
from harness.wording import numbers
from reports.section import Block, Item, Items, Section, Table, Text

MOST_SOURCES = 5
"""Documents that are named beside an answer; of more, how many there are."""


def citations(comparison: Comparison) -> Section | None:
    """The first answers of arms that name their sources."""
    lines = tuple(
        (row.strategy, *_citation(one)) for row in ordered(comparison) for one in row.cited
    )
    if not lines:
        return None
    note = Text("The first test rows in their order, right or wrong.", small=True)
    table = Table(("arm", "question", "answer", "sources"), lines)
    title = "Answers and the sources they name"
    return Section("sources", "F", title, (note, table), closed=True)


def diagnostics(comparison: Comparison) -> Section | None:
    """What training changed besides the score, robustness, and calibration."""
    arms_in_order = ordered(comparison)
    changed = tuple(
        (row.strategy, what, figures)
        for row in arms_in_order
        for what, figures in _forgetting(row) + _robustness(row)
    )
    curves = [
        Item(_overfitting(row), f"{row.strategy}, training curves")
        for row in arms_in_order
        if row.diagnostics.overfitting
    ]
    sure = [
        Item(_calibration(row), f"{row.strategy}, probabilities of its answers")
        for row in arms_in_order
        if row.diagnostics.calibration
    ]
    floors = [
        Item(_floor(row, floor.score, floor.difference), f"{row.strategy}, {floor.description}")
        for row in arms_in_order
        for floor in row.floors
        if floor.score and floor.difference
    ]
    blocks: list[Block] = []
    if changed:
        blocks += [
            Text(_notes(comparison), small=True),
            Table(("arm", "what", "before → after"), changed),
        ]
    if curves or sure or floors:
        blocks.append(Items((*curves, *sure, *floors)))
    title = "What training changed, robustness and calibration"
    if not blocks:
        return None
    finding = _finding(arms_in_order)
    return Section("diagnostics", "G", title, tuple(blocks), finding, closed=True)


def _finding(rows: list[ArmResult]) -> str:
    """Return what training did to the general language of the arm that it changed most."""
    known = [
        (row, row.diagnostics.forgetting.bits_per_byte)
        for row in rows
        if row.diagnostics.forgetting and row.diagnostics.forgetting.bits_per_byte
    ]
    if not known:
        return ""
    row, found = max(known, key=lambda one: one[1].change)
    if found.ci_low <= 0:
        return "Training damaged no arm's general language beyond what chance could show."
    return (
        f"Training {row.strategy} damaged general language: {found.after:.2f} bits per byte, up"
        f" from {found.before:.2f} (lower is better)."
    )


def _notes(comparison: Comparison) -> str:
    """Return what one must know to read these figures."""
    walls = [row.diagnostics.wall_s for row in comparison.arms if row.diagnostics.wall_s]
    note = (
        "Before → after, with the 95% interval of the change on the same items. Measured afterwards"
        f" ({numbers.duration(sum(walls))} more)."
    )
    if any(1 <= len(row.diagnostics.seeds) < len(row.seeds) for row in comparison.arms):
        note += " Of an arm with several seeds they are of its first one alone."
    if comparison.task["answer"]["kind"] != "choice":
        note += " An answer that copies words of the input copies typos and casing too."
    return note


def _change(found: Change) -> str:
    """Return a figure before and after, and its change with the interval."""
    both = f"{numbers.score(found.before)} → {numbers.score(found.after)}"
    return f"{both} ({found.change:+.3f}: {found.ci_low:+.3f} to {found.ci_high:+.3f})"


def _forgetting(row: ArmResult) -> list[tuple[str, str]]:
    """Return what the general probe shows, and its figures."""
    found = row.diagnostics.forgetting
    if found is None:
        return []
    if found.undefined:
        return [("general probe", f"{numbers.NOT_MEASURED} ({found.undefined})")]
    lines = []
    if found.bits_per_byte:
        name = f"general text, bits per byte (lower is better, {found.bits_per_byte.n} passages)"
        lines.append((name, _change(found.bits_per_byte)))
    if found.choice_accuracy:
        name = f"general knowledge, accuracy ({found.choice_accuracy.n} four-way questions)"
        lines.append((name, _change(found.choice_accuracy)))
    return lines + ([("general probe", found.note)] if found.note else [])


def _robustness(row: ArmResult) -> list[tuple[str, str]]:
    """Return what each perturbation does to the score."""
    if row.diagnostics.robustness_undefined:
        why = row.diagnostics.robustness_undefined
        return [("perturbed inputs", f"{numbers.NOT_MEASURED} ({why})")]
    lines = []
    for found in row.diagnostics.robustness:
        if found.score is None:
            lines.append((found.name, f"{numbers.NOT_MEASURED} ({found.undefined})"))
            continue
        of = f"{found.changed} of {found.score.n} rows changed"
        lines.append((f"{found.name}, {found.score.metric} ({of})", _change(found.score)))
    return lines


def _calibration(row: ArmResult) -> str:
    """Return how well an arm's probabilities are calibrated."""
    found = row.diagnostics.calibration
    if found is None or found.undefined or found.expected_error is None:
        return f"{numbers.NOT_MEASURED} ({found.undefined if found else 'gives none'})"
    return (
        f"calibration error {numbers.score(found.expected_error)}; perfectly calibrated answers"
        f" would show about {numbers.score(found.error_by_chance)} on {found.n} rows; Brier score"
        f" {numbers.score(found.brier)}"
    )


def _overfitting(row: ArmResult) -> str:
    """Return what the training curves show."""
    found = row.diagnostics.overfitting
    if found is None or found.validation_loss is None or found.train_loss is None:
        return f"{numbers.NOT_MEASURED} ({found.undefined if found else 'logs no training'})"
    lowest, last = map(numbers.score, found.validation_loss)
    part = f"part {found.part}: " if found.part else ""
    if found.flagged:
        begin, end = map(numbers.score, found.train_loss)
        return (
            f"{part}trained past its best step {found.step}, which built-in tuning keeps:"
            f" validation loss {lowest} → {last} until step {found.last_step}, training loss"
            f" {begin} → {end}"
        )
    end = f"{last} at the end" + (", still falling" if found.falling_from is not None else "")
    return f"{part}no overfitting seen (validation loss {lowest} at its lowest, {end})"


def _floor(row: ArmResult, score: Score, change: Change) -> str:
    """Return what a cheap strategy scores that an arm is not below where it works."""
    return (
        f"scores {numbers.score(score.value)} by itself; {row.strategy} differs by"
        f" {change.change:+.3f} ({change.ci_low:+.3f} to {change.ci_high:+.3f})"
    )


def _citation(found: CitedAnswer) -> tuple[str, str, str]:
    """Return a question's id, its answer and what the answer cites."""
    if found.answer is None:
        return found.item, "failed", numbers.NOT_MEASURED
    more = len(found.sources) - MOST_SOURCES
    named = ", ".join(found.sources[:MOST_SOURCES]) + (f" and {more} more" if more > 0 else "")
    return found.item, found.answer, named or "none"
