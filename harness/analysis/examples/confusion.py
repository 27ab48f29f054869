"""Which labels an arm takes for which. Knows nothing of texts."""

from __future__ import annotations

from collections import Counter

from harness.analysis.examples.row_table import Answered, ArmRows, RowTable
from harness.analysis.schema.weaknesses import FAILED, UNREAD, Confusion

MOST_LABELS = 200
"""More are not counted: nobody reads a matrix of so many."""


def confusion_of(table: RowTable, arm: ArmRows) -> Confusion | None:
    """Count right against answered labels; None of other answers than choices."""
    labels = tuple(table.run.task.answer.labels)
    if not 1 < len(labels) <= MOST_LABELS:
        return None
    numbers = {label: number for number, label in enumerate(labels)}
    found = Counter(
        (numbers[right_label(accepted, answer)], _said(answer, numbers))
        for answer, accepted in zip(arm.answers, table.run.gold.targets, strict=True)
    )
    cells = tuple((*cell, n) for cell, n in sorted(found.items()))
    return Confusion(labels=labels, cells=cells, seed=arm.seed)


def right_label(accepted: tuple[str, ...], answer: Answered) -> str:
    """Return a row's right label: of several accepted ones the answered, if it is among them."""
    return answer.label if answer.label in accepted and answer.label else accepted[0]


def _said(answer: Answered, numbers: dict[str, int]) -> int:
    if answer.state == "failed":
        return FAILED
    return UNREAD if answer.label is None else numbers[answer.label]


def largest(confusion: Confusion) -> list[tuple[int, int, int]]:
    """Return the cells of errors that name a label, those of most rows first."""
    wrong = [cell for cell in confusion.cells if cell[0] != cell[1] and cell[1] >= 0]
    return sorted(wrong, key=lambda cell: (-cell[2], cell[0], cell[1]))
