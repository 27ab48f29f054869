"""What the right answers themselves say before a run: several of them, none of a label, two views.

Knows splits and labels; knows nothing of documents, arms or scores.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import combinations
from operator import itemgetter

from harness.store.finding import Finding, FindingSeverity
from harness.task.audit.repeated_inputs import RepeatedInputs
from harness.types import Example, Split

SHOWN = 20
"""Labels that are named; of the rest the number."""
SHOWN_PAIRS = 5
"""Rows that ask the same and are named with each other."""
MOST_COMPARED = 50
"""Rows with the same input that are compared pair by pair; each of more only with the first."""
SEVERE = 0.05
"""Share of test rows beyond which what is wrong with them misleads: about the margin of a task."""
UNEQUAL = 10
"""Times as many rows of the most frequent label as of the rarest."""
TWO_VIEWS, WITHOUT_ROWS = "same input, different answers", "labels without rows"
"""Kinds of findings."""
CORRECT = "correct them, or leave one of each out"


def said_of_answers(repeated: RepeatedInputs, labels: Collection[str]) -> Iterator[Finding]:
    """Yield what is worth saying of the right answers.

    Args:
        repeated: the splits, and which of their rows ask the same.
        labels: of a choice; empty for other answers.
    """
    splits = repeated.splits
    yield from several_answers(splits)
    yield from two_views(repeated, exact=bool(labels))
    yield from never_learnt(splits) if labels else ()
    yield from without_rows(splits, labels)


def several_answers(splits: Mapping[str, Split]) -> Iterator[Finding]:
    """Say how many rows accept several answers, and what that means."""
    counts = {
        name: (sum(len(row.targets) > 1 and len(set(row.targets)) > 1 for row in split), len(split))
        for name, split in splits.items()
    }
    told = [f"{n} of {total} {name} rows" for name, (n, total) in counts.items() if n]
    if told:
        yield Finding(
            kind="several right answers",
            text=f"{' and '.join(told)} accept several answers, as a list: any one of them is"
            " right",
            count=sum(n for n, _ in counts.values()),
            remedy="if all of them together are the answer, make it one JSON answer"
            " (answer.kind: json)",
        )


def two_views(repeated: RepeatedInputs, *, exact: bool) -> Iterator[Finding]:
    """Say which rows ask the same and have no right answer in common.

    Args:
        repeated: the splits, and which of their rows ask the same.
        exact: whether answers are labels; else neither case nor blanks tell two answers apart.
    """
    splits = repeated.splits
    test = _pairs_inside(repeated, "test", exact)
    if test:
        ids = list(dict.fromkeys(row for pair in test for row in pair))
        severity: FindingSeverity = (
            "severe" if len(ids) > SEVERE * len(splits["test"]) else "warning"
        )
        text = (
            f"{len(ids)} of {len(splits['test'])} test rows ask the same as another test row and"
            f" have another right answer ({_named(test)}): no arm can be right on both"
        )
        remedy = "correct them, or accept both answers, as a list"
        yield Finding.of(TWO_VIEWS, text, ids, severity=severity, remedy=remedy)
    train = _pairs_inside(repeated, "train", exact)
    if train:
        ids = list(dict.fromkeys(row for pair in train for row in pair))
        text = (
            f"{len(ids)} of {len(splits['train'])} train rows ask the same as another and have"
            f" another right answer ({_named(train)}): arms that learn from rows are taught both"
        )
        yield Finding.of(TWO_VIEWS, text, ids, severity="warning", remedy=CORRECT)
    across = _pairs_across(repeated, exact)
    if across:
        ids = list(dict.fromkeys(row for row, _ in across))
        text = (
            f"{len(ids)} of {len(splits['test'])} test rows ask the same as a row of train or"
            f" validation and have another right answer ({_named(across)}): arms that learn from"
            " rows are taught a wrong one"
        )
        yield Finding.of(TWO_VIEWS, text, ids, severity="warning", remedy=CORRECT)


def _pairs_inside(repeated: RepeatedInputs, split: str, exact: bool) -> list[tuple[str, str]]:
    """Return the ids of a split's rows that ask the same and share no right answer."""
    rows = repeated.splits[split]
    alike = [
        places for some in repeated.of(split) for places in _by_askers(rows, some[split]).values()
    ]
    alike.sort(key=itemgetter(0))
    pairs = (pair for places in alike for pair in _compared([rows[at] for at in places]))
    return _differing(pairs, exact)


