"""What the right answers themselves say before a run: several of them, none of a label, two views.

Knows splits and labels; knows nothing of documents, arms or scores.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from itertools import combinations

from harness.task.same_input import key_of
from harness.types import Example, Split

SHOWN = 20
"""Labels that are named; of the rest the number."""
SHOWN_PAIRS = 5
"""Rows that ask the same and are named with each other."""
MOST_COMPARED = 50
"""Rows with the same input that are compared pair by pair; each of more only with the first."""


def said_of_answers(splits: Mapping[str, Split], labels: Collection[str]) -> Iterator[str]:
    """Yield what is worth saying of the right answers, in sentences.

    Args:
        splits: name to split.
        labels: of a choice; empty for other answers.
    """
    yield from several_answers(splits)
    yield from two_views(splits, exact=bool(labels))
    yield from never_learnt(splits) if labels else ()
    yield from without_rows(splits, labels)


def several_answers(splits: Mapping[str, Split]) -> Iterator[str]:
    """Say how many rows accept several answers, and what that means."""
    counts = {
        name: (sum(len(set(row.targets)) > 1 for row in split), len(split))
        for name, split in splits.items()
    }
    told = [f"{n} of {total} {name} rows" for name, (n, total) in counts.items() if n]
    if told:
        yield (
            f"{' and '.join(told)} accept several answers, as a list: any one of them is right"
            " → if all of them together are the answer, make it one JSON answer (answer.kind: json)"
        )


def two_views(splits: Mapping[str, Split], *, exact: bool) -> Iterator[str]:
    """Say which rows ask the same and have no right answer in common.

    Args:
        splits: name to split.
        exact: whether answers are labels; else neither case nor blanks tell two answers apart.
    """
    test = _pairs(splits["test"].examples, splits["test"].examples, exact)
    if test:
        rows = len({row for pair in test for row in pair})
        yield (
            f"{rows} of {len(splits['test'])} test rows ask the same as another test row and have"
            f" another right answer ({_named(test)}): no arm can be right on both → correct them,"
            " or accept both answers, as a list"
        )
    train = _pairs(splits["train"].examples, splits["train"].examples, exact)
    if train:
        rows = len({row for pair in train for row in pair})
        yield (
            f"{rows} of {len(splits['train'])} train rows ask the same as another and have another"
            f" right answer ({_named(train)}): arms that learn from rows are taught both"
        )
    learnt = [*splits["train"], *splits["validation"]]
    across = _pairs(splits["test"].examples, learnt, exact)
    if across:
        rows = len({row for row, _ in across})
        yield (
            f"{rows} of {len(splits['test'])} test rows ask the same as a row of train or"
            f" validation and have another right answer ({_named(across)}): arms that learn from"
            " rows are taught a wrong one"
        )


def _pairs(
    some: Sequence[Example], others: Sequence[Example], exact: bool
) -> list[tuple[str, str]]:
    """Return the ids of rows that are asked the same and have no right answer in common."""
    inside = some is others
    asked: dict[object, tuple[list[Example], list[Example]]] = defaultdict(lambda: ([], []))
    for side, rows in enumerate([some] if inside else [some, others]):
        for row in rows:
            asked[key_of(row.query), frozenset(row.query.groups)][side].append(row)
    found: list[tuple[str, str]] = []
    for left, right in asked.values():
        found += [
            (one.query.id, other.query.id)
            for one, other in _compared(left, left if inside else right, inside)
            if _views(one, exact).isdisjoint(_views(other, exact))
        ]
    return found


def _compared(
    left: list[Example], right: list[Example], inside: bool
) -> Iterator[tuple[Example, Example]]:
    """Yield the pairs of rows to compare: all of a few, else each with the first."""
    if inside and len(left) <= MOST_COMPARED:
        yield from combinations(left, 2)
    elif inside:
        yield from ((left[0], row) for row in left[1:])
    elif right:
        yield from ((row, right[0]) for row in left)


def _views(row: Example, exact: bool) -> set[str]:
    if exact:
        return set(row.targets)
    return {" ".join(target.casefold().split()).rstrip(".") for target in row.targets}


def _named(pairs: Sequence[tuple[str, str]]) -> str:
    named = ", ".join(f"{one} and {other}" for one, other in pairs[:SHOWN_PAIRS])
    return named + (f", and {len(pairs) - SHOWN_PAIRS} more" if len(pairs) > SHOWN_PAIRS else "")


def never_learnt(splits: Mapping[str, Split]) -> Iterator[str]:
    """Name the labels of test rows that no training row has."""
    taught = {label for row in splits["train"] for label in row.targets}
    asked = [row for row in splits["test"] if taught.isdisjoint(row.targets)]
    if taught and asked:
        labels = sorted({label for row in asked for label in row.targets})
        yield (
            f"{len(asked)} test rows have a label that no training row has ({_listed(labels)}):"
            " arms that learn labels from rows cannot answer with it"
        )


def without_rows(splits: Mapping[str, Split], labels: Collection[str]) -> Iterator[str]:
    """Name the labels that no row has, and those that no test row has."""
    seen = {
        name: {label for row in split for label in row.targets} for name, split in splits.items()
    }
    nowhere = [label for label in labels if not any(label in some for some in seen.values())]
    if nowhere:
        yield (
            f"{len(nowhere)} of {len(labels)} labels stand in no row ({_listed(nowhere)}): every"
            " arm is offered them, none can learn them, and nothing tests them → add rows, or"
            " remove them"
        )
    untested = [label for label in labels if label not in seen["test"] and label not in nowhere]
    if untested:
        yield (
            f"{len(untested)} of {len(labels)} labels have no test row ({_listed(untested)}): the"
            " score says nothing of them"
        )


def _listed(names: Sequence[str]) -> str:
    surplus = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {surplus} more" if surplus > 0 else "")
