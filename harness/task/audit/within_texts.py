"""Which inputs stand whole in longer texts: documents, instructions. Knows nothing of splits."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence

from harness.task.same_input import normalised
from harness.types import Query

TELLING_CHARACTERS = 25
"""An input that is not longer may stand in a text by chance."""


def ids_within(queries: Sequence[Query], texts: Iterable[str]) -> list[str]:
    """Return the ids of the queries whose whole text stands in one of the texts, in their order."""
    inputs = {query.id: f" {normalised(query.text)} " for query in queries}
    by_word: dict[str, list[str]] = defaultdict(list)
    for row_id, text in inputs.items():
        if len(text) > TELLING_CHARACTERS:
            by_word[max(text.split(), key=len)].append(row_id)
    found: set[str] = set()
    for one in texts if by_word else ():
        read = f" {normalised(one)} "
        for word in by_word.keys() & set(read.split()):  # an input's longest word: seldom there
            found.update(row_id for row_id in by_word[word] if inputs[row_id] in read)
    return [row_id for row_id in inputs if row_id in found]
