"""The slow audit: inputs that nearly stand elsewhere, and documents that nearly say the same."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.store.finding import Finding, FindingSeverity
from harness.task.audit.answers import SEVERE
from harness.task.audit.minhash import ALIKE as SIMILAR
from harness.task.audit.minhash import near_pairs
from harness.task.same_input import input_key, key_of, normalised
from harness.types import Document, Query, Split

ALIKE = 0.9
"""Cosine of two inputs' character n-grams from which a person would call them the same text."""
SHOWN = 5
NEAR = "near duplicates"
MASK = 2**63 - 1
Pair = tuple[float, str, str]
"""Similarity, and the ids of two rows, the later first."""
NOTHING = Finding(kind=NEAR, text="there are no other splits to compare the test inputs with")
ROWS_AT_ONCE = 512


def near_duplicates(splits: Mapping[str, Split]) -> tuple[Finding, ...]:
    """Find inputs that are nearly the same as another one, across splits and within them.

    Compared by their words (same_input.py), with MinHash; inputs with other visible fields are
    others, and those that are the very same are told elsewhere (repeated_inputs.py).

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
    texts = [normalised(queries[at].text) for at in places]
    fields = [hash(input_key("", queries[at].fields)) & MASK for at in places]
    across: list[Pair] = []
    within: dict[str, list[Pair]] = {}
    for alike, one, other in near_pairs(texts, fields):
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
        f" train or validation (similarity at least {SIMILAR}){_closest_of(pairs, 'similarity')}"
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
        f"{_closest_of(pairs, 'similarity')}"
    )
    return Finding.of(NEAR, text, [later for _, later, _ in pairs])


def nearly_in(tests: Sequence[Query], others: Sequence[Query]) -> dict[str, tuple[str, float]]:
    """Return which queries are nearly the same as one of others.

    Args:
        tests: the queries.
        others: those that they are compared with; at least one.

    Returns:
        A query's id to the id of the one that it is nearest to, and how near that is; of the
        queries that nearly are another, in their order.
    """
    fields = [np.array([input_key("", query.fields) for query in some]) for some in (tests, others)]
    closest = _closest(
        [query.text for query in tests],
        [query.text for query in others],
        lambda rows: fields[0][rows, None] != fields[1][None, :],
    )
    return {
        test.id: (others[at].id, cosine)
        for test, (cosine, at) in zip(tests, closest, strict=True)
        if cosine >= ALIKE
    }


def near_copies(documents: Sequence[Document]) -> tuple[Finding, ...]:
    """Find documents that nearly say the same as an earlier one: other case, another footer.

    Compared as inputs are. Copies that say the very same are not counted again.

    Returns:
        How many there are, and the closest pairs; nothing without documents.
    """
    distinct = list({document.content: document for document in reversed(documents)}.values())[::-1]
    if len(distinct) < 2:
        return ()
    texts = [document.text for document in distinct]
    places = np.arange(len(texts))

    def not_before(rows: slice) -> Any:
        return places[None, :] >= places[rows, None]

    earlier = [
        (cosine, distinct[at].id, distinct[other].id)
        for at, (cosine, other) in enumerate(_closest(texts, texts, not_before))
        if cosine >= ALIKE
    ]
    pairs = sorted(earlier, reverse=True)
    text = (
        f"{len(pairs)} of {len(documents)} documents are nearly the same as an earlier one (cosine"
        f" of character n-grams at least {ALIKE}){_closest_of(pairs)}: each takes places of its own"
        " among the passages found"
    )
    return (Finding.of("nearly copied documents", text, [one for _, one, _ in pairs]),)


def _closest_of(pairs: Sequence[tuple[float, str, str]], measure: str = "cosine") -> str:
    """Return the closest pairs in words."""
    told = "; ".join(
        f"{one} is nearly {other} ({measure} {c:.2f})" for c, one, other in pairs[:SHOWN]
    )
    return f", the closest: {told}" if told else ""


def _closest(
    tests: list[str], others: list[str], apart: Callable[[slice], Any]
) -> list[tuple[float, int]]:
    """Return for each test text the highest cosine and where it was found.

    Args:
        tests: the texts.
        others: those that they are compared with.
        apart: tells of some test texts which of the others do not count, [texts, others] of bool.
    """
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    known: Any = vectoriser.fit_transform(others)
    new: Any = vectoriser.transform(tests)
    found = []
    for start in range(0, len(tests), ROWS_AT_ONCE):
        rows = slice(start, min(start + ROWS_AT_ONCE, len(tests)))
        cosines = (new[rows] @ known.T).toarray()
        cosines[apart(rows)] = 0
        best = cosines.argmax(axis=1)
        found += [(float(row[at]), int(at)) for row, at in zip(cosines, best, strict=True)]
    return found