def _pairs_across(repeated: RepeatedInputs, exact: bool) -> list[tuple[str, str]]:
    """Return the ids of a test row and the first other row that asks the same, if they differ."""
    splits = repeated.splits
    found: list[tuple[list[int], Example]] = []
    for some in repeated.of("test"):
        learnt: dict[frozenset[str], Example] = {}
        for name in ("train", "validation"):
            for askers, places in _by_askers(splits[name], some.get(name, ())).items():
                learnt.setdefault(askers, splits[name][places[0]])
        tests = _by_askers(splits["test"], some["test"])
        found += [(places, learnt[it]) for it, places in tests.items() if it in learnt]
    found.sort(key=lambda pair: pair[0][0])
    pairs = ((splits["test"][at], other) for places, other in found for at in places)
    return _differing(pairs, exact)


def _by_askers(rows: Split, places: Iterable[int]) -> dict[frozenset[str], list[int]]:
    """Return the places of rows by the groups of who asks: others ask another question."""
    found: dict[frozenset[str], list[int]] = {}
    for at in places:
        found.setdefault(frozenset(rows[at].query.groups), []).append(at)
    return found


def _differing(pairs: Iterable[tuple[Example, Example]], exact: bool) -> list[tuple[str, str]]:
    return [
        (one.query.id, other.query.id)
        for one, other in pairs
        if _views(one, exact).isdisjoint(_views(other, exact))
    ]


def _compared(rows: list[Example]) -> Iterator[tuple[Example, Example]]:
    """Yield the pairs of rows to compare: all of a few, else each with the first."""
    if len(rows) <= MOST_COMPARED:
        yield from combinations(rows, 2)
    else:
        yield from ((rows[0], row) for row in rows[1:])


def _views(row: Example, exact: bool) -> set[str]:
    if exact:
        return set(row.targets)
    return {" ".join(target.casefold().split()).rstrip(".") for target in row.targets}


def _named(pairs: Sequence[tuple[str, str]]) -> str:
    named = ", ".join(f"{one} and {other}" for one, other in pairs[:SHOWN_PAIRS])
    return named + (f", and {len(pairs) - SHOWN_PAIRS} more" if len(pairs) > SHOWN_PAIRS else "")


def never_learnt(splits: Mapping[str, Split]) -> Iterator[Finding]:
    """Name the labels of test rows that no training row has."""
    taught = {label for row in splits["train"] for label in row.targets}
    asked = [row for row in splits["test"] if taught.isdisjoint(row.targets)]
    if taught and asked:
        labels = sorted({label for row in asked for label in row.targets})
        text = (
            f"{len(asked)} test rows have a label that no training row has ({_listed(labels)}):"
            " arms that learn labels from rows cannot answer with it"
        )
        ids = [row.query.id for row in asked]
        remedy = "add training rows of it"
        yield Finding.of("labels never learnt", text, ids, severity="warning", remedy=remedy)


def without_rows(splits: Mapping[str, Split], labels: Collection[str]) -> Iterator[Finding]:
    """Name the labels that no row has, and those that no test row has."""
    seen = {
        name: {label for row in split for label in row.targets} for name, split in splits.items()
    }
    nowhere = [label for label in labels if not any(label in some for some in seen.values())]
    if nowhere:
        yield Finding(
            kind=WITHOUT_ROWS,
            text=f"{len(nowhere)} of {len(labels)} labels stand in no row ({_listed(nowhere)}):"
            " every arm is offered them, none can learn them, and nothing tests them",
            count=len(nowhere),
            severity="warning",
            remedy="add rows, or remove them",
        )
    untested = [label for label in labels if label not in seen["test"] and label not in nowhere]
    if untested:
        yield Finding(
            kind=WITHOUT_ROWS,
            text=f"{len(untested)} of {len(labels)} labels have no test row ({_listed(untested)}):"
            " the score says nothing of them",
            count=len(untested),
            remedy="add test rows of them",
        )


def balance(splits: Mapping[str, Split]) -> Iterator[Finding]:
    """Say how unequal the labels of the training rows are, where that is by a factor of ten."""
    counts = Counter(row.targets[0] for row in splits["train"])
    if len(counts) < 2:
        return
    (most, many), *_, (least, few) = counts.most_common()
    if many >= UNEQUAL * few:
        yield Finding(
            kind="class balance",
            text=f"train rows are {many} of '{most}' and {few} of '{least}': accuracy says little"
            " of rare labels",
            count=few,
            remedy="look at macro_f1 too, or add rows of the rare labels",
        )


def _listed(names: Sequence[str]) -> str:
    surplus = len(names) - SHOWN
    return ", ".join(names[:SHOWN]) + (f" and {surplus} more" if surplus > 0 else "")
