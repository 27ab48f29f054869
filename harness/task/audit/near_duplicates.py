"""The slow audit: test inputs that nearly stand in another split."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.types import Split

ALIKE = 0.9
"""Cosine of two inputs' character n-grams from which a person would call them the same text."""
SHOWN = 5
ROWS_AT_ONCE = 512


def near_duplicates(splits: Mapping[str, Split]) -> tuple[str, ...]:
    """Find test inputs that are nearly the same as one in train or validation.

    Inputs are compared by the cosine of their TF-IDF over character n-grams of 3 to 5.

    Returns:
        Sentences for the user: how many there are, and the closest pairs.
    """
    others = [query for name in ("train", "validation") for query in splits[name].queries]
    tests = splits["test"].queries
    if not others:
        return ("there are no other splits to compare the test inputs with",)
    closest = _closest([query.text for query in tests], [query.text for query in others])
    pairs = sorted(
        ((cosine, test.id, others[at].id) for test, (cosine, at) in zip(tests, closest, strict=True)
         if cosine >= ALIKE),
        reverse=True,
    )  # fmt: skip
    share = len(pairs) / len(tests)
    found = [
        f"{len(pairs)} of {len(tests)} test inputs ({share:.1%}) are nearly the same as one in"
        f" train or validation (cosine of character n-grams at least {ALIKE})"
    ]
    found += [f"{test} is nearly {other} (cosine {c:.2f})" for c, test, other in pairs[:SHOWN]]
    return tuple(found)


def _closest(tests: list[str], others: list[str]) -> list[tuple[float, int]]:
    """Return for each test text the highest cosine and where it was found."""
    from sklearn.feature_extraction.text import TfidfVectorizer

    vectoriser = TfidfVectorizer(analyzer="char_wb", ngram_range=(3, 5), sublinear_tf=True)
    known: Any = vectoriser.fit_transform(others)
    new: Any = vectoriser.transform(tests)
    found = []
    for start in range(0, len(tests), ROWS_AT_ONCE):
        cosines = (new[start : start + ROWS_AT_ONCE] @ known.T).toarray()
        best = cosines.argmax(axis=1)
        found += [(float(row[at]), int(at)) for row, at in zip(cosines, best, strict=True)]
    return found
