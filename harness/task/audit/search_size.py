"""More passages asked for than the documents hold.

Knows parameters by the names that searching strategies share; knows no strategy.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from harness.types import Document


def asked_for_too_many(
    params: Mapping[str, Mapping[str, Any]], documents: Sequence[Document]
) -> Iterator[str]:
    """Say of each arm whose `top_k` is more than there are passages what it will do.

    Args:
        params: arm name to all its parameters.
        documents: of the task.
    """
    for arm, given in params.items():
        top_k = given.get("top_k")
        most = max(top_k) if isinstance(top_k, list) and top_k else top_k
        if not isinstance(most, int) or not {"passage_words", "overlap_words"} <= given.keys():
            continue
        there = _passages(documents, given["passage_words"], given["overlap_words"], most)
        if documents and there < most:
            yield (
                f"{arm}: top_k of {most} is more than the {there} different passages that the"
                f" documents hold: all of them are shown then → write {there} or less"
            )


def _passages(documents: Sequence[Document], words: int, overlap_words: int, enough: int) -> int:
    """Count different passages, up to `enough`."""
    from harness.retrieval.chunking import cut

    found: set[str] = set()
    for document in documents:
        if len(found) >= enough:
            break
        found.update(passage.content for passage in cut([document], words, overlap_words))
    return len(found)
