"""Where arms err: labels taken for others, scores by label and by slice, how sure errors are."""

from __future__ import annotations

from collections.abc import Iterator

from markupsafe import Markup

from harness.analysis import ArmResult, Comparison, Confusion, ordered
from harness.wording import numbers
from harness.wording.sentences import counted
from reports.matrix import Shaded, matrix
from reports.plots.arms_shown import first_arm
from reports.plots.coverage import coverage_plot
from reports.plots.reliability import reliability_plot
from reports.plots.robustness import robustness_plot
from reports.plots.slices import slices_plot
from reports.section import Beside, Block, Embedded, Item, Items, Section, Table, Text
from reports.sections.arms import scored

MOST_LABELS = 25
"""Labels of a matrix that a page has room for; of more, the largest confusions are told."""
TOLD = 5
"""Confusions that are told in words; of many labels three times as many."""
UNREAD, FAILED = -1, -2


def confusions(comparison: Comparison) -> Section | None:
    """Which labels the chosen arm, or else the best, takes for which."""
    row = first_arm(comparison)
    if row is None or row.confusion is None:
        return None
    found = row.confusion
    many = len(found.labels) > MOST_LABELS
    wrong = largest(found)
    blocks: list[Block] = []
    if not many:
        place = [arm.strategy for arm in _with_answers(comparison)].index(row.strategy)
        blocks.append(Embedded(_matrix(row.strategy, found, place), _in_words(wrong, found)))
    lines = [_said(cell, found) for cell in wrong[: 3 * TOLD if many else TOLD]]
    if many and lines:
        blocks.append(Items(tuple(map(Item, lines))))
    if len(row.seeds) > 1:
        text = f"Answers of the training that is shipped (seed {found.seed})."
        blocks.append(Text(text, small=True))
    errors = sum(n for right, said, n in found.cells if right != said)
    if not errors:
        return None
    finding = f"{row.strategy} errs on {errors} of {sum(n for *_, n in found.cells)} rows"
    finding += f", most often: {lines[0]}." if lines else "."
    title = f"Which labels {row.strategy} takes for which"
    return Section("confusions", "E", title, tuple(blocks), finding=finding)


def by_label(comparison: Comparison) -> Section | None:
    """How much of each label every arm finds."""
    rows = [row for row in ordered(comparison) if row.classes]
    first = first_arm(comparison)
    if not rows or first is None or not first.classes:
        return None
    labels = sorted(first.classes, key=lambda one: (one.recall is None, one.recall or 0.0))
    table = Table(
        ("label", "rows", *(row.strategy for row in rows)),
        tuple((one.label, f"{one.n}", *_recalls(rows, one.label)) for one in labels),
        caption="Share of each label's rows that an arm finds (recall)",
    )
    worst = labels[0]
    finding = ""
    if worst.recall is not None:
        found = round(worst.recall * worst.n)
        of = f"{found} of the {worst.n} rows of {worst.label}, its worst label."
        finding = f"{first.strategy} finds {of}"
    return Section("labels", "E", "Labels by arm", (table,), finding=finding, closed=True)


def slices(comparison: Comparison) -> Section | None:
    """What every arm scores in each slice, with intervals."""
    rows = [row for row in ordered(comparison) if row.slices]
    if not rows:
        return None
    first = first_arm(comparison) or rows[0]
    metric = rows[0].slices[0].score.metric
    lines = tuple(
        (f"{one.column}: {one.value}", f"{one.score.n}", *_of_slice(rows, one.column, one.value))
        for one in rows[0].slices
    )
    heads = ("slice", "rows", *(row.strategy for row in rows))
    table = Table(heads, lines, caption=f"{metric} by slice (95% interval)")
    plot = slices_plot(comparison)
    worst = first.worst_slice
    finding = ""
    if worst is not None:
        finding = (
            f"{first.strategy} is worst where {worst.column} is {worst.value}:"
            f" {scored(worst.score)} on {worst.score.n} rows."
        )
    blocks: tuple[Block, ...] = (plot,) if plot is not None else (table,)
    return Section("slices", "E", "Slices by arm", blocks, finding=finding, closed=True)


