"""Inputs that nearly stand elsewhere, and documents that nearly say the same.

Compared by their words (same_input.py), with MinHash (minhash.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from harness.store.finding import Finding, FindingSeverity
from harness.task.audit.answers import SEVERE
from harness.task.audit.minhash import ALIKE, near_pairs
from harness.task.same_input import input_key, key_of, normalised
from harness.types import Document, Query, Split

SHOWN = 5
NEAR = "near duplicates"
MASK = 2**63 - 1
Pair = tuple[float, str, str]
"""Similarity, and the ids of two rows, the later first."""
NOTHING = Finding(kind=NEAR, text="there are no other splits to compare the test inputs with")


def near_duplicates(splits: Mapping[str, Split]) -> tuple[Finding, ...]:
    """Find inputs that are nearly the same as another one, across splits and within them.

    Inputs with other visible fields are others, and those that are the very same are told elsewhere
    (repeated_inputs.py).

    Returns:
        A finding for test inputs that nearly stand in train or validation, and one for each split
        that nearly repeats itself.
    """
    across, within = near_rows(splits)
    others = any(len(splits[name]) for name in ("train", "validation"))
    found = [_across(across, len(splits["test"])) if others else NOTHING]
    return (*found, *(_within(name, pairs, len(splits[name])) for name, pairs in within.items()))


def near_rows(splits: Mapping[str, Split]) -> tuple[list[Pair], dict[str, list[Pair]]]:
    """Return nearly equal inputs: pairs of a test row and another, and by split within them."""
    names, queries = [], []
    for name in ("train", "validation", "test"):  # a test input is compared with what is learnt
        names += [name] * len(splits[name])
        queries += splits[name].queries
    seen: dict[str, int] = {}
    for at, query in enumerate(queries):
        seen.setdefault(f"{names[at] == 'test'} {key_of(query)}", at)
    places = list(seen.values())
    texts, fields = _compared([queries[at] for at in places])
    learnt = sum(names[at] != "test" for at in places)
    across: list[Pair] = []
    within: dict[str, list[Pair]] = {}
    for alike, one, other in near_pairs(texts, fields, known=learnt):
        if texts[one] == texts[other]:
            continue  # the very same, which is another finding
        first, later = places[one], places[other]
        pair = (alike, queries[later].id, queries[first].id)
        if names[later] == "test" and names[first] != "test":
            across.append(pair)
        else:
            within.setdefault(names[later], []).append(pair)
    return across, within


def _across(pairs: list[Pair], n: int) -> Finding:
    pairs = sorted(pairs, reverse=True)
    text = (
        f"{len(pairs)} of {n} test inputs ({len(pairs) / n:.1%}) are nearly the same as one in"
        f" train or validation (similarity at least {ALIKE}){_closest_of(pairs)}"
    )
    severity: FindingSeverity = "severe" if len(pairs) > SEVERE * n else "warning"
    if not pairs:
        return Finding(kind=NEAR, text=text, count=0)
    remedy = "take them out of train and validation"
    return Finding.of(NEAR, text, [test for _, test, _ in pairs], severity=severity, remedy=remedy)


def _within(name: str, pairs: list[Pair], n: int) -> Finding:
    pairs = sorted(pairs, reverse=True)
    text = (
        f"{len(pairs)} of {n} {name} inputs are nearly the same as an earlier one"
        f"{_closest_of(pairs)}"
    )
    return Finding.of(NEAR, text, [later for _, later, _ in pairs])


def nearly_in(tests: Sequence[Query], others: Sequence[Query]) -> dict[str, tuple[str, float]]:
    """Return which queries are nearly the same as one of others, or the very same.

    Args:
        tests: the queries.
        others: those that they are compared with.

    Returns:
        A query's id to the id of one that it is near to, and how near that is; of the queries that
        nearly are another, in their order.
    """
    texts, fields = _compared([*others, *tests])
    known = len(others)
    return {
        tests[later - known].id: (others[first].id, alike)
        for alike, first, later in near_pairs(texts, fields, known)
        if first < known <= later
    }


def _compared(queries: Sequence[Query]) -> tuple[list[str], list[int]]:
    """Return the texts of queries as they are compared, and a number of each one's fields."""
    texts = [normalised(query.text) for query in queries]
    return texts, [hash(input_key("", query.fields)) & MASK for query in queries]


def near_copies(documents: Sequence[Document]) -> tuple[Finding, ...]:
    """Find documents that nearly say the same as an earlier one: other case, another footer.

    Copies that say the very same are not counted again.

    Returns:
        How many there are, and the closest pairs; nothing without documents.
    """
    distinct = list({document.content: document for document in reversed(documents)}.values())[::-1]
    if len(distinct) < 2:
        return ()
    texts = [normalised(document.text) for document in distinct]
    found = [
        (alike, distinct[later].id, distinct[first].id)
        for alike, first, later in near_pairs(texts, [0] * len(texts))
    ]
    pairs = sorted(found, reverse=True)
    text = (
        f"{len(pairs)} of {len(documents)} documents are nearly the same as an earlier one"
        f" (similarity at least {ALIKE}){_closest_of(pairs)}: each takes places of its own among"
        " the passages found"
    )
    return (Finding.of("nearly copied documents", text, [one for _, one, _ in pairs]),)


def _closest_of(pairs: Sequence[Pair]) -> str:
    """Return the closest pairs in words."""
    told = "; ".join(
        f"{one} is nearly {other} (similarity {alike:.2f})" for alike, one, other in pairs[:SHOWN]
    )
    return f", the closest: {told}" if told else ""
