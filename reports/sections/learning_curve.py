"""What more labels are worth: scores by number of labels, and where one arm overtakes another."""

from __future__ import annotations

from collections.abc import Iterator

from harness.analysis import Comparison, LearningCurve
from harness.analysis.schema.curve import CurveLine, NextLabels, RowsEffect
from harness.wording import numbers
from reports.plots.learning_curve import learning_curve_plot
from reports.section import Block, Item, Section, Table, Text, items

NOTE = (
    "A size counts all labelled rows, those of validation among them, in the task's proportion."
    " Bands are 95% intervals: test rows, draws of labelled rows and seeds are resampled together."
    " Draws are from the rows that you have: what others than these would change is in no band. A"
    " crossover is a 95% range from the same resamples. No verdict rests on any of this."
)
LAW = (
    "The value of the next labels is read off a law a − b·n^−c that follows the points"
    " (Figueroa et al. 2012); it reaches at most twice the labels that there are."
)


def learning_curve(comparison: Comparison) -> Section | None:
    """Plot, crossovers, the value of the next labels, noise and augmentation."""
    found = comparison.learning_curve
    if found is None:
        return None
    blocks: list[Block] = []
    if any(line.learns for line in found.lines):
        blocks += [items(*_crossovers(found)), learning_curve_plot(found), Text(NOTE, small=True)]
        if lines := list(_next(found)):
            blocks += [items(*lines), Text(LAW, small=True)]
    if found.effects:
        blocks.append(_effects(found))
    if found.missing:
        blocks.append(items(*(f"no point: {text}" for text in found.missing)))
    if not blocks:
        return None
    finding = next(_crossovers(found)).text
    title = "What more labels are worth"
    return Section("labels-worth", "G", title, tuple(blocks), finding, closed=True)


def _crossovers(found: LearningCurve) -> Iterator[Item]:
    for crossover in found.crossovers:
        text = crossover.text
        if not text.startswith(crossover.first):  # an arm is written as the task writes it
            text = text[:1].upper() + text[1:]
        yield Item(f"{text}.")
    if not found.crossovers:
        yield Item("No two arms can be compared at two sizes.")


def _next(found: LearningCurve) -> Iterator[Item]:
    for line in found.lines:
        if (more := line.next_labels) is not None:
            yield Item(_worth(line, more), line.strategy)


def _worth(line: CurveLine, more: NextLabels) -> str:
    """Say what the next labels add to an arm, beside what they cost."""
    if more.value is None or more.ci_low is None or more.ci_high is None:
        return f"what the next {more.labels} labels add is unknown: {more.undefined}."
    cost = (
        "what they cost is unknown (labour.usd_per_label)"
        if more.usd is None
        else f"they cost {numbers.usd(more.usd)}"
    )
    return (
        f"the next {more.labels} labels add {100 * more.value:+.1f} points"
        f" ({100 * more.ci_low:+.1f} to {100 * more.ci_high:+.1f}); {cost}."
    )


def _effects(found: LearningCurve) -> Table:
    headings = ("arm", "training rows", f"change of {found.metric} in points (95% interval)")
    return Table(headings, tuple(_effect(effect) for effect in found.effects))


def _effect(effect: RowsEffect) -> tuple[str, ...]:
    what = (
        f"{100 * effect.amount:g}% with a wrong label"
        if effect.kind == "noise"
        else f"{effect.amount:g} × by {' and '.join(effect.kinds) or 'augmentation'}"
    )
    if effect.value is None or effect.ci_low is None or effect.ci_high is None:
        return effect.strategy, what, f"unknown: {effect.undefined}"
    change = (
        f"{100 * effect.value:+.1f} ({100 * effect.ci_low:+.1f} to {100 * effect.ci_high:+.1f})"
    )
    return effect.strategy, what, change