def unanswerable(comparison: Comparison) -> Section | None:
    """What arms do with questions that have no answer."""
    rows = [row for row in ordered(comparison) if row.unanswerable]
    if not rows:
        return None
    lines = tuple(
        (row.strategy, f"{_answered(row)} of {found.n}", numbers.percent(found.answered_anyway))
        for row in rows
        if (found := row.unanswerable)
    )
    table = Table(("arm", "answered instead of declining", "share"), lines, caption="Unanswerable")
    first = first_arm(comparison)
    finding = ""
    if first is not None and first.unanswerable is not None:
        n = first.unanswerable.n
        finding = f"{first.strategy} answered {_answered(first)} of {n} unanswerable questions."
    title = "Questions that have no answer"
    return Section("unanswerable", "E", title, (table,), finding=finding, closed=True)


def sureness(comparison: Comparison) -> Section | None:
    """How arms' probabilities go with what is right."""
    plots = [reliability_plot(comparison), coverage_plot(comparison)]
    blocks = tuple(plot for plot in plots if plot is not None)
    if not blocks:
        return None
    title = "How sure arms are, and how often they are right"
    finding = plots[1].finding if plots[1] is not None else blocks[0].finding
    return Section("sureness", "E", title, (Beside(blocks),), finding=finding, closed=True)


def robustness(comparison: Comparison) -> Section | None:
    """What perturbed inputs do to scores."""
    plot = robustness_plot(comparison)
    if plot is None:
        return None
    title = "Robustness: scores before and after a change of the input"
    return Section("robustness", "E", title, (plot,), finding=plot.finding, closed=True)


def largest(found: Confusion) -> list[tuple[int, int, int]]:
    """Return the cells of errors, those of most rows first."""
    wrong = [cell for cell in found.cells if cell[0] != cell[1]]
    return sorted(wrong, key=lambda cell: (-cell[2], cell[0], cell[1]))


def _with_answers(comparison: Comparison) -> list[ArmResult]:
    """Return the arms in the order in which the browser over all rows numbers them."""
    return [row for row in comparison.arms if row.status == "ok"]


def _name(number: int, found: Confusion) -> str:
    return {UNREAD: "no label read", FAILED: "failed"}.get(number) or found.labels[number]


def _said(cell: tuple[int, int, int], found: Confusion) -> str:
    right, said, n = cell
    rows = counted(n, "row")
    if said < 0:
        return f"{found.labels[right]}: {_name(said, found)} ({rows})"
    return f"{found.labels[right]} taken for {found.labels[said]} ({rows})"


def _in_words(wrong: list[tuple[int, int, int]], found: Confusion) -> str:
    return "; ".join(_said(cell, found) for cell in wrong[:TOLD])


def _matrix(name: str, found: Confusion, place: int) -> Markup:
    counts = {(right, said): n for right, said, n in found.cells}
    met = {column for _, column, _ in found.cells}
    said = [*range(len(found.labels)), *(x for x in (UNREAD, FAILED) if x in met)]
    most_wrong = max((n for (a, b), n in counts.items() if a != b), default=1)
    totals = {a: sum(n for (b, _), n in counts.items() if b == a) for a, _ in counts}

    def cell(right: int, column: int) -> Shaded:
        n = counts.get((right, column), 0)
        if not n:
            return Shaded("")
        good = right == column
        share = n / totals[right] if good else n / most_wrong
        words = f"{n} rows: right {found.labels[right]}, answered {_name(column, found)}"
        rows = f"a={place}&gold={right}&said={column}"
        return Shaded(f"{n}", share, good, rows, words)

    lines = [
        (label, [cell(right, column) for column in said])
        for right, label in enumerate(found.labels)
    ]
    caption = f"{name}: right labels in rows, answers in columns."
    heads = [_name(column, found) for column in said]
    return matrix("right \\ answered", heads, lines, caption)


def _recalls(rows: list[ArmResult], label: str) -> Iterator[str]:
    for row in rows:
        one = next((one for one in row.classes if one.label == label), None)
        yield numbers.score(one.recall) if one else numbers.NOT_MEASURED


def _of_slice(rows: list[ArmResult], column: str, value: str) -> Iterator[str]:
    for row in rows:
        same = (one for one in row.slices if (one.column, one.value) == (column, value))
        found = next(same, None)
        yield scored(found.score) if found else numbers.NOT_MEASURED


def _answered(row: ArmResult) -> int:
    found = row.unanswerable
    return round(found.answered_anyway * found.n) if found else 0
