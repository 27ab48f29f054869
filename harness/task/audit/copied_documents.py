"""Documents that say the same under several ids.

Knows nothing of rows; how passages that stand several times are searched is
harness/retrieval/copies.py.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

from harness.store.finding import MOST_ROWS, Finding
from harness.types import Document

SHOWN = 3
"""Texts whose copies are named, and documents named of each."""


def copied_documents(documents: Sequence[Document]) -> Iterator[Finding]:
    """Say how many documents are copies of others, and which.

    Two documents say the same if their titles and texts do but for blanks; a title that is the
    file's name does not count.
    """
    ids: dict[str, list[str]] = defaultdict(list)
    for document in documents:
        ids[document.content].append(document.id)
    several = sorted((some for some in ids.values() if len(some) > 1), key=len, reverse=True)
    if not several:
        return
    surplus = sum(len(some) - 1 for some in several)
    named = "; ".join(_named(some) for some in several[:SHOWN])
    more = f"; and {len(several) - SHOWN} more texts" if len(several) > SHOWN else ""
    yield Finding(
        kind="copied documents",
        text=f"{surplus} of {len(documents)} documents say the same as another ({named}{more}): a"
        " text takes one place among the passages found, and each of its copies counts as evidence"
        " where one of them is",
        count=surplus,
        rows=tuple(copy for some in several for copy in some[1:])[:MOST_ROWS],
        remedy="keep one of each",
    )


def _named(ids: Sequence[str]) -> str:
    rest = len(ids) - SHOWN
    return " = ".join(ids[:SHOWN]) + (f" = {rest} more" if rest > 0 else "")
