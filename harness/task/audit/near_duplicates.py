"""The slow audit: test inputs that nearly stand in another split."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

from harness.store.finding import Finding, FindingSeverity
from harness.task.same_input import input_key
from harness.types import Document, Query, Split

ALIKE = 0.9
"""Cosine of two inputs' character n-grams from which a person would call them the same text."""
SHOWN = 5
NEAR = "near duplicates"
ROWS_AT_ONCE = 512


def near_duplicates(splits: Mapping[str, Split]) -> tuple[Finding, ...]:
    """Find test inputs that are nearly the same as one in train or validation.

    Texts are compared by the cosine of their TF-IDF over character n-grams of 3 to 5; inputs with
    other visible fields are others.

    Returns:
        How many there are, and the closest pairs.
    """
    others = [query for name in ("train", "validation") for query in splits[name].queries]
    tests = splits["test"].queries
    if not others:
        text = "there are no other splits to compare the test inputs with"
        return (Finding(kind=NEAR, text=text),)
    pairs = sorted(
        ((cosine, test, other) for test, (other, cosine) in nearly_in(tests, others).items()),
        reverse=True,
    )
    share = len(pairs) / len(tests)
    text = (
        f"{len(pairs)} of {len(tests)} test inputs ({share:.1%}) are nearly the same as one in"
        f" train or validation (cosine of character n-grams at least {ALIKE}){_closest_of(pairs)}"
    )
    ids = [test for _, test, _ in pairs]
    severity: FindingSeverity = "warning" if pairs else "note"
    remedy = "take them out of train and validation" if pairs else None
    return (Finding.of(NEAR, text, ids, severity=severity, remedy=remedy),)


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


def _closest_of(pairs: Sequence[tuple[float, str, str]]) -> str:
    """Return the closest pairs in words."""
    told = "; ".join(f"{one} is nearly {other} (cosine {c:.2f})" for c, one, other in pairs[:SHOWN])
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
