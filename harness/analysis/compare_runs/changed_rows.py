"""Rows that one run's arm answers better than the other run's: which, and what may be shown.

What each answer is worth comes from the answers of the training that is shipped (row_table). Texts
are shown only where both runs kept the inputs and both tasks' `report.examples` let them be seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from harness.analysis.examples.row_table import Answered, ArmRows, RowTable
from harness.analysis.examples.shown import Policy, cut

MOST = 10
"""Rows of each kind that are shown of an arm; all are counted."""
SAME = 1e-9
"""Scores that differ less are the same."""


@dataclass(frozen=True)
class Side:
    """One answer to a row."""

    score: float
    text: str | None
    """What was answered; None: not shown. Of a failed answer, its error."""


@dataclass(frozen=True)
class ChangedRow:
    """A row that scores otherwise now."""

    item: str
    before: Side
    after: Side
    input: str | None = None
    """None: not shown."""
    targets: tuple[str, ...] | None = None
    """What is right; None: not shown."""
    withheld: str | None = None
    """Why its texts are not shown."""


@dataclass(frozen=True)
class ChangedRows:
    """Rows that an arm answers better, or worse, in the second run."""

    fixed_n: int
    """That score higher now."""
    broken_n: int
    """That score lower now."""
    fixed: tuple[ChangedRow, ...] = ()
    """The largest changes first, in the order of the rows; at most `MOST`."""
    broken: tuple[ChangedRow, ...] = ()
    withheld: str | None = None
    """Why no row is shown, where some changed."""


@dataclass(frozen=True)
class Tables:
    """The answers of both runs, and which of their rows are the same."""

    before: RowTable
    after: RowTable
    rows: Sequence[tuple[int, int]]
    """Places of the shared rows in both runs."""

    @property
    def policies(self) -> tuple[Policy, Policy]:
        """What each run's task lets a page show."""
        return Policy(self.before.run.task.report.examples), Policy(
            self.after.run.task.report.examples
        )


def changed_rows(tables: Tables, arm: str) -> ChangedRows | None:
    """Return what changed in single rows for an arm; None: it did not finish in both runs."""
    was, now = tables.before.of(arm), tables.after.of(arm)
    if was is None or now is None:
        return None
    found: list[tuple[float, int, int]] = []
    for old, new in tables.rows:
        one, other = was.answers[old].score, now.answers[new].score
        if one is not None and other is not None and abs(other - one) > SAME:
            found.append((other - one, old, new))
    fixed = [one for one in found if one[0] > 0]
    broken = [one for one in found if one[0] < 0]
    shown = all(policy.rows for policy in tables.policies)
    return ChangedRows(
        len(fixed),
        len(broken),
        _largest(tables, was, now, fixed) if shown else (),
        _largest(tables, was, now, broken) if shown else (),
        None if shown else "report.examples is 'none'",
    )


def _largest(
    tables: Tables, was: ArmRows, now: ArmRows, found: list[tuple[float, int, int]]
) -> tuple[ChangedRow, ...]:
    largest = sorted(found, key=lambda one: -abs(one[0]))[:MOST]  # stable: ties by row
    return tuple(_row(tables, was, now, old, new) for _, old, new in largest)


def _row(tables: Tables, was: ArmRows, now: ArmRows, old: int, new: int) -> ChangedRow:
    first, second = was.answers[old], now.answers[new]
    gold, other = tables.before.run.gold, tables.after.run.gold
    one, two = tables.policies
    asked = gold.asked[old] if gold.asked else None
    asked_now = other.asked[new] if other.asked else None
    hidden = one.withheld(asked, was_picked=True) or two.withheld(asked_now, was_picked=True)
    if hidden or asked_now is None:
        sides = _side(first, False), _side(second, False)
        return ChangedRow(gold.ids[old], *sides, withheld=hidden)
    return ChangedRow(
        gold.ids[old],
        _side(first, True),
        _side(second, True),
        cut(asked_now.text),
        tuple(map(cut, other.targets[new])),
    )


def _side(answer: Answered, shown: bool) -> Side:
    if answer.given.error:
        text: str | None = f"failed: {cut(answer.given.error)}"
    else:
        text = cut(answer.given.text)
    return Side(answer.score or 0.0, text if shown else None)
