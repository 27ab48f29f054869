"""Twelve test rows that tell most of where arms differ and fail, picked by rule and not by hand.

Two rows a rule first; what a rule leaves over goes to the others in turn. A row is picked once.
Knows rows by their places; shows no text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import cycle
from typing import NamedTuple

from harness.analysis.examples.confusion import confusion_of, largest, right_label
from harness.analysis.examples.row_table import Answered, ArmRows, RowTable
from harness.analysis.schema.scores import SliceScore
from harness.wording.sentences import counted

PLACES = 12
A_RULE = 2
"""Rows that each rule has first."""


class Pick(NamedTuple):
    """A row, and why it was picked."""

    row: int
    rule: str


class Cast(NamedTuple):
    """Between which arms rows are to tell a difference."""

    first: ArmRows
    """The chosen arm, or the best where none is chosen."""
    rival: ArmRows | None
    """The best tuned arm; where the first is one, the best of the others."""


def picked(table: RowTable, choice: str | None, worst: SliceScore | None) -> list[Pick]:
    """Return the picked rows, those of a rule together, in the order of the rules.

    Args:
        table: all rows.
        choice: the chosen arm; None: none is.
        worst: the chosen arm's worst slice.
    """
    if not table.arms:
        return []
    cast = cast_of(table, choice)
    rules = [list(rule) for rule in _rules(table, cast, worst)]
    taken: dict[int, Pick] = {}
    turns = [A_RULE] * len(rules)
    for number in cycle(range(len(rules))):
        if len(taken) >= PLACES or not any(rules):
            break
        for pick in _next(rules[number], taken, turns[number]):
            taken[pick.row] = pick
        turns[number] = 1
    order = list(dict.fromkeys(pick.rule for rule in _rules(table, cast, worst) for pick in rule))
    return sorted(taken.values(), key=lambda pick: order.index(pick.rule))


def _next(rule: list[Pick], taken: dict[int, Pick], most: int) -> list[Pick]:
    """Take the next rows of a rule that nobody took, within the places that are left.

    A rule that has several reasons gives a row of each before a second one of any.
    """
    found: list[Pick] = []
    told = {pick.rule for pick in taken.values()}
    while len(found) < min(most, PLACES - len(taken)):
        rule[:] = [pick for pick in rule if pick.row not in taken and pick not in found]
        if not rule:
            break
        found.append(next((pick for pick in rule if pick.rule not in told), rule[0]))
        told.add(found[-1].rule)
    return found


def cast_of(table: RowTable, choice: str | None) -> Cast:
    """Return the two arms that a reader compares first."""
    by_worth = sorted(table.arms, key=_worth, reverse=True)
    first = table.of(choice) or by_worth[0]
    others = [arm for arm in by_worth if arm is not first]
    wanted = [arm for arm in others if arm.arm.plan.tunes != first.arm.plan.tunes]
    return Cast(first, next(iter(wanted or others), None))


def _worth(arm: ArmRows) -> float:
    return sum(answer.score or 0.0 for answer in arm.answers)


def _rules(table: RowTable, cast: Cast, worst: SliceScore | None) -> Iterator[Iterable[Pick]]:
    first, rival = cast
    if rival is not None:
        yield _ahead(table, rival, first)
        yield _ahead(table, first, rival)
    yield _all_wrong(table)
    yield _confused(table, first)
    yield _failed(table)
    yield _in_slice(table, first, worst)


def _ahead(table: RowTable, one: ArmRows, other: ArmRows) -> list[Pick]:
    """Rows on which an arm is ahead of another: by most first, then where that one was surest."""
    words = ("right", "wrong") if table.metric.binary else ("ahead", "behind")
    rule = f"{one.name} {words[0]}, {other.name} {words[1]}"
    lead = [
        (a.score or 0.0) - (b.score or 0.0) for a, b in zip(one.answers, other.answers, strict=True)
    ]
    rows = [row for row, by in enumerate(lead) if by > 0]
    return _sorted(rows, rule, lambda row: (-lead[row], -(other.answers[row].sure or 0.0)))


def _all_wrong(table: RowTable) -> list[Pick]:
    """Rows on which no arm is right: the surest first, or those of the lowest scores."""
    each = list(zip(*(arm.answers for arm in table.arms), strict=True))
    rows = [row for row, answers in enumerate(each) if not any(map(table.is_right, answers))]
    sure = any(answer.sure is not None for answers in each for answer in answers)
    rule = "every arm wrong, and sure" if sure else "every arm wrong"
    return _sorted(rows, rule, lambda row: (_best(each[row]), -_surest(each[row])))


def _best(answers: Sequence[Answered]) -> float:
    return max(answer.score or 0.0 for answer in answers)


def _surest(answers: Sequence[Answered]) -> float:
    return max(answer.sure or 0.0 for answer in answers)


def _confused(table: RowTable, arm: ArmRows) -> Iterator[Pick]:
    """Rows of an arm's confusions, the largest first, and of each the surest first."""
    confusion = confusion_of(table, arm)
    if confusion is None:
        return
    for right, said, n in largest(confusion):
        wanted, answered = confusion.labels[right], confusion.labels[said]
        rows = [
            row
            for row, answer in enumerate(arm.answers)
            if answer.label == answered
            and right_label(table.run.gold.targets[row], answer) == wanted
        ]
        rule = f"{arm.name} takes {wanted} for {answered} ({counted(n, 'row')})"
        yield from _sorted(rows, rule, lambda row: (-(arm.answers[row].sure or 0.0),))


def _failed(table: RowTable) -> list[Pick]:
    """Rows whose answers failed: those of most arms first."""
    failures = [
        sum(arm.answers[row].state == "failed" for arm in table.arms)
        for row in range(len(table.run.gold.ids))
    ]
    rows = [row for row, n in enumerate(failures) if n]
    return _sorted(rows, "an answer failed", lambda row: (-failures[row],))


def _in_slice(table: RowTable, arm: ArmRows, worst: SliceScore | None) -> list[Pick]:
    """Rows of an arm's worst slice on which it is wrong: the lowest scores first."""
    if worst is None:
        return []
    rows = [
        row
        for row, slices in enumerate(table.run.gold.slices)
        if slices.get(worst.column) == worst.value and not table.is_right(arm.answers[row])
    ]
    rule = f"worst slice of {arm.name}: {worst.column} is {worst.value}"
    return _sorted(rows, rule, lambda row: (arm.answers[row].score or 0.0,))


def _sorted(rows: Sequence[int], rule: str, key: Callable[[int], tuple[float, ...]]) -> list[Pick]:
    """Return picks, the most telling first; of equal ones, in the order of the rows."""
    return [Pick(row, rule) for row in sorted(rows, key=lambda row: (*key(row), row))]
